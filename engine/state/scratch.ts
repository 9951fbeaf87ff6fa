/**
 * Row-number buffers that live for one call. Operators run inside one another (an emitted batch is processed
 * before `emit` returns), so buffers are borrowed and given back instead of being shared by name.
 */
import { ROWS_PER_BATCH_MAX } from '../delta/batch.ts';

const POOL_BUFFERS_MAX = 64;

const pool: Int32Array<ArrayBuffer>[] = [];

/** A buffer of at least `length` cells with arbitrary content. */
export function borrowRows(length: number): Int32Array<ArrayBuffer> {
  if (length > ROWS_PER_BATCH_MAX) return new Int32Array(length);
  return pool.pop() ?? new Int32Array(ROWS_PER_BATCH_MAX);
}

/** Gives a buffer back. After an exception a buffer may simply be forgotten. */
export function returnRows(buffer: Int32Array<ArrayBuffer>): void {
  if (buffer.length === ROWS_PER_BATCH_MAX && pool.length < POOL_BUFFERS_MAX) pool.push(buffer);
}
