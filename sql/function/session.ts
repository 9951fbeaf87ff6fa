/** Functions of sequences and settings: what they do is the session's, so that the binder gives each statement its own. */
import { family } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

/** What functions may ask of the session that calls them; names are as written in the call. */
export interface SessionAccess {
  /** @throws StreamError SQL_UNKNOWN_RELATION, VALUE_SEQUENCE_LIMIT. */
  next(name: string): bigint;
  /** @throws StreamError SEQUENCE_NOT_USED before the session's first `next`. */
  current(name: string): bigint;
  last(): bigint;
  set(name: string, value: bigint, isCalled: boolean): bigint;
  /** The sequence of a column; undefined when it has none. */
  owned(table: string, column: string): string | undefined;
  /** As SET or SET LOCAL. @returns the value as it is kept. */
  configure(name: string, value: string, isLocal: boolean): string;
}

const { functions, define } = family('system');
export const sessionFunctions = functions;

const volatile = { volatility: 'volatile' } as const;

function unbound(): never {
  throw new Error('assertion failed: a function of the session was not given it');
}

define('nextval', ['text'], 'bigint', 'next value of a sequence', unbound, volatile);
define(
  'currval',
  ['text'],
  'bigint',
  'value that nextval gave this session last, of one sequence',
  unbound,
  volatile,
);
define('lastval', [], 'bigint', 'value that nextval gave this session last', unbound, volatile);
define(
  'setval',
  ['text', 'bigint'],
  'bigint',
  'sets a sequence, so that the next value follows it',
  unbound,
  volatile,
);
define(
  'setval',
  ['text', 'bigint', 'boolean'],
  'bigint',
  'sets a sequence; false = the next value is this one',
  unbound,
  volatile,
);
define(
  'pg_get_serial_sequence',
  ['text', 'text'],
  'text',
  'sequence of a column, by the names of table and column',
  unbound,
  volatile,
);

define(
  'set_config',
  ['text', 'text', 'boolean'],
  'text',
  'SET as a function; true = SET LOCAL',
  unbound,
  volatile,
);

const evaluations: Readonly<
  Record<string, (access: SessionAccess) => (...args: never[]) => bigint | string | null>
> = {
  nextval: (access) => (name: string) => access.next(name),
  currval: (access) => (name: string) => access.current(name),
  lastval: (access) => () => access.last(),
  setval:
    (access) =>
    (name: string, value: bigint, isCalled: boolean = true) =>
      access.set(name, value, isCalled),
  pg_get_serial_sequence: (access) => (table: string, column: string) =>
    access.owned(table, column) ?? null,
  set_config: (access) => (name: string, value: string, isLocal: boolean) =>
    access.configure(name, value, isLocal),
};

/** The function over the session that calls it; undefined for any other function. */
export function withSession(fn: ScalarFunction, access: SessionAccess): ScalarFunction | undefined {
  const evaluate = evaluations[fn.name];
  return evaluate === undefined ? undefined : { ...fn, evaluate: evaluate(access) };
}
