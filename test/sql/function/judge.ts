/** PGlite as the judge of functions: the same call there and here, compared by text or SQLSTATE. */
import assert from 'node:assert/strict';

import fc from 'fast-check';
import type { Datum } from '../../../sql/base/datum.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { fromText } from '../../../sql/base/text-input.ts';
import { trimBlanks } from '../../../sql/base/text-order.ts';
import { toText } from '../../../sql/base/text-output.ts';
import { type SqlType, typeName } from '../../../sql/base/type.ts';
import { callScalar } from '../../../sql/function/define.ts';
import type { ScalarFunction } from '../../../sql/function/scalar-function.ts';
import { openPglite } from '../../open-pglite.ts';
import { rangeTexts } from './range-texts.ts';

/** Calls per overload. */
export const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 40);

export interface Judge {
  /** For each expression its text with `=` in front, `NULL`, or its SQLSTATE and message. */
  ask(expressions: readonly string[]): Promise<readonly string[]>;
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function openJudge(): Promise<Judge> {
  const db = await openPglite();
  await db.exec(`
    create function outcome(expression text) returns text language plpgsql as $$
    declare result text;
    begin
      execute 'select ' || expression into result;
      return coalesce('=' || result, 'NULL');
    exception when others then return sqlstate || ' ' || sqlerrm;
    end $$`);
  return {
    ask: async (expressions) => {
      const answer = await db.query<{ r: string }>(
        'select outcome(e) as r from unnest($1::text[]) with ordinality as u(e, n) order by n',
        [expressions],
      );
      return answer.rows.map((row) => row.r);
    },
    query: async (sql) => (await db.query<Record<string, unknown>>(sql)).rows,
    close: () => db.close(),
  };
}

export const texts = [
  '',
  ' ',
  'a',
  'abc',
  'ABC',
  'Hello World',
  '  padded  ',
  'a,b,c',
  'x%y_z',
  'naïve Éa',
  'straße',
  '😀a😀',
  '日本語',
  "it's",
  'a"b',
  'back\\slash',
  '123',
  '-4.5',
  'aaa',
  'abcabc',
  'tab\there',
  'new\nline',
  'ab12cd',
  'null',
  '\ue000',
  '{a,b}',
];
const numerics = [
  '0',
  '1',
  '-1',
  '0.5',
  '-0.5',
  '2.5',
  '-2.5',
  '1.50',
  '100',
  '0.001',
  '123456789.987654321',
  '-99999999999999999999.9999',
  '1e20',
  '1e-10',
  '3.14159265358979',
  'NaN',
  'Infinity',
  '-Infinity',
  '0.00',
  '1000000',
  '7',
  '2',
  '10',
  '0.9',
  '1.1',
];
const doubles = [
  '0',
  '-0',
  '1',
  '-1',
  '0.5',
  '-0.5',
  '2.5',
  '1.5',
  '-2.5',
  '1e308',
  '-1e308',
  '1e-308',
  '5e-324',
  'NaN',
  'Infinity',
  '-Infinity',
  '123456.789',
  '0.1',
  '3.14159',
  '1e15',
  '1e16',
  '9007199254740993',
  '100',
  '7',
];
const reals = [
  '0',
  '-0',
  '1',
  '-1',
  '0.1',
  '3.4e38',
  '-3.4e38',
  '1e-38',
  'NaN',
  'Infinity',
  '-Infinity',
  '2.5',
  '16777217',
  '123456.7',
  '1e6',
];
const dates = [
  '2024-01-01',
  '2024-02-29',
  '1970-01-01',
  '1999-12-31',
  '2023-03-31',
  '0001-01-01',
  '0044-03-15 BC',
  '1900-02-28',
  'infinity',
  '-infinity',
  '2000-01-03',
  '12345-06-07',
];
const times = ['00:00:00', '12:34:56.789', '23:59:59.999999', '24:00:00', '01:02:03', '06:00:00'];
const timestamps = [
  '2024-01-01 00:00:00',
  '2024-02-29 23:59:59.999999',
  '1970-01-01 00:00:00',
  '1969-12-31 23:59:59.5',
  '2023-03-31 12:30:00',
  '0044-03-15 10:00:00 BC',
  '1999-12-31 23:59:59',
  '2000-01-01 00:00:00.000001',
  'infinity',
  '-infinity',
  '2024-12-30 08:09:10.123',
  '0001-01-01 00:00:00',
  '9999-12-31 23:59:59',
  '2024-06-15 14:15:16',
];
const intervals = [
  '0',
  '1 day',
  '-1 day',
  '1 mon',
  '-1 mon',
  '1 year 2 mons 3 days 04:05:06.789',
  '-1 year -2 mons +3 days -04:05:06',
  '25:00:00',
  '30 days',
  '1 mon -1 day',
  '36:00:00',
  '0.000001 seconds',
  'infinity',
  '-infinity',
  '100 years',
  '1 day -00:00:01',
  '15 days 12:00:00',
  '01:00:00',
  '00:10:00',
];
const jsons = [
  'null',
  'true',
  'false',
  '1',
  '1.0',
  '-2.50',
  '"a"',
  '""',
  '[]',
  '{}',
  '[1, 2, 3]',
  '{"a": 1}',
  '{"a": {"b": [1, {"c": null}]}}',
  '["a", "b", null]',
  '{"b": 1, "a": 2}',
  '[1.0, 2]',
  '"1"',
  '[[1], [2]]',
  '{"a": null}',
  '{"a": "x", "c": [true]}',
  '1e3',
  '"x\\ny"',
  '[{"a": 1}, {"a": 2}]',
];

function choose(pool: readonly string[], more: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...pool) },
    { weight: 2, arbitrary: more },
  );
}

