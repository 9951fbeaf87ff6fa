/** Topics of a Kafka cluster (3.1 or later). */
import { createTopicsV7, deleteTopicsV6 } from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import type {
  Offset,
  ProduceRecord,
  SinkIdentity,
  SinkWriter,
  SourceReader,
  StartPosition,
  StoredRecord,
  TopicInfo,
  TopicLog,
} from '../connector.ts';
import type { Options } from '../options.ts';
import { storedRecord } from '../record-batch.ts';
import { retrying, wait } from './backoff.ts';
import { Cluster, type TopicState } from './cluster.ts';
import { FetchLanes } from './fetch-lane.ts';
import { endOfRecords, fetchOnce } from './fetch-once.ts';
import { asStreamError } from './kafka-error.ts';
import { KafkaProducer } from './kafka-producer.ts';
import { KafkaReader } from './kafka-reader.ts';
import { KafkaSinkWriter } from './kafka-sink.ts';
import { EARLIEST, LATEST, listOffsets } from './list-offsets.ts';
import { parseKafkaOptions } from './options.ts';
import { POSITIONS_TOPIC, positionsConfig } from './sink-position.ts';
import { replicationFactor, topicConfig } from './topic-config.ts';

const ADMIN_TIMEOUT_MS = 10_000;
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

export class KafkaLog implements TopicLog {
  readonly type = 'kafka';
  readonly #cluster: Cluster;
  readonly #lanes: FetchLanes;
  readonly #producer: KafkaProducer;
  readonly #readers = new Set<KafkaReader>();
  #closed = false;

  /**
   * Does no I/O: connections are made when they are needed.
   * @param options  see parseKafkaOptions.
   */
  constructor(options: Options) {
    this.#cluster = new Cluster(parseKafkaOptions(options));
    this.#lanes = new FetchLanes(this.#cluster);
    this.#producer = new KafkaProducer(this.#cluster);
  }

  /** Internal topics of Kafka are left out. */
  async list(): Promise<readonly TopicInfo[]> {
    const topics = await this.#cluster.allTopics();
    return topics.filter((topic) => !topic.internal).map(topicInfo);
  }

  async describe(topic: string): Promise<TopicInfo | undefined> {
    if (!TOPIC_NAME.test(topic)) return undefined;
    const state = await this.#cluster.topic(topic);
    return state === undefined ? undefined : topicInfo(state);
  }

