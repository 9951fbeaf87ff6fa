/**
 * Columns of range types under random histories: rows come, change and go, and the database is closed and opened. After every few statements each view holds
 * the rows that PostgreSQL answers for its query, and so does the query of the moment.
 */
import { testHistories } from './played-history.ts';
import { generator } from './view-history.ts';

const IDS = 10;

const START: readonly string[] = [
  'CREATE TABLE a (id integer PRIMARY KEY, r int4range, n numrange, during tsrange)',
  'CREATE TABLE b (r int4range, x integer, n numrange, d daterange)',
  "INSERT INTO a VALUES (1, '[1,3)', '[1.0,2]', '[2024-01-01,2024-01-03)'), (2, 'empty', '(,2.50)', NULL), (3, NULL, 'empty', '(,)')",
  "INSERT INTO b VALUES ('(1,4]', 2, '[1,2.0]', '[2024-01-01,2024-01-02]'), ('(,2)', NULL, NULL, 'empty'), ('[1,3)', 3, '[1,2]', NULL)",
];

const QUERIES: readonly string[] = [
  'SELECT r, count(*) AS c, min(id) AS i FROM a GROUP BY r',
  'SELECT lower(n)::float8 AS x, isempty(n) AS e, count(*) AS c FROM a GROUP BY lower(n), isempty(n)',
  // Of equal ranges such as [1,2] and [1.0,2] any may stand for all.
  'SELECT lower(n)::float8 AS l, upper(n)::float8 AS u, count(*) AS c FROM b GROUP BY n',
  'SELECT count(DISTINCT r) AS r, count(DISTINCT n) AS n, count(r) AS c FROM b',
  'SELECT DISTINCT r FROM b',
  'SELECT a.id, b.x FROM a JOIN b ON a.r = b.r',
  'SELECT a.id, b.x FROM a JOIN b ON a.n = b.n',
  'SELECT a.id, b.x, a.r * b.r AS both FROM a JOIN b ON a.r && b.r',
  'SELECT a.id, b.x FROM a LEFT JOIN b ON a.r @> b.x',
  'SELECT a.id, b.r FROM a FULL JOIN b ON a.r = b.r AND b.n @> 1.5',
  'SELECT a.id, b.d FROM a JOIN b ON a.during && tsrange(lower(b.d), upper(b.d)) WHERE NOT isempty(a.during)',
  'SELECT x.id, y.id AS o FROM a AS x JOIN a AS y ON x.during && y.during AND x.id < y.id',
  'SELECT a.id, b.x FROM a JOIN b ON a.r < b.r AND a.n <> b.n',
  'SELECT id, r, rank() OVER (ORDER BY r DESC) AS k, lag(r) OVER (ORDER BY r, id) AS l FROM a',
  'SELECT id, count(*) OVER (PARTITION BY r) AS c, first_value(r) OVER (PARTITION BY isempty(n) ORDER BY r NULLS FIRST, id) AS f FROM a',
  'SELECT id, r FROM a ORDER BY r, id LIMIT 3',
  'SELECT id, n FROM a ORDER BY n DESC NULLS LAST, id OFFSET 1 LIMIT 3',
  'SELECT DISTINCT ON (isempty(r)) r, id FROM a ORDER BY isempty(r), r DESC, id',
  "SELECT id, r << '[2,5)' AS b, r >> '[0,1)' AS a, r &< '[1,3)' AS l, r &> '[1,3)' AS g, r -|- '[3,5)' AS m FROM a",
  "SELECT id, 2 <@ r AS e, r <@ '[0,9)' AS c, lower_inc(r) AS li, upper_inf(n) AS ui, upper(during) AS u FROM a",
  'SELECT id, range_merge(r, int4range(id, id + 1)) AS m, r::text AS t, to_jsonb(n) AS j, upper(r::text) AS x FROM a',
  "SELECT id FROM a WHERE r IN ('[1,3)', 'empty', NULL) OR n = '[1,2]'",
  "SELECT id, coalesce(r, 'empty') AS c, nullif(r, '[1,3)') AS z, greatest(r, '[1,2)') AS g, CASE WHEN r > 'empty' THEN r END AS w FROM a",
  'SELECT r FROM a UNION SELECT r FROM b',
  'SELECT r FROM a EXCEPT ALL SELECT r FROM b',
  'SELECT array_agg(r ORDER BY r DESC, id) AS a, jsonb_agg(r ORDER BY id) AS j, json_agg(during ORDER BY id) AS d FROM a',
  'SELECT isempty(r) AS e, array_agg(DISTINCT r) AS a FROM b GROUP BY isempty(r)',
  'SELECT range_intersect_agg(r) AS a, range_intersect_agg(r) FILTER (WHERE x > 2) AS b FROM b',
  'SELECT x, range_intersect_agg(r) AS r, range_intersect_agg(d) AS d FROM b WHERE NOT isempty(r) GROUP BY x',
  'SELECT id % 4 AS k, range_intersect_agg(r) AS r, range_intersect_agg(during) AS d FROM a GROUP BY id % 4',
  'SELECT id FROM a WHERE r IN (SELECT r FROM b) OR NOT EXISTS (SELECT 1 FROM b WHERE b.r @> a.r)',
  'SELECT id FROM a WHERE n NOT IN (SELECT n FROM b WHERE n IS NOT NULL)',
  'SELECT id, (SELECT max(x) FROM b WHERE a.r @> b.x) AS m, (SELECT count(*) FROM b WHERE b.r = a.r) AS c FROM a',
  'SELECT u, count(*) AS c FROM a, unnest(ARRAY[r, int4range(id, NULL)]) AS u GROUP BY u',
  'SELECT r, isempty(n) AS e, count(*) AS c FROM a GROUP BY ROLLUP (r, isempty(n))',
  'SELECT mode() WITHIN GROUP (ORDER BY r) AS a, percentile_disc(0.5) WITHIN GROUP (ORDER BY r) AS b FROM b',
  'SELECT ROW(r, x) = ROW(int4range(1, 3), 3) AS s, ROW(r, x)::text AS t, r IS NULL AS n, r IS DISTINCT FROM int4range(1, 3) AS d FROM b',
];

