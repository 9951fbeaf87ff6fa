/** MERGE INTO … USING … ON … WHEN … THEN …. */

import type { Expression, Query } from './ast.ts';
import type { MergeAction, MergeWhen, Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import { parseFromItem } from './parser-from.ts';
import {
  parseAssignments,
  parseReturning,
  parseTarget,
  parseTargetAlias,
  writtenColumn,
} from './parser-manipulation.ts';

export function parseMerge(cursor: Cursor, withClause: Query['with'], start: number): Statement {
  cursor.expect('merge', 'into');
  const relation = parseTarget(cursor);
  const alias = parseTargetAlias(cursor);
  cursor.expect('using');
  const using = parseFromItem(cursor);
  cursor.expect('on');
  const on = cursor.grammar.expression(cursor);
  const whens: MergeWhen[] = [];
  do {
    whens.push(parseWhen(cursor));
  } while (cursor.at('when'));
  const returning = parseReturning(cursor);
  const span = cursor.spanFrom(start);
  return { kind: 'merge', with: withClause, relation, alias, using, on, whens, returning, span };
}

function parseWhen(cursor: Cursor): MergeWhen {
  const start = cursor.start;
  cursor.expect('when');
  const match = parseMatch(cursor);
  const condition = cursor.accept('and') ? cursor.grammar.expression(cursor) : undefined;
  cursor.expect('then');
  const action = parseAction(cursor, match);
  return { match, condition, action, span: cursor.spanFrom(start) };
}

function parseMatch(cursor: Cursor): MergeWhen['match'] {
  const isNegated = cursor.accept('not');
  cursor.expect('matched');
  if (!isNegated) return 'matched';
  const by = cursor.accept('by') ? cursor.expectOneOf('source', 'target') : 'target';
  return by === 'source' ? 'not-matched-by-source' : 'not-matched-by-target';
}

/** What is not in the target can only be inserted, and what is there cannot. */
function parseAction(cursor: Cursor, match: MergeWhen['match']): MergeAction {
  const isInsert = match === 'not-matched-by-target';
  const word = isInsert
    ? cursor.expectOneOf('insert', 'do')
    : cursor.expectOneOf('update', 'delete', 'do');
  switch (word) {
    case 'insert':
      return parseInsertAction(cursor);
    case 'update':
      cursor.expect('set');
      return { kind: 'update', set: parseAssignments(cursor) };
    case 'delete':
      return { kind: 'delete' };
    default:
      cursor.expect('nothing');
      return { kind: 'nothing' };
  }
}

function parseInsertAction(cursor: Cursor): MergeAction {
  if (cursor.accept('default')) {
    cursor.expect('values');
    return { kind: 'insert', columns: [], overriding: undefined, values: undefined };
  }
  const columns = cursor.atSymbol('(') ? cursor.parenthesized(() => writtenColumn(cursor)) : [];
  const overriding = cursor.accept('overriding') ? cursor.expectOneOf('system', 'user') : undefined;
  if (overriding !== undefined) cursor.expect('value');
  cursor.expect('values');
  const values = cursor.parenthesized((): Expression | 'default' =>
    cursor.accept('default') ? 'default' : cursor.grammar.expression(cursor),
  );
  return { kind: 'insert', columns, overriding, values };
}
