/**
 * Functions of ksqlDB and Flink that are another spelling of what SQL can say already: each call is read as that expression,
 * so that types, NULLs, time zones and retractions are those of the expression. Where the two systems differ, Flink's rule holds.
 */
import type { Expression, FunctionCall, SortItem } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import type { PolymorphicSignature } from './function/polymorphic-signature.ts';
import { callOf } from './parser-call.ts';

interface Dialect {
  readonly family: PolymorphicSignature['family'];
  /** Shown in the docs and in errors; `[…]` marks what may be left out. */
  readonly parameters: string;
  readonly result: string;
  readonly description: string;
  readonly min: number;
  readonly max: number;
  readonly read: (args: readonly Expression[], call: FunctionCall) => Expression;
}

const string = (value: string, span: Span): Expression => ({ kind: 'string', value, span });
const number = (value: number, span: Span): Expression => ({
  kind: 'number',
  text: String(value),
  span,
});

function castTo(operand: Expression, name: string, span: Span): Expression {
  const type = { name, modifiers: [], arrayDimensions: 0, span };
  return { kind: 'cast', operand, type, try: false, span };
}

const binary = (op: string, left: Expression, right: Expression, span: Span): Expression => ({
  kind: 'binary',
  op,
  left,
  right,
  span,
});

/** The same function by PostgreSQL's name. */
const renamed =
  (name: string): Dialect['read'] =>
  (args, { span }) =>
    callOf(name, args, span);

/** A field of a date or time as bigint; parts of a second are cut off. */
function field(name: string, shift = 0): Dialect['read'] {
  return (args, { span }) => {
    const part = callOf('extract', [string(name, span), ...args], span);
    const whole = castTo(callOf('floor', [part], span), 'int8', span);
    return shift === 0
      ? whole
      : binary('+', whole, castTo(number(shift, span), 'int8', span), span);
  };
}

const units: ReadonlyMap<string, string> = new Map([
  ...['second', 'minute', 'hour', 'day', 'week', 'month', 'year'].map((unit): [string, string] => [
    unit,
    `1 ${unit}`,
  ]),
  ['quarter', '3 months'],
]);

/** The bare word in front of the arguments, also SQL_TSI_DAY; or a text. */
function unitOf(node: Expression): string {
  const [part, ...others] = node.kind === 'column' ? node.name.parts : [];
  const word = node.kind === 'string' ? node.value : others.length === 0 ? part?.name : undefined;
  const unit =
    word
      ?.toLowerCase()
      .replace(/^sql_tsi_/, '')
      .replace(/s$/, '') ?? '';
  if (units.has(unit)) return unit;
  throw new StreamError('VALUE_INVALID_PARAMETER', `unit "${word ?? ''}" is not known`, {
    at: node.span,
    hint: 'The units are SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER and YEAR.',
  });
}

/** `time + count * INTERVAL '1 unit'`. */
function timestampAdd(args: readonly Expression[], { span }: FunctionCall): Expression {
  const [unit, count, time] = args as [Expression, Expression, Expression];
  const step = castTo(string(units.get(unitOf(unit)) ?? '', unit.span), 'interval', unit.span);
  return binary('+', time, binary('*', count, step, span), span);
}

function timestampDiff(args: readonly Expression[], { span }: FunctionCall): Expression {
  const [unit, start, end] = args as [Expression, Expression, Expression];
  return callOf('timestampdiff', [string(unitOf(unit), unit.span), start, end], span);
}

function ifThenElse(args: readonly Expression[], { span }: FunctionCall): Expression {
  const [when, then, otherwise] = args as [Expression, Expression, Expression];
  return { kind: 'case', operand: undefined, whens: [{ when, then }], otherwise, span };
}

/** `coalesce((array_agg(x ORDER BY x DESC) FILTER (WHERE x IS NOT NULL))[1:n], '{}')`. */
function top(distinct: boolean): Dialect['read'] {
  return (args, call) => {
    const { span } = call;
    const [value, count] = args as [Expression, Expression];
    if (call.over !== undefined || call.withinGroup.length > 0 || call.orderBy.length > 0) {
      const message = `${nameOf(call)} takes no OVER, ORDER BY or WITHIN GROUP`;
      throw new StreamError('SQL_NOT_SUPPORTED', message, { at: span });
    }
    if (count.kind !== 'number' || !/^[1-9]\d{0,8}$/.test(count.text)) {
      throw new StreamError(
        'VALUE_INVALID_PARAMETER',
        `the number of values of ${nameOf(call)} must be a whole number above 0, written out`,
        { at: count.span },
      );
    }
    const known: Expression = {
      kind: 'is',
      test: 'null',
      negated: true,
      operand: value,
      span,
    };
    const { filter } = call;
    const orderBy: readonly SortItem[] = [
      { expression: value, descending: true, nulls: undefined, span },
    ];
    const list: Expression = {
      ...callOf('array_agg', [value], span),
      distinct: distinct || call.distinct,
      orderBy,
      filter: filter === undefined ? known : { kind: 'and', left: filter, right: known, span },
    };
    const first: Expression = {
      kind: 'slice',
      operand: list,
      low: number(1, span),
      high: count,
      span,
    };
    return callOf('coalesce', [first, string('{}', span)], span);
  };
}

