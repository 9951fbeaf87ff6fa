/** Aggregates that keep their values in order: string_agg, array_agg, histogram. */
import { arrayLengths, sameLengths } from '../base/array-shape.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { mapOf } from '../base/map.ts';
import type { Accumulator } from './aggregate-function.ts';

type Arguments = readonly (Datum | null)[];

/**
 * Rows in the order of their arrival. Taking a row back removes the last one that is the same value
 * by `sameKey`; where the order matters the engine feeds a group anew instead.
 */
export function orderedRows(finish: (rows: readonly Arguments[]) => Datum | null): Accumulator {
  const rows: Arguments[] = [];
  return {
    add: (args, weight) => {
      for (let copy = 0; copy < weight; copy++) rows.push(args);
      for (let copy = 0; copy < -weight; copy++) {
        const index = rows.findLastIndex((row) => row.every((value, i) => same(value, args[i])));
        if (index >= 0) rows.splice(index, 1);
      }
    },
    result: () => (rows.length === 0 ? null : finish(rows)),
    save: () => rows,
    load: (state) => {
      for (const row of state) rows.push(row as Arguments);
    },
  };
}

/** Same datum by content, for every form that a datum has. */
function same(left: Datum | null | undefined, right: Datum | null | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return Number.isNaN(left) && Number.isNaN(right);
  }
  const a = Object.entries(left);
  const b = new Map<string, unknown>(Object.entries(right));
  return a.length === b.size && a.every(([key, value]) => same(value, b.get(key) as Datum));
}

export function stringAggregate(): Accumulator {
  return orderedRows((rows) => {
    let text = '';
    rows.forEach(([value, delimiter], index) => {
      if (index > 0) text += (delimiter as string | null) ?? '';
      text += value as string;
    });
    return text;
  });
}

export function arrayAggregate(): Accumulator {
  return orderedRows((rows) => rows.map((row) => row[0] ?? null));
}

/** Of arrays: one of a dimension more. @throws StreamError VALUE_NULL_NOT_ALLOWED, VALUE_ARRAY_SUBSCRIPT. */
export function arrayOfArraysAggregate(): Accumulator {
  return orderedRows((rows) => {
    const arrays = rows.map(([array = null]): Items => {
      if (Array.isArray(array)) return array;
      throw new StreamError('VALUE_NULL_NOT_ALLOWED', 'cannot accumulate null arrays');
    });
    const lengths = arrays.map((items) => arrayLengths(items));
    const [first = []] = lengths;
    if (first.length === 0 && arrays.length > 0) {
      throw new StreamError('VALUE_ARRAY_SUBSCRIPT', 'cannot accumulate empty arrays');
    }
    if (lengths.every((one) => sameLengths(one, first))) return arrays;
    throw new StreamError(
      'VALUE_ARRAY_SUBSCRIPT',
      'cannot accumulate arrays of different dimensionality',
    );
  });
}

type Items = readonly (Datum | null)[];

/** How often each text occurs, as a map. */
export function histogramAggregate(): Accumulator {
  const counts = new Map<Datum, bigint>();
  const change = (text: Datum, by: bigint): void => {
    const count = (counts.get(text) ?? 0n) + by;
    if (count === 0n) counts.delete(text);
    else counts.set(text, count);
  };
  return {
    add: ([text = null], weight) => {
      if (text !== null) change(text, BigInt(weight));
    },
    result: () => (counts.size === 0 ? null : mapOf(counts, { kind: 'text' })),
    save: () => [...counts],
    load: (state) => {
      for (const [text, count] of state as readonly (readonly [Datum, bigint])[]) {
        change(text, count);
      }
    },
  };
}
