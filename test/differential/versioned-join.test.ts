/**
 * A long run of orders that are joined with the rate of their time: what comes out of order inside the watermark's bound meets the right
 * version, over a restart, and what is kept is the newest version of each key and what the watermark has not passed.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Subject } from './both-sides.ts';
import { generator } from './view-history.ts';

const KEYS = 12;
const ROUNDS = 40;
const ROWS_A_ROUND = 150;
const ROUND_MS = 2_000;
const DELAY_MS = 1_000;
const REOPEN_AFTER = 25;
const PARTITIONS = 2;
const START_MS = Date.UTC(2024, 0, 1);
const SEED = Number(process.env.MILLRACE_TEST_SEED ?? 1);

interface Row {
  readonly id: number;
  readonly k: number;
  readonly ms: number;
}

/** Rows of a round in an order in which none is late: each partition's watermark is DELAY_MS behind its newest row. */
function roundOf(round: number, random: (below: number) => number): readonly Row[] {
  const rows = Array.from({ length: ROWS_A_ROUND }, (_, i): Row => {
    const ms = round * ROUND_MS + Math.floor((i * ROUND_MS) / ROWS_A_ROUND);
    return { id: round * ROWS_A_ROUND + i, k: random(KEYS), ms };
  });
  const arrival = new Map(rows.map((row) => [row, row.ms + random(DELAY_MS)]));
  return rows.toSorted((a, b) => (arrival.get(a) ?? 0) - (arrival.get(b) ?? 0));
}

async function send(subject: Subject, stream: string, rows: readonly Row[]): Promise<void> {
  await subject.database.produce(
    stream,
    rows.map(({ id, k, ms }) => {
      const ts = new Date(START_MS + ms).toISOString();
      const value = Buffer.from(JSON.stringify({ id, k, ts }));
      return { partition: id % PARTITIONS, key: null, value, timestampMs: START_MS, headers: [] };
    }),
  );
}

async function rowsOf(subject: Subject, sql: string): Promise<readonly (readonly unknown[])[]> {
  const answer = await subject.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows : [];
}

/** Per order, in the order of their ids, the id of the last rate of its key up to its time. */
function expectedOf(orders: readonly Row[], rates: readonly Row[]): readonly string[] {
  const byKey = Array.from({ length: KEYS }, (_, k) =>
    rates.filter((rate) => rate.k === k).sort((a, b) => b.ms - a.ms),
  );
  return orders
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, k, ms }) => `${id} ${byKey[k]?.find((rate) => rate.ms <= ms)?.id ?? 'none'}`);
}

test('a long run of a versioned join keeps the newest version of each key, and open rows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-versions-'));
  const subject = await Subject.open(folder);
  const random = generator(SEED);
  const orders: Row[] = [];
  const rates: Row[] = [];
  try {
    for (const stream of ['orders', 'rates']) {
      await rowsOf(
        subject,
        `CREATE STREAM ${stream} (id int, k int, ts timestamp, WATERMARK FOR ts AS ts - INTERVAL '${DELAY_MS} ms')
         WITH (partitions = ${PARTITIONS}, idle_timeout = '0')`,
      );
    }
    await rowsOf(
      subject,
      `CREATE MATERIALIZED VIEW priced AS SELECT o.id, r.id AS rate
       FROM orders AS o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k`,
    );
    const plan = (await rowsOf(subject, 'EXPLAIN priced')).join('\n');
    assert.match(plan, /of left rows all but the newest of each key/);
    assert.doesNotMatch(plan, /without end/);
    for (let round = 0; round < ROUNDS; round++) {
      const sent = { orders: roundOf(round, random), rates: roundOf(round, random) };
      orders.push(...sent.orders);
      rates.push(...sent.rates);
      // Either may come before the other.
      const streams =
        random(2) === 0 ? (['orders', 'rates'] as const) : (['rates', 'orders'] as const);
      for (const stream of streams) {
        await send(subject, stream, sent[stream]);
        if (random(2) === 0) await rowsOf(subject, 'FLUSH');
      }
      await rowsOf(subject, 'FLUSH');
      if (round === REOPEN_AFTER) await subject.reopen();
    }
    const actual = await rowsOf(
      subject,
      "SELECT id, coalesce(rate::text, 'none') FROM priced ORDER BY id",
    );
    assert.deepEqual(
      actual.map((row) => row.join(' ')),
      expectedOf(orders, rates),
    );
    assert.deepEqual(await rowsOf(subject, 'SELECT count(*) FROM rates_late'), [['0']]);
    const analyzed = (await rowsOf(subject, 'EXPLAIN ANALYZE priced')).join('\n');
    const entries = [...analyzed.matchAll(/(\d+) entries/g)].map(([, count]) => Number(count));
    // Of both sides the rows since the watermark, and of each key a version.
    const open = Math.ceil((ROWS_A_ROUND * DELAY_MS) / ROUND_MS) * 2 + ROWS_A_ROUND;
    assert.ok(Math.max(...entries) <= open + KEYS, `${entries.join(', ')} entries: ${analyzed}`);
  } finally {
    await subject.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
