/** The fields of a line of COPY's input, as PostgreSQL's CopyReadAttributesText and CopyReadAttributesCSV take them apart. */
import { StreamError } from '../../sql/base/error.ts';
import type { CopyFormat } from '../../sql/copy-format.ts';
import { simpleEscapes } from '../../sql/lexer-string.ts';

/** Stands for the column's default. */
export const DEFAULT_MARK = Symbol('default');

export type Field = string | null | typeof DEFAULT_MARK;

export interface FieldRules {
  /** Per column: an unquoted field that is NULL's text is that text. */
  readonly isNeverNull: readonly boolean[];
  /** Per column: a quoted field that is NULL's text is NULL too. */
  readonly isNullQuoted: readonly boolean[];
  /** Whether a field may stand for its column's default. Throws when the column has none. */
  readonly takesDefault: (column: number) => boolean;
}

/** Text is one character a byte, before and after. */
export function splitText(line: string, format: CopyFormat, rules: FieldRules): Field[] {
  const { delimiter } = format;
  if (!line.includes('\\')) {
    return line.split(delimiter).map((raw, i) => fieldOf(raw, raw, i, format, rules));
  }
  const fields: Field[] = [];
  let value = '';
  let start = 0;
  let at = 0;
  while (at < line.length) {
    const character = line[at] ?? '';
    if (character === delimiter) {
      fields.push(fieldOf(line.slice(start, at), value, fields.length, format, rules));
      value = '';
      start = ++at;
    } else if (character === '\\') {
      const escaped = escapedValue(line, at + 1);
      value += escaped.value;
      at = escaped.end;
    } else {
      value += character;
      at++;
    }
  }
  fields.push(fieldOf(line.slice(start), value, fields.length, format, rules));
  return fields;
}

/** What NULL and DEFAULT stand for is compared with the text as it was written. */
function fieldOf(
  raw: string,
  value: string,
  column: number,
  { nullText, defaultText }: CopyFormat,
  { takesDefault }: FieldRules,
): Field {
  if (raw === toBytes(nullText)) return null;
  const isDefault = defaultText !== undefined && raw === toBytes(defaultText);
  return isDefault && takesDefault(column) ? DEFAULT_MARK : value;
}

/** @param at  behind the backslash. */
function escapedValue(line: string, at: number): { readonly value: string; readonly end: number } {
  const character = line[at];
  if (character === undefined) return { value: '', end: at };
  const octal = /^[0-7]{1,3}/.exec(line.slice(at, at + 3))?.[0];
  if (octal !== undefined) {
    const byte = Number.parseInt(octal, 8) & 0xff;
    return { value: String.fromCharCode(byte), end: at + octal.length };
  }
  const hex =
    character === 'x' ? /^[0-9a-f]{1,2}/i.exec(line.slice(at + 1, at + 3))?.[0] : undefined;
  if (hex !== undefined) {
    return { value: String.fromCharCode(Number.parseInt(hex, 16)), end: at + 1 + hex.length };
  }
  return { value: simpleEscapes.get(character) ?? character, end: at + 1 };
}

/** @throws StreamError RECORD_MALFORMED. */
export function splitCsv(line: string, format: CopyFormat, rules: FieldRules): Field[] {
  const { delimiter, quote } = format;
  if (!line.includes(quote)) {
    return line.split(delimiter).map((raw, i) => csvField(raw, false, i, format, rules));
  }
  const fields: Field[] = [];
  for (let at = 0; ; ) {
    const { value, isQuoted, end } = csvValue(line, at, format);
    fields.push(csvField(value, isQuoted, fields.length, format, rules));
    if (end >= line.length) return fields;
    at = end + 1;
    // A delimiter at the end has an empty field behind it.
    if (at === line.length) {
      fields.push(csvField('', false, fields.length, format, rules));
      return fields;
    }
  }
}

interface CsvValue {
  readonly value: string;
  readonly isQuoted: boolean;
  /** The place of the delimiter, or the line's end. */
  readonly end: number;
}

function csvValue(line: string, from: number, format: CopyFormat): CsvValue {
  const { delimiter, quote, escape: escapedBy } = format;
  let value = '';
  let isQuoted = false;
  let isInside = false;
  let at = from;
  for (; at < line.length; at++) {
    const character = line[at] ?? '';
    if (!isInside) {
      if (character === delimiter) break;
      if (character === quote) {
        isQuoted = true;
        isInside = true;
      } else value += character;
      continue;
    }
    const next = line[at + 1];
    if (character === escapedBy && (next === escapedBy || next === quote)) {
      value += next;
      at++;
    } else if (character === quote) isInside = false;
    else value += character;
  }
  if (isInside) throw new StreamError('RECORD_MALFORMED', 'unterminated CSV quoted field');
  return { value, isQuoted, end: at };
}

function csvField(
  value: string,
  isQuoted: boolean,
  column: number,
  { nullText, defaultText }: CopyFormat,
  { isNeverNull, isNullQuoted, takesDefault }: FieldRules,
): Field {
  if (value === toBytes(nullText)) {
    if (isQuoted ? isNullQuoted[column] === true : isNeverNull[column] !== true) return null;
  }
  const isDefault = !isQuoted && defaultText !== undefined && value === toBytes(defaultText);
  return isDefault && takesDefault(column) ? DEFAULT_MARK : value;
}

const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text);

/** One character a byte. */
const toBytes = (text: string): string =>
  isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @param bytes  one character a byte. @throws StreamError VALUE_INVALID_ENCODING. */
export function decodeBytes(bytes: string): string {
  if (bytes.includes('\0')) throw invalidBytes([0]);
  if (isAscii(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  try {
    return utf8.decode(buffer);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw invalidBytes(firstInvalid(buffer));
  }
}

/** The bytes of the first character that is none, as many as its first byte promises. */
function firstInvalid(buffer: Buffer): readonly number[] {
  for (let at = 0; at < buffer.length; ) {
    const lead = buffer[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const bytes = buffer.subarray(at, at + length);
    try {
      utf8.decode(bytes);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      return lead > 0xf7 || (lead >= 0x80 && lead < 0xc0) ? [lead] : [...bytes];
    }
    at += length;
  }
  return [];
}

function invalidBytes(bytes: readonly number[]): StreamError {
  const shown = bytes.map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');
  return new StreamError(
    'VALUE_INVALID_ENCODING',
    `invalid byte sequence for encoding "UTF8": ${shown}`,
  );
}
