/** extract() and date_part(): the parts of a date, time, timestamp or interval. */
import {
  civilFromDays,
  dateToTimestamp,
  dayOfWeek,
  daysFromCivil,
  isInfiniteDate,
  isInfiniteTimestamp,
  isoWeek,
  JULIAN_DAY_OF_EPOCH,
  splitTimestamp,
} from '../base/datetime.ts';
import { StreamError } from '../base/error.ts';
import { type Interval, intervalInfinity, MICROS_PER_DAY } from '../base/interval.ts';
import { findUnit } from '../base/interval-text.ts';
import { Numeric } from '../base/numeric.ts';
import { typeName } from '../base/type.ts';
import { family, invalidParameter, type TypeKey, types } from './define.ts';

const { functions, define } = family('datetime');
export const dateTimeFieldFunctions = functions;

type Reader<S> = (source: S) => Numeric;

const extraFields: ReadonlyMap<string, string> = new Map([
  ['dow', 'dow'],
  ['isodow', 'isodow'],
  ['doy', 'doy'],
  ['epoch', 'epoch'],
  ['julian', 'julian'],
  ['j', 'julian'],
  ['jd', 'julian'],
  ['isoyear', 'isoyear'],
  ['timezone', 'timezone'],
  ['timezone_h', 'timezone_hour'],
  ['timezone_hour', 'timezone_hour'],
  ['timezone_m', 'timezone_minute'],
  ['timezone_minute', 'timezone_minute'],
]);

/** The canonical name of a field by any of PostgreSQL's spellings. */
export function findField(name: string): string | undefined {
  const key = name.toLowerCase();
  return extraFields.get(key) ?? findUnit(key);
}

function whole(value: number | bigint): Numeric {
  return new Numeric(BigInt(value), 0);
}

const clockReaders: ReadonlyMap<string, Reader<bigint>> = new Map([
  ['microsecond', (time: bigint) => whole(time % 60_000_000n)],
  ['millisecond', (time: bigint) => new Numeric(time % 60_000_000n, 3)],
  ['second', (time: bigint) => new Numeric(time % 60_000_000n, 6)],
  ['minute', (time: bigint) => whole((time / 60_000_000n) % 60n)],
  ['hour', (time: bigint) => whole(time / 3_600_000_000n)],
]);

/** Eras count without a year 0: decade, century and millennium of an astronomical year. */
function era(year: number, length: number): number {
  const ceiling = length - 1;
  return year > 0
    ? Math.trunc((year + ceiling) / length)
    : -Math.trunc((ceiling - (year - 1)) / length);
}

const dayReaders: ReadonlyMap<string, Reader<number>> = new Map([
  ['day', (days: number) => whole(civilFromDays(days).day)],
  ['month', (days: number) => whole(civilFromDays(days).month)],
  ['quarter', (days: number) => whole(Math.floor((civilFromDays(days).month - 1) / 3) + 1)],
  ['week', (days: number) => whole(isoWeek(days).week)],
  [
    'year',
    (days: number) => {
      const { year } = civilFromDays(days);
      return whole(year > 0 ? year : year - 1);
    },
  ],
  [
    'isoyear',
    (days: number) => {
      const { year } = isoWeek(days);
      return whole(year > 0 ? year : year - 1);
    },
  ],
  [
    'decade',
    (days: number) => {
      const { year } = civilFromDays(days);
      return whole(year >= 0 ? Math.trunc(year / 10) : -Math.trunc((8 - (year - 1)) / 10));
    },
  ],
  ['century', (days: number) => whole(era(civilFromDays(days).year, 100))],
  ['millennium', (days: number) => whole(era(civilFromDays(days).year, 1000))],
  ['dow', (days: number) => whole(dayOfWeek(days))],
  ['isodow', (days: number) => whole(dayOfWeek(days) || 7)],
  ['doy', (days: number) => whole(days - daysFromCivil(civilFromDays(days).year, 1, 1) + 1)],
]);

