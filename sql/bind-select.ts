/** SELECT: from the syntax tree to filter, aggregate, window, project, distinct and sort nodes, in that order. */
import type { Expression, Query, Select, SortItem } from './ast.ts';
import { StreamError } from './base/error.ts';
import { sortDirection } from './bind-aggregate.ts';
import { places, type QueryPlace } from './bind-context.ts';
import { bindFromList } from './bind-from.ts';
import { type BoundFrom, type FromPlace, scopeOver } from './bind-from-place.ts';
import {
  aggregate,
  bindGroupBy,
  bindGroupExpression,
  type Grouping,
  requireEquality,
  requireOrder,
} from './bind-group.ts';
import { bindGroupWindow, noGroupWindow } from './bind-group-window.ts';
import { applyLimit } from './bind-limit.ts';
import { filtered, keepFirst, project } from './bind-output.ts';
import { refusePartitionBy } from './bind-partition.ts';
import { keepWindows } from './bind-retention.ts';
import { columnOf, type PendingSet, type Scope, SET_BASE, WINDOW_BASE } from './bind-scope.ts';
import { bindStreamWindow } from './bind-stream-window.ts';
import {
  bindTargets,
  namedTarget,
  ordinalTarget,
  type Target,
  targetNumber,
} from './bind-target.ts';
import { bindWindowClause } from './bind-window.ts';
import { coerceToBoolean, resolveUnknown } from './coerce.ts';
import type { BoundExpr, BoundSortKey, BoundWindowCall } from './expression.ts';
import { equalExpressions } from './expression-equal.ts';
import { mapWindowCall } from './expression-map.ts';
import { columnsRead, mapColumns, mapExpressions, moveInward } from './logical-map.ts';
import type { LogicalNode, TableCall } from './logical-plan.ts';

/** The clauses of a query that stand behind its SELECT. */
export type Tail = Pick<Query, 'orderBy' | 'limit' | 'offset' | 'withTies'>;

const noRows: BoundFrom = {
  node: { kind: 'values', rows: [[]], schema: [] },
  tables: [],
  columns: [],
};

/** Clauses are bound in PostgreSQL's order, so that of two errors the same one is reported. */
export function bindSelect(select: Select, tail: Tail, place: QueryPlace): LogicalNode {
  refusePartitionBy(select.partitionBy);
  if (select.into !== undefined) {
    throw new StreamError('SQL_SYNTAX', 'SELECT ... INTO is not allowed here', {
      at: select.into.span,
    });
  }
  const { context, parent, commonTables } = place;
  const fromPlace: FromPlace = { context, parent, around: parent, commonTables };
  const plain = bindFromList(select.from, fromPlace) ?? noRows;
  const windowed =
    select.streamWindow && bindStreamWindow(select.streamWindow, plain, fromPlace, select.groupBy);
  const from = windowed?.from ?? plain;
  const scope = scopeOver(from, fromPlace);
  const groupWindow = bindGroupWindow(select.groupBy, from, fromPlace);
  scope.specialCalls = groupWindow?.calls ?? noGroupWindow;
  const bind = (node: Expression): BoundExpr => context.rules.expression(node, scope);

  scope.within(places.window, () =>
    bindWindowClause(select.windows, scope, context.rules.expression),
  );
  const targets = scope.within(places.select, () => bindTargets(select.items, scope));
  const where = select.where && bindCondition(select.where, 'WHERE', scope);
  const having = select.having && bindCondition(select.having, 'HAVING', scope);
  const qualify = select.qualify && bindCondition(select.qualify, 'QUALIFY', scope);
  const orderBy = bindOrderBy(tail.orderBy, targets, scope);
  const grouping = groupBy(select, targets, scope, [
    ...(windowed?.keys ?? []),
    ...(groupWindow?.keys ?? []),
  ]);
  const distinctOn =
    select.distinct.kind === 'on'
      ? bindDistinctOn(select.distinct.expressions, targets, orderBy, scope)
      : undefined;
  settleUnknown(targets, select, orderBy, place);

  let node = from.node;
  if (where !== undefined) node = windowed?.filter(where) ?? filtered(node, where);
  if (groupWindow !== undefined && grouping !== undefined) node = groupWindow.over(node, grouping);
  const above = aboveFrom(node, grouping, having, from, scope);
  node = above.node;
  if (windowed?.until !== undefined) {
    const { time, micros } = windowed.until;
    node = keepWindows(node, above.translate(time), micros);
  }
  if (qualify !== undefined) {
    node = filtered(node, above.translate(qualify));
  }
  node = project(
    node,
    targets.map(({ name, expression }) => ({ name, expression: above.translate(expression) })),
  );
  const visible = targets.filter((target) => !target.hidden).length;
  const keys = orderBy.map((key) => keyOver(key, node));
  if (select.distinct.kind === 'distinct') {
    checkDistinct(targets, visible, orderBy);
    node = { kind: 'distinct', input: node, schema: node.schema };
  } else if (distinctOn !== undefined) {
    const on = distinctOn.map((index) => columnOver(index, node));
    node = { kind: 'distinct-on', input: node, keys: on, orderBy: keys, schema: node.schema };
  }
  if (keys.length > 0) node = { kind: 'sort', input: node, keys, schema: node.schema };
  const limited = applyLimit(node, tail, scope, bind);
  return keepFirst(limited, visible);
}

