/** Subqueries as values of expressions, by joins that keep each row once. */
import { assertNever } from '../base/assert.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import type { SqlType } from '../base/type.ts';
import { columnOf } from '../bind-scope.ts';
import type { Catalog } from '../catalog.ts';
import { bigintType, booleanType } from '../coerce.ts';
import type { BoundAggregate, BoundExpr, BoundSortKey, BoundSubquery } from '../expression.ts';
import { registry, resolvePolymorphicAggregate } from '../function/builtin.ts';
import type { ScalarFunction } from '../function/scalar-function.ts';
import { conjunction } from '../join-keys.ts';
import { moveInward, shiftPlanOuter } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { pick } from './domain.ts';
import { isCorrelated, overJoin, pullCorrelation } from './pull-correlation.ts';
import { groupByDomain, pullByDomain } from './pull-domain.ts';
import { byEqualities, joined, type ScalarJoin, scalarJoin, type Ways } from './scalar-join.ts';
import { membership, type Quantified } from './subquery-member.ts';
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

/**
 * - scalar: as `scalarJoin` where the plan gives at most one row; else a left join with the only row, which fails for
 *   more than one when the value is asked for;
 * - EXISTS: a left join with the values for which there is a row, and whether it found one;
 * - IN and NOT IN of one column: a left join by the equality, and counts of rows and of NULLs for what it leaves open;
 * - other ANY and ALL, ARRAY: the scalar subqueries that PostgreSQL's definitions of them are.
 */
export function subqueryValue(
  input: LogicalNode,
  subquery: BoundSubquery,
  catalog: Catalog,
): ScalarJoin | undefined {
  switch (subquery.mode) {
    case 'scalar':
      return scalarJoin(input, subquery, catalog, ways) ?? onlyRow(input, subquery);
    case 'exists':
      return exists(input, subquery);
    case 'any':
    case 'all':
      return membership(input, subquery) ?? scalarJoin(input, quantified(subquery), catalog, ways);
    case 'array':
      return scalarJoin(input, collected(subquery), catalog, ways);
    default:
      return assertNever(subquery);
  }
}

const ways: Ways = {
  rows: (plan, input) => pullCorrelation(plan, 'rows') ?? pullByDomain(plan, input),
  group: (aggregate, input) =>
    byEqualities.group(aggregate, input) ?? groupByDomain(aggregate, input),
};

// --------------------------------------------------------------------- scalar

function onlyRow(input: LogicalNode, { plan, type, span }: BoundSubquery): ScalarJoin {
  const pulled = isCorrelated(plan)
    ? pullEqual(plan, 'rows', input)
    : { plan: shiftPlanOuter(plan, -1), conditions: [] };
  const { columns, conditions } = keysOf(pulled);
  const anyValue = resolvePolymorphicAggregate('any_value', [type]);
  const column = pulled.plan.schema[0];
  if (anyValue === undefined || column === undefined) {
    throw new Error('assertion failed: any type has values');
  }
  const grouped: LogicalNode = {
    kind: 'aggregate',
    input: pulled.plan,
    keys: columns.map((index) => columnOf(index, pulled.plan.schema[index]?.type ?? type)),
    groupingSets: undefined,
    aggregates: [aggregateOf(anyValue, [columnOf(0, column.type)]), aggregateOf(countRows(), [])],
    groupings: [],
    schema: [
      ...columns.flatMap((index) => pulled.plan.schema[index] ?? []),
      { ...column, nullable: true },
      { name: 'count', type: bigintType, nullable: false },
    ],
  };
  const width = input.schema.length;
  const value = width + columns.length;
  const on = conjunction(conditions.map((condition) => overJoin(condition, width)));
  return {
    node: joined(input, grouped, 'left', on),
    value: {
      kind: 'call',
      fn: onlyOne(type),
      args: [columnOf(value, type), columnOf(value + 1, bigintType)],
      type,
      span,
    },
  };
}

/** A value that is the only one. @throws StreamError SQL_CARDINALITY. */
function onlyOne(type: SqlType): ScalarFunction {
  return {
    name: 'only_row',
    parameters: [type, bigintType],
    result: type,
    strict: false,
    evaluate: (value: Datum | null, count: bigint | null) => {
      if (count === null || count <= 1n) return value;
      throw new StreamError(
        'SQL_CARDINALITY',
        'more than one row returned by a subquery used as an expression',
      );
    },
    description: 'the value of the only row of a subquery',
    family: 'system',
  };
}

// --------------------------------------------------------------------- exists

