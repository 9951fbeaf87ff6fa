/**
 * How far sinks have come, kept in Kafka itself: a compacted topic with one record a sink, written in the transaction of its rows.
 * Key: the sink's transactional id. Value: JSON {"sequence": last chunk, "owner": the writer's id}.
 */
import { Buffer } from 'node:buffer';
import { StreamError } from '../../sql/base/error.ts';
import type { Offset, ProduceRecord, RecordBatch } from '../connector.ts';
import { wait } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { fetchOnce } from './fetch-once.ts';
import { EARLIEST, LATEST, listOffsets } from './list-offsets.ts';
import { malformed } from './wire.ts';

export const POSITIONS_TOPIC = 'millrace_positions';
/** Always this one, so that nothing depends on how many there are. */
export const POSITIONS_PARTITION = 0;
/** Small segments are compacted soon: a start reads the topic whole. */
export const positionsConfig: ReadonlyMap<string, string> = new Map([
  ['cleanup.policy', 'compact'],
  ['segment.bytes', String(4 * 1024 * 1024)],
  ['min.cleanable.dirty.ratio', '0.1'],
]);
const POLL_MS = 20;

export interface SinkPosition {
  /** Of the last chunk that is in Kafka; 0 = none yet. */
  readonly sequence: number;
  /** Who wrote last. Each writer has an id of its own. */
  readonly owner: string;
}

export function positionRecord(transactionalId: string, position: SinkPosition): ProduceRecord {
  return {
    key: Buffer.from(transactionalId),
    value: Buffer.from(JSON.stringify(position)),
    partition: POSITIONS_PARTITION,
  };
}

/**
 * The last committed position of a sink; undefined when it has none. Transactions of other sinks that are open may hide it: waits
 * until everything that is in the topic now is decided.
 * @throws StreamError SOURCE_UNREACHABLE when that takes longer than the client's call timeout.
 */
export async function readPosition(
  cluster: Cluster,
  transactionalId: string,
): Promise<SinkPosition | undefined> {
  const topic = await cluster.requireTopic(POSITIONS_TOPIC);
  const only = [POSITIONS_PARTITION];
  const offsetAt = async (timestamp: bigint): Promise<Offset> => {
    const found = await listOffsets(cluster, topic.name, only, timestamp, 'read_uncommitted');
    return found.get(POSITIONS_PARTITION) ?? 0;
  };
  const end = await offsetAt(LATEST);
  const deadline = Date.now() + cluster.options.callTimeoutMs;
  const key = Buffer.from(transactionalId);
  let position: SinkPosition | undefined;
  let next = await offsetAt(EARLIEST);
  while (next < end) {
    const section = await fetchOnce(cluster, topic, POSITIONS_PARTITION, next, 'read_committed');
    position = lastPosition(section.records, key) ?? position;
    if (section.nextOffset > next) next = section.nextOffset;
    else if (Date.now() > deadline) {
      throw new StreamError(
        'SOURCE_UNREACHABLE',
        `Kafka: topic "${POSITIONS_TOPIC}": an open transaction hides the position`,
      );
    } else await wait(POLL_MS);
  }
  return position;
}

function lastPosition(batch: RecordBatch | undefined, key: Buffer): SinkPosition | undefined {
  for (let r = (batch?.length ?? 0) - 1; r >= 0; r--) {
    const found = batch === undefined ? undefined : positionAt(batch, r, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function positionAt(batch: RecordBatch, row: number, key: Buffer): SinkPosition | undefined {
  const keyStart = batch.keyStarts?.[row] ?? 0;
  const keyLength = batch.keyLengths?.[row] ?? -1;
  if (keyLength !== key.length) return undefined;
  if (!batch.bytes.subarray(keyStart, keyStart + keyLength).equals(key)) return undefined;
  const start = batch.valueStarts[row] ?? 0;
  const length = batch.valueLengths[row] ?? -1;
  if (length < 0) return undefined;
  return parsePosition(batch.bytes.toString('utf8', start, start + length));
}

function parsePosition(text: string): SinkPosition {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && 'sequence' in value && 'owner' in value) {
    const { sequence, owner } = value;
    if (typeof sequence === 'number' && typeof owner === 'string') return { sequence, owner };
  }
  throw malformed(`a record of "${POSITIONS_TOPIC}" is no position: ${text.slice(0, 200)}`);
}
