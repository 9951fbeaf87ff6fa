/** TEMPORARY before the kind of what a statement makes. */
import type { QualifiedName } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { Cursor } from './parser-cursor.ts';
import { isTemporaryName, TEMPORARY_SCHEMA } from './temporary.ts';

/** `[GLOBAL | LOCAL] {TEMPORARY | TEMP}`; the first words mean nothing. */
export function acceptTemporary(cursor: Cursor): boolean {
  const isScoped = ['temporary', 'temp'].some((word) => cursor.wordAhead(1, word));
  if (isScoped) cursor.acceptOneOf('global', 'local');
  return cursor.acceptOneOf('temporary', 'temp') !== undefined;
}

/** The name of what is temporary: in the session's own schema, whatever that is called. @throws StreamError SQL_INVALID_DEFINITION. */
export function temporaryName(name: QualifiedName): QualifiedName {
  if (isTemporaryName(name)) return name;
  if (name.parts.length === 1) {
    const own = { name: TEMPORARY_SCHEMA, quoted: false, span: name.span };
    return { ...name, parts: [own, ...name.parts] };
  }
  throw new StreamError(
    'SQL_INVALID_DEFINITION',
    'cannot create temporary relation in non-temporary schema',
    { at: name.span },
  );
}
