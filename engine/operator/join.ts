import type { Schema } from '../../sql/base/type.ts';
import type { JoinType } from '../../sql/logical-plan.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { type BatchColumn, type Physical, physicalOf } from '../delta/column.ts';
import { gatherColumn } from '../delta/gather.ts';
import type { ForgetRule } from '../plan/physical-node.ts';
import { LINK_SHIFT, NEXT, WEIGHT } from '../state/arrangement.ts';
import { NONE } from '../state/row-store.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT } from '../state/segments.ts';
import type { Forgetful } from './forgetting.ts';
import { JoinSide } from './join-side.ts';
import { nullColumn } from './null-column.ts';
import type { Emit } from './operator.ts';

/** Pair buffers start small: most joins see few pairs at a time. */
const PAIRS_FIRST = 64;

/** The rest of a join's condition, which is decided before the columns that come out are copied. */
export interface KeepPairs {
  /** The columns that it reads, of left then right ones. */
  readonly columns: readonly number[];
  /** The pairs that it keeps, in order; `pairs` has these columns. */
  readonly select: (pairs: Batch) => { readonly rows: Int32Array; readonly count: number };
}

export interface JoinShape {
  readonly type: JoinType;
  readonly left: Schema;
  readonly right: Schema;
  /** Columns compared by `=`, left and right in pairs; none = every pair is a candidate. */
  readonly leftKeys: readonly number[];
  readonly rightKeys: readonly number[];
  /** Key pairs compared by IS NOT DISTINCT FROM. */
  readonly nullSafe: readonly boolean[];
  /** The rest of the condition; undefined = true. */
  readonly keep: KeepPairs | undefined;
  /** Which of left then right columns come out. */
  readonly output: readonly number[];
  /** When rows of the left and of the right side are dropped. */
  readonly forgets?: readonly (ForgetRule | undefined)[] | undefined;
}

/**
 * Equi-join. d(L join R) = dL join R + L join dR + dL join dR; storing right after probing covers the last
 * term. A row whose key is NULL matches nothing and is never stored.
 *
 * Rows without partners (left, right, full, anti) and rows with partners (semi) follow from a count of matches
 * per stored row: at flush, a touched row's weight downstream becomes its own weight or 0, by that count. Within
 * an epoch counts may pass through anything; only their value at flush decides.
 * State: both inputs, as far back as they reach; for semi and anti joins the right one without repetitions.
 */
export class JoinOperator implements Forgetful {
  readonly schema: Schema;
  readonly #shape: JoinShape;
  readonly #sides: readonly [JoinSide, JoinSide];
  readonly #emitsPairs: boolean;
  /** The pairs collected so far: row of the pushed batch, row of the other side's state, weight. */
  #batchRows: Int32Array = new Int32Array(PAIRS_FIRST);
  #storedRows: Int32Array = new Int32Array(PAIRS_FIRST);
  #weights: Int32Array = new Int32Array(PAIRS_FIRST);

