import type { StreamError } from '../../sql/base/error.ts';
import type { Batch } from '../delta/batch.ts';
import type { BatchColumn } from '../delta/column.ts';
import type { Saved } from '../state/saved.ts';

/** Tells that a group's result cannot be computed, by its position in the list that was asked for. */
export type ReportGroupError = (position: number, error: StreamError) => void;

/**
 * What one aggregate keeps per group. Groups are dense numbers given out by the aggregate operator, which clears
 * a group's state when its last row has gone. Numbers are reused.
 */
export interface GroupState extends Saved {
  /** Makes groups below `groups` addressable; new ones are empty. */
  ensure(groups: number): void;
  /**
   * Adds batch row r to groups[r] weights[r] times; 0 leaves it out. `null` = every row once.
   * Rows that a strict aggregate skips, or a FILTER, have weight 0 already.
   */
  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void;
  clear(group: number): void;
  bytes(): number;
}

/** Computes an aggregate's values from a state; several may read one state (sum, avg and count of one column). */
export interface GroupResult {
  results(groups: Int32Array, count: number, report: ReportGroupError): BatchColumn;
}
