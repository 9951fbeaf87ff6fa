/**
 * Files of operator state damaged at random places: views are exact, or the database is refused with the file's name. It is
 * refused only when the state cannot be rebuilt from the records.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { manifestSummary } from '../../../engine/runtime/state-manifest.ts';
import { checkData } from '../../../engine/store/check-data.ts';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { Database } from '../../../server/database.ts';
import { openMillrace } from '../../../server/millrace.ts';
import type { Row } from '../../../sql/base/datum.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { generator } from '../../differential/view-history.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-damage-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const whole = join(folder, 'whole');
const trimmed = join(folder, 'trimmed');
const trials = Math.max(12, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 8));
const QUERY = 'SELECT * FROM totals ORDER BY k; SELECT * FROM best ORDER BY v; SELECT * FROM most';
let expected: Row[] = [];
let expectedLater: Row[] = [];

async function run(db: Database, sql: string): Promise<Row[]> {
  const rows: Row[] = [];
  const results = db.session(undefined).execute(sql, [], new AbortController().signal);
  for await (const result of results) {
    if (result.kind === 'rows') for await (const chunk of result.chunks) rows.push(...chunk);
  }
  return rows;
}

const LATER = "INSERT INTO s VALUES (1, 1000, 'later'), (77, 3, 'b'); FLUSH;";

before(async () => {
  const db = await openMillrace({ data: whole });
  await run(
    db,
    `CREATE STREAM s (k int, v int, x text);
     INSERT INTO s SELECT n % 50, n, 'x' || n FROM generate_series(1, 3000) AS g(n);
     CREATE MATERIALIZED VIEW totals AS SELECT k, count(*) AS n, sum(v) AS v, min(x) AS x FROM s GROUP BY k;
     CREATE MATERIALIZED VIEW best AS SELECT v, x FROM s ORDER BY v DESC LIMIT 7;
     CREATE MATERIALIZED VIEW most AS SELECT max(v) AS v FROM totals; FLUSH`,
  );
  for (let tries = 0; db.status().operatorState?.unsavedPlans !== 0; tries++) {
    assert.ok(tries < 3000, 'the state is saved in time');
    await wait(20);
  }
  for (let i = 0; i < 12; i++) {
    await run(
      db,
      `INSERT INTO s SELECT n, ${i} * n, 'y' FROM generate_series(1, 20) AS g(n); FLUSH`,
    );
  }
  expected = await run(db, QUERY);
  await db.close();
  cpSync(whole, trimmed, { recursive: true });
  const store = await openDuckdbStore({ path: trimmed, readers: 1 });
  const offset = Math.max(...(await store.status()).positions.map((position) => position.offset));
  await store.log.trim('s', 0, offset);
  await store.close();
  const copy = join(folder, 'later');
  cpSync(whole, copy, { recursive: true });
  const later = await openMillrace({ data: copy });
  await run(later, LATER);
  expectedLater = await run(later, QUERY);
  await later.close();
});

/** A file of operator state with a bit turned, an end cut off, gone, or with more behind it. */
function damage(data: string, trial: number): string {
  const state = join(data, 'state');
  const names = readdirSync(state).sort();
  const name = names[trial % names.length] as string;
  const path = join(state, name);
  const bytes = readFileSync(path);
  const at = generator(trial)(bytes.length);
  switch (Math.floor(trial / names.length) % 4) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << (trial % 8));
      writeFileSync(path, bytes);
      return `${name}: byte ${at} changed`;
    case 1:
      truncateSync(path, at);
      return `${name}: cut off at ${at}`;
    case 2:
      rmSync(path);
      return `${name}: removed`;
    default:
      appendFileSync(path, bytes.subarray(at));
      return `${name}: longer`;
  }
}

interface Outcome {
  readonly opened: 'exact' | StreamError;
  /** What `millrace check` said before. */
  readonly damages: readonly string[];
}

async function openDamaged(source: string, trial: number): Promise<Outcome> {
  const data = join(folder, `trial-${trial}`);
  cpSync(source, data, { recursive: true });
  const what = damage(data, trial);
  const { damages } = await checkData(data, manifestSummary);
  try {
    const db = await openMillrace({ data });
    try {
      assert.deepEqual(await run(db, QUERY), expected, what);
      for (const { name, state } of db.status().views) assert.equal(state, 'running', name);
      await run(db, LATER);
      assert.deepEqual(await run(db, QUERY), expectedLater, what);
    } finally {
      await db.close();
    }
    return { opened: 'exact', damages };
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return { opened: error, damages };
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

test('damaged state is rebuilt from records that are still there', async () => {
  for (let trial = 0; trial < trials; trial++) {
    assert.equal((await openDamaged(whole, trial)).opened, 'exact');
  }
});

test('damaged state that cannot be rebuilt is refused with the name of the file', async () => {
  let refused = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { opened, damages } = await openDamaged(trimmed, trial);
    assert.equal(opened === 'exact', damages.length === 0, damages.join());
    if (opened === 'exact') continue;
    refused++;
    assert.equal(opened.code, 'STATE_DAMAGED', opened.message);
    assert.match(opened.message, /(log|node)-\d+(-\d+)? is damaged at byte \d+/);
    assert.match(opened.message, /no longer retained/);
  }
  assert.ok(refused > 0);
});

test('a database file that is older than the state beside it is refused', async () => {
  const data = join(folder, 'older');
  cpSync(whole, data, { recursive: true });
  const db = await openMillrace({ data });
  for (let i = 0; i < 3; i++) await run(db, LATER);
  await db.close();
  assert.deepEqual((await checkData(data, manifestSummary)).damages, []);
  rmSync(join(data, 'millrace.duckdb.wal'), { force: true });
  cpSync(join(whole, 'millrace.duckdb'), join(data, 'millrace.duckdb'));
  const { damages } = await checkData(data, manifestSummary);
  assert.match(damages.join('\n'), /the database ends before commits that the log/);
  await assert.rejects(openMillrace({ data }), { code: 'STORE_LOST_COMMITS' });
  // Nothing was cut off: the file that belongs to it could still be put back.
  await assert.rejects(openMillrace({ data }), { code: 'STORE_LOST_COMMITS' });
});
