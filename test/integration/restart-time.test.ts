/** A restart with much operator state serves at once: it reads files, not the input. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openMillrace } from '../../server/millrace.ts';
import { ServerProcess } from './server-process.ts';

const isLong = process.env.MILLRACE_TEST_LONG !== undefined;
const ENTRIES = isLong ? 5_000_000 : 500_000;
const VIEWS = 10;
const ROWS = ENTRIES / VIEWS;
const ROWS_PER_INSERT = 50_000;
/** Rows after the last save, which only the log has. */
const LOGGED_ROWS = 20_000;
const SERVING_MS_MAX = 5_000;
const SAVED_WAIT_MS = 600_000;

async function metric(server: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

async function insert(server: ServerProcess, from: number, to: number): Promise<void> {
  for (let first = from; first <= to; first += ROWS_PER_INSERT) {
    const last = Math.min(first + ROWS_PER_INSERT - 1, to);
    await server.sql(
      `INSERT INTO s SELECT n, n, 'x' || n FROM generate_series(${first}, ${last}) AS g(n)`,
    );
  }
}

const counts = (server: ServerProcess) =>
  Promise.all(
    Array.from({ length: VIEWS }, async (_, view) => {
      const [row] = await server.rows(`SELECT count(*), sum(n)::bigint FROM v${view}`);
      return row;
    }),
  );

/**
 * In this process, whose modules are loaded: loading them from source takes as long as a large state.
 * @returns milliseconds of CPU: what a restart takes on a machine that does nothing else, as it hardly waits.
 */
async function reopen(data: string): Promise<number> {
  const before = process.cpuUsage();
  const db = await openMillrace({ data });
  const signal = new AbortController().signal;
  const rows: unknown[] = [];
  const sql = 'SELECT n FROM v0 WHERE k = 1';
  for await (const result of db.session(undefined).execute(sql, [], signal)) {
    if (result.kind === 'rows') for await (const chunk of result.chunks) rows.push(...chunk);
  }
  const { user, system } = process.cpuUsage(before);
  assert.deepEqual(rows, [[2n]], 'what only the log had is there');
  assert.ok(db.status().ready);
  await db.close();
  return (user + system) / 1000;
}

test(`${ENTRIES} state entries in ${VIEWS} views: killed and serving again in ${SERVING_MS_MAX} ms`, {
  timeout: isLong ? 3_600_000 : 540_000,
}, async () => {
  const data = mkdtempSync(join(tmpdir(), 'millrace-restart-'));
  let server = await ServerProcess.start({ data });
  try {
    await server.sql('CREATE STREAM s (k int, v bigint, x text)');
    await insert(server, 1, ROWS);
    for (let view = 0; view < VIEWS; view++) {
      const key = view % 2 === 0 ? 'k' : 'x';
      await server.sql(
        `CREATE MATERIALIZED VIEW v${view} AS SELECT ${key}, count(*) AS n, max(v + ${view}) AS v FROM s GROUP BY ${key}`,
      );
    }
    await server.sql('FLUSH');
    const endMs = performance.now() + SAVED_WAIT_MS;
    while ((await metric(server, 'millrace_state_unsaved_plans')) !== 0) {
      assert.ok(performance.now() < endMs, 'the state is saved in time');
      await wait(200);
    }
    await insert(server, 1, LOGGED_ROWS);
    await server.sql('FLUSH');
    await server.kill();

    const servingMs = await reopen(data);
    server = await ServerProcess.start({ data });
    const expected = Array.from({ length: VIEWS }, () => [ROWS, ROWS + LOGGED_ROWS]);
    assert.deepEqual(await counts(server), expected);
    // The operators have their state too: what comes now lies over it.
    await insert(server, 1, 1);
    await server.sql('FLUSH');
    assert.deepEqual(await server.rows('SELECT n FROM v0 WHERE k = 1'), [[3]]);
    assert.ok(servingMs < SERVING_MS_MAX, `it serves after ${Math.round(servingMs)} ms`);
  } finally {
    await server.kill();
    rmSync(data, { recursive: true, force: true });
  }
});
