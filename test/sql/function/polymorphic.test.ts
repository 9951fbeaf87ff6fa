/** Functions without fixed types, resolved for many argument types, against PostgreSQL. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { SqlType } from '../../../sql/base/type.ts';
import { resolvePolymorphic } from '../../../sql/function/builtin.ts';
import { types } from '../../../sql/function/define.ts';
import {
  assertNoDifferences,
  type CompareOptions,
  compareFunction,
  type Judge,
  openJudge,
} from './judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

const {
  integer,
  bigint,
  numeric,
  double,
  text,
  boolean,
  date,
  timestamp,
  timestamptz,
  interval,
  jsonb,
  json,
  uuid,
  bytea,
} = types;
const integers = types['integer[]'];
const texts = types['text[]'];
const numerics: SqlType = { kind: 'array', element: numeric };
const small = fc.constantFrom('-1', '0', '1', '2', '3');
const dimensions = fc.constantFrom('{}', '{0}', '{2}', '{2,3}', '{1,0}', '{NULL}');
const delimiters = fc.constantFrom(',', '', 'a', '; ');
const formats = fc.constantFrom(
  '%s',
  '%I',
  '%L',
  '%s %s',
  '%%',
  '%1$s-%1$L',
  '%2$s',
  '%5s|',
  '%-5s|',
  '%*s|',
  '%',
  '%x',
  '%s%%',
  'plain',
  '%3$s',
  '%0$s',
  '%*2$s|',
  '%s %1$s %s',
  '%-3$I',
);

interface Case {
  readonly name: string;
  readonly arguments: readonly SqlType[];
  readonly options?: CompareOptions;
}

const bare = (name: string, args: readonly string[]): string => `${name}(${args.join(', ')})`;

const comparable = [
  integer,
  bigint,
  numeric,
  double,
  text,
  boolean,
  date,
  timestamptz,
  interval,
  jsonb,
  uuid,
  bytea,
  integers,
  texts,
];
const anything = [
  integer,
  numeric,
  double,
  text,
  boolean,
  timestamp,
  timestamptz,
  interval,
  jsonb,
  integers,
  date,
  bytea,
];

const cases: readonly Case[] = [
  ...['greatest', 'least'].flatMap((name) =>
    [integer, numeric, double, text, date, interval, integers].map((type) => ({
      name,
      arguments: [type, type, type],
      options: { render: bare },
    })),
  ),
  ...comparable.map((type) => ({
    name: 'nullif',
    arguments: [type, type],
    options: { render: bare },
  })),
  ...[integers, texts, numerics].flatMap((type) =>
    ['=', '<>', '<', '<=', '>', '>=', '||', 'array_cat', '@>', '<@', '&&'].map((name) => ({
      name,
      arguments: [type, type],
    })),
  ),
  ...anything.flatMap((type) => [
    { name: 'concat', arguments: [type, text, type] },
    { name: 'concat_ws', arguments: [text, type, text, type] },
    { name: 'to_jsonb', arguments: [type] },
    { name: 'to_json', arguments: [type] },
    { name: 'json_array', arguments: [type, text, type], options: { nullShare: 3, render: bare } },
    { name: 'json_scalar', arguments: [type], options: { render: bare } },
    { name: 'jsonb_build_array', arguments: [type, text] },
    { name: 'json_build_array', arguments: [type, text] },
    { name: 'jsonb_build_object', arguments: [text, type, type, text] },
    { name: 'json_build_object', arguments: [text, type] },
    {
      name: 'format',
      arguments: [text, type, text],
      options: {
        values: { 0: formats, ...([integer, numeric, double].includes(type) ? { 1: small } : {}) },
      },
    },
    { name: 'quote_literal', arguments: [type] },
    { name: 'quote_nullable', arguments: [type] },
    { name: 'num_nulls', arguments: [type, text, type] },
    { name: 'num_nonnulls', arguments: [type, text] },
  ]),
  ...[integer, numeric, double, boolean, timestamptz, interval, date, uuid].flatMap((type) => [
    { name: '||', arguments: [text, type] },
    { name: '||', arguments: [type, text] },
  ]),
  {
    name: 'format',
    arguments: [text, integer, text],
    options: { values: { 0: formats, 1: small } },
  },
  ...(
    [
      [integers, integer],
      [texts, text],
      [numerics, numeric],
    ] as const
  ).flatMap(([array, element]) => [
    ...['array_append', 'array_remove', 'array_position', 'array_positions', '||'].map((name) => ({
      name,
      arguments: [array, element],
    })),
    ...['array_prepend', '||'].map((name) => ({ name, arguments: [element, array] })),
    { name: 'array_replace', arguments: [array, element, element] },
    {
      name: 'array_position',
      arguments: [array, element, integer],
      options: { values: { 2: small } },
    },
    ...['array_length', 'array_lower', 'array_upper', 'trim_array'].map((name) => ({
      name,
      arguments: [array, integer],
      options: { values: { 1: small } },
    })),
    ...[
      ...['cardinality', 'array_ndims', 'array_dims', 'array_reverse', 'array_sort'],
      'array_to_json',
    ].map((name) => ({ name, arguments: [array] })),
    { name: 'array_sort', arguments: [array, boolean] },
    { name: 'array_sort', arguments: [array, boolean, boolean] },
    { name: 'width_bucket', arguments: [element, array] },
    { name: 'array_fill', arguments: [element, integers], options: { values: { 1: dimensions } } },
    { name: 'array_to_string', arguments: [array, text], options: { values: { 1: delimiters } } },
    {
      name: 'array_to_string',
      arguments: [array, text, text],
      options: { values: { 1: delimiters } },
    },
  ]),
  { name: 'to_jsonb', arguments: [json] },
];

const byName = Map.groupBy(cases, (item) => item.name);

for (const [name, items] of byName) {
  test(`${name} answers as PostgreSQL for any type`, async () => {
    for (const item of items) {
      const fn = resolvePolymorphic(name, item.arguments);
      assert.ok(fn !== undefined, `${name}(${item.arguments.map((type) => type.kind).join(', ')})`);
      const parameters = fn.variadic ? item.arguments : fn.parameters;
      assertNoDifferences(await compareFunction(judge, { ...fn, parameters }, item.options));
    }
  });
}
