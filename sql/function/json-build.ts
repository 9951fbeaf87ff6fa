/** Documents from SQL values: to_jsonb, jsonb_build_object, jsonb_build_array. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { isJsonArray, isJsonObject, type JsonValue, jsonToText, quoteJson } from '../base/json.ts';
import type { SqlType } from '../base/type.ts';
import { invalidParameter, types } from './define.ts';
import { datumToJson, datumToJsonKey } from './json-value.ts';
import type { ScalarFunction } from './scalar-function.ts';

type Values = readonly (Datum | null)[];

/** Text of the type json: as PostgreSQL composes it, keys in the order given and not merged. */
function composeJson(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(composeJson).join(',')}]`;
  if (isJsonObject(value)) {
    return `{${[...value].map(([key, item]) => `${quoteJson(key)}:${composeJson(item)}`).join(',')}}`;
  }
  return jsonToText(value);
}

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

function members(values: Values, argTypes: readonly SqlType[]): [string, JsonValue][] {
  if (values.length % 2 !== 0) {
    throw invalidParameter('argument list must have even number of elements');
  }
  const entries: [string, JsonValue][] = [];
  for (let index = 0; index < values.length; index += 2) {
    const key = values[index] ?? null;
    if (key === null) throw invalidParameter(`argument ${index + 1}: key must not be null`);
    entries.push([
      datumToJsonKey(key, argTypes[index] as SqlType),
      datumToJson(values[index + 1] ?? null, argTypes[index + 1] as SqlType),
    ]);
  }
  return entries;
}

function nullKey(): StreamError {
  return new StreamError('VALUE_NULL_NOT_ALLOWED', 'null value not allowed for object key');
}

/** The json variants print no blanks after `:` and `,` between members but ` : ` as PostgreSQL does. */
function objectText(name: string, values: Values, argTypes: readonly SqlType[]): string {
  if (name === 'jsonb_build_object') return jsonToText(new Map(members(values, argTypes)));
  if (values.some((value, index) => index % 2 === 0 && value === null)) throw nullKey();
  return `{${members(values, argTypes)
    .map(([key, value]) => `${quoteJson(key)} : ${composeJson(value)}`)
    .join(', ')}}`;
}

export const jsonBuildNames = [
  'to_jsonb',
  'to_json',
  'jsonb_build_object',
  'json_build_object',
  'jsonb_build_array',
  'json_build_array',
  'row_to_json',
];

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
      if (first === undefined || argTypes.length > 1) return undefined;
      if (name === 'row_to_json' && first.kind !== 'row') return undefined;
      const write = name === 'to_jsonb' ? jsonToText : composeJson;
      return builder(name, argTypes, true, 'value as a JSON document', ([value = null]) =>
        first.kind === 'json' && name !== 'to_jsonb'
          ? (value as string)
          : write(datumToJson(value, first)),
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
        const items = values.map((value, index) => datumToJson(value, argTypes[index] as SqlType));
        return canonical ? jsonToText(items) : `[${items.map(composeJson).join(', ')}]`;
      });
    }
    default:
      return undefined;
  }
}
