import type { SqlType } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { type BatchColumn, type Physical, physicalOf } from '../delta/column.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { orderBy } from '../state/row-order.ts';
import { NONE, RowStore } from '../state/row-store.ts';
import { loadAll, saveAll } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, Segments, wordsOf } from '../state/segments.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import { StoredInt32s, StoredInt64s } from '../state/stored-column.ts';
import type { GroupResult, GroupState } from './group-state.ts';

/**
 * min and max over input that only grows: the best value so far. The value of group g is row g + 1 of a store whose
 * row 0 holds a candidate while it is compared; integers are compared where they are.
 */
export class GroupBest implements GroupState, GroupResult {
  readonly #column: number;
  readonly #wantsMax: boolean;
  readonly #physical: Physical;
  readonly #store: RowStore;
  readonly #has = Segments.uint8();
  readonly #isBetter: (group: number) => boolean;

  constructor(column: number, type: SqlType, wantsMax: boolean) {
    this.#column = column;
    this.#wantsMax = wantsMax;
    this.#physical = physicalOf(type);
    this.#store = new RowStore([this.#physical]);
    this.#store.allocate();
    const compare = orderBy(
      this.#store.columns,
      [type],
      [{ column: 0, descending: wantsMax, nullsFirst: false }],
    );
    this.#isBetter = (group) => compare(0, group + 1) < 0;
  }

  ensure(groups: number): void {
    while (this.#store.end <= groups) this.#store.allocate();
    this.#has.ensure(groups);
  }

  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void {
    const column = batch.column(this.#column);
    const values = this.#store.columns[0]?.values;
    if (column.physical === 'i32' && values instanceof StoredInt32s) {
      this.#updateInt32(column.values, values, groups, weights, batch.length);
    } else if (column.physical === 'i64' && values instanceof StoredInt64s) {
      this.#updateInt64(wordsOf(column.values), values, groups, weights, batch.length);
    } else {
      this.#updateAny(column, groups, weights, batch.length);
    }
  }

  #updateInt32(
    values: Int32Array,
    stored: StoredInt32s,
    groups: Int32Array,
    weights: Int32Array | null,
    length: number,
  ): void {
    const { arrays } = stored.segments;
    const has = this.#has.arrays;
    const wantsMax = this.#wantsMax;
    for (let r = 0; r < length; r++) {
      if (weights !== null && weights[r] === 0) continue;
      const group = groups[r] as number;
      const row = group + 1;
      const flags = has[group >>> SEGMENT_SHIFT] as Uint8Array;
      const best = arrays[row >>> SEGMENT_SHIFT] as Int32Array;
      const value = values[r] as number;
      const old = best[row & SEGMENT_MASK] as number;
      if (flags[group & SEGMENT_MASK] === 1 && (wantsMax ? value <= old : value >= old)) continue;
      flags[group & SEGMENT_MASK] = 1;
      best[row & SEGMENT_MASK] = value;
    }
  }

  #updateInt64(
    words: Int32Array,
    stored: StoredInt64s,
    groups: Int32Array,
    weights: Int32Array | null,
    length: number,
  ): void {
    const arrays = stored.segments.words;
    const has = this.#has.arrays;
    const wantsMax = this.#wantsMax;
    for (let r = 0; r < length; r++) {
      if (weights !== null && weights[r] === 0) continue;
      const group = groups[r] as number;
      const row = group + 1;
      const flags = has[group >>> SEGMENT_SHIFT] as Uint8Array;
      const best = arrays[row >>> SEGMENT_SHIFT] as Int32Array;
      const at = 2 * (row & SEGMENT_MASK);
      const low = words[2 * r] as number;
      const high = words[2 * r + 1] as number;
      if (flags[group & SEGMENT_MASK] === 1) {
        const oldHigh = best[at + 1] as number;
        const difference =
          high !== oldHigh ? high - oldHigh : (low >>> 0) - ((best[at] as number) >>> 0);
        if (wantsMax ? difference <= 0 : difference >= 0) continue;
      }
      flags[group & SEGMENT_MASK] = 1;
      best[at] = low;
      best[at + 1] = high;
    }
  }

