import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { compileScalar } from '../kernel/scalar.ts';
import { columnsOf } from '../plan/plan-builder.ts';
import type { ReadCell } from '../state/stored-cell.ts';

/** Steps that the patterns of one partition may take in one epoch: conditions asked, ways tried, values added up. */
export const MATCH_STEPS_MAX = 50_000_000;

/** @throws what stops the operator: some patterns over some rows have more ways than can be tried. */
export class StepBudget {
  readonly #max: number;
  #left = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Another partition, or another epoch. */
  renew(): void {
    this.#left = this.#max;
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new StepsExhausted(this.#max);
  }
}

/** No failure of a row, but of the whole operator. */
export class StepsExhausted extends Error {
  readonly failure: StreamError;

  constructor(max: number) {
    super('the step budget of a partition is spent');
    this.failure = new StreamError(
      'VALUE_PROGRAM_LIMIT',
      `MATCH_RECOGNIZE has taken more than ${max} steps in one partition`,
      {
        hint: 'Make conditions or the pattern narrower, bound it with WITHIN, or partition by more columns.',
      },
    );
  }
}

/** A row that is not there yet decides: the search goes on when it is. */
export class RowAwaited extends Error {}

export const rowAwaited = new RowAwaited('a row that is not there yet decides');

/**
 * The rows of one partition in order, as far as they are known. Positions count from the partition's first row, also when
 * that has been dropped.
 */
export class MatchPartition {
  /** Numbers of stored rows from position `base` on. */
  rows: number[] = [];
  base = 0;
  /** No row comes behind the last one. */
  isEnded: boolean;
  /** Rows that come have a later time than this, so that WITHIN can end a match before they do. */
  safeMicros: bigint | undefined;
  /** The furthest position that was asked for. */
  reach = -1;

  constructor(isEnded: boolean) {
    this.isEnded = isEnded;
  }

  get end(): number {
    return this.base + this.rows.length;
  }

  /** A stored row, or undefined outside of the partition. @throws RowAwaited where one may still come. */
  at(position: number): number | undefined {
    if (position > this.reach) this.reach = position;
    if (position < this.base) return undefined;
    if (position < this.end) return this.rows[position - this.base];
    if (this.isEnded) return undefined;
    throw rowAwaited;
  }
}

/** An expression over one stored row and the variable that it is mapped to. */
export class RowExpression {
  /** It reads nothing but one column, and so never fails. */
  readonly isColumn: boolean;
  readonly readsVariable: boolean;
  readonly #read: (row: number, variable: string | null) => Datum | null;

  /** @param cells  the columns of a stored row; the column behind them is the variable. */
  constructor(expression: BoundExpr, cells: readonly ReadCell[]) {
    const columns = columnsOf([expression]);
    const own = columns.filter((column) => column < cells.length);
    this.readsVariable = own.length < columns.length;
    this.isColumn = expression.kind === 'column';
    if (expression.kind === 'column') {
      const cell = cells[expression.index];
      this.#read = cell === undefined ? (_, variable) => variable : (row) => cell(row);
      return;
    }
    const compute = compileScalar(expression);
    this.#read = (row, variable) => {
      const values: (Datum | null)[] = new Array(cells.length + 1).fill(null);
      for (const column of own) values[column] = (cells[column] as ReadCell)(row);
      values[cells.length] = variable;
      return compute(values);
    };
  }

  /** @throws StreamError as the expression does. */
  read(row: number, variable: string | null): Datum | null {
    return this.#read(row, variable);
  }
}
