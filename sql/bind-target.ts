/** The select list: expansion of stars, names of columns, and references to it from other clauses. */
import type { Expression, Identifier, QualifiedName, SelectItem, TypeName } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import { functionName } from './bind-call.ts';
import type { Place } from './bind-context.ts';
import { expandRow, expandStar } from './bind-name.ts';
import type { Scope, ScopeColumn } from './bind-scope.ts';
import { resolveUnknown } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { equalExpressions } from './expression-equal.ts';

type Star = Expression & { readonly kind: 'star' };

/** A column of the projection. */
export interface Target {
  readonly name: string;
  readonly expression: BoundExpr;
  /** Only there for ORDER BY or DISTINCT ON; cut off in the end. */
  readonly hidden: boolean;
}

export function bindTargets(items: readonly SelectItem[], scope: Scope): Target[] {
  return items.flatMap((item): Target[] => {
    const node = item.expression;
    if (node.kind === 'star') {
      return starColumns(node, scope).map(({ name, expression }) => ({
        name,
        expression: { ...expression, span: node.span },
        hidden: false,
      }));
    }
    if (node.kind === 'field' && node.field.name === '*') {
      const operand = scope.context.rules.expression(node.operand, scope);
      return expandRow(operand).map(({ name, expression }) => ({
        name,
        expression,
        hidden: false,
      }));
    }
    const expression = scope.context.rules.expression(node, scope);
    return [{ name: item.alias?.name ?? columnName(node), expression, hidden: false }];
  });
}

function starColumns(star: Star, scope: Scope): readonly ScopeColumn[] {
  const { qualifier, except = [], span } = star;
  const whole =
    scope.context.prefixesStars === true && scope.tables.length > 1
      ? prefixedStar(qualifier, scope, span)
      : expandStar(qualifier, scope, span);
  return except.length === 0 ? whole : withoutColumns(whole, except, scope);
}

/** @throws StreamError SQL_UNKNOWN_COLUMN for one that the star does not have. */
function withoutColumns(
  columns: readonly ScopeColumn[],
  except: readonly QualifiedName[],
  scope: Scope,
): readonly ScopeColumn[] {
  const left = new Set(columns);
  for (const name of except) {
    const found = columnsNamed(name, columns, scope);
    if (found.length === 0) {
      throw new StreamError(
        'SQL_UNKNOWN_COLUMN',
        `column "${name.parts.at(-1)?.name}" is none of the star's`,
        { at: name.span, hint: 'EXCEPT takes columns away that the star stands for.' },
      );
    }
    for (const column of found) left.delete(column);
  }
  return [...left];
}

/** A bare name is looked for in the star first, where another table's column does not make it ambiguous. */
function columnsNamed(
  name: QualifiedName,
  columns: readonly ScopeColumn[],
  scope: Scope,
): readonly ScopeColumn[] {
  const bare = name.parts.length === 1 ? name.parts[0]?.name : undefined;
  const own = columns.filter((column) => column.name === bare);
  if (own.length === 1) return own;
  const node: Expression = { kind: 'column', name, span: name.span };
  const gone = scope.context.rules.expression(node, scope);
  return columns.filter(({ expression }) => equalExpressions(expression, gone));
}

function prefixedStar(
  qualifier: QualifiedName | undefined,
  scope: Scope,
  span: Span,
): readonly ScopeColumn[] {
  const named = qualifier?.parts.at(-1)?.name;
  if (named !== undefined) return prefixed(named, expandStar(qualifier, scope, span));
  return scope.tables.flatMap(({ name, columns }) =>
    prefixed(
      name,
      columns.filter(({ hidden }) => hidden !== true),
    ),
  );
}

const prefixed = (table: string, columns: readonly ScopeColumn[]): readonly ScopeColumn[] =>
  columns.map((column) => ({ ...column, name: `${table}_${column.name}` }));

/** PostgreSQL's FigureColname: the name of a select item without AS. */
export function columnName(node: Expression): string {
  return nameOf(node).name ?? '?column?';
}

