/** What DuckDB's error texts mean to a user. Its API gives no codes, only text with a class name in front. */
import { type ErrorCode, StreamError } from '../../sql/base/error.ts';

interface Meaning {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** PostgreSQL's wording; the default is DuckDB's own text. */
  readonly message?: string;
}

/** First match wins. */
const meanings: readonly Meaning[] = [
  {
    pattern: /^INTERRUPT Error/,
    code: 'STATEMENT_CANCELED',
    message: 'canceling statement due to user request',
  },
  {
    pattern: /More than one row returned by a subquery/,
    code: 'SQL_CARDINALITY',
    message: 'more than one row returned by a subquery used as an expression',
  },
  {
    pattern: /Like pattern must not end with escape character/,
    code: 'VALUE_INVALID_ESCAPE',
    message: 'LIKE pattern must not end with escape character',
  },
  { pattern: /division by zero/i, code: 'VALUE_DIVISION_BY_ZERO', message: 'division by zero' },
  {
    pattern: /INT16.*out of range|out of range.*INT16/,
    code: 'VALUE_OUT_OF_RANGE',
    message: 'smallint out of range',
  },
  {
    pattern: /INT32.*out of range|out of range.*INT32/,
    code: 'VALUE_OUT_OF_RANGE',
    message: 'integer out of range',
  },
  {
    pattern: /INT64.*out of range|out of range.*INT64/,
    code: 'VALUE_OUT_OF_RANGE',
    message: 'bigint out of range',
  },
  { pattern: /Overflow in .*INT16/, code: 'VALUE_OUT_OF_RANGE', message: 'smallint out of range' },
  { pattern: /Overflow in .*INT32/, code: 'VALUE_OUT_OF_RANGE', message: 'integer out of range' },
  { pattern: /Overflow in .*INT64/, code: 'VALUE_OUT_OF_RANGE', message: 'bigint out of range' },
  {
    pattern: /Overflow on abs\(-32768\)/,
    code: 'VALUE_OUT_OF_RANGE',
    message: 'smallint out of range',
  },
  {
    pattern: /Overflow on abs\(-2147483648\)/,
    code: 'VALUE_OUT_OF_RANGE',
    message: 'integer out of range',
  },
  {
    pattern: /^Out of Memory Error/,
    code: 'VALUE_PROGRAM_LIMIT',
    message: 'the query needs more memory than the store may use',
  },
  { pattern: /^Out of Range Error/, code: 'VALUE_OUT_OF_RANGE' },
  { pattern: /^Conversion Error.*timestamp.*range/i, code: 'VALUE_DATETIME_OVERFLOW' },
  { pattern: /^Conversion Error.*Could not convert/, code: 'VALUE_INVALID_TEXT' },
  { pattern: /^Conversion Error/, code: 'VALUE_OUT_OF_RANGE' },
];

/** DuckDB read the statement and has no plan for it: some correlated queries it does not take apart. Nothing has run. */
export class UnplannedQuery extends StreamError {}

const unplanned = /^(Not implemented|Binder|INTERNAL|Invalid) Error/;

/** Translates a failure to plan a statement. */
export function planFailure(cause: unknown): StreamError {
  const failure = queryFailure(cause);
  if (!unplanned.test(textOf(cause))) return failure;
  return new UnplannedQuery(failure.code, failure.message, { cause });
}

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Translates a failed read; `cause` is what the bindings threw. */
export function queryFailure(cause: unknown): StreamError {
  if (cause instanceof StreamError) return cause;
  const text = textOf(cause);
  for (const meaning of meanings) {
    if (!meaning.pattern.test(text)) continue;
    return new StreamError(meaning.code, meaning.message ?? withoutClass(text), { cause });
  }
  return new StreamError('INTERNAL', `the stored data could not be queried: ${text}`, { cause });
}

/** Translates a failed write, which is never the user's fault: full disk, lost file, our bug. */
export function writeFailure(action: string, cause: unknown): StreamError {
  if (cause instanceof StreamError) return cause;
  const text = textOf(cause);
  return new StreamError('STORE_FAILED', `${action} failed: ${text}`, { cause });
}

function withoutClass(text: string): string {
  const line = text.split('\n', 1)[0] ?? text;
  return line.replace(/^[A-Z][A-Za-z ]* Error: /, '');
}
