/**
 * A thousand WebSocket readers that read nothing, a sink whose destination is dead, one broken record in a hundred and a
 * record of 100 MB, all at once: every view is right, polls stay fast, memory stays bounded, and every fault can be seen.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { KafkaLog } from '../../connectors/kafka/kafka-log.ts';
import { needsKafka, startKafka, type TestKafka } from '../kafka/start-kafka.ts';
import { ServerProcess } from './server-process.ts';
import { AUCTIONS, bid, sinkRows } from './sink-output.ts';

const isLong = process.env.MILLRACE_TEST_LONG !== undefined;
const STORM_MS = isLong ? 60_000 : 10_000;
const QUIET_MS = isLong ? 20_000 : 5_000;
const READERS = isLong ? 1_000 : 200;
const BATCH = 100;
const BATCH_PAUSE_MS = 20;
const HUGE_BYTES = 100 * 1024 * 1024;
const POLL_PAUSE_MS = 5;
const SLOWER_MAX = 5;
/** A p99 below this is no pause that anybody would notice, whatever it was before. */
const P99_MS_FINE = 50;
/** The record comes through the client in one piece, and is copied once. */
const RSS_GROWTH_BYTES_MAX = 1024 * 1024 * 1024;

const brokerSettings = {
  'message.max.bytes': '120000000',
  'socket.request.max.bytes': '130000000',
  'replica.fetch.max.bytes': '120000000',
};

describe('everything at once', needsKafka, () => {
  let kafka: TestKafka;
  let log: KafkaLog;
  const data = mkdtempSync(join(tmpdir(), 'millrace-storm-'));
  before(async () => {
    kafka = await startKafka({ own: true, settings: brokerSettings });
    log = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
  });
  after(async () => {
    await log.close();
    await kafka.stop();
    rmSync(data, { recursive: true, force: true });
  });

  async function metric(server: ServerProcess, line: string): Promise<number> {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const found = text.split('\n').find((each) => each.startsWith(`${line} `));
    return Number(found?.slice(line.length));
  }

  /** Polls a view's row for a while. @returns the 99th percentile in milliseconds. */
  async function poll(server: ServerProcess, forMs: number): Promise<number> {
    const latencies: number[] = [];
    for (const endMs = Date.now() + forMs; Date.now() < endMs; ) {
      const startMs = performance.now();
      const auction = latencies.length % AUCTIONS;
      const response = await fetch(`${server.url}/v1/views/per_auction?auction=${auction}`);
      assert.equal(response.status, 200);
      await response.arrayBuffer();
      latencies.push(performance.now() - startMs);
      await pause(POLL_PAUSE_MS);
    }
    latencies.sort((a, b) => a - b);
    return latencies[Math.floor(latencies.length * 0.99)] ?? 0;
  }

  /** Writes bids; with `poison` each hundredth record is none. */
  async function load(state: { isOn: boolean; poison: boolean; good: number; bad: number }) {
    while (state.isOn) {
      const records = Array.from({ length: BATCH }, (_, i) => bid(state.good + i));
      await log.produce('bids', records);
      state.good += BATCH;
      if (state.poison) {
        await log.produce('bids', [{ key: null, value: Buffer.from('{"id": "no number"') }]);
        state.bad++;
      }
      await pause(BATCH_PAUSE_MS);
    }
  }

  /** By a client of its own, whose bytes in flight it fills. */
  async function sendHuge(): Promise<void> {
    const client = new KafkaLog(new Map([['bootstrap.servers', kafka.bootstrap]]));
    try {
      const value = Buffer.alloc(HUGE_BYTES, 'x');
      await client.produce('bids', [{ key: null, value, partition: 0 }]);
    } finally {
      await client.close();
    }
  }

  async function slowReader(server: ServerProcess): Promise<WebSocket> {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`);
    socket.on('error', () => undefined);
    await once(socket, 'open');
    socket.send('{"op":"subscribe","id":1,"view":"per_auction"}');
    await once(socket, 'message');
    socket.pause();
    return socket;
  }

  it('hurts nobody else', { timeout: STORM_MS + QUIET_MS + 300_000 }, async () => {
    const server = await ServerProcess.start({ data, kafka: kafka.bootstrap });
    const sockets: WebSocket[] = [];
    const state = { isOn: true, poison: false, good: 0, bad: 0 };
    try {
      await server.sql(`
        CREATE STREAM bid (id bigint, auction bigint, price bigint) WITH (kafka_topic = 'bids', partitions = 2);
        CREATE MATERIALIZED VIEW per_auction AS
          SELECT auction, count(*) AS bids, sum(price) AS total FROM bid GROUP BY auction;
        CREATE MATERIALIZED VIEW overall AS SELECT sum(bids)::bigint AS bids FROM per_auction;`);
      const loading = load(state);
      const quietMs = await poll(server, QUIET_MS);
      const quietBytes = await metric(server, 'process_resident_memory_bytes');

      await server.sql(`CREATE SINK dead FROM per_auction
        WITH (connector = 'postgres', url = 'postgres://nobody@127.0.0.1:1/none', table = 't')`);
      for (let i = 0; i < READERS; i += 50) {
        const some = Array.from({ length: Math.min(50, READERS - i) }, () => slowReader(server));
        sockets.push(...(await Promise.all(some)));
      }
      state.poison = true;
      const huge = pause(STORM_MS / 4).then(sendHuge);
      const stormMs = await poll(server, STORM_MS);
      await huge;
      state.isOn = false;
      await loading;
      await server.sql('FLUSH');
      const stormBytes = await metric(server, 'process_resident_memory_bytes');

      assert.deepEqual(await server.rows('SELECT bids FROM overall'), [[state.good]]);
      const expected = Array.from({ length: AUCTIONS }, (_, auction) => {
        const ids = Array.from({ length: state.good }, (_, id) => id);
        const own = ids.filter((id) => id % AUCTIONS === auction);
        const total = own.reduce((sum, id) => sum + ((id * 7919) % 1000), 0);
        return [auction, own.length, total];
      });
      const rows = await server.rows(
        'SELECT auction, bids, total::bigint FROM per_auction ORDER BY auction',
      );
      assert.deepEqual(rows, expected);

      const bad = state.bad + 1;
      assert.deepEqual(await server.rows('SELECT count(*) FROM bid_errors'), [[bad]]);
      const [long] = await server.rows("SELECT reason FROM bid_errors WHERE reason LIKE '%bytes%'");
      assert.match(String(long?.[0]), new RegExp(`the record has ${HUGE_BYTES} bytes`));
      assert.equal(await metric(server, 'millrace_stream_errors_total{stream="bid"}'), bad);
      const [dead] = await sinkRows(server);
      assert.ok(
        (dead?.lag_rows ?? 0) > 0 && /ECONNREFUSED/.test(dead?.error ?? ''),
        dead?.error ?? '',
      );
      assert.ok((await metric(server, 'millrace_sink_lag_rows{sink="dead"}')) > 0);

      const grown = stormBytes - quietBytes;
      assert.ok(grown < RSS_GROWTH_BYTES_MAX, `${Math.round(grown / 1e6)} MB more memory`);
      const limitMs = Math.max(SLOWER_MAX * quietMs, P99_MS_FINE);
      assert.ok(stormMs < limitMs, `p99 of polls: ${stormMs} ms, quiet ${quietMs} ms`);
    } finally {
      state.isOn = false;
      for (const socket of sockets) socket.terminate();
      await server.kill();
    }
  });
});
