/** SEARCH and CYCLE behind an item of WITH. */
import type { CycleClause, SearchClause } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName } from './parser-name.ts';

/** `SEARCH {BREADTH | DEPTH} FIRST BY a, b SET sequence`. */
export function parseSearch(cursor: Cursor): SearchClause | undefined {
  const start = cursor.start;
  if (!cursor.accept('search')) return undefined;
  const order = cursor.expectOneOf('breadth', 'depth');
  cursor.expect('first', 'by');
  const columns = cursor.list(() => columnName(cursor));
  cursor.expect('set');
  const sequence = columnName(cursor);
  return { order, columns, sequence, span: cursor.spanFrom(start) };
}

/** `CYCLE a, b SET mark [TO value DEFAULT value] USING path`. */
export function parseCycle(cursor: Cursor): CycleClause | undefined {
  const start = cursor.start;
  if (!cursor.accept('cycle')) return undefined;
  const columns = cursor.list(() => columnName(cursor));
  cursor.expect('set');
  const mark = columnName(cursor);
  const value = cursor.accept('to') ? cursor.grammar.primary(cursor) : undefined;
  if (value !== undefined) cursor.expect('default');
  const otherwise = value && cursor.grammar.primary(cursor);
  cursor.expect('using');
  const path = columnName(cursor);
  return { columns, mark, value, otherwise, path, span: cursor.spanFrom(start) };
}
