import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { type BatchColumn, physicalOf } from '../delta/column.ts';
import type { SortColumn } from '../plan/physical-node.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { NONE } from '../state/row-store.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import { writeInt64 } from './group-count.ts';
import type { Emit, Operator } from './operator.ts';

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
}

/** One row that comes out: its row in the state, how many copies, and its rank. */
interface Shown {
  readonly rows: number[];
  readonly weights: number[];
  readonly ranks: number[];
}

interface Before {
  readonly partition: number;
  /** What was downstream when the epoch began; undefined = nothing. */
  readonly columns: readonly BatchColumn[] | undefined;
  readonly weights: readonly number[];
}

/**
 * Per partition the rows that ORDER BY … OFFSET … LIMIT, or a bound on row_number, rank or dense_rank, keeps. Rows are
 * held in order, ties broken by the whole row, so that the choice does not depend on arrival. At flush a touched
 * partition's rows are listed again and the difference to what was listed before comes out: O(offset + limit) per
 * touched partition, and equal rows cancel before they are emitted.
 * State: all rows of the input; over append-only input only those that can still come out.
 */
export class TopNOperator implements Operator {
  readonly schema: Schema;
  readonly #shape: TopNShape;
  readonly #inputColumns: number;
  readonly #partitions: KeyedState;
  readonly #rows: OrderedState;
  /** Root of a partition's tree + 1; 0 = empty. */
  readonly #roots = Segments.int32();
  /** Copies of rows per partition: over append-only input the tree is cut to what can come out. */
  readonly #counts = Segments.float64();
  readonly #isTouched = Segments.uint8();
  #touched: Before[] = [];

  constructor(schema: Schema, input: Schema, shape: TopNShape) {
    this.schema = schema;
    this.#shape = shape;
    this.#inputColumns = input.length;
    const types = input.map((column) => column.type);
    this.#partitions = new KeyedState(
      shape.partitionBy.map((column) => physicalOf((input[column] as Schema[number]).type)),
    );
    this.#rows = new OrderedState(types, shape.orderBy);
  }

  push(_port: number, batch: Batch, _emit: Emit): void {
    const { length } = batch;
    const partitions = borrowRows(length);
    this.#partitions.claim(
      this.#shape.partitionBy.map((column) => batch.column(column)),
      length,
      partitions,
    );
    const { end } = this.#partitions.rows;
    this.#roots.ensure(end);
    this.#counts.ensure(end);
    this.#isTouched.ensure(end);
    const from = borrowRows(length);
    const to = borrowRows(length);
    for (let r = 0; r < length; r++) {
      this.#touch(partitions[r] as number);
      from[r] = r;
      to[r] = this.#rows.rows.allocate();
    }
    this.#rows.ensure();
    this.#rows.rows.put(batch.columns, from, to, length);
    for (let r = 0; r < length; r++) {
      const partition = partitions[r] as number;
      const weight = batch.weight(r);
      const root = this.#rows.add(this.#roots.get(partition) - 1, to[r] as number, weight);
      this.#roots.set(partition, root + 1);
      this.#counts.set(partition, this.#counts.get(partition) + weight);
      if (this.#shape.appendOnly) this.#trim(partition);
    }
    returnRows(to);
    returnRows(from);
    returnRows(partitions);
  }

  flush(emit: Emit): void {
    if (this.#touched.length === 0) return;
    const touched = this.#touched;
    this.#touched = [];
    const changes = new ChangeList(this.schema);
    for (const before of touched) {
      this.#isTouched.set(before.partition, 0);
      this.#compare(before, changes, emit);
    }
    changes.emit(emit);
    for (const { partition } of touched) {
      if (this.#roots.get(partition) === 0) this.#partitions.release(partition);
    }
    this.#rows.rows.compact();
    this.#partitions.rows.compact();
  }

  stateBytes(): number {
    return (
      this.#partitions.bytes() +
      this.#rows.bytes() +
      this.#roots.bytes +
      this.#counts.bytes +
      this.#isTouched.bytes
    );
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  /** Notes what a partition shows before the epoch's first change of it. */
  #touch(partition: number): void {
    if (this.#isTouched.get(partition) === 1) return;
    this.#isTouched.set(partition, 1);
    const shown = this.#list(this.#roots.get(partition) - 1);
    const columns = shown.rows.length === 0 ? undefined : this.#columnsOf(shown);
    this.#touched.push({ partition, columns, weights: shown.weights });
  }

  /** Drops last rows as long as what is left holds offset + limit rows: nothing can bring them back. */
  #trim(partition: number): void {
    const { rank, limit, offset, withTies } = this.#shape;
    const keep = limit + offset;
    if (rank !== 'row_number' || withTies || keep === Number.POSITIVE_INFINITY) return;
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

  /** The rows of a tree that come out, in order. */
  #list(root: number): Shown {
    const shown: Shown = { rows: [], weights: [], ranks: [] };
    if (root === NONE) return shown;
    if (this.#shape.rank === 'row_number') this.#listByNumber(root, shown);
    else this.#listByRank(root, shown);
    return shown;
  }

  #listByNumber(root: number, shown: Shown): void {
    const { limit, offset, emitRank, withTies } = this.#shape;
    const end = offset + limit;
    let position = 0;
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
      if (copies <= 0) return true;
      last = row;
      for (let i = 0; i < (emitRank ? copies : 1); i++) {
        shown.rows.push(row);
        shown.weights.push(emitRank ? 1 : copies);
        shown.ranks.push(first + i + 1);
      }
      return withTies || position < end;
    });
  }

  #listByRank(root: number, shown: Shown): void {
    const { rank, limit, offset } = this.#shape;
    let position = 0;
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
      if (current <= offset) return true;
      shown.rows.push(row);
      shown.weights.push(weight);
      shown.ranks.push(current);
      return true;
    });
  }

  #columnsOf(shown: Shown): BatchColumn[] {
    const columns = this.#rows.rows.gather(Int32Array.from(shown.rows), shown.rows.length);
    if (this.schema.length > this.#inputColumns) {
      const values = new BigInt64Array(shown.ranks.length);
      const words = new Int32Array(values.buffer);
      shown.ranks.forEach((rank, i) => {
        writeInt64(words, i, rank);
      });
      columns.push({ physical: 'i64', values, nulls: null });
    }
    return columns;
  }

  #compare(before: Before, changes: ChangeList, emit: Emit): void {
    const shown = this.#list(this.#roots.get(before.partition) - 1);
    if (before.columns !== undefined) {
      changes.add(
        before.columns,
        before.weights.map((weight) => -weight),
      );
    }
    if (shown.rows.length > 0) changes.add(this.#columnsOf(shown), shown.weights);
    changes.endPartition(emit);
  }
}

