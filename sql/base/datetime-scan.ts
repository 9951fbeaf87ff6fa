/** to_date() and to_timestamp(text, picture): reading along a picture, as formatting.c does. */
import {
  daysFromCivil,
  daysInMonth,
  isDateInRange,
  isoWeekStart,
  isTimestampInRange,
  JULIAN_DAY_OF_EPOCH,
  joinTimestamp,
} from './datetime.ts';
import {
  type DateKey,
  type DateKeyword,
  datePicture,
  dayNames,
  monthNames,
  romanMonths,
} from './datetime-picture.ts';
import { StreamError } from './error.ts';
import type { PictureNode } from './format-picture.ts';
import { roundHalfEven } from './interval.ts';
import { findZone, toUtc, utc, type Zone } from './timezone.ts';

type Field =
  | 'year'
  | 'month'
  | 'day'
  | 'dayOfYear'
  | 'hour'
  | 'minute'
  | 'second'
  | 'micros'
  | 'century'
  | 'julian'
  | 'week'
  | 'weekOfMonth'
  | 'isoYear'
  | 'isoWeek'
  | 'isoDay'
  | 'secondsOfDay'
  | 'zoneHours'
  | 'zoneMinutes';

/** Places that a number takes at most where the next keyword follows at once. */
const lengths: Partial<Record<DateKey, readonly [Field, number]>> = {
  HH24: ['hour', 2],
  HH12: ['hour', 2],
  HH: ['hour', 2],
  MI: ['minute', 2],
  SS: ['second', 2],
  SSSS: ['secondsOfDay', 5],
  SSSSS: ['secondsOfDay', 5],
  MM: ['month', 2],
  DDD: ['dayOfYear', 3],
  IDDD: ['isoDay', 3],
  DD: ['day', 2],
  D: ['isoDay', 1],
  ID: ['isoDay', 1],
  WW: ['week', 2],
  IW: ['isoWeek', 2],
  CC: ['century', 2],
  J: ['julian', 7],
  W: ['weekOfMonth', 1],
};

function badValue(text: string, key: string, detail: string): StreamError {
  return new StreamError('VALUE_INVALID_DATETIME', `invalid value "${text}" for "${key}"`, {
    detail,
  });
}

type Node = PictureNode<DateKeyword>;

class Scanner {
  readonly #input: string;
  readonly #picture: string;
  #at = 0;
  #exact = false;
  #values = new Map<Field, number>();
  #bc = false;
  #meridiem: 'am' | 'pm' | undefined;
  #twelveHours = false;
  #yearDigits = 4;
  #zone: Zone | undefined;
  #zoneNegative = false;

  constructor(input: string, picture: string) {
    this.#input = input;
    this.#picture = picture;
  }

