/** COPY … FROM STDIN and COPY … TO STDOUT: rows of a relation as text. */

import type { Statement } from '../../sql/ast-statement.ts';
import { assert } from '../../sql/base/assert.ts';
import type { Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { utc, zoneByName } from '../../sql/base/timezone.ts';
import { bindCopyFrom, bindCopyTo, copyFormatOf } from '../../sql/bind-copy.ts';
import { bindContext } from '../../sql/binder.ts';
import type { BoundCopyFrom } from '../../sql/bound-statement.ts';
import type { StatementContext } from '../../sql/catalog.ts';
import { selectInto } from '../../sql/select-into.ts';
import type { Core } from '../core.ts';
import type { CopyResult } from '../database.ts';
import { insertRows } from '../dml.ts';
import { type ExecuteContext, executeStatement } from '../execute.ts';
import { enforceReferences } from '../foreign-keys.ts';
import { runPlan } from '../pull.ts';
import { rowBytes } from '../row-bytes.ts';
import type { SessionLimits } from '../session-limits.ts';
import { statementContext } from '../statement-context.ts';
import { changeTables } from '../table-change.ts';
import type { RowChange } from '../table-draft.ts';
import type { TableWriter } from '../table-writer.ts';
import type { Transaction } from '../transaction.ts';
import { type CopiedRow, placed, RowReader } from './read-rows.ts';
import { copyWriter } from './write-rows.ts';

export type CopyStatement = Statement & { readonly kind: 'copy' };

/**
 * @param input  what COPY … FROM STDIN reads; nothing is asked of it for COPY … TO STDOUT.
 * @throws StreamError; of COPY … FROM nothing is there then.
 */
export async function runCopy(
  context: ExecuteContext,
  statement: CopyStatement,
  input: AsyncIterable<Uint8Array>,
  limits: SessionLimits,
): Promise<CopyResult> {
  const { core, settings, params, transaction, sequences } = context;
  const started = transaction?.startedMicros;
  const bound = statementContext(core, settings, params, started, sequences);
  const { source, direction } = statement;
  if (direction === 'to') return copyTo(context, statement, bound);
  assert('parts' in source, 'COPY FROM is into a relation');
  const copy = bindCopyFrom(statement, source, bindContext(core.catalog, bound, 'pull'));
  const zone = settings.get('timezone');
  const isUtc = zone === undefined || zone === 'UTC';
  const reader = new RowReader(copy, bound.nowMicros, isUtc ? utc : zoneByName(zone));
  const rows = await readAll(reader, input, context.signal, limits);
  await core.sequences.settle();
  await insert(core, copy, rows, transaction);
  const { skipped } = reader;
  const was = skipped === 1 ? '1 row was' : `${skipped} rows were`;
  const message = skipped === 0 ? '' : `${was} skipped due to data type incompatibility`;
  return { kind: 'in', tag: `COPY ${rows.length}`, message };
}

// ----------------------------------------------------------------------- from

/** Nothing is written, and nobody waits for the table, before all of the input is read. */
async function readAll(
  reader: RowReader,
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  limits: SessionLimits,
): Promise<readonly CopiedRow[]> {
  const rows: CopiedRow[] = [];
  let bytes = 0;
  const take = (chunk: string, isLast: boolean): void => {
    for (const copied of reader.read(chunk, isLast)) {
      rows.push(copied);
      bytes += rowBytes(copied.row);
      if (rows.length > limits.transactionRowsMax || bytes > limits.transactionBytesMax) {
        throw tooLarge(limits);
      }
    }
  };
  for await (const chunk of input) {
    if (signal.aborted) {
      throw new StreamError('STATEMENT_CANCELED', 'canceling statement due to user request');
    }
    take(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1'), false);
  }
  take('', true);
  return rows;
}

function tooLarge({ transactionRowsMax, transactionBytesMax }: SessionLimits): StreamError {
  return new StreamError(
    'TRANSACTION_TOO_LARGE',
    `COPY has more than ${transactionRowsMax} rows, or more than ${transactionBytesMax} bytes of them`,
    { hint: 'Copy it in parts, or raise the limit of transactions.' },
  );
}

async function insert(
  core: Core,
  copy: BoundCopyFrom,
  rows: readonly CopiedRow[],
  transaction: Transaction | undefined,
): Promise<void> {
  const { relation } = copy;
  const writer = core.writers.get(relation.id);
  if (writer === undefined) {
    const records: Row[] = rows.map(({ row }) => row);
    await insertRows(core, relation, records, transaction);
    return;
  }
  await insertInto(core, writer, rows, transaction);
}

/** One by one, so that an error names the line. */
async function insertInto(
  core: Core,
  writer: TableWriter,
  rows: readonly CopiedRow[],
  transaction: Transaction | undefined,
): Promise<void> {
  await changeTables(core, [writer], transaction, async (drafts) => {
    const draft = await drafts.of(writer);
    const changes: RowChange[] = [];
    for (const { row, place } of rows) {
      try {
        changes.push(...draft.insert([row], { kind: 'error' }));
      } catch (error) {
        throw placed(error, place);
      }
    }
    await enforceReferences(drafts, writer.relation, changes);
  });
}

// ------------------------------------------------------------------------- to

async function copyTo(
  context: ExecuteContext,
  statement: CopyStatement,
  bound: StatementContext,
): Promise<CopyResult> {
  const { core, signal, transaction, settings } = context;
  const format = copyFormatOf(statement);
  const { source } = statement;
  const answer = async () => {
    if ('parts' in source) {
      const plan = bindCopyTo(statement, source, format, bindContext(core.catalog, bound, 'pull'));
      return runPlan(core, plan, signal, transaction);
    }
    requireRows(source);
    const result = await executeStatement(context, source);
    assert(result.kind === 'rows', 'the statement gives rows');
    return result;
  };
  const { schema, chunks } = await answer();
  const zone = settings.get('timezone');
  const { header, line } = copyWriter(schema, format, zone === 'UTC' ? undefined : zone);
  const lines = async function* (): AsyncGenerator<string> {
    if (header !== '') yield header;
    for await (const chunk of chunks) yield chunk.map(line).join('');
  };
  return { kind: 'out', format: format.format, chunks: lines() };
}

/** @throws StreamError SQL_NOT_SUPPORTED for what gives no rows, or never ends, or keeps them elsewhere. */
function requireRows(source: Exclude<CopyStatement['source'], { readonly parts: unknown }>): void {
  const refuse = (message: string): StreamError =>
    new StreamError('SQL_NOT_SUPPORTED', message, { at: source.span });
  if (source.kind !== 'query') {
    if (source.returning.items.length > 0) return;
    throw refuse('COPY query must have a RETURNING clause');
  }
  if (selectInto(source) !== undefined) throw refuse('COPY (SELECT INTO) is not supported');
  if (source.emit !== undefined) throw refuse('COPY of a query with EMIT is not supported');
}
