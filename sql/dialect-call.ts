/**
 * Functions of ksqlDB and Flink that are another spelling of what SQL can say already: each call is read as that expression,
 * so that types, NULLs, time zones and retractions are those of the expression. Where the two systems differ, Flink's rule holds.
 */
import type { Expression, FunctionCall } from './ast.ts';
import { StreamError } from './base/error.ts';
import { aggregates } from './dialect/aggregate.ts';
import { arrays, isOrder } from './dialect/array.ts';
import { conditional } from './dialect/conditional.ts';
import { dates } from './dialect/date.ts';
import { type Dialect, dialectRows } from './dialect/entry.ts';
import { documents } from './dialect/json.ts';
import { numbers } from './dialect/math.ts';
import { offsets } from './dialect/offset.ts';
import { texts, urls } from './dialect/text.ts';
import type { PolymorphicSignature } from './function/polymorphic-signature.ts';

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ...dialectRows('conditional', conditional),
  ...dialectRows('math', numbers),
  ...dialectRows('string', [...texts, ...urls]),
  ...dialectRows('datetime', dates),
  ...dialectRows('json', documents),
  ...dialectRows('array', arrays),
  ...dialectRows('aggregate', [...aggregates, ...offsets]),
]);

export const isDialectName = (name: string): boolean => dialects.has(name);

/** Of names that other functions have too: whether the arguments are those of the dialect's. */
const overloads: Readonly<Record<string, (args: readonly Expression[]) => boolean>> = {
  // That of a text is the function that the bare word's form becomes.
  timestampdiff: ([unit]) => unit?.kind !== 'string',
  encode: (args) => args.length === 3,
  array_sort: ([, order]) => order?.kind === 'string' && isOrder(order.value),
};

/**
 * @returns the expression that the call stands for; undefined for a function of another kind.
 * @throws StreamError SQL_UNKNOWN_FUNCTION for a wrong number of arguments, SQL_NOT_SUPPORTED, VALUE_INVALID_PARAMETER.
 */
export function readDialect(call: FunctionCall, name: string): Expression | undefined {
  const dialect = dialects.get(name);
  if (dialect === undefined) return undefined;
  const { min, max, parameters, family, read } = dialect;
  const args = call.args.map(({ value }) => value);
  if (overloads[name]?.(args) === false) return undefined;
  const isNamed =
    !parameters.includes('=>') && call.args.some((argument) => argument.name !== undefined);
  const clauses =
    family !== 'aggregate' &&
    (call.distinct || call.filter !== undefined || call.over !== undefined);
  if (args.length < min || args.length > max || call.star || call.variadic || clauses || isNamed) {
    throw new StreamError('SQL_UNKNOWN_FUNCTION', `function ${name} is not called like this`, {
      at: call.span,
      hint: `Write ${name}(${parameters}).`,
    });
  }
  return read(args, call);
}

/** Constructors that the binder knows by itself. */
const constructors: readonly PolymorphicSignature[] = [
  ['map', 'any := any, …', 'map', 'map of keys to values; also MAP[key, value, …]'],
  ['struct', 'name := any, …', 'record', 'row whose attributes have these names'],
  [
    'transform',
    'anyarray, x => expression',
    'anyarray',
    'the expression of each element, in their order; of a map, of its keys and of its values: map, (k, v) => …, (k, v) => …',
  ],
  [
    'filter',
    'anyarray, x => condition',
    'anyarray',
    'the elements for which the condition is true, in their order; the entries of a map, by (k, v) => …',
  ],
  [
    'reduce',
    'anyarray, any, (s, x) => expression',
    'any',
    'the state that the expression makes of one element after the other; of a map (s, k, v) => expression',
  ],
].map(([name = '', parameters = '', result = '', description = '']) => ({
  ...{ name, parameters, result, description },
  kind: 'scalar',
  family: 'array',
}));

export const dialectSignatures: readonly PolymorphicSignature[] = [
  ...constructors,
  ...[...dialects].map(
    ([name, { family, parameters, result, description }]): PolymorphicSignature => ({
      name,
      kind: family === 'aggregate' ? 'aggregate' : 'scalar',
      parameters,
      result,
      description,
      family,
    }),
  ),
];
