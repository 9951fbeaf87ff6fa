import type { Batch } from '../delta/batch.ts';
import type { BatchColumn, Physical } from '../delta/column.ts';
import { loadAll, type Saved, saveAll } from './saved.ts';
import { SEGMENT_ROWS } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';
import { StoredColumn } from './stored-column.ts';
import { StoredNumerics } from './stored-numerics.ts';
import { StoredObjects } from './stored-objects.ts';
import { StoredStrings } from './stored-strings.ts';
import { StringArena } from './string-arena.ts';

/** No row. */
export const NONE = -1;

/** Rows by dense numbers; numbers of released rows are given out again. */
export class RowStore implements Saved {
  readonly columns: readonly StoredColumn[];
  #arena = new StringArena(false);
  readonly #free: number[] = [];
  #end = 0;
  #capacity = 0;

  constructor(physicals: readonly Physical[]) {
    this.columns = physicals.map((physical) => new StoredColumn(physical, this.#arena));
  }

  /** Live rows. */
  get count(): number {
    return this.#end - this.#free.length;
  }

  /** Every row number given out so far is below this. */
  get end(): number {
    return this.#end;
  }

  /** A row number whose cells are to be filled. Columns that others keep by row number grow to `end`. */
  allocate(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    const row = this.#end++;
    if (row >= this.#capacity) {
      this.#capacity = Math.max(16, Math.min(row * 2, row + SEGMENT_ROWS));
      for (const column of this.columns) column.ensure(this.#capacity);
    }
    return row;
  }

  release(row: number): void {
    for (const column of this.columns) column.release(row);
    this.#free.push(row);
  }

  /** Forgets all rows and keeps their room. Batches gathered before stay valid. */
  clear(): void {
    for (const column of this.columns) {
      if (column.values instanceof StoredObjects || column.values instanceof StoredNumerics) {
        for (let row = 0; row < this.#end; row++) column.release(row);
      }
    }
    this.#useArena(new StringArena(true), 0);
    this.#free.length = 0;
    this.#end = 0;
  }

  #useArena(arena: StringArena, rows: number): void {
    for (const column of this.columns) {
      if (column.values instanceof StoredStrings) column.values.moveTo(arena, rows);
    }
    this.#arena = arena;
  }

  /** Copies batch rows `from[i]` to rows `to[i]`, the batch's columns in the order of the store's. */
  put(columns: readonly BatchColumn[], from: Int32Array, to: Int32Array, count: number): void {
    for (let i = 0; i < this.columns.length; i++) {
      (this.columns[i] as StoredColumn).put(columns[i] as BatchColumn, from, to, count);
    }
  }

  /** The same for one row. */
  putOne(columns: readonly BatchColumn[], from: number, to: number): void {
    for (let i = 0; i < this.columns.length; i++) {
      (this.columns[i] as StoredColumn).putOne(columns[i] as BatchColumn, from, to);
    }
  }

  gather(from: Int32Array, count: number): BatchColumn[] {
    return this.columns.map((column) => column.gather(from, count));
  }

  /** Call when no row number's strings are being read; batches gathered before stay valid. */
  compact(): void {
    if (!this.#arena.wantsCompaction) return;
    this.#useArena(new StringArena(true), this.#end);
  }

  save(to: StateWriter): void {
    to.mark('rows');
    to.number(this.#end);
    to.number(this.#capacity);
    to.number(this.#free.length);
    to.cells(Int32Array.from(this.#free));
    this.#arena.save(to);
    saveAll(this.columns, to);
  }

  load(from: StateReader): void {
    from.mark('rows');
    this.#end = from.number();
    this.#capacity = from.number();
    this.#free.length = 0;
    for (const row of from.cells(new Int32Array(from.number()))) this.#free.push(row);
    this.#arena.load(from);
    loadAll(this.columns, from);
  }

  bytes(): number {
    let bytes = this.#arena.bytes + this.#free.length * 4;
    for (const column of this.columns) bytes += column.bytes();
    return bytes;
  }
}

/** The columns of a batch in the given order. */
export function pickColumns(batch: Batch, columns: readonly number[]): BatchColumn[] {
  return columns.map((index) => batch.column(index));
}