  #updateAny(
    column: BatchColumn,
    groups: Int32Array,
    weights: Int32Array | null,
    length: number,
  ): void {
    const stored = this.#store.columns[0];
    if (stored === undefined) throw new Error('assertion failed: the store has one column');
    for (let r = 0; r < length; r++) {
      if (weights !== null && weights[r] === 0) continue;
      const group = groups[r] as number;
      stored.putOne(column, r, 0);
      const isBetter = this.#has.get(group) === 0 || this.#isBetter(group);
      stored.release(0);
      if (!isBetter) continue;
      if (this.#has.get(group) === 1) stored.release(group + 1);
      stored.putOne(column, r, group + 1);
      this.#has.set(group, 1);
    }
    this.#store.compact();
  }

  results(groups: Int32Array, count: number): BatchColumn {
    const rows = borrowRows(count);
    for (let i = 0; i < count; i++) {
      const group = groups[i] as number;
      rows[i] = this.#has.get(group) === 1 ? group + 1 : NONE;
    }
    const column = this.#store.columns[0]?.gather(rows, count);
    returnRows(rows);
    if (column === undefined) throw new Error('assertion failed: the store has one column');
    return column;
  }

  clear(group: number): void {
    if (this.#has.get(group) === 0) return;
    this.#has.set(group, 0);
    this.#store.columns[0]?.release(group + 1);
  }

  bytes(): number {
    return this.#store.bytes() + this.#has.bytes;
  }

  save(to: StateWriter): void {
    saveAll([this.#store, this.#has], to);
  }

  load(from: StateReader): void {
    loadAll([this.#store, this.#has], from);
  }
}

/** min and max over input that also shrinks: every value of a group, in order, with its number of rows. */
export class GroupMultiset implements GroupState {
  readonly #column: number;
  readonly #values: OrderedState;
  /** Root of a group's tree + 1; 0 = empty. */
  readonly #roots = Segments.int32();

  constructor(column: number, type: SqlType) {
    this.#column = column;
    this.#values = new OrderedState([type], [{ column: 0, descending: false, nullsFirst: false }]);
  }

  ensure(groups: number): void {
    this.#roots.ensure(groups);
  }

  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void {
    const from = borrowRows(batch.length);
    const to = borrowRows(batch.length);
    let count = 0;
    for (let r = 0; r < batch.length; r++) {
      if (weights !== null && weights[r] === 0) continue;
      from[count] = r;
      to[count++] = this.#values.rows.allocate();
    }
    this.#values.ensure();
    this.#values.rows.put([batch.column(this.#column)], from, to, count);
    for (let i = 0; i < count; i++) {
      const r = from[i] as number;
      const group = groups[r] as number;
      const root = this.#roots.get(group) - 1;
      const weight = weights === null ? 1 : (weights[r] as number);
      this.#roots.set(group, this.#values.add(root, to[i] as number, weight) + 1);
    }
    returnRows(to);
    returnRows(from);
    this.#values.releaseRetired();
  }

  /** The smallest or largest value per group; NULL where there is none. */
  results(wantsMax: boolean, groups: Int32Array, count: number): BatchColumn {
    const rows = borrowRows(count);
    for (let i = 0; i < count; i++) {
      const root = this.#roots.get(groups[i] as number) - 1;
      rows[i] = wantsMax ? this.#values.last(root) : this.#values.first(root);
    }
    const column = this.#values.rows.columns[0]?.gather(rows, count);
    returnRows(rows);
    if (column === undefined) throw new Error('assertion failed: the store has one column');
    return column;
  }

  clear(group: number): void {
    this.#values.clear(this.#roots.get(group) - 1);
    this.#roots.set(group, 0);
  }

  bytes(): number {
    return this.#values.bytes() + this.#roots.bytes;
  }

  save(to: StateWriter): void {
    saveAll([this.#values, this.#roots], to);
  }

  load(from: StateReader): void {
    loadAll([this.#values, this.#roots], from);
  }
}
