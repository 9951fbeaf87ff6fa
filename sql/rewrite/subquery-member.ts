/** IN and NOT IN as values. */
import type { Column, SqlType } from '../base/type.ts';
import { columnOf } from '../bind-scope.ts';
import { bigintType, booleanType } from '../coerce.ts';
import type { BoundExpr, BoundSubquery } from '../expression.ts';
import { resolvePolymorphicAggregate } from '../function/builtin.ts';
import { conjunction } from '../join-keys.ts';
import { shiftPlanOuter } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { pick, range } from './domain.ts';
import { isCorrelated, overJoin } from './pull-correlation.ts';
import { filter } from './push-filters.ts';
import { joined, type ScalarJoin } from './scalar-join.ts';
import { equalityOf } from './split-anti-join.ts';
import {
  aggregateOf,
  countRows,
  isNotZero,
  keysOf,
  literal,
  marked,
  pullEqual,
  when,
} from './subquery-parts.ts';

export type Quantified = BoundSubquery & { readonly mode: 'any' | 'all' };

/** Types whose equality is that of stored keys. */
const isKey = (type: SqlType): boolean =>
  !['char', 'json', 'jsonb', 'array', 'row', 'unknown'].includes(type.kind);

export function membership(input: LogicalNode, subquery: Quantified): ScalarJoin | undefined {
  const { compare, operands, plan, span, mode } = subquery;
  const [operand] = operands;
  const equal = mode === 'any' && compare.name === '=' ? compare : equalityOf(compare);
  const isIn = mode === 'any' ? compare.name === '=' : compare.name === '<>';
  const column = plan.schema[0];
  if (!isIn || equal === undefined || operands.length !== 1) return undefined;
  if (operand === undefined || column === undefined || !isKey(column.type)) return undefined;
  const pulled = isCorrelated(plan)
    ? pullEqual(plan, 'rows', input)
    : { plan: shiftPlanOuter(plan, -1), conditions: [] };
  const { columns, conditions } = keysOf(pulled);
  const keys = columns.map((index) => pulled.plan.schema[index] as Column);
  const counted = joinCounts(input, pulled.plan, columns, conditions);
  const width = counted.schema.length;
  const found = foundValues(pulled.plan, columns);
  const args = [operand, columnOf(width + keys.length, column.type)];
  const isEqual: BoundExpr = { kind: 'call', fn: equal, args, type: booleanType, span };
  const on = conjunction([...conditions.map((part) => overJoin(part, width)), isEqual]);
  const node = joined(counted, found, 'left', on);
  const rows = columnOf(width - 2, bigintType);
  const values = columnOf(width - 1, bigintType);
  const isNull = (part: BoundExpr, negated: boolean): BoundExpr => ({
    kind: 'is-null',
    operand: part,
    negated,
    type: booleanType,
  });
  const differ: BoundExpr = {
    kind: 'is-distinct',
    left: rows,
    right: values,
    negated: false,
    type: booleanType,
  };
  const isMember: BoundExpr = {
    kind: 'case',
    whens: [
      when(isNull(columnOf(node.schema.length - 1, booleanType), true), literal(true, booleanType)),
      when(
        {
          kind: 'and',
          args: [isNotZero(rows), isNull(rows, true), either(isNull(operand, false), differ)],
          type: booleanType,
        },
        literal(null, booleanType),
      ),
    ],
    otherwise: literal(false, booleanType),
    type: booleanType,
    span,
  };
  const value: BoundExpr =
    mode === 'any' ? isMember : { kind: 'not', operand: isMember, type: booleanType, span };
  return { node, value };
}

const either = (...args: readonly BoundExpr[]): BoundExpr => ({
  kind: 'or',
  args,
  type: booleanType,
});

/** The input with the number of the plan's rows and of those whose first column is not NULL; NULL for none. */
function joinCounts(
  input: LogicalNode,
  plan: LogicalNode,
  columns: readonly number[],
  conditions: readonly BoundExpr[],
): LogicalNode {
  const first = plan.schema[0] as Column;
  const count = resolvePolymorphicAggregate('count', [first.type]);
  if (count === undefined) throw new Error('assertion failed: any values can be counted');
  const counts: LogicalNode = {
    kind: 'aggregate',
    input: plan,
    keys: columns.map((index) => columnOf(index, (plan.schema[index] as Column).type)),
    groupingSets: undefined,
    aggregates: [aggregateOf(countRows(), []), aggregateOf(count, [columnOf(0, first.type)])],
    groupings: [],
    schema: [
      ...columns.map((index) => plan.schema[index] as Column),
      { name: 'rows', type: bigintType, nullable: false },
      { name: 'values', type: bigintType, nullable: false },
    ],
  };
  const width = input.schema.length;
  const on = conjunction(conditions.map((condition) => overJoin(condition, width)));
  const node = joined(input, counts, 'left', on);
  return pick(node, [
    ...range(0, width),
    ...range(width + columns.length, width + columns.length + 2),
  ]);
}

/** The distinct values of the plan's first column for each key, marked. */
function foundValues(plan: LogicalNode, columns: readonly number[]): LogicalNode {
  const { type } = plan.schema[0] as Column;
  const isThere: BoundExpr = {
    kind: 'is-null',
    operand: columnOf(0, type),
    negated: true,
    type: booleanType,
  };
  const values = pick(filter(plan, [isThere]), [...columns, 0]);
  return marked({ kind: 'distinct', input: values, schema: values.schema });
}
