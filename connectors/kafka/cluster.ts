/** What is known of a Kafka cluster: brokers, topics, who leads which partition; kept fresh for those who watch a topic. */
import { type Connection, metadataV12, ResponseError } from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import { Backoff, retrying } from './backoff.ts';
import { Connections, type FetchConnection, type FetchLaneName, type Lane } from './connections.ts';
import { asStreamError, errorOfCode, kafkaCode } from './kafka-error.ts';
import type { BrokerAddress, KafkaOptions } from './options.ts';

const LEADER_NOT_AVAILABLE = 5;
const REFRESH_FIRST_MS = 20;
const REFRESH_MAX_MS = 1000;

export interface TopicState {
  readonly name: string;
  readonly id: string;
  /** Broker that leads each partition; -1 while there is none. */
  readonly leaders: readonly number[];
  readonly replication: number;
  readonly internal: boolean;
  readonly learnedMs: number;
}

/** Called after every refresh; undefined = the topic does not exist now. */
export type TopicListener = (state: TopicState | undefined) => void;

export class Cluster {
  readonly options: KafkaOptions;
  readonly connections: Connections;
  #brokers = new Map<number, BrokerAddress>();
  #controller = -1;
  readonly #topics = new Map<string, TopicState>();
  readonly #watchers = new Map<string, Set<TopicListener>>();
  readonly #backoff = new Backoff(REFRESH_FIRST_MS, REFRESH_MAX_MS);
  #timer: NodeJS.Timeout | undefined;
  #hurried = false;
  #fault: StreamError | undefined;
  #turn = 0;
  #closed = false;

  constructor(options: KafkaOptions) {
    this.options = options;
    this.connections = new Connections(options);
  }

  /** Why the cluster's state could not be refreshed the last time. */
  fault(): StreamError | undefined {
    return this.#fault;
  }

  broker(node: number): BrokerAddress | undefined {
    return this.#brokers.get(node);
  }

  /** The last known state, without asking. */
  known(topic: string): TopicState | undefined {
    return this.#topics.get(topic);
  }

  /**
   * Asks the cluster; undefined when there is no such topic.
   * @param forMs  how long network faults are retried.
   */
  async topic(name: string, forMs = this.options.callTimeoutMs): Promise<TopicState | undefined> {
    await this.#ask([name], forMs);
    return this.#topics.get(name);
  }

  /** @throws StreamError SOURCE_UNKNOWN_TOPIC. */
  async requireTopic(name: string): Promise<TopicState> {
    const state = await this.topic(name);
    if (state !== undefined) return state;
    throw new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${name}" does not exist in Kafka`);
  }

  /** The topic as it was at most `ageMsMax` ago. */
  async recentTopic(name: string, ageMsMax: number): Promise<TopicState> {
    const known = this.#topics.get(name);
    if (known !== undefined && Date.now() - known.learnedMs <= ageMsMax) return known;
    return this.requireTopic(name);
  }

