/** One seed, from the beginning to its end or to what went wrong. */
import { inspect } from 'node:util';
import { Scenario } from './scenario.ts';
import { World } from './world.ts';

export interface Run {
  readonly seed: number;
  readonly failure: unknown;
  readonly trace: readonly string[];
  readonly crashes: number;
  readonly commits: number;
  readonly events: number;
  readonly crashedAt: ReadonlySet<string>;
}

export async function simulate(seed: number): Promise<Run> {
  const world = new World(seed);
  const { trace, crashedAt } = world;
  const scenario = new Scenario(world);
  let failure: unknown;
  try {
    await world.run(() => scenario.run());
  } catch (error) {
    failure = error;
  }
  const { crashes, commits } = scenario;
  return { seed, failure, trace, crashes, commits, events: world.events, crashedAt };
}

export function describeFailure({ seed, trace, failure }: Run): string {
  return [
    `seed ${seed}:`,
    ...trace,
    inspect(failure, { depth: 3 }),
    `again: npm run simulate -- --seed ${seed}`,
  ].join('\n');
}
