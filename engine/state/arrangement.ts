import type { Batch } from '../delta/batch.ts';
import type { BatchColumn, Physical } from '../delta/column.ts';
import { HashIndex } from './hash-index.ts';
import { NamedRows } from './named-rows.ts';
import { compileHash, type HashRows } from './row-hash.ts';
import { compileMatch, type RowMatch } from './row-match.ts';
import { NONE, RowStore } from './row-store.ts';
import { loadAll, type Saved, saveAll } from './saved.ts';
import { borrowRows, returnRows } from './scratch.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';
import type { StoredColumn } from './stored-column.ts';

export const LINK_SHIFT = 2;
export const WEIGHT = 0;
export const NEXT = 1;
const PREVIOUS = 2;
const HASH = 3;

/** In place of a previous row: the row number is free. */
const REMOVED = -2;

/**
 * All rows of one input of a join, with their weights, chained by key. An index finds the first row of a key; the
 * others follow in `next`. Equal rows may be stored apart while rows only come, or come and go by name; the first row that is
 * taken back otherwise builds a second index, over whole rows, and from then on equal rows share one entry.
 */
export class Arrangement implements Saved {
  readonly rows: RowStore;
  /**
   * Four cells a row, side by side since they are used together: its weight, the next and the previous row of the
   * same key, the hash of the key. Cell `c` of a row is cell `row << LINK_SHIFT | c`.
   */
  readonly links = Segments.int32();
  readonly #index = new HashIndex();
  readonly #keyColumns: readonly number[];
  readonly #keyStored: readonly StoredColumn[];
  readonly #match: RowMatch;
  readonly #rowHash: HashRows;
  readonly #rowMatch: RowMatch;
  #rowIndex: HashIndex | undefined;
  readonly #rowHashes = Segments.int32();
  /** Whether the links to previous rows hold. */
  #isDoublyLinked = false;
  /** While all rows are named by one owner. */
  #named: NamedRows | undefined;
  /** The owner looks at rows of weight 0 before it removes them itself. */
  readonly #keepEmpty: boolean;
  readonly #onMerge: ((row: number, twin: number) => void) | undefined;

