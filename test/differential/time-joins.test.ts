/**
 * Joins with what a relation was at a time: look-ups at arrival against a list that is written as rows arrive, and versions against
 * PostgreSQL; with restarts in between.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asBag, Judge, Subject } from './both-sides.ts';
import { generator } from './view-history.ts';

const RUNS_A_SEED = 50;
const seeds = Math.max(2, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / RUNS_A_SEED));
const STEPS = 40;
const ROWS_MAX = 4;
const KEYS = 4;

async function required(side: Judge | Subject, sql: string): Promise<void> {
  const answer = await side.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
}

async function rowsOf(side: Judge | Subject, sql: string): Promise<unknown> {
  const answer = asBag(await side.run(sql));
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows : undefined;
}

const at = (seconds: number): string => `timestamp '2026-01-01' + interval '${seconds} s'`;
const versioned = (join: string): string => `SELECT s.id, h.v FROM s ${join} ON s.k = h.k`;

async function prepare(subject: Subject, judge: Judge): Promise<void> {
  for (const sql of [
    'CREATE TABLE d (k int PRIMARY KEY, name text)',
    'CREATE STREAM s (id int, k int, ts timestamp)',
    'CREATE STREAM h (k int, v int, since timestamp)',
    'CREATE MATERIALIZED VIEW met AS SELECT s.id, d.name FROM s JOIN d FOR SYSTEM_TIME AS OF PROCTIME() ON s.k = d.k',
    `CREATE MATERIALIZED VIEW looked AS SELECT s.id, d.name FROM s LEFT JOIN d FOR SYSTEM_TIME AS OF PROCTIME() ON s.k = d.k AND d.name <> 'n1'`,
    'CREATE MATERIALIZED VIEW names AS SELECT name, count(*) AS n FROM looked GROUP BY name',
    `CREATE MATERIALIZED VIEW versions AS ${versioned('JOIN h FOR SYSTEM_TIME AS OF s.ts')}`,
    `CREATE MATERIALIZED VIEW all_versions AS ${versioned('LEFT JOIN h FOR SYSTEM_TIME AS OF s.ts')}`,
  ]) {
    await required(subject, sql);
  }
  await required(judge, 'CREATE TABLE s (id int, k int, ts timestamp)');
  await required(judge, 'CREATE TABLE h (k int, v int, since timestamp)');
}

/** A row of the stream, and what it has met; NULL = nothing. */
interface Met {
  readonly id: number;
  readonly name: string | null;
}

for (let seed = 1; seed <= seeds; seed++) {
  test(`joins with the past ${seed}: what was met at arrival stays, versions follow their times`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-time-joins-'));
    const judge = await Judge.open();
    const subject = await Subject.open(folder);
    const random = generator(seed);
    const current = new Map<number, string>();
    const met: Met[] = [];
    const looked: Met[] = [];
    const used = new Set<string>();
    let id = 0;
    const key = (): number | null => (random(8) === 0 ? null : random(KEYS));
    const changeTable = async (): Promise<void> => {
      const k = random(KEYS);
      if (random(3) === 0) {
        current.delete(k);
        await required(subject, `DELETE FROM d WHERE k = ${k}`);
        return;
      }
      const name = `n${random(5)}`;
      current.set(k, name);
      const upsert = 'ON CONFLICT (k) DO UPDATE SET name = excluded.name';
      await required(subject, `INSERT INTO d VALUES (${k}, '${name}') ${upsert}`);
    };
    const arrive = async (): Promise<void> => {
      const values: string[] = [];
      for (let left = 1 + random(ROWS_MAX); left > 0; left--) {
        const k = key();
        const name = k === null ? undefined : current.get(k);
        id++;
        if (name !== undefined) met.push({ id, name });
        looked.push({ id, name: name === undefined || name === 'n1' ? null : name });
        values.push(`(${id}, ${k ?? 'NULL'}, ${random(9) === 0 ? 'NULL' : at(random(60))})`);
      }
      for (const side of [subject, judge])
        await required(side, `INSERT INTO s VALUES ${values.join(', ')}`);
    };
    const addVersion = async (): Promise<void> => {
      const k = key();
      const since = random(60);
      if (used.has(`${k} ${since}`)) return;
      used.add(`${k} ${since}`);
      const row = `(${k ?? 'NULL'}, ${random(50)}, ${at(since)})`;
      for (const side of [subject, judge]) await required(side, `INSERT INTO h VALUES ${row}`);
    };
    try {
      await prepare(subject, judge);
      for (let step = 0; step < STEPS; step++) {
        const change = [changeTable, arrive, arrive, addVersion][random(4)] ?? arrive;
        await change();
        await required(subject, 'FLUSH');
        if (random(10) === 0) await subject.reopen();
        if (step % 5 !== 4) continue;
        await check(subject, judge, met, looked);
      }
      assert.ok(met.length > 0 && met.length < looked.length, 'the history shows something');
    } finally {
      await subject.close();
      await judge.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function check(
  subject: Subject,
  judge: Judge,
  met: readonly Met[],
  looked: readonly Met[],
): Promise<void> {
  const list = (rows: readonly Met[]): string => {
    const values = rows.map(({ id, name }) => `(${id}, ${name === null ? 'NULL' : `'${name}'`})`);
    return values.length === 0
      ? '(SELECT 1 AS id, NULL::text AS name LIMIT 0)'
      : `(VALUES ${values.join(', ')})`;
  };
  const lateral = (join: string): string =>
    `SELECT s.id, h.v FROM s ${join} LATERAL (SELECT * FROM h WHERE h.k = s.k AND h.since <= s.ts ORDER BY since DESC LIMIT 1) AS h ON true`;
  for (const [view, query] of [
    ['met', `SELECT * FROM ${list(met)} AS m (id, name)`],
    ['looked', `SELECT * FROM ${list(looked)} AS m (id, name)`],
    ['names', `SELECT name, count(*) FROM ${list(looked)} AS m (id, name) GROUP BY name`],
    ['versions', lateral('JOIN')],
    ['all_versions', lateral('LEFT JOIN')],
  ] as const) {
    const actual = await rowsOf(subject, `SELECT * FROM ${view}`);
    assert.deepEqual(actual, await rowsOf(judge, query), view);
  }
}
