/** Text to datum: PostgreSQL's input functions, with its errors. */
import { assertNever } from './assert.ts';
import { byteaFromText } from './bytea.ts';
import { type ArrayItem, splitArray, splitRow } from './composite-text.ts';
import {
  dateFromText,
  timeFromText,
  timestampFromText,
  timestamptzFromText,
} from './datetime-input.ts';
import type { Datum } from './datum.ts';
import { StreamError } from './error.ts';
import { doubleFromText, realFromText } from './float-text.ts';
import { intervalFromText } from './interval-text.ts';
import { checkJson, jsonChildren, jsonToText, parseJson } from './json.ts';
import { memberFromJson } from './json-member.ts';
import { Numeric } from './numeric.ts';
import { emptyRange, makeRange, type RangeValue, rangeSubtype } from './range.ts';
import { splitRange } from './range-text.ts';
import { toLocal, utc, type Zone } from './timezone.ts';
import { isMapType, type MapType, type RangeName, type SqlType, typeName } from './type.ts';

const SMALLINT_MAX = 32767n;
const INTEGER_MAX = 2147483647n;
const BIGINT_MAX = 9223372036854775807n;

/**
 * Reads a value as PostgreSQL's input function of the type does. Text that is too long for
 * varchar(n) or char(n) is an error here (an explicit cast cuts it, see textToLength).
 * @param nowMicros resolves now, today, …; without it they are refused.
 * @param zone      of times with time zone that name none, and of what day it is.
 * @throws StreamError with PostgreSQL's SQLSTATE.
 */
export function fromText(text: string, type: SqlType, nowMicros?: bigint, zone: Zone = utc): Datum {
  const value = readText(text, type, nowMicros, zone);
  type.domain?.check(value);
  return value;
}

function readText(text: string, type: SqlType, nowMicros: bigint | undefined, zone: Zone): Datum {
  switch (type.kind) {
    case 'boolean':
      return booleanFromText(text);
    case 'smallint':
      return Number(integerFromText(text, 'smallint', SMALLINT_MAX));
    case 'integer':
      return Number(integerFromText(text, 'integer', INTEGER_MAX));
    case 'bigint':
      return integerFromText(text, 'bigint', BIGINT_MAX);
    case 'numeric': {
      const value = Numeric.parse(text);
      return type.precision === undefined ? value : value.coerce(type.precision, type.scale ?? 0);
    }
    case 'real':
      return realFromText(text);
    case 'double':
      return doubleFromText(text);
    case 'text':
    case 'unknown':
      return text;
    case 'varchar':
      return textToLength(text, type.length, 'varchar', false);
    case 'char':
      return textToLength(text, type.length, 'char', false);
    case 'bytea':
      return byteaFromText(text);
    case 'date':
      return dateFromText(text, localNow(nowMicros, zone));
    case 'time':
      return timeFromText(text, type.precision, localNow(nowMicros, zone));
    case 'timestamp':
      return timestampFromText(text, type.precision, localNow(nowMicros, zone));
    case 'timestamptz':
      return timestamptzFromText(text, type.precision, nowMicros, zone);
    case 'interval':
      return intervalFromText(text);
    case 'json':
      checkJson(text);
      return text;
    case 'jsonb':
      return jsonToText(parseJson(text));
    case 'uuid':
      return uuidFromText(text);
    case 'range':
      return rangeFromText(text, type.name, nowMicros, zone);
    case 'enum':
      return type.enumeration.placeOf(text);
    case 'array':
      if (isMapType(type)) return mapFromText(text, type, nowMicros, zone);
      return arrayFromItems(splitArray(text), type.element, nowMicros, zone);
    case 'row':
      return rowFromText(text, type.fields, nowMicros, zone);
    default:
      return assertNever(type);
  }
}

/** Bounds are read by the subtype's input. */
function rangeFromText(
  text: string,
  name: RangeName,
  nowMicros: bigint | undefined,
  zone: Zone,
): RangeValue {
  const parts = splitRange(text);
  if (parts === 'empty') return emptyRange(name);
  const subtype = rangeSubtype(name);
  const read = (bound: string | null): Datum | null =>
    bound === null ? null : fromText(bound, subtype, nowMicros, zone);
  return makeRange(
    name,
    { value: read(parts.lower), inclusive: parts.lowerInclusive, isLower: true },
    { value: read(parts.upper), inclusive: parts.upperInclusive, isLower: false },
  );
}

