/** One Nexmark query in this process: `nexmark-run.ts NAME EVENTS [--kafka BOOTSTRAP]`; prints one JSON line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { RecordBatch } from '../../connectors/connector.ts';
import { nexmarkBatches } from '../../connectors/generator/nexmark.ts';
import { eventsOfKind, type NexmarkKind } from '../../connectors/generator/nexmark-model.ts';
import type { Database } from '../../server/database.ts';
import { openMillrace } from '../../server/millrace.ts';
import { warmHostMemory } from './host-memory.ts';
import { loadTopic } from './kafka-load.ts';
import { measure } from './measure.ts';
import { MemorySource, memoryConnector } from './memory-source.ts';
import { QUERIES, STREAMS } from './nexmark-queries.ts';
import { PEERS } from './peer.ts';

/** Share of the events that warms the process up before anything is counted. */
const WARM_UP_SHARE = 0.25;

// As server/start.ts does.
setFlagsFromString('--heap-growing-percent=300');
const [name, eventsText, , bootstrap] = process.argv.slice(2);
const events = Number(eventsText);
const query = QUERIES.find((candidate) => candidate.name === name);
if (query === undefined || !Number.isInteger(events)) {
  process.stderr.write('usage: nexmark-run.ts NAME EVENTS [--kafka BOOTSTRAP]\n');
  process.exit(2);
}

// Only what the query reads is made and counted, and of that the given number of events: persons and auctions are 4 of 50
// events, so that the costs of a start would else be most of what their queries are measured by.
const readOf50 = query.reads.reduce((sum, kind) => sum + eventsOfKind(kind, 50), 0);
const span = Math.round((events * 50) / readOf50);
const batchesOf = (kind: NexmarkKind): RecordBatch[] =>
  query.reads.includes(kind) ? nexmarkBatches(kind, eventsOfKind(kind, span)) : [];
const workload = {
  person: batchesOf('person'),
  auction: batchesOf('auction'),
  bid: batchesOf('bid'),
};
const sources = new Map(
  query.reads.map((kind) => [kind, new MemorySource(workload[kind])] as const),
);
const data = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const database = await openMillrace({
  data,
  kafka: bootstrap === undefined ? [] : [bootstrap],
  sources: [memoryConnector(sources)],
});
try {
  const result = bootstrap === undefined ? await fromMemory() : await fromKafka(bootstrap);
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await database.close();
  rmSync(data, { recursive: true, force: true });
}
process.exit(0);

async function fromMemory(): Promise<object> {
  for (const kind of query?.reads ?? []) {
    await sql(
      database,
      `CREATE STREAM ${kind} (${STREAMS[kind]}) WITH (connector = 'memory', name = '${kind}')`,
    );
  }
  await createQuery();
  const release = (share: number): number => {
    let released = 0;
    for (const source of sources.values()) released += source.release(source.records * share);
    return released;
  };
  const warm = release(WARM_UP_SHARE);
  await sql(database, 'FLUSH');
  warmHostMemory();
  global.gc?.();
  let records = 0;
  const cost = await measure(async () => {
    records = release(1) - warm;
    await sql(database, 'FLUSH');
  });
  return report(records, cost);
}

async function fromKafka(server: string): Promise<object> {
  let records = 0;
  for (const kind of query?.reads ?? []) {
    const topic = `bench-${kind}-${span}`;
    records += await loadTopic(server, topic, workload[kind]);
    await sql(
      database,
      `CREATE STREAM ${kind} (${STREAMS[kind]}) WITH (kafka_topic = '${topic}', value_format = 'json')`,
    );
  }
  // A first view over the same topics warms the process up; it is gone before the clock starts.
  await createQuery();
  await sql(database, 'FLUSH');
  await sql(
    database,
    query?.into === 'view' ? 'DROP MATERIALIZED VIEW result' : 'DROP SINK result',
  );
  warmHostMemory();
  global.gc?.();
  const cost = await measure(async () => {
    await createQuery();
    await sql(database, 'FLUSH');
  });
  return report(records, cost);
}

async function createQuery(): Promise<void> {
  await sql(
    database,
    query?.into === 'view'
      ? `CREATE MATERIALIZED VIEW result AS ${query.sql}`
      : `CREATE SINK result AS ${query?.sql} WITH (connector = 'blackhole')`,
  );
}

async function report(
  records: number,
  cost: { readonly wallSeconds: number; readonly cpuSeconds: number; readonly rssBytes: number },
): Promise<object> {
  const rows =
    query?.into === 'view'
      ? Number((await sql(database, 'SELECT count(*) FROM result'))[0]?.[0])
      : (database.status().views.find((view) => view.name === 'result')?.rowsChanged ?? 0);
  const peer = PEERS[query?.name ?? ''];
  let peerCpuPerMillion: number | null = null;
  if (peer !== undefined) {
    peer(workload);
    const own = await measure(async () => {
      peer(workload);
    });
    const all = query?.reads.reduce(
      (sum, kind) => sum + workload[kind].reduce((n, batch) => n + batch.length, 0),
      0,
    );
    peerCpuPerMillion = (own.cpuSeconds / (all ?? 1)) * 1e6;
  }
  return {
    eventsPerSecond: records / cost.wallSeconds,
    cpuPerMillion: (cost.cpuSeconds / records) * 1e6,
    peerCpuPerMillion,
    rows,
    rssBytes: cost.rssBytes,
  };
}

async function sql(target: Database, text: string): Promise<readonly (readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = [];
  for await (const result of target
    .session(undefined)
    .execute(text, [], new AbortController().signal)) {
    if (result.kind !== 'rows') continue;
    for await (const chunk of result.chunks) rows.push(...chunk);
  }
  return rows;
}
