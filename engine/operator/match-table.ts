import type { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { MatchOutput, MatchShape } from '../../sql/row-pattern.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { BatchBuilder } from '../delta/builder.ts';
import { physicalOf } from '../delta/column.ts';
import type { SortColumn } from '../plan/physical-node.ts';
import { NONE, RowStore } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import { Segments } from '../state/segments.ts';
import { cellReader } from '../state/stored-cell.ts';
import { MatchPartition, StepsExhausted } from './match-rows.ts';
import { type Attempted, MatchScan, type ScanState } from './match-scan.ts';
import type { Emit, Operator, ReportRowError } from './operator.ts';
import { savedErrors } from './saved-errors.ts';
import type { ChangedPartition } from './window-region.ts';
import { WindowRows } from './window-rows.ts';

export type MatchOperatorShape = MatchShape & {
  readonly partitionBy: readonly number[];
  readonly orderBy: readonly SortColumn[];
  readonly outputs: readonly MatchOutput[];
};

/**
 * MATCH_RECOGNIZE over rows that come, go and change: what has come out is, after every epoch, the matches of the rows
 * that are there. Every row at which a match was looked for knows how far that has looked ahead and what came out; at
 * flush the search goes on from the first of these rows that has looked as far as a change, and what came out from there
 * on is taken back. Equal rows that are taken back and given again are left to whoever consolidates.
 * Cost of a change in a partition of n rows: O(n) to list them, and the search from there to the end.
 * State: all rows in order, and the rows that came out.
 */
export class MatchTableOperator implements Operator {
  readonly schema: Schema;
  failure: StreamError | undefined;
  readonly #width: number;
  readonly #report: ReportRowError;
  readonly #rows: WindowRows;
  readonly #scan: MatchScan;
  /**
   * By row at which a match was looked for: rows to the next such row, rows that were looked ahead, rows from here on that
   * are covered by matches, and matches up to here.
   */
  readonly #nexts = Segments.int32();
  readonly #reaches = Segments.int32();
  readonly #covers = Segments.int32();
  readonly #numbers = Segments.float64();
  /** Number + 1 of the first row that came out for it; of the one that follows a row that came out. */
  readonly #firstOut = Segments.int32();
  readonly #nextOut = Segments.int32();
  readonly #out: RowStore;
  readonly #failures = new Map<number, StreamError>();
  readonly #builder: BatchBuilder;
  /** Rows that came out of which rows, in the order of the builder. */
  #built: { owner: number; count: number }[] = [];
  readonly #back: number[] = [];

  constructor(
    schema: Schema,
    input: Schema,
    shape: MatchOperatorShape,
    report: ReportRowError,
    stepsMax: number,
  ) {
    this.schema = schema;
    this.#width = input.length;
    this.#report = report;
    const types = input.map((column) => column.type);
    this.#rows = new WindowRows(types, shape.partitionBy, shape.orderBy, []);
    const cells = this.#rows.state.rows.columns.map(cellReader);
    this.#scan = new MatchScan(shape, cells, cells[shape.orderBy[0]?.column ?? 0], stepsMax);
    this.#out = new RowStore(schema.map((column) => physicalOf(column.type)));
    this.#builder = new BatchBuilder(schema);
  }

  push(_port: number, batch: Batch, _emit: Emit): void {
    this.#rows.push(batch);
  }

  flush(emit: Emit): void {
    if (this.#rows.touched.length === 0 || this.failure !== undefined) return;
    try {
      for (const partition of this.#rows.touched) this.#settle(this.#rows.take(partition), emit);
      this.#takeBack(emit);
      this.#drain(emit);
    } catch (error) {
      if (!(error instanceof StepsExhausted)) throw error;
      this.failure = error.failure;
    }
    this.#rows.endEpoch();
    this.#out.compact();
  }

  stateBytes(): number {
    const marks = [this.#nexts, this.#reaches, this.#covers, this.#numbers, this.#firstOut];
    let bytes = this.#rows.bytes() + this.#out.bytes() + this.#nextOut.bytes;
    for (const mark of marks) bytes += mark.bytes;
    return bytes;
  }

  stateEntries(): number {
    return this.#rows.state.count;
  }

  savedParts(): readonly Saved[] {
    return [
      this.#rows,
      this.#nexts,
      this.#reaches,
      this.#covers,
      this.#numbers,
      this.#firstOut,
      this.#out,
      this.#nextOut,
      savedErrors(this.#failures),
    ];
  }

  #settle(changed: ChangedPartition, emit: Emit): void {
    const { end } = this.#rows.state.rows;
    this.#nexts.ensure(end);
    this.#reaches.ensure(end);
    this.#covers.ensure(end);
    this.#numbers.ensure(end);
    this.#firstOut.ensure(end);
    for (const row of changed.removed) this.#forget(row);
    const partition = new MatchPartition(true);
    this.#rows.state.walk(changed.root, (row) => {
      // A row that was taken back before it came is not there yet.
      if (this.#rows.state.weights.get(row) > 0) partition.rows.push(row);
      return true;
    });
    if (changed.marks.length === 0) return;
    const state = this.#validUpTo(partition.rows, firstChange(changed, partition.rows, this.#rows));
    for (let at = state.next; at < partition.end; at++) this.#forget(partition.rows[at] as number);
    this.#scan.budget.renew();
    const search = this.#scan.search(partition);
    while (state.next < partition.end) {
      const { next: start } = state;
      partition.reach = start;
      const done = this.#scan.attempt(partition, search, state);
      if (done === undefined) throw new Error('assertion failed: no row is awaited in a table');
      this.#keep(partition, start, state, done);
      if (this.#builder.length >= ROWS_PER_BATCH_MAX) this.#drain(emit);
    }
  }

  /** Goes along the rows at which matches were looked for, to the first one that has looked as far as `change`. */
  #validUpTo(rows: readonly number[], change: number): ScanState {
    const state: ScanState = { next: 0, covered: 0, number: 0 };
    while (state.next < change) {
      const at = state.next;
      const row = rows[at] as number;
      if (at + this.#reaches.get(row) >= change) break;
      state.next = at + this.#nexts.get(row);
      state.covered = at + this.#covers.get(row);
      state.number = this.#numbers.get(row);
    }
    return state;
  }

  #keep(
    partition: MatchPartition,
    start: number,
    state: ScanState,
    { rows, failure }: Attempted,
  ): void {
    const row = partition.rows[start] as number;
    this.#nexts.set(row, state.next - start);
    this.#reaches.set(row, partition.reach - start);
    this.#covers.set(row, state.covered - start);
    this.#numbers.set(row, state.number);
    if (failure !== undefined) {
      this.#failures.set(row, failure);
      this.#reportRow(row, failure, 1);
    }
    if (rows.length === 0) return;
    for (const values of rows) this.#builder.add(values);
    this.#built.push({ owner: row, count: rows.length });
  }

  /** Takes back what came out for a row, and why nothing did. */
  #forget(row: number): void {
    for (let out = this.#firstOut.get(row) - 1; out !== NONE; out = this.#nextOut.get(out) - 1) {
      this.#back.push(out);
    }
    this.#firstOut.set(row, 0);
    const failure = this.#failures.get(row);
    if (failure === undefined) return;
    this.#failures.delete(row);
    this.#reportRow(row, failure, -1);
  }

  #reportRow(row: number, error: StreamError, weight: 1 | -1): void {
    const columns = this.#rows.state.rows.columns.slice(0, this.#width);
    const cells = columns.map((column) => column.gather(Int32Array.of(row), 1));
    this.#report(error, new Batch(1, cells, null), 0, weight);
  }

  #takeBack(emit: Emit): void {
    for (let at = 0; at < this.#back.length; at += ROWS_PER_BATCH_MAX) {
      const part = Int32Array.from(this.#back.slice(at, at + ROWS_PER_BATCH_MAX));
      const weights = new Int32Array(part.length).fill(-1);
      emit(new Batch(part.length, this.#out.gather(part, part.length), weights));
      for (const row of part) this.#out.release(row);
    }
    this.#back.length = 0;
  }

  /** Emits the rows that were built, and keeps them with the rows that they came out for. */
  #drain(emit: Emit): void {
    const batch = this.#builder.take();
    if (batch.length === 0) return;
    const from = Int32Array.from({ length: batch.length }, (_, i) => i);
    const to = from.map(() => this.#out.allocate());
    this.#nextOut.ensure(this.#out.end);
    this.#out.put(batch.columns, from, to, batch.length);
    let at = 0;
    for (const { owner, count } of this.#built) {
      this.#firstOut.set(owner, (to[at] as number) + 1);
      for (let i = 1; i < count; i++) {
        this.#nextOut.set(to[at + i - 1] as number, (to[at + i] as number) + 1);
      }
      this.#nextOut.set(to[at + count - 1] as number, 0);
      at += count;
    }
    this.#built = [];
    emit(batch);
  }
}

/** The first position whose row is another one than before; the rows before it are the same ones. */
function firstChange(
  { marks }: ChangedPartition,
  rows: readonly number[],
  { state }: WindowRows,
): number {
  let first = rows.length;
  for (const mark of marks) {
    let low = 0;
    let high = first;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (state.compare(rows[middle] as number, mark) < 0) low = middle + 1;
      else high = middle;
    }
    first = low;
  }
  return first;
}