/** A map is written as a JSON object. */
function mapFromText(
  text: string,
  type: MapType,
  nowMicros: bigint | undefined,
  zone: Zone,
): Datum {
  checkJson(text);
  if (jsonChildren(text)?.kind !== 'object') throw invalid(typeName(type), text);
  const map = memberFromJson(text, type, (part, own) => fromText(part, own, nowMicros, zone));
  return map ?? [];
}

function localNow(nowMicros: bigint | undefined, zone: Zone): bigint | undefined {
  return nowMicros === undefined ? undefined : toLocal(zone, nowMicros);
}

function invalid(name: string, text: string): StreamError {
  return new StreamError('VALUE_INVALID_TEXT', `invalid input syntax for type ${name}: "${text}"`);
}

const trues = new Set(['t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1']);
const falses = new Set(['f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0']);

/** @throws StreamError VALUE_INVALID_TEXT. */
export function booleanFromText(text: string): boolean {
  const word = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '').toLowerCase();
  if (trues.has(word)) return true;
  if (falses.has(word)) return false;
  throw invalid('boolean', text);
}

function tooLarge(typeName: string, text: string): StreamError {
  return new StreamError(
    'VALUE_OUT_OF_RANGE',
    `value "${text}" is out of range for type ${typeName}`,
  );
}

const integerPattern =
  /^[ \t\n\v\f\r]*([+-]?)(?:(\d+(?:_\d+)*)|0([xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+))[ \t\n\v\f\r]*$/;

/** @throws StreamError VALUE_INVALID_TEXT, VALUE_OUT_OF_RANGE. */
export function integerFromText(text: string, typeName: string, max: bigint): bigint {
  const match = integerPattern.exec(text);
  if (match === null) {
    // PostgreSQL notices too many digits before it looks at what follows them.
    const digits = /^[ \t\n\v\f\r]*[+-]?(\d+)/.exec(text)?.[1];
    if (digits !== undefined && BigInt(digits) > max + 1n) throw tooLarge(typeName, text);
    throw invalid(typeName, text);
  }
  const digits = (match[2] ?? `0${match[3]}`).replaceAll('_', '');
  const magnitude = BigInt(digits);
  const value = match[1] === '-' ? -magnitude : magnitude;
  if (value > max || value < -max - 1n) {
    throw tooLarge(typeName, text);
  }
  return value;
}

const uuidPattern = /^(?:[0-9a-f]{4}-?){8}$/i;

function uuidFromText(text: string): string {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  if (!uuidPattern.test(inner) || inner.endsWith('-')) throw invalid('uuid', text);
  const digits = inner.replaceAll('-', '').toLowerCase();
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}

/**
 * Fits text to varchar(n) or char(n), n counting code points; char is padded with blanks.
 * Too long is an error unless `cut` (an explicit cast) or only blanks are lost.
 * @throws StreamError VALUE_TOO_LONG.
 */
export function textToLength(
  text: string,
  length: number | undefined,
  kind: 'varchar' | 'char',
  cut: boolean,
): string {
  if (length === undefined) return text;
  // A UTF-16 length within bounds has no more code points than that; the common case costs nothing.
  if (text.length <= length && kind === 'varchar') return text;
  const characters = [...text];
  if (characters.length > length) {
    const rest = characters.slice(length);
    if (!cut && rest.some((character) => character !== ' ')) {
      const name = kind === 'char' ? 'character' : 'character varying';
      throw new StreamError('VALUE_TOO_LONG', `value too long for type ${name}(${length})`);
    }
    return characters.slice(0, length).join('');
  }
  return kind === 'char' ? text + ' '.repeat(length - characters.length) : text;
}

function arrayFromItems(
  items: readonly ArrayItem[],
  element: SqlType,
  nowMicros: bigint | undefined,
  zone: Zone,
): readonly (Datum | null)[] {
  return items.map((item) => {
    if (item === null) return null;
    if (typeof item === 'string') return fromText(item, element, nowMicros, zone);
    const inner = element.kind === 'array' ? element.element : element;
    return arrayFromItems(item, inner, nowMicros, zone);
  });
}

function rowFromText(
  text: string,
  fields: readonly { readonly type: SqlType }[],
  nowMicros: bigint | undefined,
  zone: Zone,
): readonly (Datum | null)[] {
  const parts = splitRow(text);
  if (parts.length !== fields.length) {
    throw new StreamError('VALUE_INVALID_TEXT', `malformed record literal: "${text}"`);
  }
  return parts.map((part, index) =>
    part === null
      ? null
      : fromText(part, (fields[index] as { type: SqlType }).type, nowMicros, zone),
  );
}
