/** Views whose rows come and go by the clock: conditions on now(), over tables that change, and over a restart. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asBag, Subject } from './both-sides.ts';
import { reopenWithout, stateSaved } from './forget-records.ts';

const MINUTE_MS = 60_000;
/** Ticks of the clock, a commit, and a busy machine. */
const WAIT_MS_MAX = 10_000;

const textOf = (ms: number): string =>
  new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

async function required(subject: Subject, sql: string): Promise<void> {
  const answer = await subject.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
}

async function rows(subject: Subject, sql: string): Promise<unknown> {
  const answer = asBag(await subject.run(sql));
  return answer.kind === 'answered' ? answer.rows.map((row) => row.join(' ')) : answer;
}

async function until(subject: Subject, sql: string, expected: readonly string[]): Promise<void> {
  const started = performance.now();
  for (;;) {
    const found = await rows(subject, sql);
    if (JSON.stringify(found) === JSON.stringify(expected)) return;
    if (performance.now() - started > WAIT_MS_MAX) assert.deepEqual(found, expected, sql);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('rows come and go by the clock', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-clock-'));
  const subject = await Subject.open(folder);
  try {
    await required(subject, 'CREATE TABLE t (id int PRIMARY KEY, at timestamp, k int)');
    await required(
      subject,
      "CREATE MATERIALIZED VIEW recent AS SELECT k, count(*) AS n FROM t WHERE at > now() - INTERVAL '1 minute' AND k > 0 GROUP BY k",
    );
    await required(subject, 'CREATE MATERIALIZED VIEW past AS SELECT id FROM t WHERE now() >= at');
    await required(
      subject,
      "CREATE MATERIALIZED VIEW around AS SELECT id FROM t WHERE at BETWEEN now() - INTERVAL '2 minutes' AND now() + INTERVAL '2 minutes'",
    );
    const now = Date.now();
    const soon = now + 1_500;
    await required(
      subject,
      `INSERT INTO t VALUES (1, '${textOf(now - 2 * MINUTE_MS)}', 1), (2, '${textOf(now - 1_000)}', 1),
        (3, '${textOf(soon - MINUTE_MS)}', 1), (4, '${textOf(soon)}', 2), (5, NULL, 2), (6, '${textOf(now + 3 * MINUTE_MS)}', 3)`,
    );
    await required(subject, 'FLUSH');
    await until(subject, 'SELECT * FROM recent', ['1 2', '2 1', '3 1']);
    await until(subject, 'SELECT * FROM past', ['1', '2', '3']);
    await until(subject, 'SELECT * FROM around', ['2', '3', '4']);
    assert.ok(Date.now() < soon, 'the machine was quick enough for the test to mean something');
    // Row 3 leaves and row 4 begins by themselves.
    await until(subject, 'SELECT * FROM recent', ['1 1', '2 1', '3 1']);
    await until(subject, 'SELECT * FROM past', ['1', '2', '3', '4']);
    await required(subject, 'DELETE FROM t WHERE id = 2');
    await required(subject, 'UPDATE t SET k = 4 WHERE id = 4');
    await required(subject, 'FLUSH');
    assert.deepEqual(await rows(subject, 'SELECT * FROM recent'), ['3 1', '4 1']);
  } finally {
    await subject.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('rows whose time ran out while nobody ran are gone after the restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-clock-'));
  const subject = await Subject.open(folder);
  try {
    await required(subject, 'CREATE STREAM s (id int, at timestamptz)');
    await required(
      subject,
      "CREATE MATERIALIZED VIEW live AS SELECT id FROM s WHERE now() < at + INTERVAL '1 minute'",
    );
    const ends = Date.now() + 1_000;
    await required(
      subject,
      `INSERT INTO s VALUES (1, '${textOf(ends - MINUTE_MS)}Z'), (2, '${textOf(ends)}Z')`,
    );
    await required(subject, 'FLUSH');
    assert.deepEqual(await rows(subject, 'SELECT * FROM live'), ['1', '2']);
    await subject.reopen();
    await new Promise((resolve) => setTimeout(resolve, Math.max(ends - Date.now(), 0)));
    await subject.reopen();
    await until(subject, 'SELECT * FROM live', ['2']);
  } finally {
    await subject.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('rows wait for the clock over a restart that finds their records gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-clock-'));
  const subject = await Subject.open(folder);
  try {
    await required(subject, 'CREATE STREAM s (id int, at timestamptz)');
    await required(
      subject,
      "CREATE MATERIALIZED VIEW live AS SELECT id FROM s WHERE at > now() - INTERVAL '1 minute'",
    );
    await required(
      subject,
      "CREATE MATERIALIZED VIEW counts AS SELECT id % 2 AS odd, count(*) AS n FROM s WHERE at > now() - INTERVAL '1 minute' GROUP BY id % 2",
    );
    await required(subject, 'CREATE MATERIALIZED VIEW past AS SELECT id FROM s WHERE now() >= at');
    const turn = Date.now() + 4_000;
    await required(
      subject,
      `INSERT INTO s VALUES (1, '${textOf(turn - MINUTE_MS)}Z'), (2, '${textOf(turn)}Z'), (3, '${textOf(turn - 1_000_000)}Z'),
        (4, '${textOf(turn + MINUTE_MS)}Z')`,
    );
    await required(subject, 'FLUSH');
    assert.deepEqual(await rows(subject, 'SELECT * FROM live'), ['1', '2', '4']);
    assert.deepEqual(await rows(subject, 'SELECT * FROM past'), ['1', '3']);
    await stateSaved(subject);
    await reopenWithout(subject, folder, 's');
    assert.deepEqual(await rows(subject, 'SELECT * FROM s'), []);
    await until(subject, 'SELECT * FROM live', ['2', '4']);
    await until(subject, 'SELECT * FROM past', ['1', '2', '3']);
    await until(subject, 'SELECT * FROM counts', ['0 2']);
    await required(subject, `INSERT INTO s VALUES (5, '${textOf(turn)}Z')`);
    await required(subject, 'FLUSH');
    await until(subject, 'SELECT * FROM counts', ['0 2', '1 1']);
  } finally {
    await subject.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('other uses of the clock are refused', async () => {
  const subject = await Subject.open();
  try {
    await required(subject, 'CREATE TABLE t (id int PRIMARY KEY, at timestamp, d date)');
    for (const query of [
      'SELECT id, now() - at AS age FROM t',
      "SELECT id FROM t WHERE at > now() - INTERVAL '1 month'",
      'SELECT id FROM t WHERE at = now()',
      'SELECT id FROM t WHERE at > now() OR id = 1',
      'SELECT id FROM t WHERE d = current_date',
      'SELECT id FROM t GROUP BY id HAVING max(at) > now() AND random() > 0.5',
    ]) {
      const answer = await subject.run(`CREATE MATERIALIZED VIEW v AS ${query}`);
      assert.equal(answer.kind === 'failed' && answer.sqlstate, '0A000', query);
    }
  } finally {
    await subject.close();
  }
});