function bindCondition(
  node: Expression,
  clause: 'WHERE' | 'HAVING' | 'QUALIFY',
  scope: Scope,
): BoundExpr {
  const where = { WHERE: places.where, HAVING: places.having, QUALIFY: places.qualify }[clause];
  const bound = scope.within(where, () => scope.context.rules.expression(node, scope));
  return coerceToBoolean(bound, clause, scope.context);
}

interface OrderItem extends Omit<BoundSortKey, 'expression'> {
  readonly target: number;
  readonly item: SortItem;
}

function bindOrderBy(items: readonly SortItem[], targets: Target[], scope: Scope): OrderItem[] {
  return items.map((item) => {
    const target = targetNumber(item.expression, targets, 'ORDER BY', places.orderBy, scope);
    const expression = targets[target]?.expression;
    if (expression !== undefined) requireOrder(expression, item.span);
    return { target, item, ...sortDirection(item) };
  });
}

const columnOver = (index: number, node: LogicalNode): BoundExpr =>
  columnOf(index, node.schema[index]?.type ?? { kind: 'unknown' });

const keyOver = (key: OrderItem, node: LogicalNode): BoundSortKey => ({
  expression: columnOver(key.target, node),
  descending: key.descending,
  nullsFirst: key.nullsFirst,
});

function groupBy(
  select: Select,
  targets: readonly Target[],
  scope: Scope,
  windowKeys: readonly BoundExpr[],
): Grouping | undefined {
  const grouping = bindGroupBy(select.groupBy, select.groupByDistinct, (node) =>
    groupTarget(node, targets, scope),
  );
  const { pending } = scope;
  const isAggregated =
    select.groupBy.length > 0 ||
    select.having !== undefined ||
    pending.aggregates.length > 0 ||
    pending.groupings.length > 0;
  if (!isAggregated) return undefined;
  const extra = windowKeys.filter((key) => !grouping.keys.some((k) => equalExpressions(k, key)));
  const keys = [...grouping.keys, ...extra];
  const numbers = windowKeys.map((key) => keys.findIndex((other) => equalExpressions(other, key)));
  const sets = grouping.sets?.map((set) => [...new Set([...set, ...numbers])]);
  return { keys, sets };
}

