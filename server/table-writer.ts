/**
 * Rows into and out of a table that lives in Millrace. A table with a primary key has its rows at hand by key, so that an
 * INSERT needs no query to find a conflict. Drafts are made durable here, those of several tables as one change.
 */
import { BatchBuilder } from '../engine/delta/builder.ts';
import type { Engine } from '../engine/runtime/engine.ts';
import type { ChangeOrigin } from '../engine/runtime/table-changes.ts';
import type { Store } from '../engine/store/store.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SourceRelation, UniqueKey } from '../sql/catalog.ts';
import { compileConstraints, type FindViolation } from './constraints.ts';
import { storedTable } from './definitions.ts';
import { columnKey, type KeyOf, RowIndex, shownKey, uniqueKey } from './row-index.ts';
import { conflict, type TableDraft } from './table-draft.ts';
import { Turns } from './turns.ts';

/**
 * Changed keys that are remembered for open transactions. Past it they are forgotten, and every transaction that began
 * before that fails when it writes to the table.
 */
const CHANGED_KEYS_MAX = 1_000_000;

/** The committed rows of a table by its keys. */
export interface CommittedRows {
  /** By primary key; undefined without one. */
  readonly byKey: ReadonlyMap<string, Row> | undefined;
  /** Those of the other unique keys, then those of the foreign keys. */
  readonly indexes: readonly RowIndex[];
}

export class TableWriter {
  readonly relation: SourceRelation;
  /** The text of each unique key of a row, that of the primary key first. */
  readonly uniqueKeys: readonly KeyOf[];
  readonly #primaryKey: KeyOf;
  readonly #uniques: readonly UniqueKey[];
  readonly #referenceKeys: readonly KeyOf[];
  readonly #store: Store;
  readonly #findViolation: FindViolation;
  readonly #turns = new Turns();
  #rows: (CommittedRows & { readonly byKey: Map<string, Row> | undefined }) | undefined;
  #lastCommit: Promise<void> = Promise.resolve();
  #sequence = 0;
  /** Drafts of open transactions; while there are any, changes are remembered. */
  readonly #watching = new Set<TableDraft>();
  readonly #changedKeys = new Map<string, number>();
  /** Changes up to here are forgotten. */
  #forgotten = 0;
  /** The last change that took rows out of a table without a key. */
  #removed = 0;

  constructor(relation: SourceRelation, store: Store) {
    const { schema, primaryKey, uniques = [], references = [] } = relation;
    this.relation = relation;
    this.#store = store;
    this.#primaryKey = columnKey(primaryKey, schema);
    this.#uniques = uniques;
    this.uniqueKeys = uniques.map((unique) =>
      unique.origin === 'primary-key' ? this.#primaryKey : uniqueKey(unique),
    );
    this.#referenceKeys = references.map(({ columns }) => columnKey(columns, schema));
    this.#findViolation = compileConstraints(relation);
  }

  /** Grows with every change. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Settles when everything applied so far can be read. */
  async settled(): Promise<void> {
    await this.#lastCommit;
  }

  /** Runs `work` when the statements before it are through, so that the rows it reads are still there when it writes. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.run(work);
  }

  /** Remembers what changes from now on, so that `validate` can tell; until `unwatch`. */
  watch(draft: TableDraft): void {
    this.#watching.add(draft);
  }

