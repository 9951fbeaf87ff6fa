/** Asks the leaders of a topic for offsets. */
import { listOffsetsV7 } from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import type { Offset } from '../connector.ts';
import { retrying } from './backoff.ts';
import type { Cluster, TopicState } from './cluster.ts';
import { asStreamError, errorOfCode } from './kafka-error.ts';
import type { KafkaOptions } from './options.ts';

/** Kafka's names for the ends of a log. */
export const EARLIEST = -2n;
export const LATEST = -1n;

/**
 * The offset at a timestamp (or EARLIEST, LATEST) of some partitions. Retries while leaders move.
 * @throws StreamError SOURCE_UNKNOWN_TOPIC, SOURCE_UNREACHABLE.
 */
export async function listOffsets(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[] | 'all',
  timestamp: bigint,
  isolation = cluster.options.isolation,
): Promise<Map<number, Offset>> {
  const found = new Map<number, Offset>();
  let state = cluster.known(topic) ?? (await cluster.requireTopic(topic));
  let stale = false;
  await retrying(cluster.options.callTimeoutMs, async () => {
    if (stale) state = await cluster.requireTopic(topic);
    stale = true;
    const wanted = partitions === 'all' ? [...state.leaders.keys()] : partitions;
    const missing = wanted.filter((partition) => !found.has(partition));
    await Promise.all(
      [...byLeader(state, missing)].map(([leader, group]) =>
        askLeader(cluster, topic, leader, group, timestamp, isolation, found),
      ),
    );
  }).catch((error: unknown) => {
    throw asStreamError(error, `offsets of topic "${topic}"`);
  });
  return found;
}

function byLeader(state: TopicState, partitions: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const partition of partitions) {
    const leader = state.leaders[partition];
    if (leader === undefined) {
      throw new StreamError(
        'REQUEST_INVALID',
        `topic "${state.name}" has no partition ${partition}: it has ${state.leaders.length}`,
      );
    }
    groups.set(leader, [...(groups.get(leader) ?? []), partition]);
  }
  return groups;
}

async function askLeader(
  cluster: Cluster,
  topic: string,
  leader: number,
  partitions: readonly number[],
  timestamp: bigint,
  isolation: KafkaOptions['isolation'],
  found: Map<number, Offset>,
): Promise<void> {
  const connection = await cluster.leaderConnection(leader, 'control');
  const level = isolation === 'read_committed' ? 1 : 0;
  const answer = await listOffsetsV7.api.async(connection, -1, level, [
    {
      name: topic,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        currentLeaderEpoch: -1,
        timestamp,
      })),
    },
  ]);
  for (const { partitionIndex, errorCode, offset } of answer.topics[0]?.partitions ?? []) {
    if (errorCode !== 0) throw errorOfCode(errorCode, `topic "${topic}" ${partitionIndex}`);
    found.set(partitionIndex, Number(offset));
  }
}
