/** What an assignment to a part of an array or of a document makes of the old value. */
import { isItems } from '../base/array-shape.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { isJsonArray, isJsonObject, type JsonValue, jsonToText, parseJson } from '../base/json.ts';
import type { SqlType } from '../base/type.ts';
import { invalidParameter } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

/** Elements of an array that an assignment may make. */
const ASSIGNED_ITEMS_MAX = 10_000_000;

type Items = readonly (Datum | null)[];

const integer: SqlType = { kind: 'integer' };

/** (array, subscript, element): NULLs fill what lies between the end and a subscript behind it. */
export function setElement(array: SqlType, element: SqlType): ScalarFunction {
  return {
    name: 'array_set_element',
    parameters: [array, integer, element],
    result: array,
    strict: false,
    evaluate: (old: Items | null, at: number | null, value: Datum | null) =>
      withItems(old, requireSubscript(at), [value], element),
    description: 'array with an element replaced',
    family: 'array',
  };
}

/** (array, source, low?, high?); an open end is that of the array. */
export function setSlice(array: SqlType, hasLow: boolean, hasHigh: boolean): ScalarFunction {
  const element: SqlType = array.kind === 'array' ? array.element : array;
  return {
    // Which ends are open is part of what it computes.
    name: `array_set_slice ${hasLow ? 'x' : ''}:${hasHigh ? 'x' : ''}`,
    parameters: [array, array, ...(hasLow ? [integer] : []), ...(hasHigh ? [integer] : [])],
    result: array,
    strict: false,
    evaluate: (old: Items | null, source: Items | null, ...bounds: readonly (number | null)[]) => {
      const given = bounds.map(requireSubscript);
      if (source === null) return old;
      const size = old?.length ?? 0;
      if (size === 0 && !(hasLow && hasHigh)) {
        throw subscriptError('array slice subscript must provide both boundaries');
      }
      const low = hasLow ? (given[0] ?? 1) : 1;
      const high = hasHigh ? (given.at(-1) ?? size) : size;
      if (high < low) throw subscriptError('upper bound cannot be less than lower bound');
      if (source.some(isItems)) throw severalDimensions();
      if (source.length < high - low + 1) throw subscriptError('source array too small');
      return withItems(old, low, source.slice(0, high - low + 1), element);
    },
    description: 'array with a slice replaced',
    family: 'array',
  };
}

function withItems(old: Items | null, low: number, values: Items, element: SqlType): Items {
  const items = [...(old ?? [])];
  if (element.kind !== 'row' && items.some(isItems)) throw severalDimensions();
  if (low < 1 || (items.length === 0 && low !== 1)) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'array bounds other than from 1 are not supported', {
      hint: 'Assign the elements before it first, or the whole array.',
    });
  }
  if (low + values.length - 1 > ASSIGNED_ITEMS_MAX) {
    throw new StreamError(
      'VALUE_PROGRAM_LIMIT',
      `array size exceeds the maximum allowed (${ASSIGNED_ITEMS_MAX})`,
    );
  }
  while (items.length < low - 1) items.push(null);
  items.splice(low - 1, values.length, ...values);
  return items;
}

function requireSubscript(at: number | null): number {
  if (at !== null) return at;
  throw new StreamError('VALUE_NULL_NOT_ALLOWED', 'array subscript in assignment must not be null');
}

const subscriptError = (message: string): StreamError =>
  new StreamError('VALUE_ARRAY_SUBSCRIPT', message);

const severalDimensions = (): StreamError =>
  new StreamError(
    'SQL_NOT_SUPPORTED',
    'assigning to arrays of several dimensions is not supported',
  );

// ----------------------------------------------------------------- documents

/**
 * (document, value, keys…): what is missing on the way is made, an array where the key is a number and an object where it is text;
 * arrays grow by nulls, as in setPath of jsonfuncs.c with JB_PATH_FILL_GAPS.
 */
export function setMember(keys: readonly SqlType[]): ScalarFunction {
  return {
    name: 'jsonb_set_member',
    parameters: [{ kind: 'jsonb' }, { kind: 'jsonb' }, ...keys],
    result: { kind: 'jsonb' },
    strict: false,
    evaluate: (
      old: string | null,
      value: string | null,
      ...path: readonly (string | number | null)[]
    ) => {
      const steps = path.map((key) => {
        if (key !== null) return key;
        throw new StreamError(
          'VALUE_NULL_NOT_ALLOWED',
          'jsonb subscript in assignment must not be null',
        );
      });
      const before = old === null ? undefined : parseJson(old);
      return jsonToText(member(before, steps, value === null ? null : parseJson(value), 0));
    },
    description: 'document with the value at a path replaced or created',
    family: 'json',
  };
}

function member(
  at: JsonValue | undefined,
  steps: readonly (string | number)[],
  value: JsonValue,
  level: number,
): JsonValue {
  const step = steps[level];
  if (step === undefined) return value;
  const deeper = (child: JsonValue | undefined): JsonValue =>
    member(child, steps, value, level + 1);
  const fresh = typeof step === 'number' ? [] : new Map<string, JsonValue>();
  const container = at === undefined ? fresh : at;
  if (isJsonObject(container)) {
    const key = String(step);
    return new Map(container).set(key, deeper(container.get(key)));
  }
  if (!isJsonArray(container)) {
    throw new StreamError('VALUE_INVALID_PARAMETER', 'cannot replace existing key', {
      detail: 'The path assumes key is a composite object, but it is a scalar value.',
    });
  }
  const index = typeof step === 'number' ? step : requireIndex(step, level);
  const position = index < 0 ? container.length + index : index;
  if (position < 0) {
    throw invalidParameter(`path element at position ${level + 1} is out of range: ${index}`);
  }
  if (position > ASSIGNED_ITEMS_MAX) {
    throw new StreamError(
      'VALUE_PROGRAM_LIMIT',
      'number of jsonb array elements exceeds the maximum',
    );
  }
  const items = [...container];
  while (items.length < position) items.push(null);
  items[position] = deeper(items[position]);
  return items;
}

function requireIndex(step: string, level: number): number {
  if (/^\s*[+-]?\d{1,9}$/.test(step)) return Number(step);
  throw new StreamError(
    'VALUE_INVALID_TEXT',
    `path element at position ${level + 1} is not an integer: "${step}"`,
  );
}
