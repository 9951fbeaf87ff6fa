/**
 * Topics without a broker, on the engine's own storage. Records from many callers share one append
 * transaction: while one is under way, the next ones gather.
 */
import type { Buffer } from 'node:buffer';
import { StreamError } from '../../sql/base/error.ts';
import type {
  DeliveredChunks,
  LogSegment,
  LogStorage,
  Offset,
  ProduceRecord,
  RecordBatch,
  SinkIdentity,
  SinkWriter,
  SourceReader,
  StartPosition,
  StoredRecord,
  TopicInfo,
  TopicLog,
} from '../connector.ts';
import { partitionOfKey } from '../partitioner.ts';
import { firstRowAt, storedRecord } from '../record-batch.ts';
import { EmbeddedReader } from './embedded-reader.ts';
import { EmbeddedSinkWriter } from './embedded-sink.ts';
import { decodeSegment, recordBytes, type TimedRecord } from './segment.ts';
import { type Append, type Place, planSegments, type SegmentPlan } from './segment-plan.ts';
import { joinSegments } from './small-run.ts';
import { TailCache } from './tail-cache.ts';
import { Partition, parseRetention, Topic } from './topic.ts';

export interface EmbeddedLogOptions {
  /** Milliseconds since 1970-01-01 UTC, for records without a timestamp. */
  readonly now: () => number;
  /** Bytes of records accepted and not yet durable; more is refused with PRESSURE. */
  readonly inFlightBytesMax: number;
  /** Bytes of the newest segments kept in memory for readers. */
  readonly tailBytesMax: number;
  /** Largest record, key, value and headers together. */
  readonly recordBytesMax: number;
  /** How often limits of topics are enforced. */
  readonly retentionCheckMs: number;
}

const defaults: EmbeddedLogOptions = {
  now: Date.now,
  inFlightBytesMax: 64 * 1024 * 1024,
  tailBytesMax: 64 * 1024 * 1024,
  recordBytesMax: 16 * 1024 * 1024,
  retentionCheckMs: 30_000,
};

const PARTITIONS_MAX = 1024;
/**
 * Small records that came while others were written wait this long for more: a commit costs a millisecond of CPU however
 * little it holds. Who writes alone, one record after the other, never waits.
 */
const GATHER_MS = 2;
const GATHER_BYTES = 64 * 1024;
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

export class EmbeddedLog implements TopicLog {
  readonly type = 'embedded';
  readonly #storage: LogStorage;
  readonly #options: EmbeddedLogOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #cache: TailCache;
  readonly #readers = new Set<EmbeddedReader>();
  #waiting: Append[] = [];
  #inFlightBytes = 0;
  #flushing = false;
  /** Everything that changes the storage, one after the other. */
  #serial: Promise<void> = Promise.resolve();
  readonly #retentionTimer: NodeJS.Timeout;
  #closed = false;

