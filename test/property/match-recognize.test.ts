/** MATCH_RECOGNIZE against a reference that tries every way, on random patterns and histories. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Row } from '../../sql/base/datum.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { interpret } from '../sql/interpreter.ts';
import { interpretMatch, TooManyWays } from '../sql/match-interpreter.ts';
import { Bag, type Change, type Epoch, histories, runs, type TestTable } from './history.ts';
import { matchQueries } from './match-query.ts';
import { emission } from './restart.ts';
import { boundOf, PlanRunner, planOf } from './run-plan.ts';

const schema: Schema = [
  { name: 'k', type: { kind: 'integer' }, nullable: true },
  { name: 'v', type: { kind: 'integer' }, nullable: true },
  { name: 't', type: { kind: 'timestamp' }, nullable: true },
];
const SECOND = 1_000_000n;
const table: TestTable = {
  name: 'l',
  schema,
  domains: [
    [0, 1, 2, null],
    [-1, 0, 1, 2, 3, null],
    [...Array.from({ length: 8 }, (_, i) => BigInt(i) * SECOND), null],
  ],
  appendOnly: false,
};
const stream: TestTable = { ...table, name: 'e', appendOnly: true, watermark: 2 };

function expected(plan: LogicalNode, rows: readonly Row[]): string[] {
  const bag = new Bag(plan.schema);
  for (const row of rows) bag.add(row, 1);
  return bag.rows();
}

/** The rows that are there after some epochs. */
class Present {
  readonly #rows = new Map<string, { readonly row: Row; weight: number }>();

  apply(epoch: Epoch): void {
    for (const { row, weight } of epoch.flat(2)) {
      const key = row.join('|');
      const known = this.#rows.get(key) ?? { row, weight: 0 };
      known.weight += weight;
      this.#rows.set(key, known);
    }
  }

  rows(): Row[] {
    return [...this.#rows.values()].flatMap(({ row, weight }) => new Array<Row>(weight).fill(row));
  }
}

/** Undefined when a case has more ways than the reference should try, or an error. */
function answered<Answer>(answer: () => Answer): Answer | undefined {
  try {
    return answer();
  } catch (error) {
    if (error instanceof TooManyWays) return undefined;
    throw error;
  }
}

test('a view over a table is the answer over its rows', () => {
  let checked = 0;
  const orders = ['t', 't, v DESC', 'v DESC NULLS LAST, t', 't DESC'];
  fc.assert(
    fc.property(matchQueries('l', orders), histories([table]), (query, history) => {
      const bound = boundOf(query, [table]);
      const runner = new PlanRunner(planOf(query, [table]), [table], () => {});
      const present = new Present();
      for (const epoch of history) {
        present.apply(epoch);
        const twin = runner.restarted();
        runner.run(epoch);
        twin.run(epoch);
        assert.deepEqual(emission(twin.emitted), emission(runner.emitted));
        const rows = answered(() => interpret(bound, new Map([['l', present.rows()]])));
        if (rows === undefined) continue;
        checked++;
        assert.deepEqual(runner.bag.rows(), expected(bound, rows));
      }
    }),
    { numRuns: runs },
  );
  assert.ok(checked > runs / 4, `${checked} epochs were compared`);
});

interface EventStep {
  readonly change: Change;
  /** How far the watermark goes on behind the row, in seconds. */
  readonly advance: number;
  readonly cut: boolean;
}

const eventSteps: fc.Arbitrary<readonly EventStep[]> = fc.array(
  fc.record({
    change: fc.record({
      row: fc.tuple(
        fc.constantFrom(0, 1, 2, null),
        fc.constantFrom(-1, 0, 1, 2, 3, null),
        // Seconds behind the watermark.
        fc.constantFrom(0n, 0n, 1n, 2n, 3n, null),
      ),
      weight: fc.constantFrom(1, 1, 1, 2),
    }),
    advance: fc.constantFrom(0, 0, 0, 1, 1, 2, 5),
    cut: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40, size: 'max' },
);

test('in event time what is certain comes out, and stays', () => {
  let checked = 0;
  fc.assert(
    fc.property(matchQueries('e', ['t', 't, v DESC']), eventSteps, (query, steps) => {
      fc.pre(!query.includes('$'));
      const bound = boundOf(query, [stream]);
      const plan = planOf(query, [stream]);
      assert.ok(plan.appendOnly);
      const match = matchOf(bound);
      const runner = new PlanRunner(plan, [stream], () => {});
      const rows: Row[] = [];
      let batch: Change[] = [];
      let watermark = 0n;
      for (const { change, advance, cut } of steps) {
        const [k, v, behind] = change.row as [number | null, number | null, bigint | null];
        const row = [k, v, behind === null ? null : watermark + behind * SECOND];
        batch.push({ row, weight: change.weight });
        for (let copy = 0; copy < change.weight && behind !== null; copy++) rows.push(row);
        if (!cut) continue;
        watermark += BigInt(advance) * SECOND;
        const twin = runner.restarted();
        runner.run([[batch]], watermark);
        twin.run([[batch]], watermark);
        batch = [];
        assert.deepEqual(emission(twin.emitted), emission(runner.emitted));
        assert.ok(runner.emitted.every((one) => one.weights === null));
        const known = rows.filter((one) => (one[2] as bigint) < watermark);
        const certain = answered(() => interpretMatch(match, known, watermark - 1n));
        if (certain === undefined) continue;
        checked++;
        assert.deepEqual(runner.bag.rows(), expected(bound, certain));
      }
      const whole = answered(() => interpretMatch(match, rows));
      if (whole === undefined) return;
      const left = expected(bound, whole);
      for (const one of runner.bag.rows()) {
        const at = left.indexOf(one);
        assert.ok(at >= 0, `${one} is no answer over all rows`);
        left.splice(at, 1);
      }
    }),
    { numRuns: runs },
  );
  assert.ok(checked > runs / 4, `${checked} epochs were compared`);
});

function matchOf(plan: LogicalNode): LogicalNode & { readonly kind: 'match-recognize' } {
  if (plan.kind === 'match-recognize') return plan;
  if (plan.kind === 'project') return matchOf(plan.input);
  throw new Error('the query is one MATCH_RECOGNIZE');
}
