/**
 * The stored form of records on their way to a sink.
 * Layout, little-endian, per record: int32 key length (-1 = none), int32 value length (-1 = tombstone), float64
 * timestamp in ms (NaN = when delivered), key bytes, value bytes.
 */
import type { ProduceRecord } from '../../connectors/connector.ts';

const HEADER_BYTES = 16;

export function encodeOutbox(records: readonly ProduceRecord[]): Buffer {
  let size = 0;
  for (const record of records) {
    size += HEADER_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  }
  const data = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { key, value, timestampMs } of records) {
    data.writeInt32LE(key === null ? -1 : key.length, at);
    data.writeInt32LE(value === null ? -1 : value.length, at + 4);
    data.writeDoubleLE(timestampMs ?? Number.NaN, at + 8);
    at += HEADER_BYTES;
    if (key !== null) at += key.copy(data, at);
    if (value !== null) at += value.copy(data, at);
  }
  return data;
}

export function decodeOutbox(data: Buffer): ProduceRecord[] {
  const records: ProduceRecord[] = [];
  let at = 0;
  while (at < data.length) {
    const keyLength = data.readInt32LE(at);
    const valueLength = data.readInt32LE(at + 4);
    const timestampMs = data.readDoubleLE(at + 8);
    at += HEADER_BYTES;
    const key = keyLength < 0 ? null : data.subarray(at, at + keyLength);
    at += Math.max(keyLength, 0);
    const value = valueLength < 0 ? null : data.subarray(at, at + valueLength);
    at += Math.max(valueLength, 0);
    records.push(Number.isNaN(timestampMs) ? { key, value } : { key, value, timestampMs });
  }
  return records;
}
