import type { Datum } from '../../sql/base/datum.ts';
import { type Interval, MICROS_PER_DAY } from '../../sql/base/interval.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { RangeValue } from '../../sql/base/range.ts';

/**
 * A text that is the same for values that PostgreSQL calls equal and different for all others. Intervals count a
 * month as 30 days, as interval_eq does; numbers inside arrays and rows compare as numbers.
 */
export function objectKey(value: Datum | null): string {
  if (value === null) return 'n';
  switch (typeof value) {
    case 'boolean':
      return value ? 't' : 'f';
    case 'number':
      return `d${value === 0 ? 0 : value}`;
    case 'bigint':
      return `i${value}`;
    case 'string':
      return `s${value.length}:${value}`;
    default:
      break;
  }
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('hex')}`;
  if (value instanceof Numeric) return `m${value.hashKey()}`;
  if (value instanceof RangeValue) return `r${value.hashKey()}`;
  if (isInterval(value)) return `v${intervalMicros(value)}`;
  return `[${value.map(objectKey).join(',')}]`;
}

/** Tells values of equal objectKey apart that print differently: 1 month and 30 days, 1.0 and 1.00. */
export function exactObjectKey(value: Datum | null): string {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) {
    return Object.is(value, -0) ? 'd-0' : objectKey(value);
  }
  if (value instanceof Numeric) return `m${value.toString()}`;
  if (value instanceof RangeValue) return `r${value}`;
  if (isInterval(value)) return `v${value.months} ${value.days} ${value.micros}`;
  return `[${value.map(exactObjectKey).join(',')}]`;
}

function isInterval(value: Interval | readonly (Datum | null)[]): value is Interval {
  return !Array.isArray(value);
}

/** The length by which PostgreSQL compares intervals. */
export function intervalMicros(value: Interval): bigint {
  return BigInt(value.months * 30 + value.days) * MICROS_PER_DAY + value.micros;
}
