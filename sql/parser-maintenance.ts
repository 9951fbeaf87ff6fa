/**
 * COMMENT ON, ANALYZE, VACUUM, REINDEX, CHECKPOINT, REFRESH MATERIALIZED VIEW and GRANT: scripts for PostgreSQL have them, and no
 * answer depends on them.
 */

import type { QualifiedName } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import type { Cursor } from './parser-cursor.ts';
import { label, optionalColumnNames, qualifiedName } from './parser-name.ts';
import { atStatementEnd, parseGenericOptions } from './parser-session.ts';

/** `ANALYZE [VERBOSE] [table [(columns)], …]`, `VACUUM [FULL] [FREEZE] [VERBOSE] [ANALYZE] [table, …]`, `CHECKPOINT`. */
export function parseMaintenance(cursor: Cursor): Statement {
  const start = cursor.start;
  const tag = cursor.expectOneOf('analyze', 'analyse', 'vacuum', 'checkpoint');
  if (tag !== 'checkpoint') {
    if (cursor.atSymbol('(')) parseGenericOptions(cursor);
    while (cursor.acceptOneOf('full', 'freeze', 'verbose', 'analyze', 'analyse') !== undefined);
  }
  const names =
    tag === 'checkpoint' || atStatementEnd(cursor) ? [] : cursor.list(() => target(cursor));
  return finishMaintenance(cursor, start, tag === 'analyse' ? 'ANALYZE' : tag.toUpperCase(), names);
}

function target(cursor: Cursor): QualifiedName {
  const name = qualifiedName(cursor);
  optionalColumnNames(cursor);
  return name;
}

/** `REINDEX [(options)] {INDEX | TABLE | SCHEMA | DATABASE | SYSTEM} [CONCURRENTLY] name`. */
export function parseReindex(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('reindex');
  if (cursor.atSymbol('(')) parseGenericOptions(cursor);
  const object = cursor.expectOneOf('index', 'table', 'schema', 'database', 'system');
  cursor.accept('concurrently');
  const name = atStatementEnd(cursor) ? undefined : qualifiedName(cursor);
  return finishMaintenance(
    cursor,
    start,
    'REINDEX',
    object === 'table' && name !== undefined ? [name] : [],
  );
}

/** `COMMENT ON kind name IS {'text' | NULL}`. Comments are not kept. */
export function parseComment(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('comment', 'on');
  const names: QualifiedName[] = [];
  const isRelation = cursor.acceptOneOf('table', 'stream', 'view') !== undefined;
  if (isRelation || cursor.acceptWords('materialized', 'view')) names.push(qualifiedName(cursor));
  else if (cursor.accept('column')) names.push(withoutColumn(qualifiedName(cursor)));
  else {
    while (!cursor.at('is') && !atStatementEnd(cursor)) skipPart(cursor);
  }
  cursor.expect('is');
  if (!cursor.accept('null')) cursor.expectString();
  return finishMaintenance(cursor, start, 'COMMENT', names);
}

/** Of a name with its arguments, as a function has. */
function skipPart(cursor: Cursor): void {
  const isPunctuation = ['(', ')', ',', '.', '*', '[', ']'].some((one) => cursor.acceptSymbol(one));
  if (!isPunctuation) label(cursor);
}

function withoutColumn(name: QualifiedName): QualifiedName {
  return { ...name, parts: name.parts.slice(0, -1) };
}

export function finishMaintenance(
  cursor: Cursor,
  start: number,
  tag: string,
  names: readonly QualifiedName[],
): Statement {
  const span = cursor.spanFrom(start);
  return { kind: 'maintenance', tag, names, text: cursor.source.slice(span.start, span.end), span };
}

/** `REFRESH MATERIALIZED VIEW [CONCURRENTLY] name`: its rows are right after every commit. */
export function parseRefresh(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('refresh', 'materialized', 'view');
  cursor.accept('concurrently');
  const name = qualifiedName(cursor);
  if (cursor.acceptWords('with', 'no', 'data')) {
    throw cursor.unsupported('WITH NO DATA', cursor.peek(-1));
  }
  cursor.acceptWords('with', 'data');
  return finishMaintenance(cursor, start, 'REFRESH MATERIALIZED VIEW', [name]);
}

/** `GRANT … TO …`: there are no roles, and whoever may connect may do everything. */
export function parseGrant(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('grant');
  while (!cursor.at('to')) {
    if (atStatementEnd(cursor)) throw cursor.unexpected('TO');
    skipPart(cursor);
  }
  cursor.expect('to');
  while (!atStatementEnd(cursor)) skipPart(cursor);
  return finishMaintenance(cursor, start, 'GRANT', []);
}

/** Nothing would be taken away. @throws StreamError SQL_NOT_SUPPORTED. */
export function parseRevoke(cursor: Cursor): Statement {
  const at = cursor.token;
  cursor.expect('revoke');
  throw new StreamError('SQL_NOT_SUPPORTED', 'REVOKE is not supported', {
    at: { start: at.start, end: at.end },
    hint: 'There are no roles: whoever may connect may do everything. Bound who can connect instead.',
  });
}
