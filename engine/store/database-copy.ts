import type duckdb from '@duckdb/node-bindings';
import { Connection } from './connection.ts';
import { textLiteral } from './literal.ts';
import { readSavedState } from './saved-state.ts';
import type { SavedState } from './store.ts';

/** Copies a database into a new file in one transaction, which sees one commit and holds nobody up. */
export async function copyDatabase(
  database: duckdb.Database,
  file: string,
  signal: AbortSignal,
): Promise<SavedState | undefined> {
  const connection = await Connection.open(database);
  const interrupt = (): void => connection.interrupt();
  signal.addEventListener('abort', interrupt);
  try {
    signal.throwIfAborted();
    await connection.run(`ATTACH ${textLiteral(file)} AS backup`);
    try {
      return await copy(connection);
    } finally {
      // Also writes what the copy's own write-ahead log holds into its file.
      await connection.run('DETACH backup');
    }
  } finally {
    signal.removeEventListener('abort', interrupt);
    connection.close();
  }
}

async function copy(connection: Connection): Promise<SavedState | undefined> {
  const [name] = await connection.rows('SELECT current_database()');
  const source = String(name?.[0]).replaceAll('"', '""');
  await connection.run('BEGIN');
  try {
    await connection.run(`COPY FROM DATABASE "${source}" TO backup`);
    const saved = await readSavedState(connection);
    await connection.run('COMMIT');
    return saved;
  } catch (error) {
    // The transaction may be over already, which is an error to DuckDB only.
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
