/** Set-returning functions in views, over random histories of rows with arrays and documents. */
import { after, before, test } from 'node:test';
import type { SqlType } from '../../sql/base/type.ts';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, type TestTable, tableOf } from './history.ts';

before(openJudge);
after(closeJudge);

const column = (name: string, type: SqlType) => ({ name, type, nullable: true });
const listOf = (element: SqlType): SqlType => ({ kind: 'array', element });

/** Rows that functions take apart. */
const documents: TestTable = {
  name: 'd',
  appendOnly: false,
  schema: [
    column('k', { kind: 'integer' }),
    column('a', listOf({ kind: 'integer' })),
    column('b', listOf({ kind: 'text' })),
    column('j', { kind: 'jsonb' }),
    column('w', { kind: 'json' }),
    column('s', { kind: 'text' }),
    column('t', { kind: 'timestamp' }),
  ],
  domains: [
    [0, 1, 2, 3, null],
    [[], [1], [1, 2, 2], [null, 7], [3, null, null, 1], null],
    [[], ['x', 'y'], [null], ['z', 'x', 'x', 'w', 'v'], null],
    [
      '{"a": 1, "b": [1, 2, {"c": null}]}',
      '{"b": ["x", null, "x", 1.50]}',
      '{"a": null, "b": []}',
      null,
    ],
    ['{"a":1,  "a":"two"}', '{ "z" : [1] , "b":null}', '{}', null],
    ['', 'a b  c', 'ab1c22d', 'x,y,,NIL', null],
    [0n, 3_600_000_000n, -1n, null],
  ],
};

const tables = [documents, tableOf('l', false)];

