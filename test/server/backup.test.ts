import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Database, openMillrace } from '../../index.ts';
import { createHttpServer } from '../../server/http/server.ts';
import { defaultLimits } from '../../server/limits.ts';

const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), 'millrace-backup-'));
after(() => rmSync(root, { recursive: true, force: true }));

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Rows of the last statement. */
async function sql(database: Database, text: string): Promise<readonly (readonly unknown[])[]> {
  const session = database.session(undefined);
  let rows: (readonly unknown[])[] = [];
  for await (const result of session.execute(text, [], AbortSignal.timeout(60_000))) {
    rows = [];
    if (result.kind === 'rows') for await (const chunk of result.chunks) rows.push(...chunk);
  }
  session.close();
  return rows;
}

async function millrace(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = join(import.meta.dirname, '../../server/main.ts');
  try {
    const { stdout, stderr } = await run(process.execPath, [main, ...args]);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** A server over `database`; gives its address and how to stop it. */
async function serve(database: Database): Promise<readonly [string, () => Promise<void>]> {
  const server = await createHttpServer(database, defaultLimits, quiet);
  const port = await server.listen('127.0.0.1', 0);
  return [`http://127.0.0.1:${port}`, () => server.close()];
}

const SETUP = `
  CREATE STREAM transfers (debit int, credit int, amount bigint) WITH (partitions = 3);
  CREATE MATERIALIZED VIEW debits AS SELECT debit AS account, sum(amount) AS total FROM transfers GROUP BY debit;
  CREATE MATERIALIZED VIEW credits AS SELECT credit AS account, sum(amount) AS total FROM transfers GROUP BY credit;
  CREATE MATERIALIZED VIEW balances AS
    SELECT coalesce(d.account, c.account) AS account, coalesce(c.total, 0) - coalesce(d.total, 0) AS balance
    FROM debits d FULL JOIN credits c ON d.account = c.account;
  CREATE TABLE "Notes" (id int PRIMARY KEY, text text DEFAULT 'it''s');
  CREATE SCHEMA shop;
  CREATE MATERIALIZED VIEW shop.best AS SELECT account, balance FROM balances ORDER BY balance DESC LIMIT 3`;

/** Every view is what its query answers over the transfers that the database has. */
async function checkWhole(database: Database): Promise<number> {
  const [[sum, transfers] = []] = await sql(
    database,
    'FLUSH; SELECT (SELECT sum(balance) FROM balances), (SELECT count(*) FROM transfers)',
  );
  assert.equal(String(sum), '0');
  const wrong = await sql(
    database,
    `SELECT * FROM ((SELECT credit AS account, sum(amount) AS total FROM transfers GROUP BY credit
       EXCEPT ALL SELECT * FROM credits)
     UNION ALL (SELECT * FROM credits
       EXCEPT ALL SELECT credit, sum(amount) FROM transfers GROUP BY credit)) AS difference`,
  );
  assert.deepEqual(wrong, []);
  return Number(transfers);
}

const insertOf = (start: number): string =>
  `INSERT INTO transfers SELECT i % 17, i * 7 % 19, i FROM generate_series(${start}, ${start + 99}) AS g(i);
   INSERT INTO "Notes" VALUES (${start}, 'n')`;

describe('a backup', () => {
  test('made under load is one commit, from which a server goes on', async () => {
    const database = await openMillrace({
      data: join(root, 'data'),
      // Rounds of saving run all the time, so that files come and go.
      stateLimits: { logBytesMin: 4096, logToStateRatio: 0.01 },
    });
    const [url, stop] = await serve(database);
    await sql(database, SETUP);
    let isOver = false;
    let inserted = 0;
    const load = (async () => {
      for (; !isOver; inserted += 100) await sql(database, insertOf(inserted));
    })();
    const files = ['a.tar', 'b.tar', 'c.tar'].map((name) => join(root, name));
    for (const file of files) {
      const { code, out, err } = await millrace('backup', file, '--url', url);
      assert.deepEqual([code, err], [0, '']);
      assert.match(out, /: \d+\.\d MB\n$/);
    }
    isOver = true;
    await load;
    const all = await checkWhole(database);
    assert.equal(all, inserted);
    await stop();
    await database.close();

    for (const file of files) {
      const data = `${file}.data`;
      const restored = await millrace('restore', file, data);
      assert.deepEqual([restored.code, restored.err], [0, '']);
      assert.match(restored.out, /no damage found\n$/);
      const copy = await openMillrace({ data });
      const before = await checkWhole(copy);
      assert.ok(before > 0 && before <= all);
      await sql(copy, insertOf(1_000_000));
      assert.equal(await checkWhole(copy), before + 100);
      assert.equal(copy.status().operatorState?.unsavedPlans, 0);
      await copy.close();
    }
  });

  test('that is not whole is refused', async () => {
    const file = join(root, 'cut.tar');
    writeFileSync(file, readFileSync(join(root, 'a.tar')));
    truncateSync(file, 100_000);
    const cut = await millrace('restore', file, join(root, 'cut'));
    assert.equal(cut.code, 1);
    assert.match(cut.err, /^millrace: /);
    writeFileSync(file, 'no archive');
    assert.equal((await millrace('restore', file, join(root, 'none'))).code, 1);
    const used = await millrace('restore', join(root, 'a.tar'), root);
    assert.deepEqual([used.code, used.err], [1, `millrace: ${root} is not empty\n`]);
  });

  test('is made one at a time, and leaves nothing behind', async () => {
    const database = await openMillrace({ data: ':memory:' });
    await sql(database, `${SETUP}; ${insertOf(0)}`);
    const signal = new AbortController().signal;
    const one = await database.backup(signal);
    await assert.rejects(database.backup(signal), { code: 'BACKUP_RUNNING' });
    assert.deepEqual(
      one.files.map(({ name }) => name),
      ['millrace.duckdb'],
    );
    await one.close();
    await assert.rejects(database.backup(AbortSignal.abort()));
    await (await database.backup(signal)).close();
    await database.close();
  });

  test('of a server that is not there says so', async () => {
    const { code, err } = await millrace(
      'backup',
      join(root, 'x.tar'),
      '--url',
      'http://127.0.0.1:1',
    );
    assert.equal(code, 1);
    assert.match(err, /^millrace: fetch failed/);
  });
});

test('an exported catalog makes the same again', async () => {
  const script = join(root, 'catalog.sql');
  const database = await openMillrace({ data: ':memory:' });
  await sql(database, SETUP);
  const [url, stop] = await serve(database);
  const { code, err } = await millrace('catalog', 'export', '--url', url, '--output', script);
  assert.deepEqual([code, err], [0, '']);
  const again = await openMillrace({ data: ':memory:' });
  await sql(again, readFileSync(script, 'utf8'));
  const shown = await sql(database, 'SHOW CREATE ALL');
  assert.deepEqual(await sql(again, 'SHOW CREATE ALL'), shown);
  assert.ok(shown.length >= 7);
  await stop();
  await database.close();
  await again.close();
});
