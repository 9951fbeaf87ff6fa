import type { Connection } from './connection.ts';
import type { SavedState } from './store.ts';

/** What the last commit that a connection sees says of operator state; undefined = nothing was saved. */
export async function readSavedState(connection: Connection): Promise<SavedState | undefined> {
  const tables = await connection.rows(
    "SELECT 1 FROM duckdb_tables() WHERE table_name = 'millrace_state' AND database_name = current_database()",
  );
  if (tables.length === 0) return undefined;
  const [manifest] = await connection.rows('SELECT manifest FROM millrace_state');
  const entries = await connection.rows(
    'SELECT entry FROM millrace_progress ORDER BY epoch DESC, rowid DESC',
  );
  for (const [text] of entries) {
    const { log } = JSON.parse(text as string) as { readonly log?: [number, number] };
    if (log === undefined || manifest === undefined) continue;
    return { manifest: manifest[0] as string, log: { file: log[0], bytes: log[1] } };
  }
  return undefined;
}
