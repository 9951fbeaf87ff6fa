import { assert } from '../../sql/base/assert.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { type BatchColumn, type Nulls, WIDE_SCALE } from '../delta/column.ts';
import { Int64Segments, SEGMENT_MASK, SEGMENT_SHIFT, Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';
import type { StoredValues } from './stored-column.ts';

/** numeric values: scaled 64-bit integers, and the few that do not fit in a map beside them. */
export class StoredNumerics implements StoredValues {
  readonly segments = new Int64Segments();
  readonly scales = Segments.int16();
  readonly wide = new Map<number, Numeric>();

  ensure(rows: number): void {
    this.segments.ensure(rows);
    this.scales.ensure(rows);
  }

  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void {
    assert(column.physical === 'num', 'a numeric column is stored from one');
    const { scales, wide } = column;
    this.segments.put(column.values, from, to, count);
    const ownScales = this.scales.arrays;
    for (let i = 0; i < count; i++) {
      const row = to[i] as number;
      const source = from[i] as number;
      const scale = scales[source] as number;
      (ownScales[row >>> SEGMENT_SHIFT] as Int16Array)[row & SEGMENT_MASK] = scale;
      const value = scale === WIDE_SCALE ? wide?.[source] : undefined;
      if (value !== undefined) this.wide.set(row, value);
    }
  }

  putOne(column: BatchColumn, from: number, to: number): void {
    assert(column.physical === 'num', 'a numeric column is stored from one');
    const scale = column.scales[from] as number;
    this.segments.set(to, column.values[from] as bigint);
    this.scales.set(to, scale);
    const value = scale === WIDE_SCALE ? column.wide?.[from] : undefined;
    if (value !== undefined) this.wide.set(to, value);
  }

  gather(from: Int32Array, count: number, nulls: Nulls): BatchColumn {
    const values = this.segments.gather(from, count);
    const scales = new Int16Array(count);
    let wide: (Numeric | undefined)[] | null = null;
    const ownScales = this.scales.arrays;
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      if (row < 0) continue;
      const scale = (ownScales[row >>> SEGMENT_SHIFT] as Int16Array)[row & SEGMENT_MASK] as number;
      scales[i] = scale;
      if (scale !== WIDE_SCALE) continue;
      wide ??= new Array(count);
      wide[i] = this.wide.get(row);
    }
    return { physical: 'num', values, scales, wide, nulls };
  }

  /** The value of one row that is not NULL. */
  get(row: number): Numeric {
    const scale = this.scales.get(row);
    if (scale === WIDE_SCALE) return this.wide.get(row) as Numeric;
    return new Numeric(this.segments.get(row), scale);
  }

  release(row: number): void {
    if (this.wide.size > 0) this.wide.delete(row);
  }

  bytes(): number {
    return this.segments.bytes + this.scales.bytes + this.wide.size * WIDE_BYTES;
  }

  save(to: StateWriter): void {
    this.segments.save(to);
    this.scales.save(to);
    to.data([...this.wide].flat());
  }

  load(from: StateReader): void {
    this.segments.load(from);
    this.scales.load(from);
    const wide = from.data();
    for (let i = 0; i < wide.length; i += 2) {
      this.wide.set(wide[i] as number, wide[i + 1] as Numeric);
    }
  }
}

/** About what a Numeric with a BigInt of some 40 digits and its map entry take. */
const WIDE_BYTES = 150;
