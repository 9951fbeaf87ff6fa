/** Walks over logical plans: inputs, expressions, and columns of enclosing queries. */
import { assertNever } from './base/assert.ts';
import type { BoundExpr } from './expression.ts';
import {
  mapAggregate,
  mapList,
  mapOperands,
  mapSortKeys,
  mapWindowCall,
} from './expression-map.ts';
import type { LogicalNode, TableCall, TemporalBound } from './logical-plan.ts';
import { mapMatchShape } from './row-pattern.ts';

/** Applies `change` to the direct inputs; nothing changed = the same object. */
export function mapInputs(
  node: LogicalNode,
  change: (input: LogicalNode, port: 0 | 1) => LogicalNode,
): LogicalNode {
  switch (node.kind) {
    case 'scan':
    case 'values':
    case 'table-function':
    case 'recursive-reference':
      return node;
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'distinct':
    case 'distinct-on':
    case 'window':
    case 'sort':
    case 'limit':
    case 'top-n':
    case 'emit-final':
    case 'emit-every':
    case 'once':
    case 'temporal-filter':
    case 'window-table':
    case 'match-recognize':
    case 'flat-map': {
      const input = change(node.input, 0);
      return input === node.input ? node : { ...node, input };
    }
    case 'join':
    case 'set-operation': {
      const left = change(node.left, 0);
      const right = change(node.right, 1);
      return left === node.left && right === node.right ? node : { ...node, left, right };
    }
    case 'recursive': {
      const base = change(node.base, 0);
      const step = change(node.step, 1);
      return base === node.base && step === node.step ? node : { ...node, base, step };
    }
    default:
      return assertNever(node);
  }
}

export function inputsOf(node: LogicalNode): readonly LogicalNode[] {
  const inputs: LogicalNode[] = [];
  mapInputs(node, (input) => {
    inputs.push(input);
    return input;
  });
  return inputs;
}

/** Applies `change` to the expressions that the node itself holds. */
export function mapExpressions(
  node: LogicalNode,
  change: (expression: BoundExpr) => BoundExpr,
): LogicalNode {
  switch (node.kind) {
    case 'scan':
    case 'distinct':
    case 'emit-final':
    case 'emit-every':
    case 'once':
    case 'set-operation':
    case 'window-table':
    case 'recursive':
    case 'recursive-reference':
      return node;
    case 'values': {
      const rows = mapList(node.rows, (row) => mapList(row, change));
      return rows === node.rows ? node : { ...node, rows };
    }
    case 'filter': {
      const where = change(node.where);
      return where === node.where ? node : { ...node, where };
    }
    case 'temporal-filter': {
      const from = mapBound(node.from, change);
      const until = mapBound(node.until, change);
      return from === node.from && until === node.until ? node : { ...node, from, until };
    }
    case 'project': {
      const expressions = mapList(node.expressions, change);
      return expressions === node.expressions ? node : { ...node, expressions };
    }
    case 'join': {
      const on = node.on && change(node.on);
      return on === node.on ? node : { ...node, on };
    }
    case 'aggregate': {
      const keys = mapList(node.keys, change);
      const aggregates = mapList(node.aggregates, (aggregate) => mapAggregate(aggregate, change));
      const same = keys === node.keys && aggregates === node.aggregates;
      return same ? node : { ...node, keys, aggregates };
    }
    case 'distinct-on': {
      const keys = mapList(node.keys, change);
      const orderBy = mapSortKeys(node.orderBy, change);
      return keys === node.keys && orderBy === node.orderBy ? node : { ...node, keys, orderBy };
    }
    case 'window': {
      const calls = mapList(node.calls, (call) => mapWindowCall(call, change));
      return calls === node.calls ? node : { ...node, calls };
    }
    case 'sort': {
      const keys = mapSortKeys(node.keys, change);
      return keys === node.keys ? node : { ...node, keys };
    }
    case 'limit': {
      const limit = node.limit && change(node.limit);
      const offset = node.offset && change(node.offset);
      return limit === node.limit && offset === node.offset ? node : { ...node, limit, offset };
    }
    case 'top-n': {
      const partitionBy = mapList(node.partitionBy, change);
      const orderBy = mapSortKeys(node.orderBy, change);
      const same = partitionBy === node.partitionBy && orderBy === node.orderBy;
      return same ? node : { ...node, partitionBy, orderBy };
    }
    case 'table-function': {
      const calls = mapCalls(node.calls, change);
      return calls === node.calls ? node : { ...node, calls };
    }
    case 'match-recognize':
      return mapMatchShape(node, change);
    case 'flat-map': {
      const calls = mapCalls(node.calls, change);
      const on = node.on && change(node.on);
      return calls === node.calls && on === node.on ? node : { ...node, calls, on };
    }
    default:
      return assertNever(node);
  }
}

