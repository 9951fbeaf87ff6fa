import type { Expression, FunctionCall, Identifier } from '../ast.ts';
import { StreamError } from '../base/error.ts';
import { nameOf } from '../parser-call.ts';
import { type DialectRow, type Read, renamed } from './entry.ts';
import { fill, template } from './template.ts';

/** A bound of a slice; below 0 it counts from the end. */
const bound = (index: string): string =>
  `CASE WHEN ${index} < 0 THEN cardinality($1) + 1 + ${index} ELSE ${index} END`;

type Lambda = Expression & { readonly kind: 'lambda' };

const slice: Read = (args, { span }) => {
  const high = args.length === 3 ? bound('$3') : 'cardinality($1)';
  return fill(`($1)[${bound('$2')} : ${high}]`, args, span);
};

/** The parameter and the body of `x => …`, which the grammar reads as an argument by name. */
function lambdaOf(call: FunctionCall): { readonly name: Identifier; readonly body: Expression } {
  const [, lambda] = call.args;
  if (lambda?.name !== undefined) return { name: lambda.name, body: lambda.value };
  if (lambda?.value.kind === 'lambda') {
    const [name, ...others] = lambda.value.parameters;
    if (name !== undefined && others.length === 0) return { name, body: lambda.value.body };
  }
  throw new StreamError('SQL_SYNTAX', `${nameOf(call)} takes a function of one parameter`, {
    at: lambda?.value.span ?? call.span,
    hint: `Write ${nameOf(call)}(list, x => …).`,
  });
}

const quoted = ({ name }: Identifier): string => `"${name.replaceAll('"', '""')}"`;

/** The two parameters of `(k, v) => …`; undefined for any other argument. */
function pairOf(call: FunctionCall, place: number): Lambda | undefined {
  const value = call.args[place]?.value;
  return value?.kind === 'lambda' && value.parameters.length === 2 ? value : undefined;
}

/** `$1`'s entries under the names of a function's parameters, in the order of the keys. */
function overEntries({ parameters }: Lambda, item: string, where = ''): string {
  const names = parameters.map(quoted).join(', ');
  const rows = `unnest(map_keys($1), map_values($1)) WITH ORDINALITY AS " entries"(${names}, " place")`;
  return `ARRAY(SELECT ${item} FROM ${rows} ${where} ORDER BY " place")`;
}

/** A map of what functions make of each key and each value; of equal keys the last one counts. */
const transformed: Read = (args, call) => {
  const key = pairOf(call, 1);
  const value = pairOf(call, 2);
  if (args.length !== 3) return overElements(() => '$2')(args, call);
  const [map] = args;
  if (key === undefined || value === undefined || map === undefined) throw wantsPairs(call);
  const lists = `${overEntries(key, '$2')}, ${overEntries(value, '$3')}`;
  const text = `CASE WHEN $1 IS NOT NULL THEN map_from_arrays(${lists}) END`;
  return fill(text, [map, key.body, value.body], call.span);
};

const filtered: Read = (args, call) => {
  const pair = pairOf(call, 1);
  const [map] = args;
  if (pair === undefined || map === undefined) {
    return overElements((element) => element, 'WHERE $2')(args, call);
  }
  const kept = pair.parameters.map((name) => overEntries(pair, quoted(name), 'WHERE $2'));
  const text = `CASE WHEN $1 IS NOT NULL THEN map_from_arrays(${kept.join(', ')}) END`;
  return fill(text, [map, pair.body], call.span);
};

function wantsPairs(call: FunctionCall): StreamError {
  return new StreamError(
    'SQL_SYNTAX',
    `${nameOf(call)} of a map takes two functions of a key and a value`,
    {
      at: call.span,
      hint: `Write ${nameOf(call)}(map, (k, v) => …, (k, v) => …).`,
    },
  );
}

/** A list of the elements that are kept, in their order, `$2` being the body. @param item  what becomes of an element. */
function overElements(item: (element: string) => string, where = ''): Read {
  return (args, call) => {
    const { name, body } = lambdaOf(call);
    const element = quoted(name);
    const rows = `unnest($1) WITH ORDINALITY AS " elements"(${element}, " place")`;
    const query = `ARRAY(SELECT ${item(element)} FROM ${rows} ${where} ORDER BY " place")`;
    const list = args[0] ?? body;
    return fill(`CASE WHEN $1 IS NOT NULL THEN ${query} END`, [list, body], call.span);
  };
}

export const arrays: readonly DialectRow[] = [
  [
    'array_join',
    'anyarray, text [, text]',
    'text',
    'elements joined by a delimiter, as array_to_string',
    renamed('array_to_string'),
  ],
  [
    'array_concat',
    'anyarray, anyarray',
    'anyarray',
    'both lists, one behind the other',
    template('array_cat($1, $2)'),
  ],
  [
    'array_slice',
    'anyarray, integer [, integer]',
    'anyarray',
    'elements from one place to another, both included; below 0 they count from the end',
    slice,
  ],
  ['entries', 'map', 'anyarray', 'entries of a map as rows (key, value)', renamed('map_entries')],
  [
    'explode',
    'anyarray',
    'setof anyelement',
    'one row for each element, as unnest',
    renamed('unnest'),
  ],
  [
    'transform',
    'anyarray, x => expression [, x => expression]',
    'anyarray',
    'the expression of each element, in their order; of a map, of its keys and of its values, by (k, v) => …',
    transformed,
  ],
  [
    'filter',
    'anyarray, x => condition',
    'anyarray',
    'the elements for which the condition is true, in their order; the entries of a map, by (k, v) => …',
    filtered,
  ],
];
