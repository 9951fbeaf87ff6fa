/** Reads intervals as PostgreSQL's interval input does: units, SQL-standard and ISO 8601 forms. */

import { roundToPrecision } from './datetime.ts';
import { type Field, splitFields } from './datetime-token.ts';
import { StreamError } from './error.ts';
import {
  INTERVAL_INFINITY,
  INTERVAL_NEGATIVE_INFINITY,
  type Interval,
  intervalInfinity,
  intervalOutOfRange,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MICROS_PER_SECOND,
  makeInterval,
  roundHalfEven,
} from './interval.ts';

export type IntervalUnit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'quarter'
  | 'year'
  | 'decade'
  | 'century'
  | 'millennium';

const unitSpellings: readonly (readonly [IntervalUnit, string])[] = [
  ['microsecond', 'us usec usecs usecond useconds microsecond microseconds microsecon'],
  ['millisecond', 'ms msec msecs msecond mseconds millisecond milliseconds millisecon'],
  ['second', 's sec secs second seconds'],
  ['minute', 'm min mins minute minutes'],
  ['hour', 'h hr hrs hour hours'],
  ['day', 'd day days'],
  ['week', 'w week weeks'],
  ['month', 'mon mons month months'],
  ['quarter', 'qtr quarter'],
  ['year', 'y yr yrs year years'],
  ['decade', 'dec decs decade decades'],
  ['century', 'c cent century centuries'],
  ['millennium', 'mil mils millennia millennium'],
];

const units = new Map<string, IntervalUnit>(
  unitSpellings.flatMap(([unit, names]) => names.split(' ').map((name) => [name, unit] as const)),
);

/** A unit by any of PostgreSQL's spellings, in lower case. */
export function findUnit(name: string): IntervalUnit | undefined {
  return units.get(name) ?? units.get(name.slice(0, 10));
}

const unitMicros: ReadonlyMap<IntervalUnit, bigint> = new Map([
  ['microsecond', 1n],
  ['millisecond', 1000n],
  ['second', MICROS_PER_SECOND],
  ['minute', MICROS_PER_MINUTE],
  ['hour', MICROS_PER_HOUR],
]);
const unitDays: ReadonlyMap<IntervalUnit, number> = new Map([
  ['day', 1],
  ['week', 7],
]);
const unitMonths: ReadonlyMap<IntervalUnit, number> = new Map([
  ['month', 1],
  ['year', 12],
  ['decade', 120],
  ['century', 1200],
  ['millennium', 12000],
]);

/** The fields of `INTERVAL '…' YEAR TO MONTH`: the finest one is also the unit of a bare number. */
export interface IntervalFields {
  readonly from: IntervalUnit;
  readonly to: IntervalUnit;
}

class BadInterval extends Error {}
class IntervalOverflow extends Error {}

/** Sums up the parts of one interval. */
class Parts {
  months = 0n;
  days = 0n;
  micros = 0n;
  readonly #seen = new Set<string>();

  /** Each unit may come once, as PostgreSQL's field mask has it. */
  claim(...names: readonly string[]): void {
    for (const name of names) {
      if (this.#seen.has(name)) throw new BadInterval();
      this.#seen.add(name);
    }
  }

  get empty(): boolean {
    return this.#seen.size === 0;
  }

  add(unit: IntervalUnit, whole: bigint, fraction: number): void {
    const micros = unitMicros.get(unit);
    if (micros !== undefined) {
      this.micros += whole * micros;
      this.#addMicros(fraction * Number(micros));
      return;
    }
    const days = unitDays.get(unit);
    if (days !== undefined) {
      this.days += whole * BigInt(days);
      this.#addDays(fraction * days);
      return;
    }
    const months = unitMonths.get(unit);
    if (months === undefined) throw new BadInterval();
    if (BigInt.asIntN(32, whole) !== whole) throw new IntervalOverflow();
    this.months += whole * BigInt(months);
    if (unit === 'month') this.#addDays(fraction * 30);
    else this.months += BigInt(roundHalfEven(fraction * months));
  }

  #addDays(days: number): void {
    const whole = Math.trunc(days);
    this.days += BigInt(whole);
    this.#addMicros((days - whole) * Number(MICROS_PER_DAY));
  }

