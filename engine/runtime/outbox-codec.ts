/**
 * The stored form of records on their way to a sink.
 * Layout, little-endian, per record: int32 key length (-1 = none), int32 value length (-1 = tombstone), float64
 * timestamp in ms (NaN = when delivered), int32 number of headers, key bytes, value bytes; then per header int32 key
 * length, int32 value length (-1 = none), key bytes (UTF-8), value bytes.
 */
import type { ProduceRecord, RecordHeader } from '../../connectors/connector.ts';

const RECORD_BYTES = 20;
const HEADER_BYTES = 8;

export function encodeOutbox(records: readonly ProduceRecord[]): Buffer {
  const data = Buffer.allocUnsafe(records.reduce((sum, record) => sum + sizeOf(record), 0));
  let at = 0;
  for (const { key, value, timestampMs, headers = [] } of records) {
    data.writeInt32LE(key === null ? -1 : key.length, at);
    data.writeInt32LE(value === null ? -1 : value.length, at + 4);
    data.writeDoubleLE(timestampMs ?? Number.NaN, at + 8);
    data.writeInt32LE(headers.length, at + 16);
    at += RECORD_BYTES;
    if (key !== null) at += key.copy(data, at);
    if (value !== null) at += value.copy(data, at);
    for (const header of headers) at = writeHeader(data, at, header);
  }
  return data;
}

function sizeOf({ key, value, headers = [] }: ProduceRecord): number {
  let size = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) {
    size += HEADER_BYTES + Buffer.byteLength(header.key) + (header.value?.length ?? 0);
  }
  return size;
}

/** @returns where the next one begins. */
function writeHeader(data: Buffer, start: number, { key, value }: RecordHeader): number {
  const at = start + HEADER_BYTES;
  const keyLength = data.write(key, at);
  data.writeInt32LE(keyLength, start);
  data.writeInt32LE(value === null ? -1 : value.length, start + 4);
  return at + keyLength + (value === null ? 0 : value.copy(data, at + keyLength));
}

export function decodeOutbox(data: Buffer): ProduceRecord[] {
  const records: ProduceRecord[] = [];
  let at = 0;
  const take = (length: number): Buffer | null => {
    if (length < 0) return null;
    at += length;
    return data.subarray(at - length, at);
  };
  while (at < data.length) {
    const keyLength = data.readInt32LE(at);
    const valueLength = data.readInt32LE(at + 4);
    const timestampMs = data.readDoubleLE(at + 8);
    const headerCount = data.readInt32LE(at + 16);
    at += RECORD_BYTES;
    const key = take(keyLength);
    const value = take(valueLength);
    const headers: RecordHeader[] = [];
    for (let n = 0; n < headerCount; n++) {
      const nameLength = data.readInt32LE(at);
      const length = data.readInt32LE(at + 4);
      at += HEADER_BYTES;
      headers.push({ key: String(take(nameLength) ?? ''), value: take(length) });
    }
    records.push({
      key,
      value,
      ...(Number.isNaN(timestampMs) ? {} : { timestampMs }),
      ...(headerCount === 0 ? {} : { headers }),
    });
  }
  return records;
}
