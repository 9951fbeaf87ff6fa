/** Orders of stored rows: ORDER BY columns first, then every column, so that only equal rows compare as 0. */
import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { comparator, compareDoubles } from '../../sql/base/value.ts';
import { physicalOf } from '../delta/column.ts';
import { exactObjectKey } from './object-key.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT } from './segments.ts';
import {
  StoredBools,
  type StoredColumn,
  StoredDoubles,
  StoredInt32s,
  StoredInt64s,
} from './stored-column.ts';
import { StoredNumerics } from './stored-numerics.ts';
import { StoredObjects } from './stored-objects.ts';
import { StoredStrings } from './stored-strings.ts';
import { StringArena } from './string-arena.ts';

export interface RowOrderColumn {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** Negative when row `left` comes before row `right`. */
export type CompareRows = (left: number, right: number) => number;

/** PostgreSQL's order by the given columns; 0 = peers. */
export function orderBy(
  columns: readonly StoredColumn[],
  types: readonly SqlType[],
  order: readonly RowOrderColumn[],
): CompareRows {
  return inTurn(
    order.map(({ column, descending, nullsFirst }) => {
      const stored = columns[column] as StoredColumn;
      const compare = compareValues(stored, types[column] as SqlType, false);
      return withNulls(stored, descending ? (a, b) => compare(b, a) : compare, nullsFirst);
    }),
  );
}

/** A total order in which only rows that print alike are equal. */
export function orderExactly(
  columns: readonly StoredColumn[],
  types: readonly SqlType[],
): CompareRows {
  return inTurn(
    columns.map((stored, column) =>
      withNulls(stored, compareValues(stored, types[column] as SqlType, true), false),
    ),
  );
}

/** The first of the given orders that tells two rows apart. */
export function inTurn(compares: readonly CompareRows[]): CompareRows {
  const [first, second] = compares;
  if (first === undefined) return () => 0;
  if (second === undefined) return first;
  if (compares.length === 2) return (a, b) => first(a, b) || second(a, b);
  return (a, b) => {
    for (const compare of compares) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function withNulls(stored: StoredColumn, compare: CompareRows, nullsFirst: boolean): CompareRows {
  const nullOrder = nullsFirst ? -1 : 1;
  return (a, b) => {
    if (stored.nulls !== null) {
      const aNull = stored.isNull(a);
      const bNull = stored.isNull(b);
      if (aNull) return bNull ? 0 : nullOrder;
      if (bNull) return -nullOrder;
    }
    return compare(a, b);
  };
}

function compareValues(stored: StoredColumn, type: SqlType, exactly: boolean): CompareRows {
  const { values } = stored;
  const physical = physicalOf(type);
  switch (physical) {
    case 'bool':
    case 'i32': {
      if (!(values instanceof StoredBools || values instanceof StoredInt32s)) break;
      const segments = values.segments;
      return (a, b) => {
        const left = segments.get(a);
        const right = segments.get(b);
        return left < right ? -1 : left > right ? 1 : 0;
      };
    }
    case 'i64': {
      if (!(values instanceof StoredInt64s)) break;
      const { words } = values.segments;
      return (a, b) => {
        const left = words[a >>> SEGMENT_SHIFT] as Int32Array;
        const right = words[b >>> SEGMENT_SHIFT] as Int32Array;
        const i = 2 * (a & SEGMENT_MASK);
        const j = 2 * (b & SEGMENT_MASK);
        const high = (left[i + 1] as number) - (right[j + 1] as number);
        return high !== 0 ? high : ((left[i] as number) >>> 0) - ((right[j] as number) >>> 0);
      };
    }
    case 'f64': {
      if (!(values instanceof StoredDoubles)) break;
      const { segments } = values;
      return (a, b) => {
        const left = segments.get(a);
        const right = segments.get(b);
        const order = compareDoubles(left, right);
        if (order !== 0 || !exactly || Object.is(left, right)) return order;
        return Object.is(left, -0) ? -1 : 1;
      };
    }
    case 'num':
      if (!(values instanceof StoredNumerics)) break;
      return (a, b) => {
        const left = values.get(a);
        const right = values.get(b);
        return left.compare(right) || (exactly ? left.scale - right.scale : 0);
      };
    case 'str':
      if (!(values instanceof StoredStrings)) break;
      if (!exactly && (type.kind === 'jsonb' || type.kind === 'char')) {
        const compare = comparator(type);
        return (a, b) => compare(values.get(a), values.get(b));
      }
      return (a, b) => compareStrings(values, a, b);
    case 'obj': {
      if (!(values instanceof StoredObjects)) break;
      const compare = comparator(type);
      return (a, b) => {
        const left = values.get(a);
        const right = values.get(b);
        if (left === null || right === null) return 0;
        return compare(left, right) || (exactly ? compareKeys(left, right) : 0);
      };
    }
    default:
      return assertNever(physical);
  }
  throw new Error(`assertion failed: ${physical} values are not stored as such`);
}

/** Any order that tells apart what prints differently; for ties only. */
function compareKeys(left: Datum, right: Datum): number {
  const a = exactObjectKey(left);
  const b = exactObjectKey(right);
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareStrings(values: StoredStrings, a: number, b: number): number {
  const { chunks } = values.arena;
  const left = values.addresses.get(a);
  const right = values.addresses.get(b);
  const leftLength = values.lengths.get(a);
  const rightLength = values.lengths.get(b);
  const length = Math.min(leftLength, rightLength);
  if (length > 0) {
    const leftChunk = chunks[StringArena.chunkOf(left)] as Buffer;
    const rightChunk = chunks[StringArena.chunkOf(right)] as Buffer;
    const i = StringArena.offsetOf(left);
    const j = StringArena.offsetOf(right);
    for (let k = 0; k < length; k++) {
      const difference = (leftChunk[i + k] as number) - (rightChunk[j + k] as number);
      if (difference !== 0) return difference;
    }
  }
  return leftLength - rightLength;
}