/** GROUP BY prefers a column of FROM to an output name, unlike ORDER BY. */
function groupTarget(node: Expression, targets: readonly Target[], scope: Scope): BoundExpr {
  const name =
    node.kind === 'column' && node.name.parts.length === 1 ? node.name.parts[0] : undefined;
  const inFrom = name !== undefined && scope.columns.some((column) => column.name === name.name);
  const number = inFrom
    ? undefined
    : (namedTarget(node, targets, 'GROUP BY') ?? ordinalTarget(node, targets, 'GROUP BY'));
  const target = number === undefined ? undefined : targets[number];
  if (target === undefined) return bindGroupExpression(node, scope);
  checkGroupTarget(target.expression, node);
  return resolveUnknown(target.expression, scope.context);
}

function checkGroupTarget(expression: BoundExpr, node: Expression): void {
  mapColumns(expression, (column) => {
    if (column.index >= SET_BASE || column.index < 1_000_000) return column;
    const isWindow = column.index >= WINDOW_BASE;
    throw new StreamError(
      isWindow ? 'SQL_WINDOWING' : 'SQL_GROUPING',
      `${isWindow ? 'window' : 'aggregate'} functions are not allowed in GROUP BY`,
      { at: node.span },
    );
  });
}

function bindDistinctOn(
  nodes: readonly Expression[],
  targets: Target[],
  orderBy: readonly OrderItem[],
  scope: Scope,
): readonly number[] {
  const on = nodes.map((node) => {
    const number = targetNumber(node, targets, 'DISTINCT ON', places.distinctOn, scope);
    const expression = targets[number]?.expression;
    if (expression !== undefined) requireEquality(expression, node.span);
    return number;
  });
  const unique = new Set(on);
  // The ORDER BY must begin with the DISTINCT ON expressions, in any order among themselves.
  const foreign = orderBy.findIndex((key) => !unique.has(key.target));
  const covered = new Set(orderBy.slice(0, foreign < 0 ? undefined : foreign).map((k) => k.target));
  if (foreign >= 0 && [...unique].some((target) => !covered.has(target))) {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      'SELECT DISTINCT ON expressions must match initial ORDER BY expressions',
      { at: nodes[0]?.span },
    );
  }
  return [...unique];
}

/** Untyped literals become text, except where a UNION around the query may still type them. */
function settleUnknown(
  targets: Target[],
  select: Select,
  orderBy: readonly OrderItem[],
  place: QueryPlace,
): void {
  const sorted = new Set(orderBy.map((key) => key.target));
  for (const [index, target] of targets.entries()) {
    const settle = place.resolveUnknown || select.distinct.kind !== 'all' || sorted.has(index);
    if (!settle || target.expression.type.kind !== 'unknown') continue;
    targets[index] = { ...target, expression: resolveUnknown(target.expression, place.context) };
  }
}

function checkDistinct(
  targets: readonly Target[],
  visible: number,
  orderBy: readonly OrderItem[],
): void {
  const foreign = orderBy.find((key) => key.target >= visible);
  if (foreign !== undefined) {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      'for SELECT DISTINCT, ORDER BY expressions must appear in select list',
      { at: foreign.item.span },
    );
  }
  for (const target of targets) requireEquality(target.expression, target.expression.span);
}

interface Above {
  readonly node: LogicalNode;
  /** From an expression over FROM's columns to one over the node's. */
  readonly translate: (expression: BoundExpr) => BoundExpr;
}

/** Aggregation with HAVING, then window calls, then set-returning functions; those in GROUP BY come before it. */
function aboveFrom(
  input: LogicalNode,
  grouping: Grouping | undefined,
  having: BoundExpr | undefined,
  from: BoundFrom,
  scope: Scope,
): Above {
  const grouped = setsIn(grouping?.keys ?? [], scope);
  const above = scope.pending.sets.map((_, number) => number).filter((set) => !grouped.has(set));
  const below = addSets({ node: input, translate: same }, [...grouped], scope);
  let node = below.node;
  let translate = below.translate;
  if (grouping !== undefined) {
    const aggregation = aggregate(node, grouping, scope, from);
    node = mapExpressions(aggregation.node, below.translate);
    translate = aggregation.above;
    if (having !== undefined) {
      node = filtered(node, translate(having));
    }
  }
  return addSets(addWindows({ node, translate }, scope), above, scope);
}

