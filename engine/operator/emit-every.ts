import { assert } from '../../sql/base/assert.ts';
import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { microsAt, type TimeCells, timeCells } from '../state/closing-index.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { NONE } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import { Clocks } from './clocks.ts';
import type { Emit, Operator } from './operator.ts';

export interface EmitEveryShape {
  /** Between emissions, by the clock of port 1; undefined = no such clock and no such emissions. */
  readonly micros: bigint | undefined;
  /** Changes of rows whose time + micros the watermarks have reached wait for nothing. */
  readonly after: { readonly column: number; readonly micros: bigint } | undefined;
  /** Watermarks: the last ports. */
  readonly watermarks: number;
}

/**
 * EMIT EVERY: changes wait, added up, and come out together when the clock says that the last ones are `micros` ago. What
 * has come out is always the input as it was after some epoch. The first changes come out as soon as the clock is told.
 * AFTER WATERMARK: changes of rows that the watermark has passed come out in the epoch in which it does, or in which they come.
 * Rows of one time go together, so that no row is there in two versions.
 * State: the difference between the input and what has come out.
 */
export class EmitEveryOperator implements Operator, Saved {
  readonly schema: Schema;
  readonly #shape: EmitEveryShape;
  readonly #clock = new Clocks(1);
  readonly #watermarks: Clocks;
  readonly #firstWatermark: number;
  /** By the time that closes, the earliest last. */
  readonly #rows: OrderedState;
  readonly #times: TimeCells | undefined;
  #root = NONE;
  /** By the clock, when something came out last. */
  #last: bigint | undefined;

  constructor(schema: Schema, shape: EmitEveryShape) {
    this.schema = schema;
    this.#shape = shape;
    this.#watermarks = new Clocks(shape.watermarks);
    this.#firstWatermark = shape.micros === undefined ? 1 : 2;
    const { after } = shape;
    this.#rows = new OrderedState(
      schema.map(({ type }) => type),
      after === undefined ? [] : [{ column: after.column, descending: true, nullsFirst: true }],
    );
    if (after !== undefined) this.#times = timeCells(this.#rows.rows.columns[after.column]);
  }

  push(port: number, batch: Batch): void {
    if (port >= this.#firstWatermark) this.#watermarks.strike(port - this.#firstWatermark, batch);
    else if (port === 1) this.#clock.strike(0, batch);
    else this.#root = this.#rows.addBatch(this.#root, batch);
  }

  flush(emit: Emit): void {
    this.#emitPassed(emit);
    const now = this.#clock.slowest;
    const due = this.dueMicros;
    if (now === undefined || due === undefined || now < due) return;
    this.#last = now;
    this.#emitAll(emit);
  }

  /** While nothing waits there is nothing to be told of. */
  get dueMicros(): bigint | undefined {
    const { micros } = this.#shape;
    if (this.#root === NONE || micros === undefined) return undefined;
    return this.#last === undefined ? 0n : this.#last + micros;
  }

  stateBytes(): number {
    return this.#rows.bytes();
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  savedParts(): readonly Saved[] {
    const watermarks = this.#shape.after === undefined ? [] : [this.#watermarks];
    return [this, this.#clock, ...watermarks, this.#rows];
  }

  save(to: StateWriter): void {
    to.number(this.#root);
    to.data([this.#last ?? null]);
  }

  load(from: StateReader): void {
    this.#root = from.number();
    const [last] = from.data();
    assert(last === null || typeof last === 'bigint', 'a time is microseconds');
    this.#last = last ?? undefined;
  }

  /** Takes out the changes that the watermarks have passed. */
  #emitPassed(emit: Emit): void {
    const watermark = this.#watermarks.slowest;
    const { after } = this.#shape;
    if (after === undefined || this.#times === undefined || watermark === undefined) return;
    const limit = Number(watermark - after.micros);
    const passed: number[] = [];
    while (this.#root !== NONE) {
      const row = this.#rows.last(this.#root);
      if (this.#times.isNull(row) || microsAt(this.#times, row) > limit) break;
      passed.push(row);
      this.#root = this.#rows.removeLast(this.#root);
    }
    if (passed.length === 0) return;
    this.#emitRows(passed, emit);
    this.#rows.releaseRetired();
  }

  #emitAll(emit: Emit): void {
    const rows: number[] = [];
    this.#rows.walk(this.#root, (row) => {
      rows.push(row);
      if (rows.length === ROWS_PER_BATCH_MAX) this.#emitRows(rows.splice(0), emit);
      return true;
    });
    this.#emitRows(rows, emit);
    this.#rows.clear(this.#root);
    this.#rows.releaseRetired();
    this.#root = NONE;
  }

  #emitRows(rows: readonly number[], emit: Emit): void {
    for (let start = 0; start < rows.length; start += ROWS_PER_BATCH_MAX) {
      const part = Int32Array.from(rows.slice(start, start + ROWS_PER_BATCH_MAX));
      const columns = this.#rows.rows.gather(part, part.length);
      emit(
        new Batch(
          part.length,
          columns,
          part.map((row) => this.#rows.weights.get(row)),
        ),
      );
    }
  }
}
