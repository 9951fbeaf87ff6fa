import { ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import type { ForgetRule } from '../plan/physical-node.ts';
import { ClosingIndex, type TimeCells } from '../state/closing-index.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';

/** Rows of one state by the clock's time at which they are to be dropped. */
export class ClosingRows implements Saved {
  readonly #index: ClosingIndex;
  readonly #micros: bigint;

  constructor(cells: TimeCells, rule: ForgetRule) {
    this.#index = new ClosingIndex(cells, rule.endsNulls);
    this.#micros = rule.micros;
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  add(rows: Int32Array, count: number): void {
    this.#index.add(rows, count);
  }

  /**
   * Enters rows that a batch has made.
   * @param sources  the rows of the batch that did; rows[source] is the row of state.
   */
  addCreated(sources: Int32Array, count: number, rows: Int32Array): void {
    const created = borrowRows(count);
    for (let i = 0; i < count; i++) created[i] = rows[sources[i] as number] as number;
    this.#index.add(created, count);
    returnRows(created);
  }

  isBehind(clock: bigint): boolean {
    return this.#index.isDue(clock - this.#micros);
  }

  /**
   * @param drop  gets rows whose time, microseconds since 1970, is up to the limit; a row may be gone, or come twice. It answers how
   *   many entries it has dropped.
   * @returns how much of `most` is left.
   */
  forget(
    clock: bigint,
    most: number,
    drop: (rows: Int32Array, count: number, limitMicros: bigint) => number,
  ): number {
    const limit = clock - this.#micros;
    let left = most;
    const rows = borrowRows(ROWS_PER_BATCH_MAX);
    while (left > 0 && this.isBehind(clock)) {
      const step = Math.min(left, ROWS_PER_BATCH_MAX);
      const { looked, count } = this.#index.take(limit, rows, step);
      const dropped = count === 0 ? 0 : drop(rows, count, limit);
      left -= Math.max(looked, dropped);
    }
    returnRows(rows);
    return left;
  }

  save(to: StateWriter): void {
    this.#index.save(to);
  }

  load(from: StateReader): void {
    this.#index.load(from);
  }
}
