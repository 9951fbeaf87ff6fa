/**
 * `SELECT … INTO t` and `CREATE TABLE t AS … WITH [NO] DATA`: a table of its own with the rows that a query has now. Without those
 * words CREATE TABLE … AS is a view that is kept up to date.
 */

import type { Identifier, QualifiedName, Query } from '../sql/ast.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import { typeName } from '../sql/base/type.ts';
import { findNamed } from '../sql/bind-schema.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import { bindContext } from '../sql/binder.ts';
import type { StatementContext } from '../sql/catalog.ts';
import { identifierText, nameText } from '../sql/deparse-name.ts';
import { selectInto } from '../sql/select-into.ts';
import { isTemporaryName } from '../sql/temporary.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { dropRelations } from './lifecycle/drop.ts';
import { collectRows } from './pull.ts';
import { okResult } from './row-result.ts';
import { changeTables } from './table-change.ts';

export interface TableFromQuery {
  readonly name: QualifiedName;
  readonly columns: readonly Identifier[];
  readonly query: Query;
  readonly ifNotExists: boolean;
  readonly withData: boolean;
}

/** What a statement of this kind asks for; undefined for any other. */
export function tableFromQuery(statement: Statement): TableFromQuery | undefined {
  if (statement.kind === 'query') {
    const into = selectInto(statement);
    return into && { ...into, columns: [], ifNotExists: false, withData: true };
  }
  if (statement.kind !== 'create-relation') return undefined;
  const { query, withData, name, ifNotExists, columns } = statement;
  if (query === undefined || withData === undefined) return undefined;
  return { name, columns: columns.map((column) => column.name), query, ifNotExists, withData };
}

/**
 * @param create  carries out a CREATE TABLE.
 * @throws StreamError as the query does, and SQL_DUPLICATE_RELATION, SQL_DUPLICATE_COLUMN, …; nothing is created then.
 */
export async function createFromQuery(
  core: Core,
  request: TableFromQuery,
  context: StatementContext,
  signal: AbortSignal,
  create: (sql: string) => Promise<StatementResult>,
): Promise<StatementResult> {
  const { name, query, ifNotExists, withData } = request;
  const binding = bindContext(core.catalog, context, 'pull');
  const existing = findNamed(name, binding);
  if (existing !== undefined) {
    const message = `relation "${existing.name}" already exists`;
    if (ifNotExists) return okResult('CREATE TABLE AS', `${message}, skipping`);
    throw new StreamError('SQL_DUPLICATE_RELATION', message, { at: name.span });
  }
  const bound = bindStatement(query, core.catalog, context);
  if (bound.kind !== 'query') {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'a table cannot be made of a query that changes rows',
      { at: query.span, hint: 'Create the table, and put INSERT INTO … before the query.' },
    );
  }
  if (bound.emit !== undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'the rows of a table cannot be those of EMIT', {
      at: bound.emit.span,
      hint: 'CREATE TABLE … AS without WITH DATA is kept up to date.',
    });
  }
  // The rows first: what fails then has created nothing.
  const rows = withData ? await collectRows(core, bound.plan, signal) : [];
  await core.sequences.settle();
  const words = isTemporaryName(name) ? 'CREATE TEMPORARY TABLE' : 'CREATE TABLE';
  await create(`${words} ${nameText(name)} (${columnList(request, bound.plan.schema)})`);
  const table = findNamed(name, bindContext(core.catalog, context, 'pull'));
  const writer = table === undefined ? undefined : core.writers.get(table.id);
  assert(table !== undefined && writer !== undefined, 'the table has just been created');
  try {
    await changeTables(core, [writer], undefined, async (drafts) => {
      (await drafts.of(writer)).insert(rows, { kind: 'error' });
    });
  } catch (error) {
    await dropRelations(core, core.catalog.withDependents(table.name));
    throw error;
  }
  return okResult(withData ? `SELECT ${rows.length}` : 'CREATE TABLE AS', '');
}

/** @throws StreamError SQL_SYNTAX for more names than columns. */
function columnList(
  { columns, name }: TableFromQuery,
  schema: readonly { readonly name: string; readonly type: Parameters<typeof typeName>[0] }[],
): string {
  if (columns.length > schema.length) {
    throw new StreamError('SQL_SYNTAX', 'too many column names were specified', {
      at: columns[schema.length]?.span ?? name.span,
    });
  }
  return schema
    .map((column, index) => {
      const shown = columns[index] ?? { name: column.name, quoted: true, span: name.span };
      return `${identifierText(shown)} ${typeName(column.type)}`;
    })
    .join(', ');
}
