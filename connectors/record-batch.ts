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

/** The row after the last one that fits: rows from `from` on with about `bytesMax` bytes, at least one. */
export function rowsWithin(batch: RecordBatch, from: number, bytesMax: number): number {
  const start = batch.valueStarts[from] ?? 0;
  let to = from + 1;
  while (to < batch.length && (batch.valueStarts[to] as number) - start < bytesMax) to++;
  return Math.min(to, batch.length);
}

/** The offset of a batch's last record; the batch must not be empty. */
export function lastOffset(batch: RecordBatch): number {
  return batch.offsets[batch.length - 1] as number;
}

/** Bytes from the first value to the end of the last: keys and framing between them are counted. */
export function spanBytes(batch: RecordBatch): number {
  const last = batch.length - 1;
  if (last < 0) return 0;
  const end = (batch.valueStarts[last] as number) + Math.max(batch.valueLengths[last] as number, 0);
  return end - (batch.valueStarts[0] as number);
}
