/** Whole queries: text to operators, over random histories, with PostgreSQL asked after every epoch. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { queryRegressions } from '../regressions/query-histories.ts';
import {
  closeJudge,
  type History,
  histories,
  openJudge,
  postgresRows,
  runs,
  Tables,
  tableOf,
} from './history.ts';
import { queryShapes } from './query-shapes.ts';
import { emission } from './restart.ts';
import { PlanRunner, planOf } from './run-plan.ts';

before(openJudge);
after(closeJudge);

const tables = [tableOf('l', false), tableOf('r', false), tableOf('e', true)];

for (const { name, query, postgres } of queryShapes) {
  test(name, async () => {
    const plan = planOf(query, tables);
    const check = async (history: History): Promise<void> => {
      const runner = new PlanRunner(plan, tables, (error) => {
        throw error;
      });
      const present = new Tables(tables);
      for (const epoch of history) {
        present.apply(epoch);
        const twin = runner.restarted();
        runner.run(epoch);
        twin.run(epoch);
        assert.deepEqual(emission(twin.emitted), emission(runner.emitted));
        assert.deepEqual(
          runner.bag.rows(),
          await postgresRows(present, postgres ?? query, plan.schema.length),
        );
      }
    };
    for (const regression of queryRegressions) {
      if (regression.shape === name) await check(regression.history);
    }
    await fc.assert(fc.asyncProperty(histories(tables), check), { numRuns: Math.ceil(runs / 4) });
  });
}
