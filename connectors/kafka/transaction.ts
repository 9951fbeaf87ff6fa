/**
 * One transactional producer of Kafka (KIP-98): its number from the coordinator, which fences every older producer of the same
 * transactional id and aborts what that one left open, and transactions one after the other.
 */
import {
  addPartitionsToTxnV3,
  type Connection,
  describeTransactionsV0,
  endTxnV3,
  findCoordinatorV4,
  initProducerIdV4,
  ResponseError,
} from '@platformatic/kafka';
import { StreamError } from '../../sql/base/error.ts';
import type { ProduceRecord } from '../connector.ts';
import { partitionOfKey, StickyPartitioner } from '../partitioner.ts';
import { Backoff, retrying, wait } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { asStreamError, codePasses, codeWithin, errorOfCode, passes } from './kafka-error.ts';
import { KafkaProducer } from './kafka-producer.ts';
import type { ProducerId } from './produce-queue.ts';
import { encodedBytesMax } from './record-encoder.ts';

/** An open transaction is aborted by the broker after this long, so that a dead writer does not stop readers for ever. */
const TRANSACTION_TIMEOUT_MS = 60_000;
/** How long a record of a transaction is tried: longer than a leader takes to move, soon enough for a fault to be seen. */
const DELIVERY_TIMEOUT_MS = 10_000;
/** How old the known number of partitions may be when a partition is chosen. */
const TOPIC_AGE_MS_MAX = 10_000;
/** The coordinator is busy with the end of the last transaction for a few milliseconds. */
const RETRY_FIRST_MS = 4;
const RETRY_MAX_MS = 500;
const END_POLL_MS = 2;
const END_WAIT_MS = 5_000;
const CONCURRENT_TRANSACTIONS = 51;
const TRANSACTION_KEY_TYPE = 1;
/** Stands beside the partition that is the reason. */
const OPERATION_NOT_ATTEMPTED = 55;

export interface TopicRecords {
  readonly topic: string;
  readonly records: readonly ProduceRecord[];
}

export class TransactionalProducer {
  readonly #cluster: Cluster;
  readonly #transactionalId: string;
  readonly #id: ProducerId;
  readonly #producer: KafkaProducer;
  readonly #sticky = new StickyPartitioner();
  #coordinator: Connection | undefined;
  #isOpen = false;
  #closed = false;

