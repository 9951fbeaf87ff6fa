/** Aliases of FROM items. */
import type { TableAlias } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, isColumnName, optionalColumnNames } from './parser-name.ts';
import { atEmit, atQualify, atWithin } from './parser-stream.ts';

/** `[AS] name [(columns)]` when it is there. */
export function optionalAlias(cursor: Cursor): TableAlias | undefined {
  if (!cursor.accept('as') && !atBareAlias(cursor)) return undefined;
  const name = columnName(cursor);
  // EMIT CHANGE is a clause misspelt, not an alias.
  if (name.name === 'emit') cursor.recordMeant(['CHANGES', 'FINAL', 'EVERY']);
  return { name, columns: optionalColumnNames(cursor) };
}

/** What a misspelt word after a FROM item may have been meant to be. */
const clausesAfterFrom: readonly string[] = [
  ...['WHERE', 'JOIN', 'LEFT', 'RIGHT', 'FULL', 'INNER', 'CROSS', 'NATURAL', 'GROUP', 'HAVING'],
  ...['WINDOW', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH', 'UNION', 'INTERSECT', 'EXCEPT', 'EMIT'],
];

/**
 * Whether an alias without AS is next. The words of streaming clauses are ordinary names, so they
 * are told from an alias by what follows them; PostgreSQL refuses nearly all of those texts.
 */
export function atBareAlias(cursor: Cursor): boolean {
  cursor.recordMeant(clausesAfterFrom);
  return isColumnName(cursor.token) && !atStreamingClause(cursor);
}

function atStreamingClause(cursor: Cursor): boolean {
  const { kind, text } = cursor.token;
  if (kind !== 'word') return false;
  switch (text) {
    case 'emit':
      return atEmit(cursor);
    case 'within':
      return atWithin(cursor);
    case 'qualify':
      return atQualify(cursor);
    case 'asof':
      return (
        cursor.wordAhead(1, 'join') || (cursor.wordAhead(1, 'left') && cursor.wordAhead(2, 'join'))
      );
    case 'semi':
    case 'anti':
      return cursor.wordAhead(1, 'join');
    case 'match_recognize':
      return cursor.symbolAhead(1, '(');
    case 'partition':
      return cursor.wordAhead(1, 'by');
    default:
      return false;
  }
}
