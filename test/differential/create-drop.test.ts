/**
 * Views on views are created and dropped again and again, in random order and with CASCADE, while the table below them changes:
 * the views hold PostgreSQL's rows, and nothing of them stays, in the catalog, in memory or on disk.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DuckDBInstance } from '@duckdb/node-api';
import { RUN_SEED } from '../run-seed.ts';
import { asBag, Judge, Subject } from './both-sides.ts';
import { generator } from './view-history.ts';

const IS_LONG = process.env.MILLRACE_TEST_RUNS !== undefined;
/** Statements that create or drop. */
const CYCLES = IS_LONG ? 2_000 : 150;
const JUDGED_CYCLES = IS_LONG ? 500 : 60;
const VIEWS_MAX = 12;
const CHANGE_EVERY = 10;
const CHECK_EVERY = 50;
/** After these the process has compiled what it runs. */
const WARM_UP_CYCLES = Math.floor(CYCLES / 3);
/**
 * Of the whole process, all threads, on a machine that does other things too. The time by the clock is printed: a statement waits
 * for a commit, so that on a busy machine it is mostly waiting.
 */
const CPU_MS_A_STATEMENT_MAX = 40;
const HEAP_GROWTH_BYTES_A_CYCLE_MAX = 2_000;
const HEAP_NOISE_BYTES = 2e6;
/** DuckDB's blocks are 256 KiB; it keeps freed ones and fills them again. */
const FILE_GROWTH_BYTES_MAX = 2 * 1024 * 1024;
/** Saving and cleaning up go on beside the statements. */
const SETTLED_WAIT_MS = 30_000;
const SAVE_OFTEN = { logBytesMin: 1, logToStateRatio: 0, idleMs: 0, idleLogBytesMin: 1 };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Each reads one or two relations of the columns k and v, and has these columns. */
const queries: readonly ((one: string, two: string) => string)[] = [
  (one) => `SELECT k, v + 1 AS v FROM ${one} WHERE v > 2`,
  (one) => `SELECT k, sum(v)::int AS v FROM ${one} GROUP BY k`,
  (one, two) => `SELECT a.k, a.v + b.v AS v FROM ${one} a JOIN ${two} b ON a.k = b.k AND b.v < 20`,
  (one, two) => `SELECT a.k, coalesce(b.v, -1) AS v FROM ${one} a LEFT JOIN ${two} b ON a.k = b.v`,
  (one, two) => `SELECT k, v FROM ${one} UNION SELECT k, v FROM ${two}`,
  (one) => `SELECT DISTINCT k % 3 AS k, v FROM ${one}`,
  (one) => `SELECT k, rank() OVER (PARTITION BY k ORDER BY v)::int AS v FROM ${one}`,
  (one) => `SELECT k, v FROM ${one} ORDER BY v DESC, k LIMIT 5`,
  (one, two) =>
    `SELECT k, v FROM ${one} WHERE EXISTS (SELECT 1 FROM ${two} b WHERE b.k = ${one}.k)`,
  (one) => `SELECT k, (SELECT max(v) FROM base) AS v FROM ${one}`,
];

class Cycles {
  readonly statementMs: number[] = [];
  cpuMs = 0;
  readonly #judge: Judge | undefined;
  readonly #subject: Subject;
  readonly #random: (below: number) => number;
  /** Of each view, the relations that it reads. */
  readonly #views = new Map<string, readonly string[]>();
  #next = 0;

  constructor(judge: Judge | undefined, subject: Subject, seed: number) {
    this.#judge = judge;
    this.#subject = subject;
    this.#random = generator(seed);
  }

