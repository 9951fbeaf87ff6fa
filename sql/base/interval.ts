import { StreamError } from './error.ts';

/** A PostgreSQL interval: three parts that are never folded into one another silently. */
export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
}

export const MICROS_PER_SECOND = 1_000_000n;
export const MICROS_PER_MINUTE = 60_000_000n;
export const MICROS_PER_HOUR = 3_600_000_000n;
export const MICROS_PER_DAY = 86_400_000_000n;

const INT32_MAX = 2147483647;
const INT32_MIN = -2147483648;
const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

/** PostgreSQL 17's infinite intervals: every part at its limit. */
export const INTERVAL_INFINITY: Interval = {
  months: INT32_MAX,
  days: INT32_MAX,
  micros: INT64_MAX,
};
export const INTERVAL_NEGATIVE_INFINITY: Interval = {
  months: INT32_MIN,
  days: INT32_MIN,
  micros: INT64_MIN,
};

/** 1 or -1 for an infinite interval, 0 for a finite one. */
export function intervalInfinity(value: Interval): -1 | 0 | 1 {
  if (value.months === INT32_MAX && value.days === INT32_MAX && value.micros === INT64_MAX) {
    return 1;
  }
  if (value.months === INT32_MIN && value.days === INT32_MIN && value.micros === INT64_MIN) {
    return -1;
  }
  return 0;
}

export function intervalOutOfRange(): StreamError {
  return new StreamError('VALUE_DATETIME_OVERFLOW', 'interval out of range');
}

/** Builds a finite interval. @throws StreamError VALUE_DATETIME_OVERFLOW when a part overflows. */
export function makeInterval(months: number, days: number, micros: bigint): Interval {
  if (
    !(months >= INT32_MIN && months <= INT32_MAX && days >= INT32_MIN && days <= INT32_MAX) ||
    BigInt.asIntN(64, micros) !== micros
  ) {
    throw intervalOutOfRange();
  }
  // `+ 0` turns the -0 that multiplication by negative factors leaves into 0.
  const value = { months: months + 0, days: days + 0, micros };
  if (intervalInfinity(value) !== 0) throw intervalOutOfRange();
  return value;
}

function infinite(sign: number): Interval {
  return sign > 0 ? INTERVAL_INFINITY : INTERVAL_NEGATIVE_INFINITY;
}

export function negateInterval(value: Interval): Interval {
  const sign = intervalInfinity(value);
  if (sign !== 0) return infinite(-sign);
  return makeInterval(-value.months, -value.days, -value.micros);
}

export function addIntervals(left: Interval, right: Interval): Interval {
  const leftSign = intervalInfinity(left);
  const rightSign = intervalInfinity(right);
  if (leftSign !== 0 || rightSign !== 0) {
    if (leftSign !== 0 && rightSign !== 0 && leftSign !== rightSign) throw intervalOutOfRange();
    return infinite(leftSign + rightSign);
  }
  return makeInterval(
    left.months + right.months,
    left.days + right.days,
    left.micros + right.micros,
  );
}

export function subtractIntervals(left: Interval, right: Interval): Interval {
  const sign = intervalInfinity(right);
  if (sign !== 0) return addIntervals(left, infinite(-sign));
  if (intervalInfinity(left) !== 0) return left;
  return makeInterval(
    left.months - right.months,
    left.days - right.days,
    left.micros - right.micros,
  );
}

/** The length in microseconds with 30-day months and 24-hour days, by which intervals compare. */
export function intervalSpan(value: Interval): bigint {
  return value.micros + (BigInt(value.months) * 30n + BigInt(value.days)) * MICROS_PER_DAY;
}

