import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainPlan } from '../../../engine/plan/explain.ts';
import type { PhysicalNode } from '../../../engine/plan/physical-node.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { tableOf } from '../../property/history.ts';
import { planOf } from '../../property/run-plan.ts';

const tables = [tableOf('l', false), tableOf('r', false), tableOf('e', true)];
const plan = (sql: string): ReturnType<typeof planOf> => planOf(sql, tables);

function scans(nodes: readonly PhysicalNode[]): Record<string, readonly string[]> {
  return Object.fromEntries(
    nodes.flatMap((node) =>
      node.kind === 'scan' ? [[node.relation, node.schema.map((column) => column.name)]] : [],
    ),
  );
}

test('scans carry only columns that something reads', () => {
  assert.deepEqual(scans(plan('SELECT count(*) FROM l').nodes), { l: [] });
  assert.deepEqual(scans(plan('SELECT s FROM l WHERE v > 1').nodes), { l: ['s', 'v'] });
  assert.deepEqual(
    scans(plan('SELECT l.b, r.n FROM l JOIN r ON l.k + 1 = r.v AND l.o < r.o').nodes),
    { l: ['k', 'b', 'o'], r: ['v', 'n', 'o'] },
  );
  assert.deepEqual(
    scans(plan('SELECT a FROM (SELECT k, sum(v) AS a, max(b) AS c FROM l GROUP BY k) AS q').nodes),
    { l: ['k', 'v'] },
  );
});

test('equal sub-plans have equal fingerprints, whatever they are called', () => {
  const first = plan('SELECT k, sum(v) AS total FROM l WHERE v > 0 GROUP BY k');
  const second = plan(
    'SELECT q.key, q.s FROM (SELECT k AS key, sum(v) AS s FROM l AS x WHERE x.v > 0 GROUP BY k) AS q',
  );
  assert.equal(first.root.fingerprint, second.root.fingerprint);
  const others = [
    'SELECT k, sum(v) FROM r WHERE v > 0 GROUP BY k',
    'SELECT k, sum(v) FROM l WHERE v > 1 GROUP BY k',
    'SELECT k, sum(b) FROM l WHERE v > 0 GROUP BY k',
    'SELECT k, max(v) FROM l WHERE v > 0 GROUP BY k',
    'SELECT k, sum(v) FROM l GROUP BY k',
    'SELECT k, sum(DISTINCT v) FROM l WHERE v > 0 GROUP BY k',
  ];
  const marks = others.map((sql) => plan(sql).root.fingerprint);
  assert.equal(new Set([...marks, first.root.fingerprint]).size, others.length + 1);
});

test('a sub-plan read twice is one node', () => {
  const { nodes } = plan(
    'WITH g AS (SELECT k, sum(v) AS t FROM l GROUP BY k) SELECT a.k, b.t FROM g AS a JOIN g AS b ON a.t = b.k',
  );
  assert.equal(nodes.filter((node) => node.kind === 'aggregate').length, 1);
  assert.equal(nodes.filter((node) => node.kind === 'scan').length, 1);
});

test('nodes come after their inputs', () => {
  const { nodes, root } = plan('SELECT k FROM l UNION SELECT v FROM r ORDER BY 1 LIMIT 3');
  assert.equal(nodes.at(-1), root);
  nodes.forEach((node, i) => {
    for (const input of node.inputs) assert.ok(nodes.indexOf(input) < i);
  });
});

test('output is stored by what the plan proves', () => {
  const storage = (sql: string): string => JSON.stringify(plan(sql).storage);
  assert.equal(storage('SELECT v FROM e WHERE v > 0'), '{"kind":"append"}');
  assert.equal(storage('SELECT a.v FROM e AS a JOIN e AS b ON a.k = b.v'), '{"kind":"append"}');
  assert.equal(storage('SELECT v FROM l'), '{"kind":"bag"}');
  assert.equal(storage('SELECT count(*) FROM l'), '{"kind":"bag"}');
  assert.equal(storage('SELECT sum(v), s, k FROM e GROUP BY k, s'), '{"kind":"keyed","key":[2,1]}');
  assert.equal(storage('SELECT sum(v) FROM e GROUP BY k'), '{"kind":"bag"}');
  assert.equal(storage('SELECT DISTINCT k, s FROM l'), '{"kind":"keyed","key":[0,1]}');
  assert.equal(
    storage('SELECT DISTINCT ON (k) k, v FROM l ORDER BY k, v'),
    '{"kind":"keyed","key":[0]}',
  );
  assert.equal(
    storage(
      'SELECT x.k, y.m FROM (SELECT k, s FROM l GROUP BY k, s) AS x LEFT JOIN (SELECT k, max(v) AS m FROM r GROUP BY k) AS y ON x.k = y.k',
    ),
    '{"kind":"bag"}',
  );
  assert.equal(
    storage(
      'SELECT x.s, x.k, y.m FROM (SELECT k, s FROM l GROUP BY k, s) AS x LEFT JOIN (SELECT k, max(v) AS m FROM r GROUP BY k) AS y ON x.k = y.k',
    ),
    '{"kind":"keyed","key":[1,0]}',
  );
});

