/**
 * Writes records to Kafka: acknowledged by all replicas in sync, numbered so that a retry is not written twice
 * (KIP-98), batched by what gathers while the last request is under way.
 */
import { initProducerIdV4 } from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import type { ProduceRecord } from '../connector.ts';
import { partitionOfKey, StickyPartitioner } from '../partitioner.ts';
import { Backoff, retrying, wait } from './backoff.ts';
import type { Cluster, TopicState } from './cluster.ts';
import { asStreamError, codePasses, errorOfCode, kafkaCode } from './kafka-error.ts';
import { type Place, ProduceCall, ProduceQueue, type ProducerId } from './produce-queue.ts';
import { type ProducedPartition, produceRecords } from './produce-request.ts';
import { encodedBytesMax } from './record-encoder.ts';

/** Bytes accepted and not yet acknowledged; more is refused with PRESSURE. */
const IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes in one request to one broker, about. */
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
/** How long a record is tried before its call fails. */
const DELIVERY_TIMEOUT_MS = 60_000;
/** How old the known number of partitions may be when a partition is chosen. */
const TOPIC_AGE_MS_MAX = 10_000;
const RETRY_FIRST_MS = 20;
const RETRY_MAX_MS = 1000;
const CLOSE_TIMEOUT_MS = 5000;
/** Codes after which the same records go out under a new producer id. */
const RENUMBER_CODES: ReadonlySet<number> = new Set([45, 47, 59]);

/** Records of a transactional producer: its number was given by the coordinator, and nothing replaces it. */
export interface ProducerSession {
  readonly transactionalId: string;
  readonly producer: ProducerId;
  /** How long a record is tried; less than the transaction's timeout. */
  readonly deliveryTimeoutMs: number;
}

export class KafkaProducer {
  readonly #cluster: Cluster;
  readonly #session: ProducerSession | undefined;
  readonly #queues = new Map<string, ProduceQueue>();
  readonly #sticky = new Map<string, StickyPartitioner>();
  readonly #busyNodes = new Set<number>();
  #producerId: Promise<ProducerId> | undefined;
  #inFlightBytes = 0;
  #pumping: NodeJS.Immediate | undefined;
  #closed = false;

  /** @param session  undefined = the records belong to no transaction. */
  constructor(cluster: Cluster, session?: ProducerSession) {
    this.#cluster = cluster;
    this.#session = session;
  }