/** interval * double, or interval / double with `divide`; fractions cascade downwards as in timestamp.c. */
export function scaleInterval(value: Interval, factor: number, divide: boolean): Interval {
  if (divide && factor === 0) throw new StreamError('VALUE_DIVISION_BY_ZERO', 'division by zero');
  if (Number.isNaN(factor)) throw intervalOutOfRange();
  const sign = intervalInfinity(value);
  if (sign !== 0) {
    if (divide ? !Number.isFinite(factor) : factor === 0) throw intervalOutOfRange();
    return infinite(factor < 0 ? -sign : sign);
  }
  if (!Number.isFinite(factor)) {
    if (divide) return { months: 0, days: 0, micros: 0n };
    const span = intervalSpan(value);
    if (span === 0n) throw intervalOutOfRange();
    return infinite(span < 0n === factor < 0 ? 1 : -1);
  }
  const scale = (part: number): number => (divide ? part / factor : part * factor);
  const months = scale(value.months);
  const days = scale(value.days);
  if (!inInt32(months) || !inInt32(days)) throw intervalOutOfRange();
  let wholeDays = Math.trunc(days);
  const monthDays = tsRound((months - Math.trunc(months)) * 30);
  let seconds = tsRound((days - wholeDays + monthDays - Math.trunc(monthDays)) * 86400);
  // The cascade can reach a full day; it moves up so that 1.5 months never prints 24:00:00.
  if (Math.abs(seconds) >= 86400) {
    wholeDays += Math.trunc(seconds / 86400);
    seconds -= Math.trunc(seconds / 86400) * 86400;
  }
  const micros = roundHalfEven(scale(Number(value.micros)) + seconds * 1e6);
  if (!(Math.abs(micros) < 2 ** 63)) throw intervalOutOfRange();
  return makeInterval(Math.trunc(months), wholeDays + Math.trunc(monthDays), BigInt(micros));
}

function inInt32(value: number): boolean {
  return value >= INT32_MIN && value <= INT32_MAX;
}

/** TSROUND: to a microsecond's fraction of a second. */
function tsRound(value: number): number {
  return roundHalfEven(value * 1e6) / 1e6;
}

/** C's rint(): ties go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** justify_hours: every full 24 hours become a day, signs made alike. */
export function justifyHours(value: Interval): Interval {
  if (intervalInfinity(value) !== 0) return value;
  const carried = value.micros / MICROS_PER_DAY;
  let days = value.days + Number(carried);
  let micros = value.micros - carried * MICROS_PER_DAY;
  if (days > 0 && micros < 0n) {
    micros += MICROS_PER_DAY;
    days--;
  } else if (days < 0 && micros > 0n) {
    micros -= MICROS_PER_DAY;
    days++;
  }
  return makeInterval(value.months, days, micros);
}

/** justify_days: every full 30 days become a month, signs made alike. */
export function justifyDays(value: Interval): Interval {
  if (intervalInfinity(value) !== 0) return value;
  const carried = Math.trunc(value.days / 30);
  let months = value.months + carried;
  let days = value.days - carried * 30;
  if (months > 0 && days < 0) {
    days += 30;
    months--;
  } else if (months < 0 && days > 0) {
    days -= 30;
    months++;
  }
  return makeInterval(months, days, value.micros);
}

/** justify_interval: both of the above, then all three signs made alike. */
export function justifyInterval(value: Interval): Interval {
  if (intervalInfinity(value) !== 0) return value;
  let months = value.months;
  let days = value.days;
  let micros = value.micros;
  const wholeDays = micros / MICROS_PER_DAY;
  days += Number(wholeDays);
  micros -= wholeDays * MICROS_PER_DAY;
  const wholeMonths = Math.trunc(days / 30);
  months += wholeMonths;
  days -= wholeMonths * 30;
  if (months > 0 && (days < 0 || (days === 0 && micros < 0n))) {
    days += 30;
    months--;
  } else if (months < 0 && (days > 0 || (days === 0 && micros > 0n))) {
    days -= 30;
    months++;
  }
  if (days > 0 && micros < 0n) {
    micros += MICROS_PER_DAY;
    days--;
  } else if (days < 0 && micros > 0n) {
    micros -= MICROS_PER_DAY;
    days++;
  }
  return makeInterval(months, days, micros);
}
