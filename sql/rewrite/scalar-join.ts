/** Scalar subqueries that give at most one row for each outer row, as joins. */
import { asNullable } from '../bind-from-place.ts';
import { columnOf } from '../bind-scope.ts';
import type { Catalog } from '../catalog.ts';
import { deriveKey } from '../derive.ts';
import type { BoundExpr, BoundSubquery } from '../expression.ts';
import { holdsSubquery } from '../expression-fact.ts';
import { mapOperands } from '../expression-map.ts';
import { conjunction, joinKeys } from '../join-keys.ts';
import { shiftPlanOuter } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import {
  groupByCorrelation,
  isCorrelated,
  overJoin,
  type Pulled,
  pullCorrelation,
} from './pull-correlation.ts';

export interface ScalarJoin {
  readonly node: LogicalNode;
  /** The subquery's value, over the node's columns. */
  readonly value: BoundExpr;
}

export type Aggregate = LogicalNode & { readonly kind: 'aggregate' };

/**
 * - an aggregate over everything: a join with its one row;
 * - an aggregate over the rows whose columns equal outer ones: a left join with the groups by these columns, where
 *   a missing group gives what the aggregate gives over no rows (count: 0);
 * - rows whose unique key equals outer columns: a left join, where a missing row gives NULL.
 * @returns undefined for others: they may give several rows, which is an error only when it happens.
 */
export function scalarJoin(
  input: LogicalNode,
  subquery: BoundSubquery,
  catalog: Catalog | undefined,
  ways: Ways = byEqualities,
): ScalarJoin | undefined {
  const { plan } = subquery;
  const peeled = peelAggregate(plan);
  if (peeled === undefined) return uniqueJoin(input, subquery, catalog, ways);
  if (!isCorrelated(plan)) {
    const right = shiftPlanOuter(plan, -1);
    return {
      node: joined(input, right, 'inner', undefined),
      value: columnOf(input.schema.length, subquery.type),
    };
  }
  return groupJoin(input, peeled.value, ways.group(peeled.aggregate, input), peeled.aggregate);
}

/** How the plan of a subquery is made independent of the rows of `input`, which it is computed for. */
export interface Ways {
  readonly rows: (plan: LogicalNode, input: LogicalNode) => Pulled | undefined;
  /** An aggregate without keys as groups by what it depends on, without those that have no rows. */
  readonly group: (aggregate: Aggregate, input: LogicalNode) => Pulled | undefined;
}

export const byEqualities: Ways = {
  rows: (plan) => pullCorrelation(plan, 'rows'),
  group: (aggregate) => {
    const grouped = groupByCorrelation(aggregate);
    return grouped && { ...grouped, plan: shiftPlanOuter(grouped.plan, -1) };
  },
};

/** `project(aggregate without keys)`, which gives exactly one row; the value is over the aggregate's columns. */
function peelAggregate(
  plan: LogicalNode,
): { readonly value: BoundExpr; readonly aggregate: Aggregate } | undefined {
  if (plan.kind !== 'project' || plan.input.kind !== 'aggregate') return undefined;
  const [value] = plan.expressions;
  const aggregate = plan.input;
  const isOneRow = aggregate.keys.length === 0 && aggregate.groupingSets === undefined;
  if (value === undefined || !isOneRow || holdsSubquery(value)) return undefined;
  return { value, aggregate };
}

export function joined(
  left: LogicalNode,
  right: LogicalNode,
  type: 'inner' | 'left',
  on: BoundExpr | undefined,
): LogicalNode {
  const own = type === 'left' ? asNullable(right.schema) : right.schema;
  return { kind: 'join', type, left, right, on, lateral: false, schema: [...left.schema, ...own] };
}

function groupJoin(
  input: LogicalNode,
  value: BoundExpr,
  grouped: Pulled | undefined,
  aggregate: Aggregate,
): ScalarJoin | undefined {
  if (grouped === undefined) return undefined;
  const width = input.schema.length;
  const on = conjunction(grouped.conditions.map((condition) => overJoin(condition, width)));
  const over = (expression: BoundExpr): BoundExpr => {
    if (expression.kind === 'column')
      return valueOverGroup(expression.index, expression, aggregate, width);
    if (expression.kind === 'outer-column') return overJoin(expression, width);
    return mapOperands(expression, over);
  };
  return { node: joined(input, grouped.plan, 'left', on), value: over(value) };
}

/** An aggregate's column; where no group was found, its value over no rows. */
function valueOverGroup(
  index: number,
  column: BoundExpr,
  aggregate: Aggregate,
  width: number,
): BoundExpr {
  const found = columnOf(width + index, column.type);
  const empty = aggregate.aggregates[index]?.fn.accumulator().result() ?? null;
  if (empty === null) return found;
  const otherwise: BoundExpr = { kind: 'literal', value: empty, type: column.type };
  return { kind: 'coalesce', args: [found, otherwise], type: column.type, span: column.span };
}

function uniqueJoin(
  input: LogicalNode,
  subquery: BoundSubquery,
  catalog: Catalog | undefined,
  ways: Ways,
): ScalarJoin | undefined {
  const pulled = catalog && ways.rows(subquery.plan, input);
  if (pulled === undefined) return undefined;
  const width = input.schema.length;
  const on = conjunction(pulled.conditions.map((condition) => overJoin(condition, width)));
  const key = deriveKey(pulled.plan, catalog as Catalog);
  const { pairs } = joinKeys(on, width);
  const covered = key?.every(
    (index) =>
      pulled.determined?.includes(index) === true ||
      pairs.some(({ right }) => right.kind === 'column' && right.index === index),
  );
  if (covered !== true) return undefined;
  return {
    node: joined(input, pulled.plan, 'left', on),
    value: columnOf(width, subquery.type),
  };
}
