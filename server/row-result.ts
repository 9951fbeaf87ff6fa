import type { Datum, Row } from '../sql/base/datum.ts';
import type { Schema, SqlType } from '../sql/base/type.ts';
import type { StatementResult } from './database.ts';

export const TEXT: SqlType = { kind: 'text' };
export const BIGINT: SqlType = { kind: 'bigint' };
export const INTEGER: SqlType = { kind: 'integer' };
export const DOUBLE: SqlType = { kind: 'double' };
export const BOOLEAN: SqlType = { kind: 'boolean' };
export const TIMESTAMPTZ: SqlType = { kind: 'timestamptz' };

/** A result that is at hand as a whole: what SHOW and its like answer. */
export function rowsResult(
  tag: string,
  columns: readonly (readonly [name: string, type: SqlType])[],
  rows: readonly (readonly (Datum | null)[])[],
): StatementResult {
  return answerOf(
    tag,
    columns.map(([name, type]) => ({ name, type, nullable: true })),
    rows,
  );
}

/** The same with a schema. */
export function answerOf(
  tag: string,
  schema: Schema,
  rows: readonly (readonly (Datum | null)[])[],
): StatementResult {
  return { kind: 'rows', tag, schema, chunks: oneChunk(rows) };
}

export function okResult(tag: string, message: string): StatementResult {
  return { kind: 'ok', tag, message };
}

async function* oneChunk(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  if (rows.length > 0) yield rows;
}
