/**
 * A DuckDB macro over intervals. PostgreSQL compares the whole span, a month as 30 days of 24 hours; DuckDB carries from
 * unit to unit towards zero, so that '1 mon -1 day' and '29 days' differ. No DuckDB import.
 */

/** The interval's length in microseconds, as HUGEINT: equal and ordered as PostgreSQL's intervals are. */
export const INTERVAL_SPAN = 'interval_span';

// The cast gives a bare NULL its type, without which DuckDB cannot choose among its overloads.
const part = (unit: string): string => `datepart('${unit}', CAST(x AS INTERVAL))`;

export const intervalMacro =
  `CREATE OR REPLACE TEMP MACRO ${INTERVAL_SPAN}(x) AS ` +
  `(CAST(${part('year')} * 12 + ${part('month')} AS HUGEINT) * 30 + ${part('day')}) * 86400000000 + ` +
  `${part('hour')} * 3600000000 + ${part('minute')} * 60000000 + ${part('microsecond')}`;
