/**
 * A restart with much operator state: `node test/bench/restart.ts [entries] [views]`. Fills views with that many entries in
 * all, kills nothing but closes, opens again, and prints how long until it serves, beside how state got to the disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Database } from '../../server/database.ts';
import { openMillrace } from '../../server/millrace.ts';
import { measure, printTable } from './measure.ts';

const entries = Number(process.argv[2] ?? 5_000_000);
const views = Number(process.argv[3] ?? 10);
const rows = Math.ceil(entries / views);
const ROWS_PER_INSERT = 100_000;
/** Changes after the last save, which only the log has. */
const LOGGED_ROWS = 50_000;

async function sql(db: Database, text: string): Promise<void> {
  const results = db.session(undefined).execute(text, [], new AbortController().signal);
  for await (const result of results) {
    if (result.kind === 'rows') for await (const _ of result.chunks);
  }
}

async function saved(db: Database): Promise<void> {
  while (db.status().operatorState?.unsavedPlans !== 0) await wait(50);
}

const data = mkdtempSync(join(tmpdir(), 'millrace-restart-'));
try {
  let db = await openMillrace({ data });
  await sql(db, 'CREATE STREAM s (k int, v bigint, x text)');
  for (let from = 0; from < rows; from += ROWS_PER_INSERT) {
    const to = Math.min(from + ROWS_PER_INSERT, rows);
    await sql(
      db,
      `INSERT INTO s SELECT n, n, 'x' || n FROM generate_series(${from + 1}, ${to}) AS g(n)`,
    );
  }
  for (let view = 0; view < views; view++) {
    const key = view % 2 === 0 ? 'k' : 'x';
    await sql(
      db,
      `CREATE MATERIALIZED VIEW v${view} AS SELECT ${key}, count(*) AS n, max(v + ${view}) AS v FROM s GROUP BY ${key}`,
    );
  }
  await sql(db, 'FLUSH');
  await saved(db);
  await sql(
    db,
    `INSERT INTO s SELECT n, n, 'x' || n FROM generate_series(1, ${LOGGED_ROWS}) AS g(n); FLUSH`,
  );
  const before = db.status();
  await db.close();
  const cost = await measure(async () => {
    db = await openMillrace({ data });
  });
  const after = db.status();
  const sum = (status: typeof after): number =>
    status.views.reduce((total, view) => total + view.stateEntries, 0);
  if (sum(after) !== sum(before) || !after.ready) throw new Error('the state is not what it was');
  printTable([
    ['views', 'entries', 'saved MB', 'log MB', 'longest pause ms', 'restart s', 'CPU s'],
    [
      String(views),
      String(sum(after)),
      ((before.operatorState?.savedBytes ?? 0) / 1e6).toFixed(0),
      ((before.operatorState?.replayBytes ?? 0) / 1e6).toFixed(1),
      (before.operatorState?.pauseMsMax ?? 0).toFixed(1),
      cost.wallSeconds.toFixed(2),
      cost.cpuSeconds.toFixed(2),
    ],
  ]);
  await db.close();
} finally {
  rmSync(data, { recursive: true, force: true });
}
