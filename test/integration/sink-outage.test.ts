/** A destination that goes away and comes back: views go on, rows wait on disk up to a budget, and then every row is there once. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { KafkaLog } from '../../connectors/kafka/kafka-log.ts';
import { needsKafka, startKafka, type TestKafka } from '../kafka/start-kafka.ts';
import { needsPostgres, startPostgres, type TestPostgres } from '../postgres/start-postgres.ts';
import { ServerProcess } from './server-process.ts';
import { bid, checkOnce, checkTable, committed, sinkRows, tableIds, until } from './sink-output.ts';

const BATCH = 200;

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-outage-'));
}

async function send(server: ServerProcess, from: number, count: number): Promise<void> {
  for (let id = from; id < from + count; id += BATCH) {
    const size = Math.min(BATCH, from + count - id);
    const rows = Array.from({ length: size }, (_, i) => String(bid(id + i).value));
    const response = await fetch(`${server.url}/v1/streams/bid/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: rows.join('\n'),
    });
    assert.ok(response.ok, await response.text());
  }
}

const counted = async (server: ServerProcess): Promise<number> =>
  Number((await server.rows('SELECT coalesce(sum(bids), 0)::bigint FROM per_auction'))[0]?.[0]);

async function metric(server: ServerProcess, line: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length));
}

describe('a PostgreSQL sink whose server is down', needsPostgres, () => {
  let postgres: TestPostgres;
  const data = newFolder();
  before(async () => {
    postgres = await startPostgres({ own: true });
  });
  after(async () => {
    await postgres.stop();
    rmSync(data, { recursive: true, force: true });
  });

  it('does not stop views, holds its sources at its budget, and catches up', {
    timeout: 300_000,
  }, async () => {
    let server = await ServerProcess.start({ data });
    try {
      const where = `connector = 'postgres', url = '${postgres.url}'`;
      await server.sql(`
        CREATE STREAM bid (id bigint, auction bigint, price bigint);
        CREATE MATERIALIZED VIEW per_auction AS
          SELECT auction, count(*) AS bids, sum(price) AS total FROM bid GROUP BY auction;
        CREATE SINK all_rows AS SELECT id, price FROM bid
          WITH (${where}, table = 'all_rows', outbox_bytes_max = 300000);
        CREATE SINK current_rows FROM per_auction WITH (${where}, table = 'current_rows');`);
      await send(server, 0, 1000);
      await server.sql('FLUSH');
      assert.equal((await tableIds(postgres, 'all_rows')).length, 1000);

      await postgres.kill();
      await send(server, 1000, 1000);
      await server.sql('FLUSH');
      assert.equal(await counted(server), 2000, 'the view has moved on');
      await until('the fault is shown', async () =>
        (await sinkRows(server)).every(({ error }) => error !== null),
      );
      const all = (await sinkRows(server)).find(({ name }) => name === 'all_rows');
      assert.deepEqual([all?.state, all?.delivered, all?.lag_rows], ['running', 1000, 1000]);
      assert.ok((all?.lag_bytes ?? 0) > 1000 * 16 && (all?.lag_seconds ?? 0) > 0);
      assert.match(all?.error ?? '', /PostgreSQL: .*(ECONNREFUSED|terminat|Connection)/);
      assert.equal(await metric(server, 'millrace_sink_lag_rows{sink="all_rows"}'), 1000);
      assert.equal(await metric(server, 'millrace_sink_fault{sink="all_rows"}'), 1);

      await send(server, 2000, 14_000);
      await until(
        'the stream is held',
        async () => (await metric(server, 'millrace_stream_held{stream="bid"}')) === 1,
      );
      const held = await counted(server);
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(await counted(server), held, 'a held stream is not read');
      assert.ok(held < 16_000, `${held}`);

      // The budget is what the disk holds, so it is known again after a crash.
      await server.kill();
      server = await ServerProcess.start({ data });
      await until(
        'it is held again',
        async () => (await metric(server, 'millrace_stream_held{stream="bid"}')) === 1,
      );
      await postgres.restart();
      await until('everything is delivered', async () => {
        const rows = await sinkRows(server);
        return (
          (await counted(server)) === 16_000 &&
          rows.every((row) => row.lag_rows === 0 && row.error === null)
        );
      });
      checkOnce(await tableIds(postgres, 'all_rows'), 16_000);
      await checkTable(
        postgres,
        'current_rows',
        await server.rows('SELECT auction, bids, total FROM per_auction'),
      );
      assert.equal(await metric(server, 'millrace_stream_held{stream="bid"}'), 0);
    } finally {
      await server.kill();
    }
  });
});

describe('a Kafka sink whose broker is down', needsKafka, () => {
  let kafka: TestKafka;
  let log: KafkaLog;
  const data = newFolder();
  before(async () => {
    kafka = await startKafka({ own: true });
    log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
  });
  after(async () => {
    await log.close();
    await kafka.stop();
    rmSync(data, { recursive: true, force: true });
  });

  it('keeps every row once over a kill -9 of the broker', { timeout: 300_000 }, async () => {
    const server = await ServerProcess.start({ data, kafka: kafka.bootstrap });
    try {
      await server.sql(`
        CREATE STREAM bid (id bigint, auction bigint, price bigint) WITH (connector = 'embedded', kafka_topic = 'in');
        CREATE MATERIALIZED VIEW per_auction AS SELECT auction, count(*) AS bids FROM bid GROUP BY auction;
        CREATE SINK all_bids AS SELECT id FROM bid WITH (connector = 'kafka', topic = 'out', partitions = 3);`);
      let sent = 0;
      let running = true;
      const load = (async () => {
        while (running) {
          await send(server, sent, BATCH);
          sent += BATCH;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      // It is awaited below; what fails before that must not be hidden by requests to a server that is gone.
      load.catch(() => undefined);
      await until('rows are delivered', async () => (await sinkRows(server))[0]?.delivered !== 0);
      await kafka.kill(1);
      const before = await counted(server);
      const isFaulty = async () => (await sinkRows(server))[0]?.error !== null;
      // The producer tries a batch again for a minute before it gives it up and says so.
      await until('the fault is shown', isFaulty, 120_000);
      assert.ok((await counted(server)) > before, 'the view moves on');
      await kafka.restart(1);
      await until('it delivers again', async () => (await sinkRows(server))[0]?.error === null);
      running = false;
      await load;
      await until('everything is delivered', async () => {
        const [row] = await sinkRows(server);
        return (await counted(server)) === sent && row?.lag_rows === 0;
      });
      const ids = (await committed(log, 'out')).map(({ value }) => JSON.parse(String(value)).id);
      checkOnce(ids, sent);
    } finally {
      await server.kill();
    }
  });
});
