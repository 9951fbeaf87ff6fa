/** Time windows, which PostgreSQL has only as expressions. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPullJudge, type PullJudge } from './pull-judge.ts';
import { tables } from './pull-tables.ts';

let judge: PullJudge;
before(async () => {
  judge = await openPullJudge(tables);
});
after(() => judge.close());

const bin = (size: string) => `date_bin('${size}', at, timestamp '1970-01-01')`;

/** Rows exactly the gap apart are in one session. */
const sessions = (gap: string): string =>
  `(SELECT *, min(at) OVER (PARTITION BY g) AS ws, max(at) OVER (PARTITION BY g) + interval '${gap}' AS we FROM
     (SELECT *, count(*) FILTER (WHERE b) OVER (ORDER BY at) AS g FROM
     (SELECT *, at - lag(at) OVER (ORDER BY at) > interval '${gap}' AS b FROM u WHERE isfinite(at)) AS q) AS p) AS s`;

const pairs: readonly (readonly [ours: string, postgres: string])[] = [
  [
    "SELECT id, window_start, window_end FROM TUMBLE(u, at, INTERVAL '1 minute') ORDER BY id",
    `SELECT id, ${bin('1 minute')}, ${bin('1 minute')} + interval '1 minute' FROM u WHERE isfinite(at) ORDER BY id`,
  ],
  [
    "SELECT window_start, count(*), sum(amount) FROM TUMBLE(u, at, INTERVAL '10 minutes') GROUP BY window_start ORDER BY 1",
    `SELECT ${bin('10 minutes')}, count(*), sum(amount) FROM u WHERE isfinite(at) GROUP BY 1 ORDER BY 1`,
  ],
  [
    "SELECT id, window_start, window_end FROM HOP(u, at, INTERVAL '1 minute', INTERVAL '3 minutes') ORDER BY id, 2",
    `SELECT id, s, s + interval '3 minutes' FROM u, generate_series(${bin('1 minute')} - interval '10 minutes', ${bin('1 minute')}, interval '1 minute') AS s
     WHERE isfinite(at) AND s + interval '3 minutes' > at ORDER BY id, 2`,
  ],
  [
    "SELECT id, window_start, window_end FROM CUMULATE(u, at, INTERVAL '1 minute', INTERVAL '3 minutes') ORDER BY id, 3",
    `SELECT id, w, e FROM u, LATERAL (SELECT ${bin('3 minutes')} AS w) AS x, generate_series(w + interval '1 minute', w + interval '3 minutes', interval '1 minute') AS e
     WHERE isfinite(at) AND e > at ORDER BY id, e`,
  ],
  [
    "SELECT id, window_start, window_end FROM CUMULATE(u, at, INTERVAL '1 minute', INTERVAL '3 minutes', INTERVAL '-20 s') ORDER BY id, 3",
    `SELECT id, w, e FROM u, LATERAL (SELECT date_bin('3 minutes', at, timestamp '1970-01-01 00:02:40') AS w) AS x,
       generate_series(w + interval '1 minute', w + interval '3 minutes', interval '1 minute') AS e WHERE isfinite(at) AND e > at ORDER BY id, e`,
  ],
  ...['2 minutes', '110 seconds'].map((gap): readonly [string, string] => [
    `SELECT id, window_start, window_end FROM SESSION(u, at, INTERVAL '${gap}') ORDER BY id`,
    `SELECT id, ws, we FROM ${sessions(gap)} ORDER BY id`,
  ]),
  [
    "SELECT SESSION_START(at, INTERVAL '110' SECOND), SESSION_ROWTIME(at, INTERVAL '110' SECOND), count(*) FROM u GROUP BY id > 0, SESSION(at, INTERVAL '110' SECOND) ORDER BY 1",
    `SELECT ws, we - interval '1 ms', count(*) FROM ${sessions('110 seconds')} GROUP BY ws, we ORDER BY ws`,
  ],
  [
    "SELECT HOP_END(at, INTERVAL '1' MINUTE, INTERVAL '3' MINUTE), sum(amount) FROM u WHERE id < 7 GROUP BY HOP(at, INTERVAL '1' MINUTE, INTERVAL '3' MINUTE) ORDER BY 1",
    `SELECT s + interval '3 minutes', sum(amount) FROM u, generate_series(${bin('1 minute')} - interval '2 minutes', ${bin('1 minute')}, interval '1 minute') AS s
     WHERE isfinite(at) AND id < 7 GROUP BY s ORDER BY 1`,
  ],
];

test('windows hold the rows that PostgreSQL computes by hand', async () => {
  for (const [ours, postgres] of pairs) {
    assert.deepEqual(await judge.actual(ours), await judge.expected(postgres), ours);
  }
});
