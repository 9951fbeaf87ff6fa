import { assert } from '../../sql/base/assert.ts';
import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { gather } from '../delta/gather.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { NONE } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import { StoredInt64s } from '../state/stored-column.ts';
import { Clocks } from './clocks.ts';
import type { Emit, Operator } from './operator.ts';

export interface TemporalFilterShape {
  /** A row comes out when the clock reaches this column's time; undefined = at once. */
  readonly from: number | undefined;
  /** A row is taken back when the clock reaches this column's time; undefined = never. */
  readonly until: number | undefined;
  /** Microseconds that are added to the columns' times. */
  readonly fromMicros: bigint;
  readonly untilMicros: bigint;
  /** How many clocks there are: ports 1, 2, …; the slowest one counts. */
  readonly clocks: number;
}

/**
 * Rows between two times: a row is in the output while from <= clock < until. Clocks come as rows of one timestamp column and never
 * go back; before all of them have struck, only what needs no clock comes out. Rows whose `from` or `until` is
 * NULL never come out, as SQL's comparison with NULL is not true.
 * Temporal filters as in McSherry et al., "Materialize" (its documentation, "Temporal filters"); with a watermark for a clock
 * this is EMIT FINAL.
 * State: rows that wait for `from`, and rows that came out and wait for `until`, both in order of that time.
 */
export class TemporalFilterOperator implements Operator {
  readonly schema: Schema;
  readonly #shape: TemporalFilterShape;
  readonly #clocks: Clocks;
  readonly #waiting: TimeQueue | undefined;
  readonly #shown: TimeQueue | undefined;
  /** Where the slowest clock stood at the last flush: rows of an epoch are older than its clocks. */
  #clock: bigint | undefined;

  constructor(schema: Schema, shape: TemporalFilterShape) {
    this.schema = schema;
    this.#shape = shape;
    this.#clocks = new Clocks(shape.clocks);
    const { from, until } = shape;
    this.#waiting = from === undefined ? undefined : new TimeQueue(schema, from);
    this.#shown = until === undefined ? undefined : new TimeQueue(schema, until);
  }

  push(port: number, batch: Batch, emit: Emit): void {
    if (port > 0) this.#clocks.strike(port - 1, batch);
    else this.#take(batch, emit);
  }

  flush(emit: Emit): void {
    const clock = this.#clocks.slowest;
    this.#clock = clock;
    if (clock === undefined) return;
    this.#waiting?.pop(clock - this.#shape.fromMicros, (rows) => this.#show(rows, emit));
    this.#shown?.pop(clock - this.#shape.untilMicros, (rows) => emit(negated(rows)));
  }

  get dueMicros(): bigint | undefined {
    const { fromMicros, untilMicros } = this.#shape;
    const first = this.#waiting?.first;
    const last = this.#shown?.first;
    const comes = first === undefined ? undefined : first + fromMicros;
    const goes = last === undefined ? undefined : last + untilMicros;
    if (comes === undefined) return goes;
    if (goes !== undefined && goes < comes) return goes;
    return comes;
  }

