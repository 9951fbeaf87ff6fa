import type { BatchColumn, Physical } from '../delta/column.ts';
import { HashIndex } from './hash-index.ts';
import { compileHash, type HashRows } from './row-hash.ts';
import { compileMatch, type Equality, type RowMatch } from './row-match.ts';
import { NONE, RowStore } from './row-store.ts';
import { loadAll, type Saved, saveAll } from './saved.ts';
import { borrowRows, returnRows } from './scratch.ts';
import { Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

/** New keys are copied column by column this many at a time; of equal ones all but one are released again. */
const ENTERED_AT_ONCE = 256;

/**
 * At most one row per key: dense row numbers, at which the owner keeps whatever belongs to a key. The key columns
 * come first; further columns (`payload`) are filled by the owner.
 */
export class KeyedState implements Saved {
  readonly rows: RowStore;
  readonly #keyCount: number;
  readonly #hash: HashRows;
  readonly #match: RowMatch;
  readonly #index = new HashIndex();
  readonly #hashes = Segments.int32();
  readonly #created: number[] = [];
  readonly #fresh = new Int32Array(ENTERED_AT_ONCE);
  readonly #entered = new Int32Array(ENTERED_AT_ONCE);

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
    this.#match.find(key, length, hashes, this.rows.columns, this.#index, out);
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
    this.#match.find(key, length, hashes, this.rows.columns, this.#index, out);
    const sources = borrowRows(length);
    let count = 0;
    for (let r = 0; r < length; r++) if (out[r] === NONE) sources[count++] = r;
    for (let start = 0; start < count; start += ENTERED_AT_ONCE) {
      const end = Math.min(start + ENTERED_AT_ONCE, count);
      this.#enter(key, sources.subarray(start, end), hashes, out);
    }
    returnRows(sources);
    returnRows(hashes);
    return created;
  }

  /** Enters keys that were not there; some may be equal to one another. */
  #enter(
    key: readonly BatchColumn[],
    sources: Int32Array,
    hashes: Int32Array,
    out: Int32Array,
  ): void {
    const { rows } = this;
    const count = sources.length;
    const fresh = this.#fresh;
    const entered = this.#entered;
    for (let i = 0; i < count; i++) fresh[i] = rows.allocate();
    for (let i = 0; i < this.#keyCount; i++) {
      rows.columns[i]?.put(key[i] as BatchColumn, sources, fresh, count);
    }
    this.#match.enter(key, sources, count, hashes, rows.columns, this.#index, fresh, entered);
    this.#hashes.ensure(rows.end);
    for (let i = 0; i < count; i++) {
      const source = sources[i] as number;
      const row = entered[i] as number;
      out[source] = row;
      if (row === fresh[i]) {
        this.#hashes.set(row, hashes[source] as number);
        this.#created.push(row);
      } else {
        rows.release(fresh[i] as number);
      }
    }
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
