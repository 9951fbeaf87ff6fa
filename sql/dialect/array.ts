import { type DialectRow, type Read, renamed } from './entry.ts';
import { fill, template } from './template.ts';

/** A bound of a slice; below 0 it counts from the end. */
const bound = (index: string): string =>
  `CASE WHEN ${index} < 0 THEN cardinality($1) + 1 + ${index} ELSE ${index} END`;

const slice: Read = (args, { span }) => {
  const high = args.length === 3 ? bound('$3') : 'cardinality($1)';
  return fill(`($1)[${bound('$2')} : ${high}]`, args, span);
};

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
];
