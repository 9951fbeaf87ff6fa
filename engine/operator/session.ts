import {
  type Schema,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
} from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { physicalOf } from '../delta/column.ts';
import type { ForgetRule } from '../plan/physical-node.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { NONE } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Int64Segments, Segments } from '../state/segments.ts';
import { type StoredColumn, StoredInt64s } from '../state/stored-column.ts';
import { ClosingRows } from './closing-rows.ts';
import type { Forgetful } from './forgetting.ts';
import type { Emit } from './operator.ts';

export interface SessionShape {
  readonly gapMicros: bigint;
  readonly timeColumn: number;
  readonly partitionBy: readonly number[];
  /** When rows are dropped, by their session's end. */
  readonly forgets?: ForgetRule | undefined;
}

/** What comes out: rows of the state with the bounds that they had or have. */
interface Changes {
  readonly rows: number[];
  readonly weights: number[];
  readonly starts: bigint[];
  readonly ends: bigint[];
}

/**
 * SESSION: rows of a partition whose times are at most the gap apart are in one session, from the first row's time to
 * the last one's plus the gap, as in Flink and ksqlDB. A row that comes may join two sessions, one that goes may split one: at flush the rows
 * around each touched time, as far as they hang together, get their bounds anew, and where these have changed the row
 * is taken back and given again. Rows whose time is NULL or infinite are in no session.
 * State: all rows in order of time, with the bounds that they were given.
 */
export class SessionOperator implements Forgetful {
  readonly schema: Schema;
  readonly #shape: SessionShape;
  readonly #partitions: KeyedState;
  readonly #rows: OrderedState;
  readonly #times: StoredInt64s;
  /** Root of a partition's tree + 1; 0 = empty. */
  readonly #roots = Segments.int32();
  /** How often a row is downstream, and with which bounds. */
  readonly #emitted = Segments.int32();
  readonly #starts = new Int64Segments();
  readonly #ends = new Int64Segments();
  /** Times per partition at which this epoch has changed something. */
  readonly #touched = new Map<number, bigint[]>();
  /** Rows by their session's end. */
  readonly #closing: ClosingRows | undefined;

  constructor(schema: Schema, input: Schema, shape: SessionShape) {
    this.schema = schema;
    this.#shape = shape;
    const types = input.map((column) => column.type);
    this.#partitions = new KeyedState(
      shape.partitionBy.map((column) => physicalOf((input[column] as Schema[number]).type)),
    );
    const order = { column: shape.timeColumn, descending: false, nullsFirst: false };
    this.#rows = new OrderedState(types, [order]);
    const times = this.#rows.rows.columns[shape.timeColumn]?.values;
    if (!(times instanceof StoredInt64s)) {
      throw new Error('assertion failed: sessions are over timestamps');
    }
    this.#times = times;
    if (shape.forgets !== undefined) {
      const cells = { segments: this.#ends, isNull: () => false };
      this.#closing = new ClosingRows(cells, shape.forgets);
    }
  }

