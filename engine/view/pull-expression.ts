/** Bound expressions -> DuckDB SQL with PostgreSQL's answers. */
import { assert, assertNever } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { holdsSubquery, isRepeatable } from '../../sql/expression-fact.ts';
import { callScalar } from '../../sql/function/define.ts';
import type { ScalarFunction } from '../../sql/function/scalar-function.ts';
import { renderComparison } from './pull-comparison.ts';
import { computed, type PullContext, type Scope, type Sql } from './pull-context.ts';
import { decimalArithmetic, integerAsDecimal, unify } from './pull-decimal.ts';
import { renderFunction } from './pull-function.ts';
import { equalityKey } from './pull-key.ts';
import { computedType, manyDimensions, renderLiteral, rowOf } from './pull-literal.ts';
import { renderSubquery } from './pull-subquery.ts';

/** Characters of one expression's SQL. */
const SQL_CHARACTERS_MAX = 1_000_000;

/** @throws StreamError SQL_TOO_COMPLEX when the text grows beyond all reason. */
export function renderExpression(context: PullContext, expr: BoundExpr, scope: Scope): Sql {
  const sql = renderKind(context, expr, scope);
  if (sql.text.length > SQL_CHARACTERS_MAX) {
    throw new StreamError('SQL_TOO_COMPLEX', 'the expression is too complex', { at: expr.span });
  }
  return sql;
}

function renderKind(context: PullContext, expr: BoundExpr, scope: Scope): Sql {
  const render = (inner: BoundExpr): Sql => renderExpression(context, inner, scope);
  switch (expr.kind) {
    case 'literal':
      return renderLiteral(expr.value, expr.type);
    case 'column':
      return scope.column(expr.index);
    case 'outer-column':
      return outerColumn(scope, expr.depth, expr.index);
    case 'parameter':
      throw new StreamError('SQL_UNDEFINED_PARAMETER', `there is no parameter $${expr.index}`, {
        at: expr.span,
      });
    case 'call':
      return renderCall(context, expr.fn, expr.args, expr.type, render);
    case 'cast':
      return renderCast(context, expr, render);
    case 'and':
    case 'or':
      return {
        text: `(${expr.args.map((arg) => render(arg).text).join(expr.kind === 'and' ? ' AND ' : ' OR ')})`,
      };
    case 'not':
      return { text: `(NOT ${render(expr.operand).text})` };
    case 'is-null':
      return { text: `(${render(expr.operand).text} IS ${expr.negated ? 'NOT ' : ''}NULL)` };
    case 'is-truth': {
      const operator = expr.negated ? 'IS DISTINCT FROM' : 'IS NOT DISTINCT FROM';
      return {
        text: `(${render(expr.operand).text} ${operator} ${expr.value ? 'TRUE' : 'FALSE'})`,
      };
    }
    case 'is-distinct': {
      const [left, right] = sameKeys(context, [expr.left, expr.right], render);
      return { text: `(${left} IS ${expr.negated ? 'NOT ' : ''}DISTINCT FROM ${right})` };
    }
    case 'case':
      return renderCase(expr, render);
    case 'coalesce': {
      const { texts, decimal } = unify(expr.args.map(render));
      return { text: `COALESCE(${texts.join(', ')})`, decimal };
    }
    case 'in-list': {
      const [operand = '', ...items] = sameKeys(context, [expr.operand, ...expr.items], render);
      return { text: `(${operand} ${expr.negated ? 'NOT ' : ''}IN (${items.join(', ')}))` };
    }
    case 'let':
      return renderLet(context, expr, scope);
    case 'let-value': {
      const value = scope.lets?.get(expr.id);
      assert(value !== undefined, 'a name stands inside of its let');
      return value;
    }
    case 'array': {
      const isNested = expr.items.some((item) => item.type.kind === 'array');
      if (isNested && expr.type.kind === 'array' && expr.type.element.kind !== 'array') {
        throw manyDimensions(expr.span);
      }
      const items = expr.items.map((item) => computed(render(item)));
      return { text: `CAST([${items.join(', ')}] AS ${computedType(expr.type)})` };
    }
    case 'row': {
      return {
        text: rowOf(
          expr.items.map((item) => computed(render(item))),
          expr.type,
        ),
      };
    }
    case 'field':
      return { text: `struct_extract(${render(expr.operand).text}, 'f${expr.index}')` };
    case 'subquery':
      return renderSubquery(context, expr, scope);
    default:
      return assertNever(expr);
  }
}

/** Shorter values, and those whose body DuckDB does not take in a lambda, are repeated. */
const REPEATED_CHARACTERS_MAX = 300;

/** DuckDB has no LET; a list of one element and a lambda over it are one. */
function renderLet(
  context: PullContext,
  { id, value, body }: BoundExpr & { readonly kind: 'let' },
  scope: Scope,
): Sql {
  const { text, decimal } = renderExpression(context, value, scope);
  const within = (named: string): Sql =>
    renderExpression(context, body, {
      ...scope,
      lets: new Map([...(scope.lets ?? []), [id, { text: named, decimal }]]),
    });
  const short = text.length <= REPEATED_CHARACTERS_MAX && isRepeatable(value);
  if (short || holdsSubquery(body)) return within(text);
  const name = context.alias();
  const result = within(`${name}[1]`);
  return { ...result, text: `list_transform([row(${text})], lambda ${name}: ${result.text})[1]` };
}

