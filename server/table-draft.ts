/**
 * Changes of one table that are not committed yet: those of a statement, or of a transaction. The draft lies over the rows that
 * are committed; nothing but its owner sees it.
 */
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { rowBytes } from './row-bytes.ts';
import { IndexDelta } from './row-index.ts';
import type { CommittedRows, TableWriter } from './table-writer.ts';

/** What to do with a row that is there already by one of the keys; given the existing and the new row. */
export type OnConflict =
  | { readonly kind: 'error' }
  /** @property keys  numbers of the unique keys that it is about; undefined = all. */
  | { readonly kind: 'nothing'; readonly keys: readonly number[] | undefined }
  | {
      readonly kind: 'update';
      readonly keys: readonly number[];
      /** The row to put in place of the existing one; undefined leaves it. */
      readonly merge: (existing: Row, proposed: Row) => Row | undefined;
    };

/** What a transaction may still hold in memory. */
export interface Budget {
  /** @throws StreamError TRANSACTION_TOO_LARGE. */
  take(bytes: number, rows?: number): void;
  give(bytes: number, rows?: number): void;
}

export interface WeightedRow {
  readonly row: Row;
  /** +1 inserts the row, -1 takes it back. */
  readonly weight: 1 | -1;
}

/** What became of one row: undefined before an insert, and after a delete. */
export interface RowChange {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
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
  /** Names of keys that a constraint of another row relies on, as it found them. */
  readonly #relied = new Set<string>();
  #deltas: readonly IndexDelta[] = [];
  #committed: CommittedRows | undefined;
  #removes = 0;

  constructor(writer: TableWriter, budget?: Budget) {
    this.writer = writer;
    this.base = writer.sequence;
    this.#budget = budget;
  }

  /** Brings the rows by key into memory. Call it in the writer's turn, before everything else. */
  async ready(): Promise<void> {
    const committed = await this.writer.committed();
    if (this.#committed !== undefined) return;
    this.#committed = committed;
    this.#deltas = committed.indexes.map((index) => new IndexDelta(index));
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

  get deltas(): readonly IndexDelta[] {
    return this.#deltas;
  }

  get relied(): ReadonlySet<string> {
    return this.#relied;
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
   * Call it in the writer's turn, and roll back what it did when it fails.
   * @param own  names of keys that the statement has written; new ones are added.
   * @returns what became of each row that was not left out, in their order.
   * @throws StreamError CONSTRAINT_…, SQL_CARDINALITY, TRANSACTION_CONFLICT, TRANSACTION_TOO_LARGE.
   */
  insert(
    rows: readonly Row[],
    onConflict: OnConflict,
    own = new Set<string>(),
  ): readonly RowChange[] {
    return rows.flatMap((row) => {
      this.writer.check(row);
      const change = this.#place(row, own, onConflict);
      if (change?.after === undefined) return [];
      for (const name of this.keyNames(change.after)) own.add(name);
      return [change];
    });
  }

  /** Per row the one that it would meet now, by one of the keys. */
  conflicts(
    rows: readonly Row[],
    keys: readonly number[] | undefined,
  ): readonly (Row | undefined)[] {
    return rows.map((row) => this.#conflict(row, keys)?.row);
  }

  /**
   * Replaces each old row by its new one; a row without a new one goes, one without an old one comes. Keys are compared when all old rows are gone, so that rows may
   * change places. Call it in the writer's turn, and roll back what it did when it fails.
   */
  replace(changes: readonly RowChange[]): void {
    for (const { before } of changes) if (before !== undefined) this.#take(before);
    for (const { after } of changes) {
      if (after === undefined) continue;
      this.writer.check(after);
      this.#putNew(after);
    }
  }

  /** Is there a row with this key of a unique key? Others may not change that before the draft is committed. */
  reliesOn(unique: number, key: string): boolean {
    this.#rely(`${unique} ${key}`);
    return this.#atKey(unique, key) !== undefined;
  }

  /** The rows with this key of a foreign key of the table. */
  referring(reference: number, key: string): readonly Row[] {
    const delta = this.#deltas[this.writer.referenceIndex(reference)];
    this.#rely(`r${reference} ${key}`);
    return delta?.rows(key) ?? [];
  }

  #rely(name: string): void {
    if (this.#relied.has(name)) return;
    this.#budget?.take(2 * name.length, 0);
    this.#relied.add(name);
  }

  #place(row: Row, own: ReadonlySet<string>, onConflict: OnConflict): RowChange | undefined {
    const found = onConflict.kind === 'error' ? undefined : this.#conflict(row, onConflict.keys);
    if (found === undefined || onConflict.kind === 'error') {
      this.#putNew(row);
      return { before: undefined, after: row };
    }
    if (onConflict.kind === 'nothing') return undefined;
    if (own.has(found.name)) throw changedTwice();
    const after = onConflict.merge(found.row, row);
    if (after === undefined) return undefined;
    this.writer.check(after);
    this.#take(found.row);
    this.#putNew(after);
    return { before: found.row, after };
  }

  /** The first of the keys that a row of the table has too. */
  #conflict(
    row: Row,
    keys: readonly number[] | undefined,
  ): { readonly unique: number; readonly name: string; readonly row: Row } | undefined {
    const numbers = keys ?? this.writer.uniqueKeys.keys();
    for (const unique of numbers) {
      const key = this.writer.uniqueKeys[unique]?.(row);
      const existing = key === undefined ? undefined : this.#atKey(unique, key);
      if (existing !== undefined) return { unique, name: `${unique} ${key}`, row: existing };
    }
    return undefined;
  }

  /** Names of the row's unique keys. */
  *keyNames(row: Row): Iterable<string> {
    for (const [unique, keyOf] of this.writer.uniqueKeys.entries()) {
      const key = keyOf(row);
      if (key !== undefined) yield `${unique} ${key}`;
    }
  }

  #atKey(unique: number, key: string): Row | undefined {
    if (this.writer.hasPrimaryKey && unique === 0) return this.#current(key);
    return this.#deltas[this.writer.uniqueIndex(unique)]?.rows(key)[0];
  }

  #current(key: string): Row | undefined {
    const touched = this.#touched.get(key);
    return touched === undefined ? this.#committed?.byKey?.get(key) : touched.now;
  }

