/** Records to one Kafka record batch (message format v2; the layout is in record-decoder.ts). */
import { Buffer } from 'node:buffer';
import { compressionsAlgorithms, crc32c } from '@platformatic/kafka';
import type { ProduceRecord } from '../connector.ts';

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof codecs)[number];

export interface BatchIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Number of the batch's first record among those of this producer in this partition. */
  readonly sequence: number;
  /** The batch belongs to the producer's open transaction. */
  readonly transactional: boolean;
}

export interface TimedRecord {
  readonly record: ProduceRecord;
  readonly timestampMs: number;
}

const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const RECORDS_AT = 61;
const LENGTH_END = 12;
const TRANSACTIONAL = 0b10000;

/** Most bytes of a record in a batch: its data and the most that lengths and deltas can take. */
export function encodedBytesMax(record: ProduceRecord): number {
  let bytes = 36 + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const header of record.headers ?? []) {
    bytes += 10 + Buffer.byteLength(header.key) + (header.value?.length ?? 0);
  }
  return bytes;
}

/** `records` must not be empty. */
export function encodeBatch(
  records: readonly TimedRecord[],
  identity: BatchIdentity,
  codec: Codec,
): Buffer {
  const firstMs = records[0]?.timestampMs ?? 0;
  let room = RECORDS_AT;
  let lastMs = firstMs;
  for (const { record, timestampMs } of records) {
    room += encodedBytesMax(record);
    if (timestampMs > lastMs) lastMs = timestampMs;
  }
  const writer = new RecordWriter(Buffer.allocUnsafe(room), RECORDS_AT);
  for (const [i, { record, timestampMs }] of records.entries()) {
    writer.record(record, timestampMs - firstMs, i);
  }
  let batch = writer.bytes.subarray(0, writer.at);
  let attributes = 0;
  if (codec !== 'none') {
    const algorithm = compressionsAlgorithms[codec];
    attributes = algorithm.bitmask;
    const packed = algorithm.compressSync(batch.subarray(RECORDS_AT));
    batch = Buffer.concat([batch.subarray(0, RECORDS_AT), packed]);
  }
  if (identity.transactional) attributes |= TRANSACTIONAL;
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - LENGTH_END, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(attributes, ATTRIBUTES_AT);
  batch.writeInt32BE(records.length - 1, 23);
  batch.writeBigInt64BE(BigInt(firstMs), 27);
  batch.writeBigInt64BE(BigInt(lastMs), 35);
  batch.writeBigInt64BE(identity.producerId, 43);
  batch.writeInt16BE(identity.producerEpoch, 51);
  batch.writeInt32BE(identity.sequence, 53);
  batch.writeInt32BE(records.length, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), CRC_AT);
  return batch;
}

class RecordWriter {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  record(record: ProduceRecord, timestampDelta: number, offsetDelta: number): void {
    const headers = record.headers ?? [];
    let length = 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta);
    length += fieldBytes(record.key) + fieldBytes(record.value) + varintBytes(headers.length);
    const keys = headers.map((header) => Buffer.from(header.key));
    for (const [i, header] of headers.entries()) {
      length += fieldBytes(keys[i] ?? null) + fieldBytes(header.value);
    }
    this.varint(length);
    this.bytes[this.at++] = 0;
    this.varint(timestampDelta);
    this.varint(offsetDelta);
    this.field(record.key);
    this.field(record.value);
    this.varint(headers.length);
    for (const [i, header] of headers.entries()) {
      this.field(keys[i] ?? null);
      this.field(header.value);
    }
  }

  field(data: Buffer | null): void {
    this.varint(data === null ? -1 : data.length);
    if (data !== null) this.at += data.copy(this.bytes, this.at);
  }

  varint(value: number): void {
    let rest = zigzag(value);
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.at++] = rest;
  }
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function fieldBytes(data: Buffer | null): number {
  return data === null ? 1 : varintBytes(data.length) + data.length;
}
