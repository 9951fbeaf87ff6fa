/**
 * Errors with the line of the statement and a caret under the place, as psql prints them: tabs
 * become blanks, wide characters count two columns, and a long line is cut around the place.
 */
import type { Span } from './base/error.ts';

/** Widest part of a line that is shown, in columns. */
const LINE_WIDTH_MAX = 60;

/** Columns kept to the right of the place when a line is cut there. */
const RIGHT_CONTEXT_MIN = 10;

/** What is printed of an error; a StreamError has it all. */
export interface PrintableError {
  readonly message: string;
  readonly at?: Span | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/**
 * `ERROR:  message`, then LINE and caret when the error has a place, then DETAIL and HINT.
 * @param text the whole text that `error.at` counts in.
 */
export function renderError(error: PrintableError, text: string): string {
  const lines = [`ERROR:  ${error.message}`];
  if (error.at !== undefined) lines.push(...caretLines(text, error.at.start));
  if (error.detail !== undefined) lines.push(`DETAIL:  ${error.detail}`);
  if (error.hint !== undefined) lines.push(`HINT:  ${error.hint}`);
  return lines.join('\n');
}

/**
 * The place as PostgreSQL counts it: characters (code points), from 1.
 * @param offset in UTF-16 code units, from 0.
 */
export function characterPosition(text: string, offset: number): number {
  return [...text.slice(0, offset)].length + 1;
}

/**
 * `LINE n: text` and the caret below it.
 * @param offset in UTF-16 code units, from 0; past the end means the end.
 */
export function caretLines(text: string, offset: number): [line: string, caret: string] {
  const place = Math.min(offset, text.length);
  const before = text.slice(0, place).split(/\r\n|\r|\n/);
  const after = text.slice(place).split(/[\r\n]/)[0] ?? '';
  const left = [...(before.at(-1) ?? '')];
  const right = [...after];
  const cut = cutLine(left, right);
  const prefix = `LINE ${before.length}: ${cut.isLeftCut ? '...' : ''}`;
  const shown = [...cut.left, ...cut.right].map((character) =>
    character === '\t' ? ' ' : character,
  );
  const indent = ' '.repeat(prefix.length + widthOf(cut.left));
  return [`${prefix}${shown.join('')}${cut.isRightCut ? '...' : ''}`, `${indent}^`];
}

interface CutLine {
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly isLeftCut: boolean;
  readonly isRightCut: boolean;
}

/** Cuts the right end first, as far as enough context stays, and the left end for the rest. */
function cutLine(left: readonly string[], right: readonly string[]): CutLine {
  const leftWidth = widthOf(left);
  if (leftWidth + widthOf(right) <= LINE_WIDTH_MAX) {
    return { left, right, isLeftCut: false, isRightCut: false };
  }
  const rightMax = Math.max(RIGHT_CONTEXT_MIN, LINE_WIDTH_MAX - leftWidth);
  const keptRight = [...right];
  while (widthOf(keptRight) > rightMax) keptRight.pop();
  const keptLeft = [...left];
  while (widthOf(keptLeft) + widthOf(keptRight) > LINE_WIDTH_MAX) keptLeft.shift();
  return {
    left: keptLeft,
    right: keptRight,
    isLeftCut: keptLeft.length < left.length,
    isRightCut: keptRight.length < right.length,
  };
}

const combining = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const wide =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** Columns on a terminal. */
function widthOf(characters: readonly string[]): number {
  let width = 0;
  for (const character of characters) {
    if (combining.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}
