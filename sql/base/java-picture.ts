/**
 * Patterns of Java's DateTimeFormatter, which ksqlDB and Flink write dates and times with: the letters y u M L d D E H h K k m s S a,
 * text in quotes, and anything that is no letter. English names, as Locale.ENGLISH has them.
 */
import {
  civilFromDays,
  dayOfWeek,
  daysFromCivil,
  daysInMonth,
  isInfiniteTimestamp,
  isLeapYear,
  joinTimestamp,
  splitTimestamp,
} from './datetime.ts';
import { StreamError } from './error.ts';

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly letter: string; readonly width: number };

const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September'],
  ...['October', 'November', 'December'],
];
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const short = (name: string): string => name.slice(0, 3);

/** The most times that each letter may stand one after the other. */
const widths: ReadonlyMap<string, number> = new Map(
  Object.entries({ y: 9, u: 9, M: 4, L: 4, d: 2, D: 3, E: 4, H: 2, h: 2, K: 2, k: 2, m: 2, s: 2 }),
);
const FRACTION_MAX = 9;
const maxWidth = (letter: string): number =>
  letter === 'S' ? FRACTION_MAX : letter === 'a' ? 1 : (widths.get(letter) ?? 0);

function refuse(pattern: string, at: number, what: string): StreamError {
  return new StreamError(
    'VALUE_INVALID_PARAMETER',
    `${what} at position ${at + 1} of the pattern "${pattern}" is not supported`,
    { hint: "The letters are y u M L d D E H h K k m s S a; other text stands in quotes: 'T'." },
  );
}

const parsed = new Map<string, readonly Part[]>();
const readers = new Map<string, RegExp>();
/** Patterns kept. */
const PATTERNS_MAX = 256;

function remember<V>(cache: Map<string, V>, key: string, make: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (cache.size >= PATTERNS_MAX) cache.clear();
  cache.set(key, made);
  return made;
}

const partsOf = (pattern: string): readonly Part[] =>
  remember(parsed, pattern, () => parse(pattern));

function parse(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; ) {
    const char = pattern.charAt(at);
    if (char === "'") {
      const { text, end } = quoted(pattern, at);
      parts.push({ kind: 'text', text });
      at = end;
      continue;
    }
    if (!/[A-Za-z]/.test(char)) {
      if (/[[\]{}#]/.test(char)) throw refuse(pattern, at, `"${char}"`);
      parts.push({ kind: 'text', text: char });
      at++;
      continue;
    }
    let width = 1;
    while (pattern.charAt(at + width) === char) width++;
    if (width > maxWidth(char)) throw refuse(pattern, at, `"${char.repeat(width)}"`);
    parts.push({ kind: 'field', letter: char, width });
    at += width;
  }
  return parts;
}

/** From one quote to the next; two of them are a quote. */
function quoted(pattern: string, start: number): { text: string; end: number } {
  let text = '';
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern.charAt(at) !== "'") text += pattern.charAt(at);
    else if (pattern.charAt(at + 1) === "'" && at > start + 1) text += pattern.charAt(at++);
    else return { text: at === start + 1 ? "'" : text, end: at + 1 };
  }
  throw refuse(pattern, start, 'a quote without its end');
}

const digits = (value: number, width: number): string => String(value).padStart(width, '0');

interface Moment {
  readonly days: number;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly time: bigint;
}

/** @param micros  microseconds since 1970 on the wall clock that is shown. @throws StreamError VALUE_INVALID_PARAMETER, VALUE_DATETIME_OVERFLOW. */
export function formatByJava(micros: bigint, pattern: string): string {
  const parts = partsOf(pattern);
  if (isInfiniteTimestamp(micros)) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', 'an infinite timestamp has no fields');
  }
  const { days, time } = splitTimestamp(micros);
  const moment = { ...civilFromDays(days), days, time, hour: Number(time / 3_600_000_000n) };
  return parts
    .map((part) => (part.kind === 'text' ? part.text : show(part.letter, part.width, moment)))
    .join('');
}

function show(letter: string, width: number, moment: Moment): string {
  const { days, year, month, day, hour, time } = moment;
  switch (letter) {
    case 'y':
    case 'u':
      return showYear(letter === 'y' && year <= 0 ? 1 - year : year, width);
    case 'M':
    case 'L': {
      const name = months[month - 1] as string;
      return width === 4 ? name : width === 3 ? short(name) : digits(month, width);
    }
    case 'd':
      return digits(day, width);
    case 'D':
      return digits(days - daysFromCivil(year, 1, 1) + 1, width);
    case 'E': {
      const name = weekdays[dayOfWeek(days)] as string;
      return width === 4 ? name : short(name);
    }
    case 'H':
      return digits(hour, width);
    case 'h':
      return digits(hour % 12 || 12, width);
    case 'K':
      return digits(hour % 12, width);
    case 'k':
      return digits(hour || 24, width);
    case 'm':
      return digits(Number((time / 60_000_000n) % 60n), width);
    case 's':
      return digits(Number((time / 1_000_000n) % 60n), width);
    case 'S':
      return digits(Number(time % 1_000_000n), 6)
        .padEnd(FRACTION_MAX, '0')
        .slice(0, width);
    default:
      return hour < 12 ? 'AM' : 'PM';
  }
}

/** Two letters are the last two digits; from four on a longer year has its sign in front. */
function showYear(year: number, width: number): string {
  if (width === 2) return digits(Math.abs(year) % 100, 2);
  const sign = year < 0 ? '-' : width >= 4 && String(year).length > width ? '+' : '';
  return sign + digits(Math.abs(year), width);
}

