/** WITH RECURSIVE in views: chains, trees and cycles whose edges come and go. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, type TestTable, tableOf } from './history.ts';
import { PlanRunner, planOf } from './run-plan.ts';

before(openJudge);
after(closeJudge);

const integers = [0, 0, 1, 1, 2, 2, 3, null];

/** Edges between few nodes, so that there are cycles, and ways of several lengths to one node. */
const edges = (name: string, appendOnly: boolean): TestTable => ({
  name,
  appendOnly,
  schema: ['a', 'b', 'w'].map((column) => ({
    name: column,
    type: { kind: 'integer' },
    nullable: true,
  })),
  domains: [integers, integers, [1, 2, 3]],
});

const tables = [edges('g', false), edges('h', true), tableOf('l', false)];

const queries: Readonly<Record<string, string>> = {
  'a series':
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i FROM n',
  'a series beside rows':
    'WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i, g.a FROM n LEFT JOIN g ON g.a = i',
  reachable:
    'WITH RECURSIVE r(a, b) AS (SELECT a, b FROM g UNION SELECT r.a, g.b FROM r JOIN g ON g.a = r.b) SELECT * FROM r',
  'reachable from roots':
    'WITH RECURSIVE r(x) AS (SELECT DISTINCT k FROM l WHERE v > 0 UNION SELECT g.b FROM r, g WHERE g.a = r.x) SELECT * FROM r',
  'reachable, counted':
    'WITH RECURSIVE r(a, b) AS (SELECT a, b FROM g UNION SELECT r.a, g.b FROM r JOIN g ON g.a = r.b) SELECT a, count(*), max(b) FROM r GROUP BY a',
  'reachable over a stream':
    'WITH RECURSIVE r(x) AS (SELECT 0 UNION SELECT h.b FROM r JOIN h ON h.a = r.x) SELECT x FROM r',
  'reachable over either of two tables':
    'WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT e.b FROM r JOIN (SELECT a, b FROM g UNION ALL SELECT a, b FROM h) AS e ON e.a = r.x) SELECT x FROM r',
  'paths up to a length':
    'WITH RECURSIVE p(x, depth, cost) AS (SELECT 0, 0, 0 UNION ALL SELECT g.b, depth + 1, cost + w FROM p JOIN g ON g.a = p.x WHERE depth < 4) SELECT * FROM p',
  'paths without a repeated node':
    'WITH RECURSIVE p(x, path) AS (SELECT k, ARRAY[k] FROM l WHERE k IS NOT NULL UNION ALL SELECT g.b, path || g.b FROM p JOIN g ON g.a = p.x WHERE g.b <> ALL (path)) SELECT * FROM p',
  'cheapest paths':
    'WITH RECURSIVE p(x, cost) AS (SELECT 0, 0 UNION SELECT g.b, cost + w FROM p JOIN g ON g.a = p.x WHERE cost < 6) SELECT x, min(cost) FROM p GROUP BY x',
  'steps with a further condition':
    'WITH RECURSIVE r(x) AS (SELECT 0 UNION SELECT g.b FROM r JOIN g ON g.a = r.x AND g.w > r.x) SELECT x FROM r',
  'steps over what no row forbids':
    'WITH RECURSIVE r(x) AS (SELECT 0 UNION SELECT g.b FROM r JOIN g ON g.a = r.x WHERE NOT EXISTS (SELECT 1 FROM h WHERE h.a = g.b AND h.w >= r.x)) SELECT x FROM r',
  'steps by the largest edge':
    'WITH RECURSIVE r(x) AS (SELECT 0 UNION SELECT q.b FROM r, LATERAL (SELECT g.b FROM g WHERE g.a = r.x ORDER BY g.b DESC NULLS LAST LIMIT 1) AS q) SELECT x FROM r',
  'steps with distinct rows':
    'WITH RECURSIVE r(x, d) AS (SELECT 0, 0 UNION ALL SELECT DISTINCT g.b, d + 1 FROM r JOIN g ON g.a = r.x WHERE d < 5) SELECT * FROM r',
  'steps of a union':
    'WITH RECURSIVE r(x, d) AS (SELECT 1, 0 UNION ALL (SELECT g.b, d + 1 FROM r JOIN g ON g.a = r.x WHERE d < 3 INTERSECT SELECT a, w FROM h)) SELECT * FROM r',
  'steps compared with a table of numbers':
    'WITH RECURSIVE r(x) AS (SELECT min(a) FROM g UNION SELECT r.x + 1 FROM r WHERE r.x < (SELECT max(w) FROM g)) SELECT x FROM r',
  'first rows of a recursion':
    'WITH RECURSIVE r(a, b) AS (SELECT a, b FROM g UNION SELECT r.a, g.b FROM r JOIN g ON g.a = r.b) SELECT * FROM r ORDER BY a DESC NULLS LAST, b LIMIT 3',
  'a recursion read twice':
    'WITH RECURSIVE r(a, b) AS (SELECT a, b FROM g UNION SELECT r.a, g.b FROM r JOIN g ON g.a = r.b) SELECT p.a FROM r AS p JOIN r AS q ON p.a = q.b AND p.b = q.a WHERE p.a < p.b',
  'a recursion over a recursion':
    'WITH RECURSIVE r(a, b) AS (SELECT a, b FROM g UNION SELECT r.a, g.b FROM r JOIN g ON g.a = r.b), s(x) AS (SELECT 0 UNION SELECT r.b FROM s JOIN r ON r.a = s.x) SELECT x FROM s',
  'items in any order':
    'WITH RECURSIVE q AS (SELECT x FROM r WHERE x > 0), r(x) AS (SELECT 0 UNION SELECT g.b FROM r JOIN g ON g.a = r.x) SELECT x FROM q',
  'a recursion in a correlated query':
    'SELECT l.k, (WITH RECURSIVE r(x) AS (SELECT l.k UNION SELECT g.b FROM r JOIN g ON g.a = r.x) SELECT count(*) FROM r) AS n FROM l',
  'a recursion without a step':
    'WITH RECURSIVE r(x) AS (SELECT a FROM g UNION SELECT x + 1 FROM r WHERE false) SELECT x FROM r',
  'a recursion that repeats itself':
    'WITH RECURSIVE r(x) AS (SELECT a FROM g UNION SELECT x FROM r) SELECT x FROM r',
  'a recursion by functions':
    'WITH RECURSIVE r(x) AS (SELECT a FROM g UNION SELECT n FROM r, generate_series(r.x, r.x + 2, 2) AS n WHERE n < 8) SELECT x FROM r',
};

