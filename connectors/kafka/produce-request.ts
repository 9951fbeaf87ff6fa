/**
 * Produce, version 9, with records that are encoded already.
 *
 * Request:  transactional id (null = none), int16 acks = -1 (all replicas in sync), int32 timeout ms, [topics], tags
 *   topic:     name, [int32 partition, records, tags], tags
 * Response: [topics], int32 throttle ms, tags
 *   topic:     name, [partitions], tags
 *   partition: int32 index, int16 error, int64 base offset, int64 append time, int64 log start,
 *              [int32 batch index, message, tags], error message, tags
 * Source: kafka.apache.org/protocol#The_Messages_Produce
 */
import { type Connection, Writer } from '@platformatic/kafka';
import { request } from './connections.ts';
import type { WireReader } from './wire.ts';

const PRODUCE_KEY = 0;
const PRODUCE_VERSION = 9;
const ALL_REPLICAS = -1;
/** How long a broker waits for replicas. */
const PRODUCE_TIMEOUT_MS = 15_000;

export interface PartitionRecords {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly message: string | null;
}

export function produceRecords(
  connection: Connection,
  batches: readonly PartitionRecords[],
  transactionalId: string | null,
): Promise<readonly ProducedPartition[]> {
  const body = (): Writer => encode(batches, transactionalId);
  return request(connection, PRODUCE_KEY, PRODUCE_VERSION, body, decode);
}

function encode(batches: readonly PartitionRecords[], transactionalId: string | null): Writer {
  const topics = new Map<string, PartitionRecords[]>();
  for (const batch of batches) {
    const group = topics.get(batch.topic);
    if (group === undefined) topics.set(batch.topic, [batch]);
    else group.push(batch);
  }
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(ALL_REPLICAS)
    .appendInt32(PRODUCE_TIMEOUT_MS)
    .appendArray([...topics], (writer, [topic, partitions]) => {
      writer.appendString(topic).appendArray(partitions, (inner, { partition, batch }) => {
        inner
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(batch);
      });
    })
    .appendTaggedFields();
}

function decode(reader: WireReader): ProducedPartition[] {
  const produced: ProducedPartition[] = [];
  reader.compactArray(() => {
    const topic = reader.compactString() ?? '';
    reader.compactArray(() => {
      produced.push(decodePartition(reader, topic));
    });
    reader.skipTags();
  });
  return produced;
}

function decodePartition(reader: WireReader, topic: string): ProducedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const baseOffset = reader.int64();
  reader.int64();
  reader.int64();
  const recordMessages = reader.compactArray(() => {
    reader.int32();
    const message = reader.compactString();
    reader.skipTags();
    return message;
  });
  const message = reader.compactString() ?? recordMessages[0] ?? null;
  reader.skipTags();
  return { topic, partition, errorCode, baseOffset, message };
}
