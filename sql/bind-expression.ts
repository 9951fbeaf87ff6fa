/** Expressions of the syntax tree to bound expressions: the dispatcher, and the constructs of the grammar. */
import type { Expression } from './ast.ts';
import { assertNever } from './base/assert.ts';
import { StreamError } from './base/error.ts';
import { isMapType } from './base/type.ts';
import { bindGrouping } from './bind-aggregate.ts';
import { bindCall, refuseSets } from './bind-call.ts';
import type { BindContext } from './bind-context.ts';
import { bindIsJson } from './bind-is-json.ts';
import { bindNumber, bindParameter, bindTypedLiteral } from './bind-literal.ts';
import { bindColumn, bindField, expandRow, expandStar } from './bind-name.ts';
import { bindOnce } from './bind-once.ts';
import { bindOperator, combine, isComparison, itemsOf } from './bind-operator.ts';
import { bindSlice, bindSubscript, bindWholeRow } from './bind-part.ts';
import { bindScalar } from './bind-scalar.ts';
import type { Scope } from './bind-scope.ts';
import { fieldAfterArrow } from './bind-struct.ts';
import { bindQuantified, bindRowComparison, bindSubquery } from './bind-subquery.ts';
import { withTimesOfTexts } from './bind-time-text.ts';
import { bindTypeName } from './bind-type.ts';
import {
  booleanType,
  castExplicitly,
  coerce,
  coerceToBoolean,
  commonType,
  resolveUnknown,
  textType,
  unify,
  unknownType,
} from './coerce.ts';
import { requireCollation } from './collation.ts';
import type { BoundExpr } from './expression.ts';
import { nestedArray } from './nested-array.ts';
import { withoutModifiers } from './type-category.ts';

type Node<Kind extends Expression['kind']> = Expression & { readonly kind: Kind };

/** Binds one expression in the scope's current clause. All errors carry their span. */
export function bindExpression(node: Expression, scope: Scope): BoundExpr {
  const { context } = scope;
  const span = node.span;
  const bind = (part: Expression): BoundExpr => bindExpression(part, scope);
  switch (node.kind) {
    case 'null':
      return { kind: 'literal', value: null, type: unknownType, span };
    case 'boolean':
      return { kind: 'literal', value: node.value, type: booleanType, span };
    case 'number':
      return bindNumber(node, false);
    case 'string':
      return { kind: 'literal', value: node.value, type: unknownType, span };
    case 'bit-string':
      throw new StreamError('SQL_NOT_SUPPORTED', 'bit strings are not supported', {
        at: span,
        hint: "Use bytea, written '\\x1f'.",
      });
    case 'typed-literal':
      return bindTypedLiteral(node, context);
    case 'column':
      return bindColumn(node.name, scope);
    case 'star':
      return bindWholeRow(node, scope);
    case 'parameter':
      return bindParameter(node, context);
    case 'unary':
      if (node.op === '-' && node.operand.kind === 'number') {
        return { ...bindNumber(node.operand, true), span };
      }
      return bindOperator(node.op, [bind(node.operand)], span, context);
    case 'binary':
      return bindBinary(withTimesOfTexts(node, scope), scope);
    case 'and':
    case 'or':
      return bindLogic(node, scope);
    case 'not': {
      const operand = coerceToBoolean(bind(node.operand), 'NOT', context);
      return { kind: 'not', operand, type: booleanType, span };
    }
    case 'is':
      return bindIs(node, scope);
    case 'is-distinct':
      return bindIsDistinct(node, scope);
    case 'between':
      return bindBetween(withTimesOfTexts(node, scope), scope);
    case 'like':
      return bindLike(node, scope);
    case 'in-list':
      return bindInList(withTimesOfTexts(node, scope), scope);
    case 'in-query':
    case 'quantified':
      return bindQuantified(node, scope, bindExpression);
    case 'case':
      return bindCase(node, scope);
    case 'cast':
      return castExplicitly(
        bindCastOperand(node, scope),
        bindTypeName(node.type, context),
        node.try,
        span,
        context,
      );
    case 'call':
      return bindCall(node, scope, bindExpression);
    case 'scalar-query':
    case 'exists':
    case 'array-query':
      return bindSubquery(node, scope);
    case 'array':
      return bindArray(node, scope);
    case 'row': {
      const items = node.items.flatMap((item) => rowItem(item, scope));
      const fields = items.map((item, index) => ({
        name: `f${index + 1}`,
        type: item.type,
        nullable: true,
      }));
      return { kind: 'row', items, type: { kind: 'row', fields }, span };
    }
    case 'subscript':
      return bindSubscript(node, scope);
    case 'slice':
      return bindSlice(node, scope);
    case 'field':
      return { ...bindField(bind(node.operand), node.field), span };
    case 'at-time-zone':
      return bindScalar('timezone', [bind(node.zone), bind(node.operand)], span, context);
    case 'collate':
      return bindCollate(node, scope);
    case 'grouping':
      return bindGrouping(node, scope, bindExpression);
    case 'lambda':
      throw new StreamError('SQL_NOT_SUPPORTED', 'lambda expressions are not supported', {
        at: span,
        hint: 'Use unnest(array) in FROM and an aggregate.',
      });
    default:
      return assertNever(node);
  }
}

