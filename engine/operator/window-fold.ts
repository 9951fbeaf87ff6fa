import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { comparator } from '../../sql/base/value.ts';
import type { Accumulator, AggregateFunction } from '../../sql/function/aggregate-function.ts';
import { loadAll, type Saved, saveAll } from '../state/saved.ts';
import { Segments } from '../state/segments.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import type { ReadCell } from '../state/stored-cell.ts';
import { loadErrors, saveErrors } from './saved-errors.ts';

const SAFE = Number.MAX_SAFE_INTEGER;
const INT64_MAX = 2n ** 63n - 1n;
/** About what an accumulator with a little state takes, and what an entry of a map. */
const ACCUMULATOR_BYTES = 200;

/**
 * An aggregate over the rows of one frame, which follows the frame as that moves from row to row. Rows that the
 * aggregate skips do not arrive here.
 */
export interface Fold {
  /** Which rows of the frame may be taken out again: any; its first ones; its last ones. */
  readonly removes: 'any' | 'first' | 'last';
  add(row: number): void;
  remove(row: number): void;
  clear(): void;
  /** @throws StreamError where the aggregate has no value, as on overflow. */
  result(): Datum | number | null;
}

/**
 * A fold that can rest: what it holds of a partition is put aside by the partition's number and taken up again. What
 * rests is a copy of what the rows say, and may be forgotten at any time.
 */
export interface RestingFold extends Fold, Saved {
  rest(partition: number): void;
  /** Takes up what rests; false when nothing does. */
  wake(partition: number): boolean;
  forget(partition: number): void;
  bytes(): number;
}

/** count, and sum and avg of integers: a double as long as that is exact, and what goes beyond in a BigInt. */
export class IntegerFold implements RestingFold {
  readonly removes = 'any';
  readonly #read: ReadCell | undefined;
  readonly #finish: 'count' | 'bigint' | 'numeric' | 'average';
  #count = 0;
  #sum = 0;
  #beyond = 0n;
  readonly #resting = Segments.uint8();
  readonly #counts = Segments.float64();
  readonly #sums = Segments.float64();
  readonly #beyonds = new Map<number, bigint>();

  /** @param read  the summed column; undefined = rows are only counted. */
  constructor(read: ReadCell | undefined, finish: 'count' | 'bigint' | 'numeric' | 'average') {
    this.#read = read;
    this.#finish = finish;
  }

