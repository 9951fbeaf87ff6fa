/**
 * CH-benCHmark's 22 queries as materialized views under TPC-C's transactions: after every batch of them each view holds what
 * PostgreSQL answers.
 */
import { test } from 'node:test';
import { seedsOf } from '../run-seed.ts';
import { CH_TABLES, ChData } from './ch-data.ts';
import { CH_QUERIES } from './ch-queries.ts';
import { Suite } from './suite.ts';

const RUNS = Number(process.env.MILLRACE_TEST_RUNS ?? 0);
const BATCHES = Math.max(5, Math.ceil(RUNS / 50));
const TRANSACTIONS_A_BATCH = 12;
/** The views are created in the middle of loading: some tables they find full, others fill after. */
const TABLES_BEFORE_VIEWS = 8;

for (const seed of seedsOf(1)) {
  test("CH-benCHmark's queries stay right under TPC-C's transactions", {
    timeout: 600_000,
  }, async (t) => {
    const suite = await Suite.open(CH_QUERIES);
    try {
      const data = new ChData(seed);
      for (const sql of CH_TABLES) await suite.both(sql);
      const tables = data.tables();
      for (const [table, rows] of tables.slice(0, TABLES_BEFORE_VIEWS))
        await suite.insert(table, rows);
      await suite.createViews();
      for (const [table, rows] of tables.slice(TABLES_BEFORE_VIEWS))
        await suite.insert(table, rows);
      t.diagnostic(`${await suite.check()} rows in ${Object.keys(CH_QUERIES).length} views`);
      for (let batch = 0; batch < BATCHES; batch++) {
        for (let i = 0; i < TRANSACTIONS_A_BATCH; i++) {
          for (const sql of data.transaction()) await suite.both(sql);
        }
        await suite.check();
      }
      suite.assertAllChanged();
    } finally {
      await suite.close();
    }
  });
}