function exists(input: LogicalNode, { plan }: BoundSubquery): ScalarJoin {
  const width = input.schema.length;
  if (!isCorrelated(plan)) {
    const count: LogicalNode = {
      kind: 'aggregate',
      input: shiftPlanOuter(plan, -1),
      keys: [],
      groupingSets: undefined,
      aggregates: [aggregateOf(countRows(), [])],
      groupings: [],
      schema: [{ name: 'count', type: bigintType, nullable: false }],
    };
    const node = joined(input, count, 'inner', undefined);
    return { node, value: isNotZero(columnOf(width, bigintType)) };
  }
  const pulled = pullEqual(plan, 'exists', input);
  const { columns, conditions } = keysOf(pulled);
  const keys = pick(pulled.plan, columns);
  const distinct: LogicalNode = { kind: 'distinct', input: keys, schema: keys.schema };
  const on = conjunction(conditions.map((condition) => overJoin(condition, width)));
  const operand = columnOf(width + columns.length, booleanType);
  return {
    node: joined(input, marked(distinct), 'left', on),
    value: { kind: 'is-null', operand, negated: true, type: booleanType },
  };
}

// ------------------------------------------------------------ any, all, array

/** The aggregates of the plan's rows, and a value over them, as a scalar subquery. */
function aggregated(
  subquery: BoundSubquery,
  rows: LogicalNode,
  aggregates: readonly BoundAggregate[],
  value: (columns: readonly BoundExpr[]) => BoundExpr,
): BoundSubquery {
  const schema = aggregates.map(({ fn, type }) => ({ name: fn.name, type, nullable: true }));
  const input: LogicalNode = {
    kind: 'aggregate',
    input: rows,
    keys: [],
    groupingSets: undefined,
    aggregates,
    groupings: [],
    schema,
  };
  const { type, span } = subquery;
  const result = value(schema.map((column, index) => columnOf(index, column.type)));
  const plan: LogicalNode = {
    kind: 'project',
    input,
    expressions: [result],
    schema: [{ name: 'value', type, nullable: true }],
  };
  return { kind: 'subquery', mode: 'scalar', plan, type, span };
}

/** One row that decides decides, else one comparison with NULL leaves it open. */
function quantified(subquery: Quantified): BoundSubquery {
  const { compare, operands, plan, span, mode } = subquery;
  const isAny = mode === 'any';
  const columns = plan.schema.map(({ type }, index) => columnOf(index, type));
  const args = [...operands.map((operand) => moveInward(operand, 1)), ...columns];
  const comparison: BoundExpr = { kind: 'call', fn: compare, args, type: booleanType, span };
  const rows: LogicalNode = {
    kind: 'project',
    input: plan,
    expressions: [comparison],
    schema: [{ name: 'compared', type: booleanType, nullable: true }],
  };
  const compared = columnOf(0, booleanType);
  const decide = registry.aggregates(isAny ? 'bool_or' : 'bool_and')[0];
  if (decide === undefined) throw new Error('assertion failed: bool_or and bool_and are there');
  const isOpen: BoundExpr = {
    kind: 'is-null',
    operand: compared,
    negated: false,
    type: booleanType,
  };
  const aggregates = [
    aggregateOf(decide, [compared]),
    aggregateOf(countRows(), [], { filter: isOpen }),
  ];
  return aggregated(subquery, rows, aggregates, ([decided, open]) => ({
    kind: 'case',
    whens: [
      when(truth(decided as BoundExpr, isAny), literal(isAny, booleanType)),
      when(isNotZero(open as BoundExpr), literal(null, booleanType)),
    ],
    otherwise: literal(!isAny, booleanType),
    type: booleanType,
    span,
  }));
}

const truth = (operand: BoundExpr, value: boolean): BoundExpr => ({
  kind: 'is-truth',
  operand,
  value,
  negated: false,
  type: booleanType,
});

function collected(subquery: BoundSubquery): BoundSubquery {
  const { rows, value, orderBy } = inOrder(subquery.plan);
  const arrayAgg = resolvePolymorphicAggregate('array_agg', [value.type]);
  if (arrayAgg === undefined) throw new Error('assertion failed: any type has arrays');
  const aggregates = [aggregateOf(arrayAgg, [value], { orderBy })];
  return aggregated(subquery, rows, aggregates, ([list]) => ({
    kind: 'coalesce',
    args: [list as BoundExpr, literal([], subquery.type)],
    type: subquery.type,
  }));
}

/** A plan's rows, their first column and their order, as an aggregate has to be told them. */
function inOrder(plan: LogicalNode): {
  readonly rows: LogicalNode;
  readonly value: BoundExpr;
  readonly orderBy: readonly BoundSortKey[];
} {
  const sorted = plan.kind === 'project' ? plan.input : plan;
  const sort = sorted.kind === 'limit' ? sorted.input : sorted;
  const { type } = plan.schema[0] ?? { type: booleanType };
  const first = plan.kind === 'project' ? plan.expressions[0] : undefined;
  if (sort.kind !== 'sort') return { rows: plan, value: columnOf(0, type), orderBy: [] };
  const rows = sorted.kind === 'limit' ? sorted : sort.input;
  return { rows, value: first ?? columnOf(0, type), orderBy: sort.keys };
}