function bigintText(bits: bigint): fc.Arbitrary<string> {
  const max = 2n ** (bits - 1n) - 1n;
  return fc
    .oneof(
      fc.constantFrom(max, -max - 1n, max - 1n, 0n, 1n, -1n),
      fc.bigInt(-20n, 20n),
      fc.bigInt(-1000n, 1000n),
      fc.bigInt(-max - 1n, max),
    )
    .map(String);
}

const safeCharacters = fc.stringMatching(/^[a-c A-C0-9é%_.,-]{0,8}$/);

/** Texts that PostgreSQL reads as values of a type, extremes first. */
export function valueTexts(type: SqlType): fc.Arbitrary<string> {
  switch (type.kind) {
    case 'boolean':
      return fc.constantFrom('t', 'f');
    case 'smallint':
      return bigintText(16n);
    case 'integer':
      return bigintText(32n);
    case 'bigint':
      return bigintText(64n);
    case 'numeric':
      return choose(
        numerics,
        fc
          .tuple(fc.bigInt(-(10n ** 12n), 10n ** 12n), fc.integer({ min: 0, max: 8 }))
          .map(([n, s]) => `${n}e-${s}`),
      );
    case 'double':
      return choose(doubles, fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map(String));
    case 'real':
      return choose(
        reals,
        fc.float({ noNaN: true, min: -1000, max: 1000 }).map((n) => n.toPrecision(5)),
      );
    case 'text':
    case 'varchar':
    case 'char':
      return choose(texts, safeCharacters);
    case 'bytea':
      return fc.uint8Array({ maxLength: 6 }).map((b) => `\\x${Buffer.from(b).toString('hex')}`);
    case 'date':
      return choose(
        dates,
        fc
          .integer({ min: 1, max: 28 })
          .map((d) => `20${String(10 + (d % 20))}-0${1 + (d % 9)}-${String(d).padStart(2, '0')}`),
      );
    case 'time':
      return choose(
        times,
        fc
          .integer({ min: 0, max: 86399 })
          .map((s) => `${Math.floor(s / 3600)}:${Math.floor(s / 60) % 60}:${s % 60}`),
      );
    case 'timestamp':
    case 'timestamptz':
      return choose(
        timestamps,
        fc
          .integer({ min: -(10 ** 9), max: 2 * 10 ** 9 })
          .map((s) => new Date(s * 1000).toISOString().slice(0, 19)),
      );
    case 'interval':
      return choose(
        intervals,
        fc
          .tuple(
            fc.integer({ min: -50, max: 50 }),
            fc.integer({ min: -100, max: 100 }),
            fc.integer({ min: -(10 ** 6), max: 10 ** 6 }),
          )
          .map(([m, d, s]) => `${m} mons ${d} days ${s / 10} seconds`),
      );
    case 'json':
    case 'jsonb':
      return fc.constantFrom(...jsons);
    case 'uuid':
      return fc.oneof(
        fc.uuid(),
        fc.constantFrom(
          '00000000-0000-0000-0000-000000000000',
          'ffffffff-ffff-ffff-ffff-ffffffffffff',
        ),
      );
    case 'range':
      return rangeTexts(type.name);
    case 'array': {
      const element = type.element;
      return fc
        .array(fc.option(valueTexts(element), { nil: null, freq: 6 }), { maxLength: 4 })
        .map((items) =>
          toText(
            items.map((item) => (item === null ? null : fromText(item, element))),
            type,
          ),
        );
    }
    default:
      throw new Error(`no values for ${type.kind}`);
  }
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `'1'::integer`, or a typed NULL. */
export function literal(text: string | null, type: SqlType): string {
  return `${text === null ? 'NULL' : quote(text)}::${typeName(type)}`;
}

/** How a call is written for PostgreSQL. */
export function callText(name: string, args: readonly string[]): string {
  if (/^[a-z_]/i.test(name)) return `pg_catalog."${name}"(${args.join(', ')})`;
  if (args.length === 1) return `(${name} ${args[0]})`;
  return `(${args[0]} ${name} ${args[1]})`;
}

/** Our answer in the judge's form. */
export function outcome(compute: () => Datum | null, type: SqlType): string {
  try {
    const value = compute();
    if (value === null) return 'NULL';
    if (type.kind === 'boolean') return `=${value === true ? 'true' : 'false'}`;
    // The judge's answer has gone through text, where character(n) loses its padding.
    const text = toText(value, type);
    return `=${type.kind === 'char' ? trimBlanks(text) : text}`;
  } catch (error) {
    if (error instanceof StreamError) return `${error.sqlstate} ${error.message}`;
    throw error;
  }
}

export interface CompareOptions {
  readonly samples?: number;
  /** Instead of the type's own values, by argument number. */
  readonly values?: Readonly<Record<number, fc.Arbitrary<string>>>;
  readonly render?: (name: string, args: readonly string[]) => string;
  /** Accepts doubles that differ by this much relatively. */
  readonly tolerance?: number;
  readonly nulls?: boolean;
  /** One argument in so many is NULL; 20 when it is not said. */
  readonly nullShare?: number;
}

/** Compares one overload with the judge on random arguments; gives a line for each difference. */
export async function compareFunction(
  judge: Judge,
  fn: ScalarFunction,
  options: CompareOptions = {},
): Promise<readonly string[]> {
  const count = options.samples ?? (fn.parameters.length === 0 ? 1 : runs);
  const arbitrary = fc.tuple(
    ...fn.parameters.map((type, index) =>
      fc.option(options.values?.[index] ?? valueTexts(type), {
        nil: null,
        freq: options.nulls === false ? 1e9 : (options.nullShare ?? 20),
      }),
    ),
  );
  const tuples = fc.sample(arbitrary, { numRuns: count });
  const render = options.render ?? callText;
  const expressions = tuples.map((tuple) =>
    render(
      fn.name,
      tuple.map((text, index) => literal(text, fn.parameters[index] as SqlType)),
    ),
  );
  const theirs = await judge.ask(expressions);
  const differences: string[] = [];
  tuples.forEach((tuple, index) => {
    const ours = outcome(() => {
      const args = tuple.map((text, i) =>
        text === null ? null : fromText(text, fn.parameters[i] as SqlType),
      );
      return callScalar(fn, args);
    }, fn.result);
    const their = theirs[index] as string;
    if (!agrees(ours, their, options.tolerance)) {
      differences.push(`${expressions[index]}\n    judge ${their}\n    ours  ${ours}`);
    }
  });
  return differences;
}

/** Same text, or the same SQLSTATE. */
export function agrees(ours: string, theirs: string, tolerance?: number): boolean {
  if (ours === theirs) return true;
  const error = /^[0-9A-Z]{5} /;
  if (error.test(ours) && error.test(theirs)) return ours.slice(0, 5) === theirs.slice(0, 5);
  if (tolerance === undefined || !ours.startsWith('=') || !theirs.startsWith('=')) return false;
  const a = Number(ours.slice(1));
  const b = Number(theirs.slice(1));
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
}

/** Fails with the first differences, shortened. */
export function assertNoDifferences(differences: readonly string[]): void {
  const shown = differences.slice(0, 12).map((line) => line.slice(0, 600));
  assert.equal(differences.length, 0, `${differences.length} differences\n${shown.join('\n')}`);
}
