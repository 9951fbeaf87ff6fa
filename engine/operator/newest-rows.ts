/** Versions of keys, of which only the newest one before a limit is needed. */
import type { Arrangement } from '../state/arrangement.ts';
import { microsAt, type TimeCells } from '../state/closing-index.ts';

export class NewestRows {
  readonly #rows: Arrangement;
  readonly #times: TimeCells;
  readonly #ofKey: number[] = [];

  /** @param times  of the arrangement's rows; their key is the arrangement's. */
  constructor(rows: Arrangement, times: TimeCells) {
    this.#rows = rows;
    this.#times = times;
  }

  /**
   * Drops the rows of a row's key that are older than the newest one up to the limit. All of them go at once, so that a key with many
   * versions is gone through once and not for each of them: rows that are due later find themselves gone.
   * @param limitMicros  since 1970.
   * @returns how many rows it has dropped.
   */
  dropSuperseded(row: number, limitMicros: number): number {
    const versions = this.#ofKey;
    versions.length = 0;
    this.#rows.rowsLike(row, versions);
    let newest = Number.NEGATIVE_INFINITY;
    for (const version of versions) {
      const time = this.#timeOf(version);
      if (time <= limitMicros && time > newest) newest = time;
    }
    let dropped = 0;
    for (const version of versions) {
      if (this.#isWithTime(version) && this.#timeOf(version) >= newest) continue;
      this.#rows.remove(version);
      dropped++;
    }
    return dropped;
  }

  /** A row without a time is never the newest, and nobody asks for it. */
  #timeOf(row: number): number {
    return this.#isWithTime(row) ? microsAt(this.#times, row) : Number.NEGATIVE_INFINITY;
  }

  #isWithTime(row: number): boolean {
    return !this.#times.isNull(row);
  }
}
