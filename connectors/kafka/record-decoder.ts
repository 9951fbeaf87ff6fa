/**
 * Kafka record batches (message format v2) to RecordBatch: one pass over the fetched bytes, no object per record.
 *
 * Batch:  int64 base offset, int32 length (of what follows), int32 leader epoch, int8 magic = 2, uint32 crc,
 *         int16 attributes, int32 last offset delta, int64 base timestamp, int64 max timestamp, int64 producer id,
 *         int16 producer epoch, int32 base sequence, int32 record count, records (compressed as attributes say)
 * Record: varint length, int8 attributes, varint timestamp delta, varint offset delta, varint key length (-1 = null),
 *         key, varint value length, value, varint header count, headers
 * Source: kafka.apache.org/documentation/#recordbatch and KIP-98 (transactions).
 */
import { Buffer } from 'node:buffer';
import { compressionsAlgorithmsByBitmask, crc32c } from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import type { RecordBatch, RecordHeader } from '../connector.ts';
import { malformed, readInt64 } from './wire.ts';

const LENGTH_AT = 8;
const LENGTH_END = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const RECORDS_AT = 61;
const COMPRESSION_MASK = 0b111;
const LOG_APPEND_TIME = 0b1000;
const TRANSACTIONAL = 0b10000;
const CONTROL = 0b100000;
/** Control records: int16 version, int16 type; type 0 marks an abort. */
const ABORT_MARKER = 0;
/** Length, attributes, three deltas and lengths, header count: no record is shorter. */
const RECORD_BYTES_MIN = 7;

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface DecodedSection {
  /** Undefined when no record at or after the wanted offset was among them. */
  readonly records: RecordBatch | undefined;
  /** Where to fetch next: markers and skipped records are behind it too. */
  readonly nextOffset: number;
}

/** Records of one batch, readable: `bytes` is decompressed where that was needed. */
interface Part {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly baseOffset: number;
  readonly baseTimestampMs: number;
  /** The broker's time for all records; undefined = each has its own. */
  readonly appendTimestampMs: number | undefined;
}

/** What a broker sent for one partition. */
export interface Section {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly partition: number;
  /** Transactions whose records must not be seen. */
  readonly aborted: readonly AbortedTransaction[];
}

/**
 * Decodes complete batches, possibly followed by a part of one.
 * @param wanted     records below this offset are dropped (a batch is always sent whole).
 * @param checkCrcs  false saves 0.3 ms per megabyte; compressed batches are checked all the same, because
 *                   decompressors do not survive damaged bytes.
 * @throws StreamError SOURCE_UNREACHABLE for bytes that are no record batches, SQL_NOT_SUPPORTED for old formats.
 */
export function decodeSection(
  section: Section,
  wanted: number,
  checkCrcs: boolean,
): DecodedSection {
  const { bytes, start, end, partition, aborted } = section;
  const parts: Part[] = [];
  const open = new AbortFilter(aborted);
  let nextOffset = wanted;
  let compressed = false;
  let at = start;
  while (at + LENGTH_END <= end) {
    const batchEnd = at + LENGTH_END + bytes.readInt32BE(at + LENGTH_AT);
    if (batchEnd > end) break;
    if (batchEnd < at + RECORDS_AT) throw malformed(`a record batch of ${batchEnd - at} bytes`);
    const magic = bytes.readInt8(at + MAGIC_AT);
    if (magic !== 2) {
      throw new StreamError('SQL_NOT_SUPPORTED', `records in message format v${magic}`, {
        hint: 'Formats before Kafka 0.11 cannot be read.',
      });
    }
    const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT);
    const baseOffset = readInt64(bytes, at);
    const lastOffset = baseOffset + bytes.readInt32BE(at + 23);
    if (checkCrcs || (attributes & COMPRESSION_MASK) !== 0) checkCrc(bytes, at, batchEnd);
    if (lastOffset >= wanted && open.isVisible(bytes, at, attributes, lastOffset)) {
      const part = readPart(bytes, at, batchEnd, attributes, baseOffset);
      compressed ||= part.bytes !== bytes;
      parts.push(part);
    }
    nextOffset = Math.max(nextOffset, lastOffset + 1);
    at = batchEnd;
  }
  const readable = compressed ? join(parts) : parts;
  return { records: decodeParts(readable, partition, wanted), nextOffset };
}

