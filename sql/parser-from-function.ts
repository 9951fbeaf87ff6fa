/** Functions in FROM: `f(…) WITH ORDINALITY AS t (a, b)`, `ROWS FROM (…)`, column definitions. */
import type { FromItem, FunctionCall, Identifier, TableAlias, TypeName } from './ast.ts';
import { atBareAlias } from './parser-alias.ts';
import { parseApplication } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { parseKeywordCall } from './parser-keyword-call.ts';
import { columnName, isFunctionName, optionalColumnNames, qualifiedName } from './parser-name.ts';
import { parseType } from './parser-type.ts';

interface ColumnOfFunction {
  readonly name: Identifier;
  readonly type: TypeName;
}

/** Whether a call, rather than a relation's name, is next. */
export function atFunction(cursor: Cursor): boolean {
  const token = cursor.token;
  if (isFunctionName(token) && cursor.symbolAhead(1, '(')) return true;
  if (token.kind === 'word' && token.keyword === 'reserved') {
    return token.text.startsWith('current_') || token.text.startsWith('localtime');
  }
  if (token.kind === 'word' && token.keyword === 'column') return cursor.symbolAhead(1, '(');
  if (token.kind === 'word' && token.keyword === 'function') return true;
  let at = 1;
  while (cursor.symbolAhead(at, '.')) at += 2;
  return at > 1 && cursor.symbolAhead(at, '(');
}

/** A call without FILTER and OVER (`func_expr_windowless`). */
function parseCall(cursor: Cursor): FunctionCall {
  const keywordCall = cursor.token.kind === 'word' ? parseKeywordCall(cursor) : undefined;
  if (keywordCall !== undefined) return keywordCall;
  if (!isFunctionName(cursor.token) && !cursor.symbolAhead(1, '.')) throw cursor.unexpected();
  const name = cursor.symbolAhead(1, '.') ? qualifiedName(cursor) : functionName(cursor);
  return cursor.nested(() => parseApplication(cursor, name));
}

function functionName(cursor: Cursor): FunctionCall['name'] {
  const { text, kind, start, end } = cursor.advance();
  const span = { start, end };
  return { parts: [{ name: text, quoted: kind === 'quoted', span }], span };
}

export function parseFunctionItem(cursor: Cursor, lateral: boolean, start: number): FromItem {
  const call = parseCall(cursor);
  const ordinality = cursor.acceptWords('with', 'ordinality');
  const { alias, columns } = parseFunctionAlias(cursor);
  return {
    kind: 'function',
    calls: [{ call, columns }],
    rowsFrom: false,
    lateral,
    ordinality,
    alias,
    span: cursor.spanFrom(start),
  };
}

/** `ROWS FROM (f(…) [AS (a int, …)], …)`. */
export function parseRowsFrom(cursor: Cursor, lateral: boolean, start: number): FromItem {
  cursor.expect('rows', 'from');
  const calls = cursor.parenthesized(() => {
    const call = parseCall(cursor);
    return { call, columns: cursor.accept('as') ? columnDefinitions(cursor) : [] };
  });
  const ordinality = cursor.acceptWords('with', 'ordinality');
  const { alias, columns } = parseFunctionAlias(cursor);
  const [first, ...others] = calls;
  // One function's column definitions may also follow the parentheses.
  const isMoved = columns.length > 0 && first !== undefined && others.length === 0;
  if (columns.length > 0 && !isMoved) {
    throw cursor.unsupported('a column definition list for several functions');
  }
  return {
    kind: 'function',
    calls: isMoved ? [{ call: first.call, columns }] : calls,
    rowsFrom: true,
    lateral,
    ordinality,
    alias,
    span: cursor.spanFrom(start),
  };
}

/** `func_alias_clause`: an alias, column definitions, or an alias with column definitions. */
export function parseFunctionAlias(cursor: Cursor): {
  alias: TableAlias | undefined;
  columns: readonly ColumnOfFunction[];
} {
  const hasAs = cursor.accept('as');
  if (hasAs && cursor.atSymbol('(')) {
    return { alias: undefined, columns: columnDefinitions(cursor) };
  }
  if (!hasAs && !atBareAlias(cursor)) return { alias: undefined, columns: [] };
  const name = columnName(cursor);
  // Names alone rename the columns; names with types define them.
  const isDefinition =
    cursor.atSymbol('(') && !cursor.symbolAhead(2, ',') && !cursor.symbolAhead(2, ')');
  if (isDefinition) return { alias: { name, columns: [] }, columns: columnDefinitions(cursor) };
  return { alias: { name, columns: optionalColumnNames(cursor) }, columns: [] };
}

function columnDefinitions(cursor: Cursor): readonly ColumnOfFunction[] {
  return cursor.parenthesized(() => {
    const name = columnName(cursor);
    const type = parseType(cursor);
    if (cursor.at('collate')) throw cursor.unsupported('COLLATE in a column definition list');
    return { name, type };
  });
}
