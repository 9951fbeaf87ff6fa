/**
 * kill -9 at random moments while records stream in: after each restart views hold every acknowledged record once, although
 * the records that they had consumed are gone by then.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openDuckdbStore } from '../../engine/store/duckdb-store.ts';
import { ServerProcess } from './server-process.ts';

const kills = Number(process.env.MILLRACE_TEST_KILLS ?? 5);
const ROWS_PER_INSERT = 500;
const LOAD_MS_MIN = 1_500;
const LOAD_MS_SPREAD = 2_500;
const SAVED_WAIT_MS = 60_000;

const SETUP = `
  CREATE STREAM s (id bigint, k int, x text);
  CREATE TABLE names (k int PRIMARY KEY, name text);
  INSERT INTO names SELECT n, 'name ' || n FROM generate_series(0, 49) AS g(n);
  CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n, sum(id) AS ids, max(id) AS last FROM s;
  CREATE MATERIALIZED VIEW by_key AS SELECT k, count(*) AS n, sum(id) AS ids FROM s GROUP BY k;
  CREATE MATERIALIZED VIEW by_name AS
    SELECT names.name, count(*) AS n, sum(s.id) AS ids FROM s JOIN names ON s.k = names.k GROUP BY names.name;
  CREATE MATERIALIZED VIEW top AS SELECT id, x FROM s ORDER BY id DESC LIMIT 5;
  CREATE MATERIALIZED VIEW over_keys AS SELECT sum(n) AS n, sum(ids) AS ids FROM by_key;`;

/** Inserts records with growing ids until the server is gone. @returns the last acknowledged id. */
async function load(server: ServerProcess, last: number): Promise<number> {
  let acknowledged = last;
  for (;;) {
    const to = acknowledged + ROWS_PER_INSERT;
    const rows = `SELECT n, n % 50, 'x' || n FROM generate_series(${acknowledged + 1}, ${to}) AS g(n)`;
    try {
      await server.sql(`INSERT INTO s ${rows}`);
    } catch {
      return acknowledged;
    }
    acknowledged = to;
  }
}

async function check(server: ServerProcess, acknowledged: number): Promise<number> {
  await server.sql('FLUSH');
  const [totals] = await server.rows('SELECT n, ids, last FROM totals');
  const last = Number(totals?.[2]);
  assert.ok(last >= acknowledged, `id ${acknowledged} was acknowledged, ${last} is there`);
  const all = [last, (last * (last + 1)) / 2];
  assert.deepEqual(totals, [...all, last]);
  for (const view of ['by_key', 'by_name']) {
    assert.deepEqual(await server.rows(`SELECT sum(n), sum(ids) FROM ${view}`), [all], view);
    const skew = await server.rows(`SELECT max(n) - min(n), count(*) FROM ${view}`);
    assert.deepEqual(skew, [[last % 50 === 0 ? 0 : 1, 50]], view);
  }
  assert.deepEqual(await server.rows('SELECT n, ids FROM over_keys'), [all]);
  const newest = Array.from({ length: 5 }, (_, i) => [last - i, `x${last - i}`]);
  assert.deepEqual(await server.rows('SELECT id, x FROM top ORDER BY id DESC'), newest);
  return last;
}

/** Forgets the records that were consumed at the last commit. */
async function trim(data: string): Promise<void> {
  const store = await openDuckdbStore({ path: data, readers: 1 });
  try {
    const [position] = (await store.status()).positions;
    assert.ok(position !== undefined);
    await store.log.trim('s', position.partition, position.offset);
  } finally {
    await store.close();
  }
}

async function saved(server: ServerProcess): Promise<void> {
  const endMs = performance.now() + SAVED_WAIT_MS;
  for (;;) {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    if (/^millrace_state_unsaved_plans 0$/m.test(metrics)) return;
    assert.ok(performance.now() < endMs, 'the state of all views is saved in time');
    await wait(100);
  }
}

test('kill -9 under load loses nothing and doubles nothing, though records expire', async () => {
  const data = mkdtempSync(join(tmpdir(), 'millrace-kill-'));
  let last = 0;
  let server = await ServerProcess.start({ data });
  try {
    await server.sql(SETUP);
    await saved(server);
    for (let kill = 0; kill < kills; kill++) {
      const loading = load(server, last);
      await wait(LOAD_MS_MIN + Math.random() * LOAD_MS_SPREAD);
      await server.kill();
      const acknowledged = await loading;
      await trim(data);
      server = await ServerProcess.start({ data });
      last = await check(server, acknowledged);
    }
    const [first] = await server.rows('SELECT min(id) FROM s');
    assert.notEqual(first?.[0], 1, 'the first records are gone');
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
});
