/** Taking the conditions on outer columns out of a subquery's plan. */
import { columnOf } from '../bind-scope.ts';
import type { BoundExpr } from '../expression.ts';
import { holdsSubquery, isLiteral } from '../expression-fact.ts';
import { mapOperands } from '../expression-map.ts';
import { conjunction, conjunctsOf, joinKeys, type KeyPair } from '../join-keys.ts';
import {
  columnsRead,
  renumberColumns,
  shiftColumns,
  shiftPlanOuter,
  visitOuterColumns,
  visitPlanOuterColumns,
} from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

/** A plan without outer columns of depth 1, and the conditions that it has lost. */
export interface Pulled {
  /** The original columns first; behind them those that the conditions read. */
  readonly plan: LogicalNode;
  /** Over the plan's columns, with outer columns of depth 1 for those of the enclosing node. */
  readonly conditions: readonly BoundExpr[];
  /** Columns of the plan whose values follow from those that the conditions fix. */
  readonly determined?: readonly number[] | undefined;
}

/** Whether each row of the plan counts, or only if there is one. */
export type Use = 'rows' | 'exists';

/** @returns undefined when a condition cannot be taken out without changing what the plan means. */
export function pullCorrelation(plan: LogicalNode, use: Use): Pulled | undefined {
  const pulled = pull(plan, use);
  return pulled && { ...pulled, plan: shiftPlanOuter(pulled.plan, -1) };
}

const readsOuter = (expression: BoundExpr): boolean => {
  let found = false;
  visitOuterColumns(expression, (depth) => {
    found ||= depth === 1;
  });
  return found;
};

export function isCorrelated(plan: LogicalNode): boolean {
  let found = false;
  visitPlanOuterColumns(plan, (depth) => {
    found ||= depth === 1;
  });
  return found;
}

function pull(node: LogicalNode, use: Use): Pulled | undefined {
  if (!isCorrelated(node)) return { plan: node, conditions: [] };
  switch (node.kind) {
    case 'filter': {
      const below = pull(node.input, use);
      const parts = conjunctsOf(node.where);
      const moved = parts.filter(readsOuter);
      if (below === undefined || moved.some(holdsSubquery)) return undefined;
      const where = conjunction(parts.filter((part) => !readsOuter(part)));
      const plan: LogicalNode =
        where === undefined
          ? below.plan
          : { kind: 'filter', input: below.plan, where, schema: below.plan.schema };
      return { plan, conditions: [...below.conditions, ...moved] };
    }
    case 'project':
      return pullProject(node, use);
    case 'join':
      return pullJoin(node, use);
    case 'sort': {
      const below = pull(node.input, use);
      // Rows of a joined side have no order.
      return below;
    }
    case 'distinct':
      return use === 'exists' ? pull(node.input, use) : undefined;
    case 'limit':
      return pullLimit(node, use);
    case 'aggregate':
      return pullAggregate(node);
    default:
      return undefined;
  }
}

function pullProject(
  node: LogicalNode & { readonly kind: 'project' },
  use: Use,
): Pulled | undefined {
  const below = pull(node.input, use);
  if (below === undefined || node.expressions.some(readsOuter)) return undefined;
  const { plan, conditions } = below;
  const expressions = [...node.expressions];
  const schema = [...node.schema];
  const place = new Map<number, number>();
  for (const index of columnsRead(conditions)) {
    const column = plan.schema[index];
    if (column === undefined) return undefined;
    const known = expressions.findIndex((e) => e.kind === 'column' && e.index === index);
    if (known >= 0) {
      place.set(index, known);
      continue;
    }
    place.set(index, expressions.length);
    expressions.push(columnOf(index, column.type));
    schema.push(column);
  }
  return {
    plan: { ...node, input: plan, expressions, schema },
    conditions: conditions.map((condition) =>
      renumberColumns(condition, (index) => place.get(index) ?? index),
    ),
  };
}

function pullJoin(node: LogicalNode & { readonly kind: 'join' }, use: Use): Pulled | undefined {
  if (node.type !== 'inner' || node.lateral) return undefined;
  const left = pull(node.left, use);
  const right = pull(node.right, use);
  if (left === undefined || right === undefined) return undefined;
  const oldWidth = node.left.schema.length;
  const leftWidth = left.plan.schema.length;
  const rightOwn = node.right.schema.length;
  // The original columns have to stay in front: only right sides may have grown.
  if (leftWidth !== oldWidth) return undefined;
  const parts = conjunctsOf(node.on);
  const moved = parts.filter(readsOuter);
  if (moved.some(holdsSubquery)) return undefined;
  const plan: LogicalNode = {
    ...node,
    left: left.plan,
    right: right.plan,
    on: conjunction(parts.filter((part) => !readsOuter(part))),
    schema: [...node.schema, ...right.plan.schema.slice(rightOwn)],
  };
  return {
    plan,
    conditions: [
      ...left.conditions,
      ...right.conditions.map((condition) => shiftColumns(condition, leftWidth)),
      ...moved,
    ],
  };
}

