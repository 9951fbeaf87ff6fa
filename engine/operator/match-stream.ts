import { assert } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import { holdsKind, type MatchShape } from '../../sql/row-pattern.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { BatchBuilder } from '../delta/builder.ts';
import { physicalOf } from '../delta/column.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { type CompareRows, inTurn, orderBy, orderExactly } from '../state/row-order.ts';
import { pickColumns, RowStore } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import { cellReader } from '../state/stored-cell.ts';
import { TimeHeap } from '../state/time-heap.ts';
import { Clocks } from './clocks.ts';
import { MatchPartition, StepsExhausted } from './match-rows.ts';
import { MatchScan, type ScanState } from './match-scan.ts';
import type { MatchSearch } from './match-search.ts';
import type { MatchOperatorShape } from './match-table.ts';
import type { Emit, Operator, ReportRowError } from './operator.ts';

export type MatchStreamShape = MatchOperatorShape & {
  /** A clock at t says that rows with a time up to t minus this are all there. */
  readonly closingMicros: bigint;
  /** Ports 1, 2, …; the slowest one counts. */
  readonly clocks: number;
};

/** A partition with rows that a match may still need, or with matches that are counted. */
interface Open {
  readonly rows: MatchPartition;
  readonly state: ScanState;
  readonly search: MatchSearch;
  /** The time that it waits for in the heap. */
  due: bigint | undefined;
  bytes: number;
}

/** About what an open partition takes beside its rows. */
const OPEN_BYTES = 600;
const ROW_BYTES = 8;

/**
 * MATCH_RECOGNIZE in event time: rows come in the order of their time, all rows of one time in one epoch, and none goes.
 * A match comes out when no row that may come can change it: when the search has found it without asking for a row that
 * is not there yet, or when WITHIN and the clock say that such a row would come too late. A search that has to wait goes
 * on where it stood, and what has come out stays.
 * State: per partition the rows from where the next match may begin, and as many before that as PREV goes back. Where
 * neither MATCH_NUMBER nor ^ asks for it, nothing is kept of a partition without such rows. How far a search had come is
 * derived from them.
 */
export class MatchStreamOperator implements Operator {
  readonly schema: Schema;
  failure: StreamError | undefined;
  readonly #shape: MatchStreamShape;
  readonly #report: ReportRowError;
  readonly #partitions: KeyedState;
  readonly #rows: RowStore;
  readonly #compare: CompareRows;
  readonly #scan: MatchScan;
  readonly #open = new Map<number, Open>();
  /** Rows of this epoch by partition. */
  readonly #arrived = new Map<number, number[]>();
  readonly #due = new TimeHeap();
  readonly #clocks: Clocks;
  /** What the slowest clock said at the last flush. */
  #safe: bigint | undefined;
  readonly #builder: BatchBuilder;
  readonly #lookBack: number;
  readonly #keepsCount: boolean;
  #openBytes = 0;

