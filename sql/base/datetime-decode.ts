/**
 * Reads dates, times and timestamps as PostgreSQL's date/time input does (DateOrder MDY): fields in
 * almost any order, decided by what has been seen before. Follows DecodeDateTime of datetime.c.
 */
import {
  civilFromDays,
  daysFromCivil,
  daysInMonth,
  JULIAN_DAY_OF_EPOCH,
  splitTimestamp,
} from './datetime.ts';
import { type Field, findWord } from './datetime-token.ts';
import { StreamError } from './error.ts';
import { MICROS_PER_DAY, MICROS_PER_SECOND, roundHalfEven } from './interval.ts';
import { findZone, utc, type Zone, zoneAbbreviations } from './timezone.ts';

/** What was seen, one bit a component. */
const YEAR = 1;
const MONTH = 2;
const DAY = 4;
const TIME = 8;
const ZONE = 16;
const WEEKDAY = 32;
const MERIDIEM = 64;
const ERA = 128;
const DATE = YEAR | MONTH | DAY;

export type Failure = 'format' | 'overflow' | 'zone' | 'zone-offset';

export class DecodeFailure extends Error {
  readonly failure: Failure;
  readonly subject: string | undefined;

  constructor(failure: Failure, subject?: string) {
    super(failure);
    this.failure = failure;
    this.subject = subject;
  }
}

export interface Decoded {
  readonly special: 'now' | 'epoch' | 'infinity' | '-infinity' | undefined;
  /** Days since 1970; undefined when only a time was given. */
  readonly days: number | undefined;
  /** Microseconds of the day, 0..24h. */
  readonly time: bigint;
  readonly zone: Zone | undefined;
}

/** The state of one decoding. */
export class Decoder {
  seen = 0;
  year = 0;
  month = 0;
  day = 0;
  dayOfYear: number | undefined;
  julianDay: number | undefined;
  hour = 0;
  minute = 0;
  second = 0;
  fraction = 0;
  zone: Zone | undefined;
  shortYear = false;
  textMonth = false;
  bc = false;
  meridiem: 'am' | 'pm' | undefined;
  special: Decoded['special'];
  expect: 'time' | 'julian' | undefined;
  readonly nowMicros: bigint | undefined;
  readonly timeOnly: boolean;

  constructor(nowMicros: bigint | undefined, timeOnly: boolean) {
    this.nowMicros = nowMicros;
    this.timeOnly = timeOnly;
  }

  decode(fields: readonly Field[]): Decoded {
    fields.forEach((field, index) => {
      const mask = this.#field(field, fields[index + 1]);
      if ((mask & this.seen) !== 0) throw new DecodeFailure('format');
      this.seen |= mask;
    });
    if (this.expect !== undefined) throw new DecodeFailure('format');
    if (this.special !== undefined) {
      return { special: this.special, days: undefined, time: 0n, zone: this.zone };
    }
    return this.#finish();
  }

