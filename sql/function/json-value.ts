/** SQL values as JSON documents, the way to_jsonb() turns them. */
import { assertNever } from '../base/assert.ts';
import { isInfiniteTimestamp } from '../base/datetime.ts';
import { timestampToText } from '../base/datetime-text.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { type JsonValue, jsonToText, parseJson, quoteJson } from '../base/json.ts';
import { Numeric } from '../base/numeric.ts';
import { toText } from '../base/text-output.ts';
import { isMapType, keyAndValue, type MapType, type SqlType } from '../base/type.ts';

/** to_jsonb: numbers stay numbers, timestamps become ISO 8601 text, anything else its text. */
export function datumToJson(datum: Datum | null, type: SqlType): JsonValue {
  if (datum === null) return null;
  switch (type.kind) {
    case 'boolean':
      return datum as boolean;
    case 'smallint':
    case 'integer':
    case 'bigint':
      return Numeric.fromInt(datum as number | bigint);
    case 'numeric': {
      const value = datum as Numeric;
      return value.isFinite ? value : value.special;
    }
    case 'real':
    case 'double':
      return Number.isFinite(datum) ? Numeric.parse(toText(datum, type)) : String(datum);
    case 'json':
    case 'jsonb':
      return parseJson(datum as string);
    case 'timestamp':
      return timestampToText(datum as bigint, 'T');
    case 'timestamptz':
      return timestampToText(
        datum as bigint,
        'T',
        isInfiniteTimestamp(datum as bigint) ? '' : '+00:00',
      );
    case 'array':
      if (isMapType(type)) {
        return new Map(
          members(datum, type).map(([name, item, own]) => [name, datumToJson(item, own)]),
        );
      }
      return (datum as readonly (Datum | null)[]).map((item) =>
        datumToJson(item, itemType(item, type)),
      );
    case 'row': {
      const values = datum as readonly (Datum | null)[];
      return new Map(
        type.fields.map((field, index) => [
          field.name,
          datumToJson(values[index] ?? null, field.type),
        ]),
      );
    }
    case 'text':
    case 'varchar':
    case 'char':
    case 'uuid':
    case 'enum':
    case 'bytea':
    case 'date':
    case 'time':
    case 'interval':
    case 'range':
    case 'unknown':
      return toText(datum, type);
    default:
      return assertNever(type);
  }
}

/** Of a map: name, value, and the value's type. */
function members(
  datum: Datum,
  type: MapType,
): readonly (readonly [string, Datum | null, SqlType])[] {
  const { key, value } = keyAndValue(type);
  return (datum as readonly (readonly [Datum, Datum | null])[]).map(([own, item]) => [
    toText(own, key),
    item,
    value,
  ]);
}

/** A further dimension is an array inside, which the type int[] does not tell. */
function itemType(item: Datum | null, type: SqlType & { readonly kind: 'array' }): SqlType {
  const { element } = type;
  const isInner = Array.isArray(item) && element.kind !== 'row' && element.kind !== 'array';
  return isInner ? type : element;
}

/** A value as an object's key: its text; containers are refused. */
export function datumToJsonKey(datum: Datum, type: SqlType): string {
  switch (type.kind) {
    case 'json':
    case 'jsonb':
    case 'array':
    case 'row':
      throw new StreamError(
        'VALUE_INVALID_PARAMETER',
        'key value must be scalar, not array, composite, or json',
      );
    case 'boolean':
      return datum === true ? 'true' : 'false';
    case 'timestamp':
    case 'timestamptz':
      return String(datumToJson(datum, type));
    default:
      return toText(datum, type);
  }
}

/**
 * to_json: the document's text as PostgreSQL composes it for the type json, without blanks, with
 * doubles and embedded documents as they print.
 */
export function datumToJsonText(datum: Datum | null, type: SqlType, pretty = false): string {
  if (datum === null) return 'null';
  const separator = pretty ? ',\n ' : ',';
  switch (type.kind) {
    case 'json':
    case 'jsonb':
      return datum as string;
    case 'real':
    case 'double':
      return Number.isFinite(datum) ? toText(datum, type) : `"${String(datum)}"`;
    case 'array': {
      if (isMapType(type)) {
        const parts = members(datum, type).map(
          ([name, item, own]) => `${quoteJson(name)}:${datumToJsonText(item, own)}`,
        );
        return `{${parts.join(',')}}`;
      }
      const items = datum as readonly (Datum | null)[];
      return `[${items.map((item) => datumToJsonText(item, itemType(item, type))).join(separator)}]`;
    }
    case 'row': {
      const values = datum as readonly (Datum | null)[];
      const members = type.fields.map(
        (field, index) =>
          `${quoteJson(field.name)}:${datumToJsonText(values[index] ?? null, field.type)}`,
      );
      return `{${members.join(separator)}}`;
    }
    default:
      return jsonToText(datumToJson(datum, type));
  }
}