function checkCrc(bytes: Buffer, at: number, batchEnd: number): void {
  const expected = bytes.readUInt32BE(at + CRC_AT);
  if (crc32c(bytes.subarray(at + ATTRIBUTES_AT, batchEnd)) === expected) return;
  throw malformed('the checksum of a record batch does not fit');
}

/** Hides control batches, and batches of producers while their transaction is one of the aborted. */
class AbortFilter {
  readonly #pending: AbortedTransaction[];
  readonly #active = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  isVisible(bytes: Buffer, at: number, attributes: number, lastOffset: number): boolean {
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      if (next.firstOffset > lastOffset) break;
      this.#active.add(next.producerId);
      this.#pending.shift();
    }
    const producerId = readInt64(bytes, at + 43);
    if ((attributes & CONTROL) !== 0) {
      if (isAbortMarker(bytes, at + RECORDS_AT)) this.#active.delete(producerId);
      return false;
    }
    return (attributes & TRANSACTIONAL) === 0 || !this.#active.has(producerId);
  }
}

function isAbortMarker(bytes: Buffer, recordAt: number): boolean {
  const cursor: Cursor = { at: recordAt };
  readVarint(bytes, cursor);
  cursor.at += 1;
  readVarint(bytes, cursor);
  readVarint(bytes, cursor);
  const keyLength = readVarint(bytes, cursor);
  return keyLength >= 4 && bytes.readInt16BE(cursor.at + 2) === ABORT_MARKER;
}

function readPart(
  bytes: Buffer,
  at: number,
  batchEnd: number,
  attributes: number,
  baseOffset: number,
): Part {
  const count = bytes.readInt32BE(at + 57);
  const maxTimestampMs = readInt64(bytes, at + 35);
  const facts = {
    count,
    baseOffset,
    baseTimestampMs: readInt64(bytes, at + 27),
    appendTimestampMs: (attributes & LOG_APPEND_TIME) !== 0 ? maxTimestampMs : undefined,
  };
  const codec = attributes & COMPRESSION_MASK;
  let part: Part = { ...facts, bytes, start: at + RECORDS_AT, end: batchEnd };
  if (codec !== 0) {
    const plain = decompress(codec, bytes.subarray(at + RECORDS_AT, batchEnd));
    part = { ...facts, bytes: plain, start: 0, end: plain.length };
  }
  if (count < 0 || count * RECORD_BYTES_MIN > part.end - part.start) {
    throw malformed(`a batch that claims ${count} records`);
  }
  return part;
}

function decompress(codec: number, data: Buffer): Buffer {
  const algorithm = compressionsAlgorithmsByBitmask[codec];
  if (algorithm === undefined || !algorithm.available) {
    throw new StreamError('SQL_NOT_SUPPORTED', `records compressed with codec ${codec}`);
  }
  try {
    return algorithm.decompressSync(data);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw malformed(`compressed records (codec ${codec}): ${reason}`);
  }
}

/** One buffer for all parts, so that they make one RecordBatch. */
function join(parts: readonly Part[]): Part[] {
  const bytes = Buffer.concat(parts.map((part) => part.bytes.subarray(part.start, part.end)));
  let start = 0;
  return parts.map((part) => {
    const moved = { ...part, bytes, start, end: start + part.end - part.start };
    start = moved.end;
    return moved;
  });
}

/** The columns of a RecordBatch while they are filled. */
class Columns {
  readonly valueStarts: Int32Array;
  readonly valueLengths: Int32Array;
  readonly keyStarts: Int32Array;
  readonly keyLengths: Int32Array;
  readonly offsets: Float64Array;
  readonly timestampsMs: Float64Array;
  /** Where a record's header count is; made when the first record has headers, 0 = none. */
  headerStarts: Int32Array | undefined;
  hasKeys = false;
  length = 0;

  constructor(capacity: number) {
    this.valueStarts = new Int32Array(capacity);
    this.valueLengths = new Int32Array(capacity);
    this.keyStarts = new Int32Array(capacity);
    this.keyLengths = new Int32Array(capacity);
    this.offsets = new Float64Array(capacity);
    this.timestampsMs = new Float64Array(capacity);
  }
}