  #putNew(row: Row): void {
    const taken = this.#conflict(row, undefined);
    if (taken !== undefined) throw this.writer.duplicate(taken.unique, row);
    if (this.writer.hasPrimaryKey) this.#set(this.writer.keyOf(row), row);
    else this.#add(row, 1);
    this.#index(row, 1);
  }

  #take(row: Row): void {
    if (this.writer.hasPrimaryKey) {
      const key = this.writer.keyOf(row);
      const current = this.#current(key);
      this.#set(key, undefined);
      this.#index(current ?? row, -1);
      return;
    }
    this.#add(row, -1);
    this.#index(row, -1);
  }

  #index(row: Row, count: 1 | -1): void {
    if (this.#deltas.length === 0) return;
    for (const delta of this.#deltas) delta.add(row, count);
    this.#undo.push(() => {
      for (const delta of this.#deltas) delta.add(row, count === 1 ? -1 : 1);
    });
  }

  #set(key: string, now: Row | undefined): void {
    if (this.writer.changedSince(key, this.base)) throw conflict();
    const known = this.#touched.get(key);
    const release = this.#charge(now);
    const before = known === undefined ? this.#committed?.byKey?.get(key) : known.before;
    this.#touched.set(key, { before, now });
    this.#undo.push(() => {
      release();
      if (known === undefined) this.#touched.delete(key);
      else this.#touched.set(key, known);
    });
  }

  #add(row: Row, weight: 1 | -1): void {
    const release = this.#charge(row);
    this.#changes.push({ row, weight });
    if (weight < 0) this.#removes++;
    this.#undo.push(() => {
      release();
      this.#changes.pop();
      if (weight < 0) this.#removes--;
    });
  }

  #charge(row: Row | undefined): () => void {
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
