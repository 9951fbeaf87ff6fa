/** Array functions about bounds and order: slices, array_dims, array_fill, array_sort, sampling, buckets, JSON. */
import { arrayLengths, type Items, isItems } from '../base/array-shape.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import type { SqlType } from '../base/type.ts';
import { comparator } from '../base/value.ts';
import { types } from './define.ts';
import { datumToJsonText } from './json-value.ts';
import type { ScalarFunction } from './scalar-function.ts';

/** PostgreSQL's limit on the elements of one array. */
const ITEMS_MAX = 268_435_455;

/**
 * `array[low:high]…`, one pair of bounds a dimension, counted from 1; undefined is an open end. What lies outside
 * of the array is left out, and an empty slice of any dimension makes the whole empty.
 */
export function sliceArray(
  items: Items,
  bounds: readonly (readonly [number | undefined, number | undefined])[],
): Items {
  if (bounds.length > arrayLengths(items).length) return [];
  const cut = (part: Items, level: number): Items => {
    const bound = bounds[level];
    if (bound === undefined) return part;
    const [low, high] = bound;
    const kept = part.slice(Math.max((low ?? 1) - 1, 0), Math.max(high ?? part.length, 0));
    return kept.map((item) => (isItems(item) ? cut(item, level + 1) : item));
  };
  const done = cut(items, 0);
  return arrayLengths(done).length < bounds.length ? [] : done;
}

function fill(value: Datum | null, dimensions: Items | null, lower: Items | null): Items {
  if (dimensions === null || lower === null || [...dimensions, ...lower].includes(null)) {
    const what = dimensions === null || lower === null ? 'array' : 'values';
    throw new StreamError(
      'VALUE_NULL_NOT_ALLOWED',
      what === 'array'
        ? 'dimension array or low bound array cannot be null'
        : 'dimension values cannot be null',
    );
  }
  if (lower.some((bound) => bound !== 1)) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'array bounds other than from 1 are not supported');
  }
  const sizes = dimensions as readonly number[];
  if (sizes.length === 0 || sizes.includes(0)) return [];
  if (sizes.some((size) => size < 0) || sizes.reduce((a, b) => a * b) > ITEMS_MAX) {
    throw new StreamError(
      'VALUE_PROGRAM_LIMIT',
      `array size exceeds the maximum allowed (${ITEMS_MAX})`,
    );
  }
  const build = (level: number): Items =>
    Array.from({ length: sizes[level] ?? 0 }, () =>
      level === sizes.length - 1 ? value : build(level + 1),
    );
  return build(0);
}

function sortItems(
  element: SqlType,
  descending: boolean,
  nullsFirst: boolean,
  items: Items,
): Items {
  const compare = comparator(element);
  return items.toSorted((a, b) => {
    if (a === null || b === null) {
      return nullsFirst
        ? Number(b === null) - Number(a === null)
        : Number(a === null) - Number(b === null);
    }
    return descending ? compare(b, a) : compare(a, b);
  });
}

/** Fisher and Yates; the first `count` places are a sample. */
function shuffle(items: Items, count: number): Items {
  const mixed = [...items];
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(Math.random() * (mixed.length - at));
    [mixed[at], mixed[other]] = [mixed[other] ?? null, mixed[at] ?? null];
  }
  return mixed.slice(0, count);
}

function sample(items: Items, count: number): Items {
  if (count >= 0 && count <= items.length) return shuffle(items, count);
  throw new StreamError(
    'VALUE_INVALID_PARAMETER',
    `sample size must be between 0 and ${items.length}`,
  );
}

