/** One partition of one reader: where it stands, what was fetched and not yet polled, what is wrong. */
import type { StreamError } from '../../sql/base/error.ts';
import type { Offset, RecordBatch } from '../connector.ts';
import { lastOffset, rowsWithin, sliceBatch, spanBytes } from '../record-batch.ts';
import { Backoff } from './backoff.ts';
import type { FetchCursor, FetchLane } from './fetch-lane.ts';
import type { FetchedPartition } from './fetch-request.ts';
import { errorOfCode, kafkaCode } from './kafka-error.ts';
import { decodeSection } from './record-decoder.ts';

/** Fetched bytes that wait to be polled, per partition. */
const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;
const PAUSE_FIRST_MS = 20;
const PAUSE_MAX_MS = 1000;

export interface CursorOwner {
  readonly checkCrcs: boolean;
  /** False while the reader as a whole has fetched enough. */
  hasRoom(): boolean;
  buffered(bytes: number): void;
  readable(): void;
  /** The leader does not know the partition, or is no leader any more. */
  misplaced(): void;
  /** The cursor's offset is outside of what the partition holds: find a valid one. */
  outOfRange(cursor: PartitionCursor): void;
}

interface Fetched {
  batch: RecordBatch;
  readonly bytes: number;
}

export class PartitionCursor implements FetchCursor {
  readonly topicId: string;
  readonly topic: string;
  readonly partition: number;
  readonly #owner: CursorOwner;
  readonly #backoff = new Backoff(PAUSE_FIRST_MS, PAUSE_MAX_MS);
  #queue: Fetched[] = [];
  #bufferedBytes = 0;
  #fetchOffset: Offset;
  #afterLastRecord: Offset;
  #pause: NodeJS.Timeout | undefined;
  #seeking = false;
  fault: StreamError | undefined;
  /** The leader, and the lane that fetches from it. */
  node = -1;
  lane: FetchLane | undefined;

  constructor(
    owner: CursorOwner,
    topic: { readonly name: string; readonly id: string },
    partition: number,
    from: Offset,
  ) {
    this.#owner = owner;
    this.topic = topic.name;
    this.topicId = topic.id;
    this.partition = partition;
    this.#fetchOffset = from;
    this.#afterLastRecord = from;
  }

  get fetchOffset(): Offset {
    return this.#fetchOffset;
  }

  /** The offset after the last record that was fetched, markers not counted; where it began before the first. */
  get afterLastRecord(): Offset {
    return this.#afterLastRecord;
  }

  wantsMore(): boolean {
    if (this.#pause !== undefined || this.#seeking) return false;
    // An empty partition may always fetch: others that are full because nobody polls them must not starve it.
    if (this.#bufferedBytes === 0) return true;
    return this.#bufferedBytes < BUFFERED_BYTES_MAX && this.#owner.hasRoom();
  }

  accept(bytes: Buffer, fetched: FetchedPartition, offset: Offset): boolean {
    if (offset !== this.#fetchOffset) return false;
    if (fetched.errorCode !== 0) {
      this.#refused(fetched.errorCode);
      return false;
    }
    this.fault = undefined;
    this.#backoff.reset();
    if (fetched.start === fetched.end) return false;
    const section = decodeSection({ ...fetched, bytes }, offset, this.#owner.checkCrcs);
    this.#fetchOffset = section.nextOffset;
    if (section.records !== undefined) this.#store(section.records);
    return section.nextOffset > offset;
  }

  fail(error: StreamError): void {
    this.fault = error;
    if (this.#pause !== undefined) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.lane?.wake();
    }, this.#backoff.next());
  }

  /** Goes on from `offset`; what was fetched stays valid, because it lies before. */
  seek(offset: Offset): void {
    this.#fetchOffset = offset;
    this.#seeking = false;
    this.lane?.wake();
  }

  /** Appends records to `out`, about `bytesMax` bytes of them; returns their bytes. */
  take(bytesMax: number, out: RecordBatch[]): number {
    let bytes = 0;
    for (let head = this.#queue[0]; head !== undefined && bytes < bytesMax; head = this.#queue[0]) {
      const { batch } = head;
      const to = rowsWithin(batch, 0, bytesMax - bytes);
      const given = sliceBatch(batch, 0, to);
      out.push(given);
      bytes += spanBytes(given);
      if (to < batch.length) {
        head.batch = sliceBatch(batch, to, batch.length);
        break;
      }
      this.#queue.shift();
      this.#bufferedBytes -= head.bytes;
      this.#owner.buffered(-head.bytes);
    }
    return bytes;
  }

  close(): void {
    clearTimeout(this.#pause);
    this.lane?.remove(this);
    this.lane = undefined;
    this.#queue = [];
  }

  #store(batch: RecordBatch): void {
    const bytes = spanBytes(batch) + batch.length * 40;
    this.#queue.push({ batch, bytes });
    this.#bufferedBytes += bytes;
    this.#afterLastRecord = lastOffset(batch) + 1;
    this.#owner.buffered(bytes);
    this.#owner.readable();
  }

  #refused(code: number): void {
    if (code === kafkaCode.offsetOutOfRange) {
      this.#seeking = true;
      this.#owner.outOfRange(this);
      return;
    }
    this.fail(errorOfCode(code, `topic "${this.topic}" partition ${this.partition}`));
    this.#owner.misplaced();
  }
}
