/**
 * Whether the random queries would find a mistake: each planted fault must be found. `npm run test:long` tries all of them, other
 * runs a few, other ones with every seed.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { RUN_SEED } from '../run-seed.ts';
import { plantedFaults } from './planted-faults.ts';

const RUNS_LONG = 2_000;
const CASES_MAX = 40;
const HUNT_TIMEOUT_MS = 600_000;
/** Of how many faults a short run tries one. */
const SHARE_SHORT = 20;

const isLong = Number(process.env.MILLRACE_TEST_RUNS ?? 0) >= RUNS_LONG;
const run = promisify(execFile);
const file = (name: string): string => resolve(import.meta.dirname, name);

plantedFaults.forEach(({ operator, file: source, from, to }, i) => {
  if (!isLong && i % SHARE_SHORT !== (RUN_SEED * 7) % SHARE_SHORT) return;
  test(`${operator}: ${from} => ${to}`, async () => {
    const args = ['--import', file('plant.ts'), file('hunt.ts'), String(CASES_MAX)];
    const env = { ...process.env, MILLRACE_TEST_FAULT: String(i) };
    const hunt = run(process.execPath, args, { env, timeout: HUNT_TIMEOUT_MS });
    await assert.doesNotReject(hunt, `the fault in ${source} is found`);
    const { stdout } = await hunt;
    assert.match(stdout, /^case \d+: /, 'a case has shown it');
  });
});

test('five faults are planted into each operator', () => {
  const counts = Map.groupBy(plantedFaults, ({ operator }) => operator);
  for (const [operator, faults] of counts) assert.equal(faults.length, 5, operator);
});
