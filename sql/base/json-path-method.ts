/** Methods of single items in SQL/JSON paths: `.type()`, `.double()`, `.decimal(5, 2)`. */
import { assertNever } from './assert.ts';
import { StreamError } from './error.ts';
import { doubleFromText } from './float-text.ts';
import { isJsonArray, type JsonValue } from './json.ts';
import type { PlainMethod } from './json-path-syntax.ts';
import { Numeric } from './numeric.ts';
import { booleanFromText, integerFromText } from './text-input.ts';

type ScalarMethod = Exclude<PlainMethod, 'size' | 'keyvalue'>;

/** @throws StreamError VALUE_JSON_NOT_NUMERIC for an item that the method has no value for. */
export function scalarMethod(name: ScalarMethod, item: JsonValue): JsonValue {
  switch (name) {
    case 'type':
      return typeOf(item);
    case 'abs':
      return numberFor(name, item).abs();
    case 'ceiling':
      return numberFor(name, item).ceil();
    case 'floor':
      return numberFor(name, item).floor();
    case 'double':
      return double(item);
    case 'number':
      return parsed(item, name, 'numeric', Numeric.parse);
    case 'integer':
      return integer(item, name, 'integer', 2_147_483_647n);
    case 'bigint':
      return integer(item, name, 'bigint', 9_223_372_036_854_775_807n);
    case 'boolean':
      return boolean(item);
    case 'string':
      return string(item);
    default:
      return assertNever(name);
  }
}

/** The number rounded to a precision and a scale, where they are given. */
export function decimalMethod(
  item: JsonValue,
  precision: number | undefined,
  scale = 0,
): JsonValue {
  const value = parsed(item, 'decimal', 'numeric', Numeric.parse);
  if (precision === undefined) return value;
  if (precision < 1 || precision > 1000 || scale < -1000 || scale > 1000) {
    throw new StreamError(
      'VALUE_INVALID_PARAMETER',
      precision < 1 || precision > 1000
        ? `NUMERIC precision ${precision} must be between 1 and 1000`
        : `NUMERIC scale ${scale} must be between -1000 and 1000`,
    );
  }
  return checked(value.toString(), 'decimal', 'numeric', () => value.coerce(precision, scale));
}

function typeOf(item: JsonValue): string {
  if (item === null) return 'null';
  if (item instanceof Numeric) return 'number';
  if (isJsonArray(item)) return 'array';
  return typeof item;
}

function refused(name: string, kinds: string): StreamError {
  return new StreamError(
    'VALUE_JSON_NOT_NUMERIC',
    `jsonpath item method .${name}() can only be applied to a ${kinds} value`,
  );
}

function numberFor(name: string, item: JsonValue): Numeric {
  if (item instanceof Numeric) return item;
  throw refused(name, 'numeric');
}

/** The value of a text, with the method's error where the type's own input refuses it. */
function checked<T>(text: string, name: string, type: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof StreamError)) throw cause;
    throw new StreamError(
      'VALUE_JSON_NOT_NUMERIC',
      `argument "${text}" of jsonpath item method .${name}() is invalid for type ${type}`,
    );
  }
}

function noInfinity(name: string): StreamError {
  return new StreamError(
    'VALUE_JSON_NOT_NUMERIC',
    `NaN or Infinity is not allowed for jsonpath item method .${name}()`,
  );
}

function parsed(
  item: JsonValue,
  name: string,
  type: string,
  read: (text: string) => Numeric,
): Numeric {
  if (!(item instanceof Numeric) && typeof item !== 'string') {
    throw refused(name, 'string or numeric');
  }
  const value = item instanceof Numeric ? item : checked(item, name, type, () => read(item));
  if (!value.isFinite) throw noInfinity(name);
  return value;
}

function double(item: JsonValue): Numeric {
  if (!(item instanceof Numeric) && typeof item !== 'string') {
    throw refused('double', 'string or numeric');
  }
  const text = String(item);
  const value = checked(text, 'double', 'double precision', () => doubleFromText(text));
  if (!Number.isFinite(value)) throw noInfinity('double');
  return Numeric.fromDouble(value);
}

function integer(item: JsonValue, name: string, type: string, max: bigint): Numeric {
  if (item instanceof Numeric) {
    const value = item.round(0);
    return checked(item.toString(), name, type, () => {
      integerFromText(value.toString(), type, max);
      return value;
    });
  }
  if (typeof item !== 'string') throw refused(name, 'string or numeric');
  return checked(item, name, type, () => Numeric.fromInt(integerFromText(item, type, max)));
}

function boolean(item: JsonValue): boolean {
  if (typeof item === 'boolean') return item;
  if (item instanceof Numeric) {
    const text = item.toString();
    return (
      checked(text, 'boolean', 'boolean', () =>
        integerFromText(text, 'integer', 2_147_483_647n),
      ) !== 0n
    );
  }
  if (typeof item !== 'string') throw refused('boolean', 'boolean, string, or numeric');
  return checked(item, 'boolean', 'boolean', () => booleanFromText(item));
}

function string(item: JsonValue): string {
  if (typeof item === 'string') return item;
  if (item instanceof Numeric || typeof item === 'boolean') return String(item);
  throw refused('string', 'boolean, string, numeric, or datetime');
}
