/** Decodes the escapes of E'…' and U&'…' literals, by the rules of PostgreSQL's scanner. */
import { type ErrorContext, type Span, StreamError } from './base/error.ts';

const syntaxError = (message: string, context: ErrorContext): StreamError =>
  new StreamError('SQL_SYNTAX', message, context);

/** What one letter behind a backslash stands for, in E'…' and in COPY's text format. */
export const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

const HIGH_SURROGATE_FIRST = 0xd800;
const LOW_SURROGATE_FIRST = 0xdc00;
const SURROGATE_LAST = 0xdfff;
const CODE_POINT_MAX = 0x10ffff;

const isHighSurrogate = (code: number): boolean =>
  code >= HIGH_SURROGATE_FIRST && code < LOW_SURROGATE_FIRST;
const isLowSurrogate = (code: number): boolean =>
  code >= LOW_SURROGATE_FIRST && code <= SURROGATE_LAST;

/** The place of an escape: exact unless quotes were doubled or the literal continued before it. */
const placeIn = ({ at }: ErrorContext, offset: number): Span | undefined =>
  at === undefined ? undefined : { start: Math.min(at.start + offset, at.end), end: at.end };

/** Joins the surrogate halves of consecutive escapes, and refuses halves that stand alone. */
class EscapedText {
  text = '';
  #high: number | undefined;
  readonly #context: ErrorContext;

  constructor(context: ErrorContext) {
    this.#context = context;
  }

  /** Appends characters that were written as themselves. */
  plain(text: string): void {
    this.#requireNoHalf();
    this.text += text;
  }

  /** Appends one escaped code point. */
  codePoint(code: number): void {
    if (code === 0 || code > CODE_POINT_MAX) {
      throw syntaxError('invalid Unicode escape value', this.#context);
    }
    if (this.#high !== undefined) {
      if (!isLowSurrogate(code)) throw this.#invalidPair();
      this.text += String.fromCharCode(this.#high, code);
      this.#high = undefined;
    } else if (isHighSurrogate(code)) {
      this.#high = code;
    } else if (isLowSurrogate(code)) {
      throw this.#invalidPair();
    } else {
      this.text += String.fromCodePoint(code);
    }
  }

  finish(): string {
    this.#requireNoHalf();
    return this.text;
  }

  #requireNoHalf(): void {
    if (this.#high !== undefined) throw this.#invalidPair();
  }

  #invalidPair(): StreamError {
    return syntaxError('invalid Unicode surrogate pair', this.#context);
  }
}

/**
 * The value of an E'…' literal's body (quotes already undoubled).
 * @throws StreamError SQL_SYNTAX for a broken Unicode escape, VALUE_INVALID_ENCODING for byte
 *   escapes that are no UTF-8.
 */
export function decodeEscapes(body: string, context: ErrorContext): string {
  if (!body.includes('\\')) return body;
  const out = new EscapedText(context);
  let at = 0;
  while (at < body.length) {
    const next = body.indexOf('\\', at);
    if (next < 0 || next === body.length - 1) {
      out.plain(body.slice(at));
      break;
    }
    if (next > at) out.plain(body.slice(at, next));
    at = decodeOne(body, next, out, context);
  }
  return out.finish();
}

function decodeOne(body: string, at: number, out: EscapedText, context: ErrorContext): number {
  const letter = body.charAt(at + 1);
  if (letter === 'u' || letter === 'U') {
    const digits = letter === 'u' ? 4 : 8;
    const hex = body.slice(at + 2, at + 2 + digits);
    if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex)) {
      throw syntaxError('invalid Unicode escape', {
        at: placeIn(context, at),
        hint: 'Unicode escapes must be \\uXXXX or \\UXXXXXXXX.',
      });
    }
    out.codePoint(Number.parseInt(hex, 16));
    return at + 2 + digits;
  }
  const bytes = /^(?:\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}))+/.exec(body.slice(at));
  if (bytes !== null) {
    out.plain(decodeBytes(bytes[0], context));
    return at + bytes[0].length;
  }
  out.plain(simpleEscapes.get(letter) ?? letter);
  return at + 2;
}

/** A run of \xHH and \OOO escapes names the bytes of UTF-8 text. */
function decodeBytes(escapes: string, context: ErrorContext): string {
  const bytes = escapes
    .split('\\')
    .slice(1)
    .map((code) =>
      code.startsWith('x') ? Number.parseInt(code.slice(1), 16) : Number.parseInt(code, 8) & 0xff,
    );
  try {
    if (bytes.includes(0)) throw new TypeError('zero byte');
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes),
    );
  } catch (cause) {
    const hex = bytes.map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');
    throw new StreamError(
      'VALUE_INVALID_ENCODING',
      `invalid byte sequence for encoding "UTF8": ${hex}`,
      { ...context, cause },
    );
  }
}

/**
 * The value of a U&'…' literal or U&"…" identifier.
 * @param escapeCharacter a backslash, unless UESCAPE names another.
 * @throws StreamError SQL_SYNTAX
 */
export function decodeUnicodeEscapes(
  body: string,
  escapeCharacter: string,
  context: ErrorContext,
): string {
  const out = new EscapedText(context);
  let at = 0;
  while (at < body.length) {
    const next = body.indexOf(escapeCharacter, at);
    if (next < 0) {
      out.plain(body.slice(at));
      break;
    }
    if (next > at) out.plain(body.slice(at, next));
    if (body.startsWith(escapeCharacter, next + 1)) {
      out.plain(escapeCharacter);
      at = next + 2;
      continue;
    }
    const long = body.charAt(next + 1) === '+';
    const from = next + (long ? 2 : 1);
    const hex = body.slice(from, from + (long ? 6 : 4));
    if (hex.length < (long ? 6 : 4) || !/^[0-9a-fA-F]+$/.test(hex)) {
      throw syntaxError('invalid Unicode escape', {
        at: placeIn(context, next),
        hint: 'Unicode escapes must be \\XXXX or \\+XXXXXX.',
      });
    }
    out.codePoint(Number.parseInt(hex, 16));
    at = from + hex.length;
  }
  return out.finish();
}
