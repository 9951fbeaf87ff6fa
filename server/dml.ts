/** INSERT, UPDATE, DELETE, MERGE, TRUNCATE: into Millrace's own tables, or as records into a topic. */

import type { ProduceRecord } from '../connectors/connector.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BoundManipulation, BoundStatement } from '../sql/bound-statement.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import { holdsSubquery } from '../sql/expression-fact.ts';
import { changeRows, foundChanges, holdsQuery, insertedRows } from './change-rows.ts';
import { compileConstraints } from './constraints.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { logOf } from './definitions.ts';
import { enforceReferences } from './foreign-keys.ts';
import { collectRows } from './pull.ts';
import type { Reading } from './reading.ts';
import { recordEncoder } from './record-encoder.ts';
import { manipulationResult, type RunQuery, returnedRows } from './returning.ts';
import { changeTables, notATable } from './table-change.ts';
import type { RowChange } from './table-draft.ts';
import type { TableWriter } from './table-writer.ts';
import type { Transaction } from './transaction.ts';
import { truncateTables } from './truncate.ts';

export type BoundDml = BoundStatement & {
  readonly kind: 'insert' | 'update' | 'delete' | 'merge' | 'truncate';
};

/** @param transaction  where the changes wait for COMMIT; without one they are durable when this settles. */
export async function executeDml(
  core: Core,
  statement: BoundDml,
  signal: AbortSignal,
  transaction?: Transaction,
): Promise<StatementResult> {
  if (statement.kind === 'truncate') return truncateTables(core, statement, signal, transaction);
  const writer = core.writers.get(statement.relation.id);
  if (writer === undefined) return changeRecords(core, statement, signal, transaction);
  if (statement.kind === 'insert') {
    // Before the table's turn: others need not wait for a long query.
    const run = queryRunner(core, signal, transaction);
    const rows = await insertedRows(statement, run);
    await core.sequences.settle();
    return inTable(core, statement, writer, signal, transaction, rows);
  }
  return inTable(core, statement, writer, signal, transaction, undefined);
}

const queryRunner =
  (core: Core, signal: AbortSignal, reading: Reading | undefined): RunQuery =>
  (plan) =>
    collectRows(core, plan, signal, reading);

/** Reading the rows and replacing them is one turn of the table's writer. */
async function inTable(
  core: Core,
  statement: BoundManipulation,
  writer: TableWriter,
  signal: AbortSignal,
  transaction: Transaction | undefined,
  rows: readonly Row[] | undefined,
): Promise<StatementResult> {
  return changeTables(core, [writer], transaction, async (drafts) => {
    // A statement sees what those before it wrote.
    if (readsInTurn(statement)) await writer.settled();
    const reading = readsLate(statement) ? transaction?.snapshot() : transaction;
    const step = { drafts, run: queryRunner(core, signal, reading) };
    const changes = await changeRows(step, statement, rows);
    return manipulationResult(statement, changes, await returnedRows(statement, changes, step.run));
  });
}

/** Does it run queries when its rows are in the drafts already? They must not see them. */
const readsLate = ({ kind, returning, ...statement }: BoundManipulation): boolean =>
  returning?.expressions.some(holdsSubquery) === true ||
  ('onConflict' in statement && holdsQuery(statement.onConflict));

const readsInTurn = (statement: BoundManipulation): boolean =>
  statement.kind !== 'insert' || readsLate(statement);

/** Into a table, or as records into a topic. */
export async function insertRows(
  core: Core,
  relation: SourceRelation,
  rows: readonly Row[],
  transaction: Transaction | undefined,
): Promise<void> {
  const writer = core.writers.get(relation.id);
  if (writer === undefined) return insertRecords(core, relation, rows, transaction);
  await changeTables(core, [writer], transaction, async (drafts) => {
    const changes = (await drafts.of(writer)).insert(rows, { kind: 'error' });
    await enforceReferences(drafts, relation, changes);
  });
}