  #field(field: Field, next: Field | undefined): number {
    switch (field.kind) {
      case 'date':
        return this.#dateField(field.text);
      case 'time':
        if (this.expect !== undefined && this.expect !== 'time') throw new DecodeFailure('format');
        this.expect = undefined;
        this.#readClock(field.text);
        return TIME;
      case 'zone':
        this.zone = decodeOffset(field.text);
        return ZONE;
      case 'number':
        return this.#numberField(field.text);
      case 'word':
        return this.#word(field.text, next);
    }
  }

  #dateField(text: string): number {
    if (this.expect === 'julian') {
      const digits = /^\d+/.exec(text)?.[0] ?? '';
      this.expect = undefined;
      this.julianDay = Number(digits);
      this.zone = decodeOffset(text.slice(digits.length));
      return DATE | TIME | ZONE;
    }
    const dateSeen = (this.seen & (MONTH | DAY)) === (MONTH | DAY);
    if (
      this.expect === undefined &&
      !dateSeen &&
      !(this.timeOnly && !/^\d/.test(text) && findZone(text) !== undefined)
    ) {
      return this.#splitDate(text);
    }
    if (!/^\d/.test(text) && this.expect === undefined) {
      this.zone = findZone(text);
      if (this.zone === undefined) throw new DecodeFailure('zone', text);
      return ZONE;
    }
    // A run-together time with its offset behind: 040506-08.
    if (this.expect !== undefined && this.expect !== 'time') throw new DecodeFailure('format');
    this.expect = undefined;
    const dash = text.indexOf('-');
    if ((this.seen & TIME) !== 0 || dash < 0) throw new DecodeFailure('format');
    this.zone = decodeOffset(text.slice(dash));
    return this.#runTogether(text.slice(0, dash), this.seen) | ZONE;
  }

  /** `2-jan-2024`, `2024/1/2`: words first, then numbers in their order. */
  #splitDate(text: string): number {
    const parts = text.split(/[^a-z0-9]+/).flatMap((part) => part.match(/\d+|[a-z]+/g) ?? []);
    if (parts.length > 3) throw new DecodeFailure('format');
    let seen = this.seen;
    let mask = 0;
    const numbers: string[] = [];
    for (const part of parts) {
      if (/\d/.test(part)) {
        numbers.push(part);
        continue;
      }
      const word = findWord(part);
      if (word?.kind === 'ignore') continue;
      if (word?.kind !== 'month' || (seen & MONTH) !== 0) throw new DecodeFailure('format');
      this.month = word.value;
      this.textMonth = true;
      seen |= MONTH;
      mask |= MONTH;
    }
    for (const number of numbers) {
      const part = this.#number(number, seen);
      if ((seen & part) !== 0) throw new DecodeFailure('format');
      seen |= part;
      mask |= part;
    }
    // A joined date must come before the time.
    if ((seen & ~ZONE) !== DATE) throw new DecodeFailure('format');
    return mask;
  }

  #numberField(text: string): number {
    if (text === '.') throw new DecodeFailure('format');
    if (this.expect === 'julian') {
      this.expect = undefined;
      const [whole = '', fraction] = text.split('.');
      this.julianDay = Number(whole);
      if (fraction === undefined) return DATE;
      const micros = roundHalfEven(Number(`0.${fraction}`) * 86_400_000_000);
      this.hour = Math.floor(micros / 3_600_000_000);
      this.minute = Math.floor(micros / 60_000_000) % 60;
      this.second = Math.floor(micros / 1_000_000) % 60;
      this.fraction = micros % 1_000_000;
      return DATE | TIME;
    }
    if (this.expect === 'time') {
      this.expect = undefined;
      const mask = this.#runTogether(text, this.seen | DATE);
      if (mask !== TIME) throw new DecodeFailure('format');
      return mask;
    }
    const point = text.indexOf('.');
    const dateDone = (this.seen & DATE) === DATE || this.timeOnly;
    if (point >= 0 && (this.seen & DATE) === 0 && !this.timeOnly) return this.#splitDate(text);
    if (point > 2) return this.#runTogether(text, this.timeOnly ? this.seen | DATE : this.seen);
    if (text.length >= 6 && (!dateDone || (this.seen & TIME) === 0)) {
      return this.#runTogether(text, this.timeOnly ? this.seen | DATE : this.seen);
    }
    return this.#number(text, this.timeOnly ? this.seen | DATE : this.seen);
  }

  /** One number of a date, placed by what is known already (DecodeNumber). */
  #number(text: string, seen: number): number {
    const value = Number(text.split('.')[0]);
    if (value > 2147483647) throw new DecodeFailure('overflow');
    const length = text.length;
    const dateSeen = seen & DATE;
    if (text.includes('.')) {
      if (text.indexOf('.') > 2) return this.#runTogether(text, seen | DATE);
      if (dateSeen === DATE) return this.#runTogether(text, seen);
    }
    if (length === 3 && dateSeen === YEAR && value >= 1 && value <= 366) {
      this.dayOfYear = value;
      return MONTH | DAY;
    }
    switch (dateSeen) {
      case 0:
        return length >= 3 ? this.#setYear(value, length) : this.#setMonth(value);
      case YEAR:
        return this.#setMonth(value);
      case MONTH:
        return this.textMonth && length >= 3 ? this.#setYear(value, length) : this.#setDay(value);
      case YEAR | MONTH:
        if (this.textMonth && length >= 3 && this.shortYear) {
          // The first number was the day after all: 02-jan-2024.
          const day = this.year;
          this.#setYear(value, length);
          return this.#setDay(day);
        }
        return this.#setDay(value);
      case DAY:
        return this.#setMonth(value);
      case MONTH | DAY:
        return this.#setYear(value, length);
      case DATE:
        return this.#runTogether(text, seen);
      default:
        throw new DecodeFailure('format');
    }
  }

  #setYear(value: number, length: number): number {
    this.year = value;
    this.shortYear = length <= 2;
    return YEAR;
  }

  #setMonth(value: number): number {
    this.month = value;
    return MONTH;
  }

  #setDay(value: number): number {
    this.day = value;
    return DAY;
  }

  /** Digits without separators: yyyymmdd, yymmdd, hhmmss, hhmm, with a fraction of seconds. */
  #runTogether(text: string, seen: number): number {
    const [digits = '', fraction] = text.split('.');
    if (fraction === undefined && (seen & DATE) !== DATE && digits.length >= 6) {
      this.day = Number(digits.slice(-2));
      this.month = Number(digits.slice(-4, -2));
      this.year = Number(digits.slice(0, -4));
      this.shortYear = digits.length === 6;
      return DATE;
    }
    if ((seen & TIME) !== 0) throw new DecodeFailure('format');
    if (digits.length !== 6 && digits.length !== 4) throw new DecodeFailure('format');
    this.hour = Number(digits.slice(0, 2));
    this.minute = Number(digits.slice(2, 4));
    this.second = Number(digits.slice(4) || '0');
    if (fraction !== undefined) this.fraction = fractionMicros(fraction);
    return TIME;
  }

  #readClock(text: string): void {
    const match = /^(\d+):(\d+)(?::(\d+))?(?:\.(\d*))?$/.exec(text);
    if (match === null) throw new DecodeFailure('format');
    this.hour = Number(match[1]);
    this.minute = Number(match[2]);
    this.second = Number(match[3] ?? 0);
    if (match[4] !== undefined) {
      if (match[3] === undefined) {
        // mm:ss.fff, as an interval would read it.
        this.second = this.minute;
        this.minute = this.hour;
        this.hour = 0;
      }
      this.fraction = fractionMicros(match[4]);
    }
    if (this.minute > 59 || this.second > 60) throw new DecodeFailure('overflow');
  }

  #word(text: string, next: Field | undefined): number {
    const abbreviation = zoneAbbreviations.get(text);
    if (abbreviation !== undefined && text !== 'sat') {
      this.zone = { kind: 'fixed', offsetSeconds: abbreviation, name: text };
      return ZONE;
    }
    const word = findWord(text);
    if (word === undefined) {
      this.zone = findZone(text);
      if (this.zone === undefined) throw new DecodeFailure('format');
      return ZONE;
    }
    switch (word.kind) {
      case 'ignore':
        return 0;
      case 'month':
        if ((this.seen & MONTH) !== 0 && !this.textMonth && (this.seen & DAY) === 0) {
          // The number taken for the month was the day: 2 jan 2024.
          this.day = this.month;
          this.textMonth = true;
          this.month = word.value;
          return DAY;
        }
        this.textMonth = true;
        this.month = word.value;
        return MONTH;
      case 'weekday':
        return WEEKDAY;
      case 'unit':
        throw new DecodeFailure('format');
      case 'meridiem':
        this.meridiem = word.value;
        return MERIDIEM;
      case 'era':
        this.bc = word.value === 'bc';
        return ERA;
      case 'dst':
        if (this.zone?.kind !== 'fixed') throw new DecodeFailure('format');
        this.zone = { ...this.zone, offsetSeconds: this.zone.offsetSeconds + 3600 };
        return 0;
      case 'julian':
        this.#expectNext('julian');
        return 0;
      case 'iso-time':
        if (!this.timeOnly && (this.seen & DATE) !== DATE) throw new DecodeFailure('format');
        if (next === undefined || next.kind === 'word' || next.kind === 'zone') {
          throw new DecodeFailure('format');
        }
        this.#expectNext('time');
        return 0;
      case 'reserved':
        return this.#reserved(word.value);
    }
  }

  #expectNext(what: 'time' | 'julian'): void {
    if (this.expect !== undefined) throw new DecodeFailure('format');
    this.expect = what;
  }

  #reserved(value: string): number {
    switch (value) {
      case 'now':
      case 'epoch':
      case 'infinity':
      case '-infinity':
        if (this.timeOnly && value !== 'now') throw new DecodeFailure('format');
        this.special = value;
        return DATE | TIME | ZONE;
      case 'allballs':
        this.zone = utc;
        return TIME | ZONE;
      default: {
        const shift = value === 'tomorrow' ? 1 : value === 'yesterday' ? -1 : 0;
        const today = splitTimestamp(requireNow(this.nowMicros)).days + shift;
        const civil = civilFromDays(today);
        this.year = civil.year;
        this.month = civil.month;
        this.day = civil.day;
        return DATE;
      }
    }
  }

  #finish(): Decoded {
    if (this.meridiem !== undefined) {
      if (this.hour > 12) throw new DecodeFailure('overflow');
      if (this.meridiem === 'am' && this.hour === 12) this.hour = 0;
      else if (this.meridiem === 'pm' && this.hour !== 12) this.hour += 12;
    }
    const seconds = this.hour * 3600 + this.minute * 60 + this.second;
    const time = BigInt(seconds) * MICROS_PER_SECOND + BigInt(this.fraction);
    if (this.minute > 59 || this.second > 60 || time > MICROS_PER_DAY) {
      throw new DecodeFailure('overflow');
    }
    const days = this.#days();
    if (days === undefined && (this.seen & TIME) === 0) throw new DecodeFailure('format');
    return { special: undefined, days, time, zone: this.zone };
  }

  #days(): number | undefined {
    if (this.julianDay !== undefined) return this.julianDay - JULIAN_DAY_OF_EPOCH;
    if ((this.seen & YEAR) !== 0) {
      if (this.bc) {
        if (this.year <= 0) throw new DecodeFailure('overflow');
        this.year = 1 - this.year;
      } else if (this.shortYear) {
        this.year += this.year < 70 ? 2000 : 1900;
      } else if (this.year <= 0 && !this.#fromNow()) {
        throw new DecodeFailure('overflow');
      }
    }
    if (this.dayOfYear !== undefined) return daysFromCivil(this.year, 1, this.dayOfYear);
    if ((this.seen & MONTH) !== 0 && (this.month < 1 || this.month > 12)) {
      throw new DecodeFailure('overflow');
    }
    if ((this.seen & DAY) !== 0 && (this.day < 1 || this.day > 31)) {
      throw new DecodeFailure('overflow');
    }
    if ((this.seen & DATE) !== DATE) {
      if ((this.seen & DATE) !== 0 && !this.timeOnly) throw new DecodeFailure('format');
      return undefined;
    }
    if (this.day > daysInMonth(this.year, this.month)) throw new DecodeFailure('overflow');
    return daysFromCivil(this.year, this.month, this.day);
  }

  #fromNow(): boolean {
    return this.nowMicros !== undefined && this.nowMicros < -62135596800000000n;
  }
}

function fractionMicros(digits: string): number {
  return digits === '' ? 0 : roundHalfEven(Number(`0.${digits}`) * 1e6);
}

/** `+05:30`, `-8`, `+0530`. */
function decodeOffset(text: string): Zone {
  const match =
    /^([+-])(\d+):(\d+)(?::(\d+))?$/.exec(text) ??
    /^([+-])(\d{1,2})(\d\d)(\d\d)?$/.exec(text) ??
    /^([+-])(\d{1,2})$/.exec(text);
  if (match === null) throw new DecodeFailure('format');
  const hours = Number(match[2]);
  const minutes = Number(match[3] ?? 0);
  const seconds = Number(match[4] ?? 0);
  if (hours > 15 || minutes > 59 || seconds > 59) throw new DecodeFailure('zone-offset');
  const magnitude = hours * 3600 + minutes * 60 + seconds;
  return {
    kind: 'fixed',
    offsetSeconds: match[1] === '-' ? -magnitude : magnitude,
    name: text,
  };
}

export function requireNow(nowMicros: bigint | undefined): bigint {
  if (nowMicros !== undefined) return nowMicros;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    'now, today, tomorrow and yesterday are not accepted as text here',
    { hint: 'Use now() or current_date.' },
  );
}
