/**
 * What a failed parse would have accepted: the `detail` of a syntax error, and for a misspelt
 * keyword the `hint`. Costs nothing while parsing succeeds, as a failed text is read once more.
 */
import { StreamError } from './base/error.ts';
import type { Token } from './lexer.ts';
import { Cursor, type Expectation } from './parser-cursor.ts';

/** Most alternatives that are worth reading. */
const EXPECTATIONS_SHOWN_MAX = 6;

/** The error, told more fully when it is a syntax error raised by the grammar. */
export function withExpectation(
  error: unknown,
  cursor: Cursor,
  rule: (again: Cursor) => unknown,
): unknown {
  if (!(error instanceof StreamError) || error.code !== 'SQL_SYNTAX') return error;
  if (error.hint !== undefined || !error.message.startsWith('syntax error at')) return error;
  const failed = cursor.tokens.findIndex((token) => token.start === error.at?.start);
  if (failed < 0) return error;
  const expectation: Expectation = {
    token: failed,
    expected: new Set(),
    meantHere: new Set(),
    meantBefore: new Set(),
  };
  const again = new Cursor(cursor.source, cursor.tokens, cursor.grammar, expectation);
  try {
    rule(again);
  } catch (repeated) {
    if (!(repeated instanceof StreamError)) return repeated;
  }
  return new StreamError(error.code, error.message, {
    at: error.at,
    detail: detailOf(expectation),
    hint: hintOf(cursor.tokens, expectation),
  });
}

/** A kind of thing (`an expression`) stands for all the words that may begin it. */
function detailOf({ expected }: Expectation): string | undefined {
  const kinds = [...expected].filter((name) => /^an? /.test(name));
  const names = (kinds.length > 0 ? kinds : [...expected]).map((name) =>
    /^[^A-Za-z"]/.test(name) ? `"${name}"` : name,
  );
  if (names.length === 0 || names.length > EXPECTATIONS_SHOWN_MAX) return undefined;
  const last = names.at(-1) ?? '';
  const others = names.slice(0, -1);
  return others.length === 0 ? `Expected ${last}.` : `Expected ${others.join(', ')} or ${last}.`;
}

/** The misspelt word may be the refused one, or the one before, which then was read as a name. */
function hintOf(tokens: readonly Token[], expectation: Expectation): string | undefined {
  const { token, meantHere, meantBefore } = expectation;
  const meant = nearest(tokens[token], meantHere) ?? nearest(tokens[token - 1], meantBefore);
  return meant === undefined ? undefined : `Did you mean ${meant}?`;
}

/** The keyword that `token` is one or two slips away from. */
function nearest(token: Token | undefined, words: ReadonlySet<string>): string | undefined {
  if (token?.kind !== 'word' || token.text.length < 2) return undefined;
  const word = token.text.toUpperCase();
  let best: string | undefined;
  // Short words are near to everything, so they may differ by one slip only.
  let distanceMax = word.length <= 4 ? 1 : 2;
  for (const candidate of words) {
    if (candidate === word || !/^[A-Z_]+$/.test(candidate)) continue;
    const distance = editDistance(word, candidate);
    if (distance <= distanceMax) {
      best = candidate;
      distanceMax = distance - 1;
    }
  }
  return best;
}

/**
 * The least number of inserted, deleted, replaced and swapped neighbouring letters that turn one
 * word into the other (optimal string alignment).
 */
export function editDistance(left: string, right: string): number {
  let twoBack: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let least = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swapped) least = Math.min(least, (twoBack[column - 2] ?? 0) + 1);
      current.push(least);
    }
    twoBack = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
