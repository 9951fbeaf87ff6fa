/** Wherever a function has a DuckDB rendering, DuckDB answers what `evaluate` answers, or also fails. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import type { Datum } from '../../../sql/base/datum.ts';
import { fromText } from '../../../sql/base/text-input.ts';
import { toText } from '../../../sql/base/text-output.ts';
import { type SqlType, typeName } from '../../../sql/base/type.ts';
import { registry } from '../../../sql/function/builtin.ts';
import { callScalar, types } from '../../../sql/function/define.ts';
import type { ScalarFunction } from '../../../sql/function/scalar-function.ts';
import { outcome, quote, runs, valueTexts } from './judge.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
before(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});
after(() => {
  connection.closeSync();
  instance.closeSync();
});

/** As engine/store holds values of each type. */
const duckdbNames: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  real: 'FLOAT',
  double: 'DOUBLE',
  text: 'VARCHAR',
  varchar: 'VARCHAR',
  uuid: 'VARCHAR',
  bytea: 'BLOB',
  time: 'TIME',
};

function duckdbLiteral(text: string, type: SqlType): string {
  const value = fromText(text, type);
  switch (type.kind) {
    case 'bytea':
      return `from_hex(${quote(toText(value, type).slice(2))})`;
    case 'date':
      return Math.abs(value as number) === 2147483647
        ? `CAST('${(value as number) > 0 ? '' : '-'}infinity' AS DATE)`
        : `(DATE '1970-01-01' + CAST(${String(value)} AS INTEGER))`;
    case 'timestamp':
    case 'timestamptz': {
      const micros = value as bigint;
      const infinite = micros === 9223372036854775807n || micros === -9223372036854775808n;
      const literal = infinite
        ? `CAST('${micros > 0n ? '' : '-'}infinity' AS TIMESTAMP)`
        : `make_timestamp(${micros})`;
      return type.kind === 'timestamp' ? literal : `CAST(${literal} AS TIMESTAMPTZ)`;
    }
    default:
      return `CAST(${quote(toText(value, type))} AS ${duckdbNames[type.kind]})`;
  }
}

async function askDuckdb(expression: string): Promise<unknown> {
  try {
    const reader = await connection.runAndReadAll(`SELECT ${expression}`);
    return reader.getRows()[0]?.[0];
  } catch (error) {
    assert.ok(error instanceof Error);
    return new Error(error.message);
  }
}

function readBack(value: unknown, type: SqlType): Datum | null {
  if (value === null || value === undefined) return null;
  if (type.kind === 'bigint') return BigInt(value as bigint);
  return value as Datum;
}

const likePatterns = fc.stringMatching(/^[abc%_\\é😀 ]{0,7}$/u);

async function check(fn: ScalarFunction): Promise<void> {
  const isLike = fn.name.endsWith('~~');
  const tuples = fc.sample(
    fc.tuple(
      ...fn.parameters.map((type, index) =>
        fc.option(isLike && index === 1 ? likePatterns : valueTexts(type), { nil: null, freq: 20 }),
      ),
    ),
    { numRuns: runs },
  );
  for (const tuple of tuples) {
    const args = tuple.map((text, index) => {
      const type = fn.parameters[index] as SqlType;
      return text === null
        ? `CAST(NULL AS ${duckdbNames[type.kind] ?? type.kind})`
        : duckdbLiteral(text, type);
    });
    const expression = fn.duckdb?.(args) ?? '';
    const theirs = await askDuckdb(expression);
    const ours = outcome(
      () =>
        callScalar(
          fn,
          tuple.map((text, index) =>
            text === null ? null : fromText(text, fn.parameters[index] as SqlType),
          ),
        ),
      fn.result,
    );
    const label = `${expression} gave ${String(theirs)}`;
    if (/^\d/.test(ours)) assert.ok(theirs instanceof Error, `${label}, not ${ours}`);
    else
      assert.equal(
        outcome(() => readBack(theirs, fn.result), fn.result),
        ours,
        label,
      );
  }
}

for (const name of registry.names()) {
  const rendered = registry.scalars(name).filter((fn) => fn.duckdb !== undefined);
  if (rendered.length === 0) continue;
  test(`${name} in DuckDB`, async () => {
    for (const fn of rendered) await check(fn);
  });
}

test('casts in DuckDB', async () => {
  const all = Object.values(types).filter((type) => type.kind !== 'array');
  for (const from of all) {
    for (const to of all) {
      const fn = registry.cast(from, to, 'explicit')?.fn;
      if (fn?.duckdb === undefined) continue;
      await check(fn).catch((error: unknown) => {
        throw new Error(`${typeName(from)} to ${typeName(to)}`, { cause: error });
      });
    }
  }
});
