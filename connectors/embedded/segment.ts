/**
 * The bytes of one segment of the embedded log: an index, then keys and values back to back, so that
 * reading is taking views. Everything is little-endian.
 *
 *   u32 magic 'MLS1'   u32 flags   u32 count   u32 bytes of the records   f64 first timestamp
 *   timestamps         f64[count] when WIDE_TIMES, else i32[count] added to the first one
 *   value lengths      i32[count], -1 is a tombstone
 *   key lengths        i32[count] when KEYS, -1 is no key
 *   header lengths     i32[count] when HEADERS
 *   records            key, value of record 0, of record 1, …
 *   headers            when HEADERS, of each record: u32 key length, key, i32 value length or -1, value; repeated
 */
import { Buffer } from 'node:buffer';
import { assert } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { LogSegment, ProduceRecord, RecordBatch, RecordHeader } from '../connector.ts';

const MAGIC = 0x31534c4d;
const HEADER_BYTES = 24;
const KEYS = 1;
const HEADERS = 2;
const WIDE_TIMES = 4;

/** A record whose timestamp is decided. */
export interface TimedRecord {
  readonly record: ProduceRecord;
  readonly timestampMs: number;
}

/** Bytes that a record takes in a segment, apart from the index. */
export function recordBytes(record: ProduceRecord): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const header of record.headers ?? []) bytes += headerBytes(header);
  return bytes;
}

function headerBytes(header: RecordHeader): number {
  return 8 + Buffer.byteLength(header.key) + (header.value?.length ?? 0);
}

interface Shape {
  readonly flags: number;
  readonly dataBytes: number;
  readonly headersBytes: number;
  readonly firstTimestampMs: number;
  readonly lastTimestampMs: number;
}

function measure(records: readonly TimedRecord[]): Shape {
  let flags = 0;
  let dataBytes = 0;
  let headersBytes = 0;
  const first = records[0]?.timestampMs ?? 0;
  let last = first;
  for (const { record, timestampMs } of records) {
    if (record.key !== null) flags |= KEYS;
    dataBytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
    if (record.headers !== undefined && record.headers.length > 0) {
      flags |= HEADERS;
      for (const header of record.headers) headersBytes += headerBytes(header);
    }
    const delta = timestampMs - first;
    if (delta !== (delta | 0)) flags |= WIDE_TIMES;
    if (timestampMs > last) last = timestampMs;
  }
  return { flags, dataBytes, headersBytes, firstTimestampMs: first, lastTimestampMs: last };
}

/** `records` must not be empty; they get the offsets from `baseOffset` on. */
export function encodeSegment(
  topic: string,
  partition: number,
  baseOffset: number,
  records: readonly TimedRecord[],
): LogSegment {
  assert(records.length > 0, 'a segment holds records');
  const count = records.length;
  const shape = measure(records);
  const { flags } = shape;
  const wide = (flags & WIDE_TIMES) !== 0;
  const timesBytes = count * (wide ? 8 : 4);
  const lengthsBytes =
    count * 4 * (1 + ((flags & KEYS) !== 0 ? 1 : 0) + ((flags & HEADERS) !== 0 ? 1 : 0));
  const dataStart = HEADER_BYTES + timesBytes + lengthsBytes;
  const data = Buffer.allocUnsafeSlow(dataStart + shape.dataBytes + shape.headersBytes);
  data.writeUInt32LE(MAGIC, 0);
  data.writeUInt32LE(flags, 4);
  data.writeUInt32LE(count, 8);
  data.writeUInt32LE(shape.dataBytes, 12);
  data.writeDoubleLE(shape.firstTimestampMs, 16);
  writeTimes(data, records, shape);
  let lengthsAt = HEADER_BYTES + timesBytes;
  lengthsAt = writeLengths(data, lengthsAt, records, (record) => record.value?.length ?? -1);
  if ((flags & KEYS) !== 0) {
    lengthsAt = writeLengths(data, lengthsAt, records, (record) => record.key?.length ?? -1);
  }
  let at = dataStart;
  for (const { record } of records) {
    if (record.key !== null) at += record.key.copy(data, at);
    if (record.value !== null) at += record.value.copy(data, at);
  }
  if ((flags & HEADERS) !== 0) writeHeaders(data, lengthsAt, at, records);
  return {
    topic,
    partition,
    baseOffset,
    count,
    firstTimestampMs: shape.firstTimestampMs,
    lastTimestampMs: shape.lastTimestampMs,
    data,
  };
}

function writeTimes(data: Buffer, records: readonly TimedRecord[], shape: Shape): void {
  if ((shape.flags & WIDE_TIMES) !== 0) {
    const times = new Float64Array(data.buffer, data.byteOffset + HEADER_BYTES, records.length);
    for (let r = 0; r < records.length; r++) times[r] = (records[r] as TimedRecord).timestampMs;
    return;
  }
  const deltas = new Int32Array(data.buffer, data.byteOffset + HEADER_BYTES, records.length);
  for (let r = 0; r < records.length; r++) {
    deltas[r] = (records[r] as TimedRecord).timestampMs - shape.firstTimestampMs;
  }
}

