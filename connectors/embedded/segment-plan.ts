/** From the records of many calls to segments: which offset each record gets, and where partitions are cut. */
import type { DeliveredChunks, LogSegment, Offset } from '../connector.ts';
import { encodeSegment, recordBytes, type TimedRecord } from './segment.ts';
import type { Partition, Topic } from './topic.ts';

/** Records of one segment at most, unless a single record is larger. */
const SEGMENT_BYTES_MAX = 1024 * 1024;
const SEGMENT_RECORDS_MAX = 65_536;

export type Place = { readonly partition: number; readonly offset: Offset };

/** One call of produce(), its partitions chosen. */
export interface Append {
  readonly topic: Topic;
  readonly records: readonly TimedRecord[];
  readonly partitions: readonly number[];
  readonly bytes: number;
  /** Chunks of a sink that these records are. */
  readonly delivered: DeliveredChunks | undefined;
  readonly done: PromiseWithResolvers<readonly Place[]>;
}

export interface SegmentPlan {
  readonly segments: readonly LogSegment[];
  readonly targets: readonly { readonly topic: Topic; readonly partition: Partition }[];
  readonly places: ReadonlyMap<Append, readonly Place[]>;
}

/** Gives every record its offset, in the order of the calls, and cuts each partition into segments. */
export function planSegments(appends: readonly Append[]): SegmentPlan {
  const perPartition = new Map<Partition, { topic: Topic; records: TimedRecord[] }>();
  const places = new Map<Append, readonly Place[]>();
  for (const append of appends) {
    const given: Place[] = [];
    for (const [i, record] of append.records.entries()) {
      const partition = append.topic.partitions[append.partitions[i] as number] as Partition;
      let group = perPartition.get(partition);
      if (group === undefined) {
        group = { topic: append.topic, records: [] };
        perPartition.set(partition, group);
      }
      given.push({ partition: partition.index, offset: partition.end + group.records.length });
      group.records.push(record);
    }
    places.set(append, given);
  }
  const segments: LogSegment[] = [];
  const targets: { topic: Topic; partition: Partition }[] = [];
  for (const [partition, { topic, records }] of perPartition) {
    for (const [from, to] of cuts(records)) {
      const base = partition.end + from;
      segments.push(encodeSegment(topic.name, partition.index, base, records.slice(from, to)));
      targets.push({ topic, partition });
    }
  }
  return { segments, targets, places };
}

function* cuts(records: readonly TimedRecord[]): Iterable<readonly [number, number]> {
  let from = 0;
  let bytes = 0;
  for (const [i, { record }] of records.entries()) {
    const size = recordBytes(record);
    if (i > from && (bytes + size > SEGMENT_BYTES_MAX || i - from >= SEGMENT_RECORDS_MAX)) {
      yield [from, i];
      from = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < records.length) yield [from, records.length];
}
