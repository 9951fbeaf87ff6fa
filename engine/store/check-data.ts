/**
 * Checks a data directory that no server uses: the database file, and every file of operator state that its last commit
 * names, to the last checksum. Changes nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import duckdb from '@duckdb/node-bindings';
import { StreamError } from '../../sql/base/error.ts';
import { Connection } from './connection.ts';
import { DATABASE_FILE } from './database-file.ts';
import { readSavedState } from './saved-state.ts';
import { StateFiles } from './state-files.ts';
import type { SavedState } from './store.ts';

export interface DataReport {
  /** What was found, a line each. */
  readonly lines: readonly string[];
  /** What is wrong, a line each; empty = nothing. */
  readonly damages: readonly string[];
}

/** What a manifest says; its text is of the runtime's own making. */
export interface ManifestSummary {
  readonly firstLog: number;
  readonly plans: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

export type ReadManifest = (text: string) => ManifestSummary;

/** @throws StreamError STORE_FAILED when there is no database or it cannot be opened. */
export async function checkData(path: string, readManifest: ReadManifest): Promise<DataReport> {
  const file = join(path, DATABASE_FILE);
  if (!existsSync(file)) throw new StreamError('STORE_FAILED', `there is no database in ${path}`);
  const config = duckdb.create_config();
  duckdb.set_config(config, 'access_mode', 'READ_ONLY');
  let database: duckdb.Database;
  try {
    database = await duckdb.open(file, config);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new StreamError('STORE_FAILED', `the database in ${path} cannot be opened: ${text}`, {
      cause,
    });
  }
  try {
    return await checkAll(path, await Connection.open(database), readManifest);
  } finally {
    duckdb.close_sync(database);
  }
}

async function checkAll(
  path: string,
  connection: Connection,
  readManifest: ReadManifest,
): Promise<DataReport> {
  const lines: string[] = [];
  const damages: string[] = [];
  try {
    await checkTables(connection, lines, damages);
    const state = await readSavedState(connection);
    if (state === undefined) lines.push('operator state: none saved');
    else await checkState(new StateFiles(path), state, readManifest, lines, damages);
  } finally {
    connection.close();
  }
  return { lines, damages };
}

/** Reads every row of every table: DuckDB checks its blocks' checksums as it reads them. */
async function checkTables(
  connection: Connection,
  lines: string[],
  damages: string[],
): Promise<void> {
  const names = await connection.rows(
    'SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY 1',
  );
  let rows = 0n;
  for (const [name] of names) {
    try {
      const sql = `SELECT count(*), max(hash(t)) FROM "${name as string}" AS t`;
      const [row] = await connection.rows(sql);
      rows += BigInt(row?.[0] as number | bigint);
    } catch (cause) {
      damages.push(`table ${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  lines.push(`database: ${names.length} tables, ${rows} rows`);
  const [epoch] = await connection.rows('SELECT max(epoch) FROM millrace_progress');
  lines.push(`last commit: epoch ${epoch?.[0] ?? 0}`);
}

async function checkState(
  files: StateFiles,
  { manifest, log }: SavedState,
  readManifest: ReadManifest,
  lines: string[],
  damages: string[],
): Promise<void> {
  const checked = (what: string, read: () => Iterable<unknown>): number => {
    let count = 0;
    try {
      for (const _ of read()) count++;
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      damages.push(`${what}: ${error.message}`);
    }
    return count;
  };
  const found = readManifest(manifest);
  await files.refuseLostCommits(log).catch((error: unknown) => {
    if (!(error instanceof StreamError)) throw error;
    damages.push(error.message);
  });
  let bytes = 0;
  for (const file of found.files) {
    checked(file.name, () => files.readNode(file.name, file.bytes));
    bytes += file.bytes;
  }
  lines.push(`operator state: ${found.plans} plans, ${found.files.length} files, ${bytes} bytes`);
  const epochs = checked('log', () => files.readLog(found.firstLog, log));
  lines.push(
    `log of operator state: ${epochs} epochs in files ${found.firstLog} to ${log.file}, valid to byte ${log.bytes}`,
  );
}