  constructor(schema: Schema, shape: JoinShape) {
    const { type } = shape;
    this.schema = schema;
    this.#shape = shape;
    this.#emitsPairs = type !== 'semi' && type !== 'anti';
    const leftTracked = type !== 'inner' && type !== 'right';
    const rightTracked = type === 'right' || type === 'full';
    this.#sides = [
      new JoinSide(shape.left, shape.leftKeys, shape.nullSafe, leftTracked, shape.forgets?.[0]),
      new JoinSide(shape.right, shape.rightKeys, shape.nullSafe, rightTracked, shape.forgets?.[1]),
    ];
  }

  push(port: number, batch: Batch, emit: Emit): void {
    const own = this.#sides[port] as JoinSide;
    const other = this.#sides[1 - port] as JoinSide;
    const { length } = batch;
    const hashes = borrowRows(length);
    const heads = borrowRows(length);
    const skip = own.nullKeys(batch);
    own.hash(batch, hashes);
    other.rows.first(own.keyOf(batch), length, hashes, heads);
    const matched = own.tracked ? borrowRows(length) : undefined;
    matched?.fill(0, 0, length);
    // A NULL key finds nothing, since rows with one are not stored.
    this.#pair(port, batch, heads, matched, emit);
    if (skip !== null && own.tracked) this.#emitUnmatchable(port, batch, skip, emit);
    const touched = borrowRows(length);
    const count = own.rows.add(batch, hashes, skip, touched);
    own.closing?.add(touched, count);
    if (matched !== undefined) {
      own.ensure();
      // An equal row that was stored before has the same matches, so setting the count is right for both.
      for (let r = 0, i = 0; i < count; r++) {
        if (skip !== null && skip[r] === 1) continue;
        const row = touched[i++] as number;
        own.matches.set(row, matched[r] as number);
        own.touch(row);
      }
      returnRows(matched);
    }
    returnRows(touched);
    returnRows(heads);
    returnRows(hashes);
  }

  flush(emit: Emit): void {
    for (const port of [0, 1]) {
      const side = this.#sides[port] as JoinSide;
      if (side.tracked) this.#settle(port, side, emit);
      side.rows.rows.compact();
    }
  }

  isBehindAt(clock: bigint): boolean {
    return this.#sides.some(({ closing }) => closing?.isBehind(clock) === true);
  }

  forget(clock: bigint, most: number): void {
    let left = most;
    for (const side of this.#sides) {
      left = side.forget(clock, left);
      side.rows.rows.compact();
    }
  }

  stateBytes(): number {
    return this.#sides[0].bytes() + this.#sides[1].bytes();
  }

  stateEntries(): number {
    return this.#sides[0].rows.count + this.#sides[1].rows.count;
  }

  savedParts(): readonly Saved[] {
    return this.#sides;
  }

  #pair(
    port: number,
    batch: Batch,
    heads: Int32Array,
    matched: Int32Array | undefined,
    emit: Emit,
  ): void {
    const other = this.#sides[1 - port] as JoinSide;
    const links = other.rows.links.arrays;
    const { weights } = batch;
    let count = 0;
    let next = NONE;
    // One loop over rows and their chains: V8 leaves optimised code at every end of an inner one that it entered midway.
    for (let r = -1; ; ) {
      if (next === NONE) {
        if (++r === batch.length) break;
        next = heads[r] as number;
        continue;
      }
      const row = next;
      const cell = row << LINK_SHIFT;
      const cells = links[cell >>> SEGMENT_SHIFT] as Int32Array;
      const otherWeight = cells[(cell & SEGMENT_MASK) | WEIGHT] as number;
      next = cells[(cell & SEGMENT_MASK) | NEXT] as number;
      if (otherWeight === 0) continue;
      if (count === this.#batchRows.length) {
        if (count < ROWS_PER_BATCH_MAX) {
          this.#growPairs();
        } else {
          this.#take(port, batch, count, matched, emit);
          count = 0;
        }
      }
      this.#batchRows[count] = r;
      this.#storedRows[count] = row;
      this.#weights[count] = weights === null ? otherWeight : (weights[r] as number) * otherWeight;
      count++;
    }
    if (count > 0) this.#take(port, batch, count, matched, emit);
  }

  #growPairs(): void {
    const length = Math.min(this.#batchRows.length * 4, ROWS_PER_BATCH_MAX);
    const grow = (old: Int32Array): Int32Array => {
      const wider = new Int32Array(length);
      wider.set(old);
      return wider;
    };
    this.#batchRows = grow(this.#batchRows);
    this.#storedRows = grow(this.#storedRows);
    this.#weights = grow(this.#weights);
  }

  /** Counts and emits the collected pairs. */
  #take(
    port: number,
    batch: Batch,
    pairCount: number,
    matched: Int32Array | undefined,
    emit: Emit,
  ): void {
    const count = this.#keepPairs(port, batch, pairCount);
    if (count === 0) return;
    const other = this.#sides[1 - port] as JoinSide;
    if (matched !== undefined || other.tracked) this.#countMatches(other, batch, count, matched);
    if (!this.#emitsPairs) return;
    let weights: Int32Array | null = null;
    for (let i = 0; i < count; i++) {
      if (this.#weights[i] === 1) continue;
      weights = this.#weights.slice(0, count);
      break;
    }
    emit(new Batch(count, this.#pairColumns(this.#shape.output, port, batch, count), weights));
  }

  #countMatches(
    other: JoinSide,
    batch: Batch,
    count: number,
    matched: Int32Array | undefined,
  ): void {
    for (let i = 0; i < count; i++) {
      const r = this.#batchRows[i] as number;
      const row = this.#storedRows[i] as number;
      if (matched !== undefined) matched[r] = (matched[r] as number) + other.rows.weightOf(row);
      if (!other.tracked) continue;
      other.matches.set(row, other.matches.get(row) + batch.weight(r));
      other.touch(row);
    }
  }

  /** Moves the pairs that the residual condition keeps to the front. @returns how many there are. */
  #keepPairs(port: number, batch: Batch, count: number): number {
    const { keep } = this.#shape;
    if (keep === undefined) return count;
    const pairs = new Batch(
      count,
      this.#pairColumns(keep.columns, port, batch, count),
      this.#weights.subarray(0, count),
    );
    const kept = keep.select(pairs);
    if (kept.count === count) return count;
    for (let end = 0; end < kept.count; end++) {
      const i = kept.rows[end] as number;
      this.#batchRows[end] = this.#batchRows[i] as number;
      this.#storedRows[end] = this.#storedRows[i] as number;
      this.#weights[end] = this.#weights[i] as number;
    }
    return kept.count;
  }

  #pairColumns(
    output: readonly number[],
    port: number,
    batch: Batch,
    count: number,
  ): BatchColumn[] {
    const leftCount = this.#shape.left.length;
    const stored = (this.#sides[1 - port] as JoinSide).rows.rows.columns;
    return output.map((column) => {
      const side = column < leftCount ? 0 : 1;
      const index = side === 0 ? column : column - leftCount;
      if (side === port) return gatherColumn(batch.column(index), this.#batchRows, count);
      const source = stored[index];
      if (source === undefined) throw new Error(`assertion failed: no stored column ${index}`);
      return source.gather(this.#storedRows, count);
    });
  }

  /** Rows with a NULL key of a tracked side never match: they are not stored, and pass or vanish at once. */
  #emitUnmatchable(port: number, batch: Batch, skip: Uint8Array, emit: Emit): void {
    if (this.#shape.type === 'semi') return;
    const rows = borrowRows(batch.length);
    let count = 0;
    for (let r = 0; r < batch.length; r++) if (skip[r] === 1) rows[count++] = r;
    const weights = batch.weights === null ? null : new Int32Array(count);
    if (weights !== null)
      for (let i = 0; i < count; i++) weights[i] = batch.weight(rows[i] as number);
    const columns = this.#padded(port, count, (column) =>
      gatherColumn(batch.column(column), rows, count),
    );
    returnRows(rows);
    emit(new Batch(count, columns, weights));
  }

  /** The output columns of rows of one side: NULLs on the other side. */
  #padded(port: number, count: number, own: (column: number) => BatchColumn): BatchColumn[] {
    const { output, left, right } = this.#shape;
    return output.map((column) => {
      const side = column < left.length ? 0 : 1;
      const index = side === 0 ? column : column - left.length;
      if (side === port) return own(index);
      const absent = (side === 0 ? left : right)[index];
      const physical: Physical = absent === undefined ? 'obj' : physicalOf(absent.type);
      return nullColumn(physical, count);
    });
  }

  #settle(port: number, side: JoinSide, emit: Emit): void {
    const touched = side.takeTouched();
    if (touched.length === 0) return;
    const wantsMatched = this.#shape.type === 'semi';
    const removed: number[] = [];
    for (let start = 0; start < touched.length; start += ROWS_PER_BATCH_MAX) {
      const end = Math.min(start + ROWS_PER_BATCH_MAX, touched.length);
      const rows = borrowRows(end - start);
      const weights = new Int32Array(end - start);
      let count = 0;
      for (let i = start; i < end; i++) {
        const row = touched[i] as number;
        const weight = side.rows.weightOf(row);
        const isMatched = side.matches.get(row) !== 0;
        const wanted = isMatched === wantsMatched ? weight : 0;
        const change = wanted - side.emitted.get(row);
        side.emitted.set(row, wanted);
        if (weight === 0) removed.push(row);
        if (change === 0) continue;
        rows[count] = row;
        weights[count++] = change;
      }
      if (count > 0) {
        const columns = this.#padded(port, count, (column) => {
          const source = side.rows.rows.columns[column];
          if (source === undefined) throw new Error(`assertion failed: no column ${column}`);
          return source.gather(rows, count);
        });
        emit(new Batch(count, columns, weights.subarray(0, count)));
      }
      returnRows(rows);
    }
    for (const row of removed) side.rows.remove(row);
  }
}
