/** What a commit changed in a view, row by row. */
import type { Datum, Row } from '../../sql/base/datum.ts';
import type { Schema } from '../../sql/base/type.ts';
import { hashKey } from '../../sql/base/value.ts';
import type { Batch } from '../delta/batch.ts';

/** `update` only for views with a key; otherwise a delete and an insert. */
export type RowChange =
  | { readonly op: 'insert'; readonly row: Row }
  | { readonly op: 'delete'; readonly row: Row }
  | { readonly op: 'update'; readonly row: Row; readonly before: Row };

export interface VersionedChanges {
  readonly version: number;
  readonly changes: readonly RowChange[];
}

/**
 * The net effect of weighted batches as row changes: deletes, then updates and inserts.
 * @param key  columns that identify a row; with a key a delete and an insert of it are one update.
 */
export function netChanges(
  schema: Schema,
  key: readonly number[],
  batches: readonly Batch[],
): RowChange[] {
  const rows = new Map<string, WeightedRow>();
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      addWeighted(rows, schema, batch.row(i), batch.weight(i));
    }
  }
  return changesOf(rows.values(), schema, key);
}

/** The net effect of changes that follow each other. */
export function mergeChanges(
  schema: Schema,
  key: readonly number[],
  entries: readonly VersionedChanges[],
): RowChange[] {
  const rows = new Map<string, WeightedRow>();
  for (const { changes } of entries) {
    for (const change of changes) {
      if (change.op === 'update') addWeighted(rows, schema, change.before, -1);
      addWeighted(rows, schema, change.row, change.op === 'delete' ? -1 : 1);
    }
  }
  return changesOf(rows.values(), schema, key);
}

interface WeightedRow {
  readonly row: Row;
  weight: number;
}

function addWeighted(
  rows: Map<string, WeightedRow>,
  schema: Schema,
  row: Row,
  weight: number,
): void {
  const identity = identityOf(schema, row);
  const known = rows.get(identity);
  if (known === undefined) rows.set(identity, { row, weight });
  else known.weight += weight;
}

function changesOf(
  rows: Iterable<WeightedRow>,
  schema: Schema,
  key: readonly number[],
): RowChange[] {
  const removed = new Map<string, Row>();
  const deletes: RowChange[] = [];
  const rest: RowChange[] = [];
  const inserted: Row[] = [];
  for (const { row, weight } of rows) {
    if (weight < 0 && key.length > 0) removed.set(keyOf(schema, row, key), row);
    else for (let n = weight; n < 0; n++) deletes.push({ op: 'delete', row });
    for (let n = weight; n > 0; n--) inserted.push(row);
  }
  for (const row of inserted) {
    const identity = key.length > 0 ? keyOf(schema, row, key) : '';
    const before = removed.get(identity);
    if (before === undefined) rest.push({ op: 'insert', row });
    else {
      removed.delete(identity);
      rest.push({ op: 'update', row, before });
    }
  }
  for (const row of removed.values()) deletes.push({ op: 'delete', row });
  return [...deletes, ...rest];
}

function identityOf(schema: Schema, row: Row): string {
  return keyOf(
    schema,
    row,
    schema.map((_, i) => i),
  );
}

function keyOf(schema: Schema, row: Row, key: readonly number[]): string {
  let text = '';
  for (const index of key) {
    const value: Datum | null = row[index] ?? null;
    const type = schema[index]?.type;
    if (value === null || type === undefined) {
      text += 'n;';
      continue;
    }
    const part = String(hashKey(value, type));
    text += `${part.length}:${part};`;
  }
  return text;
}