function decodeParts(
  parts: readonly Part[],
  partition: number,
  wanted: number,
): RecordBatch | undefined {
  const first = parts[0];
  if (first === undefined) return undefined;
  const columns = new Columns(parts.reduce((sum, part) => sum + part.count, 0));
  for (const part of parts) decodePart(part, wanted, columns);
  if (columns.length === 0) return undefined;
  const { headerStarts } = columns;
  return {
    partition,
    length: columns.length,
    bytes: first.bytes,
    valueStarts: columns.valueStarts,
    valueLengths: columns.valueLengths,
    keyStarts: columns.hasKeys ? columns.keyStarts : undefined,
    keyLengths: columns.hasKeys ? columns.keyLengths : undefined,
    offsets: columns.offsets,
    timestampsMs: columns.timestampsMs,
    headers:
      headerStarts === undefined
        ? undefined
        : (row) => readHeaders(first.bytes, headerStarts[row] ?? 0),
  };
}

interface Cursor {
  at: number;
}

function decodePart(part: Part, wanted: number, columns: Columns): void {
  const { bytes, end, baseOffset, baseTimestampMs, appendTimestampMs } = part;
  const { valueStarts, valueLengths, keyStarts, keyLengths, offsets, timestampsMs } = columns;
  const cursor: Cursor = { at: part.start };
  let row = columns.length;
  for (let r = 0; r < part.count; r++) {
    const length = readVarint(bytes, cursor);
    const recordEnd = cursor.at + length;
    if (length < RECORD_BYTES_MIN - 1 || recordEnd > end) throw malformed('a record that is cut');
    cursor.at++;
    const timestampDelta = readVarint(bytes, cursor);
    const offset = baseOffset + readVarint(bytes, cursor);
    const keyLength = readVarint(bytes, cursor);
    const keyStart = cursor.at;
    if (keyLength > 0) cursor.at += keyLength;
    const valueLength = readVarint(bytes, cursor);
    const valueStart = cursor.at;
    if (valueLength > 0) cursor.at += valueLength;
    if (cursor.at >= recordEnd) throw malformed('a record that is longer than it says');
    if (offset >= wanted) {
      valueStarts[row] = valueStart;
      valueLengths[row] = valueLength;
      keyStarts[row] = keyStart;
      keyLengths[row] = keyLength;
      if (keyLength >= 0) columns.hasKeys = true;
      offsets[row] = offset;
      timestampsMs[row] = appendTimestampMs ?? baseTimestampMs + timestampDelta;
      if (bytes[cursor.at] !== 0) {
        columns.headerStarts ??= new Int32Array(offsets.length);
        columns.headerStarts[row] = cursor.at;
      }
      row++;
    }
    cursor.at = recordEnd;
  }
  columns.length = row;
}

/** A zigzag varint of up to 64 bits; exact below 2^53. Past the end it reads zeros, which callers notice. */
function readVarint(bytes: Buffer, cursor: Cursor): number {
  let byte = bytes[cursor.at++] as number;
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let value = byte & 0x7f;
  for (let shift = 7; shift < 28; shift += 7) {
    byte = bytes[cursor.at++] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
  }
  for (let factor = 2 ** 28; factor <= 2 ** 63; factor *= 128) {
    byte = bytes[cursor.at++] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  throw malformed('a varint is too long');
}

function readHeaders(bytes: Buffer, start: number): readonly RecordHeader[] {
  if (start === 0) return [];
  const cursor: Cursor = { at: start };
  const headers: RecordHeader[] = [];
  for (let count = readVarint(bytes, cursor); count > 0; count--) {
    const keyLength = readVarint(bytes, cursor);
    const key = bytes.toString('utf8', cursor.at, cursor.at + keyLength);
    cursor.at += keyLength;
    const length = readVarint(bytes, cursor);
    const value = length < 0 ? null : Buffer.from(bytes.subarray(cursor.at, cursor.at + length));
    cursor.at += Math.max(length, 0);
    headers.push({ key, value });
  }
  return headers;
}
