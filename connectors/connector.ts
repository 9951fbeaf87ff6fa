/**
 * The whole contract between the engine and what brings records in or takes rows out. A log-like system
 * (Kafka, the embedded log) implements `TopicLog`; a generator implements `SourceConnector`; both give
 * `SourceReader`s. Implementations live in folders beside this file and are named in registry.ts.
 */
import type { Row } from '../sql/base/datum.ts';
import type { StreamError } from '../sql/base/error.ts';
import type { Schema } from '../sql/base/type.ts';

/** Position of a record in its partition, counted from 0; also where to resume. */
export type Offset = number;

/**
 * Consecutive records of one partition as bytes: no object per record. Record r's value is
 * bytes[valueStarts[r], valueStarts[r] + valueLengths[r]); a length of -1 is a null (tombstone). Keys lie in the
 * same bytes. The arrays may be longer than `length`. Valid until the reader is polled again after the epoch ends.
 */
export interface RecordBatch {
  readonly partition: number;
  readonly length: number;
  readonly bytes: Buffer;
  readonly valueStarts: Int32Array;
  readonly valueLengths: Int32Array;
  /** Undefined when no record of the batch has a key. */
  readonly keyStarts: Int32Array | undefined;
  readonly keyLengths: Int32Array | undefined;
  readonly offsets: Float64Array;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly timestampsMs: Float64Array;
  readonly headers: ((row: number) => readonly RecordHeader[]) | undefined;
}

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/**
 * Reads partitions forward from given offsets. Pull-based: it prefetches in the background up to its own bound in bytes and
 * stops there, so that not polling is back-pressure. Faults of the other end are retried in the background with backoff.
 */
export interface SourceReader {
  /** Partitions known now; new ones are noticed and read from their start. */
  partitions(): number;
  /**
   * Takes what is there, without waiting: at most about `bytesMax` of records, in offset order per partition.
   * Empty when nothing is at hand.
   * @param except  partitions that are left alone for now; they must not keep the others from being read.
   */
  poll(bytesMax: number, except?: ReadonlySet<number> | undefined): RecordBatch[];
  /** `listener` is called (at any time, cheaply) when poll may give records again. One listener. */
  onReadable(listener: () => void): void;
  /** The offset after the last record of every partition, asked of the source now. Infinity for endless generators. */
  endOffsets(): Promise<ReadonlyMap<number, Offset>>;
  /** The last fault of the source that is still being retried. */
  fault(): StreamError | undefined;
  close(): Promise<void>;
}

/** Where to begin: an offset per partition; partitions not named begin at `otherwise`. */
export interface StartPosition {
  readonly offsets: ReadonlyMap<number, Offset>;
  readonly otherwise: 'earliest' | 'latest';
}

/** A source that is not a log of its own: generators, files, polled APIs. */
export interface SourceConnector {
  readonly type: string;
  /** Columns when the statement names none (nexmark); undefined = the statement must. */
  schema(options: ReadonlyMap<string, string>): Schema | undefined;
  /** Checks WITH (…) options; throws StreamError naming the option. Does no I/O. */
  validate(options: ReadonlyMap<string, string>, schema: Schema): void;
  /** The same (options, offset) gives the same record again, so that a restart resumes exactly. */
  open(
    options: ReadonlyMap<string, string>,
    schema: Schema,
    from: StartPosition,
  ): Promise<SourceReader>;
}

export interface TopicInfo {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
}

export interface ProduceRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Undefined = by key hash (murmur2 as Kafka's default partitioner), or spread when there is no key. */
  readonly partition?: number | undefined;
  /** Undefined = now. */
  readonly timestampMs?: number | undefined;
  readonly headers?: readonly RecordHeader[] | undefined;
}

