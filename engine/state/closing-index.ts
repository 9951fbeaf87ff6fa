/**
 * Rows of state by the time at which they close, so that what a watermark has passed is found without a look at the rest.
 * Entries are never taken out when their row goes by itself: such an entry is recognised when its time has come, by the
 * time that its number stands for then, and by the owner, who knows which numbers are live.
 */
import { assert } from '../../sql/base/assert.ts';
import type { Saved } from './saved.ts';
import type { Int64Segments } from './segments.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';
import { type StoredColumn, StoredInt64s } from './stored-column.ts';

/** More different times than this are rounded up together, so that rows wait for at most a small share of their span. */
const BUCKETS_MAX = 4096;
const COARSER = 16;
const BUCKET_ROWS_FIRST = 8;
/** Doubles are exact up to here. Later times (the year 2255 and infinity) are not kept: their rows stay. */
const TIME_MAX = Number.MAX_SAFE_INTEGER;

interface Bucket {
  /** Microseconds since 1970: no row in it is later. */
  readonly time: number;
  rows: Int32Array<ArrayBuffer>;
  count: number;
}

/** Where the owner keeps the times of its rows. */
export interface TimeCells {
  readonly segments: Int64Segments;
  isNull(row: number): boolean;
}

/** @throws an assertion for a column that holds no timestamps. */
export function timeCells(column: StoredColumn | undefined): TimeCells {
  const values = column?.values;
  assert(column !== undefined && values instanceof StoredInt64s, 'what closes is a timestamp');
  return { segments: values.segments, isNull: (row) => column.isNull(row) };
}

/** Microseconds since 1970, where there is a time. */
export function microsAt({ segments }: TimeCells, row: number): number {
  const words = segments.words[row >>> SEGMENT_SHIFT] as Int32Array;
  const cell = 2 * (row & SEGMENT_MASK);
  return (words[cell + 1] as number) * 4294967296 + ((words[cell] as number) >>> 0);
}

export class ClosingIndex implements Saved {
  readonly #cells: TimeCells;
  /** For rows without a time. */
  readonly #nullTime: number;
  readonly #byTime = new Map<number, Bucket>();
  /** Earliest first. */
  readonly #buckets: Bucket[] = [];
  /** Times are rounded up to multiples of so many microseconds. */
  #grain = 1;
  #last: Bucket | undefined;
  #bytes = 0;

  /** @param endsNulls  rows without a time are due at once; else never. */
  constructor(cells: TimeCells, endsNulls: boolean) {
    this.#cells = cells;
    this.#nullTime = endsNulls ? -TIME_MAX : Number.POSITIVE_INFINITY;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Enters rows whose cells have been written. */
  add(rows: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      const time = this.#timeOf(row);
      if (time < TIME_MAX) this.#bucketOf(time, row);
    }
  }

  /** Whether `take` would find an entry. */
  isDue(limitMicros: bigint): boolean {
    const [first] = this.#buckets;
    return first !== undefined && first.time <= Number(limitMicros);
  }

  /**
   * Takes out entries that are due, the earliest first.
   * @param out   gets the rows that still have a time up to the limit; some may have gone, or stand there twice.
   * @param most  entries to look at, at most the length of `out`.
   * @returns how many entries were looked at, and how many rows are in `out`.
   */
  take(
    limitMicros: bigint,
    out: Int32Array,
    most: number,
  ): { readonly looked: number; readonly count: number } {
    const limit = Number(limitMicros);
    let looked = 0;
    let count = 0;
    for (
      let [first] = this.#buckets;
      first !== undefined && looked < most;
      [first] = this.#buckets
    ) {
      if (first.time > limit) break;
      while (first.count > 0 && looked < most) {
        const row = first.rows[--first.count] as number;
        looked++;
        if (this.#timeOf(row) <= limit) out[count++] = row;
      }
      if (first.count === 0) this.#removeFirst(first);
    }
    return { looked, count };
  }

  save(to: StateWriter): void {
    to.mark('closing');
    to.number(this.#grain);
    to.number(this.#buckets.length);
    for (const { time, rows, count } of this.#buckets) {
      to.int64(BigInt(time));
      to.number(count);
      to.cells(rows.subarray(0, count));
    }
  }

  load(from: StateReader): void {
    from.mark('closing');
    this.#grain = from.number();
    for (let left = from.number(); left > 0; left--) {
      const time = Number(from.int64());
      const count = from.number();
      const rows = from.cells(
        new Int32Array(Math.max(count, BUCKET_ROWS_FIRST)).subarray(0, count),
      );
      const room = new Int32Array(rows.buffer);
      const bucket = { time, rows: room, count };
      this.#byTime.set(time, bucket);
      this.#buckets.push(bucket);
      this.#bytes += room.byteLength;
    }
  }

  #timeOf(row: number): number {
    if (this.#cells.isNull(row)) return this.#nullTime;
    return microsAt(this.#cells, row);
  }

  #bucketOf(time: number, row: number): void {
    const rounded = Math.ceil(time / this.#grain) * this.#grain;
    let bucket = this.#last;
    if (bucket?.time !== rounded) {
      bucket = this.#byTime.get(rounded) ?? this.#insert(rounded);
      this.#last = bucket;
    }
    this.#put(bucket, row);
    if (this.#buckets.length > BUCKETS_MAX) this.#coarsen();
  }

  #put(bucket: Bucket, row: number): void {
    if (bucket.count === bucket.rows.length) {
      const wider = new Int32Array(bucket.rows.length * 2);
      wider.set(bucket.rows);
      this.#bytes += bucket.rows.byteLength;
      bucket.rows = wider;
    }
    bucket.rows[bucket.count++] = row;
  }

  #insert(time: number): Bucket {
    const bucket = { time, rows: new Int32Array(BUCKET_ROWS_FIRST), count: 0 };
    this.#byTime.set(time, bucket);
    this.#bytes += bucket.rows.byteLength;
    const buckets = this.#buckets;
    let low = 0;
    let high = buckets.length;
    // Most times are later than all that are there.
    if (high > 0 && (buckets[high - 1] as Bucket).time < time) low = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((buckets[middle] as Bucket).time < time) low = middle + 1;
      else high = middle;
    }
    buckets.splice(low, 0, bucket);
    return bucket;
  }

  #removeFirst(bucket: Bucket): void {
    this.#buckets.shift();
    this.#byTime.delete(bucket.time);
    this.#bytes -= bucket.rows.byteLength;
    if (this.#last === bucket) this.#last = undefined;
  }

  #coarsen(): void {
    const old = this.#buckets.splice(0);
    this.#byTime.clear();
    this.#last = undefined;
    this.#bytes = 0;
    this.#grain *= COARSER;
    for (const { time, rows, count } of old) {
      const rounded = Math.ceil(time / this.#grain) * this.#grain;
      const bucket = this.#byTime.get(rounded) ?? this.#insert(rounded);
      for (let i = 0; i < count; i++) this.#put(bucket, rows[i] as number);
    }
  }
}
