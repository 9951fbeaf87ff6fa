/** Calls with named arguments, `make_interval(days => 10)`: the arguments in the order of the parameters. */
import type { Expression, FunctionCall } from './ast.ts';
import { StreamError } from './base/error.ts';

interface Parameters {
  readonly names: readonly string[];
  /** What a parameter that is left out has; without one only the last ones may be left out. */
  readonly fallback?: string;
  /** The same as a text. */
  readonly fallbackText?: string;
}

/** PostgreSQL's parameter names, for the functions that have them and default values or many parameters. */
const parametersByName: ReadonlyMap<string, Parameters> = new Map<string, Parameters>([
  [
    'make_interval',
    { names: ['years', 'months', 'weeks', 'days', 'hours', 'mins', 'secs'], fallback: '0' },
  ],
  ['make_date', { names: ['year', 'month', 'day'] }],
  ['make_time', { names: ['hour', 'min', 'sec'] }],
  ['make_timestamp', { names: ['year', 'month', 'mday', 'hour', 'min', 'sec'] }],
  ['make_timestamptz', { names: ['year', 'month', 'mday', 'hour', 'min', 'sec', 'timezone'] }],
  ['jsonb_set', { names: ['jsonb_in', 'path', 'replacement', 'create_if_missing'] }],
  [
    'jsonb_set_lax',
    {
      names: ['jsonb_in', 'path', 'replacement', 'create_if_missing', 'null_value_treatment'],
    },
  ],
  ['jsonb_insert', { names: ['jsonb_in', 'path', 'replacement', 'insert_after'] }],
  ['jsonb_strip_nulls', { names: ['target', 'strip_in_arrays'] }],
  ['json_strip_nulls', { names: ['target', 'strip_in_arrays'] }],
  ...['exists', 'match', 'query', 'query_first', 'query_array'].map(
    (name): [string, Parameters] => [
      `jsonb_path_${name}`,
      { names: ['target', 'path', 'vars', 'silent'], fallbackText: '{}' },
    ],
  ),
  ['random_normal', { names: ['mean', 'stddev'], fallback: '0' }],
  ['parse_ident', { names: ['str', 'strict'] }],
  ['random', { names: ['min', 'max'] }],
  ['regexp_count', { names: ['string', 'pattern', 'start', 'flags'] }],
  ['regexp_like', { names: ['string', 'pattern', 'flags'] }],
  ['regexp_match', { names: ['string', 'pattern', 'flags'] }],
  ['regexp_replace', { names: ['string', 'pattern', 'replacement', 'flags'] }],
]);

/**
 * The call with its arguments in order and without their names.
 * @throws StreamError SQL_UNKNOWN_FUNCTION for a name that the function has not; SQL_SYNTAX for one given twice, or
 * followed by an argument without a name.
 */
export function orderArguments(call: FunctionCall, name: string): FunctionCall {
  const firstNamed = call.args.findIndex((argument) => argument.name !== undefined);
  if (firstNamed < 0) return call;
  const parameters = parametersByName.get(name);
  if (parameters === undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', `named arguments of ${name} are not supported`, {
      at: call.args[firstNamed]?.name?.span,
      hint: 'Pass the arguments in order.',
    });
  }
  const placed = place(call, name, parameters);
  const last = placed.findLastIndex((value) => value !== undefined);
  const args = placed.slice(0, last + 1).map((value, index) => {
    if (value !== undefined) return { name: undefined, value };
    return { name: undefined, value: fallbackFor(call, name, parameters, index) };
  });
  return { ...call, args };
}

function place(
  call: FunctionCall,
  name: string,
  { names }: Parameters,
): readonly (Expression | undefined)[] {
  const placed: (Expression | undefined)[] = names.map(() => undefined);
  let positional = true;
  for (const [index, argument] of call.args.entries()) {
    const at = argument.value.span;
    if (argument.name === undefined) {
      if (!positional) {
        throw new StreamError('SQL_SYNTAX', 'positional argument cannot follow named argument', {
          at,
        });
      }
      placed[index] = argument.value;
      continue;
    }
    positional = false;
    const wanted = argument.name.name;
    const position = names.indexOf(wanted);
    const isRepeated = call.args.slice(0, index).some((other) => other.name?.name === wanted);
    if (position < 0 || (placed[position] !== undefined && !isRepeated)) {
      throw new StreamError(
        'SQL_UNKNOWN_FUNCTION',
        `function ${name} has no argument "${wanted}"`,
        {
          at: argument.name.span,
          hint: `Its arguments are ${names.join(', ')}, each given once.`,
        },
      );
    }
    if (isRepeated) {
      throw new StreamError('SQL_SYNTAX', `argument name "${wanted}" used more than once`, {
        at: argument.name.span,
      });
    }
    placed[position] = argument.value;
  }
  return placed;
}

function fallbackFor(
  call: FunctionCall,
  name: string,
  { names, fallback, fallbackText }: Parameters,
  index: number,
): Expression {
  if (fallbackText !== undefined) return { kind: 'string', value: fallbackText, span: call.span };
  if (fallback !== undefined) return { kind: 'number', text: fallback, span: call.span };
  throw new StreamError(
    'SQL_UNKNOWN_FUNCTION',
    `function ${name} needs its argument "${names[index] ?? ''}"`,
    { at: call.span },
  );
}
