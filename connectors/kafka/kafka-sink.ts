/**
 * Rows of a sink into a topic of Kafka, each once: rows and position go in one transaction, a writer that was taken over is fenced,
 * and after every failure Kafka is asked how far it is.
 */
import { randomUUID } from 'node:crypto';
import { StreamError } from '../../sql/base/error.ts';
import {
  allDelivered,
  type Delivered,
  type SinkChunk,
  type SinkIdentity,
  type SinkWriter,
} from '../connector.ts';
import type { Cluster } from './cluster.ts';
import {
  POSITIONS_TOPIC,
  positionRecord,
  readPosition,
  type SinkPosition,
} from './sink-position.ts';
import { TransactionalProducer } from './transaction.ts';

export class KafkaSinkWriter implements SinkWriter {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #transactionalId: string;
  readonly #owner = randomUUID();
  /** Undefined until Kafka was asked, and after a failure until it is asked again. */
  #producer: TransactionalProducer | undefined;
  #position = 0;
  /** Kafka knows this writer as the owner. */
  #isOwner = false;

  private constructor(cluster: Cluster, topic: string, sink: SinkIdentity) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#transactionalId = sink.name;
  }

  /** Takes the sink over. The topic of positions must be there. */
  static async open(cluster: Cluster, topic: string, sink: SinkIdentity): Promise<KafkaSinkWriter> {
    const writer = new KafkaSinkWriter(cluster, topic, sink);
    await writer.#begin();
    return writer;
  }

  get position(): number {
    return this.#position;
  }

  async deliver(chunks: readonly SinkChunk[]): Promise<Delivered> {
    const producer = this.#producer ?? (await this.#begin());
    const fresh = chunks.filter(({ sequence }) => sequence > this.#position);
    const last = fresh.at(-1);
    if (last === undefined) return allDelivered;
    const records = fresh.flatMap((chunk) => chunk.records);
    try {
      await producer.write([{ topic: this.#topic, records }, this.#positionAt(last.sequence)]);
    } catch (error) {
      await this.#giveUp();
      throw error;
    }
    this.#position = last.sequence;
    return allDelivered;
  }

  async close(): Promise<void> {
    await this.#giveUp();
  }

  /**
   * Begins to write, first of all or again after a failure: older producers are fenced, their open transaction is aborted, and what
   * is committed by then is the truth.
   */
  async #begin(): Promise<TransactionalProducer> {
    if (this.#isOwner) this.#check(await this.#stored());
    const producer = await TransactionalProducer.open(this.#cluster, this.#transactionalId);
    this.#producer = producer;
    try {
      const stored = await this.#stored();
      if (this.#isOwner) this.#check(stored);
      this.#position = stored?.sequence ?? this.#position;
      if (stored?.owner !== this.#owner) {
        await producer.write([this.#positionAt(this.#position)]);
        this.#isOwner = true;
      }
      return producer;
    } catch (error) {
      await this.#giveUp();
      throw error;
    }
  }

  /** @throws StreamError SINK_FENCED when another writer came after this one. */
  #check(stored: SinkPosition | undefined): void {
    if (stored === undefined || stored.owner === this.#owner) return;
    throw new StreamError(
      'SINK_FENCED',
      `another process has taken over "${this.#transactionalId}": this one writes no more to topic "${this.#topic}"`,
      {
        hint: 'Two servers run on copies of one data directory. Stop the one that should not write.',
      },
    );
  }

  #stored(): Promise<SinkPosition | undefined> {
    return readPosition(this.#cluster, this.#transactionalId);
  }

  #positionAt(sequence: number) {
    const record = positionRecord(this.#transactionalId, { sequence, owner: this.#owner });
    return { topic: POSITIONS_TOPIC, records: [record] };
  }

  async #giveUp(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close();
  }
}