export function mapBound(
  bound: TemporalBound | undefined,
  change: (expression: BoundExpr) => BoundExpr,
): TemporalBound | undefined {
  if (bound === undefined) return undefined;
  const time = change(bound.time);
  return time === bound.time ? bound : { ...bound, time };
}

function mapCalls(
  calls: readonly TableCall[],
  change: (expression: BoundExpr) => BoundExpr,
): readonly TableCall[] {
  return mapList(calls, (call) => {
    const args = mapList(call.args, change);
    return args === call.args ? call : { ...call, args };
  });
}

/** Calls `see` for every expression that the node itself holds. */
export function visitExpressions(node: LogicalNode, see: (expression: BoundExpr) => void): void {
  mapExpressions(node, (expression) => {
    see(expression);
    return expression;
  });
}

/** A column reference, and how many queries lie between it and the node that it is asked about. */
type ColumnExpr = BoundExpr & { readonly kind: 'column' | 'outer-column' };

/**
 * Replaces the references to the columns of one node: its own `column`s, and inside subqueries the
 * `outer-column`s that reach out to it.
 * @param change  gets the reference and its depth: 0 for `column`, d for an `outer-column` that
 *   stands d queries further in. What it returns must be written for that depth.
 */
export function mapColumns(
  expression: BoundExpr,
  change: (column: ColumnExpr, depth: number) => BoundExpr,
): BoundExpr {
  return mapColumnsAt(expression, 0, change);
}

function mapColumnsAt(
  expression: BoundExpr,
  depth: number,
  change: (column: ColumnExpr, depth: number) => BoundExpr,
): BoundExpr {
  if (expression.kind === 'column') return depth === 0 ? change(expression, 0) : expression;
  if (expression.kind === 'outer-column') {
    return expression.depth === depth && depth > 0 ? change(expression, depth) : expression;
  }
  const next = mapOperands(expression, (operand) => mapColumnsAt(operand, depth, change));
  if (next.kind !== 'subquery') return next;
  const plan = mapPlanColumns(next.plan, depth + 1, change);
  return plan === next.plan ? next : { ...next, plan };
}

/** The same for a whole plan that stands `depth` queries inside the node. */
export function mapPlanColumns(
  plan: LogicalNode,
  depth: number,
  change: (column: ColumnExpr, depth: number) => BoundExpr,
): LogicalNode {
  const inputs = mapInputs(plan, (input, port) =>
    mapPlanColumns(input, isLateral(plan, port) ? depth + 1 : depth, change),
  );
  return mapExpressions(inputs, (expression) => mapColumnsAt(expression, depth, change));
}

const isLateral = (node: LogicalNode, port: 0 | 1): boolean =>
  node.kind === 'join' && node.lateral && port === 1;

/** Every `outer-column` that reaches out of the expression, with its depth counted from here. */
export function visitOuterColumns(
  expression: BoundExpr,
  see: (depth: number, index: number) => void,
): void {
  outerOfExpression(expression, 0, see);
}

function outerOfExpression(
  expression: BoundExpr,
  inside: number,
  see: (depth: number, index: number) => void,
): void {
  if (expression.kind === 'outer-column') {
    if (expression.depth > inside) see(expression.depth - inside, expression.index);
    return;
  }
  mapOperands(expression, (operand) => {
    outerOfExpression(operand, inside, see);
    return operand;
  });
  if (expression.kind === 'subquery') outerOfPlan(expression.plan, inside + 1, see);
}

/** Every `outer-column` that reaches out of a plan; a subquery's plan is asked with `inside` = 0. */
export function visitPlanOuterColumns(
  plan: LogicalNode,
  see: (depth: number, index: number) => void,
): void {
  outerOfPlan(plan, 0, see);
}

