/** Hundreds of views in one process: creation, shared reading, the price of one more view, and of views that have nothing to do. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerProcess } from './server-process.ts';

const VIEWS = 300;
const EVENTS = 100_000;
const EVENTS_PER_REQUEST = 5_000;
const CREATION_MS_MAX = 10_000;
/** What 300 views may cost of CPU time, as a multiple of what one costs. */
const COST_RATIO_MAX = 150;
const LATENCY_SAMPLES = 200;
const LATENCY_RATIO_MAX = 2;

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<ServerProcess> {
  const data = mkdtempSync(join(tmpdir(), 'millrace-many-views-'));
  folders.push(data);
  const server = await ServerProcess.start({ data });
  await server.sql('CREATE STREAM trades (account int, price bigint, venue text)');
  await server.sql('CREATE STREAM pings (id int)');
  return server;
}

const aggregates = ['count(*)', 'sum(price)', 'max(price)', 'min(price)', 'avg(price)'];

/** No two of them compute the same, so that none is shared. */
const viewOf = (i: number): string =>
  `CREATE MATERIALIZED VIEW v${i} AS SELECT account % ${10 + i} AS bucket, count(*) AS n,
   ${aggregates[i % aggregates.length]} AS value FROM trades WHERE price % ${VIEWS} <> ${i} GROUP BY 1`;

const event = (i: number): { account: number; price: number; venue: string } => ({
  account: (i * 7919) % 1_000,
  price: (i * 104_729) % 10_007,
  venue: i % 3 === 0 ? 'north' : 'south',
});

async function ingest(server: ServerProcess): Promise<void> {
  for (let first = 0; first < EVENTS; first += EVENTS_PER_REQUEST) {
    const rows = Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => event(first + i));
    await post(server, 'trades', rows);
  }
  await server.sql('FLUSH');
}

async function post(server: ServerProcess, stream: string, rows: unknown[]): Promise<void> {
  const response = await fetch(`${server.url}/v1/streams/${stream}/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rows),
  });
  assert.ok(response.ok, await response.text());
}

/** One sample of the server's own metrics. */
async function metric(server: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  assert.ok(line !== undefined, `${name} is in /metrics`);
  return Number(line.slice(name.length + 1));
}

async function cpuSecondsOfIngest(server: ServerProcess): Promise<number> {
  const before = await metric(server, 'process_cpu_seconds_total');
  await ingest(server);
  return (await metric(server, 'process_cpu_seconds_total')) - before;
}

/** The median time from a record's arrival to its being readable. */
async function medianLatencyMs(server: ServerProcess): Promise<number> {
  await server.sql('CREATE MATERIALIZED VIEW seen AS SELECT count(*) AS n FROM pings');
  const latenciesMs: number[] = [];
  for (let i = 1; i <= LATENCY_SAMPLES; i++) {
    const startedMs = performance.now();
    await post(server, 'pings', [{ id: i }]);
    let n = 0;
    while (n !== i) n = Number((await server.rows('SELECT n FROM seen'))[0]?.[0]);
    latenciesMs.push(performance.now() - startedMs);
  }
  latenciesMs.sort((a, b) => a - b);
  return latenciesMs[latenciesMs.length >> 1] as number;
}

test('300 views over one stream', { timeout: 300_000 }, async (t) => {
  const alone = await start();
  const crowded = await start();
  try {
    await alone.sql(viewOf(0));
    const startedMs = performance.now();
    for (let i = 0; i < VIEWS; i++) await crowded.sql(viewOf(i));
    const creationMs = performance.now() - startedMs;
    t.diagnostic(`created in ${Math.round(creationMs)} ms`);
    assert.ok(creationMs < CREATION_MS_MAX, `creation took ${creationMs} ms`);

    const quietMs = await medianLatencyMs(alone);
    const crowdedMs = await medianLatencyMs(crowded);
    t.diagnostic(
      `latency ${quietMs.toFixed(2)} ms alone, ${crowdedMs.toFixed(2)} ms beside others`,
    );
    assert.ok(crowdedMs <= LATENCY_RATIO_MAX * quietMs, `${crowdedMs} ms against ${quietMs} ms`);

    const one = await cpuSecondsOfIngest(alone);
    const all = await cpuSecondsOfIngest(crowded);
    t.diagnostic(`${one.toFixed(2)} CPU s for one view, ${all.toFixed(2)} for ${VIEWS}`);
    assert.ok(all <= COST_RATIO_MAX * one, `${all} CPU s against ${one}`);

    const records = await metric(crowded, 'millrace_stream_records_total{stream="trades"}');
    assert.equal(records, EVENTS, 'each record is read and decoded once, for all views');
    for (const i of [0, 1, 2, 3, 4, 150, VIEWS - 1]) await assertRows(crowded, i);
  } finally {
    await alone.stop();
    await crowded.stop();
  }
});

async function assertRows(server: ServerProcess, i: number): Promise<void> {
  const counts = new Map<number, number>();
  for (let at = 0; at < EVENTS; at++) {
    const { account, price } = event(at);
    if (price % VIEWS === i) continue;
    const bucket = account % (10 + i);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  const rows = await server.rows(`SELECT bucket, n FROM v${i} ORDER BY bucket`);
  assert.deepEqual(
    rows,
    [...counts].sort(([a], [b]) => a - b),
  );
}
