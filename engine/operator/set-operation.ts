import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { physicalOf } from '../delta/column.ts';
import type { ForgetRule } from '../plan/physical-node.ts';
import { timeCells } from '../state/closing-index.ts';
import { KeyedState } from '../state/keyed-state.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import { ClosingRows } from './closing-rows.ts';
import type { Forgetful } from './forgetting.ts';
import type { Emit } from './operator.ts';

/** How often a row is in the result, by how often it is in the left and in the right input. */
export type SetRule = (left: number, right: number) => number;

export const setRules = {
  /** Also DISTINCT, which is a union without a right input. */
  union: (left, right) => (left + right > 0 ? 1 : 0),
  intersect: (left, right) => (left > 0 && right > 0 ? 1 : 0),
  'intersect all': (left, right) => Math.max(Math.min(left, right), 0),
  except: (left, right) => (left > 0 && right <= 0 ? 1 : 0),
  'except all': (left, right) => Math.max(left - Math.max(right, 0), 0),
} as const satisfies Record<string, SetRule>;

/**
 * DISTINCT, UNION, INTERSECT and EXCEPT, with and without ALL: counts each row per input, and at flush emits how
 * much the rule's answer has moved since the last flush. So counts may pass through anything within an epoch, and a
 * row that came and went is never emitted.
 * State: the distinct rows of all inputs, with their counts.
 */
export class SetOperationOperator implements Forgetful {
  readonly schema: Schema;
  readonly #rule: SetRule;
  readonly #rows: KeyedState;
  readonly #counts = [Segments.int32(), Segments.int32()] as const;
  /** How often the row is downstream. */
  readonly #emitted = Segments.int32();
  readonly #isTouched = Segments.uint8();
  readonly #touched: number[] = [];
  readonly #closing: ClosingRows | undefined;

  constructor(schema: Schema, rule: SetRule, forgets?: ForgetRule | undefined) {
    this.schema = schema;
    this.#rule = rule;
    this.#rows = new KeyedState(schema.map((column) => physicalOf(column.type)));
    if (forgets !== undefined) {
      const cells = timeCells(this.#rows.rows.columns[forgets.column]);
      this.#closing = new ClosingRows(cells, forgets);
    }
  }

  push(port: number, batch: Batch, _emit: Emit): void {
    const { length, weights } = batch;
    const rows = borrowRows(length);
    const created = this.#closing === undefined ? undefined : borrowRows(length);
    const createdCount = this.#rows.claim(batch.columns, length, rows, created);
    if (created !== undefined) {
      this.#closing?.addCreated(created, createdCount, rows);
      returnRows(created);
    }
    const { end } = this.#rows.rows;
    const counts = port === 0 ? this.#counts[0] : this.#counts[1];
    this.#counts[0].ensure(end);
    this.#counts[1].ensure(end);
    this.#emitted.ensure(end);
    this.#isTouched.ensure(end);
    for (let r = 0; r < length; r++) {
      const row = rows[r] as number;
      counts.set(row, counts.get(row) + (weights === null ? 1 : (weights[r] as number)));
      if (this.#isTouched.get(row) === 1) continue;
      this.#isTouched.set(row, 1);
      this.#touched.push(row);
    }
    returnRows(rows);
  }

  flush(emit: Emit): void {
    const touched = this.#touched;
    if (touched.length === 0) return;
    for (let start = 0; start < touched.length; start += ROWS_PER_BATCH_MAX) {
      this.#emitChanges(start, Math.min(start + ROWS_PER_BATCH_MAX, touched.length), emit);
    }
    for (const row of touched) {
      this.#isTouched.set(row, 0);
      if (this.#counts[0].get(row) === 0 && this.#counts[1].get(row) === 0) this.#rows.release(row);
    }
    touched.length = 0;
    this.#rows.rows.compact();
  }

  isBehindAt(clock: bigint): boolean {
    return this.#closing?.isBehind(clock) === true;
  }

  forget(clock: bigint, most: number): void {
    const [left, right] = this.#counts;
    this.#closing?.forget(clock, most, (rows, count) => {
      let dropped = 0;
      for (let i = 0; i < count; i++) {
        const row = rows[i] as number;
        if (left.get(row) === 0 && right.get(row) === 0) continue;
        left.set(row, 0);
        right.set(row, 0);
        this.#emitted.set(row, 0);
        this.#rows.release(row);
        dropped++;
      }
      return dropped;
    });
    this.#rows.rows.compact();
  }

  #emitChanges(start: number, end: number, emit: Emit): void {
    const changed = borrowRows(end - start);
    const weights = new Int32Array(end - start);
    let count = 0;
    let isPlain = true;
    for (let i = start; i < end; i++) {
      const row = this.#touched[i] as number;
      const wanted = this.#rule(this.#counts[0].get(row), this.#counts[1].get(row));
      const change = wanted - this.#emitted.get(row);
      if (change === 0) continue;
      this.#emitted.set(row, wanted);
      if (change !== 1) isPlain = false;
      changed[count] = row;
      weights[count++] = change;
    }
    if (count > 0) {
      const columns = this.#rows.rows.gather(changed, count);
      emit(new Batch(count, columns, isPlain ? null : weights.subarray(0, count)));
    }
    returnRows(changed);
  }

  stateBytes(): number {
    return (
      this.#rows.bytes() +
      this.#counts[0].bytes +
      this.#counts[1].bytes +
      this.#emitted.bytes +
      this.#isTouched.bytes +
      (this.#closing?.bytes ?? 0)
    );
  }

  stateEntries(): number {
    return this.#rows.count;
  }

  savedParts(): readonly Saved[] {
    const closing = this.#closing === undefined ? [] : [this.#closing];
    return [this.#rows, ...this.#counts, this.#emitted, ...closing];
  }
}
