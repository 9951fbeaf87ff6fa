import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { type BatchColumn, type Physical, physicalOf } from '../delta/column.ts';
import type { ForgetRule } from '../plan/physical-node.ts';
import { Arrangement } from '../state/arrangement.ts';
import { timeCells } from '../state/closing-index.ts';
import { compileHash, type HashRows } from '../state/row-hash.ts';
import { loadAll, type Saved, saveAll } from '../state/saved.ts';
import { Segments } from '../state/segments.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateWriter } from '../state/state-writer.ts';
import { ClosingRows } from './closing-rows.ts';
import { NewestRows } from './newest-rows.ts';

/** One input of a join: its rows by key and, where rows without partners matter, how often each row is matched. */
export class JoinSide implements Saved {
  readonly physicals: readonly Physical[];
  readonly rows: Arrangement;
  readonly #keys: readonly number[];
  readonly #nullSafe: readonly boolean[];
  readonly #hash: HashRows;
  /** Whether this side's rows are emitted depending on their number of matches. */
  readonly tracked: boolean;
  /** Weights of matching rows of the other side, by row. */
  readonly matches = Segments.int32();
  /** The weight that this row has downstream, beside its pairs. */
  readonly emitted = Segments.int32();
  readonly #isTouched = Segments.uint8();
  readonly #touched: number[] = [];
  /** Rows by the time at which they are dropped. */
  readonly closing: ClosingRows | undefined;
  /** Where the newest row of each key stays. */
  readonly #newest: NewestRows | undefined;

  constructor(
    schema: Schema,
    keys: readonly number[],
    nullSafe: readonly boolean[],
    tracked: boolean,
    forgets?: ForgetRule | undefined,
  ) {
    this.physicals = schema.map((column) => physicalOf(column.type));
    this.#keys = keys;
    this.#nullSafe = nullSafe;
    this.#hash = compileHash(keys.map((key) => this.physicals[key] as Physical));
    this.tracked = tracked;
    this.rows = new Arrangement(this.physicals, keys, {
      keepEmpty: tracked,
      onMerge: tracked ? (row, twin) => this.#merge(row, twin) : undefined,
    });
    if (forgets !== undefined) {
      const cells = timeCells(this.rows.rows.columns[forgets.column]);
      this.closing = new ClosingRows(cells, forgets);
      if (forgets.keepsNewest === true) this.#newest = new NewestRows(this.rows, cells);
    }
  }

  keyOf(batch: Batch): BatchColumn[] {
    return this.#keys.map((key) => batch.column(key));
  }

  hash(batch: Batch, out: Int32Array): void {
    this.#hash(this.keyOf(batch), batch.length, out);
  }

  /** 1 where a key that `=` compares is NULL, so that the row matches nothing; null = nowhere. */
  nullKeys(batch: Batch): Uint8Array | null {
    let skip: Uint8Array | null = null;
    for (let k = 0; k < this.#keys.length; k++) {
      const { nulls } = batch.column(this.#keys[k] as number);
      if (nulls === null || this.#nullSafe[k] === true) continue;
      for (let r = 0; r < batch.length; r++) {
        if (nulls[r] !== 1) continue;
        skip ??= new Uint8Array(batch.length);
        skip[r] = 1;
      }
    }
    return skip;
  }

  /** Notes that a row's matches or weight have changed in this epoch. */
  touch(row: number): void {
    if (this.#isTouched.get(row) === 1) return;
    this.#isTouched.set(row, 1);
    this.#touched.push(row);
  }

  ensure(): void {
    const { end } = this.rows.rows;
    this.matches.ensure(end);
    this.emitted.ensure(end);
    this.#isTouched.ensure(end);
  }

  /** The rows touched since the last call, each once, without those that were merged into others. */
  takeTouched(): readonly number[] {
    const touched: number[] = [];
    for (const row of this.#touched) {
      if (this.#isTouched.get(row) === 0) continue;
      this.#isTouched.set(row, 0);
      touched.push(row);
    }
    this.#touched.length = 0;
    return touched;
  }

  /**
   * Drops rows whose time has come, between a flush and the next push.
   * @returns how much of `most` is left.
   */
  forget(clock: bigint, most: number): number {
    const { closing } = this;
    if (closing === undefined) return most;
    return closing.forget(clock, most, (rows, count, limit) => {
      let dropped = 0;
      for (let i = 0; i < count; i++) dropped += this.#drop(rows[i] as number, Number(limit));
      return dropped;
    });
  }

  /** @returns how many rows it has dropped: one, none, or of versions all that are superseded. */
  #drop(row: number, limitMicros: number): number {
    if (!this.rows.isLive(row)) return 0;
    if (this.#newest !== undefined) return this.#newest.dropSuperseded(row, limitMicros);
    if (this.tracked) {
      this.matches.set(row, 0);
      this.emitted.set(row, 0);
    }
    this.rows.remove(row);
    return 1;
  }

  /** Two equal rows become one; both have the same matches. */
  #merge(row: number, twin: number): void {
    this.emitted.set(twin, this.emitted.get(twin) + this.emitted.get(row));
    this.emitted.set(row, 0);
    this.#isTouched.set(row, 0);
    this.touch(twin);
  }

  bytes(): number {
    const closing = this.closing?.bytes ?? 0;
    const tracking = this.matches.bytes + this.emitted.bytes + this.#isTouched.bytes;
    return this.rows.bytes() + tracking + closing;
  }

  save(to: StateWriter): void {
    saveAll(this.#parts(), to);
  }

  load(from: StateReader): void {
    loadAll(this.#parts(), from);
    // Rows are touched through the other side too, before this one grows again.
    if (this.tracked) this.ensure();
  }

  #parts(): readonly Saved[] {
    const tracking = this.tracked ? [this.matches, this.emitted] : [];
    const closing = this.closing === undefined ? [] : [this.closing];
    return [this.rows, ...tracking, ...closing];
  }
}
