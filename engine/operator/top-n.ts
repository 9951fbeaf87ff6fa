import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { physicalOf } from '../delta/column.ts';
import type { ForgetRule, SortColumn } from '../plan/physical-node.ts';
import { timeCells } from '../state/closing-index.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { NONE } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import { ClosingRows } from './closing-rows.ts';
import type { Forgetful } from './forgetting.ts';
import { writeInt64 } from './group-count.ts';
import type { Emit } from './operator.ts';

export interface TopNShape {
  readonly partitionBy: readonly number[];
  readonly orderBy: readonly SortColumn[];
  readonly rank: 'row_number' | 'rank' | 'dense_rank';
  /** Rows (row_number) or ranks after `offset`; Infinity = all. */
  readonly limit: number;
  readonly offset: number;
  readonly emitRank: boolean;
  readonly withTies: boolean;
  /** No row of the input is ever taken back, so that rows out of reach are dropped. */
  readonly appendOnly: boolean;
  /** When a partition is dropped: `column` is one of `partitionBy`, by its place there. */
  readonly forgets?: ForgetRule | undefined;
}

/** Rows that come out, in order: their numbers in the state, how many copies, and their ranks. */
interface Shown {
  readonly rows: number[];
  readonly weights: number[];
  readonly ranks: number[];
}

/**
 * Per partition the rows that ORDER BY … OFFSET … LIMIT, or a bound on row_number, rank or dense_rank, keeps. Rows are
 * held in order, ties broken by the whole row, so that the choice does not depend on arrival. At flush a touched
 * partition's rows are listed again and the difference to what was listed before comes out: O(offset + limit) per
 * touched partition. Rows that leave keep their cells until then.
 * State: all rows of the input; over append-only input only those that can still come out.
 */
export class TopNOperator implements Forgetful {
  readonly schema: Schema;
  readonly #shape: TopNShape;
  readonly #partitions: KeyedState;
  readonly #rows: OrderedState;
  /** Root of a partition's tree + 1; 0 = empty. */
  readonly #roots = Segments.int32();
  /** Copies of rows per partition: over append-only input the tree is cut to what can come out. */
  readonly #counts = Segments.float64();
  readonly #isTouched = Segments.uint8();
  /** Partitions that this epoch has touched, and what each showed before: before[i] = [start, end) of `beforeRows`. */
  readonly #touched: number[] = [];
  readonly #beforeEnds: number[] = [];
  readonly #before: Shown = { rows: [], weights: [], ranks: [] };
  /** Scratch by row: how much its weight downstream changes. */
  readonly #changes = Segments.int32();
  readonly #closing: ClosingRows | undefined;

  constructor(schema: Schema, input: Schema, shape: TopNShape) {
    this.schema = schema;
    this.#shape = shape;
    const types = input.map((column) => column.type);
    this.#partitions = new KeyedState(
      shape.partitionBy.map((column) => physicalOf((input[column] as Schema[number]).type)),
    );
    this.#rows = new OrderedState(types, shape.orderBy);
    const { forgets } = shape;
    if (forgets !== undefined) {
      const cells = timeCells(this.#partitions.rows.columns[forgets.column]);
      this.#closing = new ClosingRows(cells, forgets);
    }
  }