/** Conditions `inner = outer` as keys over the plan; undefined when there are others. */
export function equalities(
  conditions: readonly BoundExpr[],
  width: number,
): readonly KeyPair[] | undefined {
  // Outer columns take the place of a left side that is as wide as the highest of them.
  let outerWidth = 0;
  for (const condition of conditions) {
    visitOuterColumns(condition, (_, index) => {
      outerWidth = Math.max(outerWidth, index + 1);
    });
  }
  const joined = conditions.map((condition) => overJoin(condition, outerWidth));
  const { pairs, rest } = joinKeys(conjunction(joined), outerWidth);
  const plain = pairs.every(({ right }) => right.kind === 'column' && right.index < width);
  return rest.length === 0 && plain ? pairs : undefined;
}

/** The first n rows for each outer row are the first n of each partition by the compared columns. */
function pullLimit(node: LogicalNode & { readonly kind: 'limit' }, use: Use): Pulled | undefined {
  const { limit, offset } = node;
  const count = isLiteral(limit) ? Number(limit.value) : Number.NaN;
  const skipped = offset === undefined ? 0 : isLiteral(offset) ? Number(offset.value) : Number.NaN;
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(skipped) || node.withTies) {
    return undefined;
  }
  const sorted = peelSort(node.input);
  const below = pull(sorted.input, 'rows');
  if (below === undefined) return undefined;
  if (use === 'exists' && skipped === 0 && count > 0) return below;
  const pairs = equalities(below.conditions, below.plan.schema.length);
  if (pairs === undefined) return undefined;
  const plan: LogicalNode = {
    kind: 'top-n',
    input: below.plan,
    partitionBy: pairs.map((pair) => pair.right),
    orderBy: sorted.keys,
    rank: 'row_number',
    limit: count,
    offset: skipped,
    emitRank: false,
    schema: below.plan.schema,
  };
  return { plan, conditions: below.conditions };
}

type Sort = LogicalNode & { readonly kind: 'sort' };

const peelSort = (node: LogicalNode): { input: LogicalNode; keys: Sort['keys'] } =>
  node.kind === 'sort' ? { input: node.input, keys: node.keys } : { input: node, keys: [] };

/** Groups for each outer row are groups by the compared columns as well. */
function pullAggregate(node: LogicalNode & { readonly kind: 'aggregate' }): Pulled | undefined {
  if (node.keys.length === 0 || node.groupingSets !== undefined) return undefined;
  return groupByCorrelation(node);
}

/**
 * The aggregate with the compared columns as further keys, behind its other columns. For one without keys
 * the caller has to supply the row that it would give over no input.
 */
export function groupByCorrelation(
  node: LogicalNode & { readonly kind: 'aggregate' },
): Pulled | undefined {
  const below = pull(node.input, 'rows');
  const pairs = below && equalities(below.conditions, below.plan.schema.length);
  const own = [
    ...node.keys,
    ...node.aggregates.flatMap((aggregate) => [
      ...aggregate.args,
      ...aggregate.orderBy.map((key) => key.expression),
      ...(aggregate.filter === undefined ? [] : [aggregate.filter]),
    ]),
  ];
  if (below === undefined || pairs === undefined || own.some(readsOuter)) return undefined;
  const keys = [...node.keys, ...pairs.map((pair) => pair.right)];
  const added = pairs.map(({ right }) => {
    const column = right.kind === 'column' ? below.plan.schema[right.index] : undefined;
    return column ?? { name: 'key', type: right.type, nullable: true };
  });
  const keyCount = node.keys.length;
  const rest = node.schema.length - keyCount;
  const grouped: LogicalNode = {
    ...node,
    input: below.plan,
    keys,
    schema: [...node.schema.slice(0, keyCount), ...added, ...node.schema.slice(keyCount)],
  };
  // Back to the original order, the new keys last.
  const order = [
    ...node.keys.map((_, index) => index),
    ...Array.from({ length: rest }, (_, index) => keys.length + index),
    ...pairs.map((_, index) => keyCount + index),
  ];
  const columns = order.flatMap((index) => {
    const column = grouped.schema[index];
    return column === undefined ? [] : [{ column, expression: columnOf(index, column.type) }];
  });
  const plan: LogicalNode = {
    kind: 'project',
    input: grouped,
    expressions: columns.map(({ expression }) => expression),
    schema: columns.map(({ column }) => column),
  };
  const place = new Map(
    pairs.map(({ right }, index) => [
      right.kind === 'column' ? right.index : -1,
      node.schema.length + index,
    ]),
  );
  return {
    plan,
    conditions: below.conditions.map((condition) =>
      renumberColumns(condition, (index) => place.get(index) ?? index),
    ),
  };
}

/** A pulled condition over a join's columns: the enclosing node's, then the plan's. */
export function overJoin(condition: BoundExpr, leftWidth: number): BoundExpr {
  switch (condition.kind) {
    case 'column':
      return { ...condition, index: condition.index + leftWidth };
    case 'outer-column': {
      const { depth, index, type, span } = condition;
      return depth === 1
        ? { kind: 'column', index, type, span }
        : { ...condition, depth: depth - 1 };
    }
    default:
      return mapOperands(condition, (operand) => overJoin(operand, leftWidth));
  }
}
