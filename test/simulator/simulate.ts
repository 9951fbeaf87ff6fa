/**
 * Runs simulations: `npm run simulate -- [--seed N] [--count N]`. One seed is one life of a database, the same every time; a
 * failing one prints what happened, step by step. With one seed the steps are printed in any case.
 */
import { parseArgs } from 'node:util';
import { describeFailure, simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
  },
});
const first = Number(values.seed);
const count = Number(values.count);
const crashedAt = new Set<string>();
let failed = 0;
let crashes = 0;
let commits = 0;
for (let seed = first; seed < first + count; seed++) {
  const run = await simulate(seed);
  crashes += run.crashes;
  commits += run.commits;
  for (const step of run.crashedAt) crashedAt.add(step);
  if (run.failure !== undefined) {
    failed++;
    process.stdout.write(`${describeFailure(run)}\n`);
  } else if (count === 1) {
    process.stdout.write(`${run.trace.join('\n')}\n`);
  }
}
process.stdout.write(`crashed at: ${[...crashedAt].sort().join(', ')}\n`);
process.stdout.write(`${count} seeds, ${failed} failed; ${crashes} crashes, ${commits} commits\n`);
process.exitCode = failed === 0 ? 0 : 1;
