/** Quoting, encoding, format() and concatenation of anything. */

import {
  byteaFromText,
  byteaToText,
  bytesFromBase64,
  bytesFromHex,
  bytesToBase64,
  bytesToEscape,
  bytesToHex,
} from '../base/bytea.ts';
import { characterCount } from '../base/characters.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { md5, sha256 } from '../base/hash-digest.ts';
import { integerFromText } from '../base/text-input.ts';
import { textWriter } from '../base/text-output.ts';
import type { SqlType } from '../base/type.ts';
import { keywords } from '../keyword.ts';
import { family, invalidParameter, types } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

const { functions, define } = family('string');
const binary = family('binary');
export const stringFormatFunctions = functions;
export const binaryFunctions = binary.functions;

export function quoteIdentifier(name: string): string {
  const keyword = keywords.get(name);
  const free = keyword === undefined || keyword.class === 'unreserved';
  const plain = free && /^[a-z_][a-z0-9_]*$/.test(name);
  return plain ? name : `"${name.replaceAll('"', '""')}"`;
}

export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

define('quote_ident', ['text'], 'text', 'text as an identifier of SQL', quoteIdentifier);
define('quote_literal', ['text'], 'text', 'text as a literal of SQL', quoteLiteral);
functions.push({
  name: 'quote_nullable',
  parameters: [types.text],
  result: types.text,
  strict: false,
  evaluate: (text: string | null) => (text === null ? 'NULL' : quoteLiteral(text)),
  description: 'text as a literal of SQL, or NULL',
  family: 'string',
});

const utf8 = new TextEncoder();

binary.define('md5', ['text'], 'text', 'MD5 digest in hexadecimal', (text) =>
  bytesToHex(md5(utf8.encode(text))),
);
binary.define('md5', ['bytea'], 'text', 'MD5 digest in hexadecimal', (bytes) =>
  bytesToHex(md5(bytes)),
);
binary.define('sha256', ['bytea'], 'bytea', 'SHA-256 digest', sha256);
for (const name of ['length', 'octet_length']) {
  binary.define(name, ['bytea'], 'integer', 'number of bytes', (bytes) => bytes.length, {
    duckdb: ([a]) => `CAST(octet_length(${a}) AS INTEGER)`,
  });
}
binary.define(
  'length',
  ['bytea', 'text'],
  'integer',
  'number of characters of the bytes in an encoding (UTF8)',
  (bytes, encoding) => {
    if (!/^utf-?8$/i.test(encoding)) throw invalidParameter(`invalid encoding name "${encoding}"`);
    return [...decodeUtf8(bytes)].length;
  },
);
binary.define('bit_length', ['bytea'], 'integer', 'number of bits', (bytes) => bytes.length * 8);
binary.define('||', ['bytea', 'bytea'], 'bytea', 'concatenation', (a, b) => {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
});

function sliceBytes(bytes: Uint8Array, start: number, length?: number): Uint8Array {
  if (length !== undefined && length < 0) {
    throw new StreamError('VALUE_NEGATIVE_SUBSTRING', 'negative substring length not allowed');
  }
  const end = length === undefined ? bytes.length : Math.max(start - 1 + length, 0);
  return bytes.slice(Math.max(start - 1, 0), end);
}

for (const name of ['substring', 'substr']) {
  binary.define(name, ['bytea', 'integer'], 'bytea', 'bytes from a position', (bytes, start) =>
    sliceBytes(bytes, start),
  );
  binary.define(
    name,
    ['bytea', 'integer', 'integer'],
    'bytea',
    'so many bytes from a position',
    sliceBytes,
  );
}
binary.define(
  'get_byte',
  ['bytea', 'integer'],
  'integer',
  'byte at a position from 0',
  (bytes, index) => {
    const byte = bytes[index];
    if (byte === undefined) {
      throw new StreamError(
        'VALUE_ARRAY_SUBSCRIPT',
        `index ${index} out of valid range, 0..${bytes.length - 1}`,
      );
    }
    return byte;
  },
);

