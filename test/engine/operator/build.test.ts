import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import {
  closeJudge,
  histories,
  openJudge,
  postgresRows,
  runs,
  Tables,
  tableOf,
} from '../../property/history.ts';
import { PlanRunner, planOf } from '../../property/run-plan.ts';

before(openJudge);
after(closeJudge);

const tables = [tableOf('l', false), tableOf('r', false)];

/** Queries with rows that have no value, and the same question without these rows (PostgreSQL computes constants early). */
const failing: readonly (readonly [query: string, postgres: string])[] = [
  ['SELECT k, 10 / v AS q FROM l', 'SELECT k, 10 / nullif(v, 0) FROM l WHERE v IS DISTINCT FROM 0'],
  [
    'SELECT k, sum(10 / v) AS q FROM l GROUP BY k',
    'SELECT k, sum(10 / nullif(v, 0)) FROM l WHERE v IS DISTINCT FROM 0 GROUP BY k',
  ],
  [
    'SELECT l.k, r.v FROM l LEFT JOIN r ON l.k = r.k AND 10 / r.v < 0',
    'SELECT l.k, r.v FROM l LEFT JOIN r ON l.k = r.k AND r.v <> 0 AND 10 / nullif(r.v, 0) < 0',
  ],
  [
    'SELECT v + 1 AS q FROM l',
    'SELECT nullif(v, 2147483647) + 1 FROM l WHERE v IS DISTINCT FROM 2147483647',
  ],
];

for (const [query, postgres] of failing) {
  test(`rows without a value leave the plan both ways: ${query}`, async () => {
    const plan = planOf(query, tables);
    const property = fc.asyncProperty(histories(tables), async (history) => {
      const codes = new Set<string>();
      const runner = new PlanRunner(plan, tables, (error) => codes.add(error.code));
      const present = new Tables(tables);
      for (const epoch of history) {
        present.apply(epoch);
        runner.run(epoch);
        assert.deepEqual(
          runner.bag.rows(),
          await postgresRows(present, postgres, plan.schema.length),
        );
      }
      codes.delete('VALUE_DIVISION_BY_ZERO');
      codes.delete('VALUE_OUT_OF_RANGE');
      assert.deepEqual([...codes], []);
    });
    await fc.assert(property, { numRuns: Math.ceil(runs / 5) });
  });
}
