/** Dates, times and intervals as PostgreSQL prints them (DateStyle ISO, IntervalStyle postgres). */
import { civilFromDays, isInfiniteTimestamp, splitTimestamp } from './datetime.ts';
import { type Interval, intervalInfinity } from './interval.ts';
import { offsetAt, utc, type Zone } from './timezone.ts';
import { DATE_INFINITY, TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY } from './type.ts';

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** `2024-01-02`, and for years before 1 the year of the BC era; `bc` says so. */
function civilText(days: number): { readonly text: string; readonly bc: boolean } {
  const { year, month, day } = civilFromDays(days);
  const shown = year > 0 ? year : 1 - year;
  const years = shown < 1000 ? String(shown).padStart(4, '0') : String(shown);
  return { text: `${years}-${twoDigits(month)}-${twoDigits(day)}`, bc: year <= 0 };
}

/** `12:34:56.789`: fractional digits as many as needed. */
export function timeToText(micros: bigint): string {
  const total = Number(micros);
  const seconds = Math.floor(total / 1e6);
  const fraction = total - seconds * 1e6;
  const hours = Math.floor(seconds / 3600);
  const text = `${twoDigits(hours)}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
  return fraction === 0 ? text : `${text}.${fractionText(fraction)}`;
}

function fractionText(micros: number): string {
  return String(micros).padStart(6, '0').replace(/0+$/, '');
}

export function dateToText(days: number): string {
  if (days === DATE_INFINITY) return 'infinity';
  if (days === -DATE_INFINITY) return '-infinity';
  const { text, bc } = civilText(days);
  return bc ? `${text} BC` : text;
}

/** A timestamp without zone; `separator` is PostgreSQL's space or ISO 8601's T, `zone` a suffix. */
export function timestampToText(micros: bigint, separator = ' ', zone = ''): string {
  if (micros === TIMESTAMP_INFINITY) return 'infinity';
  if (micros === TIMESTAMP_NEGATIVE_INFINITY) return '-infinity';
  const { days, time } = splitTimestamp(micros);
  const { text, bc } = civilText(days);
  return `${text}${separator}${timeToText(time)}${zone}${bc ? ' BC' : ''}`;
}

/** A timestamp with zone, as the zone's wall clock and its offset. */
export function timestamptzToText(micros: bigint, zone: Zone = utc): string {
  if (zone === utc || isInfiniteTimestamp(micros)) return timestampToText(micros, ' ', '+00');
  const seconds = offsetAt(zone, micros);
  return timestampToText(micros + BigInt(seconds) * 1_000_000n, ' ', offsetText(seconds));
}

/** `+02`, `-03:30`, `+00:53:28`. */
function offsetText(seconds: number): string {
  const size = Math.abs(seconds);
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60];
  while (parts.length > 1 && parts.at(-1) === 0) parts.pop();
  return `${seconds < 0 ? '-' : '+'}${parts.map(twoDigits).join(':')}`;
}

export function intervalToText(value: Interval): string {
  const infinity = intervalInfinity(value);
  if (infinity !== 0) return infinity > 0 ? 'infinity' : '-infinity';
  let text = '';
  let afterNegative = false;
  const part = (count: number, unit: string): void => {
    if (count === 0) return;
    const plus = afterNegative && count > 0 ? '+' : '';
    text += `${text === '' ? '' : ' '}${plus}${count} ${unit}${count === 1 ? '' : 's'}`;
    afterNegative = count < 0;
  };
  const years = Math.trunc(value.months / 12);
  part(years, 'year');
  part(value.months - years * 12, 'mon');
  part(value.days, 'day');
  if (text !== '' && value.micros === 0n) return text;
  const negative = value.micros < 0n;
  const magnitude = negative ? -value.micros : value.micros;
  const sign = negative ? '-' : afterNegative ? '+' : '';
  return `${text}${text === '' ? '' : ' '}${sign}${clockText(magnitude)}`;
}

/** Hours may pass 99 here, and beyond 2^53 microseconds; so whole seconds are split off exactly. */
function clockText(micros: bigint): string {
  const seconds = Number(micros / 1_000_000n);
  const fraction = Number(micros % 1_000_000n);
  const hours = Math.floor(seconds / 3600);
  const text = `${twoDigits(hours)}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
  return fraction === 0 ? text : `${text}.${fractionText(fraction)}`;
}
