/**
 * Nexmark's windowed queries in their event-time forms, over records that come out of order inside the watermark's bound and over
 * one to four partitions, with restarts after which the records are gone. PostgreSQL answers over the whole history;
 * in the end operators keep what belongs to open windows, and nothing else.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDuckdbStore } from '../../engine/store/duckdb-store.ts';
import { asBag, Judge, Subject } from './both-sides.ts';
import { generator } from './view-history.ts';

const RUNS_A_SEED = 100;
const seeds = Math.max(1, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / RUNS_A_SEED));
const DELAY_SECONDS = 4;
const EVENTS = 900;
const MILLISECONDS_AN_EVENT = 60;
const ROUNDS = 6;
const TRIM_AFTER: readonly number[] = [2, 4];
/** Every limit is passed at once, so that all is saved again and again. */
const SAVE_OFTEN = { logBytesMin: 1, logToStateRatio: 0, idleMs: 0, idleLogBytesMin: 1 };
const SAVED_WAIT_MS = 30_000;
/** Some windows lie on both sides of midnight. */
const START_MS = Date.UTC(2024, 0, 1, 23, 59, 30);

const COLUMNS = {
  person: 'id bigint, name text, date_time timestamp',
  auction: 'id bigint, seller bigint, date_time timestamp',
  bid: 'auction bigint, bidder bigint, price bigint, channel text, extra text, date_time timestamp',
} as const;
type Kind = keyof typeof COLUMNS;
const kinds = Object.keys(COLUMNS) as Kind[];

interface Event {
  readonly kind: Kind;
  readonly ms: number;
  readonly values: Readonly<Record<string, string | number>>;
}

const hop = (relation: string): string =>
  `(SELECT x.*, g AS window_start, g + interval '10 s' AS window_end FROM ${relation} AS x, LATERAL generate_series(
     date_bin('2 s', date_time, timestamp '1970-01-01') - interval '8 s', date_bin('2 s', date_time, timestamp '1970-01-01'), interval '2 s') AS g)`;
const tumble = (relation: string): string =>
  `(SELECT x.*, date_bin('10 s', date_time, timestamp '1970-01-01') AS window_start,
     date_bin('10 s', date_time, timestamp '1970-01-01') + interval '10 s' AS window_end FROM ${relation} AS x)`;
const HOP = (relation: string): string =>
  `HOP(${relation}, date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)`;
const TUMBLE = (relation: string): string => `TUMBLE(${relation}, date_time, INTERVAL '10' SECOND)`;

type Window = (relation: string) => string;
const q5 = (windows: Window): string =>
  `SELECT ab.auction, ab.num, ab.window_end FROM (
     SELECT auction, count(*) AS num, window_start, window_end FROM ${windows('bid')} AS b1 GROUP BY auction, window_start, window_end) AS ab
   JOIN (SELECT max(num) AS maxn, window_start, window_end FROM (
       SELECT auction, count(*) AS num, window_start, window_end FROM ${windows('bid')} AS b2 GROUP BY auction, window_start, window_end) AS counts
     GROUP BY window_start, window_end) AS mb
   ON ab.window_start = mb.window_start AND ab.window_end = mb.window_end AND ab.num >= mb.maxn`;
const q7 = (windows: Window): string =>
  `SELECT b.auction, b.price, b.bidder, b.date_time, m.window_end FROM bid AS b
   JOIN (SELECT max(price) AS maxprice, window_end FROM ${windows('bid')} AS w GROUP BY window_start, window_end) AS m ON b.price = m.maxprice
   WHERE b.date_time BETWEEN m.window_end - INTERVAL '10' SECOND AND m.window_end`;
const q8 = (windows: Window): string =>
  `SELECT p.id, p.name, p.window_start FROM (
     SELECT id, name, window_start, window_end FROM ${windows('person')} AS x1 GROUP BY id, name, window_start, window_end) AS p
   JOIN (SELECT seller, window_start, window_end FROM ${windows('auction')} AS x2 GROUP BY seller, window_start, window_end) AS a
   ON p.id = a.seller AND p.window_start = a.window_start AND p.window_end = a.window_end`;
const Q11 = `SELECT bidder, count(*) AS bids, window_start, window_end
   FROM SESSION(bid PARTITION BY bidder, date_time, INTERVAL '10' SECOND) GROUP BY bidder, window_start, window_end`;