  private constructor(
    cluster: Cluster,
    transactionalId: string,
    id: ProducerId,
    coordinator: Connection,
  ) {
    this.#cluster = cluster;
    this.#transactionalId = transactionalId;
    this.#id = id;
    this.#coordinator = coordinator;
    this.#producer = new KafkaProducer(cluster, {
      transactionalId,
      producer: id,
      deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
    });
  }

  /** Takes the transactional id over. */
  static async open(cluster: Cluster, transactionalId: string): Promise<TransactionalProducer> {
    const what = `transactional id "${transactionalId}"`;
    return asking(cluster, what, async () => {
      const coordinator = await findCoordinator(cluster, transactionalId);
      const { producerId, producerEpoch } = await initProducerIdV4.api.async(
        coordinator,
        transactionalId,
        TRANSACTION_TIMEOUT_MS,
        -1n,
        -1,
      );
      const id = { id: producerId, epoch: producerEpoch };
      return new TransactionalProducer(cluster, transactionalId, id, coordinator);
    });
  }

  /**
   * Writes all records in one transaction: readers of committed records see all or none, and all of them once this settles. After a
   * failure it is not known whether they do; open another producer, and look.
   */
  async write(topics: readonly TopicRecords[]): Promise<void> {
    const placed = await Promise.all(topics.map((each) => this.#place(each)));
    this.#isOpen = true;
    await this.#addPartitions(placed);
    await Promise.all(placed.map(({ topic, records }) => this.#producer.produce(topic, records)));
    await this.#ask((coordinator) =>
      endTxnV3.api.async(coordinator, this.#transactionalId, this.#id.id, this.#id.epoch, true),
    );
    this.#isOpen = false;
    await this.#ask((coordinator) => ended(coordinator, this.#transactionalId));
  }

  /** Gives up: an open transaction is aborted, unless a newer producer has done that already. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#producer.abandon();
    const { id, epoch } = this.#id;
    const coordinator = this.#coordinator;
    if (!this.#isOpen || coordinator === undefined) return;
    try {
      // Not EndTxn: a higher epoch also turns away records that are still on their way.
      const { api } = initProducerIdV4;
      await api.async(coordinator, this.#transactionalId, TRANSACTION_TIMEOUT_MS, id, epoch);
    } catch (error) {
      // Its timeout or its next producer ends the transaction; until then readers wait, and lose nothing.
      if (!(error instanceof Error)) throw error;
    }
  }

  /** Chooses partitions now, because the coordinator must know them before records are sent. */
  async #place({ topic, records }: TopicRecords): Promise<TopicRecords> {
    const { leaders } = await this.#cluster.recentTopic(topic, TOPIC_AGE_MS_MAX);
    const count = leaders.length;
    return {
      topic,
      records: records.map((record) => {
        if (record.partition !== undefined) return record;
        const partition =
          record.key === null
            ? this.#sticky.next(encodedBytesMax(record), count)
            : partitionOfKey(record.key, count);
        return { ...record, partition };
      }),
    };
  }

  async #addPartitions(placed: readonly TopicRecords[]): Promise<void> {
    const topics = placed.map(({ topic, records }) => ({
      name: topic,
      partitions: [...new Set(records.map((record) => record.partition ?? 0))],
    }));
    const transaction = {
      transactionalId: this.#transactionalId,
      producerId: this.#id.id,
      producerEpoch: this.#id.epoch,
      verifyOnly: false,
      topics,
    };
    await this.#ask((coordinator) => addPartitionsToTxnV3.api.async(coordinator, [transaction]));
  }

  /** Asks the coordinator, the new one when it has moved. */
  async #ask(work: (coordinator: Connection) => Promise<unknown>): Promise<void> {
    await asking(this.#cluster, `transaction of "${this.#transactionalId}"`, async () => {
      if (this.#closed) throw new StreamError('SHUTTING_DOWN', 'the producer is closed');
      this.#coordinator ??= await findCoordinator(this.#cluster, this.#transactionalId);
      try {
        await work(this.#coordinator);
      } catch (error) {
        this.#coordinator = undefined;
        throw error;
      }
    });
  }
}

async function findCoordinator(cluster: Cluster, transactionalId: string): Promise<Connection> {
  const connection = await cluster.anyConnection();
  const answer = await findCoordinatorV4.api.async(connection, TRANSACTION_KEY_TYPE, [
    transactionalId,
  ]);
  const found = answer.coordinators[0];
  const what = `coordinator of "${transactionalId}"`;
  if (found === undefined) throw errorOfCode(15, what);
  if (found.errorCode !== 0) throw errorOfCode(found.errorCode, what, found.errorMessage);
  return cluster.connections.get(found, 'control');
}

/**
 * The coordinator answers when the end of a transaction is decided; readers see it when every partition has been told.
 * @throws StreamError that may pass while that is not so.
 */
async function ended(coordinator: Connection, transactionalId: string): Promise<void> {
  const deadline = Date.now() + END_WAIT_MS;
  for (;;) {
    const { api } = describeTransactionsV0;
    const answer = await api.async(coordinator, [transactionalId]);
    const state = answer.transactionStates[0]?.transactionState;
    if (state !== 'PrepareCommit') return;
    if (Date.now() > deadline) throw errorOfCode(CONCURRENT_TRANSACTIONS, transactionalId);
    await wait(END_POLL_MS);
  }
}

/** Repeats what may pass; the coordinator is usually ready again after a few milliseconds. */
function asking<T>(cluster: Cluster, what: string, work: () => Promise<T>): Promise<T> {
  const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MAX_MS);
  return retrying(cluster.options.callTimeoutMs, work, mayPass, backoff).catch((error: unknown) => {
    const code = decisiveCode(error);
    throw code === undefined ? asStreamError(error, what) : errorOfCode(code, what);
  });
}

function mayPass(error: unknown): boolean {
  const code = decisiveCode(error);
  return code === undefined ? passes(error) : codePasses(code);
}

/** The code of the partition that is the reason, not of those that were left alone because of it. */
function decisiveCode(error: unknown): number | undefined {
  if (!(error instanceof ResponseError)) return codeWithin(error);
  const response = error.response as Partial<addPartitionsToTxnV3.AddPartitionsToTxnResponse>;
  for (const { topicResults } of response.resultsByTransaction ?? []) {
    for (const { resultsByPartition } of topicResults) {
      for (const { partitionErrorCode: code } of resultsByPartition) {
        if (code !== 0 && code !== OPERATION_NOT_ATTEMPTED) return code;
      }
    }
  }
  return codeWithin(error);
}
