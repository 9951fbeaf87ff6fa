/** New names of relations that others read: their definitions follow; and plain views, which nothing scans, have readers too. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onDisk } from './on-disk.ts';

const database = onDisk('rename');
const { rows } = database;

async function refused(sql: string, sqlstate: string, reason = /./): Promise<void> {
  const answer = await database.subject.run(sql);
  assert.ok(answer.kind === 'failed' && answer.sqlstate === sqlstate, JSON.stringify(answer));
  assert.match(answer.message, reason);
}

const text = async (name: string): Promise<string | null | undefined> =>
  (await rows(`SHOW CREATE ${name}`))[0]?.[1];

it('tables, views and materialized views get new names under their readers', async () => {
  await rows('CREATE TABLE t (a int PRIMARY KEY, b int)');
  await rows('CREATE TABLE part (a int REFERENCES t (a))');
  await rows('CREATE MATERIALIZED VIEW ratio AS SELECT t.a, t.b / t.a AS r, t FROM t');
  await rows(
    'CREATE VIEW pairs AS SELECT x.a, t.b FROM t AS x JOIN t ON x.a = t.a WHERE EXISTS (TABLE t)',
  );
  await rows(
    'CREATE MATERIALIZED VIEW best AS SELECT a, (SELECT max(t.b) FROM t WHERE t.a <= pairs.a) AS m FROM pairs',
  );
  await rows('CREATE MATERIALIZED VIEW total AS SELECT sum(ratio.r) AS s FROM ratio');
  await rows("CREATE SINK out FROM ratio WITH (topic = 'ratios')");
  await rows('INSERT INTO t VALUES (0, 1), (1, 5)');
  await rows('ALTER TABLE t RENAME TO u');
  await rows('ALTER MATERIALIZED VIEW ratio RENAME TO share');
  await rows('ALTER VIEW pairs RENAME TO couples');
  const check = async (b: string): Promise<void> => {
    assert.deepEqual(await rows('SELECT a, r FROM share'), [['1', b]]);
    assert.deepEqual(await rows('SELECT * FROM best ORDER BY a'), [
      ['0', '1'],
      ['1', b],
    ]);
    assert.deepEqual(await rows('SELECT * FROM total'), [[b]]);
    assert.deepEqual(await rows('SELECT sqlstate FROM share_errors'), [['22012']]);
  };
  await check('5');
  await database.subject.reopen();
  await check('5');
  await rows('UPDATE u SET b = 7 WHERE a = 1');
  await check('7');
  assert.equal(
    await text('MATERIALIZED VIEW total'),
    'CREATE MATERIALIZED VIEW total AS SELECT sum(ratio.r) AS s FROM share AS ratio',
  );
  assert.match((await text('SINK out')) ?? '', /FROM share/);
  assert.match((await text('VIEW couples')) ?? '', /FROM u AS x JOIN u AS t .*EXISTS \(TABLE u\)/);
  await refused('INSERT INTO part VALUES (9)', '23503', /"part"/);
  await refused('SELECT * FROM t', '42P01');
});

it('refused where the text would mean something else, and for streams', async () => {
  await rows('CREATE TABLE plain (a int)');
  await rows(
    'CREATE MATERIALIZED VIEW inner_name AS WITH other AS (SELECT 1 AS a) SELECT p.a FROM plain p, other',
  );
  await refused('ALTER TABLE plain RENAME TO other', '2BP01', /inner_name/);
  await rows('ALTER TABLE plain RENAME TO simple');
  await rows('CREATE SCHEMA room');
  await rows('CREATE TABLE room.simple (a int)');
  await refused('ALTER TABLE simple RENAME TO plain', '2BP01');
  await rows('CREATE STREAM s (a int)');
  await rows('CREATE MATERIALIZED VIEW of_s AS SELECT a FROM s');
  await refused('ALTER STREAM s RENAME TO r', '2BP01');
});

it('a plain view that others name is not dropped without them', async () => {
  await rows('CREATE TABLE base (a int)');
  await rows('CREATE VIEW low AS SELECT a FROM base WHERE a < 10');
  await rows('CREATE VIEW lower AS SELECT a FROM low');
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM lower');
  await refused('DROP VIEW low', '2BP01', /low/);
  await refused('DROP VIEW lower', '2BP01', /lower/);
  await refused('CREATE OR REPLACE VIEW lower AS SELECT 1 AS a', '2BP01');
  await database.subject.reopen();
  assert.deepEqual(await rows('SELECT n FROM counted'), [['0']]);
  await rows('DROP VIEW low CASCADE');
  await refused('SELECT * FROM counted', '42P01');
  await database.subject.reopen();
  await rows('SELECT * FROM base');
});
