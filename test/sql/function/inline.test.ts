/** Inline code, which generated loops use, agrees with `evaluate` on values and on errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Datum } from '../../../sql/base/datum.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { fromText } from '../../../sql/base/text-input.ts';
import { type SqlType, typeName } from '../../../sql/base/type.ts';
import { registry } from '../../../sql/function/builtin.ts';
import { callScalar, types } from '../../../sql/function/define.ts';
import type { ScalarFunction } from '../../../sql/function/scalar-function.ts';
import { runs, valueTexts } from './judge.ts';

const errors = {
  divisionByZero: () => {
    throw new StreamError('VALUE_DIVISION_BY_ZERO', 'division by zero');
  },
  outOfRange: (name: string) => {
    throw new StreamError('VALUE_OUT_OF_RANGE', `${name} out of range`);
  },
};

function attempt(compute: () => Datum | null): unknown {
  try {
    return compute();
  } catch (error) {
    if (error instanceof StreamError) return error.sqlstate;
    throw error;
  }
}

function check(fn: ScalarFunction): void {
  const names = fn.parameters.map((_, index) => `a${index}`);
  const source = fn.inline?.(names);
  assert.ok(source !== undefined);
  const code = new Function('$error', ...names, `return ${source}`) as (
    ...args: unknown[]
  ) => Datum;
  const tuples = fc.sample(fc.tuple(...fn.parameters.map(valueTexts)), {
    numRuns: 5 * runs,
  });
  for (const tuple of tuples) {
    const args = tuple.map((text, index) => fromText(text, fn.parameters[index] as SqlType));
    const expected = attempt(() => callScalar(fn, args));
    const actual: unknown = attempt(() => code(errors, ...args));
    const label: string = `${fn.name}(${tuple.join(', ')}) of ${fn.parameters.map(typeName).join(', ')}: ${source}`;
    // -0 is a double's value but must not come out of an integer.
    if (fn.result.kind === 'double' || fn.result.kind === 'real')
      assert.deepEqual(actual, expected, label);
    else
      assert.ok(
        Object.is(actual, expected),
        `${label} gave ${String(actual)}, not ${String(expected)}`,
      );
  }
}

for (const name of registry.names()) {
  const inlined = registry.scalars(name).filter((fn) => fn.inline !== undefined);
  if (inlined.length === 0) continue;
  test(`${name} inline`, () => {
    for (const fn of inlined) check(fn);
  });
}

test('casts inline', () => {
  const kinds = [
    types.boolean,
    types.smallint,
    types.integer,
    types.bigint,
    types.real,
    types.double,
  ];
  for (const from of kinds) {
    for (const to of kinds) {
      const fn = registry.cast(from, to, 'explicit')?.fn;
      if (fn?.inline !== undefined) check(fn);
    }
  }
});
