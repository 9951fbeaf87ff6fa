import type { Batch } from '../delta/batch.ts';

/**
 * The weights that one aggregate sees of a batch: 0 where its FILTER is not true, or where a strict aggregate's
 * first argument is NULL. Aggregates with the same selection share it, and its weights within a batch.
 */
export class GroupSelection {
  /** The column that must not be NULL, and the one that must be true. */
  readonly #notNull: number | undefined;
  readonly #filter: number | undefined;
  #batch: Batch | undefined;
  #weights: Int32Array | null = null;

  constructor(notNull: number | undefined, filter: number | undefined) {
    this.#notNull = notNull;
    this.#filter = filter;
  }

  /** null = every row once. Valid until `forget`. */
  weightsOf(batch: Batch): Int32Array | null {
    if (this.#batch !== batch) {
      this.#batch = batch;
      this.#weights = this.#select(batch);
    }
    return this.#weights;
  }

  /** The batch dies with its epoch; nothing of it may be held on to. */
  forget(): void {
    this.#batch = undefined;
    this.#weights = null;
  }

  #select(batch: Batch): Int32Array | null {
    const nulls = this.#notNull === undefined ? null : batch.column(this.#notNull).nulls;
    if (nulls === null && this.#filter === undefined) return batch.weights;
    const { length } = batch;
    const weights = new Int32Array(length);
    if (batch.weights === null) weights.fill(1);
    else weights.set(batch.weights.subarray(0, length));
    if (nulls !== null) for (let r = 0; r < length; r++) if (nulls[r] === 1) weights[r] = 0;
    if (this.#filter === undefined) return weights;
    const filter = batch.column(this.#filter);
    if (filter.physical !== 'bool') throw new Error('assertion failed: a FILTER is boolean');
    for (let r = 0; r < length; r++) {
      if (filter.values[r] !== 1 || (filter.nulls !== null && filter.nulls[r] === 1))
        weights[r] = 0;
    }
    return weights;
  }
}