/** What a field's text may be; every field is one group. */
function readable(letter: string, width: number): string {
  const oneOf = (names: readonly string[]): string => `(${names.join('|')})`;
  switch (letter) {
    case 'y':
    case 'u':
      if (width === 2) return '(\\d{2})';
      return width < 4 ? `(\\d{${width},6})` : `(\\d{${width}}|\\+\\d{${width + 1},9})`;
    case 'M':
    case 'L':
      if (width > 2) return oneOf(width === 4 ? months : months.map(short));
      return width === 1 ? '(\\d{1,2})' : '(\\d{2})';
    case 'E':
      return oneOf(width === 4 ? weekdays : weekdays.map(short));
    case 'D':
      return `(\\d{${width},3})`;
    case 'S':
      return `(\\d{${width}})`;
    case 'a':
      return '(AM|PM)';
    default:
      return width === 1 ? '(\\d{1,2})' : '(\\d{2})';
  }
}

function readerOf(pattern: string, parts: readonly Part[]): RegExp {
  const source = parts.map((part) =>
    part.kind === 'text'
      ? part.text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
      : readable(part.letter, part.width),
  );
  return remember(readers, pattern, () => new RegExp(`^${source.join('')}$`, 'u'));
}

/**
 * The time on the wall clock that the text tells, in microseconds since 1970. Fields that the pattern has not are those of
 * 1970-01-01 00:00; a day behind the end of its month is the last one, as Java's SMART resolving has it.
 * @throws StreamError VALUE_INVALID_DATETIME, VALUE_INVALID_PARAMETER.
 */
export function parseByJava(text: string, pattern: string): bigint {
  const parts = partsOf(pattern);
  const fields = parts.filter((part) => part.kind === 'field');
  const wrong = (): StreamError =>
    new StreamError(
      'VALUE_INVALID_DATETIME',
      `the text "${text}" does not match the pattern "${pattern}"`,
    );
  const match = readerOf(pattern, parts).exec(text);
  if (match === null) throw wrong();
  const values = new Map<string, number>();
  for (const [index, { letter, width }] of fields.entries()) {
    const name = letter === 'u' ? 'y' : letter === 'L' ? 'M' : letter;
    const value = fieldValue(name, width, match[index + 1] as string);
    if ((values.get(name) ?? value) !== value) throw wrong();
    values.set(name, value);
  }
  const days = resolveDays(values);
  const time = resolveTime(values, pattern);
  if (days === undefined || time === undefined) throw wrong();
  return joinTimestamp(days, time);
}

function fieldValue(name: string, width: number, text: string): number {
  if (name === 'a') return text === 'PM' ? 1 : 0;
  if (name === 'E') return weekdays.findIndex((weekday) => weekday.startsWith(text));
  if (name === 'M' && width > 2) return months.findIndex((month) => month.startsWith(text)) + 1;
  if (name === 'S') return Number(text.padEnd(FRACTION_MAX, '0').slice(0, 6));
  return Number(text) + (name === 'y' && width === 2 ? 2000 : 0);
}

const between = (value: number, low: number, high: number): boolean =>
  value >= low && value <= high;

function resolveDays(values: ReadonlyMap<string, number>): number | undefined {
  const year = values.get('y') ?? 1970;
  const month = values.get('M') ?? 1;
  const day = values.get('d') ?? 1;
  if (!between(month, 1, 12) || !between(day, 1, 31)) return undefined;
  let days = daysFromCivil(year, month, Math.min(day, daysInMonth(year, month)));
  const ofYear = values.get('D');
  if (ofYear !== undefined) {
    if (!between(ofYear, 1, isLeapYear(year) ? 366 : 365)) return undefined;
    const counted = daysFromCivil(year, 1, 1) + ofYear - 1;
    if ((values.has('M') || values.has('d')) && counted !== days) return undefined;
    days = counted;
  }
  const weekday = values.get('E');
  return weekday === undefined || weekday === dayOfWeek(days) ? days : undefined;
}

function resolveTime(values: ReadonlyMap<string, number>, pattern: string): bigint | undefined {
  const minute = values.get('m') ?? 0;
  const second = values.get('s') ?? 0;
  const hour = resolveHour(values, pattern);
  if (hour === undefined || minute > 59 || second > 59) return undefined;
  const seconds = (hour * 60 + minute) * 60 + second;
  return BigInt(seconds) * 1_000_000n + BigInt(values.get('S') ?? 0);
}

/** H counts 0-23, k 1-24, and with AM or PM K counts 0-11 and h 1-12. */
function resolveHour(values: ReadonlyMap<string, number>, pattern: string): number | undefined {
  const half = values.get('a');
  for (const [letter, low, high] of [
    ['K', 0, 11],
    ['h', 1, 12],
  ] as const) {
    const value = values.get(letter);
    if (value === undefined) continue;
    if (half === undefined)
      throw refuse(pattern, pattern.indexOf(letter), `"${letter}" without "a"`);
    return between(value, low, high) ? (value % 12) + 12 * half : undefined;
  }
  const clock = values.get('k');
  if (clock !== undefined) return between(clock, 1, 24) ? clock % 24 : undefined;
  const hour = values.get('H') ?? 0;
  if (hour > 23) return undefined;
  return half === undefined || !values.has('H') || half === Number(hour > 11) ? hour : undefined;
}
