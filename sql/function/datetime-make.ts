/** Dates and times from their parts, and small questions about them. */
import {
  age,
  checkTimestamp,
  daysFromCivil,
  daysInMonth,
  isDateInRange,
  isInfiniteDate,
  isInfiniteTimestamp,
  joinTimestamp,
} from '../base/datetime.ts';
import { StreamError } from '../base/error.ts';
import {
  type Interval,
  intervalInfinity,
  justifyDays,
  justifyHours,
  justifyInterval,
  makeInterval,
  roundHalfEven,
} from '../base/interval.ts';
import { toUtc, zoneByName } from '../base/timezone.ts';
import { TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY } from '../base/type.ts';
import { family, types } from './define.ts';

const { functions, define } = family('datetime');
export const dateTimeMakeFunctions = functions;

function fieldOutOfRange(message: string): StreamError {
  return new StreamError('VALUE_DATETIME_OVERFLOW', message);
}

const SECONDS_TO_2000 = 946_684_800;

/** Years before Christ are negative; there is no year 0. */
function makeDate(year: number, month: number, day: number): number {
  const shown = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  const astronomical = year < 0 ? year + 1 : year;
  const valid =
    year !== 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(astronomical, month);
  if (!valid) throw fieldOutOfRange(`date field value out of range: ${shown}`);
  const days = daysFromCivil(astronomical, month, day);
  if (!isDateInRange(days)) throw fieldOutOfRange(`date out of range: ${shown}`);
  return days;
}

function makeTime(hour: number, minute: number, second: number): bigint {
  const micros = roundHalfEven(second * 1e6);
  const total = (hour * 60 + minute) * 60e6 + micros;
  const valid =
    hour >= 0 && minute >= 0 && minute <= 59 && micros >= 0 && second <= 60 && total <= 86_400e6;
  if (!valid || Number.isNaN(second)) {
    const seconds = Number.isFinite(second) ? second.toFixed(6).padStart(9, '0') : String(second);
    throw fieldOutOfRange(
      `time field value out of range: ${hour}:${String(minute).padStart(2, '0')}:${seconds.replace(/\.?0+$/, '')}`,
    );
  }
  return BigInt(total);
}

function makeTimestamp(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): bigint {
  return checkTimestamp(joinTimestamp(makeDate(year, month, day), makeTime(hour, minute, second)));
}

define(
  'make_date',
  ['integer', 'integer', 'integer'],
  'date',
  'date from year, month and day',
  makeDate,
);
define(
  'make_time',
  ['integer', 'integer', 'double'],
  'time',
  'time from hour, minute and second',
  makeTime,
);
const timestampParts = ['integer', 'integer', 'integer', 'integer', 'integer', 'double'] as const;
define('make_timestamp', timestampParts, 'timestamp', 'timestamp from its parts', makeTimestamp);
define(
  'make_timestamptz',
  timestampParts,
  'timestamptz',
  'timestamp from its parts in UTC',
  makeTimestamp,
);
/** The parts are checked before the zone. */
function zonedTimestamp(zone: string, local: bigint): bigint {
  return toUtc(zoneByName(zone), local);
}

define(
  'make_timestamptz',
  [...timestampParts, 'text'],
  'timestamptz',
  'timestamp from its parts in a time zone',
  (year, month, day, hour, minute, second, zone) =>
    zonedTimestamp(zone, makeTimestamp(year, month, day, hour, minute, second)),
);

function intervalFromParts(...parts: readonly number[]): Interval {
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
  if (!Number.isFinite(seconds)) throw fieldOutOfRange('interval out of range');
  const micros = roundHalfEven(seconds * 1e6);
  if (Math.abs(micros) >= 2 ** 63) throw fieldOutOfRange('interval out of range');
  return makeInterval(
    years * 12 + months,
    weeks * 7 + days,
    BigInt(hours) * 3_600_000_000n + BigInt(minutes) * 60_000_000n + BigInt(micros),
  );
}