for (const [name, query] of Object.entries(queries)) {
  test(name, async () => {
    await checkQuery({ name, query }, tables, Math.ceil(runs / 3));
  });
}

test('a recursion without an end stops, and says so', () => {
  const query =
    'WITH RECURSIVE n(i) AS (SELECT a FROM g UNION ALL SELECT i + 1 FROM n) SELECT i FROM n';
  const runner = new PlanRunner(planOf(query, tables), tables, (error) => {
    throw error;
  });
  const failure = (): string[] =>
    [...runner.operators.values()].flatMap((operator) => operator.failure?.message ?? []);
  runner.run([[[]], [[]], [[]]]);
  assert.deepEqual(failure(), []);
  runner.run([[[{ row: [1, 2, 3], weight: 1 }]], [[]], [[]]]);
  assert.deepEqual(failure(), ['the recursive query has not ended after 10000 rounds']);
  assert.deepEqual(runner.bag.rows(), []);
});

test('a row that an early round gives no more moves to a later one, and back', () => {
  const query =
    'WITH RECURSIVE r(x) AS (SELECT 0 UNION SELECT g.b FROM r JOIN g ON g.a = r.x) SELECT x FROM r';
  const runner = new PlanRunner(planOf(query, tables), tables, (error) => {
    throw error;
  });
  const change = (a: number, b: number, weight: number): void =>
    runner.run([[[{ row: [a, b, 1], weight }]], [[]], [[]]]);
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [2, 1],
    [1, 3],
  ] as const) {
    change(a, b, 1);
  }
  const all = ['["0"]', '["1"]', '["2"]', '["3"]'];
  assert.deepEqual(runner.bag.rows(), all);
  change(0, 1, -1);
  assert.deepEqual(runner.bag.rows(), all);
  change(0, 1, 1);
  change(2, 1, -1);
  assert.deepEqual(runner.bag.rows(), all);
  change(0, 1, -1);
  assert.deepEqual(runner.bag.rows(), ['["0"]', '["2"]']);
});

test('edges that have gone leave nothing behind, not even those of a circle', () => {
  const query = queries.reachable ?? '';
  const runner = new PlanRunner(planOf(query, tables), tables, (error) => {
    throw error;
  });
  const circle = [0, 1, 2, 3].map((a) => [a, (a + 1) % 4, 1]);
  const epoch = (rows: readonly (readonly number[])[], weight: number): void =>
    runner.run([[rows.map((row) => ({ row, weight }))], [[]], [[]]]);
  const entries = (): number =>
    [...runner.operators.values()].reduce((sum, operator) => sum + operator.stateEntries(), 0);
  epoch(circle, 1);
  assert.equal(runner.bag.rows().length, 16);
  epoch(circle.slice(0, 1), -1);
  assert.equal(runner.bag.rows().length, 6);
  epoch(circle.slice(1), -1);
  assert.deepEqual(runner.bag.rows(), []);
  assert.equal(entries(), 0);
});
