/**
 * Streams with watermarks against PostgreSQL: out-of-order records over several partitions, views with EMIT FINAL and without, restarts.
 * Which rows are late is computed here by the definition; PostgreSQL answers the queries over the other rows, and EMIT
 * FINAL is the rows whose window ends at or before the watermark.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asBag, Judge, Subject } from './both-sides.ts';
import { reopenWithout, stateSaved } from './forget-records.ts';
import { generator } from './view-history.ts';

const RUNS_A_SEED = 50;
const seeds = Math.max(2, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / RUNS_A_SEED));
const PARTITIONS_MAX = 4;
const KEYS = 4;
const ROUNDS = 14;
const ROWS_A_ROUND_MAX = 12;
const DELAY_SECONDS = 5;
const REOPEN_AT: readonly number[] = [5, 9];
/** After all views are there: the restart finds the records gone, and goes on with what operators have saved. */
const FORGET_AT = 11;
const LATE_VIEWS_AT = 7;

const tumble = `(SELECT e.*, date_bin('10 s', ts, timestamp '1970-01-01') AS window_start,
   date_bin('10 s', ts, timestamp '1970-01-01') + interval '10 s' AS window_end FROM e WHERE ts IS NOT NULL) AS w`;
const hop = `(SELECT e.*, g AS window_start, g + interval '10 s' AS window_end FROM e, LATERAL generate_series(
   date_bin('5 s', ts, timestamp '1970-01-01') - interval '5 s', date_bin('5 s', ts, timestamp '1970-01-01'), interval '5 s') AS g) AS w`;

interface FinalView {
  readonly name: string;
  readonly query: string;
  /** With `W` for the watermark. */
  readonly postgres: string;
  /** What its operators keep for good; undefined = nothing that the watermark has passed. */
  readonly grows?: true;
  /** Views that it reads. */
  readonly over?: readonly string[];
}

const near = (join: string): string =>
  `SELECT a.ts, a.k, a.v, b.v AS other FROM e AS a ${join} e AS b ON a.k = b.k
   AND b.ts BETWEEN a.ts - interval '3 s' AND a.ts + interval '4 s' AND b.v > a.v`;
const pairs = (relation: string): string =>
  `SELECT a.k, a.window_end, a.n, b.high FROM
     (SELECT k, window_start, window_end, count(*) AS n FROM ${relation} GROUP BY k, window_start, window_end) AS a
     JOIN (SELECT k, window_start, window_end, max(v) AS high FROM ${relation} WHERE v > 20 GROUP BY k, window_start, window_end) AS b
     ON a.k = b.k AND a.window_start = b.window_start AND a.window_end = b.window_end`;
const windowsOfBoth = (relation: string): string =>
  `SELECT window_end, low, high FROM
     (SELECT window_end, min(v) AS low FROM ${relation} WHERE k < 2 GROUP BY window_end) AS a FULL JOIN
     (SELECT window_end, max(v) AS high FROM ${relation} WHERE v > 25 GROUP BY window_end) AS b USING (window_end)`;
const sliding = `SELECT k, ts, v, count(*) OVER w AS n, sum(v) OVER w AS total,
    max(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '4 s' PRECEDING AND INTERVAL '2 s' FOLLOWING) AS high
  FROM e WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '7 s' PRECEDING AND CURRENT ROW)`;
const counted = `SELECT k, ts, v, count(*) OVER (PARTITION BY k ORDER BY ts) AS so_far, sum(v) OVER (PARTITION BY k ORDER BY ts, v ROWS 2 PRECEDING) AS lately
  FROM e`;
/** Late rows have the watermark that they missed in w. */
const everyRow = `(SELECT k, v, ts, timestamp '-infinity' AS w FROM e UNION ALL SELECT k, v, ts, w FROM l)`;
const graceful = `(SELECT *, date_bin('10 s', ts, timestamp '1970-01-01') AS window_start,
   date_bin('10 s', ts, timestamp '1970-01-01') + interval '10 s' AS window_end FROM ${everyRow} AS r WHERE ts IS NOT NULL) AS g`;
const patient = `(SELECT * FROM ${everyRow} AS r WHERE ts IS NULL OR w <= ts + interval '9 s')`;
const lonely = `SELECT a.k, a.ts FROM e AS a WHERE NOT EXISTS (SELECT 1 FROM e AS b WHERE b.k = a.k AND b.v = 7
   AND b.ts > a.ts AND b.ts - a.ts <= interval '8 s')`;
const latest = (join: string): string => `SELECT a.k, a.ts, a.v, b.high FROM e AS a ${join}`;
const perTime = '(SELECT k, ts, max(v) AS high FROM e GROUP BY k, ts) AS b';
const some = '(SELECT k, ts, max(v) AS high FROM e GROUP BY k, ts HAVING max(v) > 25) AS b';
const TUMBLE_E = `TUMBLE(e, ts, INTERVAL '10 s')`;
const HOP_E = `HOP(e, ts, INTERVAL '5 s', INTERVAL '10 s')`;

