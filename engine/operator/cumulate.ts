import {
  type Schema,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
} from '../../sql/base/type.ts';
import type { WindowShape } from '../../sql/logical-plan.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { gather } from '../delta/gather.ts';
import type { Emit, Operator } from './operator.ts';

/**
 * CUMULATE: one row per window that holds the row's time. The windows of a period of `size`, counted from 1970-01-01
 * 00:00 and the offset, all start with it and end after 1, 2, … steps. A row whose time is NULL or infinite is in no window. Weights
 * pass through; no state.
 */
export class CumulateOperator implements Operator {
  readonly schema: Schema;
  readonly #window: WindowShape & { readonly kind: 'cumulate' };
  readonly #timeColumn: number;

  constructor(
    schema: Schema,
    window: WindowShape & { readonly kind: 'cumulate' },
    timeColumn: number,
  ) {
    this.schema = schema;
    this.#window = window;
    this.#timeColumn = timeColumn;
  }

  push(_port: number, batch: Batch, emit: Emit): void {
    const time = batch.column(this.#timeColumn);
    if (time.physical !== 'i64') throw new Error('assertion failed: windows are over timestamps');
    const { stepMicros: step, sizeMicros: size, offsetMicros: offset } = this.#window;
    const rows: number[] = [];
    const starts: bigint[] = [];
    const ends: bigint[] = [];
    for (let r = 0; r < batch.length; r++) {
      const micros = time.values[r] as bigint;
      if (time.nulls !== null && time.nulls[r] === 1) continue;
      if (micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_NEGATIVE_INFINITY) continue;
      const past = (((micros - offset) % size) + size) % size;
      const start = micros - past;
      for (let end = (past / step + 1n) * step; end <= size; end += step) {
        rows.push(r);
        starts.push(start);
        ends.push(start + end);
      }
    }
    for (let at = 0; at < rows.length; at += ROWS_PER_BATCH_MAX) {
      const part = Int32Array.from(rows.slice(at, at + ROWS_PER_BATCH_MAX));
      const expanded = gather(batch, part, part.length);
      const bounds = [starts, ends].map((values) => ({
        physical: 'i64' as const,
        values: BigInt64Array.from(values.slice(at, at + ROWS_PER_BATCH_MAX)),
        nulls: null,
      }));
      emit(new Batch(part.length, [...expanded.columns, ...bounds], expanded.weights));
    }
  }

  flush(): void {}

  stateBytes(): number {
    return 0;
  }

  stateEntries(): number {
    return 0;
  }

  savedParts(): readonly [] {
    return [];
  }
}