/** Fields that grow with time have a value at infinity, the others have none there. */
const growing: ReadonlySet<string> = new Set([
  'year',
  'decade',
  'century',
  'millennium',
  'julian',
  'isoyear',
  'epoch',
]);
const cyclic: ReadonlySet<string> = new Set([
  'microsecond',
  'millisecond',
  'second',
  'minute',
  'hour',
  'day',
  'month',
  'quarter',
  'week',
  'dow',
  'isodow',
  'doy',
]);

function notRecognized(name: string, key: TypeKey): StreamError {
  return invalidParameter(`unit "${name}" not recognized for type ${typeName(types[key])}`);
}

function notSupported(name: string, key: TypeKey): StreamError {
  return new StreamError(
    'SQL_NOT_SUPPORTED',
    `unit "${name}" not supported for type ${typeName(types[key])}`,
  );
}

function infinitePart(
  name: string,
  field: string,
  key: TypeKey,
  positive: boolean,
): Numeric | null {
  if (growing.has(field)) return positive ? Numeric.infinity : Numeric.negativeInfinity;
  if (cyclic.has(field) || field.startsWith('timezone')) return null;
  throw notSupported(name, key);
}

function timestampPart(
  name: string,
  micros: bigint,
  key: 'timestamp' | 'timestamptz',
): Numeric | null {
  const field = findField(name);
  if (field === undefined) throw notRecognized(name.toLowerCase(), key);
  if (isInfiniteTimestamp(micros)) {
    return infinitePart(name.toLowerCase(), field, key, micros > 0n);
  }
  const { days, time } = splitTimestamp(micros);
  const clock = clockReaders.get(field);
  if (clock !== undefined) return clock(time);
  const calendar = dayReaders.get(field);
  if (calendar !== undefined) return calendar(days);
  if (field === 'epoch') return new Numeric(micros, 6);
  if (field === 'julian') {
    return whole(days + JULIAN_DAY_OF_EPOCH).add(whole(time).divide(whole(MICROS_PER_DAY)));
  }
  // The session's zone is UTC.
  if (key === 'timestamptz' && field.startsWith('timezone')) return Numeric.zero;
  throw notSupported(name.toLowerCase(), key);
}

function datePart(name: string, days: number): Numeric | null {
  const field = findField(name);
  const lower = name.toLowerCase();
  if (field === undefined) throw notRecognized(lower, 'date');
  if (clockReaders.has(field) || field.startsWith('timezone')) throw notSupported(lower, 'date');
  if (isInfiniteDate(days)) return infinitePart(lower, field, 'date', days > 0);
  if (field === 'epoch') return whole(BigInt(days) * 86400n);
  if (field === 'julian') return whole(days + JULIAN_DAY_OF_EPOCH);
  const calendar = dayReaders.get(field);
  if (calendar === undefined) throw notSupported(lower, 'date');
  return calendar(days);
}

function timePart(name: string, micros: bigint): Numeric {
  const field = findField(name);
  if (field === undefined) throw notRecognized(name.toLowerCase(), 'time');
  const clock = clockReaders.get(field);
  if (clock !== undefined) return clock(micros);
  if (field === 'epoch') return new Numeric(micros, 6);
  throw notSupported(name.toLowerCase(), 'time');
}

const intervalReaders: ReadonlyMap<string, Reader<Interval>> = new Map([
  ['microsecond', ({ micros }: Interval) => whole(micros % 60_000_000n)],
  ['millisecond', ({ micros }: Interval) => new Numeric(micros % 60_000_000n, 3)],
  ['second', ({ micros }: Interval) => new Numeric(micros % 60_000_000n, 6)],
  ['minute', ({ micros }: Interval) => whole((micros / 60_000_000n) % 60n)],
  ['hour', ({ micros }: Interval) => whole(micros / 3_600_000_000n)],
  ['day', ({ days }: Interval) => whole(days)],
  ['week', ({ days }: Interval) => whole(Math.trunc(days / 7))],
  ['month', ({ months }: Interval) => whole(months % 12)],
  [
    'quarter',
    ({ months }: Interval) => {
      const third = Math.trunc((months % 12) / 3);
      return whole(months >= 0 ? third + 1 : third - 1);
    },
  ],
  ['year', ({ months }: Interval) => whole(Math.trunc(months / 12))],
  ['decade', ({ months }: Interval) => whole(Math.trunc(months / 120))],
  ['century', ({ months }: Interval) => whole(Math.trunc(months / 1200))],
  ['millennium', ({ months }: Interval) => whole(Math.trunc(months / 12000))],
  ['epoch', intervalEpoch],
]);

