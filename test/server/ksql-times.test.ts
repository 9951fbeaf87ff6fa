/** Times of records and windows as ksqlDB has them: given by INSERT, asked of tables over windows, compared with texts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Judge } from '../differential/both-sides.ts';
import { onDisk } from './on-disk.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 8);
const disk = onDisk('ksql-times');
const { rows } = disk;

async function failure(sql: string): Promise<string> {
  const answer = await disk.subject.run(sql);
  assert.equal(answer.kind, 'failed', sql);
  return answer.kind === 'failed' ? answer.sqlstate : '';
}

describe('bounds of windows', () => {
  const records = fc.array(
    fc.record({
      k: fc.option(fc.integer({ min: 0, max: 2 }), { nil: null }),
      at: fc.integer({ min: 1_577_836_770_000, max: 1_577_836_830_000 }),
    }),
    { minLength: 1, maxLength: 12, size: 'max' },
  );
  const statements = [
    'CREATE STREAM seen (k int)',
    'CREATE TABLE counted AS SELECT k, count(*) AS n FROM seen WINDOW TUMBLING (SIZE 10 SECONDS) WHERE k IS NOT NULL GROUP BY k',
    'CREATE TABLE hopped AS SELECT k, windowend AS e, count(*) AS n FROM seen WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS) GROUP BY k',
    'CREATE TABLE over AS SELECT windowstart AS s, sum(n) AS n FROM counted GROUP BY windowstart',
  ];
  const tearDown = 'DROP STREAM IF EXISTS seen CASCADE DELETE TOPIC';

  async function play(judge: Judge, all: readonly { k: number | null; at: number }[]) {
    const values = all.map(({ k, at }) => `(${k}, ${at})`).join(', ');
    for (const sql of statements) await rows(sql);
    await rows(`INSERT INTO seen (k, rowtime) VALUES ${values}; FLUSH`);
    await disk.subject.reopen();
    const given = `WITH seen (k, at) AS (SELECT k::int, at::bigint FROM (VALUES ${values}) AS v (k, at))`;
    const compared = [
      [
        'SELECT k, n, windowstart, windowend FROM counted',
        'SELECT k, count(*), at / 10000 * 10000, at / 10000 * 10000 + 10000 FROM seen WHERE k IS NOT NULL GROUP BY k, at / 10000',
      ],
      [
        'SELECT *, windowstart FROM hopped',
        'SELECT k, start + 10000, count(*), start FROM seen, LATERAL (VALUES (at / 5000 * 5000), (at / 5000 * 5000 - 5000)) AS w (start) GROUP BY k, start',
      ],
      [
        'SELECT * FROM over',
        'SELECT at / 10000 * 10000, count(*)::numeric FROM seen WHERE k IS NOT NULL GROUP BY at / 10000',
      ],
    ] as const;
    for (const [own, theirs] of compared) {
      const answer = await judge.run(`${given} ${theirs}`);
      assert.equal(answer.kind, 'answered', JSON.stringify(answer));
      const expected = answer.kind === 'answered' ? answer.rows : [];
      assert.deepEqual((await rows(own)).map(String).sort(), expected.map(String).sort(), own);
    }
    await rows(tearDown);
  }

  it('are what PostgreSQL computes, also after a restart', async () => {
    const judge = await Judge.open();
    try {
      await fc.assert(
        fc.asyncProperty(records, (all) => play(judge, all)),
        { numRuns: runs },
      );
    } finally {
      await judge.close();
    }
  });

  it('are no part of *, of sinks, and of materialized views', async () => {
    await rows('CREATE STREAM seen (k int); CREATE TABLE copy (k int PRIMARY KEY, n bigint)');
    await rows(
      'CREATE TABLE counted AS SELECT k, count(*) AS n FROM seen WINDOW TUMBLING (SIZE 1 DAY) GROUP BY k',
    );
    await rows('CREATE SINK copies INTO copy FROM counted');
    await rows(
      'CREATE MATERIALIZED VIEW viewed AS SELECT k, count(*) AS n FROM seen WINDOW TUMBLING (SIZE 1 DAY) GROUP BY k',
    );
    await rows('INSERT INTO seen VALUES (1), (1); FLUSH');
    for (const name of ['counted', 'copy', 'viewed'])
      assert.deepEqual(await rows(`SELECT * FROM ${name}`), [['1', '2']], name);
    assert.equal(await failure('SELECT windowstart FROM viewed'), '42703');
    // Who follows the table sees what `*` gives, too.
    const followed = await disk.subject.database.subscribe({
      view: 'counted',
      since: undefined,
      snapshot: true,
    });
    assert.deepEqual(
      followed.schema.map(({ name }) => name),
      ['k', 'n'],
    );
    for await (const event of followed.events) {
      for (const { length } of event.kind === 'snapshot' ? event.rows : []) assert.equal(length, 2);
      break;
    }
    followed.close();
    assert.deepEqual(
      (await rows('DESCRIBE counted')).map(([name]) => name),
      ['k', 'n', 'windowstart', 'windowend'],
    );
    await rows('DROP STREAM seen CASCADE DELETE TOPIC; DROP TABLE copy');
  });

  it('keep the meaning of names that the query gives itself', async () => {
    await rows('CREATE STREAM seen (k int)');
    await rows(
      "CREATE TABLE counted AS SELECT k, 'own' AS windowstart, count(*) AS n FROM seen WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k",
    );
    await rows('INSERT INTO seen (k, rowtime) VALUES (1, 5000); FLUSH');
    assert.deepEqual(await rows('SELECT windowstart, windowend, * FROM counted'), [
      ['own', '6000', '1', 'own', '1'],
    ]);
    await rows('DROP STREAM seen CASCADE DELETE TOPIC');
  });
});

describe('ROWTIME', () => {
  it('is given by INSERT, to records only', async () => {
    await rows('CREATE STREAM seen (k int); CREATE TABLE plain (k int)');
    await rows('INSERT INTO seen (rowtime, k) VALUES (1000 + 500, 1)');
    await rows('INSERT INTO seen (k, "ROWTIME") SELECT 2, 2500');
    await rows('INSERT INTO seen (k, rowtime) VALUES (3, NULL); FLUSH');
    assert.deepEqual(
      await rows('SELECT k, CASE WHEN k < 3 THEN rowtime END, rowtime > 2500 FROM seen ORDER BY k'),
      [
        ['1', '1500', 'f'],
        ['2', '2500', 'f'],
        ['3', null, 't'],
      ],
    );
    assert.equal(await failure('INSERT INTO seen (k, rowtime) VALUES (1, -1)'), '22003');
    assert.equal(await failure('INSERT INTO seen (k, rowtime, rowtime) VALUES (1, 1, 1)'), '42701');
    assert.equal(await failure('INSERT INTO seen (k, rowtime) VALUES (1, now())'), '42804');
    assert.equal(await failure('INSERT INTO plain (k, rowtime) VALUES (1, 1)'), '42703');
    assert.equal(await failure('INSERT INTO seen (k, rowoffset) VALUES (1, 1)'), '42703');
    await rows('DROP STREAM seen CASCADE DELETE TOPIC; DROP TABLE plain');
  });

  it('is compared with texts of times, where it is milliseconds', async () => {
    await rows('CREATE STREAM seen (k int)');
    await rows(
      'INSERT INTO seen (k, rowtime) VALUES (1, 1577836800000), (2, 1577840400000), (3, 1580515200000); FLUSH',
    );
    const found = async (condition: string) =>
      (await rows(`SELECT k FROM seen WHERE ${condition} ORDER BY k`)).flat().join();
    assert.equal(await found("rowtime = '2020-01-01'"), '1');
    assert.equal(await found("'2020-01-01T01' <= ROWTIME"), '2,3');
    assert.equal(await found("rowtime BETWEEN '2020-01-01T00:00:00.001' AND '2020-02'"), '2,3');
    assert.equal(await found("seen.rowtime IN ('2020-01-01T02:00+0100', '2020-02-01')"), '2,3');
    assert.equal(await found("rowtime > '1577836800000'"), '2,3');
    assert.equal(await found("rowtime > '1969-12-31' AND rowtime <> '2020-02-01'"), '1,2');
    await rows("SET timezone = 'Europe/Berlin'");
    assert.equal(await found("rowtime = '2020-01-01T01:00'"), '1');
    await rows('RESET timezone');
    assert.equal(await failure("SELECT k FROM seen WHERE rowtime > 'later'"), '22007');
    await rows("CREATE TABLE flink (rowtime timestamp); INSERT INTO flink VALUES ('2020-01-01')");
    assert.deepEqual(await rows("SELECT 1 FROM flink WHERE rowtime = '2020-01-01'"), [['1']]);
    await rows('DROP STREAM seen CASCADE DELETE TOPIC; DROP TABLE flink');
  });
});
