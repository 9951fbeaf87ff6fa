import type { BatchColumn, Physical } from '../delta/column.ts';
import { HashIndex } from './hash-index.ts';
import { compileHash, type HashRows } from './row-hash.ts';
import { compileMatch, type Equality, type RowMatch } from './row-match.ts';
import { RowStore } from './row-store.ts';
import { loadAll, type Saved, saveAll } from './saved.ts';
import { borrowRows, returnRows } from './scratch.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

/**
 * At most one row per key: dense row numbers, at which the owner keeps whatever belongs to a key. The key columns
 * come first; further columns (`payload`) are filled by the owner.
 */
export class KeyedState implements Saved {
  readonly rows: RowStore;
  readonly #hash: HashRows;
  readonly #match: RowMatch;
  readonly #index = new HashIndex();
  readonly #hashes = Segments.int32();

  constructor(
    key: readonly Physical[],
    payload: readonly Physical[] = [],
    equality: Equality = 'sql',
  ) {
    this.rows = new RowStore([...key, ...payload]);
    this.#hash = compileHash(key);
    this.#match = compileMatch(key, equality);
  }

  get count(): number {
    return this.rows.count;
  }

  /** Writes to out[r] the row of the key in batch row r, or NONE. */
  find(key: readonly BatchColumn[], length: number, out: Int32Array): void {
    const hashes = borrowRows(length);
    this.#hash(key, length, hashes);
    this.#match.find(key, length, hashes, this.rows.columns, this.#index, out);
    returnRows(hashes);
  }

  /**
   * Writes to out[r] the row of the key in batch row r, entering keys that are new.
   * @param created  gets the batch rows that brought new keys, one each.
   * @returns how many were new.
   */
  claim(
    key: readonly BatchColumn[],
    length: number,
    out: Int32Array,
    created?: Int32Array<ArrayBuffer> | undefined,
  ): number {
    const hashes = borrowRows(length);
    const sources = created ?? borrowRows(length);
    const { rows } = this;
    this.#hash(key, length, hashes);
    const count = this.#match.claim(
      key,
      length,
      hashes,
      rows.columns,
      this.#index,
      rows,
      out,
      sources,
    );
    this.#hashes.ensure(rows.end);
    const own = this.#hashes.arrays;
    for (let i = 0; i < count; i++) {
      const source = sources[i] as number;
      const row = out[source] as number;
      (own[row >>> SEGMENT_SHIFT] as Int32Array)[row & SEGMENT_MASK] = hashes[source] as number;
    }
    if (created === undefined) returnRows(sources);
    returnRows(hashes);
    return count;
  }

  /** Forgets a key. The row's strings stay readable until `rows.compact`. */
  release(row: number): void {
    this.#index.remove(this.#hashes.get(row), row);
    this.rows.release(row);
  }

  /** Forgets all keys and keeps their room. */
  clear(): void {
    this.#index.clear();
    this.rows.clear();
  }

  bytes(): number {
    return this.rows.bytes() + this.#index.bytes + this.#hashes.bytes;
  }

  save(to: StateWriter): void {
    saveAll([this.rows, this.#index, this.#hashes], to);
  }

  load(from: StateReader): void {
    loadAll([this.rows, this.#index, this.#hashes], from);
  }
}
