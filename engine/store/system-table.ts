/** The store's own tables beside the log's: catalog, progress, error records and outbox. */
import type { Datum } from '../../sql/base/datum.ts';
import type { Schema } from '../../sql/base/type.ts';
import { textLiteral } from './literal.ts';
import type { CatalogChange, CatalogEntry, ErrorRecord, OutboxChunk } from './store.ts';
import { duckdbType, type StoredForm, storedForm } from './stored-form.ts';

/** Error records kept per relation; the oldest go first. */
const ERRORS_PER_RELATION_MAX = 10_000;

/** Columns of `<stream>_errors`, as SELECT sees them. */
export const errorSchema: Schema = [
  { name: 'topic', type: { kind: 'text' }, nullable: false },
  { name: 'partition', type: { kind: 'integer' }, nullable: false },
  { name: 'offset', type: { kind: 'bigint' }, nullable: false },
  { name: 'timestamp', type: { kind: 'timestamptz' }, nullable: false },
  { name: 'sqlstate', type: { kind: 'text' }, nullable: false },
  { name: 'reason', type: { kind: 'text' }, nullable: false },
  { name: 'raw', type: { kind: 'bytea' }, nullable: true },
];

/** The table of error records: `relation_id`, then `c0`, `c1`, … as in errorSchema. */
export const ERROR_TABLE = 'millrace_error';
export const OUTBOX_TABLE = 'millrace_outbox';
/** At most one row: which files hold the operators' state. */
export const STATE_TABLE = 'millrace_state';

export const errorForms: readonly StoredForm[] = [
  { kind: 'integer' },
  ...errorSchema.map((column) => storedForm(column.type)),
];
export const outboxForms: readonly StoredForm[] = [
  { kind: 'integer' },
  { kind: 'bigint' },
  { kind: 'bytes' },
];

const errorColumns = errorForms
  .map((form, i) => `${i === 0 ? 'relation_id' : `c${i - 1}`} ${duckdbType(form)}`)
  .join(', ');
const outboxColumns = 'sink INTEGER, sequence BIGINT, data BLOB';

export const systemTables: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS millrace_catalog (id INTEGER, name VARCHAR, kind VARCHAR, sql VARCHAR, detail VARCHAR)',
  `CREATE TABLE IF NOT EXISTS ${ERROR_TABLE} (${errorColumns})`,
  `CREATE TABLE IF NOT EXISTS ${OUTBOX_TABLE} (${outboxColumns})`,
  `CREATE TABLE IF NOT EXISTS ${STATE_TABLE} (manifest VARCHAR)`,
];

/** Temporary tables that error records and chunks pass through on their way into a commit. */
export const systemStages: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE stage_error (${errorColumns})`,
  `CREATE OR REPLACE TEMP TABLE stage_outbox (${outboxColumns})`,
];

export function errorRow(record: ErrorRecord): (Datum | null)[] {
  return [
    record.relationId,
    record.topic,
    record.partition,
    BigInt(record.offset),
    BigInt(Math.round(record.timestampMs * 1000)),
    record.sqlstate,
    record.reason,
    record.raw ?? null,
  ];
}

export function outboxRow(chunk: OutboxChunk): (Datum | null)[] {
  return [chunk.sinkId, BigInt(chunk.sequence), chunk.data];
}

/** Deletes all but the newest error records of each relation that just got some. */
export function pruneErrorsSql(relationIds: readonly number[]): readonly string[] {
  return relationIds.map(
    (id) =>
      `DELETE FROM ${ERROR_TABLE} WHERE relation_id = ${id} AND rowid <= (SELECT rowid FROM ${ERROR_TABLE} ` +
      `WHERE relation_id = ${id} ORDER BY rowid DESC LIMIT 1 OFFSET ${ERRORS_PER_RELATION_MAX})`,
  );
}

export function manifestSql(manifest: string): readonly string[] {
  return [
    `DELETE FROM ${STATE_TABLE}`,
    `INSERT INTO ${STATE_TABLE} VALUES (${textLiteral(manifest)})`,
  ];
}

export function catalogSql(change: CatalogChange): readonly string[] {
  const gone = [...change.remove, ...change.put.map((entry) => entry.id)];
  const statements: string[] = [];
  if (gone.length > 0) {
    statements.push(`DELETE FROM millrace_catalog WHERE id IN (${gone.join(', ')})`);
  }
  for (const entry of change.put) {
    const texts = [entry.name, entry.kind, entry.sql, entry.detail].map(textLiteral);
    statements.push(`INSERT INTO millrace_catalog VALUES (${entry.id}, ${texts.join(', ')})`);
  }
  if (change.remove.length > 0) {
    const ids = change.remove.join(', ');
    statements.push(`DELETE FROM ${ERROR_TABLE} WHERE relation_id IN (${ids})`);
    statements.push(`DELETE FROM ${OUTBOX_TABLE} WHERE sink IN (${ids})`);
  }
  return statements;
}

export function catalogEntry(row: readonly (Datum | null)[]): CatalogEntry {
  const [id, name, kind, sql, detail] = row;
  return {
    id: id as number,
    name: name as string,
    kind: kind as string,
    sql: sql as string,
    detail: detail as string,
  };
}
