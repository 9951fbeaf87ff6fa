/**
 * Calendar arithmetic on PostgreSQL's date and timestamp values (proleptic Gregorian, years counted
 * astronomically: 0 is 1 BC). Timestamps are microseconds since 1970-01-01, dates days since then.
 */
import { StreamError } from './error.ts';
import { type Interval, intervalInfinity, MICROS_PER_DAY, makeInterval } from './interval.ts';
import { DATE_INFINITY, TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY } from './type.ts';

/** 4714-11-24 BC, Julian day 0: the first date and the first timestamp. */
const DATE_MIN = -2440588;
/** 5874898-06-03, the first day past the last date. */
const DATE_END = 2145042906;
const TIMESTAMP_MIN = BigInt(DATE_MIN) * MICROS_PER_DAY;
/** PostgreSQL ends in 294277; counted from 1970 the last thirty of those years do not fit an int64. */
const TIMESTAMP_END = TIMESTAMP_INFINITY;

export const JULIAN_DAY_OF_EPOCH = 2440588;

export interface CivilDate {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  /** 1..31 */
  readonly day: number;
}

/** Days since 1970-01-01; months outside 1..12 carry over into years. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const carried = Math.floor((month - 1) / 12);
  const shifted = month - carried * 12 <= 2 ? year + carried - 1 : year + carried;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const monthFromMarch = (month - carried * 12 + 9) % 12;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/** The inverse of daysFromCivil. Algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36524) -
      Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (monthLengths[month - 1] ?? 31);
}

/** 0 = Sunday … 6 = Saturday. */
export function dayOfWeek(days: number): number {
  return (((days + 4) % 7) + 7) % 7;
}

/** ISO 8601 week number and the year it belongs to. */
export function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const thursday = days - ((dayOfWeek(days) + 6) % 7) + 3;
  const year = civilFromDays(thursday).year;
  return { year, week: Math.floor((thursday - daysFromCivil(year, 1, 1)) / 7) + 1 };
}

/** The Monday that starts an ISO week. */
export function isoWeekStart(year: number, week: number): number {
  const fourth = daysFromCivil(year, 1, 4);
  return fourth - ((dayOfWeek(fourth) + 6) % 7) + (week - 1) * 7;
}

/** Floor division of a timestamp into a day number and the microseconds of that day. */
export function splitTimestamp(micros: bigint): { readonly days: number; readonly time: bigint } {
  let days = micros / MICROS_PER_DAY;
  let time = micros - days * MICROS_PER_DAY;
  if (time < 0n) {
    time += MICROS_PER_DAY;
    days -= 1n;
  }
  return { days: Number(days), time };
}

export function joinTimestamp(days: number, time: bigint): bigint {
  return BigInt(days) * MICROS_PER_DAY + time;
}

export function isInfiniteTimestamp(micros: bigint): boolean {
  return micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_NEGATIVE_INFINITY;
}

export function isInfiniteDate(days: number): boolean {
  return days === DATE_INFINITY || days === -DATE_INFINITY;
}

export function isTimestampInRange(micros: bigint): boolean {
  return micros >= TIMESTAMP_MIN && micros < TIMESTAMP_END;
}

export function isDateInRange(days: number): boolean {
  return days >= DATE_MIN && days < DATE_END;
}

/** @throws StreamError VALUE_DATETIME_OVERFLOW outside the range of finite timestamps. */
export function checkTimestamp(micros: bigint): bigint {
  if (isTimestampInRange(micros)) return micros;
  throw new StreamError('VALUE_DATETIME_OVERFLOW', 'timestamp out of range');
}

/** @throws StreamError VALUE_DATETIME_OVERFLOW outside the range of finite dates. */
export function checkDate(days: number): number {
  if (isDateInRange(days)) return days;
  throw new StreamError('VALUE_DATETIME_OVERFLOW', 'date out of range');
}

/** Midnight of a date as a timestamp; infinities stay. */
export function dateToTimestamp(days: number): bigint {
  if (days === DATE_INFINITY) return TIMESTAMP_INFINITY;
  if (days === -DATE_INFINITY) return TIMESTAMP_NEGATIVE_INFINITY;
  const micros = BigInt(days) * MICROS_PER_DAY;
  if (isTimestampInRange(micros)) return micros;
  throw new StreamError('VALUE_DATETIME_OVERFLOW', 'date out of range for timestamp');
}

