/**
 * A DuckDB macro over intervals. PostgreSQL compares the whole span, a month as 30 days of 24 hours; DuckDB carries from
 * unit to unit towards zero, so that '1 mon -1 day' and '29 days' differ. No DuckDB import.
 */

/** The interval's length in microseconds, as HUGEINT: equal and ordered as PostgreSQL's intervals are. */
export const INTERVAL_SPAN = 'interval_span';

export const intervalMacro =
  `CREATE OR REPLACE TEMP MACRO ${INTERVAL_SPAN}(x) AS ` +
  "(CAST(datepart('year', x) * 12 + datepart('month', x) AS HUGEINT) * 30 + datepart('day', x)) * 86400000000 + " +
  "datepart('hour', x) * 3600000000 + datepart('minute', x) * 60000000 + datepart('microsecond', x)";
