/**
 * Views and queries that call functions of users: over random histories they hold what PostgreSQL answers for the same functions
 * written in SQL. The database is closed and opened in the middle.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seedsOf } from '../run-seed.ts';
import { asBag, Judge, Subject } from './both-sides.ts';
import { functionPairs, functionQueries } from './function-pairs.ts';
import { historyOf, TABLES } from './view-history.ts';

const RUNS_A_HISTORY = 100;
const histories = Math.max(
  1,
  Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / RUNS_A_HISTORY),
);
const STATEMENTS = 48;
const STATEMENTS_A_CHECK = 8;
const REOPEN_AT: readonly number[] = [20, 36];

/** A row whose `v` is 0 has no quotient, and is counted for that. */
const FAILING = `CREATE FUNCTION quotient_(k int, v int) RETURNS int LANGUAGE javascript STRICT AS $$
  if (v === 0) throw new RangeError('nothing to divide by');
  return Math.trunc(k / v);
$$`;

async function setUp(judge: Judge, subject: Subject): Promise<void> {
  const both = async (postgres: string, millrace: string): Promise<void> => {
    for (const [side, sql] of [
      [judge, postgres],
      [subject, millrace],
    ] as const) {
      const answer = await side.run(sql);
      assert.equal(answer.kind === 'failed' ? answer.message : '', '', sql);
    }
  };
  for (const sql of TABLES) await both(sql, sql);
  for (const { postgres, millrace } of functionPairs) await both(postgres, millrace);
  for (const [i, query] of functionQueries.entries()) {
    await both(`CREATE VIEW v${i} AS ${query}`, `CREATE MATERIALIZED VIEW v${i} AS ${query}`);
  }
  await both(
    'CREATE VIEW quotients AS SELECT id, k / v AS q FROM a WHERE v IS DISTINCT FROM 0 OR k IS NULL',
    'SELECT 1',
  );
  await both('CREATE VIEW failing AS SELECT id FROM a WHERE v = 0 AND k IS NOT NULL', FAILING);
  await both(
    'SELECT 1',
    'CREATE MATERIALIZED VIEW quotients AS SELECT id, quotient_(k, v) AS q FROM a',
  );
}

async function check(judge: Judge, subject: Subject, history: string): Promise<void> {
  for (const [i, query] of functionQueries.entries()) {
    const expected = asBag(await judge.run(query));
    assert.deepEqual(
      asBag(await subject.run(`SELECT * FROM v${i}`)),
      expected,
      `${query}\n${history}`,
    );
    assert.deepEqual(asBag(await subject.run(query)), expected, `asked: ${query}\n${history}`);
  }
  const quotients = 'SELECT * FROM quotients';
  assert.deepEqual(asBag(await subject.run(quotients)), asBag(await judge.run(quotients)), history);
  const failing = `SELECT ("row" ->> 'id')::int AS id FROM quotients_errors WHERE sqlstate = '38000'`;
  const expected = asBag(await judge.run('SELECT id FROM failing'));
  assert.deepEqual(asBag(await subject.run(failing)), expected, history);
}

for (const seed of seedsOf(histories)) {
  test(`history ${seed}: functions give what PostgreSQL's give`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-functions-'));
    const judge = await Judge.open();
    const subject = await Subject.open(folder);
    const past: string[] = [];
    try {
      await setUp(judge, subject);
      for (const [index, sql] of historyOf(seed, STATEMENTS).entries()) {
        past.push(sql);
        const expected = await judge.run(sql);
        const actual = await subject.run(sql);
        assert.equal(actual.kind, expected.kind, past.join(';\n'));
        const done = index + 1;
        if (REOPEN_AT.includes(done)) await subject.reopen();
        if (done % STATEMENTS_A_CHECK === 0) await check(judge, subject, past.join(';\n'));
      }
    } finally {
      await subject.close();
      await judge.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