export interface StoredRecord {
  readonly partition: number;
  readonly offset: Offset;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** Topics with partitions and offsets: a Kafka cluster or the embedded log, behind one contract. */
export interface TopicLog {
  readonly type: 'kafka' | 'embedded';
  list(): Promise<readonly TopicInfo[]>;
  /** Undefined when there is no such topic. */
  describe(topic: string): Promise<TopicInfo | undefined>;
  create(topic: string, partitions: number, options: ReadonlyMap<string, string>): Promise<void>;
  delete(topic: string): Promise<void>;
  /**
   * Appends records; the promise settles when they are durable (acks=all). Rejects with PRESSURE when too many bytes are in
   * flight, SOURCE_UNKNOWN_TOPIC when the topic is missing. Gives the place of each record in order.
   */
  produce(
    topic: string,
    records: readonly ProduceRecord[],
  ): Promise<readonly { readonly partition: number; readonly offset: Offset }[]>;
  /** Up to `limit` records from `offset` on; waits for nothing. */
  read(
    topic: string,
    partition: number,
    offset: Offset,
    limit: number,
  ): Promise<readonly StoredRecord[]>;
  /** First retained offset and the offset after the last record, per partition. */
  bounds(
    topic: string,
  ): Promise<ReadonlyMap<number, { readonly earliest: Offset; readonly end: Offset }>>;
  open(topic: string, from: StartPosition): Promise<SourceReader>;
  /** A writer of a sink's rows that makes them and its position durable together. The topic must be there. */
  openSink(topic: string, sink: SinkIdentity): Promise<SinkWriter>;
  close(): Promise<void>;
}

/**
 * What the destination of a sink ends up with:
 * - 'exactly once': every row once, whatever crashes: rows and position change in one transaction of the destination;
 * - 'idempotent by key': a row may be written again, over itself, because it carries its key;
 * - 'at least once': a row may come again after a crash;
 * - 'none': rows are only counted.
 */
export type Guarantee = 'exactly once' | 'idempotent by key' | 'at least once' | 'none';

/** Which sink writes: a destination keeps positions and refuses older writers by it. */
export interface SinkIdentity {
  /** The sink's id within its data directory. */
  readonly id: number;
  /** Unique and the same after every restart: the data directory's identity and the sink's id. */
  readonly name: string;
}

/** Consecutive rows of a sink. */
export interface SinkChunk {
  /** Grows from chunk to chunk of a sink, also over restarts; not without gaps. */
  readonly sequence: number;
  readonly records: readonly ProduceRecord[];
}

/** Delivers a sink's rows to the outside. */
export interface SinkConnector {
  readonly type: string;
  /** @throws StreamError SQL_INVALID_OPTION naming the option. Does no I/O. */
  validate(
    options: ReadonlyMap<string, string>,
    schema: Schema,
    key: readonly number[],
    appendOnly: boolean,
  ): void;
  guarantee(options: ReadonlyMap<string, string>, key: readonly number[]): Guarantee;
  /** How rows become records; undefined = as the formats in the options say. */
  readonly encode?:
    | ((schema: Schema, key: readonly number[]) => (change: SinkRow) => ProduceRecord)
    | undefined;
  /** What the options name as the place of the rows: a topic, a table. */
  target(options: ReadonlyMap<string, string>): string | undefined;
  /**
   * Takes the destination over: an older writer of the same sink can write no more. Settles when the destination answers.
   * @throws StreamError SINK_REFUSED when the destination can never take the rows, others when it may later.
   */
  open(
    options: ReadonlyMap<string, string>,
    schema: Schema,
    key: readonly number[],
    sink: SinkIdentity,
  ): Promise<SinkWriter>;
}

/** One changed row: `delete` names a row that is gone, else it is there as given. */
export interface SinkRow {
  readonly op: 'insert' | 'update' | 'delete';
  readonly row: Row;
}

export interface SinkWriter {
  /**
   * The sequence of the last chunk that the destination holds, as it said when the writer was opened; undefined when it keeps no
   * position.
   */
  readonly position: number | undefined;
  /** deliver() takes the chunks out of the outbox itself, in the transaction that writes the rows. */
  readonly clearsOutbox?: boolean | undefined;
  /** deliver() waits for the engine's commits, so that it cannot end while the engine waits for it. */
  readonly waitsForEngine?: boolean | undefined;
  /**
   * Delivers chunks of the outbox; settles when the destination has them for good. Called in order, one at a time. The same chunks come
   * again after a failure; a writer with a position writes those no second time.
   * @throws StreamError SINK_FENCED when another process has taken the sink over, SINK_REFUSED for rows that the destination
   * refuses; anything else may pass.
   */
  deliver(chunks: readonly SinkChunk[]): Promise<Delivered>;
  /** Also while a delivery is under way, which then fails. */
  close(): Promise<void>;
}

/** Rows left out of a delivery because the destination refuses them and the sink's options say to go on without such. */
export interface Delivered {
  readonly skipped: number;
  /** Why the last one was. */
  readonly reason: StreamError | undefined;
}

export const allDelivered: Delivered = { skipped: 0, reason: undefined };

/**
 * Durable storage that the embedded log stands on; the engine's store implements it. One segment is a batch of
 * records of one partition: their keys and values back to back, with an index.
 */
export interface LogStorage {
  topics(): Promise<
    readonly {
      readonly name: string;
      readonly partitions: number;
      readonly options: ReadonlyMap<string, string>;
      readonly ends: readonly Offset[];
      readonly starts: readonly Offset[];
    }[]
  >;
  createTopic(
    name: string,
    partitions: number,
    options: ReadonlyMap<string, string>,
  ): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  /**
   * Settles when all segments are durable, in one transaction.
   * @param delivered  chunks of sinks whose rows these are: they leave the outbox in the same transaction.
   */
  append(segments: readonly LogSegment[], delivered?: readonly DeliveredChunks[]): Promise<void>;
  /** The segments that hold offsets >= `from`, in order, at most `segmentsMax` of them. */
  read(
    topic: string,
    partition: number,
    from: Offset,
    segmentsMax: number,
  ): Promise<readonly LogSegment[]>;
  /** Puts a segment in the place of all those whose records it holds; readers see the old ones or the new one. */
  replace(segment: LogSegment): Promise<void>;
  /** Drops whole segments that end before `offset`. */
  trim(topic: string, partition: number, offset: Offset): Promise<void>;
}

/** Chunks of a sink up to and with a sequence. */
export interface DeliveredChunks {
  readonly sinkId: number;
  readonly upTo: number;
}

export interface LogSegment {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: Offset;
  readonly count: number;
  readonly firstTimestampMs: number;
  readonly lastTimestampMs: number;
  /** Encoded by the embedded log (index, then bytes); opaque to the store. */
  readonly data: Buffer;
}
