/** Random statements with parts in WITH that change rows: answers, tables, and a view of both are PostgreSQL's. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { asBag, Judge, Subject } from './both-sides.ts';

const RUNS = Math.max(10, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 10));

let judge: Judge;
let subject: Subject;
before(async () => {
  judge = await Judge.open();
  subject = await Subject.open();
});
after(async () => {
  await subject.close();
  await judge.close();
});

const VIEW =
  'SELECT k, count(*) AS n, sum(v) AS total FROM (SELECT k, v FROM one UNION ALL SELECT k, v FROM two) AS every GROUP BY k';

const condition = fc.constantFrom(
  'true',
  'k = 1',
  'k <= 2',
  'v IS NULL',
  'v > 2',
  'k IN (SELECT k FROM two WHERE v > 1)',
  '(k, v) = (SELECT max(k), max(v) FROM two)',
);
const value = fc.constantFrom('NULL', '1', '2', 'v + 1', '(SELECT max(v) FROM one)', 'a[1]');
const set = fc.oneof(
  value.map((v) => `v = ${v}`),
  value.map((v) => `a[1] = ${v}`),
  fc.tuple(value, value).map(([v, w]) => `a[2] = ${v}, v = ${w}, a[1] = ${v}`),
  value.map((v) => `(v, a[1]) = (SELECT max(v), ${v} FROM two)`),
);
const RETURNING = [
  'RETURNING k, v',
  'RETURNING old.k, new.v',
  'RETURNING coalesce(new.k, old.k), old.v',
  'RETURNING k, (SELECT count(*) FROM one)::int',
  'RETURNING WITH (OLD AS o) k, o.v + coalesce(v, 0)',
];
const returning = fc.constantFrom(...RETURNING);
const table = fc.constantFrom('one', 'two');

/** `rows` gives (k, v), from a table or from an item before it. */
const change = (rows: string, shift: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.tuple(table, condition).map(([t, c]) => `DELETE FROM ${t} WHERE ${c}`),
      fc.tuple(table, set, condition).map(([t, s, c]) => `UPDATE ${t} SET ${s} WHERE ${c}`),
      fc.constant(`INSERT INTO two (k, v) SELECT k + ${shift}, v FROM ${rows}`),
      fc.constant(
        `INSERT INTO one (k, v) SELECT DISTINCT k + ${shift}, 0 FROM ${rows} WHERE k IS NOT NULL`,
      ),
      set.map(
        (s) =>
          `INSERT INTO one (k, v) SELECT DISTINCT k, 0 FROM ${rows} WHERE k IS NOT NULL ON CONFLICT (k) DO UPDATE SET ${s
            .replaceAll(/\bv \+/g, 'one.v +')
            .replaceAll('a[1]', 'one.a[1]')
            .replaceAll(/(^|, |\()one\.a\[1\](?= =|\))/g, '$1a[1]')}`,
      ),
    )
    .chain((text) => returning.map((tail) => `${text} ${tail}`));

const statement = fc
  .tuple(
    change('two', 10),
    change('first_item', 20),
    change('second_item', 30),
    fc.constantFrom(
      'SELECT * FROM first_item UNION ALL SELECT * FROM second_item',
      'SELECT count(*) FROM second_item',
      'SELECT s.k, (SELECT sum(v) FROM first_item f WHERE f.k = s.k) AS v FROM second_item s',
      'SELECT count(*) FROM one',
      undefined,
    ),
  )
  .map(([first, second, third, query]) => {
    return `WITH first_item(k, v) AS (${first}), second_item(k, v) AS (${second}) ${query ?? third}`;
  });
const step = fc.record({ statement, inTransaction: fc.boolean() });

async function both(sql: string): Promise<void> {
  const postgres = asBag(await judge.run(sql));
  const millrace = asBag(await subject.run(sql));
  const plain = (answer: typeof postgres): unknown =>
    answer.kind === 'failed' ? answer.sqlstate : answer;
  assert.deepEqual(plain(millrace), plain(postgres), sql);
}

test('random statements whose WITH clause changes rows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 4 }), async (steps) => {
      await subject.run('ROLLBACK');
      await judge.run('ROLLBACK');
      await subject.run('DROP MATERIALIZED VIEW IF EXISTS seen');
      for (const sql of [
        'DROP TABLE IF EXISTS one',
        'DROP TABLE IF EXISTS two',
        "CREATE TABLE one (k int PRIMARY KEY, v int, a int[] DEFAULT '{7}')",
        "CREATE TABLE two (k int, v int, a int[] DEFAULT '{8}')",
        'INSERT INTO one VALUES (1, 1), (2, NULL), (3, 3), (4, 4)',
        'INSERT INTO two VALUES (1, 2), (1, 2), (2, 5), (NULL, NULL), (3, 1)',
      ]) {
        await both(sql);
      }
      await subject.run(`CREATE MATERIALIZED VIEW seen AS ${VIEW}`);
      for (const { statement: sql, inTransaction } of steps) {
        if (inTransaction) await both('BEGIN');
        if (inTransaction) await both('INSERT INTO two VALUES (2, 2)');
        await both(sql);
        if (inTransaction) await both('SELECT * FROM one');
        if (inTransaction) await both('COMMIT');
        await both('SELECT * FROM one');
        await both('SELECT * FROM two');
        const view = asBag(await subject.run('SELECT * FROM seen'));
        assert.deepEqual(view, asBag(await judge.run(VIEW)), sql);
      }
    }),
    { numRuns: RUNS },
  );
});
