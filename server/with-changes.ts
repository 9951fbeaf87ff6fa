/**
 * Statements with parts in their WITH clause that change rows. Every part sees the state before the statement, and of what the
 * others do only what they return; all changes are one.
 */
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { fillItems } from '../sql/bind-changes.ts';
import type { BoundManipulation, BoundWithChanges } from '../sql/bound-statement.ts';
import type { BoundExpr } from '../sql/expression.ts';
import { type ChangeStep, changeRows, type EarlierChanges } from './change-rows.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import type { ShownChange } from './merge.ts';
import { collectRows } from './pull.ts';
import { literalRows, manipulationResult, returnedRows } from './returning.ts';
import { columnKey } from './row-index.ts';
import { answerOf } from './row-result.ts';
import { changeTables } from './table-change.ts';
import type { TableDraft } from './table-draft.ts';
import type { TableWriter } from './table-writer.ts';
import type { Transaction } from './transaction.ts';

/** As PostgreSQL does: what the statement reads runs before it, what nobody reads behind it, the last part first. */
export async function executeWithChanges(
  core: Core,
  { items, main }: BoundWithChanges,
  signal: AbortSignal,
  transaction?: Transaction,
): Promise<StatementResult> {
  const parts = items.map(({ statement }) => statement);
  const { statement } = main;
  const writers = (statement.kind === 'query' ? parts : [...parts, statement]).map((part) =>
    writerOf(core, part),
  );
  return changeTables(core, [...new Set(writers)], transaction, async (drafts) => {
    for (const writer of writers) await writer.settled();
    const reading = transaction?.snapshot();
    const filled = new Map<number, readonly (readonly BoundExpr[])[]>();
    const run: ChangeStep['run'] = (plan) =>
      collectRows(core, fillItems(plan, filled), signal, reading);
    const step: ChangeStep = { drafts, run, earlier: new Earlier() };
    const runItems = async (numbers: Iterable<number>): Promise<void> => {
      for (const number of numbers) {
        const item = items[number];
        if (item === undefined || filled.has(number)) continue;
        await runItems(item.reads);
        const { returned } = await runPart(step, item.statement);
        const { returning } = item.statement;
        filled.set(number, returning ? literalRows(returned ?? [], returning.schema) : []);
      }
    };
    await runItems(main.reads);
    const result =
      statement.kind === 'query'
        ? answerOf('SELECT', statement.plan.schema, await run(statement.plan))
        : await runMain(step, statement);
    await runItems([...items.keys()].reverse());
    return result;
  });
}

async function runMain(step: ChangeStep, statement: BoundManipulation): Promise<StatementResult> {
  const { changes, returned } = await runPart(step, statement);
  return manipulationResult(statement, changes, returned);
}

async function runPart(
  step: ChangeStep,
  statement: BoundManipulation,
): Promise<{ readonly changes: readonly ShownChange[]; readonly returned?: readonly Row[] }> {
  const changes = await changeRows(step, statement);
  const returned = await returnedRows(statement, changes, step.run);
  return returned === undefined ? { changes } : { changes, returned };
}

/** @throws StreamError SQL_NOT_SUPPORTED for what follows a topic: its records could not be taken back with the other changes. */
function writerOf(core: Core, { relation }: BoundManipulation): TableWriter {
  const writer = core.writers.get(relation.id);
  if (writer !== undefined) return writer;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `${relation.kind} "${relation.name}" cannot be changed by a statement with other changes in its WITH clause`,
    { hint: 'Only tables without a topic can; use a transaction for several statements.' },
  );
}

/** A row is changed by the first part that comes to it; the others leave it, as it is no longer what they see. */
class Earlier implements EarlierChanges {
  readonly #written = new Map<TableDraft, Set<string>>();
  readonly #changed = new Map<TableDraft, Set<string>>();

  written(draft: TableDraft): Set<string> {
    const known = this.#written.get(draft) ?? new Set();
    this.#written.set(draft, known);
    return known;
  }

  onlyFirst(draft: TableDraft, changes: readonly ShownChange[]): readonly ShownChange[] {
    const before = this.#changed.get(draft) ?? new Set();
    const now = new Set(before);
    const keyOf = rowName(draft);
    const written = this.written(draft);
    const first = changes.filter((change) => {
      if (change.before === undefined) return true;
      const name = keyOf(change.before);
      now.add(name);
      return !before.has(name);
    });
    for (const { after } of first) {
      if (after === undefined) continue;
      for (const name of draft.keyNames(after)) written.add(name);
    }
    this.#changed.set(draft, now);
    return first;
  }
}

/** Equal rows of a table without a key have one name: a part that changes one of them changes them all. */
function rowName({ writer }: TableDraft): (row: Row) => string {
  if (writer.hasPrimaryKey) return (row) => writer.keyOf(row);
  const { schema } = writer.relation;
  const key = columnKey([...schema.keys()], schema, true);
  return (row) => key(row) ?? '';
}