/** `string_agg(x, separator ORDER BY …)`, where the order may be written WITHIN GROUP. */
function listAggregate(args: readonly Expression[], call: FunctionCall): Expression {
  const { span, withinGroup, orderBy } = call;
  const [value, separator = string(',', span)] = args as [Expression, Expression?];
  const { name, args: both } = callOf('string_agg', [value, separator], span);
  return {
    ...call,
    name,
    args: both,
    orderBy: withinGroup.length > 0 ? withinGroup : orderBy,
    withinGroup: [],
  };
}

/** Nothing in a view depends on the order in which records came. */
function refuseOffset(call: FunctionCall): StreamError {
  const extreme = nameOf(call).startsWith('latest') ? 'max_by' : 'min_by';
  return new StreamError(
    'SQL_NOT_SUPPORTED',
    `${nameOf(call)} would depend on the order of arrival, which a view does not`,
    {
      at: call.span,
      hint: `Write ${extreme}(value, time) with the column that holds the order, and FILTER (WHERE value IS NOT NULL) to pass over NULLs.`,
    },
  );
}

type Row = readonly [
  name: string,
  parameters: string,
  result: string,
  description: string,
  read: Dialect['read'],
];

function rows(family: Dialect['family'], list: readonly Row[]): readonly [string, Dialect][] {
  return list.map(([name, parameters, result, description, read]) => {
    const max = parameters === '' ? 0 : parameters.split(',').length;
    const optional = parameters.split('[').length - 1;
    return [name, { family, parameters, result, description, min: max - optional, max, read }];
  });
}

const element = 'anyelement';

const conditional: readonly Row[] = [
  ...['ifnull', 'nvl'].map(
    (name): Row => [
      name,
      `${element}, ${element}`,
      element,
      'the second argument where the first is NULL, as COALESCE',
      renamed('coalesce'),
    ],
  ),
  [
    'if',
    `boolean, ${element}, ${element}`,
    element,
    'the second argument where the first is true, else the third',
    ifThenElse,
  ],
  ['as_value', element, element, 'the argument itself', ([value]) => value as Expression],
];

const fields: readonly (readonly [string, string, number?])[] = [
  ...['year', 'quarter', 'month', 'week', 'hour', 'minute', 'second'].map(
    (name): [string, string] => [name, name],
  ),
  ['dayofyear', 'doy'],
  ['dayofmonth', 'day'],
  ['dayofweek', 'dow', 1],
];

const dates: readonly Row[] = [
  ...fields.map(
    ([name, part, shift = 0]): Row => [
      name,
      'any',
      'bigint',
      name === 'dayofweek'
        ? 'day of the week, Sunday is 1'
        : `whole ${part} of a date, time or timestamp, as extract(${part} FROM …)`,
      field(part, shift),
    ],
  ),
  [
    'timestampadd',
    'UNIT, integer, timestamp',
    'timestamp',
    'timestamp so many units later; the unit is a bare word: SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR',
    timestampAdd,
  ],
  [
    'timestampdiff',
    'UNIT, timestamp, timestamp',
    'bigint',
    'whole units from the first to the second; the unit is a bare word',
    timestampDiff,
  ],
];

const aggregates: readonly Row[] = [
  [
    'listagg',
    'text [, text]',
    'text',
    'values joined by a separator, a comma without one, as string_agg; the order is written in the call or WITHIN GROUP',
    listAggregate,
  ],
  [
    'topk',
    `${element}, integer`,
    'anyarray',
    'the so many largest values, NULLs left out',
    top(false),
  ],
  [
    'topkdistinct',
    `${element}, integer`,
    'anyarray',
    'the so many largest values, each once',
    top(true),
  ],
];

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ...rows('conditional', conditional),
  ...rows('datetime', dates),
  ...rows('array', [
    [
      'array_join',
      'anyarray, text [, text]',
      'text',
      'elements joined by a delimiter, as array_to_string',
      renamed('array_to_string'),
    ],
  ]),
  ...rows('aggregate', aggregates),
]);

const refused: ReadonlySet<string> = new Set(['latest_by_offset', 'earliest_by_offset']);

const nameOf = (call: FunctionCall): string => call.name.parts.at(-1)?.name ?? '';

export const isDialectName = (name: string): boolean => dialects.has(name) || refused.has(name);

/**
 * @returns the expression that the call stands for; undefined for a function of another kind.
 * @throws StreamError SQL_UNKNOWN_FUNCTION for a wrong number of arguments, SQL_NOT_SUPPORTED, VALUE_INVALID_PARAMETER.
 */
export function readDialect(call: FunctionCall, name: string): Expression | undefined {
  if (refused.has(name)) throw refuseOffset(call);
  const dialect = dialects.get(name);
  if (dialect === undefined) return undefined;
  const { min, max, parameters, family, read } = dialect;
  const args = call.args.map(({ value }) => value);
  // timestampdiff of a text is the function that the bare word's form becomes.
  if (name === 'timestampdiff' && args[0]?.kind === 'string') return undefined;
  const clauses =
    family !== 'aggregate' &&
    (call.distinct || call.filter !== undefined || call.over !== undefined);
  if (args.length < min || args.length > max || call.star || call.variadic || clauses) {
    throw new StreamError('SQL_UNKNOWN_FUNCTION', `function ${name} is not called like this`, {
      at: call.span,
      hint: `Write ${name}(${parameters}).`,
    });
  }
  return read(args, call);
}

export const dialectSignatures: readonly PolymorphicSignature[] = [...dialects].map(
  ([name, { family, parameters, result, description }]) => ({
    name,
    kind: family === 'aggregate' ? 'aggregate' : 'scalar',
    parameters,
    result,
    description,
    family,
  }),
);