/** How many of the ascending thresholds are not above the value. */
function bucket(value: Datum, thresholds: Items, element: SqlType): number {
  if (arrayLengths(thresholds).length > 1) {
    throw new StreamError('VALUE_ARRAY_SUBSCRIPT', 'thresholds must be one-dimensional array');
  }
  if (thresholds.includes(null)) {
    throw new StreamError('VALUE_NULL_NOT_ALLOWED', 'thresholds array must not contain NULLs');
  }
  const compare = comparator(element);
  // PostgreSQL's binary search, which shows where the thresholds do not ascend.
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (compare(value, thresholds[middle] as Datum) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

interface Shape {
  readonly parameters: readonly SqlType[];
  readonly result: SqlType;
  readonly description: string;
  readonly evaluate: ScalarFunction['evaluate'];
  readonly strict?: boolean;
  readonly volatility?: ScalarFunction['volatility'];
}

type Resolver = (array: SqlType, element: SqlType) => Shape;

const { integer, text, boolean, json } = types;
const integers = types['integer[]'];

const sortShape =
  (parameters: readonly SqlType[]): Resolver =>
  (array, element) => ({
    parameters: [array, ...parameters],
    result: array,
    description: 'elements in order, the other way round if asked',
    evaluate: (items: Items, descending: boolean, nullsFirst = descending) =>
      sortItems(element, descending, nullsFirst, items),
  });

const fillShape =
  (parameters: readonly SqlType[]): Resolver =>
  (array, element) => ({
    parameters: [element, ...parameters],
    result: array,
    strict: false,
    description: 'array of one value in given dimensions',
    evaluate: (value: Datum | null, dimensions: Items | null, lower: Items | null = []) =>
      fill(value, dimensions, lower),
  });

/** By name and number of arguments, for an array as the first argument. */
const overArrays: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  [
    'array_dims/1',
    (array, element) => ({
      parameters: [array],
      result: text,
      description: 'bounds of the dimensions as text',
      evaluate: (items: Items) =>
        items.length === 0
          ? null
          : arrayLengths(items, element)
              .map((length) => `[1:${length}]`)
              .join(''),
    }),
  ],
  ['array_sort/2', sortShape([boolean])],
  ['array_sort/3', sortShape([boolean, boolean])],
  [
    'array_shuffle/1',
    (array) => ({
      parameters: [array],
      result: array,
      volatility: 'volatile',
      description: 'elements in a random order',
      evaluate: (items: Items) => shuffle(items, items.length),
    }),
  ],
  [
    'array_sample/2',
    (array) => ({
      parameters: [array, integer],
      result: array,
      volatility: 'volatile',
      description: 'so many elements chosen at random',
      evaluate: sample,
    }),
  ],
  [
    'array_to_json/1',
    (array) => ({
      parameters: [array],
      result: json,
      description: 'array as a JSON document',
      evaluate: (items: Items) => datumToJsonText(items, array),
    }),
  ],
  [
    'array_to_json/2',
    (array) => ({
      parameters: [array, { kind: 'boolean' }],
      result: json,
      description: 'array as a JSON document, one element a line',
      evaluate: (items: Items, pretty: boolean) => datumToJsonText(items, array, pretty),
    }),
  ],
]);

const overElements: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  ['array_fill/2', fillShape([integers])],
  ['array_fill/3', fillShape([integers, integers])],
  [
    'width_bucket/2',
    (array, element) => ({
      parameters: [element, array],
      result: integer,
      description: 'number of the bucket between ascending thresholds',
      evaluate: (value: Datum, thresholds: Items) => bucket(value, thresholds, element),
    }),
  ],
]);

export const arrayShapeNames = [
  ...new Set(
    [...overArrays.keys(), ...overElements.keys()].map((key) => key.slice(0, key.indexOf('/'))),
  ),
];

/** The overload for these argument types. */
export function resolveArrayShape(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  const [first, second] = argTypes;
  if (first === undefined) return undefined;
  const key = `${name}/${argTypes.length}`;
  const shape =
    first.kind === 'array'
      ? overArrays.get(key)?.(first, first.element)
      : overElements.get(key)?.(
          name === 'width_bucket' && second?.kind === 'array'
            ? second
            : { kind: 'array', element: first },
          name === 'width_bucket' && second?.kind === 'array' ? second.element : first,
        );
  return shape && { name, family: 'array', ...shape };
}