function outerColumn(scope: Scope, depth: number, index: number): Sql {
  let target: Scope | undefined = scope;
  for (let level = 0; level < depth; level++) target = target?.outer;
  assert(target !== undefined, `an enclosing query ${depth} levels out`);
  return target.column(index);
}

type Render = (expr: BoundExpr) => Sql;

/** The values as keys that DuckDB's equality compares as PostgreSQL would. */
function sameKeys(context: PullContext, exprs: readonly BoundExpr[], render: Render): string[] {
  const { texts, decimal } = unify(exprs.map(render));
  return texts.map((text, i) =>
    equalityKey(context, { text, decimal }, (exprs[i] as BoundExpr).type),
  );
}

function renderCase(expr: BoundExpr & { readonly kind: 'case' }, render: Render): Sql {
  const values = expr.whens.map(({ then }) => render(then));
  if (expr.otherwise !== undefined) values.push(render(expr.otherwise));
  const { texts, decimal } = unify(values);
  const whens = expr.whens.map(({ when }, i) => `WHEN ${render(when).text} THEN ${texts[i]}`);
  const otherwise = expr.otherwise === undefined ? '' : ` ELSE ${texts.at(-1)}`;
  return { text: `(CASE ${whens.join(' ')}${otherwise} END)`, decimal };
}

const arithmetic: ReadonlySet<string> = new Set(['+', '-', '*']);

function renderCall(
  context: PullContext,
  fn: ScalarFunction,
  args: readonly BoundExpr[],
  type: SqlType,
  render: Render,
): Sql {
  const values = args.map(render);
  const compared = renderComparison(context, fn, args, values);
  if (compared !== undefined) return compared;
  const [first, second] = values;
  const numeric = args.every((arg) => arg.type.kind === 'numeric');
  if (numeric && first !== undefined && second !== undefined && arithmetic.has(fn.name)) {
    const exact = decimalArithmetic(fn.name, first, second);
    if (exact !== undefined) return exact;
  }
  const pattern = nativeLike(fn, args, values);
  if (pattern !== undefined) return pattern;
  return renderFunction(
    context,
    fn,
    args.map((arg) => arg.type),
    type,
    values,
  );
}

const likeOperators: Readonly<Record<string, string>> = { '~~': 'LIKE', '!~~': 'NOT LIKE' };

/** LIKE over text with a constant pattern without PostgreSQL's escapes, which DuckDB's LIKE does not know. */
function nativeLike(
  fn: ScalarFunction,
  args: readonly BoundExpr[],
  values: readonly Sql[],
): Sql | undefined {
  const operator = likeOperators[fn.name];
  const pattern = args[1];
  if (operator === undefined || args.length !== 2 || pattern?.kind !== 'literal') return undefined;
  if (args[0]?.type.kind !== 'text' && args[0]?.type.kind !== 'varchar') return undefined;
  if (typeof pattern.value !== 'string' || pattern.value.includes('\\')) return undefined;
  return { text: `(${values[0]?.text} ${operator} ${values[1]?.text})` };
}

function renderCast(
  context: PullContext,
  expr: BoundExpr & { readonly kind: 'cast' },
  render: Render,
): Sql {
  const operand = render(expr.operand);
  const from = expr.operand.type;
  const { fn, type } = expr;
  if (fn === undefined) {
    if (type.kind === 'numeric' && from.kind === 'numeric') return operand;
    const target = computedType(type);
    const text = computed(operand);
    return target === computedType(from) ? { text } : { text: `CAST(${text} AS ${target})` };
  }
  if (type.kind === 'numeric' && type.precision === undefined && isInteger(from)) {
    return integerAsDecimal(operand.text, from.kind);
  }
  if (expr.try) {
    return context.call(
      [from],
      type,
      [computed(operand)],
      (row) => {
        try {
          return callScalar(fn, row);
        } catch (cause) {
          if (cause instanceof StreamError) return null;
          throw cause;
        }
      },
      { strict: fn.strict !== false },
    );
  }
  return renderFunction(context, fn, [from], type, [operand]);
}

function isInteger(
  type: SqlType,
): type is SqlType & { readonly kind: 'smallint' | 'integer' | 'bigint' } {
  return type.kind === 'smallint' || type.kind === 'integer' || type.kind === 'bigint';
}

/**
 * A WHERE condition. DuckDB reorders the parts of AND as it likes, but does not look into a CASE: from the first part
 * that calls back (and so may fail for rows that earlier parts exclude) the parts run from left to right.
 */
export function renderCondition(context: PullContext, expr: BoundExpr, scope: Scope): string {
  if (expr.kind !== 'and') return renderExpression(context, expr, scope).text;
  const free: string[] = [];
  const ordered: string[] = [];
  for (const arg of expr.args) {
    const before = context.calls.length;
    const { text } = renderExpression(context, arg, scope);
    const calls = context.calls.length > before;
    if (ordered.length > 0 || (calls && free.length > 0)) ordered.push(text);
    else free.push(text);
  }
  const first = `(${free.join(' AND ')})`;
  const last = ordered.pop();
  if (last === undefined) return first;
  const rest = ordered.reduceRight(
    (condition, part) => `CASE WHEN ${part} THEN ${condition} ELSE FALSE END`,
    last,
  );
  return `(CASE WHEN ${first} THEN ${rest} ELSE FALSE END)`;
}
