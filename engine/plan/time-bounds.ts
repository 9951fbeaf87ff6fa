/** What a condition over pairs of rows says about how far apart two of their times are. */
import {
  type Interval,
  intervalInfinity,
  intervalSpan,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MICROS_PER_SECOND,
} from '../../sql/base/interval.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { conjuncts } from './plan-builder.ts';

/** Where the condition is true: value of column `earlier` + micros <= value of column `later`. */
export interface TimeBound {
  readonly earlier: number;
  readonly later: number;
  readonly micros: bigint;
  /** The condition may be true for two NULLs. */
  readonly meetsNull?: boolean | undefined;
}

/** A column's time and a fixed length, which may be off by `slack` either way. */
interface Shifted {
  readonly column: number;
  readonly micros: bigint;
  readonly slack: bigint;
}

/** A day of a time zone is a day and at most this much longer or shorter. */
const ZONE_SLACK = MICROS_PER_DAY;

/** Bounds that hold for every pair for which the condition is true; parts that are of another kind say nothing. */
export function timeBounds(condition: BoundExpr | undefined): readonly TimeBound[] {
  return condition === undefined ? [] : conjuncts(condition).flatMap(boundsOf);
}

function boundsOf(part: BoundExpr): readonly TimeBound[] {
  if (part.kind !== 'call') return [];
  const [left, right] = part.args;
  if (left === undefined || right === undefined) return [];
  switch (part.fn.name) {
    case '<':
      return lessOrEqual(left, right).map(strictly);
    case '<=':
      return lessOrEqual(left, right);
    case '>':
      return lessOrEqual(right, left).map(strictly);
    case '>=':
      return lessOrEqual(right, left);
    case '=':
      return [...lessOrEqual(left, right), ...lessOrEqual(right, left)];
    default:
      return [];
  }
}

/** Times are whole microseconds. */
const strictly = (bound: TimeBound): TimeBound => ({ ...bound, micros: bound.micros + 1n });

function lessOrEqual(smaller: BoundExpr, larger: BoundExpr): readonly TimeBound[] {
  const low = shiftedTime(smaller);
  const high = shiftedTime(larger);
  if (low !== undefined && high !== undefined) {
    const micros = low.micros - high.micros - low.slack - high.slack;
    return [{ earlier: low.column, later: high.column, micros }];
  }
  // a - b <= length, or length <= a - b; intervals compare by their length in microseconds.
  const least = intervalOf(smaller);
  const most = intervalOf(larger);
  const [a, b] = differenceOf(most === undefined ? larger : smaller);
  if (a === undefined || b === undefined) return [];
  if (most !== undefined) return [{ earlier: a, later: b, micros: -intervalSpan(most) }];
  if (least !== undefined) return [{ earlier: b, later: a, micros: intervalSpan(least) }];
  return [];
}

/** A column of timestamps, plus or minus a literal of days and less. */
export function shiftedTime(expression: BoundExpr): Shifted | undefined {
  const { kind } = expression.type;
  if (kind !== 'timestamp' && kind !== 'timestamptz') return undefined;
  if (expression.kind === 'column') return { column: expression.index, micros: 0n, slack: 0n };
  const shift = shiftOf(expression);
  const inner = shift && shiftedTime(shift.time);
  if (shift === undefined || inner === undefined) return undefined;
  return {
    column: inner.column,
    micros: inner.micros + shift.micros,
    slack: inner.slack + shift.slack,
  };
}

