/**
 * The rows of a view's error relation are the rows that PostgreSQL fails on now: under inserts, updates, deletes and restarts.
 * PostgreSQL is asked row by row, since its statement ends at the first failure.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type Answer, Judge, Subject } from './both-sides.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 6);

interface View {
  readonly name: string;
  readonly query: string;
  /** Members of the failed row that identify it. */
  readonly identity: string;
  /** One row per thing to judge: its identity, and the query that PostgreSQL may fail on. */
  readonly judged: string;
}

const perRow = (expression: string, where = ''): string =>
  `SELECT t.id::text AS identity, format('SELECT ${expression.replaceAll("'", "''")} FROM t WHERE id = %s ${where.replaceAll("'", "''")}', t.id) AS query FROM t`;
const perGroup = (expression: string): string =>
  `SELECT DISTINCT coalesce(t.a::text, 'null') AS identity, format('SELECT ${expression} FROM t WHERE a IS NOT DISTINCT FROM %L', t.a) AS query FROM t`;

const VIEWS: readonly View[] = [
  {
    name: 'quotient',
    query: 'SELECT id, a / b AS q FROM t',
    identity: `"row" ->> 'id'`,
    judged: perRow('a / b'),
  },
  {
    name: 'overflow',
    query: 'SELECT id, a * 1000000000 + b AS q, c FROM t',
    identity: `"row" ->> 'id'`,
    judged: perRow('a * 1000000000 + b'),
  },
  {
    name: 'filtered',
    query: 'SELECT id, c::int AS q FROM t WHERE a > 0',
    identity: `"row" ->> 'id'`,
    judged: perRow('c::int', 'AND a > 0'),
  },
  {
    name: 'document',
    query: `SELECT id, c::jsonb AS q FROM t WHERE 10 / b > 1`,
    identity: `"row" ->> 'id'`,
    judged: perRow('c::jsonb', 'AND 10 / b > 1'),
  },
  {
    name: 'matched',
    query: 'SELECT t.id, u.k FROM t LEFT JOIN u ON t.a = u.a AND t.b / u.d > 0',
    identity: `("row" ->> 'b') || '/' || ("row" ->> 'd')`,
    judged: `SELECT coalesce(t.b::text || '/' || u.d::text) AS identity, format('SELECT %s / %s', coalesce(t.b::text, 'NULL::int'), u.d) AS query FROM t JOIN u ON t.a = u.a WHERE u.d IS NOT NULL AND t.b IS NOT NULL`,
  },
  {
    name: 'total',
    query: 'SELECT a, sum(span) AS s, count(*) AS n FROM t GROUP BY a',
    identity: `coalesce("row" ->> 'a', 'null')`,
    judged: perGroup('sum(span)'),
  },
  {
    name: 'above',
    query: 'SELECT n / (n - 2) AS q FROM total',
    identity: `"row" ->> 'n'`,
    // A group whose sum fails is no row of the view below.
    judged: `SELECT n::text AS identity, format('SELECT %s / (%s - 2)', n, n) AS query FROM (
      SELECT count(*) AS n FROM t GROUP BY a
      HAVING failing(format('SELECT sum(span) FROM t WHERE a IS NOT DISTINCT FROM %L', a)) IS NULL) counts`,
  },
  {
    name: 'members',
    query: 'SELECT a, jsonb_object_agg(c, id) AS m FROM t GROUP BY a',
    identity: `coalesce("row" ->> 'a', 'null')`,
    judged: perGroup('jsonb_object_agg(c, id)'),
  },
];

/** The SQLSTATE that a query fails with, else NULL. */
const FAILING = `CREATE FUNCTION failing(query text) RETURNS text LANGUAGE plpgsql AS $$
  BEGIN EXECUTE query; RETURN NULL; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$`;

const TABLES = [
  'CREATE TABLE t (id int PRIMARY KEY, a int, b int, c text, span interval)',
  'CREATE TABLE u (k int, a int, d int)',
];

