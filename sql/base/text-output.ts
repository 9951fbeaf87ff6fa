/** Datum to text: PostgreSQL's output functions, and the JSON of Millrace's HTTP answers. */
import { assert, assertNever } from './assert.ts';
import { byteaToText } from './bytea.ts';
import { quoteArrayElement, quoteRowField } from './composite-text.ts';
import {
  dateToText,
  intervalToText,
  timestampToText,
  timestamptzToText,
  timeToText,
} from './datetime-text.ts';
import type { Datum } from './datum.ts';
import { doubleToText, realToText } from './float-text.ts';
import type { Interval } from './interval.ts';
import { quoteJson } from './json.ts';
import type { Numeric } from './numeric.ts';
import type { RangeValue } from './range.ts';
import { utc, type Zone } from './timezone.ts';
import {
  isMapType,
  keyAndValue,
  type MapType,
  type SqlType,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
} from './type.ts';

type Writer = (datum: Datum) => string;

const writers = new WeakMap<SqlType, Writer>();
const jsonWriters = new WeakMap<SqlType, Writer>();

/** The text that PostgreSQL's output function prints: `t`, `1e+20`, `{1,NULL}`, `2024-01-01 00:00:00`. */
export function toText(datum: Datum, type: SqlType): string {
  return textWriter(type)(datum);
}

/** The same as a function of one type, for loops over many values. */
export function textWriter(type: SqlType): Writer {
  let writer = writers.get(type);
  if (writer === undefined) {
    writer = buildWriter(type, utc);
    writers.set(type, writer);
  }
  return writer;
}

/** The same with instants as the zone shows them. */
export function zonedTextWriter(type: SqlType, zone: Zone): Writer {
  return buildWriter(type, zone);
}

function asString(datum: Datum): string {
  return String(datum);
}

function buildWriter(type: SqlType, zone: Zone): Writer {
  switch (type.kind) {
    case 'boolean':
      return (datum) => (datum === true ? 't' : 'f');
    case 'smallint':
    case 'integer':
    case 'bigint':
      return asString;
    case 'numeric':
      return (datum) => (datum as Numeric).toString();
    case 'real':
      return (datum) => realToText(datum as number);
    case 'double':
      return (datum) => doubleToText(datum as number);
    case 'text':
    case 'varchar':
    case 'char':
    case 'uuid':
    case 'json':
    case 'jsonb':
    case 'unknown':
      return (datum) => datum as string;
    case 'bytea':
      return (datum) => byteaToText(datum as Uint8Array);
    case 'date':
      return (datum) => dateToText(datum as number);
    case 'time':
      return (datum) => timeToText(datum as bigint);
    case 'timestamp':
      return (datum) => timestampToText(datum as bigint);
    case 'timestamptz':
      return (datum) => timestamptzToText(datum as bigint, zone);
    case 'interval':
      return (datum) => intervalToText(datum as Interval);
    case 'range':
      return (datum) => (datum as RangeValue).toString(zone);
    case 'enum':
      return (datum) => type.enumeration.labelOf(datum as number);
    case 'array':
      return isMapType(type) ? mapJsonWriter(type) : arrayWriter(type.element, zone);
    case 'row':
      return rowWriter(
        type.fields.map((field) => field.type),
        zone,
      );
    default:
      return assertNever(type);
  }
}

function asItems(datum: Datum): readonly (Datum | null)[] {
  assert(Array.isArray(datum), 'an array or row datum is a JavaScript array');
  return datum;
}

/** Several dimensions are nested arrays; the type may name the innermost element only, as int[] does. */
function isNested(item: Datum, element: SqlType): boolean {
  return Array.isArray(item) && element.kind !== 'row' && !isMapType(element);
}

/** A map is one value. */
const innermostOf = (element: SqlType): SqlType =>
  element.kind === 'array' && !isMapType(element) ? element.element : element;

function arrayWriter(element: SqlType, zone: Zone): Writer {
  const innermost = innermostOf(element);
  const write = buildWriter(innermost, zone);
  const writeItems = (datum: Datum): string => {
    const items = asItems(datum).map((item) => {
      if (item === null) return 'NULL';
      return isNested(item, innermost) ? writeItems(item) : quoteArrayElement(write(item));
    });
    return `{${items.join(',')}}`;
  };
  return writeItems;
}