  scan(): { readonly days: number; readonly time: bigint; readonly zone: Zone | undefined } {
    const nodes = datePicture(this.#picture);
    let skipped = 0;
    nodes.forEach((node, index) => {
      if (node.kind === 'keyword' && node.key.key === 'FX') {
        this.#exact = true;
        return;
      }
      if (!this.#exact && (node.kind === 'keyword' || node.text !== ' '))
        skipped += this.#skipBlanks(node, index === 0);
      if (this.#at >= this.#input.length) return;
      if (node.kind === 'literal') {
        skipped = this.#literal(node, skipped);
        return;
      }
      this.#keyword(node, nodes[index + 1]);
      skipped = 0;
      // Blanks behind a field do not count for the separators that the picture has next.
      if (!this.#exact) skipped += this.#countBlanks();
    });
    return this.#finish();
  }

  #countBlanks(): number {
    let count = 0;
    while (/\s/.test(this.#input.charAt(this.#at))) {
      this.#at++;
      count++;
    }
    return count;
  }

  #skipBlanks(node: Node, first: boolean): number {
    return first || node.kind === 'keyword' ? this.#countBlanks() : 0;
  }

  /** A separator of the picture matches one separator of the input, or none. */
  #literal(node: Node & { readonly kind: 'literal' }, skipped: number): number {
    const separator = !node.quoted && /[^\p{L}\p{N}]/u.test(node.text);
    if (!separator || this.#exact) {
      this.#at += (this.#input.codePointAt(this.#at) ?? 0) > 0xffff ? 2 : 1;
      return 0;
    }
    if (skipped > 0) return skipped - 1;
    if (/[^\p{L}\p{N}]/u.test(this.#input.charAt(this.#at))) this.#at++;
    return 0;
  }

  #keyword(node: Node & { readonly kind: 'keyword' }, next: Node | undefined): void {
    const { key } = node.key;
    const known = lengths[key];
    if (known !== undefined) {
      const value = this.#number(key, known[1], node.fill, next);
      if (key === 'HH' || key === 'HH12') this.#twelveHours = true;
      this.#set(known[0], key === 'D' ? ((value + 5) % 7) + 1 : value, key);
    } else this.#special(node, next);
    if (node.ordinal !== undefined) this.#at += 2;
  }

  #special(node: Node & { readonly kind: 'keyword' }, next: Node | undefined): void {
    const { key } = node.key;
    switch (key) {
      case 'YYYY':
      case 'YYY':
      case 'YY':
      case 'Y':
      case 'IYYY':
      case 'IYY':
      case 'IY':
      case 'I':
        this.#year(key, node.fill, next);
        break;
      case 'Y,YYY': {
        const match = /^(\d+),(\d{3})/.exec(this.#input.slice(this.#at));
        if (match === null)
          throw badValue(this.#input.slice(this.#at), key, 'Value must be an integer.');
        this.#at += match[0].length;
        this.#set('year', Number(match[1]) * 1000 + Number(match[2]), key);
        break;
      }
      case 'MONTH':
      case 'MON':
        this.#set('month', this.#word(monthNames, key) + 1, key);
        break;
      case 'DAY':
      case 'DY':
        this.#word(dayNames, key);
        break;
      case 'RM':
        this.#set('month', this.#word(romanMonths, key) + 1, key);
        break;
      case 'AM':
      case 'PM':
      case 'A.M.':
      case 'P.M.':
        this.#meridiem = this.#word(['AM', 'PM', 'A.M.', 'P.M.'], key) % 2 === 0 ? 'am' : 'pm';
        this.#twelveHours = true;
        break;
      case 'AD':
      case 'BC':
      case 'A.D.':
      case 'B.C.':
        this.#bc = this.#word(['AD', 'BC', 'A.D.', 'B.C.'], key) % 2 === 1;
        break;
      case 'Q':
        this.#number(key, 1, node.fill, next);
        break;
      case 'TZ':
      case 'TZH':
      case 'TZM':
      case 'OF':
        this.#zoneField(key);
        break;
      default:
        this.#fraction(key, node.fill, next);
    }
  }

  #year(key: DateKey, fill: boolean, next: Node | undefined): void {
    const start = this.#at;
    const value = this.#number(key, key.length, fill, next);
    const digits = this.#at - start;
    this.#yearDigits = key.length;
    const year = key.length < 4 && digits < 4 ? nearYear(value) : value;
    this.#set(key.startsWith('I') ? 'isoYear' : 'year', year, key);
  }

  /** MS, US and FFn are digits behind the decimal point. */
  #fraction(key: DateKey, fill: boolean, next: Node | undefined): void {
    const places = key === 'MS' ? 3 : key === 'US' ? 6 : Number(key.slice(2));
    const start = this.#at;
    const value = this.#number(key, places, fill, next);
    const digits = this.#at - start;
    this.#set('micros', roundHalfEven(value * 10 ** (6 - digits)), key);
  }

  #zoneField(key: DateKey): void {
    if (key === 'TZ') {
      const match = /^[A-Za-z]+(?:\/[A-Za-z_]+)?/.exec(this.#input.slice(this.#at));
      this.#zone = match === null ? undefined : findZone(match[0]);
      if (match === null || this.#zone === undefined) {
        this.#offset();
        return;
      }
      this.#at += match[0].length;
    } else if (key === 'TZM') {
      this.#set('zoneMinutes', this.#number(key, 2, false, undefined), key);
    } else if (key === 'TZH') {
      const sign = this.#input.charAt(this.#at);
      if (sign === '+' || sign === '-') {
        this.#zoneNegative = sign === '-';
        this.#at++;
      }
      this.#set('zoneHours', this.#number(key, 2, false, undefined), key);
    } else this.#offset();
  }

  #offset(): void {
    const match = /^([+-])(\d{1,2})(?::?(\d{2}))?/.exec(this.#input.slice(this.#at));
    if (match === null) {
      const rest = this.#input.slice(this.#at);
      throw badValue(rest, 'TZ', 'Time zone abbreviation is not recognized.');
    }
    this.#at += match[0].length;
    this.#zoneNegative = match[1] === '-';
    this.#values.set('zoneHours', Number(match[2]));
    this.#values.set('zoneMinutes', Number(match[3] ?? 0));
  }

  /** A number of at most `length` digits; as many as there are with FM or where no digit can follow. */
  #number(key: DateKey, length: number, fill: boolean, next: Node | undefined): number {
    const rest = this.#input.slice(this.#at);
    const free = fill || !digitFollows(next);
    const match = (free ? /^\s*[+-]?\d+/ : new RegExp(`^\\s*[+-]?\\d{1,${length}}`)).exec(rest);
    if (match === null) {
      throw badValue(rest.slice(0, Math.max(length, 1)), key, 'Value must be an integer.');
    }
    if (this.#exact && match[0].length < length && !fill) {
      throw new StreamError(
        'VALUE_INVALID_DATETIME',
        `source string too short for "${key}" formatting field`,
      );
    }
    this.#at += match[0].length;
    const value = Number(match[0]);
    if (Math.abs(value) > 2147483647) {
      throw new StreamError(
        'VALUE_DATETIME_OVERFLOW',
        `value for "${key}" in source string is out of range`,
      );
    }
    return value;
  }

  #word(words: readonly string[], key: DateKey): number {
    const rest = this.#input.slice(this.#at).toLowerCase();
    const short = key === 'MON' || key === 'DY';
    const matches = words
      .map((word, index) => ({ word: (short ? word.slice(0, 3) : word).toLowerCase(), index }))
      .filter(({ word }) => rest.startsWith(word))
      .sort((a, b) => b.word.length - a.word.length);
    const best = matches[0];
    if (best === undefined) {
      throw badValue(
        this.#input.slice(this.#at),
        key,
        'The given value did not match any of the allowed values for this field.',
      );
    }
    this.#at += best.word.length;
    return best.index;
  }

