import type { DialectRow } from './entry.ts';
import { template } from './template.ts';

/** Mean radius of the earth. */
const EARTH_KM = 6371;
const EARTH_MILES = 3959;

/** The haversine formula (Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984). */
const HAVERSINE = `2 * asin(sqrt(least(1, power(sin(radians($3 - $1) / 2), 2)
  + cos(radians($1)) * cos(radians($3)) * power(sin(radians($4 - $2) / 2), 2))))`;

export const numbers: readonly DialectRow[] = [
  [
    'log2',
    'double precision',
    'double precision',
    'logarithm to the base 2',
    template('ln(CAST($1 AS double precision)) / ln(CAST(2 AS double precision))'),
  ],
  ['bin', 'bigint', 'text', 'whole number in base 2', template('to_bin($1)')],
  [
    'truncate',
    'numeric [, integer]',
    'numeric',
    'number cut off behind so many digits',
    template('trunc(CAST($1 AS numeric), coalesce($2, 0))'),
  ],
  [
    'rand_integer',
    'integer',
    'integer',
    'random whole number from 0 to below the argument',
    template('CAST(floor(random() * $1) AS integer)'),
  ],
  [
    'geo_distance',
    'double precision, double precision, double precision, double precision [, text]',
    'double precision',
    'great-circle distance of two places, each by latitude and longitude in degrees; in km, or in miles when the last says so',
    template(
      `CASE WHEN upper(coalesce($5, 'KM')) LIKE 'MI%' THEN ${EARTH_MILES} ELSE ${EARTH_KM} END * ${HAVERSINE}`,
    ),
  ],
];
