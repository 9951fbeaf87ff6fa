/** Every function whose DuckDB rendering the registry knows, against its own evaluation. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { Store } from '../../../engine/store/store.ts';
import { renderQuery } from '../../../engine/view/pull.ts';
import type { Datum, Row } from '../../../sql/base/datum.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { fromText } from '../../../sql/base/text-input.ts';
import { toText } from '../../../sql/base/text-output.ts';
import { type SqlType, typeName } from '../../../sql/base/type.ts';
import type { BoundExpr } from '../../../sql/expression.ts';
import { registry } from '../../../sql/function/builtin.ts';
import { callScalar } from '../../../sql/function/define.ts';
import type { ScalarFunction } from '../../../sql/function/scalar-function.ts';
import type { LogicalNode } from '../../../sql/logical-plan.ts';

let store: Store;
before(async () => {
  store = await openDuckdbStore({ path: ':memory:', readers: 1 });
});
after(() => store.close());

/** Values at the edges of each type, as text. */
const samples: Readonly<Record<string, readonly string[]>> = {
  boolean: ['t', 'f'],
  smallint: ['0', '1', '-1', '7', '-32768', '32767'],
  integer: ['0', '1', '-1', '3', '-7', '100', '-2147483648', '2147483647'],
  bigint: ['0', '1', '-1', '3', '-7', '-9223372036854775808', '9223372036854775807'],
  real: ['0', '-0', '1.5', '-2.5', '0.1', 'NaN', 'Infinity', '3.4e38', '1e-40'],
  double: [
    '0',
    '-0',
    '1.5',
    '-2.5',
    '0.5',
    '0.1',
    'NaN',
    '-Infinity',
    '1.7e308',
    '5e-324',
    '1e15',
    '123456.789',
  ],
  numeric: [
    '0',
    '1.50',
    '-2.5',
    '0.5',
    '100',
    'NaN',
    'Infinity',
    '-123456789012345678901234567890.12345',
  ],
  text: [
    '',
    'a',
    'abc',
    'ABC',
    ' pad ',
    'a%b_c\\',
    '12',
    '-3.5',
    'ä𝄞ü',
    'a long text of more than twelve',
  ],
  varchar: ['', 'abc', 'ä'],
  char: ['a', 'b  ', ''],
  bytea: ['\\x', '\\x00ff', '\\x616263'],
  date: ['2024-02-29', '1970-01-01', '0001-01-01', 'infinity', '-infinity', '1999-12-31'],
  time: ['00:00', '23:59:59.999999', '24:00', '10:30'],
  timestamp: [
    '2024-02-29 23:59:59.5',
    '1970-01-01',
    'infinity',
    '-infinity',
    '1900-01-01 01:02:03',
  ],
  timestamptz: ['2024-02-29 23:59:59.5Z', '1970-01-01Z', 'infinity', '-infinity'],
  interval: ['0', '1 day', '-1 mon', '30 days', '1 year 2 days 03:04:05.678', '-36:00:00'],
  uuid: ['00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  jsonb: ['null', '1', '"a"', '{"a": 1, "b": [1, 2]}', '[]'],
  json: ['null', '{"a":1}'],
};

const COMBINATIONS_MAX = 64;
const FAILURES_MAX = 6;

function valuesOf(type: SqlType): readonly (Datum | null)[] | undefined {
  const texts = samples[type.kind];
  if (texts === undefined) return undefined;
  return [...texts.map((text) => fromText(text, type)), null];
}

/** Argument lists over the samples; at most so many, spread over all of them. */
function argumentLists(types: readonly SqlType[]): Row[] | undefined {
  let lists: Row[] = [[]];
  for (const type of types) {
    const values = valuesOf(type);
    if (values === undefined) return undefined;
    lists = lists.flatMap((list) => values.map((value): Row => [...list, value]));
  }
  const step = Math.max(1, Math.ceil(lists.length / COMBINATIONS_MAX));
  return lists.filter((_, i) => i % step === 0);
}

function outcome(fn: ScalarFunction, args: Row): string | undefined {
  try {
    const value = callScalar(fn, args);
    return value === null ? 'NULL' : `=${toText(value, fn.result)}`;
  } catch (cause) {
    if (!(cause instanceof StreamError)) throw cause;
    return cause.sqlstate;
  }
}

const failed = (text: string | undefined): boolean =>
  text !== undefined && /^[0-9A-Z]{5}$/.test(text);

/** The call over a table of constant arguments, one row a list. */
async function answers(fn: ScalarFunction, types: readonly SqlType[], lists: readonly Row[]) {
  const schema = types.map((type, i) => ({ name: `a${i}`, type, nullable: true }));
  const rows = lists.map((list) =>
    list.map((value, i): BoundExpr => ({ kind: 'literal', value, type: types[i] as SqlType })),
  );
  const args = types.map((type, index): BoundExpr => ({ kind: 'column', index, type }));
  const call: BoundExpr = { kind: 'call', fn, args, type: fn.result };
  const plan: LogicalNode = {
    kind: 'project',
    input: { kind: 'values', rows, schema },
    expressions: [call],
    schema: [{ name: 'r', type: fn.result, nullable: true }],
  };
  const { sql, calls } = renderQuery(plan, () => {
    throw new Error('no relation is scanned');
  });
  const found: string[] = [];
  for await (const chunk of (await store.query(sql, plan.schema, undefined, calls)).chunks) {
    for (const [value] of chunk)
      found.push(value === null || value === undefined ? 'NULL' : `=${toText(value, fn.result)}`);
  }
  return found;
}

async function check(
  fn: ScalarFunction,
  types: readonly SqlType[],
  wrong: string[],
): Promise<void> {
  const lists = argumentLists(types);
  if (lists === undefined) return;
  const name = `${fn.name}(${types.map(typeName).join(', ')})`;
  const expected = lists.map((list) => outcome(fn, list));
  const fine = lists.filter((_, i) => !failed(expected[i]));
  const texts = expected.filter((text) => !failed(text));
  try {
    const found = await answers(fn, types, fine);
    found.forEach((text, i) => {
      const list = fine[i] as Row;
      if (text !== texts[i])
        wrong.push(`${name} of ${list.map(String).join(' | ')}: ${text}, not ${texts[i]}`);
    });
  } catch (cause) {
    wrong.push(`${name}: ${String(cause)}`);
  }
  const failing = lists.filter((_, i) => failed(expected[i])).slice(0, FAILURES_MAX);
  for (const list of failing) {
    const code = outcome(fn, list);
    try {
      wrong.push(
        `${name} of ${list.map(String).join(' | ')}: ${await answers(fn, types, [list])}, not ${code}`,
      );
    } catch (cause) {
      const actual = cause instanceof StreamError ? cause.sqlstate : String(cause);
      if (actual !== code)
        wrong.push(
          `${name} of ${list.map(String).join(' | ')}: ${actual} ${String(cause)}, not ${code}`,
        );
    }
  }
}

const kinds: readonly SqlType[] = Object.keys(samples).map((kind) => ({ kind }) as SqlType);

test('DuckDB renderings of functions and operators agree with their evaluation', async () => {
  const wrong: string[] = [];
  let checked = 0;
  for (const name of registry.names()) {
    for (const fn of registry.scalars(name)) {
      if (fn.duckdb === undefined && fn.family !== 'comparison') continue;
      if ((fn.volatility ?? 'immutable') !== 'immutable') continue;
      checked++;
      await check(fn, fn.parameters, wrong);
    }
  }
  assert.ok(checked > 50, `${checked} functions have a rendering`);
  assert.deepEqual(wrong, []);
});

test('DuckDB renderings of casts agree with their evaluation', async () => {
  const wrong: string[] = [];
  for (const from of kinds) {
    for (const to of kinds) {
      const fn = registry.cast(from, to, 'explicit')?.fn;
      if (fn?.duckdb !== undefined) await check(fn, [from], wrong);
    }
  }
  assert.deepEqual(wrong, []);
});