const views: readonly FinalView[] = [
  {
    name: 'per_window',
    query: `SELECT k, window_start, count(*) AS n, sum(v) AS total FROM TUMBLE(e, ts, INTERVAL '10 s')
      GROUP BY k, window_start, window_end EMIT FINAL`,
    postgres: `SELECT k, window_start, count(*) AS n, sum(v) AS total FROM ${tumble} GROUP BY k, window_start, window_end HAVING window_end <= W`,
  },
  {
    name: 'ends',
    query: `SELECT window_end, max(v) AS high FROM HOP(e, ts, INTERVAL '5 s', INTERVAL '10 s')
      GROUP BY window_end HAVING count(*) > 1 EMIT ON WINDOW CLOSE`,
    postgres: `SELECT window_end, max(v) AS high FROM ${hop} GROUP BY window_end HAVING count(*) > 1 AND window_end <= W`,
  },
  {
    name: 'best',
    query: `SELECT window_end, k, v FROM (SELECT *, row_number() OVER (PARTITION BY window_end ORDER BY v DESC NULLS LAST, k, ts) AS place
        FROM TUMBLE(e, ts, INTERVAL '10 s')) AS ranked WHERE place <= 2 EMIT FINAL`,
    postgres: `SELECT window_end, k, v FROM (SELECT *, row_number() OVER (PARTITION BY window_end ORDER BY v DESC NULLS LAST, k, ts) AS place
        FROM ${tumble}) AS ranked WHERE place <= 2 AND window_end <= W`,
  },
  {
    name: 'joined',
    query: `SELECT a.window_end, a.n, b.high FROM
        (SELECT window_end, count(*) AS n FROM TUMBLE(e, ts, INTERVAL '10 s') GROUP BY window_end) AS a
        JOIN (SELECT window_end, max(v) AS high FROM TUMBLE(e, ts, INTERVAL '10 s') WHERE k > 1 GROUP BY window_end) AS b
        ON a.window_end = b.window_end EMIT FINAL`,
    postgres: `SELECT a.window_end, a.n, b.high FROM
        (SELECT window_end, count(*) AS n FROM ${tumble} GROUP BY window_end) AS a
        JOIN (SELECT window_end, max(v) AS high FROM ${tumble} WHERE k > 1 GROUP BY window_end) AS b
        ON a.window_end = b.window_end WHERE a.window_end <= W`,
  },
  {
    name: 'sessions',
    query: `SELECT k, window_start, window_end, count(*) AS n FROM SESSION(e PARTITION BY k, ts, INTERVAL '8 s')
      GROUP BY k, window_start, window_end EMIT FINAL`,
    postgres: `SELECT k, min(ts) AS window_start, max(ts) + interval '8 s' AS window_end, count(*) AS n FROM
      (SELECT *, sum(fresh) OVER (PARTITION BY k ORDER BY ts) AS session FROM
        (SELECT *, CASE WHEN ts - lag(ts) OVER (PARTITION BY k ORDER BY ts) <= interval '8 s' THEN 0 ELSE 1 END AS fresh
         FROM e WHERE ts IS NOT NULL) AS a) AS b
      GROUP BY k, session HAVING max(ts) + interval '8 s' < W`,
  },
  {
    name: 'rows_in_order',
    query: 'SELECT ts, k FROM e EMIT FINAL',
    postgres: 'SELECT ts, k FROM e WHERE ts < W',
  },
  {
    name: 'always',
    query: `SELECT k, window_start, count(*) AS n FROM TUMBLE(e, ts, INTERVAL '10 s') GROUP BY k, window_start`,
    postgres: `SELECT k, window_start, count(*) AS n FROM ${tumble} GROUP BY k, window_start`,
  },
  { name: 'near', query: near('JOIN'), postgres: near('JOIN') },
  { name: 'near_left', query: near('LEFT JOIN'), postgres: near('LEFT JOIN') },
  { name: 'near_full', query: near('FULL JOIN'), postgres: near('FULL JOIN') },
  {
    name: 'near_left_final',
    query: `${near('LEFT JOIN')} EMIT FINAL`,
    postgres: `${near('LEFT JOIN')} WHERE a.ts + interval '4 s' < W`,
  },
  {
    name: 'near_full_final',
    query: `${near('FULL JOIN')} EMIT FINAL`,
    postgres: `${near('FULL JOIN')} WHERE CASE WHEN a.ts IS NULL THEN b.ts + interval '3 s' < W ELSE a.ts + interval '4 s' < W END`,
  },
  {
    name: 'windows_full_final',
    query: `${windowsOfBoth(TUMBLE_E)} EMIT FINAL`,
    postgres: `SELECT * FROM (${windowsOfBoth(tumble)}) AS q WHERE window_end <= W`,
  },
  {
    name: 'grace',
    query: `SELECT k, window_end, count(*) AS n, max(v) AS high FROM e
      WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 7 SECONDS) GROUP BY k, window_end`,
    postgres: `SELECT k, window_end, count(*) AS n, max(v) AS high FROM ${graceful} WHERE w < window_end + interval '7 s' GROUP BY k, window_end`,
  },
  {
    name: 'grace_final',
    query: `SELECT k, window_start, count(*) AS n, max(v) AS high FROM e
      WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 7 SECONDS) GROUP BY k, window_start EMIT FINAL`,
    postgres: `SELECT k, window_start, count(*) AS n, max(v) AS high FROM ${graceful} WHERE w < window_end + interval '7 s'
      GROUP BY k, window_start, window_end HAVING window_end + interval '7 s' <= W`,
  },
  {
    name: 'grace_after_watermark',
    query: `SELECT k, window_start, count(*) AS n, max(v) AS high FROM e
      WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 7 SECONDS) GROUP BY k, window_start EMIT AFTER WATERMARK`,
    postgres: `SELECT k, window_start, count(*) AS n, max(v) AS high FROM ${graceful} WHERE w < window_end + interval '7 s'
      GROUP BY k, window_start, window_end HAVING window_end <= W`,
  },
  {
    name: 'within_grace',
    query: `SELECT a.k, a.ts, b.v FROM e AS a LEFT JOIN e AS b WITHIN (2 SECONDS, 3 SECONDS) GRACE PERIOD 9 SECONDS ON a.k = b.k AND b.v > 30 EMIT FINAL`,
    postgres: `SELECT a.k, a.ts, b.v FROM ${patient} AS a LEFT JOIN ${patient} AS b ON a.k = b.k AND b.v > 30
      AND b.ts BETWEEN a.ts - interval '2 s' AND a.ts + interval '3 s' WHERE a.ts + interval '12 s' < W`,
  },
  { name: 'lonely', query: lonely, postgres: lonely },
  {
    name: 'lonely_final',
    query: `${lonely} EMIT FINAL`,
    postgres: `SELECT * FROM (${lonely}) AS q WHERE ts + interval '8 s' < W`,
  },
  { name: 'pairs', query: pairs(TUMBLE_E), postgres: pairs(tumble) },
  { name: 'hopping_pairs', query: pairs(HOP_E), postgres: pairs(hop) },
  {
    name: 'places',
    query: `SELECT k, v, ts, row_number() OVER (PARTITION BY window_end, k ORDER BY v NULLS FIRST, ts) AS place, sum(v) OVER (PARTITION BY window_end, k) AS total FROM ${HOP_E}`,
    postgres: `SELECT k, v, ts, row_number() OVER (PARTITION BY window_end, k ORDER BY v NULLS FIRST, ts) AS place, sum(v) OVER (PARTITION BY window_end, k) AS total FROM ${hop}`,
  },
  {
    name: 'places_final',
    query: `SELECT ts, k, v, row_number() OVER (PARTITION BY window_end, k ORDER BY v NULLS FIRST, ts) AS place FROM ${TUMBLE_E} EMIT FINAL`,
    postgres: `SELECT ts, k, v, place FROM (SELECT *, row_number() OVER (PARTITION BY window_end, k ORDER BY v NULLS FIRST, ts) AS place FROM ${tumble}) AS q WHERE window_end <= W`,
  },
  {
    name: 'tops',
    query: `SELECT window_end, k, v, place FROM (SELECT *, rank() OVER (PARTITION BY window_end ORDER BY v DESC NULLS LAST) AS place FROM ${TUMBLE_E}) AS q WHERE place <= 2`,
    postgres: `SELECT window_end, k, v, place FROM (SELECT *, rank() OVER (PARTITION BY window_end ORDER BY v DESC NULLS LAST) AS place FROM ${tumble}) AS q WHERE place <= 2`,
  },
  {
    name: 'growing_windows',
    query: `SELECT k, window_end, count(*) AS n, sum(v) AS total FROM CUMULATE(e, ts, INTERVAL '5 s', INTERVAL '15 s') GROUP BY k, window_start, window_end EMIT FINAL`,
    postgres: `SELECT k, window_end, count(*) AS n, sum(v) AS total FROM
      (SELECT e.*, at + i * interval '5 s' AS window_end FROM e, LATERAL (SELECT date_bin('15 s', ts, timestamp '1970-01-01') AS at) AS s,
        generate_series(1, 3) AS i WHERE ts < at + i * interval '5 s') AS w GROUP BY k, window_end HAVING window_end <= W`,
  },
  {
    // A pair comes out once no row can come between its two.
    name: 'rises',
    query: `SELECT * FROM e MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, v MEASURES a.ts AS since, a.v AS low, b.ts AS until, b.v AS high
      ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (a b) WITHIN INTERVAL '6 s' DEFINE b AS b.v > a.v)`,
    postgres: `SELECT k, ts, v, until, high FROM (SELECT k, ts, v, lead(ts) OVER w AS until, lead(v) OVER w AS high FROM e
      WHERE ts IS NOT NULL WINDOW w AS (PARTITION BY k ORDER BY ts, v)) AS q WHERE high > v AND until <= ts + interval '6 s' AND until < W`,
  },
  { name: 'sliding', query: sliding, postgres: sliding },
  {
    name: 'sliding_final',
    query: `${sliding} EMIT FINAL`,
    postgres: `SELECT * FROM (${sliding}) AS q WHERE ts + interval '2 s' < W`,
  },
  {
    name: 'counted_final',
    query: `${counted} EMIT FINAL`,
    postgres: `SELECT * FROM (${counted}) AS q WHERE ts < W`,
    grows: true,
  },
  {
    name: 'seen',
    query: `SELECT DISTINCT k, window_end FROM ${HOP_E}`,
    postgres: `SELECT DISTINCT k, window_end FROM ${hop}`,
  },
  {
    name: 'only_low',
    query: `SELECT k, window_end FROM ${TUMBLE_E} WHERE v < 20 EXCEPT SELECT k, window_end FROM ${TUMBLE_E} WHERE v > 40`,
    postgres: `SELECT k, window_end FROM ${tumble} WHERE v < 20 EXCEPT SELECT k, window_end FROM ${tumble} WHERE v > 40`,
  },
  {
    name: 'visits',
    query: `SELECT k, window_start, window_end, count(*) AS n, min(v) AS low, count(DISTINCT v) AS kinds
      FROM SESSION(e PARTITION BY k, ts, INTERVAL '8 s') GROUP BY k, window_start, window_end`,
    postgres: `SELECT k, min(ts) AS window_start, max(ts) + interval '8 s' AS window_end, count(*) AS n, min(v) AS low, count(DISTINCT v) AS kinds FROM
      (SELECT *, sum(fresh) OVER (PARTITION BY k ORDER BY ts) AS session FROM
        (SELECT *, CASE WHEN ts - lag(ts) OVER (PARTITION BY k ORDER BY ts) <= interval '8 s' THEN 0 ELSE 1 END AS fresh
         FROM e WHERE ts IS NOT NULL) AS a) AS b GROUP BY k, session`,
  },
  {
    name: 'minutes',
    query: `SELECT date_trunc('minute', ts) AS minute, k, count(*) AS n, array_agg(v ORDER BY v) AS all_v FROM e GROUP BY 1, 2 EMIT FINAL`,
    postgres: `SELECT date_trunc('minute', ts) AS minute, k, count(*) AS n, array_agg(v ORDER BY v) AS all_v FROM e
      GROUP BY 1, 2 HAVING date_trunc('minute', ts) + interval '1 minute' <= W`,
  },
  {
    name: 'bins',
    query: `SELECT date_bin('7 s', ts, timestamp '2024-01-01') AS bin, max(v) AS high FROM e GROUP BY 1`,
    postgres: `SELECT date_bin('7 s', ts, timestamp '2024-01-01') AS bin, max(v) AS high FROM e GROUP BY 1`,
  },
  {
    name: 'totals',
    over: ['per_window'],
    query: `SELECT date_bin('30 s', window_start, timestamp '1970-01-01') AS bin, sum(total) AS total, count(*) AS n FROM per_window GROUP BY 1 EMIT FINAL`,
    postgres: `SELECT bin, sum(total) AS total, count(*) AS n FROM (SELECT k, sum(v) AS total,
        date_bin('30 s', window_start, timestamp '1970-01-01') AS bin FROM ${tumble} GROUP BY k, window_start) AS q
      GROUP BY bin HAVING bin + interval '30 s' <= W`,
  },
  {
    name: 'busiest',
    over: ['always'],
    query: `SELECT window_start, k, n FROM (SELECT *, rank() OVER (PARTITION BY window_start ORDER BY n DESC) AS place FROM always) AS q WHERE place = 1 EMIT FINAL`,
    postgres: `SELECT window_start, k, n FROM (SELECT *, rank() OVER (PARTITION BY window_start ORDER BY n DESC) AS place
        FROM (SELECT k, window_start, count(*) AS n FROM ${tumble} GROUP BY k, window_start) AS c) AS q
      WHERE place = 1 AND window_start + interval '10 s' <= W`,
  },
  {
    name: 'in_order_windows',
    over: ['rows_in_order'],
    query: `SELECT window_end, count(*) AS n, count(DISTINCT k) AS ks FROM TUMBLE(rows_in_order, ts, INTERVAL '10 s') GROUP BY window_start, window_end EMIT FINAL`,
    postgres: `SELECT window_end, count(*) AS n, count(DISTINCT k) AS ks FROM ${tumble} GROUP BY window_end HAVING window_end <= W`,
  },
  {
    name: 'near_view',
    over: ['rows_in_order', 'best'],
    query: `SELECT a.k, a.ts, b.high FROM rows_in_order AS a LEFT JOIN (SELECT window_end, max(v) AS high FROM best GROUP BY window_end) AS b
      ON b.window_end BETWEEN a.ts AND a.ts + interval '10 s' EMIT FINAL`,
    postgres: `SELECT a.k, a.ts, b.high FROM e AS a LEFT JOIN (SELECT window_end, max(v) AS high FROM ${tumble} GROUP BY window_end) AS b
      ON b.window_end BETWEEN a.ts AND a.ts + interval '10 s' WHERE a.ts + interval '10 s' <= W`,
  },
  {
    name: 'latest',
    query: latest(`ASOF LEFT JOIN ${perTime} ON a.k = b.k AND a.ts > b.ts`),
    postgres: latest(
      `LEFT JOIN LATERAL (SELECT * FROM ${perTime} WHERE a.k = b.k AND a.ts > b.ts ORDER BY b.ts DESC LIMIT 1) AS b ON true`,
    ),
  },
  {
    name: 'as_of_inner',
    query: `SELECT a.k, a.ts, b.ts AS since FROM e AS a ASOF JOIN (SELECT k AS c, ts FROM e WHERE v > 30) AS b ON a.k = b.c AND b.ts <= a.ts`,
    postgres: `SELECT a.k, a.ts, b.ts AS since FROM e AS a
      JOIN LATERAL (SELECT ts FROM e WHERE k = a.k AND v > 30 AND ts <= a.ts ORDER BY ts DESC LIMIT 1) AS b ON true`,
  },
  {
    // Rows that ask are taken back.
    name: 'as_of_once',
    query: `SELECT a.k, a.ts, b.ts AS since FROM (SELECT k, ts FROM e GROUP BY k, ts HAVING count(*) = 1) AS a
      ASOF JOIN (SELECT k AS c, ts FROM e WHERE v > 10) AS b ON a.k = b.c AND b.ts < a.ts`,
    postgres: `SELECT a.k, a.ts, b.ts AS since FROM (SELECT k, ts FROM e GROUP BY k, ts HAVING count(*) = 1) AS a
      JOIN LATERAL (SELECT ts FROM e WHERE k = a.k AND v > 10 AND ts < a.ts ORDER BY ts DESC LIMIT 1) AS b ON true`,
    grows: true,
  },
  {
    // The newest version may be one that is left out.
    name: 'as_of_some',
    query: latest(`ASOF JOIN ${some} ON a.k = b.k AND a.ts >= b.ts`),
    postgres: latest(
      `JOIN LATERAL (SELECT * FROM ${some} WHERE a.k = b.k AND a.ts >= b.ts ORDER BY b.ts DESC LIMIT 1) AS b ON true`,
    ),
    grows: true,
  },
  {
    name: 'versioned',
    over: ['rows_in_order'],
    query: `SELECT a.k, a.v, a.ts, b.ts AS since FROM e AS a LEFT JOIN rows_in_order FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k AND a.v > 5`,
    postgres: `SELECT a.k, a.v, a.ts, b.ts AS since FROM e AS a
      LEFT JOIN LATERAL (SELECT ts FROM e WHERE k = a.k AND a.v > 5 AND ts <= a.ts AND ts < W ORDER BY ts DESC LIMIT 1) AS b ON true`,
  },
];

