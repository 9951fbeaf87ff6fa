/** Maps are arrays of their entries: rows (key, value), in the order of the keys, each key once. So they are compared, hashed and stored. */
import type { Datum } from './datum.ts';
import { StreamError } from './error.ts';
import type { SqlType } from './type.ts';
import { comparator } from './value.ts';

/** A key and its value; no key is NULL. */
export type MapEntry = readonly [key: Datum | null, value: Datum | null];

/**
 * The map of these entries; of those with one key the last.
 * @throws StreamError VALUE_NULL_NOT_ALLOWED for a key that is NULL.
 */
export function mapOf(entries: Iterable<MapEntry>, key: SqlType): readonly MapEntry[] {
  const compare = comparator(key);
  const sorted = [...entries];
  for (const [own] of sorted) {
    if (own !== null) continue;
    throw new StreamError('VALUE_NULL_NOT_ALLOWED', 'the key of a map must not be null');
  }
  // The sort is stable.
  sorted.sort(([a], [b]) => compare(a as Datum, b as Datum));
  return sorted.filter(([own], i) => {
    const next = sorted[i + 1];
    return next === undefined || compare(own as Datum, next[0] as Datum) !== 0;
  });
}

/** The value of a key, NULL when it is not there. */
export function mapValue(map: readonly MapEntry[], key: Datum, type: SqlType): Datum | null {
  const compare = comparator(type);
  let low = 0;
  let high = map.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const entry = map[middle] as MapEntry;
    const order = compare(entry[0] as Datum, key);
    if (order === 0) return entry[1];
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}
