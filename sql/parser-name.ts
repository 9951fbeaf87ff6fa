/** Identifiers in the places that PostgreSQL's grammar tells apart: ColId, ColLabel and so on. */
import type { Identifier, QualifiedName } from './ast.ts';
import { isBareLabel, type KeywordClass } from './keyword.ts';
import type { Token } from './lexer.ts';
import type { Cursor } from './parser-cursor.ts';

const isNameOf =
  (...classes: readonly KeywordClass[]) =>
  (token: Token): boolean =>
    token.kind === 'quoted' ||
    (token.kind === 'word' && (token.keyword === undefined || classes.includes(token.keyword)));

/** `ColId`: what may name a column, a table or an alias. */
export const isColumnName = isNameOf('unreserved', 'column');

/** `type_function_name`: what may name a function or a type without a schema. */
export const isFunctionName = isNameOf('unreserved', 'function');

/** `NonReservedWord`. */
export const isNonReservedWord = isNameOf('unreserved', 'column', 'function');

/** `ColLabel`: any word. */
const isLabel = (token: Token): boolean => token.kind === 'quoted' || token.kind === 'word';

/** `BareColLabel`: what labels a select item without AS. */
export const isBareColumnLabel = (token: Token): boolean =>
  token.kind === 'quoted' || (token.kind === 'word' && isBareLabel(token.text));

export function identifierOf(token: Token): Identifier {
  return {
    name: token.text,
    quoted: token.kind === 'quoted',
    span: { start: token.start, end: token.end },
  };
}

const take = (cursor: Cursor, allowed: (token: Token) => boolean, wanted: string): Identifier => {
  if (!allowed(cursor.token)) throw cursor.unexpected(wanted);
  return identifierOf(cursor.advance());
};

export const columnName = (cursor: Cursor): Identifier => take(cursor, isColumnName, 'a name');

export const label = (cursor: Cursor): Identifier => take(cursor, isLabel, 'a name');

export const nonReservedWord = (cursor: Cursor): Identifier =>
  take(cursor, isNonReservedWord, 'a name');

export const functionOrTypeName = (cursor: Cursor): Identifier =>
  take(cursor, isFunctionName, 'a name');

/** `qualified_name`: ColId, then labels after dots. */
export function qualifiedName(cursor: Cursor): QualifiedName {
  const first = columnName(cursor);
  return continueName(cursor, first);
}

/** The parts after the first one of a dotted name. */
export function continueName(cursor: Cursor, first: Identifier): QualifiedName {
  const parts = [first];
  while (cursor.symbolAhead(0, '.')) {
    cursor.advance();
    parts.push(label(cursor));
  }
  return { parts, span: cursor.spanFrom(first.span.start) };
}

/** `any_name`-like: a function's name, whose unqualified form excludes `column` keywords. */
export function qualifiedFunctionName(cursor: Cursor): QualifiedName {
  const dotted = cursor.symbolAhead(1, '.');
  const first = dotted ? columnName(cursor) : functionOrTypeName(cursor);
  return continueName(cursor, first);
}

/** `(a, b, c)`. */
export const columnNames = (cursor: Cursor): Identifier[] =>
  cursor.parenthesized(() => columnName(cursor));

/** `(a, b, c)` when it is there, else nothing. */
export const optionalColumnNames = (cursor: Cursor): Identifier[] =>
  cursor.atSymbol('(') ? columnNames(cursor) : [];
