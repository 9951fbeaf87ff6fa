import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { gather } from '../delta/gather.ts';
import type { Threshold } from '../plan/threshold.ts';
import { OrderedState } from '../state/ordered-state.ts';
import { NONE } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { nullColumn } from './null-column.ts';
import type { Emit, Operator } from './operator.ts';

/** Whether a row comes out, by how what is compared stands to the limit: below 0, 0, above 0. */
const PASSES: Readonly<Record<Threshold['op'], (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/**
 * Rows on one side of a limit, which is a column of a single row. Rows that come are held against the limit of the last flush; when it
 * has moved, those between the old and the new one come out or are taken back, O(log n) to find and O(1) each.
 * State: all rows whose compared column is not NULL, in its order, and the limit.
 */
export class ThresholdJoinOperator implements Operator {
  readonly schema: Schema;
  readonly #shape: Threshold;
  readonly #passes: (order: number) => boolean;
  readonly #rows: OrderedState;
  #root = NONE;
  /** A row of `#rows` that is in no tree and has the limit in the compared column; NONE = no row passes. */
  #limit = NONE;
  /** What the other input says the limit is; a single row when an epoch ends. */
  readonly #limits: OrderedState;
  #limitRoot = NONE;
  #isMoved = false;

  /** @param schemas  of both inputs. */
  constructor(schema: Schema, schemas: readonly [Schema, Schema], shape: Threshold) {
    this.schema = schema;
    this.#shape = shape;
    this.#passes = PASSES[shape.op];
    const own = schemas[shape.rows];
    const other = schemas[1 - shape.rows] as Schema;
    this.#rows = new OrderedState(
      own.map(({ type }) => type),
      [{ column: shape.column, descending: false, nullsFirst: false }],
    );
    this.#limits = new OrderedState(
      other.slice(shape.limit, shape.limit + 1).map(({ type }) => type),
      [{ column: 0, descending: false, nullsFirst: false }],
    );
  }

  push(port: number, batch: Batch, emit: Emit): void {
    if (port === this.#shape.rows) this.#take(batch, emit);
    else {
      const limits = new Batch(batch.length, [batch.column(this.#shape.limit)], batch.weights);
      this.#limitRoot = this.#limits.addBatch(this.#limitRoot, limits);
      this.#isMoved = true;
    }
  }

  flush(emit: Emit): void {
    if (!this.#isMoved) return;
    this.#isMoved = false;
    const before = this.#limit;
    const now = this.#newLimit();
    this.#limit = now;
    this.#move(before, now, emit);
    if (before !== NONE) this.#rows.rows.release(before);
    this.#rows.rows.compact();
  }

  stateBytes(): number {
    return this.#rows.bytes() + this.#limits.bytes();
  }

  stateEntries(): number {
    return this.#rows.count + this.#limits.count;
  }

  savedParts(): readonly Saved[] {
    const places: Saved = {
      save: (to) => {
        for (const place of [this.#root, this.#limit, this.#limitRoot]) to.number(place);
      },
      load: (from) => {
        this.#root = from.number();
        this.#limit = from.number();
        this.#limitRoot = from.number();
      },
    };
    return [places, this.#rows, this.#limits];
  }

  #take(batch: Batch, emit: Emit): void {
    const known = this.#comparable(batch);
    const passing = borrowRows(known.length);
    let count = 0;
    this.#root = this.#rows.addBatch(this.#root, known, (row, index) => {
      if (this.#passesAt(row, this.#limit)) passing[count++] = index;
    });
    if (count > 0) this.#emit(gather(known, passing, count), emit);
    returnRows(passing);
  }

  /** The rows of a batch whose compared column is not NULL: others never pass. */
  #comparable(batch: Batch): Batch {
    const { nulls } = batch.column(this.#shape.column);
    if (nulls === null) return batch;
    const rows = borrowRows(batch.length);
    let count = 0;
    for (let row = 0; row < batch.length; row++) if (nulls[row] !== 1) rows[count++] = row;
    const known = count === batch.length ? batch : gather(batch, rows, count);
    returnRows(rows);
    return known;
  }

  #passesAt(row: number, limit: number): boolean {
    return limit !== NONE && this.#passes(this.#rows.comparePeers(row, limit));
  }

  /** Puts the other input's value into a row of its own. */
  #newLimit(): number {
    const single = this.#limitRoot === NONE ? NONE : this.#limits.first(this.#limitRoot);
    if (single === NONE) return NONE;
    const [value] = this.#limits.rows.gather(Int32Array.of(single), 1);
    if (value === undefined || value.nulls?.[0] === 1) return NONE;
    const { rows } = this.#rows;
    const limit = rows.allocate();
    this.#rows.ensure();
    const columns = rows.columns.map(({ physical }, column) =>
      column === this.#shape.column ? value : nullColumn(physical, 1),
    );
    rows.put(columns, Int32Array.of(0), Int32Array.of(limit), 1);
    return limit;
  }

  /** Tells of the rows that pass at one of two limits only. */
  #move(before: number, now: number, emit: Emit): void {
    const { comparePeers, weights } = this.#rows;
    const found = borrowRows(ROWS_PER_BATCH_MAX);
    const changes = new Int32Array(ROWS_PER_BATCH_MAX);
    let count = 0;
    const emitFound = (): void => {
      if (count === 0) return;
      const columns = this.#rows.rows.gather(found, count);
      this.#emit(new Batch(count, columns, changes.slice(0, count)), emit);
      count = 0;
    };
    const visit = (row: number): void => {
      const passes = this.#passesAt(row, now);
      if (passes === this.#passesAt(row, before)) return;
      if (count === ROWS_PER_BATCH_MAX) emitFound();
      found[count] = row;
      changes[count++] = passes ? weights.get(row) : -weights.get(row);
    };
    if (before === NONE || now === NONE) {
      this.#rows.walk(this.#root, (row) => {
        visit(row);
        return true;
      });
    } else {
      const [low, high] = comparePeers(before, now) < 0 ? [before, now] : [now, before];
      this.#rows.walkFrom(
        this.#root,
        (row) => comparePeers(row, low) >= 0,
        (row) => {
          visit(row);
          return comparePeers(row, high) <= 0;
        },
      );
    }
    emitFound();
    returnRows(found);
  }

  #emit(rows: Batch, emit: Emit): void {
    const columns = this.#shape.output.map((column) => rows.column(column));
    emit(new Batch(rows.length, columns, rows.weights));
  }
}