/** Of a relation over a topic. */
async function changeRecords(
  core: Core,
  statement: BoundManipulation,
  signal: AbortSignal,
  transaction: Transaction | undefined,
): Promise<StatementResult> {
  const { relation } = statement;
  const run = queryRunner(core, signal, transaction);
  if (statement.kind === 'insert') {
    const rows = await insertedRows(statement, run);
    await core.sequences.settle();
    if (statement.onConflict !== undefined && relation.kind === 'stream') throw notATable(relation);
    const changes = rows.map((row) => ({ before: undefined, after: row, shown: row }));
    const returned = await returnedRows(statement, changes, run);
    await insertRecords(core, relation, rows, transaction);
    return manipulationResult(statement, changes, returned);
  }
  if (transaction !== undefined) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `UPDATE, DELETE and MERGE of "${relation.name}" are not supported in a transaction`,
      { hint: 'The table follows its topic; only INSERT waits for COMMIT.' },
    );
  }
  // A statement sees what those before it wrote, also where rows come back from a topic.
  await core.engine.flush(signal);
  const changes = await foundChanges(statement, run);
  const returned = await returnedRows(statement, changes, run);
  await replaceRecords(core, relation, changes);
  return manipulationResult(statement, changes, returned);
}

async function insertRecords(
  core: Core,
  relation: SourceRelation,
  rows: readonly Row[],
  transaction: Transaction | undefined,
): Promise<void> {
  const records = recordsOf(core, relation, rows, false);
  if (transaction === undefined) await produce(core, relation, records);
  else transaction.addRecords(relation, records);
}

/** Rows of a table over a topic: records with their keys, and tombstones. */
async function replaceRecords(
  core: Core,
  relation: SourceRelation,
  pairs: readonly RowChange[],
): Promise<void> {
  if (relation.kind !== 'table' || relation.primaryKey.length === 0) throw notATable(relation);
  const tombstones = pairs.flatMap(({ before, after }) => {
    const isGone =
      before !== undefined && (after === undefined || !sameKey(relation, before, after));
    return isGone ? [before] : [];
  });
  await produce(core, relation, recordsOf(core, relation, tombstones, true));
  const put = pairs.flatMap(({ after }) => (after === undefined ? [] : [after]));
  await produce(core, relation, recordsOf(core, relation, put, false));
}

function sameKey(relation: SourceRelation, before: Row, after: Row): boolean {
  const encode = recordEncoder(relation).key;
  const left = encode(before);
  const right = encode(after);
  return left === null || right === null ? left === right : left.equals(right);
}

/** @throws StreamError SQL_WRONG_OBJECT_TYPE for a relation without a log; CONSTRAINT_…. */
function recordsOf(
  core: Core,
  relation: SourceRelation,
  rows: readonly Row[],
  tombstones: boolean,
): readonly ProduceRecord[] {
  if (logOf(core.connectors, relation) === undefined || relation.input === undefined) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `cannot insert into "${relation.name}"`, {
      hint: `Its records come from connector "${relation.input?.connector}".`,
    });
  }
  if (!tombstones) requireConstraints(relation, rows);
  const encode = recordEncoder(relation);
  return rows.map((row) => ({
    key: encode.key(row),
    value: tombstones ? null : encode.value(row),
    timestampMs: encode.timestampMs(row),
  }));
}

/** Settles when the records are durable; FLUSH then waits until views show them. */
async function produce(
  core: Core,
  relation: SourceRelation,
  records: readonly ProduceRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await logOf(core.connectors, relation)?.produce(relation.input?.topic ?? '', records);
}

/** Before anything is written: a record that its own stream would refuse is the statement's error. */
function requireConstraints(relation: SourceRelation, rows: readonly Row[]): void {
  const findViolation = compileConstraints(relation);
  for (const row of rows) {
    const violation = findViolation(row);
    if (violation !== undefined) throw violation;
  }
}
