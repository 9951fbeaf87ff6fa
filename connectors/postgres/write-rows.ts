/** Statements that bring rows into a table, many rows each: the columns travel as arrays of texts. */
import type { DatabaseError } from 'pg';
import type { SinkChunk } from '../connector.ts';
import { isRowRefused } from './postgres-error.ts';
import { columnLiteral, decodeRowText, type TextRow } from './row-text.ts';
import type { Query } from './session.ts';
import type { TargetTable } from './target-table.ts';

/** What one statement writes. */
interface Batch {
  readonly sql: string;
  readonly rows: readonly TextRow[];
}

/** Called for a row that PostgreSQL refuses; throws to give up. */
export type OnRefused = (row: TextRow, error: DatabaseError) => void;

/**
 * Writes chunks in order. A chunk holds at most one change a key, deletions first.
 * @param onRefused  undefined = an error of the server is thrown as it is, and nothing more can be done in the transaction.
 */
export async function writeChunks(
  query: Query,
  table: TargetTable,
  chunks: readonly SinkChunk[],
  onRefused: OnRefused | undefined,
): Promise<void> {
  // A deferred constraint would speak at COMMIT, where no row can be told from the others.
  if (onRefused !== undefined) await query('SET CONSTRAINTS ALL IMMEDIATE');
  for (const chunk of chunks) {
    for (const batch of batchesOf(table, chunk)) {
      if (onRefused === undefined) await send(query, batch);
      else await sendAround(query, batch, onRefused);
    }
  }
}

function batchesOf(table: TargetTable, { records }: SinkChunk): Batch[] {
  const gone: TextRow[] = [];
  const goneWithNull: TextRow[] = [];
  const there: TextRow[] = [];
  for (const { key, value } of records) {
    if (value !== null) there.push(decodeRowText(value));
    else if (key !== null) {
      const row = decodeRowText(key);
      (row.includes(null) ? goneWithNull : gone).push(row);
    }
  }
  return [
    { sql: deleteSql(table, '='), rows: gone },
    // An index cannot be used for it, so it is kept for the few keys that need it.
    { sql: deleteSql(table, 'IS NOT DISTINCT FROM'), rows: goneWithNull },
    { sql: insertSql(table), rows: there },
  ].filter(({ rows }) => rows.length > 0);
}

async function send(query: Query, { sql, rows }: Batch): Promise<void> {
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, column) => columnLiteral(rows, column));
  await query(sql, columns);
}

/** Halves a batch until the refused rows stand alone. */
async function sendAround(query: Query, batch: Batch, onRefused: OnRefused): Promise<void> {
  await query('SAVEPOINT millrace');
  try {
    await send(query, batch);
    await query('RELEASE SAVEPOINT millrace');
    return;
  } catch (error) {
    if (!isRowRefused(error)) throw error;
    await query('ROLLBACK TO SAVEPOINT millrace; RELEASE SAVEPOINT millrace');
    const [only] = batch.rows;
    if (only !== undefined && batch.rows.length === 1) {
      onRefused(only, error);
      return;
    }
  }
  const middle = batch.rows.length >> 1;
  await sendAround(query, { ...batch, rows: batch.rows.slice(0, middle) }, onRefused);
  await sendAround(query, { ...batch, rows: batch.rows.slice(middle) }, onRefused);
}

/** `(SELECT u.c0::bigint, … FROM unnest($1::text[], …) u (c0, …))` of some of the table's columns. */
function unnestSql({ columns }: TargetTable, numbers: readonly number[]): string {
  const names = numbers.map((_, i) => `c${i}`);
  const values = numbers.map((n, i) => `u.c${i}::${columns[n]?.type} AS c${i}`);
  const arrays = numbers.map((_, i) => `$${i + 1}::text[]`);
  return `SELECT ${values.join(', ')} FROM unnest(${arrays.join(', ')}) AS u (${names.join(', ')})`;
}

function insertSql(table: TargetTable): string {
  const { name, columns, key, mode } = table;
  const names = columns.map((column) => column.name);
  const all = columns.map((_, i) => i);
  const insert = `INSERT INTO ${name} (${names.join(', ')}) ${unnestSql(table, all)}`;
  if (mode === 'append') return insert;
  const target = key.map((n) => columns[n]?.name).join(', ');
  // The key as well: equal keys may look different, as 1.0 and 1.00.
  const changes = names.map((column) => `${column} = EXCLUDED.${column}`).join(', ');
  return `${insert} ON CONFLICT (${target}) DO UPDATE SET ${changes}`;
}

function deleteSql(table: TargetTable, equals: '=' | 'IS NOT DISTINCT FROM'): string {
  const { name, columns, key } = table;
  const conditions = key.map((n, i) => `t.${columns[n]?.name} ${equals} d.c${i}`);
  return `DELETE FROM ${name} AS t USING (${unnestSql(table, key)}) AS d WHERE ${conditions.join(' AND ')}`;
}
