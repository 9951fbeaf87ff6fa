/** Functions of users, written for PostgreSQL in SQL and for Millrace in JavaScript or SQL, and queries that call them. */

interface Pair {
  readonly postgres: string;
  readonly millrace: string;
}

const script = (head: string, returns: string, body: string, sql: string, also = ''): Pair => ({
  postgres: `CREATE FUNCTION ${head} RETURNS ${returns} LANGUAGE sql ${also} AS $$ ${sql} $$`,
  millrace: `CREATE FUNCTION ${head} RETURNS ${returns} LANGUAGE javascript ${also} AS $$ ${body} $$`,
});
const same = (sql: string): Pair => ({ postgres: sql, millrace: sql });

export const functionPairs: readonly Pair[] = [
  script('plus_(x int, y int DEFAULT 3)', 'int', 'return x + y;', 'SELECT x + y', 'STRICT'),
  script(
    'label_(s text, k int)',
    'text',
    'return (s ?? "none") + ":" + (k ?? "null");',
    `SELECT coalesce(s, 'none') || ':' || coalesce(k::text, 'null')`,
  ),
  script(
    'negate_(n numeric)',
    'numeric',
    'return n.startsWith("-") ? n.slice(1) : "-" + n;',
    'SELECT -n',
    'STRICT',
  ),
  script('odd_(w bigint)', 'bigint', 'return w * 2n + 1n;', 'SELECT w * 2 + 1', 'STRICT'),
  script(
    'half_(v int)',
    'double precision',
    'return v / 2;',
    'SELECT v / 2::double precision',
    'STRICT',
  ),
  script(
    'minute_(t timestamp)',
    'timestamp',
    'return t.slice(0, 16);',
    `SELECT date_trunc('minute', t)`,
    'STRICT',
  ),
  script(
    'second_(t timestamp)',
    'timestamp',
    'return new Date(t.slice(0, 19));',
    `SELECT date_trunc('second', t)`,
    'STRICT',
  ),
  script('flip_(o boolean)', 'boolean', 'return !o;', 'SELECT o IS NOT TRUE'),
  script(
    'doc_(k int, s text)',
    'jsonb',
    'return { k, "list": [s, k] };',
    `SELECT jsonb_build_object('k', k, 'list', jsonb_build_array(s, k))`,
  ),
  script('field_(d jsonb)', 'text', 'return d.list[0];', `SELECT d -> 'list' ->> 0`, 'STRICT'),
  script(
    'around_(v int)',
    'int[]',
    'return [v - 1, null, v + 1];',
    'SELECT ARRAY[v - 1, NULL, v + 1]',
    'STRICT',
  ),
  script(
    'known_(vs int[])',
    'int',
    'return vs.filter((v) => v !== null).length;',
    'SELECT count(v)::int FROM unnest(vs) AS v',
    'STRICT',
  ),
  script(
    'bytes_(s text)',
    'bytea',
    'return Uint8Array.from(s, (c) => c.codePointAt(0) & 255).subarray(0, 2);',
    `SELECT CASE s WHEN '' THEN ''::bytea WHEN 'a' THEN '\\x61' WHEN 'ab' THEN '\\x6162' ELSE '\\xe4ac' END`,
    'STRICT',
  ),
  script('kind_(x int)', 'text', 'return "int";', `SELECT 'int'`),
  script('kind_(x text)', 'text', 'return "text";', `SELECT 'text'`),
  script('kind_(x numeric)', 'text', 'return "numeric";', `SELECT 'numeric'`),
  script(
    'upto_(k int)',
    'SETOF int',
    'for (let i = 1; i <= k; i++) yield i;',
    'SELECT generate_series(1, k)',
    'STRICT',
  ),
  script(
    'parts_(s text, k int)',
    'TABLE(i int, part text)',
    'return [...(s ?? "")].map((part, i) => ({ i: i + (k ?? 0), part }));',
    `SELECT (n - 1)::int + coalesce(k, 0), p FROM string_to_table(s, NULL) WITH ORDINALITY AS t(p, n) WHERE s IS NOT NULL`,
  ),
  same('CREATE FUNCTION square_(x int) RETURNS int LANGUAGE sql AS $$ SELECT $1 * x $$'),
  same('CREATE FUNCTION both_(x int, y int) RETURNS int STRICT RETURN coalesce(x, 0) + square_(y)'),
  same(
    'CREATE FUNCTION above_(x int) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM c WHERE c.k > x $$',
  ),
  same(
    'CREATE FUNCTION first_(x int) RETURNS int LANGUAGE sql AS $$ SELECT id FROM c WHERE c.k = first_.x ORDER BY id DESC $$',
  ),
  script('step_(s bigint, x int)', 'bigint', 'return s + BigInt(x);', 'SELECT s + x', 'STRICT'),
  script('back_(s bigint, x int)', 'bigint', 'return s - BigInt(x);', 'SELECT s - x', 'STRICT'),
  script('most_(s int, x int)', 'int', 'return Math.max(s, x);', 'SELECT greatest(s, x)', 'STRICT'),
  script(
    'nulls_(s int, x int)',
    'int',
    'return x === null ? s + 1 : s;',
    'SELECT CASE WHEN x IS NULL THEN s + 1 ELSE s END',
  ),
  script(
    'join_(s text, x text, y int)',
    'text',
    'return (s ?? "") + "<" + (x ?? "-") + (y ?? "-") + ">";',
    `SELECT coalesce(s, '') || '<' || coalesce(x, '-') || coalesce(y::text, '-') || '>'`,
  ),
  script('shown_(s bigint)', 'text', 'return "=" + s;', `SELECT '=' || s`, 'STRICT'),
  same(
    `CREATE AGGREGATE total_(int) (sfunc = step_, stype = bigint, initcond = '0', finalfunc = shown_)`,
  ),
  same(
    `CREATE AGGREGATE moving_(int) (sfunc = step_, stype = bigint, initcond = '0', msfunc = step_, minvfunc = back_, mstype = bigint, minitcond = '0')`,
  ),
  same('CREATE AGGREGATE greatest_(int) (sfunc = most_, stype = int)'),
  same(`CREATE AGGREGATE missing_(int) (sfunc = nulls_, stype = int, initcond = '0')`),
  same('CREATE AGGREGATE joined_(text, int) (sfunc = join_, stype = text)'),
];

