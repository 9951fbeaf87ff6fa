import {
  type Schema,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
} from '../../sql/base/type.ts';
import type { WindowShape } from '../../sql/logical-plan.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import type { BatchColumn } from '../delta/column.ts';
import { gather } from '../delta/gather.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { wordsOf } from '../state/segments.ts';
import { writeInt64 } from './group-count.ts';
import type { Emit } from './operator.ts';
import { StatelessOperator } from './stateless.ts';

/** Beyond this (years before -283 or after 2255) doubles do not count microseconds exactly any more. */
const EXACT_MICROS_MAX = Number.MAX_SAFE_INTEGER - 2 ** 50;

/**
 * TUMBLE and HOP: one row per window that holds the row's time, with window_start and window_end (exclusive).
 * Windows of `size` start every `slide`, counted from 1970-01-01 00:00 + offset; a tumbling window slides by its size.
 * A row whose time is NULL or infinite is in no window. Weights pass through; no state.
 */
export class WindowTableOperator extends StatelessOperator {
  readonly #timeColumn: number;
  readonly #sizeMicros: number;
  readonly #slideMicros: number;
  readonly #offsetMicros: number;

  constructor(
    schema: Schema,
    window: WindowShape & { readonly kind: 'tumble' | 'hop' },
    timeColumn: number,
  ) {
    super(schema);
    this.#timeColumn = timeColumn;
    this.#sizeMicros = Number(window.sizeMicros);
    this.#slideMicros = Number(window.kind === 'hop' ? window.slideMicros : window.sizeMicros);
    this.#offsetMicros = Number(
      window.offsetMicros % (window.kind === 'hop' ? window.slideMicros : window.sizeMicros),
    );
  }

  push(_port: number, batch: Batch, emit: Emit): void {
    const time = batch.column(this.#timeColumn);
    if (time.physical !== 'i64') throw new Error('assertion failed: windows are over timestamps');
    const words = wordsOf(time.values);
    const { nulls } = time;
    const slide = this.#slideMicros;
    const size = this.#sizeMicros;
    const capacity = Math.max(ROWS_PER_BATCH_MAX, 1);
    const rows = borrowRows(capacity);
    let starts = new BigInt64Array(Math.min(capacity, batch.length * Math.ceil(size / slide)));
    let startWords = new Int32Array(starts.buffer);
    let count = 0;
    // Neighbours are mostly in the same windows: [from, from + slide) is where `last` is the newest start.
    let last = Number.NaN;
    let isExact = true;
    for (let r = 0; r < batch.length; r++) {
      if (nulls !== null && nulls[r] === 1) continue;
      const micros = (words[2 * r + 1] as number) * 4294967296 + ((words[2 * r] as number) >>> 0);
      if (!(micros >= last && micros < last + slide)) {
        if (micros > EXACT_MICROS_MAX || micros < -EXACT_MICROS_MAX) {
          isExact = false;
          continue;
        }
        last = floorTo(micros - this.#offsetMicros, slide) + this.#offsetMicros;
      }
      for (let start = last; start > micros - size; start -= slide) {
        if (count === starts.length) {
          this.#emit(batch, rows, starts, count, emit);
          starts = new BigInt64Array(starts.length);
          startWords = new Int32Array(starts.buffer);
          count = 0;
        }
        rows[count] = r;
        writeInt64(startWords, count, start);
        count++;
      }
    }
    if (count > 0) this.#emit(batch, rows, starts, count, emit);
    returnRows(rows);
    if (!isExact) this.#pushFar(batch, time, emit);
  }

  /** The windows of rows whose time doubles do not hold exactly, one row at a time. */
  #pushFar(batch: Batch, time: BatchColumn & { readonly physical: 'i64' }, emit: Emit): void {
    const slide = BigInt(this.#slideMicros);
    const size = BigInt(this.#sizeMicros);
    const offset = BigInt(this.#offsetMicros);
    const rows: number[] = [];
    const starts: bigint[] = [];
    for (let r = 0; r < batch.length; r++) {
      const micros = time.values[r] as bigint;
      if (time.nulls !== null && time.nulls[r] === 1) continue;
      if (micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_NEGATIVE_INFINITY) continue;
      if (micros >= -BigInt(EXACT_MICROS_MAX) && micros <= BigInt(EXACT_MICROS_MAX)) continue;
      const rest = (micros - offset) % slide;
      const last = micros - (rest < 0n ? rest + slide : rest);
      for (let start = last; start > micros - size; start -= slide) {
        rows.push(r);
        starts.push(start);
      }
    }
    for (let at = 0; at < rows.length; at += ROWS_PER_BATCH_MAX) {
      const part = Int32Array.from(rows.slice(at, at + ROWS_PER_BATCH_MAX));
      const values = BigInt64Array.from(starts.slice(at, at + ROWS_PER_BATCH_MAX));
      this.#emitRows(
        batch,
        part,
        values,
        values.map((start) => start + size),
        part.length,
        emit,
      );
    }
  }

  #emit(batch: Batch, rows: Int32Array, starts: BigInt64Array, count: number, emit: Emit): void {
    const ends = new BigInt64Array(count);
    const startWords = wordsOf(starts);
    const endWords = new Int32Array(ends.buffer);
    const size = this.#sizeMicros;
    for (let i = 0; i < count; i++) {
      const start =
        (startWords[2 * i + 1] as number) * 4294967296 + ((startWords[2 * i] as number) >>> 0);
      writeInt64(endWords, i, start + size);
    }
    this.#emitRows(batch, rows, starts, ends, count, emit);
  }

  #emitRows(
    batch: Batch,
    rows: Int32Array,
    starts: BigInt64Array,
    ends: BigInt64Array,
    count: number,
    emit: Emit,
  ): void {
    const isWhole = count === batch.length && isIdentity(rows, count);
    const expanded = isWhole ? batch : gather(batch, rows, count);
    const columns: BatchColumn[] = [
      ...expanded.columns,
      { physical: 'i64', values: starts, nulls: null },
      { physical: 'i64', values: ends, nulls: null },
    ];
    emit(new Batch(count, columns, expanded.weights));
  }
}

/** Every row came out once, so that the input's columns serve as they are. */
function isIdentity(rows: Int32Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (rows[i] !== i) return false;
  return true;
}

/** The largest multiple of `step` not above `value`; both are integers that doubles hold exactly. */
export function floorTo(value: number, step: number): number {
  let quotient = Math.floor(value / step);
  // The quotient was rounded, so it may be off by one in both directions.
  const rest = value - quotient * step;
  if (rest < 0) quotient--;
  else if (rest >= step) quotient++;
  return quotient * step;
}