  async produce(topic: string, records: readonly ProduceRecord[]): Promise<readonly Place[]> {
    if (this.#closed) throw closing();
    const state = await this.#cluster.recentTopic(topic, TOPIC_AGE_MS_MAX);
    if (records.length === 0) return [];
    let bytes = 0;
    for (const record of records) {
      bytes += encodedBytesMax(record);
      if (record.partition !== undefined) checkPartition(state, record.partition);
    }
    if (this.#inFlightBytes > 0 && this.#inFlightBytes + bytes > IN_FLIGHT_BYTES_MAX) {
      throw new StreamError('PRESSURE', `${this.#inFlightBytes} bytes are waiting for Kafka`, {
        hint: 'Wait for earlier records to be acknowledged, then send these again.',
      });
    }
    this.#inFlightBytes += bytes;
    const now = Date.now();
    const call = new ProduceCall(records.length, now);
    for (const [index, record] of records.entries()) {
      const timestampMs = record.timestampMs ?? now;
      this.#queue(state, record).push({ record, timestampMs, call, index });
    }
    this.#pump();
    try {
      return await call.promise;
    } finally {
      this.#inFlightBytes -= bytes;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const deadline = Date.now() + CLOSE_TIMEOUT_MS;
    while (this.#inFlightBytes > 0 && Date.now() < deadline) await wait(10);
    this.abandon();
  }

  /** Gives up whatever is under way. */
  abandon(): void {
    this.#closed = true;
    for (const queue of this.#queues.values()) queue.failAll(closing());
    clearImmediate(this.#pumping);
  }

  #queue(state: TopicState, record: ProduceRecord): ProduceQueue {
    const { name, leaders } = state;
    const partition = record.partition ?? this.#choose(name, record, leaders.length);
    const key = `${name}/${partition}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new ProduceQueue(name, partition);
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #choose(topic: string, record: ProduceRecord, partitions: number): number {
    if (record.key !== null) return partitionOfKey(record.key, partitions);
    let sticky = this.#sticky.get(topic);
    if (sticky === undefined) {
      sticky = new StickyPartitioner(Math.floor(Math.random() * partitions));
      this.#sticky.set(topic, sticky);
    }
    return sticky.next(encodedBytesMax(record), partitions);
  }

  /** Sends what is ready, after the current turn: what is produced in the same turn shares a request. */
  #pump(): void {
    this.#pumping ??= setImmediate(() => {
      this.#pumping = undefined;
      const byNode = new Map<number, ProduceQueue[]>();
      for (const [key, queue] of this.#queues) {
        if (queue.isEmpty && !queue.busy && this.#queues.size > QUEUES_KEPT)
          this.#queues.delete(key);
        if (!queue.isReady) continue;
        const leader = this.#cluster.known(queue.topic)?.leaders[queue.partition] ?? -1;
        if (leader < 0) {
          void this.#later([queue], errorOfCode(5, describe(queue)));
          continue;
        }
        if (this.#busyNodes.has(leader)) continue;
        byNode.set(leader, [...(byNode.get(leader) ?? []), queue]);
      }
      for (const [node, queues] of byNode) void this.#send(node, queues);
    });
  }

  async #send(node: number, queues: readonly ProduceQueue[]): Promise<void> {
    this.#busyNodes.add(node);
    const sent: ProduceQueue[] = [];
    for (const queue of queues) queue.busy = true;
    try {
      const producer = await this.#identity();
      const batches: { topic: string; partition: number; batch: Buffer }[] = [];
      let bytes = 0;
      for (const queue of queues) {
        if (bytes >= REQUEST_BYTES_MAX) {
          queue.busy = false;
          continue;
        }
        const batch = queue.next(
          producer,
          this.#cluster.options.compression,
          this.#session !== undefined,
        );
        batch.attempts++;
        bytes += batch.bytes.length;
        sent.push(queue);
        batches.push({ topic: queue.topic, partition: queue.partition, batch: batch.bytes });
      }
      const connection = await this.#cluster.leaderConnection(node, 'produce');
      const transactionalId = this.#session?.transactionalId ?? null;
      this.#answered(sent, await produceRecords(connection, batches, transactionalId));
    } catch (error) {
      const failed = sent.length > 0 ? sent : queues;
      void this.#later(failed, asStreamError(error, `broker ${node}`));
    }
    this.#busyNodes.delete(node);
    this.#pump();
  }

  #answered(queues: readonly ProduceQueue[], answer: readonly ProducedPartition[]): void {
    const results = new Map(
      answer.map((result) => [`${result.topic}/${result.partition}`, result]),
    );
    const again: ProduceQueue[] = [];
    let reason: StreamError | undefined;
    for (const queue of queues) {
      const result = results.get(`${queue.topic}/${queue.partition}`);
      const code = result?.errorCode ?? -1;
      if (code === kafkaCode.none || code === kafkaCode.duplicateSequenceNumber) {
        queue.written(result?.baseOffset ?? -1);
        queue.busy = false;
        continue;
      }
      const error = errorOfCode(code, describe(queue), result?.message);
      if (codePasses(code)) {
        again.push(queue);
        reason = error;
        continue;
      }
      this.#refused(queue, code, error);
      queue.busy = false;
    }
    if (reason !== undefined) void this.#later(again, reason);
  }

  #refused(queue: ProduceQueue, code: number, error: StreamError): void {
    const tooLarge = code === kafkaCode.messageTooLarge || code === kafkaCode.recordListTooLarge;
    if (tooLarge && queue.split()) return;
    if (this.#session === undefined && RENUMBER_CODES.has(code)) {
      this.#producerId = undefined;
      queue.renumber();
      return;
    }
    this.#producerId = undefined;
    queue.failBatch(error);
  }

  /** Waits, asks who leads now, and lets the queues go again; gives up records that are too old. */
  async #later(queues: readonly ProduceQueue[], reason: StreamError): Promise<void> {
    for (const queue of queues) queue.busy = true;
    await wait(this.#retryWait(queues));
    const tooOldMs = Date.now() - (this.#session?.deliveryTimeoutMs ?? DELIVERY_TIMEOUT_MS);
    for (const queue of queues) {
      let failure = this.#closed || queue.isOlderThan(tooOldMs) ? reason : undefined;
      try {
        const state = await this.#cluster.topic(queue.topic);
        if (state === undefined) failure = unknownTopic(queue.topic);
      } catch (error) {
        // The cluster cannot be asked now: the next attempt fails likewise and comes back here.
        if (failure === undefined && !(error instanceof StreamError)) throw error;
      }
      if (failure !== undefined) {
        this.#producerId = undefined;
        queue.failAll(failure);
      }
      queue.busy = false;
    }
    this.#pump();
  }

  #retryWait(queues: readonly ProduceQueue[]): number {
    const attempts = queues[0]?.attempts ?? 0;
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MAX_MS);
    let waitMs = backoff.next();
    for (let i = 1; i < Math.min(attempts, 10); i++) waitMs = backoff.next();
    return waitMs;
  }

  #identity(): Promise<ProducerId> {
    if (this.#session !== undefined) return Promise.resolve(this.#session.producer);
    this.#producerId ??= retrying(this.#cluster.options.callTimeoutMs, async () => {
      const connection = await this.#cluster.anyConnection();
      const answer = await initProducerIdV4.api.async(connection, null, 60_000, -1n, -1);
      return { id: answer.producerId, epoch: answer.producerEpoch };
    }).catch((error: unknown) => {
      this.#producerId = undefined;
      throw error;
    });
    return this.#producerId;
  }
}

/** Idle queues kept for their numbering; beyond, a partition that comes back gets a new producer id. */
const QUEUES_KEPT = 10_000;

function checkPartition(state: TopicState, partition: number): void {
  if (Number.isInteger(partition) && partition >= 0 && partition < state.leaders.length) return;
  throw new StreamError(
    'REQUEST_INVALID',
    `topic "${state.name}" has no partition ${partition}: it has ${state.leaders.length}`,
  );
}

function describe(queue: ProduceQueue): string {
  return `topic "${queue.topic}" partition ${queue.partition}`;
}

function unknownTopic(topic: string): StreamError {
  return new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${topic}" does not exist in Kafka`);
}

function closing(): StreamError {
  return new StreamError('SHUTTING_DOWN', 'the Kafka client is closed');
}