  #addMicros(micros: number): void {
    const whole = Math.trunc(micros);
    const rest = micros - whole;
    this.micros += BigInt(whole) + (rest > 0.5 ? 1n : rest < -0.5 ? -1n : 0n);
  }

  finish(negate: boolean): Interval {
    const sign = negate ? -1n : 1n;
    const months = sign * this.months;
    const days = sign * this.days;
    const micros = sign * this.micros;
    if (BigInt.asIntN(32, months) !== months) throw intervalOutOfRange();
    if (BigInt.asIntN(32, days) !== days || BigInt.asIntN(64, micros) !== micros) {
      throw new IntervalOverflow();
    }
    return makeInterval(Number(months), Number(days), micros);
  }
}

/**
 * @param fields    the qualifier of `INTERVAL '1' HOUR`, if any
 * @param precision fractional digits of seconds to keep
 * @throws StreamError VALUE_INVALID_DATETIME, VALUE_INTERVAL_OVERFLOW
 */
export function intervalFromText(
  text: string,
  fields?: IntervalFields,
  precision?: number,
): Interval {
  try {
    return restrictInterval(decodeInterval(text, fields), fields, precision);
  } catch (error) {
    if (error instanceof BadInterval) {
      throw new StreamError(
        'VALUE_INVALID_DATETIME',
        `invalid input syntax for type interval: "${text}"`,
      );
    }
    if (error instanceof IntervalOverflow) {
      throw new StreamError(
        'VALUE_INTERVAL_OVERFLOW',
        `interval field value out of range: "${text}"`,
      );
    }
    throw error;
  }
}

function decodeInterval(text: string, range: IntervalFields | undefined): Interval {
  const fields = splitFields(text);
  if (fields === undefined || fields.length === 0) throw new BadInterval();
  try {
    return decodeFields(fields, range);
  } catch (error) {
    if (!(error instanceof BadInterval)) throw error;
    const trimmed = text.trim();
    if (!trimmed.startsWith('P')) throw error;
    return decodeIso(trimmed);
  }
}

function decodeFields(fields: readonly Field[], range: IntervalFields | undefined): Interval {
  const parts = new Parts();
  let unit: IntervalUnit | undefined;
  let unitPending = false;
  let ago = false;
  for (let index = fields.length - 1; index >= 0; index--) {
    const field = fields[index] as Field;
    const signedClock = field.kind === 'zone' && field.text.includes(':');
    if (field.kind === 'time' || signedClock) {
      addClock(parts, field.text, range);
      unit = 'day';
      unitPending = false;
      continue;
    }
    if (field.kind === 'word') {
      if (unitPending) throw new BadInterval();
      if (field.text === 'at' || field.text === 'on') continue;
      const infinity = infinityOf(field.text);
      if (infinity !== undefined) {
        if (index !== fields.length - 1 || fields.length > 1) throw new BadInterval();
        return infinity;
      }
      if (field.text === 'ago') {
        if (index !== fields.length - 1) throw new BadInterval();
        ago = true;
        continue;
      }
      unit = findUnit(field.text);
      if (unit === undefined || unit === 'quarter') throw new BadInterval();
      unitPending = true;
      continue;
    }
    addNumber(parts, field.text, unit ?? range?.to ?? 'second');
    if (/^[+-]?\d+-/.test(field.text)) unit = 'month';
    else unit = unit ?? range?.to ?? 'second';
    unitPending = false;
  }
  if (parts.empty || unitPending) throw new BadInterval();
  return parts.finish(ago);
}

function infinityOf(text: string): Interval | undefined {
  if (text === 'infinity' || text === '+infinity') return INTERVAL_INFINITY;
  return text === '-infinity' ? INTERVAL_NEGATIVE_INFINITY : undefined;
}

function addClock(parts: Parts, text: string, range: IntervalFields | undefined): void {
  const match = /^([+-]?)(\d+):(\d+)(?::(\d+))?(?:\.(\d*))?$/.exec(text);
  if (match === null) throw new BadInterval();
  let hours = BigInt(match[2] ?? 0);
  let minutes = BigInt(match[3] ?? 0);
  let seconds = BigInt(match[4] ?? 0);
  const minuteToSecond = range?.from === 'minute' && range.to === 'second';
  if (match[4] === undefined && (match[5] !== undefined || minuteToSecond)) {
    seconds = minutes;
    minutes = hours;
    hours = 0n;
  }
  if (minutes > 59n || seconds > 60n) throw new IntervalOverflow();
  parts.claim('hour', 'minute', 'second', 'millisecond', 'microsecond');
  const fraction = match[5] ? BigInt(roundHalfEven(Number(`0.${match[5]}`) * 1e6)) : 0n;
  const micros =
    hours * MICROS_PER_HOUR + minutes * MICROS_PER_MINUTE + seconds * MICROS_PER_SECOND + fraction;
  parts.micros += match[1] === '-' ? -micros : micros;
}