const same = (expression: BoundExpr): BoundExpr => expression;

/** Numbers of the set-returning functions that expressions call, also in the arguments of others. */
function setsIn(
  expressions: readonly BoundExpr[],
  scope: Scope,
  found = new Set<number>(),
): ReadonlySet<number> {
  for (const index of columnsRead(expressions)) {
    const number = index - SET_BASE;
    if (number < 0 || found.has(number)) continue;
    found.add(number);
    setsIn(scope.pending.sets[number]?.args ?? [], scope, found);
  }
  return found;
}

function addWindows(below: Above, scope: Scope): Above {
  const { windows } = scope.pending;
  if (windows.length === 0) return below;
  const width = below.node.schema.length;
  const calls = windows.map((call) => mapWindowCall(call, below.translate));
  const node: LogicalNode = {
    kind: 'window',
    input: below.node,
    calls,
    schema: [
      ...below.node.schema,
      ...calls.map((call) => ({
        name: windowName(call),
        type: call.type,
        nullable: mayBeMissing(call),
      })),
    ],
  };
  return {
    node,
    translate: (expression) => renumber(below.translate(expression), WINDOW_BASE, SET_BASE, width),
  };
}

const windowName = ({ fn }: BoundWindowCall): string =>
  fn.kind === 'ranking' ? fn.name : fn.aggregate.fn.name;

const neverNull: ReadonlySet<string> = new Set([
  ...['row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist', 'count'],
]);

const mayBeMissing = (call: BoundWindowCall): boolean => !neverNull.has(windowName(call));

/** Columns numbered from a base on get their place behind the node's own. */
function renumber(expression: BoundExpr, base: number, end: number, width: number): BoundExpr {
  return mapColumns(expression, (column) =>
    column.index >= base && column.index < end
      ? { ...column, index: column.index - base + width }
      : column,
  );
}

/**
 * Set-returning functions of the select list multiply rows: a lateral join with them, side by side. One in the
 * arguments of another comes first.
 */
function addSets(start: Above, numbers: readonly number[], scope: Scope): Above {
  let { node } = start;
  const places = new Map<number, number>();
  const translate: Above['translate'] = (expression) =>
    mapColumns(start.translate(expression), (column) => {
      const index = places.get(column.index - SET_BASE);
      return index === undefined ? column : { ...column, index };
    });
  let waiting = [...numbers];
  while (waiting.length > 0) {
    const isReady = (number: number): boolean =>
      ![...setsIn(scope.pending.sets[number]?.args ?? [], scope)].some((set) =>
        waiting.includes(set),
      );
    const ready = waiting.filter(isReady);
    const sets = ready.flatMap((number) => scope.pending.sets[number] ?? []);
    const width = node.schema.length;
    node = joinSets(node, sets, translate);
    ready.forEach((number, position) => {
      places.set(number, width + position);
    });
    waiting = waiting.filter((number) => !ready.includes(number));
  }
  return { node, translate };
}

/** Each of the functions gives one column. */
function joinSets(
  left: LogicalNode,
  sets: readonly PendingSet[],
  translate: Above['translate'],
): LogicalNode {
  let lateral = false;
  const calls = sets.map(({ name, args, schema }): TableCall => {
    const inward = args.map((arg) => {
      const own = translate(arg);
      const moved = moveInward(own, 1);
      lateral ||= moved !== own;
      return moved;
    });
    return { name, args: inward, columns: schema };
  });
  const columns = calls.flatMap((call) => call.columns);
  return {
    kind: 'join',
    type: 'inner',
    left,
    right: { kind: 'table-function', calls, ordinality: false, schema: columns },
    on: undefined,
    lateral,
    schema: [...left.schema, ...columns],
  };
}
