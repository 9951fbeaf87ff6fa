import { addInterval, dateToTimestamp } from './datetime.ts';
import type { Datum } from './datum.ts';
import { StreamError } from './error.ts';
import { type Interval, intervalInfinity, intervalSpan, negateInterval } from './interval.ts';
import { Numeric } from './numeric.ts';
import { type SqlType, TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY } from './type.ts';

/**
 * Whether `value` lies on the near side of `base` plus or minus the offset: at or below it when `isUpper`, else at or
 * above it. Neither is NULL.
 */
export type InRange = (value: Datum, base: Datum, subtract: boolean, isUpper: boolean) => boolean;

/** Beyond every bigint and timestamp. */
const BEYOND = 2n ** 64n;

/**
 * What RANGE … PRECEDING and FOLLOWING compare by, as PostgreSQL's in_range functions: a bound that would leave the
 * type's range lies beyond every value. Source: PostgreSQL 17, int.c, float.c, numeric.c, timestamp.c, date.c.
 * @throws StreamError VALUE_INVALID_FRAME for an offset that is negative or NaN.
 */
export function inRangeOf(type: SqlType, offset: Datum): InRange {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return inIntegers(BigInt(offset as number | bigint));
    case 'real':
    case 'double':
      return inDoubles(Number(offset));
    case 'numeric':
      return inNumerics(offset as Numeric);
    case 'date':
      return inTimes(offset as Interval, (date) => timestampOf(date as number));
    case 'timestamp':
    case 'timestamptz':
      return inTimes(offset as Interval, (micros) => micros as bigint);
    case 'time':
      return inClock(offset as Interval);
    case 'interval':
      return inIntervals(offset as Interval);
    default:
      throw new Error(`assertion failed: the binder lets no RANGE offset pass over ${type.kind}`);
  }
}

function checkSign(isNegative: boolean): void {
  if (!isNegative) return;
  throw new StreamError(
    'VALUE_INVALID_FRAME',
    'invalid preceding or following size in window function',
  );
}

function inIntegers(offset: bigint): InRange {
  checkSign(offset < 0n);
  const near = offset <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(offset) : undefined;
  return (value, base, subtract, isUpper) => {
    if (typeof value === 'number' && typeof base === 'number' && near !== undefined) {
      const bound = subtract ? base - near : base + near;
      return isUpper ? value <= bound : value >= bound;
    }
    const from = BigInt(base as number | bigint);
    const bound = subtract ? from - offset : from + offset;
    return isUpper ? (value as bigint) <= bound : (value as bigint) >= bound;
  };
}

function inDoubles(offset: number): InRange {
  checkSign(Number.isNaN(offset) || offset < 0);
  return (value, base, subtract, isUpper) => {
    const at = value as number;
    const from = base as number;
    if (Number.isNaN(at)) return Number.isNaN(from) || !isUpper;
    if (Number.isNaN(from)) return isUpper;
    const bound = subtract ? from - offset : from + offset;
    // Infinity minus infinity: every value is as near as it asks for.
    if (Number.isNaN(bound)) return true;
    return isUpper ? at <= bound : at >= bound;
  };
}

function inNumerics(offset: Numeric): InRange {
  checkSign(offset.special === 'NaN' || offset.compare(Numeric.zero) < 0);
  return (value, base, subtract, isUpper) => {
    const at = value as Numeric;
    const from = base as Numeric;
    if (at.special === 'NaN') return from.special === 'NaN' || !isUpper;
    if (from.special === 'NaN') return isUpper;
    const bound = subtract ? from.subtract(offset) : from.add(offset);
    if (bound.special === 'NaN') return true;
    return isUpper ? at.compare(bound) <= 0 : at.compare(bound) >= 0;
  };
}

function timestampOf(days: number): bigint {
  return orBeyond(() => dateToTimestamp(days), days < 0);
}

/** A time outside the range of timestamps lies beyond all of them. */
function orBeyond(compute: () => bigint, isBelow: boolean): bigint {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return isBelow ? -BEYOND : BEYOND;
  }
}

function inTimes(offset: Interval, micros: (key: Datum) => bigint): InRange {
  checkSign(intervalSpan(offset) < 0n);
  const isInfinite = intervalInfinity(offset) !== 0;
  const back = negateInterval(offset);
  // The same base is compared with several values in a row.
  let lastBase: Datum | undefined;
  let lastSubtract = false;
  let lastBound = 0n;
  return (value, base, subtract, isUpper) => {
    if (base !== lastBase || subtract !== lastSubtract) {
      const from = micros(base);
      // An infinite time less an infinite interval has no value: every row is near enough.
      if (isInfinite && from === (subtract ? TIMESTAMP_INFINITY : TIMESTAMP_NEGATIVE_INFINITY)) {
        return true;
      }
      lastBound = orBeyond(() => addInterval(from, subtract ? back : offset), subtract);
      lastBase = base;
      lastSubtract = subtract;
    }
    const at = micros(value);
    return isUpper ? at <= lastBound : at >= lastBound;
  };
}

/** Times of day: months and days of the offset do not count, and nothing wraps around at midnight. */
function inClock(offset: Interval): InRange {
  checkSign(offset.micros < 0n);
  return (value, base, subtract, isUpper) => {
    const from = base as bigint;
    const bound = subtract ? from - offset.micros : from + offset.micros;
    return isUpper ? (value as bigint) <= bound : (value as bigint) >= bound;
  };
}

function inIntervals(offset: Interval): InRange {
  checkSign(intervalSpan(offset) < 0n);
  const span = intervalSpan(offset);
  const isInfinite = intervalInfinity(offset) !== 0;
  return (value, base, subtract, isUpper) => {
    const sign = intervalInfinity(base as Interval);
    if (isInfinite && sign === (subtract ? 1 : -1)) return true;
    const from = intervalSpan(base as Interval);
    // Infinity stays what it is; an infinite offset goes beyond every finite interval.
    const bound = sign !== 0 ? from : subtract ? from - span : from + span;
    const at = intervalSpan(value as Interval);
    return isUpper ? at <= bound : at >= bound;
  };
}