  add(row: number): void {
    this.#count++;
    if (this.#read === undefined) return;
    const value = this.#read(row);
    if (typeof value === 'number') this.#addSum(value);
    else this.#beyond += value as bigint;
  }

  remove(row: number): void {
    this.#count--;
    if (this.#read === undefined) return;
    const value = this.#read(row);
    if (typeof value === 'number') this.#addSum(-value);
    else this.#beyond -= value as bigint;
  }

  #addSum(value: number): void {
    const sum = this.#sum + value;
    if (sum <= SAFE && sum >= -SAFE) {
      this.#sum = sum;
      return;
    }
    this.#beyond += BigInt(this.#sum) + BigInt(value);
    this.#sum = 0;
  }

  clear(): void {
    this.#count = 0;
    this.#sum = 0;
    this.#beyond = 0n;
  }

  result(): Datum | number | null {
    if (this.#finish === 'count') return this.#count;
    if (this.#count === 0) return null;
    if (this.#finish === 'bigint') {
      if (this.#beyond === 0n) return this.#sum;
      const total = this.#total();
      if (total > INT64_MAX || total < -INT64_MAX - 1n) {
        throw new StreamError('VALUE_OUT_OF_RANGE', 'bigint out of range');
      }
      return total;
    }
    const total = new Numeric(this.#total(), 0);
    return this.#finish === 'numeric' ? total : total.divide(Numeric.fromInt(this.#count));
  }

  #total(): bigint {
    return this.#beyond + BigInt(this.#sum);
  }

  rest(partition: number): void {
    const rows = partition + 1;
    this.#resting.ensure(rows);
    this.#counts.ensure(rows);
    this.#sums.ensure(rows);
    this.#resting.set(partition, 1);
    this.#counts.set(partition, this.#count);
    this.#sums.set(partition, this.#sum);
    if (this.#beyond !== 0n) this.#beyonds.set(partition, this.#beyond);
    else if (this.#beyonds.size > 0) this.#beyonds.delete(partition);
  }

  wake(partition: number): boolean {
    if (partition >= this.#resting.capacity || this.#resting.get(partition) === 0) return false;
    this.#count = this.#counts.get(partition);
    this.#sum = this.#sums.get(partition);
    this.#beyond = this.#beyonds.get(partition) ?? 0n;
    return true;
  }

  forget(partition: number): void {
    if (partition < this.#resting.capacity) this.#resting.set(partition, 0);
    this.#beyonds.delete(partition);
  }

  bytes(): number {
    const arrays = this.#resting.bytes + this.#counts.bytes + this.#sums.bytes;
    return arrays + this.#beyonds.size * ACCUMULATOR_BYTES;
  }

  save(to: StateWriter): void {
    saveAll([this.#resting, this.#counts, this.#sums], to);
    to.data([...this.#beyonds].flat());
  }

  load(from: StateReader): void {
    loadAll([this.#resting, this.#counts, this.#sums], from);
    const beyonds = from.data();
    for (let i = 0; i < beyonds.length; i += 2) {
      this.#beyonds.set(beyonds[i] as number, beyonds[i + 1] as bigint);
    }
  }
}

interface Resting {
  readonly accumulator: Accumulator;
  readonly failing: Map<number, StreamError>;
}

/**
 * Any aggregate, by its function's own accumulator. A row that the accumulator refuses makes every frame fail that it
 * is in.
 */
export class AccumulatorFold implements RestingFold {
  readonly removes: 'any' | 'last';
  readonly #fn: AggregateFunction;
  readonly #args: readonly ReadCell[];
  readonly #resting = new Map<number, Resting>();
  #held: Resting;

  constructor(fn: AggregateFunction, args: readonly ReadCell[]) {
    this.#fn = fn;
    this.#args = args;
    // Of equal values in a list the last one is taken out.
    this.removes = fn.ordered === true ? 'last' : 'any';
    this.#held = this.#empty();
  }

  #empty(): Resting {
    return { accumulator: this.#fn.accumulator(), failing: new Map() };
  }

  add(row: number): void {
    try {
      this.#held.accumulator.add(
        this.#args.map((read) => read(row)),
        1,
      );
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#held.failing.set(row, error);
    }
  }

  remove(row: number): void {
    if (this.#held.failing.delete(row)) return;
    this.#held.accumulator.add(
      this.#args.map((read) => read(row)),
      -1,
    );
  }

  clear(): void {
    this.#held = this.#empty();
  }

  result(): Datum | null {
    for (const error of this.#held.failing.values()) throw error;
    return this.#held.accumulator.result();
  }

  rest(partition: number): void {
    this.#resting.set(partition, this.#held);
    this.#held = this.#empty();
  }

  wake(partition: number): boolean {
    const resting = this.#resting.get(partition);
    if (resting === undefined) return false;
    this.#held = resting;
    return true;
  }

  forget(partition: number): void {
    this.#resting.delete(partition);
  }

  bytes(): number {
    return this.#resting.size * ACCUMULATOR_BYTES;
  }

  save(to: StateWriter): void {
    to.number(this.#resting.size);
    for (const [partition, { accumulator, failing }] of this.#resting) {
      to.number(partition);
      to.data(accumulator.save());
      saveErrors(failing, to);
    }
  }

  load(from: StateReader): void {
    for (let left = from.number(); left > 0; left--) {
      const partition = from.number();
      const resting = this.#empty();
      resting.accumulator.load(from.data());
      loadErrors(resting.failing, from);
      this.#resting.set(partition, resting);
    }
  }
}

/**
 * min and max: the rows that can still become the answer, the answer first (the monotonic queue of sliding window
 * minima, as in Tangwongsan, Hirzel and Schneider, "General Incremental Sliding-Window Aggregation", PVLDB 8(7),
 * 2015): O(1) amortised. Of equal values the last one counts, as in PostgreSQL.
 */
export class ExtremeFold implements Fold {
  readonly removes = 'first';
  readonly #read: ReadCell;
  readonly #isBetter: (left: Datum, right: Datum) => boolean;
  /** Candidates from `#head` on; NO_ROW is the answer over rows that are not at hand. */
  #rows: number[] = [];
  #values: Datum[] = [];
  #head = 0;

  constructor(read: ReadCell, type: SqlType, wantsMax: boolean) {
    const compare = comparator(type);
    this.#read = read;
    this.#isBetter = wantsMax
      ? (left, right) => compare(left, right) > 0
      : (left, right) => compare(left, right) < 0;
  }

  add(row: number): void {
    this.#push(row, this.#read(row) as Datum);
  }

  remove(row: number): void {
    if (this.#rows[this.#head] !== row) return;
    this.#head++;
    if (this.#head * 2 > this.#rows.length) {
      this.#rows = this.#rows.slice(this.#head);
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#rows.length = 0;
    this.#values.length = 0;
    this.#head = 0;
  }

  /** Starts from the answer over all rows before those that will be added. */
  resume(value: Datum | null): void {
    this.clear();
    if (value !== null) this.#push(NO_ROW, value);
  }

  result(): Datum | null {
    return this.#values[this.#head] ?? null;
  }

  #push(row: number, value: Datum): void {
    let length = this.#rows.length;
    while (length > this.#head && !this.#isBetter(this.#values[length - 1] as Datum, value))
      length--;
    this.#rows.length = length;
    this.#values.length = length;
    this.#rows.push(row);
    this.#values.push(value);
  }
}

const NO_ROW = -2;
