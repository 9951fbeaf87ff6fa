/**
 * Joins runs of small segments into one batch: writers that append a record at a time would otherwise
 * hand the engine one batch per record. Large segments pass through uncopied.
 */
import { Buffer } from 'node:buffer';
import type { RecordBatch } from '../connector.ts';
import { batchBytes } from '../record-batch.ts';

/** A run is closed when it holds this many bytes; batches above it are never copied. */
const MERGED_BYTES = 256 * 1024;

/** `batches` are of one partition, in offset order. */
export function mergeSmall(batches: readonly RecordBatch[]): RecordBatch[] {
  const merged: RecordBatch[] = [];
  let run: RecordBatch[] = [];
  let runBytes = 0;
  for (const batch of batches) {
    const bytes = batchBytes(batch);
    if (runBytes + bytes > MERGED_BYTES && run.length > 0) {
      merged.push(join(run));
      run = [];
      runBytes = 0;
    }
    run.push(batch);
    runBytes += bytes;
  }
  if (run.length > 0) merged.push(join(run));
  return merged;
}

function join(run: readonly RecordBatch[]): RecordBatch {
  const first = run[0] as RecordBatch;
  if (run.length === 1) return first;
  let length = 0;
  let keyed = false;
  for (const batch of run) {
    length += batch.length;
    keyed ||= batch.keyStarts !== undefined;
  }
  const valueStarts = new Int32Array(length);
  const valueLengths = new Int32Array(length);
  const keyStarts = keyed ? new Int32Array(length) : undefined;
  const keyLengths = keyed ? new Int32Array(length).fill(-1) : undefined;
  const offsets = new Float64Array(length);
  const timestampsMs = new Float64Array(length);
  let row = 0;
  let base = 0;
  for (const batch of run) {
    for (let r = 0; r < batch.length; r++) {
      valueStarts[row + r] = (batch.valueStarts[r] as number) + base;
      if (keyStarts !== undefined) keyStarts[row + r] = (batch.keyStarts?.[r] ?? 0) + base;
    }
    valueLengths.set(batch.valueLengths.subarray(0, batch.length), row);
    if (batch.keyLengths !== undefined) {
      keyLengths?.set(batch.keyLengths.subarray(0, batch.length), row);
    }
    offsets.set(batch.offsets.subarray(0, batch.length), row);
    timestampsMs.set(batch.timestampsMs.subarray(0, batch.length), row);
    row += batch.length;
    base += batch.bytes.length;
  }
  return {
    partition: first.partition,
    length,
    bytes: Buffer.concat(
      run.map((batch) => batch.bytes),
      base,
    ),
    valueStarts,
    valueLengths,
    keyStarts,
    keyLengths,
    offsets,
    timestampsMs,
    headers: joinHeaders(run),
  };
}

function joinHeaders(run: readonly RecordBatch[]): RecordBatch['headers'] {
  if (run.every((batch) => batch.headers === undefined)) return undefined;
  return (row) => {
    let at = row;
    for (const batch of run) {
      if (at < batch.length) return batch.headers?.(at) ?? [];
      at -= batch.length;
    }
    return [];
  };
}
