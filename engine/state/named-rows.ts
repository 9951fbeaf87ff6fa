import type { Batch, RowNames } from '../delta/batch.ts';
import { NONE } from './row-store.ts';
import { Segments } from './segments.ts';

/** Stored rows by the names that one owner has given to all of them. */
export class NamedRows {
  readonly owner: object;
  /** Row number + 1 by name; 0 = no row has the name. */
  readonly #rows = Segments.int32();

  constructor(owner: object) {
    this.owner = owner;
  }

  get bytes(): number {
    return this.#rows.bytes;
  }

  /** Whether the batch's rows come and go by these names as RowNames says; `from` lists the rows that count. */
  accepts(batch: Batch, from: Int32Array, count: number): boolean {
    const { named, weights } = batch;
    if (named === null || named.owner !== this.owner) return false;
    for (let i = 0; i < count; i++) {
      const source = from[i] as number;
      const weight = weights === null ? 1 : (weights[source] as number);
      const known = this.rowOf(named, source) !== NONE;
      if (known ? weight !== -1 : weight !== 1) return false;
    }
    return true;
  }

  rowOf({ names }: RowNames, source: number): number {
    const name = names[source] as number;
    return name < this.#rows.capacity ? this.#rows.get(name) - 1 : NONE;
  }

  set({ names }: RowNames, source: number, row: number): void {
    const name = names[source] as number;
    this.#rows.ensure(name + 1);
    this.#rows.set(name, row + 1);
  }
}
