import { assert } from '../../sql/base/assert.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { type Physical, physicalOf } from '../delta/column.ts';
import type { ForgetRule, SortColumn } from '../plan/physical-node.ts';
import { type TimeCells, timeCells } from '../state/closing-index.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { NONE, pickColumns } from '../state/row-store.ts';
import { loadAll, type Saved, saveAll } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import { ClosingRows } from './closing-rows.ts';
import type { ChangedPartition } from './window-region.ts';

interface Change {
  readonly row: number;
  readonly weight: number;
}

interface Draft {
  root: number;
  count: number;
  readonly marks: number[];
  readonly removed: number[];
  /** Rows that came into the tree. */
  readonly inserted: number[];
}

/**
 * The rows of all partitions in order, every copy a row of its own, with `payload` columns beside them. Rows of an
 * epoch wait until their partition is taken, which adds up equal ones, so that only what is left at the end counts.
 * A row that is taken back before it came stands in the tree with a negative weight until it comes.
 */
export class WindowRows implements Saved {
  readonly state: OrderedState;
  /** Partitions with waiting rows. */
  readonly touched: number[] = [];
  readonly #partitionBy: readonly number[];
  readonly #width: number;
  readonly #partitions: KeyedState;
  /** Root of a partition's tree + 1; 0 = empty. */
  readonly #roots = Segments.int32();
  readonly #counts = Segments.float64();
  /** Rows with a negative weight. */
  #owed = 0;
  /** The waiting rows: number, weight, and the next one of the partition + 1; the first one + 1 by partition. */
  readonly #waiting: number[] = [];
  readonly #weights: number[] = [];
  readonly #next: number[] = [];
  readonly #first = Segments.int32();
  /** Partitions by the time in their key at which they are dropped. */
  readonly closing: ClosingRows | undefined;
  /** Rows by the time, first in the order, at which no frame can reach them any more. */
  readonly passing: ClosingRows | undefined;
  readonly #times: TimeCells | undefined;
  /** By row; kept for `passing`. */
  readonly #partitionOf = Segments.int32();

