/** Reads one topic of the embedded log: at the head from memory, behind it segment by segment. */
import { StreamError } from '../../sql/base/error.ts';
import type { LogStorage, Offset, RecordBatch, SourceReader, StartPosition } from '../connector.ts';
import {
  batchBytes,
  firstRowAt,
  lastOffset,
  rowsWithin,
  sliceBatch,
  spanBytes,
} from '../record-batch.ts';
import { mergeSmall } from './merge.ts';
import { decodeSegment } from './segment.ts';
import type { Partition, Topic } from './topic.ts';

/** Bytes read ahead from the store, per partition that is behind. */
const PREFETCH_BYTES = 8 * 1024 * 1024;
const SEGMENTS_PER_READ_MAX = 1024;
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 5000;

interface Cursor {
  readonly partition: Partition;
  /** The next offset to give. */
  next: Offset;
  /** The offset after the last record that was given; where it began before the first. */
  afterLast: Offset;
  /** Read from the store and not given yet, in order. */
  fetched: RecordBatch[];
  fetchedBytes: number;
  loading: boolean;
  segmentsPerRead: number;
  retryMs: number;
}

export class EmbeddedReader implements SourceReader {
  readonly #topic: Topic;
  readonly #storage: LogStorage;
  readonly #onClose: () => void;
  readonly #cursors: readonly Cursor[];
  readonly #changed: () => void;
  #listener: (() => void) | undefined;
  #fault: StreamError | undefined;
  #gone: StreamError | undefined;
  /** Which partition is served first, so that a busy one does not starve the others. */
  #turn = 0;
  #closed = false;

