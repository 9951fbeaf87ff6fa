import type { Batch, RowNames } from '../delta/batch.ts';
import { NONE } from './row-store.ts';
import type { Saved } from './saved.ts';
import { Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

/** Stored rows by the names that one owner has given to all of them. */
export class NamedRows implements Saved {
  /**
   * Undefined after a load. What feeds a port is one owner (a union takes names away) and stays the same: the graph lets
   * no names through where it does not.
   */
  #owner: object | undefined;
  /** Row number + 1 by name; 0 = no row has the name. */
  readonly #rows = Segments.int32();

  constructor(owner?: object | undefined) {
    this.#owner = owner;
  }

  get bytes(): number {
    return this.#rows.bytes;
  }

  /** Whether the batch's rows come and go by these names as RowNames says; `from` lists the rows that count. */
  accepts(batch: Batch, from: Int32Array, count: number): boolean {
    const { named, weights } = batch;
    if (named === null) return false;
    this.#owner ??= named.owner;
    if (named.owner !== this.#owner) return false;
    for (let i = 0; i < count; i++) {
      const source = from[i] as number;
      const weight = weights === null ? 1 : (weights[source] as number);
      if (weight === 1 && named.forgets === true) continue;
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

  save(to: StateWriter): void {
    this.#rows.save(to);
  }

  load(from: StateReader): void {
    this.#rows.load(from);
  }
}
