import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import type { Batch } from '../delta/batch.ts';
import { columnOf } from '../delta/builder.ts';
import { type BatchColumn, WIDE_SCALE } from '../delta/column.ts';
import { loadAll, saveAll } from '../state/saved.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, Segments, wordsOf } from '../state/segments.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import { writeInt64 } from './group-count.ts';
import type { GroupResult, GroupState, ReportGroupError } from './group-state.ts';
import { WideSum } from './wide-sum.ts';

const SAFE = Number.MAX_SAFE_INTEGER;
/** Groups without a row yet may take any scale. */
const NO_SCALE = -1;
/** About what a WideSum and its map entry take. */
const WIDE_SUM_BYTES = 300;
const INT64_MAX = 2n ** 63n - 1n;

/**
 * Exact sums of integers and numerics, and the number of rows in them. A sum is a double while it is an integer
 * (scaled by one power of ten per group) below 2^53; a group that leaves this range, or mixes scales, moves to a
 * WideSum for good. So nothing is ever rounded, and the common case is one addition.
 */
export class GroupSum implements GroupState {
  readonly #column: number;
  readonly #sums = Segments.float64();
  readonly #counts = Segments.float64();
  /** Only for numerics: the scale of a group's rows. */
  readonly #scales = Segments.int16();
  readonly #wide = new Map<number, WideSum>();
  #end = 0;

  constructor(column: number) {
    this.#column = column;
  }

  ensure(groups: number): void {
    this.#sums.ensure(groups);
    this.#counts.ensure(groups);
    this.#scales.ensure(groups);
    for (; this.#end < this.#scales.capacity; this.#end++) this.#scales.set(this.#end, NO_SCALE);
  }

  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void {
    const column = batch.column(this.#column);
    switch (column.physical) {
      case 'i32':
        if (weights === null) this.#addInt32(column.values, groups, batch.length);
        else this.#addWeighted(column, groups, weights, batch.length);
        return;
      case 'i64':
      case 'num':
        this.#addWeighted(column, groups, weights, batch.length);
        return;
      default:
        throw new Error(`assertion failed: no exact sum over ${column.physical}`);
    }
  }

  #addInt32(values: Int32Array, groups: Int32Array, length: number): void {
    const sumArrays = this.#sums.arrays;
    const countArrays = this.#counts.arrays;
    for (let r = 0; r < length; r++) {
      const group = groups[r] as number;
      const sums = sumArrays[group >>> SEGMENT_SHIFT] as Float64Array;
      const counts = countArrays[group >>> SEGMENT_SHIFT] as Float64Array;
      const at = group & SEGMENT_MASK;
      const sum = (sums[at] as number) + (values[r] as number);
      // A wide group holds NaN here, which fails both tests.
      if (sum <= SAFE && sum >= -SAFE) {
        sums[at] = sum;
        counts[at] = (counts[at] as number) + 1;
      } else {
        this.#addWide(group, new Numeric(BigInt(values[r] as number), 0), 1);
      }
    }
  }

  #addWeighted(
    column: BatchColumn & { readonly physical: 'i32' | 'i64' | 'num' },
    groups: Int32Array,
    weights: Int32Array | null,
    length: number,
  ): void {
    const int32 = column.physical === 'i32' ? column.values : undefined;
    const words = column.physical === 'i32' ? new Int32Array(0) : wordsOf(column.values);
    const scales = column.physical === 'num' ? column.scales : undefined;
    const sumArrays = this.#sums.arrays;
    const countArrays = this.#counts.arrays;
    const scaleArrays = this.#scales.arrays;
    for (let r = 0; r < length; r++) {
      const weight = weights === null ? 1 : (weights[r] as number);
      if (weight === 0) continue;
      const group = groups[r] as number;
      const at = group & SEGMENT_MASK;
      const sums = sumArrays[group >>> SEGMENT_SHIFT] as Float64Array;
      const high = int32 === undefined ? (words[2 * r + 1] as number) : 0;
      const value =
        int32 === undefined
          ? high * 4294967296 + ((words[2 * r] as number) >>> 0)
          : (int32[r] as number);
      const change = value * weight;
      const sum = (sums[at] as number) + change;
      let isNarrow =
        sum <= SAFE &&
        sum >= -SAFE &&
        change <= SAFE &&
        change >= -SAFE &&
        value <= SAFE &&
        value >= -SAFE;
      if (scales !== undefined && isNarrow) {
        const own = scaleArrays[group >>> SEGMENT_SHIFT] as Int16Array;
        const scale = scales[r] as number;
        if (own[at] === NO_SCALE && scale !== WIDE_SCALE) own[at] = scale;
        isNarrow = own[at] === scale && scale !== WIDE_SCALE;
      }
      if (isNarrow) {
        sums[at] = sum;
        const counts = countArrays[group >>> SEGMENT_SHIFT] as Float64Array;
        counts[at] = (counts[at] as number) + weight;
      } else {
        this.#addWide(group, numericAt(column, r), weight);
      }
    }
  }

