/** Aggregates against PostgreSQL, on random histories of inserted and deleted rows. */
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Datum } from '../../../sql/base/datum.ts';
import { fromText } from '../../../sql/base/text-input.ts';
import type { SqlType } from '../../../sql/base/type.ts';
import { equalDatums } from '../../../sql/base/value.ts';
import { aggregateFunctions, resolveAggregate } from '../../../sql/function/aggregate.ts';
import type { AggregateFunction } from '../../../sql/function/aggregate-function.ts';
import { types } from '../../../sql/function/define.ts';
import {
  agrees,
  assertNoDifferences,
  type Judge,
  literal,
  openJudge,
  outcome,
  runs,
  valueTexts,
} from './judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

type TextRow = readonly (string | null)[];

interface History {
  readonly steps: readonly { readonly row: TextRow; readonly weight: number }[];
  /** What is left, in order of arrival. */
  readonly left: readonly TextRow[];
}

/** Inserts of rows and, one step in three, the deletion of one that is there. */
function histories(parameters: readonly SqlType[], deletes: boolean): fc.Arbitrary<History> {
  const row = fc.tuple(
    ...parameters.map((type) => fc.option(valueTexts(type), { nil: null, freq: 8 })),
  );
  return fc.array(fc.tuple(row, fc.nat(2), fc.nat()), { maxLength: 12 }).map((actions) => {
    const steps: { row: TextRow; weight: number }[] = [];
    const left: TextRow[] = [];
    for (const [fresh, action, pick] of actions) {
      if (deletes && action === 0 && left.length > 0) {
        const [gone] = left.splice(pick % left.length, 1);
        steps.push({ row: gone as TextRow, weight: -1 });
      } else {
        const copies = deletes && action === 1 ? 2 : 1;
        steps.push({ row: fresh, weight: copies });
        for (let copy = 0; copy < copies; copy++) left.push(fresh);
      }
    }
    return { steps, left };
  });
}

function ours(fn: AggregateFunction, history: History): Datum | null {
  const accumulator = fn.accumulator();
  for (const { row, weight } of history.steps) {
    const args = row.map((text, index) =>
      text === null ? null : fromText(text, fn.parameters[index] as SqlType),
    );
    if (!(fn.strict && args.length > 0 && args[0] === null)) accumulator.add(args, weight);
  }
  return accumulator.result();
}

function expression(fn: AggregateFunction, rows: readonly TextRow[]): string {
  const columns = fn.parameters.map((_, index) => `c${index}`);
  const call = fn.parameters.length === 0 ? '*' : columns.join(', ');
  if (fn.parameters.length === 0) return `count(*) from generate_series(1, ${rows.length})`;
  const values = rows.map((row, n) => {
    const cells = row.map((text, index) => literal(text, fn.parameters[index] as SqlType));
    return `(${n}, ${cells.join(', ')})`;
  });
  const nulls = fn.parameters.map((type) => literal(null, type)).join(', ');
  const source =
    values.length === 0 ? `(select 0, ${nulls} where false)` : `(values ${values.join(', ')})`;
  return `${fn.name}(${call} order by n) from ${source} as v(n, ${columns.join(', ')})`;
}

/** PostgreSQL rounds each addition of doubles; ours rounds the exact sum once. */
function tolerance(fn: AggregateFunction): number | undefined {
  const kind = fn.parameters[0]?.kind;
  if (kind === 'real') return fn.name === 'sum' ? 1e-5 : 1e-12;
  return kind === 'double' ? 1e-9 : undefined;
}

/** Sums that cancel or overflow on the way differ by design, so doubles come from a mild range here. */
function parametersFor(fn: AggregateFunction): fc.Arbitrary<History> {
  const kind = fn.parameters[0]?.kind;
  const mild = kind === 'double' || kind === 'real';
  const arbitrary = histories(
    mild ? fn.parameters.map(() => types.smallint) : fn.parameters,
    fn.ordered !== true,
  );
  return arbitrary.filter(
    (history) => !mild || fn.name.startsWith('m') || history.left.length < 12,
  );
}

/** Of equal values that look different (30 days, 1 mon) either may be the least or greatest. */
function sameExtreme(fn: AggregateFunction, mine: string, their: string): boolean {
  if (fn.name !== 'min' && fn.name !== 'max') return false;
  if (!mine.startsWith('=') || !their.startsWith('=')) return false;
  const [a, b] = [mine, their].map((text) => fromText(text.slice(1), fn.result));
  return a !== undefined && b !== undefined && equalDatums(a, b, fn.result);
}

const polymorphic = [
  resolveAggregate('count', [types.text]),
  resolveAggregate('array_agg', [types.integer]),
  resolveAggregate('array_agg', [types.text]),
  resolveAggregate('jsonb_agg', [types.numeric]),
  resolveAggregate('jsonb_agg', [types.timestamptz]),
  resolveAggregate('jsonb_object_agg', [types.text, types.double]),
  resolveAggregate('max', [types['integer[]']]),
  resolveAggregate('min', [types['text[]']]),
].flatMap((fn) => (fn === undefined ? [] : [fn]));

const byName = Map.groupBy([...aggregateFunctions, ...polymorphic], (fn) => fn.name);

for (const [name, overloads] of byName) {
  test(`${name} over what is left after deletes`, async () => {
    const differences: string[] = [];
    for (const fn of overloads) {
      const samples = fc.sample(parametersFor(fn), { numRuns: runs });
      const expressions = samples.map((history) => expression(fn, history.left));
      const theirs = await judge.ask(expressions);
      samples.forEach((history, index) => {
        const mine = outcome(() => ours(fn, history), fn.result);
        const their = theirs[index] as string;
        if (!agrees(mine, their, tolerance(fn)) && !sameExtreme(fn, mine, their)) {
          differences.push(`${expressions[index]}\n    judge ${their}\n    ours  ${mine}`);
        }
      });
    }
    assertNoDifferences(differences);
  });
}

test('a sum of doubles leaves no residue, whatever came and went', () => {
  const sum = aggregateFunctions.find(
    (fn) => fn.name === 'sum' && fn.parameters[0]?.kind === 'double',
  );
  const any = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 30 });
  fc.assert(
    fc.property(
      any,
      fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
      fc.integer({ min: 1, max: 1e9 }),
      (values, kept, weight) => {
        const accumulator = sum?.accumulator();
        for (const value of values) accumulator?.add([value], weight);
        accumulator?.add([kept], 1);
        for (const value of values) accumulator?.add([value], -weight);
        return accumulator?.result() === kept + 0;
      },
    ),
    { numRuns: 5 * runs },
  );
});
