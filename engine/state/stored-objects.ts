import { assert } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { BatchColumn, Nulls } from '../delta/column.ts';
import { SEGMENT_MASK, SEGMENT_ROWS, SEGMENT_SHIFT } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';
import type { StoredValues } from './stored-column.ts';

/** About what a small array, interval or byte string takes on the JavaScript heap. */
const OBJECT_BYTES = 100;

/** bytea, interval, arrays and rows: references to JavaScript values, which are never changed. */
export class StoredObjects implements StoredValues {
  readonly arrays: (Datum | null)[][] = [];
  #held = 0;

  ensure(rows: number): void {
    while (this.arrays.length * SEGMENT_ROWS < rows) this.arrays.push([]);
  }

  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void {
    assert(column.physical === 'obj', 'an object column is stored from one');
    const values = column.values;
    for (let i = 0; i < count; i++) this.#set(to[i] as number, values[from[i] as number] ?? null);
  }

  putOne(column: BatchColumn, from: number, to: number): void {
    assert(column.physical === 'obj', 'an object column is stored from one');
    this.#set(to, column.values[from] ?? null);
  }

  gather(from: Int32Array, count: number, nulls: Nulls): BatchColumn {
    const values: (Datum | null)[] = [];
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      values.push(row < 0 ? null : this.get(row));
    }
    return { physical: 'obj', values, nulls };
  }

  get(row: number): Datum | null {
    return (this.arrays[row >>> SEGMENT_SHIFT] as (Datum | null)[])[row & SEGMENT_MASK] ?? null;
  }

  release(row: number): void {
    this.#set(row, null);
  }

  bytes(): number {
    return this.#held * OBJECT_BYTES;
  }

  save(to: StateWriter): void {
    to.number(this.#held);
    to.number(this.arrays.length);
    for (const array of this.arrays) to.data(array);
  }

  load(from: StateReader): void {
    this.#held = from.number();
    this.arrays.length = 0;
    for (let count = from.number(); count > 0; count--) this.arrays.push(from.data());
  }

  #set(row: number, value: Datum | null): void {
    const array = this.arrays[row >>> SEGMENT_SHIFT] as (Datum | null)[];
    const at = row & SEGMENT_MASK;
    // Cells are filled in order, so that the array stays dense.
    while (array.length <= at) array.push(null);
    if ((array[at] ?? null) !== null) this.#held--;
    array[at] = value;
    if (value !== null) this.#held++;
  }
}
