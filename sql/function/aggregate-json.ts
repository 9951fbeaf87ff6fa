/** Aggregates that build documents: json_agg, json_object_agg and their kin, in the order of the rows. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { type JsonValue, jsonToText, quoteJson } from '../base/json.ts';
import type { SqlType } from '../base/type.ts';
import type { Accumulator, AggregateFunction } from './aggregate-function.ts';
import { orderedRows } from './aggregate-list.ts';
import { types } from './define.ts';
import { datumToJson, datumToJsonKey, datumToJsonText } from './json-value.ts';
import type { PolymorphicSignature } from './polymorphic-signature.ts';

interface Kind {
  /** jsonb: members in its order, the last one of a name. */
  readonly canonical: boolean;
  readonly object: boolean;
  /** A name that comes twice is an error. */
  readonly unique: boolean;
  /** Values that are NULL are left out, but their names count. */
  readonly strict: boolean;
}

const kinds: ReadonlyMap<string, Kind> = new Map(
  [false, true].flatMap((canonical) => {
    const prefix = canonical ? 'jsonb' : 'json';
    const of = (name: string, flags: Omit<Kind, 'canonical'>): [string, Kind] => [
      `${prefix}_${name}`,
      { canonical, ...flags },
    ];
    return [
      of('agg', { object: false, unique: false, strict: false }),
      of('agg_strict', { object: false, unique: false, strict: true }),
      of('object_agg', { object: true, unique: false, strict: false }),
      of('object_agg_strict', { object: true, unique: false, strict: true }),
      of('object_agg_unique', { object: true, unique: true, strict: false }),
      of('object_agg_unique_strict', { object: true, unique: true, strict: true }),
    ];
  }),
);

export const jsonAggregateNames: readonly string[] = [...kinds.keys()];

/** As the list of functions shows them. */
export const jsonAggregateRows: readonly (readonly [
  PolymorphicSignature['name'],
  PolymorphicSignature['parameters'],
  PolymorphicSignature['result'],
  PolymorphicSignature['description'],
])[] = [...kinds].map(([name, kind]) => [
  name,
  kind.object ? 'any, any' : 'any',
  kind.canonical ? 'jsonb' : 'json',
  describe(kind),
]);

function describe({ canonical, object, unique, strict }: Kind): string {
  const text = object
    ? `keys and values as a JSON object${canonical ? '' : ', as they come'}`
    : 'values as a JSON array';
  return `${text}${strict ? ', without values that are NULL' : ''}${unique ? '; a key that comes twice is an error' : ''}`;
}

/** The overload for exactly these argument types. */
export function resolveJsonAggregate(
  name: string,
  argTypes: readonly SqlType[],
): AggregateFunction | undefined {
  const kind = kinds.get(name);
  const [first, second] = argTypes;
  if (kind === undefined || first === undefined) return undefined;
  if (kind.object !== (second !== undefined)) return undefined;
  return {
    name,
    parameters: argTypes,
    strict: false,
    ordered: true,
    result: kind.canonical ? types.jsonb : types.json,
    accumulator: () =>
      second === undefined ? arrayAggregate(first, kind) : objectAggregate(first, second, kind),
    description: describe(kind),
  };
}

function arrayAggregate(type: SqlType, { canonical, strict }: Kind): Accumulator {
  return orderedRows((rows) => {
    const all = rows.map(([value = null]) => value);
    const values = strict ? all.filter((value) => value !== null) : all;
    if (canonical) return jsonToText(values.map((value) => datumToJson(value, type)));
    // PostgreSQL begins a new line for each document and row.
    const separator = type.kind === 'row' || type.kind === 'array' ? ', \n ' : ', ';
    return `[${values.map((value) => datumToJsonText(value, type)).join(separator)}]`;
  });
}

/** The json variant keeps the order and duplicates of its keys. */
function objectAggregate(keyType: SqlType, valueType: SqlType, kind: Kind): Accumulator {
  const { canonical, unique, strict } = kind;
  return orderedRows((rows) => {
    const seen = new Set<string>();
    const entries = rows.flatMap(([key, value = null]): [string, Datum | null][] => {
      if (key === null || key === undefined) throw nullKey(canonical);
      const name = datumToJsonKey(key, keyType);
      if (unique && seen.has(name)) throw duplicateKey(canonical ? undefined : name);
      seen.add(name);
      return strict && value === null ? [] : [[name, value]];
    });
    if (canonical) {
      const json = ([key, value]: (typeof entries)[number]): [string, JsonValue] => [
        key,
        datumToJson(value, valueType),
      ];
      return jsonToText(new Map(entries.map(json)));
    }
    const members = entries.map(
      ([key, value]) => `${quoteJson(key)} : ${datumToJsonText(value, valueType)}`,
    );
    return `{ ${members.join(', ')} }`;
  });
}

/** @param key  quoted in the message; undefined where PostgreSQL does not say it. */
export function duplicateKey(key?: string): StreamError {
  const which = key === undefined ? '' : `: ${quoteJson(key)}`;
  return new StreamError('VALUE_DUPLICATE_JSON_KEY', `duplicate JSON object key value${which}`);
}

function nullKey(canonical: boolean): StreamError {
  return canonical
    ? new StreamError('VALUE_INVALID_PARAMETER', 'field name must not be null')
    : new StreamError('VALUE_NULL_NOT_ALLOWED', 'null value not allowed for object key');
}