/** PostgreSQL has default values for the later parts; here each number of parts is an overload. */
const intervalParts = [
  'integer',
  'integer',
  'integer',
  'integer',
  'integer',
  'integer',
  'double',
] as const;
for (let count = 0; count <= intervalParts.length; count++) {
  define(
    'make_interval',
    intervalParts.slice(0, count),
    'interval',
    'interval from years, months, weeks, days, hours, minutes, seconds',
    (...parts: readonly unknown[]) => intervalFromParts(...(parts as readonly number[])),
  );
}

define('to_timestamp', ['double'], 'timestamptz', 'timestamp of seconds since 1970', (seconds) => {
  if (Number.isNaN(seconds)) throw fieldOutOfRange('timestamp cannot be NaN');
  if (seconds === Number.POSITIVE_INFINITY) return TIMESTAMP_INFINITY;
  if (seconds === Number.NEGATIVE_INFINITY) return TIMESTAMP_NEGATIVE_INFINITY;
  // PostgreSQL rounds after it has counted from 2000, its own epoch.
  const micros = roundHalfEven((seconds - SECONDS_TO_2000) * 1e6);
  if (Math.abs(micros) >= 2 ** 63) throw fieldOutOfRange(`timestamp out of range: "${seconds}"`);
  return checkTimestamp(BigInt(micros) + BigInt(SECONDS_TO_2000) * 1_000_000n);
});

for (const key of ['timestamp', 'timestamptz'] as const) {
  define('age', [key, key], 'interval', 'calendar years, months, days and time between', age);
  define(
    'isfinite',
    [key],
    'boolean',
    'is it not infinite',
    (micros) => !isInfiniteTimestamp(micros),
  );
}
define('isfinite', ['date'], 'boolean', 'is it not infinite', (days) => !isInfiniteDate(days));
define(
  'isfinite',
  ['interval'],
  'boolean',
  'is it not infinite',
  (interval) => intervalInfinity(interval) === 0,
);
define('justify_hours', ['interval'], 'interval', 'every 24 hours as a day', justifyHours);
define('justify_days', ['interval'], 'interval', 'every 30 days as a month', justifyDays);
define(
  'justify_interval',
  ['interval'],
  'interval',
  'hours as days, days as months, one sign',
  justifyInterval,
);

/** One period as [start, end]; NULL as its end when only one end is known. */
function period(start: bigint | null, end: bigint | null): readonly [bigint, bigint | null] | null {
  if (start === null) return end === null ? null : [end, null];
  return end !== null && start > end ? [end, start] : [start, end];
}

/** Have two half-open periods a moment in common? NULL where an unknown end would decide. */
function overlaps(
  start: bigint | null,
  end: bigint | null,
  otherStart: bigint | null,
  otherEnd: bigint | null,
): boolean | null {
  const one = period(start, end);
  const two = period(otherStart, otherEnd);
  if (one === null || two === null) return null;
  if (one[0] === two[0]) return one[1] === null || two[1] === null ? null : true;
  const [first, second] = one[0] < two[0] ? [one, two] : [two, one];
  if (first[1] === null) return null;
  if (second[0] < first[1]) return true;
  return second[1] === null ? null : false;
}

for (const key of ['timestamp', 'timestamptz', 'time'] as const) {
  functions.push({
    name: 'overlaps',
    parameters: [types[key], types[key], types[key], types[key]],
    result: types.boolean,
    strict: false,
    evaluate: overlaps,
    description: 'do two periods have a moment in common',
    family: 'datetime',
  });
}

/** ksqlDB's spellings; it counts milliseconds. */
define('unix_timestamp', ['timestamptz'], 'bigint', 'whole milliseconds since 1970', (micros) => {
  if (isInfiniteTimestamp(micros)) throw fieldOutOfRange('timestamp out of range');
  return micros >= 0n ? micros / 1000n : -((999n - micros) / 1000n);
});
define(
  'from_unixtime',
  ['bigint'],
  'timestamptz',
  'timestamp of milliseconds since 1970',
  (millis) => checkTimestamp(millis * 1000n),
);