  /**
   * Options: 'replicas' or 'replication.factor', and the settings of topics as Kafka names them. Settles when every
   * partition has a leader.
   * @throws StreamError SQL_DUPLICATE_RELATION, REQUEST_INVALID, SOURCE_UNREACHABLE.
   */
  async create(name: string, partitions: number, options: Options): Promise<void> {
    if (!TOPIC_NAME.test(name) || name === '.' || name === '..') {
      throw new StreamError('REQUEST_INVALID', `invalid topic name "${name}"`, {
        hint: 'Use 1 to 249 letters, digits, dots, underscores and hyphens.',
      });
    }
    if (!Number.isInteger(partitions) || partitions < 1) {
      throw new StreamError('REQUEST_INVALID', `a topic cannot have ${partitions} partitions`);
    }
    const topic = {
      name,
      numPartitions: partitions,
      replicationFactor: replicationFactor(options),
      assignments: [],
      configs: topicConfig(options),
    };
    await this.#admin(`topic "${name}"`, async () => {
      const connection = await this.#cluster.controllerConnection();
      await createTopicsV7.api.async(connection, [topic], ADMIN_TIMEOUT_MS, false);
    });
    await this.#until(name, (state) => state?.leaders.every((node) => node >= 0) ?? false);
  }

  async delete(name: string): Promise<void> {
    await this.#cluster.requireTopic(name);
    await this.#admin(`topic "${name}"`, async () => {
      const connection = await this.#cluster.controllerConnection();
      await deleteTopicsV6.api.async(connection, [{ name }], ADMIN_TIMEOUT_MS);
    });
    await this.#until(name, (state) => state === undefined);
    this.#cluster.refreshSoon();
  }

  produce(
    topic: string,
    records: readonly ProduceRecord[],
  ): Promise<readonly { readonly partition: number; readonly offset: Offset }[]> {
    return this.#producer.produce(topic, records);
  }

  async read(
    topic: string,
    partition: number,
    offset: Offset,
    limit: number,
  ): Promise<readonly StoredRecord[]> {
    const state = await this.#cluster.requireTopic(topic);
    const start = await listOffsets(this.#cluster, topic, [partition], EARLIEST);
    const end = await listOffsets(this.#cluster, topic, [partition], LATEST);
    const stop = end.get(partition) ?? 0;
    let next = Math.max(offset, start.get(partition) ?? 0);
    const records: StoredRecord[] = [];
    while (records.length < limit && next < stop) {
      next = await this.#readSome(state, partition, next, limit, records);
    }
    return records;
  }

  async bounds(
    topic: string,
  ): Promise<ReadonlyMap<number, { readonly earliest: Offset; readonly end: Offset }>> {
    const state = await this.#cluster.requireTopic(topic);
    const starts = await listOffsets(this.#cluster, topic, 'all', EARLIEST);
    const ends = await listOffsets(this.#cluster, topic, 'all', LATEST);
    const bounds = [...ends].map(async ([partition, end]) => {
      const earliest = Math.min(starts.get(partition) ?? end, end);
      const last = await endOfRecords(this.#cluster, state, partition, earliest, end);
      return [partition, { earliest, end: last ?? earliest }] as const;
    });
    return new Map(await Promise.all(bounds));
  }

  async open(topic: string, from: StartPosition): Promise<SourceReader> {
    if (this.#closed) throw new StreamError('SHUTTING_DOWN', 'the Kafka client is closed');
    const reader = await KafkaReader.open(this.#cluster, this.#lanes, topic, from, () => {
      this.#readers.delete(reader);
    });
    this.#readers.add(reader);
    return reader;
  }

  async openSink(topic: string, sink: SinkIdentity): Promise<SinkWriter> {
    if (this.#closed) throw new StreamError('SHUTTING_DOWN', 'the Kafka client is closed');
    await this.#providePositions();
    return KafkaSinkWriter.open(this.#cluster, topic, sink);
  }

  /** Another sink, or another server, may make it at the same time. */
  async #providePositions(): Promise<void> {
    if ((await this.#cluster.topic(POSITIONS_TOPIC)) !== undefined) return;
    try {
      await this.create(POSITIONS_TOPIC, 1, positionsConfig);
    } catch (error) {
      if (!(error instanceof StreamError) || error.code !== 'SQL_DUPLICATE_RELATION') throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const reader of this.#readers) await reader.close();
    this.#lanes.close();
    await this.#producer.close();
    await this.#cluster.close();
  }

  /** Appends records of one fetch; gives where to go on. */
  async #readSome(
    state: TopicState,
    partition: number,
    offset: Offset,
    limit: number,
    records: StoredRecord[],
  ): Promise<Offset> {
    const section = await fetchOnce(this.#cluster, state, partition, offset);
    const batch = section.records;
    for (let r = 0; r < (batch?.length ?? 0) && records.length < limit; r++) {
      if (batch !== undefined) records.push(storedRecord(batch, r));
    }
    return section.nextOffset > offset ? section.nextOffset : Number.POSITIVE_INFINITY;
  }

  async #admin(what: string, work: () => Promise<void>): Promise<void> {
    await retrying(this.#cluster.options.callTimeoutMs, work).catch((error: unknown) => {
      throw asStreamError(error, what);
    });
  }

  /** Brokers learn of a change one after the other: waits until it is seen. */
  async #until(name: string, seen: (state: TopicState | undefined) => boolean): Promise<void> {
    const deadline = Date.now() + this.#cluster.options.callTimeoutMs;
    while (!seen(await this.#cluster.topic(name))) {
      if (Date.now() > deadline) {
        throw new StreamError('SOURCE_UNREACHABLE', `Kafka: topic "${name}" does not settle`);
      }
      await wait(20);
    }
  }
}

function topicInfo(state: TopicState): TopicInfo {
  return { name: state.name, partitions: state.leaders.length, replication: state.replication };
}
