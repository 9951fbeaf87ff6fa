import type { Expression, FunctionCall, Identifier } from '../ast.ts';
import { StreamError } from '../base/error.ts';
import { nameOf } from '../parser-call.ts';
import { type DialectRow, type Read, renamed } from './entry.ts';
import { fill, template } from './template.ts';

/** A bound of a slice; below 0 it counts from the end. */
const bound = (index: string): string =>
  `CASE WHEN ${index} < 0 THEN cardinality($1) + 1 + ${index} ELSE ${index} END`;

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

/** A list of the elements that are kept, in their order, `$2` being the body. @param item  what becomes of an element. */
function overElements(item: (element: string) => string, where = ''): Read {
  return (args, call) => {
    const { name, body } = lambdaOf(call);
    const element = `"${name.name.replaceAll('"', '""')}"`;
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
    'anyarray, x => expression',
    'anyarray',
    'the expression of each element, in their order',
    overElements(() => '$2'),
  ],
  [
    'filter',
    'anyarray, x => condition',
    'anyarray',
    'the elements for which the condition is true, in their order',
    overElements((element) => element, 'WHERE $2'),
  ],
];
