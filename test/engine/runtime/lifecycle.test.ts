import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Database } from '../../../server/database.ts';
import { openMillrace } from '../../../server/millrace.ts';
import { toText } from '../../../sql/base/text-output.ts';

const data = mkdtempSync(join(tmpdir(), 'millrace-lifecycle-'));
after(() => rmSync(data, { recursive: true, force: true }));

async function run(db: Database, sql: string): Promise<string[]> {
  const lines: string[] = [];
  const results = db.session(undefined).execute(sql, [], new AbortController().signal);
  for await (const result of results) {
    if (result.kind !== 'rows') continue;
    const { schema } = result;
    for await (const rows of result.chunks) {
      for (const row of rows) {
        lines.push(
          row
            .map((value, i) => {
              const type = schema[i]?.type;
              return value === null || type === undefined ? 'NULL' : toText(value, type);
            })
            .join('|'),
        );
      }
    }
  }
  return lines;
}

function stateBytes(db: Database): number {
  return db.status().views.reduce((sum, view) => sum + view.stateBytes, 0);
}

const SETUP = `
  CREATE STREAM bid (auction int, price bigint);
  CREATE TABLE seller (auction int PRIMARY KEY, name text);
  INSERT INTO seller VALUES (1, 'ada'), (2, 'bob');
  INSERT INTO bid SELECT 1 + n % 3, n FROM generate_series(1, 300) AS g(n);
  CREATE MATERIALIZED VIEW first AS
    SELECT s.name, sum(b.price) AS total FROM bid b JOIN seller s ON b.auction = s.auction GROUP BY s.name;
  FLUSH;`;

const SECOND = `
  CREATE MATERIALIZED VIEW second AS
    SELECT s.name, sum(b.price) AS total FROM bid b JOIN seller s ON b.auction = s.auction GROUP BY s.name;
  FLUSH;`;

test('a second view over the same plan shares its operators, and outlives the first', async () => {
  const db = await openMillrace({ data: ':memory:' });
  try {
    await run(db, SETUP);
    const alone = stateBytes(db);
    await run(db, SECOND);
    // An epoch passes before plans that have become level are compared.
    await run(db, 'INSERT INTO bid VALUES (1, 0); FLUSH; INSERT INTO bid VALUES (1, 0); FLUSH');
    const [first, second] = ['first', 'second'].map((name) =>
      db.status().views.find((view) => view.name === name),
    );
    assert.equal(second?.stateBytes, first?.stateBytes, 'both show the shared operators');
    assert.ok(stateBytes(db) <= 2 * alone + 1024);
    const explained = await run(
      db,
      'EXPLAIN CREATE MATERIALIZED VIEW third AS SELECT s.name, sum(b.price) AS total FROM bid b JOIN seller s ON b.auction = s.auction GROUP BY s.name',
    );
    assert.ok(
      explained.some((line) => line.includes('shared')),
      explained.join('\n'),
    );
    await run(db, 'DROP MATERIALIZED VIEW first');
    await run(db, "INSERT INTO bid VALUES (1, 1000); INSERT INTO seller VALUES (3, 'cyd'); FLUSH");
    const rows = await run(db, 'SELECT * FROM second ORDER BY name');
    const expected = await run(
      db,
      'SELECT s.name, sum(b.price) FROM bid b JOIN seller s ON b.auction = s.auction GROUP BY s.name ORDER BY 1',
    );
    assert.deepEqual(rows, expected);
    assert.equal(rows.length, 3);
    await run(db, 'DROP STREAM bid CASCADE');
    assert.equal(stateBytes(db), 0);
  } finally {
    await db.close();
  }
});

test('after a restart views go on from the last commit, shared plans included', async () => {
  let db = await openMillrace({ data });
  await run(db, SETUP + SECOND);
  await run(db, 'CREATE MATERIALIZED VIEW above AS SELECT max(total) AS most FROM second; FLUSH');
  const before = await run(db, 'SELECT * FROM first ORDER BY name; SELECT * FROM above');
  await db.close();
  for (let restart = 0; restart < 3; restart++) {
    db = await openMillrace({ data });
    await run(db, 'FLUSH');
    assert.deepEqual(
      await run(db, 'SELECT * FROM first ORDER BY name; SELECT * FROM above'),
      before,
    );
    await run(db, 'INSERT INTO bid VALUES (9, 1); FLUSH');
    await db.close();
  }
  db = await openMillrace({ data });
  await run(
    db,
    "INSERT INTO bid VALUES (2, 1000000); UPDATE seller SET name = 'eve' WHERE auction = 1; FLUSH",
  );
  assert.deepEqual(
    await run(db, 'SELECT * FROM second ORDER BY name; SELECT * FROM above'),
    await run(
      db,
      `SELECT s.name, sum(b.price) FROM bid b JOIN seller s ON b.auction = s.auction GROUP BY s.name ORDER BY 1;
       SELECT max(total) FROM first`,
    ),
  );
  await db.close();
});

test('a view created over records that are already there reads them beside the running views', async () => {
  const db = await openMillrace({ data: ':memory:' });
  try {
    await run(db, 'CREATE STREAM s (k int, v int) WITH (partitions = 3)');
    await run(db, 'CREATE MATERIALIZED VIEW live AS SELECT count(*) AS n FROM s');
    for (let round = 0; round < 5; round++) {
      await run(db, 'INSERT INTO s SELECT n % 7, n FROM generate_series(1, 2000) AS g(n)');
      await run(
        db,
        `CREATE MATERIALIZED VIEW late${round} AS SELECT k, count(*) AS n, sum(v) AS v FROM s GROUP BY k`,
      );
    }
    await run(db, 'FLUSH');
    assert.deepEqual(await run(db, 'SELECT n FROM live'), ['10000']);
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(await run(db, `SELECT sum(n), sum(v) FROM late${round}`), [
        '10000|10005000',
      ]);
    }
  } finally {
    await db.close();
  }
});

test('push queries send a snapshot and then changes, and leave nothing behind', async () => {
  const db = await openMillrace({ data: ':memory:' });
  try {
    await run(db, "CREATE TABLE t (k int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')");
    const results = db
      .session(undefined)
      .execute(
        'SELECT v, count(*) AS n FROM t GROUP BY v EMIT CHANGES',
        [],
        new AbortController().signal,
      );
    const seen: string[] = [];
    for await (const result of results) {
      assert.ok(result.kind === 'subscription');
      for await (const event of result.subscription.events) {
        if (event.kind === 'snapshot') {
          for (const row of event.rows) seen.push(`snapshot ${row.join('|')}`);
          if (event.last) await run(db, "INSERT INTO t VALUES (2, 'a')");
          continue;
        }
        for (const change of event.changes) seen.push(`${change.op} ${change.row.join('|')}`);
        break;
      }
    }
    assert.deepEqual(seen, ['snapshot a|1', 'update a|2']);
    assert.deepEqual(await run(db, 'SHOW VIEWS'), []);
  } finally {
    await db.close();
  }
});
