/** A statement that fails changes nothing, on both sides alike; statements at the same time do not undo each other. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Answer, asBag, Judge, Subject } from './both-sides.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-failures-'));
let judge: Judge;
let subject: Subject;

async function onBoth(sql: string): Promise<readonly [postgres: Answer, millrace: Answer]> {
  return [await judge.run(sql), await subject.run(sql)];
}

before(async () => {
  judge = await Judge.open();
  subject = await Subject.open(folder);
  for (const sql of [
    'CREATE TABLE account (id int PRIMARY KEY, owner text NOT NULL, balance numeric(8,2) CHECK (balance >= 0), code varchar(3))',
    'CREATE TABLE entry (account int, amount int)',
    "INSERT INTO account VALUES (1, 'ann', 10, 'a'), (2, 'bob', 20, 'b'), (3, 'cat', 0, NULL)",
    'INSERT INTO entry VALUES (1, 5), (1, 5), (2, NULL), (NULL, 1)',
  ]) {
    for (const answer of await onBoth(sql)) assert.equal(answer.kind, 'answered', sql);
  }
  for (const [name, query] of [
    ['total', 'SELECT count(*) AS n, sum(balance) AS balance FROM account'],
    [
      'per_account',
      'SELECT account, count(*) AS n, sum(amount) AS total FROM entry GROUP BY account',
    ],
    [
      'named',
      'SELECT a.owner, e.amount FROM account AS a LEFT JOIN entry AS e ON e.account = a.id',
    ],
  ]) {
    await judge.run(`CREATE VIEW ${name} AS ${query}`);
    const created = await subject.run(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
    assert.equal(created.kind, 'answered', query);
  }
});

after(async () => {
  await subject.close();
  await judge.close();
  rmSync(folder, { recursive: true, force: true });
});

async function compareAll(context: string): Promise<void> {
  for (const name of ['account', 'entry', 'total', 'per_account', 'named']) {
    const [postgres, millrace] = await onBoth(`SELECT * FROM ${name}`);
    assert.deepEqual(asBag(millrace), asBag(postgres), `${name} after ${context}`);
  }
}

const failing: readonly string[] = [
  // The last row of several.
  "INSERT INTO account VALUES (4, 'dan', 1, NULL), (5, 'eve', 1, NULL), (1, 'again', 1, NULL)",
  "INSERT INTO account VALUES (4, 'dan', 1, NULL), (5, 'eve', -1, NULL)",
  "INSERT INTO account VALUES (4, 'dan', 1, NULL), (5, NULL, 1, NULL)",
  "INSERT INTO account VALUES (4, 'dan', 1, NULL), (5, 'eve', 1, 'long')",
  "INSERT INTO account VALUES (4, 'dan', 1, NULL), (5, 'eve', 1000000, NULL)",
  "INSERT INTO account VALUES (4, 'dan', 1, NULL), (4, 'twice', 1, NULL)",
  "INSERT INTO account VALUES (4, 'dan', 1, NULL), (NULL, 'none', 1, NULL)",
  'INSERT INTO entry VALUES (1, 1), (2, 2147483648)',
  'INSERT INTO entry VALUES (1, 1), (2, 1 / 0)',
  'INSERT INTO entry SELECT id, 1 / (id - 3) FROM account',
  'INSERT INTO entry SELECT id, owner::int FROM account',
  'INSERT INTO account SELECT id + 1, owner, balance, code FROM account',
  "INSERT INTO account VALUES (9, 'new', 1, NULL), (1, 'x', 1, NULL) ON CONFLICT (id) DO UPDATE SET balance = account.balance - 11",
  "INSERT INTO account VALUES (9, 'new', 1, NULL), (1, 'x', 1, NULL) ON CONFLICT (id) DO UPDATE SET id = 2",
  "INSERT INTO account VALUES (9, 'new', 1, NULL), (1, 'x', 1, NULL) ON CONFLICT (id) DO UPDATE SET balance = 1 / (account.id - 1)",
  "INSERT INTO account VALUES (9, 'new', 1, NULL), (9, 'new', 2, NULL) ON CONFLICT (id) DO UPDATE SET balance = 3",
  // A row in the middle.
  'UPDATE account SET balance = balance - 15',
  'UPDATE account SET balance = 100 / abs(id - 2)',
  "UPDATE account SET owner = nullif(owner, 'cat')",
  "UPDATE account SET code = repeat('x', id + 1)",
  'UPDATE account SET id = 7',
  'UPDATE account SET id = 3 WHERE id = 1',
  'UPDATE account SET balance = (SELECT amount FROM entry WHERE account = 1)',
  'UPDATE entry SET amount = amount * 1000000000',
  'UPDATE entry SET amount = 10 / (amount - 5) WHERE amount IS NOT NULL',
  'DELETE FROM account WHERE 10 / (id - 2) > 0',
  'DELETE FROM account WHERE id = (SELECT account FROM entry)',
  'DELETE FROM entry USING account WHERE account.id = entry.account AND 1 / (account.id - 1) > 0',
  // Before anything runs.
  'INSERT INTO account VALUES (4)',
  'INSERT INTO nowhere VALUES (1)',
  'UPDATE account SET nope = 1',
  'DELETE FROM account WHERE nope',
  'CREATE TABLE account (id int)',
  'CREATE TABLE fresh (a int, a int)',
  'CREATE TABLE fresh (a int DEFAULT nope)',
  'DROP TABLE account',
  'DROP TABLE nowhere',
  'TRUNCATE nowhere',
];

describe('a failing statement', () => {
  for (const sql of failing) {
    it(sql, async () => {
      const [postgres, millrace] = await onBoth(sql);
      assert.equal(postgres.kind, 'failed', JSON.stringify(postgres));
      assert.equal(
        millrace.kind === 'failed' ? millrace.sqlstate : millrace.tag,
        postgres.kind === 'failed' ? postgres.sqlstate : '',
      );
      await compareAll(sql);
    });
  }

  it('left nothing behind that a later statement would meet', async () => {
    for (const sql of [
      "INSERT INTO account VALUES (4, 'dan', 1, NULL), (5, 'eve', 2, NULL), (9, 'fay', 3, NULL)",
      'UPDATE account SET balance = balance + 1',
      'CREATE TABLE fresh (a int)',
      'DROP TABLE fresh',
      'DELETE FROM account WHERE id = 5',
      "INSERT INTO account VALUES (5, 'eve again', 2, NULL)",
    ]) {
      const [postgres, millrace] = await onBoth(sql);
      assert.deepEqual(millrace, postgres);
      await compareAll(sql);
    }
    await subject.reopen();
    await compareAll('a restart');
  });
});

describe('statements of several sessions', () => {
  const signal = new AbortController().signal;
  const run = async (sql: string): Promise<string> => {
    try {
      let tag = '';
      for await (const result of subject.database.session(undefined).execute(sql, [], signal)) {
        if (result.kind === 'ok') tag = result.tag;
      }
      return tag;
    } catch (cause) {
      return (cause as { error: { sqlstate: string } }).error.sqlstate;
    }
  };

  it('change the same rows one after another', async () => {
    await run('CREATE TABLE counter (id int PRIMARY KEY, v int); CREATE TABLE bag (v int)');
    await run(
      'CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n, sum(v) AS total FROM counter',
    );
    await run('INSERT INTO counter VALUES (1, 0), (2, 0); INSERT INTO bag VALUES (0), (0)');
    const tags = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        run(i % 2 === 0 ? 'UPDATE counter SET v = v + 1' : 'UPDATE bag SET v = v + 1'),
      ),
    );
    assert.deepEqual(new Set(tags), new Set(['UPDATE 2']));
    const rows = await subject.run('SELECT id, v FROM counter ORDER BY id');
    assert.deepEqual(rows.kind === 'answered' && rows.rows, [
      ['1', '10'],
      ['2', '10'],
    ]);
    const bag = await subject.run('SELECT v FROM bag');
    assert.deepEqual(bag.kind === 'answered' && bag.rows, [['10'], ['10']]);
    const view = await subject.run('SELECT * FROM counted');
    assert.deepEqual(view.kind === 'answered' && view.rows, [['2', '20']]);
  });

  it('insert one row for a key', async () => {
    const tags = await Promise.all(
      Array.from({ length: 12 }, (_, i) => run(`INSERT INTO counter VALUES (10, ${i})`)),
    );
    assert.equal(tags.filter((tag) => tag === 'INSERT 0 1').length, 1);
    assert.equal(tags.filter((tag) => tag === '23505').length, 11);
    const upserts = Array.from({ length: 12 }, () =>
      run('INSERT INTO counter VALUES (11, 1) ON CONFLICT (id) DO UPDATE SET v = counter.v + 1'),
    );
    assert.deepEqual(new Set(await Promise.all(upserts)), new Set(['INSERT 0 1']));
    const rows = await subject.run('SELECT v FROM counter WHERE id = 11');
    assert.deepEqual(rows.kind === 'answered' && rows.rows, [['12']]);
  });

  it('delete a row once', async () => {
    const tags = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        run(i % 2 === 0 ? 'DELETE FROM counter WHERE id = 10' : 'DELETE FROM bag WHERE v = 10'),
      ),
    );
    assert.deepEqual(tags.toSorted(), [
      'DELETE 0',
      'DELETE 0',
      'DELETE 0',
      'DELETE 0',
      'DELETE 1',
      'DELETE 2',
    ]);
    const view = await subject.run('SELECT n FROM counted');
    assert.deepEqual(view.kind === 'answered' && view.rows, [['3']]);
  });
});
