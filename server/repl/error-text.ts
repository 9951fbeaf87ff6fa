import type { ErrorBody } from '../http/failure.ts';
import { displayWidth, printable } from './width.ts';

/** Terminal columns of the statement's line that are shown, and of what follows the error in it. */
const SHOWN_COLUMNS = 60;
const RIGHT_COLUMNS = 10;

/**
 * An error as psql prints it: severity, message, the line with a caret under the place, detail and hint.
 * @param sql     the text that was sent; `position` counts its characters.
 * @param prefix  `file.sql:3: ` in scripts.
 */
export function errorText(error: ErrorBody, sql: string, prefix = ''): string {
  const lines = [`${prefix}ERROR:  ${error.message}`];
  if (error.position !== undefined) lines.push(...placeLines(sql, error.position));
  if (error.detail !== undefined) lines.push(`DETAIL:  ${error.detail}`);
  if (error.hint !== undefined) lines.push(`HINT:  ${error.hint}`);
  return `${lines.join('\n')}\n`;
}

function placeLines(sql: string, position: number): string[] {
  const characters = Array.from(sql);
  const index = Math.min(position - 1, characters.length);
  const before = characters.slice(0, index).join('');
  const lineNumber = before.split('\n').length;
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineText = sql.slice(lineStart).split(/\r?\n/, 1)[0] ?? '';
  const cells = toCells(lineText);
  const column = displayWidth(toCells(before.slice(lineStart)).join(''));
  const { text, shift } = cut(cells, column);
  const label = `LINE ${lineNumber}: `;
  return [`${label}${text}`, `${' '.repeat(label.length + column - shift)}^`];
}

/** One entry a character; a tab takes one column here. */
function toCells(line: string): string[] {
  return Array.from(printable(line.replaceAll('\t', ' ')));
}

/** The part of a long line around `column`; `shift` is what the caret moves to the left by. */
function cut(cells: readonly string[], column: number): { text: string; shift: number } {
  const ends: number[] = [];
  let width = 0;
  for (const cell of cells) {
    width += displayWidth(cell);
    ends.push(width);
  }
  if (width <= SHOWN_COLUMNS) return { text: cells.join(''), shift: 0 };
  const right = Math.min(width, Math.max(SHOWN_COLUMNS, column + RIGHT_COLUMNS));
  const left = right - SHOWN_COLUMNS;
  const first = left <= 0 ? 0 : ends.findIndex((end) => end >= left) + 1;
  const shown = cells.slice(first, ends.filter((end) => end <= right).length).join('');
  const skipped = first === 0 ? 0 : (ends[first - 1] ?? 0);
  const tail = right < width ? '...' : '';
  return first === 0
    ? { text: `${shown}${tail}`, shift: 0 }
    : { text: `...${shown}${tail}`, shift: skipped - 3 };
}
