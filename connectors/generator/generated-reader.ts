/** A SourceReader over records that are computed from their offset; optionally paced by the clock. */
import type { StreamError } from '../../sql/base/error.ts';
import type { Offset, RecordBatch, SourceReader } from '../connector.ts';
import { ByteWriter } from './byte-writer.ts';

/** Writes record number `offset`; the same number always gives the same bytes. */
export interface RecordWriter {
  /** No record is longer. */
  readonly recordBytesMax: number;
  /** Returns the record's timestamp in milliseconds since 1970-01-01 UTC. */
  write(offset: Offset, out: ByteWriter): number;
}

export interface Pace {
  /** Records a second; 0 = as fast as they are polled. */
  readonly recordsPerSecond: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** Largest batch; a poll may give several. */
const BATCH_BYTES_MAX = 2 * 1024 * 1024;
/** How often a paced reader announces records. */
const TICK_MS = 10;
const PARTITION = 0;

/**
 * Records [from, to) as one batch, fewer when `bytesMax` is reached first (never less than one).
 */
export function writeBatch(
  writer: RecordWriter,
  from: Offset,
  to: Offset,
  bytesMax: number,
): RecordBatch {
  const room = Math.min(Math.max(Math.floor(bytesMax), 1), (to - from) * writer.recordBytesMax);
  const out = new ByteWriter(room + writer.recordBytesMax);
  const starts: number[] = [];
  const timestamps: number[] = [];
  let next = from;
  while (next < to && (next === from || out.at < bytesMax)) {
    starts.push(out.at);
    timestamps.push(writer.write(next, out));
    next++;
  }
  const length = starts.length;
  const valueStarts = Int32Array.from(starts);
  const valueLengths = new Int32Array(length);
  const offsets = new Float64Array(length);
  for (let r = 0; r < length; r++) {
    valueLengths[r] = (starts[r + 1] ?? out.at) - (starts[r] as number);
    offsets[r] = from + r;
  }
  return {
    partition: PARTITION,
    length,
    bytes: out.bytes.subarray(0, out.at),
    valueStarts,
    valueLengths,
    keyStarts: undefined,
    keyLengths: undefined,
    offsets,
    timestampsMs: Float64Array.from(timestamps),
    headers: undefined,
  };
}

export class GeneratedReader implements SourceReader {
  readonly #writer: RecordWriter;
  readonly #end: Offset;
  readonly #pace: Pace;
  readonly #from: Offset;
  readonly #startedMs: number;
  #next: Offset;
  #listener: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #announced: NodeJS.Immediate | undefined;
  #closed = false;

  /** @param end  number of records in all; Infinity for an endless stream. */
  constructor(writer: RecordWriter, from: Offset, end: Offset, pace: Pace) {
    this.#writer = writer;
    this.#end = end;
    this.#pace = pace;
    this.#from = from;
    this.#next = from;
    this.#startedMs = pace.now();
  }

  partitions(): number {
    return 1;
  }

  poll(bytesMax: number, except?: ReadonlySet<number> | undefined): RecordBatch[] {
    if (except?.has(0) === true) return [];
    const due = this.#due();
    const batches: RecordBatch[] = [];
    let bytes = 0;
    while (!this.#closed && this.#next < due && bytes < bytesMax) {
      const room = Math.min(bytesMax - bytes, BATCH_BYTES_MAX);
      const batch = writeBatch(this.#writer, this.#next, due, room);
      this.#next += batch.length;
      bytes += batch.bytes.length;
      batches.push(batch);
    }
    this.#announce();
    return batches;
  }

  onReadable(listener: () => void): void {
    this.#listener = listener;
    this.#announce();
  }

  async endOffsets(): Promise<ReadonlyMap<number, Offset>> {
    return new Map([[PARTITION, this.#end]]);
  }

  fault(): StreamError | undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listener = undefined;
    clearTimeout(this.#timer);
    clearImmediate(this.#announced);
  }

  /** The offset after the last record whose time has come. */
  #due(): Offset {
    const { recordsPerSecond, now } = this.#pace;
    if (recordsPerSecond === 0) return this.#end;
    const elapsedMs = now() - this.#startedMs;
    return Math.min(this.#end, this.#from + Math.floor((elapsedMs * recordsPerSecond) / 1000));
  }

  #announce(): void {
    if (this.#closed || this.#listener === undefined || this.#next >= this.#end) return;
    if (this.#next < this.#due()) {
      this.#announced ??= setImmediate(() => {
        this.#announced = undefined;
        this.#listener?.();
      });
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#next < this.#due()) this.#listener?.();
      else this.#announce();
    }, TICK_MS);
  }
}
