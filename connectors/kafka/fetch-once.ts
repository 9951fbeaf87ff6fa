/** A single fetch outside of the fetch loops: for reading raw records, and for looking at the end of a log. */
import { StreamError } from '../../sql/base/error.ts';
import type { Offset } from '../connector.ts';
import { lastOffset } from '../record-batch.ts';
import { retrying } from './backoff.ts';
import type { Cluster, TopicState } from './cluster.ts';
import { type FetchAnswer, fetchRecords } from './fetch-request.ts';
import { asStreamError, errorOfCode } from './kafka-error.ts';
import { EARLIEST, listOffsets } from './list-offsets.ts';
import { type DecodedSection, decodeSection } from './record-decoder.ts';

const BYTES_MAX = 1024 * 1024;
const WAIT_MS = 100;
/** How far back the last record is looked for behind markers. */
const MARKERS_MAX = 4096;

/**
 * The records from `offset` on that fit into a fetch.
 * @throws StreamError SOURCE_UNKNOWN_TOPIC, SOURCE_RECORDS_GONE, SOURCE_UNREACHABLE.
 */
export async function fetchOnce(
  cluster: Cluster,
  topic: TopicState,
  partition: number,
  offset: Offset,
  isolation = cluster.options.isolation,
): Promise<DecodedSection> {
  const { options } = cluster;
  let leader = topic.leaders[partition] ?? -1;
  const work = async (): Promise<FetchAnswer> => {
    const connection = await cluster.fetchConnection(leader, 'read');
    const target = { topicId: topic.id, partition, offset, bytesMax: BYTES_MAX };
    const limits = { waitMs: WAIT_MS, bytesMax: BYTES_MAX, isolation };
    const answer = await fetchRecords(connection, [target], limits);
    const code = answer.partitions[0]?.errorCode ?? 0;
    if (code === 0) return answer;
    leader = (await cluster.requireTopic(topic.name)).leaders[partition] ?? -1;
    throw errorOfCode(code, `topic "${topic.name}" partition ${partition}`);
  };
  const answer = await retrying(options.callTimeoutMs, work).catch((error: unknown) => {
    throw asStreamError(error, `topic "${topic.name}"`);
  });
  const range = answer.partitions[0];
  if (range === undefined) return { records: undefined, nextOffset: offset };
  return decodeSection({ ...range, bytes: answer.bytes }, offset, options.checkCrcs);
}

/**
 * The end of a partition as records see it. A log may end in markers of transactions, which have offsets but are no records: who
 * waits for a position at such an end would wait for ever.
 * @param from  where to stop looking.
 * @returns the offset after the last record from `from` on; undefined when there is none.
 */
export async function endOfRecords(
  cluster: Cluster,
  topic: TopicState,
  partition: number,
  from: Offset,
  end: Offset,
): Promise<Offset | undefined> {
  let first = from;
  for (let back = 1; back <= MARKERS_MAX; back *= 4) {
    if (first >= end) return undefined;
    const start = Math.max(end - back, first);
    const records = await recordsUnlessGone(cluster, topic, partition, start);
    if (records === 'gone') {
      first = await earliestOf(cluster, topic, partition);
    } else {
      if (records !== undefined) return Math.min(lastOffset(records) + 1, end);
      if (start === first) return undefined;
    }
  }
  return end;
}

/** A broker may drop records between our question where they begin and the fetch. */
async function recordsUnlessGone(
  cluster: Cluster,
  topic: TopicState,
  partition: number,
  offset: Offset,
): Promise<DecodedSection['records'] | 'gone'> {
  try {
    return (await fetchOnce(cluster, topic, partition, offset)).records;
  } catch (error) {
    if (error instanceof StreamError && error.code === 'SOURCE_RECORDS_GONE') return 'gone';
    throw error;
  }
}

async function earliestOf(cluster: Cluster, topic: TopicState, partition: number): Promise<Offset> {
  const found = await listOffsets(cluster, topic.name, [partition], EARLIEST);
  return found.get(partition) ?? 0;
}
