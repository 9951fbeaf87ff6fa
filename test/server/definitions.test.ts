/** What is defined by statements is there after a restart, with everything that its text meant when it was made. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { Subject } from '../differential/both-sides.ts';

let folder: string;
let subject: Subject;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-definitions-'));
  subject = await Subject.open(folder);
});
after(async () => {
  await subject.close();
  rmSync(folder, { recursive: true });
});

async function rows(sql: string) {
  const answer = await subject.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows : [];
}

it('schemas, and names that the search_path has given a meaning', async () => {
  await rows('CREATE SCHEMA shop');
  await rows('CREATE SCHEMA empty');
  await rows('SET search_path = shop, public');
  await rows('CREATE TABLE item (id int PRIMARY KEY, v int)');
  await rows('CREATE STREAM events (a int)');
  await rows('CREATE MATERIALIZED VIEW total AS SELECT sum(v) AS v FROM item');
  await rows('CREATE VIEW plain AS SELECT v FROM item');
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM events');
  await rows('INSERT INTO item VALUES (1, 2), (2, 3)');
  await rows('INSERT INTO events VALUES (1)');
  await rows('FLUSH');
  await subject.reopen();
  await rows('INSERT INTO shop.item VALUES (3, 4)');
  await rows('INSERT INTO shop.events VALUES (2)');
  await rows('FLUSH');
  assert.deepEqual(await rows('SELECT * FROM shop.total'), [['9']]);
  assert.deepEqual(await rows('SELECT * FROM shop.counted'), [['2']]);
  assert.deepEqual(await rows('SELECT max(v) FROM shop.plain'), [['4']]);
  await rows('DROP SCHEMA empty');
  await rows('DROP SCHEMA shop CASCADE');
  await subject.reopen();
  assert.deepEqual(
    await rows(
      "SELECT schema_name FROM information_schema.schemata WHERE schema_name IN ('shop', 'empty')",
    ),
    [],
  );
  assert.equal((await subject.run('SELECT * FROM shop.item')).kind, 'failed');
});

it('values of parameters in the text of a view', async () => {
  await rows('CREATE TABLE priced (id int PRIMARY KEY, price numeric, name text)');
  const session = subject.database.session('parameters');
  const signal = new AbortController().signal;
  const create =
    'CREATE MATERIALIZED VIEW dear AS SELECT id FROM priced WHERE price > $1 AND name <> $2';
  for await (const result of session.execute(create, [10, "it's"], signal))
    assert.equal(result.kind, 'ok');
  await rows("INSERT INTO priced VALUES (1, 11, 'x'), (2, 9, 'x'), (3, 12, 'it''s')");
  await subject.reopen();
  await rows("INSERT INTO priced VALUES (4, 20, 'y')");
  assert.deepEqual(await rows('SELECT * FROM dear ORDER BY id'), [['1'], ['4']]);
});

const sqlstate = async (sql: string) => {
  const answer = await subject.run(sql);
  return answer.kind === 'failed' ? answer.sqlstate : 'answered';
};

it('altered tables, and the views that read them', async () => {
  await rows('CREATE TABLE stock (id int PRIMARY KEY, amount int)');
  await rows('CREATE MATERIALIZED VIEW amounts AS SELECT sum(amount) AS amount FROM stock');
  await rows('INSERT INTO stock VALUES (1, 10)');
  await rows("ALTER TABLE stock ADD COLUMN place text DEFAULT 'shelf' NOT NULL");
  await rows("INSERT INTO stock VALUES (2, 20, 'floor')");
  assert.deepEqual(await rows('SELECT * FROM amounts'), [['30']]);
  await subject.reopen();
  await rows('INSERT INTO stock (id, amount) VALUES (3, 5)');
  await rows('DELETE FROM stock WHERE id = 1');
  assert.deepEqual(await rows('SELECT * FROM amounts'), [['25']]);
  assert.deepEqual(await rows('SELECT * FROM stock ORDER BY id'), [
    ['2', '20', 'floor'],
    ['3', '5', 'shelf'],
  ]);
  // What reads it would no longer mean the same.
  assert.equal(await sqlstate('ALTER TABLE stock DROP COLUMN place'), '2BP01');
  assert.equal(await sqlstate('ALTER TABLE stock RENAME COLUMN amount TO n'), '2BP01');
  // Its name alone changes nothing that they mean.
  await rows('ALTER TABLE stock RENAME TO other');
  assert.deepEqual(await rows('SELECT * FROM amounts'), [['25']]);
  await rows('ALTER TABLE other RENAME TO stock');
  await rows('CREATE MATERIALIZED VIEW everything AS SELECT * FROM stock');
  assert.equal(await sqlstate('ALTER TABLE stock ADD COLUMN more int'), '2BP01');
  await rows('DROP MATERIALIZED VIEW everything');
  await rows('ALTER TABLE stock ADD COLUMN more int');
  await rows('ALTER MATERIALIZED VIEW amounts RENAME TO total_amount');
  await subject.reopen();
  await rows("INSERT INTO stock VALUES (4, 1, 'x', 7)");
  assert.deepEqual(await rows('SELECT * FROM total_amount'), [['26']]);
  await rows('DROP MATERIALIZED VIEW total_amount');
  await rows('ALTER TABLE stock DROP COLUMN place');
  await rows('ALTER TABLE stock RENAME TO store');
  await subject.reopen();
  assert.deepEqual(await rows('SELECT * FROM store WHERE id = 4'), [['4', '1', '7']]);
});

it('a column of another type', async () => {
  await rows('CREATE TABLE readings (id text PRIMARY KEY, level text, place text)');
  await rows("INSERT INTO readings VALUES ('1', '10', 'a'), ('2', NULL, 'b')");
  await rows('CREATE TABLE samples (v double precision)');
  await rows("INSERT INTO samples VALUES (0.4), ('-0'), (0), (2)");
  await rows('CREATE MATERIALIZED VIEW levels AS SELECT count(level) AS n FROM readings');
  assert.equal(
    await sqlstate('ALTER TABLE readings ALTER level TYPE int USING level::int'),
    '0A000',
  );
  assert.equal(await sqlstate("ALTER TABLE readings ALTER level TYPE text USING 'x'"), '0A000');
  await rows('DROP MATERIALIZED VIEW levels');
  assert.equal(
    await sqlstate('ALTER TABLE readings ALTER level TYPE int USING place::int'),
    '22P02',
  );
  await rows(
    'ALTER TABLE readings ALTER id TYPE int USING id::int, ALTER level TYPE int USING level::int + 1',
  );
  await rows('ALTER TABLE samples ALTER v TYPE int');
  await rows('CREATE MATERIALIZED VIEW levels AS SELECT sum(level) AS n FROM readings');
  for (const after of ['11', '16', '21']) {
    assert.deepEqual(await rows('SELECT * FROM levels'), [[after]]);
    assert.deepEqual(await rows('SELECT * FROM samples ORDER BY v'), [['0'], ['0'], ['0'], ['2']]);
    await subject.reopen();
    await rows('UPDATE readings SET level = level + 5 WHERE id = 1');
  }
  assert.equal(await sqlstate("INSERT INTO readings VALUES (2, 1, 'c')"), '23505');
});

it('EXPLAIN as JSON, with ANALYZE, and with options that mean nothing', async () => {
  await rows('CREATE TABLE plain (id int PRIMARY KEY, v int)');
  await rows('INSERT INTO plain VALUES (1, 1), (2, 2), (3, NULL)');
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT v, count(*) AS n FROM plain GROUP BY v');
  const query =
    'SELECT count(*) FROM plain p JOIN counted c ON c.v = p.v WHERE p.id > 1 GROUP BY p.v';
  const lines = (await rows(`EXPLAIN (COSTS OFF, VERBOSE) ${query}`)).map(([line]) => line ?? '');
  const [[text] = []] = await rows(`EXPLAIN (ANALYZE, FORMAT JSON) ${query}`);
  const [{ Plan, ...run }] = JSON.parse(text ?? '');
  interface Tree {
    readonly Operation: string;
    readonly Plans?: readonly Tree[];
  }
  const flat = (tree: Tree, depth: number): string[] => [
    `${' '.repeat(depth)}${tree.Operation}`,
    ...(tree.Plans ?? []).flatMap((child) => flat(child, depth + 2)),
  ];
  assert.deepEqual(flat(Plan, 0), lines);
  assert.equal(run['Actual Rows'], 1);
  assert.ok(run['Execution Time (ms)'] > 0);
  const analyzed = await rows('EXPLAIN ANALYZE SELECT * FROM plain');
  assert.deepEqual(analyzed.at(-2), ['Actual Rows: 3']);
  assert.equal((await rows('EXPLAIN (ANALYZE off) SELECT * FROM plain')).length, 1);
  assert.equal(await sqlstate('EXPLAIN ANALYZE DELETE FROM plain'), '0A000');
  assert.deepEqual(await rows('SELECT count(*) FROM plain'), [['3']]);
  const [[view] = []] = await rows('EXPLAIN (FORMAT JSON) counted');
  assert.equal(typeof JSON.parse(view ?? '')[0].Plan.Operation, 'string');
});

it('a transaction does not commit into a table that was altered meanwhile', async () => {
  await rows('CREATE TABLE moving (id int PRIMARY KEY)');
  await subject.run('BEGIN', 'other');
  await subject.run('INSERT INTO moving VALUES (1)', 'other');
  await rows('ALTER TABLE moving ADD COLUMN v int DEFAULT 3');
  assert.equal((await subject.run('COMMIT', 'other')).kind, 'failed');
  assert.deepEqual(await rows('SELECT count(*) FROM moving'), [['0']]);
});

it('altered streams keep their topic', async () => {
  await rows('CREATE STREAM clicks (who text)');
  await rows("INSERT INTO clicks VALUES ('a')");
  await rows('ALTER STREAM clicks ADD COLUMN page int');
  await rows("INSERT INTO clicks VALUES ('b', 2)");
  await rows('ALTER STREAM clicks RENAME TO visits');
  await rows('CREATE MATERIALIZED VIEW pages AS SELECT who, page FROM visits');
  await rows('FLUSH');
  await subject.reopen();
  await rows("INSERT INTO visits VALUES ('c', 3)");
  await rows('FLUSH');
  const expected = [
    ['a', null],
    ['b', '2'],
    ['c', '3'],
  ];
  assert.deepEqual(await rows('SELECT * FROM pages ORDER BY who'), expected);
  assert.deepEqual(await rows('SELECT count(*) FROM visits_errors'), [['0']]);
  assert.equal(await sqlstate('ALTER STREAM visits ADD COLUMN more int'), '2BP01');
  assert.equal(await sqlstate('SELECT * FROM clicks'), '42P01');
});

it('SHOW CREATE gives a statement that makes the same relation', async () => {
  await rows('CREATE TABLE shown (id int PRIMARY KEY, v numeric(5, 1) DEFAULT 2 CHECK (v > 0))');
  await rows("ALTER TABLE shown ADD COLUMN t text DEFAULT 'it''s' NOT NULL");
  await rows('ALTER TABLE shown ALTER v DROP DEFAULT');
  await rows('CREATE MATERIALIZED VIEW shown_sum AS SELECT sum(v) AS v FROM shown');
  const [table] = await rows('SHOW CREATE TABLE shown');
  const [view] = await rows('SHOW CREATE MATERIALIZED VIEW public.shown_sum');
  const described = await rows('DESCRIBE shown');
  assert.equal(await sqlstate('SHOW CREATE STREAM shown'), '42809');
  assert.equal(await sqlstate('SHOW CREATE TABLE nothing'), '42P01');
  await rows('DROP TABLE shown CASCADE');
  await rows(table?.[1] ?? '');
  await rows(view?.[1] ?? '');
  assert.deepEqual(await rows('DESCRIBE shown'), described);
  await rows('INSERT INTO shown (id, v) VALUES (1, 4.5)');
  assert.deepEqual(await rows('SELECT * FROM shown'), [['1', '4.5', "it's"]]);
  assert.deepEqual(await rows('SELECT * FROM shown_sum'), [['4.5']]);
  assert.equal(await sqlstate('INSERT INTO shown (id, v) VALUES (2, 0)'), '23514');
});

it('SHOW CREATE of a sink hides its password', async () => {
  await rows('CREATE TABLE secretive (id int PRIMARY KEY)');
  await rows(
    "CREATE SINK leaky FROM secretive WITH (connector = 'postgres', url = 'postgres://app:hush@127.0.0.1:1/x', table = 't', password = 'hush')",
  );
  const [shown] = await rows('SHOW CREATE SINK leaky');
  assert.match(shown?.[1] ?? '', /app:\*\*\*@127/);
  assert.doesNotMatch(shown?.[1] ?? '', /hush/);
  await rows('DROP TABLE secretive CASCADE');
});

it('no materialized view is made over a system catalog', async () => {
  const answer = await subject.run('CREATE MATERIALIZED VIEW m AS SELECT * FROM pg_class');
  assert.deepEqual(answer.kind === 'failed' && answer.sqlstate, '0A000');
});
