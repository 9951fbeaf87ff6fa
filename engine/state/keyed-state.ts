import type { BatchColumn, Physical } from '../delta/column.ts';
import { HashIndex } from './hash-index.ts';
import { compileHash, type HashRows } from './row-hash.ts';
import { compileMatch, type Equality, type MatchRows } from './row-match.ts';
import { RowStore } from './row-store.ts';
import { borrowRows, returnRows } from './scratch.ts';
import { Segments } from './segments.ts';

/**
 * At most one row per key: dense row numbers, at which the owner keeps whatever belongs to a key. The key columns
 * come first; further columns (`payload`) are filled by the owner.
 */
export class KeyedState {
  readonly rows: RowStore;
  readonly #keyCount: number;
  readonly #hash: HashRows;
  readonly #match: MatchRows;
  readonly #index = new HashIndex();
  readonly #hashes = Segments.int32();
  readonly #created: number[] = [];

  constructor(
    key: readonly Physical[],
    payload: readonly Physical[] = [],
    equality: Equality = 'sql',
  ) {
    this.rows = new RowStore([...key, ...payload]);
    this.#keyCount = key.length;
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
    this.#match(key, length, hashes, this.rows.columns, this.#index, out, undefined);
    returnRows(hashes);
  }

  /**
   * Writes to out[r] the row of the key in batch row r, entering keys that are new.
   * @returns the rows that were created, until the next call.
   */
  claim(key: readonly BatchColumn[], length: number, out: Int32Array): readonly number[] {
    const hashes = borrowRows(length);
    const created = this.#created;
    created.length = 0;
    this.#hash(key, length, hashes);
    const { rows } = this;
    this.#match(key, length, hashes, rows.columns, this.#index, out, (source, hash) => {
      const row = rows.allocate();
      for (let i = 0; i < this.#keyCount; i++) {
        rows.columns[i]?.putOne(key[i] as BatchColumn, source, row);
      }
      this.#hashes.ensure(row + 1);
      this.#hashes.set(row, hash);
      this.#index.add(hash, row);
      created.push(row);
      return row;
    });
    returnRows(hashes);
    return created;
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
}
