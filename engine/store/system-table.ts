/** The store's own tables beside the log's: catalog, progress and outbox. */
import type { DeliveredChunks } from '../../connectors/connector.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { textLiteral } from './literal.ts';
import type { CatalogChange, CatalogEntry, OutboxChunk } from './store.ts';
import type { StoredForm } from './stored-form.ts';

export const OUTBOX_TABLE = 'millrace_outbox';
/** At most one row: which files hold the operators' state. */
export const STATE_TABLE = 'millrace_state';

export const outboxForms: readonly StoredForm[] = [
  { kind: 'integer' },
  { kind: 'bigint' },
  { kind: 'bytes' },
  { kind: 'integer' },
  { kind: 'double' },
];

const outboxColumns =
  'sink INTEGER, sequence BIGINT, data BLOB, records INTEGER, created_ms DOUBLE';

export const systemTables: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS millrace_catalog (id INTEGER, name VARCHAR, kind VARCHAR, sql VARCHAR, detail VARCHAR)',
  `CREATE TABLE IF NOT EXISTS ${OUTBOX_TABLE} (${outboxColumns})`,
  'CREATE TABLE IF NOT EXISTS millrace_identity (id VARCHAR)',
  'INSERT INTO millrace_identity SELECT uuid() WHERE NOT EXISTS (SELECT 1 FROM millrace_identity)',
  `CREATE TABLE IF NOT EXISTS ${STATE_TABLE} (manifest VARCHAR)`,
];

/** The temporary table that chunks pass through on their way into a commit. */
export const systemStages: readonly string[] = [
  `CREATE OR REPLACE TEMP TABLE stage_outbox (${outboxColumns})`,
];

export function outboxRow(chunk: OutboxChunk): (Datum | null)[] {
  return [chunk.sinkId, BigInt(chunk.sequence), chunk.data, chunk.records, chunk.createdMs];
}

/** Takes delivered chunks out of the outbox. */
export function forgetChunksSql({ sinkId, upTo }: DeliveredChunks): string {
  return `DELETE FROM ${OUTBOX_TABLE} WHERE sink = ${sinkId} AND sequence <= ${upTo}`;
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