  push(_port: number, batch: Batch, _emit: Emit): void {
    const { length } = batch;
    const { timeColumn, partitionBy } = this.#shape;
    const time = batch.column(timeColumn);
    if (time.physical !== 'i64') throw new Error('assertion failed: sessions are over timestamps');
    const partitions = borrowRows(length);
    this.#partitions.claim(
      partitionBy.map((column) => batch.column(column)),
      length,
      partitions,
    );
    this.#roots.ensure(this.#partitions.rows.end);
    const from = borrowRows(length);
    const to = borrowRows(length);
    let count = 0;
    for (let r = 0; r < length; r++) {
      const micros = time.values[r] as bigint;
      const isNull = time.nulls !== null && time.nulls[r] === 1;
      this.#touch(partitions[r] as number);
      if (isNull || micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_NEGATIVE_INFINITY)
        continue;
      this.#touched.get(partitions[r] as number)?.push(micros);
      from[count] = r;
      to[count++] = this.#rows.rows.allocate();
    }
    this.#rows.ensure();
    const { end } = this.#rows.rows;
    this.#emitted.ensure(end);
    this.#starts.ensure(end);
    this.#ends.ensure(end);
    this.#rows.rows.put(batch.columns, from, to, count);
    for (let i = 0; i < count; i++) {
      const source = from[i] as number;
      const partition = partitions[source] as number;
      const root = this.#roots.get(partition) - 1;
      const next = this.#rows.add(root, to[i] as number, batch.weight(source));
      this.#roots.set(partition, next + 1);
    }
    returnRows(to);
    returnRows(from);
    returnRows(partitions);
  }

  flush(emit: Emit): void {
    if (this.#touched.size === 0) return;
    const removed: Changes = { rows: [], weights: [], starts: [], ends: [] };
    const added: Changes = { rows: [], weights: [], starts: [], ends: [] };
    for (const row of this.#rows.retired) this.#give(row, 0, 0n, 0n, removed, added);
    for (const [partition, times] of this.#touched) {
      const root = this.#roots.get(partition) - 1;
      if (root !== NONE) this.#settle(root, times, removed, added);
    }
    this.#emitChanges(removed, emit);
    this.#emitChanges(added, emit);
    for (const partition of this.#touched.keys()) {
      if (this.#roots.get(partition) === 0) this.#partitions.release(partition);
    }
    this.#touched.clear();
    this.#rows.releaseRetired();
    this.#partitions.rows.compact();
  }

  isBehindAt(clock: bigint): boolean {
    return this.#closing?.isBehind(clock) === true;
  }

  forget(clock: bigint, most: number): void {
    this.#closing?.forget(clock, most, (rows, count) => this.#drop(rows, count));
    this.#partitions.rows.compact();
  }

  stateBytes(): number {
    return (
      this.#partitions.bytes() +
      this.#rows.bytes() +
      this.#roots.bytes +
      this.#emitted.bytes +
      this.#starts.bytes +
      this.#ends.bytes +
      (this.#closing?.bytes ?? 0)
    );
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  savedParts(): readonly Saved[] {
    const bounds = [this.#emitted, this.#starts, this.#ends];
    const closing = this.#closing === undefined ? [] : [this.#closing];
    return [this.#partitions, this.#rows, this.#roots, ...bounds, ...closing];
  }

  #touch(partition: number): void {
    if (!this.#touched.has(partition)) this.#touched.set(partition, []);
  }

  #timeOf(row: number): bigint {
    return this.#times.segments.get(row);
  }

  /** Gives the rows around touched times their sessions. */
  #settle(root: number, times: bigint[], removed: Changes, added: Changes): void {
    times.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    // Rows up to here have their sessions already, and the next one does not hang together with them.
    let done: bigint | undefined;
    for (const time of times) {
      if (done !== undefined && time <= done) continue;
      const rows = this.#around(root, time, done);
      const last = rows.at(-1);
      this.#giveSessions(rows, removed, added);
      if (last !== undefined) done = this.#timeOf(last);
    }
  }

  /** The rows in order that hang together with a time, as if a row were there, but none up to `done`. */
  #around(root: number, time: bigint, done: bigint | undefined): readonly number[] {
    const { gapMicros } = this.#shape;
    const before: number[] = [];
    let edge = time;
    this.#rows.walkBack(
      root,
      (row) => this.#timeOf(row) < time,
      (row) => {
        const at = this.#timeOf(row);
        if (edge - at > gapMicros || (done !== undefined && at <= done)) return false;
        before.push(row);
        edge = at;
        return true;
      },
    );
    const rows = before.reverse();
    edge = time;
    this.#rows.walkFrom(
      root,
      (row) => this.#timeOf(row) >= time,
      (row) => {
        const at = this.#timeOf(row);
        if (at - edge > gapMicros) return false;
        rows.push(row);
        edge = at;
        return true;
      },
    );
    return rows;
  }

  #giveSessions(rows: readonly number[], removed: Changes, added: Changes): void {
    const { gapMicros } = this.#shape;
    let first = 0;
    for (let next = 1; next <= rows.length; next++) {
      const last = this.#timeOf(rows[next - 1] as number);
      if (next < rows.length && this.#timeOf(rows[next] as number) - last <= gapMicros) continue;
      const start = this.#timeOf(rows[first] as number);
      for (let i = first; i < next; i++) {
        const row = rows[i] as number;
        this.#give(row, this.#rows.weights.get(row), start, last + gapMicros, removed, added);
      }
      first = next;
    }
  }

  #give(
    row: number,
    weight: number,
    start: bigint,
    end: bigint,
    removed: Changes,
    added: Changes,
  ): void {
    const before = this.#emitted.get(row);
    const oldStart = this.#starts.get(row);
    const oldEnd = this.#ends.get(row);
    const isSame = oldStart === start && oldEnd === end;
    if (before !== 0 && !isSame) note(removed, row, -before, oldStart, oldEnd);
    const change = isSame ? weight - before : weight;
    if (change !== 0) note(change < 0 ? removed : added, row, change, start, end);
    this.#emitted.set(row, weight);
    this.#starts.set(row, start);
    this.#ends.set(row, end);
    if (weight !== 0 && !isSame) this.#closing?.add(Int32Array.of(row), 1);
  }

  /** @returns how many of the rows were there, and have gone. */
  #drop(rows: Int32Array, count: number): number {
    const live: number[] = [];
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      if (this.#emitted.get(row) === 0) continue;
      this.#emitted.set(row, 0);
      live.push(row);
    }
    const { columns } = this.#rows.rows;
    const list = Int32Array.from(live);
    const partitions = borrowRows(list.length);
    const key = this.#shape.partitionBy.map((column) =>
      (columns[column] as StoredColumn).gather(list, list.length),
    );
    this.#partitions.find(key, list.length, partitions);
    for (let i = 0; i < list.length; i++) {
      const partition = partitions[i] as number;
      const root = this.#rows.removeLastEqual(this.#roots.get(partition) - 1, list[i] as number);
      this.#roots.set(partition, root + 1);
      if (root === NONE) this.#partitions.release(partition);
    }
    returnRows(partitions);
    this.#rows.releaseRetired();
    return list.length;
  }

  #emitChanges({ rows, weights, starts, ends }: Changes, emit: Emit): void {
    for (let at = 0; at < rows.length; at += ROWS_PER_BATCH_MAX) {
      const to = at + ROWS_PER_BATCH_MAX;
      const part = Int32Array.from(rows.slice(at, to));
      const columns = this.#rows.rows.gather(part, part.length);
      for (const bounds of [starts, ends]) {
        const values = BigInt64Array.from(bounds.slice(at, to));
        columns.push({ physical: 'i64', values, nulls: null });
      }
      emit(new Batch(part.length, columns, Int32Array.from(weights.slice(at, to))));
    }
  }
}

function note(changes: Changes, row: number, weight: number, start: bigint, end: bigint): void {
  changes.rows.push(row);
  changes.weights.push(weight);
  changes.starts.push(start);
  changes.ends.push(end);
}
