/** date_trunc() and date_bin(). */
import {
  checkTimestamp,
  civilFromDays,
  dayOfWeek,
  daysFromCivil,
  isInfiniteTimestamp,
  joinTimestamp,
  splitTimestamp,
} from '../base/datetime.ts';
import { StreamError } from '../base/error.ts';
import { type Interval, intervalInfinity, MICROS_PER_DAY } from '../base/interval.ts';
import { findUnit } from '../base/interval-text.ts';
import { toLocal, toUtc, utc, zoneByName } from '../base/timezone.ts';
import { typeName } from '../base/type.ts';
import { family, invalidParameter, type TypeKey, types } from './define.ts';

const { functions, define } = family('datetime');
export const dateTruncFunctions = functions;

const clockUnits: ReadonlyMap<string, bigint> = new Map([
  ['microsecond', 1n],
  ['millisecond', 1000n],
  ['second', 1_000_000n],
  ['minute', 60_000_000n],
  ['hour', 3_600_000_000n],
  ['day', MICROS_PER_DAY],
]);

/** The first year of a decade, century or millennium; the latter two start at 1, also before Christ. */
const yearStarts: ReadonlyMap<string, (year: number) => number> = new Map([
  ['year', (year: number) => year],
  [
    'decade',
    (year: number) =>
      year > 0 ? Math.trunc(year / 10) * 10 : -Math.trunc((8 - (year - 1)) / 10) * 10,
  ],
  [
    'century',
    (year: number) =>
      year > 0
        ? Math.trunc((year + 99) / 100) * 100 - 99
        : -Math.trunc((99 - (year - 1)) / 100) * 100 + 1,
  ],
  [
    'millennium',
    (year: number) =>
      year > 0
        ? Math.trunc((year + 999) / 1000) * 1000 - 999
        : -Math.trunc((999 - (year - 1)) / 1000) * 1000 + 1,
  ],
]);

function truncateDay(field: string, days: number): number | undefined {
  const { year, month } = civilFromDays(days);
  switch (field) {
    case 'week':
      return days - ((dayOfWeek(days) + 6) % 7);
    case 'month':
      return daysFromCivil(year, month, 1);
    case 'quarter':
      return daysFromCivil(year, Math.floor((month - 1) / 3) * 3 + 1, 1);
    default: {
      const start = yearStarts.get(field);
      return start && daysFromCivil(start(year), 1, 1);
    }
  }
}

const zoneFields: ReadonlySet<string> = new Set([
  'timezone',
  'timezone_h',
  'timezone_m',
  'timezone_hour',
  'timezone_minute',
]);

/** Units of time; the zone's fields are known but cannot be cut to. */
function findTruncUnit(name: string): string | undefined {
  return findUnit(name) ?? (zoneFields.has(name) ? 'timezone' : undefined);
}

function unitError(name: string, known: boolean, key: TypeKey): StreamError {
  const type = typeName(types[key]);
  return known
    ? new StreamError('SQL_NOT_SUPPORTED', `unit "${name}" not supported for type ${type}`)
    : invalidParameter(`unit "${name}" not recognized for type ${type}`);
}

/** The wall-clock time cut to a unit. */
function truncateLocal(name: string, micros: bigint, key: TypeKey): bigint {
  const lower = name.toLowerCase();
  const field = findTruncUnit(lower);
  if (field === undefined) throw unitError(lower, false, key);
  const unit = clockUnits.get(field);
  const { days, time } = splitTimestamp(isInfiniteTimestamp(micros) ? 0n : micros);
  const day = unit === undefined ? truncateDay(field, days) : days;
  if (day === undefined) throw unitError(lower, true, key);
  if (isInfiniteTimestamp(micros)) return micros;
  return checkTimestamp(
    unit === undefined ? joinTimestamp(day, 0n) : joinTimestamp(day, time - (time % unit)),
  );
}

/** Is it a part of the day? */
export function isClockUnit(name: string): boolean {
  const field = findTruncUnit(name.toLowerCase());
  return field !== undefined && clockUnits.has(field) && field !== 'day';
}

