import type { Schema } from '../../sql/base/type.ts';
import { Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { physicalOf } from '../delta/column.ts';
import { KeyedState } from '../state/keyed-state.ts';
import type { Saved } from '../state/saved.ts';
import { borrowRows, returnRows } from '../state/scratch.ts';
import { Segments } from '../state/segments.ts';
import type { Emit } from './operator.ts';
import type { Rounds } from './rounds.ts';

/**
 * The rounds of UNION: a row belongs to the first round that gives it. Each round keeps how often it gave which row,
 * so that a row which the first one gives no more moves to the next that does: what only supported itself goes, since a
 * round is supported by the one before alone.
 * State: every row with the rounds that give it, and how often.
 */
export class FirstRounds implements Rounds {
  readonly #rows: KeyedState;
  /** First of a row's entries + 1; 0 = none. */
  readonly #heads = Segments.int32();
  /** Whether the row is downstream. */
  readonly #emitted = Segments.uint8();
  readonly #isTouched = Segments.uint8();
  readonly #touched: number[] = [];
  /** An entry a row and round, linked by row. */
  readonly #entries = new KeyedState(['i32', 'i32']);
  readonly #rounds = Segments.int32();
  readonly #counts = Segments.int32();
  /** Whether the row is one of the round's, as its readers know it. */
  readonly #isMember = Segments.uint8();
  readonly #nexts = Segments.int32();
  /** Rows to be looked at again in a later round. */
  readonly #waiting = new Map<number, number[]>();

  constructor(schema: Schema) {
    this.#rows = new KeyedState(schema.map((column) => physicalOf(column.type)));
  }

  get next(): number {
    return Math.min(...this.#waiting.keys());
  }

  take(round: number, batches: readonly Batch[]): readonly Batch[] {
    const looked = new Set(this.#waiting.get(round));
    this.#waiting.delete(round);
    for (const batch of batches) this.#count(round, batch, looked);
    const changed: number[] = [];
    const weights: number[] = [];
    for (const row of looked) {
      const change = this.#settle(row, round);
      if (change === 0) continue;
      changed.push(row);
      weights.push(change);
    }
    const changes = this.#batches(changed, weights);
    for (const row of looked) this.#forgetEntry(row, round);
    return changes;
  }

  finish(emit: Emit): void {
    const changed: number[] = [];
    const weights: number[] = [];
    for (const row of this.#touched) {
      this.#isTouched.set(row, 0);
      const isThere = this.#some(row, (entry) => this.#isMember.get(entry) === 1) ? 1 : 0;
      const change = isThere - this.#emitted.get(row);
      if (change === 0) continue;
      this.#emitted.set(row, isThere);
      changed.push(row);
      weights.push(change);
    }
    for (const batch of this.#batches(changed, weights)) emit(batch);
    for (const row of this.#touched) if (this.#heads.get(row) === 0) this.#rows.release(row);
    this.#touched.length = 0;
    this.#rows.rows.compact();
  }

  stateBytes(): number {
    return (
      this.#rows.bytes() +
      this.#entries.bytes() +
      this.#heads.bytes +
      this.#emitted.bytes +
      this.#isTouched.bytes +
      this.#rounds.bytes +
      this.#counts.bytes +
      this.#isMember.bytes +
      this.#nexts.bytes
    );
  }

  stateEntries(): number {
    return this.#entries.count;
  }

  savedParts(): readonly Saved[] {
    const ofRows = [this.#rows, this.#heads, this.#emitted];
    return [...ofRows, this.#entries, this.#rounds, this.#counts, this.#isMember, this.#nexts];
  }

  /** Adds what a round gives to its counts. */
  #count(round: number, batch: Batch, looked: Set<number>): void {
    const { length } = batch;
    const rows = borrowRows(length);
    this.#rows.claim(batch.columns, length, rows);
    const { end } = this.#rows.rows;
    this.#heads.ensure(end);
    this.#emitted.ensure(end);
    this.#isTouched.ensure(end);
    const entries = borrowRows(length);
    const created = borrowRows(length);
    const key = this.#entryKey(rows, length, round);
    const isNew = new Set(created.subarray(0, this.#entries.claim(key, length, entries, created)));
    returnRows(created);
    this.#ensureEntries();
    for (let r = 0; r < length; r++) {
      const row = rows[r] as number;
      const entry = entries[r] as number;
      if (isNew.has(r)) this.#link(row, entry, round);
      this.#counts.set(entry, this.#counts.get(entry) + batch.weight(r));
      looked.add(row);
      if (this.#isTouched.get(row) === 1) continue;
      this.#isTouched.set(row, 1);
      this.#touched.push(row);
    }
    returnRows(entries);
    returnRows(rows);
  }

  #entryKey(
    rows: Int32Array,
    length: number,
    round: number,
  ): readonly [
    { readonly physical: 'i32'; readonly values: Int32Array; readonly nulls: null },
    { readonly physical: 'i32'; readonly values: Int32Array; readonly nulls: null },
  ] {
    return [
      { physical: 'i32', values: rows.slice(0, length), nulls: null },
      { physical: 'i32', values: new Int32Array(length).fill(round), nulls: null },
    ];
  }

  #ensureEntries(): void {
    const { end } = this.#entries.rows;
    this.#rounds.ensure(end);
    this.#counts.ensure(end);
    this.#isMember.ensure(end);
    this.#nexts.ensure(end);
  }

  #link(row: number, entry: number, round: number): void {
    this.#rounds.set(entry, round);
    this.#counts.set(entry, 0);
    this.#isMember.set(entry, 0);
    this.#nexts.set(entry, this.#heads.get(row));
    this.#heads.set(row, entry + 1);
  }

  /**
   * Whether a row is one of the round's, now that the counts up to this round are final.
   * @returns how that has changed: 1, 0 or -1.
   */
  #settle(row: number, round: number): number {
    let own = -1;
    let isEarlier = false;
    this.#each(row, (entry) => {
      const at = this.#rounds.get(entry);
      if (at === round) own = entry;
      if (at < round && this.#counts.get(entry) > 0) isEarlier = true;
    });
    const isGiven = own >= 0 && this.#counts.get(own) > 0;
    this.#plan(row, round, isEarlier || isGiven);
    if (own < 0) return 0;
    const should = isGiven && !isEarlier ? 1 : 0;
    const change = should - this.#isMember.get(own);
    this.#isMember.set(own, should);
    return change;
  }

  /** A row that an earlier round has leaves the later one that had it; one that none has yet may belong to a later one. */
  #plan(row: number, round: number, isThere: boolean): void {
    let next = Number.POSITIVE_INFINITY;
    this.#each(row, (entry) => {
      const at = this.#rounds.get(entry);
      const concerns = isThere ? this.#isMember.get(entry) === 1 : this.#counts.get(entry) > 0;
      if (at > round && concerns) next = Math.min(next, at);
    });
    if (!Number.isFinite(next)) return;
    const waiting = this.#waiting.get(next);
    if (waiting === undefined) this.#waiting.set(next, [row]);
    else waiting.push(row);
  }

  #forgetEntry(row: number, round: number): void {
    let before = -1;
    for (let entry = this.#heads.get(row) - 1; entry >= 0; ) {
      const next = this.#nexts.get(entry) - 1;
      const isOwn = this.#rounds.get(entry) === round;
      if (isOwn && this.#counts.get(entry) === 0 && this.#isMember.get(entry) === 0) {
        if (before < 0) this.#heads.set(row, next + 1);
        else this.#nexts.set(before, next + 1);
        this.#entries.release(entry);
        return;
      }
      before = entry;
      entry = next;
    }
  }

  #each(row: number, see: (entry: number) => void): void {
    for (let entry = this.#heads.get(row) - 1; entry >= 0; entry = this.#nexts.get(entry) - 1) {
      see(entry);
    }
  }

  #some(row: number, test: (entry: number) => boolean): boolean {
    let found = false;
    this.#each(row, (entry) => {
      found ||= test(entry);
    });
    return found;
  }

  #batches(rows: readonly number[], weights: readonly number[]): readonly Batch[] {
    const batches: Batch[] = [];
    for (let start = 0; start < rows.length; start += ROWS_PER_BATCH_MAX) {
      const part = Int32Array.from(rows.slice(start, start + ROWS_PER_BATCH_MAX));
      const columns = this.#rows.rows.gather(part, part.length);
      const own = Int32Array.from(weights.slice(start, start + ROWS_PER_BATCH_MAX));
      batches.push(new Batch(part.length, columns, own));
    }
    return batches;
  }
}
