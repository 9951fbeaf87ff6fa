/** JSON_TABLE of SQL/JSON: a document's items as rows. */
import type { Expression, FromItem, FunctionArgument, JsonTableColumn } from './ast.ts';
import { optionalAlias } from './parser-alias.ts';
import type { Cursor } from './parser-cursor.ts';
import { type AddClause, parseBehaviours, parseQuotes, parseWrapper } from './parser-json-path.ts';
import { columnName, label } from './parser-name.ts';
import { parseType } from './parser-type.ts';

export const atJsonTable = (cursor: Cursor): boolean =>
  cursor.at('json_table') && cursor.symbolAhead(1, '(');

/** `JSON_TABLE (document, path [AS name] [PASSING …] COLUMNS (…) [ERROR | EMPTY [ARRAY] ON ERROR])`. */
export function parseJsonTable(cursor: Cursor, lateral: boolean, start: number): FromItem {
  cursor.expect('json_table');
  cursor.expectSymbol('(');
  const document = cursor.grammar.expression(cursor);
  parseFormat(cursor);
  cursor.expectSymbol(',');
  const path = parsePath(cursor);
  const pathName = cursor.accept('as') ? columnName(cursor) : undefined;
  const passing = cursor.accept('passing') ? cursor.list(() => parsePassed(cursor)) : [];
  const columns = cursor.nested(() => parseColumns(cursor));
  const onError = cursor.acceptOneOf('error', 'empty');
  if (onError === 'empty') cursor.accept('array');
  if (onError !== undefined) cursor.expect('on', 'error');
  cursor.expectSymbol(')');
  const alias = optionalAlias(cursor);
  const span = cursor.spanFrom(start);
  return {
    kind: 'json-table',
    document,
    path,
    pathName,
    passing,
    columns,
    onError,
    lateral,
    alias,
    span,
  };
}

/** A path is written out: it says which columns there can be. */
function parsePath(cursor: Cursor): Expression {
  const path = cursor.grammar.expression(cursor);
  if (path.kind === 'string') return path;
  throw cursor.unsupported('a JSON_TABLE path that is no string constant', cursor.peek(-1));
}

function parsePassed(cursor: Cursor): FunctionArgument {
  const value = cursor.grammar.expression(cursor);
  cursor.expect('as');
  return { name: label(cursor), value };
}

function parseFormat(cursor: Cursor): boolean {
  if (!cursor.accept('format')) return false;
  cursor.expect('json');
  if (cursor.accept('encoding')) columnName(cursor);
  return true;
}

function parseColumns(cursor: Cursor): readonly JsonTableColumn[] {
  cursor.expect('columns');
  return cursor.parenthesized(() => parseColumn(cursor));
}

function parseColumn(cursor: Cursor): JsonTableColumn {
  const { start } = cursor;
  if (atNested(cursor)) return parseNested(cursor, start);
  const name = columnName(cursor);
  if (cursor.accept('for')) {
    cursor.expect('ordinality');
    return { kind: 'ordinality', name, span: cursor.spanFrom(start) };
  }
  const type = parseType(cursor);
  const exists = cursor.accept('exists');
  const format = !exists && parseFormat(cursor);
  const path = cursor.accept('path') ? parsePath(cursor) : undefined;
  const clauses: FunctionArgument[] = [];
  const add: AddClause = (clause, value) => {
    clauses.push({ name: { name: clause, quoted: true, span: value.span }, value });
  };
  if (!exists) {
    parseWrapper(cursor, add);
    parseQuotes(cursor, add);
  }
  parseBehaviours(cursor, exists ? 'json_exists' : 'json_query', add);
  const span = cursor.spanFrom(start);
  return { kind: 'value', name, type, exists, format, path, clauses, span };
}

const atNested = (cursor: Cursor): boolean =>
  cursor.at('nested') && (cursor.wordAhead(1, 'path') || cursor.peek(1).kind === 'string');

/** `NESTED [PATH] path [AS name] COLUMNS (…)`. */
function parseNested(cursor: Cursor, start: number): JsonTableColumn {
  cursor.expect('nested');
  cursor.accept('path');
  const path = parsePath(cursor);
  const pathName = cursor.accept('as') ? columnName(cursor) : undefined;
  const columns = cursor.nested(() => parseColumns(cursor));
  return { kind: 'nested', path, pathName, columns, span: cursor.spanFrom(start) };
}