function outerOfPlan(
  plan: LogicalNode,
  inside: number,
  see: (depth: number, index: number) => void,
): void {
  mapInputs(plan, (input, port) => {
    outerOfPlan(input, isLateral(plan, port) ? inside + 1 : inside, see);
    return input;
  });
  visitExpressions(plan, (expression) => outerOfExpression(expression, inside, see));
}

/** Adds `by` to the depth of every `outer-column` that reaches out of the plan. */
export function shiftPlanOuter(plan: LogicalNode, by: number, inside = 0): LogicalNode {
  if (by === 0) return plan;
  const inputs = mapInputs(plan, (input, port) =>
    shiftPlanOuter(input, by, isLateral(plan, port) ? inside + 1 : inside),
  );
  return mapExpressions(inputs, (expression) => shiftOuter(expression, by, inside));
}

/**
 * Adds `by` to the depth of every `outer-column` that reaches out of the expression; one that comes
 * down to 0 becomes a `column`.
 */
export function shiftOuter(expression: BoundExpr, by: number, inside = 0): BoundExpr {
  if (expression.kind === 'outer-column') {
    if (expression.depth <= inside) return expression;
    const depth = expression.depth + by;
    if (depth > 0) return { ...expression, depth };
    const { type, span, index } = expression;
    return { kind: 'column', type, span, index };
  }
  const next = mapOperands(expression, (operand) => shiftOuter(operand, by, inside));
  if (next.kind !== 'subquery') return next;
  const plan = shiftPlanOuter(next.plan, by, inside + 1);
  return plan === next.plan ? next : { ...next, plan };
}

/** Moves an expression over one node's columns by `by` columns to the right. */
export function shiftColumns(expression: BoundExpr, by: number): BoundExpr {
  if (by === 0) return expression;
  return mapColumns(expression, (column) => ({ ...column, index: column.index + by }));
}

/**
 * An expression over a node's columns as it is written `by` queries further in: its columns become
 * `outer-column`s, and what reached out of it reaches `by` further.
 */
export function moveInward(expression: BoundExpr, by: number): BoundExpr {
  return by === 0 ? expression : inwardAt(expression, by, 0);
}

function inwardAt(expression: BoundExpr, by: number, inside: number): BoundExpr {
  if (expression.kind === 'column') {
    if (inside > 0) return expression;
    const { type, span, index } = expression;
    return { kind: 'outer-column', depth: by, index, type, span };
  }
  if (expression.kind === 'outer-column') {
    if (expression.depth < inside) return expression;
    return { ...expression, depth: expression.depth + by };
  }
  const next = mapOperands(expression, (operand) => inwardAt(operand, by, inside));
  if (next.kind !== 'subquery') return next;
  return { ...next, plan: planInward(next.plan, by, inside + 1) };
}

function planInward(plan: LogicalNode, by: number, inside: number): LogicalNode {
  const inputs = mapInputs(plan, (input, port) =>
    planInward(input, by, isLateral(plan, port) ? inside + 1 : inside),
  );
  return mapExpressions(inputs, (expression) => inwardAt(expression, by, inside));
}

/** Puts an expression in the place of each column of the node; for composing projections. */
export function substitute(expression: BoundExpr, replacements: readonly BoundExpr[]): BoundExpr {
  return mapColumns(expression, (column, depth) => {
    const replacement = replacements[column.index];
    return replacement === undefined ? column : moveInward(replacement, depth);
  });
}

/** The columns of its node that an expression reads, also from inside subqueries; ascending. */
export function columnsRead(expressions: readonly BoundExpr[]): readonly number[] {
  const read = new Set<number>();
  for (const expression of expressions) {
    mapColumns(expression, (column) => {
      read.add(column.index);
      return column;
    });
  }
  return [...read].sort((a, b) => a - b);
}

/** Gives columns new numbers. */
export function renumberColumns(
  expression: BoundExpr,
  place: (index: number) => number,
): BoundExpr {
  return mapColumns(expression, (column) => {
    const index = place(column.index);
    return index === column.index ? column : { ...column, index };
  });
}