function writeLengths(
  data: Buffer,
  at: number,
  records: readonly TimedRecord[],
  length: (record: ProduceRecord) => number,
): number {
  const lengths = new Int32Array(data.buffer, data.byteOffset + at, records.length);
  for (let r = 0; r < records.length; r++) lengths[r] = length((records[r] as TimedRecord).record);
  return at + records.length * 4;
}

function writeHeaders(
  data: Buffer,
  lengthsAt: number,
  start: number,
  records: readonly TimedRecord[],
): void {
  let at = start;
  for (let r = 0; r < records.length; r++) {
    const before = at;
    for (const header of records[r]?.record.headers ?? []) {
      const key = Buffer.from(header.key);
      at = data.writeUInt32LE(key.length, at);
      at += key.copy(data, at);
      at = data.writeInt32LE(header.value?.length ?? -1, at);
      if (header.value !== null) at += header.value.copy(data, at);
    }
    data.writeInt32LE(at - before, lengthsAt + r * 4);
  }
}

/**
 * The records of a segment as views of its bytes.
 * @throws StreamError STORE_FAILED when the bytes are not a segment.
 */
export function decodeSegment(segment: LogSegment): RecordBatch {
  const { data, baseOffset } = segment;
  const broken = data.length < HEADER_BYTES || data.readUInt32LE(0) !== MAGIC;
  if (broken || data.readUInt32LE(8) !== segment.count) {
    throw new StreamError(
      'STORE_FAILED',
      `segment ${segment.topic}/${segment.partition}@${baseOffset} is damaged`,
    );
  }
  const flags = data.readUInt32LE(4);
  const count = segment.count;
  const wide = (flags & WIDE_TIMES) !== 0;
  let at = HEADER_BYTES;
  const timestampsMs = readTimes(data, count, wide);
  at += count * (wide ? 8 : 4);
  const valueLengths = int32View(data, at, count);
  at += count * 4;
  const keyLengths = (flags & KEYS) !== 0 ? int32View(data, at, count) : undefined;
  if (keyLengths !== undefined) at += count * 4;
  const headerLengths = (flags & HEADERS) !== 0 ? int32View(data, at, count) : undefined;
  if (headerLengths !== undefined) at += count * 4;
  const headersStart = at + data.readUInt32LE(12);
  const valueStarts = new Int32Array(count);
  const keyStarts = keyLengths === undefined ? undefined : new Int32Array(count);
  const offsets = new Float64Array(count);
  for (let r = 0; r < count; r++) {
    offsets[r] = baseOffset + r;
    if (keyStarts !== undefined && keyLengths !== undefined) {
      keyStarts[r] = at;
      at += Math.max(keyLengths[r] as number, 0);
    }
    valueStarts[r] = at;
    at += Math.max(valueLengths[r] as number, 0);
  }
  return {
    partition: segment.partition,
    length: count,
    bytes: data,
    valueStarts,
    valueLengths,
    keyStarts,
    keyLengths,
    offsets,
    timestampsMs,
    headers:
      headerLengths === undefined ? undefined : headerReader(data, headersStart, headerLengths),
  };
}

function readTimes(data: Buffer, count: number, wide: boolean): Float64Array {
  const first = data.readDoubleLE(16);
  const times = new Float64Array(count);
  if (wide) {
    for (let r = 0; r < count; r++) times[r] = data.readDoubleLE(HEADER_BYTES + r * 8);
    return times;
  }
  const deltas = int32View(data, HEADER_BYTES, count);
  for (let r = 0; r < count; r++) times[r] = first + (deltas[r] as number);
  return times;
}

/** A view where the memory is aligned for it (our own buffers), else a copy. */
function int32View(data: Buffer, at: number, count: number): Int32Array {
  const start = data.byteOffset + at;
  if ((start & 3) === 0) return new Int32Array(data.buffer, start, count);
  return new Int32Array(data.buffer.slice(start, start + count * 4));
}

function headerReader(
  data: Buffer,
  headersStart: number,
  lengths: Int32Array,
): (row: number) => readonly RecordHeader[] {
  let starts: Int32Array | undefined;
  return (row) => {
    if (starts === undefined) {
      starts = new Int32Array(lengths.length);
      let at = headersStart;
      for (let r = 0; r < lengths.length; r++) {
        starts[r] = at;
        at += lengths[r] as number;
      }
    }
    return readHeaders(data, starts[row] ?? 0, lengths[row] ?? 0);
  };
}

function readHeaders(data: Buffer, start: number, length: number): readonly RecordHeader[] {
  const headers: RecordHeader[] = [];
  let at = start;
  while (at < start + length) {
    const keyLength = data.readUInt32LE(at);
    const key = data.toString('utf8', at + 4, at + 4 + keyLength);
    at += 4 + keyLength;
    const valueLength = data.readInt32LE(at);
    at += 4;
    const value = valueLength < 0 ? null : Buffer.from(data.subarray(at, at + valueLength));
    at += Math.max(valueLength, 0);
    headers.push({ key, value });
  }
  return headers;
}
