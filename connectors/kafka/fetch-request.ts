/**
 * Fetch, version 13 (topics by id; Kafka 3.1 and later). The answer keeps the records as a range of its bytes.
 *
 * Request:  int32 replica = -1, int32 max wait ms, int32 min bytes, int32 max bytes, int8 isolation level,
 *           int32 session id = 0, int32 session epoch = -1, [topics], [forgotten], rack, tags
 *   topic:     uuid, [partitions], tags
 *   partition: int32 index, int32 leader epoch = -1, int64 fetch offset, int32 last epoch = -1,
 *              int64 log start = -1, int32 max bytes, tags
 * Response: int32 throttle ms, int16 error, int32 session id, [topics], tags
 *   topic:     uuid, [partitions], tags
 *   partition: int32 index, int16 error, int64 high watermark, int64 last stable offset, int64 log start,
 *              [aborted: int64 producer, int64 first offset, tags], int32 preferred replica, records, tags
 * Source: kafka.apache.org/protocol#The_Messages_Fetch
 */
import { Writer } from '@platformatic/kafka';
import { type FetchConnection, request } from './connections.ts';
import { errorOfCode } from './kafka-error.ts';
import type { AbortedTransaction } from './record-decoder.ts';
import type { WireReader } from './wire.ts';

const FETCH_KEY = 1;
const FETCH_VERSION = 13;

export interface FetchTarget {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax: number;
}

export interface FetchLimits {
  /** How long the broker holds the answer when there is nothing to send. */
  readonly waitMs: number;
  readonly bytesMax: number;
  readonly isolation: 'read_committed' | 'read_uncommitted';
}

export interface FetchedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The records' range in `bytes` of the answer. */
  readonly start: number;
  readonly end: number;
}

export interface FetchAnswer {
  readonly bytes: Buffer;
  readonly partitions: readonly FetchedPartition[];
}

export function fetchRecords(
  connection: FetchConnection,
  targets: readonly FetchTarget[],
  limits: FetchLimits,
): Promise<FetchAnswer> {
  return request(connection, FETCH_KEY, FETCH_VERSION, () => encode(targets, limits), decode);
}

function encode(targets: readonly FetchTarget[], limits: FetchLimits): Writer {
  const topics = new Map<string, FetchTarget[]>();
  for (const target of targets) {
    const group = topics.get(target.topicId);
    if (group === undefined) topics.set(target.topicId, [target]);
    else group.push(target);
  }
  return Writer.create()
    .appendInt32(-1)
    .appendInt32(limits.waitMs)
    .appendInt32(1)
    .appendInt32(limits.bytesMax)
    .appendInt8(limits.isolation === 'read_committed' ? 1 : 0)
    .appendInt32(0)
    .appendInt32(-1)
    .appendArray([...topics], (writer, [topicId, partitions]) => {
      writer.appendUUID(topicId).appendArray(partitions, (inner, target) => {
        inner
          .appendInt32(target.partition)
          .appendInt32(-1)
          .appendInt64(BigInt(target.offset))
          .appendInt32(-1)
          .appendInt64(-1n)
          .appendInt32(target.bytesMax);
      });
    })
    .appendArray([], () => undefined)
    .appendString('')
    .appendTaggedFields();
}

function decode(reader: WireReader): FetchAnswer {
  reader.int32();
  const errorCode = reader.int16();
  if (errorCode !== 0) throw errorOfCode(errorCode, 'fetch');
  reader.int32();
  const partitions: FetchedPartition[] = [];
  reader.compactArray(() => {
    const topicId = reader.uuid();
    reader.compactArray(() => {
      partitions.push(decodePartition(reader, topicId));
    });
    reader.skipTags();
  });
  reader.skipTags();
  return { bytes: reader.bytes, partitions };
}

function decodePartition(reader: WireReader, topicId: string): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  reader.int64();
  reader.int64();
  reader.int64();
  const aborted = reader.compactArray(() => {
    const producerId = reader.int64();
    const firstOffset = reader.int64();
    reader.skipTags();
    return { producerId, firstOffset };
  });
  reader.int32();
  const { start, length } = reader.compactBytes();
  reader.skipTags();
  return { topicId, partition, errorCode, aborted, start, end: start + Math.max(length, 0) };
}
