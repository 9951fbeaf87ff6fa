import { assert } from '../../sql/base/assert.ts';
import type { Batch } from '../delta/batch.ts';
import type { Saved } from '../state/saved.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';

/** Clocks that an operator reads: each comes as rows of one timestamp column and never goes back. */
export class Clocks implements Saved {
  readonly #times: (bigint | undefined)[];

  constructor(count: number) {
    this.#times = new Array<bigint | undefined>(count).fill(undefined);
  }

  strike(clock: number, batch: Batch): void {
    const column = batch.column(0);
    assert(column.physical === 'i64', 'a clock gives timestamps');
    for (let row = 0; row < batch.length; row++) {
      const time = column.values[row] as bigint;
      const known = this.#times[clock];
      if (known === undefined || time > known) this.#times[clock] = time;
    }
  }

  /** Undefined until every clock has struck. */
  get slowest(): bigint | undefined {
    let slowest: bigint | undefined;
    for (const time of this.#times) {
      if (time === undefined) return undefined;
      if (slowest === undefined || time < slowest) slowest = time;
    }
    return slowest;
  }

  save(to: StateWriter): void {
    to.data(this.#times.map((time) => time ?? null));
  }

  load(from: StateReader): void {
    from.data().forEach((time, clock) => {
      this.#times[clock] = typeof time === 'bigint' ? time : undefined;
    });
  }
}