  #addWide(group: number, value: Numeric, weight: number): void {
    let wide = this.#wide.get(group);
    const count = this.#counts.get(group);
    if (wide === undefined) {
      wide = new WideSum();
      const scale = Math.max(this.#scales.get(group), 0);
      if (count !== 0 || this.#sums.get(group) !== 0) {
        wide.addScaled(BigInt(this.#sums.get(group)), scale, count);
      }
      this.#wide.set(group, wide);
      this.#sums.set(group, Number.NaN);
    }
    wide.add(value, weight);
    this.#counts.set(group, count + weight);
  }

  countOf(group: number): number {
    return this.#counts.get(group);
  }

  /** The sum of a group with rows. */
  sumOf(group: number): Numeric {
    const wide = this.#wide.get(group);
    if (wide !== undefined) return wide.value;
    return new Numeric(BigInt(this.#sums.get(group)), Math.max(this.#scales.get(group), 0));
  }

  /** The sum as a double where it is one exactly, else NaN; its scale is scaleOf. */
  narrowSumOf(group: number): number {
    return this.#sums.get(group);
  }

  scaleOf(group: number): number {
    return Math.max(this.#scales.get(group), 0);
  }

  clear(group: number): void {
    this.#sums.set(group, 0);
    this.#counts.set(group, 0);
    this.#scales.set(group, NO_SCALE);
    if (this.#wide.size > 0) this.#wide.delete(group);
  }

  bytes(): number {
    return (
      this.#sums.bytes + this.#counts.bytes + this.#scales.bytes + this.#wide.size * WIDE_SUM_BYTES
    );
  }

  save(to: StateWriter): void {
    saveAll([this.#sums, this.#counts, this.#scales], to);
    to.data([...this.#wide].map(([group, sum]) => [group, sum.save()]));
  }

  load(from: StateReader): void {
    loadAll([this.#sums, this.#counts, this.#scales], from);
    this.#end = this.#scales.capacity;
    for (const entry of from.data()) {
      const [group, saved] = entry as readonly [number, readonly (Datum | null)[]];
      const sum = new WideSum();
      sum.load(saved);
      this.#wide.set(group, sum);
    }
  }
}

function numericAt(
  column: BatchColumn & { readonly physical: 'i32' | 'i64' | 'num' },
  row: number,
): Numeric {
  if (column.physical === 'num') {
    const scale = column.scales[row] as number;
    if (scale === WIDE_SCALE) return column.wide?.[row] as Numeric;
    return new Numeric(column.values[row] as bigint, scale);
  }
  return Numeric.fromInt(column.values[row] as number | bigint);
}

/** sum(smallint | integer): bigint, with PostgreSQL's error where it does not fit. */
export class BigintSum implements GroupResult {
  readonly #state: GroupSum;

  constructor(state: GroupSum) {
    this.#state = state;
  }

  results(groups: Int32Array, count: number, report: ReportGroupError): BatchColumn {
    const values = new BigInt64Array(count);
    const words = new Int32Array(values.buffer);
    let nulls: Uint8Array | null = null;
    for (let i = 0; i < count; i++) {
      const group = groups[i] as number;
      if (this.#state.countOf(group) === 0) {
        nulls ??= new Uint8Array(count);
        nulls[i] = 1;
        continue;
      }
      const narrow = this.#state.narrowSumOf(group);
      if (!Number.isNaN(narrow)) {
        writeInt64(words, i, narrow);
        continue;
      }
      const { unscaled } = this.#state.sumOf(group);
      if (unscaled <= INT64_MAX && unscaled >= -INT64_MAX - 1n) values[i] = unscaled;
      else report(i, new StreamError('VALUE_OUT_OF_RANGE', 'bigint out of range'));
    }
    return { physical: 'i64', values, nulls };
  }
}

/** sum(bigint | numeric): numeric of any size. */
export class NumericSum implements GroupResult {
  readonly #state: GroupSum;

  constructor(state: GroupSum) {
    this.#state = state;
  }

  results(groups: Int32Array, count: number, report: ReportGroupError): BatchColumn {
    const values = new BigInt64Array(count);
    const words = new Int32Array(values.buffer);
    const scales = new Int16Array(count);
    let nulls: Uint8Array | null = null;
    for (let i = 0; i < count; i++) {
      const group = groups[i] as number;
      if (this.#state.countOf(group) === 0) {
        nulls ??= new Uint8Array(count);
        nulls[i] = 1;
        continue;
      }
      const narrow = this.#state.narrowSumOf(group);
      if (Number.isNaN(narrow)) return this.#wideResults(groups, count, report);
      writeInt64(words, i, narrow);
      scales[i] = this.#state.scaleOf(group);
    }
    return { physical: 'num', values, scales, wide: null, nulls };
  }

  #wideResults(groups: Int32Array, count: number, report: ReportGroupError): BatchColumn {
    return numericResults(groups, count, report, (group) =>
      this.#state.countOf(group) === 0 ? null : this.#state.sumOf(group),
    );
  }
}

/** avg(smallint | integer | bigint | numeric): numeric, by PostgreSQL's scale of a quotient. */
export class NumericAverage implements GroupResult {
  readonly #state: GroupSum;

  constructor(state: GroupSum) {
    this.#state = state;
  }

  results(groups: Int32Array, count: number, report: ReportGroupError): BatchColumn {
    return numericResults(groups, count, report, (group) => {
      const rows = this.#state.countOf(group);
      return rows === 0 ? null : this.#state.sumOf(group).divide(Numeric.fromInt(rows));
    });
  }
}

function numericResults(
  groups: Int32Array,
  count: number,
  report: ReportGroupError,
  result: (group: number) => Numeric | null,
): BatchColumn {
  const values: (Numeric | null)[] = [];
  for (let i = 0; i < count; i++) {
    try {
      values.push(result(groups[i] as number));
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      values.push(null);
      report(i, error);
    }
  }
  return columnOf('num', values);
}
