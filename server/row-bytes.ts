import type { Datum, Row } from '../sql/base/datum.ts';

/** What a value takes beside its own content: a slot and an object's header. */
const VALUE_BYTES = 16;
const ROW_BYTES = 32;

/** About as many bytes as a row takes in memory; for limits, not for accounts. */
export function rowBytes(row: Row): number {
  let bytes = ROW_BYTES;
  for (const value of row) bytes += valueBytes(value);
  return bytes;
}

function valueBytes(value: Datum | null): number {
  if (typeof value === 'string') return VALUE_BYTES + 2 * value.length;
  if (value instanceof Uint8Array) return VALUE_BYTES + value.length;
  if (!Array.isArray(value)) return 2 * VALUE_BYTES;
  let bytes = VALUE_BYTES;
  for (const item of value) bytes += valueBytes(item);
  return bytes;
}
