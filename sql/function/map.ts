/** Functions over maps, by ksqlDB's and Flink's names, and what reads a text as one. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { checkJson, jsonChildren } from '../base/json.ts';
import { type MapEntry, mapOf, mapValue } from '../base/map.ts';
import { isMapType, keyAndValue, type MapType, mapType, type SqlType } from '../base/type.ts';
import { types } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

type Items = readonly (Datum | null)[];
type Entries = readonly MapEntry[];
type Shape = Pick<ScalarFunction, 'parameters' | 'result' | 'evaluate' | 'description'>;

const listOf = (element: SqlType): SqlType => ({ kind: 'array', element });
const texts = mapType(types.text, types.text);

/** `MAP(key := value, …)`. @param count  of its entries. */
export function mapConstructor(key: SqlType, value: SqlType, count: number): ScalarFunction {
  return {
    name: 'map',
    parameters: Array.from({ length: count }, () => [key, value]).flat(),
    result: mapType(key, value),
    strict: false,
    evaluate: (...parts: Items) =>
      mapOf(
        Array.from(
          { length: count },
          (_, i): MapEntry => [parts[2 * i] ?? null, parts[2 * i + 1] ?? null],
        ),
        key,
      ),
    description: 'map of keys to values',
    family: 'array',
  };
}

/** `map[key]`. */
export function mapSubscript(map: MapType): ScalarFunction {
  const { key, value } = keyAndValue(map);
  return {
    name: 'map_subscript',
    parameters: [map, key],
    result: value,
    evaluate: (entries: Entries, own: Datum) => mapValue(entries, own, key),
    description: 'value of a key, NULL when it is not there',
    family: 'array',
  };
}

const overMap: ReadonlyMap<string, (map: MapType) => Shape> = new Map<
  string,
  (map: MapType) => Shape
>([
  [
    'map_keys',
    (map) => ({
      parameters: [map],
      result: listOf(keyAndValue(map).key),
      evaluate: (entries: Entries) => entries.map(([key]) => key),
      description: 'keys of a map, in their order',
    }),
  ],
  [
    'map_values',
    (map) => ({
      parameters: [map],
      result: listOf(keyAndValue(map).value),
      evaluate: (entries: Entries) => entries.map(([, value]) => value),
      description: 'values of a map, in the order of the keys',
    }),
  ],
  [
    'map_entries',
    (map) => ({
      parameters: [map],
      result: listOf(map.element),
      evaluate: (entries: Entries) => entries,
      description: 'entries of a map as rows (key, value), in the order of the keys',
    }),
  ],
]);

function fromLists(name: string, [keys, values]: readonly SqlType[]): Shape | undefined {
  if (keys?.kind !== 'array' || values?.kind !== 'array') return undefined;
  const result = mapType(keys.element, values.element);
  return {
    parameters: [keys, values],
    result,
    description: 'map of keys to the values at their places',
    evaluate: (own: Items, items: Items) => {
      if (own.length !== items.length) {
        throw new StreamError(
          'VALUE_INVALID_PARAMETER',
          `${name} takes as many values as keys, not ${items.length} for ${own.length}`,
        );
      }
      return mapOf(
        own.map((key, i): MapEntry => [key, items[i] ?? null]),
        keys.element,
      );
    },
  };
}

function union(maps: readonly SqlType[]): Shape | undefined {
  const [first] = maps;
  if (first === undefined || !maps.every(isMapType) || !isMapType(first)) return undefined;
  const { key } = keyAndValue(first);
  return {
    parameters: maps.map(() => first),
    result: first,
    description: 'entries of all maps; of those with one key the last',
    evaluate: (...all: readonly Entries[]) => mapOf(all.flat(), key),
  };
}

/** The overload for these argument types. */
export function resolveMap(name: string, argTypes: readonly SqlType[]): ScalarFunction | undefined {
  const shape = shapeOf(name, argTypes);
  return shape && { name, family: 'array', ...shape };
}

function shapeOf(name: string, argTypes: readonly SqlType[]): Shape | undefined {
  const [first] = argTypes;
  if (name === 'map_union') return union(argTypes);
  if (argTypes.length === 2 && (name === 'map_from_arrays' || name === 'as_map')) {
    return fromLists(name, argTypes);
  }
  if (first === undefined || argTypes.length !== 1 || !isMapType(first)) return undefined;
  return overMap.get(name)?.(first);
}

export const mapNames: readonly string[] = [
  ...overMap.keys(),
  'map_union',
  'map_from_arrays',
  'as_map',
];

/** Pairs of a text; a pair without its delimiter has no value. NULL for an empty delimiter. */
function splitToMap(text: string, entry: string, pair: string): Datum | null {
  if (entry === '' || pair === '') return null;
  const entries = text.split(entry).map((part): MapEntry => {
    const at = part.indexOf(pair);
    return at < 0 ? [part, null] : [part.slice(0, at), part.slice(at + pair.length)];
  });
  return mapOf(entries, types.text);
}

/** ksqlDB's: NULL for anything but an object. */
function jsonRecords(text: string): Datum | null {
  try {
    checkJson(text);
  } catch (error) {
    if (error instanceof StreamError) return null;
    throw error;
  }
  const children = jsonChildren(text);
  return children?.kind === 'object' ? mapOf(children.members, types.text) : null;
}

export const mapTextFunctions: readonly ScalarFunction[] = [
  ...(['split_to_map', 'str_to_map'] as const).map(
    (name): ScalarFunction => ({
      name,
      parameters: [types.text, types.text, types.text],
      result: texts,
      evaluate: splitToMap,
      description: 'map of the pairs in a text, by the delimiters of entries and of key and value',
      family: 'array',
    }),
  ),
  {
    name: 'str_to_map',
    parameters: [types.text],
    result: texts,
    evaluate: (text: string) => splitToMap(text, ',', '='),
    description: "map of the pairs in a text, as in 'a=1,b=2'",
    family: 'array',
  },
  {
    name: 'json_records',
    parameters: [types.text],
    result: texts,
    evaluate: jsonRecords,
    description: 'members of an object in JSON, each in JSON; NULL for anything else',
    family: 'array',
  },
];
