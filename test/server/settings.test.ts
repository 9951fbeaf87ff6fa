/** Settings that change what statements do, beside those that PostgreSQL judges in test/differential/scripts/settings.sql. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Subject } from '../differential/both-sides.ts';
import { type Served, serve } from './serve.ts';

let server: Served;
before(async () => {
  server = await serve();
});
after(() => server.close());

const run = (sql: string, session?: string, format?: string) =>
  server.post('/v1/sql', { sql, session, format });
const rows = async (sql: string, session?: string, format?: string) => {
  const { status, json, text } = await run(sql, session, format);
  assert.equal(status, 200, text);
  return json.results.at(-1)?.rows;
};

describe('statement_timeout', () => {
  const slow =
    'SELECT count(*) FROM generate_series(1, 3000) a, generate_series(1, 3000) b, generate_series(1, 3000) c';
  it('ends a query', async () => {
    await run("SET statement_timeout = '100ms'", 'a');
    const began = performance.now();
    const { json } = await run(slow, 'a');
    assert.equal(json.error.sqlstate, '57014');
    assert.match(json.error.message, /statement timeout/);
    assert.ok(performance.now() - began < 10_000);
    assert.deepEqual(await rows('SELECT 1', 'a'), [[1]]);
  });

  it('fails the transaction', async () => {
    await run('BEGIN', 'a');
    assert.equal((await run(slow, 'a')).json.error.sqlstate, '57014');
    assert.equal((await run('SELECT 1', 'a')).json.error.sqlstate, '25P02');
    await run('ROLLBACK; RESET statement_timeout', 'a');
  });
});

describe('timezone', () => {
  it('is of text, while JSON has instants in UTC', async () => {
    await run("SET timezone = 'Europe/Berlin'", 'z');
    const query = "SELECT timestamptz '2026-07-01 10:00Z' AS at";
    assert.deepEqual(await rows(query, 'z'), [['2026-07-01T10:00:00Z']]);
    assert.deepEqual(await rows(query, 'z', 'text'), [['2026-07-01 12:00:00+02']]);
    assert.deepEqual(await rows(query, undefined, 'text'), [['2026-07-01 10:00:00+00']]);
  });

  it('leaves what is kept as it is: views are computed in UTC, whoever made them', async () => {
    await run("CREATE TABLE t (at timestamptz); INSERT INTO t VALUES ('2026-07-01 23:30Z')");
    const query = 'SELECT at::date AS day FROM t';
    await run(`CREATE MATERIALIZED VIEW days AS ${query}`, 'z');
    assert.deepEqual(await rows('SELECT * FROM days', 'z'), [['2026-07-01']]);
    assert.deepEqual(await rows(query, 'z'), [['2026-07-02']]);
  });
});

describe("'auto.offset.reset'", () => {
  it("of 'latest' leaves the past out of what the session creates, also after a restart and a RESUME", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-settings-'));
    const subject = await Subject.open(folder);
    const ok = async (sql: string) => {
      const answer = await subject.run(sql);
      assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
      return answer.kind === 'answered' ? answer.rows : [];
    };
    const count = async (view: string) => (await ok(`SELECT n FROM ${view}`))[0]?.[0];
    try {
      await ok('CREATE STREAM s (a int)');
      await ok('INSERT INTO s VALUES (1), (2)');
      await ok("SET 'auto.offset.reset' = 'latest'");
      await ok('CREATE MATERIALIZED VIEW late AS SELECT count(*) AS n FROM s');
      await ok("SET 'scan.startup.mode' = 'earliest-offset'");
      await ok('CREATE MATERIALIZED VIEW whole AS SELECT count(*) AS n FROM s');
      await ok('INSERT INTO s VALUES (3)');
      await ok('FLUSH');
      assert.deepEqual([await count('late'), await count('whole')], ['1', '3']);
      await subject.reopen();
      await ok('INSERT INTO s VALUES (4)');
      await ok('FLUSH');
      assert.deepEqual([await count('late'), await count('whole')], ['2', '4']);
      await ok('PAUSE late');
      await ok('INSERT INTO s VALUES (5)');
      await ok('RESUME late');
      await ok('FLUSH');
      assert.deepEqual([await count('late'), await count('whole')], ['3', '5']);
    } finally {
      await subject.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('takes no other value', async () => {
    const { json } = await run("SET 'auto.offset.reset' = 'middle'");
    assert.equal(json.error.sqlstate, '22023');
  });
});

it('an idle transaction may be given less time', async () => {
  await run("SET idle_in_transaction_session_timeout = '50ms'; BEGIN", 'i');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await run('SELECT 1', 'i')).json.error.sqlstate, '25P03');
  await run('ROLLBACK', 'i');
});

describe('names of other systems', () => {
  it('that say how an answer is computed are kept; one that says when it is seen is honoured', async () => {
    await run('SET streaming_parallelism = 4', 'f');
    assert.deepEqual(await rows('SHOW streaming_parallelism', 'f'), [['4']]);
    await run("SET 'execution.runtime-mode' = 'streaming'", 'f');
    assert.equal((await run('SET streaming_paralelism = 4', 'f')).json.error.sqlstate, '42704');
    await run(
      'CREATE STREAM seen (a int); CREATE MATERIALIZED VIEW seen_count AS SELECT count(*) AS n FROM seen',
    );
    await run('SET RW_IMPLICIT_FLUSH TO true', 'f');
    for (const n of [1, 2, 3, 4, 5]) {
      await run('INSERT INTO seen VALUES (1)', 'f');
      assert.deepEqual(await rows('SELECT n FROM seen_count', 'f'), [[n]]);
    }
  });

  it('SHOW tells of columns, indexes, schemas and databases', async () => {
    await run('CREATE TABLE shown (a int PRIMARY KEY, b text); CREATE INDEX by_b ON shown (b)');
    assert.deepEqual(await rows('SHOW COLUMNS FROM shown'), [
      ['a', 'integer', false, true, null],
      ['b', 'text', true, false, null],
    ]);
    assert.deepEqual(await rows('SHOW INDEXES FROM public.shown'), [
      ['by_b', false, 'CREATE INDEX by_b ON public.shown (b)'],
    ]);
    assert.deepEqual(await rows('SHOW SCHEMAS'), [['public']]);
    assert.deepEqual(await rows('SHOW DATABASES'), [['millrace']]);
    assert.equal((await run('SHOW COLUMNS FROM nowhere')).json.error.sqlstate, '42P01');
  });
});
