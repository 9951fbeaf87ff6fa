/** Lives of a database with everything that can go wrong in them: the promise holds after every commit of every seed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { RUN_SEED } from '../run-seed.ts';
import { CRASH_STEPS } from './crash-steps.ts';
import { simulate } from './simulation.ts';

const simulations = Number(process.env.MILLRACE_TEST_SIMULATIONS ?? 1_000);
/** Seeds of one process, after which a new one begins with an empty heap. */
const SEEDS_A_PROCESS = 500;
const PROCESSES_MAX = Math.min(2, availableParallelism());

async function run(seed: number, count: number): Promise<string> {
  const args = ['test/simulator/simulate.ts', '--seed', String(seed), '--count', String(count)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (part) => {
    text += part;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, text);
  return text;
}

test(`${simulations} lives keep the promise`, async () => {
  const first = (RUN_SEED - 1) * simulations + 1;
  const parts: number[] = [];
  for (let at = 0; at < simulations; at += SEEDS_A_PROCESS) parts.push(at);
  let text = '';
  const worker = async (): Promise<void> => {
    for (let at = parts.shift(); at !== undefined; at = parts.shift()) {
      text += await run(first + at, Math.min(SEEDS_A_PROCESS, simulations - at));
    }
  };
  await Promise.all(Array.from({ length: PROCESSES_MAX }, worker));
  const reached = new Set(
    [...text.matchAll(/^crashed at: (.*)$/gm)].flatMap(([, steps = '']) => steps.split(', ')),
  );
  const missed = simulations < 1_000 ? [] : CRASH_STEPS.filter((step) => !reached.has(step));
  assert.deepEqual(missed, [], 'steps that no life crashed at');
});

/** Beyond those that run every time: a logged push of a node that no manifest knew went to a later node of that number. */
const FOUND = [11061];

test('lives that found a mistake once', async () => {
  for (const seed of FOUND) await run(seed, 1);
});

test('a seed is the same life every time', async () => {
  const [one, again] = [await simulate(7), await simulate(7)];
  assert.deepEqual(again.trace, one.trace);
  assert.equal(again.events, one.events);
});
