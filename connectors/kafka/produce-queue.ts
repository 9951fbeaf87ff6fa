/** Records of one partition on their way to the broker: one batch at a time, so that order and numbering hold. */
import type { StreamError } from '../../sql/base/error.ts';
import type { Offset, ProduceRecord } from '../connector.ts';
import { type BatchIdentity, type Codec, encodeBatch, encodedBytesMax } from './record-encoder.ts';

/** Below the broker's default limit of 1,048,588 bytes; a larger record travels alone. */
const BATCH_BYTES_MAX = 1_000_000;

export type Place = { readonly partition: number; readonly offset: Offset };

/** One call of produce(): settled when the last of its records is. */
export class ProduceCall {
  readonly startedMs: number;
  readonly places: Place[];
  readonly #done = Promise.withResolvers<readonly Place[]>();
  #left: number;

  constructor(records: number, startedMs: number) {
    this.#left = records;
    this.startedMs = startedMs;
    this.places = new Array<Place>(records);
  }

  get promise(): Promise<readonly Place[]> {
    return this.#done.promise;
  }

  placed(index: number, place: Place): void {
    this.places[index] = place;
    this.#left--;
    if (this.#left === 0) this.#done.resolve(this.places);
  }

  fail(error: StreamError): void {
    this.#done.reject(error);
  }
}

export interface Entry {
  readonly record: ProduceRecord;
  readonly timestampMs: number;
  readonly call: ProduceCall;
  /** The record's place within its call. */
  readonly index: number;
}

export interface OutgoingBatch {
  readonly entries: readonly Entry[];
  readonly bytes: Buffer;
  readonly sequence: number;
  /** An earlier attempt may have been written although nothing came back. */
  attempts: number;
}

export interface ProducerId {
  readonly id: bigint;
  readonly epoch: number;
}

export class ProduceQueue {
  readonly topic: string;
  readonly partition: number;
  #waiting: Entry[] = [];
  #outgoing: OutgoingBatch | undefined;
  #producer: ProducerId | undefined;
  #sequence = 0;
  #batchBytesMax = BATCH_BYTES_MAX;
  /** Being sent, or waiting before it is sent again. */
  busy = false;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get isEmpty(): boolean {
    return this.#outgoing === undefined && this.#waiting.length === 0;
  }

  get isReady(): boolean {
    return !this.busy && !this.isEmpty;
  }

  /** How often the batch under way was sent. */
  get attempts(): number {
    return this.#outgoing?.attempts ?? 0;
  }

  push(entry: Entry): void {
    this.#waiting.push(entry);
  }

  /** Whether its oldest records came before a time. */
  isOlderThan(timeMs: number): boolean {
    const oldest = this.#outgoing?.entries[0] ?? this.#waiting[0];
    return oldest !== undefined && oldest.call.startedMs < timeMs;
  }

  /** The batch to send now: the last one again, or a new one. The queue must be ready. */
  next(producer: ProducerId, codec: Codec, transactional: boolean): OutgoingBatch {
    if (this.#outgoing !== undefined) return this.#outgoing;
    if (this.#producer === undefined) {
      this.#producer = producer;
      this.#sequence = 0;
    }
    const entries = this.#cut();
    const identity: BatchIdentity = {
      producerId: this.#producer.id,
      producerEpoch: this.#producer.epoch,
      sequence: this.#sequence,
      transactional,
    };
    this.#outgoing = {
      entries,
      bytes: encodeBatch(entries, identity, codec),
      sequence: this.#sequence,
      attempts: 0,
    };
    return this.#outgoing;
  }

  written(baseOffset: Offset): void {
    const batch = this.#outgoing;
    if (batch === undefined) return;
    this.#outgoing = undefined;
    // Sequence numbers are 31 bits and wrap to 0, as Kafka's producer does.
    this.#sequence = (batch.sequence + batch.entries.length) % 2147483648;
    const { partition } = this;
    for (const [i, { call, index }] of batch.entries.entries()) {
      call.placed(index, { partition, offset: baseOffset < 0 ? -1 : baseOffset + i });
    }
  }

  /** The broker has forgotten the producer: the same records go out again under a new id. */
  renumber(): void {
    const entries = this.#outgoing?.entries ?? [];
    this.#outgoing = undefined;
    this.#producer = undefined;
    this.#waiting = [...entries, ...this.#waiting];
  }

  /** The topic allows less: smaller batches from now on. False when a single record is too large. */
  split(): boolean {
    const batch = this.#outgoing;
    if (batch === undefined || batch.entries.length < 2) return false;
    this.#batchBytesMax = Math.max(Math.floor(batch.bytes.length / 2), 1);
    this.#outgoing = undefined;
    this.#waiting = [...batch.entries, ...this.#waiting];
    return true;
  }

  /** Gives up the batch that is under way. */
  failBatch(error: StreamError): void {
    const entries = this.#outgoing?.entries ?? [];
    this.#outgoing = undefined;
    // Whether it was written is not known, so neither is the next sequence number.
    this.#producer = undefined;
    for (const { call } of entries) call.fail(error);
  }

  failAll(error: StreamError): void {
    this.failBatch(error);
    for (const { call } of this.#waiting) call.fail(error);
    this.#waiting = [];
  }

  #cut(): Entry[] {
    let bytes = 0;
    let count = 0;
    for (const { record } of this.#waiting) {
      bytes += encodedBytesMax(record);
      if (count > 0 && bytes > this.#batchBytesMax) break;
      count++;
    }
    if (count === this.#waiting.length) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, count);
  }
}
