/** Functions of ksqlDB and Flink over dates and times that no expression of PostgreSQL says: Java's patterns, differences in units. */
import {
  addInterval,
  checkTimestamp,
  civilFromDays,
  dateToTimestamp,
  isInfiniteTimestamp,
  splitTimestamp,
  timestampToDate,
} from '../base/datetime.ts';
import { StreamError } from '../base/error.ts';
import { formatByJava, parseByJava } from '../base/java-picture.ts';
import { toLocal, toUtc, zoneByName } from '../base/timezone.ts';
import { family } from './define.ts';

const { functions, define } = family('datetime');
export const dateTimeDialectFunctions = functions;

const parseChecked = (text: string, pattern: string): bigint =>
  checkTimestamp(parseByJava(text, pattern));
const parseInZone = (text: string, pattern: string, zone: string): bigint =>
  checkTimestamp(toUtc(zoneByName(zone), parseChecked(text, pattern)));
const formatInZone = (micros: bigint, pattern: string, zone: string): string =>
  formatByJava(isInfiniteTimestamp(micros) ? micros : toLocal(zoneByName(zone), micros), pattern);
/** Whole milliseconds, counted down. */
const toMillis = (micros: bigint): bigint =>
  micros >= 0n ? micros / 1000n : -((999n - micros) / 1000n);
const fromMillis = (millis: bigint): bigint => checkTimestamp(millis * 1000n);

const shown = "text of a timestamp by a pattern of Java's DateTimeFormatter";
for (const name of ['date_format', 'format_timestamp']) {
  for (const key of ['timestamp', 'timestamptz'] as const) {
    define(name, [key, 'text'], 'text', shown, formatByJava);
  }
}
define(
  'format_timestamp',
  ['timestamptz', 'text', 'text'],
  'text',
  `${shown} in a time zone`,
  formatInZone,
);
define(
  'format_date',
  ['date', 'text'],
  'text',
  "text of a date by a pattern of Java's",
  (days, pattern) => formatByJava(dateToTimestamp(days), pattern),
);

const read = "timestamp of a text by a pattern of Java's DateTimeFormatter";
define('parse_timestamp', ['text', 'text'], 'timestamptz', read, parseChecked);
define(
  'parse_timestamp',
  ['text', 'text', 'text'],
  'timestamptz',
  `${read} in a time zone`,
  parseInZone,
);
define(
  'parse_date',
  ['text', 'text'],
  'date',
  "date of a text by a pattern of Java's",
  (text, pattern) => timestampToDate(parseChecked(text, pattern)),
);

const millis = "milliseconds since 1970 of a text by a pattern of Java's, in UTC or a time zone";
define('stringtotimestamp', ['text', 'text'], 'bigint', millis, (text, pattern) =>
  toMillis(parseChecked(text, pattern)),
);
define('stringtotimestamp', ['text', 'text', 'text'], 'bigint', millis, (text, pattern, zone) =>
  toMillis(parseInZone(text, pattern, zone)),
);
const ofMillis = "text of milliseconds since 1970 by a pattern of Java's, in UTC or a time zone";
define('timestamptostring', ['bigint', 'text'], 'text', ofMillis, (count, pattern) =>
  formatByJava(fromMillis(count), pattern),
);
define('timestamptostring', ['bigint', 'text', 'text'], 'text', ofMillis, (count, pattern, zone) =>
  formatInZone(fromMillis(count), pattern, zone),
);

const unitMicros: ReadonlyMap<string, bigint> = new Map([
  ['second', 1_000_000n],
  ['minute', 60_000_000n],
  ['hour', 3_600_000_000n],
  ['day', 86_400_000_000n],
  ['week', 604_800_000_000n],
]);
const unitMonths: ReadonlyMap<string, number> = new Map([
  ['month', 1],
  ['quarter', 3],
  ['year', 12],
]);

const monthNumber = (micros: bigint): number => {
  const { year, month } = civilFromDays(splitTimestamp(micros).days);
  return year * 12 + month;
};

/** The most whole months that added to `from` do not go past `to`; the day is clipped to the month, as Calcite's subtractMonths. */
function monthsBetween(from: bigint, to: bigint): number {
  if (from > to) return -monthsBetween(to, from);
  const months = monthNumber(to) - monthNumber(from);
  return addInterval(from, { months, days: 0, micros: 0n }) > to ? months - 1 : months;
}

/** @throws StreamError VALUE_INVALID_PARAMETER for an unknown unit, VALUE_DATETIME_OVERFLOW for infinity. */
function difference(unit: string, from: bigint, to: bigint): bigint {
  if (isInfiniteTimestamp(from) || isInfiniteTimestamp(to)) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'timestamp out of range');
  }
  const length = unitMicros.get(unit);
  if (length !== undefined) return (to - from) / length;
  const months = unitMonths.get(unit);
  if (months === undefined) {
    throw new StreamError('VALUE_INVALID_PARAMETER', `unit "${unit}" is not known`);
  }
  return BigInt(Math.trunc(monthsBetween(from, to) / months));
}

for (const key of ['timestamp', 'timestamptz'] as const) {
  define(
    'timestampdiff',
    ['text', key, key],
    'bigint',
    'whole units from the first to the second',
    difference,
  );
}