/** Over the tables of view-history.ts. */
export const functionQueries: readonly string[] = [
  'SELECT id, plus_(v) AS x, plus_(v, k) AS y, plus_(y => id, x => v) AS z FROM a',
  'SELECT id, label_(s, k) AS l, kind_(k) AS i, kind_(s) AS t, kind_(n) AS n FROM a',
  'SELECT id, negate_(n) AS n, half_(v) AS h, flip_(o) AS o FROM a WHERE flip_(v > 1)',
  'SELECT id, minute_(t) AS m, second_(t) AS s FROM a',
  'SELECT odd_(w) AS w, count(*) AS n FROM c GROUP BY odd_(w)',
  'SELECT k, s, doc_(k, s) AS d, field_(doc_(k, s)) AS f FROM b',
  'SELECT v, around_(v) AS r, known_(around_(v)) AS n, bytes_(s) AS y FROM b',
  'SELECT a.id, u FROM a, upto_(a.k) AS u',
  'SELECT a.id, p.i, p.part FROM a LEFT JOIN LATERAL parts_(a.s, a.k) AS p ON p.i <> 1',
  'SELECT id, upto_(k) AS u FROM a',
  'SELECT a.id, q.q, q.ordinality FROM a CROSS JOIN LATERAL upto_(plus_(a.k, 0)) WITH ORDINALITY AS q',
  'SELECT a.id, c.id AS other FROM a JOIN c ON plus_(a.k, 1) = c.k',
  'SELECT id, square_(v) AS q, square_(v + k) AS r, both_(v, k) AS b, both_(k, v + 1) AS d FROM a',
  'SELECT id, above_(k) AS n, first_(k) AS f FROM a',
  'SELECT k, total_(v) AS t, moving_(v) AS m, greatest_(v) AS g, missing_(v) AS n FROM b GROUP BY k',
  'SELECT k, total_(DISTINCT v) AS t, moving_(v) FILTER (WHERE v > 0) AS m FROM b GROUP BY k',
  'SELECT total_(v) AS t, greatest_(v) AS g, missing_(k) AS n FROM b',
  `SELECT o, joined_(s, v ORDER BY id) AS j FROM a GROUP BY o`,
  'SELECT id, moving_(v) OVER (PARTITION BY k ORDER BY id) AS m, greatest_(v) OVER (ORDER BY id ROWS 2 PRECEDING) AS g FROM a',
  'SELECT k, max(plus_(v)) AS m FROM b WHERE square_(k) < 9 GROUP BY k HAVING moving_(k) > 0',
];
