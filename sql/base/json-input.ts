/** JSON values from HTTP bodies and parameters to datums. */
import type { Datum } from './datum.ts';
import { StreamError } from './error.ts';
import { type JsonValue, jsonToText } from './json.ts';
import { mapOf } from './map.ts';
import { Numeric } from './numeric.ts';
import { fromText } from './text-input.ts';
import { isMapType, keyAndValue, type SqlType, typeName } from './type.ts';

/**
 * Converts what JSON.parse or parseJson (which keeps every digit) gave into a datum: numbers,
 * booleans and strings through PostgreSQL's input function, JSON containers into arrays, rows and
 * jsonb; JSON null is SQL NULL, also for jsonb.
 * @throws StreamError as fromText, and VALUE_INVALID_TEXT for a JSON kind that the type cannot take.
 */
export function fromJson(value: unknown, type: SqlType, nowMicros?: bigint): Datum | null {
  if (value === null || value === undefined) return null;
  if (type.kind === 'json' || type.kind === 'jsonb') return jsonToText(toJsonValue(value));
  if (typeof value === 'string') return fromText(value, type, nowMicros);
  if (Array.isArray(value)) return containerFromJson(value, type, nowMicros);
  if (value instanceof Map) return rowFromJson((name) => value.get(name), value, type, nowMicros);
  if (value instanceof Numeric) return numberFromJson(value.toString(), value, type, nowMicros);
  switch (typeof value) {
    case 'boolean':
      if (type.kind === 'boolean') return value;
      return fromText(value ? 'true' : 'false', type, nowMicros);
    case 'number':
    case 'bigint':
      return numberFromJson(String(value), value, type, nowMicros);
    case 'object': {
      const members = new Map(Object.entries(value));
      return rowFromJson((name) => members.get(name), value, type, nowMicros);
    }
    default:
      throw mismatch(value, type);
  }
}

function mismatch(value: unknown, type: SqlType): StreamError {
  const shown = Array.isArray(value)
    ? 'array'
    : typeof value === 'object'
      ? 'object'
      : typeof value;
  return new StreamError(
    'VALUE_INVALID_TEXT',
    `a JSON ${shown} cannot be read as ${typeName(type)}`,
  );
}

/** 1.0 and 1e3 are whole numbers in JSON, though not for PostgreSQL's integer input. */
function numberFromJson(
  text: string,
  value: number | bigint | Numeric,
  type: SqlType,
  nowMicros: bigint | undefined,
): Datum {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint': {
      const number = value instanceof Numeric ? value : Numeric.parse(text);
      const whole = number.truncate(0);
      return fromText(whole.equals(number) ? whole.toString() : text, type, nowMicros);
    }
    case 'boolean':
      throw mismatch(value, type);
    default:
      return fromText(text, type, nowMicros);
  }
}

function containerFromJson(
  items: readonly unknown[],
  type: SqlType,
  nowMicros: bigint | undefined,
): Datum {
  if (type.kind === 'array' && !isMapType(type)) {
    return items.map((item) => fromJson(item, type.element, nowMicros));
  }
  if (type.kind === 'row' && items.length === type.fields.length) {
    return type.fields.map((field, index) => fromJson(items[index], field.type, nowMicros));
  }
  if (type.kind === 'text' || type.kind === 'varchar') return jsonToText(toJsonValue(items));
  throw mismatch(items, type);
}

function rowFromJson(
  member: (name: string) => unknown,
  value: unknown,
  type: SqlType,
  nowMicros: bigint | undefined,
): Datum {
  if (isMapType(type)) {
    const own = value instanceof Map ? value : Object.entries(value as object);
    const { key, value: item } = keyAndValue(type);
    return mapOf(
      [...(own as Iterable<[string, unknown]>)].map(([name, one]) => [
        fromText(name, key, nowMicros),
        fromJson(one, item, nowMicros),
      ]),
      key,
    );
  }
  if (type.kind === 'row') {
    return type.fields.map((field) => fromJson(member(field.name), field.type, nowMicros));
  }
  if (type.kind === 'text' || type.kind === 'varchar') return jsonToText(toJsonValue(value));
  throw mismatch(value, type);
}

/** A plain JavaScript JSON value as the tree of json.ts. */
export function toJsonValue(value: unknown): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'string' || value instanceof Numeric) {
    return value;
  }
  if (typeof value === 'number' || typeof value === 'bigint') return Numeric.parse(String(value));
  if (Array.isArray(value)) return value.map(toJsonValue);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const members = new Map<string, JsonValue>();
  for (const [key, item] of entries) members.set(String(key), toJsonValue(item));
  return members;
}
