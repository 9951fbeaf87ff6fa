/**
 * A stream that a query feeds, and one behind that, with the watermark of the stream at the beginning: random records out of order,
 * with restarts. What is late there is decided once; none of the rest may be late behind it, and windows over each are final at the
 * same watermark, which a definition of ten lines gives here and PostgreSQL's answer is asked with.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asBag, Judge, Subject } from './both-sides.ts';
import { generator } from './view-history.ts';

const histories = Math.max(1, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 100));
const ROUNDS = 8;
const DELAY_SECONDS = 5;
const START_MS = Date.UTC(2026, 0, 1);

const textOf = (seconds: number): string =>
  new Date(START_MS + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');

const valuesOf = (readings: readonly { readonly k: number; readonly seconds: number }[]): string =>
  readings.map(({ k, seconds }) => `(${k}, '${textOf(seconds)}')`).join(', ');

async function required(side: Judge | Subject, sql: string): Promise<void> {
  const answer = await side.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
}

async function rowsOf(side: Judge | Subject, sql: string): Promise<unknown> {
  const answer = asBag(await side.run(sql));
  return answer.kind === 'answered' ? answer.rows : answer;
}

interface Reading {
  readonly k: number;
  readonly seconds: number;
}

/** One partition: a record is late that lies before what those before it say. */
class Reference {
  readonly kept: Reading[] = [];
  lateCount = 0;

  take(reading: Reading): void {
    if (reading.seconds < this.watermark(() => true)) this.lateCount++;
    else this.kept.push(reading);
  }

  watermark(isIn: (reading: Reading) => boolean): number {
    const seconds = this.kept.filter(isIn).map((reading) => reading.seconds);
    return Math.max(Number.NEGATIVE_INFINITY, ...seconds) - DELAY_SECONDS;
  }
}

const isFew = ({ k }: Reading): boolean => k < 3;
const FINAL = 'WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY k, window_end EMIT FINAL';
const CREATED = [
  `CREATE STREAM e (k int, ts timestamp, WATERMARK FOR ts AS ts - INTERVAL '${DELAY_SECONDS} seconds') WITH (idle_timeout = '0')`,
  'CREATE STREAM one AS SELECT k, ts AS at FROM e',
  'CREATE STREAM behind AS SELECT at AS "The time", k FROM one WHERE k < 3',
  'CREATE STREAM few WITH (partitions = 2) AS SELECT k, ts FROM e WHERE k < 3 PARTITION BY k',
  `CREATE MATERIALIZED VIEW v_one AS SELECT k, window_end, count(*) AS n FROM one ${FINAL}`,
  `CREATE MATERIALIZED VIEW v_behind AS SELECT k, window_end, count(*) AS n FROM behind ${FINAL}`,
  'CREATE MATERIALIZED VIEW v_few AS SELECT k, ts FROM few',
];

function finalSql(where: string, watermark: number): string {
  const at = Number.isFinite(watermark) ? textOf(watermark) : '-infinity';
  return `SELECT k, date_bin('10 s', ts, timestamp '1970-01-01') + interval '10 s' AS window_end, count(*) AS n
    FROM kept WHERE ${where} GROUP BY 1, 2 HAVING date_bin('10 s', ts, timestamp '1970-01-01') + interval '10 s' <= '${at}'`;
}

async function check(judge: Judge, subject: Subject, reference: Reference): Promise<void> {
  await required(subject, 'FLUSH');
  const pairs = [
    [
      'v_one',
      finalSql(
        'true',
        reference.watermark(() => true),
      ),
    ],
    ['v_behind', finalSql('k < 3', reference.watermark(isFew))],
    ['v_few', 'SELECT k, ts FROM kept WHERE k < 3'],
  ] as const;
  for (const [view, expected] of pairs) {
    assert.deepEqual(
      await rowsOf(subject, `SELECT * FROM ${view}`),
      await rowsOf(judge, expected),
      view,
    );
  }
  const late = await rowsOf(subject, 'SELECT count(*) FROM e_late');
  assert.deepEqual(late, [[String(reference.lateCount)]]);
  for (const stream of ['one', 'behind', 'few']) {
    assert.deepEqual(await rowsOf(subject, `SELECT * FROM ${stream}_late`), [], stream);
  }
}

for (let seed = 1; seed <= histories; seed++) {
  test(`history ${seed}: nothing is late in a stream that inherits its watermark`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-inherited-'));
    const judge = await Judge.open();
    const subject = await Subject.open(folder);
    const random = generator(seed);
    const reference = new Reference();
    try {
      await required(judge, 'CREATE TABLE kept (k int, ts timestamp)');
      for (const sql of CREATED) await required(subject, sql);
      for (let round = 0; round < ROUNDS; round++) {
        const before = reference.kept.length;
        const readings = Array.from({ length: 1 + random(8) }, (): Reading => {
          return { k: random(4), seconds: round * 6 + random(16) };
        });
        for (const reading of readings) reference.take(reading);
        await required(subject, `INSERT INTO e VALUES ${valuesOf(readings)}`);
        const kept = reference.kept.slice(before);
        if (kept.length > 0) await required(judge, `INSERT INTO kept VALUES ${valuesOf(kept)}`);
        await check(judge, subject, reference);
        if (round % 3 === 2) await subject.reopen();
      }
      assert.ok(reference.lateCount > 0, 'the history shows something');
      const shown = JSON.stringify(await rowsOf(subject, 'SHOW WATERMARKS'));
      for (const stream of ['one', 'behind', 'few'])
        assert.ok(shown.includes(`"${stream}"`), shown);
      const created = JSON.stringify(await rowsOf(subject, 'SHOW CREATE STREAM behind'));
      assert.match(
        created,
        /WATERMARK FOR .*The time.* AS .*The time.* - .*5 seconds.*idle_timeout/,
      );
    } finally {
      await subject.close();
      await judge.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
