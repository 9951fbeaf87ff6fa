/** Random queries, answered once and kept up to date as views while the tables change, against PostgreSQL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seedsOf } from '../run-seed.ts';
import { type Answer, asBag, Judge, Subject } from './both-sides.ts';
import { QUERY_TABLES, RandomQueries } from './random-query.ts';

const RUNS_A_SEED = 100;
const seeds = Math.max(1, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / RUNS_A_SEED));
const QUERIES = 100;
const VIEWS = 80;
const CHANGES = 18;
const CHANGES_A_CHECK = 6;

async function requireAnswer(side: Judge | Subject, sql: string): Promise<void> {
  const answer = await side.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
}

function compare(sql: string, postgres: Answer, millrace: Answer): string[] {
  const [expected, actual] = [asBag(postgres), asBag(millrace)].map((answer) =>
    JSON.stringify(answer),
  );
  return expected === actual ? [] : [`${sql}\n  PostgreSQL ${expected}\n  Millrace   ${actual}`];
}

for (const seed of seedsOf(seeds)) {
  test(`random queries ${seed}`, async () => {
    const judge = await Judge.open();
    const subject = await Subject.open();
    try {
      const random = new RandomQueries(seed);
      const wrong: string[] = [];
      const both = async (sql: string): Promise<void> => {
        const postgres = await judge.run(sql);
        assert.equal(postgres.kind, 'answered', `${sql}: ${JSON.stringify(postgres)}`);
        wrong.push(...compare(sql, postgres, await subject.run(sql)));
      };
      for (const sql of QUERY_TABLES) await both(sql);
      for (let id = 1; id <= 14; id++) await both(`INSERT INTO w VALUES ${random.row('w', id)}`);
      for (let id = 1; id <= 8; id++) await both(`INSERT INTO u VALUES ${random.row('u', id)}`);
      for (let i = 0; i < QUERIES; i++) await both(random.query());

      const views: string[] = [];
      for (let i = 0; i < VIEWS; i++) {
        const query = random.query();
        const created = await subject.run(`CREATE MATERIALIZED VIEW v${i} AS ${query}`);
        if (created.kind === 'failed' && created.sqlstate === '0A000') continue;
        assert.equal(created.kind, 'answered', `${query}: ${JSON.stringify(created)}`);
        await requireAnswer(judge, `CREATE VIEW v${i} AS ${query}`);
        views.push(`v${i}`);
      }
      assert.ok(views.length > VIEWS * 0.8, 'most views can be kept up to date');
      for (let i = 0; i < CHANGES; i++) {
        await both(random.change(100 + 2 * i));
        if ((i + 1) % CHANGES_A_CHECK !== 0) continue;
        for (const name of views) await both(`SELECT * FROM ${name}`);
      }
      assert.equal(wrong.join('\n'), '');
    } finally {
      await subject.close();
      await judge.close();
    }
  });
}