class Histories {
  readonly #random: (below: number) => number;

  constructor(seed: number) {
    this.#random = generator(seed);
  }

  statement(): string {
    const kinds: readonly (() => string)[] = [
      () => `INSERT INTO a VALUES ${this.#row()}, ${this.#row()} ON CONFLICT DO NOTHING`,
      () => `INSERT INTO a VALUES ${this.#row()} ON CONFLICT (id) DO UPDATE SET r = excluded.r`,
      () => `INSERT INTO b VALUES ${this.#other()}, ${this.#other()}`,
      () => `INSERT INTO b VALUES ${this.#other()}`,
      () => `UPDATE a SET r = ${this.#range()} WHERE ${this.#where()}`,
      () =>
        `UPDATE a SET r = r * ${this.#range()}, during = during + during WHERE ${this.#where()}`,
      () => `UPDATE a SET n = ${this.#numbers()} WHERE r && ${this.#range()}`,
      () => `UPDATE b SET x = lower(r) WHERE r > ${this.#range()}`,
      // The union and difference fail where they have a gap.
      () => `UPDATE a SET r = r + ${this.#range()} WHERE ${this.#where()}`,
      () => `UPDATE b SET r = r - ${this.#range()} WHERE x = ${this.#random(4)}`,
      () => `DELETE FROM a WHERE ${this.#where()}`,
      () => `DELETE FROM b WHERE r = ${this.#range()} OR n = ${this.#numbers()}`,
    ];
    return (kinds[this.#random(kinds.length)] as () => string)();
  }

  #of(name: string, bounds: readonly string[]): string {
    const dice = this.#random(9);
    if (dice === 0) return 'NULL';
    if (dice === 1) return `'empty'::${name}`;
    // One range in many has its bounds in the wrong order.
    const at = [this.#random(bounds.length), this.#random(bounds.length)];
    if (this.#random(20) > 0) at.sort((a, b) => a - b);
    const [from, to] = at.map((index) => bounds[index]);
    const lower = this.#random(6) === 0 ? '' : from;
    const upper = this.#random(6) === 0 ? '' : to;
    return `'${'[('[this.#random(2)]}${lower},${upper}${'])'[this.#random(2)]}'::${name}`;
  }

  #range(): string {
    return this.#of('int4range', ['0', '1', '2', '3', '4']);
  }

  #numbers(): string {
    return this.#of('numrange', ['0', '1', '1.0', '1.5', '2.00', '2']);
  }

  #row(): string {
    const during = this.#of('tsrange', [
      '2024-01-01',
      '"2024-01-01 12:00"',
      '2024-01-02',
      '2024-01-04',
    ]);
    return `(${this.#random(IDS)}, ${this.#range()}, ${this.#numbers()}, ${during})`;
  }

  #other(): string {
    const days = this.#of('daterange', ['2023-12-31', '2024-01-01', '2024-01-02', 'infinity']);
    const x = this.#random(5) === 0 ? 'NULL' : this.#random(5);
    return `(${this.#range()}, ${x}, ${this.#numbers()}, ${days})`;
  }

  #where(): string {
    const tests = [
      `r = ${this.#range()}`,
      `r < ${this.#range()} OR r IS NULL`,
      `id = ${this.#random(IDS)}`,
      `r @> ${this.#random(4)}`,
      `r IN (SELECT r FROM b WHERE x > ${this.#random(4)})`,
    ];
    return tests[this.#random(tests.length)] as string;
  }
}

testHistories('views over ranges hold what PostgreSQL answers', {
  start: START,
  queries: QUERIES,
  statements: 16,
  statementsACheck: 8,
  reopenAt: [9],
  history: (seed) => {
    const histories = new Histories(seed);
    return () => histories.statement();
  },
});
