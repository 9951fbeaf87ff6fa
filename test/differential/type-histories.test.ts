/**
 * Columns of enums, composite types and domains under random histories: rows come, change and go, labels are added before and after others, and the database is
 * closed and opened. After every few statements each view holds the rows that PostgreSQL answers for its query.
 */
import { testHistories } from './played-history.ts';
import { generator } from './view-history.ts';

const IDS = 10;

const START: readonly string[] = [
  "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
  'CREATE TABLE p (id integer PRIMARY KEY, m mood, n integer, ms mood[])',
  'CREATE TABLE q (m mood, o mood)',
  'CREATE TYPE pair AS (a mood, b integer)',
  'CREATE DOMAIN few AS integer NOT NULL DEFAULT 2 CHECK (VALUE > 0) CHECK (VALUE < 6)',
  'CREATE TABLE r (id integer PRIMARY KEY, c pair, d few)',
  "INSERT INTO p VALUES (1, 'sad', 1, '{ok,NULL}'), (2, 'ok', NULL, NULL), (3, NULL, 2, '{}')",
  "INSERT INTO r (id, c) VALUES (1, ('ok', NULL)), (2, ('ok', NULL)), (3, (NULL, 1)), (4, NULL)",
];

const QUERIES: readonly string[] = [
  'SELECT m, count(*) AS c, min(n) AS n, max(m) AS x FROM p GROUP BY m',
  'SELECT min(m) AS a, max(m) AS b, count(DISTINCT m) AS d, array_agg(m ORDER BY m DESC, id) AS e FROM p',
  'SELECT n, min(m) AS a, max(m) FILTER (WHERE id > 3) AS b FROM p GROUP BY n',
  'SELECT p.id, p.m, q.o FROM p LEFT JOIN q ON p.m = q.m',
  'SELECT p.id, q.m, q.o FROM p JOIN q ON p.m < q.m AND p.m <> q.o',
  'SELECT p.m, q.o FROM p FULL JOIN q ON p.m = q.o',
  'SELECT id, m, rank() OVER (ORDER BY m DESC) AS r, lag(m) OVER (ORDER BY m, id) AS l FROM p',
  'SELECT id, m, first_value(m) OVER (PARTITION BY n ORDER BY m NULLS FIRST, id) AS f FROM p',
  'SELECT id, m FROM p ORDER BY m, id LIMIT 3',
  'SELECT id, m FROM p ORDER BY m DESC NULLS LAST, id OFFSET 1 LIMIT 3',
  "SELECT id FROM p WHERE m > 'sad' OR m IN ('sad', NULL)",
  "SELECT id, m BETWEEN 'ok' AND 'happy' AS b, m IS DISTINCT FROM 'ok' AS d, greatest(m, 'ok') AS g FROM p",
  "SELECT id, coalesce(m, 'sad') AS c, nullif(m, 'ok') AS z, CASE WHEN m = 'ok' THEN m END AS w FROM p",
  'SELECT DISTINCT m FROM p',
  'SELECT m FROM p UNION ALL SELECT o FROM q',
  'SELECT m, o FROM q EXCEPT ALL SELECT m, m FROM p',
  'SELECT DISTINCT ON (n) n, m, id FROM p ORDER BY n, m DESC, id',
  'SELECT id, m::text AS t, upper(m::text) AS u, to_jsonb(m) AS j FROM p',
  'SELECT id FROM p WHERE m IN (SELECT m FROM q) OR NOT EXISTS (SELECT 1 FROM q WHERE q.m >= p.m)',
  'SELECT id, (SELECT max(q.m) FROM q WHERE q.m < p.m) AS below FROM p',
  'SELECT id, ms, ms[1] AS a, array_length(ms, 1) AS l, ms || m AS x FROM p',
  'SELECT id, u FROM p, unnest(ms) AS u',
  'SELECT ms, count(*) AS c FROM p GROUP BY ms',
  'SELECT mode() WITHIN GROUP (ORDER BY m) AS a, percentile_disc(0.5) WITHIN GROUP (ORDER BY m) AS b FROM p',
  'SELECT m, n, count(*) AS c FROM p GROUP BY ROLLUP (m, n)',
  'SELECT id, (c).a AS a, (c).b + d AS b, c IS NULL AS n, c IS NOT NULL AS x FROM r',
  'SELECT c, count(*) AS n, sum(d) AS d FROM r GROUP BY c',
  'SELECT x.id, y.id AS i FROM r AS x JOIN r AS y ON x.c = y.c AND x.d <= y.d',
  "SELECT id, c < ROW('ok', 2)::pair AS l, coalesce(c, ROW('sad', 0)::pair) AS f, c::text AS t FROM r",
  'SELECT id, c FROM r ORDER BY c DESC, id LIMIT 4',
  'SELECT max(c)::text AS a, min(c)::text AS b, max((c).a) AS m, array_agg(c ORDER BY id) AS e FROM r',
  'SELECT id, ROW(p.m, p.n)::pair AS c FROM p UNION SELECT id, c FROM r',
  'SELECT id, d::few + 1 AS d, greatest(d, 3) AS g, rank() OVER (PARTITION BY d ORDER BY c) AS k FROM r',
  'SELECT p.id, r.d FROM p LEFT JOIN r ON p.m = (r.c).a AND p.n = r.d',
];

