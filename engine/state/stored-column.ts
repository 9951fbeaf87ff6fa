/**
 * One column of state: values by row number, in the physical forms of engine/delta/column.ts. Columns copy what
 * they are given. Loops work on one column at a time, so each is compiled for one type of array.
 */

import { assert, assertNever } from '../../sql/base/assert.ts';
import type { BatchColumn, Nulls, Physical } from '../delta/column.ts';
import type { Saved } from './saved.ts';
import { Int64Segments, SEGMENT_MASK, SEGMENT_SHIFT, Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';
import { StoredNumerics } from './stored-numerics.ts';
import { StoredObjects } from './stored-objects.ts';
import { StoredStrings } from './stored-strings.ts';
import type { StringArena } from './string-arena.ts';

export interface StoredValues extends Saved {
  ensure(rows: number): void;
  /** Copies `column[from[i]]` to row `to[i]`, for i < count. NULL rows may copy anything. */
  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void;
  /** The same for one row. */
  putOne(column: BatchColumn, from: number, to: number): void;
  /** The rows `from[i]` as a batch column; -1 stands for a NULL row, which may hold anything. */
  gather(from: Int32Array, count: number, nulls: Nulls): BatchColumn;
  /** The row will be written again or never read. */
  release(row: number): void;
  bytes(): number;
}

/** Which rows are NULL, around the values of one physical form. */
export class StoredColumn implements Saved {
  readonly physical: Physical;
  readonly values: StoredValues;
  /** Absent until the first NULL arrives. */
  nulls: Segments<Uint8Array> | null = null;
  #rows = 0;

  constructor(physical: Physical, arena: StringArena) {
    this.physical = physical;
    this.values = storedValues(physical, arena);
  }

  ensure(rows: number): void {
    this.#rows = rows;
    this.values.ensure(rows);
    this.nulls?.ensure(rows);
  }

  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void {
    this.values.put(column, from, to, count);
    if (column.nulls === null && this.nulls === null) return;
    if (this.nulls === null) {
      this.nulls = Segments.uint8();
      this.nulls.ensure(this.#rows);
    }
    const own = this.nulls.arrays;
    const nulls = column.nulls;
    for (let i = 0; i < count; i++) {
      const row = to[i] as number;
      (own[row >>> SEGMENT_SHIFT] as Uint8Array)[row & SEGMENT_MASK] =
        nulls === null ? 0 : (nulls[from[i] as number] as number);
    }
  }

  putOne(column: BatchColumn, from: number, to: number): void {
    this.values.putOne(column, from, to);
    this.putNull(column.nulls !== null && column.nulls[from] === 1, to);
  }

  /** Says whether a row is NULL whose value is written by the caller. */
  putNull(isNull: boolean, to: number): void {
    if (this.nulls === null) {
      if (!isNull) return;
      this.nulls = Segments.uint8();
      this.nulls.ensure(this.#rows);
    }
    this.nulls.set(to, isNull ? 1 : 0);
  }

  isNull(row: number): boolean {
    return this.nulls !== null && this.nulls.get(row) === 1;
  }

  gather(from: Int32Array, count: number): BatchColumn {
    return this.values.gather(from, count, this.#gatherNulls(from, count));
  }

  release(row: number): void {
    this.values.release(row);
  }

  bytes(): number {
    return this.values.bytes() + (this.nulls?.bytes ?? 0);
  }

  save(to: StateWriter): void {
    to.number(this.#rows);
    to.byte(this.nulls === null ? 0 : 1);
    this.nulls?.save(to);
    this.values.save(to);
  }

  load(from: StateReader): void {
    this.#rows = from.number();
    if (from.byte() === 1) {
      this.nulls = Segments.uint8();
      this.nulls.load(from);
    }
    this.values.load(from);
  }

  #gatherNulls(from: Int32Array, count: number): Nulls {
    const own = this.nulls?.arrays;
    let nulls: Uint8Array | null = null;
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      if (row >= 0) {
        if (own === undefined) continue;
        if ((own[row >>> SEGMENT_SHIFT] as Uint8Array)[row & SEGMENT_MASK] === 0) continue;
      }
      nulls ??= new Uint8Array(count);
      nulls[i] = 1;
    }
    return nulls;
  }
}

function storedValues(physical: Physical, arena: StringArena): StoredValues {
  switch (physical) {
    case 'bool':
      return new StoredBools();
    case 'i32':
      return new StoredInt32s();
    case 'i64':
      return new StoredInt64s();
    case 'f64':
      return new StoredDoubles();
    case 'num':
      return new StoredNumerics();
    case 'str':
      return new StoredStrings(arena);
    case 'obj':
      return new StoredObjects();
    default:
      return assertNever(physical);
  }
}

export class StoredBools implements StoredValues {
  readonly segments = Segments.uint8();

  ensure(rows: number): void {
    this.segments.ensure(rows);
  }

  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void {
    assert(column.physical === 'bool', 'a boolean column is stored from one');
    const values = column.values;
    const arrays = this.segments.arrays;
    for (let i = 0; i < count; i++) {
      const row = to[i] as number;
      (arrays[row >>> SEGMENT_SHIFT] as Uint8Array)[row & SEGMENT_MASK] = values[
        from[i] as number
      ] as number;
    }
  }

  putOne(column: BatchColumn, from: number, to: number): void {
    assert(column.physical === 'bool', 'a boolean column is stored from one');
    this.segments.set(to, column.values[from] as number);
  }

  gather(from: Int32Array, count: number, nulls: Nulls): BatchColumn {
    const values = new Uint8Array(count);
    const arrays = this.segments.arrays;
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      if (row < 0) continue;
      values[i] = (arrays[row >>> SEGMENT_SHIFT] as Uint8Array)[row & SEGMENT_MASK] as number;
    }
    return { physical: 'bool', values, nulls };
  }

  release(): void {}

  bytes(): number {
    return this.segments.bytes;
  }

  save(to: StateWriter): void {
    this.segments.save(to);
  }

  load(from: StateReader): void {
    this.segments.load(from);
  }
}

export class StoredInt32s implements StoredValues {
  readonly segments = Segments.int32();

  ensure(rows: number): void {
    this.segments.ensure(rows);
  }

  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void {
    assert(column.physical === 'i32', 'an integer column is stored from one');
    const values = column.values;
    const arrays = this.segments.arrays;
    for (let i = 0; i < count; i++) {
      const row = to[i] as number;
      (arrays[row >>> SEGMENT_SHIFT] as Int32Array)[row & SEGMENT_MASK] = values[
        from[i] as number
      ] as number;
    }
  }

  putOne(column: BatchColumn, from: number, to: number): void {
    assert(column.physical === 'i32', 'a integer column is stored from one');
    this.segments.set(to, column.values[from] as number);
  }

  gather(from: Int32Array, count: number, nulls: Nulls): BatchColumn {
    const values = new Int32Array(count);
    const arrays = this.segments.arrays;
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      if (row < 0) continue;
      values[i] = (arrays[row >>> SEGMENT_SHIFT] as Int32Array)[row & SEGMENT_MASK] as number;
    }
    return { physical: 'i32', values, nulls };
  }

  release(): void {}

  bytes(): number {
    return this.segments.bytes;
  }

  save(to: StateWriter): void {
    this.segments.save(to);
  }

  load(from: StateReader): void {
    this.segments.load(from);
  }
}

export class StoredInt64s implements StoredValues {
  readonly segments = new Int64Segments();

  ensure(rows: number): void {
    this.segments.ensure(rows);
  }

  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void {
    assert(column.physical === 'i64', 'a bigint column is stored from one');
    this.segments.put(column.values, from, to, count);
  }

  putOne(column: BatchColumn, from: number, to: number): void {
    assert(column.physical === 'i64', 'a bigint column is stored from one');
    this.segments.set(to, column.values[from] as bigint);
  }

  gather(from: Int32Array, count: number, nulls: Nulls): BatchColumn {
    return { physical: 'i64', values: this.segments.gather(from, count), nulls };
  }

  release(): void {}

  bytes(): number {
    return this.segments.bytes;
  }

  save(to: StateWriter): void {
    this.segments.save(to);
  }

  load(from: StateReader): void {
    this.segments.load(from);
  }
}

export class StoredDoubles implements StoredValues {
  readonly segments = Segments.float64();

  ensure(rows: number): void {
    this.segments.ensure(rows);
  }

  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void {
    assert(column.physical === 'f64', 'a double column is stored from one');
    const values = column.values;
    const arrays = this.segments.arrays;
    for (let i = 0; i < count; i++) {
      const row = to[i] as number;
      (arrays[row >>> SEGMENT_SHIFT] as Float64Array)[row & SEGMENT_MASK] = values[
        from[i] as number
      ] as number;
    }
  }

  putOne(column: BatchColumn, from: number, to: number): void {
    assert(column.physical === 'f64', 'a double column is stored from one');
    this.segments.set(to, column.values[from] as number);
  }

  gather(from: Int32Array, count: number, nulls: Nulls): BatchColumn {
    const values = new Float64Array(count);
    const arrays = this.segments.arrays;
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      if (row < 0) continue;
      values[i] = (arrays[row >>> SEGMENT_SHIFT] as Float64Array)[row & SEGMENT_MASK] as number;
    }
    return { physical: 'f64', values, nulls };
  }

  release(): void {}

  bytes(): number {
    return this.segments.bytes;
  }

  save(to: StateWriter): void {
    this.segments.save(to);
  }

  load(from: StateReader): void {
    this.segments.load(from);
  }
}