/** A time, plus or minus a literal of days and less, which may be off by `slack` either way. */
export function shiftOf(
  expression: BoundExpr,
): { readonly time: BoundExpr; readonly micros: bigint; readonly slack: bigint } | undefined {
  const { kind } = expression.type;
  if (expression.kind !== 'call' || (kind !== 'timestamp' && kind !== 'timestamptz')) {
    return undefined;
  }
  const { name } = expression.fn;
  const [time, right] = expression.args;
  if ((name !== '+' && name !== '-') || time?.type.kind !== kind || right === undefined) {
    return undefined;
  }
  const length = intervalOf(right);
  if (length === undefined || length.months !== 0) return undefined;
  const micros = intervalSpan(length);
  const slack = kind === 'timestamptz' && length.days !== 0 ? ZONE_SLACK : 0n;
  return { time, micros: name === '+' ? micros : -micros, slack };
}

function differenceOf(expression: BoundExpr): readonly [] | readonly [number, number] {
  if (expression.kind !== 'call' || expression.fn.name !== '-') return [];
  const [left, right] = expression.args;
  const isTime = ({ type }: BoundExpr): boolean =>
    type.kind === 'timestamp' || type.kind === 'timestamptz';
  if (left?.kind !== 'column' || right?.kind !== 'column') return [];
  return isTime(left) && isTime(right) ? [left.index, right.index] : [];
}

/** A finite interval literal. */
function intervalOf(expression: BoundExpr): Interval | undefined {
  if (expression.kind !== 'literal' || expression.type.kind !== 'interval') return undefined;
  const { value } = expression;
  if (typeof value !== 'object' || value === null || !('micros' in value)) return undefined;
  return intervalInfinity(value) === 0 ? value : undefined;
}

/** The greatest lengths of what date_trunc cuts to. */
const TRUNCATED: Readonly<Record<string, bigint>> = {
  second: MICROS_PER_SECOND,
  minute: MICROS_PER_MINUTE,
  hour: MICROS_PER_HOUR,
  day: MICROS_PER_DAY,
  week: 7n * MICROS_PER_DAY,
  month: 31n * MICROS_PER_DAY,
  quarter: 92n * MICROS_PER_DAY,
  year: 366n * MICROS_PER_DAY,
};

export interface TimeGrid {
  readonly stepMicros: bigint;
  readonly offsetMicros: bigint;
}

/**
 * date_trunc and date_bin of a time: the value is at most that time, less than `span` microseconds before it, and on `grid`.
 * Of times with a zone only bins, since days of a zone have different lengths.
 */
export function truncatedTime(
  expression: BoundExpr,
):
  | { readonly time: BoundExpr; readonly span: bigint; readonly grid: TimeGrid | undefined }
  | undefined {
  if (expression.kind !== 'call') return undefined;
  const [unit, time, origin] = expression.args;
  if (unit === undefined || time === undefined) return undefined;
  const { name } = expression.fn;
  const stride = intervalOf(unit);
  if (name === 'date_bin' && stride !== undefined && stride.months === 0) {
    const span = intervalSpan(stride);
    const offset = origin?.kind === 'literal' ? origin.value : undefined;
    const grid = { stepMicros: span, offsetMicros: typeof offset === 'bigint' ? offset : 0n };
    return { time, span, grid: typeof offset === 'bigint' ? grid : undefined };
  }
  if (name !== 'date_trunc' || time.type.kind !== 'timestamp' || unit.kind !== 'literal') {
    return undefined;
  }
  const span = TRUNCATED[String(unit.value)];
  if (span === undefined) return undefined;
  // What is longer than a day begins with some day.
  const stepMicros = span < MICROS_PER_DAY ? span : MICROS_PER_DAY;
  return { time, span, grid: { stepMicros, offsetMicros: 0n } };
}

/** By how much a time on the coarse grid is later, at least, than an earlier one on the fine grid. */
export function leastDistance(coarse: TimeGrid | undefined, fine: TimeGrid | undefined): bigint {
  if (coarse === undefined || fine === undefined) return 1n;
  const { stepMicros } = fine;
  if (coarse.stepMicros % stepMicros !== 0n) return 1n;
  const shift = (coarse.offsetMicros - fine.offsetMicros) % stepMicros;
  return shift <= 0n ? shift + stepMicros : shift;
}
