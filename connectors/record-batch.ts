/** Small operations on RecordBatch that every log-like connector needs. */
import { Buffer } from 'node:buffer';
import type { RecordBatch, RecordHeader, StoredRecord } from './connector.ts';

const noHeaders: readonly RecordHeader[] = [];

/** Records [from, to) of a batch as views of the same memory. */
export function sliceBatch(batch: RecordBatch, from: number, to: number): RecordBatch {
  if (from === 0 && to === batch.length) return batch;
  const headers = batch.headers;
  return {
    partition: batch.partition,
    length: to - from,
    bytes: batch.bytes,
    valueStarts: batch.valueStarts.subarray(from, to),
    valueLengths: batch.valueLengths.subarray(from, to),
    keyStarts: batch.keyStarts?.subarray(from, to),
    keyLengths: batch.keyLengths?.subarray(from, to),
    offsets: batch.offsets.subarray(from, to),
    timestampsMs: batch.timestampsMs.subarray(from, to),
    headers: headers === undefined ? undefined : (row) => headers(row + from),
  };
}

/** One record as an object, its bytes copied: for doors that show records, not for the engine. */
export function storedRecord(batch: RecordBatch, row: number): StoredRecord {
  return {
    partition: batch.partition,
    offset: batch.offsets[row] ?? 0,
    timestampMs: batch.timestampsMs[row] ?? 0,
    key: copyRange(batch.bytes, batch.keyStarts?.[row], batch.keyLengths?.[row]),
    value: copyRange(batch.bytes, batch.valueStarts[row], batch.valueLengths[row]),
    headers: batch.headers?.(row) ?? noHeaders,
  };
}

function copyRange(
  bytes: Buffer,
  start: number | undefined,
  length: number | undefined,
): Buffer | null {
  if (start === undefined || length === undefined || length < 0) return null;
  return Buffer.from(bytes.subarray(start, start + length));
}

/** The first row whose offset is at least `offset`; the batch's length when there is none. */
export function firstRowAt(batch: RecordBatch, offset: number): number {
  let low = 0;
  let high = batch.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((batch.offsets[middle] as number) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bytes that a batch holds on to, index included: what bounds of memory are counted in. */
export function batchBytes(batch: RecordBatch): number {
  return batch.bytes.length + batch.length * 32;
}