function rowWriter(types: readonly SqlType[], zone: Zone): Writer {
  const write = types.map((type) => buildWriter(type, zone));
  return (datum) => {
    const fields = asItems(datum).map((item, index) =>
      item === null ? '' : quoteRowField((write[index] as Writer)(item)),
    );
    return `(${fields.join(',')})`;
  };
}

/**
 * One value in an HTTP answer: numbers with all their digits, NaN and ±Infinity as strings,
 * timestamps as ISO 8601 (timestamptz in UTC with Z), arrays, rows and jsonb as JSON, and
 * PostgreSQL's text of everything else as a string.
 */
export function toJson(datum: Datum | null, type: SqlType): string {
  return datum === null ? 'null' : jsonWriter(type)(datum);
}

/** The same for non-NULL values of one type, for loops over many values. */
export function jsonWriter(type: SqlType): Writer {
  let writer = jsonWriters.get(type);
  if (writer === undefined) {
    writer = buildJsonWriter(type);
    jsonWriters.set(type, writer);
  }
  return writer;
}

function isInfinite(micros: Datum): boolean {
  return micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_NEGATIVE_INFINITY;
}

function buildJsonWriter(type: SqlType): Writer {
  switch (type.kind) {
    case 'boolean':
      return (datum) => (datum === true ? 'true' : 'false');
    case 'smallint':
    case 'integer':
    case 'bigint':
      return asString;
    case 'real':
    case 'double': {
      const write = textWriter(type);
      return (datum) => (Number.isFinite(datum) ? write(datum) : `"${String(datum)}"`);
    }
    case 'numeric':
      return (datum) => {
        const value = datum as Numeric;
        return value.isFinite ? value.toString() : `"${value.special}"`;
      };
    case 'json':
    case 'jsonb':
      return (datum) => datum as string;
    case 'text':
    case 'varchar':
    case 'char':
    case 'unknown':
      return (datum) => quoteJson(datum as string);
    case 'timestamp':
      return (datum) => `"${timestampToText(datum as bigint, 'T')}"`;
    case 'timestamptz':
      return (datum) => `"${timestampToText(datum as bigint, 'T', isInfinite(datum) ? '' : 'Z')}"`;
    case 'uuid':
    case 'bytea':
    case 'date':
    case 'time':
    case 'interval': {
      const write = textWriter(type);
      // Of these texts only bytea's has a character to escape.
      return type.kind === 'bytea'
        ? (datum) => `"\\${write(datum)}"`
        : (datum) => `"${write(datum)}"`;
    }
    case 'range':
      return (datum) => quoteJson(String(datum));
    case 'enum':
      return (datum) => quoteJson(type.enumeration.labelOf(datum as number));
    case 'array':
      return isMapType(type) ? mapJsonWriter(type) : arrayJsonWriter(type.element);
    case 'row':
      return rowJsonWriter(type.fields);
    default:
      return assertNever(type);
  }
}

function arrayJsonWriter(element: SqlType): Writer {
  const innermost = innermostOf(element);
  const write = jsonWriter(innermost);
  const writeItems = (datum: Datum): string => {
    const items = asItems(datum).map((item) => {
      if (item === null) return 'null';
      return isNested(item, innermost) ? writeItems(item) : write(item);
    });
    return `[${items.join(',')}]`;
  };
  return writeItems;
}

/** An object whose names are the keys' texts; this is a map's text, too. */
function mapJsonWriter(type: MapType): Writer {
  const { key, value } = keyAndValue(type);
  const [writeKey, writeValue] = [textWriter(key), jsonWriter(value)];
  return (datum) => {
    const members = asItems(datum).map((entry) => {
      const [own = null, item = null] = asItems(entry ?? []);
      assert(own !== null, 'no key of a map is NULL');
      return `${quoteJson(writeKey(own))}:${item === null ? 'null' : writeValue(item)}`;
    });
    return `{${members.join(',')}}`;
  };
}

function rowJsonWriter(
  fields: readonly { readonly name: string; readonly type: SqlType }[],
): Writer {
  const write = fields.map((field) => jsonWriter(field.type));
  const names = fields.map((field) => quoteJson(field.name));
  return (datum) => {
    const members = asItems(datum).map((item, index) => {
      const value = item === null ? 'null' : (write[index] as Writer)(item);
      return `${names[index]}:${value}`;
    });
    return `{${members.join(',')}}`;
  };
}
