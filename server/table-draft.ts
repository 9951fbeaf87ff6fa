/**
 * Changes of one table that are not committed yet: those of a statement, or of a transaction. The draft lies over the rows that
 * are committed; nothing but its owner sees it.
 */
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { rowBytes } from './row-bytes.ts';
import type { TableWriter } from './table-writer.ts';

/** What to do with a row whose key is there already; given the existing and the new row. */
export type OnConflict =
  | { readonly kind: 'error' }
  | { readonly kind: 'nothing' }
  /** The row to put in place of the existing one; undefined leaves it. */
  | { readonly kind: 'update'; readonly merge: (existing: Row, proposed: Row) => Row | undefined };

/** What a transaction may still hold in memory. */
export interface Budget {
  /** @throws StreamError TRANSACTION_TOO_LARGE. */
  take(bytes: number): void;
  give(bytes: number): void;
}

export interface WeightedRow {
  readonly row: Row;
  /** +1 inserts the row, -1 takes it back. */
  readonly weight: 1 | -1;
}

/** A key that the draft has written: its committed row when that happened first, and its row now. */
interface Touched {
  readonly before: Row | undefined;
  readonly now: Row | undefined;
}

export class TableDraft {
  readonly writer: TableWriter;
  /** The table's sequence when the owner saw it first: what others changed later is a conflict. */
  readonly base: number;
  readonly #budget: Budget | undefined;
  /** Of a table with a primary key. */
  readonly #touched = new Map<string, Touched>();
  /** Of a table without one, in the order of the statements. */
  readonly #changes: WeightedRow[] = [];
  readonly #undo: (() => void)[] = [];
  #removes = 0;

  constructor(writer: TableWriter, budget?: Budget) {
    this.writer = writer;
    this.base = writer.sequence;
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#touched.size === 0 && this.#changes.length === 0;
  }

  /** Does it take rows out of a table without a key? */
  get removesRows(): boolean {
    return this.#removes > 0;
  }

  get touched(): ReadonlyMap<string, Touched> {
    return this.#touched;
  }

  /** The difference to the committed rows; of a key at most one row goes and one comes. */
  *changes(): Iterable<WeightedRow> {
    for (const { before, now } of this.#touched.values()) {
      if (before === now) continue;
      if (before !== undefined) yield { row: before, weight: -1 };
      if (now !== undefined) yield { row: now, weight: 1 };
    }
    yield* this.#changes;
  }

  /** A point to come back to by `rollbackTo`. */
  mark(): number {
    return this.#undo.length;
  }

  rollbackTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  /**
   * Call it in the writer's turn. A failing statement leaves the draft as it was.
   * @returns the rows inserted or updated, as they are now.
   * @throws StreamError CONSTRAINT_…, SQL_CARDINALITY, TRANSACTION_CONFLICT, TRANSACTION_TOO_LARGE.
   */
  insert(rows: readonly Row[], onConflict: OnConflict): Promise<readonly Row[]> {
    return this.#whole(async () => {
      const keys = await this.writer.keys();
      /** Keys that this statement has written. */
      const own = new Set<string>();
      const applied: Row[] = [];
      for (const row of rows) {
        this.writer.check(row);
        const put =
          keys === undefined ? this.#add(row, 1) : this.#place(row, keys, own, onConflict);
        if (put !== undefined) applied.push(put);
      }
      return applied;
    });
  }

  /** Replaces each old row by its new one; undefined removes it. Call it in the writer's turn. */
  replace(
    pairs: readonly { readonly before: Row; readonly after: Row | undefined }[],
  ): Promise<void> {
    return this.#whole(async () => {
      const keys = await this.writer.keys();
      for (const { before } of pairs) {
        if (keys === undefined) this.#add(before, -1);
        else this.#set(this.writer.keyOf(before), keys, undefined);
      }
      for (const { after } of pairs) {
        if (after === undefined) continue;
        this.writer.check(after);
        if (keys === undefined) {
          this.#add(after, 1);
          continue;
        }
        const key = this.writer.keyOf(after);
        if (this.#current(key, keys) !== undefined) throw this.writer.duplicate(after);
        this.#set(key, keys, after);
      }
    });
  }

  async #whole<Result>(work: () => Promise<Result>): Promise<Result> {
    const mark = this.mark();
    try {
      return await work();
    } catch (error) {
      this.rollbackTo(mark);
      throw error;
    }
  }

  /** @returns the row that is in the table now; undefined when ON CONFLICT left it out. */
  #place(
    row: Row,
    keys: ReadonlyMap<string, Row>,
    own: Set<string>,
    onConflict: OnConflict,
  ): Row | undefined {
    const key = this.writer.keyOf(row);
    const existing = this.#current(key, keys);
    if (existing === undefined) {
      own.add(key);
      return this.#set(key, keys, row);
    }
    if (onConflict.kind === 'error') throw this.writer.duplicate(row);
    if (onConflict.kind === 'nothing') return undefined;
    if (own.has(key)) throw changedTwice();
    const put = onConflict.merge(existing, row);
    if (put === undefined) return undefined;
    this.writer.check(put);
    this.#set(key, keys, undefined);
    const newKey = this.writer.keyOf(put);
    if (this.#current(newKey, keys) !== undefined) throw this.writer.duplicate(put);
    own.add(newKey);
    return this.#set(newKey, keys, put);
  }

  #current(key: string, keys: ReadonlyMap<string, Row>): Row | undefined {
    const touched = this.#touched.get(key);
    return touched === undefined ? keys.get(key) : touched.now;
  }

  #set(key: string, keys: ReadonlyMap<string, Row>, now: Row | undefined): Row | undefined {
    if (this.writer.changedSince(key, this.base)) throw conflict();
    const known = this.#touched.get(key);
    const release = this.#take(now);
    this.#touched.set(key, { before: known === undefined ? keys.get(key) : known.before, now });
    this.#undo.push(() => {
      release();
      if (known === undefined) this.#touched.delete(key);
      else this.#touched.set(key, known);
    });
    return now;
  }

  #add(row: Row, weight: 1 | -1): Row {
    const release = this.#take(row);
    this.#changes.push({ row, weight });
    if (weight < 0) this.#removes++;
    this.#undo.push(() => {
      release();
      this.#changes.pop();
      if (weight < 0) this.#removes--;
    });
    return row;
  }

  #take(row: Row | undefined): () => void {
    const budget = this.#budget;
    if (budget === undefined) return () => {};
    const bytes = row === undefined ? 0 : rowBytes(row);
    budget.take(bytes);
    return () => budget.give(bytes);
  }
}

export function conflict(): StreamError {
  return new StreamError(
    'TRANSACTION_CONFLICT',
    'could not serialize access due to concurrent update',
    { hint: 'Roll back and run the transaction again.' },
  );
}

function changedTwice(): StreamError {
  return new StreamError(
    'SQL_CARDINALITY',
    'ON CONFLICT DO UPDATE command cannot affect row a second time',
    {
      hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
    },
  );
}