class Histories {
  readonly #random: (below: number) => number;
  readonly #labels = ['sad', 'ok', 'happy'];

  constructor(seed: number) {
    this.#random = generator(seed);
  }

  statement(): string {
    const random = this.#random;
    const kinds: readonly (() => string)[] = [
      () => `INSERT INTO p VALUES ${this.#row()}, ${this.#row()} ON CONFLICT DO NOTHING`,
      () => `INSERT INTO p VALUES ${this.#row()} ON CONFLICT (id) DO UPDATE SET m = excluded.m`,
      () => `INSERT INTO p VALUES ${this.#row()}`,
      () => `INSERT INTO q VALUES (${this.#value()}, ${this.#value()})`,
      () => `INSERT INTO q VALUES (${this.#value()}, ${this.#value()})`,
      () => `UPDATE p SET m = ${this.#value()} WHERE ${this.#where()}`,
      () => `UPDATE p SET n = n + 1, ms = ms || m WHERE ${this.#where()}`,
      () => `UPDATE q SET o = m, m = o WHERE m > ${this.#value()}`,
      () => `DELETE FROM p WHERE ${this.#where()}`,
      () => `DELETE FROM q WHERE m <= ${this.#value()}`,
      () => 'UPDATE q SET m = enum_last(m) WHERE m = enum_first(m)',
      () => this.#newLabel(),
      () => `INSERT INTO r VALUES ${this.#pairRow()}, ${this.#pairRow()} ON CONFLICT DO NOTHING`,
      () => `INSERT INTO r VALUES ${this.#pairRow()} ON CONFLICT (id) DO UPDATE SET c = excluded.c`,
      () =>
        `INSERT INTO r (id, c) SELECT id, ROW(m, n)::pair FROM p WHERE ${this.#where()} ON CONFLICT DO NOTHING`,
      () =>
        `INSERT INTO r SELECT id + 5, c, id FROM r WHERE d <> ${random(7)} ON CONFLICT DO NOTHING`,
      () => `UPDATE r SET d = d + 1 WHERE (c).a > ${this.#value()}`,
      () => `UPDATE r SET c = ROW((c).a, d), d = DEFAULT WHERE d <> ${random(7)}`,
      () => `DELETE FROM r WHERE c = ${this.#pair()}::pair OR d = ${random(7)}`,
    ];
    return (kinds[random(kinds.length)] as () => string)();
  }

  #newLabel(): string {
    const label = `label ${this.#labels.length}`;
    const beside = this.#label();
    this.#labels.push(label);
    const side = ['', ` BEFORE '${beside}'`, ` AFTER '${beside}'`][this.#random(3)];
    return `ALTER TYPE mood ADD VALUE '${label}'${side}`;
  }

  #label(): string {
    return this.#labels[this.#random(this.#labels.length)] as string;
  }

  /** A label now and then that is none. */
  #value(): string {
    const dice = this.#random(12);
    if (dice < 2) return 'NULL';
    return dice === 2 ? "'no label'" : `'${this.#label()}'`;
  }

  #row(): string {
    const ms = this.#random(3) === 0 ? 'NULL' : `ARRAY[${this.#value()}, ${this.#value()}]::mood[]`;
    return `(${this.#random(IDS)}, ${this.#value()}, ${this.#random(3)}, ${ms})`;
  }

  #pairRow(): string {
    const c = this.#random(5) === 0 ? 'NULL' : this.#pair();
    return `(${this.#random(IDS)}, ${c}, ${this.#random(9) === 0 ? 'NULL' : this.#random(7)})`;
  }

  #pair(): string {
    return `ROW(${this.#value()}, ${this.#random(3) === 0 ? 'NULL' : this.#random(3)})`;
  }

  #where(): string {
    const tests = [
      `m = ${this.#value()}`,
      `m < ${this.#value()} OR m IS NULL`,
      `id = ${this.#random(IDS)}`,
      `m IN (SELECT o FROM q WHERE o > ${this.#value()})`,
    ];
    return tests[this.#random(tests.length)] as string;
  }
}

testHistories('views over user-defined types hold what PostgreSQL answers', {
  start: START,
  queries: QUERIES,
  statements: 42,
  statementsACheck: 6,
  reopenAt: [13, 29],
  history: (seed) => {
    const histories = new Histories(seed);
    return () => histories.statement();
  },
});
