/**
 * Rows into and out of a table that lives in Millrace: constraints first, then one weighted batch. A table with a
 * primary key has its rows at hand by key, so that an INSERT needs no query to find a conflict.
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

/** What to do with a row whose key is there already; given the existing and the new row. */
export type OnConflict =
  | { readonly kind: 'error' }
  | { readonly kind: 'nothing' }
  /** The row to put in place of the existing one; undefined leaves it. */
  | { readonly kind: 'update'; readonly merge: (existing: Row, proposed: Row) => Row | undefined };

export interface Applied {
  /** Rows inserted, updated or deleted, as they are now (deleted ones as they were). */
  readonly rows: readonly Row[];
  /** Settles when the change is committed. */
  readonly committed: Promise<void>;
}

export class TableWriter {
  readonly #relation: SourceRelation;
  readonly #engine: Engine;
  readonly #store: Store;
  readonly #findViolation: FindViolation;
  #byKey: Map<string, Row> | undefined;
  #lastCommit: Promise<void> = Promise.resolve();
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(relation: SourceRelation, engine: Engine, store: Store) {
    this.#relation = relation;
    this.#engine = engine;
    this.#store = store;
    this.#findViolation = compileConstraints(relation);
  }

  /** Settles when everything applied so far can be read. */
  async settled(): Promise<void> {
    await this.#lastCommit;
  }

  /** Runs `work` when the statements before it are through, so that the rows it reads are still there when it writes. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }

  async insert(rows: readonly Row[], onConflict: OnConflict): Promise<Applied> {
    const changes = new BatchBuilder(this.#relation.schema);
    const applied: Row[] = [];
    const keys = await this.#keys();
    const undo: [string, Row | undefined][] = [];
    /** Keys that this statement has written. */
    const own = new Set<string>();
    const place = (key: string, row: Row): void => {
      undo.push([key, undefined]);
      keys?.set(key, row);
      own.add(key);
      changes.add(row);
      applied.push(row);
    };
    try {
      for (const row of rows) {
        this.#check(row);
        if (keys === undefined) {
          changes.add(row);
          applied.push(row);
          continue;
        }
        const key = this.#keyOf(row);
        const existing = keys.get(key);
        if (existing === undefined) {
          place(key, row);
          continue;
        }
        if (onConflict.kind === 'error') throw this.#duplicate(row);
        if (onConflict.kind === 'nothing') continue;
        if (own.has(key)) throw changedTwice();
        const put = onConflict.merge(existing, row);
        if (put === undefined) continue;
        this.#check(put);
        changes.add(existing, -1);
        undo.push([key, existing]);
        keys.delete(key);
        const newKey = this.#keyOf(put);
        if (keys.has(newKey)) throw this.#duplicate(put);
        place(newKey, put);
      }
    } catch (error) {
      this.#undo(keys, undo);
      throw error;
    }
    return { rows: applied, committed: this.#commit(changes, keys, undo) };
  }

  /** Replaces each old row by its new one; undefined removes it. */
  async replace(
    pairs: readonly { readonly before: Row; readonly after: Row | undefined }[],
  ): Promise<Applied> {
    const changes = new BatchBuilder(this.#relation.schema);
    const applied: Row[] = [];
    const keys = await this.#keys();
    const undo: [string, Row | undefined][] = [];
    try {
      for (const { before } of pairs) {
        changes.add(before, -1);
        if (keys === undefined) continue;
        const key = this.#keyOf(before);
        undo.push([key, keys.get(key)]);
        keys.delete(key);
      }
      for (const { before, after } of pairs) {
        applied.push(after ?? before);
        if (after === undefined) continue;
        this.#check(after);
        if (keys !== undefined) {
          const key = this.#keyOf(after);
          if (keys.has(key)) throw this.#duplicate(after);
          undo.push([key, undefined]);
          keys.set(key, after);
        }
        changes.add(after);
      }
    } catch (error) {
      this.#undo(keys, undo);
      throw error;
    }
    return { rows: applied, committed: this.#commit(changes, keys, undo) };
  }

  /** Removes every row. */
  async truncate(): Promise<void> {
    await this.settled();
    const pairs: { before: Row; after: undefined }[] = [];
    for await (const batch of this.#store.scan(storedTable(this.#relation))) {
      for (let i = 0; i < batch.length; i++) {
        for (let copies = batch.weight(i); copies > 0; copies--) {
          pairs.push({ before: batch.row(i), after: undefined });
        }
      }
    }
    await (await this.replace(pairs)).committed;
  }

  #commit(
    changes: BatchBuilder,
    keys: Map<string, Row> | undefined,
    undo: readonly [string, Row | undefined][],
  ): Promise<void> {
    if (changes.length === 0) return this.#lastCommit;
    const committed = this.#engine.changeTable(this.#relation.id, changes.take());
    this.#lastCommit = committed.catch(() => this.#undo(keys, undo));
    return committed;
  }

  #undo(keys: Map<string, Row> | undefined, undo: readonly [string, Row | undefined][]): void {
    for (const [key, row] of [...undo].reverse()) {
      if (row === undefined) keys?.delete(key);
      else keys?.set(key, row);
    }
  }

  async #keys(): Promise<Map<string, Row> | undefined> {
    if (this.#relation.primaryKey.length === 0) return undefined;
    if (this.#byKey !== undefined) return this.#byKey;
    const rows = new Map<string, Row>();
    for await (const batch of this.#store.scan(storedTable(this.#relation))) {
      for (let i = 0; i < batch.length; i++) {
        const row = batch.row(i);
        rows.set(this.#keyOf(row), row);
      }
    }
    this.#byKey = rows;
    return rows;
  }

  #keyOf(row: Row): string {
    let text = '';
    for (const index of this.#relation.primaryKey) {
      const type = this.#relation.schema[index]?.type;
      const value = row[index] ?? null;
      if (type === undefined || value === null) continue;
      const part = String(hashKey(value, type));
      text += `${part.length}:${part};`;
    }
    return text;
  }

  #check(row: Row): void {
    const violation = this.#findViolation(row);
    if (violation !== undefined) throw violation;
  }

  #duplicate(row: Row): StreamError {
    const { name, schema, primaryKey } = this.#relation;
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
