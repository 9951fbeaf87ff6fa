/**
 * Rows on their way to PostgreSQL, in the outbox: each value as the text that PostgreSQL reads, NULL as null, in a JSON array.
 * A row that is there has the whole row as the record's value; a deleted one has its key as the record's key, and no value.
 */
import { Buffer } from 'node:buffer';
import { assert } from '../../sql/base/assert.ts';
import { jsonWriter, textWriter } from '../../sql/base/text-output.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import type { ProduceRecord, SinkRow } from '../connector.ts';

export type TextRow = readonly (string | null)[];

/** Rows have no storable type in PostgreSQL without CREATE TYPE, so they, and arrays of them, travel as jsonb. */
export function isStoredAsJson(type: SqlType): boolean {
  return type.kind === 'row' || (type.kind === 'array' && isStoredAsJson(type.element));
}

export function compileRowText(
  schema: Schema,
  key: readonly number[],
): (change: SinkRow) => ProduceRecord {
  const writers = schema.map(({ type }) =>
    isStoredAsJson(type) ? jsonWriter(type) : textWriter(type),
  );
  const all = schema.map((_, column) => column);
  const encode = ({ row }: SinkRow, columns: readonly number[]): Buffer => {
    const texts = columns.map((column) => {
      const value = row[column] ?? null;
      return value === null ? null : (writers[column]?.(value) ?? null);
    });
    return Buffer.from(JSON.stringify(texts));
  };
  return (change) =>
    change.op === 'delete'
      ? { key: encode(change, key), value: null }
      : { key: null, value: encode(change, all) };
}

export function decodeRowText(bytes: Buffer): TextRow {
  const row: unknown = JSON.parse(bytes.toString('utf8'));
  assert(Array.isArray(row), 'the outbox holds what compileRowText wrote');
  return row;
}

/** One column of many rows as PostgreSQL's text of a text[]. */
export function columnLiteral(rows: readonly TextRow[], column: number): string {
  const items = rows.map((row) => {
    const text = row[column] ?? null;
    return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${items.join(',')}}`;
}
