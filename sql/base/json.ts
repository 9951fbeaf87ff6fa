/** JSON documents as PostgreSQL's jsonb has them: numbers keep their digits, the last key wins. */
import { StreamError } from './error.ts';
import { Numeric } from './numeric.ts';
import { compareText, utf8Length } from './text-order.ts';

export type JsonValue = null | boolean | string | Numeric | readonly JsonValue[] | JsonObject;

/** Keys in insertion order; jsonb text sorts them. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

const DEPTH_MAX = 2000;

export function isJsonArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isJsonObject(value: JsonValue): value is JsonObject {
  return value instanceof Map;
}

function invalid(detail: string): StreamError {
  return new StreamError('VALUE_INVALID_JSON', 'invalid input syntax for type json', { detail });
}

const spacePattern = /[ \t\n\r]*/y;
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these raw.
const plainPattern = /[^"\\\u0000-\u001f]*/y;
const wordPattern = /[A-Za-z0-9_$\u0080-\uffff.+-]*/y;
const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

class JsonParser {
  readonly #text: string;
  /** The type json keeps \u0000 and lone surrogates as written; jsonb must decode them. */
  readonly #decode: boolean;
  #at = 0;

  constructor(text: string, decode: boolean) {
    this.#text = text;
    this.#decode = decode;
  }

  document(): JsonValue {
    const value = this.#value(0);
    this.#take(spacePattern);
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  /** The text of each member or element of the outermost container; undefined for a scalar. */
  children(): JsonParts | undefined {
    this.#take(spacePattern);
    const open = this.#text.charAt(this.#at);
    if (open !== '{' && open !== '[') return undefined;
    const close = open === '{' ? '}' : ']';
    const members: [string, string][] = [];
    const items: string[] = [];
    this.#at++;
    this.#take(spacePattern);
    if (this.#text.charAt(this.#at) === close) this.#at++;
    else {
      do {
        const key = open === '{' ? this.#key() : '';
        this.#take(spacePattern);
        const start = this.#at;
        this.#value(1);
        const raw = this.#text.slice(start, this.#at);
        if (open === '{') members.push([key, raw]);
        else items.push(raw);
      } while (!this.#separator(close));
    }
    return open === '{' ? { kind: 'object', members } : { kind: 'array', items };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    const text = match === null ? '' : match[0];
    this.#at += text.length;
    return text;
  }

  #unexpected(): StreamError {
    if (this.#at >= this.#text.length) return invalid('The input string ended unexpectedly.');
    const start = this.#at;
    const word = this.#take(wordPattern) || this.#text.charAt(start);
    return invalid(`Token "${word}" is invalid.`);
  }

  #value(depth: number): JsonValue {
    if (depth > DEPTH_MAX) {
      throw new StreamError(
        'VALUE_PROGRAM_LIMIT',
        `JSON is nested deeper than ${DEPTH_MAX} levels`,
      );
    }
    this.#take(spacePattern);
    switch (this.#text.charAt(this.#at)) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    const start = this.#at;
    if (this.#take(wordPattern) !== word) {
      this.#at = start;
      throw this.#unexpected();
    }
    return value;
  }

  #number(): Numeric {
    const start = this.#at;
    const text = this.#take(numberPattern);
    if (text === '' || this.#take(wordPattern) !== '') {
      this.#at = start;
      throw this.#unexpected();
    }
    return this.#decode ? Numeric.parse(text) : Numeric.zero;
  }

  #array(depth: number): readonly JsonValue[] {
    this.#at++;
    const items: JsonValue[] = [];
    this.#take(spacePattern);
    if (this.#text.charAt(this.#at) === ']') {
      this.#at++;
      return items;
    }
    for (;;) {
      items.push(this.#value(depth + 1));
      if (this.#separator(']')) return items;
    }
  }

  /** Takes a comma (false) or the closing bracket (true). */
  #separator(close: string): boolean {
    this.#take(spacePattern);
    const char = this.#text.charAt(this.#at);
    if (char !== ',' && char !== close) throw this.#unexpected();
    this.#at++;
    return char === close;
  }

  #object(depth: number): JsonObject {
    this.#at++;
    const members = new Map<string, JsonValue>();
    this.#take(spacePattern);
    if (this.#text.charAt(this.#at) === '}') {
      this.#at++;
      return members;
    }
    for (;;) {
      const key = this.#key();
      members.set(key, this.#value(depth + 1));
      if (this.#separator('}')) return members;
    }
  }

  /** A member's name and the colon behind it. */
  #key(): string {
    this.#take(spacePattern);
    if (this.#text.charAt(this.#at) !== '"') throw this.#unexpected();
    const key = this.#string();
    this.#take(spacePattern);
    if (this.#text.charAt(this.#at) !== ':') throw this.#unexpected();
    this.#at++;
    return key;
  }

  #string(): string {
    this.#at++;
    let value = '';
    for (;;) {
      value += this.#take(plainPattern);
      const char = this.#text.charAt(this.#at);
      if (char === '"') {
        this.#at++;
        if (this.#decode && !value.isWellFormed()) {
          throw invalid('Unicode high surrogate must not follow a high surrogate.');
        }
        return value;
      }
      if (char === '') throw invalid('The input string ended unexpectedly.');
      if (char !== '\\') {
        throw invalid(
          `Character with value 0x${char.charCodeAt(0).toString(16).padStart(2, '0')} must be escaped.`,
        );
      }
      value += this.#escape();
    }
  }

  #escape(): string {
    const char = this.#text.charAt(this.#at + 1);
    const simple = simpleEscapes.get(char);
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    if (char !== 'u') throw invalid(`Escape sequence "\\${char}" is invalid.`);
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
      throw invalid('"\\u" must be followed by four hexadecimal digits.');
    }
    const unit = Number.parseInt(digits, 16);
    if (unit === 0 && this.#decode) {
      throw new StreamError('VALUE_UNTRANSLATABLE', 'unsupported Unicode escape sequence', {
        detail: '\\u0000 cannot be converted to text.',
      });
    }
    this.#at += 6;
    return String.fromCharCode(unit);
  }
}

/** @throws StreamError VALUE_INVALID_JSON, VALUE_UNTRANSLATABLE, VALUE_PROGRAM_LIMIT. */
export function parseJson(text: string): JsonValue {
  return new JsonParser(text, true).document();
}

/** Checks text for the type json, which keeps it as written. */
export function checkJson(text: string): void {
  new JsonParser(text, false).document();
}

/** One level of a document of type json, whose parts keep their own text. A key may come again; then the last one counts. */
export type JsonParts =
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, string])[] }
  | { readonly kind: 'array'; readonly items: readonly string[] };

