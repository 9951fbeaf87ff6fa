/** GROUP BY: keys, grouping sets, and what expressions mean above the aggregation. */
import type { Expression, GroupItem } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import { type Column, typeName } from './base/type.ts';
import { places } from './bind-context.ts';
import type { BoundFrom } from './bind-from-place.ts';
import { AGGREGATE_BASE, columnOf, GROUPING_BASE, type Scope, WINDOW_BASE } from './bind-scope.ts';
import { integerType, resolveUnknown } from './coerce.ts';
import type { BoundAggregate, BoundExpr } from './expression.ts';
import { equalExpressions } from './expression-equal.ts';
import { mapOperands } from './expression-map.ts';
import { mayBeNull } from './expression-null.ts';
import { mapPlanColumns } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

/** Most grouping sets of one query, as in PostgreSQL. */
const GROUPING_SETS_MAX = 4096;

export interface Grouping {
  readonly keys: readonly BoundExpr[];
  /** Key numbers per set; undefined = one set of all keys. */
  readonly sets: readonly (readonly number[])[] | undefined;
}

/** Finds the expression that a GROUP BY item stands for: a column, an alias, an ordinal, or itself. */
export type FindTarget = (node: Expression) => BoundExpr;

/** @throws StreamError SQL_GROUPING, SQL_INVALID_COLUMN_REFERENCE, SQL_UNKNOWN_FUNCTION (json). */
export function bindGroupBy(
  items: readonly GroupItem[],
  distinct: boolean,
  find: FindTarget,
): Grouping {
  const keys: BoundExpr[] = [];
  const keyNumber = (node: Expression): number => {
    const key = find(node);
    requireEquality(key, node.span);
    const known = keys.findIndex((other) => equalExpressions(other, key));
    if (known >= 0) return known;
    keys.push(key);
    return keys.length - 1;
  };
  // Each item is a list of sets; the clause is their cross product.
  let sets: readonly (readonly number[])[] = [[]];
  for (const item of items) {
    const own = itemSets(item, keyNumber);
    sets = sets.flatMap((left) => own.map((right) => [...left, ...right]));
    if (sets.length > GROUPING_SETS_MAX) {
      throw new StreamError(
        'SQL_TOO_COMPLEX',
        `too many grouping sets present (maximum ${GROUPING_SETS_MAX})`,
        { at: item.span },
      );
    }
  }
  const plain = items.every((item) => item.kind === 'expression' || item.kind === 'set');
  if (plain) return { keys, sets: undefined };
  const normal = sets.map((set) => [...new Set(set)].sort((a, b) => a - b));
  if (!distinct) return { keys, sets: normal };
  const seen = new Map(normal.map((set) => [set.join(), set]));
  return { keys, sets: [...seen.values()] };
}

function itemSets(
  item: GroupItem,
  keyNumber: (node: Expression) => number,
): readonly (readonly number[])[] {
  switch (item.kind) {
    case 'expression':
      // `(a, b)` arrives as a row; each of its parts is a key.
      if (item.expression.kind === 'row' && !item.expression.explicit) {
        return [item.expression.items.map(keyNumber)];
      }
      return [[keyNumber(item.expression)]];
    case 'set':
      return [item.expressions.map(keyNumber)];
    case 'empty':
      return [[]];
    case 'rollup': {
      const parts = item.sets.map((set) => set.map(keyNumber));
      return Array.from({ length: parts.length + 1 }, (_, dropped) =>
        parts.slice(0, parts.length - dropped).flat(),
      );
    }
    case 'cube': {
      const parts = item.sets.map((set) => set.map(keyNumber));
      const count = 2 ** parts.length;
      if (count > GROUPING_SETS_MAX) {
        throw new StreamError('SQL_TOO_COMPLEX', 'CUBE is limited to 12 elements', {
          at: item.span,
        });
      }
      return Array.from({ length: count }, (_, number) => {
        const bits = count - 1 - number;
        return parts.flatMap((part, index) =>
          bits & (1 << (parts.length - 1 - index)) ? part : [],
        );
      });
    }
    case 'grouping-sets':
      return item.items.flatMap((inner) => itemSets(inner, keyNumber));
    default:
      return item satisfies never;
  }
}

/** @throws StreamError SQL_UNKNOWN_FUNCTION for a type without equality. */
export function requireEquality(expression: BoundExpr, at: Span | undefined): void {
  if (expression.type.kind !== 'json') return;
  throw new StreamError(
    'SQL_UNKNOWN_FUNCTION',
    `could not identify an equality operator for type ${typeName(expression.type)}`,
    { at, hint: 'Convert it to jsonb, or to text.' },
  );
}

/** @throws StreamError SQL_UNKNOWN_FUNCTION for a type without order. */
export function requireOrder(expression: BoundExpr, at: Span | undefined): void {
  if (expression.type.kind !== 'json') return;
  throw new StreamError(
    'SQL_UNKNOWN_FUNCTION',
    `could not identify an ordering operator for type ${typeName(expression.type)}`,
    { at, hint: 'Convert it to jsonb, or to text.' },
  );
}

/** An aggregation, and the translation of expressions over its input to expressions over its output. */
export interface Aggregation {
  readonly node: LogicalNode;
  readonly above: (expression: BoundExpr) => BoundExpr;
}

