/** The aggregate functions: one table of overloads, and a resolver for those of any type. */

import { isMapType, mapType, type SqlType, typeName } from '../base/type.ts';
import { categoryOf, withoutModifiers } from '../type-category.ts';
import { bestAccumulator, extremeAccumulator, extremeByAccumulator } from './aggregate-extreme.ts';
import type { Accumulator, AggregateFunction } from './aggregate-function.ts';
import { jsonAggregateNames, resolveJsonAggregate } from './aggregate-json.ts';
import {
  arrayAggregate,
  arrayOfArraysAggregate,
  histogramAggregate,
  stringAggregate,
} from './aggregate-list.ts';
import { regressionAggregates } from './aggregate-regression.ts';
import {
  averageDouble,
  averageInteger,
  averageInterval,
  averageNumeric,
  type Spread,
  spreadDouble,
  spreadNumeric,
  sumBigint,
  sumDouble,
  sumInteger,
  sumInterval,
  sumNumeric,
  sumReal,
} from './aggregate-sum.ts';
import { type TypeKey, types } from './define.ts';
import { rangeAggregateNames, resolveRangeAggregate } from './range-aggregate.ts';

interface Row {
  readonly name: string;
  readonly from: TypeKey;
  readonly to: TypeKey;
  readonly accumulator: () => Accumulator;
  readonly incremental?: AggregateFunction['incremental'];
  readonly duckdb?: AggregateFunction['duckdb'];
  readonly description: string;
}

function overload(row: Row): AggregateFunction {
  return {
    name: row.name,
    parameters: [types[row.from]],
    result: types[row.to],
    strict: true,
    accumulator: row.accumulator,
    incremental: row.incremental,
    duckdb: row.duckdb,
    description: row.description,
  };
}

function countAccumulator(): Accumulator {
  let count = 0;
  return {
    add: (_, weight) => {
      count += weight;
    },
    result: () => BigInt(count),
    save: () => [count],
    load: (state) => {
      count = state[0] as number;
    },
  };
}

const sums: readonly Row[] = [
  {
    name: 'sum',
    from: 'smallint',
    to: 'bigint',
    accumulator: sumInteger,
    incremental: 'sum-int',
    duckdb: ([x]) => `CAST(sum(${x}) AS BIGINT)`,
    description: 'sum',
  },
  {
    name: 'sum',
    from: 'integer',
    to: 'bigint',
    accumulator: sumInteger,
    incremental: 'sum-int',
    duckdb: ([x]) => `CAST(sum(${x}) AS BIGINT)`,
    description: 'sum',
  },
  {
    name: 'sum',
    from: 'bigint',
    to: 'numeric',
    accumulator: sumBigint,
    incremental: 'sum-int',
    description: 'sum',
  },
  {
    name: 'sum',
    from: 'numeric',
    to: 'numeric',
    accumulator: sumNumeric,
    incremental: 'sum-numeric',
    description: 'sum',
  },
  { name: 'sum', from: 'real', to: 'real', accumulator: sumReal, description: 'sum, rounded once' },
  {
    name: 'sum',
    from: 'double',
    to: 'double',
    accumulator: sumDouble,
    incremental: 'sum-double',
    description: 'sum, rounded once',
  },
  { name: 'sum', from: 'interval', to: 'interval', accumulator: sumInterval, description: 'sum' },
  {
    name: 'avg',
    from: 'smallint',
    to: 'numeric',
    accumulator: averageInteger,
    incremental: 'avg-int',
    description: 'mean',
  },
  {
    name: 'avg',
    from: 'integer',
    to: 'numeric',
    accumulator: averageInteger,
    incremental: 'avg-int',
    description: 'mean',
  },
  {
    name: 'avg',
    from: 'bigint',
    to: 'numeric',
    accumulator: averageInteger,
    incremental: 'avg-int',
    description: 'mean',
  },
  {
    name: 'avg',
    from: 'numeric',
    to: 'numeric',
    accumulator: averageNumeric,
    incremental: 'avg-numeric',
    description: 'mean',
  },
  {
    name: 'avg',
    from: 'real',
    to: 'double',
    accumulator: averageDouble,
    incremental: 'avg-double',
    description: 'mean',
  },
  {
    name: 'avg',
    from: 'double',
    to: 'double',
    accumulator: averageDouble,
    incremental: 'avg-double',
    description: 'mean',
  },
  {
    name: 'avg',
    from: 'interval',
    to: 'interval',
    accumulator: averageInterval,
    description: 'mean',
  },
];

