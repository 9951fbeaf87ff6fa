/** Sinks into tables over crashes: what is in the outbox and what is in the table are one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../../sql/base/datum.ts';
import { Stage } from './stage.ts';

const lives = Number(process.env.MILLRACE_TEST_RUNS ?? 25);
const CRASHES = 5;
const RECORDS_PER_LIFE = 30;
const KEYS = 4;

const STATEMENTS = `
  CREATE STREAM a (id bigint, k int, v int) WITH (kafka_topic = 'a', value_format = 'json');
  CREATE TABLE hits (id bigint, k int);
  CREATE TABLE totals (k int PRIMARY KEY, n bigint, touched bigint DEFAULT 0);
  CREATE SINK into_hits INTO hits AS SELECT id, k FROM a;
  CREATE SINK into_totals INTO totals AS SELECT k, count(*) FROM hits GROUP BY k`;

function rowsOf(stage: Stage, name: string): readonly Row[] {
  const id = stage.medium.entry(name)?.id ?? 0;
  const stored = [...(stage.medium.tables.get(id)?.values() ?? [])];
  return stored.flatMap(({ row, count }) => Array.from({ length: count }, () => row));
}

const sorted = (rows: readonly Row[]): string[] => rows.map(String).sort();

async function live(seed: number): Promise<void> {
  const stage = new Stage(seed);
  const { world, cluster } = stage;
  const sent: Row[] = [];
  stage.medium.onCommit = () => {
    const ids = rowsOf(stage, 'hits').map(([id]) => id);
    if (new Set(ids).size !== ids.length) world.fail(new Error(`seed ${seed}: a row came twice`));
  };
  await world.run(async () => {
    let db = await stage.open();
    await stage.sql(db, `${STATEMENTS}; FLUSH`);
    for (let crash = 0; crash < CRASHES; crash++) {
      for (let n = 0; n < RECORDS_PER_LIFE; n++) {
        const row = [BigInt(sent.length), world.below(KEYS)] as const;
        sent.push(row);
        const value = Buffer.from(`{"id":${row[0]},"k":${row[1]},"v":1}`);
        cluster.append('a', [{ key: null, value, partition: 0 }]);
        if (world.oneIn(4)) await world.sleep(world.below(8));
      }
      await world.sleep(world.below(60));
      stage.crash();
      db = await stage.open();
    }
    await world.sleep(2_000);
    await stage.sql(db, 'FLUSH');
    assert.deepEqual(sorted(rowsOf(stage, 'hits')), sorted(sent), `seed ${seed}: hits`);
    const totals = Array.from({ length: KEYS }, (_, k) => {
      const n = sent.filter((row) => row[1] === k).length;
      return n === 0 ? [] : [[k, BigInt(n), 0n]];
    }).flat();
    assert.deepEqual(sorted(rowsOf(stage, 'totals')), sorted(totals), `seed ${seed}: totals`);
    assert.equal(stage.medium.outbox.length, 0, `seed ${seed}: chunks left in the outbox`);
    await stage.as(() => db.close());
  });
}

test(`every row comes once, over ${CRASHES} crashes of ${lives} lives`, async () => {
  for (let seed = 1; seed <= lives; seed++) await live(seed);
});