const q11 = `SELECT bidder, count(*) AS bids, min(date_time) AS window_start, max(date_time) + interval '10 s' AS window_end FROM
   (SELECT *, sum(fresh) OVER (PARTITION BY bidder ORDER BY date_time) AS session FROM
     (SELECT *, CASE WHEN date_time - lag(date_time) OVER (PARTITION BY bidder ORDER BY date_time) <= interval '10 s' THEN 0 ELSE 1 END AS fresh
      FROM bid) AS a) AS b GROUP BY bidder, session`;
const q12 = (windows: Window): string =>
  `SELECT bidder, count(*) AS bids, window_start, window_end FROM ${windows('bid')} AS b GROUP BY bidder, window_start, window_end`;
const q14 = `SELECT auction, bidder, 0.908 * price AS price,
     CASE WHEN extract(hour FROM date_time) BETWEEN 8 AND 18 THEN 'dayTime'
          WHEN extract(hour FROM date_time) <= 6 OR extract(hour FROM date_time) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS kind,
     date_time, extra, length(extra) - length(replace(extra, 'c', '')) AS c_counts
   FROM bid WHERE 0.908 * price > 100 AND 0.908 * price < 700`;
const q16 = `SELECT channel, date_trunc('day', date_time) AS day, count(*) AS total_bids,
     count(*) FILTER (WHERE price < 300) AS rank1_bids, count(*) FILTER (WHERE price >= 300) AS rank2_bids,
     count(DISTINCT bidder) AS total_bidders, count(DISTINCT bidder) FILTER (WHERE price < 300) AS rank1_bidders,
     count(DISTINCT auction) AS total_auctions, count(DISTINCT auction) FILTER (WHERE price >= 300) AS rank2_auctions
   FROM bid GROUP BY channel, date_trunc('day', date_time)`;

interface Query {
  readonly name: string;
  readonly query: string;
  readonly postgres: string;
  /** The closing of a row of the answer, in PostgreSQL; undefined = the query has no EMIT FINAL form. */
  readonly closes: string | undefined;
}

const queries: readonly Query[] = [
  { name: 'q5', query: q5(HOP), postgres: q5(hop), closes: 'window_end' },
  // A bid of the very end of a window may match as well.
  {
    name: 'q7',
    query: q7(TUMBLE),
    postgres: q7(tumble),
    closes: `window_end + interval '1 microsecond'`,
  },
  { name: 'q8', query: q8(TUMBLE), postgres: q8(tumble), closes: `window_start + interval '10 s'` },
  { name: 'q11', query: Q11, postgres: q11, closes: 'window_end' },
  { name: 'q12', query: q12(TUMBLE), postgres: q12(tumble), closes: 'window_end' },
  { name: 'q14', query: q14, postgres: q14, closes: `date_time + interval '1 microsecond'` },
  { name: 'q16', query: q16, postgres: q16, closes: `day + interval '1 day'` },
];

/** Events in the order of arrival: none comes later than the watermark allows. */
function history(random: (below: number) => number): readonly Event[] {
  const events = Array.from({ length: EVENTS }, (_, n): Event => {
    const ms = START_MS + n * MILLISECONDS_AN_EVENT;
    const kind: Kind = n % 10 === 0 ? 'person' : n % 10 < 3 ? 'auction' : 'bid';
    const person = Math.max(0, Math.floor(n / 10) - random(12));
    const auction = Math.max(0, Math.floor(n / 5) - random(9));
    const values = {
      person: { id: Math.floor(n / 10), name: `p${n % 7}` },
      auction: { id: Math.floor(n / 5), seller: person },
      bid: {
        auction,
        bidder: person,
        price: 1 + random(900),
        channel: ['web', 'app', 'tv'][random(3)] ?? '',
        extra: 'abc'.repeat(random(4)),
      },
    };
    return { kind, ms, values: values[kind] };
  });
  const arrival = new Map(events.map((event) => [event, event.ms + random(DELAY_SECONDS * 1000)]));
  return events.toSorted((a, b) => (arrival.get(a) ?? 0) - (arrival.get(b) ?? 0));
}

const timestampOf = (ms: number): string =>
  new Date(ms).toISOString().replace('T', ' ').slice(0, -1);

async function required(side: Judge | Subject, sql: string): Promise<void> {
  const answer = await side.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
}

