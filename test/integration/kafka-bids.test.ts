import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerProcess } from './server-process.ts';

const BIDS = Number(process.env.MILLRACE_TEST_BIDS ?? 1_000_000);
const PARTITIONS = 4;
const KILLS = 2;
const RECORDS_PER_REQUEST = 20_000;
const POLL_MS = 100;
const bootstrap = process.env.KAFKA_BOOTSTRAP;

const data = mkdtempSync(join(tmpdir(), 'millrace-bids-'));
after(() => rmSync(data, { recursive: true, force: true }));

test('a million bids in Kafka, two kill -9 on the way: nothing missing, nothing double', {
  skip: bootstrap === undefined,
  timeout: 580_000,
}, async () => {
  const topic = `bids-${process.pid}`;
  const start = (): Promise<ServerProcess> => ServerProcess.start({ data, kafka: bootstrap });
  let server = await start();
  try {
    await server.sql(`
        CREATE STREAM bid (auction bigint, bidder bigint, price bigint, channel text, url text,
                           date_time timestamp, extra text)
          WITH (kafka_topic = '${topic}', value_format = 'json', partitions = ${PARTITIONS});
        CREATE MATERIALIZED VIEW per_auction AS
          SELECT auction, count(*) AS bids, sum(price) AS total FROM bid GROUP BY auction;`);
    // The expected result is counted here, outside, from the very records that are written.
    const expected = new Map<number, { bids: number; total: number }>();
    let written = 0;
    let kills = 0;
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return Math.floor((state / 0x80000000) * below);
    };
    while (written < BIDS) {
      const records = [];
      for (let i = 0; i < RECORDS_PER_REQUEST && written < BIDS; i++, written++) {
        const auction = 1000 + next(5_000);
        const price = 100 + next(1_000_000);
        const own = expected.get(auction) ?? { bids: 0, total: 0 };
        expected.set(auction, { bids: own.bids + 1, total: own.total + price });
        records.push({
          key: String(auction),
          value: {
            auction,
            bidder: next(10_000),
            price,
            channel: 'Google',
            url: `https://www.nexmark.com/item.htm?query=1&channel_id=${next(1_000_000)}`,
            date_time: new Date(1_700_000_000_000 + written).toISOString(),
            extra: 'x'.repeat(40),
          },
        });
      }
      const response = await fetch(`${server.url}/v1/topics/${topic}/records`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ records }),
      });
      assert.ok(response.ok, await response.text());
      if (kills < KILLS && written > ((kills + 1) * BIDS) / (KILLS + 1)) {
        kills++;
        await server.kill();
        server = await start();
      }
    }
    assert.equal(kills, KILLS);
    for (;;) {
      const [row] = await server.rows('SELECT coalesce(sum(bids), 0)::bigint FROM per_auction');
      assert.ok(Number(row?.[0]) <= BIDS, 'nothing is counted twice');
      if (Number(row?.[0]) === BIDS) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const rows = await server.rows(
      'SELECT auction, bids, total::bigint FROM per_auction ORDER BY auction',
    );
    const wanted = [...expected]
      .sort(([a], [b]) => a - b)
      .map(([auction, { bids, total }]) => [auction, bids, total]);
    assert.deepEqual(rows, wanted);
  } finally {
    await server.stop();
  }
});