function bindBinary(node: Node<'binary'>, scope: Scope): BoundExpr {
  // A long chain of operators leans to the left; a loop keeps the stack short.
  const chain: Node<'binary'>[] = [];
  let first: Expression = node;
  while (first.kind === 'binary') {
    chain.push(first);
    first = first.left;
  }
  let bound = bindExpression(first, scope);
  for (const link of chain.reverse()) {
    const field = bound.type.kind === 'row' ? fieldAfterArrow(link) : undefined;
    if (field !== undefined) {
      bound = bindExpression(field, scope);
      continue;
    }
    bound = { ...bindLink(bound, link, scope), span: link.span };
  }
  return bound;
}

function bindLink(left: BoundExpr, link: Node<'binary'>, scope: Scope): BoundExpr {
  const span = link.opSpan ?? link.span;
  if (left.kind === 'row' && link.right.kind === 'scalar-query' && isComparison(link.op)) {
    return bindRowComparison(link.op, left, link.right, span, scope);
  }
  return bindOperator(link.op, [left, bindExpression(link.right, scope)], span, scope.context);
}

/** `ROW(t.*, (c).*, x)`: stars stand for their columns. */
function rowItem(item: Expression, scope: Scope): readonly BoundExpr[] {
  if (item.kind === 'star') {
    return expandStar(item.qualifier, scope, item.span).map(({ expression }) => expression);
  }
  if (item.kind === 'field' && item.field.name === '*' && !item.field.quoted) {
    return expandRow(bindExpression(item.operand, scope)).map(({ expression }) => expression);
  }
  return [bindExpression(item, scope)];
}

function bindLogic(node: Node<'and' | 'or'>, scope: Scope): BoundExpr {
  const operands: Expression[] = [];
  let first: Expression = node;
  while (first.kind === node.kind) {
    operands.push(first.right);
    first = first.left;
  }
  operands.push(first);
  const clause = node.kind === 'and' ? 'AND' : 'OR';
  const args = operands
    .reverse()
    .map((operand) => coerceToBoolean(bindExpression(operand, scope), clause, scope.context));
  // What BETWEEN and rows become stays together, since GROUP BY may have it as a key.
  return { kind: node.kind, args, type: booleanType, span: node.span };
}

/** `NULL::int[]` or `ARRAY[]::int[]`: an empty array takes its type from the cast. */
function bindCastOperand(node: Node<'cast'>, scope: Scope): BoundExpr {
  if (node.operand.kind === 'array' && node.operand.items.length === 0) {
    const type = bindTypeName(node.type, scope.context);
    if (type.kind === 'array') {
      return { kind: 'array', items: [], type, span: node.operand.span };
    }
  }
  return bindExpression(node.operand, scope);
}

