import type { Batch } from '../delta/batch.ts';
import type { BatchColumn } from '../delta/column.ts';
import { loadAll, saveAll } from '../state/saved.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, Segments } from '../state/segments.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import type { GroupResult, GroupState } from './group-state.ts';

/** count(*), count(x): weights added up. Doubles hold counts exactly up to 2^53. */
export class GroupCount implements GroupState, GroupResult {
  readonly counts = Segments.float64();

  ensure(groups: number): void {
    this.counts.ensure(groups);
  }

  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void {
    const { length } = batch;
    const arrays = this.counts.arrays;
    if (weights === null) {
      for (let r = 0; r < length; r++) {
        const group = groups[r] as number;
        const counts = arrays[group >>> SEGMENT_SHIFT] as Float64Array;
        counts[group & SEGMENT_MASK] = (counts[group & SEGMENT_MASK] as number) + 1;
      }
      return;
    }
    for (let r = 0; r < length; r++) {
      const group = groups[r] as number;
      const counts = arrays[group >>> SEGMENT_SHIFT] as Float64Array;
      counts[group & SEGMENT_MASK] =
        (counts[group & SEGMENT_MASK] as number) + (weights[r] as number);
    }
  }

  results(groups: Int32Array, count: number): BatchColumn {
    const values = new BigInt64Array(count);
    const words = new Int32Array(values.buffer);
    const { arrays } = this.counts;
    for (let i = 0; i < count; i++) {
      const group = groups[i] as number;
      const counts = arrays[group >>> SEGMENT_SHIFT] as Float64Array;
      writeInt64(words, i, counts[group & SEGMENT_MASK] as number);
    }
    return { physical: 'i64', values, nulls: null };
  }

  clear(group: number): void {
    this.counts.set(group, 0);
  }

  bytes(): number {
    return this.counts.bytes;
  }

  save(to: StateWriter): void {
    this.counts.save(to);
  }

  load(from: StateReader): void {
    this.counts.load(from);
  }
}

/** Writes an integral double below 2^53 as a 64-bit integer, without making a BigInt. */
export function writeInt64(words: Int32Array, index: number, value: number): void {
  const high = Math.floor(value / 4294967296);
  words[2 * index] = value - high * 4294967296;
  words[2 * index + 1] = high;
}

/** bool_and and bool_or: how many rows are true, and how many there are. */
export class GroupBools implements GroupState {
  readonly #column: number;
  readonly #trues = Segments.float64();
  readonly #all = Segments.float64();

  constructor(column: number) {
    this.#column = column;
  }

  ensure(groups: number): void {
    this.#trues.ensure(groups);
    this.#all.ensure(groups);
  }

  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void {
    const column = batch.column(this.#column);
    if (column.physical !== 'bool') throw new Error('assertion failed: bool_and takes booleans');
    for (let r = 0; r < batch.length; r++) {
      const weight = weights === null ? 1 : (weights[r] as number);
      const group = groups[r] as number;
      this.#all.set(group, this.#all.get(group) + weight);
      if (column.values[r] === 1) this.#trues.set(group, this.#trues.get(group) + weight);
    }
  }

  /** The result of bool_and when `every`, else of bool_or; NULL for no rows. */
  results(every: boolean, groups: Int32Array, count: number): BatchColumn {
    const values = new Uint8Array(count);
    let nulls: Uint8Array | null = null;
    for (let i = 0; i < count; i++) {
      const group = groups[i] as number;
      const all = this.#all.get(group);
      const trues = this.#trues.get(group);
      if (all === 0) {
        nulls ??= new Uint8Array(count);
        nulls[i] = 1;
      } else {
        values[i] = (every ? trues === all : trues > 0) ? 1 : 0;
      }
    }
    return { physical: 'bool', values, nulls };
  }

  clear(group: number): void {
    this.#trues.set(group, 0);
    this.#all.set(group, 0);
  }

  bytes(): number {
    return this.#trues.bytes + this.#all.bytes;
  }

  save(to: StateWriter): void {
    saveAll([this.#trues, this.#all], to);
  }

  load(from: StateReader): void {
    loadAll([this.#trues, this.#all], from);
  }
}
