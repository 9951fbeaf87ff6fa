/** Collations: text is ordered by code points, so the names that mean this order are the known ones. */
import type { QualifiedName } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';

const byCodePoints = new Set(['C', 'POSIX', 'default', 'ucs_basic', 'C.UTF-8', 'pg_c_utf8']);

/** @throws StreamError SQL_UNKNOWN_OBJECT for a collation of another order. */
export function requireCollation(collation: QualifiedName, at: Span = collation.span): void {
  const name = collation.parts.at(-1)?.name ?? '';
  if (byCodePoints.has(name)) return;
  throw new StreamError('SQL_UNKNOWN_OBJECT', `collation "${name}" does not exist`, {
    at,
    hint: 'Text is ordered by code points: the only collation is "C".',
  });
}
