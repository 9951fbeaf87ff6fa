/** Views over streams whose records are partly broken: the rest is right, the broken ones are listed with their place. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seedsOf } from '../run-seed.ts';
import { asBag, Judge, Subject } from './both-sides.ts';
import { STREAM_COLUMNS, streamRecords } from './stream-records.ts';

const RUNS_A_HISTORY = 25;
const histories = Math.max(
  1,
  Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / RUNS_A_HISTORY),
);
const RECORDS = 300;
const PARTITIONS = 3;
const BATCH_MAX = 60;

const tumble = `(SELECT s.*, date_bin('2 s', t, timestamp '1970-01-01') AS window_start,
  date_bin('2 s', t, timestamp '1970-01-01') + interval '2 s' AS window_end FROM events AS s WHERE t IS NOT NULL) AS q`;

/** The same on both sides, but for the last ones. */
const views: Readonly<Record<string, string | readonly [millrace: string, postgres: string]>> = {
  whole: 'SELECT * FROM events',
  one_column: 'SELECT id FROM events',
  counted: 'SELECT count(*) AS n, sum(w) AS total FROM events',
  per_key:
    'SELECT k, count(*) AS n, sum(n) AS total, min(t) AS first, max(s) AS last FROM events GROUP BY k',
  flags:
    'SELECT o, avg(n) AS mean, bool_and(w > 0) AS positive, count(DISTINCT s) AS texts FROM events GROUP BY o',
  members: "SELECT id, j -> 'b' AS b, j -> 'a' ->> 1 AS a FROM events WHERE j IS NOT NULL",
  distinct_pairs: 'SELECT DISTINCT k, o FROM events',
  named: 'SELECT e.id, d.label FROM events AS e JOIN labels AS d ON e.k = d.k',
  unnamed: 'SELECT e.id, d.label FROM events AS e LEFT JOIN labels AS d ON e.k = d.k',
  best: 'SELECT id, n FROM events ORDER BY n DESC NULLS LAST, id LIMIT 5',
  first_of_key:
    'SELECT id, k FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id) AS r FROM events) AS q WHERE r = 1',
  over_view: 'SELECT max(total) AS high, count(*) AS keys FROM per_key',
  windows: [
    "SELECT window_start, window_end, count(*) AS n, sum(w) AS total FROM TUMBLE(events, t, INTERVAL '2 s') GROUP BY window_start, window_end",
    `SELECT window_start, window_end, count(*) AS n, sum(w) AS total FROM ${tumble} GROUP BY window_start, window_end`,
  ],
};

async function requireOk(side: Judge | Subject, sql: string): Promise<void> {
  const answer = await side.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
}

async function createViews(
  judge: Judge,
  subject: Subject,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const both = views[name] ?? '';
    const [millrace, postgres] = typeof both === 'string' ? [both, both] : both;
    await requireOk(judge, `CREATE VIEW ${name} AS ${postgres}`);
    await requireOk(subject, `CREATE MATERIALIZED VIEW ${name} AS ${millrace}`);
  }
}

async function checkViews(judge: Judge, subject: Subject, names: readonly string[]): Promise<void> {
  await requireOk(subject, 'FLUSH');
  for (const name of names) {
    const sql = `SELECT * FROM ${name}`;
    assert.deepEqual(asBag(await subject.run(sql)), asBag(await judge.run(sql)), name);
  }
}

/** Every broken record is in the error table once, with its topic, place and bytes. */
async function checkErrors(subject: Subject, bad: readonly Buffer[]): Promise<void> {
  const answer = await subject.run(
    `SELECT topic, partition, "offset", sqlstate, reason, encode(raw, 'hex') FROM events_errors`,
  );
  assert.equal(answer.kind, 'answered');
  const rows = answer.kind === 'answered' ? answer.rows : [];
  assert.deepEqual(
    rows.map((row) => row[5] ?? '').toSorted(),
    bad.map((value) => value.toString('hex')).toSorted(),
  );
  for (const [topic, partition, offset, sqlstate, reason, raw] of rows) {
    assert.equal(topic, 'events');
    const [record] = await subject.database.readTopic(
      'events',
      Number(partition),
      Number(offset),
      1,
    );
    assert.equal(Buffer.from(record?.value ?? []).toString('hex'), raw);
    assert.match(sqlstate ?? '', /^[0-9A-Z]{5}$/);
    assert.notEqual(reason ?? '', '');
    assert.doesNotMatch(reason ?? '', /assertion|undefined|internal/i);
  }
}

for (const seed of seedsOf(histories)) {
  test(`records ${seed}: good ones in the views, broken ones in the error table`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-streams-'));
    const judge = await Judge.open();
    const subject = await Subject.open(folder);
    try {
      for (const side of [judge, subject]) {
        await requireOk(side, 'CREATE TABLE labels (k int PRIMARY KEY, label text)');
        await requireOk(side, "INSERT INTO labels VALUES (0, 'zero'), (1, 'one'), (10, 'ten')");
      }
      await requireOk(judge, `CREATE TABLE events (${STREAM_COLUMNS})`);
      await requireOk(
        subject,
        `CREATE STREAM events (${STREAM_COLUMNS}) WITH (partitions = ${PARTITIONS})`,
      );
      const names = Object.keys(views);
      const early = names.slice(0, 8);
      await createViews(judge, subject, early);
      const records = streamRecords(seed, RECORDS);
      const bad: Buffer[] = [];
      let at = 0;
      for (let batch = 1; at < records.length; batch++) {
        const chunk = records.slice(at, at + 1 + ((seed * 31 + batch * 17) % BATCH_MAX));
        at += chunk.length;
        await subject.database.ingest('events', chunk);
        const rows = chunk.flatMap(({ row }) => (row === undefined ? [] : [row]));
        if (rows.length > 0) await requireOk(judge, `INSERT INTO events VALUES ${rows.join(', ')}`);
        bad.push(...chunk.flatMap(({ row, value }) => (row === undefined ? [value] : [])));
        if (batch === 3) await checkViews(judge, subject, early);
        if (batch === 4) {
          for (const side of [judge, subject]) {
            await requireOk(side, "UPDATE labels SET label = 'ONE' WHERE k = 1");
            await requireOk(side, 'DELETE FROM labels WHERE k = 0');
          }
        }
        if (batch === 5) await subject.reopen();
      }
      await checkViews(judge, subject, early);
      // Late views read the log from its beginning, and its broken records once.
      await createViews(judge, subject, names.slice(8));
      await checkViews(judge, subject, names);
      await checkErrors(subject, bad);
      await subject.reopen();
      await checkViews(judge, subject, names);
      await checkErrors(subject, bad);
    } finally {
      await subject.close();
      await judge.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
