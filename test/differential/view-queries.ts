/**
 * Queries that are kept up to date as materialized views and asked of PostgreSQL as plain views. Tables, with few distinct
 * values and NULLs: `a` (id primary key, k, v, s, n, t, o), `b` (k, v, s, with repeated rows), `c` (id primary key, k, w). A name
 * before the query makes it readable by later ones.
 */
export interface ViewQuery {
  readonly name: string;
  readonly query: string;
  /** What PostgreSQL is asked, where it does not know our spelling. */
  readonly postgres: string;
}

const tumble = (seconds: number): string =>
  `(SELECT a.*, date_bin('${seconds} s', t, timestamp '1970-01-01') AS window_start,
     date_bin('${seconds} s', t, timestamp '1970-01-01') + interval '${seconds} s' AS window_end
   FROM a WHERE t IS NOT NULL) AS w`;

const hop = (slide: number, size: number): string =>
  `(SELECT a.*, g AS window_start, g + interval '${size} s' AS window_end
    FROM a, LATERAL generate_series(
      date_bin('${slide} s', t, timestamp '1970-01-01') - interval '${size - slide} s',
      date_bin('${slide} s', t, timestamp '1970-01-01'), interval '${slide} s') AS g) AS w`;

const list: readonly (readonly [query: string, postgres?: string])[] = [
  // Rows held against one value that changes with them.
  ['SELECT id, v FROM a WHERE v > (SELECT avg(v) FROM a)'],
  ['SELECT id, v FROM a WHERE v > (SELECT min(v) FROM a)'],
  ['SELECT id, v FROM a WHERE v < (SELECT max(v) FROM a)'],
  ['SELECT k, v, s FROM b WHERE v <= (SELECT max(v) - 3 FROM b)'],
  ['SELECT id, n, s FROM a WHERE (SELECT sum(n) / 10 FROM a) >= n'],
  ['SELECT k, sum(v) FROM b GROUP BY k HAVING sum(v) > (SELECT sum(v) * 0.2 FROM b)'],
  ['SELECT id, s FROM a WHERE s < (SELECT max(s) FROM b WHERE k > 1)'],
  [
    "SELECT id, t FROM a WHERE t >= (SELECT min(t) + interval '3 s' FROM a WHERE o) AND k IS NOT NULL",
  ],
  // Rows as they are.
  ['SELECT * FROM a'],
  ['SELECT * FROM b'],
  ['SELECT k, v FROM b WHERE v > 0 OR s IS NULL'],
  ["SELECT id, k + 1 AS k1, v * 2 AS v2, s || '!' AS s1, n / 3 AS n3 FROM a WHERE k IS NOT NULL"],
  [
    "SELECT id, CASE WHEN o THEN 'yes' WHEN NOT o THEN 'no' ELSE '?' END AS answer, coalesce(s, '-') AS s FROM a",
  ],
  [
    "SELECT id, upper(s) AS u, length(s) AS l, s LIKE 'a%' AS m, t + interval '1 day' AS d, extract(second FROM t) AS e FROM a",
  ],
  [
    'SELECT id, k IN (1, 2) AS few, v BETWEEN 0 AND 5 AS mid, v IS DISTINCT FROM k AS differs FROM a',
  ],
  [
    'SELECT id, nullif(v, 0) AS v, 100 / nullif(v, 0) AS q, greatest(k, v) AS g, round(n, 1) AS r FROM a',
  ],
  ['SELECT id, v::text AS t, n::int AS i, v::numeric(5, 1) AS d, (k = 1)::int AS b FROM a'],
  // Set operations.
  ['SELECT k, v FROM a UNION ALL SELECT k, v FROM b'],
  ['SELECT k FROM a UNION SELECT k FROM b'],
  ['SELECT k, s FROM a INTERSECT SELECT k, s FROM b'],
  ['SELECT k, s FROM b INTERSECT ALL SELECT k, s FROM b'],
  ['SELECT k FROM a EXCEPT SELECT k FROM b'],
  ['SELECT k, v FROM b EXCEPT ALL SELECT k, v FROM a'],
  ['SELECT DISTINCT k, s FROM b'],
  ['SELECT DISTINCT k % 2 AS odd, o FROM a'],
  ["SELECT 'a' AS source, k FROM a UNION ALL SELECT 'b', k FROM b UNION ALL SELECT 'c', k FROM c"],
  // Aggregates.
  ['SELECT count(*) AS n FROM b'],
  [
    'SELECT count(*) AS n, count(v), sum(v), avg(v), min(v), max(v), min(s) AS s1, max(s) AS s2, bool_and(o), bool_or(o) FROM a',
  ],
  [
    'SELECT k, count(*) AS n, sum(v) AS total, avg(v) AS mean, min(v) AS low, max(v) AS high FROM a GROUP BY k',
  ],
  ['SELECT k, s, count(*), sum(v) FROM b GROUP BY k, s'],
  ['SELECT k, sum(n), avg(n), min(n), max(n), min(t) AS first, max(t) AS last FROM a GROUP BY k'],
  ['SELECT o, bool_and(v > 1), bool_or(v > 1), every(k = 1), count(o) FROM a GROUP BY o'],
  [
    'SELECT k, count(DISTINCT v), sum(DISTINCT v), avg(DISTINCT v), count(DISTINCT s) AS ss FROM b GROUP BY k',
  ],
  ['SELECT count(DISTINCT k) AS ks, count(DISTINCT (k, v)) AS pairs FROM b'],
  [
    'SELECT k, count(*) FILTER (WHERE v > 1), sum(v) FILTER (WHERE s IS NOT NULL), max(v) FILTER (WHERE o) FROM a GROUP BY k',
  ],
  ['SELECT k, sum(v) AS total FROM b GROUP BY k HAVING count(*) > 1'],
  ['SELECT k FROM a GROUP BY k HAVING sum(v) > 3 OR max(s) IS NULL'],
  ['SELECT sum(v) FROM b HAVING count(*) > 3'],
  ['SELECT v % 3 AS rest, count(*), sum(k + v) FROM b GROUP BY v % 3'],
  ['SELECT upper(s), count(*) FROM a GROUP BY upper(s)'],
  ['SELECT k, o, s, count(*) FROM a GROUP BY k, o, s'],
  [
    "SELECT k, string_agg(s, ',' ORDER BY s, id), array_agg(v ORDER BY v DESC NULLS LAST, id) FROM a GROUP BY k",
  ],
  ['SELECT k, stddev(v), var_pop(v) FROM a GROUP BY k'],
  ['SELECT k, s, count(*), grouping(k, s) FROM b GROUP BY ROLLUP (k, s)'],
  ['SELECT k, o, sum(v) FROM a GROUP BY CUBE (k, o)'],
  ['SELECT k, s, count(*) FROM a GROUP BY GROUPING SETS ((k), (s), ())'],
  ['SELECT k, sum(v) + count(*) * 2 AS score, max(v) - min(v) AS spread FROM a GROUP BY k'],
  ['SELECT n, count(*) AS groups FROM (SELECT k, count(*) AS n FROM b GROUP BY k) AS g GROUP BY n'],
  [
    'SELECT max(total), min(total), count(*) FROM (SELECT k, sum(v) AS total FROM b GROUP BY k) AS g',
  ],
  ['SELECT jsonb_agg(v ORDER BY id) AS vs FROM a'],
  ["SELECT date_trunc('minute', t) AS m, count(*) FROM a GROUP BY date_trunc('minute', t)"],
  // Joins.
  ['SELECT a.id, a.k, b.v, b.s FROM a JOIN b ON a.k = b.k'],
  ['SELECT a.id, c.id AS cid, c.w FROM a JOIN c ON a.k = c.k AND a.v < c.w'],
  ['SELECT a.id, c.w FROM a JOIN c ON a.id = c.id'],
  ['SELECT a.id, b.v FROM a LEFT JOIN b ON a.k = b.k'],
  ['SELECT a.id, b.v FROM a LEFT JOIN b ON a.k = b.k AND b.v > 1'],
  ['SELECT a.id, c::text AS c, count(c.*) OVER () AS n FROM a LEFT JOIN c ON c.id = a.k'],
  [
    'SELECT c.k, jsonb_agg(a ORDER BY a.id) AS rows, count(a) AS n FROM a RIGHT JOIN c ON a.k = c.k GROUP BY c.k',
  ],
  ['SELECT a.id, b.v FROM a LEFT JOIN b ON a.k = b.k AND a.v > 1'],
  ['SELECT a.id, b.v FROM a RIGHT JOIN b ON a.k = b.k'],
  ['SELECT a.id, b.v, b.k AS bk FROM a FULL JOIN b ON a.k = b.k AND a.s = b.s'],
  ['SELECT a.id FROM a LEFT JOIN b ON a.k = b.k WHERE b.k IS NULL'],
  ['SELECT x.id, y.id AS other FROM a AS x JOIN a AS y ON x.k = y.k AND x.id < y.id'],
  ['SELECT x.v, y.v AS w FROM b AS x LEFT JOIN b AS y ON x.k = y.v'],
  ['SELECT a.id, b.v, c.w FROM a JOIN b ON a.k = b.k JOIN c ON c.k = b.k'],
  ['SELECT a.id, b.v, c.w FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON c.id = a.id'],
  ['SELECT a.id, b.v, c.w FROM a LEFT JOIN (b JOIN c ON c.k = b.k) ON a.k = b.k'],
  ['SELECT * FROM (SELECT id, k FROM a) AS x JOIN (SELECT k, w FROM c) AS y USING (k)'],
  ['SELECT * FROM (SELECT id, k FROM a) AS x FULL JOIN (SELECT k, w FROM c) AS y USING (k)'],
  ['SELECT * FROM (SELECT k, s FROM a) AS x NATURAL JOIN b'],
  ['SELECT a.id, c.id AS cid FROM a JOIN c ON a.v < c.w'],
  ['SELECT a.id, c.id AS cid FROM a LEFT JOIN c ON a.v > c.w'],
  ['SELECT a.id, c.id AS cid FROM a CROSS JOIN c'],
  ['SELECT a.id, b.v FROM a, b WHERE a.k = b.k AND a.s = b.s AND b.v IS NOT NULL'],
  ['SELECT a.id, b.k FROM a JOIN b ON a.k + 1 = b.k * 2'],
  ['SELECT a.id, b.k FROM a JOIN b ON a.k IS NOT DISTINCT FROM b.k'],
  ['SELECT a.k, count(b.v), count(*) AS n, sum(b.v) FROM a LEFT JOIN b ON a.k = b.k GROUP BY a.k'],
  [
    'SELECT x.k, x.n, y.total FROM (SELECT k, count(*) AS n FROM a GROUP BY k) AS x LEFT JOIN (SELECT k, sum(v) AS total FROM b GROUP BY k) AS y ON x.k = y.k',
  ],
  [
    'SELECT a.id, a.v, g.m FROM a JOIN (SELECT k, max(v) AS m FROM a GROUP BY k) AS g ON a.k = g.k AND a.v = g.m',
  ],
  [
    'WITH g AS (SELECT k, sum(v) AS total FROM b GROUP BY k) SELECT x.k, y.k AS other FROM g AS x JOIN g AS y ON x.total = y.total',
  ],
  [
    'SELECT x.id, y.id AS other FROM a AS x JOIN a AS y WITHIN (1 SECOND, 3 SECONDS) ON x.k = y.k',
    "SELECT x.id, y.id AS other FROM a AS x JOIN a AS y ON x.k = y.k AND y.t BETWEEN x.t - interval '1 s' AND x.t + interval '3 s'",
  ],
  [
    'SELECT x.id, y.id AS other FROM a AS x LEFT JOIN a AS y WITHIN 2 SECONDS ON x.k = y.v',
    "SELECT x.id, y.id AS other FROM a AS x LEFT JOIN a AS y ON x.k = y.v AND y.t BETWEEN x.t - interval '2 s' AND x.t + interval '2 s'",
  ],
  [
    'SELECT x.id, y.id AS nearest FROM a AS x ASOF JOIN (SELECT * FROM a WHERE o) AS y ON x.k = y.k AND x.id >= y.id',
    'SELECT x.id, y.id AS nearest FROM a AS x JOIN LATERAL (SELECT * FROM a AS z WHERE o AND x.k = z.k AND x.id >= z.id ORDER BY z.id DESC LIMIT 1) AS y ON true',
  ],
  [
    'SELECT x.id, y.id AS next FROM a AS x ASOF LEFT JOIN c AS y ON x.id < y.id AND x.k = y.k',
    'SELECT x.id, y.id AS next FROM a AS x LEFT JOIN LATERAL (SELECT * FROM c AS z WHERE x.id < z.id AND x.k = z.k ORDER BY z.id LIMIT 1) AS y ON true',
  ],
  [
    'SELECT x.v, c.id AS next FROM b AS x ASOF LEFT JOIN c ON c.id > x.v',
    'SELECT x.v, y.id AS next FROM b AS x LEFT JOIN LATERAL (SELECT * FROM c WHERE c.id > x.v ORDER BY c.id LIMIT 1) AS y ON true',
  ],
  // Subqueries.
  ['SELECT id, v FROM a WHERE k IN (SELECT k FROM b)'],
  ['SELECT id FROM a WHERE k NOT IN (SELECT k FROM b)'],
  ['SELECT id FROM a WHERE k NOT IN (SELECT k FROM b WHERE k IS NOT NULL)'],
  ['SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.v > 1)'],
  ['SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k)'],
  ['SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b)'],
  ['SELECT id FROM a WHERE (k, s) IN (SELECT k, s FROM b)'],
  ['SELECT id FROM a WHERE v = (SELECT max(v) FROM a)'],
  ['SELECT id, (SELECT count(*) FROM b WHERE b.k = a.k) AS n FROM a'],
  ['SELECT id, (SELECT sum(v) FROM b WHERE b.k = a.k) AS total FROM a'],
  ['SELECT id FROM a WHERE v > (SELECT avg(v) FROM b WHERE b.k = a.k)'],
  ['SELECT id, (SELECT max(w) FROM c) AS high FROM a'],
  ['SELECT id FROM a WHERE v > ALL (SELECT v FROM b WHERE v IS NOT NULL)'],
  [
    'SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND EXISTS (SELECT 1 FROM c WHERE c.k = b.k AND c.w > b.v))',
  ],
  ['SELECT id FROM a WHERE v >= (SELECT max(v) FROM b WHERE b.k = a.k) OR o'],
  [
    'SELECT k, count(*) AS n FROM a WHERE k IN (SELECT k FROM c GROUP BY k HAVING count(*) > 1) GROUP BY k',
  ],
  ['SELECT k, sum(v) AS total FROM b GROUP BY k HAVING sum(v) > (SELECT avg(v) FROM b)'],
  ['SELECT id FROM a WHERE k = ANY (SELECT k FROM b UNION SELECT k FROM c)'],
  [
    'SELECT id, (SELECT max(v) - min(v) FROM b WHERE b.k = a.k AND b.s IS NOT NULL) AS spread FROM a WHERE o IS NOT false',
  ],
  ['SELECT id, (SELECT count(*) FROM b) - (SELECT count(*) FROM c) AS diff FROM a'],
  ['SELECT id, CASE WHEN k NOT IN (SELECT k FROM b WHERE v > 0) THEN 1 ELSE 0 END AS f FROM a'],
  [
    'SELECT id, k IN (SELECT k FROM b) AS member, EXISTS (SELECT 1 FROM c WHERE c.id = a.id) AS twin FROM a',
  ],
  ['SELECT id FROM a WHERE k IN (SELECT k FROM b) OR v > 3'],
  [
    'SELECT a.id, l.m FROM a LEFT JOIN LATERAL (SELECT max(v) AS m FROM b WHERE b.k = a.k) AS l ON true',
  ],
  ['SELECT id, sum(v) OVER (PARTITION BY k ORDER BY id) FROM a'],
  ['SELECT id, row_number() OVER (ORDER BY id) FROM a'],
  [
    'WITH RECURSIVE t(n) AS (SELECT k FROM a UNION SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t',
  ],
  // First rows.
  ['SELECT id, v FROM a ORDER BY v DESC NULLS LAST, id LIMIT 3'],
  ['SELECT id, v FROM a ORDER BY v, id LIMIT 2 OFFSET 2'],
  ['SELECT k, sum(v) AS total FROM b GROUP BY k ORDER BY total DESC NULLS LAST, k LIMIT 2'],
  ['SELECT DISTINCT ON (k) k, id, v FROM a ORDER BY k, v DESC NULLS LAST, id'],
  [
    'SELECT id, k, rn FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY v DESC NULLS LAST, id) AS rn FROM a) AS q WHERE rn <= 2',
  ],
  [
    'SELECT id, k FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id) AS rn FROM a) AS q WHERE rn = 1',
  ],
  [
    'SELECT id, k, r FROM (SELECT id, k, rank() OVER (PARTITION BY k ORDER BY v) AS r FROM a) AS q WHERE r <= 2',
  ],
  [
    'SELECT id, k, r FROM (SELECT id, k, dense_rank() OVER (PARTITION BY o ORDER BY v DESC, k) AS r FROM a) AS q WHERE r < 3',
  ],
  [
    'SELECT k, v FROM (SELECT k, v FROM a UNION ALL SELECT k, v FROM b) AS u ORDER BY v DESC, k LIMIT 4',
  ],
  ['SELECT a.id, b.v FROM a JOIN b ON a.k = b.k ORDER BY b.v DESC NULLS LAST, a.id, b.s LIMIT 3'],
  [
    'SELECT k, count(*) AS n FROM (SELECT * FROM a ORDER BY v NULLS FIRST, id LIMIT 4) AS q GROUP BY k',
  ],
  [
    'SELECT k, total, rn FROM (SELECT k, total, row_number() OVER (ORDER BY total DESC NULLS LAST, k) AS rn FROM (SELECT k, sum(v) AS total FROM b GROUP BY k) AS g) AS q WHERE rn <= 2',
  ],
  ['SELECT id, v FROM a ORDER BY v, id OFFSET 1'],
  ['SELECT v FROM b ORDER BY v DESC NULLS LAST FETCH FIRST 2 ROWS WITH TIES'],
  // Windows of time.
  [
    "SELECT window_start, window_end, count(*) AS n, sum(v) AS total FROM TUMBLE(a, t, INTERVAL '2 s') GROUP BY window_start, window_end",
    `SELECT window_start, window_end, count(*) AS n, sum(v) AS total FROM ${tumble(2)} GROUP BY window_start, window_end`,
  ],
  [
    "SELECT k, window_start, count(*) AS n, max(v) AS high FROM HOP(a, t, INTERVAL '1 s', INTERVAL '3 s') GROUP BY k, window_start",
    `SELECT k, window_start, count(*) AS n, max(v) AS high FROM ${hop(1, 3)} GROUP BY k, window_start`,
  ],
  [
    "SELECT id, window_start FROM TUMBLE(a, t, INTERVAL '5 s') AS w WHERE v > 0",
    `SELECT id, window_start FROM ${tumble(5)} WHERE v > 0`,
  ],
  [
    `SELECT k, JSON_ARRAYAGG(v ORDER BY id RETURNING jsonb) AS vs, json_agg_strict(s ORDER BY id) AS ss,
       JSON_OBJECTAGG(id : v ABSENT ON NULL RETURNING jsonb) AS o FROM a GROUP BY k`,
  ],
  [
    `SELECT c.id, JSON_ARRAY(SELECT v FROM b WHERE b.k = c.k ORDER BY v RETURNING jsonb) AS vs,
       (SELECT jsonb_object_agg_unique_strict(a.id, a.s) FROM a WHERE a.k = c.k) AS o FROM c`,
  ],
  [
    "SELECT id, JSON_OBJECT('v' : v, 's' : s ABSENT ON NULL RETURNING jsonb) AS o, JSON_ARRAY(k, s NULL ON NULL)::text AS l FROM a",
  ],
];

