import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { type BatchColumn, type Physical, physicalOf } from '../delta/column.ts';
import { gatherColumn } from '../delta/gather.ts';
import { KeyedState } from '../state/keyed-state.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import { markChanges } from './column-change.ts';
import type { Emit, Operator } from './operator.ts';

/**
 * A table with a primary key, from its changelog: a row of positive weight puts a row in the place of the one with
 * its key, a row of negative weight removes the row with its key (its other columns mean nothing). The order of rows
 * matters. Out come weighted changes, at flush: for every key that has changed, the row before and the row now.
 * Rows whose key is NULL are the decoder's to refuse.
 * State: the current row of every key.
 */
export class UpsertOperator implements Operator {
  readonly schema: Schema;
  readonly #key: readonly number[];
  /** Key columns first, then the others. */
  readonly #order: readonly number[];
  readonly #rows: KeyedState;
  /** 1 while the key has a row. */
  readonly #isPresent = Segments.uint8();
  readonly #isTouched = Segments.uint8();
  /** What was downstream when the epoch began, for keys that it has touched. */
  #touched: { readonly rows: Int32Array; readonly before: readonly BatchColumn[] | undefined }[] =
    [];

  constructor(schema: Schema, key: readonly number[]) {
    this.schema = schema;
    this.#key = key;
    const rest = schema.map((_, column) => column).filter((column) => !key.includes(column));
    this.#order = [...key, ...rest];
    const physicals = this.#order.map((column) => this.#physicalAt(column));
    this.#rows = new KeyedState(physicals.slice(0, key.length), physicals.slice(key.length));
  }

  #physicalAt(column: number): Physical {
    const found = this.schema[column];
    if (found === undefined) throw new Error(`assertion failed: no column ${column}`);
    return physicalOf(found.type);
  }

  push(_port: number, batch: Batch, _emit: Emit): void {
    const { length, weights } = batch;
    const rows = borrowRows(length);
    this.#rows.claim(
      this.#key.map((column) => batch.column(column)),
      length,
      rows,
    );
    this.#isPresent.ensure(this.#rows.rows.end);
    this.#isTouched.ensure(this.#rows.rows.end);
    this.#touch(rows, length);
    // Only the last change of a key counts; walking backwards meets it first.
    const from = borrowRows(length);
    const to = borrowRows(length);
    let count = 0;
    for (let r = length - 1; r >= 0; r--) {
      const row = rows[r] as number;
      if (this.#isTouched.get(row) === SETTLED) continue;
      this.#isTouched.set(row, SETTLED);
      const isPut = weights === null || (weights[r] as number) > 0;
      // A removed key stays findable until the epoch ends; a row that is put writes its key again.
      this.#clear(row, isPut ? 0 : this.#key.length);
      this.#isPresent.set(row, isPut ? 1 : 0);
      if (!isPut) continue;
      from[count] = r;
      to[count++] = row;
    }
    // The key columns are written again: an equal key may be spelled differently (1.0 and 1.00).
    this.#rows.rows.put(
      this.#order.map((column) => batch.column(column)),
      from,
      to,
      count,
    );
    for (let r = 0; r < length; r++) this.#isTouched.set(rows[r] as number, TOUCHED);
    returnRows(to);
    returnRows(from);
    returnRows(rows);
  }

  flush(emit: Emit): void {
    const touched = this.#touched;
    this.#touched = [];
    for (const part of touched) this.#emitChanges(part.rows, part.before, emit);
    for (const { rows } of touched) {
      for (const row of rows) if (this.#isPresent.get(row) === 0) this.#rows.release(row);
    }
    this.#rows.rows.compact();
  }

  stateBytes(): number {
    return this.#rows.bytes() + this.#isPresent.bytes + this.#isTouched.bytes;
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  savedParts(): readonly Saved[] {
    return [this.#rows, this.#isPresent];
  }

  #touch(rows: Int32Array, length: number): void {
    const fresh = borrowRows(length);
    const known = borrowRows(length);
    let freshCount = 0;
    let knownCount = 0;
    for (let r = 0; r < length; r++) {
      const row = rows[r] as number;
      if (this.#isTouched.get(row) !== 0) continue;
      this.#isTouched.set(row, TOUCHED);
      if (this.#isPresent.get(row) === 1) known[knownCount++] = row;
      else fresh[freshCount++] = row;
    }
    if (freshCount > 0) this.#touched.push({ rows: fresh.slice(0, freshCount), before: undefined });
    if (knownCount > 0) {
      const before = this.#rows.rows.gather(known, knownCount);
      this.#touched.push({ rows: known.slice(0, knownCount), before });
    }
    returnRows(known);
    returnRows(fresh);
  }

  #emitChanges(rows: Int32Array, before: readonly BatchColumn[] | undefined, emit: Emit): void {
    const changed = new Uint8Array(rows.length);
    const after = this.#rows.rows.gather(rows, rows.length);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      this.#isTouched.set(row, 0);
      if (before === undefined || this.#isPresent.get(row) === 0) changed[i] = 1;
    }
    before?.forEach((column, i) => {
      markChanges(column, after[i] as BatchColumn, rows.length, changed);
    });
    if (before !== undefined) this.#emitRows(rows, before, (i) => changed[i] === 1, -1, emit);
    const isOut = (i: number): boolean =>
      changed[i] === 1 && this.#isPresent.get(rows[i] as number) === 1;
    this.#emitRows(rows, after, isOut, 1, emit);
  }

  #emitRows(
    rows: Int32Array,
    columns: readonly BatchColumn[],
    isOut: (position: number) => boolean,
    weight: 1 | -1,
    emit: Emit,
  ): void {
    const positions: number[] = [];
    for (let i = 0; i < rows.length; i++) if (isOut(i)) positions.push(i);
    for (let start = 0; start < positions.length; start += ROWS_PER_BATCH_MAX) {
      const part = Int32Array.from(positions.slice(start, start + ROWS_PER_BATCH_MAX));
      const out: BatchColumn[] = new Array(columns.length);
      this.#order.forEach((column, i) => {
        out[column] = gatherColumn(columns[i] as BatchColumn, part, part.length);
      });
      const weights = weight === 1 ? null : new Int32Array(part.length).fill(-1);
      emit(new Batch(part.length, out, weights));
    }
  }

  /** Gives up what a row's cells refer to, before they are written again. */
  #clear(row: number, firstColumn: number): void {
    const { columns } = this.#rows.rows;
    for (let i = firstColumn; i < columns.length; i++) columns[i]?.release(row);
  }
}

/** Values of `isTouched`: changed in this epoch; its last change in this batch was found. */
const TOUCHED = 1;
const SETTLED = 2;
