/**
 * Rows into and out of a table that lives in Millrace. A table with a primary key has its rows at hand by key, so that an
 * INSERT needs no query to find a conflict. Drafts are made durable here, those of several tables as one change.
 */
import { BatchBuilder } from '../engine/delta/builder.ts';
import type { Engine } from '../engine/runtime/engine.ts';
import type { Store } from '../engine/store/store.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { toText } from '../sql/base/text-output.ts';
import { hashKey } from '../sql/base/value.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import { compileConstraints, type FindViolation } from './constraints.ts';
import { storedTable } from './definitions.ts';
import { conflict, type TableDraft } from './table-draft.ts';
import { Turns } from './turns.ts';

/**
 * Changed keys that are remembered for open transactions. Past it they are forgotten, and every transaction that began
 * before that fails when it writes to the table.
 */
const CHANGED_KEYS_MAX = 1_000_000;

export class TableWriter {
  readonly relation: SourceRelation;
  readonly #store: Store;
  readonly #findViolation: FindViolation;
  readonly #turns = new Turns();
  #byKey: Map<string, Row> | undefined;
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
    this.relation = relation;
    this.#store = store;
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
  }

  /** The rows by key, undefined without a primary key. Call it in the writer's turn. */
  async keys(): Promise<ReadonlyMap<string, Row> | undefined> {
    return this.#rowsByKey();
  }

  async #rowsByKey(): Promise<Map<string, Row> | undefined> {
    if (this.relation.primaryKey.length === 0) return undefined;
    if (this.#byKey !== undefined) return this.#byKey;
    const rows = new Map<string, Row>();
    for await (const batch of this.#store.scan(storedTable(this.relation))) {
      for (let i = 0; i < batch.length; i++) {
        const row = batch.row(i);
        rows.set(this.keyOf(row), row);
      }
    }
    this.#byKey = rows;
    return rows;
  }

  keyOf(row: Row): string {
    let text = '';
    for (const index of this.relation.primaryKey) {
      const type = this.relation.schema[index]?.type;
      const value = row[index] ?? null;
      if (type === undefined || value === null) continue;
      const part = String(hashKey(value, type));
      text += `${part.length}:${part};`;
    }
    return text;
  }

  /** @throws StreamError CONSTRAINT_NOT_NULL, CONSTRAINT_CHECK. */
  check(row: Row): void {
    const violation = this.#findViolation(row);
    if (violation !== undefined) throw violation;
  }

  duplicate(row: Row): StreamError {
    const { name, schema, primaryKey } = this.relation;
    const names = primaryKey.map((index) => schema[index]?.name).join(', ');
    const values = primaryKey
      .map((index) => {
        const type = schema[index]?.type;
        const value = row[index] ?? null;
        return value === null || type === undefined ? 'null' : toText(value, type);
      })
      .join(', ');
    return new StreamError(
      'CONSTRAINT_UNIQUE',
      `duplicate key value violates unique constraint "${name}_pkey"`,
      { detail: `Key (${names})=(${values}) already exists.` },
    );
  }

  /** Takes the draft's rows in; `commitDrafts` makes them durable. */
  adopt(draft: TableDraft): { readonly batch: BatchBuilder; readonly undo: () => void } {
    const batch = new BatchBuilder(this.relation.schema);
    for (const { row, weight } of draft.changes()) batch.add(row, weight);
    const sequence = ++this.#sequence;
    if (draft.removesRows) this.#removed = sequence;
    const keys = this.#byKey;
    const put = (key: string, row: Row | undefined): void => {
      if (row === undefined) keys?.delete(key);
      else keys?.set(key, row);
    };
    for (const [key, { now }] of draft.touched) {
      put(key, now);
      if (this.#watching.size > 0) this.#changedKeys.set(key, sequence);
    }
    if (this.#changedKeys.size > CHANGED_KEYS_MAX) {
      this.#changedKeys.clear();
      this.#forgotten = sequence;
    }
    return {
      batch,
      undo: () => {
        for (const [key, { before }] of draft.touched) put(key, before);
      },
    };
  }

  /** What `settled` waits for. */
  pending(committed: Promise<void>): void {
    this.#lastCommit = committed;
  }
}

/**
 * Commits the drafts in one epoch; call it in the turns of all their writers.
 * @returns what settles when the change is durable and visible; its writers' turns may end before that.
 */
export function commitDrafts(engine: Engine, drafts: readonly TableDraft[]): Promise<void> {
  const adopted = drafts
    .map((draft) => ({ writer: draft.writer, ...draft.writer.adopt(draft) }))
    .filter(({ batch }) => batch.length > 0);
  if (adopted.length === 0) {
    return Promise.all(drafts.map(({ writer }) => writer.settled())).then(() => {});
  }
  const committed = engine.changeTables(
    adopted.map(({ writer, batch }) => ({ tableId: writer.relation.id, batch: batch.take() })),
  );
  const settled = committed.catch(() => {
    for (const { undo } of adopted) undo();
  });
  for (const { writer } of adopted) writer.pending(settled);
  return committed;
}