/**
 * Builds the aggregate node from what the query's expressions collected.
 * @param from names of the input's columns, for the error about an ungrouped one.
 */
export function aggregate(
  input: LogicalNode,
  grouping: Grouping,
  scope: Scope,
  from: BoundFrom,
): Aggregation {
  const { aggregates, groupings } = scope.pending;
  const keys = withDependentKeys(grouping, from);
  const schema: Column[] = keys.map((key, index) => ({
    name: keyName(key, input),
    type: key.type,
    nullable: mayBeNull(key, input.schema) || isOutsideSomeSet(grouping, index),
  }));
  for (const { fn, type } of aggregates) schema.push(aggregateColumn(fn.name, type));
  const asked = groupings.map(({ items, call }) =>
    items.map((item) => {
      const number = keys.findIndex((key) => equalExpressions(key, item));
      if (number >= 0) return number;
      throw new StreamError(
        'SQL_GROUPING',
        'arguments to GROUPING must be grouping expressions of the associated query level',
        { at: call.span },
      );
    }),
  );
  for (const _ of asked) schema.push({ name: 'grouping', type: integerType, nullable: false });
  const node: LogicalNode = {
    kind: 'aggregate',
    input,
    keys,
    groupingSets: grouping.sets,
    aggregates: [...aggregates],
    groupings: asked,
    schema,
  };
  return { node, above: translator(keys, aggregates, from) };
}

const aggregateColumn = (name: string, type: BoundAggregate['type']): Column => ({
  name,
  type,
  nullable: name !== 'count',
});

const isOutsideSomeSet = (grouping: Grouping, key: number): boolean =>
  grouping.sets?.some((set) => !set.includes(key)) ?? false;

function keyName(key: BoundExpr, input: LogicalNode): string {
  if (key.kind === 'column') return input.schema[key.index]?.name ?? 'key';
  return key.kind === 'call' ? key.fn.name : 'key';
}

/**
 * Grouping by a table's primary key determines its other columns, so they may be used ungrouped: they become keys
 * that split no group.
 */
function withDependentKeys(grouping: Grouping, from: BoundFrom): readonly BoundExpr[] {
  if (grouping.sets !== undefined) return grouping.keys;
  const keys = [...grouping.keys];
  const grouped = (index: number): boolean =>
    keys.some((key) => key.kind === 'column' && key.index === index);
  for (const table of from.tables) {
    if (table.primaryKey === undefined || !table.primaryKey.every(grouped)) continue;
    for (const { expression } of table.columns) {
      if (expression.kind === 'column' && !grouped(expression.index)) keys.push(expression);
    }
  }
  return keys;
}

function translator(
  keys: readonly BoundExpr[],
  aggregates: readonly BoundAggregate[],
  from: BoundFrom,
): (expression: BoundExpr) => BoundExpr {
  const pending = (index: number): number | undefined => {
    if (index >= WINDOW_BASE) return index;
    if (index >= GROUPING_BASE) return keys.length + aggregates.length + index - GROUPING_BASE;
    if (index >= AGGREGATE_BASE) return keys.length + index - AGGREGATE_BASE;
    return undefined;
  };
  const keyOf = (expression: BoundExpr): number =>
    keys.findIndex((key) => equalExpressions(key, expression));
  const above = (expression: BoundExpr): BoundExpr => {
    const key = expression.kind === 'literal' ? -1 : keyOf(expression);
    if (key >= 0) return { ...columnOf(key, expression.type), span: expression.span };
    if (expression.kind === 'column') {
      const index = pending(expression.index);
      if (index !== undefined) return { ...expression, index };
      throw ungrouped(expression, from, false);
    }
    const next = mapOperands(expression, above);
    if (next.kind !== 'subquery') return next;
    const plan = mapPlanColumns(next.plan, 1, (column) => {
      const own = columnOf(column.index, column.type);
      const index = pending(column.index) ?? keyOf(own);
      if (index < 0) throw ungrouped(column, from, true);
      return { ...column, index };
    });
    return { ...next, plan };
  };
  return above;
}

function ungrouped(
  column: BoundExpr & { readonly kind: 'column' | 'outer-column' },
  from: BoundFrom,
  inSubquery: boolean,
): StreamError {
  const name = qualifiedName(column.index, from);
  return new StreamError(
    'SQL_GROUPING',
    inSubquery
      ? `subquery uses ungrouped column "${name}" from outer query`
      : `column "${name}" must appear in the GROUP BY clause or be used in an aggregate function`,
    { at: column.span },
  );
}

function qualifiedName(index: number, from: BoundFrom): string {
  for (const table of from.tables) {
    const found = table.columns.find(
      ({ expression }) => expression.kind === 'column' && expression.index === index,
    );
    if (found !== undefined) return `${table.name}.${found.name}`;
  }
  return from.node.schema[index]?.name ?? '?';
}

/** Binds a GROUP BY expression that is neither alias nor ordinal. */
export function bindGroupExpression(node: Expression, scope: Scope): BoundExpr {
  const { context } = scope;
  const bound = scope.within(places.groupBy, () => context.rules.expression(node, scope));
  return resolveUnknown(bound, context);
}
