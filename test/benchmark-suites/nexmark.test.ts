/**
 * Nexmark's 23 queries as materialized views: over streams of its events, and over tables whose rows are also changed and
 * taken away. After every batch each view holds what PostgreSQL answers.
 */
import { test } from 'node:test';
import { nexmarkKinds } from '../../connectors/generator/nexmark-model.ts';
import { generator } from '../differential/view-history.ts';
import { seedsOf } from '../run-seed.ts';
import { NEXMARK_COLUMNS, type NexmarkEvent, nexmarkEvents } from './nexmark-data.ts';
import { NEXMARK_QUERIES } from './nexmark-queries.ts';
import { insertsOf, Suite } from './suite.ts';

const RUNS = Number(process.env.MILLRACE_TEST_RUNS ?? 0);
const EVENTS = RUNS > 0 ? 5_000 : 2_000;
const BATCHES = Math.max(4, Math.ceil(RUNS / 100));
const SIDE_INPUT = 'CREATE TABLE side_input (key bigint PRIMARY KEY, value text)';
const sideRows = Array.from({ length: 60 }, (_, i) => [1_000 + i * 3, `side ${i % 5}`]);

/** Rows of each kind in this batch. */
const rowsOf = (events: readonly NexmarkEvent[], batch: number) => {
  const size = Math.ceil(events.length / BATCHES);
  const own = events.slice(batch * size, (batch + 1) * size);
  return nexmarkKinds.map((kind) => ({
    kind,
    rows: own.filter((event) => event.kind === kind).map(({ row }) => row),
  }));
};

/** The side input of q13 changes with every batch. */
async function changeSide(suite: Suite, random: (below: number) => number): Promise<void> {
  await suite.both(`UPDATE side_input SET value = value || '+' WHERE key % 5 = ${random(5)}`);
  await suite.both(`DELETE FROM side_input WHERE key = ${1_000 + random(60) * 3}`);
}

for (const seed of seedsOf(1)) {
  test("Nexmark's queries over streams", { timeout: 600_000 }, async () => {
    const suite = await Suite.open(NEXMARK_QUERIES);
    try {
      const random = generator(seed);
      const events = nexmarkEvents(EVENTS, seed);
      for (const kind of nexmarkKinds) {
        await suite.onJudge(`CREATE TABLE ${kind} (${NEXMARK_COLUMNS[kind]})`);
        await suite.onSubject(
          `CREATE STREAM ${kind} (${NEXMARK_COLUMNS[kind]}) WITH (kafka_topic = '${kind}', partitions = 2)`,
        );
      }
      await suite.both(SIDE_INPUT);
      await suite.insert('side_input', sideRows);
      for (let batch = 0; batch < BATCHES; batch++) {
        // The views find the records of the first batch, and the others come after.
        if (batch === 1) await suite.createViews();
        for (const { kind, rows } of rowsOf(events, batch)) {
          const records = rows.map((row) => ({
            partition: random(2),
            key: null,
            value: Buffer.from(JSON.stringify(row)),
            timestampMs: 0,
            headers: [],
          }));
          await suite.subject.database.produce(kind, records);
          for (const sql of insertsOf(kind, rows.map(Object.values))) await suite.onJudge(sql);
        }
        await suite.onSubject('FLUSH');
        await changeSide(suite, random);
        if (batch > 0) await suite.check();
      }
      suite.assertAllChanged();
    } finally {
      await suite.close();
    }
  });

  test("Nexmark's queries over tables", { timeout: 600_000 }, async () => {
    const suite = await Suite.open(NEXMARK_QUERIES);
    try {
      const random = generator(seed + 1);
      const events = nexmarkEvents(EVENTS, seed + 1);
      for (const kind of nexmarkKinds) {
        await suite.both(`CREATE TABLE ${kind} (${NEXMARK_COLUMNS[kind]})`);
      }
      await suite.both(SIDE_INPUT);
      await suite.insert('side_input', sideRows);
      for (let batch = 0; batch < BATCHES; batch++) {
        if (batch === 1) await suite.createViews();
        for (const { kind, rows } of rowsOf(events, batch)) {
          await suite.insert(kind, rows.map(Object.values));
        }
        await changeSide(suite, random);
        for (const sql of changes(random)) await suite.both(sql);
        if (batch > 0) await suite.check();
      }
      suite.assertAllChanged();
    } finally {
      await suite.close();
    }
  });
}

/** Prices and times stay different, so that ranks keep one answer: times are 20 ms apart, prices differ in their last digits. */
function changes(random: (below: number) => number): readonly string[] {
  const some = (column: string): string => `${column} % 17 = ${random(17)}`;
  return [
    `UPDATE bid SET price = price + ${1 + random(90)} * 10000 WHERE ${some('bidder')}`,
    `UPDATE bid SET date_time = date_time + interval '3.001 s', channel = 'Apple' WHERE ${some('price')}`,
    `UPDATE bid SET auction = auction + 1, url = replace(url, 'query=1', 'query=1&channel_id=7') WHERE ${some('price')}`,
    `UPDATE bid SET auction = 1107 WHERE ${some('bidder')}`,
    `UPDATE auction SET category = 10 + (category + 1) % 5, expires = expires - interval '4 s' WHERE ${some('id')}`,
    `UPDATE auction SET seller = seller + 1 WHERE ${some('id')}`,
    `UPDATE person SET state = 'OR', name = name || '!' WHERE id % 7 = ${random(7)}`,
    `DELETE FROM bid WHERE ${some('price')}`,
    `DELETE FROM auction WHERE ${some('id')}`,
    `DELETE FROM person WHERE ${some('id')}`,
  ];
}
