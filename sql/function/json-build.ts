/** Documents from SQL values: to_jsonb, jsonb_build_object, jsonb_build_array. */
import type { Datum, Row } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { type JsonValue, jsonToText, quoteJson } from '../base/json.ts';
import type { Schema, SqlType } from '../base/type.ts';
import { duplicateKey } from './aggregate-json.ts';
import { invalidParameter, types } from './define.ts';
import { jsonRecord } from './json-record.ts';
import { datumToJson, datumToJsonKey, datumToJsonText } from './json-value.ts';
import type { ScalarFunction } from './scalar-function.ts';

type Values = readonly (Datum | null)[];

function builder(
  name: string,
  argTypes: readonly SqlType[],
  strict: boolean,
  description: string,
  build: (values: Values) => string,
): ScalarFunction {
  return {
    name,
    parameters: argTypes,
    result: name.includes('jsonb') ? types.jsonb : types.json,
    strict,
    evaluate: (...values: Values) => build(values),
    description,
    family: 'json',
  };
}

/** Keys and the numbers of the arguments that are their values. */
function members(name: string, values: Values, argTypes: readonly SqlType[]): [string, number][] {
  if (values.length % 2 !== 0) {
    throw invalidParameter('argument list must have even number of elements');
  }
  const entries: [string, number][] = [];
  for (let index = 0; index < values.length; index += 2) {
    const key = values[index] ?? null;
    if (key === null) throw nullKey(name, index + 1);
    entries.push([datumToJsonKey(key, argTypes[index] as SqlType), index + 1]);
  }
  return entries;
}

function nullKey(name: string, position: number): StreamError {
  if (name === 'json_build_object') {
    return new StreamError('VALUE_NULL_NOT_ALLOWED', 'null value not allowed for object key');
  }
  return invalidParameter(`argument ${position}: key must not be null`);
}

/** The json variant prints ` : ` and keeps the order and duplicates of its keys. */
function objectText(name: string, values: Values, argTypes: readonly SqlType[]): string {
  const entries = members(name, values, argTypes);
  if (name === 'jsonb_build_object') {
    const value = (at: number): JsonValue =>
      datumToJson(values[at] ?? null, argTypes[at] as SqlType);
    return jsonToText(new Map(entries.map(([key, at]) => [key, value(at)])));
  }
  const text = (at: number): string => datumToJsonText(values[at] ?? null, argTypes[at] as SqlType);
  return `{${entries.map(([key, at]) => `${quoteJson(key)} : ${text(at)}`).join(', ')}}`;
}

/** JSON_OBJECT with ABSENT ON NULL or WITH UNIQUE KEYS; keys of values that are left out count, too. */
function jsonObjectOf(
  values: Values,
  argTypes: readonly SqlType[],
  absent: boolean,
  unique: boolean,
): string {
  const entries = members('json_build_object', values, argTypes);
  const seen = new Set<string>();
  for (const [key] of entries) {
    if (unique && seen.has(key)) throw duplicateKey(key);
    seen.add(key);
  }
  const kept = entries.filter(([, at]) => !absent || (values[at] ?? null) !== null);
  const text = (at: number): string => datumToJsonText(values[at] ?? null, argTypes[at] as SqlType);
  return `{${kept.map(([key, at]) => `${quoteJson(key)} : ${text(at)}`).join(', ')}}`;
}

function fitsRecord(document: string, fields: Schema, base: Row | null): boolean {
  try {
    jsonRecord(document, fields, base);
    return true;
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return false;
  }
}

export const jsonBuildNames = [
  'to_jsonb',
  'to_json',
  'jsonb_build_object',
  'json_build_object',
  'jsonb_build_array',
  'json_build_array',
  'row_to_json',
  'json_array',
  'json_object_of',
  'json_scalar',
  'json_serialize',
  'json_populate_record',
  'jsonb_populate_record',
  'jsonb_populate_record_valid',
];

/** Types that a document may come as; an untyped literal is a text. */
const DOCUMENT_KINDS: ReadonlySet<SqlType['kind']> = new Set(['json', 'jsonb', 'text']);

