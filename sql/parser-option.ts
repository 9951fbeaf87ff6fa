/** `WITH (key = value, …)` lists, and words that stand for values in them. */

import type { Expression } from './ast.ts';
import type { Option } from './ast-relation.ts';
import { callOf } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { identifierOf, isColumnName, label, qualifiedName } from './parser-name.ts';

/** `WITH (…)` when it is there, else nothing. */
export function parseWithOptions(cursor: Cursor): Option[] {
  return cursor.at('with') && cursor.symbolAhead(1, '(') ? withOptions(cursor) : [];
}

function withOptions(cursor: Cursor): Option[] {
  cursor.expect('with');
  return parseOptionList(cursor);
}

/** `(key = value, …)`, which may be empty. */
export function parseOptionList(cursor: Cursor): Option[] {
  cursor.expectSymbol('(');
  if (cursor.acceptSymbol(')')) return [];
  const options = cursor.list(() => parseOption(cursor));
  cursor.expectSymbol(')');
  return options;
}

/** `key = value`; a key alone stands for `key = true`. */
export function parseOption(cursor: Cursor): Option {
  const start = cursor.start;
  const key = parseOptionKey(cursor);
  if (!cursor.acceptSymbol('=')) {
    const span = cursor.spanFrom(start);
    return { key, value: { kind: 'boolean', value: true, span }, span };
  }
  return { key, value: parseOptionValue(cursor), span: cursor.spanFrom(start) };
}

/** `'a.b'`, `a.b` or `"a.b"`, in lower case. */
export function parseOptionKey(cursor: Cursor): string {
  if (cursor.token.kind === 'string') return cursor.advance().text.toLowerCase();
  const parts = [label(cursor).name];
  while (cursor.acceptSymbol('.')) parts.push(label(cursor).name);
  return parts.join('.').toLowerCase();
}

/** A value: an expression, where a bare word (`FORMAT = JSON`) arrives as a column's name. */
export function parseOptionValue(cursor: Cursor): Expression {
  const token = cursor.token;
  const next = cursor.peek(1);
  const isBareWord =
    token.kind === 'word' &&
    !['null', 'true', 'false', 'not', 'case', 'cast', 'array', 'row'].includes(token.text) &&
    (next.kind === 'end' || (next.kind === 'operator' && [',', ')', ';'].includes(next.text)));
  if (cursor.at('secret') && isColumnName(next)) return secretReference(cursor);
  if (!isBareWord) return cursor.grammar.expression(cursor);
  const word = label(cursor);
  const name = { parts: [word], span: word.span };
  return { kind: 'column', name, span: word.span };
}

/** `SECRET name` stands for the secret's value, as a call of `secret` with its name. */
function secretReference(cursor: Cursor): Expression {
  const word = identifierOf(cursor.advance());
  const name = qualifiedName(cursor);
  const value: Expression = { kind: 'column', name, span: name.span };
  return callOf(word, [value], cursor.spanFrom(word.span.start));
}
