import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { Accumulator, AggregateFunction } from '../../sql/function/aggregate-function.ts';
import type { Batch } from '../delta/batch.ts';
import { columnOf } from '../delta/builder.ts';
import { type BatchColumn, datumAt, physicalOf } from '../delta/column.ts';
import type { SortColumn } from '../plan/physical-node.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { loadAll, saveAll } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import type { GroupResult, GroupState, ReportGroupError } from './group-state.ts';
import type { ReportRowError } from './operator.ts';

/** About what an accumulator with a little state takes. */
const ACCUMULATOR_BYTES = 120;

/** Any aggregate, by its function's own accumulator: one JavaScript object a group. */
export class GroupFold implements GroupState, GroupResult {
  readonly #fn: AggregateFunction;
  readonly #make: () => Accumulator;
  readonly #args: readonly number[];
  readonly #report: ReportRowError;
  readonly #accumulators: (Accumulator | undefined)[] = [];
  #live = 0;

  /** @param make  the function's accumulator, or its one for rows that are never taken back. */
  constructor(
    fn: AggregateFunction,
    make: () => Accumulator,
    args: readonly number[],
    report: ReportRowError,
  ) {
    this.#fn = fn;
    this.#make = make;
    this.#args = args;
    this.#report = report;
  }

  ensure(groups: number): void {
    while (this.#accumulators.length < groups) this.#accumulators.push(undefined);
  }

  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void {
    const columns = this.#args.map((column) => batch.column(column));
    for (let r = 0; r < batch.length; r++) {
      const weight = weights === null ? 1 : (weights[r] as number);
      if (weight === 0) continue;
      const group = groups[r] as number;
      let accumulator = this.#accumulators[group];
      if (accumulator === undefined) {
        accumulator = this.#make();
        this.#accumulators[group] = accumulator;
        this.#live++;
      }
      try {
        accumulator.add(
          columns.map((column) => datumAt(column, r)),
          weight,
        );
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        this.#report(error, batch, r, weight);
      }
    }
  }

  results(groups: Int32Array, count: number, report: ReportGroupError): BatchColumn {
    const values: (Datum | null)[] = [];
    for (let i = 0; i < count; i++) {
      const accumulator = this.#accumulators[groups[i] as number] ?? this.#make();
      values.push(resultOf(accumulator, i, report));
    }
    return columnOf(physicalOf(this.#fn.result), values);
  }

  clear(group: number): void {
    if (this.#accumulators[group] !== undefined) this.#live--;
    this.#accumulators[group] = undefined;
  }

  bytes(): number {
    return this.#accumulators.length * 8 + this.#live * ACCUMULATOR_BYTES;
  }

  save(to: StateWriter): void {
    to.number(this.#accumulators.length);
    to.number(this.#live);
    this.#accumulators.forEach((accumulator, group) => {
      if (accumulator === undefined) return;
      to.number(group);
      to.data(accumulator.save());
    });
  }

  load(from: StateReader): void {
    this.ensure(from.number());
    this.#live = from.number();
    for (let i = 0; i < this.#live; i++) {
      const group = from.number();
      const accumulator = this.#make();
      accumulator.load(from.data());
      this.#accumulators[group] = accumulator;
    }
  }
}

function resultOf(
  accumulator: Accumulator,
  position: number,
  report: ReportGroupError,
): Datum | null {
  try {
    return accumulator.result();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    report(position, error);
    return null;
  }
}

/**
 * An aggregate over rows in an order (array_agg(x ORDER BY y)): keeps a group's rows sorted, and folds them anew
 * whenever the group has changed. So a change costs as much as the group has rows.
 */
export class GroupOrderedFold implements GroupState, GroupResult {
  readonly #fn: AggregateFunction;
  readonly #columns: readonly number[];
  readonly #argCount: number;
  readonly #rows: OrderedState;
  /** Root of a group's tree + 1; 0 = empty. */
  readonly #roots = Segments.int32();

  /** @param columnTypes  of the arguments, then of the ORDER BY columns. */
  constructor(
    fn: AggregateFunction,
    args: readonly number[],
    order: readonly SortColumn[],
    columnTypes: readonly SqlType[],
  ) {
    this.#fn = fn;
    this.#columns = [...args, ...order.map(({ column }) => column)];
    this.#argCount = args.length;
    this.#rows = new OrderedState(
      columnTypes,
      order.map((sort, i) => ({ ...sort, column: args.length + i })),
    );
  }

  ensure(groups: number): void {
    this.#roots.ensure(groups);
  }

  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void {
    const from = borrowRows(batch.length);
    const to = borrowRows(batch.length);
    let count = 0;
    for (let r = 0; r < batch.length; r++) {
      if (weights !== null && weights[r] === 0) continue;
      from[count] = r;
      to[count++] = this.#rows.rows.allocate();
    }
    this.#rows.ensure();
    const columns = this.#columns.map((column) => batch.column(column));
    this.#rows.rows.put(columns, from, to, count);
    for (let i = 0; i < count; i++) {
      const r = from[i] as number;
      const group = groups[r] as number;
      const weight = weights === null ? 1 : (weights[r] as number);
      const root = this.#rows.add(this.#roots.get(group) - 1, to[i] as number, weight);
      this.#roots.set(group, root + 1);
    }
    returnRows(to);
    returnRows(from);
    this.#rows.releaseRetired();
  }

  results(groups: Int32Array, count: number, report: ReportGroupError): BatchColumn {
    const values: (Datum | null)[] = [];
    for (let i = 0; i < count; i++) {
      try {
        values.push(this.#fold(this.#roots.get(groups[i] as number) - 1).result());
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        values.push(null);
        report(i, error);
      }
    }
    return columnOf(physicalOf(this.#fn.result), values);
  }

  #fold(root: number): Accumulator {
    const accumulator = this.#fn.accumulator();
    const rows: number[] = [];
    this.#rows.walk(root, (row) => {
      rows.push(row);
      return true;
    });
    const numbers = Int32Array.from(rows);
    const columns = this.#rows.rows.columns
      .slice(0, this.#argCount)
      .map((column) => column.gather(numbers, rows.length));
    for (let i = 0; i < rows.length; i++) {
      accumulator.add(
        columns.map((column) => datumAt(column, i)),
        this.#rows.weights.get(rows[i] as number),
      );
    }
    return accumulator;
  }

  clear(group: number): void {
    this.#rows.clear(this.#roots.get(group) - 1);
    this.#roots.set(group, 0);
  }

  bytes(): number {
    return this.#rows.bytes() + this.#roots.bytes;
  }

  save(to: StateWriter): void {
    saveAll([this.#rows, this.#roots], to);
  }

  load(from: StateReader): void {
    loadAll([this.#rows, this.#roots], from);
  }
}
