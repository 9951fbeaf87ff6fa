/**
 * One JSON value, given as a range of bytes that was walked before, becomes one SQL value.
 *
 * | JSON                     | column                 | value                                                     |
 * | ------------------------ | ---------------------- | --------------------------------------------------------- |
 * | null                     | any                    | NULL                                                      |
 * | string                   | text, varchar, char    | the string (U+0000, a lone surrogate: U+FFFD)             |
 * | number, boolean, object… | text, varchar, char    | its JSON text as written                                  |
 * | anything                 | json / jsonb           | its JSON text as written / PostgreSQL's canonical text    |
 * | number                   | smallint … bigint      | exact; 1.0 and 1e3 are integers, 1.5 is refused           |
 * | number                   | numeric                | exact, digits kept as scale (1.50 has scale 2)            |
 * | number                   | real, double           | the nearest one; beyond the type's range is refused       |
 * | number                   | timestamp, timestamptz | milliseconds since 1970-01-01 UTC                         |
 * | number                   | date                   | days since 1970-01-01                                     |
 * | string                   | bytea                  | base64; PostgreSQL's \x form too                          |
 * | array / object           | array / row            | element by element / by field name                        |
 * | string, other scalars    | all other types        | what PostgreSQL's input function makes of the text        |
 */
import { requireStorable } from '../../sql/base/array-shape.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { jsonToText, parseJson } from '../../sql/base/json.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { fromText } from '../../sql/base/text-input.ts';
import { type SqlType, typeName } from '../../sql/base/type.ts';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  type JsonWalker,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from './json-walker.ts';

const NULL_BYTE = 110; // n
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const THOUSAND = new Numeric(1000n, 0);
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The value of a column of records, from its text. @throws StreamError as fromText; SQL_NOT_SUPPORTED. */
export function storedFromText(text: string, type: SqlType, column: string): Datum {
  return requireStorable(fromText(text, type), type, column);
}

/**
 * The text of a JSON string token, quotes included in the range. U+0000 and lone surrogates are legal in JSON, but no
 * text of PostgreSQL holds them.
 */
export function jsonString(bytes: Buffer, start: number, end: number): string {
  const token = bytes.utf8Slice(start, end);
  if (!token.includes('\\')) return token.slice(1, -1);
  return (JSON.parse(token) as string).toWellFormed().replaceAll('\0', '\ufffd');
}

/**
 * Reads any value into any type, exactly; the fast readers come here with what they do not know.
 * @throws StreamError as PostgreSQL's input function of the type does.
 */
export function jsonDatum(
  walker: JsonWalker,
  type: SqlType,
  start: number,
  end: number,
): Datum | null {
  const { bytes } = walker;
  const first = bytes[start];
  if (first === NULL_BYTE) return null;
  if (type.kind === 'json') return bytes.utf8Slice(start, end);
  if (type.kind === 'jsonb') return jsonToText(parseJson(bytes.utf8Slice(start, end)));
  if (first === QUOTE) {
    const text = jsonString(bytes, start, end);
    return type.kind === 'bytea' && !text.startsWith('\\x')
      ? fromBase64(text)
      : fromText(text, type);
  }
  if (first === OPEN_ARRAY && type.kind === 'array') return jsonArray(walker, type.element, start);
  if (first === OPEN_OBJECT && type.kind === 'row') return jsonRow(walker, type.fields, start);
  const text = bytes.utf8Slice(start, end);
  const number = first !== OPEN_ARRAY && first !== OPEN_OBJECT && first !== 116 && first !== 102;
  return number ? numberDatum(text, type) : fromText(text, type);
}

/** `text` is a legal JSON number. */
function numberDatum(text: string, type: SqlType): Datum {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return fromText(/[.eE]/.test(text) ? integralText(text) : text, type);
    case 'timestamp':
    case 'timestamptz':
      return epochMicros(text);
    case 'date':
      return epochDays(text);
    default:
      return fromText(text, type);
  }
}

/** 1.0 and 1e3 as digits; anything else as it was, so that the type's input refuses it. */
function integralText(text: string): string {
  const value = Numeric.parse(text);
  const whole = value.truncate(0);
  // A bound on the digits: 1e100000 is legal JSON, and its text need not be built to refuse it.
  if (whole.compare(value) !== 0 || whole.unscaled > INT64_MAX || whole.unscaled < INT64_MIN) {
    return text;
  }
  return whole.toString();
}

function epochMicros(text: string): bigint {
  const micros = Numeric.parse(text).multiply(THOUSAND).round(0).unscaled;
  if (micros > INT64_MAX || micros < INT64_MIN) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', `timestamp out of range: "${text}"`);
  }
  return micros;
}

function epochDays(text: string): number {
  const days = Number(integralText(text));
  if (!Number.isInteger(days) || Math.abs(days) > 2_147_483_646) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', `date out of range: "${text}"`);
  }
  return days;
}

function fromBase64(text: string): Uint8Array {
  if (!base64Pattern.test(text)) {
    throw new StreamError('VALUE_INVALID_TEXT', 'invalid base64 text for type bytea');
  }
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function jsonArray(walker: JsonWalker, element: SqlType, start: number): Datum {
  const items: (Datum | null)[] = [];
  let at = walker.space(start + 1);
  while (walker.bytes[at] !== CLOSE_ARRAY) {
    const end = walker.value(at);
    items.push(jsonDatum(walker, element, at, end));
    at = walker.space(end);
    if (walker.bytes[at] !== CLOSE_ARRAY) at = walker.space(at + 1);
  }
  return items;
}

function jsonRow(
  walker: JsonWalker,
  fields: readonly { readonly name: string; readonly type: SqlType }[],
  start: number,
): Datum {
  const ranges = new Map<string, { readonly start: number; readonly end: number }>();
  let at = walker.space(start + 1);
  while (walker.bytes[at] !== CLOSE_OBJECT) {
    const keyEnd = walker.string(at + 1);
    const name = jsonString(walker.bytes, at, keyEnd);
    const valueStart = walker.key(at);
    const valueEnd = walker.value(valueStart);
    ranges.set(name, { start: valueStart, end: valueEnd });
    at = walker.space(valueEnd);
    if (walker.bytes[at] !== CLOSE_OBJECT) at = walker.space(at + 1);
  }
  const folded = new Map([...ranges].map(([name, range]) => [asciiLower(name), range]));
  return fields.map(({ name, type }) => {
    const range = ranges.get(name) ?? folded.get(asciiLower(name));
    return range === undefined ? null : jsonDatum(walker, type, range.start, range.end);
  });
}

/** Only A to Z change: names in other scripts are matched as they are. */
export function asciiLower(name: string): string {
  return name.replace(/[A-Z]+/g, (upper) => upper.toLowerCase());
}

/** Names the field in an error about its value. */
export function fieldError(field: string, type: SqlType, error: unknown): StreamError {
  if (!(error instanceof StreamError)) throw error;
  return new StreamError(error.code, `field "${field}" (${typeName(type)}): ${error.message}`, {
    detail: error.detail,
    cause: error,
  });
}