  constructor(
    schema: Schema,
    input: Schema,
    shape: MatchStreamShape,
    report: ReportRowError,
    stepsMax: number,
  ) {
    this.schema = schema;
    this.#shape = shape;
    this.#report = report;
    const types = input.map((column) => column.type);
    const physicals = types.map(physicalOf);
    this.#partitions = new KeyedState(
      shape.partitionBy.map((column) => physicalOf((input[column] as Schema[number]).type)),
    );
    this.#rows = new RowStore(physicals);
    const { columns } = this.#rows;
    this.#compare = inTurn([orderBy(columns, types, shape.orderBy), orderExactly(columns, types)]);
    const cells = columns.map(cellReader);
    this.#scan = new MatchScan(shape, cells, cells[shape.orderBy[0]?.column ?? 0], stepsMax);
    this.#clocks = new Clocks(shape.clocks);
    this.#builder = new BatchBuilder(schema);
    this.#lookBack = lookBackOf(shape);
    this.#keepsCount = countsMatches(shape);
  }

  push(port: number, batch: Batch, _emit: Emit): void {
    if (port > 0) this.#clocks.strike(port - 1, batch);
    else this.#take(batch);
  }

  flush(emit: Emit): void {
    const slowest = this.#clocks.slowest;
    const safe = slowest === undefined ? undefined : slowest - this.#shape.closingMicros;
    const isLater = safe !== undefined && (this.#safe === undefined || safe > this.#safe);
    if ((this.#arrived.size === 0 && !isLater) || this.failure !== undefined) return;
    this.#safe = safe;
    try {
      for (const [partition, rows] of this.#arrived) {
        this.#append(partition, rows);
        this.#settle(partition, emit);
      }
      if (safe !== undefined) {
        for (let at = this.#due.pop(safe); at !== undefined; at = this.#due.pop(safe)) {
          this.#settle(at, emit);
        }
      }
      this.#drain(emit);
    } catch (error) {
      if (!(error instanceof StepsExhausted)) throw error;
      this.failure = error.failure;
    }
    this.#arrived.clear();
    this.#rows.compact();
    this.#partitions.rows.compact();
  }

  stateBytes(): number {
    return this.#partitions.bytes() + this.#rows.bytes() + this.#openBytes;
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  savedParts(): readonly Saved[] {
    const open: Saved = {
      save: (to) => this.#saveOpen(to),
      load: (from) => this.#loadOpen(from),
    };
    return [this.#partitions, this.#rows, this.#clocks, open];
  }

  #take(batch: Batch): void {
    const { length } = batch;
    const partitions = borrowRows(length);
    this.#partitions.claim(pickColumns(batch, this.#shape.partitionBy), length, partitions);
    for (let r = 0; r < length; r++) {
      const partition = partitions[r] as number;
      const copies = batch.weight(r);
      assert(copies > 0, 'rows in event time only come');
      let arrived = this.#arrived.get(partition);
      if (arrived === undefined) {
        arrived = [];
        this.#arrived.set(partition, arrived);
      }
      for (let copy = 0; copy < copies; copy++) {
        const row = this.#rows.allocate();
        this.#rows.putOne(batch.columns, r, row);
        arrived.push(row);
      }
    }
    returnRows(partitions);
  }

  #openOf(number: number): Open {
    const known = this.#open.get(number);
    if (known !== undefined) return known;
    const rows = new MatchPartition(false);
    const state: ScanState = { next: 0, covered: 0, number: 0 };
    const open = { rows, state, search: this.#scan.search(rows), due: undefined, bytes: 0 };
    this.#open.set(number, open);
    return open;
  }

  #append(partition: number, arrived: number[]): void {
    const { rows } = this.#openOf(partition);
    arrived.sort(this.#compare);
    const last = rows.rows.at(-1);
    for (const row of arrived) {
      // A record that could not be read at first may be replayed when its time is over.
      if (last !== undefined && this.#compare(row, last) < 0) {
        const why = new StreamError(
          'VALUE_INVALID_PARAMETER',
          'the row comes when patterns have been matched over rows behind it',
        );
        this.#reportRow(row, why);
        this.#rows.release(row);
      } else rows.rows.push(row);
    }
  }

  /** Goes on as far as the rows and the clock decide; then forgets the rows that no match needs. */
  #settle(number: number, emit: Emit): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    const { rows, state, search } = open;
    rows.safeMicros = this.#safe;
    this.#scan.budget.renew();
    while (state.next < rows.end) {
      const done = this.#scan.attempt(rows, search, state);
      if (done === undefined) break;
      const row = rows.at(done.start);
      if (done.failure !== undefined && row !== undefined) this.#reportRow(row, done.failure);
      for (const values of done.rows) this.#builder.add(values);
      if (this.#builder.length >= ROWS_PER_BATCH_MAX) this.#drain(emit);
    }
    this.#awaitTime(number, open);
    this.#forget(number, open);
  }

  /** Notes when WITHIN ends what is being searched. */
  #awaitTime(number: number, open: Open): void {
    const { rows, state, search } = open;
    if (state.next >= rows.end) return;
    const due = search.isAt(state.next)
      ? search.lastMicros
      : this.#scan.lastMicros(rows, state.next);
    if (due === undefined || due === open.due) return;
    open.due = due;
    if (this.#safe === undefined || due > this.#safe) this.#due.add(due, number);
  }

  #forget(number: number, open: Open): void {
    const { rows, state, search } = open;
    const count = Math.min(state.next - this.#lookBack - rows.base, rows.rows.length);
    if (count > 0) {
      for (const row of rows.rows.splice(0, count)) this.#rows.release(row);
      rows.base += count;
    }
    this.#openBytes -= open.bytes;
    if (rows.rows.length === 0 && !this.#keepsCount) {
      this.#open.delete(number);
      this.#partitions.release(number);
      return;
    }
    open.bytes = OPEN_BYTES + rows.rows.length * ROW_BYTES + search.bytes;
    this.#openBytes += open.bytes;
  }

  #reportRow(row: number, error: StreamError): void {
    const cells = this.#rows.gather(Int32Array.of(row), 1);
    this.#report(error, new Batch(1, cells, null), 0, 1);
  }

  #drain(emit: Emit): void {
    if (this.#builder.length > 0) emit(this.#builder.take());
  }

  #saveOpen(to: StateWriter): void {
    to.data([this.#safe ?? null]);
    to.number(this.#open.size);
    for (const [number, { rows, state }] of this.#open) {
      for (const value of [number, rows.base, state.next, state.covered, state.number]) {
        to.number(value);
      }
      to.number(rows.rows.length);
      to.cells(Int32Array.from(rows.rows));
    }
  }

  #loadOpen(from: StateReader): void {
    const [safe] = from.data();
    this.#safe = typeof safe === 'bigint' ? safe : undefined;
    for (let left = from.number(); left > 0; left--) {
      const number = from.number();
      const open = this.#openOf(number);
      open.rows.base = from.number();
      open.state.next = from.number();
      open.state.covered = from.number();
      open.state.number = from.number();
      open.rows.rows = [...from.cells(new Int32Array(from.number()))];
      open.bytes = OPEN_BYTES + open.rows.rows.length * ROW_BYTES;
      this.#openBytes += open.bytes;
      this.#awaitTime(number, open);
    }
  }
}

/** How far PREV goes back from the first row of a match, in rows. */
function lookBackOf({ values }: MatchShape): number {
  return Math.max(0, ...values.map((value) => (value.kind === 'navigate' ? -value.shift : 0)));
}

/** Whether it counts how many rows or matches there were before. */
function countsMatches({ values, pattern }: MatchShape): boolean {
  return values.some(({ kind }) => kind === 'match-number') || holdsKind(pattern, 'start');
}