  stateBytes(): number {
    return (this.#waiting?.bytes() ?? 0) + (this.#shown?.bytes() ?? 0);
  }

  stateEntries(): number {
    return (this.#waiting?.count ?? 0) + (this.#shown?.count ?? 0);
  }

  savedParts(): readonly Saved[] {
    const clock: Saved = {
      save: (to) => to.data([this.#clock ?? null]),
      load: (from) => {
        const [time] = from.data();
        this.#clock = typeof time === 'bigint' ? time : undefined;
      },
    };
    const queues = [this.#waiting, this.#shown].filter((queue) => queue !== undefined);
    return [clock, this.#clocks, ...queues];
  }

  /** Sorts arriving rows by where the clock stands: to wait, to come out, or past their time. */
  #take(batch: Batch, emit: Emit): void {
    const { from, until, fromMicros, untilMicros } = this.#shape;
    const starts = from === undefined ? undefined : timesOf(batch, from);
    const ends = until === undefined ? undefined : timesOf(batch, until);
    const waiting = borrowRows(batch.length);
    const shown = borrowRows(batch.length);
    let waitingCount = 0;
    let shownCount = 0;
    const clock = this.#clock;
    for (let row = 0; row < batch.length; row++) {
      if (starts?.nulls?.[row] === 1 || ends?.nulls?.[row] === 1) continue;
      const end = ends?.values[row];
      if (end !== undefined && clock !== undefined && end + untilMicros <= clock) continue;
      const start = starts?.values[row];
      if (start !== undefined && (clock === undefined || start + fromMicros > clock)) {
        waiting[waitingCount++] = row;
      } else {
        shown[shownCount++] = row;
      }
    }
    if (waitingCount > 0) this.#waiting?.add(gather(batch, waiting, waitingCount));
    if (shownCount > 0) this.#show(gather(batch, shown, shownCount), emit);
    returnRows(shown);
    returnRows(waiting);
  }

  #show(rows: Batch, emit: Emit): void {
    this.#shown?.add(rows);
    emit(rows);
  }
}

/** Weighted rows by the time in one of their columns. */
class TimeQueue implements Saved {
  readonly #rows: OrderedState;
  readonly #column: number;
  #root = NONE;

  constructor(schema: Schema, column: number) {
    this.#column = column;
    // Falling, so that the earliest row is the last one, which a tree gives back cheaply.
    this.#rows = new OrderedState(
      schema.map(({ type }) => type),
      [{ column, descending: true, nullsFirst: true }],
    );
  }

  get count(): number {
    return this.#rows.count;
  }

  bytes(): number {
    return this.#rows.bytes();
  }

  /** The earliest time. */
  get first(): bigint | undefined {
    return this.#root === NONE ? undefined : this.#timeOf(this.#rows.last(this.#root));
  }

  add(batch: Batch): void {
    this.#root = this.#rows.addBatch(this.#root, batch);
  }

  /** Takes out the rows whose time is at most `limit`, the earliest first. */
  pop(limit: bigint, take: (rows: Batch) => void): void {
    while (this.#root !== NONE) {
      const found = borrowRows(ROWS_PER_BATCH_MAX);
      const weights: number[] = [];
      while (this.#root !== NONE && weights.length < ROWS_PER_BATCH_MAX) {
        const row = this.#rows.last(this.#root);
        if (this.#timeOf(row) > limit) break;
        found[weights.length] = row;
        weights.push(this.#rows.weights.get(row));
        this.#root = this.#rows.removeLast(this.#root);
      }
      const count = weights.length;
      if (count > 0) {
        const columns = this.#rows.rows.gather(found, count);
        this.#rows.releaseRetired();
        take(new Batch(count, columns, Int32Array.from(weights)));
      }
      returnRows(found);
      if (count < ROWS_PER_BATCH_MAX) return;
    }
  }

  save(to: StateWriter): void {
    to.number(this.#root);
    this.#rows.save(to);
  }

  load(from: StateReader): void {
    this.#root = from.number();
    this.#rows.load(from);
  }

  #timeOf(row: number): bigint {
    const values = this.#rows.rows.columns[this.#column]?.values;
    assert(values instanceof StoredInt64s, 'a time is stored as microseconds');
    return values.segments.get(row);
  }
}

function timesOf(
  batch: Batch,
  column: number,
): { readonly values: BigInt64Array; readonly nulls: Uint8Array | null } {
  const found = batch.column(column);
  assert(found.physical === 'i64', 'a time column holds microseconds');
  return found;
}

function negated(batch: Batch): Batch {
  const weights = new Int32Array(batch.length);
  for (let row = 0; row < batch.length; row++) weights[row] = -batch.weight(row);
  return new Batch(batch.length, batch.columns, weights);
}
