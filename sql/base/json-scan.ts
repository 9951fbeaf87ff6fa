/**
 * Looks into canonical jsonb text without building a tree. The text of a member or an element of a
 * canonical document is canonical itself, so it can be cut out as it stands.
 */
import { assert } from './assert.ts';
import { quoteJson } from './json.ts';

const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** The offset behind the string that starts at `start`. */
function skipString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    at = text.indexOf('"', at);
    assert(at > 0, 'canonical jsonb text closes its strings');
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    at++;
    if (backslashes % 2 === 0) return at;
  }
}

/** The offset behind the value that starts at `start`. */
function skipValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return skipString(text, start);
  const container = first === OPEN_BRACE || first === OPEN_BRACKET;
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      at = skipString(text, at);
      continue;
    }
    if (unit === OPEN_BRACE || unit === OPEN_BRACKET) depth++;
    else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) {
      if (!container) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (unit === COMMA && !container) return at;
    at++;
  }
  return at;
}

export function isObjectText(text: string): boolean {
  return text.charCodeAt(0) === OPEN_BRACE;
}

export function isArrayText(text: string): boolean {
  return text.charCodeAt(0) === OPEN_BRACKET;
}

/** The member of an object; undefined when there is none, or no object. */
export function memberText(text: string, key: string): string | undefined {
  if (!isObjectText(text) || text.length === 2) return undefined;
  const wanted = quoteJson(key);
  let at = 1;
  for (;;) {
    const keyEnd = skipString(text, at);
    // Canonical text has exactly one blank behind the colon and behind the comma.
    const found = keyEnd - at === wanted.length && text.startsWith(wanted, at);
    const start = keyEnd + 2;
    const end = skipValue(text, start);
    if (found) return text.slice(start, end);
    if (text.charCodeAt(end) !== COMMA) return undefined;
    at = end + 2;
  }
}

/** The elements of an array one by one. */
export function* elementTexts(text: string): Generator<string, void> {
  if (!isArrayText(text) || text.length === 2) return;
  let at = 1;
  for (;;) {
    const end = skipValue(text, at);
    yield text.slice(at, end);
    if (text.charCodeAt(end) !== COMMA) return;
    at = end + 2;
  }
}

export function arrayLength(text: string): number {
  let length = 0;
  for (const _ of elementTexts(text)) length++;
  return length;
}

/** An element by its number from 0, or from the end with -1 for the last. */
export function elementText(text: string, index: number): string | undefined {
  const wanted = index < 0 ? arrayLength(text) + index : index;
  if (wanted < 0) return undefined;
  let position = 0;
  for (const element of elementTexts(text)) {
    if (position === wanted) return element;
    position++;
  }
  return undefined;
}

/** A value as ->> gives it: strings bare, null as NULL. */
export function bareText(text: string | undefined): string | null {
  if (text === undefined || text === 'null') return null;
  if (text.charCodeAt(0) !== QUOTE) return text;
  if (!text.includes('\\')) return text.slice(1, -1);
  const value: unknown = JSON.parse(text);
  assert(typeof value === 'string', 'a JSON string parses to a string');
  return value;
}
