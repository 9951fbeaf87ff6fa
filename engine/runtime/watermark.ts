/**
 * Watermarks of one reading of a stream. Akidau et al., "The Dataflow Model", PVLDB 8(12), 2015: a watermark W promises that
 * no row with an event time below W comes any more. Each partition has its own, which follows its rows; the stream's is the
 * least of them, and a row below it, or below its own partition's, is late. All times are microseconds since 1970.
 */
import type { Batch } from '../delta/batch.ts';

/** What a stream declares by WATERMARK FOR, compiled. */
export interface WatermarkRule {
  /** Columns of the stream that `read` needs, ascending. */
  readonly columns: readonly number[];
  /**
   * Event times and the watermarks that rows ask for, over a batch of `columns`.
   * Rows without a time, or whose expression fails, have NULL and move nothing.
   */
  read(batch: Batch): WatermarkTimes;
  /** A partition without records for so long holds nobody back; 0 = it always does. */
  readonly idleTimeoutMs: number;
}

export interface WatermarkTimes {
  readonly times: BigInt64Array;
  readonly marks: BigInt64Array;
  /** 1 = the row has no time or asks for no watermark. */
  readonly nulls: Uint8Array | null;
}

/** Event times further in the future than this do not move the watermark: one wrong clock must not make all other rows late. */
export const FUTURE_MICROS_MAX = 24n * 3_600_000_000n;

interface PartitionMark {
  mark: bigint | undefined;
  /** When its last record came, in milliseconds of the engine's clock. */
  seenMs: number;
}

export interface Marks {
  /** Of the whole stream, as last published; undefined before the first. */
  readonly stream: bigint | undefined;
  readonly partitions: ReadonlyMap<number, bigint>;
}

export class WatermarkTracker {
  readonly #partitions = new Map<number, PartitionMark>();
  readonly #idleTimeoutMs: number;
  #published: bigint | undefined;
  /** Rows whose time lay beyond FUTURE_MICROS_MAX. */
  clamped = 0;

  constructor(idleTimeoutMs: number) {
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  get published(): bigint | undefined {
    return this.#published;
  }

  /** Takes over what a commit held. */
  restore(marks: Marks, nowMs: number): void {
    this.#published = marks.stream;
    for (const [partition, mark] of marks.partitions) {
      this.#partitions.set(partition, { mark, seenMs: nowMs });
    }
  }

  /** Partitions that exist hold the stream's watermark back until they have records or are idle. */
  expect(partitions: Iterable<number>, nowMs: number): void {
    for (const partition of partitions) {
      if (!this.#partitions.has(partition)) {
        this.#partitions.set(partition, { mark: undefined, seenMs: nowMs });
      }
    }
  }

  /** Nothing was read up to now, so that no partition was silent: else records that wait would come late. */
  excuse(nowMs: number): void {
    for (const state of this.#partitions.values()) state.seenMs = nowMs;
  }

  /**
   * Rows of one partition, in their order: moves its watermark.
   * @param wallMicros  the present time, for clocks that run ahead.
   * @param late        gets the rows that are late, and the watermark that each missed.
   */
  observe(
    partition: number,
    { times, marks, nulls }: WatermarkTimes,
    nowMs: number,
    wallMicros: bigint,
    late: (row: number, watermark: bigint) => void,
  ): void {
    const state = this.#stateOf(partition, nowMs);
    state.seenMs = nowMs;
    const futureMicros = wallMicros + FUTURE_MICROS_MAX;
    let bound = larger(state.mark, this.#published);
    let mark = state.mark;
    for (let row = 0; row < times.length; row++) {
      if (nulls !== null && nulls[row] === 1) continue;
      const time = times[row] as bigint;
      if (bound !== undefined && time < bound) {
        late(row, bound);
        continue;
      }
      if (time > futureMicros) {
        this.clamped++;
        continue;
      }
      const next = marks[row] as bigint;
      if (mark !== undefined && next <= mark) continue;
      mark = next;
      bound = larger(mark, this.#published);
    }
    state.mark = mark;
  }

  /**
   * The stream's watermark now: the least of its partitions that are not idle. When all are idle it goes on by the clock from
   * the greatest, so that windows close.
   * @returns the watermark when it has moved since the last call, else undefined.
   */
  publish(nowMs: number): bigint | undefined {
    const next = this.#current(nowMs);
    if (next === undefined || (this.#published !== undefined && next <= this.#published)) {
      return undefined;
    }
    this.#published = next;
    return next;
  }

  /** Whether `publish` would move the watermark. */
  isDue(nowMs: number): boolean {
    const next = this.#current(nowMs);
    return next !== undefined && (this.#published === undefined || next > this.#published);
  }

  marks(): Marks {
    const partitions = new Map<number, bigint>();
    for (const [partition, { mark }] of this.#partitions) {
      if (mark !== undefined) partitions.set(partition, mark);
    }
    return { stream: this.#published, partitions };
  }

  /** One line a partition, for people. */
  describe(nowMs: number): readonly {
    readonly partition: number;
    readonly mark: bigint | undefined;
    readonly idleMs: number;
    readonly isIdle: boolean;
  }[] {
    return [...this.#partitions]
      .sort(([a], [b]) => a - b)
      .map(([partition, state]) => ({
        partition,
        mark: state.mark,
        idleMs: Math.max(nowMs - state.seenMs, 0),
        isIdle: this.#isIdle(state, nowMs),
      }));
  }

  #isIdle(state: PartitionMark, nowMs: number): boolean {
    return this.#idleTimeoutMs > 0 && nowMs - state.seenMs >= this.#idleTimeoutMs;
  }

  #current(nowMs: number): bigint | undefined {
    let least: bigint | undefined;
    let greatest: bigint | undefined;
    let seenMs = Number.NEGATIVE_INFINITY;
    let active = 0;
    for (const state of this.#partitions.values()) {
      seenMs = Math.max(seenMs, state.seenMs);
      greatest = larger(greatest, state.mark);
      if (this.#isIdle(state, nowMs)) continue;
      active++;
      if (state.mark === undefined) return undefined;
      if (least === undefined || state.mark < least) least = state.mark;
    }
    if (active > 0 || greatest === undefined) return least;
    return greatest + BigInt(Math.floor(nowMs - seenMs)) * 1000n;
  }

  #stateOf(partition: number, nowMs: number): PartitionMark {
    let state = this.#partitions.get(partition);
    if (state === undefined) {
      state = { mark: undefined, seenMs: nowMs };
      this.#partitions.set(partition, state);
    }
    return state;
  }
}

function larger(left: bigint | undefined, right: bigint | undefined): bigint | undefined {
  if (left === undefined) return right;
  return right === undefined || right <= left ? left : right;
}
