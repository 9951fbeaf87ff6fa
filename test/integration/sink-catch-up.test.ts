/** A sink that is created over what is there already, and kill -9 while it catches up. No server but ours is needed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerProcess } from './server-process.ts';
import { checkOnce, sinkRows, until } from './sink-output.ts';

const RECORDS = 100_000;
/** Makes the records more than one step of the engine, so that a catch-up takes several epochs. */
const PAD_LETTERS = 500;
/** How long a process lives before it is killed; the first ones are still catching up. */
const LIVES_MS = [0, 100];

const data = mkdtempSync(join(tmpdir(), 'millrace-catch-up-'));
after(() => rmSync(data, { recursive: true, force: true }));

async function topicValues(
  server: ServerProcess,
  topic: string,
): Promise<{ id: number; n: number }[]> {
  const found: { id: number; n: number }[] = [];
  for (;;) {
    const answer = await fetch(
      `${server.url}/v1/topics/${topic}/records?partition=0&offset=${found.length}&limit=50000`,
    );
    const { records } = (await answer.json()) as {
      records: { value: { id: number; n: number } }[];
    };
    if (records.length === 0) return found;
    for (const { value } of records) found.push(value);
  }
}

test('a sink that catches up over kill -9 gives every row once', { timeout: 300_000 }, async () => {
  let server = await ServerProcess.start({ data });
  try {
    await server.sql(`
      CREATE STREAM bid (id bigint, price bigint, pad text);
      INSERT INTO bid SELECT n, n % 100, repeat('x', ${PAD_LETTERS}) FROM generate_series(1, ${RECORDS}) AS g(n);
      CREATE MATERIALIZED VIEW per_price AS SELECT price AS id, count(*) AS n FROM bid GROUP BY price;
      FLUSH;
      CREATE SINK prices FROM per_price WITH (topic = 'prices');`);
    const [, shown] = await server.sql(`
      CREATE SINK all_bids AS SELECT id, price FROM bid WITH (topic = 'all'); SHOW SINKS;`);
    const states = shown?.rows?.map(([name, , , state]) => [name, state]);
    assert.deepEqual(states?.[1], ['all_bids', 'catching-up']);
    // Some of the rows have been committed, and not all.
    await until('it has begun', async () => (await sinkRows(server))[1]?.rows !== 0, 60_000);
    for (const lifeMs of LIVES_MS) {
      await new Promise((resolve) => setTimeout(resolve, lifeMs));
      await server.kill();
      server = await ServerProcess.start({ data });
    }
    await server.sql(`
      CREATE STREAM cheap WITH (kafka_topic = 'cheap', value_format = 'json') AS SELECT id FROM bid WHERE price < 50`);
    await server.kill();
    server = await ServerProcess.start({ data });
    await server.sql('FLUSH');
    // What has arrived is in no outbox any more.
    await server.kill();
    server = await ServerProcess.start({ data });
    await server.sql('INSERT INTO bid VALUES (0, -1); FLUSH');
    const all = await topicValues(server, 'all');
    checkOnce(
      all.map(({ id }) => id),
      RECORDS + 1,
    );
    const cheap = await topicValues(server, 'cheap');
    checkOnce(
      cheap.map(({ id }) => id),
      RECORDS / 2 + 1,
    );
    const prices = await topicValues(server, 'prices');
    checkOnce(
      prices.map(({ id }) => id),
      101,
    );
    assert.ok(prices.every(({ id, n }) => n === (id < 0 ? 1 : RECORDS / 100)));
  } finally {
    await server.kill();
  }
});