/** Adds up the weights of equal rows of one partition, and collects what is left into batches. */
class ChangeList {
  readonly #state: KeyedState;
  #weights = new Map<number, number>();
  readonly #changed: number[] = [];
  readonly #changes: number[] = [];

  constructor(schema: Schema) {
    this.#state = new KeyedState(
      schema.map((column) => physicalOf(column.type)),
      [],
      'exact',
    );
  }

  add(columns: readonly BatchColumn[], weights: readonly number[]): void {
    const rows = borrowRows(weights.length);
    this.#state.claim(columns, weights.length, rows);
    weights.forEach((weight, i) => {
      const row = rows[i] as number;
      this.#weights.set(row, (this.#weights.get(row) ?? 0) + weight);
    });
    returnRows(rows);
  }

  endPartition(emit: Emit): void {
    for (const [row, weight] of this.#weights) {
      if (weight === 0) {
        this.#state.release(row);
        continue;
      }
      this.#changed.push(row);
      this.#changes.push(weight);
    }
    this.#weights = new Map();
    if (this.#changed.length >= ROWS_PER_BATCH_MAX) this.emit(emit);
  }

  /** Retractions first, so that a reader never sees more rows than the limit for long. */
  emit(emit: Emit): void {
    const order = this.#changed.map((_, i) => i);
    order.sort((a, b) => (this.#changes[a] as number) - (this.#changes[b] as number));
    for (let start = 0; start < order.length; start += ROWS_PER_BATCH_MAX) {
      const part = order.slice(start, start + ROWS_PER_BATCH_MAX);
      const rows = Int32Array.from(part, (i) => this.#changed[i] as number);
      const weights = Int32Array.from(part, (i) => this.#changes[i] as number);
      emit(new Batch(rows.length, this.#state.rows.gather(rows, rows.length), weights));
    }
    for (const row of this.#changed) this.#state.release(row);
    this.#changed.length = 0;
    this.#changes.length = 0;
  }
}
