import { type DialectRow, type Read, renamed } from './entry.ts';
import { fill, template } from './template.ts';

/** A bound of a slice; below 0 it counts from the end. */
const bound = (index: string): string =>
  `CASE WHEN ${index} < 0 THEN cardinality($1) + 1 + ${index} ELSE ${index} END`;

const slice: Read = (args, { span }) => {
  const high = args.length === 3 ? bound('$3') : 'cardinality($1)';
  return fill(`($1)[${bound('$2')} : ${high}]`, args, span);
};

/** ksqlDB's way to say in which order. */
export const isOrder = (text: string): boolean => /^(asc|desc)(ending)?$/i.test(text);

const sorted: Read = (args, { span }) => {
  const order = args[1];
  const isDown = order?.kind === 'string' && /^desc/i.test(order.value);
  return fill(isDown ? 'array_sort($1, true, false)' : 'array_sort($1)', args, span);
};

export const arrays: readonly DialectRow[] = [
  [
    'array_sort',
    'anyarray, text',
    'anyarray',
    "elements in ascending or descending order ('ASC', 'DESC'), NULLs last",
    sorted,
  ],
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
];
