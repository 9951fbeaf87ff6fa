/**
 * Which segments of a partition are old or too many. Only topics with a limit pay for it: segments that
 * were there before the start are read from the store when their turn comes, 16 at a time.
 */
import type { LogSegment, Offset } from '../connector.ts';

interface SegmentFacts {
  readonly end: Offset;
  readonly bytes: number;
  readonly lastTimestampMs: number;
}

export type ReadSegments = (from: Offset, segmentsMax: number) => Promise<readonly LogSegment[]>;

const SEGMENTS_PER_READ = 16;

export class RetentionIndex {
  readonly #known: SegmentFacts[] = [];
  readonly #appended: SegmentFacts[] = [];
  /** Segments in [#loadedTo, #appendedFrom) are in the store but not known here yet. */
  #loadedTo: Offset;
  readonly #appendedFrom: Offset;

  constructor(start: Offset, end: Offset) {
    this.#loadedTo = start;
    this.#appendedFrom = end;
  }

  add(segment: LogSegment): void {
    this.#appended.push(facts(segment));
  }

  /** A segment took the place of those that it covers. */
  replaced(segment: LogSegment): void {
    const { baseOffset, count } = segment;
    const first = this.#appended.findIndex((one) => one.end > baseOffset);
    if (first < 0) return;
    let last = first;
    while ((this.#appended[last]?.end ?? Number.POSITIVE_INFINITY) <= baseOffset + count) last++;
    this.#appended.splice(first, last - first, facts(segment));
  }

  /** The offset up to which whole segments may go; undefined = nothing to drop. */
  async expired(
    cutoffMs: number,
    bytesMax: number,
    read: ReadSegments,
  ): Promise<Offset | undefined> {
    while (this.#loadedTo < this.#appendedFrom) {
      const last = this.#known.at(-1);
      if (bytesMax === Number.POSITIVE_INFINITY && last !== undefined) {
        if (last.lastTimestampMs >= cutoffMs) break;
      }
      const segments = await read(this.#loadedTo, SEGMENTS_PER_READ);
      for (const segment of segments) {
        if (segment.baseOffset < this.#appendedFrom) this.#known.push(facts(segment));
      }
      const end = this.#known.at(-1)?.end ?? this.#appendedFrom;
      this.#loadedTo = end > this.#loadedTo ? end : this.#appendedFrom;
    }
    return this.#drop(cutoffMs, bytesMax);
  }

  #drop(cutoffMs: number, bytesMax: number): Offset | undefined {
    let bytes = 0;
    for (const segment of this.#known) bytes += segment.bytes;
    for (const segment of this.#appended) bytes += segment.bytes;
    let dropped: Offset | undefined;
    for (const list of [this.#known, this.#appended]) {
      let count = 0;
      for (const segment of list) {
        if (segment.lastTimestampMs >= cutoffMs && bytes <= bytesMax) break;
        bytes -= segment.bytes;
        dropped = segment.end;
        count++;
      }
      list.splice(0, count);
      if (list.length > 0) break;
    }
    return dropped;
  }
}

function facts(segment: LogSegment): SegmentFacts {
  return {
    end: segment.baseOffset + segment.count,
    bytes: segment.data.length,
    lastTimestampMs: segment.lastTimestampMs,
  };
}