function bindIs(node: Node<'is'>, scope: Scope): BoundExpr {
  const { context } = scope;
  const { negated, span } = node;
  const operand = bindExpression(node.operand, scope);
  switch (node.test) {
    case 'null': {
      const known = resolveUnknown(operand, context);
      return isNull(known, negated, span);
    }
    case 'unknown': {
      const condition = coerceToBoolean(operand, `IS ${negated ? 'NOT ' : ''}UNKNOWN`, context);
      return { kind: 'is-null', operand: condition, negated, type: booleanType, span };
    }
    case 'true':
    case 'false': {
      const clause = `IS ${negated ? 'NOT ' : ''}${node.test.toUpperCase()}`;
      const condition = coerceToBoolean(operand, clause, context);
      const value = node.test === 'true';
      return { kind: 'is-truth', operand: condition, value, negated, type: booleanType, span };
    }
    case 'json':
      return bindIsJson(operand, node.detail, negated, span, context);
    case 'normalized': {
      const form: BoundExpr = {
        kind: 'literal',
        value: node.detail?.toUpperCase() ?? 'NFC',
        type: textType,
        span,
      };
      const test = bindScalar('is_normalized', [operand, form], span, context);
      return negated ? { kind: 'not', operand: test, type: booleanType, span } : test;
    }
    case 'document':
      throw new StreamError('SQL_NOT_SUPPORTED', `IS ${node.test.toUpperCase()} is not supported`, {
        at: span,
      });
    default:
      return assertNever(node.test);
  }
}

/** A row IS NULL when all its fields are, and IS NOT NULL when none is. */
function isNull(operand: BoundExpr, negated: boolean, span: BoundExpr['span']): BoundExpr {
  const items = itemsOf(operand);
  if (items === undefined) return { kind: 'is-null', operand, negated, type: booleanType, span };
  if (items.length === 0) return { kind: 'literal', value: true, type: booleanType, span };
  return combine(
    'and',
    items.map((item) => ({
      kind: 'is-null',
      operand: item,
      negated,
      type: booleanType,
      span,
    })),
    span,
  );
}

function bindIsDistinct(node: Node<'is-distinct'>, scope: Scope): BoundExpr {
  const { context } = scope;
  const left = bindExpression(node.left, scope);
  const right = bindExpression(node.right, scope);
  const { negated, span } = node;
  // The types are those of the operator =; PostgreSQL's error names it, too.
  const equal = bindOperator('=', [left, right], span, context);
  if (equal.kind === 'call') {
    const [a, b] = equal.args;
    if (a !== undefined && b !== undefined) {
      return { kind: 'is-distinct', left: a, right: b, negated, type: booleanType, span };
    }
  }
  const pairs = equal.kind === 'and' ? equal.args : [];
  const differing = pairs.map((pair): BoundExpr => {
    const [a, b] = pair.kind === 'call' ? pair.args : [];
    if (a === undefined || b === undefined) {
      throw new StreamError('SQL_NOT_SUPPORTED', 'IS DISTINCT FROM over nested rows', { at: span });
    }
    return { kind: 'is-distinct', left: a, right: b, negated, type: booleanType, span };
  });
  return combine(negated ? 'and' : 'or', differing, span);
}

function bindBetween(node: Node<'between'>, scope: Scope): BoundExpr {
  const { context } = scope;
  const bound = bindExpression(node.operand, scope);
  const low = bindExpression(node.low, scope);
  const high = bindExpression(node.high, scope);
  return bindOnce(bound, (operand) => betweenBounds(node, operand, low, high, context));
}

function betweenBounds(
  { negated, symmetric, span }: Node<'between'>,
  operand: BoundExpr,
  low: BoundExpr,
  high: BoundExpr,
  context: BindContext,
): BoundExpr {
  const within = (from: BoundExpr, to: BoundExpr): BoundExpr => {
    const above = bindOperator(negated ? '<' : '>=', [operand, from], span, context);
    const below = bindOperator(negated ? '>' : '<=', [operand, to], span, context);
    return combine(negated ? 'or' : 'and', [above, below], span);
  };
  if (!symmetric) return within(low, high);
  return combine(negated ? 'and' : 'or', [within(low, high), within(high, low)], span);
}

const likeOperators = {
  like: ['~~', '!~~'],
  ilike: ['~~*', '!~~*'],
  similar: ['~', '!~'],
} as const;

function bindLike(node: Node<'like'>, scope: Scope): BoundExpr {
  const { context } = scope;
  const { span } = node;
  const operand = bindExpression(node.operand, scope);
  let pattern = bindExpression(node.pattern, scope);
  const escapeText = node.escape && bindExpression(node.escape, scope);
  if (node.op === 'similar') {
    const args = escapeText === undefined ? [pattern] : [pattern, escapeText];
    pattern = bindScalar('similar_to_escape', args, span, context);
  } else if (escapeText !== undefined) {
    pattern = bindScalar('like_escape', [pattern, escapeText], span, context);
  }
  const op = likeOperators[node.op][node.negated ? 1 : 0];
  return bindOperator(op, [operand, pattern], span, context);
}

