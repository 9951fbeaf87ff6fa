/** INSERT, UPDATE, DELETE, TRUNCATE: into Millrace's own tables, or as records into a topic. */

import type { ProduceRecord } from '../connectors/connector.ts';
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BoundInsert, BoundStatement, Returning } from '../sql/bound-statement.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import { holdsSubquery } from '../sql/expression-fact.ts';
import { compileConstraints } from './constraints.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { logOf } from './definitions.ts';
import { collectRows } from './pull.ts';
import { recordEncoder } from './record-encoder.ts';
import { okResult } from './row-result.ts';
import type { OnConflict, TableWriter } from './table-writer.ts';

export type BoundDml = BoundStatement & {
  readonly kind: 'insert' | 'update' | 'delete' | 'truncate';
};

export async function executeDml(
  core: Core,
  statement: BoundDml,
  signal: AbortSignal,
): Promise<StatementResult> {
  switch (statement.kind) {
    case 'insert': {
      const rows = await insertedRows(core, statement, signal);
      const done = await insertRows(core, statement, rows);
      return result('INSERT 0', done, statement.returning);
    }
    case 'update':
    case 'delete':
      return changeRows(core, statement, signal);
    case 'truncate': {
      for (const relation of statement.relations) {
        const writer = core.writers.get(relation.id);
        if (writer === undefined) throw notATable(relation);
        await writer.inTurn(() => writer.truncate());
      }
      return okResult('TRUNCATE TABLE', '');
    }
  }
}

/** A statement sees what those before it wrote, also where rows come back from a topic. */
async function settleTable(
  core: Core,
  relation: SourceRelation,
  signal: AbortSignal,
): Promise<void> {
  const writer = core.writers.get(relation.id);
  if (writer === undefined) await core.engine.flush(signal);
  else await writer.settled();
}

/** Reading the rows and replacing them is one turn of the table's writer. */
async function changeRows(
  core: Core,
  statement: BoundDml & { readonly kind: 'update' | 'delete' },
  signal: AbortSignal,
): Promise<StatementResult> {
  const { kind, relation, plan, joined, returning } = statement;
  const width = relation.schema.length;
  const work = async (): Promise<readonly RowPair[]> => {
    await settleTable(core, relation, signal);
    const matches = (await collectRows(core, plan, signal)).filter(firstOfItsRow(joined));
    const pairs = matches.map((row): RowPair => {
      const before = row.slice(0, width);
      if (kind === 'delete') return { before, after: undefined, shown: row };
      return { before, after: row.slice(width, 2 * width), shown: row.slice(width) };
    });
    await replaceRows(core, relation, pairs);
    return pairs;
  };
  const writer = core.writers.get(relation.id);
  const pairs = await (writer === undefined ? work() : writer.inTurn(work));
  const shown = pairs.map((pair) => pair.shown);
  return result(kind === 'update' ? 'UPDATE' : 'DELETE', shown, returning);
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
): Promise<Row[]> {
  if (rows.kind !== 'values' || rows.rows.some((row) => row.some(holdsSubquery))) {
    return collectRows(core, rows, signal);
  }
  return rows.rows.map((row) => row.map((expression) => compileScalar(expression)([])));
}

async function insertRows(
  core: Core,
  statement: BoundInsert,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  const { relation } = statement;
  const writer = core.writers.get(relation.id);
  if (writer === undefined) {
    if (statement.onConflict !== undefined && relation.kind === 'stream') throw notATable(relation);
    await produceRows(core, relation, rows, false);
    return rows;
  }
  const rule = conflictRule(statement);
  // Only the checks take a turn: the commits of many small INSERTs are one.
  const { rows: applied, committed } = await writer.inTurn(() => writer.insert(rows, rule));
  await committed;
  return applied;
}

function conflictRule({ onConflict, relation }: BoundInsert): OnConflict {
  if (onConflict === undefined) return { kind: 'error' };
  if (onConflict.action === 'nothing') return { kind: 'nothing' };
  const set = onConflict.set.map(({ column, value }) => ({ column, value: compileScalar(value) }));
  const where = onConflict.where === undefined ? undefined : compileScalar(onConflict.where);
  const width = relation.schema.length;
  return {
    kind: 'update',
    merge: (existing, proposed) => {
      const both = [...existing, ...proposed];
      if (where !== undefined && where(both) !== true) return undefined;
      const merged = existing.slice(0, width);
      for (const { column, value } of set) merged[column] = value(both);
      return merged;
    },
  };
}

interface RowPair {
  readonly before: Row;
  readonly after: Row | undefined;
  /** What RETURNING is computed over. */
  readonly shown: Row;
}

async function replaceRows(
  core: Core,
  relation: SourceRelation,
  pairs: readonly RowPair[],
): Promise<void> {
  const writer: TableWriter | undefined = core.writers.get(relation.id);
  if (writer !== undefined) {
    await (await writer.replace(pairs)).committed;
    return;
  }
  if (relation.kind !== 'table' || relation.primaryKey.length === 0) throw notATable(relation);
  const gone = pairs.filter(
    ({ before, after }) => after === undefined || !sameKey(relation, before, after),
  );
  await produceRows(
    core,
    relation,
    gone.map(({ before }) => before),
    true,
  );
  const put = pairs.flatMap(({ after }) => (after === undefined ? [] : [after]));
  await produceRows(core, relation, put, false);
}

function sameKey(relation: SourceRelation, before: Row, after: Row): boolean {
  const encode = recordEncoder(relation).key;
  const left = encode(before);
  const right = encode(after);
  return left === null || right === null ? left === right : left.equals(right);
}

/** Settles when the records are durable; FLUSH then waits until views show them. */
export async function produceRows(
  core: Core,
  relation: SourceRelation,
  rows: readonly Row[],
  tombstones: boolean,
): Promise<void> {
  const log = logOf(core.connectors, relation);
  if (log === undefined || relation.input === undefined) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `cannot insert into "${relation.name}"`, {
      hint: `Its records come from connector "${relation.input?.connector}".`,
    });
  }
  if (rows.length === 0) return;
  if (!tombstones) requireConstraints(relation, rows);
  const encode = recordEncoder(relation);
  const records: ProduceRecord[] = rows.map((row) => ({
    key: encode.key(row),
    value: tombstones ? null : encode.value(row),
    timestampMs: encode.timestampMs(row),
  }));
  await log.produce(relation.input.topic, records);
}

/** Before anything is written: a record that its own stream would refuse is the statement's error. */
function requireConstraints(relation: SourceRelation, rows: readonly Row[]): void {
  const findViolation = compileConstraints(relation);
  for (const row of rows) {
    const violation = findViolation(row);
    if (violation !== undefined) throw violation;
  }
}

function notATable(relation: SourceRelation): StreamError {
  return new StreamError(
    'SQL_WRONG_OBJECT_TYPE',
    `rows of ${relation.kind} "${relation.name}" cannot be changed`,
    { hint: 'Records of a stream stay as they are; use a table with a primary key.' },
  );
}
