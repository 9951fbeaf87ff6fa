import {
  type Schema,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
} from '../../sql/base/type.ts';
import type { WindowShape } from '../../sql/logical-plan.ts';
import { type ClockWindow, type WindowBounds, ZonedWindows } from '../../sql/zoned-window.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { gather } from '../delta/gather.ts';
import type { Emit } from './operator.ts';
import { StatelessOperator } from './stateless.ts';

/** The windows that hold a time, which is finite and in microseconds. */
export type WindowsOf = (micros: bigint) => readonly WindowBounds[];

/**
 * CUMULATE, and every window by the clocks of a time zone: one row per window that holds the row's time. A row whose time is NULL or
 * infinite is in no window. Weights pass through; no state.
 */
export class ListedWindowOperator extends StatelessOperator {
  readonly #windowsOf: WindowsOf;
  readonly #timeColumn: number;

  constructor(schema: Schema, windowsOf: WindowsOf, timeColumn: number) {
    super(schema);
    this.#windowsOf = windowsOf;
    this.#timeColumn = timeColumn;
  }

  push(_port: number, batch: Batch, emit: Emit): void {
    const time = batch.column(this.#timeColumn);
    if (time.physical !== 'i64') throw new Error('assertion failed: windows are over timestamps');
    const rows: number[] = [];
    const windows: WindowBounds[] = [];
    for (let r = 0; r < batch.length; r++) {
      const micros = time.values[r] as bigint;
      if (time.nulls !== null && time.nulls[r] === 1) continue;
      if (micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_NEGATIVE_INFINITY) continue;
      for (const window of this.#windowsOf(micros)) {
        rows.push(r);
        windows.push(window);
      }
    }
    for (let at = 0; at < rows.length; at += ROWS_PER_BATCH_MAX) {
      const part = Int32Array.from(rows.slice(at, at + ROWS_PER_BATCH_MAX));
      const expanded = gather(batch, part, part.length);
      const bounds = windows.slice(at, at + ROWS_PER_BATCH_MAX);
      const columns = [bounds.map(({ start }) => start), bounds.map(({ end }) => end)].map(
        (values) => ({
          physical: 'i64' as const,
          values: BigInt64Array.from(values),
          nulls: null,
        }),
      );
      emit(new Batch(part.length, [...expanded.columns, ...columns], expanded.weights));
    }
  }
}

/** The windows of CUMULATE, or of any kind by the clocks of a zone. */
export function listedWindows(window: ClockWindow): WindowsOf | undefined {
  if (window.zone !== undefined) {
    const zoned = new ZonedWindows(window);
    return (micros) => zoned.of(micros);
  }
  return window.kind === 'cumulate' ? (micros) => cumulated(window, micros) : undefined;
}

/**
 * The windows of a period of `size`, counted from 1970-01-01 00:00 and the offset, all start with it and end after 1, 2, … steps.
 */
function cumulated(
  window: WindowShape & { readonly kind: 'cumulate' },
  micros: bigint,
): readonly WindowBounds[] {
  const { stepMicros: step, sizeMicros: size, offsetMicros: offset } = window;
  const past = (((micros - offset) % size) + size) % size;
  const start = micros - past;
  const windows: WindowBounds[] = [];
  for (let end = (past / step + 1n) * step; end <= size; end += step) {
    windows.push({ start, end: start + end });
  }
  return windows;
}