  async begin(): Promise<void> {
    await this.#both('CREATE TABLE base (id int PRIMARY KEY, k int, v int)');
    await this.#both(
      `INSERT INTO base VALUES ${Array.from({ length: 40 }, (_, i) => `(${i}, ${i % 7}, ${i % 11})`).join(', ')}`,
    );
  }

  async cycle(number: number): Promise<void> {
    const drops = this.#views.size >= VIEWS_MAX || (this.#views.size > 0 && this.#random(5) < 2);
    if (drops) await this.#drop(this.#pick([...this.#views.keys()]));
    else await this.#create();
    if (number % CHANGE_EVERY === 0) await this.#change();
    if (number % CHECK_EVERY === 0) await this.#check();
  }

  async dropAll(): Promise<void> {
    for (const name of this.#views.keys()) await this.#drop(name);
  }

  async #create(): Promise<void> {
    const name = `v${this.#next++}`;
    const relations = ['base', ...this.#views.keys()];
    const one = this.#pick(relations);
    const two = this.#pick(relations);
    const query = this.#pick(queries)(one, two);
    const words = new Set(query.match(/\w+/g));
    this.#views.set(
      name,
      relations.filter((relation) => words.has(relation)),
    );
    await this.#judged(`CREATE VIEW ${name} AS ${query}`);
    await this.#timed(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  }

  async #drop(name: string): Promise<void> {
    if (!this.#views.has(name)) return;
    const gone = new Set([name]);
    // A view reads only older ones.
    for (const [view, reads] of this.#views) {
      if (reads.some((relation) => gone.has(relation))) gone.add(view);
    }
    for (const view of gone) this.#views.delete(view);
    await this.#judged(`DROP VIEW ${name} CASCADE`);
    await this.#timed(`DROP MATERIALIZED VIEW ${name} CASCADE`);
    const left = viewNames(this.#subject).toSorted();
    assert.deepEqual(left, [...this.#views.keys()].sort(), `after DROP ${name} CASCADE`);
  }

  async #change(): Promise<void> {
    const key = this.#random(60);
    await this.#both(
      `INSERT INTO base VALUES (${key}, ${this.#random(7)}, ${this.#random(30)}) ON CONFLICT (id) DO UPDATE SET k = excluded.k, v = excluded.v`,
    );
    await this.#both(`DELETE FROM base WHERE id = ${this.#random(60)}`);
  }

  async #check(): Promise<void> {
    if (this.#judge === undefined) return;
    for (const name of this.#views.keys()) {
      const sql = `SELECT * FROM ${name}`;
      assert.deepEqual(
        asBag(await this.#subject.run(sql)),
        asBag(await this.#judge.run(sql)),
        name,
      );
    }
  }

  async #both(sql: string): Promise<void> {
    await this.#judged(sql);
    assert.equal((await this.#subject.run(sql)).kind, 'answered', sql);
  }

  async #judged(sql: string): Promise<void> {
    const answer = await this.#judge?.run(sql);
    assert.ok(answer?.kind !== 'failed', `${sql}: ${JSON.stringify(answer)}`);
  }

  async #timed(sql: string): Promise<void> {
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    const answer = await this.#subject.run(sql);
    this.statementMs.push(performance.now() - startedMs);
    const { user, system } = process.cpuUsage(cpu);
    this.cpuMs += (user + system) / 1000;
    assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random(items.length)] as Item;
  }
}

const viewNames = ({ database }: Subject): readonly string[] =>
  database.status().views.flatMap(({ name, kind }) => (kind === 'materialized-view' ? [name] : []));

const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' });

/** What a database holds when no view is there. */
interface Held {
  readonly heapBytes: number;
  readonly fileBytes: number;
  readonly stateFiles: readonly string[];
  readonly tables: readonly string[];
}

async function held(subject: Subject, folder: string): Promise<Held> {
  await subject.run('FLUSH');
  const stateFiles = (): readonly string[] =>
    filesOf(folder).filter((name) => name.includes('node-'));
  const endMs = performance.now() + SETTLED_WAIT_MS;
  while (stateFiles().length > 0 && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const left = stateFiles();
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  let fileBytes = 0;
  let tables: readonly string[] = [];
  await subject.reopen(async () => {
    for (const name of filesOf(folder)) fileBytes += statSync(join(folder, name)).size;
    tables = await tablesIn(folder);
  });
  return { heapBytes: heapUsed + arrayBuffers, fileBytes, stateFiles: left, tables };
}

/** Of the store, all that DuckDB has. */
async function tablesIn(folder: string): Promise<readonly string[]> {
  const file = filesOf(folder).find((name) => name.endsWith('.duckdb'));
  const instance = await DuckDBInstance.create(join(folder, file ?? ''));
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll('SELECT table_name FROM duckdb_tables()');
    return reader
      .getRows()
      .map(([name]) => String(name))
      .sort();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

test('views that come and go hold the right rows', { timeout: 1_200_000 }, async () => {
  const judge = await Judge.open();
  const subject = await Subject.open();
  try {
    const cycles = new Cycles(judge, subject, RUN_SEED);
    await cycles.begin();
    for (let i = 1; i <= JUDGED_CYCLES; i++) await cycles.cycle(i);
    await cycles.dropAll();
  } finally {
    await subject.close();
    await judge.close();
  }
});

test('views that come and go leave nothing behind', { timeout: 1_200_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cycles-'));
  const subject = await Subject.open(folder, SAVE_OFTEN);
  try {
    const cycles = new Cycles(undefined, subject, RUN_SEED + 1);
    await cycles.begin();
    for (let i = 0; i < WARM_UP_CYCLES; i++) await cycles.cycle(i);
    await cycles.dropAll();
    const before = await held(subject, folder);
    cycles.statementMs.length = 0;
    cycles.cpuMs = 0;
    for (let i = 0; i < CYCLES; i++) await cycles.cycle(i);
    await cycles.dropAll();
    const after = await held(subject, folder);
    const sorted = cycles.statementMs.toSorted((a, b) => a - b);
    const at = (share: number): string =>
      (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
    const cpuMs = cycles.cpuMs / sorted.length;
    t.diagnostic(
      `${sorted.length} statements: median ${at(0.5)} ms, p99 ${at(0.99)} ms, ${cpuMs.toFixed(1)} ms of CPU each; heap ${before.heapBytes} to ${after.heapBytes}, files ${before.fileBytes} to ${after.fileBytes} bytes`,
    );
    assert.deepEqual(viewNames(subject), []);
    assert.deepEqual(after.tables, before.tables, 'tables of the store');
    assert.deepEqual(after.stateFiles, [], 'no saved state of views that are gone');
    const heapMax = HEAP_NOISE_BYTES + CYCLES * HEAP_GROWTH_BYTES_A_CYCLE_MAX;
    assert.ok(after.heapBytes - before.heapBytes < heapMax, 'memory grows');
    assert.ok(after.fileBytes - before.fileBytes < FILE_GROWTH_BYTES_MAX, 'files grow');
    assert.ok(cpuMs < CPU_MS_A_STATEMENT_MAX, `a statement takes ${cpuMs} ms of CPU`);
  } finally {
    await subject.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
