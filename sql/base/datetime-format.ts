/** to_char() of timestamps and intervals, by the rules of formatting.c. */
import {
  civilFromDays,
  dayOfWeek,
  daysFromCivil,
  isInfiniteTimestamp,
  isoWeek,
  isoWeekStart,
  JULIAN_DAY_OF_EPOCH,
  splitTimestamp,
} from './datetime.ts';
import {
  type DateKeyword,
  datePicture,
  dayNames,
  monthNames,
  type NameCase,
  romanMonths,
} from './datetime-picture.ts';
import { StreamError } from './error.ts';
import { ordinalSuffix } from './format-picture.ts';
import { type Interval, intervalInfinity } from './interval.ts';

/** The parts that a picture shows; `days` is undefined for an interval. */
interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly micros: number;
  readonly days: number | undefined;
  readonly zone: string;
}

function notForIntervals(): StreamError {
  return new StreamError(
    'VALUE_INVALID_DATETIME',
    'invalid format specification for an interval value',
    { hint: 'Intervals are not tied to specific calendar dates.' },
  );
}

function cased(name: string, nameCase: NameCase): string {
  if (nameCase === 'upper') return name.toUpperCase();
  return nameCase === 'lower' ? name.toLowerCase() : name;
}

/** `%0*d`: the width counts the sign. */
function padded(value: number, width: number, fill: boolean): string {
  if (fill) return String(value);
  const digits = String(Math.abs(value)).padStart(value < 0 ? width - 1 : width, '0');
  return value < 0 ? `-${digits}` : digits;
}

/** Negative numbers get one place more, so that both have as many digits. */
function signed(value: number, width: number, fill: boolean): string {
  return padded(value, value < 0 ? width + 1 : width, fill);
}

function clockHour(hour: number): number {
  return hour % 12 === 0 ? 12 : hour % 12;
}

function requireDays(parts: Parts): number {
  if (parts.days === undefined) throw notForIntervals();
  return parts.days;
}

/** Years as shown: 1 BC is year 1, except in intervals. */
function shownYear(parts: Parts, year: number): number {
  return parts.days !== undefined && year <= 0 ? 1 - year : year;
}

/** date2j of datetime.c, which for months before January is not the calendar's continuation. */
function julianDay(year: number, month: number, day: number): number {
  const shiftedMonth = month > 2 ? month + 1 : month + 13;
  const shiftedYear = month > 2 ? year + 4800 : year + 4799;
  const century = Math.trunc(shiftedYear / 100);
  const leaps = Math.trunc(shiftedYear / 4) - century + Math.trunc(century / 4);
  return shiftedYear * 365 - 32167 + leaps + Math.trunc((7834 * shiftedMonth) / 256) + day;
}

/** An interval counts as the date of its years, months and days where a calendar is asked for. */
function calendarDays(parts: Parts): number {
  return parts.days ?? julianDay(parts.year, parts.month, parts.day) - JULIAN_DAY_OF_EPOCH;
}

/**
 * date2isoweek and date2isoyear of timestamp.c: they look one year back and ahead only, which shows
 * for intervals of negative months and many days.
 */
function intervalWeek({ year, month, day }: Parts): {
  readonly year: number;
  readonly week: number;
} {
  const target = julianDay(year, month, day);
  const monday = (ofYear: number): number => {
    const fourth = julianDay(ofYear, 1, 4);
    return fourth - (((fourth % 7) + 7) % 7);
  };
  let start = monday(year);
  let isoYear = year;
  if (target < start) {
    isoYear--;
    start = monday(isoYear);
  }
  const week = Math.trunc((target - start) / 7) + 1;
  if (week < 52 || target < monday(year + 1)) return { year: isoYear, week };
  return { year: isoYear + 1, week: Math.trunc((target - monday(year + 1)) / 7) + 1 };
}

function weekOf(parts: Parts): { readonly year: number; readonly week: number } {
  return parts.days === undefined ? intervalWeek(parts) : isoWeek(parts.days);
}

function isoYear(parts: Parts): number {
  return weekOf(parts).year;
}

function century(parts: Parts): number {
  if (parts.days === undefined) return Math.trunc(parts.year / 100);
  return parts.year > 0 ? Math.trunc((parts.year - 1) / 100) + 1 : Math.trunc(parts.year / 100) - 1;
}

function yearText(parts: Parts, year: number, length: number, fill: boolean): string {
  const shown = shownYear(parts, year);
  // The width follows the sign of the calendar's year, also for ISO years.
  const width = shownYear(parts, parts.year) < 0 ? length + 1 : length;
  return padded(length === 4 ? shown : shown % 10 ** length, width, fill);
}

function dayOfYear(parts: Parts): number {
  if (parts.days === undefined) return parts.year * 360 + parts.month * 30 + parts.day;
  return parts.days - daysFromCivil(parts.year, 1, 1) + 1;
}

/** An era's or half-day's letters with points where the keyword has them. */
function lettered(letters: string, keyword: DateKeyword): string {
  const dotted = keyword.name.includes('.') ? `${letters[0]}.${letters[1]}.` : letters;
  return cased(dotted, keyword.nameCase);
}

function name(
  names: readonly string[],
  index: number,
  keyword: DateKeyword,
  fill: boolean,
  short: boolean,
): string {
  const full = names[index] ?? '';
  if (short) return cased(full.slice(0, 3), keyword.nameCase);
  const text = cased(full, keyword.nameCase);
  return fill ? text : text.padEnd(9);
}

