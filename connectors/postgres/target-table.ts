/** The table that a sink writes: made when it is missing, else checked, and what statements must know of it. */
import { escapeIdentifier } from 'pg';
import { StreamError } from '../../sql/base/error.ts';
import { type Schema, type SqlType, typeName } from '../../sql/base/type.ts';
import type { TableName, WriteMode } from './options.ts';
import { isStoredAsJson } from './row-text.ts';
import type { Query } from './session.ts';

/** NULLS NOT DISTINCT came with this version. */
const NULLS_NOT_DISTINCT_VERSION = 150_000;

export interface TargetColumn {
  /** Quoted. */
  readonly name: string;
  /** The table's type without length or precision: values are read by it, and the table's own limits are checked, not cut to. */
  readonly type: string;
}

export interface TargetTable {
  /** Quoted, with its schema when the options name one. */
  readonly name: string;
  /** One a column of the sink, in its order. */
  readonly columns: readonly TargetColumn[];
  readonly key: readonly number[];
  readonly mode: WriteMode;
}

export function quoteTable({ schema, table }: TableName): string {
  const name = escapeIdentifier(table);
  return schema === undefined ? name : `${escapeIdentifier(schema)}.${name}`;
}

/**
 * Finds the table, or makes it.
 * @throws StreamError SINK_REFUSED when it cannot take the rows: a column or the unique index over the key is missing.
 */
export async function provideTable(
  query: Query,
  table: TableName,
  schema: Schema,
  key: readonly number[],
  mode: WriteMode,
): Promise<TargetTable> {
  const name = quoteTable(table);
  const [version] = await query('SHOW server_version_num');
  const knowsNullKeys = Number(version?.[0]) >= NULLS_NOT_DISTINCT_VERSION;
  const keyColumns = mode === 'upsert' ? key : [];
  const hasNullKeys = keyColumns.some((column) => schema[column]?.nullable !== false);
  if (hasNullKeys && !knowsNullKeys) {
    throw new StreamError(
      'SINK_REFUSED',
      `the key of ${name} may be NULL, and PostgreSQL before 15 cannot keep one row for it`,
      { hint: 'Filter the query with IS NOT NULL, or replace NULL by coalesce().' },
    );
  }
  const [known] = await query('SELECT to_regclass($1) IS NOT NULL', [name]);
  if (known?.[0] !== true) await query(createSql(name, schema, keyColumns, hasNullKeys));
  const found = await columnsOf(query, name);
  const columns = schema.map((column) => {
    const type = found.get(column.name);
    if (type !== undefined) return { name: escapeIdentifier(column.name), type };
    throw new StreamError('SINK_REFUSED', `table ${name} has no column "${column.name}"`, {
      hint: 'Add it, or rename the column of the query with AS.',
    });
  });
  if (mode === 'upsert') await checkKey(query, name, schema, key, hasNullKeys, knowsNullKeys);
  return { name, columns, key, mode };
}

function createSql(
  name: string,
  schema: Schema,
  key: readonly number[],
  hasNullKeys: boolean,
): string {
  const columns = schema.map((column) => {
    const type = isStoredAsJson(column.type) ? 'jsonb' : typeName(withTextForEnums(column.type));
    return `${escapeIdentifier(column.name)} ${type}`;
  });
  const keyNames = key.map((column) => escapeIdentifier(schema[column]?.name ?? '')).join(', ');
  if (key.length > 0) {
    columns.push(`${hasNullKeys ? 'UNIQUE NULLS NOT DISTINCT' : 'PRIMARY KEY'} (${keyNames})`);
  }
  return `CREATE TABLE IF NOT EXISTS ${name} (${columns.join(', ')})`;
}

async function columnsOf(query: Query, name: string): Promise<ReadonlyMap<string, string>> {
  const rows = await query(
    `SELECT attname, format_type(atttypid, -1) FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
    [name],
  );
  return new Map(rows.map(([column, type]) => [String(column), String(type)]));
}

/** ON CONFLICT needs a unique index over exactly the key; with NULLs in the key it must take them as equal. */
async function checkKey(
  query: Query,
  name: string,
  schema: Schema,
  key: readonly number[],
  hasNullKeys: boolean,
  knowsNullKeys: boolean,
): Promise<void> {
  const nulls = knowsNullKeys ? 'indnullsnotdistinct' : 'false';
  const rows = await query(
    `SELECT array_agg(attname ORDER BY attname)::text[], ${nulls}
     FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
     WHERE indrelid = to_regclass($1) AND indisunique AND indisvalid AND indimmediate
       AND indpred IS NULL AND indexprs IS NULL AND indnkeyatts = indnatts
     GROUP BY indexrelid, ${nulls}`,
    [name],
  );
  const wanted = key.map((column) => schema[column]?.name ?? '').sort();
  const fits = rows.some(([columns, notDistinct]) => {
    const names = Array.isArray(columns) ? columns.map(String).sort() : [];
    return names.join('\0') === wanted.join('\0') && (!hasNullKeys || notDistinct === true);
  });
  if (fits) return;
  const list = key.map((column) => escapeIdentifier(schema[column]?.name ?? '')).join(', ');
  const clause = hasNullKeys ? ' NULLS NOT DISTINCT' : '';
  throw new StreamError('SINK_REFUSED', `table ${name} has no unique index on (${list})`, {
    hint: `CREATE UNIQUE INDEX ON ${name} (${list})${clause}, then RESUME the sink.`,
  });
}

/** The other database has not our enum types. */
function withTextForEnums(type: SqlType): SqlType {
  if (type.kind === 'array') return { kind: 'array', element: withTextForEnums(type.element) };
  return type.kind === 'enum' ? { kind: 'text' } : type;
}
