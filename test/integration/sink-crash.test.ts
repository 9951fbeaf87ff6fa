/** Kafka in, views, Kafka and PostgreSQL out, and kill -9 in the middle of deliveries; then a process that wakes up again. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { KafkaLog } from '../../connectors/kafka/kafka-log.ts';
import { needsKafka, startKafka, type TestKafka } from '../kafka/start-kafka.ts';
import { needsPostgres, startPostgres, type TestPostgres } from '../postgres/start-postgres.ts';
import { ServerProcess } from './server-process.ts';
import {
  bid,
  checkChanges,
  checkOnce,
  checkTable,
  committed,
  sinkRows,
  tableIds,
  until,
} from './sink-output.ts';

const KILLS = Number(process.env.MILLRACE_TEST_KILLS ?? 10);
const TIMEOUT_MS = 300_000 + KILLS * 30_000;
/** A server that is told to stop commits, and writes its log into its data file: it is killed within this time. */
const STOPPING_MS_MAX = 150;
const BATCH = 50;
const BATCH_PAUSE_MS = 25;

async function deliversMore(server: ServerProcess): Promise<void> {
  const delivered = async (): Promise<number> =>
    (await sinkRows(server)).reduce((sum, row) => sum + row.delivered, 0);
  const before = await delivered();
  await until('rows are delivered', async () => (await delivered()) > before, 60_000);
}

describe('sinks', { skip: needsKafka.skip || needsPostgres.skip }, () => {
  let kafka: TestKafka;
  let postgres: TestPostgres;
  let log: KafkaLog;
  const folders: string[] = [];
  before(async () => {
    [kafka, postgres] = await Promise.all([startKafka(), startPostgres()]);
    log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
  });
  after(async () => {
    await log.close();
    await Promise.all([kafka.stop(), postgres.stop()]);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  function folder(): string {
    const made = mkdtempSync(join(tmpdir(), 'millrace-sinks-'));
    folders.push(made);
    return made;
  }

  function start(data: string): Promise<ServerProcess> {
    return ServerProcess.start({ data, kafka: kafka.bootstrap });
  }

  function setUp(server: ServerProcess, name: string) {
    return server.sql(`
      CREATE STREAM bid (id bigint, auction bigint, price bigint) WITH (kafka_topic = '${name}-in', partitions = 4);
      CREATE MATERIALIZED VIEW per_auction AS
        SELECT auction, count(*) AS bids, sum(price) AS total FROM bid GROUP BY auction;
      CREATE SINK all_bids AS SELECT id, auction FROM bid WITH (topic = '${name}-all', partitions = 3);
      CREATE SINK changes FROM per_auction WITH (topic = '${name}-changes', partitions = 2);
      CREATE SINK all_rows AS SELECT id, price FROM bid
        WITH (connector = 'postgres', url = '${postgres.url}', table = '${name}_all');
      CREATE SINK current_rows FROM per_auction
        WITH (connector = 'postgres', url = '${postgres.url}', table = '${name}_current');`);
  }

  async function checkAll(server: ServerProcess, name: string, total: number): Promise<void> {
    const view = await server.rows('FLUSH; SELECT auction, bids, total FROM per_auction');
    assert.equal(
      view.reduce((sum, [, bids]) => sum + Number(bids), 0),
      total,
      'the view has counted every bid once',
    );
    const out = await committed(log, `${name}-all`);
    checkOnce(
      out.map(({ value }) => JSON.parse(String(value)).id),
      total,
    );
    checkChanges(await committed(log, `${name}-changes`), view);
    const again = await server.rows(`
      CREATE STREAM IF NOT EXISTS out (id bigint, auction bigint) WITH (kafka_topic = '${name}-all');
      CREATE MATERIALIZED VIEW IF NOT EXISTS out_count AS SELECT count(*) AS n, count(DISTINCT id) AS ids FROM out;
      FLUSH; SELECT n, ids FROM out_count`);
    assert.deepEqual(again, [[total, total]], 'a view over the topic sees the same');
    checkOnce(await tableIds(postgres, `${name}_all`), total);
    await checkTable(postgres, `${name}_current`, view);
  }

  /** Writes bids until it is told to stop; gives how many there are. */
  function load(name: string): () => Promise<number> {
    let next = 0;
    let running = true;
    const writing = (async () => {
      while (running) {
        const records = Array.from({ length: BATCH }, (_, i) => bid(next + i));
        await log.produce(`${name}-in`, records);
        next += BATCH;
        await new Promise((resolve) => setTimeout(resolve, BATCH_PAUSE_MS));
      }
    })();
    return async () => {
      running = false;
      await writing;
      return next;
    };
  }

  it(`keep every row once over ${KILLS} times kill -9`, { timeout: TIMEOUT_MS }, async () => {
    const name = `crash${process.pid}`;
    const data = folder();
    let server = await start(data);
    try {
      await setUp(server, name);
      const stopLoad = load(name);
      for (let kill = 0; kill < KILLS; kill++) {
        // Once in a while it has not even begun to deliver.
        if (kill % 3 !== 2) await deliversMore(server);
        await pause(Math.random() * 300);
        if (kill % 4 === 3) {
          server.signal('SIGTERM');
          await pause(Math.random() * STOPPING_MS_MAX);
        }
        await server.kill();
        server = await start(data);
      }
      const total = await stopLoad();
      await checkAll(server, name, total);
      for (const row of await sinkRows(server)) {
        assert.equal(row.guarantee, 'exactly once');
        assert.deepEqual(
          [row.state, row.lag_rows, row.lag_bytes, row.lag_seconds, row.error],
          ['running', 0, 0, 0, null],
        );
      }
    } finally {
      await server.kill();
    }
  });

  it('refuse a process that wakes up after another has taken over', {
    timeout: 300_000,
  }, async () => {
    const name = `zombie${process.pid}`;
    const data = folder();
    const zombie = await start(data);
    let heir: ServerProcess | undefined;
    try {
      await setUp(zombie, name);
      const stopLoad = load(name);
      await until('rows are delivered', async () =>
        (await sinkRows(zombie)).every(({ delivered }) => delivered > 0),
      );
      zombie.signal('SIGSTOP');
      const copy = folder();
      cpSync(data, copy, { recursive: true });
      heir = await start(copy);
      const young = heir;
      await until('the heir delivers', async () =>
        (await sinkRows(young)).every(({ delivered }) => delivered > 0),
      );
      zombie.signal('SIGCONT');
      await until('the zombie is turned away', async () =>
        (await sinkRows(zombie)).every(({ state }) => state === 'failed'),
      );
      for (const { error, error_since } of await sinkRows(zombie)) {
        assert.match(error ?? '', /another process has taken over/);
        assert.ok(
          Math.abs(Date.parse(error_since ?? '') - Date.now()) < 60_000,
          String(error_since),
        );
      }
      const total = await stopLoad();
      await checkAll(heir, name, total);
      const moved = await zombie.rows('FLUSH; SELECT sum(bids)::bigint FROM per_auction');
      assert.deepEqual(moved, [[total]], 'its views go on');
    } finally {
      zombie.signal('SIGCONT');
      await zombie.kill();
      await heir?.kill();
    }
  });
});