  constructor(
    physicals: readonly Physical[],
    keyColumns: readonly number[],
    options: {
      readonly keepEmpty: boolean;
      /** Equal rows that were stored apart become one: what belongs to `row` is to go to `twin`. */
      readonly onMerge?: ((row: number, twin: number) => void) | undefined;
    },
  ) {
    this.rows = new RowStore(physicals);
    this.#keyColumns = keyColumns;
    this.#keyStored = keyColumns.map((column) => this.rows.columns[column] as StoredColumn);
    this.#keepEmpty = options.keepEmpty;
    this.#onMerge = options.onMerge;
    this.#match = compileMatch(
      keyColumns.map((column) => physicals[column] as Physical),
      'sql',
    );
    this.#rowHash = compileHash(physicals);
    this.#rowMatch = compileMatch(physicals, 'exact');
  }

  get count(): number {
    return this.rows.count;
  }

  weightOf(row: number): number {
    return this.#get(row, WEIGHT);
  }

  #get(row: number, cell: number): number {
    return this.links.get((row << LINK_SHIFT) | cell);
  }

  #set(row: number, cell: number, value: number): void {
    this.links.set((row << LINK_SHIFT) | cell, value);
  }

  /** Writes to out[r] the first stored row with the key in row r of `key`, or NONE. */
  first(key: readonly BatchColumn[], length: number, hashes: Int32Array, out: Int32Array): void {
    this.#match.find(key, length, hashes, this.#keyStored, this.#index, out);
  }

  /**
   * Adds the weighted rows of a batch, except those with skip[r] = 1.
   * @param hashes  of the keys, by compileHash over the key's physical forms.
   * @returns how many rows of state were touched; their numbers are in `touched`, with repetitions. Rows that were removed
   *   by name are not among them.
   */
  add(batch: Batch, hashes: Int32Array, skip: Uint8Array | null, touched: Int32Array): number {
    const from = borrowRows(batch.length);
    let count = 0;
    let deletes = false;
    for (let r = 0; r < batch.length; r++) {
      if (skip !== null && skip[r] === 1) continue;
      from[count++] = r;
      if (batch.weights !== null && (batch.weights[r] as number) < 0) deletes = true;
    }
    if (this.#isNamed(batch, from, count)) {
      const stored = this.#takeNamed(batch, from, count, hashes, touched);
      returnRows(from);
      return stored;
    }
    if (deletes && this.#rowIndex === undefined) this.#buildRowIndex();
    if (this.#rowIndex === undefined) this.#append(batch, from, count, hashes, touched);
    else this.#merge(batch, this.#rowIndex, from, count, hashes, touched);
    returnRows(from);
    return count;
  }

  /** Whether a row number stands for a row now. */
  isLive(row: number): boolean {
    return this.#get(row, PREVIOUS) !== REMOVED;
  }

  /** Appends the rows of the same key as a row, with that. */
  rowsLike(row: number, out: number[]): void {
    this.#linkBack();
    let first = row;
    for (let r = row; r !== NONE; r = this.#get(r, PREVIOUS)) first = r;
    for (let r = first; r !== NONE; r = this.#get(r, NEXT)) out.push(r);
  }

  /** Forgets a row. */
  remove(row: number): void {
    this.#linkBack();
    const next = this.#get(row, NEXT);
    const previous = this.#get(row, PREVIOUS);
    if (next !== NONE) this.#set(next, PREVIOUS, previous);
    if (previous !== NONE) this.#set(previous, NEXT, next);
    else if (next !== NONE) this.#index.replace(this.#get(row, HASH), row, next);
    else this.#index.remove(this.#get(row, HASH), row);
    this.#rowIndex?.remove(this.#rowHashes.get(row), row);
    this.#set(row, WEIGHT, 0);
    this.#set(row, PREVIOUS, REMOVED);
    this.rows.release(row);
  }

  bytes(): number {
    return (
      this.rows.bytes() +
      this.#index.bytes +
      (this.#rowIndex?.bytes ?? 0) +
      (this.#named?.bytes ?? 0) +
      this.links.bytes +
      this.#rowHashes.bytes
    );
  }

  save(to: StateWriter): void {
    to.mark('arrangement');
    to.byte(this.#rowIndex === undefined ? 0 : 1);
    to.byte(this.#named === undefined ? 0 : 1);
    to.byte(this.#isDoublyLinked ? 1 : 0);
    saveAll(this.#parts(), to);
  }

  load(from: StateReader): void {
    from.mark('arrangement');
    if (from.byte() === 1) this.#rowIndex = new HashIndex();
    if (from.byte() === 1) this.#named = new NamedRows();
    this.#isDoublyLinked = from.byte() === 1;
    loadAll(this.#parts(), from);
  }

  #parts(): readonly Saved[] {
    const parts: Saved[] = [this.rows, this.links, this.#index];
    if (this.#rowIndex !== undefined) parts.push(this.#rowIndex, this.#rowHashes);
    if (this.#named !== undefined) parts.push(this.#named);
    return parts;
  }

  #ensure(): void {
    const { end } = this.rows;
    this.links.ensure(end << LINK_SHIFT);
    if (this.#rowIndex !== undefined) this.#rowHashes.ensure(end);
  }

  /** Whether the rows can be found by name; once that does not hold for some of them, it is over. */
  #isNamed(batch: Batch, from: Int32Array, count: number): boolean {
    const { named } = batch;
    // An owner of empty rows looks at them later, when their names may have been given to others.
    if (named !== null && this.rows.end === 0 && !this.#keepEmpty) {
      this.#named = new NamedRows(named.owner);
    }
    if (this.#named?.accepts(batch, from, count) !== true) this.#named = undefined;
    return this.#named !== undefined;
  }

  /** Removes named rows that are taken back, and stores the others. @returns how many. */
  #takeNamed(
    batch: Batch,
    from: Int32Array,
    count: number,
    hashes: Int32Array,
    touched: Int32Array,
  ): number {
    const { named, weights } = batch;
    const own = this.#named;
    if (named === null || own === undefined) throw new Error('assertion failed: rows are named');
    let stored = 0;
    for (let i = 0; i < count; i++) {
      const source = from[i] as number;
      if (weights === null || weights[source] === 1) {
        from[stored++] = source;
        continue;
      }
      this.remove(own.rowOf(named, source));
      own.set(named, source, NONE);
    }
    this.#append(batch, from, stored, hashes, touched);
    for (let i = 0; i < stored; i++) own.set(named, from[i] as number, touched[i] as number);
    return stored;
  }

  /** Stores every row by itself. */
  #append(
    batch: Batch,
    from: Int32Array,
    count: number,
    hashes: Int32Array,
    touched: Int32Array,
  ): void {
    for (let i = 0; i < count; i++) touched[i] = this.rows.allocate();
    this.#ensure();
    this.rows.put(batch.columns, from, touched, count);
    const links = this.links.arrays;
    for (let i = 0; i < count; i++) {
      const cell = (touched[i] as number) << LINK_SHIFT;
      const cells = links[cell >>> SEGMENT_SHIFT] as Int32Array;
      const source = from[i] as number;
      cells[(cell & SEGMENT_MASK) | WEIGHT] =
        batch.weights === null ? 1 : (batch.weights[source] as number);
      cells[(cell & SEGMENT_MASK) | HASH] = hashes[source] as number;
    }
    this.#link(batch, from, touched, count, hashes);
  }

  /** Puts stored rows in front of the chains of their keys. While nothing was removed, rows elsewhere, which no cache holds, are left alone. */
  #link(batch: Batch, from: Int32Array, rows: Int32Array, count: number, hashes: Int32Array): void {
    const key = this.#keyColumns.map((column) => batch.column(column));
    const heads = borrowRows(count);
    this.#match.push(key, from, count, hashes, this.#keyStored, this.#index, rows, heads);
    const links = this.links.arrays;
    const isDouble = this.#isDoublyLinked;
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      const head = heads[i] as number;
      const cell = row << LINK_SHIFT;
      const own = links[cell >>> SEGMENT_SHIFT] as Int32Array;
      own[(cell & SEGMENT_MASK) | NEXT] = head;
      own[(cell & SEGMENT_MASK) | PREVIOUS] = NONE;
      if (isDouble && head !== NONE) this.#set(head, PREVIOUS, row);
    }
    returnRows(heads);
  }

  /** Before the first row is removed: the links back, which rows that only come do not need. */
  #linkBack(): void {
    if (this.#isDoublyLinked) return;
    this.#isDoublyLinked = true;
    for (let row = 0; row < this.rows.end; row++) {
      const next = this.#get(row, NEXT);
      if (next !== NONE) this.#set(next, PREVIOUS, row);
    }
  }

  /** Adds weights to equal rows; rows that reach weight 0 leave. */
  #merge(
    batch: Batch,
    index: HashIndex,
    from: Int32Array,
    count: number,
    hashes: Int32Array,
    touched: Int32Array,
  ): void {
    const rowHashes = borrowRows(batch.length);
    const found = borrowRows(batch.length);
    const missing = borrowRows(count);
    const stored = this.rows.columns;
    this.#rowHash(batch.columns, batch.length, rowHashes);
    this.#rowMatch.find(batch.columns, batch.length, rowHashes, stored, index, found);
    let missingCount = 0;
    for (let i = 0; i < count; i++) {
      const source = from[i] as number;
      if (found[source] === NONE) missing[missingCount++] = source;
    }
    if (missingCount > 0) {
      this.#enterRows(batch, index, missing, missingCount, rowHashes, hashes, found);
    }
    for (let i = 0; i < count; i++) {
      const source = from[i] as number;
      const row = found[source] as number;
      this.#set(row, WEIGHT, this.#get(row, WEIGHT) + batch.weight(source));
      touched[i] = row;
    }
    if (!this.#keepEmpty) this.#removeEmpty(touched, count);
    returnRows(missing);
    returnRows(found);
    returnRows(rowHashes);
  }

  /** Stores rows that were not there, with weight 0, and links them; some may be equal to one another. */
  #enterRows(
    batch: Batch,
    index: HashIndex,
    sources: Int32Array,
    count: number,
    rowHashes: Int32Array,
    hashes: Int32Array,
    found: Int32Array,
  ): void {
    const fresh = borrowRows(count);
    const entered = borrowRows(count);
    for (let i = 0; i < count; i++) fresh[i] = this.rows.allocate();
    this.#ensure();
    this.rows.put(batch.columns, sources, fresh, count);
    const stored = this.rows.columns;
    this.#rowMatch.enter(batch.columns, sources, count, rowHashes, stored, index, fresh, entered);
    let freshCount = 0;
    for (let i = 0; i < count; i++) {
      const source = sources[i] as number;
      const row = entered[i] as number;
      found[source] = row;
      if (row !== fresh[i]) {
        this.rows.release(fresh[i] as number);
        continue;
      }
      this.#set(row, WEIGHT, 0);
      this.#set(row, HASH, hashes[source] as number);
      this.#rowHashes.set(row, rowHashes[source] as number);
      sources[freshCount] = source;
      fresh[freshCount++] = row;
    }
    this.#link(batch, sources, fresh, freshCount, hashes);
    returnRows(entered);
    returnRows(fresh);
  }

  #removeEmpty(touched: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const row = touched[i] as number;
      // The same row may stand in the list twice.
      if (this.#get(row, WEIGHT) === 0 && this.#get(row, PREVIOUS) !== REMOVED) this.remove(row);
    }
  }

  /** Enters all rows into a new index over whole rows, adding up equal ones. */
  #buildRowIndex(): void {
    this.#linkBack();
    const index = new HashIndex();
    this.#rowIndex = index;
    this.#ensure();
    const rows = borrowRows(1);
    const sources = borrowRows(1);
    const hashes = borrowRows(1);
    const found = borrowRows(1);
    const removed: number[] = [];
    const chunkRows = rows.length;
    const live = this.#liveRows();
    for (let i = 0; i < chunkRows; i++) sources[i] = i;
    for (let start = 0; start < live.length; start += chunkRows) {
      const count = Math.min(chunkRows, live.length - start);
      for (let i = 0; i < count; i++) rows[i] = live[start + i] as number;
      const columns = this.rows.gather(rows, count);
      const stored = this.rows.columns;
      this.#rowHash(columns, count, hashes);
      this.#rowMatch.enter(columns, sources, count, hashes, stored, index, rows, found);
      for (let i = 0; i < count; i++) {
        const row = rows[i] as number;
        this.#rowHashes.set(row, hashes[i] as number);
        const twin = found[i] as number;
        if (twin === row) continue;
        this.#set(twin, WEIGHT, this.#get(twin, WEIGHT) + this.#get(row, WEIGHT));
        this.#onMerge?.(row, twin);
        removed.push(row);
      }
    }
    returnRows(found);
    returnRows(hashes);
    returnRows(sources);
    returnRows(rows);
    this.#rowIndex = undefined;
    for (const row of removed) this.remove(row);
    this.#rowIndex = index;
  }

  #liveRows(): Int32Array {
    const live = new Int32Array(this.rows.count);
    let count = 0;
    for (let row = 0; row < this.rows.end; row++) {
      if (this.#get(row, WEIGHT) !== 0) live[count++] = row;
    }
    return live.subarray(0, count);
  }
}
