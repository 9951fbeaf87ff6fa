/**
 * DuckDB macros over numerics that are held as text. 1.0 and 1.00 are one value with two texts, so whatever
 * compares numerics goes through these. No DuckDB import.
 */

/** The same text for equal values: no zeros at the end of the fraction. */
export const NUMERIC_KEY = 'numeric_key';
/** Text that sorts by bytes as the values do: -Infinity, numbers, Infinity, NaN. */
export const NUMERIC_ORDER = 'numeric_order';

/** Is the numeric finite, with at most 18 digits on each side of its point? Then it is whole + fraction / 10^18. */
export const NUMERIC_SHORT = 'numeric_short';
/** The integral part of a short numeric as BIGINT. */
export const NUMERIC_WHOLE = 'numeric_whole';
/** The fraction of a short numeric, signed, in units of 10^-18. */
export const NUMERIC_FRACTION = 'numeric_fraction';
/** Digits after the point. */
export const NUMERIC_SCALE = 'numeric_scale';

/**
 * Two BIGINTs, because DuckDB reads text as DECIMAL of more than 18 digits a hundred times slower. NaN and the
 * infinities are the texts that end in a letter.
 */
const partMacros: readonly string[] = [
  `CREATE OR REPLACE TEMP MACRO ${NUMERIC_SHORT}(x) AS right(x, 1) <= '9' AND ` +
    "CASE WHEN contains(x, '.') THEN strpos(x, '.') <= 19 AND length(x) - strpos(x, '.') <= 18 ELSE length(x) <= 18 END",
  `CREATE OR REPLACE TEMP MACRO ${NUMERIC_WHOLE}(x) AS TRY_CAST(` +
    "CASE WHEN contains(x, '.') THEN left(x, strpos(x, '.') - 1) ELSE x END AS BIGINT)",
  `CREATE OR REPLACE TEMP MACRO ${NUMERIC_FRACTION}(x) AS CASE WHEN contains(x, '.') THEN ` +
    "TRY_CAST(rpad(substr(x, strpos(x, '.') + 1), 18, '0') AS BIGINT) * CASE WHEN x[1] = '-' THEN -1 ELSE 1 END ELSE 0 END",
  `CREATE OR REPLACE TEMP MACRO ${NUMERIC_SCALE}(x) AS CASE WHEN contains(x, '.') THEN length(x) - strpos(x, '.') ELSE 0 END`,
];

/**
 * A number sorts by its sign, the length of its integral part, then its digits. Below zero the digits are
 * complemented, and a mark above all digits makes the longer (the smaller) number come first.
 */
export const numericMacros: readonly string[] = [
  ...partMacros,
  `CREATE OR REPLACE TEMP MACRO ${NUMERIC_KEY}(x) AS ` +
    "CASE WHEN contains(x, '.') THEN rtrim(rtrim(x, '0'), '.') ELSE x END",
  `CREATE OR REPLACE TEMP MACRO ${NUMERIC_ORDER}(x) AS CASE ` +
    "WHEN x = 'NaN' THEN '4' WHEN x = 'Infinity' THEN '3' WHEN x = '-Infinity' THEN '0' " +
    "WHEN x[1] = '-' THEN '1' || translate(" +
    `lpad(CAST(strpos(x || '.', '.') AS VARCHAR), 6, '0') || substr(${NUMERIC_KEY}(x), 2), ` +
    "'0123456789', '9876543210') || '~' " +
    `ELSE '2' || lpad(CAST(strpos(x || '.', '.') AS VARCHAR), 6, '0') || ${NUMERIC_KEY}(x) END`,
];
