/** Which rows of a stream are late: by its watermark when they are first read, by what was decided then whenever they are read again. */
import type { Offset, RecordBatch } from '../../connectors/connector.ts';
import type { Batch } from '../delta/batch.ts';
import type { LateFilter } from './scan-cursor.ts';
import type { WatermarkRule, WatermarkTracker } from './watermark.ts';

/** Offsets of late records of one stream that are remembered; the oldest decisions are forgotten first. */
const KNOWN_MAX = 1_000_000;

/** Takes a late record and the watermark that it missed. */
export type ReportLate = (records: RecordBatch, record: number, watermark: bigint) => void;

/** Records that were late when they were first read. */
export class KnownLate {
  readonly #keys = new Set<string>();

  add(partition: number, offset: Offset): void {
    this.#keys.add(`${partition} ${offset}`);
    if (this.#keys.size <= KNOWN_MAX) return;
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest);
      return;
    }
  }

  has(partition: number, offset: Offset): boolean {
    return this.#keys.has(`${partition} ${offset}`);
  }

  get size(): number {
    return this.#keys.size;
  }
}

/** For a cursor that reads again what was read before. */
export class DecidedLateness implements LateFilter {
  readonly columns: readonly number[] = [];
  readonly #known: KnownLate;

  constructor(known: KnownLate) {
    this.#known = known;
  }

  lateRows(records: RecordBatch, batch: Batch, recordOf: (row: number) => number): number[] {
    const late: number[] = [];
    if (this.#known.size === 0) return late;
    for (let row = 0; row < batch.length; row++) {
      const offset = records.offsets[recordOf(row)] as number;
      if (this.#known.has(records.partition, offset)) late.push(row);
    }
    return late;
  }
}

export interface Clock {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Microseconds since 1970. */
  wallMicros(): bigint;
}

/** For the common cursor of a stream: moves the watermark, and decides. */
export class DecidingLateness implements LateFilter {
  readonly columns: readonly number[];
  readonly #rule: WatermarkRule;
  readonly #tracker: WatermarkTracker;
  readonly #known: KnownLate;
  readonly #decided: DecidedLateness;
  /** Records below these offsets were read before. */
  readonly #decidedBelow: ReadonlyMap<number, Offset>;
  readonly #report: ReportLate;
  readonly #clock: Clock;

  constructor(
    rule: WatermarkRule,
    tracker: WatermarkTracker,
    known: KnownLate,
    decidedBelow: ReadonlyMap<number, Offset>,
    report: ReportLate,
    clock: Clock,
  ) {
    this.columns = rule.columns;
    this.#rule = rule;
    this.#tracker = tracker;
    this.#known = known;
    this.#decided = new DecidedLateness(known);
    this.#decidedBelow = decidedBelow;
    this.#report = report;
    this.#clock = clock;
  }

  lateRows(
    records: RecordBatch,
    batch: Batch,
    recordOf: (row: number) => number,
    isFirst: boolean,
  ): readonly number[] {
    const { partition, offsets } = records;
    const below = isFirst ? 0 : (this.#decidedBelow.get(partition) ?? 0);
    const offsetOf = (row: number): number => offsets[recordOf(row)] as number;
    if (offsetOf(batch.length - 1) < below) return this.#decided.lateRows(records, batch, recordOf);
    const late = offsetOf(0) < below ? this.#decided.lateRows(records, batch, recordOf) : [];
    const found = new Set(late);
    const { now, wallMicros } = this.#clock;
    const times = this.#rule.read(batch);
    this.#tracker.observe(partition, times, now(), wallMicros(), (row, watermark) => {
      const offset = offsetOf(row);
      if (offset < below) return;
      this.#known.add(partition, offset);
      found.add(row);
      this.#report(records, recordOf(row), watermark);
    });
    return [...found].sort((a, b) => a - b);
  }
}
