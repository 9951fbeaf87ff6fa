import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import { type TableFunctionCall, tableFunctionRows } from '../../sql/function/table-rows.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { columnOf } from '../delta/builder.ts';
import { datumAt, physicalOf } from '../delta/column.ts';
import { gather } from '../delta/gather.ts';
import type { Emit, ReportRowError } from './operator.ts';
import { StatelessOperator } from './stateless.ts';

/** Which rows of a batch of the operator's schema count: 1 a row. */
export type KeepRows = (rows: Batch) => Uint8Array;

export interface FlatMapShape {
  readonly calls: readonly (TableFunctionCall & {
    /** Columns of the input. */
    readonly args: readonly number[];
  })[];
  readonly ordinality: boolean;
  /** Columns of the input that come out, before the functions'. */
  readonly kept: readonly number[];
  /** Undefined = all rows count. */
  readonly keep: KeepRows | undefined;
  /** An input row without rows that count comes out once, with NULLs. */
  readonly outer: boolean;
}

/**
 * Set-returning functions: each row with the rows that the functions give for it. These depend on nothing but the row,
 * so that weights pass through and d(F(R)) = F(dR). A row for which a function fails is reported and leaves the plan, in
 * both directions. No state; a row gives at most ROWS_PER_CALL_MAX rows.
 */
export class FlatMapOperator extends StatelessOperator {
  readonly #shape: FlatMapShape;
  readonly #report: ReportRowError;
  /** Input rows of what was computed, and its columns: one list a column of the functions. */
  #sources: number[] = [];
  #values: (Datum | null)[][] = [];
  /** Input rows for which a function failed. */
  readonly #failed = new Set<number>();

  constructor(schema: Schema, shape: FlatMapShape, report: ReportRowError) {
    super(schema);
    this.#shape = shape;
    this.#report = report;
    this.#restart();
  }

  push(_port: number, batch: Batch, emit: Emit): void {
    const kept = new Batch(
      batch.length,
      this.#shape.kept.map((column) => batch.column(column)),
      batch.weights,
    );
    let first = 0;
    for (let row = 0; row < batch.length; row++) {
      this.#compute(batch, row);
      if (this.#sources.length < ROWS_PER_BATCH_MAX) continue;
      this.#emitRows(kept, first, row + 1, emit);
      first = row + 1;
    }
    this.#emitRows(kept, first, batch.length, emit);
  }

  #restart(): void {
    this.#sources = [];
    this.#values = this.schema.slice(this.#shape.kept.length).map(() => []);
  }

  #compute(batch: Batch, row: number): void {
    const { calls, ordinality, outer, keep } = this.#shape;
    const args = calls.map((call) => call.args.map((column) => datumAt(batch.column(column), row)));
    try {
      const rows = tableFunctionRows(calls, args, ordinality);
      for (const values of rows) this.#add(row, values);
      // With a condition it is known only later that a row has none.
      if (rows.length === 0 && outer && keep === undefined) this.#add(row, []);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#report(error, batch, row, batch.weight(row));
      this.#failed.add(row);
    }
  }

  #add(row: number, values: readonly (Datum | null)[]): void {
    this.#sources.push(row);
    this.#values.forEach((column, i) => {
      column.push(values[i] ?? null);
    });
  }

  /** Emits what was computed for the input rows [from, to). */
  #emitRows(kept: Batch, from: number, to: number, emit: Emit): void {
    const { keep, outer } = this.#shape;
    const hasPartner = keep !== undefined && outer ? new Uint8Array(to - from) : undefined;
    for (let start = 0; start < this.#sources.length; start += ROWS_PER_BATCH_MAX) {
      const end = Math.min(start + ROWS_PER_BATCH_MAX, this.#sources.length);
      const rows = this.#batch(kept, start, end);
      if (keep === undefined) {
        emit(rows);
        continue;
      }
      const chosen = keep(rows);
      const numbers = new Int32Array(rows.length);
      let count = 0;
      for (let i = 0; i < rows.length; i++) {
        if (chosen[i] !== 1) continue;
        numbers[count++] = i;
        if (hasPartner !== undefined) hasPartner[(this.#sources[start + i] as number) - from] = 1;
      }
      if (count > 0) emit(gather(rows, numbers, count));
    }
    this.#restart();
    if (hasPartner !== undefined) this.#emitWithout(kept, from, hasPartner, emit);
    this.#failed.clear();
  }

  /** Rows without a partner, padded with NULLs. */
  #emitWithout(kept: Batch, from: number, hasPartner: Uint8Array, emit: Emit): void {
    hasPartner.forEach((has, i) => {
      if (has === 0 && !this.#failed.has(from + i)) this.#add(from + i, []);
    });
    if (this.#sources.length > 0) emit(this.#batch(kept, 0, this.#sources.length));
    this.#restart();
  }

  #batch(kept: Batch, start: number, end: number): Batch {
    const sources = Int32Array.from(this.#sources.slice(start, end));
    const rows = gather(kept, sources, sources.length);
    const own = this.#values.map((values, i) => {
      const { type } = this.schema[this.#shape.kept.length + i] as Schema[number];
      return columnOf(physicalOf(type), values.slice(start, end));
    });
    return new Batch(rows.length, [...rows.columns, ...own], rows.weights);
  }
}
