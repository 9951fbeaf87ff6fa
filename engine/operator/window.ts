import type { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { type BatchColumn, physicalOf } from '../delta/column.ts';
import { gatherColumn } from '../delta/gather.ts';
import type { ForgetRule, PhysicalWindowCall, SortColumn } from '../plan/physical-node.ts';
import type { OrderedState } from '../state/ordered-state.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import { cellReader } from '../state/stored-cell.ts';
import type { StoredColumn } from '../state/stored-column.ts';
import { markChanges } from './column-change.ts';
import type { Forgetful } from './forgetting.ts';
import type { Emit, ReportRowError } from './operator.ts';
import { savedErrors } from './saved-errors.ts';
import { AggregateCall } from './window-aggregate.ts';
import type { CallColumns, WindowCall } from './window-call.ts';
import { rankingCall } from './window-ranking.ts';
import { RegionFinder } from './window-region.ts';
import { WindowRows } from './window-rows.ts';
import type { Stretch } from './window-stretch.ts';

export interface WindowShape {
  readonly partitionBy: readonly number[];
  readonly orderBy: readonly SortColumn[];
  readonly calls: readonly PhysicalWindowCall[];
  /**
   * When a partition is dropped: `column` is one of `partitionBy`, by its place there; and when the first rows of one are, by the
   * first column of the order.
   */
  readonly forgets?: readonly (ForgetRule | undefined)[] | undefined;
}

/** What downstream has of a row of the state: nothing yet, the row with its kept values, or nothing, since a call failed. */
const FRESH = 0;
const SHOWN = 1;
const FAILED = 2;

/**
 * Window functions over one partition and order. Every copy of a row is a row of its own, in order, ties broken by the
 * whole row, beside the values that downstream has of it. At flush each touched partition takes its new rows into its
 * tree; then the rows that can see a change are computed again, and those with other values give back the kept ones.
 * So a retraction is exact whatever the functions do.
 * Cost of a change, in a partition of n rows: O(log n) and what is computed again (window-region.ts): a frame of
 * rows around it for lag, lead and bounded frames; the rows behind it for row_number, ranks and frames from the
 * partition's first row, which is nothing but the new row for one that comes last; the partition for ntile,
 * percent_rank, cume_dist and frames to its last row. window-aggregate.ts says what a frame costs.
 * State: all rows of the input with their values. What calls keep beside it (`WindowCall.forget`) is derived from the
 * rows, and made anew where it is missing.
 */
export class WindowOperator implements Forgetful {
  readonly schema: Schema;
  readonly #width: number;
  readonly #report: ReportRowError;
  readonly #rows: WindowRows;
  readonly #calls: readonly WindowCall[];
  readonly #regions: RegionFinder;
  /** By row of the state: FRESH, SHOWN or FAILED. Rows that have gone leave FRESH behind. */
  readonly #status = Segments.uint8();
  /** Why rows of the state have no row downstream now; most often nothing. */
  readonly #failures = new Map<number, StreamError>();
  /** Rows computed since the last `#drain`, and which of them could not be. */
  readonly #computed: number[] = [];
  readonly #errors = new Map<number, StreamError>();
  /** Shown rows that have gone in this epoch. */
  readonly #removed: number[] = [];

  constructor(schema: Schema, input: Schema, shape: WindowShape, report: ReportRowError) {
    this.schema = schema;
    this.#width = input.length;
    this.#report = report;
    this.#rows = new WindowRows(
      input.map((column) => column.type),
      shape.partitionBy,
      shape.orderBy,
      shape.calls.map((call) => physicalOf(call.type)),
      shape.forgets,
    );
    const { state } = this.#rows;
    this.#calls = shape.calls.map((call, i) => {
      const columns = columnsOf(state, input, shape, i);
      return call.kind === 'aggregate'
        ? new AggregateCall(call, columns)
        : rankingCall(call, columns);
    });
    this.#regions = new RegionFinder(state, this.#calls, (row) => this.#status.get(row) === FRESH);
  }

  push(_port: number, batch: Batch, _emit: Emit): void {
    this.#rows.push(batch);
  }

  flush(emit: Emit): void {
    const { touched, state } = this.#rows;
    if (touched.length === 0) return;
    for (const partition of touched) {
      const changed = this.#rows.take(partition);
      this.#status.ensure(state.rows.end);
      for (const row of changed.removed) {
        if (this.#status.get(row) === SHOWN) this.#removed.push(row);
      }
      if (changed.count > 0) this.#regions.find(changed, this.#compute);
      else for (const call of this.#calls) call.forget(partition);
      for (const row of changed.removed) {
        this.#settleFailure(row, undefined);
        this.#status.set(row, FRESH);
      }
      if (this.#computed.length >= ROWS_PER_BATCH_MAX) this.#drain(emit);
    }
    this.#drain(emit);
    this.#emitRows(this.#removed, undefined, -1, emit);
    this.#removed.length = 0;
    this.#rows.endEpoch();
  }

  isBehindAt(clock: bigint): boolean {
    const { closing, passing } = this.#rows;
    return closing?.isBehind(clock) === true || passing?.isBehind(clock) === true;
  }

  forget(clock: bigint, most: number): void {
    const { state, closing, passing } = this.#rows;
    const left = closing?.forget(clock, most, (partitions, count) => {
      const before = state.count;
      for (let i = 0; i < count; i++) {
        const partition = partitions[i] as number;
        if (!this.#rows.drop(partition, this.#forgetRow)) continue;
        for (const call of this.#calls) call.forget(partition);
      }
      state.releaseRetired();
      return before - state.count;
    });
    passing?.forget(clock, left ?? most, (rows, count) => {
      const before = state.count;
      for (const partition of this.#rows.dropFirst(rows, count, this.#forgetRow)) {
        for (const call of this.#calls) call.forget(partition);
      }
      state.releaseRetired();
      return before - state.count;
    });
    this.#rows.endEpoch();
  }

  /** Rows that failed stay reported, as shown ones stay downstream. */
  readonly #forgetRow = (row: number): void => {
    this.#status.set(row, FRESH);
    this.#failures.delete(row);
  };

  stateBytes(): number {
    let bytes = this.#rows.bytes() + this.#status.bytes;
    for (const call of this.#calls) bytes += call.bytes();
    return bytes;
  }

  stateEntries(): number {
    return this.#rows.state.count;
  }

  savedParts(): readonly Saved[] {
    const kept = this.#calls.map((call) => call.kept).filter((part) => part !== undefined);
    return [this.#rows, this.#status, savedErrors(this.#failures), ...kept];
  }

  readonly #compute = (stretch: Stretch): void => {
    const start = this.#computed.length;
    for (let index = stretch.from; index < stretch.to; index++) {
      this.#computed.push(stretch.rowAt(index));
    }
    for (const call of this.#calls) {
      call.compute(stretch, start, (position, error) => this.#errors.set(position, error));
    }
  };

  /** Emits what computed rows give back and what they are now, and keeps their new values. */
  #drain(emit: Emit): void {
    const count = this.#computed.length;
    if (count === 0) return;
    const rows = Int32Array.from(this.#computed);
    const kept = this.#payload();
    const values = this.#calls.map((call) => call.output.take(count));
    const before = kept.map((column) => column.gather(rows, count));
    const changed = new Uint8Array(count);
    before.forEach((column, i) => {
      markChanges(column, values[i] as BatchColumn, count, changed);
    });
    const back: number[] = [];
    const out: number[] = [];
    for (let i = 0; i < count; i++) {
      const wasShown = this.#status.get(rows[i] as number) === SHOWN;
      const isShown = !this.#errors.has(i);
      if (wasShown && (changed[i] === 1 || !isShown)) back.push(i);
      if (isShown && (changed[i] === 1 || !wasShown)) out.push(i);
    }
    this.#emitPositions(rows, before, back, -1, emit);
    this.#emitPositions(rows, values, out, 1, emit);
    this.#keep(rows, values, count);
    this.#computed.length = 0;
    this.#errors.clear();
  }

  #payload(): readonly StoredColumn[] {
    return this.#rows.state.rows.columns.slice(this.#width);
  }

  #keep(rows: Int32Array, values: readonly BatchColumn[], count: number): void {
    const positions = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      positions[i] = i;
      const error = this.#errors.get(i);
      this.#settleFailure(row, error);
      this.#status.set(row, error === undefined ? SHOWN : FAILED);
    }
    this.#payload().forEach((column, i) => {
      // What a cell holds outside of its array is given back before it is overwritten.
      if (column.physical === 'str' || column.physical === 'num') {
        for (let r = 0; r < count; r++) column.release(rows[r] as number);
      }
      column.put(values[i] as BatchColumn, positions, rows, count);
    });
  }

  /** Reports that a row fails, or takes back what was reported when it no longer does or fails otherwise. */
  #settleFailure(row: number, error: StreamError | undefined): void {
    const before = this.#failures.get(row);
    if (before === undefined && error === undefined) return;
    if (before?.message === error?.message && before?.code === error?.code) return;
    if (before !== undefined) this.#reportRow(row, before, -1);
    if (error === undefined) this.#failures.delete(row);
    else {
      this.#failures.set(row, error);
      this.#reportRow(row, error, 1);
    }
  }

  #reportRow(row: number, error: StreamError, weight: 1 | -1): void {
    const columns = this.#rows.state.rows.columns.slice(0, this.#width);
    const cells = columns.map((column) => column.gather(Int32Array.of(row), 1));
    this.#report(error, new Batch(1, cells, null), 0, weight);
  }

  /** Emits rows at these positions, with the values at the same positions. */
  #emitPositions(
    rows: Int32Array,
    values: readonly BatchColumn[],
    positions: readonly number[],
    weight: 1 | -1,
    emit: Emit,
  ): void {
    const list = Int32Array.from(positions);
    const picked = positions.map((position) => rows[position] as number);
    this.#emitRows(
      picked,
      (start, end) =>
        values.map((column) => gatherColumn(column, list.subarray(start, end), end - start)),
      weight,
      emit,
    );
  }

  /** @param values  the calls' values for rows [start, end) of the list; undefined = the kept ones. */
  #emitRows(
    list: readonly number[],
    values: ((start: number, end: number) => readonly BatchColumn[]) | undefined,
    weight: 1 | -1,
    emit: Emit,
  ): void {
    const { columns } = this.#rows.state.rows;
    const buffer = borrowRows(ROWS_PER_BATCH_MAX);
    for (let start = 0; start < list.length; start += ROWS_PER_BATCH_MAX) {
      const end = Math.min(start + ROWS_PER_BATCH_MAX, list.length);
      const count = end - start;
      for (let i = 0; i < count; i++) buffer[i] = list[start + i] as number;
      const own = values === undefined ? columns : columns.slice(0, this.#width);
      const cells = own.map((column) => column.gather(buffer, count));
      const weights = weight === 1 ? null : new Int32Array(count).fill(-1);
      emit(new Batch(count, [...cells, ...(values?.(start, end) ?? [])], weights));
    }
    returnRows(buffer);
  }
}

function columnsOf(
  state: OrderedState,
  input: Schema,
  shape: WindowShape,
  index: number,
): CallColumns {
  const stored = (column: number): StoredColumn => {
    const found = state.rows.columns[column];
    if (found === undefined) throw new Error(`assertion failed: no column ${column} in a window`);
    return found;
  };
  const [order] = shape.orderBy;
  const key = order === undefined ? undefined : input[order.column];
  return {
    type: (shape.calls[index] as PhysicalWindowCall).type,
    read: (argument) => {
      if (argument.kind === 'column') return cellReader(stored(argument.column));
      const { value } = argument;
      return () => value;
    },
    stored,
    own: stored(input.length + index),
    rangeKey:
      order === undefined || key === undefined
        ? undefined
        : { read: cellReader(stored(order.column)), type: key.type, order },
  };
}
