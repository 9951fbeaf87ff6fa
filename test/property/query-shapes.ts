/**
 * Queries that are kept up to date over random histories, and the same questions as PostgreSQL is asked them. Tables `l`
 * and `r` change in every way, `e` only grows; all have the columns of `tableOf`.
 */
export interface QueryShape {
  readonly name: string;
  readonly query: string;
  /** What PostgreSQL is asked, where it does not know our spelling. */
  readonly postgres?: string;
}

const tumble = (seconds: number): string =>
  `(SELECT e.*, date_bin('${seconds} s', t, timestamp '1970-01-01') AS window_start,
     date_bin('${seconds} s', t, timestamp '1970-01-01') + interval '${seconds} s' AS window_end
   FROM e WHERE t IS NOT NULL) AS w`;

const hop = (slide: number, size: number): string =>
  `(SELECT e.*, x.at AS window_start, x.at + interval '${size} s' AS window_end
    FROM e, LATERAL (SELECT date_bin('${slide} s', t, timestamp '1970-01-01') - i * interval '${slide} s' AS at
      FROM generate_series(0, ${Math.ceil(size / slide)}) AS i) AS x
    WHERE x.at <= t AND t < x.at + interval '${size} s') AS w`;

const shapes: readonly (readonly [name: string, query: string, postgres?: string])[] = [
  ['all columns', 'SELECT * FROM l'],
  [
    'filter and arithmetic',
    'SELECT k + 1 AS a, v * 0.5 AS b FROM l WHERE k > 0 AND v IS NOT NULL AND v < 100',
  ],
  ['filter on text', "SELECT s, upper(s) AS u FROM l WHERE s = 'a' OR s IS NULL"],
  [
    'case and coalesce',
    "SELECT CASE WHEN o THEN 'yes' WHEN NOT o THEN 'no' END AS c, coalesce(s, '-') AS s FROM l",
  ],
  ['constant rows', "SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (2, 'b')) AS v(a, b)"],
  ['one row without input', 'SELECT 1 AS one, NULL::text AS nothing'],
  ['distinct', 'SELECT DISTINCT k, o FROM l'],
  ['distinct of nothing but a constant', 'SELECT DISTINCT 1 AS one FROM l'],
  ['union all', 'SELECT k, v FROM l UNION ALL SELECT v, k FROM r'],
  ['union', 'SELECT k FROM l UNION SELECT v FROM r'],
  ['union of three', 'SELECT k FROM l UNION SELECT v FROM r UNION ALL SELECT k FROM e'],
  ['intersect', 'SELECT k, s FROM l INTERSECT SELECT k, s FROM r'],
  ['intersect all', 'SELECT k FROM l INTERSECT ALL SELECT k FROM r'],
  ['except', 'SELECT k, s FROM l EXCEPT SELECT k, s FROM r'],
  ['except all', 'SELECT k FROM l EXCEPT ALL SELECT k FROM r'],
  ['count of all', 'SELECT count(*) AS n FROM l'],
  ['aggregates of all', 'SELECT count(*), sum(v), min(s), max(b), avg(n), bool_or(o) FROM l'],
  ['aggregates of a stream', 'SELECT count(*), sum(v), min(s), max(b), avg(n) FROM e'],
  ['aggregates of what a filter leaves', 'SELECT count(*), sum(v) FROM l WHERE k = 1'],
  ['group by', 'SELECT k, count(*), sum(v), avg(v) FROM l GROUP BY k'],
  ['group by an expression', 'SELECT k % 2 AS p, count(v) FROM l GROUP BY k % 2'],
  ['group by without aggregates', 'SELECT k, o FROM l GROUP BY k, o'],
  ['group by with unread keys', 'SELECT sum(v) FROM l GROUP BY k, s'],
  [
    'aggregate of an expression',
    'SELECT k, sum(v::bigint * 2 + 1), max(length(s)) FROM l GROUP BY k',
  ],
  [
    'having',
    'SELECT k, sum(v) AS total FROM l GROUP BY k HAVING count(*) > 1 AND sum(v) IS NOT NULL',
  ],
  ['having without group by', 'SELECT sum(v) FROM l HAVING count(*) > 2'],
  [
    'filtered aggregates',
    'SELECT k, count(*) FILTER (WHERE o), sum(100 / nullif(v, 0)) FILTER (WHERE v <> 0) FROM l GROUP BY k',
  ],
  ['distinct aggregates', 'SELECT k, count(DISTINCT s), sum(DISTINCT v) FROM l GROUP BY k'],
  ['ordered aggregates', "SELECT k, string_agg(s, ',' ORDER BY s DESC, v) FROM l GROUP BY k"],
  ['array of distinct values', 'SELECT k, array_agg(DISTINCT v) FROM l GROUP BY k'],
  ['variance', 'SELECT k, stddev_pop(v), variance(v) FROM l GROUP BY k'],
  [
    'aggregate of an aggregate',
    'SELECT n, count(*) AS groups FROM (SELECT k, count(*) AS n FROM l GROUP BY k) AS g GROUP BY n',
  ],
  ['maximum of sums', 'SELECT max(total) FROM (SELECT k, sum(v) AS total FROM l GROUP BY k) AS g'],
  [
    'average of maxima',
    'SELECT s, avg(m) FROM (SELECT k, s, max(v) AS m FROM e GROUP BY k, s) AS g GROUP BY s',
  ],
  [
    'grouping sets',
    'SELECT k, s, count(*), grouping(k, s) FROM l GROUP BY GROUPING SETS ((k), (s), (k, s), ())',
  ],
  ['rollup', 'SELECT k, o, sum(v) FROM l GROUP BY ROLLUP (k, o)'],
  ['cube', 'SELECT k, o, count(*) FROM l GROUP BY CUBE (k, o)'],
  ['inner join', 'SELECT l.k, l.v, r.v, r.s FROM l JOIN r ON l.k = r.k'],
  ['inner join with a condition', 'SELECT l.k, r.v FROM l JOIN r ON l.k = r.k AND l.v < r.v'],
  ['join by a comma', "SELECT l.v, r.v FROM l, r WHERE l.k = r.k AND l.s = r.s AND r.s <> ''"],
  ['join on expressions', 'SELECT l.k, r.k FROM l JOIN r ON l.k + 1 = r.k * 2'],
  ['join of different types', 'SELECT l.k, r.b FROM l JOIN r ON l.k = r.b'],
  [
    'join using',
    'SELECT * FROM (SELECT k, v FROM l) AS a JOIN (SELECT k, s FROM r) AS b USING (k)',
  ],
  [
    'natural join',
    'SELECT * FROM (SELECT k, o FROM l) AS a NATURAL JOIN (SELECT k, s FROM r) AS b',
  ],
  ['join by inequality', 'SELECT l.v, r.v FROM l JOIN r ON l.v < r.v'],
  ['cross join', 'SELECT l.k, r.o FROM l CROSS JOIN r'],
  ['left join', 'SELECT l.k, l.v, r.v FROM l LEFT JOIN r ON l.k = r.k'],
  [
    'left join with a condition',
    'SELECT l.k, l.v, r.v FROM l LEFT JOIN r ON l.k = r.k AND r.v > 0',
  ],
  [
    'left join without partners',
    'SELECT l.k, l.v FROM l LEFT JOIN r ON l.k = r.k WHERE r.k IS NULL',
  ],
  ['right join', 'SELECT l.v, r.v FROM l RIGHT JOIN r ON l.k = r.k'],
  ['full join', 'SELECT l.v, r.v FROM l FULL JOIN r ON l.k = r.k'],
  [
    'left join then count',
    'SELECT l.k, count(r.v), count(*) FROM l LEFT JOIN r ON l.k = r.k GROUP BY l.k',
  ],
  ['self join', 'SELECT a.v, b.v FROM l AS a JOIN l AS b ON a.k = b.k AND a.v < b.v'],
  ['self left join', 'SELECT a.k, b.v FROM l AS a LEFT JOIN l AS b ON a.k = b.v'],
  ['join of three', 'SELECT l.k, r.v, e.s FROM l JOIN r ON l.k = r.k JOIN e ON r.k = e.k'],
  ['join of a stream with a table', 'SELECT e.k, e.v, l.s FROM e JOIN l ON e.k = l.k'],
  [
    'join of aggregates',
    'SELECT a.k, a.n, b.total FROM (SELECT k, count(*) AS n FROM l GROUP BY k) AS a JOIN (SELECT k, sum(v) AS total FROM r GROUP BY k) AS b ON a.k = b.k',
  ],
  [
    'rows of their group’s maximum',
    'SELECT l.k, l.v FROM l JOIN (SELECT k, max(v) AS m FROM l GROUP BY k) AS g ON l.k = g.k AND l.v = g.m',
  ],
  [
    'common table expression read twice',
    'WITH g AS (SELECT k, sum(v) AS total FROM l GROUP BY k) SELECT a.k, b.k FROM g AS a JOIN g AS b ON a.total = b.total',
  ],
  [
    'groups joined with the best of them',
    'WITH g AS (SELECT k, s, count(*) AS c FROM l GROUP BY k, s) SELECT a.k, a.s, b.c FROM g AS a JOIN (SELECT k, max(c) AS c FROM g GROUP BY k) AS b ON a.k = b.k AND a.c >= b.c',
  ],
  [
    'some groups joined with a table',
    'SELECT a.k, a.s, a.c, r.v FROM (SELECT k, s, count(*) AS c FROM l GROUP BY k, s HAVING count(*) > 1) AS a JOIN r ON a.k = r.k',
  ],
  [
    'groups twice joined with a table',
    'WITH g AS (SELECT k, s, count(*) AS c FROM l GROUP BY k, s) SELECT a.k, a.c, r.v FROM (SELECT k, c FROM g UNION ALL SELECT k, c FROM g) AS a JOIN r ON a.k = r.k',
  ],
  ['order by and limit', 'SELECT k, v FROM l ORDER BY v DESC, k LIMIT 2'],
  ['limit and offset', 'SELECT v, k FROM l ORDER BY k NULLS FIRST, v OFFSET 1 LIMIT 3'],
  ['limit over a stream', 'SELECT k, v FROM e ORDER BY v, k LIMIT 2'],
  ['sort without limit', 'SELECT k, v FROM l ORDER BY v'],
  [
    'top rows of groups',
    'SELECT k, sum(v) AS total FROM l GROUP BY k ORDER BY total DESC NULLS LAST, k LIMIT 1',
  ],
  ['first per key', 'SELECT DISTINCT ON (k) k, v, s FROM l ORDER BY k, v DESC, s'],
  ['exists', 'SELECT k, v FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k)'],
  [
    'not exists',
    'SELECT k, v FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.v > l.v)',
  ],
  ['in', 'SELECT k, v FROM l WHERE k IN (SELECT v FROM r)'],
  ['scalar subquery', 'SELECT k, v FROM l WHERE v > (SELECT avg(v) FROM r)'],
  ['correlated scalar subquery', 'SELECT k, (SELECT max(r.v) FROM r WHERE r.k = l.k) AS m FROM l'],
  ['correlated count', 'SELECT k, (SELECT count(*) FROM r WHERE r.k = l.k) AS m FROM l'],
  [
    'numbered rows',
    'SELECT k, v, n FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v DESC) AS n FROM l) AS q WHERE n <= 2',
  ],
  [
    'ranked rows',
    'SELECT k, v FROM (SELECT k, v, rank() OVER (PARTITION BY k ORDER BY v) AS n FROM l) AS q WHERE n <= 2',
  ],
  [
    'running sums of groups',
    'SELECT k, sum(v) AS total, sum(sum(v)) OVER (ORDER BY k) AS running FROM l GROUP BY k',
  ],
  [
    'windows over a join',
    'SELECT l.k, r.v, count(*) OVER (PARTITION BY l.k ORDER BY r.v) AS n, max(r.b) OVER (PARTITION BY l.s) AS m FROM l JOIN r ON l.k = r.k',
  ],
  [
    'join with numbered rows',
    'SELECT r.k, q.n FROM r JOIN (SELECT k, row_number() OVER (ORDER BY k, v) AS n FROM l) AS q ON r.v = q.n',
  ],
  [
    'latest row per key of a stream',
    'SELECT k, v, t FROM (SELECT k, v, t, row_number() OVER (PARTITION BY k ORDER BY t DESC, v, s, b) AS n FROM e) AS q WHERE n = 1',
  ],
  [
    'tumbling windows',
    "SELECT window_start, window_end, count(*), sum(v) FROM TUMBLE(e, t, INTERVAL '2 s') AS w GROUP BY window_start, window_end",
    `SELECT window_start, window_end, count(*), sum(v) FROM ${tumble(2)} GROUP BY window_start, window_end`,
  ],
  [
    'hopping windows per key',
    "SELECT k, window_start, count(*), sum(v), max(b) FROM HOP(e, t, INTERVAL '1 s', INTERVAL '3 s') AS w GROUP BY k, window_start, window_end",
    `SELECT k, window_start, count(*), sum(v), max(b) FROM ${hop(1, 3)} GROUP BY k, window_start, window_end`,
  ],
  [
    'hopping windows of 4 s',
    "SELECT k, window_start, count(*), avg(n) FROM HOP(e, t, INTERVAL '2 s', INTERVAL '4 s') AS w GROUP BY k, window_start",
    `SELECT k, window_start, count(*), avg(n) FROM ${hop(2, 4)} GROUP BY k, window_start`,
  ],
  [
    'best of each window',
    "SELECT w.k, w.v, w.window_start FROM TUMBLE(e, t, INTERVAL '2 s') AS w JOIN (SELECT window_start, max(v) AS m FROM TUMBLE(e, t, INTERVAL '2 s') AS u GROUP BY window_start) AS x ON w.v = x.m AND w.window_start = x.window_start",
    `SELECT w.k, w.v, w.window_start FROM ${tumble(2)} JOIN (SELECT window_start, max(v) AS m FROM ${tumble(2)} GROUP BY window_start) AS x ON w.v = x.m AND w.window_start = x.window_start`,
  ],
];

export const queryShapes: readonly QueryShape[] = shapes.map(([name, query, postgres]) =>
  postgres === undefined ? { name, query } : { name, query, postgres },
);
