/** = <> < <= > >= for every type with an order. */
import type { Datum } from '../base/datum.ts';
import type { SqlType } from '../base/type.ts';
import { comparator } from '../base/value.ts';
import { types } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

type Operator = '=' | '<>' | '<' | '<=' | '>' | '>=';
type Inline = (a: string, b: string) => string;

const operators: readonly Operator[] = ['=', '<>', '<', '<=', '>', '>='];

const holds: { readonly [O in Operator]: (order: number) => boolean } = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

const descriptions: { readonly [O in Operator]: string } = {
  '=': 'equal',
  '<>': 'not equal',
  '<': 'less than',
  '<=': 'less than or equal',
  '>': 'greater than',
  '>=': 'greater than or equal',
};

/** Datums that JavaScript's own operators order as PostgreSQL does. */
const exactInline: { readonly [O in Operator]: Inline } = {
  '=': (a, b) => `(${a} === ${b})`,
  '<>': (a, b) => `(${a} !== ${b})`,
  '<': (a, b) => `(${a} < ${b})`,
  '<=': (a, b) => `(${a} <= ${b})`,
  '>': (a, b) => `(${a} > ${b})`,
  '>=': (a, b) => `(${a} >= ${b})`,
};

/** Doubles: NaN equals NaN and is greater than everything. */
const doubleInline: { readonly [O in Operator]: Inline } = {
  '=': (a, b) => `(${a} === ${b} || (${a} !== ${a} && ${b} !== ${b}))`,
  '<>': (a, b) => `(${a} !== ${b} && (${a} === ${a} || ${b} === ${b}))`,
  '<': (a, b) => `(${a} < ${b} || (${b} !== ${b} && ${a} === ${a}))`,
  '<=': (a, b) => `(${a} <= ${b} || ${b} !== ${b})`,
  '>': (a, b) => `(${a} > ${b} || (${a} !== ${a} && ${b} === ${b}))`,
  '>=': (a, b) => `(${a} >= ${b} || ${a} !== ${a})`,
};

/** JavaScript orders text by UTF-16 units, so only equality can be inline. */
const textInline: { readonly [O in Operator]?: Inline } = {
  '=': exactInline['='],
  '<>': exactInline['<>'],
};

interface Comparable {
  readonly type: SqlType;
  readonly inline: { readonly [O in Operator]?: Inline };
  /**
   * DuckDB's comparison is the same: integers, NaN as PostgreSQL has it, text by bytes, months as
   * 30 days. Numerics are stored as text or DECIMAL and jsonb as text, so they have none here.
   */
  readonly duckdb: boolean;
}

const comparables: readonly Comparable[] = [
  { type: types.boolean, inline: exactInline, duckdb: true },
  { type: types.smallint, inline: exactInline, duckdb: true },
  { type: types.integer, inline: exactInline, duckdb: true },
  { type: types.bigint, inline: exactInline, duckdb: true },
  { type: types.real, inline: doubleInline, duckdb: true },
  { type: types.double, inline: doubleInline, duckdb: true },
  { type: types.numeric, inline: {}, duckdb: false },
  { type: types.text, inline: textInline, duckdb: true },
  { type: types.char, inline: {}, duckdb: false },
  { type: types.bytea, inline: {}, duckdb: true },
  { type: types.date, inline: exactInline, duckdb: true },
  { type: types.time, inline: exactInline, duckdb: true },
  { type: types.timestamp, inline: exactInline, duckdb: true },
  { type: types.timestamptz, inline: exactInline, duckdb: true },
  { type: types.interval, inline: {}, duckdb: false },
  { type: types.jsonb, inline: {}, duckdb: false },
  { type: types.uuid, inline: exactInline, duckdb: true },
];

function comparison(operator: Operator, comparable: Comparable): ScalarFunction {
  const compare = comparator(comparable.type);
  const decide = holds[operator];
  const inline = comparable.inline[operator];
  return {
    name: operator,
    parameters: [comparable.type, comparable.type],
    result: types.boolean,
    evaluate: (left: Datum, right: Datum) => decide(compare(left, right)),
    inline: inline && (([a = '', b = '']) => inline(a, b)),
    duckdb: comparable.duckdb ? ([a, b]) => `(${a} ${operator} ${b})` : undefined,
    description: descriptions[operator],
    family: 'comparison',
  };
}

export const comparisonFunctions: readonly ScalarFunction[] = operators.flatMap((operator) =>
  comparables.map((comparable) => comparison(operator, comparable)),
);

/** `operator` over two arrays, rows, ranges or enums of one type, for the resolver of polymorphic functions. */
export function ownComparison(name: string, type: SqlType): ScalarFunction | undefined {
  const operator = operators.find((known) => known === name);
  if (operator === undefined) return undefined;
  const comparable: Comparable =
    type.kind === 'enum'
      ? { type, inline: exactInline, duckdb: true }
      : { type, inline: {}, duckdb: false };
  return comparison(operator, comparable);
}
