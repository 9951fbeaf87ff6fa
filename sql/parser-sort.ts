/** ORDER BY lists. */
import type { Expression, SortItem } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';

/** `ORDER BY …` when it is there, else nothing. */
export function parseOrderBy(cursor: Cursor): readonly SortItem[] {
  if (!cursor.at('order')) return [];
  cursor.expect('order', 'by');
  return cursor.list(() => parseSortItem(cursor));
}

/** One item of ORDER BY: `expression [ASC | DESC | USING < | USING >] [NULLS FIRST | LAST]`. */
export function parseSortItem(cursor: Cursor): SortItem {
  const start = cursor.start;
  return parseSortDirection(cursor, cursor.grammar.expression(cursor), start);
}

/** The direction and the place of NULLs, after the expression. */
export function parseSortDirection(
  cursor: Cursor,
  expression: Expression,
  start: number,
): SortItem {
  const descending = parseDirection(cursor);
  let nulls: SortItem['nulls'];
  if (cursor.acceptWords('nulls', 'first')) nulls = 'first';
  else if (cursor.acceptWords('nulls', 'last')) nulls = 'last';
  return { expression, descending, nulls, span: cursor.spanFrom(start) };
}

function parseDirection(cursor: Cursor): boolean {
  if (cursor.accept('using')) {
    if (cursor.acceptSymbol('<')) return false;
    if (cursor.acceptSymbol('>')) return true;
    if (cursor.token.kind !== 'operator') throw cursor.unexpected('an operator');
    throw cursor.unsupported('ORDER BY USING with an operator other than < and >');
  }
  return cursor.acceptOneOf('asc', 'desc') === 'desc';
}
