/** docs/functions.md is written from the registry; UPDATE=1 rewrites it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { EnumType } from '../../../sql/base/enum-type.ts';
import { mapType, typeName } from '../../../sql/base/type.ts';
import { recordFunctionNames } from '../../../sql/bind-record-function.ts';
import { sessionSignatures } from '../../../sql/bind-session.ts';
import { tableFunctionNames } from '../../../sql/bind-table-function.ts';
import { dialectSignatures } from '../../../sql/dialect-call.ts';
import { absentFunctions, absentOperators } from '../../../sql/function/absent-function.ts';
import {
  registry,
  resolvePolymorphic,
  resolvePolymorphicAggregate,
} from '../../../sql/function/builtin.ts';
import { types } from '../../../sql/function/define.ts';
import { polymorphicSignatures } from '../../../sql/function/polymorphic-signature.ts';
import type { ScalarFunction } from '../../../sql/function/scalar-function.ts';

const page = new URL('../../../docs/functions.md', import.meta.url);

const headings: readonly (readonly [ScalarFunction['family'] | 'aggregate', string])[] = [
  ['comparison', 'Comparison'],
  ['conditional', 'Conditional'],
  ['math', 'Numbers'],
  ['string', 'Text'],
  ['pattern', 'Patterns'],
  ['datetime', 'Dates and times'],
  ['json', 'JSON'],
  ['array', 'Arrays'],
  ['enum', 'Enums'],
  ['range', 'Ranges'],
  ['binary', 'Bytes'],
  ['aggregate', 'Aggregates'],
  ['system', 'Sequences, settings and the session'],
];

interface Line {
  readonly signature: string;
  readonly description: string;
}

const isOperator = (name: string): boolean => !/^[a-z_]/.test(name);

function written(name: string, parameters: readonly string[]): string {
  if (!isOperator(name)) return `${name}(${parameters.join(', ')})`;
  return parameters.length === 1 ? `${name} ${parameters[0]}` : parameters.join(` ${name} `);
}

interface Overload {
  readonly parameters: readonly string[];
  readonly result: string;
}

/** From so many overloads of one shape on, T stands for their types. */
const SHARED_MIN = 3;

/** `T + T` → T for the types T, where several overloads differ only in that. */
function signaturesOf(name: string, overloads: readonly Overload[]): readonly string[] {
  const shapes = Map.groupBy(overloads, ({ parameters, result }) => {
    const first = parameters[0];
    const shape = parameters.map((parameter) => (parameter === first ? 'T' : parameter));
    return `\`${written(name, shape)}\` → ${result === first && result !== 'boolean' ? 'T' : result}`;
  });
  return [...shapes].flatMap(([shape, members]) => {
    if (members.length >= SHARED_MIN && (members[0]?.parameters.length ?? 0) > 0) {
      return [`${shape} for ${members.map((member) => member.parameters[0]).join(', ')}`];
    }
    return members.map((member) => `\`${written(name, member.parameters)}\` → ${member.result}`);
  });
}

function overloadsOf(family: string, name: string): ReadonlyMap<string, readonly Overload[]> {
  const byDescription = new Map<string, Overload[]>();
  const add = (description: string, parameters: readonly string[], result: string): void => {
    const known = byDescription.get(description) ?? [];
    known.push({ parameters, result });
    byDescription.set(description, known);
  };
  for (const fn of registry.scalars(name)) {
    if (fn.family !== family) continue;
    const parameters = fn.parameters.map(typeName);
    add(fn.description, fn.variadic ? [...parameters, '…'] : parameters, typeName(fn.result));
  }
  if (family === 'aggregate') {
    for (const fn of registry.aggregates(name)) {
      const parameters = fn.parameters.map(typeName);
      add(fn.description, parameters.length === 0 ? ['*'] : parameters, typeName(fn.result));
    }
  }
  for (const fn of signatures) {
    if (fn.name === name && fn.family === family) {
      add(fn.description, fn.parameters.split(', '), fn.result);
    }
  }
  return byDescription;
}