  /**
   * @param forgets  when whole partitions are dropped, by one of their key columns; and when the first rows of a partition are, by
   *   their first ORDER BY column, which is rising with NULLs last.
   */
  constructor(
    types: readonly SqlType[],
    partitionBy: readonly number[],
    orderBy: readonly SortColumn[],
    payload: readonly Physical[],
    forgets: readonly (ForgetRule | undefined)[] = [],
  ) {
    this.#partitionBy = partitionBy;
    this.#width = types.length;
    this.#partitions = new KeyedState(
      partitionBy.map((column) => physicalOf(types[column] as SqlType)),
    );
    this.state = new OrderedState(types, orderBy, payload);
    const [whole, first] = forgets;
    if (whole !== undefined) {
      const cells = timeCells(this.#partitions.rows.columns[whole.column]);
      this.closing = new ClosingRows(cells, whole);
    }
    if (first !== undefined) {
      this.#times = timeCells(this.state.rows.columns[first.column]);
      this.passing = new ClosingRows(this.#times, first);
    }
  }

  push(batch: Batch): void {
    const { length } = batch;
    const { rows } = this.state;
    const partitions = borrowRows(length);
    const created = this.closing === undefined ? undefined : borrowRows(length);
    const key = pickColumns(batch, this.#partitionBy);
    const createdCount = this.#partitions.claim(key, length, partitions, created);
    if (created !== undefined) {
      this.closing?.addCreated(created, createdCount, partitions);
      returnRows(created);
    }
    const { end } = this.#partitions.rows;
    this.#roots.ensure(end);
    this.#counts.ensure(end);
    this.#first.ensure(end);
    const from = borrowRows(length);
    const to = borrowRows(length);
    for (let r = 0; r < length; r++) {
      from[r] = r;
      to[r] = rows.allocate();
    }
    for (let i = 0; i < this.#width; i++) {
      rows.columns[i]?.put(batch.column(i), from, to, length);
    }
    for (let r = 0; r < length; r++) {
      const partition = partitions[r] as number;
      const next = this.#first.get(partition);
      if (next === 0) this.touched.push(partition);
      this.#waiting.push(to[r] as number);
      this.#weights.push(batch.weight(r));
      this.#next.push(next);
      this.#first.set(partition, this.#waiting.length);
    }
    returnRows(to);
    returnRows(from);
    returnRows(partitions);
  }

  /** Takes a touched partition's waiting rows into its tree. Rows that leave it stay readable until `endEpoch`. */
  take(partition: number): ChangedPartition {
    this.state.ensure();
    const draft: Draft = {
      root: this.#roots.get(partition) - 1,
      count: this.#counts.get(partition),
      marks: [],
      removed: [],
      inserted: [],
    };
    for (const change of this.#netChanges(partition)) this.#apply(draft, change);
    this.#enter(partition, draft.inserted);
    this.#roots.set(partition, draft.root + 1);
    this.#counts.set(partition, draft.count);
    if (draft.root === NONE) this.#partitions.release(partition);
    return { partition, ...draft };
  }

  /**
   * Drops a whole partition, if it is still there.
   * @param visit  gets its rows before.
   */
  drop(partition: number, visit: (row: number) => void): boolean {
    const root = this.#roots.get(partition) - 1;
    if (root === NONE) return false;
    this.state.walk(root, (row) => {
      if (this.state.weights.get(row) < 0) this.#owed--;
      visit(row);
      return true;
    });
    this.state.clear(root);
    this.#roots.set(partition, 0);
    this.#counts.set(partition, 0);
    this.#partitions.release(partition);
    return true;
  }

  /**
   * Drops the first rows of partitions, up to the times of the given rows.
   * @param visit  gets each before.
   * @returns the partitions that had such rows.
   */
  dropFirst(rows: Int32Array, count: number, visit: (row: number) => void): ReadonlySet<number> {
    const dropped = new Set<number>();
    const times = this.#times;
    assert(times !== undefined, 'rows pass by their times');
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      const partition = this.#partitionOf.get(row);
      if (this.#dropUpTo(partition, times, times.segments.get(row), visit)) dropped.add(partition);
    }
    return dropped;
  }

  #dropUpTo(
    partition: number,
    times: TimeCells,
    time: bigint,
    visit: (row: number) => void,
  ): boolean {
    const { state } = this;
    let root = this.#roots.get(partition) - 1;
    let dropped = 0;
    for (; root !== NONE; dropped++) {
      const first = state.first(root);
      if (times.isNull(first) || times.segments.get(first) > time) break;
      // Of equal rows, which stand together, the last one goes.
      const gone = state.lastEqual(root, first);
      if (state.weights.get(gone) < 0) this.#owed--;
      else this.#counts.set(partition, this.#counts.get(partition) - 1);
      visit(gone);
      root = state.removeLastEqual(root, first);
    }
    if (dropped === 0) return false;
    this.#roots.set(partition, root + 1);
    if (root === NONE) this.#partitions.release(partition);
    return true;
  }

  endEpoch(): void {
    this.touched.length = 0;
    this.#waiting.length = 0;
    this.#weights.length = 0;
    this.#next.length = 0;
    this.state.releaseRetired();
    this.#partitions.rows.compact();
  }

  bytes(): number {
    return (
      this.#partitions.bytes() +
      this.state.bytes() +
      this.#roots.bytes +
      this.#counts.bytes +
      this.#first.bytes +
      this.#partitionOf.bytes +
      (this.closing?.bytes ?? 0) +
      (this.passing?.bytes ?? 0)
    );
  }

  save(to: StateWriter): void {
    to.number(this.#owed);
    saveAll(this.#parts(), to);
  }

  load(from: StateReader): void {
    this.#owed = from.number();
    loadAll(this.#parts(), from);
  }

  #parts(): readonly Saved[] {
    const closing = this.closing === undefined ? [] : [this.closing];
    const passing = this.passing === undefined ? [] : [this.passing, this.#partitionOf];
    return [this.#partitions, this.state, this.#roots, this.#counts, ...closing, ...passing];
  }

  /** The waiting rows of a partition in order, equal ones added up, without those that add up to nothing. */
  #netChanges(partition: number): readonly Change[] {
    const { rows, compare } = this.state;
    const changes: Change[] = [];
    let at = this.#first.get(partition);
    this.#first.set(partition, 0);
    for (; at !== 0; at = this.#next[at - 1] as number) {
      changes.push({
        row: this.#waiting[at - 1] as number,
        weight: this.#weights[at - 1] as number,
      });
    }
    if (changes.length < 2) return changes;
    // They wait last first, and mostly come in order.
    changes.reverse().sort((a, b) => compare(a.row, b.row));
    const net: Change[] = [];
    for (let i = 0; i < changes.length; ) {
      const { row } = changes[i] as Change;
      let weight = 0;
      const start = i;
      for (; i < changes.length && compare(row, (changes[i] as Change).row) === 0; i++) {
        weight += (changes[i] as Change).weight;
      }
      for (let other = weight === 0 ? start : start + 1; other < i; other++) {
        rows.release((changes[other] as Change).row);
      }
      if (weight !== 0) net.push({ row, weight });
    }
    return net;
  }

  #apply(draft: Draft, { row, weight }: Change): void {
    const { state } = this;
    let left = weight;
    if (this.#owed > 0) {
      const equal = state.lastEqual(draft.root, row);
      if (equal !== NONE && state.weights.get(equal) < 0) {
        left += state.weights.get(equal);
        draft.root = state.removeLastEqual(draft.root, row);
        this.#owed--;
      }
    }
    if (left > 0) this.#insert(draft, row, left);
    else if (left < 0) this.#remove(draft, row, -left);
    else state.rows.release(row);
  }

  #insert(draft: Draft, row: number, copies: number): void {
    const { state } = this;
    draft.marks.push(row);
    draft.count += copies;
    draft.root = state.insert(draft.root, row, 1);
    draft.inserted.push(row);
    for (let left = copies - 1; left > 0; left--) {
      const copy = this.#copyOf(row);
      draft.root = state.insert(draft.root, copy, 1);
      draft.inserted.push(copy);
    }
  }

  /** Notes when rows pass. */
  #enter(partition: number, rows: readonly number[]): void {
    if (this.passing === undefined) return;
    this.#partitionOf.ensure(this.state.rows.end);
    for (const row of rows) this.#partitionOf.set(row, partition);
    this.passing.add(Int32Array.from(rows), rows.length);
  }

  #copyOf(row: number): number {
    const { rows } = this.state;
    const copy = rows.allocate();
    this.state.ensure();
    const columns = rows.columns.slice(0, this.#width);
    for (const column of columns) column.putOne(column.gather(Int32Array.of(row), 1), 0, copy);
    return copy;
  }

  #remove(draft: Draft, row: number, copies: number): void {
    const { state } = this;
    for (let left = copies; left > 0; left--) {
      const equal = state.lastEqual(draft.root, row);
      if (equal === NONE) {
        draft.root = state.insert(draft.root, row, -left);
        draft.inserted.push(row);
        this.#owed++;
        return;
      }
      if (left === copies) draft.marks.push(equal);
      draft.root = state.removeLastEqual(draft.root, row);
      draft.removed.push(equal);
      draft.count--;
    }
    state.rows.release(row);
  }
}
