import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { physicalOf } from '../delta/column.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, Segments } from '../state/segments.ts';
import type { Emit, Operator } from './operator.ts';

/**
 * The identity on weighted rows: equal rows of an epoch come out once, with their weights added up; rows that cancel
 * do not come out. In front of an operator that multiplies rows it saves the copies. Nothing is kept between epochs.
 */
export class ConsolidateOperator implements Operator {
  readonly schema: Schema;
  readonly #rows: KeyedState;
  readonly #weights = Segments.int32();

  constructor(schema: Schema) {
    this.schema = schema;
    this.#rows = new KeyedState(
      schema.map((column) => physicalOf(column.type)),
      [],
      'exact',
    );
  }

  push(_port: number, batch: Batch, _emit: Emit): void {
    const { length, weights } = batch;
    const rows = borrowRows(length);
    this.#rows.claim(batch.columns, length, rows);
    this.#weights.ensure(this.#rows.rows.end);
    const sums = this.#weights.arrays;
    for (let r = 0; r < length; r++) {
      const row = rows[r] as number;
      const weight = weights === null ? 1 : (weights[r] as number);
      const cells = sums[row >>> SEGMENT_SHIFT] as Int32Array;
      cells[row & SEGMENT_MASK] = (cells[row & SEGMENT_MASK] as number) + weight;
    }
    returnRows(rows);
  }

  flush(emit: Emit): void {
    const { end } = this.#rows.rows;
    if (end === 0) return;
    const sums = this.#weights.arrays;
    for (let start = 0; start < end; start += ROWS_PER_BATCH_MAX) {
      const last = Math.min(start + ROWS_PER_BATCH_MAX, end);
      const rows = borrowRows(last - start);
      const weights = new Int32Array(last - start);
      let count = 0;
      for (let row = start; row < last; row++) {
        const cells = sums[row >>> SEGMENT_SHIFT] as Int32Array;
        const weight = cells[row & SEGMENT_MASK] as number;
        if (weight === 0) continue;
        // Every cell is 0 between epochs, also those of row numbers that are not in use.
        cells[row & SEGMENT_MASK] = 0;
        rows[count] = row;
        weights[count++] = weight;
      }
      const columns = this.#rows.rows.gather(rows, count);
      returnRows(rows);
      if (count > 0) emit(new Batch(count, columns, weights.subarray(0, count)));
    }
    this.#rows.clear();
  }

  /** Between epochs only room for the next one is held. */
  stateBytes(): number {
    return this.#rows.bytes() + this.#weights.bytes;
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  savedParts(): readonly [] {
    return [];
  }
}
