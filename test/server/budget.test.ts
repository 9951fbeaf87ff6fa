/** Budgets: a view that holds too much pauses with its readers, everything else goes on, and RESUME loses nothing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { DoorMetrics } from '../../server/metrics.ts';
import { openMillrace } from '../../server/millrace.ts';
import { parseByteSize } from '../../sql/base/byte-size.ts';
import { Subject } from '../differential/both-sides.ts';

const data = mkdtempSync(join(tmpdir(), 'millrace-budget-'));
after(() => rmSync(data, { recursive: true, force: true }));

async function rows(db: Subject, sql: string): Promise<readonly string[]> {
  const answer = await db.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows.map((row) => row.join('|')) : [];
}

const stateOf = async (db: Subject, view: string): Promise<string | undefined> =>
  (await rows(db, `SHOW VIEWS LIKE '${view}'`))[0]?.split('|')[2];

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let wait = 0; wait < 200; wait++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('it did not come to that');
}

const many = (from: number, to: number): string =>
  `INSERT INTO s SELECT n, n % 7 FROM generate_series(${from}, ${to}) AS g(n); FLUSH`;
const SMALL = ['0|4286', '1|4286', '2|4286', '3|4286', '4|4286', '5|4285', '6|4285'];

it('a view over max_state pauses with the views over it; RESUME with more recomputes them exactly', async () => {
  const db = await Subject.open(data);
  try {
    await rows(
      db,
      `CREATE STREAM s (a int, g int);
       CREATE MATERIALIZED VIEW large WITH (max_state = '200 kB') AS SELECT a, count(*) AS n FROM s GROUP BY a;
       CREATE MATERIALIZED VIEW over_it AS SELECT count(*) AS n, sum(n) AS s FROM large;
       CREATE MATERIALIZED VIEW small AS SELECT g, count(*) AS n FROM s GROUP BY g;`,
    );
    await rows(db, many(0, 99));
    assert.equal(await stateOf(db, 'large'), 'running');
    await rows(db, many(100, 19_999));
    await until(async () => (await stateOf(db, 'large')) === 'paused');
    assert.equal(await stateOf(db, 'over_it'), 'paused');
    assert.equal(await stateOf(db, 'small'), 'running');
    assert.match(
      (await rows(db, "SHOW VIEWS LIKE 'large'"))[0] ?? '',
      /over max_state, 204800 bytes/,
    );
    assert.match((await rows(db, "SHOW VIEWS LIKE 'over_it'"))[0] ?? '', /it reads "large"/);
    const metrics = new DoorMetrics(db.database);
    const text = await metrics.render();
    metrics.close();
    assert.match(text, /millrace_view_over_budget\{view="large",kind="materialized-view"\} 1/);
    assert.match(text, /millrace_view_running\{view="large",kind="materialized-view"\} 0/);
    assert.match(text, /millrace_view_running\{view="small",kind="materialized-view"\} 1/);

    await db.reopen();
    await rows(db, many(20_000, 29_999));
    assert.equal(await stateOf(db, 'large'), 'paused', 'a restart does not forget it');
    assert.deepEqual(await rows(db, 'SELECT * FROM small ORDER BY g'), SMALL);

    const refused = await db.run('RESUME over_it');
    assert.ok(refused.kind === 'failed' && refused.sqlstate === '2BP01');
    await rows(db, "ALTER MATERIALIZED VIEW large SET (max_state = '64 MB'); RESUME large; FLUSH");
    assert.deepEqual(await rows(db, 'SELECT count(*), sum(n) FROM large'), ['30000|30000']);
    assert.deepEqual(await rows(db, 'SELECT * FROM over_it'), ['30000|30000']);
    await db.reopen();
    await rows(db, many(30_000, 30_009));
    assert.deepEqual(await rows(db, 'SELECT * FROM over_it'), ['30010|30010']);
    assert.equal(await stateOf(db, 'large'), 'running');
  } finally {
    await db.database.close();
  }
});

it('above --memory the view that holds most gives way, and only that one', async () => {
  const database = await openMillrace({ data: ':memory:', memoryBytesMax: 400_000 });
  const session = database.session('budget');
  const run = async (sql: string): Promise<void> => {
    for await (const result of session.execute(sql, [], new AbortController().signal)) {
      if (result.kind === 'rows') for await (const _ of result.chunks);
    }
  };
  const view = (name: string) => database.status().views.find((one) => one.name === name);
  try {
    await run(`CREATE STREAM s (a int, g int);
      CREATE MATERIALIZED VIEW large AS SELECT a, count(*) AS n FROM s GROUP BY a;
      CREATE MATERIALIZED VIEW small AS SELECT g, count(*) AS n FROM s GROUP BY g`);
    await run(many(0, 19_999));
    await until(async () => view('large')?.state === 'paused');
    assert.match(view('large')?.reason ?? '', /over --memory, 400000 bytes/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(view('small')?.state, 'running');
  } finally {
    await database.close();
  }
});

it('sizes are read as PostgreSQL reads them', () => {
  const sizes: readonly (readonly [string, number | undefined])[] = [
    ['256 MB', 268_435_456],
    ['1.5GB', 1_610_612_736],
    ['10', 10],
    ['8kB', 8192],
    ['1 XB', undefined],
    ['-1 MB', undefined],
    ['', undefined],
    ['99999999999999 TB', undefined],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseByteSize(text), bytes, text);
});

it('a budget that is no size is refused', async () => {
  const db = await Subject.open();
  try {
    for (const size of ['much', '0', '-1 MB']) {
      const sql = `CREATE MATERIALIZED VIEW v WITH (max_state = '${size}') AS SELECT 1 AS a`;
      const answer = await db.run(sql);
      assert.ok(answer.kind === 'failed' && answer.sqlstate === '22023', size);
    }
  } finally {
    await db.database.close();
  }
});