/** Items of one common type with the operand are one list; else each is compared by itself. */
function bindInList(node: Node<'in-list'>, scope: Scope): BoundExpr {
  const { context } = scope;
  const { negated, span } = node;
  const operand = bindExpression(node.operand, scope);
  const items = node.items.map((item) => bindExpression(item, scope));
  const op = negated ? '<>' : '=';
  const common = commonType(
    [operand, ...items].map((item) => item.type),
    context,
  );
  const rows = operand.type.kind === 'row' || items.some((item) => item.type.kind === 'row');
  if (!('kind' in common) || rows) {
    const compared = items.map((item) =>
      bindOperator(op, [operand, item], item.span ?? span, context),
    );
    return combine(negated ? 'and' : 'or', compared, span);
  }
  const sample = bindOperator(
    op,
    [
      { ...operand, type: common },
      { ...operand, type: common },
    ],
    span,
    context,
  );
  const type = sample.kind === 'call' ? (sample.args[0]?.type ?? common) : common;
  return {
    kind: 'in-list',
    operand: coerce(operand, type, context),
    items: items.map((item) => coerce(item, type, context)),
    negated,
    type: booleanType,
    span,
  };
}

function bindCase(node: Node<'case'>, scope: Scope): BoundExpr {
  const setCount = scope.pending.sets.length;
  const bound = bindCaseOver(node, scope);
  refuseSets(setCount, 'CASE', scope, node.span);
  return bound;
}

function bindCaseOver(node: Node<'case'>, scope: Scope): BoundExpr {
  if (node.operand === undefined) return bindBranches(node, undefined, scope);
  const operand = resolveUnknown(bindExpression(node.operand, scope), scope.context);
  return bindOnce(operand, (once) => bindBranches(node, once, scope));
}

function bindBranches(node: Node<'case'>, operand: BoundExpr | undefined, scope: Scope): BoundExpr {
  const { context } = scope;
  const { span } = node;
  const conditions = node.whens.map((branch) => {
    const when = bindExpression(branch.when, scope);
    if (operand !== undefined) {
      return bindOperator('=', [operand, when], branch.when.span, context);
    }
    return coerceToBoolean(when, 'CASE/WHEN', context);
  });
  const thens = node.whens.map((branch) => bindExpression(branch.then, scope));
  const otherwise = node.otherwise && bindExpression(node.otherwise, scope);
  // PostgreSQL lets ELSE count most.
  const results = otherwise === undefined ? thens : [otherwise, ...thens];
  const { type, expressions } = unify(results, 'CASE', context);
  const converted = otherwise === undefined ? expressions : expressions.slice(1);
  // biome-ignore lint/suspicious/noThenProperty: SQL's word, and no promise.
  const whens = conditions.map((when, index) => ({ when, then: converted[index] ?? when }));
  return {
    kind: 'case',
    whens,
    otherwise: otherwise === undefined ? undefined : expressions[0],
    // The NULL of a missing ELSE agrees with no modifier.
    type: otherwise === undefined ? withoutModifiers(type) : type,
    span,
  };
}

function bindArray(node: Node<'array'>, scope: Scope): BoundExpr {
  const { context } = scope;
  const { span } = node;
  if (node.items.length === 0) {
    throw new StreamError('SQL_INDETERMINATE_TYPE', 'cannot determine type of empty array', {
      at: span,
      hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
    });
  }
  const items = node.items.map((item) => bindExpression(item, scope));
  const { type: element, expressions } = unify(items, 'ARRAY', context);
  // An array of arrays is one array of more dimensions, of the same type.
  if (element.kind !== 'array' || isMapType(element)) {
    return { kind: 'array', items: expressions, type: { kind: 'array', element }, span };
  }
  return nestedArray({ kind: 'array', items: expressions, type: element, span });
}

function bindCollate(node: Node<'collate'>, scope: Scope): BoundExpr {
  const operand = bindExpression(node.operand, scope);
  requireCollation(node.collation, node.span);
  const text = operand.type.kind === 'unknown' ? coerce(operand, textType, scope.context) : operand;
  if (['text', 'varchar', 'char'].includes(text.type.kind)) return text;
  throw new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `collations are not supported by type ${text.type.kind}`,
    { at: node.span },
  );
}
