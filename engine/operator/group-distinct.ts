import { Batch } from '../delta/batch.ts';
import type { Physical } from '../delta/column.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { RowChains } from '../state/row-chains.ts';
import { loadAll, type Saved, saveAll } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import type { GroupState } from './group-state.ts';

/**
 * DISTINCT in front of another aggregate: counts the rows per group and value, and passes a value on when its
 * count becomes positive, or takes it back when it stops being so.
 * State: the distinct values of every group.
 */
export class GroupDistinct implements GroupState {
  readonly #columns: readonly number[];
  readonly #inner: GroupState;
  readonly #values: KeyedState;
  readonly #counts = Segments.int32();
  readonly #isTouched = Segments.uint8();
  /** The values of each group, where groups are dropped with rows in them. */
  readonly #chains: RowChains | undefined;
  #groups = 0;

  /**
   * @param columns  the batch's columns that `inner` reads as its columns 0, 1, …
   * @param drops    `clear` is called for groups that have rows.
   */
  constructor(
    columns: readonly number[],
    physicals: readonly Physical[],
    inner: GroupState,
    drops: boolean,
  ) {
    this.#chains = drops ? new RowChains() : undefined;
    this.#columns = columns;
    this.#inner = inner;
    this.#values = new KeyedState(['i32', ...physicals]);
  }

  ensure(groups: number): void {
    this.#groups = groups;
    this.#inner.ensure(groups);
  }

  update(batch: Batch, groups: Int32Array, weights: Int32Array | null): void {
    const { length } = batch;
    const columns = this.#columns.map((column) => batch.column(column));
    const key = [{ physical: 'i32', values: groups, nulls: null } as const, ...columns];
    const rows = borrowRows(length);
    const created = this.#chains === undefined ? undefined : borrowRows(length);
    const createdCount = this.#values.claim(key, length, rows, created);
    const { end } = this.#values.rows;
    if (created !== undefined) {
      this.#chains?.ensure(this.#groups, end);
      for (let i = 0; i < createdCount; i++) {
        const source = created[i] as number;
        this.#chains?.add(groups[source] as number, rows[source] as number);
      }
      returnRows(created);
    }
    this.#counts.ensure(end);
    this.#isTouched.ensure(end);
    const touched = borrowRows(length);
    const before = borrowRows(length);
    let touchedCount = 0;
    for (let r = 0; r < length; r++) {
      const row = rows[r] as number;
      const count = this.#counts.get(row);
      if (this.#isTouched.get(row) === 0) {
        this.#isTouched.set(row, 1);
        touched[touchedCount] = row;
        before[touchedCount++] = count > 0 ? 1 : 0;
      }
      this.#counts.set(row, count + (weights === null ? 1 : (weights[r] as number)));
    }
    this.#pass(touched, before, touchedCount);
    returnRows(before);
    returnRows(touched);
    returnRows(rows);
    this.#values.rows.compact();
  }

  #pass(touched: Int32Array, before: Int32Array, touchedCount: number): void {
    const changed = borrowRows(touchedCount);
    const weights = new Int32Array(touchedCount);
    let count = 0;
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      this.#isTouched.set(row, 0);
      const change = (this.#counts.get(row) > 0 ? 1 : 0) - (before[i] as number);
      if (change === 0) continue;
      changed[count] = row;
      weights[count++] = change;
    }
    if (count > 0) {
      const [groups, ...columns] = this.#values.rows.gather(changed, count);
      if (groups?.physical !== 'i32') throw new Error('assertion failed: groups are integers');
      this.#inner.ensure(this.#groups);
      this.#inner.update(new Batch(count, columns, null), groups.values, weights);
    }
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (this.#counts.get(row) !== 0) continue;
      this.#chains?.remove(this.#groupOf(row), row);
      this.#values.release(row);
    }
    returnRows(changed);
  }

  #groupOf(row: number): number {
    const [groups] = this.#values.rows.columns;
    const column = groups?.gather(Int32Array.of(row), 1);
    if (column?.physical !== 'i32') throw new Error('assertion failed: groups are integers');
    return column.values[0] as number;
  }

  /** The group's values have all been taken back when its last row goes, unless it is dropped; `inner` starts afresh anyway. */
  clear(group: number): void {
    if (this.#chains !== undefined) {
      for (let row = this.#chains.firstOf(group); row !== 0; row = this.#chains.firstOf(group)) {
        this.#chains.remove(group, row - 1);
        this.#counts.set(row - 1, 0);
        this.#values.release(row - 1);
      }
    }
    this.#inner.clear(group);
  }

  bytes(): number {
    const counts = this.#counts.bytes + this.#isTouched.bytes + (this.#chains?.bytes ?? 0);
    return this.#values.bytes() + counts + this.#inner.bytes();
  }

  save(to: StateWriter): void {
    saveAll(this.#parts(), to);
  }

  load(from: StateReader): void {
    loadAll(this.#parts(), from);
  }

  #parts(): readonly Saved[] {
    const chains = this.#chains === undefined ? [] : [this.#chains];
    return [this.#values, this.#counts, this.#inner, ...chains];
  }
}