const queries: Readonly<Record<string, string>> = {
  'constant series': 'SELECT n FROM generate_series(1, 5) AS n',
  'constant series downwards': 'SELECT n FROM generate_series(3, -3, -2) AS n',
  'constant functions joined': "SELECT l.k, u.x FROM l, unnest(ARRAY['a', 'b', NULL]) AS u(x)",
  'constant functions side by side':
    "SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['a', 'b']), upper('q')) WITH ORDINALITY AS f(a, b, c, o)",
  'a series that a join completes':
    'SELECT g.n, count(l.k) FROM generate_series(0, 3) AS g(n) LEFT JOIN l ON l.k = g.n GROUP BY g.n',
  'constant rows on the left':
    'SELECT v.a, l.s FROM (VALUES (1), (2), (NULL)) AS v(a), l WHERE l.k > v.a',
  'constant rows left joined':
    "SELECT l.k, v.b FROM l LEFT JOIN (VALUES (1, 'x'), (1, NULL), (3, 'y')) AS v(a, b) ON l.k = v.a",
  'constant rows right joined':
    'SELECT v.a, l.s FROM (VALUES (1), (1), (2)) AS v(a) RIGHT JOIN l ON v.a IS NOT DISTINCT FROM l.k',
  'constant rows that stay':
    'SELECT v.a, l.s FROM (VALUES (1), (9)) AS v(a) LEFT JOIN l ON v.a = l.k',
  'constant rows filtered and computed':
    'SELECT l.k, v.c FROM l JOIN (SELECT a * 2 AS c FROM (VALUES (1), (2), (3)) AS v(a) WHERE a <> 2) AS v ON l.k < v.c',
  'one constant row':
    'SELECT l.k, q.* FROM l CROSS JOIN (SELECT 2 AS x, NULL::text AS y) AS q WHERE l.k = q.x',
  'constant rows of both sides':
    'SELECT count(*) FROM (VALUES (1), (2)) AS a(x) JOIN generate_series(1, 3) AS b ON b > x',
  'rows of columns':
    'SELECT d.k, v.x FROM d CROSS JOIN LATERAL (VALUES (d.k, d.s), (d.k + 1, NULL)) AS v(x, y) WHERE v.x IS NOT NULL',
  'rows of columns left joined':
    'SELECT d.k, v.x FROM d LEFT JOIN LATERAL (VALUES (d.k), (d.k + 1)) AS v(x) ON v.x > 1',
  'unnest of a column': 'SELECT d.k, x FROM d, unnest(d.a) AS x',
  'unnest of several arrays with a count':
    'SELECT d.k, u.x, u.y, u.n FROM d, unnest(d.a, d.b) WITH ORDINALITY AS u(x, y, n)',
  'unnest counted':
    'SELECT x, count(*), sum(d.k) FROM d CROSS JOIN LATERAL unnest(d.b) AS x GROUP BY x',
  'left join on true': 'SELECT d.k, x FROM d LEFT JOIN LATERAL unnest(d.a) AS x ON true',
  'left join on a condition':
    'SELECT d.k, d.s, x FROM d LEFT JOIN LATERAL unnest(d.a) AS x ON x > d.k OR d.k IS NULL',
  'left join with expressions':
    "SELECT d.k, q.y, q.z FROM d LEFT JOIN LATERAL (SELECT coalesce(x, -1) AS y, 'row' AS z FROM unnest(d.a) AS x WHERE x IS DISTINCT FROM 2) AS q ON true",
  'left join and then what has none':
    'SELECT d.k, d.s FROM d LEFT JOIN LATERAL unnest(d.a) AS x ON true WHERE x IS NULL',
  'filter on both sides':
    'SELECT d.k, x FROM d, unnest(d.a) AS x WHERE x > d.k AND d.k > 0 AND x < 3',
  'integer series by columns': 'SELECT d.k, n FROM d, generate_series(-1, d.k, 2) AS n',
  'numeric series': 'SELECT d.k, n FROM d, generate_series(0.5, d.k::numeric, 0.75) AS n',
  'timestamp series':
    "SELECT d.k, h FROM d, generate_series(d.t, timestamp '1970-01-01 02:30', interval '45 minutes') AS h",
  'elements of documents': "SELECT d.k, e FROM d, jsonb_array_elements(d.j -> 'b') AS e",
  'texts of elements':
    "SELECT d.k, e.value, e.n FROM d, jsonb_array_elements_text(d.j -> 'b') WITH ORDINALITY AS e(value, n)",
  'members of documents': 'SELECT d.k, m.key, m.value FROM d, jsonb_each(d.j) AS m',
  'texts of members': 'SELECT d.k, m.key, m.value FROM d, jsonb_each_text(d.j) AS m',
  'keys of documents': 'SELECT key, count(*) FROM d, jsonb_object_keys(d.j) AS key GROUP BY key',
  'members of json': 'SELECT d.k, m.key, m.value::text FROM d, json_each(d.w) AS m',
  'texts of members of json': 'SELECT d.k, m.* FROM d, json_each_text(d.w) AS m',
  'keys of json': 'SELECT d.k, x FROM d, json_object_keys(d.w) AS x',
  'elements of json': "SELECT d.k, x::text FROM d, json_array_elements(d.w -> 'z') AS x",
  'texts of elements of json': "SELECT d.k, x FROM d, json_array_elements_text(d.w -> 'z') AS x",
  'parts by a pattern': "SELECT d.k, word FROM d, regexp_split_to_table(d.s, ' +') AS word",
  'parts by a separator': "SELECT d.k, word FROM d, string_to_table(d.s, ',', 'NIL') AS word",
  'matches of a pattern':
    "SELECT d.k, m, m[2] FROM d, regexp_matches(d.s, '([a-z])([0-9]+)', 'g') AS m",
  subscripts: 'SELECT d.k, i, d.a[i] FROM d, generate_subscripts(d.a, 1) AS i',
  'subscripts in reverse': 'SELECT d.k, i FROM d, generate_subscripts(d.a, 1, true) AS i',
  'functions of columns side by side':
    'SELECT d.k, f.* FROM d, ROWS FROM (unnest(d.a), jsonb_each(d.j), generate_series(1, d.k)) WITH ORDINALITY AS f(a, key, value, n, o)',
  'one after the other': 'SELECT d.k, x, n FROM d, unnest(d.a) AS x, generate_series(x, 2) AS n',
  'function in the select list': 'SELECT k, unnest(a) AS x FROM d',
  'functions in lock-step':
    'SELECT k, unnest(a) AS x, unnest(b) AS y, generate_series(1, k) FROM d',
  'functions inside expressions':
    "SELECT k, unnest(a) + 1 AS x, upper(unnest(b)) || '!' AS y FROM d",
  'functions inside functions': 'SELECT k, generate_series(1, unnest(a)) AS n, unnest(b) FROM d',
  'function over an aggregate': 'SELECT k, generate_series(1, count(*)) AS n FROM d GROUP BY k',
  'function over collected values':
    'SELECT k, unnest(array_agg(s ORDER BY s)) AS x FROM d GROUP BY k',
  'grouped by a function': 'SELECT unnest(b) AS x, count(*), max(k) FROM d GROUP BY x',
  'distinct values of a function': 'SELECT DISTINCT unnest(a) AS x FROM d',
  'limited rows of a function': 'SELECT k, unnest(a) AS x FROM d ORDER BY x, k LIMIT 3',
  'constant function in the select list': 'SELECT k, generate_series(1, 2) AS n FROM d',
  'function over a scalar subquery':
    'SELECT n FROM generate_series(1, (SELECT count(*) FROM d WHERE k > 0)) AS n',
  'sum over a function': 'SELECT d.k, (SELECT sum(x) FROM unnest(d.a) AS x) AS total FROM d',
  'exists in a function':
    "SELECT d.k, d.s FROM d WHERE EXISTS (SELECT 1 FROM unnest(d.b) AS x WHERE x = 'x')",
  'any of a function': 'SELECT d.k, d.k IN (SELECT x FROM unnest(d.a) AS x) AS found FROM d',
  'function joined with a table': 'SELECT d.k, y, l.s FROM d, unnest(d.a) AS y JOIN l ON l.k = y',
  'rows of a document':
    "SELECT d.k, t.* FROM d, JSON_TABLE(d.j, '$.b[*]' COLUMNS (i FOR ORDINALITY, n int PATH '$', s text PATH '$' DEFAULT 'none' ON ERROR, has boolean EXISTS PATH '$.c', whole jsonb PATH '$')) AS t",
  'rows of nested paths':
    "SELECT d.k, t.* FROM d LEFT JOIN JSON_TABLE(d.j, '$' PASSING d.k AS k COLUMNS (a int, NESTED PATH '$.b[*] ? (@ > $k)' COLUMNS (x numeric PATH '$'), NESTED PATH '$.b[*].c' COLUMNS (y FOR ORDINALITY, c text PATH '$'))) AS t ON t.x IS DISTINCT FROM 2",
  'array of a function':
    'SELECT d.k, ARRAY(SELECT upper(x) FROM unnest(d.b) AS x ORDER BY x DESC NULLS LAST) AS list FROM d',
};

for (const [name, query] of Object.entries(queries)) {
  test(name, async () => {
    await checkQuery({ name, query }, tables, Math.ceil(runs / 5));
  });
}