/** The date of a timestamp; infinities stay. */
export function timestampToDate(micros: bigint): number {
  if (micros === TIMESTAMP_INFINITY) return DATE_INFINITY;
  if (micros === TIMESTAMP_NEGATIVE_INFINITY) return -DATE_INFINITY;
  return splitTimestamp(micros).days;
}

/** timestamp + interval: months first (the day is clipped to the month), then days, then time. */
export function addInterval(micros: bigint, interval: Interval): bigint {
  const sign = intervalInfinity(interval);
  if (sign !== 0) {
    const infinity = sign > 0 ? TIMESTAMP_INFINITY : TIMESTAMP_NEGATIVE_INFINITY;
    if (isInfiniteTimestamp(micros) && micros !== infinity) {
      throw new StreamError('VALUE_DATETIME_OVERFLOW', 'timestamp out of range');
    }
    return infinity;
  }
  if (isInfiniteTimestamp(micros)) return micros;
  let { days, time } = splitTimestamp(micros);
  if (interval.months !== 0) {
    const { year, month, day } = civilFromDays(days);
    const total = year * 12 + (month - 1) + interval.months;
    const newYear = Math.floor(total / 12);
    const newMonth = total - newYear * 12 + 1;
    days = daysFromCivil(newYear, newMonth, Math.min(day, daysInMonth(newYear, newMonth)));
    checkTimestamp(joinTimestamp(days, time));
  }
  if (interval.days !== 0) {
    days += interval.days;
    checkTimestamp(joinTimestamp(days, time));
  }
  time += interval.micros;
  return checkTimestamp(joinTimestamp(days, time));
}

/** timestamp - timestamp: days and time, no months. */
export function timestampDifference(left: bigint, right: bigint): Interval {
  if (isInfiniteTimestamp(left) || isInfiniteTimestamp(right)) {
    const sign = infiniteSign(left) - infiniteSign(right);
    if (sign === 0) throw new StreamError('VALUE_DATETIME_OVERFLOW', 'interval out of range');
    return signedInfinity(sign);
  }
  const difference = left - right;
  if (BigInt.asIntN(64, difference) !== difference) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'interval out of range');
  }
  const days = difference / MICROS_PER_DAY;
  return makeInterval(0, Number(days), difference - days * MICROS_PER_DAY);
}

function infiniteSign(micros: bigint): number {
  if (micros === TIMESTAMP_INFINITY) return 1;
  return micros === TIMESTAMP_NEGATIVE_INFINITY ? -1 : 0;
}

function signedInfinity(sign: number): Interval {
  return sign > 0
    ? { months: 2147483647, days: 2147483647, micros: TIMESTAMP_INFINITY }
    : { months: -2147483648, days: -2147483648, micros: TIMESTAMP_NEGATIVE_INFINITY };
}

/** age(left, right): the difference in calendar years, months, days and time. */
export function age(left: bigint, right: bigint): Interval {
  if (isInfiniteTimestamp(left) || isInfiniteTimestamp(right)) {
    return timestampDifference(left, right);
  }
  if (left >= right) return calendarDifference(left, right);
  const forward = calendarDifference(right, left);
  return makeInterval(-forward.months, -forward.days, -forward.micros);
}

/** later >= earlier; days that are borrowed come from the earlier one's month. */
function calendarDifference(later: bigint, earlier: bigint): Interval {
  const a = splitTimestamp(later);
  const b = splitTimestamp(earlier);
  const end = civilFromDays(a.days);
  const start = civilFromDays(b.days);
  let months = (end.year - start.year) * 12 + end.month - start.month;
  let days = end.day - start.day;
  let micros = a.time - b.time;
  if (micros < 0n) {
    micros += MICROS_PER_DAY;
    days--;
  }
  while (days < 0) {
    days += daysInMonth(start.year, start.month);
    months--;
  }
  return makeInterval(months, days, micros);
}

/** Rounds to `precision` fractional digits, half away from zero, as timestamp(p) and time(p). */
export function roundToPrecision(micros: bigint, precision: number | undefined): bigint {
  if (precision === undefined || precision >= 6) return micros;
  const unit = 10n ** BigInt(6 - precision);
  const half = unit / 2n;
  return micros >= 0n ? ((micros + half) / unit) * unit : -((half - micros) / unit) * unit;
}
