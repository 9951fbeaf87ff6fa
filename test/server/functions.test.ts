/** Functions and aggregates of users as things of the catalog: how they come, are found, replaced, dropped, and there again. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Answer, Judge, Subject } from '../differential/both-sides.ts';

let folder: string;
let subject: Subject;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-functions-'));
  subject = await Subject.open(folder);
});
after(async () => {
  await subject.close();
  rmSync(folder, { recursive: true });
});

const outcome = (answer: Answer) =>
  answer.kind === 'failed' ? `${answer.sqlstate} ${answer.message}` : answer.rows;
const ask = async (sql: string) => outcome(await subject.run(sql));
async function make(...statements: readonly string[]): Promise<void> {
  for (const sql of statements) {
    const answer = await subject.run(sql);
    assert.equal(answer.kind === 'failed' ? answer.message : '', '', sql);
  }
}

const js = (head: string, body: string, returns = 'int'): string =>
  `CREATE FUNCTION ${head} RETURNS ${returns} LANGUAGE javascript AS $$ ${body} $$`;

const SHOUT = ' return name.toUpperCase() + "!".repeat(times) ';

it('definitions are refused as PostgreSQL refuses them', async () => {
  const judge = await Judge.open();
  try {
    const f = 'RETURNS int LANGUAGE sql AS';
    const statements = [
      `CREATE FUNCTION twin(a int) ${f} 'SELECT 1'`,
      `CREATE FUNCTION twin(b int) ${f} 'SELECT 1'`,
      `CREATE OR REPLACE FUNCTION twin(b int) ${f} 'SELECT 1'`,
      `CREATE OR REPLACE FUNCTION twin(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$`,
      `CREATE OR REPLACE FUNCTION twin(a int) ${f} 'SELECT 2'`,
      `CREATE FUNCTION twin(a text) ${f} 'SELECT 3'`,
      'SELECT twin(1), twin(NULL::int), twin(NULL::text)',
      `SELECT twin(NULL)`,
      'DROP FUNCTION twin',
      'DROP FUNCTION twin(numeric)',
      'DROP FUNCTION IF EXISTS twin(numeric)',
      'DROP FUNCTION absent',
      'DROP AGGREGATE twin(int)',
      `CREATE FUNCTION p1(a int, a int) ${f} 'SELECT 1'`,
      `CREATE FUNCTION p2(a int DEFAULT 1, b int) ${f} 'SELECT 1'`,
      `CREATE FUNCTION p3(a int) ${f} 'SELECT $2'`,
      `CREATE FUNCTION p4(a int) ${f} 'SELECT b'`,
      `CREATE FUNCTION p5(a int) ${f} 'SELECT a, a'`,
      `CREATE FUNCTION p6(a int) ${f} 'SELECT now()'`,
      `CREATE FUNCTION p7(a int) ${f} 'SELEC'`,
      `CREATE FUNCTION p8(a nosuch) ${f} 'SELECT 1'`,
      `CREATE FUNCTION p9(a int) RETURNS int LANGUAGE nosuch AS 'x'`,
      `CREATE FUNCTION d(a int, b int DEFAULT 2, c int DEFAULT 3) ${f} 'SELECT a * 100 + b * 10 + c'`,
      'SELECT d(1), d(1, 5), d(1, c => 7), d(c => 4, a => 9)',
      'SELECT d()',
      'SELECT d(b => 1)',
      'SELECT d(1, a => 2)',
      'SELECT d(a => 1, a => 2)',
      'SELECT d(a => 1, 2)',
      'SELECT d(1, z => 2)',
      `CREATE FUNCTION d(a int) ${f} 'SELECT 0'`,
      'SELECT d(1)',
      'SELECT d(1, 2, 3) OVER ()',
      'SELECT d(DISTINCT 1, 2, 3)',
      `CREATE FUNCTION s(a int, b int) ${f} 'SELECT a + b'`,
      'CREATE AGGREGATE noparts(int) (sfunc = s)',
      'CREATE AGGREGATE wrong(int) (sfunc = absent, stype = int)',
      'CREATE AGGREGATE wrong(text) (sfunc = s, stype = int)',
      `CREATE AGGREGATE wrong(int) (sfunc = s, stype = int, initcond = 'x')`,
      'CREATE AGGREGATE wrong(int) (sfunc = s, stype = bigint)',
      `CREATE AGGREGATE added(int) (sfunc = s, stype = int, initcond = '0')`,
      'SELECT added(x) FROM (VALUES (1), (2)) AS t(x)',
      'SELECT added()',
      'DROP FUNCTION added(int)',
      'DROP FUNCTION s(int, int)',
      'DROP AGGREGATE added(int), absent(int)',
      'DROP FUNCTION s(int, int) CASCADE',
      'SELECT added(1)',
      'CREATE TABLE held (a int)',
      'CREATE VIEW reads AS SELECT twin(a) FROM held',
      'DROP FUNCTION twin(int)',
      'DROP FUNCTION twin(text)',
      'DROP FUNCTION twin CASCADE',
      'SELECT * FROM reads',
      'DROP TABLE held',
    ];
    const code = (answer: Answer) =>
      answer.kind === 'failed' ? answer.sqlstate : [answer.tag, answer.rows];
    for (const sql of statements) {
      assert.deepEqual(code(await subject.run(sql)), code(await judge.run(sql)), sql);
    }
  } finally {
    await judge.close();
  }
});

it('a failing call is a failing row, with what the function said', async () => {
  await make(
    'CREATE TABLE points (id int PRIMARY KEY, a int)',
    js('half(a int)', 'if (a % 2) throw new RangeError("odd"); return a / 2'),
    js('text_(a int)', 'return "x" + a'),
    js('far(a int)', 'return 3e9'),
    js('endless(a int)', 'for (;;) {}'),
    js('greedy(a int)', 'let s = "abc"; for (;;) s += s;'),
    js('deep(a int)', 'return (function f() { return 1 + f() })()'),
    'INSERT INTO points VALUES (1, 4), (2, 5)',
  );
  assert.deepEqual(
    await ask('SELECT half(5)'),
    '38000 function half(integer) failed: RangeError: odd',
  );
  assert.deepEqual(
    await ask('SELECT text_(5)'),
    '39000 function text_(integer): it gave string, not an integer',
  );
  assert.deepEqual(await ask('SELECT far(5)'), '22003 integer out of range');
  assert.deepEqual(
    await ask('SELECT endless(5)'),
    '54000 function endless(integer) takes more than 2000000 steps',
  );
  assert.deepEqual(
    await ask('SELECT greedy(5)'),
    '54000 function greedy(integer) needs more than 16 MB of memory',
  );
  assert.deepEqual(
    await ask('SELECT deep(5)'),
    '54000 function deep(integer) calls itself too deep',
  );
  await make(
    'CREATE MATERIALIZED VIEW halves AS SELECT id, half(a) AS h, CASE WHEN a > 100 THEN endless(a) END AS e FROM points',
  );
  const errors = 'SELECT "row" ->> \'id\', sqlstate FROM halves_errors ORDER BY 1';
  assert.deepEqual(await ask(errors), [['2', '38000']]);
  await make('UPDATE points SET a = 104 WHERE id = 1', 'FLUSH');
  assert.deepEqual(await ask(errors), [
    ['1', '54000'],
    ['2', '38000'],
  ]);
  await make('UPDATE points SET a = a - 99', 'FLUSH');
  assert.deepEqual(await ask(errors), [['1', '38000']]);
  assert.deepEqual(await ask('SELECT * FROM halves'), [['2', '-47', null]]);
  await make('DROP TABLE points CASCADE');
});

it('a function is not replaced while something keeps what it computed', async () => {
  await make(
    'CREATE TABLE kept (a int, b int GENERATED ALWAYS AS (a + 1))',
    js('one(a int)', 'return 1'),
    'CREATE FUNCTION two(a int) RETURNS int RETURN one(a) + 1',
    'CREATE MATERIALIZED VIEW twos AS SELECT two(a) AS x FROM kept',
    'CREATE MATERIALIZED VIEW above AS SELECT max(x) AS x FROM twos',
    'CREATE TABLE checked (a int CHECK (one(a) = 1))',
  );
  const replace = js('one(a int)', 'return 2').replace('CREATE', 'CREATE OR REPLACE');
  assert.match(String(await ask(replace)), /^2BP01 .* because table checked depends on it/);
  await make('DROP TABLE checked');
  assert.match(
    String(await ask(replace)),
    /^2BP01 .* because function two\(integer\) depends on it/,
  );
  assert.match(String(await ask('DROP FUNCTION one')), /^2BP01 /);
  await make('DROP FUNCTION one CASCADE');
  assert.match(String(await ask('SELECT * FROM above')), /^42P01 /);
  assert.match(String(await ask('SELECT two(1)')), /^42883 /);
  await make(js('one(a int)', 'return 1'), replace);
  assert.deepEqual(await ask('SELECT one(5)'), [['2']]);
  await make('DROP FUNCTION one', 'DROP TABLE kept');
});

it('functions are there after a restart, and in what the catalog tells', async () => {
  await make(
    'CREATE TABLE items (id int PRIMARY KEY, name text)',
    js('shout(name text, times int DEFAULT 1)', SHOUT.trim(), 'text'),
    js('letters(name text)', 'yield* name ?? ""', 'SETOF text'),
    "CREATE FUNCTION polite(name text) RETURNS text IMMUTABLE STRICT RETURN 'dear ' || name",
    js('longer(s int, name text)', 'return Math.max(s, name.length)'),
    "CREATE AGGREGATE longest(text) (sfunc = longer, stype = int, initcond = '0')",
    'CREATE MATERIALIZED VIEW told AS SELECT id, shout(polite(name)) AS t FROM items',
    'CREATE MATERIALIZED VIEW spelt AS SELECT l, count(*) AS n, longest(name) AS m FROM items, letters(name) AS l GROUP BY l',
    "INSERT INTO items VALUES (1, 'ann'), (2, 'bo')",
    'FLUSH',
  );
  await subject.reopen();
  await make("INSERT INTO items VALUES (3, 'an')", 'DELETE FROM items WHERE id = 1', 'FLUSH');
  assert.deepEqual(await ask('SELECT * FROM told ORDER BY id'), [
    ['2', 'DEAR BO!'],
    ['3', 'DEAR AN!'],
  ]);
  assert.deepEqual(await ask('SELECT * FROM spelt ORDER BY l'), [
    ['a', '1', '2'],
    ['b', '1', '2'],
    ['n', '1', '2'],
    ['o', '1', '2'],
  ]);
  const mine = "('shout', 'letters', 'polite', 'longest')";
  assert.deepEqual(
    await ask(
      `SELECT proname, lanname, prokind, provolatile, proisstrict, proretset, pronargs, pronargdefaults, proargnames, prosrc
       FROM pg_proc JOIN pg_language l ON l.oid = prolang WHERE proname IN ${mine} ORDER BY pg_proc.oid`,
    ),
    [
      ['shout', 'javascript', 'f', 'v', 'f', 'f', '2', '1', '{name,times}', SHOUT],
      ['letters', 'javascript', 'f', 'v', 'f', 't', '1', '0', '{name}', ' yield* name ?? "" '],
      ['polite', 'sql', 'f', 'i', 't', 'f', '1', '0', '{name}', "'dear ' || name"],
      ['longest', 'internal', 'a', 'i', 'f', 'f', '1', '0', null, null],
    ],
  );
  assert.deepEqual(
    await ask(
      `SELECT routine_name, routine_type, data_type, routine_body, is_null_call FROM information_schema.routines WHERE routine_name IN ${mine}`,
    ),
    [
      ['shout', 'FUNCTION', 'text', 'EXTERNAL', 'NO'],
      ['letters', 'FUNCTION', 'text', 'EXTERNAL', 'NO'],
      ['polite', 'FUNCTION', 'text', 'SQL', 'YES'],
      ['longest', null, 'integer', 'EXTERNAL', null],
    ],
  );
  assert.deepEqual(await ask("SHOW FUNCTIONS LIKE 'lett%'"), [
    ['letters', 'table', 'text', 'text', 'user-defined, LANGUAGE javascript'],
  ]);
  assert.deepEqual(await ask("SHOW FUNCTIONS LIKE 'lower'"), [
    ['lower', 'scalar', 'text', 'text', 'text in lower case'],
    ['lower', 'scalar', 'anyrange', 'anyelement', 'lower bound; NULL when there is none'],
  ]);
  assert.deepEqual(await ask('SHOW CREATE FUNCTION polite'), [
    [
      'polite(text)',
      "CREATE FUNCTION polite(name text) RETURNS text IMMUTABLE STRICT RETURN 'dear ' || name",
    ],
  ]);
});

it('what the catalog exports makes the same functions again', async () => {
  const script = await ask('SHOW CREATE ALL');
  assert.ok(Array.isArray(script));
  const other = await Subject.open();
  try {
    for (const [, sql] of script) {
      const answer = await other.run(sql ?? '');
      assert.equal(answer.kind === 'failed' ? answer.message : '', '', sql ?? '');
    }
    await other.run("INSERT INTO items VALUES (2, 'bo'), (3, 'an')");
    await other.run('FLUSH');
    for (const query of ['SELECT * FROM told ORDER BY id', 'SELECT * FROM spelt ORDER BY l']) {
      assert.deepEqual(outcome(await other.run(query)), await ask(query));
    }
  } finally {
    await other.close();
  }
});