binary.define(
  'encode',
  ['bytea', 'text'],
  'text',
  'bytes as hex, base64 or escape text',
  (bytes, format) => {
    switch (format.toLowerCase()) {
      case 'hex':
        return bytesToHex(bytes);
      case 'base64':
        return bytesToBase64(bytes);
      case 'escape':
        return bytesToEscape(bytes);
      default:
        throw invalidParameter(`unrecognized encoding: "${format}"`);
    }
  },
);
binary.define(
  'decode',
  ['text', 'text'],
  'bytea',
  'bytes of hex, base64 or escape text',
  (text, format) => {
    switch (format.toLowerCase()) {
      case 'hex':
        return bytesFromHex(text);
      case 'base64':
        return bytesFromBase64(text);
      case 'escape':
        return byteaFromText(text.startsWith('\\x') ? `\\134${text.slice(1)}` : text);
      default:
        throw invalidParameter(`unrecognized encoding: "${format}"`);
    }
  },
);
binary.define(
  'convert_to',
  ['text', 'text'],
  'bytea',
  'bytes of the text in an encoding (UTF8)',
  (text, encoding) => {
    if (!/^utf-?8$/i.test(encoding))
      throw invalidParameter(`invalid destination encoding name "${encoding}"`);
    return utf8.encode(text);
  },
);
binary.define(
  'convert_from',
  ['bytea', 'text'],
  'text',
  'text of the bytes in an encoding (UTF8)',
  (bytes, encoding) => {
    if (!/^utf-?8$/i.test(encoding))
      throw invalidParameter(`invalid source encoding name "${encoding}"`);
    return decodeUtf8(bytes);
  },
);

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  if (!bytes.includes(0)) {
    try {
      return decoder.decode(bytes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  throw new StreamError(
    'VALUE_INVALID_ENCODING',
    `invalid byte sequence for encoding "UTF8": ${byteaToText(bytes)}`,
  );
}

/** Values as concat() and format() show them: the output function, true and false as t and f. */
function joiner(argTypes: readonly SqlType[]): (index: number, value: Datum) => string {
  const writers = argTypes.map(textWriter);
  return (index, value) => (writers[index] as (value: Datum) => string)(value);
}

function anyArguments(
  name: string,
  argTypes: readonly SqlType[],
  description: string,
  evaluate: (...args: readonly (Datum | null)[]) => string | null,
): ScalarFunction {
  return {
    name,
    parameters: argTypes,
    result: types.text,
    strict: false,
    evaluate,
    description,
    family: 'string',
  };
}

/** concat, concat_ws, format, and || where one side is text. */
export function resolveStringFormat(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  const [first, second] = argTypes;
  switch (name) {
    case 'concat': {
      const write = joiner(argTypes);
      return anyArguments(
        name,
        argTypes,
        'arguments one after the other, NULLs left out',
        (...args) => args.map((arg, index) => (arg === null ? '' : write(index, arg))).join(''),
      );
    }
    case 'concat_ws': {
      if (first === undefined) return undefined;
      const write = joiner(argTypes);
      const parameters = [types.text, ...argTypes.slice(1)];
      return anyArguments(
        name,
        parameters,
        'arguments with a separator, NULLs left out',
        (separator, ...args) => {
          if (separator === null || separator === undefined) return null;
          const shown = args.flatMap((arg, index) => (arg === null ? [] : [write(index + 1, arg)]));
          return shown.join(separator as string);
        },
      );
    }
    case 'format': {
      if (first === undefined) return undefined;
      const write = joiner(argTypes);
      const parameters = [types.text, ...argTypes.slice(1)];
      return anyArguments(
        name,
        parameters,
        'text with %s, %I and %L replaced',
        (pattern, ...args) =>
          pattern === null || pattern === undefined ? null : format(pattern as string, args, write),
      );
    }
    case '||':
      return first === undefined || second === undefined ? undefined : concatenation(first, second);
    case 'quote_literal':
    case 'quote_nullable':
      return argTypes.length === 1 && first !== undefined ? quoteAny(name, first) : undefined;
    default:
      return undefined;
  }
}

const stringKinds: ReadonlySet<string> = new Set(['text', 'varchar', 'char', 'unknown']);

/** text || anything and anything || text, but not arrays and jsonb, which have their own. */
function concatenation(first: SqlType, second: SqlType): ScalarFunction | undefined {
  const leftText = stringKinds.has(first.kind);
  const rightText = stringKinds.has(second.kind);
  const other = leftText ? second : first;
  if (
    leftText === rightText ||
    other.kind === 'array' ||
    other.kind === 'jsonb' ||
    other.kind === 'bytea'
  ) {
    return undefined;
  }
  const write = textWriter(other);
  const shown = (value: Datum): string =>
    value === true ? 'true' : value === false ? 'false' : write(value);
  return {
    name: '||',
    parameters: leftText ? [types.text, second] : [first, types.text],
    result: types.text,
    evaluate: (left: Datum, right: Datum) =>
      leftText ? `${left as string}${shown(right)}` : `${shown(left)}${right as string}`,
    description: 'concatenation',
    family: 'string',
  };
}

function quoteAny(name: string, type: SqlType): ScalarFunction {
  const write = textWriter(type);
  const shown = (value: Datum): string =>
    value === true ? 'true' : value === false ? 'false' : write(value);
  return {
    name,
    parameters: [type],
    result: types.text,
    strict: name === 'quote_literal',
    evaluate: (value: Datum | null) => (value === null ? 'NULL' : quoteLiteral(shown(value))),
    description: 'value as a literal of SQL',
    family: 'string',
  };
}

/** Longest field that format() pads to, in characters. */
const WIDTH_MAX = 100_000_000;

const specifierPattern = /%(?:%|(?:(\d+)\$)?(-?)(?:(\d+)|\*(?:(\d+)\$)?)?([sIL])?)/g;

function tooFewArguments(): StreamError {
  return invalidParameter('too few arguments for format()');
}

function format(
  pattern: string,
  args: readonly (Datum | null)[],
  write: (index: number, value: Datum) => string,
): string {
  let next = 0;
  const take = (position: string | undefined): number => {
    if (position === '0') {
      throw invalidParameter('format specifies argument 0, but arguments are numbered from 1');
    }
    const index = position === undefined ? next : Number(position) - 1;
    if (index >= args.length) throw tooFewArguments();
    next = index + 1;
    return index;
  };
  return pattern.replace(
    specifierPattern,
    (whole, position, minus, width, widthPosition, kind, ...rest) => {
      if (whole === '%%') return '%';
      if (kind === undefined) {
        const at = (rest[0] as number) + whole.length;
        if (at >= pattern.length) throw invalidParameter('unterminated format() type specifier');
        const bad = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
        throw invalidParameter(`unrecognized format() type specifier "${bad}"`);
      }
      let size = width === undefined ? 0 : Number(width);
      let left = minus === '-';
      if (whole.includes('*')) {
        const at = take(widthPosition);
        const value = args[at];
        if (value !== null && value !== undefined) {
          const wanted = Number(integerFromText(write(at + 1, value), 'integer', 2147483647n));
          size = Math.abs(wanted);
          left ||= wanted < 0;
        }
      }
      if (size > WIDTH_MAX)
        throw new StreamError('VALUE_PROGRAM_LIMIT', 'requested length too large');
      const index = take(position);
      const text = convert(kind, args[index] ?? null, (value) => write(index + 1, value));
      const fill = ' '.repeat(Math.max(size - characterCount(text), 0));
      return left ? text + fill : fill + text;
    },
  );
}

function convert(kind: string, value: Datum | null, write: (value: Datum) => string): string {
  if (value === null) {
    if (kind === 'I') {
      throw new StreamError(
        'VALUE_NULL_NOT_ALLOWED',
        'null values cannot be formatted as an SQL identifier',
      );
    }
    return kind === 'L' ? 'NULL' : '';
  }
  const text = write(value);
  if (kind === 'I') return quoteIdentifier(text);
  return kind === 'L' ? quoteLiteral(text) : text;
}

export const stringFormatNames = ['concat', 'concat_ws', 'format'];