  #set(field: Field, value: number, key: string): void {
    const known = this.#values.get(field);
    if (known !== undefined && known !== value && field !== 'isoDay') {
      throw new StreamError(
        'VALUE_INVALID_DATETIME',
        `conflicting values for "${key}" field in formatting string`,
        { detail: 'This value contradicts a previous setting for the same field type.' },
      );
    }
    this.#values.set(field, value);
  }

  #outOfRange(): StreamError {
    return new StreamError(
      'VALUE_DATETIME_OVERFLOW',
      `date/time field value out of range: "${this.#input}"`,
    );
  }

  #finish(): { readonly days: number; readonly time: bigint; readonly zone: Zone | undefined } {
    return { days: this.#days(), time: this.#time(), zone: this.#zoneOf() };
  }

  #time(): bigint {
    const get = (field: Field): number => this.#values.get(field) ?? 0;
    let hour = get('hour');
    let minute = get('minute');
    let second = get('second');
    const total = this.#values.get('secondsOfDay');
    if (total !== undefined) {
      hour = Math.floor(total / 3600);
      minute = Math.floor(total / 60) % 60;
      second = total % 60;
    }
    if (this.#twelveHours) {
      if (this.#values.has('hour') && (hour < 1 || hour > 12)) {
        throw new StreamError(
          'VALUE_INVALID_DATETIME',
          `hour "${hour}" is invalid for the 12-hour clock`,
          { hint: 'Use the 24-hour clock, or give an hour between 1 and 12.' },
        );
      }
      if (this.#meridiem === 'pm' && hour < 12) hour += 12;
      else if (this.#meridiem === 'am' && hour === 12) hour = 0;
    }
    if (hour > 23 || minute > 59 || second > 59 || hour < 0 || minute < 0 || second < 0) {
      throw this.#outOfRange();
    }
    return BigInt((hour * 60 + minute) * 60 + second) * 1_000_000n + BigInt(get('micros'));
  }

  #yearValue(): number | undefined {
    const year = this.#values.get('year') ?? this.#values.get('isoYear');
    const century = this.#values.get('century');
    if (year !== undefined && century !== undefined && this.#yearDigits <= 2) {
      const short = year % 100;
      return short === 0 ? century * 100 : (century - 1) * 100 + short;
    }
    if (year === undefined) return century === undefined ? undefined : (century - 1) * 100 + 1;
    return this.#bc ? 1 - year : year;
  }

  #days(): number {
    const julian = this.#values.get('julian');
    if (julian !== undefined) return julian - JULIAN_DAY_OF_EPOCH;
    const year = this.#yearValue() ?? 0;
    const isoYear = this.#values.get('isoYear');
    const isoWeek = this.#values.get('isoWeek');
    if (isoYear !== undefined && isoWeek !== undefined) {
      return isoWeekStart(year, isoWeek) + (this.#values.get('isoDay') ?? 1) - 1;
    }
    const dayOfYear = this.#values.get('dayOfYear');
    if (dayOfYear !== undefined) return daysFromCivil(year, 1, dayOfYear);
    const week = this.#values.get('week');
    if (week !== undefined) return daysFromCivil(year, 1, (week - 1) * 7 + 1);
    const month = this.#values.get('month') ?? 1;
    const weekOfMonth = this.#values.get('weekOfMonth');
    const day =
      weekOfMonth === undefined ? (this.#values.get('day') ?? 1) : (weekOfMonth - 1) * 7 + 1;
    if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
      throw this.#outOfRange();
    }
    return daysFromCivil(year, month, day);
  }

  #zoneOf(): Zone | undefined {
    const hours = this.#values.get('zoneHours');
    if (this.#zone !== undefined || hours === undefined) return this.#zone;
    const seconds = hours * 3600 + (this.#values.get('zoneMinutes') ?? 0) * 60;
    return { ...utc, kind: 'fixed', offsetSeconds: this.#zoneNegative ? -seconds : seconds };
  }
}

/** Years of fewer than four digits are the ones nearest to 2020. */
function nearYear(year: number): number {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

function digitFollows(next: Node | undefined): boolean {
  if (next === undefined) return false;
  if (next.kind === 'literal') return /\d/.test(next.text);
  return ![
    'MONTH',
    'MON',
    'DAY',
    'DY',
    'AM',
    'PM',
    'A.M.',
    'P.M.',
    'AD',
    'BC',
    'A.D.',
    'B.C.',
    'RM',
    'TZ',
    'OF',
    'TZH',
  ].includes(next.key.key);
}

/** to_date(): days since 1970. @throws StreamError VALUE_INVALID_DATETIME, VALUE_DATETIME_OVERFLOW. */
export function scanDate(input: string, picture: string): number {
  const { days } = new Scanner(input, picture).scan();
  if (isDateInRange(days)) return days;
  throw new StreamError('VALUE_DATETIME_OVERFLOW', `date out of range: "${input}"`);
}

/** to_timestamp(): microseconds since 1970-01-01 UTC; times without a zone are UTC. */
export function scanTimestamp(input: string, picture: string): bigint {
  const { days, time, zone } = new Scanner(input, picture).scan();
  const micros = joinTimestamp(days, time);
  if (!isTimestampInRange(micros)) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'timestamp out of range');
  }
  return toUtc(zone ?? utc, micros);
}