  unwatch(draft: TableDraft): void {
    this.#watching.delete(draft);
    if (this.#watching.size > 0) return;
    this.#changedKeys.clear();
    this.#forgotten = 0;
  }

  changedSince(key: string, base: number): boolean {
    return base < this.#forgotten || (this.#changedKeys.get(key) ?? 0) > base;
  }

  /** @throws StreamError TRANSACTION_CONFLICT when somebody changed what the draft changes. */
  validate(draft: TableDraft): void {
    if (draft.removesRows && this.#removed > draft.base) throw conflict();
    for (const key of draft.touched.keys()) {
      if (this.changedSince(key, draft.base)) throw conflict();
    }
    for (const name of draft.relied) {
      if (this.changedSince(name, draft.base)) throw conflict();
    }
    for (const [index, delta] of draft.deltas.entries()) {
      const name = this.#indexName(index);
      if (name.startsWith('r')) continue;
      for (const key of delta.keys()) {
        if (this.changedSince(`${name} ${key}`, draft.base)) throw conflict();
      }
    }
  }

  /** The rows that a statement compares keys with. Call it in the writer's turn. */
  async committed(): Promise<CommittedRows> {
    if (this.#rows !== undefined) return this.#rows;
    const byKey = this.hasPrimaryKey ? new Map<string, Row>() : undefined;
    const { schema } = this.relation;
    const keys = [...this.#indexedUniques(), ...this.#referenceKeys];
    const indexes = keys.map((keyOf) => new RowIndex(keyOf, schema));
    if (byKey !== undefined || indexes.length > 0) {
      for await (const batch of this.#store.scan(storedTable(this.relation))) {
        for (let i = 0; i < batch.length; i++) {
          const row = batch.row(i);
          byKey?.set(this.keyOf(row), row);
          for (const index of indexes) index.add(row, batch.weight(i));
        }
      }
    }
    this.#rows = { byKey, indexes };
    return this.#rows;
  }

  get hasPrimaryKey(): boolean {
    return this.relation.primaryKey.length > 0;
  }

  /** The primary key has its rows in a map of its own. */
  #indexedUniques(): readonly KeyOf[] {
    return this.hasPrimaryKey ? this.uniqueKeys.slice(1) : this.uniqueKeys;
  }

  /** Which of the indexes is that of a unique key other than the primary one. */
  uniqueIndex(unique: number): number {
    return this.hasPrimaryKey ? unique - 1 : unique;
  }

  referenceIndex(reference: number): number {
    return this.#indexedUniques().length + reference;
  }

  /** @returns an empty text when there is no primary key. */
  keyOf(row: Row): string {
    return this.#primaryKey(row) ?? '';
  }

  /** @throws StreamError CONSTRAINT_NOT_NULL, CONSTRAINT_CHECK. */
  check(row: Row): void {
    const violation = this.#findViolation(row);
    if (violation !== undefined) throw violation;
  }

  /** @param unique  the number of the key that a row has already. */
  duplicate(unique: number, row: Row): StreamError {
    const { name, items } = this.#uniques[unique] ?? { name: '', items: [] };
    return new StreamError(
      'CONSTRAINT_UNIQUE',
      `duplicate key value violates unique constraint "${name}"`,
      { detail: `${shownKey(items, row)} already exists.` },
    );
  }

  /** Takes the draft's rows in; `commitDrafts` makes them durable. */
  adopt(draft: TableDraft): { readonly batch: BatchBuilder; readonly undo: () => void } {
    const batch = new BatchBuilder(this.relation.schema);
    for (const { row, weight } of draft.changes()) batch.add(row, weight);
    const sequence = ++this.#sequence;
    if (draft.removesRows) this.#removed = sequence;
    const keys = this.#rows?.byKey;
    const put = (key: string, row: Row | undefined): void => {
      if (row === undefined) keys?.delete(key);
      else keys?.set(key, row);
    };
    for (const [key, { now }] of draft.touched) put(key, now);
    for (const delta of draft.deltas) delta.apply(1);
    if (this.#watching.size > 0) this.#remember(draft, sequence);
    return {
      batch,
      undo: () => {
        for (const [key, { before }] of draft.touched) put(key, before);
        for (const delta of draft.deltas) delta.apply(-1);
      },
    };
  }

  /** For `validate` of the drafts that are open. */
  #remember(draft: TableDraft, sequence: number): void {
    for (const [key, { before, now }] of draft.touched) {
      this.#changedKeys.set(key, sequence);
      // Whoever relies on the key does not mind what else is in its row.
      if ((before === undefined) !== (now === undefined))
        this.#changedKeys.set(`0 ${key}`, sequence);
    }
    for (const [index, delta] of draft.deltas.entries()) {
      const name = this.#indexName(index);
      for (const key of delta.keys()) this.#changedKeys.set(`${name} ${key}`, sequence);
    }
    if (this.#changedKeys.size > CHANGED_KEYS_MAX) {
      this.#changedKeys.clear();
      this.#forgotten = sequence;
    }
  }

  /** As drafts name the keys that they rely on. */
  #indexName(index: number): string {
    const uniques = this.#indexedUniques().length;
    if (index >= uniques) return `r${index - uniques}`;
    return String(this.hasPrimaryKey ? index + 1 : index);
  }

  /** What `settled` waits for. */
  pending(committed: Promise<void>): void {
    this.#lastCommit = committed;
  }
}

/**
 * Commits the drafts in one epoch; call it in the turns of all their writers.
 * @param origin  a change that can be taken back needs those turns until this settles.
 * @returns what settles when the change is durable and visible; its writers' turns may end before that.
 */
export function commitDrafts(
  engine: Engine,
  drafts: readonly TableDraft[],
  origin?: ChangeOrigin,
): Promise<void> {
  const adopted = drafts
    .map((draft) => ({ writer: draft.writer, ...draft.writer.adopt(draft) }))
    .filter(({ batch }) => batch.length > 0);
  if (adopted.length === 0 && origin?.delivered === undefined) {
    return Promise.all(drafts.map(({ writer }) => writer.settled())).then(() => {});
  }
  const committed = engine.changeTables(
    adopted.map(({ writer, batch }) => ({ tableId: writer.relation.id, batch: batch.take() })),
    origin,
  );
  const settled = committed.catch(() => {
    for (const { undo } of adopted) undo();
  });
  for (const { writer } of adopted) writer.pending(settled);
  return committed;
}
