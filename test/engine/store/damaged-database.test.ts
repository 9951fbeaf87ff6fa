/**
 * DuckDB's file and its write-ahead log with a bit turned or cut off anywhere, also in what was flushed long ago: the database
 * is refused, or a read that meets the damage is, or every view is exact. Never are rows other ones without a word. (A log
 * cut off within its last transaction is what a crash before the commit's end leaves: all views are those of the commit before.)
 *
 * Each block and entry has DuckDB's checksum, an exclusive or of multiplied words: any one changed bit changes it. A range of
 * words that cancel each other out can be zeroed unseen; that a medium answers zeros for what it has acknowledged is left to
 * the file system.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { NumberedRandom } from '../../../connectors/generator/random.ts';
import type { Database } from '../../../server/database.ts';
import { openMillrace } from '../../../server/millrace.ts';
import type { Row } from '../../../sql/base/datum.ts';
import { RUN_SEED } from '../../run-seed.ts';

const TRIALS = Math.max(16, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 5));
const FILES = ['millrace.duckdb', 'millrace.duckdb.wal'];
const VIEWS = ['totals', 'named', 'most', 't'];

type Rows = ReadonlyMap<string, readonly Row[]>;

const folder = mkdtempSync(join(tmpdir(), 'millrace-damaged-'));
after(() => rmSync(folder, { recursive: true, force: true }));
/** As a kill in the middle of the work leaves it. */
const kept = join(folder, 'kept');
let expected: Rows = new Map();
/** Before the last commit. */
let previous: Rows = new Map();

async function run(db: Database, sql: string): Promise<Row[]> {
  const rows: Row[] = [];
  const results = db.session(undefined).execute(sql, [], new AbortController().signal);
  for await (const result of results) {
    if (result.kind === 'rows') for await (const chunk of result.chunks) rows.push(...chunk);
  }
  return rows;
}

const rowsOf = (db: Database, view: string): Promise<Row[]> =>
  run(db, `SELECT * FROM ${view} ORDER BY ${view}`);

async function allRows(db: Database): Promise<Rows> {
  const rows = new Map<string, Row[]>();
  for (const view of VIEWS) rows.set(view, await rowsOf(db, view));
  return rows;
}

async function commitSome(db: Database): Promise<void> {
  for (let i = 0; i < 15; i++) {
    await run(
      db,
      `INSERT INTO s SELECT n, ${i} * n, 'y' FROM generate_series(1, 20) AS g(n);
       UPDATE t SET name = 'm${i}-' || k WHERE k % 15 = ${i}; FLUSH`,
    );
  }
}

before(async () => {
  const data = join(folder, 'whole');
  const first = await openMillrace({ data });
  await run(
    first,
    `CREATE STREAM s (k int, v int, x text);
     CREATE TABLE t (k int PRIMARY KEY, name text);
     INSERT INTO s SELECT n % 50, n, 'x' || n FROM generate_series(1, 3000) AS g(n);
     INSERT INTO t SELECT n, 'n' || n FROM generate_series(0, 49) AS g(n);
     CREATE MATERIALIZED VIEW totals AS SELECT k, count(*) AS n, sum(v) AS v, min(x) AS x FROM s GROUP BY k;
     CREATE MATERIALIZED VIEW named AS SELECT name, v, x FROM s JOIN t USING (k);
     CREATE MATERIALIZED VIEW most AS SELECT max(v) AS v FROM totals;
     FLUSH`,
  );
  // The file holds what was closed, its log what comes now.
  await first.close();
  const db = await openMillrace({ data });
  await commitSome(db);
  previous = await allRows(db);
  await run(db, "UPDATE t SET name = 'last' WHERE k > 40");
  cpSync(data, kept, { recursive: true });
  expected = await allRows(db);
  await db.close();
});

function damage(data: string, trial: number): string {
  const random = new NumberedRandom(RUN_SEED);
  random.start(trial);
  const name = FILES[trial % FILES.length] as string;
  const path = join(data, name);
  const bytes = readFileSync(path);
  const at = random.below(bytes.length);
  if (trial % 4 < 2) {
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    writeFileSync(path, bytes);
    return `${name}: a bit of byte ${at} turned`;
  }
  truncateSync(path, at);
  return `${name}: cut off at ${at}`;
}

/** `undefined` when it was refused. */
async function opened(data: string): Promise<Database | undefined> {
  try {
    return await openMillrace({ data });
  } catch (error) {
    assert.match(String(error), /Corrupt|Could not read|ends before commits|not a valid DuckDB/);
    return undefined;
  }
}

test('a damaged database file is refused, or what was not damaged is exact', async (t) => {
  let refused = 0;
  let exact = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const data = join(folder, `trial-${trial}`);
    cpSync(kept, data, { recursive: true });
    const what = damage(data, trial);
    await t.test(what, async () => {
      const db = await opened(data);
      if (db === undefined) {
        refused++;
        return;
      }
      const isTorn = isDeepStrictEqual(await rowsOf(db, 't').catch(() => []), previous.get('t'));
      for (const view of VIEWS) {
        const rows: Row[] | undefined = await rowsOf(db, view).catch((error: unknown) => {
          assert.match(String(error), /Corrupt|Could not read/);
          return undefined;
        });
        if (rows === undefined) refused++;
        else {
          assert.deepEqual(rows, (isTorn ? previous : expected).get(view), view);
          exact++;
        }
      }
      await db.close();
    });
    rmSync(data, { recursive: true, force: true });
  }
  assert.ok(refused > 0 && exact > 0, `${refused} refused, ${exact} exact`);
});