/** The overload for exactly these argument types; every argument may be of any type. */
export function resolveJsonBuild(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  const [first] = argTypes;
  switch (name) {
    case 'to_jsonb':
    case 'to_json':
    case 'row_to_json': {
      if (first === undefined) return undefined;
      if (argTypes.length > (name === 'row_to_json' ? 2 : 1)) return undefined;
      if (argTypes.length === 2 && argTypes[1]?.kind !== 'boolean') return undefined;
      if (name === 'row_to_json' && first.kind !== 'row') return undefined;
      return builder(name, argTypes, true, 'value as a JSON document', ([value = null, pretty]) =>
        name === 'to_jsonb'
          ? jsonToText(datumToJson(value, first))
          : datumToJsonText(value, first, pretty === true),
      );
    }
    case 'jsonb_build_object':
    case 'json_build_object':
      return builder(name, argTypes, false, 'object of alternating keys and values', (values) =>
        objectText(name, values, argTypes),
      );
    case 'jsonb_build_array':
    case 'json_build_array': {
      const canonical = name === 'jsonb_build_array';
      return builder(name, argTypes, false, 'array of the arguments', (values) => {
        const typeAt = (index: number): SqlType => argTypes[index] as SqlType;
        if (canonical) return jsonToText(values.map((value, at) => datumToJson(value, typeAt(at))));
        return `[${values.map((value, at) => datumToJsonText(value, typeAt(at))).join(', ')}]`;
      });
    }
    // The constructors of SQL/JSON that the parser leaves by their own name.
    case 'json_array':
      return builder(
        name,
        argTypes,
        false,
        'array of the arguments that are not NULL',
        (values) => {
          const items = values.flatMap((value, at) =>
            value === null ? [] : [datumToJsonText(value, argTypes[at] as SqlType)],
          );
          return `[${items.join(', ')}]`;
        },
      );
    case 'json_object_of':
      return builder(name, argTypes, false, 'object of alternating keys and values', (values) => {
        const [absent, unique, ...pairs] = values;
        return jsonObjectOf(pairs, argTypes.slice(2), absent === true, unique === true);
      });
    case 'json_scalar':
      if (first === undefined || argTypes.length > 1) return undefined;
      return builder(name, argTypes, true, 'scalar as a JSON document', ([value = null]) =>
        datumToJsonText(value, first),
      );
    case 'json_populate_record':
    case 'jsonb_populate_record': {
      const [, given] = argTypes;
      if (first?.kind !== 'row' || argTypes.length !== 2) return undefined;
      if (given === undefined || !DOCUMENT_KINDS.has(given.kind)) return undefined;
      return {
        name,
        parameters: [first, { kind: name === 'json_populate_record' ? 'json' : 'jsonb' }],
        result: first,
        strict: false,
        evaluate: (base: Row | null, document: string | null) =>
          document === null ? base : jsonRecord(document, first.fields, base),
        description: 'row whose attributes are the members of an object, else those of the row',
        family: 'json',
      };
    }
    case 'jsonb_populate_record_valid': {
      const [, given] = argTypes;
      if (first?.kind !== 'row' || argTypes.length !== 2) return undefined;
      if (given === undefined || !DOCUMENT_KINDS.has(given.kind)) return undefined;
      return {
        name,
        parameters: [first, types.jsonb],
        result: types.boolean,
        strict: false,
        evaluate: (base: Row | null, document: string | null) =>
          document === null ? null : fitsRecord(document, first.fields, base),
        description: 'whether jsonb_populate_record has a value',
        family: 'json',
      };
    }
    case 'json_serialize':
      if (
        argTypes.length > 1 ||
        (first?.kind !== 'json' && first?.kind !== 'jsonb' && first?.kind !== 'text')
      )
        return undefined;
      return {
        ...builder(
          name,
          [first.kind === 'text' ? types.json : first],
          true,
          'document as text',
          ([value]) => String(value),
        ),
        result: types.text,
      };
    default:
      return undefined;
  }
}
