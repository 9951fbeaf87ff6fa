/** Text of arrays `{a,"b c",NULL}` and of rows `(a,"b c",)`: quoting on the way out, splitting on the way in. */
import { StreamError } from './error.ts';

const arrayQuotePattern = /["\\{},\s\v]|^null$|^$/i;
const rowQuotePattern = /["\\(),\s\v]|^$/;

export function quoteArrayElement(text: string): string {
  return arrayQuotePattern.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text;
}

export function quoteRowField(text: string): string {
  return rowQuotePattern.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text;
}

/** An array's text taken apart; null is an unquoted NULL. */
export type ArrayItem = string | null | readonly ArrayItem[];

function malformedArray(text: string): StreamError {
  return new StreamError('VALUE_INVALID_TEXT', `malformed array literal: "${text}"`);
}

/** @throws StreamError VALUE_INVALID_TEXT. */
export function splitArray(text: string): readonly ArrayItem[] {
  let at = 0;
  const fail = (): never => {
    throw malformedArray(text);
  };
  const skip = (): void => {
    while (/\s/.test(text.charAt(at))) at++;
  };
  const readScalar = (): string | null => {
    let value = '';
    let quoted = false;
    let kept = 0;
    for (;;) {
      const char = text.charAt(at);
      if (char === '') return fail();
      if (char === '"') {
        if (value !== '' || quoted) fail();
        quoted = true;
        at++;
        while (text.charAt(at) !== '"') {
          if (text.charAt(at) === '\\') at++;
          if (at >= text.length) fail();
          value += text.charAt(at);
          at++;
        }
        at++;
        skip();
        if (!/[,}]/.test(text.charAt(at))) fail();
        kept = value.length;
        continue;
      }
      if (char === ',' || char === '}') break;
      if (char === '{') fail();
      if (char === '\\') {
        at++;
        if (at >= text.length) fail();
        value += text.charAt(at);
        kept = value.length;
        quoted = true;
      } else {
        value += char;
        if (!/\s/.test(char)) kept = value.length;
      }
      at++;
    }
    value = value.slice(0, kept);
    if (quoted) return value;
    if (value === '') return fail();
    return value.toLowerCase() === 'null' ? null : value;
  };
  const readArray = (): readonly ArrayItem[] => {
    at++;
    const items: ArrayItem[] = [];
    skip();
    if (text.charAt(at) === '}') {
      at++;
      return items;
    }
    for (;;) {
      skip();
      items.push(text.charAt(at) === '{' ? readArray() : readScalar());
      skip();
      const char = text.charAt(at);
      at++;
      if (char === '}') return items;
      if (char !== ',') fail();
    }
  };
  skip();
  if (text.charAt(at) === '[') {
    throw new StreamError('SQL_NOT_SUPPORTED', 'array bounds other than from 1 are not supported');
  }
  if (text.charAt(at) !== '{') fail();
  const items = readArray();
  skip();
  if (at < text.length) fail();
  const lengths = lengthsOf(items);
  if (lengths === undefined) return fail();
  return lengths.includes(0) ? [] : items;
}

/** The lengths along each dimension; undefined for what is not rectangular. */
function lengthsOf(items: readonly ArrayItem[]): readonly number[] | undefined {
  const inner = items.map((item) => (Array.isArray(item) ? lengthsOf(item) : []));
  const [first = []] = inner;
  const isEven = inner.every(
    (one) => one?.length === first?.length && one?.every((length, i) => length === first?.[i]),
  );
  return isEven && first !== undefined ? [items.length, ...first] : undefined;
}

/** A row's text taken apart; null is an empty field. @throws StreamError VALUE_INVALID_TEXT. */
export function splitRow(text: string): readonly (string | null)[] {
  const malformed = (): StreamError =>
    new StreamError('VALUE_INVALID_TEXT', `malformed record literal: "${text}"`);
  const body = text.trim();
  if (!body.startsWith('(')) throw malformed();
  const fields: (string | null)[] = [];
  let at = 1;
  for (;;) {
    let value = '';
    let present = false;
    let quoted = false;
    for (;;) {
      const char = body.charAt(at);
      if (char === '') throw malformed();
      if (!quoted && (char === ',' || char === ')')) break;
      present = true;
      if (char === '\\') {
        at++;
        value += body.charAt(at);
      } else if (char === '"') {
        if (quoted && body.charAt(at + 1) === '"') {
          value += '"';
          at++;
        } else quoted = !quoted;
      } else value += char;
      at++;
    }
    fields.push(present ? value : null);
    if (body.charAt(at) === ')') break;
    at++;
  }
  if (at !== body.length - 1) throw malformed();
  return fields;
}
