/** What PostgreSQL's errors mean for a sink. Codes: PostgreSQL's documentation, appendix A. */
import { DatabaseError } from 'pg';
import { StreamError } from '../../sql/base/error.ts';

/**
 * Classes of errors that are about a row: data exception, integrity constraint violation, program limit exceeded (a row or an index
 * entry that is too large), and what a trigger raises.
 */
const ROW_CLASSES: ReadonlySet<string> = new Set(['22', '23', '54', 'P0']);

/** Whether the same row would be refused again, so that a retry does not help. */
export function isRowRefused(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && ROW_CLASSES.has((error.code ?? '').slice(0, 2));
}

/** @param row  as it was sent, for the message. */
export function rowRefused(
  error: DatabaseError,
  table: string,
  row: readonly (string | null)[],
): StreamError {
  const shown = row.map((text) => text ?? 'NULL').join(', ');
  return new StreamError(
    'SINK_REFUSED',
    `PostgreSQL refuses a row of ${table}: ${error.message} (${error.code})`,
    {
      detail: `The row is (${shown.length > 500 ? `${shown.slice(0, 500)}…` : shown}).`,
      hint: "Correct the table and RESUME the sink, or create the sink with on_error = 'skip'.",
      cause: error,
    },
  );
}

/** Everything else may pass: the server restarts, fails over, is full, or waits for a lock. */
export function asStreamError(error: unknown): StreamError {
  if (error instanceof StreamError) return error;
  const message = error instanceof Error ? reason(error) : String(error);
  const code = error instanceof DatabaseError ? ` (${error.code})` : '';
  return new StreamError('SOURCE_UNREACHABLE', `PostgreSQL: ${message}${code}`, { cause: error });
}

/** A host with several addresses fails with one error for each, and none in the message. */
function reason(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(String).join('; ');
  }
  return error.message;
}