const spreads: readonly (readonly [string, Spread, string])[] = [
  ['variance', { sample: true, root: false }, 'sample variance'],
  ['var_samp', { sample: true, root: false }, 'sample variance'],
  ['var_pop', { sample: false, root: false }, 'population variance'],
  ['stddev', { sample: true, root: true }, 'sample standard deviation'],
  ['stddev_samp', { sample: true, root: true }, 'sample standard deviation'],
  ['stddev_pop', { sample: false, root: true }, 'population standard deviation'],
];

const spreadRows = spreads.flatMap(([name, spread, description]): readonly Row[] => [
  ...(['smallint', 'integer', 'bigint', 'numeric'] as const).map((from) => ({
    name,
    from,
    to: 'numeric' as const,
    accumulator: () => spreadNumeric(spread),
    description,
  })),
  ...(['real', 'double'] as const).map((from) => ({
    name,
    from,
    to: 'double' as const,
    accumulator: () => spreadDouble(spread),
    description,
  })),
]);

/** bool_and and bool_or: how many rows are true and how many false decides both. */
function booleanAccumulator(decide: (trues: number, falses: number) => boolean): Accumulator {
  let trues = 0;
  let falses = 0;
  return {
    add: (args, weight) => {
      if (args[0] === true) trues += weight;
      else falses += weight;
    },
    result: () => (trues + falses === 0 ? null : decide(trues, falses)),
    save: () => [trues, falses],
    load: (state) => {
      [trues, falses] = state as [number, number];
    },
  };
}

const allTrue = (): Accumulator => booleanAccumulator((_, falses) => falses === 0);
const anyTrue = (): Accumulator => booleanAccumulator((trues) => trues > 0);

const booleans: readonly Row[] = [
  {
    name: 'bool_and',
    from: 'boolean',
    to: 'boolean',
    accumulator: allTrue,
    incremental: 'bool-and',
    duckdb: ([x]) => `bool_and(${x})`,
    description: 'true when every value is true',
  },
  {
    name: 'every',
    from: 'boolean',
    to: 'boolean',
    accumulator: allTrue,
    incremental: 'bool-and',
    duckdb: ([x]) => `bool_and(${x})`,
    description: 'true when every value is true',
  },
  {
    name: 'bool_or',
    from: 'boolean',
    to: 'boolean',
    accumulator: anyTrue,
    incremental: 'bool-or',
    duckdb: ([x]) => `bool_or(${x})`,
    description: 'true when any value is true',
  },
];

const BIGINT_BITS = 64;

/** Bit aggregates count, for each bit, the rows that have it set. */
function bitAccumulator(big: boolean, decide: (set: number, rows: number) => boolean): Accumulator {
  const set = new Float64Array(BIGINT_BITS);
  let rows = 0;
  return {
    add: (args, weight) => {
      const word = BigInt.asUintN(64, BigInt(args[0] as number | bigint));
      rows += weight;
      for (let bit = 0; bit < BIGINT_BITS; bit++) {
        if (((word >> BigInt(bit)) & 1n) === 1n) set[bit] = (set[bit] as number) + weight;
      }
    },
    result: () => {
      if (rows === 0) return null;
      let word = 0n;
      for (let bit = 0; bit < BIGINT_BITS; bit++) {
        if (decide(set[bit] as number, rows)) word |= 1n << BigInt(bit);
      }
      const value = BigInt.asIntN(64, word);
      return big ? value : Number(value);
    },
    save: () => [rows, ...set],
    load: (state) => {
      rows = state[0] as number;
      set.set(state.slice(1) as number[]);
    },
  };
}

const bitRules: readonly (readonly [string, (set: number, rows: number) => boolean, string])[] = [
  ['bit_and', (set, rows) => set === rows, 'bitwise and of all values'],
  ['bit_or', (set) => set > 0, 'bitwise or of all values'],
  ['bit_xor', (set) => set % 2 !== 0, 'bitwise exclusive or of all values'],
];

const bits = bitRules.flatMap(([name, decide, description]) =>
  (['smallint', 'integer', 'bigint'] as const).map(
    (from): Row => ({
      name,
      from,
      to: from,
      accumulator: () => bitAccumulator(from === 'bigint', decide),
      description,
    }),
  ),
);