function addNumber(parts: Parts, text: string, unit: IntervalUnit): void {
  const yearMonth = /^([+-]?)(\d+)-(\d*)$/.exec(text);
  if (yearMonth !== null) {
    const months = BigInt(yearMonth[3] ?? 0);
    if (months >= 12n) throw new IntervalOverflow();
    parts.claim('month');
    const total = BigInt(yearMonth[2] ?? 0) * 12n + months;
    parts.months += yearMonth[1] === '-' ? -total : total;
    return;
  }
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
  if (match === null) throw new BadInterval();
  const whole = BigInt(match[2] || 0);
  if (BigInt.asIntN(64, whole) !== whole) throw new IntervalOverflow();
  const fraction = Number(`0.${match[3] || 0}`);
  // Seconds with a fraction take the places of milliseconds and microseconds as well.
  if (unit === 'second' && fraction !== 0) parts.claim('second', 'millisecond', 'microsecond');
  else parts.claim(unit);
  const negative = match[1] === '-';
  parts.add(unit, negative ? -whole : whole, negative ? -fraction : fraction);
}

const isoDateUnits: ReadonlyMap<string, IntervalUnit> = new Map([
  ['Y', 'year'],
  ['M', 'month'],
  ['W', 'week'],
  ['D', 'day'],
]);
const isoTimeUnits: ReadonlyMap<string, IntervalUnit> = new Map([
  ['H', 'hour'],
  ['M', 'minute'],
  ['S', 'second'],
]);

/** `P1Y2M3DT4H5M6.5S`, or the alternative form `P0001-02-03T04:05:06`. */
function decodeIso(text: string): Interval {
  const parts = new Parts();
  const [date = '', time, more] = text.slice(1).split('T');
  if (more !== undefined || (date === '' && time === undefined)) throw new BadInterval();
  addIsoSection(parts, date, isoDateUnits, ['year', 'month', 'day'], '-');
  if (time !== undefined) {
    addIsoSection(parts, time, isoTimeUnits, ['hour', 'minute', 'second'], ':');
  }
  return parts.finish(false);
}

function addIsoSection(
  parts: Parts,
  section: string,
  byLetter: ReadonlyMap<string, IntervalUnit>,
  inOrder: readonly IntervalUnit[],
  separator: string,
): void {
  const number = /([+-]?)(\d*)(?:\.(\d*))?/y;
  let at = 0;
  let position = 0;
  while (at < section.length) {
    number.lastIndex = at;
    const match = number.exec(section);
    if (match === null || (match[2] === '' && !match[3])) throw new BadInterval();
    at += match[0].length;
    const letter = section.charAt(at);
    const unit = byLetter.get(letter) ?? inOrder[position];
    if (unit === undefined) throw new BadInterval();
    if (byLetter.has(letter)) at++;
    else if (letter === separator) at++;
    else if (letter !== '') throw new BadInterval();
    position++;
    const negative = match[1] === '-';
    const whole = BigInt(match[2] || 0);
    const fraction = Number(`0.${match[3] || 0}`);
    parts.add(unit, negative ? -whole : whole, negative ? -fraction : fraction);
  }
}

/** Cuts an interval to the fields of its type: `INTERVAL '1 day 5 hours' DAY` has no hours. */
export function restrictInterval(
  value: Interval,
  fields: IntervalFields | undefined,
  precision: number | undefined,
): Interval {
  if (intervalInfinity(value) !== 0) return value;
  let { months, days, micros } = value;
  switch (fields?.to) {
    case 'year':
      months = Math.trunc(months / 12) * 12;
      days = 0;
      micros = 0n;
      break;
    case 'month':
      days = 0;
      micros = 0n;
      break;
    case 'day':
      micros = 0n;
      break;
    case 'hour':
      micros = (micros / MICROS_PER_HOUR) * MICROS_PER_HOUR;
      break;
    case 'minute':
      micros = (micros / MICROS_PER_MINUTE) * MICROS_PER_MINUTE;
      break;
    default:
      break;
  }
  const rounded = roundToPrecision(micros, precision);
  if (BigInt.asIntN(64, rounded) !== rounded) throw intervalOutOfRange();
  return { months, days, micros: rounded };
}