/** `strength` 2 is a name of its own, 1 a weak one (a cast's type), 0 none. */
function nameOf(node: Expression): { readonly name?: string; readonly strength: 0 | 1 | 2 } {
  switch (node.kind) {
    case 'column':
      return { name: node.name.parts.at(-1)?.name ?? '?column?', strength: 2 };
    case 'field':
      return { name: node.field.name, strength: 2 };
    case 'call':
      return { name: functionName(node), strength: 2 };
    case 'at-time-zone':
      return { name: 'timezone', strength: 2 };
    case 'grouping':
      return { name: 'grouping', strength: 2 };
    case 'subscript':
    case 'slice':
    case 'collate':
      return nameOf(node.operand);
    case 'cast': {
      const inner = nameOf(node.operand);
      return inner.strength < 2 ? { name: bareTypeName(node.type), strength: 1 } : inner;
    }
    case 'typed-literal':
      return { name: bareTypeName(node.type), strength: 1 };
    case 'case': {
      const inner =
        node.otherwise === undefined ? { strength: 0 as const } : nameOf(node.otherwise);
      return inner.strength <= 1 ? { name: 'case', strength: 1 } : inner;
    }
    case 'array':
    case 'array-query':
      return { name: 'array', strength: 2 };
    case 'row':
      return { name: 'row', strength: 2 };
    case 'exists':
      return { name: 'exists', strength: 2 };
    case 'is':
      return node.test === 'normalized' && !node.negated
        ? { name: 'is_normalized', strength: 2 }
        : { strength: 0 };
    case 'scalar-query':
      return scalarName(node.query.body);
    default:
      return { strength: 0 };
  }
}

/** A user-defined type may be named with its schema. */
const bareTypeName = ({ name }: TypeName): string => name.slice(name.lastIndexOf('.') + 1);

function scalarName(
  body: (Expression & { readonly kind: 'scalar-query' })['query']['body'],
): ReturnType<typeof nameOf> {
  if (body.kind === 'nested') return scalarName(body.query.body);
  if (body.kind === 'values') return { name: 'column1', strength: 2 };
  const first = body.kind === 'select' ? body.items[0] : undefined;
  if (first === undefined) return { strength: 0 };
  if (first.alias !== undefined) return { name: first.alias.name, strength: 2 };
  return { ...nameOf(first.expression), strength: 2 };
}

/** A clause that may refer to the select list. */
export type TargetClause = 'ORDER BY' | 'GROUP BY' | 'DISTINCT ON';

/**
 * The number of the target that an item of ORDER BY or DISTINCT ON means: an output name, an ordinal, or an
 * expression, which is added to the list when it is not in it.
 */
export function targetNumber(
  node: Expression,
  targets: Target[],
  clause: TargetClause,
  place: Place,
  scope: Scope,
): number {
  const known = namedTarget(node, targets, clause) ?? ordinalTarget(node, targets, clause);
  if (known !== undefined) return known;
  const bound = scope.within(place, () => scope.context.rules.expression(node, scope));
  const same = targets.findIndex((target) => equalExpressions(target.expression, bound));
  if (same >= 0) return same;
  targets.push({
    name: columnName(node),
    expression: resolveUnknown(bound, scope.context),
    hidden: true,
  });
  return targets.length - 1;
}

const bareName = (node: Expression): Identifier | undefined =>
  node.kind === 'column' && node.name.parts.length === 1 ? node.name.parts[0] : undefined;

/** @throws StreamError SQL_AMBIGUOUS_COLUMN when two different columns have that name. */
export function namedTarget(
  node: Expression,
  targets: readonly Target[],
  clause: TargetClause,
): number | undefined {
  const name = bareName(node)?.name;
  if (name === undefined) return undefined;
  let found: number | undefined;
  for (const [index, target] of targets.entries()) {
    if (target.hidden || target.name !== name) continue;
    const first = found === undefined ? undefined : targets[found];
    if (first === undefined) found = index;
    else if (!equalExpressions(first.expression, target.expression)) {
      throw new StreamError('SQL_AMBIGUOUS_COLUMN', `${clause} "${name}" is ambiguous`, {
        at: node.span,
      });
    }
  }
  return found;
}

/** @throws StreamError SQL_INVALID_COLUMN_REFERENCE beyond the list; SQL_SYNTAX for another constant. */
export function ordinalTarget(
  node: Expression,
  targets: readonly Target[],
  clause: TargetClause,
): number | undefined {
  // PostgreSQL's grammar makes one constant of a sign and a number.
  const negative = node.kind === 'unary' && node.op === '-' && node.operand.kind === 'number';
  const inner = negative ? node.operand : node;
  const constant = ['number', 'string', 'null', 'boolean', 'bit-string'].includes(inner.kind);
  if (!constant) return undefined;
  const magnitude = inner.kind === 'number' ? Number(inner.text) : Number.NaN;
  const number = negative ? -magnitude : magnitude;
  if (!Number.isInteger(number) || (inner.kind === 'number' && /[.eE]/.test(inner.text))) {
    if (inner.kind === 'boolean') return undefined;
    throw new StreamError('SQL_SYNTAX', `non-integer constant in ${clause}`, { at: node.span });
  }
  const visible = targets.filter((target) => !target.hidden).length;
  if (number < 1 || number > visible) throw outOfList(number, clause, node.span);
  return number - 1;
}

const outOfList = (number: number, clause: TargetClause, at: Span): StreamError =>
  new StreamError(
    'SQL_INVALID_COLUMN_REFERENCE',
    `${clause} position ${number} is not in select list`,
    { at },
  );
