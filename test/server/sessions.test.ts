/** Sessions and their transactions through the doors: what others see, what is bounded, what survives. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Database } from '../../server/database.ts';
import { openMillrace } from '../../server/millrace.ts';
import { type Served, serve } from './serve.ts';

let server: Served;
before(async () => {
  server = await serve({ transactionRowsMax: 5, transactionBytesMax: 20_000 });
  await server.sql(`
    CREATE TABLE account (id int PRIMARY KEY, balance int);
    CREATE TABLE ledger (id int, amount int);
    CREATE STREAM events (account int, what text);
    CREATE MATERIALIZED VIEW total AS SELECT sum(balance) AS balance FROM account;
    CREATE MATERIALIZED VIEW pair AS SELECT a.balance, (SELECT sum(amount) FROM ledger) AS amount FROM (SELECT sum(balance) AS balance FROM account) a;
    CREATE MATERIALIZED VIEW seen AS SELECT count(*) AS n FROM events;
    INSERT INTO account VALUES (1, 100), (2, 100);
    INSERT INTO ledger VALUES (1, 200)`);
});
after(() => server.close());

const run = (sql: string, session?: string) => server.post('/v1/sql', { sql, session });
const ok = async (sql: string, session?: string) => {
  const { status, json, text } = await run(sql, session);
  assert.equal(status, 200, text);
  return json.results;
};
const rows = async (sql: string, session?: string) => (await ok(sql, session)).at(-1)?.rows;
const sqlstate = async (sql: string, session?: string) =>
  (await run(sql, session)).json.error.sqlstate;

describe('a transaction over several calls', () => {
  it('is seen by its own session only, until COMMIT', async () => {
    await ok('BEGIN; UPDATE account SET balance = balance - 30 WHERE id = 1', 'a');
    assert.deepEqual(await rows('SELECT balance FROM account WHERE id = 1', 'a'), [[70]]);
    assert.deepEqual(await rows('SELECT balance FROM account WHERE id = 1'), [[100]]);
    assert.deepEqual(await rows('SELECT * FROM total', 'a'), [[200]]);
    await ok('UPDATE account SET balance = balance + 30 WHERE id = 2; COMMIT', 'a');
    assert.deepEqual(await rows('SELECT balance FROM account ORDER BY id'), [[70], [130]]);
  });

  it('changes all tables and views in one version', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`);
    const seen: (readonly [unknown, unknown])[] = [];
    const { promise: subscribed, resolve } = Promise.withResolvers<void>();
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      const shown = message.kind === 'snapshot' ? message.rows : [message.row];
      if (message.kind !== 'snapshot' && message.op === 'delete') return;
      for (const row of shown.filter(Boolean)) seen.push([row.balance, row.amount]);
      if (message.kind === 'snapshot') resolve();
    });
    await new Promise((opened) => socket.once('open', opened));
    socket.send(JSON.stringify({ op: 'subscribe', id: 1, view: 'pair' }));
    await subscribed;
    for (let i = 1; i <= 5; i++) {
      await ok(`BEGIN; INSERT INTO ledger VALUES (${i}, 7)`, 'a');
      await ok('UPDATE account SET balance = balance + 7 WHERE id = 1', 'a');
      await ok('COMMIT', 'a');
    }
    const deadline = performance.now() + 5_000;
    while (seen.at(-1)?.[0] !== 235 && performance.now() < deadline) await sleep(10);
    socket.terminate();
    assert.equal(seen.at(-1)?.[0], 235);
    for (const [balance, amount] of seen) assert.equal(balance, amount);
  });

  it('that waits for a full sink keeps later changes of all its tables behind it', async () => {
    await ok(`
      CREATE TABLE sunk (id int PRIMARY KEY);
      CREATE TABLE beside (id int PRIMARY KEY, n int);
      CREATE SINK gone FROM sunk WITH (connector = 'embedded', topic = 'gone', outbox_bytes_max = 1);
      FLUSH; PAUSE gone; INSERT INTO sunk VALUES (1)`);
    const settled: string[] = [];
    await ok('BEGIN; INSERT INTO sunk VALUES (2); INSERT INTO beside VALUES (1, 10)', 'a');
    const commit = ok('COMMIT', 'a').then(() => settled.push('commit'));
    await sleep(100);
    const upsert = ok(
      'INSERT INTO beside VALUES (1, 11) ON CONFLICT (id) DO UPDATE SET n = excluded.n + beside.n',
    ).then(() => settled.push('upsert'));
    await sleep(200);
    assert.deepEqual([...settled, await rows('SELECT * FROM beside')], [[]]);
    await ok('RESUME gone');
    await Promise.all([commit, upsert]);
    assert.deepEqual(await rows('SELECT * FROM beside'), [[1, 21]]);
    assert.deepEqual(await rows('SELECT * FROM sunk ORDER BY id'), [[1], [2]]);
    await ok('DROP SINK gone; DROP TABLE sunk; DROP TABLE beside');
  });

  it('publishes records of streams at COMMIT, and none after ROLLBACK', async () => {
    await ok("BEGIN; INSERT INTO events VALUES (1, 'a'), (2, 'b')", 'a');
    await ok(
      "INSERT INTO events VALUES (3, 'c'); SAVEPOINT s; INSERT INTO events VALUES (4, 'd')",
      'a',
    );
    assert.deepEqual(await rows('FLUSH; SELECT n FROM seen'), [[0]]);
    await ok('ROLLBACK TO s; COMMIT', 'a');
    assert.deepEqual(await rows('FLUSH; SELECT n FROM seen'), [[3]]);
    await ok("BEGIN; INSERT INTO events VALUES (5, 'e'); ROLLBACK", 'a');
    assert.deepEqual(await rows('FLUSH; SELECT n FROM seen'), [[3]]);
  });

  it('loses to a change of the same row: nothing of it stays', async () => {
    await ok('BEGIN; SELECT * FROM account', 'a');
    await ok('INSERT INTO ledger VALUES (50, 0); UPDATE account SET balance = 1 WHERE id = 1', 'a');
    await ok('UPDATE account SET balance = 2 WHERE id = 1');
    assert.equal(await sqlstate('COMMIT', 'a'), '40001');
    assert.deepEqual(await rows('SELECT balance FROM account WHERE id = 1', 'a'), [[2]]);
    assert.deepEqual(await rows('SELECT count(*) FROM ledger WHERE id = 50'), [[0]]);
    // Also when the row was read before, and written after the other's change.
    await ok('BEGIN; SELECT balance FROM account', 'a');
    await ok('UPDATE account SET balance = 3 WHERE id = 1');
    assert.equal(await sqlstate('UPDATE account SET balance = 4 WHERE id = 1', 'a'), '40001');
    assert.equal(await sqlstate('SELECT 1', 'a'), '25P02');
    assert.equal((await ok('COMMIT', 'a')).at(-1)?.tag, 'ROLLBACK');
  });

  it('cannot take a row that another one has taken from a table without a key', async () => {
    await ok('INSERT INTO ledger VALUES (60, 1), (60, 1)');
    await ok('BEGIN; DELETE FROM ledger WHERE id = 60', 'a');
    await ok('BEGIN; DELETE FROM ledger WHERE id = 60', 'b');
    await ok('COMMIT', 'b');
    assert.equal(await sqlstate('COMMIT', 'a'), '40001');
    assert.deepEqual(await rows('SELECT sum(amount) FROM ledger WHERE id = 60'), [[null]]);
  });

  it('of REPEATABLE READ fails rather than show two states', async () => {
    await ok('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM total', 'a');
    assert.deepEqual(await rows('SELECT count(*) FROM account', 'a'), [[2]]);
    await ok('UPDATE account SET balance = 5 WHERE id = 2');
    assert.equal(await sqlstate('SELECT count(*) FROM account', 'a'), '40001');
    await ok('ROLLBACK', 'a');
  });

  it('refuses what cannot be undone', async () => {
    for (const sql of [
      'CREATE TABLE x (a int)',
      'DROP TABLE ledger',
      'SUBSCRIBE total',
      'PAUSE total',
    ]) {
      await ok('BEGIN', 'a');
      assert.equal(await sqlstate(sql, 'a'), '25001', sql);
      await ok('ROLLBACK', 'a');
    }
  });

  it('is bounded in rows and bytes', async () => {
    await ok('BEGIN; INSERT INTO ledger SELECT i, 0 FROM generate_series(1, 5) i', 'a');
    assert.equal(await sqlstate('INSERT INTO ledger VALUES (6, 0)', 'a'), '54000');
    await ok('ROLLBACK; BEGIN', 'a');
    assert.equal(await sqlstate(`INSERT INTO events VALUES (1, repeat('x', 30000))`, 'a'), '54000');
    await ok('ROLLBACK', 'a');
    await ok('INSERT INTO ledger SELECT i, 0 FROM generate_series(1, 50) i');
  });

  it('ends with a call that names no session', async () => {
    await ok('BEGIN; UPDATE account SET balance = 77 WHERE id = 2');
    assert.deepEqual(await rows('SELECT count(*) FROM account WHERE balance = 77'), [[0]]);
    await ok('UPDATE account SET balance = 78 WHERE id = 2');
  });

  it('is fed by calls at the same time one after another', async () => {
    await ok('BEGIN', 'a');
    const inserts = [1, 2, 3, 4].map((i) => ok(`INSERT INTO ledger VALUES (${900 + i}, 0)`, 'a'));
    await Promise.all(inserts);
    assert.deepEqual(await rows('SELECT count(*) FROM ledger WHERE id > 900', 'a'), [[4]]);
    await ok('ROLLBACK', 'a');
  });

  it('undoes settings with everything else', async () => {
    await ok("SET application_name = 'x'; BEGIN; SET application_name = 'y'; ROLLBACK", 'a');
    assert.deepEqual(await rows('SHOW application_name', 'a'), [['x']]);
    await ok("BEGIN; SET application_name = 'y'; COMMIT", 'a');
    assert.deepEqual(await rows('SHOW application_name', 'a'), [['y']]);
  });

  it('keeps the results before a failing statement of a call, as ever', async () => {
    const { json } = await run('INSERT INTO ledger VALUES (700, 0); SELECT 1 / 0; SELECT 2');
    assert.equal(json.results.length, 1);
    assert.deepEqual(await rows('SELECT count(*) FROM ledger WHERE id = 700'), [[1]]);
  });
});

it('a WebSocket has a session of its own, which ends with it', async () => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`);
  await new Promise((opened) => socket.once('open', opened));
  const answer = (sql: string) =>
    new Promise<string>((resolve) => {
      const texts: string[] = [];
      socket.on('message', function take(data) {
        texts.push(String(data));
        const { kind } = JSON.parse(String(data));
        if (kind !== 'end' && kind !== 'error') return;
        socket.off('message', take);
        resolve(texts.join('\n'));
      });
      socket.send(JSON.stringify({ op: 'sql', id: 1, sql }));
    });
  await answer('BEGIN');
  await answer('UPDATE account SET balance = 55 WHERE id = 1');
  assert.match(await answer('SELECT balance FROM account WHERE id = 1'), /\[55\]/);
  assert.deepEqual(await rows('SELECT count(*) FROM account WHERE balance = 55'), [[0]]);
  socket.terminate();
  await ok('UPDATE account SET balance = 56 WHERE id = 1');
});

describe('limits of sessions', () => {
  it('an idle transaction is rolled back, and its session told', async () => {
    const short = await serve({ transactionIdleMsMax: 60 });
    try {
      const post = (sql: string) => short.post('/v1/sql', { sql, session: 's' });
      await post('CREATE TABLE t (a int PRIMARY KEY); BEGIN; INSERT INTO t VALUES (1)');
      await sleep(150);
      assert.equal((await post('INSERT INTO t VALUES (2)')).json.error.sqlstate, '25P03');
      assert.equal((await post('COMMIT')).json.results[0]?.tag, 'ROLLBACK');
      assert.deepEqual((await post('SELECT count(*) FROM t')).json.results[0]?.rows, [[0]]);
    } finally {
      await short.close();
    }
  });

  it('idle sessions are forgotten, and make room unless they are in a transaction', async () => {
    const few = await serve({ sessionsMax: 2, sessionIdleMsMax: 300 });
    try {
      const post = (sql: string, session: string) => few.post('/v1/sql', { sql, session });
      const zone = async (session: string) =>
        (await post('SHOW application_name', session)).json.results[0]?.rows;
      await post("SET application_name = 'one'; BEGIN", '1');
      await post("SET application_name = 'two'", '2');
      await post('SELECT 3', '3');
      assert.deepEqual(await zone('1'), [['one']], 'kept: it is in a transaction');
      assert.deepEqual(await zone('2'), [['']], 'made room for the third');
      await post('BEGIN', '2');
      assert.equal((await post('SELECT 3', '3')).json.error.sqlstate, '53300');
      await post('COMMIT', '1');
      await post('COMMIT', '2');
      await sleep(500);
      assert.deepEqual(await zone('1'), [['']], 'forgotten');
    } finally {
      await few.close();
    }
  });
});

describe('temporary tables', () => {
  it('belong to one session, hide others of their name, and go with it', async () => {
    const few = await serve({ sessionsMax: 2, sessionIdleMsMax: 60_000 });
    try {
      const post = (sql: string, session?: string) => few.post('/v1/sql', { sql, session });
      const shown = async (sql: string, session?: string) =>
        (await post(sql, session)).json.results.at(-1)?.rows;
      await post('CREATE TABLE t (a int); INSERT INTO t VALUES (0)');
      await post('CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1)', '1');
      await post('CREATE TEMP TABLE t (a int, b int); INSERT INTO t VALUES (2, 2)', '2');
      await post('CREATE MATERIALIZED VIEW doubled AS SELECT a * 2 AS a FROM t', '1');
      assert.deepEqual(await shown('SELECT * FROM t', '1'), [[1]]);
      assert.deepEqual(await shown('SELECT * FROM t', '2'), [[2, 2]]);
      assert.deepEqual(await shown('SELECT * FROM t'), [[0]]);
      assert.deepEqual(await shown('SELECT * FROM doubled'), [[2]]);
      assert.deepEqual(await shown('CREATE TEMP TABLE u AS SELECT 7 AS x; SELECT * FROM u'), [[7]]);
      const schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'pg_temp_%'";
      for (let left = 99; left > 2; await sleep(5)) left = (await shown(schemas))?.length ?? 99;
      // Makes room for a third.
      await post('SELECT 1', '3');
      for (let left = 99; left > 1; await sleep(5)) left = (await shown(schemas))?.length ?? 99;
      assert.equal((await post('SELECT * FROM doubled')).json.error.sqlstate, '42P01');
      assert.deepEqual(await shown('SELECT * FROM t', '2'), [[2, 2]]);
    } finally {
      await few.close();
    }
  });
});

it('what was committed survives a restart, and nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sessions-'));
  const signal = new AbortController().signal;
  const runIn = async (database: Database, sql: string): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const result of database.session('s').execute(sql, [], signal)) {
      if (result.kind !== 'rows') continue;
      for await (const chunk of result.chunks) found.push(...chunk);
    }
    return found;
  };
  try {
    const first = await openMillrace({ data: folder });
    await runIn(first, 'CREATE TABLE t (a int PRIMARY KEY, b text)');
    await runIn(first, "BEGIN; INSERT INTO t VALUES (1, 'x'), (2, 'y'); COMMIT");
    await runIn(first, 'CREATE TEMP TABLE own (a int); CREATE VIEW over AS SELECT * FROM own');
    await runIn(first, "BEGIN; DELETE FROM t WHERE a = 1; INSERT INTO t VALUES (3, 'z')");
    await first.close();
    const second = await openMillrace({ data: folder });
    assert.deepEqual(await runIn(second, 'SELECT * FROM t ORDER BY a'), [
      [1, 'x'],
      [2, 'y'],
    ]);
    await assert.rejects(runIn(second, 'SELECT * FROM over'), { message: /does not exist/ });
    await assert.rejects(runIn(second, 'SELECT * FROM own'), { message: /does not exist/ });
    await second.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