const small = fc.constantFrom('0', '1', '2', '-3', 'NULL');
/** What rows are joined by, and divided by: few values, so that pairs meet and fail. */
const joined = fc.constantFrom('1', '1', '1', '2', '-3', 'NULL');
const divisor = fc.constantFrom('0', '0', '2', 'NULL');
const text = fc.constantFrom("'1'", "'x'", "'{}'", "'{'", 'NULL');
const span = fc.constantFrom("'infinity'", "'-infinity'", "'1 day'", 'NULL');
const id = fc.integer({ min: 1, max: 9 });
const upsert = fc
  .tuple(id, joined, small, text, span)
  .map(
    ([key, a, b, c, s]) =>
      `INSERT INTO t VALUES (${key}, ${a}, ${b}, ${c}, ${s}) ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = excluded.b, c = excluded.c, span = excluded.span`,
  );
const statement = fc.oneof(
  { weight: 4, arbitrary: upsert },
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, small, text)
      .map(([key, b, c]) => `UPDATE t SET b = ${b}, c = ${c} WHERE id >= ${key}`),
  },
  { weight: 2, arbitrary: id.map((key) => `DELETE FROM t WHERE id = ${key}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, joined, divisor)
      .map(([k, a, d]) => `INSERT INTO u VALUES (${k}, ${a}, ${d}), (${k}, ${a}, ${d})`),
  },
  { weight: 1, arbitrary: id.map((k) => `DELETE FROM u WHERE k = ${k}`) },
);
const step = fc.oneof(
  { weight: 12, arbitrary: statement },
  { weight: 1, arbitrary: fc.constant('REOPEN') },
);

const history = fc
  .tuple(
    fc.array(upsert, { minLength: 6, maxLength: 9 }),
    fc.array(step, { minLength: 5, maxLength: 15, size: 'max' }),
  )
  .map(([first, then]) => [...first, ...then]);

let judge: Judge;
const data = mkdtempSync(join(tmpdir(), 'millrace-row-errors-'));
before(async () => {
  judge = await Judge.open();
  await judge.run(FAILING);
});
after(async () => {
  await judge.close();
  rmSync(data, { recursive: true, force: true });
});

const rowsOf = (answer: Answer, of: string): readonly string[] => {
  assert.equal(answer.kind, 'answered', `${of}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows.map((row) => row.join(' ')).sort() : [];
};

async function compare(subject: Subject): Promise<number> {
  let failing = 0;
  for (const { name, identity, judged } of VIEWS) {
    const asked = `SELECT ${identity}, sqlstate FROM ${name}_errors`;
    const wanted = `SELECT identity, failing(query) AS sqlstate FROM (${judged}) j WHERE failing(query) IS NOT NULL`;
    const expected = rowsOf(await judge.run(wanted), wanted);
    assert.deepEqual(rowsOf(await subject.run(asked), asked), expected, name);
    const view = subject.database.status().views.find((one) => one.name === name);
    assert.equal(view?.failing, expected.length, `the count of ${name}`);
    failing += expected.length;
  }
  return failing;
}

test('error rows are the rows that PostgreSQL fails on now', { timeout: 300_000 }, async () => {
  let run = 0;
  let failing = 0;
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const subject = await Subject.open(join(data, String(run++)));
      try {
        for (const sql of TABLES) await subject.run(sql);
        await judge.run(`DROP TABLE IF EXISTS t, u; ${TABLES.join(';')}`);
        for (const { name, query } of VIEWS) {
          rowsOf(await subject.run(`CREATE MATERIALIZED VIEW ${name} AS ${query}`), query);
        }
        for (const sql of steps) {
          if (sql === 'REOPEN') await subject.reopen();
          else {
            rowsOf(await judge.run(sql), sql);
            rowsOf(await subject.run(sql), sql);
          }
          failing += await compare(subject);
        }
      } finally {
        await subject.database.close();
      }
    }),
    { numRuns: runs },
  );
  assert.ok(failing > 50 * runs, `histories with ${failing} failures are no test`);
});