  constructor(topic: Topic, from: StartPosition, storage: LogStorage, onClose: () => void) {
    this.#topic = topic;
    this.#storage = storage;
    this.#onClose = onClose;
    const edge = from.otherwise === 'earliest' ? 'start' : 'end';
    this.#cursors = topic.partitions.map((partition) => ({
      partition,
      next: from.offsets.get(partition.index) ?? partition[edge],
      afterLast: from.offsets.get(partition.index) ?? partition[edge],
      fetched: [],
      fetchedBytes: 0,
      loading: false,
      segmentsPerRead: 8,
      retryMs: RETRY_FIRST_MS,
    }));
    this.#changed = () => this.#listener?.();
    topic.listeners.add(this.#changed);
  }

  partitions(): number {
    return this.#cursors.length;
  }

  poll(bytesMax: number, except?: ReadonlySet<number> | undefined): RecordBatch[] {
    if (this.#closed || this.#topic.deleted) return [];
    const out: RecordBatch[] = [];
    let bytes = 0;
    const count = this.#cursors.length;
    for (let i = 0; i < count && bytes < bytesMax; i++) {
      const cursor = this.#cursors[(this.#turn + i) % count] as Cursor;
      if (except?.has(cursor.partition.index) === true) continue;
      const share = Math.max((bytesMax - bytes) / (count - i), 1);
      const taken = this.#take(cursor, share);
      for (const batch of taken) bytes += batch.bytes.length;
      out.push(...mergeSmall(taken));
    }
    this.#turn = count === 0 ? 0 : (this.#turn + 1) % count;
    return out;
  }

  onReadable(listener: () => void): void {
    this.#listener = listener;
  }

  async endOffsets(): Promise<ReadonlyMap<number, Offset>> {
    return new Map(this.#cursors.map((cursor) => [cursor.partition.index, endOfRecords(cursor)]));
  }

  fault(): StreamError | undefined {
    if (this.#topic.deleted) {
      return new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${this.#topic.name}" does not exist`);
    }
    return this.#fault ?? this.#gone;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#topic.listeners.delete(this.#changed);
    this.#listener = undefined;
    for (const cursor of this.#cursors) cursor.fetched = [];
    this.#onClose();
  }

  #take(cursor: Cursor, bytesMax: number): RecordBatch[] {
    const { partition } = cursor;
    this.#skipTrimmed(cursor);
    const taken: RecordBatch[] = [];
    let bytes = 0;
    for (let batch = cursor.fetched[0]; batch !== undefined; batch = cursor.fetched[0]) {
      if (bytes >= bytesMax) break;
      bytes += give(cursor, batch, bytesMax - bytes, taken);
      if (cursor.next <= lastOffset(batch)) break;
      cursor.fetched.shift();
      cursor.fetchedBytes -= batchBytes(batch);
    }
    if (cursor.fetched.length === 0) {
      const { tail } = partition;
      let at = tail.find(cursor.next);
      while (at >= 0 && at < tail.batches.length && bytes < bytesMax) {
        bytes += give(cursor, tail.batches[at++] as RecordBatch, bytesMax - bytes, taken);
      }
    }
    this.#prefetch(cursor);
    return taken;
  }

  /** Retention may drop what was not read yet: reading goes on with what is left, and says so. */
  #skipTrimmed(cursor: Cursor): void {
    const { start, index } = cursor.partition;
    if (cursor.next >= start) return;
    this.#gone = new StreamError(
      'SOURCE_RECORDS_GONE',
      `topic "${this.#topic.name}" partition ${index}: offsets ${cursor.next} to ${start - 1} were dropped by retention before they were read`,
    );
    cursor.next = start;
  }

  #prefetch(cursor: Cursor): void {
    const { partition } = cursor;
    const last = cursor.fetched.at(-1);
    const from = last === undefined ? cursor.next : lastOffset(last) + 1;
    const behind = from < partition.end && partition.tail.find(from) < 0;
    if (!behind || cursor.loading || cursor.fetchedBytes >= PREFETCH_BYTES) return;
    cursor.loading = true;
    void this.#load(cursor, from);
  }

  async #load(cursor: Cursor, from: Offset): Promise<void> {
    const { partition, segmentsPerRead } = cursor;
    try {
      const segments = await this.#storage.read(
        this.#topic.name,
        partition.index,
        from,
        segmentsPerRead,
      );
      let bytes = 0;
      for (const segment of segments) {
        const batch = decodeSegment(segment);
        cursor.fetched.push(batch);
        bytes += batchBytes(batch);
      }
      cursor.fetchedBytes += bytes;
      if (segments.length > 0) {
        const fitting = Math.floor((PREFETCH_BYTES * segments.length) / Math.max(bytes, 1));
        cursor.segmentsPerRead = Math.min(Math.max(fitting, 1), SEGMENTS_PER_READ_MAX);
      }
      cursor.retryMs = RETRY_FIRST_MS;
      this.#fault = undefined;
      // Before the listener polls: records that came during this load must start the next one.
      cursor.loading = false;
      this.#changed();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fault = new StreamError(
        'STORE_FAILED',
        `topic "${this.#topic.name}" partition ${partition.index} cannot be read: ${reason}`,
        { cause: error },
      );
      cursor.loading = false;
      setTimeout(this.#changed, cursor.retryMs).unref();
      cursor.retryMs = Math.min(cursor.retryMs * 2, RETRY_MAX_MS);
    }
  }
}

/** Gives the records from the cursor on, as many as the bytes allow but at least one; returns their bytes. */
function give(cursor: Cursor, batch: RecordBatch, bytesMax: number, taken: RecordBatch[]): number {
  const from = firstRowAt(batch, cursor.next);
  if (from === batch.length) return 0;
  const given = sliceBatch(batch, from, rowsWithin(batch, from, bytesMax));
  taken.push(given);
  cursor.next = lastOffset(given) + 1;
  cursor.afterLast = cursor.next;
  return spanBytes(given);
}

/** When retention dropped all that was left, nothing will come to move a position up to the end. */
function endOfRecords({ partition, next, afterLast }: Cursor): Offset {
  return Math.max(next, partition.start) >= partition.end ? afterLast : partition.end;
}
