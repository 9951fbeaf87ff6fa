/**
 * A columnar batch of weighted rows: a Z-set in the sense of Budiu et al., "DBSP: Automatic
 * Incremental View Maintenance for Rich Query Languages", PVLDB 16(7), 2023. Weight +n inserts n
 * copies of a row, -n takes n back. The sum of the batches that went through an edge is the relation there.
 */
import type { Datum } from '../../sql/base/datum.ts';
import { type BatchColumn, datumAt } from './column.ts';

/** Most rows that a source or an operator puts into one batch; buffers are sized by it. */
export const ROWS_PER_BATCH_MAX = 16_384;

/**
 * Rows named by whoever emits them, so that a reader finds the row that is taken back without comparing rows. At most one
 * row of a name is there at a time, once; it is taken back before another of its name comes, and never in one batch with it.
 */
export interface RowNames {
  /** Names of different owners have nothing to do with one another. */
  readonly owner: object;
  /** One dense number from 0 a row. */
  readonly names: Int32Array;
  /** The owner gives names of rows that nobody will ever take back to others. */
  readonly forgets?: boolean | undefined;
}

export class Batch {
  readonly length: number;
  readonly columns: readonly BatchColumn[];
  /** One weight a row, never 0; null = every weight is +1. */
  readonly weights: Int32Array | null;
  readonly named: RowNames | null;

  constructor(
    length: number,
    columns: readonly BatchColumn[],
    weights: Int32Array | null,
    named: RowNames | null = null,
  ) {
    this.length = length;
    this.columns = columns;
    this.weights = weights;
    this.named = named;
  }

  column(index: number): BatchColumn {
    const column = this.columns[index];
    if (column === undefined) throw new Error(`assertion failed: no column ${index} in batch`);
    return column;
  }

  weight(row: number): number {
    return this.weights === null ? 1 : (this.weights[row] as number);
  }

  /** One row as datums; for tests, errors and other slow paths. */
  row(row: number): (Datum | null)[] {
    return this.columns.map((column) => datumAt(column, row));
  }
}
