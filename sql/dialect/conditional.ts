import { type DialectRow, renamed } from './entry.ts';
import { fill, template } from './template.ts';

const element = 'anyelement';

/** `CASE … WHEN` of every argument after the first. */
const positions = (count: number, whenOf: (place: number) => string, otherwise: string): string =>
  `CASE ${Array.from({ length: count }, (_, i) => whenOf(i + 1)).join(' ')} ELSE ${otherwise} END`;

export const conditional: readonly DialectRow[] = [
  ...['ifnull', 'nvl'].map(
    (name): DialectRow => [
      name,
      `${element}, ${element}`,
      element,
      'the second argument where the first is NULL, as COALESCE',
      renamed('coalesce'),
    ],
  ),
  [
    'nvl2',
    `any, ${element}, ${element}`,
    element,
    'the second argument where the first is not NULL, else the third',
    template('CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END'),
  ],
  [
    'if',
    `boolean, ${element}, ${element}`,
    element,
    'the second argument where the first is true, else the third',
    template('CASE WHEN $1 THEN $2 ELSE $3 END'),
  ],
  ['as_value', element, element, 'the argument itself', template('$1')],
  [
    'elt',
    `integer, ${element}, …`,
    element,
    'the argument of this number, counted from 1 behind it; NULL when there is none',
    (args, { span }) =>
      fill(
        positions(args.length - 1, (place) => `WHEN $1 = ${place} THEN $${place + 1}`, 'NULL'),
        args,
        span,
      ),
  ],
  [
    'field',
    'text, text, …',
    'integer',
    'the place of the first argument among the others, counted from 1; 0 when it is not there or NULL',
    (args, { span }) =>
      fill(
        positions(args.length - 1, (place) => `WHEN $1 = $${place + 1} THEN ${place}`, '0'),
        args,
        span,
      ),
  ],
];
