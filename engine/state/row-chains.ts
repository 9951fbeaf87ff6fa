import { loadAll, type Saved, saveAll } from './saved.ts';
import { Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

/** Rows of state in chains, each row in at most one: the rows of an owner are found without an index. */
export class RowChains implements Saved {
  /** By owner and by row, a row + 1; 0 = none. */
  readonly #first = Segments.int32();
  readonly #next = Segments.int32();
  readonly #previous = Segments.int32();

  get bytes(): number {
    return this.#first.bytes + this.#next.bytes + this.#previous.bytes;
  }

  ensure(owners: number, rows: number): void {
    this.#first.ensure(owners);
    this.#next.ensure(rows);
    this.#previous.ensure(rows);
  }

  /** The first row of an owner that has one + 1, else 0. */
  firstOf(owner: number): number {
    return owner < this.#first.capacity ? this.#first.get(owner) : 0;
  }

  add(owner: number, row: number): void {
    const second = this.#first.get(owner);
    this.#next.set(row, second);
    this.#previous.set(row, 0);
    if (second !== 0) this.#previous.set(second - 1, row + 1);
    this.#first.set(owner, row + 1);
  }

  remove(owner: number, row: number): void {
    const next = this.#next.get(row);
    const previous = this.#previous.get(row);
    if (next !== 0) this.#previous.set(next - 1, previous);
    if (previous !== 0) this.#next.set(previous - 1, next);
    else this.#first.set(owner, next);
  }

  save(to: StateWriter): void {
    saveAll([this.#first, this.#next, this.#previous], to);
  }

  load(from: StateReader): void {
    loadAll([this.#first, this.#next, this.#previous], from);
  }
}