  push(_port: number, batch: Batch, _emit: Emit): void {
    const { length } = batch;
    const partitions = borrowRows(length);
    const created = this.#closing === undefined ? undefined : borrowRows(length);
    const createdCount = this.#partitions.claim(
      this.#shape.partitionBy.map((column) => batch.column(column)),
      length,
      partitions,
      created,
    );
    if (created !== undefined) {
      this.#closing?.addCreated(created, createdCount, partitions);
      returnRows(created);
    }
    const { end } = this.#partitions.rows;
    this.#roots.ensure(end);
    this.#counts.ensure(end);
    this.#isTouched.ensure(end);
    const from = borrowRows(length);
    const to = borrowRows(length);
    for (let r = 0; r < length; r++) {
      from[r] = r;
      to[r] = this.#rows.rows.allocate();
    }
    this.#rows.ensure();
    this.#changes.ensure(this.#rows.rows.end);
    this.#rows.rows.put(batch.columns, from, to, length);
    const keep = this.#rowsKept();
    for (let r = 0; r < length; r++) {
      const partition = partitions[r] as number;
      const row = to[r] as number;
      const root = this.#roots.get(partition) - 1;
      if (this.#counts.get(partition) >= keep && this.#rows.isBehind(root, row)) {
        this.#rows.rows.release(row);
        continue;
      }
      this.#touch(partition);
      const weight = batch.weight(r);
      this.#roots.set(partition, this.#rows.add(root, row, weight) + 1);
      this.#counts.set(partition, this.#counts.get(partition) + weight);
      this.#trim(partition, keep);
    }
    returnRows(to);
    returnRows(from);
    returnRows(partitions);
  }

  flush(emit: Emit): void {
    if (this.#touched.length === 0) return;
    const removed: Shown = { rows: [], weights: [], ranks: [] };
    const added: Shown = { rows: [], weights: [], ranks: [] };
    const now: Shown = { rows: [], weights: [], ranks: [] };
    let start = 0;
    this.#touched.forEach((partition, i) => {
      const end = this.#beforeEnds[i] as number;
      now.rows.length = 0;
      now.weights.length = 0;
      now.ranks.length = 0;
      const reached = this.#list(this.#roots.get(partition) - 1, now);
      // Further rows only push ranks up, so what is out of reach now stays so.
      if (this.#shape.appendOnly) this.#trim(partition, reached);
      this.#compare(start, end, now, removed, added);
      start = end;
      this.#isTouched.set(partition, 0);
    });
    this.#emitRows(removed, emit);
    this.#emitRows(added, emit);
    for (const partition of this.#touched) {
      if (this.#roots.get(partition) === 0) this.#partitions.release(partition);
    }
    this.#touched.length = 0;
    this.#beforeEnds.length = 0;
    this.#before.rows.length = 0;
    this.#before.weights.length = 0;
    this.#before.ranks.length = 0;
    this.#rows.releaseRetired();
    this.#partitions.rows.compact();
  }

  isBehindAt(clock: bigint): boolean {
    return this.#closing?.isBehind(clock) === true;
  }

  forget(clock: bigint, most: number): void {
    this.#closing?.forget(clock, most, (partitions, count) => {
      const before = this.#rows.count;
      for (let i = 0; i < count; i++) {
        const partition = partitions[i] as number;
        const root = this.#roots.get(partition) - 1;
        if (root === NONE) continue;
        this.#rows.clear(root);
        this.#roots.set(partition, 0);
        this.#counts.set(partition, 0);
        this.#partitions.release(partition);
      }
      this.#rows.releaseRetired();
      return before - this.#rows.count;
    });
    this.#partitions.rows.compact();
  }

  stateBytes(): number {
    return (
      this.#partitions.bytes() +
      this.#rows.bytes() +
      this.#roots.bytes +
      this.#counts.bytes +
      this.#isTouched.bytes +
      this.#changes.bytes +
      (this.#closing?.bytes ?? 0)
    );
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  savedParts(): readonly Saved[] {
    const closing = this.#closing === undefined ? [] : [this.#closing];
    return [this.#partitions, this.#rows, this.#roots, this.#counts, ...closing];
  }

  /** Notes what a partition shows before the epoch's first change of it. */
  #touch(partition: number): void {
    if (this.#isTouched.get(partition) === 1) return;
    this.#isTouched.set(partition, 1);
    this.#list(this.#roots.get(partition) - 1, this.#before);
    this.#touched.push(partition);
    this.#beforeEnds.push(this.#before.rows.length);
  }

  /** How many rows of a partition can come out, where that is known beforehand; Infinity = all of them. */
  #rowsKept(): number {
    const { appendOnly, rank, limit, offset, withTies } = this.#shape;
    const isBounded = appendOnly && rank === 'row_number' && !withTies;
    return isBounded ? limit + offset : Number.POSITIVE_INFINITY;
  }

  /** Drops last rows as long as what is left holds the rows that can come out: nothing can bring them back. */
  #trim(partition: number, keep: number): void {
    let count = this.#counts.get(partition);
    while (count > keep) {
      const root = this.#roots.get(partition) - 1;
      const weight = this.#rows.weights.get(this.#rows.last(root));
      if (count - weight < keep) break;
      this.#roots.set(partition, this.#rows.removeLast(root) + 1);
      count -= weight;
    }
    this.#counts.set(partition, count);
  }

  /**
   * Appends the rows of a tree that come out, in order.
   * @returns how many copies of rows there are up to the last of them.
   */
  #list(root: number, shown: Shown): number {
    if (root === NONE) return 0;
    if (this.#shape.rank === 'row_number') return this.#listByNumber(root, shown);
    return this.#listByRank(root, shown);
  }

  #listByNumber(root: number, shown: Shown): number {
    const { limit, offset, emitRank, withTies } = this.#shape;
    const end = offset + limit;
    let position = 0;
    let reached = 0;
    let last = NONE;
    this.#rows.walk(root, (row) => {
      const weight = this.#rows.weights.get(row);
      if (weight < 0) return true;
      const first = Math.max(position, offset);
      position += weight;
      let copies = Math.min(position, end) - first;
      if (first >= end) {
        if (!withTies || last === NONE || this.#rows.comparePeers(last, row) !== 0) return false;
        copies = weight;
      } else if (withTies && position > end) {
        copies = position - first;
      }
      reached = position;
      if (copies <= 0) return true;
      last = row;
      for (let i = 0; i < (emitRank ? copies : 1); i++) {
        shown.rows.push(row);
        shown.weights.push(emitRank ? 1 : copies);
        shown.ranks.push(first + i + 1);
      }
      return withTies || position < end;
    });
    return reached;
  }

  #listByRank(root: number, shown: Shown): number {
    const { rank, limit, offset } = this.#shape;
    let position = 0;
    let reached = 0;
    let current = 0;
    let previous = NONE;
    this.#rows.walk(root, (row) => {
      const weight = this.#rows.weights.get(row);
      if (weight < 0) return true;
      if (previous === NONE || this.#rows.comparePeers(previous, row) !== 0) {
        current = rank === 'rank' ? position + 1 : current + 1;
      }
      previous = row;
      position += weight;
      if (current > offset + limit) return false;
      reached = position;
      if (current <= offset) return true;
      shown.rows.push(row);
      shown.weights.push(weight);
      shown.ranks.push(current);
      return true;
    });
    return reached;
  }

  /**
   * Compares what a partition showed, before[start, end), with what it shows now. Where ranks come out, rows of
   * one rank are compared with one another, otherwise all rows.
   */
  #compare(start: number, end: number, now: Shown, removed: Shown, added: Shown): void {
    const { rows, weights, ranks } = this.#before;
    const { emitRank } = this.#shape;
    let i = start;
    let j = 0;
    while (i < end || j < now.rows.length) {
      const rank = Math.min(
        i < end ? (ranks[i] as number) : Number.POSITIVE_INFINITY,
        j < now.rows.length ? (now.ranks[j] as number) : Number.POSITIVE_INFINITY,
      );
      const isHere = (other: number): boolean => !emitRank || other === rank;
      const firstBefore = i;
      const firstNow = j;
      for (; i < end && isHere(ranks[i] as number); i++) {
        this.#addChange(rows[i] as number, -(weights[i] as number));
      }
      for (; j < now.rows.length && isHere(now.ranks[j] as number); j++) {
        this.#addChange(now.rows[j] as number, now.weights[j] as number);
      }
      for (let b = firstBefore; b < i; b++)
        this.#takeChange(rows[b] as number, rank, removed, added);
      for (let n = firstNow; n < j; n++) {
        this.#takeChange(now.rows[n] as number, rank, removed, added);
      }
    }
  }

  #addChange(row: number, weight: number): void {
    this.#changes.set(row, this.#changes.get(row) + weight);
  }

  #takeChange(row: number, rank: number, removed: Shown, added: Shown): void {
    const change = this.#changes.get(row);
    if (change === 0) return;
    this.#changes.set(row, 0);
    const list = change < 0 ? removed : added;
    list.rows.push(row);
    list.weights.push(change);
    list.ranks.push(rank);
  }

  #emitRows(shown: Shown, emit: Emit): void {
    for (let start = 0; start < shown.rows.length; start += ROWS_PER_BATCH_MAX) {
      const end = Math.min(start + ROWS_PER_BATCH_MAX, shown.rows.length);
      const rows = Int32Array.from(shown.rows.slice(start, end));
      const columns = this.#rows.rows.gather(rows, rows.length);
      if (this.#shape.emitRank) {
        const values = new BigInt64Array(rows.length);
        const words = new Int32Array(values.buffer);
        for (let i = start; i < end; i++) writeInt64(words, i - start, shown.ranks[i] as number);
        columns.push({ physical: 'i64', values, nulls: null });
      }
      const weights = Int32Array.from(shown.weights.slice(start, end));
      emit(
        new Batch(rows.length, columns, weights.every((weight) => weight === 1) ? null : weights),
      );
    }
  }
}
