import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type History, histories, postgresRows, Tables, type TestTable } from './history.ts';
import type { QueryShape } from './query-shapes.ts';
import { emission } from './restart.ts';
import { PlanRunner, planOf } from './run-plan.ts';

/**
 * After every epoch of random histories the view's rows are PostgreSQL's answer over the present rows, and operators that
 * were saved before the epoch and read back emit the same in it.
 * @param first  histories to begin with.
 */
export async function checkQuery(
  { query, postgres }: QueryShape,
  tables: readonly TestTable[],
  numRuns: number,
  first: readonly History[] = [],
): Promise<void> {
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
  for (const history of first) await check(history);
  await fc.assert(fc.asyncProperty(histories(tables), check), { numRuns });
}
