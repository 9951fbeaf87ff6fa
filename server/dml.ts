/** INSERT, UPDATE, DELETE, MERGE, TRUNCATE: into Millrace's own tables, or as records into a topic. */

import type { ProduceRecord } from '../connectors/connector.ts';
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type {
  BoundDelete,
  BoundInsert,
  BoundStatement,
  BoundUpdate,
  Returning,
} from '../sql/bound-statement.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import { holdsSubquery } from '../sql/expression-fact.ts';
import { compileConstraints } from './constraints.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { logOf } from './definitions.ts';
import { enforceReferences } from './foreign-keys.ts';
import { mergeChanges, type ShownChange } from './merge.ts';
import { collectRows } from './pull.ts';
import { recordEncoder } from './record-encoder.ts';
import { okResult } from './row-result.ts';
import { changeTables, notATable } from './table-change.ts';
import type { OnConflict } from './table-draft.ts';
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
  switch (statement.kind) {
    case 'insert': {
      const rows = await insertedRows(core, statement, signal, transaction);
      await core.sequences.settle();
      const done = await insertRows(core, statement, rows, transaction);
      return result('INSERT 0', done, statement.returning);
    }
    case 'update':
    case 'delete':
    case 'merge':
      return changeRows(core, statement, signal, transaction);
    case 'truncate':
      return truncateTables(core, statement, signal, transaction);
  }
}

/** Reading the rows and replacing them is one turn of the table's writer. */
async function changeRows(
  core: Core,
  statement: BoundDml & { readonly kind: 'update' | 'delete' | 'merge' },
  signal: AbortSignal,
  transaction: Transaction | undefined,
): Promise<StatementResult> {
  const { kind, relation, plan, returning } = statement;
  const matches = async (): Promise<readonly ShownChange[]> => {
    const rows = await collectRows(core, plan, signal, transaction);
    return kind === 'merge' ? mergeChanges(statement, rows) : changesOf(statement, rows);
  };
  const writer = core.writers.get(relation.id);
  const pairs =
    writer === undefined
      ? await replaceRecords(core, relation, matches, signal, transaction)
      : await changeTables(core, [writer], transaction, async (drafts) => {
          // A statement sees what those before it wrote.
          await writer.settled();
          const draft = await drafts.of(writer);
          const found = await matches();
          draft.replace(found);
          await enforceReferences(drafts, relation, found);
          return found;
        });
  const shown = pairs.map((pair) => pair.shown);
  return result(kind.toUpperCase(), shown, returning);
}

function changesOf(
  { kind, relation, joined }: BoundUpdate | BoundDelete,
  rows: readonly Row[],
): readonly ShownChange[] {
  const width = relation.schema.length;
  return rows.filter(firstOfItsRow(joined)).map((row): ShownChange => {
    const before = row.slice(0, width);
    if (kind === 'delete') return { before, after: undefined, shown: row };
    return { before, after: row.slice(width, 2 * width), shown: row.slice(width) };
  });
}

/** A target row that several rows of the joined items match is changed once; its number is the last column. */
function firstOfItsRow(joined: boolean): (row: Row) => boolean {
  const seen = new Set<Row[number]>();
  return (row) => {
    if (!joined) return true;
    const number = row.at(-1) ?? null;
    const isFirst = !seen.has(number);
    seen.add(number);
    return isFirst;
  };
}

function result(
  tag: string,
  rows: readonly Row[],
  returning: Returning | undefined,
): StatementResult {
  const full = `${tag} ${rows.length}`;
  if (returning === undefined) return okResult(full, '');
  const compiled = returning.expressions.map(compileScalar);
  const answer = rows.map((row) => compiled.map((value) => value(row)));
  return {
    kind: 'rows',
    tag: full,
    schema: returning.schema,
    chunks: (async function* () {
      if (answer.length > 0) yield answer;
    })(),
  };
}

/** Constant rows are computed here; a query, also one inside VALUES, is run. */
async function insertedRows(
  core: Core,
  { rows }: BoundInsert,
  signal: AbortSignal,
  transaction: Transaction | undefined,
): Promise<Row[]> {
  if (rows.kind !== 'values' || rows.rows.some((row) => row.some(holdsSubquery))) {
    return collectRows(core, rows, signal, transaction);
  }
  return rows.rows.map((row) => row.map((expression) => compileScalar(expression)([])));
}

/** Into a table, or as records into a topic. @returns the rows that are there now. */
export async function insertRows(
  core: Core,
  statement: Pick<BoundInsert, 'relation' | 'onConflict'>,
  rows: readonly Row[],
  transaction: Transaction | undefined,
): Promise<readonly Row[]> {
  const { relation } = statement;
  const writer = core.writers.get(relation.id);
  if (writer === undefined) {
    if (statement.onConflict !== undefined && relation.kind === 'stream') throw notATable(relation);
    const records = recordsOf(core, relation, rows, false);
    if (transaction === undefined) await produce(core, relation, records);
    else transaction.addRecords(relation, records);
    return rows;
  }
  const rule = conflictRule(statement);
  return changeTables(core, [writer], transaction, async (drafts) => {
    const draft = await drafts.of(writer);
    const changes = draft.insert(rows, rule);
    await enforceReferences(drafts, relation, changes);
    return changes.flatMap(({ after }) => (after === undefined ? [] : [after]));
  });
}

function conflictRule({
  onConflict,
  relation,
}: Pick<BoundInsert, 'relation' | 'onConflict'>): OnConflict {
  if (onConflict === undefined) return { kind: 'error' };
  const { keys } = onConflict;
  if (onConflict.action === 'nothing') return { kind: 'nothing', keys };
  const set = onConflict.set.map(({ column, value }) => ({ column, value: compileScalar(value) }));
  const where = onConflict.where === undefined ? undefined : compileScalar(onConflict.where);
  const width = relation.schema.length;
  const generated = relation.columns.flatMap(({ from }, column) =>
    from.kind === 'generated' ? [{ column, value: compileScalar(from.expression) }] : [],
  );
  return {
    kind: 'update',
    keys: keys ?? [],
    merge: (existing, proposed) => {
      const both = [...existing, ...proposed];
      if (where !== undefined && where(both) !== true) return undefined;
      const merged = existing.slice(0, width);
      for (const { column, value } of set) merged[column] = value(both);
      for (const { column, value } of generated) merged[column] = value(merged);
      return merged;
    },
  };
}

/** Rows of a table over a topic: records with their keys, and tombstones. */
async function replaceRecords(
  core: Core,
  relation: SourceRelation,
  matches: () => Promise<readonly ShownChange[]>,
  signal: AbortSignal,
  transaction: Transaction | undefined,
): Promise<readonly ShownChange[]> {
  if (transaction !== undefined) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `UPDATE, DELETE and MERGE of "${relation.name}" are not supported in a transaction`,
      { hint: 'The table follows its topic; only INSERT waits for COMMIT.' },
    );
  }
  // A statement sees what those before it wrote, also where rows come back from a topic.
  await core.engine.flush(signal);
  const pairs = await matches();
  if (relation.kind !== 'table' || relation.primaryKey.length === 0) throw notATable(relation);
  const tombstones = pairs.flatMap(({ before, after }) => {
    const isGone =
      before !== undefined && (after === undefined || !sameKey(relation, before, after));
    return isGone ? [before] : [];
  });
  await produce(core, relation, recordsOf(core, relation, tombstones, true));
  const put = pairs.flatMap(({ after }) => (after === undefined ? [] : [after]));
  await produce(core, relation, recordsOf(core, relation, put, false));
  return pairs;
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