async function rowsOf(side: Judge | Subject, sql: string): Promise<readonly unknown[]> {
  const answer = asBag(await side.run(sql));
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows : [];
}

class Run {
  readonly #subject: Subject;
  readonly #judge: Judge;
  readonly #partitions: number;
  readonly #folder: string;
  readonly #random: (below: number) => number;
  /** Per stream and partition, as in engine/runtime/watermark.ts. */
  readonly #marks = new Map<string, number>();

  constructor(
    subject: Subject,
    judge: Judge,
    partitions: number,
    folder: string,
    random: (below: number) => number,
  ) {
    this.#subject = subject;
    this.#judge = judge;
    this.#partitions = partitions;
    this.#folder = folder;
    this.#random = random;
  }

  async create(): Promise<void> {
    for (const kind of kinds) {
      await required(this.#judge, `CREATE TABLE ${kind} (${COLUMNS[kind]})`);
      await required(
        this.#subject,
        `CREATE STREAM ${kind} (${COLUMNS[kind]}, WATERMARK FOR date_time AS date_time - INTERVAL '${DELAY_SECONDS} seconds')
         WITH (partitions = ${this.#partitions}, idle_timeout = '0')`,
      );
    }
    for (const { name, query, closes } of queries) {
      await required(this.#subject, `CREATE MATERIALIZED VIEW ${name} AS ${query}`);
      if (closes === undefined) continue;
      await required(
        this.#subject,
        `CREATE MATERIALIZED VIEW ${name}_final AS ${query} EMIT FINAL`,
      );
    }
  }

  async feed(events: readonly Event[]): Promise<void> {
    for (const kind of kinds) {
      const own = events.filter((event) => event.kind === kind);
      const records = own.map(({ ms, values }) => {
        const partition = this.#random(this.#partitions);
        const key = `${kind} ${partition}`;
        const mark = ms - DELAY_SECONDS * 1000;
        this.#marks.set(key, Math.max(this.#marks.get(key) ?? Number.NEGATIVE_INFINITY, mark));
        const value = Buffer.from(JSON.stringify({ ...values, date_time: timestampOf(ms) }));
        return { partition, key: null, value, timestampMs: ms, headers: [] };
      });
      if (records.length > 0) await this.#subject.database.produce(kind, records);
      for (const { ms, values } of own) {
        const names = [...Object.keys(values), 'date_time'].join(', ');
        const cells = [...Object.values(values), timestampOf(ms)].map((value) => `'${value}'`);
        await required(this.#judge, `INSERT INTO ${kind} (${names}) VALUES (${cells.join(', ')})`);
      }
    }
    await required(this.#subject, 'FLUSH');
  }

  /** Milliseconds since 1970: the least of these streams' partitions. */
  #watermarkOf(streams: readonly Kind[]): number {
    const marks = streams.flatMap((kind) =>
      Array.from(
        { length: this.#partitions },
        (_, partition) => this.#marks.get(`${kind} ${partition}`) ?? Number.NEGATIVE_INFINITY,
      ),
    );
    return Math.min(...marks);
  }

  async check(): Promise<void> {
    // A view is told a watermark at the end of the epoch after the one that it became level in.
    await required(this.#subject, 'FLUSH');
    for (const { name, postgres, closes } of queries) {
      const expected = await rowsOf(this.#judge, postgres);
      assert.deepEqual(await rowsOf(this.#subject, `SELECT * FROM ${name}`), expected, name);
      if (closes === undefined) continue;
      const watermark = this.#watermarkOf(name === 'q8' ? ['person', 'auction'] : ['bid']);
      const at = Number.isFinite(watermark) ? timestampOf(watermark) : '-infinity';
      const final = `SELECT * FROM (${postgres}) AS q WHERE ${closes} <= timestamp '${at}'`;
      const actual = await rowsOf(this.#subject, `SELECT * FROM ${name}_final`);
      assert.deepEqual(actual, await rowsOf(this.#judge, final), `${name}, final at ${at}`);
    }
    for (const kind of kinds) {
      const late = await rowsOf(this.#subject, `SELECT count(*) FROM ${kind}_late`);
      assert.deepEqual(late, [['0']], 'nothing comes later than the watermark allows');
    }
  }

  /** A restart; the records that were read before are gone then. */
  async restartWithoutRecords(): Promise<void> {
    const endMs = performance.now() + SAVED_WAIT_MS;
    while (this.#subject.database.status().operatorState?.unsavedPlans !== 0) {
      assert.ok(performance.now() < endMs, 'the state of all views is saved in time');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await this.#subject.reopen(async () => {
      const store = await openDuckdbStore({ path: this.#folder, readers: 1 });
      try {
        const { positions, catalog } = await store.status();
        const names = new Map(catalog.map(({ id, sql }) => [id, /STREAM (\w+)/.exec(sql)?.[1]]));
        for (const { relationId, partition, offset } of positions) {
          const topic = names.get(relationId);
          assert.ok(topic !== undefined, 'positions are those of streams');
          await store.log.trim(topic, partition, offset);
        }
      } finally {
        await store.close();
      }
    });
    await required(this.#subject, 'FLUSH');
  }

  /** Of every operator, how much it keeps: at most what rows of the last seconds can make. */
  async checkState(): Promise<void> {
    const least = this.#watermarkOf(kinds);
    for (const { name } of queries) {
      const text = (await rowsOf(this.#subject, `EXPLAIN ANALYZE ${name}`)).join('\n');
      assert.doesNotMatch(text, /without end/, name);
      const entries = [...text.matchAll(/(\d+) entries/g)].map(([, count]) => Number(count));
      // Sessions last as long as a bidder comes back within the gap; other windows 10 s, a row being in up to five.
      const openFrom = timestampOf(least - 20_000);
      const [[open] = []] = (await rowsOf(
        this.#judge,
        `SELECT count(*) FROM (${kinds.map((kind) => `SELECT date_time FROM ${kind}`).join(' UNION ALL ')}) AS x
         WHERE date_time > timestamp '${openFrom}'`,
      )) as string[][];
      const [[inSessions] = []] = (await rowsOf(
        this.#judge,
        `SELECT coalesce(sum(bids), 0) FROM (${q11}) AS s WHERE window_end > timestamp '${timestampOf(least)}'`,
      )) as string[][];
      const most = name === 'q11' ? Number(inSessions) : Number(open) * 5;
      assert.ok(Math.max(0, ...entries) <= most, `${name}: ${entries.join(', ')} of ${most}`);
    }
  }

  async end(): Promise<void> {
    // One row a partition, long after: all windows but its own are closed.
    const last = EVENTS * MILLISECONDS_AN_EVENT + 3 * 86_400_000;
    for (let partition = 0; partition < this.#partitions; partition++) {
      for (const kind of kinds) {
        const values = {
          person: { id: -1 },
          auction: { id: -1 },
          bid: { auction: -1, bidder: -1 },
        };
        const value = { ...values[kind], date_time: timestampOf(START_MS + last) };
        await this.#subject.database.produce(kind, [
          {
            partition,
            key: null,
            value: Buffer.from(JSON.stringify(value)),
            timestampMs: START_MS,
            headers: [],
          },
        ]);
      }
    }
    await required(this.#subject, 'FLUSH');
    for (const { name } of queries) {
      const text = (await rowsOf(this.#subject, `EXPLAIN ANALYZE ${name}`)).join('\n');
      const entries = [...text.matchAll(/(\d+) entries/g)].map(([, count]) => Number(count));
      // Five hopping windows a row, on both sides of a join.
      const most = this.#partitions * 5 * 2;
      assert.ok(Math.max(0, ...entries) <= most, `${name} in the end: ${entries.join(', ')}`);
    }
  }
}

for (let seed = 1; seed <= seeds; seed++) {
  for (const partitions of [1, 4]) {
    test(`Nexmark by event time ${seed}, ${partitions} partitions: answers are PostgreSQL's, state is that of open windows`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'));
      const judge = await Judge.open();
      const subject = await Subject.open(folder, SAVE_OFTEN);
      const random = generator(seed * 31 + partitions);
      const run = new Run(subject, judge, partitions, folder, random);
      try {
        await run.create();
        const events = history(random);
        const size = Math.ceil(events.length / ROUNDS);
        for (let round = 0; round < ROUNDS; round++) {
          await run.feed(events.slice(round * size, (round + 1) * size));
          await run.check();
          if (!TRIM_AFTER.includes(round)) continue;
          await run.restartWithoutRecords();
          await run.check();
        }
        await run.checkState();
        await run.end();
      } finally {
        await subject.close();
        await judge.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}