  private constructor(storage: LogStorage, options: EmbeddedLogOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#cache = new TailCache(options.tailBytesMax);
    this.#retentionTimer = setInterval(() => {
      // A trim that fails is tried again at the next tick; the records simply stay longer.
      this.enforceRetention().catch(() => undefined);
    }, options.retentionCheckMs);
    this.#retentionTimer.unref();
  }

  static async open(
    storage: LogStorage,
    options: Partial<EmbeddedLogOptions> = {},
  ): Promise<EmbeddedLog> {
    const log = new EmbeddedLog(storage, { ...defaults, ...options });
    for (const stored of await storage.topics()) {
      const partitions = Array.from(
        { length: stored.partitions },
        (_, i) => new Partition(i, stored.starts[i] ?? 0, stored.ends[i] ?? 0),
      );
      log.#topics.set(stored.name, new Topic(stored.name, partitions, stored.options));
    }
    return log;
  }

  async list(): Promise<readonly TopicInfo[]> {
    return [...this.#topics.values()].map(topicInfo);
  }

  async describe(topic: string): Promise<TopicInfo | undefined> {
    const found = this.#topics.get(topic);
    return found === undefined ? undefined : topicInfo(found);
  }

  /**
   * Options: 'retention.ms', 'retention.bytes' (per partition); others are kept and mean nothing here.
   * @throws StreamError SQL_DUPLICATE_RELATION when the topic exists; REQUEST_INVALID, SQL_INVALID_OPTION.
   */
  async create(
    name: string,
    partitions: number,
    options: ReadonlyMap<string, string>,
  ): Promise<void> {
    if (!TOPIC_NAME.test(name) || name === '.' || name === '..') {
      throw new StreamError('REQUEST_INVALID', `invalid topic name "${name}"`, {
        hint: 'Use 1 to 249 letters, digits, dots, underscores and hyphens.',
      });
    }
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
      throw new StreamError(
        'REQUEST_INVALID',
        `a topic has 1 to ${PARTITIONS_MAX} partitions, not ${partitions}`,
      );
    }
    parseRetention(options);
    await this.#exclusive(async () => {
      if (this.#topics.has(name)) {
        throw new StreamError('SQL_DUPLICATE_RELATION', `topic "${name}" already exists`);
      }
      await this.#storage.createTopic(name, partitions, options);
      const empty = Array.from({ length: partitions }, (_, i) => new Partition(i, 0, 0));
      this.#topics.set(name, new Topic(name, empty, options));
    });
  }

  async delete(name: string): Promise<void> {
    await this.#exclusive(async () => {
      const topic = this.#topic(name);
      await this.#storage.deleteTopic(name);
      topic.deleted = true;
      this.#topics.delete(name);
      for (const partition of topic.partitions) {
        this.#cache.trim(partition.tail, Number.POSITIVE_INFINITY);
      }
      topic.notify();
    });
  }

  produce(name: string, records: readonly ProduceRecord[]): Promise<readonly Place[]> {
    return this.#produce(name, records, undefined);
  }

  async openSink(name: string, sink: SinkIdentity): Promise<SinkWriter> {
    this.#topic(name);
    return new EmbeddedSinkWriter(sink, async (records, delivered) => {
      await this.#produce(name, records, delivered);
    });
  }

  async #produce(
    name: string,
    records: readonly ProduceRecord[],
    delivered: DeliveredChunks | undefined,
  ): Promise<readonly Place[]> {
    this.#checkOpen();
    const topic = this.#topic(name);
    if (records.length === 0) return [];
    const now = this.#options.now();
    const partitions: number[] = [];
    const timed: TimedRecord[] = [];
    let bytes = 0;
    for (const record of records) {
      const size = recordBytes(record);
      if (size > this.#options.recordBytesMax) {
        throw new StreamError(
          'REQUEST_TOO_LARGE',
          `a record of ${size} bytes is over the limit of ${this.#options.recordBytesMax}`,
        );
      }
      bytes += size;
      partitions.push(choosePartition(topic, record, size));
      timed.push({ record, timestampMs: record.timestampMs ?? now });
    }
    if (this.#inFlightBytes > 0 && this.#inFlightBytes + bytes > this.#options.inFlightBytesMax) {
      throw new StreamError('PRESSURE', `${this.#inFlightBytes} bytes are waiting to be written`, {
        hint: 'Wait for earlier records to be acknowledged, then send these again.',
      });
    }
    this.#inFlightBytes += bytes;
    const done = Promise.withResolvers<readonly Place[]>();
    this.#waiting.push({ topic, records: timed, partitions, bytes, delivered, done });
    this.#flush();
    return done.promise;
  }

  async read(
    name: string,
    index: number,
    offset: Offset,
    limit: number,
  ): Promise<readonly StoredRecord[]> {
    const partition = this.#topic(name).partition(index);
    const records: StoredRecord[] = [];
    let next = Math.max(offset, partition.start);
    while (records.length < limit && next < partition.end) {
      const batch = await this.#batchAt(name, partition, next);
      if (batch === undefined) break;
      for (let r = firstRowAt(batch, next); r < batch.length && records.length < limit; r++) {
        records.push(storedRecord(batch, r));
      }
      next = (batch.offsets[batch.length - 1] as number) + 1;
    }
    return records;
  }

  async bounds(
    name: string,
  ): Promise<ReadonlyMap<number, { readonly earliest: Offset; readonly end: Offset }>> {
    const { partitions } = this.#topic(name);
    return new Map(partitions.map((p) => [p.index, { earliest: p.start, end: p.end }]));
  }

  /**
   * A reader that is to go on from given offsets opens even when the topic is gone: its `fault()` tells.
   * @throws StreamError SOURCE_UNKNOWN_TOPIC when no offset is given.
   */
  async open(name: string, from: StartPosition): Promise<SourceReader> {
    this.#checkOpen();
    const topic = this.#topics.get(name) ?? missingTopic(name, from);
    const reader = new EmbeddedReader(topic, from, this.#storage, () => {
      this.#readers.delete(reader);
    });
    this.#readers.add(reader);
    return reader;
  }

  /** Drops whole segments past their topic's limits now; also runs by itself now and then. */
  async enforceRetention(): Promise<void> {
    for (const topic of this.#topics.values()) {
      if (!topic.hasLimits) continue;
      for (const partition of topic.partitions) {
        await this.#exclusive(() => this.#trim(topic, partition));
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#retentionTimer);
    for (const reader of this.#readers) await reader.close();
    while (this.#flushing) await this.#serial;
    await this.#serial;
  }

  async #trim(topic: Topic, partition: Partition): Promise<void> {
    if (topic.deleted) return;
    const { ageMsMax, bytesMax } = topic.retention;
    const upTo = await partition.retention.expired(
      this.#options.now() - ageMsMax,
      bytesMax,
      (from, segmentsMax) => this.#storage.read(topic.name, partition.index, from, segmentsMax),
    );
    if (upTo === undefined) return;
    await this.#storage.trim(topic.name, partition.index, upTo);
    partition.start = upTo;
    this.#cache.trim(partition.tail, upTo);
  }

  async #batchAt(
    name: string,
    partition: Partition,
    offset: Offset,
  ): Promise<RecordBatch | undefined> {
    const cached = partition.tail.batches[partition.tail.find(offset)];
    if (cached !== undefined) return cached;
    const [segment] = await this.#storage.read(name, partition.index, offset, 1);
    return segment === undefined ? undefined : decodeSegment(segment);
  }

  /** Writes what is waiting until nothing is; one append at a time. */
  #flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    void this.#exclusive(async () => {
      while (this.#waiting.length > 0) {
        const appends = this.#waiting;
        this.#waiting = [];
        await this.#append(appends);
        if (this.#waiting.length > 0 && waitingBytes(this.#waiting) < GATHER_BYTES) {
          await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
        }
      }
      // In the same turn as the check above: a record that comes next starts a new flush.
      this.#flushing = false;
    });
  }

  async #append(appends: readonly Append[]): Promise<void> {
    const live = appends.filter((append) => !append.topic.deleted);
    const plan = planSegments(live);
    const delivered = live.flatMap((append) => append.delivered ?? []);
    let failure: unknown;
    try {
      if (plan.segments.length > 0) await this.#storage.append(plan.segments, delivered);
    } catch (error) {
      failure = error;
    }
    if (failure === undefined) this.#publish(plan);
    for (const append of appends) this.#inFlightBytes -= append.bytes;
    for (const append of appends) {
      if (append.topic.deleted) append.done.reject(unknownTopic(append.topic.name));
      else if (failure !== undefined) append.done.reject(storeFailed(failure));
      else append.done.resolve(plan.places.get(append) ?? []);
    }
  }

  #publish(plan: SegmentPlan): void {
    for (const [i, segment] of plan.segments.entries()) {
      const { topic, partition } = plan.targets[i] as { topic: Topic; partition: Partition };
      partition.end = segment.baseOffset + segment.count;
      if (topic.hasLimits) partition.retention.add(segment);
      this.#cache.add(partition.tail, decodeSegment(segment));
      const run = partition.small.add(segment);
      if (run !== undefined) this.#joinLater(topic, partition, run);
    }
    for (const topic of new Set(plan.targets.map((target) => target.topic))) topic.notify();
  }

  /** A join that fails leaves the small segments as they are: they hold the same records. */
  #joinLater(topic: Topic, partition: Partition, run: readonly LogSegment[]): void {
    this.#exclusive(async () => {
      if (topic.deleted || (run[0]?.baseOffset ?? 0) < partition.start) return;
      const joined = joinSegments(run);
      await this.#storage.replace(joined);
      if (topic.hasLimits) partition.retention.replaced(joined);
    }).catch(() => undefined);
  }

  async #exclusive(work: () => Promise<void>): Promise<void> {
    const run = this.#serial.then(work);
    // The next one runs whether or not this one failed; the failure belongs to this caller.
    this.#serial = run.catch(() => undefined);
    await run;
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw unknownTopic(name);
    return topic;
  }

  #checkOpen(): void {
    if (this.#closed) throw new StreamError('SHUTTING_DOWN', 'the log is closed');
  }
}

function waitingBytes(appends: readonly Append[]): number {
  return appends.reduce((sum, append) => sum + append.bytes, 0);
}

function choosePartition(topic: Topic, record: ProduceRecord, bytes: number): number {
  if (record.partition !== undefined) return topic.partition(record.partition).index;
  const count = topic.partitions.length;
  const key: Buffer | null = record.key;
  return key === null ? topic.sticky.next(bytes, count) : partitionOfKey(key, count);
}

function missingTopic(name: string, from: StartPosition): Topic {
  if (from.offsets.size === 0) throw unknownTopic(name);
  const topic = new Topic(name, [], new Map());
  topic.deleted = true;
  return topic;
}

function topicInfo(topic: Topic): TopicInfo {
  return { name: topic.name, partitions: topic.partitions.length, replication: 1 };
}

function unknownTopic(name: string): StreamError {
  return new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${name}" does not exist`);
}

function storeFailed(cause: unknown): StreamError {
  if (cause instanceof StreamError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StreamError('STORE_FAILED', `records could not be written: ${reason}`, { cause });
}
