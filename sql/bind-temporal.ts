/**
 * Conditions of a view that compare a row's time with now(): `ts > now() - INTERVAL '1 hour'`. Such a row comes and goes by the
 * clock, so the condition is taken out of its filter and becomes the two times between which the row is in the result.
 */
import type { Interval } from './base/interval.ts';
import { negateInterval } from './base/interval.ts';
import type { BindContext } from './bind-context.ts';
import { bindOperator } from './bind-operator.ts';
import type { BoundExpr } from './expression.ts';
import { operandsOf } from './expression-map.ts';
import { conjunction, conjunctsOf } from './join-keys.ts';
import type { LogicalNode, TemporalBound } from './logical-plan.ts';

/** The same instant by several names, all of type timestamp or timestamptz, which are equal in UTC. */
const CLOCKS: ReadonlySet<string> = new Set([
  'now',
  'current_timestamp',
  'transaction_timestamp',
  'statement_timestamp',
  'clock_timestamp',
  'localtimestamp',
]);

/** now() `op` X, with now() on the left. */
type Comparison = '<' | '<=' | '>' | '>=';

const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

interface Bounds {
  readonly from?: TemporalBound | undefined;
  readonly until?: TemporalBound | undefined;
}

/** The filter with its conditions on the clock in nodes of their own; the same node when it has none. */
export function takeTemporal(
  node: LogicalNode & { readonly kind: 'filter' },
  context: BindContext,
): LogicalNode {
  const rest: BoundExpr[] = [];
  const found: Bounds[] = [];
  for (const part of conjunctsOf(node.where)) {
    const bounds = readsClock(part) ? boundsOf(part, context) : undefined;
    if (bounds === undefined) rest.push(part);
    else found.push(bounds);
  }
  if (found.length === 0) return node;
  const where = conjunction(rest);
  const { schema } = node;
  const filtered: LogicalNode = where === undefined ? node.input : { ...node, where };
  return found.reduce<LogicalNode>(
    (input, { from, until }) => ({ kind: 'temporal-filter', input, from, until, schema }),
    filtered,
  );
}

function readsClock(expression: BoundExpr): boolean {
  if (expression.kind === 'call' && isClock(expression)) return true;
  return operandsOf(expression).some(readsClock);
}

const isClock = (call: BoundExpr & { readonly kind: 'call' }): boolean =>
  call.args.length === 0 && CLOCKS.has(call.fn.name);

/** Undefined for a condition of another form, which settling then refuses. */
function boundsOf(part: BoundExpr, context: BindContext): Bounds | undefined {
  if (part.kind !== 'call' || part.args.length !== 2) return undefined;
  const op = part.fn.name;
  if (op !== '<' && op !== '<=' && op !== '>' && op !== '>=') return undefined;
  const [left, right] = part.args;
  if (left === undefined || right === undefined || readsClock(left) === readsClock(right)) {
    return undefined;
  }
  return readsClock(left)
    ? solve(left, op, right, context)
    : solve(right, FLIPPED[op], left, context);
}

/** Moves what is added to the clock to the other side. */
function solve(
  clock: BoundExpr,
  op: Comparison,
  other: BoundExpr,
  context: BindContext,
): Bounds | undefined {
  if (clock.kind === 'cast' && isTime(clock) && isTime(clock.operand)) {
    return solve(clock.operand, op, other, context);
  }
  if (clock.kind !== 'call') return undefined;
  if (isClock(clock)) return isTime(other) ? asBounds(op, other) : undefined;
  const [base, shift] = clock.args;
  if (base === undefined || shift?.kind !== 'literal' || shift.type.kind !== 'interval') {
    return undefined;
  }
  const by = shift.value as Interval | null;
  // Months are of several lengths, so that they cannot be moved to the other side exactly.
  if (by === null || by.months !== 0 || (clock.fn.name !== '-' && clock.fn.name !== '+')) {
    return undefined;
  }
  const moved: BoundExpr = {
    ...shift,
    value: clock.fn.name === '-' ? by : negateInterval(by),
  };
  const span = clock.span ?? { start: 0, end: 0 };
  return solve(base, op, bindOperator('+', [other, moved], span, context), context);
}

const isTime = ({ type }: BoundExpr): boolean =>
  type.kind === 'timestamp' || type.kind === 'timestamptz';

/** Times are whole microseconds: strictly after t is from t + 1 on. */
function asBounds(op: Comparison, time: BoundExpr): Bounds {
  switch (op) {
    case '<':
      return { until: { time, micros: 0n } };
    case '<=':
      return { until: { time, micros: 1n } };
    case '>':
      return { from: { time, micros: 1n } };
    case '>=':
      return { from: { time, micros: 0n } };
    default:
      return op satisfies never;
  }
}