/** Kinds with min and max; DuckDB's own are the same where its order is. */
const extremeKinds: readonly (readonly [TypeKey, boolean])[] = [
  ['smallint', true],
  ['integer', true],
  ['bigint', true],
  ['real', true],
  ['double', true],
  ['numeric', false],
  ['text', true],
  ['char', false],
  ['bytea', true],
  ['date', true],
  ['time', true],
  ['timestamp', true],
  ['timestamptz', true],
  ['interval', false],
];

function extreme(name: 'min' | 'max', type: SqlType, duckdb: boolean): AggregateFunction {
  return {
    name,
    parameters: [type],
    result: type,
    strict: true,
    accumulator: () => extremeAccumulator(type, name === 'max'),
    incremental: name,
    duckdb: duckdb ? ([x]) => `${name}(${x})` : undefined,
    description: name === 'min' ? 'least value' : 'greatest value',
  };
}

const countRows: AggregateFunction = {
  name: 'count',
  parameters: [],
  result: types.bigint,
  strict: false,
  accumulator: countAccumulator,
  incremental: 'count',
  duckdb: () => 'count(*)',
  description: 'number of rows',
};

const stringAgg: AggregateFunction = {
  name: 'string_agg',
  parameters: [types.text, types.text],
  result: types.text,
  strict: true,
  accumulator: stringAggregate,
  ordered: true,
  description: 'values joined by a delimiter',
};

/** Every aggregate with fixed parameter types. */
export const aggregateFunctions: readonly AggregateFunction[] = [
  countRows,
  ...[...sums, ...spreadRows, ...booleans, ...bits].map(overload),
  ...(['min', 'max'] as const).flatMap((name) =>
    extremeKinds.map(([key, duckdb]) => extreme(name, types[key], duckdb)),
  ),
  stringAgg,
  ...regressionAggregates,
];

/** Names that resolveAggregate knows beyond the table. */
export const polymorphicAggregateNames = [
  'count',
  'min',
  'max',
  'array_agg',
  'histogram',
  ...jsonAggregateNames,
  'any_value',
  'min_by',
  'max_by',
  'arg_min',
  'arg_max',
  ...rangeAggregateNames,
];

function anyValue(type: SqlType): Accumulator {
  return extremeAccumulator(type, false);
}

/** The overload of an aggregate over any type, for exactly these argument types. */
export function resolveAggregate(
  name: string,
  given: readonly SqlType[],
): AggregateFunction | undefined {
  const argTypes = given.map(withoutModifiers);
  const [first, second] = argTypes;
  if (first === undefined) return undefined;
  const base = { name, parameters: argTypes, strict: false, ordered: true } as const;
  switch (name) {
    case 'count':
      if (argTypes.length !== 1) return undefined;
      return {
        ...countRows,
        parameters: argTypes,
        strict: true,
        duckdb: ([x]) => `count(${x})`,
        description: 'number of values that are not NULL',
      };
    case 'min':
    case 'max':
      if (first.kind === 'enum') return extreme(name, first, true);
      return first.kind === 'array' || first.kind === 'row'
        ? extreme(name, first, false)
        : undefined;
    case 'min_by':
    case 'max_by':
    case 'arg_min':
    case 'arg_max': {
      if (second === undefined || argTypes.length !== 2) return undefined;
      const greatest = name === 'max_by' || name === 'arg_max';
      return {
        ...base,
        result: first,
        ordered: false,
        accumulator: () => extremeByAccumulator(first, second, greatest),
        growing: () => extremeByAccumulator(first, second, greatest, bestAccumulator),
        description: `value of the row whose second argument is ${greatest ? 'greatest' : 'least'}`,
      };
    }
    case 'histogram':
      if (argTypes.length !== 1 || categoryOf(first) !== 'string') return undefined;
      return {
        ...base,
        parameters: [types.text],
        result: mapType(types.text, types.bigint),
        strict: true,
        ordered: false,
        accumulator: histogramAggregate,
        description: 'map of each text to how often it occurs',
      };
    case 'any_value':
      return {
        ...base,
        result: first,
        strict: true,
        ordered: false,
        accumulator: () => anyValue(first),
        description: `a value of type ${typeName(first)}, the least`,
      };
    case 'array_agg':
      return {
        ...base,
        result: { kind: 'array', element: first },
        accumulator: () =>
          first.kind === 'array' && !isMapType(first) ? arrayOfArraysAggregate() : arrayAggregate(),
        description: 'values as an array, NULLs too',
      };
    default:
      return resolveJsonAggregate(name, argTypes) ?? resolveRangeAggregate(name, argTypes);
  }
}
