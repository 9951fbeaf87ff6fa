/** Functions of PostgreSQL that are not there, with the reason and what to write instead: for errors and for the docs. */
import { rangeNames } from '../base/type.ts';

interface Absent {
  readonly reason: string;
  readonly names: readonly string[];
}

export const absentFunctions: readonly Absent[] = [
  {
    reason:
      'There are no multiranges: use array_agg() for the ranges of a group, and unnest() for those of an array.',
    names: [
      ...rangeNames.map((name) => name.replace('range', 'multirange')),
      ...['multirange', 'range_agg'],
    ],
  },
  {
    reason:
      'SQL/JSON paths know no dates and times, so that there is nothing that a time zone would change: use the function without _tz.',
    names: [
      ...['jsonb_path_exists_tz', 'jsonb_path_match_tz', 'jsonb_path_query_array_tz'],
      ...['jsonb_path_query_first_tz', 'jsonb_path_query_tz'],
    ],
  },
  {
    reason: 'All text is UTF-8: use convert_from() and convert_to() with UTF8, or translate().',
    names: ['convert', 'to_ascii'],
  },
  {
    reason: 'Write date + time, or a cast: the name of a type is none of a function here.',
    names: ['timestamptz'],
  },
  {
    reason: 'Random numbers come from the system and have no seed.',
    names: ['setseed'],
  },
  {
    reason: 'Use to_char(clock_timestamp(), …).',
    names: ['timeofday'],
  },
  {
    reason:
      'A query does not wait: the server answers others meanwhile, but the session would stand still.',
    names: ['pg_sleep', 'pg_sleep_for', 'pg_sleep_until'],
  },
  {
    reason: 'Use similar_to_escape().',
    names: ['similar_escape'],
  },
  {
    reason:
      'It tells about the server of PostgreSQL, its catalogs or its libraries; use SHOW, DESCRIBE or information_schema.',
    names: [
      ...['current_query', 'getpgusername', 'icu_unicode_version', 'inet_client_port'],
      ...['inet_server_port', 'row_security_active', 'to_regtypemod', 'unicode_version'],
    ],
  },
];

export const absentOperators: readonly Absent[] = [
  {
    reason: 'They compare the bytes that PostgreSQL keeps a row in: use IS NOT DISTINCT FROM.',
    names: ['*<', '*<=', '*<>', '*=', '*>', '*>='],
  },
  {
    reason:
      'They are for indexes of PostgreSQL: text is always compared by its bytes, so < and its kin are the same.',
    names: ['~<=~', '~<~', '~>=~', '~>~'],
  },
];

const reasons: ReadonlyMap<string, string> = new Map(
  absentFunctions.flatMap(({ reason, names }) =>
    names.map((name): [string, string] => [name, reason]),
  ),
);

/** Undefined for a name that PostgreSQL does not know either. */
export const absenceReason = (name: string): string | undefined => reasons.get(name);
