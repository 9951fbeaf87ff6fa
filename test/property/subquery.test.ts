/** Subqueries of every kind in every place, over random histories. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Numeric } from '../../sql/base/numeric.ts';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, tableOf } from './history.ts';
import { PlanRunner, planOf } from './run-plan.ts';

before(openJudge);
after(closeJudge);

const tables = [tableOf('l', false), tableOf('r', false), tableOf('e', true)];

const queries: Readonly<Record<string, string>> = {
  'lateral aggregate':
    'SELECT l.k, l.v, q.n, q.m FROM l, LATERAL (SELECT count(*) AS n, max(r.v) AS m FROM r WHERE r.k = l.k) AS q',
  'lateral aggregate by an inequality':
    'SELECT l.k, l.v, q.n, q.m FROM l, LATERAL (SELECT count(*) AS n, sum(r.v) AS m FROM r WHERE r.v > l.v) AS q',
  'left lateral aggregate on a condition':
    'SELECT l.k, q.n FROM l LEFT JOIN LATERAL (SELECT count(*) AS n FROM r WHERE r.v < l.v AND r.s = l.s) AS q ON q.n > 0',
  'lateral groups':
    'SELECT l.k, q.s, q.n FROM l, LATERAL (SELECT r.s, count(*) AS n FROM r WHERE r.v >= l.v GROUP BY r.s) AS q',
  'lateral groups by an outer expression':
    'SELECT l.k, q.x, q.n FROM l, LATERAL (SELECT r.k + l.k AS x, count(*) AS n FROM r GROUP BY r.k + l.k HAVING count(*) > 1) AS q',
  'lateral rollup':
    'SELECT l.k, q.s, q.n, q.g FROM l, LATERAL (SELECT r.s, count(r.v) AS n, grouping(r.s) AS g FROM r WHERE r.k < l.k GROUP BY ROLLUP (r.s)) AS q',
  'lateral first rows by an inequality':
    'SELECT l.k, l.v, q.v AS w FROM l, LATERAL (SELECT r.v FROM r WHERE r.v > l.v ORDER BY r.v, r.k LIMIT 2) AS q',
  'left lateral last row':
    'SELECT l.k, q.v, q.k AS j FROM l LEFT JOIN LATERAL (SELECT e.v, e.k FROM e WHERE e.t <= l.t ORDER BY e.t DESC, e.v, e.k, e.s, e.b LIMIT 1) AS q ON true',
  'lateral ties':
    'SELECT l.k, q.v FROM l, LATERAL (SELECT r.v FROM r WHERE r.k <> l.k ORDER BY r.v FETCH FIRST 1 ROW WITH TIES) AS q',
  'lateral offset':
    'SELECT l.k, q.v FROM l, LATERAL (SELECT r.v FROM r WHERE r.k <> l.k ORDER BY r.v, r.k OFFSET 1) AS q',
  'lateral distinct rows':
    'SELECT l.k, q.s FROM l, LATERAL (SELECT DISTINCT r.s FROM r WHERE r.v > l.v) AS q',
  'lateral first per key':
    'SELECT l.k, q.s, q.v FROM l, LATERAL (SELECT DISTINCT ON (r.s) r.s, r.v FROM r WHERE r.k <> l.k ORDER BY r.s, r.v DESC) AS q',
  'lateral union':
    'SELECT l.k, q.x FROM l, LATERAL (SELECT r.v AS x FROM r WHERE r.k = l.k UNION SELECT l.v) AS q',
  'lateral except':
    'SELECT l.k, q.x FROM l, LATERAL (SELECT r.v AS x FROM r WHERE r.k <> l.k EXCEPT ALL SELECT e.v FROM e WHERE e.k = l.k) AS q',
  'lateral intersection':
    'SELECT l.k, q.x FROM l, LATERAL (SELECT r.v AS x FROM r INTERSECT SELECT e.v FROM e WHERE e.v >= l.v) AS q',
  'lateral values': 'SELECT l.k, q.x FROM l, LATERAL (VALUES (l.v), (l.k), (7)) AS q(x)',
  'lateral expression over one row':
    'SELECT l.k, q.x FROM l LEFT JOIN LATERAL (SELECT l.v + 0.5 AS x WHERE l.k > 0) AS q ON true',
  'lateral left join':
    'SELECT l.k, q.* FROM l, LATERAL (SELECT r.v, e.s FROM r LEFT JOIN e ON e.k = r.k AND e.v > l.v WHERE r.k = l.k) AS q',
  'lateral right join':
    'SELECT l.k, q.* FROM l, LATERAL (SELECT r.v, e.s FROM (SELECT * FROM r WHERE r.v > l.v) AS r RIGHT JOIN e ON e.k = r.k) AS q',
  'lateral full join':
    'SELECT l.k, q.* FROM l, LATERAL (SELECT a.v, b.s FROM (SELECT * FROM r WHERE r.v > l.v) AS a FULL JOIN (SELECT * FROM e WHERE e.v < l.v) AS b ON b.k = a.k) AS q',
  'lateral full join of one dependent side':
    'SELECT l.k, q.* FROM l, LATERAL (SELECT a.v, b.s FROM (SELECT * FROM r WHERE r.v > l.v) AS a FULL JOIN e AS b ON b.k = a.k) AS q',
  'lateral inside lateral':
    'SELECT l.k, q.v, q.n FROM l, LATERAL (SELECT r.v, p.n FROM r, LATERAL (SELECT count(*) AS n FROM e WHERE e.v > r.v AND e.k > l.k) AS p WHERE r.k = l.k) AS q',
  'lateral of text that equality does not tell apart':
    'SELECT q.x, q.y FROM l, LATERAL (SELECT l.n::text AS x, max(r.v) AS y FROM r WHERE r.v > l.n) AS q',
  'lateral of numbers that equality does not tell apart':
    'SELECT l.n, q.n AS m, q.c FROM l, LATERAL (SELECT l.n, count(*) AS c FROM r WHERE r.n > l.n OR l.n IS NULL GROUP BY l.n) AS q',
  'lateral groups by text that equality does not tell apart':
    'SELECT q.x, q.c FROM l, LATERAL (SELECT l.n::text AS x, count(*) AS c FROM e GROUP BY l.n::text) AS q',
  'lateral windows':
    "SELECT l.k, q.at, q.n FROM l, LATERAL (SELECT date_bin('2 s', e.t, timestamp '1970-01-01') AS at, count(*) AS n FROM e WHERE e.v > l.v GROUP BY 1) AS q",
  'scalar subquery by an inequality':
    'SELECT k, v, (SELECT max(r.v) FROM r WHERE r.v < l.v) AS m FROM l',
  'count by an inequality': 'SELECT k, v, (SELECT count(*) FROM r WHERE r.v < l.v) AS n FROM l',
  'count plus outer value': 'SELECT k, (SELECT count(*) + l.v FROM r WHERE r.k <> l.k) AS n FROM l',
  'scalar subquery with having':
    'SELECT k, (SELECT sum(r.v) FROM r WHERE r.k <> l.k HAVING count(*) > 1) AS n FROM l',
  'aggregate of an outer expression':
    'SELECT k, (SELECT sum(r.v::bigint * l.k) FROM r) AS n FROM l',
  'scalar subquery of the only row':
    'SELECT k, (SELECT DISTINCT r.s FROM r WHERE r.s = l.s) AS same FROM l',
  'scalar subquery of the first row':
    'SELECT k, (SELECT r.v FROM r WHERE r.k <> l.k ORDER BY r.v DESC, r.k LIMIT 1) AS x FROM l',
  'scalar subquery of a constant': 'SELECT k, (SELECT l.v WHERE l.k > 0) AS x FROM l',
  'scalar subquery inside another':
    'SELECT k, (SELECT max(r.v + (SELECT count(*) FROM e WHERE e.k = r.k AND e.v > l.v)) FROM r WHERE r.k = l.k) AS x FROM l',
  'scalar subquery of a group in a filter':
    'SELECT k, v FROM l WHERE v > (SELECT avg(r.v) FROM r WHERE r.k >= l.k)',
  'scalar subqueries compared':
    'SELECT k FROM l WHERE (SELECT count(*) FROM r WHERE r.v < l.v) > (SELECT count(*) FROM e WHERE e.v < l.v)',
  'scalar subquery in having':
    'SELECT k, count(*) AS n FROM l GROUP BY k HAVING count(*) > (SELECT count(*) FROM r WHERE r.k < l.k)',
  'scalar subquery in an aggregate':
    'SELECT s, sum((SELECT count(*) FROM r WHERE r.v < l.v)) AS n FROM l GROUP BY s',
  'scalar subquery as group key':
    'SELECT (SELECT count(*) FROM r WHERE r.v < l.v) AS n, count(*) FROM l GROUP BY 1',
  'scalar subquery in a case':
    'SELECT k, CASE WHEN o THEN (SELECT min(r.v) FROM r WHERE r.v > l.v) ELSE (SELECT count(*)::int FROM e WHERE e.k > l.k) END AS x FROM l',
  'scalar subquery in an order':
    'SELECT k, v FROM l ORDER BY (SELECT count(*) FROM r WHERE r.v < l.v) DESC, v, k LIMIT 3',
  'distinct scalar subqueries':
    'SELECT DISTINCT (SELECT count(*) FROM r WHERE r.k > l.k) AS n FROM l',
  'scalar subqueries of a union':
    'SELECT (SELECT count(*) FROM r WHERE r.k > l.k) AS n FROM l UNION SELECT (SELECT count(*) FROM l WHERE l.v > r.v) FROM r',
  'exists as a value': 'SELECT k, EXISTS (SELECT 1 FROM r WHERE r.k = l.k) AS x FROM l',
  'exists by an inequality as a value':
    'SELECT k, v, EXISTS (SELECT 1 FROM r WHERE r.v > l.v) AS x FROM l',
  'exists in an alternative':
    'SELECT k, v FROM l WHERE k = 1 OR EXISTS (SELECT 1 FROM r WHERE r.v = l.v) OR NOT EXISTS (SELECT 1 FROM e)',
  'exists of groups':
    'SELECT k FROM l WHERE EXISTS (SELECT r.s FROM r WHERE r.k <> l.k GROUP BY r.s HAVING count(*) > 1)',
  'not exists of a limited query':
    'SELECT k FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.v > l.v OFFSET 1)',
  'exists inside exists':
    'SELECT k FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND NOT EXISTS (SELECT 1 FROM e WHERE e.v = r.v AND e.k = l.k))',
  'exists over an uncorrelated query as a value':
    'SELECT k, EXISTS (SELECT 1 FROM r WHERE r.v > 0) AS x FROM l',
  'exists in case':
    "SELECT k, CASE WHEN EXISTS (SELECT 1 FROM r WHERE r.v < l.v) THEN 'yes' ELSE s END AS x FROM l",
  'in as a value': 'SELECT k, v, k IN (SELECT r.v FROM r) AS x FROM l',
  'not in as a value': 'SELECT k, v, k NOT IN (SELECT r.k FROM r) AS x FROM l',
  'correlated in as a value': 'SELECT k, v, v IN (SELECT r.v FROM r WHERE r.k = l.k) AS x FROM l',
  'correlated not in as a value':
    'SELECT k, v, v NOT IN (SELECT r.v FROM r WHERE r.b < l.b) AS x FROM l',
  'not in': 'SELECT k, v FROM l WHERE k NOT IN (SELECT r.k FROM r)',
  'correlated not in': 'SELECT k, v FROM l WHERE v NOT IN (SELECT r.v FROM r WHERE r.k <> l.k)',
  'in of numbers':
    'SELECT n, n IN (SELECT r.n FROM r) AS x, n NOT IN (SELECT r.f::numeric FROM r) AS y FROM l',
  'in of an alternative': "SELECT k FROM l WHERE s = 'a' OR k IN (SELECT r.v FROM r)",
  'in of rows': 'SELECT k, v FROM l WHERE (k, v) IN (SELECT r.k, r.v FROM r)',
  'in of rows as a value':
    'SELECT k, v, (k, v) IN (SELECT r.k, r.v FROM r) AS x, (k, s) NOT IN (SELECT r.k, r.s FROM r) AS y FROM l',
  'greater than all': 'SELECT k, v FROM l WHERE v > ALL (SELECT r.v FROM r)',
  'greater than all of some':
    'SELECT k, v FROM l WHERE v >= ALL (SELECT r.v FROM r WHERE r.k = l.k)',
  'all as a value': 'SELECT k, v, v >= ALL (SELECT r.v FROM r WHERE r.k = l.k) AS x FROM l',
  'any as a value': 'SELECT k, v, v < ANY (SELECT r.v FROM r WHERE r.k <> l.k) AS x FROM l',
  'not any': 'SELECT k, v FROM l WHERE NOT v < ANY (SELECT r.v FROM r WHERE r.k = l.k)',
  'not all': 'SELECT k, v FROM l WHERE NOT v < ALL (SELECT r.v FROM r WHERE r.k = l.k)',
  'any of groups':
    'SELECT k, v FROM l WHERE v = ANY (SELECT max(r.v) FROM r WHERE r.k <= l.k GROUP BY r.s)',
  'in of a limited query':
    'SELECT k FROM l WHERE v IN (SELECT r.v FROM r WHERE r.k <> l.k ORDER BY r.v, r.k LIMIT 2)',
  'exists in on':
    'SELECT l.k, r.v FROM l JOIN r ON l.k = r.k AND EXISTS (SELECT 1 FROM e WHERE e.v = r.v AND e.k = l.k)',
  'exists in on of a left join':
    'SELECT l.k, l.v, r.v FROM l LEFT JOIN r ON l.k = r.k AND EXISTS (SELECT 1 FROM e WHERE e.v > r.v AND e.k <> l.k)',
  'scalar subquery in on of a right join':
    'SELECT l.v, r.v FROM l RIGHT JOIN r ON r.v < (SELECT count(*) FROM e WHERE e.k = l.k OR e.k = r.k)',
  'array of a query':
    'SELECT k, ARRAY(SELECT r.v FROM r WHERE r.v > l.v ORDER BY r.v DESC, r.k) AS x FROM l',
  'array of the first rows':
    'SELECT k, ARRAY(SELECT r.v FROM r WHERE r.k <> l.k ORDER BY r.v, r.k LIMIT 2) AS x FROM l',
  'subquery without from':
    'SELECT (SELECT max(v) FROM l) AS a, (SELECT count(*) FROM r) AS b, EXISTS (SELECT 1 FROM e) AS c',
  'values of subqueries':
    'SELECT * FROM (VALUES ((SELECT max(v) FROM l), 1), ((SELECT min(v) FROM r), 2)) AS q(a, b)',
  'subquery of a query in from':
    'SELECT q.n, count(*) FROM (SELECT l.k, (SELECT count(*) FROM r WHERE r.v >= l.v) AS n FROM l) AS q GROUP BY q.n',
  'two levels out':
    'SELECT k FROM l WHERE v = (SELECT max(r.v) FROM r WHERE r.v < ANY (SELECT e.v FROM e WHERE e.k = l.k))',
  'common table in a correlated query':
    'SELECT k, (WITH c AS (SELECT r.v FROM r WHERE r.k <> l.k) SELECT count(*) FROM c AS a, c AS b WHERE a.v < b.v) AS n FROM l',
};

for (const [name, query] of Object.entries(queries)) {
  test(name, async () => {
    await checkQuery({ name, query }, tables, Math.ceil(runs / 5));
  });
}

test('numbers that are equal and print differently get their own answers', () => {
  const query = queries['lateral groups by text that equality does not tell apart'] ?? '';
  const runner = new PlanRunner(planOf(query, tables), tables, (error) => {
    throw error;
  });
  const changes = (...numbers: readonly string[]) =>
    numbers.map((text) => ({
      row: [1, 'a', 1, 1n, Numeric.parse(text), 0, 0n, true, new Uint8Array()],
      weight: 1,
    }));
  runner.run([[changes('1.0', '1.00')], [[]], [changes('7')]]);
  assert.deepEqual(runner.bag.rows(), ['["1.0","1"]', '["1.00","1"]']);
});
