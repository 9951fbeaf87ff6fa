import { assertNever } from '../../sql/base/assert.ts';
import {
  type BatchColumn,
  type Int32Column,
  type Int64Column,
  type NumericColumn,
  type ObjectColumn,
  type StringColumn,
  WIDE_SCALE,
} from '../delta/column.ts';
import { wordsOf } from '../state/segments.ts';

/**
 * Sets changed[i] to 1 where two columns of one type differ in row i, in value or in how it prints. A mark too
 * many only costs a retraction and an equal insertion.
 */
export function markChanges(
  before: BatchColumn,
  after: BatchColumn,
  count: number,
  changed: Uint8Array,
): void {
  for (let i = 0; i < count; i++) {
    const wasNull = before.nulls !== null && before.nulls[i] === 1;
    const isNull = after.nulls !== null && after.nulls[i] === 1;
    if (wasNull !== isNull) changed[i] = 1;
  }
  if (formOf(after) !== formOf(before)) {
    throw new Error('assertion failed: columns differ in form');
  }
  switch (before.physical) {
    case 'bool':
    case 'i32':
    case 'f64': {
      const old = before.values as ArrayLike<number>;
      const now = (after as Int32Column).values as ArrayLike<number>;
      for (let i = 0; i < count; i++) if (!Object.is(old[i], now[i])) changed[i] = 1;
      return;
    }
    case 'i64':
      markWords(wordsOf(before.values), wordsOf((after as Int64Column).values), count, changed);
      return;
    case 'num':
      markNumerics(before, after as NumericColumn, count, changed);
      return;
    case 'str': {
      const now = after as StringColumn;
      for (let i = 0; i < count; i++) {
        if (changed[i] === 1 || (before.nulls !== null && before.nulls[i] === 1)) continue;
        if (before.get(i) !== now.get(i)) changed[i] = 1;
      }
      return;
    }
    case 'obj':
      for (let i = 0; i < count; i++) {
        if (before.values[i] !== (after as ObjectColumn).values[i]) changed[i] = 1;
      }
      return;
    default:
      assertNever(before);
  }
}

/** A string, since a comparison of the members themselves would narrow both unions to nothing. */
function formOf(column: BatchColumn): string {
  return column.physical;
}

function markWords(old: Int32Array, now: Int32Array, count: number, changed: Uint8Array): void {
  for (let i = 0; i < count; i++) {
    if (old[2 * i] !== now[2 * i] || old[2 * i + 1] !== now[2 * i + 1]) changed[i] = 1;
  }
}

function markNumerics(
  before: NumericColumn,
  after: NumericColumn,
  count: number,
  changed: Uint8Array,
): void {
  markWords(wordsOf(before.values), wordsOf(after.values), count, changed);
  for (let i = 0; i < count; i++) {
    const scale = after.scales[i];
    if (before.scales[i] !== scale || scale === WIDE_SCALE) changed[i] = 1;
  }
}