const base: readonly ViewQuery[] = list.map(([query, postgres], index) => ({
  name: `view_${String(index).padStart(3, '0')}`,
  query,
  postgres: postgres ?? query,
}));

/** Views over views, of every depth. */
const layered: readonly ViewQuery[] = (
  [
    ['per_key', 'SELECT k, count(*) AS n, sum(v) AS total FROM b GROUP BY k'],
    ['busy_keys', 'SELECT k, total FROM per_key WHERE n > 1'],
    ['rows_of_busy_keys', 'SELECT a.id, a.v, g.total FROM a JOIN busy_keys AS g ON a.k = g.k'],
    [
      'top_of_busy',
      'SELECT id, total FROM rows_of_busy_keys ORDER BY total DESC NULLS LAST, id LIMIT 2',
    ],
    ['all_of_both', 'SELECT k, total FROM per_key UNION ALL SELECT k, total FROM busy_keys'],
    ['total_of_all', 'SELECT sum(total) AS total, count(*) AS n FROM all_of_both'],
    ['distinct_rows', 'SELECT DISTINCT k, v, s FROM b'],
    ['keys_of_distinct', 'SELECT k, count(*) AS n FROM distinct_rows GROUP BY k'],
    [
      'compare_counts',
      'SELECT p.k, p.n, d.n AS once FROM per_key AS p JOIN keys_of_distinct AS d ON p.k IS NOT DISTINCT FROM d.k',
    ],
  ] as const
).map(([name, query]) => ({ name, query, postgres: query }));

export const viewQueries: readonly ViewQuery[] = [...base, ...layered];

/** What is refused when the view is created, as it cannot be kept up to date yet. */
export const refusedQueries: readonly string[] = [
  'SELECT id, random() AS r FROM a',
  "SELECT id FROM a WHERE t > now() - interval '1 month'",
];
