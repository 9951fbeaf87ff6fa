/** Walks over bound expressions: rebuilding them from the leaves, and looking into them. */
import { assertNever } from './base/assert.ts';
import type {
  BoundAggregate,
  BoundExpr,
  BoundFrame,
  BoundFrameBound,
  BoundSortKey,
  BoundWindowCall,
} from './expression.ts';

/** Applies `change` to the direct operands; nothing changed = the same object. A subquery's plan is left alone. */
export function mapOperands(
  expression: BoundExpr,
  change: (operand: BoundExpr) => BoundExpr,
): BoundExpr {
  switch (expression.kind) {
    case 'literal':
    case 'column':
    case 'outer-column':
    case 'parameter':
    case 'let-value':
      return expression;
    case 'call':
    case 'and':
    case 'or':
    case 'coalesce': {
      const args = mapList(expression.args, change);
      return args === expression.args ? expression : { ...expression, args };
    }
    case 'cast':
    case 'not':
    case 'is-null':
    case 'is-truth':
    case 'field': {
      const operand = change(expression.operand);
      return operand === expression.operand ? expression : { ...expression, operand };
    }
    case 'is-distinct': {
      const left = change(expression.left);
      const right = change(expression.right);
      const same = left === expression.left && right === expression.right;
      return same ? expression : { ...expression, left, right };
    }
    case 'case': {
      const whens = mapList(expression.whens, (branch) => {
        const when = change(branch.when);
        const then = change(branch.then);
        return when === branch.when && then === branch.then ? branch : { when, then };
      });
      const otherwise = expression.otherwise && change(expression.otherwise);
      const same = whens === expression.whens && otherwise === expression.otherwise;
      return same ? expression : { ...expression, whens, otherwise };
    }
    case 'in-list': {
      const operand = change(expression.operand);
      const items = mapList(expression.items, change);
      const same = operand === expression.operand && items === expression.items;
      return same ? expression : { ...expression, operand, items };
    }
    case 'let': {
      const value = change(expression.value);
      const body = change(expression.body);
      const same = value === expression.value && body === expression.body;
      return same ? expression : { ...expression, value, body };
    }
    case 'array':
    case 'row': {
      const items = mapList(expression.items, change);
      return items === expression.items ? expression : { ...expression, items };
    }
    case 'subquery': {
      if (expression.mode !== 'any' && expression.mode !== 'all') return expression;
      const operands = mapList(expression.operands, change);
      return operands === expression.operands ? expression : { ...expression, operands };
    }
    default:
      return assertNever(expression);
  }
}

/** Array.map that gives the same array when nothing changed. */
export function mapList<Item>(
  items: readonly Item[],
  change: (item: Item) => Item,
): readonly Item[] {
  let changed: Item[] | undefined;
  items.forEach((item, index) => {
    const next = change(item);
    if (next !== item && changed === undefined) changed = items.slice(0, index);
    changed?.push(next);
  });
  return changed ?? items;
}

export function mapSortKeys(
  keys: readonly BoundSortKey[],
  change: (expression: BoundExpr) => BoundExpr,
): readonly BoundSortKey[] {
  return mapList(keys, (key) => {
    const expression = change(key.expression);
    return expression === key.expression ? key : { ...key, expression };
  });
}

export function mapAggregate(
  aggregate: BoundAggregate,
  change: (expression: BoundExpr) => BoundExpr,
): BoundAggregate {
  const args = mapList(aggregate.args, change);
  const filter = aggregate.filter && change(aggregate.filter);
  const orderBy = mapSortKeys(aggregate.orderBy, change);
  const same =
    args === aggregate.args && filter === aggregate.filter && orderBy === aggregate.orderBy;
  return same ? aggregate : { ...aggregate, args, filter, orderBy };
}

export function mapWindowCall(
  call: BoundWindowCall,
  change: (expression: BoundExpr) => BoundExpr,
): BoundWindowCall {
  const fn = mapWindowFunction(call.fn, change);
  const partitionBy = mapList(call.partitionBy, change);
  const orderBy = mapSortKeys(call.orderBy, change);
  const frame = call.frame && mapFrame(call.frame, change);
  const same =
    fn === call.fn &&
    partitionBy === call.partitionBy &&
    orderBy === call.orderBy &&
    frame === call.frame;
  return same ? call : { ...call, fn, partitionBy, orderBy, frame };
}

function mapWindowFunction(
  fn: BoundWindowCall['fn'],
  change: (expression: BoundExpr) => BoundExpr,
): BoundWindowCall['fn'] {
  if (fn.kind === 'aggregate') {
    const aggregate = mapAggregate(fn.aggregate, change);
    return aggregate === fn.aggregate ? fn : { ...fn, aggregate };
  }
  const args = mapList(fn.args, change);
  return args === fn.args ? fn : { ...fn, args };
}

function mapFrame(frame: BoundFrame, change: (expression: BoundExpr) => BoundExpr): BoundFrame {
  const bound = (end: BoundFrameBound): BoundFrameBound => {
    if (!('offset' in end)) return end;
    const offset = change(end.offset);
    return offset === end.offset ? end : { ...end, offset };
  };
  const start = bound(frame.start);
  const end = bound(frame.end);
  return start === frame.start && end === frame.end ? frame : { ...frame, start, end };
}

/** The body of a `let` with its value in place of the names for it. */
export function insertValue(body: BoundExpr, id: number, value: BoundExpr): BoundExpr {
  if (body.kind === 'let-value') return body.id === id ? value : body;
  if (body.kind === 'let' && body.id === id) {
    return { ...body, value: insertValue(body.value, id, value) };
  }
  return mapOperands(body, (operand) => insertValue(operand, id, value));
}

/** The direct operands, in order; a subquery's plan is not looked into. */
export function operandsOf(expression: BoundExpr): readonly BoundExpr[] {
  const operands: BoundExpr[] = [];
  mapOperands(expression, (operand) => {
    operands.push(operand);
    return operand;
  });
  return operands;
}

/** Whether `test` holds for the expression or anything inside it, subqueries' plans excepted. */
export function someExpression(expression: BoundExpr, test: (part: BoundExpr) => boolean): boolean {
  return test(expression) || operandsOf(expression).some((part) => someExpression(part, test));
}
