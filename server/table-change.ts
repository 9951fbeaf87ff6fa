/**
 * One statement's changes of tables, all or nothing: drafts in the turns of the table and of all tables that foreign keys bind
 * to it, so that nobody takes away a row that a key relies on while it is looked at.
 */
import { StreamError } from '../sql/base/error.ts';
import type { Relation, SourceRelation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import { inTurns } from './in-turns.ts';
import { TableDraft } from './table-draft.ts';
import { commitDrafts, type TableWriter } from './table-writer.ts';
import type { Transaction } from './transaction.ts';

/** The drafts of a statement, opened when they are asked for. */
export class StatementDrafts {
  readonly core: Core;
  readonly #transaction: Transaction | undefined;
  readonly #marks = new Map<TableDraft, number>();
  readonly #byId = new Map<number, TableDraft>();

  constructor(core: Core, transaction: Transaction | undefined) {
    this.core = core;
    this.#transaction = transaction;
  }

  async of(writer: TableWriter): Promise<TableDraft> {
    const known = this.#byId.get(writer.relation.id);
    if (known !== undefined) return known;
    const draft = (await this.#transaction?.draft(writer)) ?? new TableDraft(writer);
    await draft.ready();
    this.#byId.set(writer.relation.id, draft);
    this.#marks.set(draft, draft.mark());
    return draft;
  }

  all(): readonly TableDraft[] {
    return [...this.#byId.values()].sort((a, b) => a.writer.relation.id - b.writer.relation.id);
  }

  rollback(): void {
    for (const [draft, mark] of this.#marks) draft.rollbackTo(mark);
  }
}

/**
 * @param writers  of the tables that the statement names.
 * @param transaction  where the changes wait for COMMIT; without one they are durable when this settles.
 */
export async function changeTables<Result>(
  core: Core,
  writers: readonly TableWriter[],
  transaction: Transaction | undefined,
  work: (drafts: StatementDrafts) => Promise<Result>,
): Promise<Result> {
  await core.engine.untilRoom(writers.map(({ relation }) => relation.id));
  // Only the checks take a turn: the commits of many small statements are one.
  const { result, committed } = await inTurns(boundTables(core, writers), async () => {
    const drafts = new StatementDrafts(core, transaction);
    try {
      const done = await work(drafts);
      await core.sequences.settle();
      if (transaction !== undefined) return { result: done, committed: Promise.resolve() };
      return { result: done, committed: commitDrafts(core.engine, drafts.all()) };
    } catch (error) {
      drafts.rollback();
      throw error;
    }
  });
  await committed;
  return result;
}

/** The tables and all that foreign keys bind to them, in either direction and over several, in the order of their turns. */
export function boundTables(core: Core, writers: readonly TableWriter[]): readonly TableWriter[] {
  const found = new Map<number, TableWriter>();
  const visit = (relation: Relation | undefined): void => {
    const writer = relation === undefined ? undefined : core.writers.get(relation.id);
    if (writer === undefined || found.has(writer.relation.id)) return;
    found.set(writer.relation.id, writer);
    const { name, references = [] } = writer.relation;
    for (const { target } of references) visit(core.catalog.relation(target));
    for (const { relation: child } of core.catalog.referring(name)) visit(child);
  };
  for (const { relation } of writers) visit(relation as SourceRelation);
  return [...found.values()].sort((a, b) => a.relation.id - b.relation.id);
}

export function notATable(relation: SourceRelation): StreamError {
  return new StreamError(
    'SQL_WRONG_OBJECT_TYPE',
    `rows of ${relation.kind} "${relation.name}" cannot be changed`,
    { hint: 'Records of a stream stay as they are; use a table with a primary key.' },
  );
}
