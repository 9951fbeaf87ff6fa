/** CUMULATE and SESSION in views, and windows with an offset. */
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

const sessions = (table: string, partition: string, gap: string): string => {
  const by = partition === '' ? '' : `PARTITION BY ${partition}`;
  const also = partition === '' ? 'PARTITION BY g' : `PARTITION BY ${partition}, g`;
  return `(SELECT *, min(t) OVER (${also}) AS window_start, max(t) OVER (${also}) + interval '${gap}' AS window_end
    FROM (SELECT *, sum(b0) OVER (${by} ORDER BY t ROWS UNBOUNDED PRECEDING) AS g
      FROM (SELECT *, CASE WHEN t - lag(t) OVER (${by} ORDER BY t) <= interval '${gap}' THEN 0 ELSE 1 END AS b0
        FROM ${table} WHERE t IS NOT NULL) AS x) AS y) AS w`;
};

const cumulated = (table: string, step: number, size: number, origin = '1970-01-01'): string =>
  `(SELECT q.*, s.at AS window_start, s.at + i * interval '${step} s' AS window_end
    FROM ${table} AS q, LATERAL (SELECT date_bin('${size} s', t, timestamp '${origin}') AS at) AS s,
      generate_series(1, ${size / step}) AS i WHERE t < s.at + i * interval '${step} s') AS w`;

const shapes: Readonly<Record<string, readonly [query: string, postgres: string]>> = {
  'cumulated windows': [
    "SELECT k, v, window_start, window_end FROM CUMULATE(l, t, INTERVAL '1 s', INTERVAL '4 s') AS w",
    `SELECT k, v, window_start, window_end FROM ${cumulated('l', 1, 4)}`,
  ],
  'cumulated windows with an offset': [
    "SELECT k, window_start, window_end, count(*) FROM CUMULATE(l, t, INTERVAL '1 s', INTERVAL '3 s', INTERVAL '-1.5 s') AS w GROUP BY k, window_start, window_end",
    `SELECT k, window_start, window_end, count(*) FROM ${cumulated('l', 1, 3, '1969-12-31 23:59:58.5')} GROUP BY k, window_start, window_end`,
  ],
  'cumulated counts': [
    "SELECT k, window_start, window_end, count(*), sum(v) FROM TABLE(CUMULATE(TABLE e, DESCRIPTOR(t), INTERVAL '2' SECOND, INTERVAL '4' SECOND)) AS w GROUP BY k, window_start, window_end",
    `SELECT k, window_start, window_end, count(*), sum(v) FROM ${cumulated('e', 2, 4)} GROUP BY k, window_start, window_end`,
  ],
  sessions: [
    "SELECT k, v, window_start, window_end FROM SESSION(l, t, INTERVAL '2 s') AS w",
    `SELECT k, v, window_start, window_end FROM ${sessions('l', '', '2 s')}`,
  ],
  'sessions per key': [
    "SELECT k, v, s, window_start, window_end FROM SESSION(l PARTITION BY k, t, INTERVAL '2 s') AS w",
    `SELECT k, v, s, window_start, window_end FROM ${sessions('l', 'k', '2 s')}`,
  ],
  'counts per session': [
    "SELECT k, window_start, window_end, count(*), max(v) FROM TABLE(SESSION(TABLE e PARTITION BY k, DESCRIPTOR(t), INTERVAL '1.6' SECOND)) AS w GROUP BY k, window_start, window_end",
    `SELECT k, window_start, window_end, count(*), max(v) FROM ${sessions('e', 'k', '1.6 s')} GROUP BY k, window_start, window_end`,
  ],
  'counts per session of a group': [
    'SELECT k, s, window_start, windowend, count(*) FROM l WINDOW SESSION (2 SECONDS) GROUP BY k, s',
    `SELECT k, s, window_start, (extract(epoch FROM window_end - interval '2 s') * 1000)::bigint, count(*) FROM ${sessions('l', 'k, s', '2 s')} GROUP BY k, s, window_start, window_end`,
  ],
  'counts per session of a group, of the rows that WHERE keeps': [
    "SELECT o, window_start, window_end, count(*) FROM l WINDOW SESSION (2 SECONDS) WHERE t NOT IN ('1970-01-01 00:00:01', '1970-01-01 00:00:01.5') GROUP BY o",
    `SELECT o, window_start, window_end, count(*) FROM ${sessions("(SELECT * FROM l WHERE t NOT IN ('1970-01-01 00:00:01', '1970-01-01 00:00:01.5')) AS l", 'o', '2 s')} GROUP BY o, window_start, window_end`,
  ],
  'sessions for each row of another table': [
    "SELECT q.v, p.n FROM l AS q, LATERAL (SELECT count(DISTINCT window_start) AS n FROM SESSION((SELECT * FROM e WHERE e.v > q.v), t, INTERVAL '2 s') AS w) AS p",
    `SELECT q.v, p.n FROM l AS q, LATERAL (SELECT count(DISTINCT window_start) AS n FROM ${sessions('(SELECT * FROM e WHERE e.v > q.v) AS e', '', '2 s')}) AS p`,
  ],
  'tumbling windows with an offset': [
    "SELECT k, window_start, count(*) FROM TUMBLE(l, t, INTERVAL '4 s', INTERVAL '1 s') AS w GROUP BY k, window_start",
    "SELECT k, date_bin('4 s', t, timestamp '1970-01-01 00:00:01'), count(*) FROM l WHERE t IS NOT NULL GROUP BY 1, 2",
  ],
};

for (const [name, [query, postgres]] of Object.entries(shapes)) {
  test(name, async () => {
    const rows = name.includes('WHERE') ? dense : tables;
    await checkQuery({ name, query, postgres }, rows, Math.ceil(runs / 2));
  });
}
