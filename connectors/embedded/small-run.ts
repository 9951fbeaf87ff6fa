/**
 * The newest small segments of a partition. Writers that append a few records at a time would otherwise leave millions of
 * segments, and reading them back would cost a row of the store each: a run that is long enough becomes one segment.
 */
import type { LogSegment } from '../connector.ts';
import { storedRecord } from '../record-batch.ts';
import { decodeSegment, encodeSegment, type TimedRecord } from './segment.ts';

/** Larger segments are left alone. */
const SMALL_BYTES = 128 * 1024;
/** A run is joined at this many bytes or segments, whatever comes first. */
const RUN_BYTES = 512 * 1024;
const RUN_SEGMENTS = 256;
/** A shorter run that a large segment ends is not worth it. */
const RUN_SEGMENTS_MIN = 16;

export class SmallRun {
  #segments: LogSegment[] = [];
  #bytes = 0;

  /** Takes note of a segment that was appended; gives a run to join when one is complete. */
  add(segment: LogSegment): readonly LogSegment[] | undefined {
    const bytes = segment.data.length;
    if (bytes < SMALL_BYTES) {
      this.#segments.push(segment);
      this.#bytes += bytes;
      const isFull = this.#bytes >= RUN_BYTES || this.#segments.length >= RUN_SEGMENTS;
      return isFull ? this.#take() : undefined;
    }
    const run = this.#take();
    return run.length >= RUN_SEGMENTS_MIN ? run : undefined;
  }

  #take(): readonly LogSegment[] {
    const run = this.#segments;
    this.#segments = [];
    this.#bytes = 0;
    return run;
  }
}

/** One segment with the records of consecutive ones; `run` must not be empty. */
export function joinSegments(run: readonly LogSegment[]): LogSegment {
  const first = run[0] as LogSegment;
  const records: TimedRecord[] = [];
  for (const segment of run) {
    const batch = decodeSegment(segment);
    for (let r = 0; r < batch.length; r++) {
      const { key, value, headers, timestampMs } = storedRecord(batch, r);
      records.push({ record: { key, value, headers }, timestampMs });
    }
  }
  return encodeSegment(first.topic, first.partition, first.baseOffset, records);
}
