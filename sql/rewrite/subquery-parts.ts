/** Pieces of plans that stand for subqueries. */
import type { Datum } from '../base/datum.ts';
import type { SqlType } from '../base/type.ts';
import { columnOf } from '../bind-scope.ts';
import { bigintType, booleanType } from '../coerce.ts';
import type { BoundAggregate, BoundExpr } from '../expression.ts';
import type { AggregateFunction } from '../function/aggregate-function.ts';
import { registry } from '../function/builtin.ts';
import { columnsRead, renumberColumns } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { equalities, type Pulled, pullCorrelation, type Use } from './pull-correlation.ts';
import { pullByDomain } from './pull-domain.ts';

/** The plan such that an outer row meets the rows with equal values in some columns, and no other condition. */
export function pullEqual(plan: LogicalNode, use: Use, input: LogicalNode): Pulled {
  const pulled = pullCorrelation(plan, use);
  const isEqual = pulled && equalities(pulled.conditions, pulled.plan.schema.length) !== undefined;
  return isEqual ? pulled : pullByDomain(plan, input);
}

/** The columns that the conditions read, and the conditions over these alone. */
export function keysOf(pulled: Pulled): {
  readonly columns: readonly number[];
  readonly conditions: readonly BoundExpr[];
} {
  const columns = columnsRead(pulled.conditions);
  const conditions = pulled.conditions.map((condition) =>
    renumberColumns(condition, (index) => columns.indexOf(index)),
  );
  return { columns, conditions };
}

export const literal = (value: Datum | null, type: SqlType): BoundExpr => ({
  kind: 'literal',
  value,
  type,
});

export const aggregateOf = (
  fn: AggregateFunction,
  args: readonly BoundExpr[],
  more: Partial<BoundAggregate> = {},
): BoundAggregate => ({
  fn,
  args,
  distinct: false,
  filter: undefined,
  orderBy: [],
  type: fn.result,
  ...more,
});

export function countRows(): AggregateFunction {
  const fn = registry.aggregates('count')[0];
  if (fn === undefined) throw new Error('assertion failed: count(*) is there');
  return fn;
}

export const isNotZero = (count: BoundExpr): BoundExpr => ({
  kind: 'is-distinct',
  left: count,
  right: literal(0n, bigintType),
  negated: false,
  type: booleanType,
});

/** A last column that is true where a left join has found a row, else NULL. */
export function marked(input: LogicalNode): LogicalNode {
  return {
    kind: 'project',
    input,
    expressions: [
      ...input.schema.map((column, index) => columnOf(index, column.type)),
      literal(true, booleanType),
    ],
    schema: [...input.schema, { name: 'found', type: booleanType, nullable: false }],
  };
}

/** A branch of a CASE. */
export const when = (condition: BoundExpr, then: BoundExpr) => ({ when: condition, then });