test('what cannot be kept up to date is refused, with the reason', () => {
  const refused = (sql: string, message: RegExp): void => {
    assert.throws(
      () => plan(sql),
      (error) =>
        error instanceof StreamError &&
        error.code === 'SQL_NOT_INCREMENTAL' &&
        message.test(error.message),
    );
  };
  refused('SELECT l.k FROM l FULL JOIN r ON l.k = (SELECT max(k) FROM e)', /subquery/);
  refused('SELECT k FROM l ORDER BY k LIMIT (SELECT count(*) FROM r)', /LIMIT/);
});

test('explain shows operators, keys and state', () => {
  assert.equal(
    explainPlan(
      plan(
        'SELECT l.k, count(*) AS n, min(r.v) AS least FROM l JOIN r ON l.k = r.k AND r.v > 0 GROUP BY l.k',
      ),
    ),
    `output: one row per (k)
aggregate by (k): count(*), min(v); keeps: one entry a group, all values of min and max
  inner join on k = k; keeps: all rows of both inputs
    scan l (k)
    filter and project (k, v)
      scan r (k, v)`,
  );
  const { root } = plan('SELECT DISTINCT k FROM e');
  assert.equal(
    explainPlan(plan('SELECT DISTINCT k FROM e'), new Set([root.fingerprint])),
    `output: append-only rows
distinct; keeps: distinct rows with their count, grows without end with e  (shared with other views)
  scan e (k)`,
  );
});

test('explain shows windows with their frames, one operator for a partition and order', () => {
  assert.equal(
    explainPlan(
      plan(
        `SELECT k, sum(v) FILTER (WHERE o) OVER (a ROWS 2 PRECEDING), lag(s, 2, '-') OVER a, rank() OVER (ORDER BY s DESC),
                count(*) OVER (ORDER BY t RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW EXCLUDE TIES), max(v) OVER (PARTITION BY k)
         FROM l WINDOW a AS (PARTITION BY k ORDER BY b)`,
      ),
    ),
    `output: rows with a count
project (k, sum, lag, rank, count, max)
  window per (k): max(v) range between unbounded preceding and unbounded following; keeps: all rows in order with their values
    window order by (t): count(*) range between 1 day preceding and current row exclude ties; keeps: all rows in order with their values
      window order by (s desc): rank(); keeps: all rows in order with their values
        window per (k) order by (b): sum(v) filter (o) rows between 2 preceding and current row, lag(s, 2, -); keeps: all rows in order with their values
          scan l (k, s, v, b, t, o)`,
  );
});

test('windows that nobody reads are not computed', () => {
  const { nodes } = plan('SELECT k FROM (SELECT k, lag(v) OVER (ORDER BY b) AS w FROM l) AS q');
  assert.deepEqual(
    nodes.map((node) => node.kind),
    ['scan'],
  );
});

test('frame offsets that are no distance are refused with the error of PostgreSQL', () => {
  const refused = (frame: string, sqlstate: string, message: RegExp): void => {
    assert.throws(
      () => plan(`SELECT sum(v) OVER (ORDER BY ${frame}) FROM l`),
      (error) =>
        error instanceof StreamError && error.sqlstate === sqlstate && message.test(error.message),
    );
  };
  refused('v ROWS 1 - 2 PRECEDING', '22013', /frame starting offset must not be negative/);
  refused('v GROUPS BETWEEN CURRENT ROW AND -1 FOLLOWING', '22013', /frame ending offset must not/);
  refused('v ROWS NULL::bigint PRECEDING', '22004', /frame starting offset must not be null/);
  refused("t RANGE '-1 day' PRECEDING", '22013', /invalid preceding or following size/);
  refused("f RANGE 'NaN' PRECEDING", '22013', /invalid preceding or following size/);
});