/** @returns undefined for a scalar. */
export function jsonChildren(text: string): JsonParts | undefined {
  return new JsonParser(text, false).children();
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these raw.
const escapePattern = /["\\\u0000-\u001f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these raw.
const escapeAllPattern = /["\\\u0000-\u001f]/g;
const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** A JSON string literal with PostgreSQL's escapes. */
export function quoteJson(text: string): string {
  if (!escapePattern.test(text)) return `"${text}"`;
  const escaped = text.replace(
    escapeAllPattern,
    (char) => shortEscapes.get(char) ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}

/** jsonb's order of keys: shorter first (in bytes), then by bytes. */
export function compareKeys(left: string, right: string): number {
  return utf8Length(left) - utf8Length(right) || compareText(left, right);
}

export function sortedEntries(object: JsonObject): [string, JsonValue][] {
  const entries = [...object];
  return entries.length < 2 ? entries : entries.sort((a, b) => compareKeys(a[0], b[0]));
}

/** PostgreSQL's canonical jsonb text: `{"a": [1, 2.50], "bb": null}`. */
export function jsonToText(value: JsonValue): string {
  return writeJson(value, numericText);
}

function numericText(value: Numeric): string {
  return value.toString();
}

function writeJson(value: JsonValue, number: (value: Numeric) => string): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quoteJson(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value instanceof Numeric) return number(value);
  if (isJsonArray(value)) return `[${value.map((item) => writeJson(item, number)).join(', ')}]`;
  const members = sortedEntries(value);
  return `{${members.map(([key, item]) => `${quoteJson(key)}: ${writeJson(item, number)}`).join(', ')}}`;
}

/** Text that is equal for equal documents: 1 and 1.0 are the same number. */
export function jsonHashKey(canonical: string): string {
  // Without a point there is no fraction, and canonical numbers have no exponent.
  if (!canonical.includes('.')) return canonical;
  return writeJson(parseJson(canonical), (value) => value.hashKey());
}

function rank(value: JsonValue): number {
  if (value === null) return 0;
  if (typeof value === 'string') return 1;
  if (value instanceof Numeric) return 2;
  if (typeof value === 'boolean') return 3;
  return isJsonArray(value) ? 4 : 5;
}

/**
 * jsonb's order: Null < String < Number < Boolean < Array < Object, longer containers greater, and
 * PostgreSQL's historic exception that a top-level empty array is below every scalar.
 */
export function compareJson(left: JsonValue, right: JsonValue): number {
  const a = rank(left);
  const b = rank(right);
  if (a === 4 && b < 4) return (left as readonly JsonValue[]).length === 0 ? -1 : 1;
  if (b === 4 && a < 4) return (right as readonly JsonValue[]).length === 0 ? 1 : -1;
  return compareNested(left, right);
}

function compareNested(left: JsonValue, right: JsonValue): number {
  const a = rank(left);
  const b = rank(right);
  if (a !== b) return a < b ? -1 : 1;
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (left instanceof Numeric && right instanceof Numeric) return left.compare(right);
  if (typeof left === 'boolean') return Number(left) - Number(right);
  if (left === null || right === null) return 0;
  if (isJsonArray(left) && isJsonArray(right)) return compareArrays(left, right);
  return compareObjects(left as JsonObject, right as JsonObject);
}

function compareArrays(left: readonly JsonValue[], right: readonly JsonValue[]): number {
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  for (const [index, item] of left.entries()) {
    const order = compareNested(item, right[index] as JsonValue);
    if (order !== 0) return order;
  }
  return 0;
}

function compareObjects(left: JsonObject, right: JsonObject): number {
  if (left.size !== right.size) return left.size < right.size ? -1 : 1;
  const others = sortedEntries(right);
  for (const [index, [key, value]] of sortedEntries(left).entries()) {
    const [otherKey, otherValue] = others[index] as [string, JsonValue];
    const order = compareText(key, otherKey) || compareNested(value, otherValue);
    if (order !== 0) return order;
  }
  return 0;
}
