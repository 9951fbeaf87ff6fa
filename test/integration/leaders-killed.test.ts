/** Three brokers, replication 3, and the brokers killed in turn under load: nothing is lost, nothing comes twice, and it recovers by itself. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { KafkaLog } from '../../connectors/kafka/kafka-log.ts';
import { needsKafka, startKafka, type TestKafka } from '../kafka/start-kafka.ts';
import { ServerProcess } from './server-process.ts';
import { bid, checkChanges, checkOnce, committed, sinkRows, until } from './sink-output.ts';

const isLong = process.env.MILLRACE_TEST_LONG !== undefined;
const LOAD_MS = isLong ? 120_000 : 15_000;
const KILL_EVERY_MS = 5_000;
/** A killed broker is away for so long, so that others lead its partitions meanwhile. */
const AWAY_MS = 2_000;
const RECOVERY_MS_MAX = 120_000;
const BATCH = 50;
const BATCH_PAUSE_MS = 25;

describe('a cluster whose leaders die', needsKafka, () => {
  let kafka: TestKafka;
  let log: KafkaLog;
  const data = mkdtempSync(join(tmpdir(), 'millrace-leaders-'));
  before(async () => {
    kafka = await startKafka({ own: true, nodes: 3 });
    log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
  });
  after(async () => {
    await log.close();
    await kafka.stop();
    rmSync(data, { recursive: true, force: true });
  });

  /** Writes bids until told to stop; what is acknowledged must be counted. @returns how many there are. */
  async function load(state: { readonly isOn: boolean }): Promise<number> {
    let next = 0;
    while (state.isOn) {
      await log.produce(
        'in',
        Array.from({ length: BATCH }, (_, i) => bid(next + i)),
      );
      next += BATCH;
      await pause(BATCH_PAUSE_MS);
    }
    return next;
  }

  it('keeps every record once, and has no lag in the end', {
    timeout: LOAD_MS + RECOVERY_MS_MAX + 240_000,
  }, async () => {
    const server = await ServerProcess.start({ data, kafka: kafka.bootstrap });
    try {
      await server.sql(`
        CREATE STREAM bid (id bigint, auction bigint, price bigint) WITH (kafka_topic = 'in', partitions = 6);
        CREATE MATERIALIZED VIEW per_auction AS
          SELECT auction, count(*) AS bids, sum(price) AS total FROM bid GROUP BY auction;
        CREATE SINK all_bids AS SELECT id, auction FROM bid WITH (topic = 'all', partitions = 3);
        CREATE SINK changes FROM per_auction WITH (topic = 'changes', partitions = 3);`);
      for (const topic of ['in', 'all', 'changes', 'millrace_positions']) {
        await until(
          `topic ${topic} has three replicas`,
          async () => (await log.describe(topic))?.replication === 3,
        );
      }
      const state = { isOn: true };
      const loading = load(state);
      const endMs = Date.now() + LOAD_MS;
      for (let kill = 0; Date.now() < endMs; kill++) {
        const node = (kill % 3) + 1;
        const startMs = Date.now();
        await kafka.kill(node);
        await pause(AWAY_MS);
        await kafka.restart(node);
        await pause(Math.max(KILL_EVERY_MS - (Date.now() - startMs), 0));
      }
      state.isOn = false;
      const total = await loading;
      await until(
        'there is no lag',
        async () => {
          const [row] = await server.rows('SELECT coalesce(sum(bids), 0)::bigint FROM per_auction');
          const sinks = await sinkRows(server);
          const isDone = sinks.every(({ lag_rows, error }) => lag_rows === 0 && error === null);
          return Number(row?.[0]) === total && isDone;
        },
        RECOVERY_MS_MAX,
      );
      const view = await server.rows('SELECT auction, bids, total FROM per_auction');
      checkOnce(
        (await committed(log, 'all')).map(({ value }) => JSON.parse(String(value)).id),
        total,
      );
      checkChanges(await committed(log, 'changes'), view);
      assert.ok(total > LOAD_MS / 100, `${total} records were written`);
    } finally {
      await server.kill();
    }
  });
});
