/** WITH (…) of a PostgreSQL sink. */
import type { ClientConfig } from 'pg';
import { StreamError } from '../../sql/base/error.ts';
import {
  choiceOption,
  invalidOption,
  numberOption,
  type Options,
  requiredOption,
} from '../options.ts';

export interface PostgresOptions {
  readonly connection: ClientConfig;
  readonly table: TableName;
  readonly mode: WriteMode;
  readonly onError: ErrorPolicy;
}

export interface TableName {
  /** Undefined = the first schema of the role's search path. */
  readonly schema: string | undefined;
  readonly table: string;
}

/** 'upsert' keeps one row a key; 'append' inserts every row. */
export type WriteMode = 'upsert' | 'append';

/** What becomes of a row that PostgreSQL refuses: the sink stops, or goes on without the row and counts it. */
export type ErrorPolicy = 'fail' | 'skip';

const CONNECT_TIMEOUT_MS = 5_000;
/** A server that answers nothing for so long is treated as gone. */
const QUERY_TIMEOUT_MS = 120_000;
const PORT_RANGE = { min: 1, max: 65_535, integer: true };

/**
 * | option                                       | meaning; default                                               |
 * | -------------------------------------------- | -------------------------------------------------------------- |
 * | url                                          | postgres://user@host:port/database?sslmode=…                   |
 * | host, port, database, user, password         | the same one by one; else PGHOST, PGPORT, … of the process     |
 * | table                                        | required: name or schema.name                                  |
 * | mode                                         | upsert, append; append for rows that only come                 |
 * | on_error                                     | fail, skip; fail                                               |
 *
 * @throws StreamError SQL_INVALID_OPTION naming the option.
 */
export function parsePostgresOptions(
  options: Options,
  key: readonly number[],
  appendOnly: boolean,
): PostgresOptions {
  return {
    connection: parseConnection(options),
    table: parseTable(requiredOption(options, 'table')),
    mode: parseMode(options, key, appendOnly),
    onError: choiceOption(options, 'on_error', ['fail', 'skip'] as const) ?? 'fail',
  };
}

function parseConnection(options: Options): ClientConfig {
  const url = options.get('url');
  if (url !== undefined && !/^postgres(ql)?:\/\//.test(url)) {
    throw invalidOption('url', maskPassword(url), 'postgres://user@host:port/database');
  }
  const port = numberOption(options, 'port', undefined, PORT_RANGE);
  const given = {
    connectionString: url,
    host: options.get('host'),
    port,
    database: options.get('database'),
    user: options.get('user'),
    password: options.get('password'),
  };
  // The client takes a member that is undefined for a value.
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(present),
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  };
}

const PART = /^\s*(?:"((?:[^"]|"")+)"|([^".\s]+))\s*(\.|$)/;

/** `schema.name`; each part may be in double quotes, as in SQL, and is folded to lower case without them. */
export function parseTable(text: string): TableName {
  const parts: string[] = [];
  let rest = text;
  while (rest !== '' && parts.length < 3) {
    const match = PART.exec(rest);
    if (match === null) throw invalidOption('table', text, 'name or schema.name');
    parts.push(match[1]?.replaceAll('""', '"') ?? (match[2] ?? '').toLowerCase());
    rest = rest.slice(match[0].length);
    if (rest === '' && match[3] === '.') throw invalidOption('table', text, 'name or schema.name');
  }
  const [first, second] = parts;
  if (first === undefined || parts.length > 2) {
    throw invalidOption('table', text, 'name or schema.name');
  }
  return second === undefined
    ? { schema: undefined, table: first }
    : { schema: first, table: second };
}

function parseMode(options: Options, key: readonly number[], appendOnly: boolean): WriteMode {
  const mode = choiceOption(options, 'mode', ['upsert', 'append'] as const);
  if (mode === 'upsert' && key.length === 0) {
    throw new StreamError('SQL_INVALID_OPTION', 'mode "upsert" needs a query with a key', {
      hint: 'Select the key columns (the GROUP BY columns, the primary key).',
    });
  }
  if (mode === 'append' && !appendOnly) {
    throw new StreamError(
      'SQL_INVALID_OPTION',
      'mode "append" needs a query whose rows only come: this one updates and deletes rows',
      { hint: "Use mode = 'upsert'." },
    );
  }
  return mode ?? (key.length > 0 ? 'upsert' : 'append');
}

/** A URL for people: without its password. */
export function maskPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^:@/?#]*):[^@]*@/i, '$1:***@');
}
