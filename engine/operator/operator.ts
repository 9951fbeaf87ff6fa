import type { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import type { Saved } from '../state/saved.ts';

/** Hands a batch to whatever is below. Called synchronously, any number of times. */
export type Emit = (batch: Batch) => void;

/**
 * A row that an expression could not be computed for. It leaves the plan here, in both directions: what was reported,
 * summed by weight over all epochs, is the rows that fail now.
 * @param weight  copies that fail from now on; negative for copies that were taken back.
 * @param schema  of the batch, when it is not the operator's input's.
 */
export type ReportRowError = (
  error: StreamError,
  batch: Batch,
  row: number,
  weight: number,
  schema?: Schema,
) => void;

/**
 * One node of a running plan, on one partition, on one thread.
 * - `push` and `flush` finish before the next call; neither returns a promise.
 * - Within an epoch the runtime pushes any number of batches to every port, in any order, then
 *   calls `flush` once per operator in topological order (inputs before readers). What was emitted by
 *   the end of `flush`, summed over all epochs, is the node's SQL meaning over the sum of all pushed batches.
 *   Between pushes an operator may hold changes back (aggregates emit once an epoch: one retraction and
 *   one insertion a touched group), so only the state after `flush` means anything.
 * - A pushed batch, and the bytes that its strings refer to, may be reused by the caller when the epoch
 *   ends: state copies what it keeps. An emitted batch stays valid until the end of its epoch.
 */
export interface Operator {
  readonly schema: Schema;
  /** Batches for input `port`, counted from 0. */
  push(port: number, batch: Batch, emit: Emit): void;
  flush(emit: Emit): void;
  /** Set when the operator cannot go on: nothing comes out any more, and its readers are to be stopped. */
  readonly failure?: StreamError | undefined;
  /** The time of its clocks, in microseconds since 1970, at which it has something to do; undefined = nothing waits for them. */
  readonly dueMicros?: bigint | undefined;
  /** There is state behind the watermarks that it was told, which it drops a part of whenever it is told of one again. */
  readonly isBehind?: boolean | undefined;
  /** Bytes of state held now; 0 for a stateless operator. */
  stateBytes(): number;
  /** Rows, groups or keys in the state now. */
  stateEntries(): number;
  /**
   * What it keeps from one epoch to the next, part by part in a fixed order; none for an operator without state. Read
   * and written between two epochs only, after `flush`. Two laws make a restart exact, and every operator's test checks
   * them (test/property/play.ts): a new operator of the same plan node whose parts are loaded goes on as the saved one
   * would have, batch by batch; and the same pushes and flushes always lead to the same emitted batches, so neither the
   * clock nor chance nor what was pushed into other operators may count.
   */
  savedParts(): readonly Saved[];
}
