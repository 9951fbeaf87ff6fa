/** Random queries over random tables, as views and asked anew, after every commit against PostgreSQL; see query.ts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asBag, Judge, Subject } from '../differential/both-sides.ts';
import { fuzzScripts } from '../regressions/fuzz-scripts.ts';
import { seedsOf } from '../run-seed.ts';
import { emptyJudge, randomCase } from './play.ts';
import { reduce, runCase } from './reduce.ts';

const VIEWS = 20;
/** 200 queries over few commits with every `npm test`, 5,000 over many with `npm run test:long`. */
const RUNS_LONG = 2_000;
const QUERIES_A_RUN = 2;
/** PostgreSQL refuses some, and those over them; a few grow too large. */
const QUERIES_LONG = 6_000;
const PLAYED_MIN_LONG = 5_000;
const SHRINK_TRIES_MAX = 1_500;

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);
const isLong = runs >= RUNS_LONG;
const commits = isLong ? 20 : 4;
/** After how many commits the queries are also asked anew. */
const pullEvery = isLong ? 5 : commits;
const queries = isLong ? QUERIES_LONG : runs * QUERIES_A_RUN;
const seeds = seedsOf(Math.max(1, Math.ceil(queries / VIEWS)));

let judge: Judge;
before(async () => {
  judge = await Judge.open();
});
after(() => judge.close());

for (const { why, statements } of fuzzScripts) {
  test(`found before: ${why}`, async () => {
    await emptyJudge(judge);
    const subject = await Subject.open();
    const views = new Map<string, string>();
    try {
      for (const sql of statements) {
        const view = /^CREATE MATERIALIZED VIEW (\w+) AS (.*)$/s.exec(sql);
        const postgres = sql.replace('MATERIALIZED ', '').replace(/^CREATE STREAM/, 'CREATE TABLE');
        for (const answer of [await judge.run(postgres), await subject.run(sql)]) {
          assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
        }
        if (view !== null) views.set(view[1] as string, view[2] as string);
        await subject.run('FLUSH');
        for (const [name, query] of views) {
          const expected = asBag(await judge.run(`SELECT * FROM ${name}`));
          assert.deepEqual(asBag(await subject.run(`SELECT * FROM ${name}`)), expected, query);
          assert.deepEqual(asBag(await subject.run(query)), expected, query);
        }
      }
    } finally {
      await subject.close();
    }
  });
}

let tried = 0;
let refused = 0;
let dropped = 0;

for (const seed of seeds) {
  test(`random queries ${seed}`, async () => {
    const whole = randomCase(seed, VIEWS, commits);
    const outcome = await runCase(judge, whole, pullEvery);
    const { findings, views, invalid, compared } = outcome;
    const [first] = findings;
    if (first !== undefined) {
      assert.fail(`${first.query}\n\n${await reduce(judge, whole, first, SHRINK_TRIES_MAX)}`);
    }
    tried += views;
    refused += invalid;
    dropped += outcome.dropped;
    assert.ok(compared > 0, 'answers were compared');
  });
}

test('most random queries are valid, and are compared to the end', (t) => {
  t.diagnostic(`of ${tried}, ${refused} refused by PostgreSQL, ${dropped} grown too large`);
  assert.ok(refused < tried / 4);
  assert.ok(dropped < tried / 4);
  if (isLong) assert.ok(tried - refused - dropped >= PLAYED_MIN_LONG);
});