function calendarText(keyword: DateKeyword, parts: Parts, fill: boolean): string | undefined {
  switch (keyword.key) {
    case 'A.D.':
    case 'AD':
    case 'B.C.':
    case 'BC':
      requireDays(parts);
      return lettered(parts.year <= 0 ? 'BC' : 'AD', keyword);
    case 'MONTH':
    case 'MON':
      requireDays(parts);
      return name(monthNames, parts.month - 1, keyword, fill, keyword.key === 'MON');
    case 'DAY':
    case 'DY':
      return name(dayNames, dayOfWeek(requireDays(parts)), keyword, fill, keyword.key === 'DY');
    case 'RM': {
      if (parts.month === 0 && (parts.days !== undefined || parts.year === 0)) return '';
      const month =
        parts.month === 0
          ? parts.year >= 0
            ? 12
            : 1
          : parts.month < 0
            ? parts.month + 13
            : parts.month;
      const text = cased(romanMonths[month - 1] ?? '', keyword.nameCase);
      return fill ? text : text.padEnd(4);
    }
    case 'TZ':
      if (parts.days === undefined) throw notForIntervals();
      return cased(parts.zone, keyword.nameCase === 'lower' ? 'lower' : 'upper');
    case 'TZH':
    case 'OF':
      requireDays(parts);
      return '+00';
    case 'TZM':
      requireDays(parts);
      return '00';
    case 'FX':
      return '';
    default:
      return undefined;
  }
}

/** The keywords that show a number, which TH may follow. */
function numberText(keyword: DateKeyword, parts: Parts, fill: boolean): string {
  switch (keyword.key) {
    case 'A.M.':
    case 'P.M.':
    case 'AM':
    case 'PM':
      return lettered(parts.hour % 24 >= 12 ? 'PM' : 'AM', keyword);
    case 'HH':
    case 'HH12':
      return padded(clockHour(parts.hour), parts.hour < 0 ? 3 : 2, fill);
    case 'HH24':
      return signed(parts.hour, 2, fill);
    case 'MI':
      return signed(parts.minute, 2, fill);
    case 'SS':
      return signed(parts.second, 2, fill);
    case 'MS':
      return padded(Math.trunc(parts.micros / 1000), 3, false);
    case 'US':
      return padded(parts.micros, 6, false);
    case 'SSSS':
    case 'SSSSS':
      return String(parts.hour * 3600 + parts.minute * 60 + parts.second);
    case 'MM':
      return signed(parts.month, 2, fill);
    case 'DD':
      return padded(parts.day, 2, fill);
    case 'DDD':
      return padded(dayOfYear(parts), 3, fill);
    case 'IDDD': {
      const days = calendarDays(parts);
      return padded(days - isoWeekStart(isoWeek(days).year, 1) + 1, 3, fill);
    }
    case 'D':
      return String(dayOfWeek(requireDays(parts)) + 1);
    case 'ID':
      return String(dayOfWeek(requireDays(parts)) || 7);
    case 'WW':
      return padded(Math.trunc((dayOfYear(parts) - 1) / 7) + 1, 2, fill);
    case 'IW':
      return padded(weekOf(parts).week, 2, fill);
    case 'W':
      return String(Math.trunc((parts.day - 1) / 7) + 1);
    case 'Q':
      return parts.month === 0 ? '' : String(Math.trunc((parts.month - 1) / 3) + 1);
    case 'CC': {
      const value = century(parts);
      return Math.abs(value) <= 99 ? signed(value, 2, fill) : String(value);
    }
    case 'J':
      return String(calendarDays(parts) + JULIAN_DAY_OF_EPOCH);
    default:
      return fractionOrYear(keyword, parts, fill);
  }
}

function fractionOrYear(keyword: DateKeyword, parts: Parts, fill: boolean): string {
  const { key } = keyword;
  if (key.startsWith('FF')) {
    const digits = Number(key.slice(2));
    return padded(Math.trunc(parts.micros / 10 ** (6 - digits)), digits, false);
  }
  if (key === 'Y,YYY') {
    const year = shownYear(parts, parts.year);
    return `${Math.trunc(year / 1000)},${padded(year % 1000, 3, false)}`;
  }
  if (key.startsWith('I')) return yearText(parts, isoYear(parts), key.length, fill);
  return yearText(parts, parts.year, key.length, fill);
}

function format(picture: string, parts: Parts): string {
  let text = '';
  for (const node of datePicture(picture)) {
    if (node.kind === 'literal') {
      text += node.text;
      continue;
    }
    const calendar = calendarText(node.key, parts, node.fill);
    if (calendar !== undefined) {
      text += calendar;
      continue;
    }
    const number = numberText(node.key, parts, node.fill);
    text += number;
    if (node.ordinal !== undefined && /\d$/.test(number)) {
      text += ordinalSuffix(number, node.ordinal === 'TH');
    }
  }
  return text;
}

/** to_char(timestamp, picture); `zone` is the text of TZ. NULL for infinity and an empty picture. */
export function formatTimestamp(micros: bigint, picture: string, zone: string): string | null {
  if (picture === '' || isInfiniteTimestamp(micros)) return null;
  const { days, time } = splitTimestamp(micros);
  return format(picture, { ...civilFromDays(days), ...clock(time), days, zone });
}

function clock(time: bigint): Pick<Parts, 'hour' | 'minute' | 'second' | 'micros'> {
  const seconds = Number(time / 1_000_000n);
  return {
    hour: Math.trunc(seconds / 3600),
    minute: Math.trunc(seconds / 60) % 60,
    second: seconds % 60,
    micros: Number(time % 1_000_000n),
  };
}

/** to_char(interval, picture). */
export function formatInterval(interval: Interval, picture: string): string | null {
  if (picture === '' || intervalInfinity(interval) !== 0) return null;
  const year = Math.trunc(interval.months / 12);
  return format(picture, {
    year,
    month: interval.months - year * 12,
    day: interval.days,
    ...clock(interval.micros),
    days: undefined,
    zone: '',
  });
}