/** A year counts 365.25 days here, a month 30; in quarters of days to stay with integers. */
function intervalEpoch({ months, days, micros }: Interval): Numeric {
  const years = BigInt(Math.trunc(months / 12));
  const quarterDays = 1461n * years + 120n * BigInt(months % 12) + 4n * BigInt(days);
  return new Numeric(quarterDays * 21_600_000_000n + micros, 6);
}

const growingIntervalFields: ReadonlySet<string> = new Set([
  'hour',
  'day',
  'year',
  'decade',
  'century',
  'millennium',
  'epoch',
]);

function intervalPart(name: string, interval: Interval): Numeric | null {
  const field = findField(name);
  if (field === undefined) throw notRecognized(name.toLowerCase(), 'interval');
  const reader = intervalReaders.get(field);
  if (reader === undefined) throw notSupported(name.toLowerCase(), 'interval');
  const infinity = intervalInfinity(interval);
  if (infinity === 0) return reader(interval);
  if (!growingIntervalFields.has(field)) return null;
  return infinity > 0 ? Numeric.infinity : Numeric.negativeInfinity;
}

/** date_part's epoch is summed up in doubles, in PostgreSQL's order. */
function intervalSeconds({ months, days, micros }: Interval): number {
  const years = Math.trunc(months / 12);
  return Number(micros) / 1e6 + 31_557_600 * years + 2_592_000 * (months % 12) + 86_400 * days;
}

function asDouble(value: Numeric | null): number | null {
  return value === null ? null : value.toNumber();
}

/** date_part's Julian day is computed in doubles, not through numeric's sixteen decimals. */
function julianDouble(micros: bigint): number {
  const { days, time } = splitTimestamp(micros);
  const seconds = Number(time / 1_000_000n);
  const fraction = Number(time % 1_000_000n) / 1e6;
  return days + JULIAN_DAY_OF_EPOCH + (seconds + fraction) / 86400;
}

function timestampDouble(
  name: string,
  micros: bigint,
  key: 'timestamp' | 'timestamptz',
): number | null {
  const julian = findField(name) === 'julian' && !isInfiniteTimestamp(micros);
  return julian ? julianDouble(micros) : asDouble(timestampPart(name, micros, key));
}

for (const key of ['timestamp', 'timestamptz'] as const) {
  define('extract', ['text', key], 'numeric', 'a part of the time', (name, micros) =>
    timestampPart(name, micros, key),
  );
  define('date_part', ['text', key], 'double', 'a part of the time', (name, micros) =>
    timestampDouble(name, micros, key),
  );
}
define('extract', ['text', 'date'], 'numeric', 'a part of the date', datePart);
define('date_part', ['text', 'date'], 'double', 'a part of the date', (name, days) =>
  timestampDouble(name, dateToTimestamp(days), 'timestamp'),
);
define('extract', ['text', 'time'], 'numeric', 'a part of the time', timePart);
define('date_part', ['text', 'time'], 'double', 'a part of the time', (name, micros) =>
  asDouble(timePart(name, micros)),
);
define('extract', ['text', 'interval'], 'numeric', 'a part of the interval', intervalPart);
define('date_part', ['text', 'interval'], 'double', 'a part of the interval', (name, interval) =>
  findField(name) === 'epoch' && intervalInfinity(interval) === 0
    ? intervalSeconds(interval)
    : asDouble(intervalPart(name, interval)),
);
