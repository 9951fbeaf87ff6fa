/** Unicode normal forms and escapes, and identifiers taken apart. */
import { lowerCase } from '../base/characters.ts';
import { StreamError } from '../base/error.ts';
import { family, invalidParameter } from './define.ts';

const { functions, define } = family('string');
export const stringUnicodeFunctions = functions;

type Form = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

function normalForm(name: string): Form {
  const form = name.toUpperCase();
  if (form === 'NFC' || form === 'NFD' || form === 'NFKC' || form === 'NFKD') return form;
  throw invalidParameter(`invalid normalization form: ${name}`);
}

const normalize = (text: string, form: string): string => text.normalize(normalForm(form));
const isNormalized = (text: string, form: string): boolean => normalize(text, form) === text;

define('normalize', ['text'], 'text', 'text in the Unicode normal form NFC', (text) =>
  text.normalize(),
);
define('normalize', ['text', 'text'], 'text', 'text in a Unicode normal form', normalize);
define(
  'is_normalized',
  ['text', 'text'],
  'boolean',
  'is the text in a Unicode normal form',
  isNormalized,
);
define('is_normalized', ['text'], 'boolean', 'is the text in the Unicode normal form NFC', (text) =>
  isNormalized(text, 'NFC'),
);
define(
  'unicode_assigned',
  ['text'],
  'boolean',
  'are all characters assigned in Unicode',
  (text) => !/\p{Cn}/u.test(text),
);
define('casefold', ['text'], 'text', 'text for a comparison in any case', lowerCase);

const escapes =
  /\\(?:\\|([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))?/g;

function escapeError(): StreamError {
  return new StreamError('SQL_SYNTAX', 'invalid Unicode escape', {
    hint: 'Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.',
  });
}

const pairError = (): StreamError =>
  new StreamError('SQL_SYNTAX', 'invalid Unicode surrogate pair');

/** The code point of an escape; undefined for a doubled backslash. */
function codeOf(match: RegExpExecArray): number | undefined {
  const digits = match[1] ?? match[2] ?? match[3] ?? match[4];
  if (digits === undefined) {
    if (match[0] === '\\\\') return undefined;
    throw escapeError();
  }
  const code = Number.parseInt(digits, 16);
  if (code === 0 || code > 0x10ffff) {
    throw new StreamError(
      'VALUE_INVALID_PARAMETER',
      `invalid Unicode code point: ${code.toString(16).toUpperCase().padStart(4, '0')}`,
    );
  }
  return code;
}

const isHigh = (code: number): boolean => code >= 0xd800 && code < 0xdc00;
const isLow = (code: number): boolean => code >= 0xdc00 && code < 0xe000;

/** Two escapes beside each other may be the halves of one character. */
function replaceEscapes(text: string): string {
  let result = '';
  let end = 0;
  let high: number | undefined;
  for (const match of text.matchAll(escapes)) {
    if (high !== undefined && match.index > end) throw pairError();
    const code = codeOf(match);
    if (high !== undefined && (code === undefined || !isLow(code))) throw pairError();
    result += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (code === undefined) result += '\\';
    else if (isHigh(code)) high = code;
    else if (isLow(code)) {
      if (high === undefined) throw pairError();
      result += String.fromCharCode(high, code);
      high = undefined;
    } else result += String.fromCodePoint(code);
  }
  if (high !== undefined) throw pairError();
  return result + text.slice(end);
}

define('unistr', ['text'], 'text', 'text with Unicode escapes replaced', replaceEscapes);

const quotedPart = /"((?:[^"]|"")*)"(?!")/y;
const plainPart = /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy;
const blanks = /[ \t\n\r\f\v]*/y;

function identifierError(text: string, detail?: string): StreamError {
  return new StreamError('VALUE_INVALID_PARAMETER', `string is not a valid identifier: "${text}"`, {
    detail,
  });
}

/** The parts of `a."B c".d`; with `strict` false anything may follow the last one. */
function identifierParts(text: string, strict: boolean): readonly string[] {
  const parts: string[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text) ?? undefined;
    at += match?.[0].length ?? 0;
    return match;
  };
  for (let isFirst = true; ; isFirst = false) {
    take(blanks);
    const quoted = take(quotedPart);
    const plain = quoted === undefined ? take(plainPart) : undefined;
    if (quoted !== undefined) {
      const name = (quoted[1] ?? '').replaceAll('""', '"');
      if (name === '') throw identifierError(text, 'Quoted identifier must not be empty.');
      parts.push(name);
    } else if (plain !== undefined) parts.push(asciiLower(plain[0]));
    else if (text[at] === '"') throw identifierError(text, 'String has unclosed double quotes.');
    else if (text[at] === '.') throw identifierError(text, 'No valid identifier before ".".');
    else throw identifierError(text, isFirst ? undefined : 'No valid identifier after ".".');
    take(blanks);
    if (text[at] !== '.') break;
    at++;
  }
  if (strict && at < text.length) throw identifierError(text);
  return parts;
}

const asciiLower = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

define('parse_ident', ['text'], 'text[]', 'parts of a qualified name', (text) =>
  identifierParts(text, true),
);
define(
  'parse_ident',
  ['text', 'boolean'],
  'text[]',
  'parts of a qualified name; false: whatever follows it is left out',
  identifierParts,
);