define('date_trunc', ['text', 'timestamp'], 'timestamp', 'time cut to a unit', (name, micros) =>
  truncateLocal(name, micros, 'timestamp'),
);
define(
  'date_trunc',
  ['text', 'timestamptz'],
  'timestamptz',
  'time cut to a unit, in UTC',
  (name, micros) => truncateLocal(name, micros, 'timestamptz'),
);
define(
  'date_trunc',
  ['text', 'timestamptz', 'text'],
  'timestamptz',
  'time cut to a unit in a time zone',
  (name, micros, zoneName) => {
    const zone = zoneByName(zoneName);
    if (isInfiniteTimestamp(micros)) return truncateLocal(name, micros, 'timestamptz');
    const local = toLocal(zone, micros);
    const cut = truncateLocal(name, local, 'timestamptz');
    // Up to the hour the offset stays the same, so the cut is made within it: an hour that comes twice stays itself.
    return isClockUnit(name) ? micros - (local - cut) : toUtc(zone, cut);
  },
);

const monthUnits: ReadonlyMap<string, number> = new Map([
  ['month', 1],
  ['quarter', 3],
  ['year', 12],
  ['decade', 120],
  ['century', 1200],
  ['millennium', 12000],
]);

define(
  'date_trunc',
  ['text', 'interval'],
  'interval',
  'interval cut to a unit',
  (name, interval) => {
    const lower = name.toLowerCase();
    const field = findTruncUnit(lower);
    if (field === undefined) throw unitError(lower, false, 'interval');
    const infinite = intervalInfinity(interval) !== 0;
    const months = monthUnits.get(field);
    if (months !== undefined) {
      return infinite
        ? interval
        : { months: Math.trunc(interval.months / months) * months + 0, days: 0, micros: 0n };
    }
    const unit = clockUnits.get(field);
    if (unit === undefined) throw unitError(lower, true, 'interval');
    if (infinite) return interval;
    if (field === 'day') return { ...interval, micros: 0n };
    return { ...interval, micros: (interval.micros / unit) * unit };
  },
);

/** The start of the stride-long bin, counted from origin, that holds the time. */
function bin(stride: Interval, micros: bigint, origin: bigint): bigint {
  if (isInfiniteTimestamp(micros)) return micros;
  if (isInfiniteTimestamp(origin)) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'origin out of range');
  }
  if (intervalInfinity(stride) !== 0) {
    throw new StreamError(
      'VALUE_DATETIME_OVERFLOW',
      'timestamps cannot be binned into infinite intervals',
    );
  }
  if (stride.months !== 0) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'timestamps cannot be binned into intervals containing months or years',
    );
  }
  const width = BigInt(stride.days) * MICROS_PER_DAY + stride.micros;
  if (BigInt.asIntN(64, width) !== width) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'interval out of range');
  }
  if (width <= 0n) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'stride must be greater than zero');
  }
  const distance = micros - origin;
  if (BigInt.asIntN(64, distance) !== distance) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'interval out of range');
  }
  const rest = distance % width;
  return checkTimestamp(origin + distance - rest - (rest < 0n ? width : 0n));
}

for (const key of ['timestamp', 'timestamptz'] as const) {
  define('date_bin', ['interval', key, key], key, 'start of the bin of the given width', bin);
}

/** Wall-clock time in a zone to an instant, and back: AT TIME ZONE. */
define(
  'timezone',
  ['text', 'timestamp'],
  'timestamptz',
  'instant of a wall-clock time in a zone',
  (zone, micros) => (isInfiniteTimestamp(micros) ? micros : toUtc(zoneByName(zone), micros)),
);
define(
  'timezone',
  ['text', 'timestamptz'],
  'timestamp',
  'wall-clock time of an instant in a zone',
  (zone, micros) => (isInfiniteTimestamp(micros) ? micros : toLocal(zoneByName(zone), micros)),
);

function intervalZone(interval: Interval) {
  if (intervalInfinity(interval) !== 0) {
    throw invalidParameter('interval time zone must be finite');
  }
  if (interval.months !== 0 || interval.days !== 0) {
    throw invalidParameter(`interval time zone must not include months or days`);
  }
  return { ...utc, kind: 'fixed' as const, offsetSeconds: Number(interval.micros / 1_000_000n) };
}

define(
  'timezone',
  ['interval', 'timestamp'],
  'timestamptz',
  'instant of a wall-clock time at an offset',
  (offset, micros) => (isInfiniteTimestamp(micros) ? micros : toUtc(intervalZone(offset), micros)),
);
define(
  'timezone',
  ['interval', 'timestamptz'],
  'timestamp',
  'wall-clock time of an instant at an offset',
  (offset, micros) =>
    isInfiniteTimestamp(micros) ? micros : toLocal(intervalZone(offset), micros),
);
