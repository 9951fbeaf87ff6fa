/** One test per trap of DuckDB that was measured, so that an upgrade or a rewrite cannot step into it. */
import assert from 'node:assert/strict';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import duckdb from '@duckdb/node-bindings';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { Connection } from '../../../engine/store/connection.ts';
import { DatabaseFile } from '../../../engine/store/database-file.ts';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import { callName, type HostCall, nextCallId } from '../../../engine/store/host-call.ts';
import type { Store, StoredRelation } from '../../../engine/store/store.ts';
import type { Row } from '../../../sql/base/datum.ts';
import { StreamError } from '../../../sql/base/error.ts';
import type { Schema } from '../../../sql/base/type.ts';

const directory = mkdtempSync(join(tmpdir(), 'millrace-trap-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const schema: Schema = [
  { name: 'k', type: { kind: 'bigint' }, nullable: true },
  { name: 'v', type: { kind: 'text' }, nullable: true },
];
const keyed: StoredRelation = { id: 1, schema, storage: { kind: 'keyed', key: [0] } };

async function withKeyed(path = ':memory:'): Promise<Store> {
  const store = await openDuckdbStore({ path, readers: 2 });
  await store.changeCatalog({ put: [], remove: [], createTables: [keyed], dropTables: [] });
  return store;
}

let epoch = 0;
async function change(store: Store, removed: readonly Row[], added: readonly Row[]): Promise<void> {
  const builder = new BatchBuilder(schema);
  for (const row of removed) builder.add(row, -1);
  for (const row of added) builder.add(row, 1);
  epoch++;
  const views = [{ relation: keyed, changes: [builder.take()], replace: false }];
  await store.commit({ epoch, views, positions: [], watermarks: [], outbox: [] });
}

async function answer(store: Store, sql: string, answerSchema: Schema, calls: HostCall[] = []) {
  const rows: Row[] = [];
  const result = await store.query(sql, answerSchema, undefined, calls);
  for await (const chunk of result.chunks) rows.push(...chunk);
  return rows;
}

const bigint: Schema = [{ name: 'n', type: { kind: 'bigint' }, nullable: true }];
const text: Schema = [{ name: 'x', type: { kind: 'text' }, nullable: true }];

test('upserts prepared over an empty stage write garbage: there are none, and first commits are right', async () => {
  for (const file of globSync('engine/store/*.ts', {
    cwd: join(import.meta.dirname, '../../..'),
  })) {
    const source = readFileSync(join(import.meta.dirname, '../../..', file), 'utf8');
    const code = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.doesNotMatch(code, /OR REPLACE INTO|INSERT OR|ON CONFLICT/i, file);
  }
  const store = await withKeyed();
  await change(store, [], [[1n, 'a']]);
  for (let round = 0; round < 5; round++) {
    await change(
      store,
      [[1n, String(round)]],
      [
        [1n, String(round + 1)],
        [BigInt(round + 10), 'new'],
      ],
    );
  }
  assert.deepEqual(await answer(store, 'SELECT c1 FROM r1 WHERE c0 = 1', text), [['5']]);
  assert.deepEqual(await answer(store, 'SELECT count(*) FROM r1', bigint), [[6n]]);
  await store.close();
});

test('indexed tables never shrink: there is no index, and a table of ever-new keys stays small', async () => {
  const store = await withKeyed(join(directory, 'churn'));
  let live: Row[] = [];
  for (let round = 0; round < 40; round++) {
    const next = Array.from(
      { length: 2000 },
      (_, i): Row => [BigInt(round * 2000 + i), `text of some length ${round} ${i}`],
    );
    await change(store, live, next);
    live = next;
  }
  const constraints =
    "SELECT count(*) FROM duckdb_indexes() UNION ALL SELECT count(*) FROM duckdb_constraints() WHERE table_name = 'r1'";
  assert.deepEqual(await answer(store, constraints, bigint), [[0n], [0n]]);
  assert.deepEqual(await answer(store, 'SELECT count(*) FROM r1', bigint), [[2000n]]);
  await store.checkpoint();
  const checkpointed = await store.sizeBytes();
  assert.ok(checkpointed < 4 * 1024 * 1024, `${checkpointed} bytes after the checkpoint`);
  await store.close();
});

test('an emptied staging table keeps its past: stages are made anew', async () => {
  const store = await withKeyed();
  let row: Row = [1n, '0'];
  await change(store, [], [row]);
  for (let round = 1; round <= 200; round++) {
    const next: Row = [1n, String(round)];
    await change(store, [row], [next]);
    row = next;
  }
  assert.deepEqual(await answer(store, 'SELECT c1 FROM r1', text), [['200']]);
  await store.close();
});

test('writers never conflict: commits, log appends and catalog changes from everywhere at once', async () => {
  const store = await withKeyed();
  await store.log.createTopic('t', 1, new Map());
  await Promise.all([
    change(store, [], [[1n, 'a']]),
    ...Array.from({ length: 20 }, (_, i) =>
      store.log.append([
        {
          topic: 't',
          partition: 0,
          baseOffset: i,
          count: 1,
          firstTimestampMs: 0,
          lastTimestampMs: 0,
          data: Buffer.from([i]),
        },
      ]),
    ),
    store.changeCatalog({
      put: [{ id: 5, name: 'x', kind: 'view', sql: '', detail: '' }],
      remove: [],
      createTables: [],
      dropTables: [],
    }),
    store.acknowledge(1, 1),
    store.checkpoint(),
  ]);
  assert.equal((await store.log.read('t', 0, 0, 100)).length, 20);
  await store.close();
});

function hostCall(evaluate: HostCall['evaluate'], options: Partial<HostCall> = {}): HostCall {
  const type = { kind: 'bigint' } as const;
  return {
    id: nextCallId(),
    parameters: [type],
    result: type,
    strict: true,
    volatile: false,
    evaluate,
    ...options,
  };
}

test('a function of ours called by DuckDB runs while commits and other queries go on', async () => {
  const store = await withKeyed();
  await change(
    store,
    [],
    Array.from({ length: 10_000 }, (_, i): Row => [BigInt(i), 'x']),
  );
  const call = hostCall(([n]) => (n as bigint) * 2n);
  const sql = `SELECT CAST(sum(${callName(call)}(${call.id}, c0)) AS BIGINT) FROM r1`;
  const work: Promise<unknown>[] = [];
  for (let i = 0; i < 20; i++) {
    work.push(answer(store, sql, bigint, [call]));
    work.push(change(store, [[BigInt(i), 'x']], [[BigInt(i), 'y']]));
  }
  await Promise.all(work);
  assert.deepEqual(await answer(store, sql, bigint, [call]), [[99_990_000n]]);
  await store.close();
});

test('an error of such a function comes through as it was thrown, and its query ends', async () => {
  const store = await withKeyed();
  await change(
    store,
    [],
    [
      [1n, 'x'],
      [0n, 'y'],
      [null, 'z'],
    ],
  );
  const error = new StreamError('VALUE_DIVISION_BY_ZERO', 'division by zero', { hint: 'none' });
  const call = hostCall(([n]) => {
    if (n === 0n) throw error;
    return n ?? null;
  });
  const name = `${callName(call)}(${call.id}, c0)`;
  await assert.rejects(answer(store, `SELECT ${name} FROM r1`, bigint, [call]), error);
  assert.deepEqual(
    await answer(store, `SELECT ${name} FROM r1 WHERE c0 > 0 OR c0 IS NULL ORDER BY 1`, bigint, [
      call,
    ]),
    [[1n], [null]],
  );
  assert.deepEqual(
    await answer(
      store,
      `SELECT CASE WHEN c0 <> 0 THEN ${name} END FROM r1 ORDER BY 1 NULLS FIRST`,
      bigint,
      [call],
    ),
    [[null], [null], [1n]],
  );
  await store.close();
});

test('long results do not hold up the event loop', async () => {
  const store = await withKeyed();
  const rows = Array.from(
    { length: 60_000 },
    (_, i): Row => [BigInt(i), `a text of more than twelve bytes ${i}`],
  );
  await change(store, [], rows);
  // CPU time of this thread: a loaded machine delays the timer, but adds nothing to what is done between its ticks.
  const cpuMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let longest = 0;
  let last = cpuMs();
  const timer = setInterval(() => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  const result = await store.query('SELECT c0, c1 FROM r1', schema);
  let count = 0;
  for await (const chunk of result.chunks) {
    assert.ok(chunk.length <= 2048);
    count += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  clearInterval(timer);
  assert.equal(count, 60_000);
  // A result decoded at once would take longer than this.
  assert.ok(longest < 150, `the loop was kept for ${longest} ms`);
  await store.close();
});

test('a condition that was always true when a statement was planned holds for rows that are committed before it runs', async () => {
  const chunk = (sinkId: number, sequence: number) => ({
    sinkId,
    sequence,
    records: 1,
    createdMs: 1,
    data: Buffer.from([sinkId]),
  });
  const commit = (store: Store, of: number, chunks: readonly ReturnType<typeof chunk>[]) =>
    store.commit({ epoch: of, views: [], positions: [], watermarks: [], outbox: chunks });
  // Statistics never forget, so that only the first commit of another sink counts.
  for (let round = 0; round < 40; round++) {
    const store = await openDuckdbStore({ path: ':memory:', readers: 2 });
    await commit(store, 1, [chunk(7, 1)]);
    let isCommitted = false;
    const committing = commit(store, 2, [chunk(8, 2)]).then(() => {
      isCommitted = true;
    });
    do {
      const found = await store.outbox(7, 0, 10);
      assert.deepEqual(
        found.map(({ data }) => data[0]),
        [7],
      );
    } while (!isCommitted);
    await committing;
    await store.close();
  }
});

test('a statement spills to the data directory only, up to a bound, and fails past it', async () => {
  const memoryBytesMax = 32 * 1024 * 1024;
  const huge = `WITH t AS MATERIALIZED (SELECT md5(i::varchar) AS h FROM range(10000000) AS r(i))
    SELECT count(*) AS n FROM t AS a POSITIONAL JOIN t AS b`;
  for (const path of [':memory:', join(directory, 'spill')]) {
    const store = await openDuckdbStore({ path, readers: 2, memoryBytesMax });
    await assert.rejects(answer(store, huge, bigint), { code: 'VALUE_PROGRAM_LIMIT' }, path);
    assert.deepEqual(await answer(store, 'SELECT 1 AS n', bigint), [[1n]]);
    await store.close();
  }
  assert.equal(existsSync('.tmp'), false);
});

test('a result that is not read to its end keeps its database open, and nobody else opens it beside', async () => {
  const options = { path: join(directory, 'kept'), memoryBytesMax: 2 ** 28, threads: 1 };
  const file = await DatabaseFile.open(options);
  const connection = await Connection.open(file.database);
  await connection.run('CREATE TABLE r (n BIGINT); INSERT INTO r FROM range(100000)');
  const result = await connection.stream('SELECT n FROM r');
  connection.close();
  file.close();
  await assert.rejects(DatabaseFile.open(options), { code: 'STORE_FAILED', message: /in use/ });
  assert.ok(duckdb.column_count(result) === 1, 'the result is there until here');
});
