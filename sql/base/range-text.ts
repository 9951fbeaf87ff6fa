/** The text of ranges, `[1,5)`: quoting on the way out, splitting on the way in. Source: PostgreSQL 17, rangetypes.c. */
import { StreamError } from './error.ts';

const quotePattern = /["\\()[\], \t\n\v\f\r]|^$/;
const blank = /[ \t\n\v\f\r]/;

export function quoteRangeBound(text: string): string {
  return quotePattern.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text;
}

export interface RangeParts {
  /** Null: there is no end. */
  readonly lower: string | null;
  readonly upper: string | null;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
}

/** Bounds that are quoted as a whole or not at all: what the store and state hold, at less than half the price. */
const plainPattern = /^([[(])(?:"([^"\\]+)"|([^"\\,)\]]*)),(?:"([^"\\]+)"|([^"\\,)\]]*))([\])])$/;

/** A range's text taken apart. @throws StreamError VALUE_INVALID_TEXT. */
export function splitRange(text: string): RangeParts | 'empty' {
  const plain = plainPattern.exec(text);
  if (plain === null) return splitAny(text);
  return {
    lower: plain[2] ?? (plain[3] || null),
    upper: plain[4] ?? (plain[5] || null),
    lowerInclusive: plain[1] === '[',
    upperInclusive: plain[6] === ']',
  };
}

function splitAny(text: string): RangeParts | 'empty' {
  let at = 0;
  const fail = (detail: string): never => {
    throw new StreamError('VALUE_INVALID_TEXT', `malformed range literal: "${text}"`, { detail });
  };
  const skip = (): void => {
    while (blank.test(text.charAt(at))) at++;
  };
  skip();
  if (text.slice(at, at + 5).toLowerCase() === 'empty') {
    at += 5;
    skip();
    if (at < text.length) fail('Junk after "empty" key word.');
    return 'empty';
  }
  const open = text.charAt(at++);
  if (open !== '[' && open !== '(') fail('Missing left parenthesis or bracket.');
  const lower = readBound(text, at, fail);
  at = lower.end;
  if (text.charAt(at++) !== ',') fail('Missing comma after lower bound.');
  const upper = readBound(text, at, fail);
  at = upper.end;
  const close = text.charAt(at++);
  if (close === ',') fail('Too many commas.');
  skip();
  if (at < text.length) fail('Junk after right parenthesis or bracket.');
  return {
    lower: lower.bound,
    upper: upper.bound,
    lowerInclusive: open === '[',
    upperInclusive: close === ']',
  };
}

/** Up to the comma, parenthesis or bracket at `end`; blanks belong to the bound. */
function readBound(
  text: string,
  start: number,
  fail: (detail: string) => never,
): { readonly bound: string | null; readonly end: number } {
  let at = start;
  let quoted = false;
  let bound = '';
  for (;;) {
    const char = text.charAt(at);
    if (!quoted && (char === ',' || char === ')' || char === ']')) break;
    if (char === '' || (char === '\\' && at + 1 === text.length)) fail('Unexpected end of input.');
    if (char === '\\') bound += text.charAt(++at);
    else if (char !== '"') bound += char;
    else if (quoted && text.charAt(at + 1) === '"') {
      bound += '"';
      at++;
    } else quoted = !quoted;
    at++;
  }
  return { bound: at === start ? null : bound, end: at };
}
