/** Where the statements of a text end, for a prompt that collects lines until one is complete. */
import type { Span } from './base/error.ts';
import { type Token, tokenize } from './lexer.ts';

export interface SplitText {
  /** The statements that a semicolon ends, without it; empty ones are left out. */
  readonly statements: readonly Span[];
  /** What follows the last semicolon, when it is more than blanks and comments. */
  readonly rest: Span | undefined;
  /** What the rest waits for; `nothing` when there is no rest. */
  readonly waitsFor: 'nothing' | 'semicolon' | 'parenthesis' | 'quote' | 'comment';
}

/**
 * Splits at the semicolons outside of quotes, comments and parentheses. Never throws: text that is
 * no SQL ends up in a statement, whose parse reports it.
 */
export function splitStatements(text: string): SplitText {
  const statements: Span[] = [];
  let start: number | undefined;
  let end = 0;
  let depth = 0;
  for (const token of tokensPastErrors(text)) {
    if (token.kind === 'error') {
      const rest = { start: start ?? token.start, end: text.length };
      const waitsFor = text.startsWith('/*', token.start) ? 'comment' : 'quote';
      return { statements, rest, waitsFor };
    }
    if (token.kind === 'operator') {
      if (token.text === ';' && depth === 0) {
        if (start !== undefined) statements.push({ start, end });
        start = undefined;
        continue;
      }
      if (token.text === '(') depth++;
      if (token.text === ')') depth = Math.max(0, depth - 1);
    }
    start ??= token.start;
    end = token.end;
  }
  if (start === undefined) return { statements, rest: undefined, waitsFor: 'nothing' };
  return { statements, rest: { start, end }, waitsFor: depth > 0 ? 'parenthesis' : 'semicolon' };
}

/** The tokens, going on after what is no SQL; the last one may be an unfinished quote or comment. */
function* tokensPastErrors(text: string): Generator<Token> {
  let from = 0;
  while (from < text.length) {
    const base = from;
    from = text.length;
    for (const token of tokenize(text.slice(base))) {
      if (token.kind === 'end') return;
      const isMistake = token.kind === 'error' && token.unterminated !== true;
      const kind = isMistake ? 'word' : token.kind;
      yield { ...token, kind, start: base + token.start, end: base + token.end };
      if (isMistake) from = base + Math.max(token.end, token.start + 1);
    }
  }
}
