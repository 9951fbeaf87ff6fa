/** Row patterns: `A B+? (C | D){2,3} PERMUTE(E, F) {- G -} ^ $`. */
import type { RowPattern } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, isColumnName } from './parser-name.ts';

/**
 * A pattern with the parentheses around it. The lexer may have read several quantifiers as one
 * operator (`A+|B` has `+|`), so symbols are taken one character at a time.
 */
export function parseRowPattern(cursor: Cursor): RowPattern {
  return cursor.nested(() => {
    cursor.expectSymbol('(');
    if (cursor.acceptSymbol(')')) return { kind: 'empty' };
    const pattern = parseAlternation(cursor);
    cursor.expectSymbol(')');
    return pattern;
  });
}

function parseAlternation(cursor: Cursor): RowPattern {
  const items = [parseSequence(cursor)];
  while (cursor.acceptCharacter('|')) items.push(parseSequence(cursor));
  return single(items) ?? { kind: 'alternation', items };
}

function parseSequence(cursor: Cursor): RowPattern {
  const items: RowPattern[] = [parseFactor(cursor)];
  while (atElement(cursor)) items.push(parseFactor(cursor));
  return single(items) ?? { kind: 'sequence', items };
}

const single = (items: readonly RowPattern[]): RowPattern | undefined =>
  items.length === 1 ? items[0] : undefined;

function atElement(cursor: Cursor): boolean {
  const { kind, text } = cursor.token;
  if (kind === 'operator') return ['(', '{', '^', '$'].includes(text.charAt(0));
  return isColumnName(cursor.token);
}

function parseFactor(cursor: Cursor): RowPattern {
  const pattern = parseElement(cursor);
  const bounds = parseQuantifier(cursor);
  if (bounds === undefined) return pattern;
  const reluctant = cursor.acceptCharacter('?');
  return { kind: 'quantified', pattern, ...bounds, reluctant };
}

function parseElement(cursor: Cursor): RowPattern {
  if (cursor.atSymbol('(')) return parseRowPattern(cursor);
  if (cursor.acceptCharacter('^')) return { kind: 'start' };
  if (cursor.acceptCharacter('$')) return { kind: 'end' };
  if (cursor.acceptSymbol('{')) {
    if (!cursor.acceptCharacter('-')) throw cursor.unexpected('"-"');
    const pattern = cursor.nested(() => parseAlternation(cursor));
    if (!cursor.acceptCharacter('-')) throw cursor.unexpected('"-"');
    cursor.expectSymbol('}');
    return { kind: 'exclusion', pattern };
  }
  if (cursor.at('permute') && cursor.symbolAhead(1, '(')) {
    cursor.advance();
    const items = cursor.nested(() => cursor.parenthesized(() => parseAlternation(cursor)));
    return { kind: 'permute', items };
  }
  return { kind: 'variable', name: columnName(cursor) };
}

function parseQuantifier(cursor: Cursor): { min: number; max: number | undefined } | undefined {
  if (cursor.acceptCharacter('*')) return { min: 0, max: undefined };
  if (cursor.acceptCharacter('+')) return { min: 1, max: undefined };
  if (cursor.acceptCharacter('?')) return { min: 0, max: 1 };
  // `{-` begins an exclusion, not a quantifier.
  if (!cursor.atSymbol('{') || cursor.characterAhead(1, '-')) return undefined;
  cursor.advance();
  const min = cursor.atSymbol(',') ? undefined : cursor.expectInteger();
  let max = min;
  if (cursor.acceptSymbol(',')) max = cursor.atSymbol('}') ? undefined : cursor.expectInteger();
  cursor.expectSymbol('}');
  if (min === undefined && max === undefined) throw cursor.unexpected('an integer');
  return { min: min ?? 0, max };
}