interface Reading {
  readonly k: number;
  readonly v: number | null;
  readonly seconds: number | null;
  readonly partition: number;
}

/** The stream by its definition: watermarks per partition, late rows apart. Times are seconds. */
class Reference {
  readonly kept: Reading[] = [];
  readonly late: (Reading & { readonly missed: number })[] = [];
  /** How many of the kept rows the stream has no record of any more. */
  forgotten = 0;
  readonly partitions: number;
  readonly #marks = new Map<number, number>();
  #published = Number.NEGATIVE_INFINITY;

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  /** One round is one epoch: the watermark is told when it ends. */
  round(rows: readonly Reading[]): void {
    for (const row of rows) {
      const mark = this.#marks.get(row.partition) ?? Number.NEGATIVE_INFINITY;
      const missed = Math.max(mark, this.#published);
      if (row.seconds !== null && row.seconds < missed) {
        this.late.push({ ...row, missed });
        continue;
      }
      this.kept.push(row);
      if (row.seconds !== null)
        this.#marks.set(row.partition, Math.max(mark, row.seconds - DELAY_SECONDS));
    }
  }

  get watermark(): number {
    if (this.#marks.size < this.partitions) return Number.NEGATIVE_INFINITY;
    this.#published = Math.max(this.#published, Math.min(...this.#marks.values()));
    return this.#published;
  }
}

const START_MS = Date.UTC(2024, 0, 1);
const timestampOf = (seconds: number): string =>
  new Date(START_MS + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
const valuesOf = (rows: readonly Reading[]): string =>
  rows
    .map(({ k, v, seconds }) => {
      const ts = seconds === null ? 'NULL' : `'${timestampOf(seconds)}'`;
      return `(${k}, ${v ?? 'NULL'}, ${ts})`;
    })
    .join(', ');

const lateValuesOf = (rows: Reference['late']): string =>
  rows
    .map(({ k, v, seconds, missed }) => {
      return `(${k}, ${v ?? 'NULL'}, '${timestampOf(seconds ?? 0)}', '${timestampOf(missed)}')`;
    })
    .join(', ');

async function required(side: Judge | Subject, sql: string): Promise<void> {
  const answer = await side.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
}

/** Every other view is there from the beginning, if those that it reads are. */
function isEarly({ over = [] }: FinalView, index: number): boolean {
  const first = over.map((name) => views.findIndex((view) => view.name === name));
  return [index, ...first].every((i) => i % 2 === 0);
}

async function createView(subject: Subject, { name, query }: FinalView): Promise<void> {
  await required(subject, `CREATE MATERIALIZED VIEW ${name} AS ${query}`);
}

for (let seed = 1; seed <= seeds; seed++) {
  const partitions = 1 + (seed % PARTITIONS_MAX);
  test(`watermarks ${seed}, ${partitions} partitions: late rows and final rows are those of the definition`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-event-time-'));
    const judge = await Judge.open();
    const subject = await Subject.open(folder);
    const random = generator(seed);
    const reference = new Reference(partitions);
    try {
      await required(judge, 'CREATE TABLE e (k int, v int, ts timestamp)');
      await required(judge, 'CREATE TABLE l (k int, v int, ts timestamp, w timestamp)');
      await required(
        subject,
        `CREATE STREAM e (k int, v int, ts timestamp, WATERMARK FOR ts AS ts - INTERVAL '${DELAY_SECONDS} seconds')
         WITH (partitions = ${partitions}, idle_timeout = '0')`,
      );
      const early = views.filter(isEarly);
      for (const view of early) await createView(subject, view);
      let created: readonly FinalView[] = early;
      for (let round = 0; round < ROUNDS; round++) {
        const rows = Array.from({ length: 1 + random(ROWS_A_ROUND_MAX) }, (): Reading => {
          const seconds = round * 6 + random(20) - (random(8) === 0 ? 25 : 0);
          return {
            k: random(KEYS),
            v: random(6) === 0 ? null : random(50),
            seconds: random(20) === 0 ? null : seconds,
            partition: random(partitions),
          };
        });
        const sorted = rows.toSorted((a, b) => a.partition - b.partition);
        for (let partition = 0; partition < partitions; partition++) {
          const own = sorted.filter((row) => row.partition === partition);
          const records = own.map(({ k, v, seconds }) => ({
            partition,
            value: JSON.stringify({ k, v, ts: seconds === null ? null : timestampOf(seconds) }),
          }));
          if (records.length > 0) await produce(subject, records);
        }
        await required(subject, 'FLUSH');
        reference.round(sorted);
        if (round === LATE_VIEWS_AT) {
          for (const view of views) if (!created.includes(view)) await createView(subject, view);
          created = views;
        }
        if (REOPEN_AT.includes(round)) await subject.reopen();
        if (round === FORGET_AT) {
          await stateSaved(subject);
          await reopenWithout(subject, folder, 'e');
          reference.forgotten = reference.kept.length;
        }
        await required(judge, 'TRUNCATE e, l');
        if (reference.late.length > 0)
          await required(judge, `INSERT INTO l VALUES ${lateValuesOf(reference.late)}`);
        if (reference.kept.length > 0)
          await required(judge, `INSERT INTO e VALUES ${valuesOf(reference.kept)}`);
        await check(judge, subject, created, reference);
      }
      await checkForgotten(judge, subject, reference);
      assert.ok(
        reference.late.length > 0 && reference.watermark > 0,
        'the history shows something',
      );
    } finally {
      await subject.close();
      await judge.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function produce(
  subject: Subject,
  records: readonly { readonly partition: number; readonly value: string }[],
): Promise<void> {
  await subject.database.produce(
    'e',
    records.map(({ partition, value }) => ({
      partition,
      key: null,
      value: Buffer.from(value),
      timestampMs: START_MS,
      headers: [],
    })),
  );
}

async function check(
  judge: Judge,
  subject: Subject,
  created: readonly FinalView[],
  reference: Reference,
): Promise<void> {
  const { watermark } = reference;
  // A view tells its watermark at the end of the epoch after the one that it became level in.
  await required(subject, 'FLUSH');
  const at = Number.isFinite(watermark)
    ? `timestamp '${timestampOf(watermark)}'`
    : "timestamp '-infinity'";
  for (const { name, postgres } of created) {
    const expected = asBag(await judge.run(postgres.replaceAll(/\bW\b/g, at)));
    assert.equal(expected.kind, 'answered', `${postgres}: ${JSON.stringify(expected)}`);
    const actual = asBag(await subject.run(`SELECT * FROM ${name}`));
    assert.deepEqual(rowsOf(actual), rowsOf(expected), `${name} at ${at}`);
  }
  const retained = String(reference.kept.length - reference.forgotten);
  const kept = await subject.run('SELECT count(*) FROM e');
  assert.deepEqual(rowsOf(kept), [[retained]], `rows of the stream at ${at}`);
  const late = await subject.run('SELECT count(*) FROM e_late');
  assert.deepEqual(rowsOf(late), [[String(reference.late.length)]], `late rows at ${at}`);
}

/** The watermark passes everything: views keep their rows, operators nothing but what has no time or is still open. */
async function checkForgotten(judge: Judge, subject: Subject, reference: Reference): Promise<void> {
  const last = Array.from({ length: reference.partitions }, (_, partition): Reading => {
    return { k: 1, v: 1, seconds: 10_000, partition };
  });
  for (const { partition, seconds, k, v } of last) {
    const value = JSON.stringify({ k, v, ts: timestampOf(seconds ?? 0) });
    await produce(subject, [{ partition, value }]);
  }
  await required(subject, 'FLUSH');
  reference.round(last);
  await required(judge, `INSERT INTO e VALUES ${valuesOf(last)}`);
  await check(judge, subject, views, reference);
  const timeless = reference.kept.filter(({ seconds }) => seconds === null).length;
  for (const { name, grows } of views) {
    const answer = await subject.run(`EXPLAIN ANALYZE ${name}`);
    const text = JSON.stringify(rowsOf(answer));
    const entries = [...text.matchAll(/(\d+) entries/g)].map(([, count]) => Number(count));
    const most = Math.max(...entries);
    // The open rows, in two windows at most, and as pairs with one another; of each key the newest version.
    const open = reference.partitions ** 2 + KEYS + timeless;
    if (grows === true) assert.match(text, /grows? without end/, name);
    else
      assert.ok(most <= open, `${name} keeps ${most} entries, of ${open} that are open: ${text}`);
    if (grows !== true) assert.doesNotMatch(text, /without end/, name);
  }
}

function rowsOf(answer: Awaited<ReturnType<Subject['run']>>): unknown {
  return answer.kind === 'answered' ? answer.rows : answer;
}

test('windows of a topic whose last partition is empty close when it is idle', async () => {
  const subject = await Subject.open();
  try {
    await required(
      subject,
      `CREATE STREAM e (k int, ts timestamp, WATERMARK FOR ts AS ts) WITH (partitions = 2, idle_timeout = '500 ms')`,
    );
    await required(
      subject,
      `CREATE MATERIALIZED VIEW closed AS SELECT window_start, count(*) AS n FROM TUMBLE(e, ts, INTERVAL '10 s')
       GROUP BY window_start, window_end EMIT FINAL`,
    );
    const record = (seconds: number) => ({
      partition: 0,
      value: JSON.stringify({ k: 1, ts: timestampOf(seconds) }),
    });
    await produce(subject, [record(1), record(2), record(11)]);
    await required(subject, 'FLUSH');
    assert.deepEqual(rowsOf(await subject.run('SELECT n FROM closed')), []);
    const started = performance.now();
    while ((rowsOf(await subject.run('SELECT n FROM closed')) as unknown[]).length === 0) {
      assert.ok(performance.now() - started < 1_500 + 500, 'within the timeout and a second');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(rowsOf(await subject.run('SELECT n FROM closed')), [['2']]);
    const shown = await subject.run('SHOW WATERMARKS');
    assert.equal(shown.kind === 'answered' && shown.rows.length, 2);
  } finally {
    await subject.close();
  }
});

for (const [what, halt, resume] of [
  ['paused', 'PAUSE e', 'RESUME e'],
  ['held by a full sink', 'PAUSE out', 'RESUME out'],
] as const) {
  test(`records that come while a stream is ${what} are not late`, async () => {
    const subject = await Subject.open();
    try {
      await required(
        subject,
        `CREATE STREAM e (k int, ts timestamp, WATERMARK FOR ts AS ts) WITH (idle_timeout = '400 ms')`,
      );
      await required(
        subject,
        `CREATE SINK out AS SELECT k FROM e WITH (topic = 'out', outbox_bytes_max = 1)`,
      );
      const at = (k: number, milliseconds: number) => ({
        partition: 0,
        value: JSON.stringify({ k, ts: new Date(1e12 + milliseconds).toISOString() }),
      });
      await produce(subject, [at(0, 0)]);
      await required(subject, 'FLUSH');
      await required(subject, halt);
      // A paused sink fills up with the first, so that the second waits as it does when the stream is paused.
      await produce(subject, [at(1, 1)]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await produce(subject, [at(2, 2)]);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await required(subject, resume);
      await required(subject, 'FLUSH');
      assert.deepEqual(rowsOf(await subject.run('SELECT k FROM e ORDER BY k')), [
        ['0'],
        ['1'],
        ['2'],
      ]);
      assert.deepEqual(rowsOf(await subject.run('SELECT k FROM e_late')), []);
    } finally {
      await subject.close();
    }
  });
}

test('what never becomes final is refused, with what is missing', async () => {
  const subject = await Subject.open();
  try {
    await required(subject, 'CREATE STREAM plain (k int, ts timestamp)');
    await required(subject, 'CREATE STREAM e (k int, ts timestamp, WATERMARK FOR ts AS ts)');
    for (const query of [
      `SELECT window_end, count(*) FROM TUMBLE(plain, ts, INTERVAL '10 s') GROUP BY window_end EMIT FINAL`,
      'SELECT k, count(*) FROM e GROUP BY k EMIT FINAL',
      'SELECT e.ts, plain.k FROM e JOIN plain ON e.ts = plain.ts EMIT FINAL',
      'SELECT ts, k FROM e ORDER BY k LIMIT 3 EMIT FINAL',
    ]) {
      const answer = await subject.run(`CREATE MATERIALIZED VIEW v AS ${query}`);
      assert.equal(answer.kind === 'failed' && answer.sqlstate, '0A000', query);
    }
    const wrong = await subject.run(
      "CREATE STREAM f (ts timestamp, WATERMARK FOR ts AS ts) WITH (idle_timeout = 'soon')",
    );
    assert.match(wrong.kind === 'failed' ? wrong.message : '', /idle_timeout/);
  } finally {
    await subject.close();
  }
});

test('CREATE names what can grow without end with a stream that has a watermark, and only that', async () => {
  const subject = await Subject.open();
  const messageOf = async (sql: string): Promise<string> => {
    const session = subject.database.session('warned');
    for await (const result of session.execute(sql, [], new AbortController().signal)) {
      assert.ok(result.kind === 'ok');
      return result.message;
    }
    return '';
  };
  try {
    await required(subject, 'CREATE STREAM e (k int, ts timestamp, WATERMARK FOR ts AS ts)');
    await required(subject, 'CREATE STREAM plain (k int)');
    await required(subject, 'CREATE TABLE d (k int PRIMARY KEY, name text)');
    const growing = /^WARNING: .* e, as no watermark .*: aggregate by \(k\): count\(\*\)$/;
    const query = 'SELECT k, count(*) AS n FROM e GROUP BY k';
    assert.match(await messageOf(`CREATE MATERIALIZED VIEW a AS ${query}`), growing);
    assert.match(await messageOf(`CREATE SINK b AS ${query} WITH (topic = 'b')`), growing);
    // A table that each row meets is kept, and is as large as it is; the stream's rows are kept beside it.
    assert.match(
      await messageOf('CREATE MATERIALIZED VIEW c AS SELECT name, ts FROM e JOIN d ON d.k = e.k'),
      /inner join on k = k/,
    );
    for (const quiet of [
      'SELECT k, count(*) AS n FROM plain GROUP BY k',
      'SELECT name, count(*) AS n FROM d GROUP BY name',
      'SELECT count(*) AS n, max(ts) AS last FROM e',
      'SELECT ts, k FROM e ORDER BY ts DESC LIMIT 3',
      "SELECT k, count(*) AS n FROM e WHERE ts > now() - INTERVAL '1 hour' GROUP BY k",
      `SELECT k, window_end, count(*) AS n FROM ${TUMBLE_E} GROUP BY k, window_end`,
    ]) {
      assert.equal(await messageOf(`CREATE OR REPLACE MATERIALIZED VIEW q AS ${quiet}`), '', quiet);
    }
  } finally {
    await subject.close();
  }
});
