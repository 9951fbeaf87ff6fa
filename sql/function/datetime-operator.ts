/** + - * / over dates, times, timestamps and intervals. */
import {
  addInterval,
  checkDate,
  checkTimestamp,
  dateToTimestamp,
  isInfiniteDate,
  isInfiniteTimestamp,
  timestampDifference,
} from '../base/datetime.ts';
import { StreamError } from '../base/error.ts';
import {
  addIntervals,
  type Interval,
  intervalInfinity,
  MICROS_PER_DAY,
  negateInterval,
  scaleInterval,
  subtractIntervals,
} from '../base/interval.ts';
import { zoneByName } from '../base/timezone.ts';
import { family } from './define.ts';
import { shiftInZone } from './zone-shift.ts';

const { functions, define } = family('datetime');
export const dateTimeOperators = functions;

function shiftDate(date: number, days: number): number {
  return isInfiniteDate(date) ? date : checkDate(date + days);
}

define('+', ['date', 'integer'], 'date', 'so many days later', shiftDate);
define('+', ['integer', 'date'], 'date', 'so many days later', (days, date) =>
  shiftDate(date, days),
);
define('-', ['date', 'integer'], 'date', 'so many days earlier', (date, days) =>
  shiftDate(date, -days),
);
define('-', ['date', 'date'], 'integer', 'days between', (a, b) => {
  if (isInfiniteDate(a) || isInfiniteDate(b)) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'cannot subtract infinite dates');
  }
  return a - b;
});

function dateWithTime(date: number, time: bigint): bigint {
  const midnight = dateToTimestamp(date);
  return isInfiniteTimestamp(midnight) ? midnight : checkTimestamp(midnight + time);
}

define('+', ['date', 'time'], 'timestamp', 'date and time of day', dateWithTime);
define('+', ['time', 'date'], 'timestamp', 'date and time of day', (time, date) =>
  dateWithTime(date, time),
);

function backwards(micros: bigint, interval: Interval): bigint {
  return addInterval(micros, negateInterval(interval));
}

define('+', ['date', 'interval'], 'timestamp', 'so much later', (date, interval) =>
  addInterval(dateToTimestamp(date), interval),
);
define('+', ['interval', 'date'], 'timestamp', 'so much later', (interval, date) =>
  addInterval(dateToTimestamp(date), interval),
);
define('-', ['date', 'interval'], 'timestamp', 'so much earlier', (date, interval) =>
  backwards(dateToTimestamp(date), interval),
);
for (const key of ['timestamp', 'timestamptz'] as const) {
  define('+', [key, 'interval'], key, 'so much later', addInterval);
  define('+', ['interval', key], key, 'so much later', (interval, micros) =>
    addInterval(micros, interval),
  );
  define('-', [key, 'interval'], key, 'so much earlier', backwards);
  define('-', [key, key], 'interval', 'days and time between', timestampDifference);
}

/** In the session's zone, or in a given one: days and months are of its calendar. */
define('date_add', ['timestamptz', 'interval'], 'timestamptz', 'so much later', addInterval);
define('date_subtract', ['timestamptz', 'interval'], 'timestamptz', 'so much earlier', backwards);
define(
  'date_add',
  ['timestamptz', 'interval', 'text'],
  'timestamptz',
  'so much later on the calendar of a time zone',
  (micros, interval, zone) => shiftInZone(micros, interval, zoneByName(zone)),
);
define(
  'date_subtract',
  ['timestamptz', 'interval', 'text'],
  'timestamptz',
  'so much earlier on the calendar of a time zone',
  (micros, interval, zone) => shiftInZone(micros, negateInterval(interval), zoneByName(zone)),
);

/** Times wrap around at midnight; months and days of the interval do not count. */
function shiftTime(time: bigint, interval: Interval, sign: bigint): bigint {
  if (intervalInfinity(interval) !== 0) {
    const verb = sign > 0n ? 'add infinite interval to' : 'subtract infinite interval from';
    throw new StreamError('VALUE_DATETIME_OVERFLOW', `cannot ${verb} time`);
  }
  const shifted = (time + sign * interval.micros) % MICROS_PER_DAY;
  return shifted < 0n ? shifted + MICROS_PER_DAY : shifted;
}

define('+', ['time', 'interval'], 'time', 'so much later on the clock', (time, interval) =>
  shiftTime(time, interval, 1n),
);
define('+', ['interval', 'time'], 'time', 'so much later on the clock', (interval, time) =>
  shiftTime(time, interval, 1n),
);
define('-', ['time', 'interval'], 'time', 'so much earlier on the clock', (time, interval) =>
  shiftTime(time, interval, -1n),
);
define('-', ['time', 'time'], 'interval', 'time between', (a, b) => ({
  months: 0,
  days: 0,
  micros: a - b,
}));

define('+', ['interval', 'interval'], 'interval', 'sum', addIntervals);
define('-', ['interval', 'interval'], 'interval', 'difference', subtractIntervals);
define('-', ['interval'], 'interval', 'negation', negateInterval);
define('*', ['interval', 'double'], 'interval', 'multiple', (interval, factor) =>
  scaleInterval(interval, factor, false),
);
define('*', ['double', 'interval'], 'interval', 'multiple', (factor, interval) =>
  scaleInterval(interval, factor, false),
);
define('/', ['interval', 'double'], 'interval', 'fraction', (interval, divisor) =>
  scaleInterval(interval, divisor, true),
);