  async allTopics(): Promise<readonly TopicState[]> {
    await this.#ask(null, this.options.callTimeoutMs);
    return [...this.#topics.values()];
  }

  /** A connection to a broker that is up; for requests that any broker answers. */
  async anyConnection(): Promise<Connection> {
    const brokers = [...this.#brokers.values(), ...this.options.bootstrap];
    let failure: unknown;
    for (let i = 0; i < brokers.length; i++) {
      const broker = brokers[(this.#turn + i) % brokers.length] as BrokerAddress;
      try {
        return await this.connections.get(broker, 'control');
      } catch (error) {
        failure = error;
        // The next call begins with another broker, so that a dead one does not delay each of them.
        this.#turn++;
      }
    }
    throw asStreamError(failure, 'no broker can be reached');
  }

  async controllerConnection(): Promise<Connection> {
    const controller = this.#brokers.get(this.#controller);
    if (controller === undefined) return this.anyConnection();
    return this.connections.get(controller, 'control');
  }

  /** @throws StreamError SOURCE_UNREACHABLE when the broker is not known. */
  async leaderConnection(node: number, lane: Lane): Promise<Connection> {
    return this.connections.get(this.#requireBroker(node), lane);
  }

  /** @throws StreamError SOURCE_UNREACHABLE when the broker is not known. */
  async fetchConnection(node: number, lane: FetchLaneName): Promise<FetchConnection> {
    return this.connections.getForFetch(this.#requireBroker(node), lane);
  }

  watch(topic: string, listener: TopicListener): void {
    const listeners = this.#watchers.get(topic) ?? new Set();
    this.#watchers.set(topic, listeners.add(listener));
    this.#schedule(this.options.metadataRefreshMs);
  }

  unwatch(topic: string, listener: TopicListener): void {
    const listeners = this.#watchers.get(topic);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#watchers.delete(topic);
    if (this.#watchers.size === 0) clearTimeout(this.#timer);
    if (this.#watchers.size === 0) this.#timer = undefined;
  }

  /** Something does not fit what is known: ask again soon, later when asking does not help. */
  refreshSoon(): void {
    if (this.#hurried || this.#watchers.size === 0) return;
    this.#hurried = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule(this.#backoff.next());
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.connections.close();
  }

  #requireBroker(node: number): BrokerAddress {
    const broker = this.#brokers.get(node);
    if (broker === undefined) throw errorOfCode(LEADER_NOT_AVAILABLE, `broker ${node}`);
    return broker;
  }

  #schedule(inMs: number): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, inMs);
  }

  async #refresh(): Promise<void> {
    const wasHurried = this.#hurried;
    const topics = [...this.#watchers.keys()];
    try {
      if (topics.length > 0) await this.#ask(topics, 0);
      this.#fault = undefined;
      if (!wasHurried) this.#backoff.reset();
    } catch (error) {
      this.#fault = asStreamError(error, 'metadata');
    }
    this.#hurried = false;
    if (this.#fault === undefined) {
      for (const topic of topics) {
        const state = this.#topics.get(topic);
        for (const listener of this.#watchers.get(topic) ?? []) listener(state);
      }
    } else {
      this.refreshSoon();
    }
    if (this.#watchers.size > 0) this.#schedule(this.options.metadataRefreshMs);
  }

  /** @param topics  null = all. */
  async #ask(topics: string[] | null, forMs: number): Promise<void> {
    const response = await retrying(forMs, async () => {
      const connection = await this.anyConnection();
      return await metadata(connection, topics);
    }).catch((error: unknown) => {
      throw asStreamError(error, 'metadata');
    });
    this.#brokers = new Map(response.brokers.map((broker) => [broker.nodeId, broker]));
    this.#controller = response.controllerId;
    for (const name of topics ?? this.#topics.keys()) this.#topics.delete(name);
    for (const topic of response.topics) this.#learn(topic);
  }

  #learn(topic: metadataV12.MetadataResponse['topics'][number]): void {
    const { name, topicId, errorCode, partitions, isInternal } = topic;
    if (name === null || name === undefined) return;
    const missing =
      errorCode === kafkaCode.unknownTopicOrPartition || errorCode === kafkaCode.unknownTopicId;
    if (missing || errorCode === 17) return;
    if (errorCode !== 0 && partitions.length === 0) throw errorOfCode(errorCode, `topic "${name}"`);
    const leaders: number[] = new Array<number>(partitions.length).fill(-1);
    for (const partition of partitions) leaders[partition.partitionIndex] = partition.leaderId;
    this.#topics.set(name, {
      name,
      id: topicId.replaceAll('-', ''),
      leaders,
      replication: partitions[0]?.replicaNodes.length ?? 0,
      internal: isInternal,
      learnedMs: Date.now(),
    });
  }
}

/** An answer that names missing topics is an answer; the client calls it an error. */
async function metadata(
  connection: Connection,
  topics: string[] | null,
): Promise<metadataV12.MetadataResponse> {
  try {
    return await metadataV12.api.async(connection, topics, false, false);
  } catch (error) {
    if (error instanceof ResponseError) return error.response as metadataV12.MetadataResponse;
    throw error;
  }
}
