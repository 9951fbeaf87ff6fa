import type { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { type BatchColumn, physicalOf } from '../delta/column.ts';
import { gatherColumn } from '../delta/gather.ts';
import type { ForgetRule, PhysicalAggregate } from '../plan/physical-node.ts';
import { timeCells } from '../state/closing-index.ts';
import { KeyedState } from '../state/keyed-state.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, Segments } from '../state/segments.ts';
import { ClosingRows } from './closing-rows.ts';
import { markChanges } from './column-change.ts';
import type { Forgetful } from './forgetting.ts';
import { GroupCount } from './group-count.ts';
import { type GroupPlan, planGroups } from './group-plan.ts';
import type { Emit, ReportRowError } from './operator.ts';

const SHOWN = 1;
const FAILED = 2;

/** Groups that were first touched by one push in this epoch. */
interface Touched {
  readonly groups: Int32Array;
  /** The aggregates' values before, for groups that are shown downstream; undefined = none of them is. */
  readonly before: readonly BatchColumn[] | undefined;
}

/**
 * GROUP BY. A group is shown while rows are in it; without keys there is one group, shown always. Rows are added
 * to the groups' states as they come, in any order; at flush every touched group whose values have changed
 * gives one row back and one row out. Keys group as NULL = NULL, and a group keeps the spelling of its key that
 * came first (1.0 or 1.00).
 * State: one entry a group, by the aggregates' own states.
 */
export class AggregateOperator implements Forgetful {
  readonly schema: Schema;
  readonly #keys: readonly number[];
  readonly #groups: KeyedState;
  readonly #rowCount = new GroupCount();
  readonly #plan: GroupPlan;
  readonly #report: ReportRowError;
  /** Groups by the time in their key at which they are dropped. */
  readonly #closing: ClosingRows | undefined;
  /** SHOWN while a group's row is downstream, FAILED while it has none because an aggregate has no value. */
  readonly #shown = Segments.uint8();
  readonly #isTouched = Segments.uint8();
  #touched: Touched[] = [];

  constructor(
    schema: Schema,
    input: Schema,
    keys: readonly number[],
    aggregates: readonly PhysicalAggregate[],
    appendOnly: boolean,
    report: ReportRowError,
    forgets?: ForgetRule | undefined,
  ) {
    this.schema = schema;
    this.#keys = keys;
    this.#report = report;
    this.#groups = new KeyedState(schema.slice(0, keys.length).map((key) => physicalOf(key.type)));
    this.#plan = planGroups(
      aggregates,
      input,
      this.#rowCount,
      appendOnly,
      report,
      forgets !== undefined,
    );
    if (forgets !== undefined) {
      const cells = timeCells(this.#groups.rows.columns[forgets.column]);
      this.#closing = new ClosingRows(cells, forgets);
    }
    if (keys.length === 0) {
      // The one group without keys is there before any row is.
      this.#groups.claim([], 1, new Int32Array(1));
      this.#ensure();
      this.#touch(new Int32Array(1), 1);
    }
  }

  push(_port: number, batch: Batch, _emit: Emit): void {
    const { length } = batch;
    const groups = borrowRows(length);
    const created = this.#closing === undefined ? undefined : borrowRows(length);
    const createdCount = this.#groups.claim(
      this.#keys.map((key) => batch.column(key)),
      length,
      groups,
      created,
    );
    if (created !== undefined) {
      this.#closing?.addCreated(created, createdCount, groups);
      returnRows(created);
    }
    this.#ensure();
    this.#touch(groups, length);
    this.#rowCount.update(batch, groups, batch.weights);
    for (const { selection, state } of this.#plan.states) {
      state.update(batch, groups, selection.weightsOf(batch));
    }
    for (const selection of this.#plan.selections) selection.forget();
    returnRows(groups);
  }

  flush(emit: Emit): void {
    if (this.#touched.length === 0) return;
    const touched = this.#touched;
    this.#touched = [];
    for (const part of touched) this.#emitChanges(part, emit);
    for (const { groups } of touched) this.#forgetEmpty(groups);
    this.#groups.rows.compact();
  }

  isBehindAt(clock: bigint): boolean {
    return this.#closing?.isBehind(clock) === true;
  }

  forget(clock: bigint, most: number): void {
    this.#closing?.forget(clock, most, (groups, count) => {
      let dropped = 0;
      for (let i = 0; i < count; i++) {
        const group = groups[i] as number;
        if (this.#rowCount.counts.get(group) === 0) continue;
        this.#rowCount.clear(group);
        this.#shown.set(group, 0);
        this.#release(group);
        dropped++;
      }
      return dropped;
    });
    this.#groups.rows.compact();
  }

  stateBytes(): number {
    let bytes =
      this.#groups.bytes() + this.#rowCount.bytes() + this.#shown.bytes + this.#isTouched.bytes;
    bytes += this.#closing?.bytes ?? 0;
    for (const { state } of this.#plan.states) bytes += state.bytes();
    return bytes;
  }

  stateEntries(): number {
    return this.#groups.count;
  }

  savedParts(): readonly Saved[] {
    const states = this.#plan.states.map(({ state }) => state);
    // The one group without keys is touched by the constructor, until the first flush.
    const touched: Saved = {
      save: (to) => to.byte(this.#touched.length),
      load: (from) => {
        if (from.byte() > 0) return;
        for (const { groups } of this.#touched.splice(0)) {
          for (const group of groups) this.#isTouched.set(group, 0);
        }
      },
    };
    const closing = this.#closing === undefined ? [] : [this.#closing];
    return [this.#groups, this.#rowCount, this.#shown, ...states, touched, ...closing];
  }

  #ensure(): void {
    const { end } = this.#groups.rows;
    this.#rowCount.ensure(end);
    this.#shown.ensure(end);
    this.#isTouched.ensure(end);
    for (const { state } of this.#plan.states) state.ensure(end);
  }

  /** Notes the groups that this epoch had not touched, with what they look like downstream. */
  #touch(groups: Int32Array, length: number): void {
    const fresh = borrowRows(length);
    const shown = borrowRows(length);
    const failed = borrowRows(length);
    let freshCount = 0;
    let shownCount = 0;
    let failedCount = 0;
    const flags = this.#isTouched.arrays;
    for (let r = 0; r < length; r++) {
      const group = groups[r] as number;
      const cells = flags[group >>> SEGMENT_SHIFT] as Uint8Array;
      if (cells[group & SEGMENT_MASK] === 1) continue;
      cells[group & SEGMENT_MASK] = 1;
      const state = this.#shown.get(group);
      if (state === SHOWN) {
        shown[shownCount++] = group;
        continue;
      }
      fresh[freshCount++] = group;
      if (state === FAILED) failed[failedCount++] = group;
    }
    if (failedCount > 0) this.#takeBackFailures(failed, failedCount);
    if (freshCount > 0)
      this.#touched.push({ groups: fresh.slice(0, freshCount), before: undefined });
    if (shownCount > 0) {
      const before = this.#results(shown, shownCount, () => {});
      this.#touched.push({ groups: shown.slice(0, shownCount), before });
    }
    returnRows(failed);
    returnRows(shown);
    returnRows(fresh);
  }

  /** The groups change now, so what was reported of them at the end of an earlier epoch holds no longer. */
  #takeBackFailures(groups: Int32Array, count: number): void {
    const reported = new Set<number>();
    this.#results(groups, count, (position, error) => {
      if (reported.has(position)) return;
      reported.add(position);
      this.#reportGroup(groups, position, error, -1);
    });
  }

  #results(
    groups: Int32Array,
    count: number,
    failed: (position: number, error: StreamError) => void,
  ): BatchColumn[] {
    return this.#plan.results.map((result) => result.results(groups, count, failed));
  }

  #emitChanges({ groups, before }: Touched, emit: Emit): void {
    const count = groups.length;
    // 1 where the group has a row now.
    const present = new Uint8Array(count);
    const isGlobal = this.#keys.length === 0;
    const flags = this.#isTouched.arrays;
    const counts = this.#rowCount.counts.arrays;
    for (let i = 0; i < count; i++) {
      const group = groups[i] as number;
      const rows = (counts[group >>> SEGMENT_SHIFT] as Float64Array)[group & SEGMENT_MASK];
      present[i] = isGlobal || (rows as number) > 0 ? 1 : 0;
      (flags[group >>> SEGMENT_SHIFT] as Uint8Array)[group & SEGMENT_MASK] = 0;
    }
    const failed = new Set<number>();
    const after = this.#results(groups, count, (position, error) => {
      if (present[position] === 0) return;
      present[position] = 0;
      failed.add(position);
      this.#reportGroup(groups, position, error, 1);
    });
    const changed = new Uint8Array(count);
    if (before === undefined) {
      changed.fill(1);
    } else {
      for (let i = 0; i < before.length; i++) {
        markChanges(before[i] as BatchColumn, after[i] as BatchColumn, count, changed);
      }
      for (let i = 0; i < count; i++) if (present[i] === 0) changed[i] = 1;
    }
    if (before !== undefined) this.#emitRows(groups, before, changed, undefined, -1, emit);
    this.#emitRows(groups, after, changed, present, 1, emit);
    const shown = this.#shown.arrays;
    for (let i = 0; i < count; i++) {
      const group = groups[i] as number;
      (shown[group >>> SEGMENT_SHIFT] as Uint8Array)[group & SEGMENT_MASK] = present[i] as number;
    }
    for (const i of failed) this.#shown.set(groups[i] as number, FAILED);
  }

  /** Emits the changed groups, of these the present ones. */
  #emitRows(
    groups: Int32Array,
    results: readonly BatchColumn[],
    changed: Uint8Array,
    present: Uint8Array | undefined,
    weight: 1 | -1,
    emit: Emit,
  ): void {
    const rows = borrowRows(groups.length);
    const positions = borrowRows(groups.length);
    let count = 0;
    for (let i = 0; i < groups.length; i++) {
      if (changed[i] === 0 || (present !== undefined && present[i] === 0)) continue;
      positions[count] = i;
      rows[count++] = groups[i] as number;
    }
    for (let start = 0; start < count; start += ROWS_PER_BATCH_MAX) {
      const end = Math.min(start + ROWS_PER_BATCH_MAX, count);
      const keys = this.#groups.rows.gather(rows.subarray(start, end), end - start);
      const values = results.map((column) =>
        count === groups.length && start === 0 && end === count
          ? column
          : gatherColumn(column, positions.subarray(start, end), end - start),
      );
      const weights = weight === 1 ? null : new Int32Array(end - start).fill(-1);
      // A group has one row, and gives it back before the next one.
      const forgets = this.#closing !== undefined;
      const named = { owner: this, names: rows.slice(start, end), forgets };
      emit(new Batch(end - start, [...keys, ...values], weights, named));
    }
    returnRows(positions);
    returnRows(rows);
  }

  /** A group whose aggregate has no value (an overflow) leaves the view, as a row does whose expression fails. */
  #reportGroup(groups: Int32Array, position: number, error: StreamError, weight: 1 | -1): void {
    const keys = this.#groups.rows.gather(groups.subarray(position, position + 1), 1);
    const schema = this.schema.slice(0, this.#keys.length);
    this.#report(error, new Batch(1, keys, null), 0, weight, schema);
  }

  #forgetEmpty(groups: Int32Array): void {
    if (this.#keys.length === 0) return;
    const counts = this.#rowCount.counts.arrays;
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i] as number;
      if ((counts[group >>> SEGMENT_SHIFT] as Float64Array)[group & SEGMENT_MASK] === 0) {
        this.#release(group);
      }
    }
  }

  #release(group: number): void {
    for (const { state } of this.#plan.states) state.clear(group);
    this.#groups.release(group);
  }
}
