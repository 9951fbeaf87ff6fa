/**
 * DuckDB macros over numerics that are held as text. 1.0 and 1.00 are one value with two texts, so whatever
 * compares numerics goes through these. No DuckDB import.
 */

/** The same text for equal values: no zeros at the end of the fraction. */
export const NUMERIC_KEY = 'numeric_key';
/** Text that sorts by bytes as the values do: -Infinity, numbers, Infinity, NaN. */
export const NUMERIC_ORDER = 'numeric_order';

/**
 * A number sorts by its sign, the length of its integral part, then its digits. Below zero the digits are
 * complemented, and a mark above all digits makes the longer (the smaller) number come first.
 */
export const numericMacros: readonly string[] = [
  `CREATE OR REPLACE TEMP MACRO ${NUMERIC_KEY}(x) AS ` +
    "CASE WHEN contains(x, '.') THEN rtrim(rtrim(x, '0'), '.') ELSE x END",
  `CREATE OR REPLACE TEMP MACRO ${NUMERIC_ORDER}(x) AS CASE ` +
    "WHEN x = 'NaN' THEN '4' WHEN x = 'Infinity' THEN '3' WHEN x = '-Infinity' THEN '0' " +
    "WHEN x[1] = '-' THEN '1' || translate(" +
    `lpad(CAST(strpos(x || '.', '.') AS VARCHAR), 6, '0') || substr(${NUMERIC_KEY}(x), 2), ` +
    "'0123456789', '9876543210') || '~' " +
    `ELSE '2' || lpad(CAST(strpos(x || '.', '.') AS VARCHAR), 6, '0') || ${NUMERIC_KEY}(x) END`,
];
