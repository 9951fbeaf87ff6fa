/**
 * ROWTIME, ROWPARTITION and ROWOFFSET, the windows and joins over the record's time, and watermarks that a fed stream inherits:
 * random records over partitions, with restarts that find the records gone. PostgreSQL holds the same records as rows with those
 * three as columns, and windows as date_bin.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asBag, Judge, Subject } from './both-sides.ts';
import { assertNoneFailed, reopenWithout, stateSaved } from './forget-records.ts';
import { generator } from './view-history.ts';

const histories = Math.max(1, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 100));
const STEPS = 12;
const PARTITIONS = 2;
const START_MS = Date.UTC(2026, 0, 1);

interface View {
  readonly name: string;
  readonly query: string;
  /** Over `s`, whose rows have the record's time as `at` too. */
  readonly postgres: string;
}

const same = (name: string, query: string): View => ({ name, query, postgres: query });

const VIEWS: readonly View[] = [
  same('places', 'SELECT k, v, rowtime, rowpartition, rowoffset FROM s'),
  same('latest', 'SELECT k, max(rowtime) AS latest, min(rowoffset) AS first FROM s GROUP BY k'),
  same('recent', `SELECT v FROM s WHERE rowtime % 7000 < 3000 AND rowpartition = 1`),
  same(
    'gaps',
    'SELECT v, rowtime - lag(rowtime) OVER (PARTITION BY rowpartition ORDER BY rowoffset) AS gap FROM s',
  ),
  same(
    'shifted',
    'SELECT a.v, b.rowoffset FROM s AS a JOIN s AS b ON a.rowtime = b.rowtime AND a.k < b.k',
  ),
  {
    name: 'tumbled',
    query:
      'SELECT k, windowstart AS began, windowend AS ended, count(*) AS n, sum(v) AS total FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY k, windowstart, windowend',
    postgres:
      'SELECT k, rowtime / 10000 * 10000 AS began, rowtime / 10000 * 10000 + 10000 AS ended, count(*) AS n, sum(v) AS total FROM s GROUP BY 1, 2, 3',
  },
  {
    name: 'hopped',
    query:
      'SELECT window_start, count(*) AS n FROM s WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS, GRACE PERIOD 1 SECOND) GROUP BY window_start',
    postgres: `SELECT start AS window_start, count(*) AS n FROM s, LATERAL (SELECT date_bin('5 s', at, timestamptz '1970-01-01 00:00:00Z')
      - i * interval '5 s' AS start FROM generate_series(0, 1) AS i) AS x GROUP BY start`,
  },
  {
    name: 'visits',
    query:
      'SELECT k, windowstart AS began, windowend AS ended, count(*) AS n FROM s WINDOW SESSION (3 SECONDS) GROUP BY k',
    postgres: `SELECT k, min(rowtime) AS began, max(rowtime) AS ended, count(*) AS n FROM (
      SELECT k, rowtime, sum(starts) OVER (PARTITION BY k ORDER BY rowtime, id) AS session FROM (
        SELECT k, rowtime, id, CASE WHEN rowtime - lag(rowtime) OVER (PARTITION BY k ORDER BY rowtime, id) <= 3000 THEN 0 ELSE 1 END AS starts FROM s
      ) AS marked) AS numbered GROUP BY k, session`,
  },
  {
    name: 'near',
    query: 'SELECT a.v, b.v AS w FROM s AS a JOIN s AS b WITHIN (1 SECOND, 2 SECONDS) ON a.k = b.k',
    postgres:
      "SELECT a.v, b.v AS w FROM s AS a JOIN s AS b ON a.k = b.k AND b.at BETWEEN a.at - interval '1 s' AND a.at + interval '2 s'",
  },
  {
    name: 'named',
    query:
      'SELECT windowstart AS began, count(*) AS n, max(rowtime) AS latest FROM m WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY windowstart',
    postgres:
      'SELECT v * 3000::bigint / 10000 * 10000 AS began, count(*) AS n, max(v * 3000::bigint) AS latest FROM s WHERE v IS NOT NULL GROUP BY 1',
  },
];

class Play {
  readonly #judge: Judge;
  readonly #subject: Subject;
  readonly #ends = Array.from({ length: PARTITIONS }, () => 0);
  #id = 0;

