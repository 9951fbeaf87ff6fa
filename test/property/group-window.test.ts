/** Flink's group windows in views: `GROUP BY TUMBLE(t, …)` and what is asked of the window. */
import { after, before, test } from 'node:test';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, type TestTable, tableOf } from './history.ts';

before(openJudge);
after(closeJudge);

const seconds = (table: TestTable): TestTable => ({
  ...table,
  domains: table.domains.map((domain, column) =>
    table.schema[column]?.name === 't'
      ? [0n, 1_000_000n, 1_500_000n, 3_000_000n, 4_900_000n, 7_000_000n, -1n, null]
      : domain,
  ),
});

const tables = [seconds(tableOf('l', false)), seconds(tableOf('e', true))];

/** Rows of one group at so few times that many sessions are held together by one of them. */
const dense = tables.map((table) => ({
  ...table,
  domains: table.domains.map((domain, column) => {
    const name = table.schema[column]?.name;
    if (name === 't') return [0n, 1_000_000n, 1_500_000n, 3_000_000n, null];
    return name === 'o' ? [true] : domain;
  }),
}));

const bin = "date_bin('4 s', t, timestamp '1970-01-01')";

/** The rows of a source in sessions of two seconds per key, with their bounds. */
const sessions = (source: string, key: string): string =>
  `(SELECT *, min(t) OVER (PARTITION BY gk, g) AS ws, max(t) OVER (PARTITION BY gk, g) + interval '2 s' AS we
    FROM (SELECT *, sum(b0) OVER (PARTITION BY gk ORDER BY t ROWS UNBOUNDED PRECEDING) AS g
      FROM (SELECT *, CASE WHEN t - lag(t) OVER (PARTITION BY gk ORDER BY t) <= interval '2 s' THEN 0 ELSE 1 END AS b0
        FROM (SELECT *, ${key} AS gk FROM ${source} WHERE t IS NOT NULL) AS a) AS b) AS c) AS w`;

/** Leaves out rows that would hold sessions together. */
const outside = "t NOT IN ('1970-01-01 00:00:01', '1970-01-01 00:00:01.5')";

const shapes: Readonly<Record<string, readonly [query: string, postgres: string]>> = {
  tumbling: [
    `SELECT k, TUMBLE_START(t, INTERVAL '4' SECOND), TUMBLE_END(l.t, INTERVAL '4 s') AS e, TUMBLE_ROWTIME(t, INTERVAL '4' SECOND) AS r, count(*), sum(v)
     FROM l WHERE v > 0 GROUP BY TUMBLE(t, INTERVAL '4' SECOND), k HAVING TUMBLE_END(t, INTERVAL '4' SECOND) > timestamp '1970-01-01'`,
    `SELECT k, ${bin}, ${bin} + interval '4 s', ${bin} + interval '3.999 s', count(*), sum(v)
     FROM l WHERE v > 0 AND t IS NOT NULL GROUP BY k, ${bin} HAVING ${bin} + interval '4 s' > timestamp '1970-01-01'`,
  ],
  'tumbling, beside grouping sets': [
    "SELECT k, s, grouping(k), TUMBLE_START(t, INTERVAL '4' SECOND), max(v) FROM l GROUP BY TUMBLE(t, INTERVAL '4' SECOND), ROLLUP (k, s)",
    `SELECT k, s, grouping(k), w0, max(v) FROM (SELECT *, ${bin} AS w0 FROM l WHERE t IS NOT NULL) AS l GROUP BY w0, ROLLUP (k, s)`,
  ],
  'tumbling, inside of aggregates, over a join': [
    `SELECT l.k, max(TUMBLE_END(l.t, INTERVAL '1' SECOND, INTERVAL '0.5' SECOND) - l.t), count(DISTINCT e.v)
     FROM l JOIN e ON l.k = e.k GROUP BY l.k, TUMBLE(l.t, INTERVAL '1' SECOND, INTERVAL '0.5' SECOND)`,
    `SELECT k, max(w0 + interval '1 s' - t), count(DISTINCT ev)
     FROM (SELECT l.k, l.t, e.v AS ev, date_bin('1 s', l.t, timestamp '1970-01-01 00:00:00.5') AS w0 FROM l JOIN e ON l.k = e.k) AS j
     WHERE t IS NOT NULL GROUP BY k, w0`,
  ],
  hopping: [
    `SELECT HOP_START(t, INTERVAL '2' SECOND, INTERVAL '4' SECOND) AS at, HOP_END(t, INTERVAL '2' SECOND, INTERVAL '4' SECOND), k, min(v)
     FROM e GROUP BY k, HOP(t, INTERVAL '2' SECOND, INTERVAL '4' SECOND)`,
    `SELECT w0, w0 + interval '4 s', k, min(v)
     FROM e, LATERAL (SELECT date_bin('2 s', t, timestamp '1970-01-01') - i * interval '2 s' AS w0 FROM generate_series(0, 1) AS i) AS w
     WHERE t IS NOT NULL GROUP BY w0, k`,
  ],
  'sessions per group, of the rows that WHERE keeps': [
    `SELECT o, SESSION_START(t, INTERVAL '2' SECOND), SESSION_END(t, INTERVAL '2' SECOND), count(*) FROM l WHERE ${outside} GROUP BY o, SESSION(t, INTERVAL '2' SECOND)`,
    `SELECT gk, ws, we, count(*) FROM ${sessions(`(SELECT * FROM l WHERE ${outside}) AS l`, 'o')} GROUP BY gk, ws, we`,
  ],
  'sessions per computed key': [
    "SELECT k % 2 AS odd, count(*), SESSION_ROWTIME(t, INTERVAL '2' SECOND) FROM l GROUP BY 1, SESSION(t, INTERVAL '2' SECOND)",
    `SELECT gk, count(*), we - interval '1 ms' FROM ${sessions('l', 'k % 2')} GROUP BY gk, ws, we`,
  ],
  'sessions of all rows': [
    "SELECT SESSION_START(t, INTERVAL '2' SECOND), sum(v) FROM e GROUP BY SESSION(t, INTERVAL '2' SECOND)",
    `SELECT ws, sum(v) FROM ${sessions('e', '1')} GROUP BY gk, ws, we`,
  ],
  'the time of a window': [
    "SELECT window_time, k, count(*) FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(t), INTERVAL '4' SECOND)) GROUP BY k, window_start, window_end, window_time",
    `SELECT ${bin} + interval '3.999 s', k, count(*) FROM e WHERE t IS NOT NULL GROUP BY 1, 2`,
  ],
};

for (const [name, [query, postgres]] of Object.entries(shapes)) {
  test(name, async () => {
    const rows = name.includes('WHERE') ? dense : tables;
    await checkQuery({ name, query, postgres }, rows, Math.ceil(runs / 3));
  });
}
