/**
 * Record to readable at 1,000 events/s: a writer produces to a topic at that rate, a poller holds `GET /v1/views/NAME?wait=`
 * over HTTP; the latency of a record is the time from before its write to the first answer that counts it.
 * `latency.ts [KAFKA_BOOTSTRAP]`: over the embedded log, and over Kafka when there is one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaLog } from '../../connectors/kafka/kafka-log.ts';
import { ServerProcess } from '../integration/server-process.ts';
import { printTable, quantile } from './measure.ts';

const EVENTS_PER_SECOND = 1_000;
const SECONDS = 10;
const WARM_UP_SECONDS = 3;
const TICK_MS = 10;

const [bootstrap] = process.argv.slice(2);
const rows = [['log', 'p50 ms', 'p99 ms', 'max ms', 'records', 'target p50/p99']];
rows.push(await run('embedded', undefined));
if (bootstrap !== undefined) rows.push(await run('kafka', bootstrap));
printTable(rows);
process.exit(0);

async function run(name: string, kafka: string | undefined): Promise<string[]> {
  const data = mkdtempSync(join(tmpdir(), 'millrace-latency-'));
  const server = await ServerProcess.start({ data, kafka });
  const topic = `latency-${process.pid}`;
  const log =
    kafka === undefined ? undefined : new KafkaLog(new Map([['bootstrap.servers', kafka]]));
  try {
    await server.sql(`
      CREATE STREAM ticks (id bigint) WITH (kafka_topic = '${topic}', value_format = 'json', partitions = 1);
      CREATE MATERIALIZED VIEW latest AS SELECT max(id) AS last FROM ticks;`);
    const sentMs: number[] = [];
    const latenciesMs: number[] = [];
    const total = EVENTS_PER_SECOND * (SECONDS + WARM_UP_SECONDS);
    const poll = (async () => {
      let seen = -1;
      let version = 0;
      while (seen < total - 1) {
        const response = await fetch(`${server.url}/v1/views/latest?wait=5s&since=${version}`);
        const body = (await response.json()) as { version: number; rows: (number | null)[][] };
        const nowMs = performance.now();
        version = body.version;
        const last = body.rows[0]?.[0] ?? -1;
        for (let id = seen + 1; id <= last; id++) {
          if (id >= EVENTS_PER_SECOND * WARM_UP_SECONDS)
            latenciesMs.push(nowMs - (sentMs[id] ?? nowMs));
        }
        seen = Math.max(seen, last);
      }
    })();
    const startedMs = performance.now();
    const writes: Promise<unknown>[] = [];
    for (let id = 0; id < total; ) {
      const due = Math.min(
        Math.floor(((performance.now() - startedMs) * EVENTS_PER_SECOND) / 1000) + 1,
        total,
      );
      const batch: { id: number }[] = [];
      for (; id < due; id++) {
        sentMs[id] = performance.now();
        batch.push({ id });
      }
      if (batch.length > 0) writes.push(write(server, topic, log, batch));
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    await Promise.all(writes);
    await poll;
    return [
      name,
      quantile(latenciesMs, 0.5).toFixed(1),
      quantile(latenciesMs, 0.99).toFixed(1),
      Math.max(...latenciesMs).toFixed(1),
      String(latenciesMs.length),
      '15/60',
    ];
  } finally {
    await log?.close();
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

async function write(
  server: ServerProcess,
  topic: string,
  log: KafkaLog | undefined,
  batch: readonly { id: number }[],
): Promise<void> {
  if (log !== undefined) {
    await log.produce(
      topic,
      batch.map((record) => ({ key: null, value: Buffer.from(JSON.stringify(record)) })),
    );
    return;
  }
  const response = await fetch(`${server.url}/v1/streams/ticks/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(batch),
  });
  if (!response.ok) throw new Error(await response.text());
}