  constructor(judge: Judge, subject: Subject) {
    this.#judge = judge;
    this.#subject = subject;
  }

  async subject(sql: string): Promise<void> {
    const answer = await this.#subject.run(sql);
    assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  }

  async judge(sql: string): Promise<void> {
    const answer = await this.#judge.run(sql);
    assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  }

  async create({ name, query, postgres }: View): Promise<void> {
    await this.judge(`CREATE VIEW ${name} AS ${postgres}`);
    await this.subject(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  }

  /** Some records of one partition, whose times go back and forth. */
  async produce(random: (below: number) => number): Promise<void> {
    const partition = random(PARTITIONS);
    const records = Array.from({ length: 1 + random(4) }, () => ({
      k: random(6) === 0 ? null : random(3),
      v: random(6) === 0 ? null : random(20),
      ms: START_MS + random(40) * 700,
    }));
    await this.#subject.database.produce(
      's',
      records.map(({ k, v, ms }) => ({
        partition,
        key: null,
        value: Buffer.from(JSON.stringify({ k, v, ms: v === null ? null : v * 3000 })),
        timestampMs: ms,
        headers: [],
      })),
    );
    const values = records.map(({ k, v, ms }) => {
      const offset = this.#ends[partition] ?? 0;
      this.#ends[partition] = offset + 1;
      this.#id++;
      return `(${this.#id}, ${k}, ${v}, ${ms}, ${partition}, ${offset}, to_timestamp(${ms} / 1000.0))`;
    });
    await this.judge(`INSERT INTO s VALUES ${values.join(', ')}`);
  }

  async check(names: readonly string[]): Promise<void> {
    await this.subject('FLUSH');
    for (const name of names) {
      const sql = `SELECT * FROM ${name}`;
      assert.deepEqual(
        asBag(await this.#subject.run(sql)),
        asBag(await this.#judge.run(sql)),
        name,
      );
    }
  }

  /** A query over the stream itself, which reads the retained records. */
  async checkPull(): Promise<void> {
    const sql =
      'SELECT v, rowtime, rowoffset FROM s ORDER BY rowtime DESC, rowpartition, rowoffset LIMIT 5';
    assert.deepEqual(await this.#rows(this.#subject, sql), await this.#rows(this.#judge, sql));
  }

  async #rows(side: Subject | Judge, sql: string): Promise<unknown> {
    const answer = await side.run(sql);
    return answer.kind === 'answered' ? answer.rows : answer;
  }
}

for (let seed = 1; seed <= histories; seed++) {
  test(`history ${seed}: what records say of themselves is like columns, also after restarts`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-record-time-'));
    const judge = await Judge.open();
    const subject = await Subject.open(folder, { idleMs: 0, idleLogBytesMin: 1 });
    const random = generator(seed);
    const play = new Play(judge, subject);
    try {
      await play.judge(
        'CREATE TABLE s (id int, k int, v int, rowtime bigint, rowpartition int, rowoffset bigint, at timestamptz)',
      );
      await play.subject(`CREATE STREAM s (k int, v int) WITH (partitions = ${PARTITIONS})`);
      await play.subject(
        "CREATE STREAM m (v int, ms bigint) WITH (kafka_topic = 's', timestamp = 'ms')",
      );
      const late = VIEWS.filter((_, i) => i % 2 === seed % 2);
      for (const view of VIEWS) if (!late.includes(view)) await play.create(view);
      let names = VIEWS.filter((view) => !late.includes(view)).map(({ name }) => name);
      for (let step = 1; step <= STEPS; step++) {
        for (let i = 0; i < 3; i++) await play.produce(random);
        if (step === 4) {
          for (const view of late) await play.create(view);
          names = VIEWS.map(({ name }) => name);
        }
        if (step % 3 === 0) await play.check(names);
        if (step === 5) {
          await play.checkPull();
          await subject.reopen();
          assertNoneFailed(subject);
        }
        if (step === 8) {
          await play.subject('FLUSH');
          await stateSaved(subject);
          await reopenWithout(subject, folder, 's');
        }
      }
      await play.check(names);
    } finally {
      await subject.close();
      await judge.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