const signatures = [...polymorphicSignatures, ...sessionSignatures, ...dialectSignatures];
const bound = [...sessionSignatures, ...dialectSignatures].map(({ name }) => name);
const names = [...new Set([...registry.names(), ...bound])].sort();

function linesOf(family: string): readonly Line[] {
  return names.flatMap((name) =>
    [...overloadsOf(family, name)].map(([description, overloads]) => ({
      signature: signaturesOf(name, overloads).join('<br>'),
      description,
    })),
  );
}

function tableFunctionPart(): readonly string[] {
  return [
    '## Functions that give rows',
    '',
    'In `FROM`, in `ROWS FROM (…)` and in the select list, also `WITH ORDINALITY`:',
    '',
    [...tableFunctionNames, ...recordFunctionNames]
      .sort()
      .map((name) => `\`${name}\``)
      .join(', '),
    '',
  ];
}

function absentPart(): readonly string[] {
  return [
    '## Not there',
    '',
    "Functions and operators of PostgreSQL's manual that are refused, with the reason, beside those of geometry, network addresses, XML and text search, and those that tell about its server. A test compares both lists with",
    "PostgreSQL's catalog. Types that are not there: `bit`, `varbit`, `timetz`, `money`, `xml`, multiranges, network addresses, geometry,",
    '`tsvector`; their error says what to use instead.',
    '',
    '| | |',
    '| --- | --- |',
    ...absentFunctions.map(
      ({ reason, names: absent }) =>
        `| ${absent.map((name) => `\`${name}\``).join(', ')} | ${reason} |`,
    ),
    ...absentOperators.map(
      ({ reason, names: absent }) =>
        `| ${absent.map((name) => `\`${name}\``).join(', ')} | ${reason} |`,
    ),
    '',
  ];
}

function render(): string {
  const parts = [
    '# Functions and operators',
    '',
    "Names, types, results and errors are PostgreSQL's; a test compares every line with an embedded PostgreSQL on random values. This page is",
    'written from the registry (`UPDATE=1 node --test test/sql/function/docs.test.ts`), and `SHOW FUNCTIONS` lists the same. `anyelement` and',
    '`anyarray` stand for any type, `anyenum` for any enum type, the same one within a line; `any` is free for each argument.',
    '',
  ];
  for (const [family, heading] of headings) {
    parts.push(`## ${heading}`, '', '| | |', '| --- | --- |');
    for (const line of linesOf(family)) {
      parts.push(
        `| ${line.signature.replaceAll('|', '\\|')} | ${line.description.replaceAll('|', '\\|')} |`,
      );
    }
    parts.push('');
  }
  parts.push(...tableFunctionPart(), ...absentPart());
  return parts.join('\n');
}

test('docs/functions.md lists what the registry has', () => {
  const expected = render();
  if (process.env.UPDATE === '1') writeFileSync(page, expected);
  assert.equal(readFileSync(page, 'utf8'), expected);
});

test('every signature without fixed types can be resolved', () => {
  const { integer, text, jsonb, boolean } = types;
  const array = types['integer[]'];
  const sample = {
    anyelement: integer,
    anyarray: array,
    any: jsonb,
    json: types.json,
    jsonb,
    text,
    integer,
    boolean,
    'integer[]': array,
    anyrange: { kind: 'range', name: 'int4range' },
    record: { kind: 'row', fields: [] },
    map: mapType(text, integer),
    anyenum: { kind: 'enum', enumeration: new EnumType(1, 'mood', []) },
  } as const;
  for (const { name, kind, parameters } of polymorphicSignatures) {
    // Those WITHIN GROUP are resolved by the binder, test/differential/scripts/aggregates.sql.
    if (parameters.includes('ORDER BY')) continue;
    const names = parameters
      .replace(/ \[.*\]/, '')
      .split(', ')
      .filter((part) => part !== '…');
    const argTypes = names.map((part) => sample[part as keyof typeof sample]);
    const resolve = kind === 'scalar' ? resolvePolymorphic : resolvePolymorphicAggregate;
    assert.ok(resolve(name, argTypes) !== undefined, `${name}(${parameters})`);
    assert.ok(registry.names().includes(name), name);
  }
});
