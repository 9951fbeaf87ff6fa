/** `hunt.ts CASES`: plays random queries until one of them shows a fault. Its exit code is 0 when it has found one. */
import { Judge } from '../differential/both-sides.ts';
import { randomCase } from './play.ts';
import { runCase } from './reduce.ts';

const VIEWS = 20;
const COMMITS = 4;

const cases = Number(process.argv[2]);
const judge = await Judge.open();
let found: string | undefined;
for (let seed = 1; seed <= cases && found === undefined; seed++) {
  try {
    const { findings } = await runCase(judge, randomCase(seed, VIEWS, COMMITS), COMMITS);
    // A fault is in the operators, and queries that are answered once have none.
    const first = findings.find(({ kind }) => kind === 'view');
    if (first !== undefined) found = `case ${seed}: ${first.kind} ${first.query}`;
  } catch (error) {
    // A fault may also stop the engine, which the tests would not overlook either.
    found = `case ${seed}: ${error}`;
  }
}
process.stdout.write(`${found ?? `nothing in ${cases} cases`}\n`);
process.exit(found === undefined ? 1 : 0);
