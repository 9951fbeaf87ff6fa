/** Scripts that the query fuzz has found; views and their queries are compared with PostgreSQL after every statement. */

export interface FuzzScript {
  readonly why: string;
  readonly statements: readonly string[];
}

export const fuzzScripts: readonly FuzzScript[] = [
  {
    why: 'two plans without rows were taken for one, whatever their columns',
    statements: [
      'CREATE TABLE t (a int PRIMARY KEY, c int)',
      'CREATE MATERIALIZED VIEW v AS WITH w AS (SELECT a, c FROM t GROUP BY a HAVING NULL) SELECT 1 AS one FROM w AS x JOIN w AS y ON x.c = y.c WHERE y.a <> 1',
      'INSERT INTO t VALUES (1, 1), (2, NULL)',
    ],
  },
  {
    why: 'a subquery compared with the rows of another one was refused',
    statements: [
      'CREATE TABLE a (i int, j int)',
      'CREATE TABLE b (k int, v int)',
      'CREATE MATERIALIZED VIEW v1 AS SELECT * FROM a WHERE (SELECT max(v) FROM b) = ALL (SELECT v FROM b WHERE k = a.i)',
      'CREATE MATERIALIZED VIEW v2 AS SELECT * FROM a WHERE (SELECT max(v) FROM b WHERE k = a.j) > ANY (SELECT v FROM b WHERE k = a.i)',
      'CREATE MATERIALIZED VIEW v3 AS SELECT * FROM a WHERE (i, (SELECT max(v) FROM b WHERE k = a.j)) IN (SELECT k, v FROM b)',
      'CREATE MATERIALIZED VIEW v4 AS SELECT * FROM a LEFT JOIN b ON (SELECT max(v) FROM b) = ALL (SELECT v FROM b AS c WHERE c.k = a.i)',
      'INSERT INTO a VALUES (1, 1), (2, NULL), (3, 1), (NULL, 2)',
      'INSERT INTO b VALUES (1, 1), (1, 2), (3, NULL), (1, 7), (2, 1)',
      'DELETE FROM b WHERE v = 7',
    ],
  },
  {
    why: 'a subquery with an aggregate was not the same expression in GROUP BY and in the select list',
    statements: [
      'CREATE TABLE a (i int)',
      'CREATE TABLE b (j int, u text)',
      "CREATE MATERIALIZED VIEW v AS SELECT (SELECT string_agg(u, ',' ORDER BY u) FROM b WHERE j = a.i) AS c, count(*) AS n FROM a GROUP BY (SELECT string_agg(u, ',' ORDER BY u) FROM b WHERE j = a.i)",
      'INSERT INTO a VALUES (1), (2), (1), (NULL)',
      "INSERT INTO b VALUES (1, 'p'), (1, 'q'), (2, NULL)",
    ],
  },
  {
    why: 'RANGE offsets had to be of the key’s own type, and overflowed it in a query that is answered once',
    statements: [
      'CREATE TABLE a (i smallint, j int, b bigint)',
      'CREATE MATERIALIZED VIEW v AS SELECT sum(i) OVER (ORDER BY i RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS x, sum(i) OVER (ORDER BY j RANGE BETWEEN 1::bigint PRECEDING AND 1::smallint FOLLOWING) AS y, count(*) OVER (ORDER BY b DESC RANGE 2 PRECEDING) AS z FROM a',
      'INSERT INTO a VALUES (1, 2, 3), (2, 3, 4), (4, NULL, 6)',
      'INSERT INTO a VALUES (32767, 2147483647, 9223372036854775807), (-32768, -2147483648, -9223372036854775808)',
    ],
  },
  {
    why: 'DuckDB has no plan for some correlated joins, and no order of jsonb',
    statements: [
      'CREATE TABLE a (i int, x jsonb)',
      'CREATE TABLE b (k int, v int)',
      'CREATE MATERIALIZED VIEW v1 AS SELECT 1 AS one FROM b AS t0 FULL JOIN a AS t1 ON t0.k = t1.i LEFT JOIN LATERAL (SELECT t1.i AS c FROM a AS t4 LEFT JOIN b AS t5 ON t0.k > 0 WHERE t0.k > 0 AND t4.i = t1.i) AS d ON d.c <> 2',
      'CREATE MATERIALIZED VIEW v2 AS SELECT array_agg(i ORDER BY x, i) AS c FROM a',
      `INSERT INTO a VALUES (1, '{"a": 1}'), (2, '[1]'), (3, NULL), (NULL, '2')`,
      'INSERT INTO b VALUES (1, 1), (2, 2), (NULL, 3)',
      'DELETE FROM a WHERE i = 2',
    ],
  },
  {
    why: 'DuckDB gave no grand total for outer rows that a correlated query finds nothing for',
    statements: [
      'CREATE TABLE t (a int, b int)',
      'CREATE TABLE w (c int, d int)',
      'CREATE MATERIALIZED VIEW v1 AS SELECT a, (SELECT t.b FROM w WHERE w.c = t.a GROUP BY CUBE (w.d) ORDER BY 1 LIMIT 1) AS n FROM t',
      'CREATE MATERIALIZED VIEW v2 AS SELECT a, n FROM t, LATERAL (SELECT count(*) AS n FROM w WHERE w.c = t.a GROUP BY GROUPING SETS ((), ())) AS x',
      'INSERT INTO t VALUES (1, 10), (2, 20), (NULL, 30)',
      'INSERT INTO w VALUES (1, 5), (NULL, 6)',
      'UPDATE w SET c = 2 WHERE c = 1',
    ],
  },
  {
    why: 'a stream that only a subquery reads was looked for in the store',
    statements: [
      'CREATE STREAM s (a int, b int)',
      'CREATE TABLE t (i int)',
      'CREATE MATERIALIZED VIEW v AS SELECT i, (SELECT max(b) FROM s WHERE a = t.i) AS m FROM t WHERE EXISTS (SELECT 1 FROM s WHERE b > t.i)',
      'INSERT INTO t VALUES (1), (2), (NULL)',
      'INSERT INTO s VALUES (1, 2), (2, 5), (NULL, 7)',
      'DELETE FROM t WHERE i = 1',
    ],
  },
  {
    why: 'UNION had the type modifiers of its left side, and cut the digits of the right one to them',
    statements: [
      'CREATE TABLE a (v varchar(3), n numeric(8, 2))',
      "CREATE MATERIALIZED VIEW v1 AS SELECT v, n FROM a UNION ALL SELECT 'abcdefgh'::text, 1.23456 FROM a",
      'CREATE MATERIALIZED VIEW v2 AS SELECT v, n FROM a UNION SELECT upper(v), n * 1.001 FROM a',
      'CREATE MATERIALIZED VIEW v3 AS SELECT n FROM a EXCEPT ALL SELECT n / 3 FROM a',
      "INSERT INTO a VALUES ('abc', 1.5), (NULL, NULL)",
    ],
  },
  {
    why: 'DISTINCT in an aggregate did not find the argument that it is sorted by behind its conversion',
    statements: [
      'CREATE TABLE a (k int, v varchar(6), i int)',
      "CREATE MATERIALIZED VIEW v AS SELECT k, string_agg(DISTINCT v, ',' ORDER BY v DESC) AS x, array_agg(DISTINCT v ORDER BY v) AS y, avg(DISTINCT i ORDER BY i) AS z FROM a GROUP BY k",
      "INSERT INTO a VALUES (1, 'b', 1), (1, 'a', 2), (1, 'b', 2), (2, NULL, NULL)",
      "DELETE FROM a WHERE v = 'a'",
    ],
  },
  {
    why: 'a subquery in the select list of a sorted query over a stream had no code',
    statements: [
      'CREATE STREAM s (a int, b int)',
      'CREATE MATERIALIZED VIEW v1 AS SELECT o.a, (SELECT max(b) FROM s WHERE s.a = o.a) AS m FROM (SELECT DISTINCT ON (a) a FROM s ORDER BY a DESC) AS o',
      'CREATE MATERIALIZED VIEW v2 AS SELECT a, EXISTS (SELECT 1 FROM s AS t WHERE t.b > s.a) AS e FROM s ORDER BY (SELECT count(*) FROM s AS t WHERE t.a < s.a), b LIMIT 2',
      'INSERT INTO s VALUES (1, 2), (2, 5), (NULL, 7), (1, 1)',
    ],
  },
  {
    why: 'DuckDB loses a column of a subquery that is correlated over two levels, which was not taken for a query without a plan',
    statements: [
      'CREATE TABLE a (x int, b boolean, n numeric)',
      'CREATE TABLE c (y int, m numeric, v varchar(6))',
      `CREATE MATERIALIZED VIEW v AS SELECT sum(t1.n) AS s FROM c AS t0 RIGHT JOIN a AS t1 ON t0.y = t1.x
        WHERE least(t0.y, t1.x, 2) >= ALL (SELECT lag(length(t2.v)) OVER (ORDER BY t2.v) FROM c AS t2
          JOIN a AS t3 ON t2.m = t3.n AND coalesce(t1.b, t3.b)
          FULL JOIN (SELECT t5.v AS w FROM c AS t4 JOIN c AS t5 ON t1.b AND t4.y = t5.y WHERE t4.y = t0.y) AS d ON t2.v = d.w
          WHERE t3.x = t0.y GROUP BY t2.v) GROUP BY t1.b`,
      'INSERT INTO a VALUES (1, true, 2.5), (2, NULL, 1)',
      "INSERT INTO c VALUES (1, 2.5, 'a'), (2, 1, 'bb')",
    ],
  },
  {
    why: 'columns that USING merges had the type modifiers of the side that was chosen',
    statements: [
      'CREATE TABLE a (v varchar(6), n numeric(5, 2), t timestamp(3), x int)',
      'CREATE TABLE b (v varchar(8), n numeric(6, 2), t timestamp(3), y int)',
      "INSERT INTO a VALUES ('x', 1.5, '2024-01-01', 1), ('y', 2, NULL, 2)",
      "INSERT INTO b VALUES ('x', 1.5, '2024-01-01', 3), ('z', 2, NULL, 4)",
      'CREATE MATERIALIZED VIEW v1 AS SELECT * FROM a NATURAL JOIN b',
      'CREATE MATERIALIZED VIEW v2 AS SELECT v, x, y FROM a LEFT JOIN b USING (v)',
      'CREATE MATERIALIZED VIEW v3 AS SELECT v, n, x, y FROM a RIGHT JOIN b USING (v, n) WHERE n > 1',
      'CREATE MATERIALIZED VIEW v4 AS SELECT n FROM a FULL JOIN b USING (n)',
    ],
  },
  {
    why: 'what BETWEEN and comparisons of rows become was not found as a key of GROUP BY beside AND and OR',
    statements: [
      'CREATE TABLE w (g int, i int)',
      'INSERT INTO w VALUES (1, 1), (1, 2), (2, 4), (2, 5), (3, 6), (NULL, 7)',
      'CREATE MATERIALIZED VIEW v1 AS SELECT count(*) AS n FROM w GROUP BY g BETWEEN 1 AND 2 HAVING g BETWEEN 1 AND 2 AND count(*) > 1',
      'CREATE MATERIALIZED VIEW v2 AS SELECT (g, i) < (i, g) OR g = 1 AS b, count(*) AS n FROM w GROUP BY (g, i) < (i, g), g = 1',
      'CREATE MATERIALIZED VIEW v3 AS SELECT count(*) AS n FROM w GROUP BY (g, i) = (i, g) HAVING (g, i) = (i, g) AND ((g, i) = (i, g) OR count(*) > 1)',
    ],
  },
];
