/** Functions over arrays of any element type, and those between arrays and text. */
import { arrayLengths, flattenArray, sameLengths } from '../base/array-shape.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { textWriter } from '../base/text-output.ts';
import type { SqlType } from '../base/type.ts';
import { comparator, hasher } from '../base/value.ts';
import { family, types } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

type Items = readonly (Datum | null)[];
type ArrayType = SqlType & { readonly kind: 'array' };

const { functions } = family('array');
export const arrayTextFunctions = functions;

function asRows(value: Datum | null | undefined): Items | undefined {
  return Array.isArray(value) ? value : undefined;
}

const depthOf = (items: Items, element: SqlType): number => arrayLengths(items, element).length;

/** Elements along dimension `dimension`, counted from 1. */
function lengthOf(items: Items, dimension: number, element: SqlType): number | null {
  if (dimension > depthOf(items, element)) return null;
  let at: Items | undefined = items;
  for (let level = 1; level < dimension; level++) at = asRows(at?.[0]);
  if (dimension < 1 || at === undefined || at.length === 0) return null;
  return at.length;
}

interface Shape {
  readonly parameters: readonly SqlType[];
  readonly result: SqlType;
  readonly strict?: boolean;
  readonly description: string;
  readonly evaluate: ScalarFunction['evaluate'];
}

function make(name: string, shape: Shape): ScalarFunction {
  return { name, family: 'array', strict: shape.strict ?? true, ...shape };
}

function oneDimension(items: Items, element: SqlType, what = 'searching for'): Items {
  if (depthOf(items, element) <= 1) return items;
  const where = what === 'removing' ? 'from' : 'in';
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `${what} elements ${where} multidimensional arrays is not supported`,
  );
}

/** An array that a single element can be put to. */
function extensible(items: Items | null, element: SqlType): Items {
  if (items === null || depthOf(items, element) <= 1) return items ?? [];
  throw new StreamError(
    'VALUE_ARRAY_DIMENSIONS',
    'argument must be empty or one-dimensional array',
  );
}

function replaceItems(
  items: Items,
  match: (item: Datum | null) => boolean,
  fresh: Datum | null,
  element: SqlType,
): Items {
  return items.map((item) => {
    const inner = asRows(item);
    if (inner !== undefined && depthOf(items, element) > 1) {
      return replaceItems(inner, match, fresh, element);
    }
    return match(item) ? fresh : item;
  });
}

/** `null` finds NULLs, anything else the elements equal to it. */
function matcher(element: SqlType, wanted: Datum | null): (item: Datum | null) => boolean {
  const compare = comparator(element);
  return (item) =>
    item === null || wanted === null ? item === wanted : compare(item, wanted) === 0;
}

function concatenate(left: Items | null, right: Items | null, element: SqlType): Items | null {
  if (left === null || right === null) return left ?? right;
  if (left.length === 0) return right;
  if (right.length === 0) return left;
  const a = arrayLengths(left, element);
  const b = arrayLengths(right, element);
  if (sameLengths(a.slice(1), b.slice(1))) return [...left, ...right];
  if (sameLengths(a.slice(1), b)) return [...left, right];
  if (sameLengths(a, b.slice(1))) return [left, ...right];
  throw new StreamError('VALUE_ARRAY_SUBSCRIPT', 'cannot concatenate incompatible arrays');
}

type Resolver = (array: ArrayType, element: SqlType) => Shape;

const containment =
  (
    test: (a: ReadonlySet<unknown>, b: ReadonlySet<unknown>, nulls: boolean) => boolean,
    description: string,
  ): Resolver =>
  (array, element) => ({
    parameters: [array, array],
    result: types.boolean,
    description,
    evaluate: (a: Items, b: Items) => {
      const hash = hasher(element);
      const keys = (items: Items): Set<unknown> =>
        new Set(
          flattenArray(items, element).flatMap((item) => (item === null ? [] : [hash(item)])),
        );
      return test(keys(a), keys(b), flattenArray(b, element).includes(null));
    },
  });

/** By name and number of arguments: arrays first, or an element first for array_prepend. */
const resolvers: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  [
    'array_length/2',
    (array, element) => ({
      parameters: [array, types.integer],
      result: types.integer,
      description: 'number of elements along a dimension',
      evaluate: (items: Items, dimension: number) => lengthOf(items, dimension, element),
    }),
  ],
  [
    'cardinality/1',
    (array, element) => ({
      parameters: [array],
      result: types.integer,
      description: 'number of elements',
      evaluate: (items: Items) => flattenArray(items, element).length,
    }),
  ],
  [
    'array_ndims/1',
    (array, element) => ({
      parameters: [array],
      result: types.integer,
      description: 'number of dimensions',
      evaluate: (items: Items) => depthOf(items, element) || null,
    }),
  ],
  [
    'array_lower/2',
    (array, element) => ({
      parameters: [array, types.integer],
      result: types.integer,
      description: 'first subscript of a dimension',
      evaluate: (items: Items, dimension: number) =>
        lengthOf(items, dimension, element) === null ? null : 1,
    }),
  ],
  [
    'array_upper/2',
    (array, element) => ({
      parameters: [array, types.integer],
      result: types.integer,
      description: 'last subscript of a dimension',
      evaluate: (items: Items, dimension: number) => lengthOf(items, dimension, element),
    }),
  ],
  [
    'array_append/2',
    (array, element) => ({
      parameters: [array, element],
      result: array,
      strict: false,
      description: 'array with an element behind',
      evaluate: (items: Items | null, item: Datum | null) => [...extensible(items, element), item],
    }),
  ],
  [
    'array_prepend/2',
    (array, element) => ({
      parameters: [element, array],
      result: array,
      strict: false,
      description: 'array with an element in front',
      evaluate: (item: Datum | null, items: Items | null) => [item, ...extensible(items, element)],
    }),
  ],
  [
    'array_cat/2',
    (array, element) => ({
      parameters: [array, array],
      result: array,
      strict: false,
      description: 'arrays one behind the other',
      evaluate: (a: Items | null, b: Items | null) => concatenate(a, b, element),
    }),
  ],
  [
    'array_remove/2',
    (array, element) => ({
      parameters: [array, element],
      result: array,
      strict: false,
      description: 'array without the elements equal to a value',
      evaluate: (items: Items | null, wanted: Datum | null) => {
        if (items === null) return null;
        const match = matcher(element, wanted);
        return oneDimension(items, element, 'removing').filter((item) => !match(item));
      },
    }),
  ],
  [
    'array_replace/3',
    (array, element) => ({
      parameters: [array, element, element],
      result: array,
      strict: false,
      description: 'array with every element equal to a value replaced',
      evaluate: (items: Items | null, wanted: Datum | null, fresh: Datum | null) => {
        if (items === null) return null;
        const match = matcher(element, wanted);
        return replaceItems(items, match, fresh, element);
      },
    }),
  ],
  [
    'array_position/2',
    (array, element) => ({
      parameters: [array, element],
      result: types.integer,
      strict: false,
      description: 'subscript of the first element equal to a value',
      evaluate: (items: Items | null, wanted: Datum | null) => position(items, element, wanted, 1),
    }),
  ],
  [
    'array_position/3',
    (array, element) => ({
      parameters: [array, element, types.integer],
      result: types.integer,
      strict: false,
      description: 'subscript of the first element equal to a value, from a subscript on',
      evaluate: (items: Items | null, wanted: Datum | null, start: number | null) => {
        // PostgreSQL knows beforehand that there is no NULL to be found.
        const hopeless = items === null || (wanted === null && !items.includes(null));
        if (!hopeless && items.length > 0 && start === null) {
          throw new StreamError('VALUE_NULL_NOT_ALLOWED', 'initial position must not be null');
        }
        return position(items, element, wanted, start ?? 1);
      },
    }),
  ],
  [
    'array_positions/2',
    (array, element) => ({
      parameters: [array, element],
      result: types['integer[]'],
      strict: false,
      description: 'subscripts of all elements equal to a value',
      evaluate: (items: Items | null, wanted: Datum | null) => {
        if (items === null) return null;
        const match = matcher(element, wanted);
        return oneDimension(items, element).flatMap((item, index) =>
          match(item) ? [index + 1] : [],
        );
      },
    }),
  ],
  [
    'array_to_string/2',
    (array, element) => ({
      parameters: [array, types.text],
      result: types.text,
      description: 'elements joined by a delimiter, NULLs left out',
      evaluate: (items: Items, delimiter: string) => join(items, element, delimiter, null),
    }),
  ],
  [
    'array_to_string/3',
    (array, element) => ({
      parameters: [array, types.text, types.text],
      result: types.text,
      strict: false,
      description: 'elements joined by a delimiter, NULLs as a given text',
      evaluate: (items: Items | null, delimiter: string | null, nullText: string | null) =>
        items === null || delimiter === null ? null : join(items, element, delimiter, nullText),
    }),
  ],
  [
    'trim_array/2',
    (array) => ({
      parameters: [array, types.integer],
      result: array,
      description: 'array without its last elements',
      evaluate: (items: Items, count: number) => {
        if (count < 0 || count > items.length) {
          throw new StreamError(
            'VALUE_ARRAY_SUBSCRIPT',
            `number of elements to trim must be between 0 and ${items.length}`,
          );
        }
        return items.slice(0, items.length - count);
      },
    }),
  ],
  [
    'array_reverse/1',
    (array) => ({
      parameters: [array],
      result: array,
      description: 'elements in reverse order',
      evaluate: (items: Items) => [...items].reverse(),
    }),
  ],
  [
    'array_sort/1',
    (array, element) => ({
      parameters: [array],
      result: array,
      description: 'elements in order, NULLs last',
      evaluate: (items: Items) => {
        const compare = comparator(element);
        return [...items].sort((a, b) =>
          a === null || b === null ? Number(a === null) - Number(b === null) : compare(a, b),
        );
      },
    }),
  ],
  [
    '@>/2',
    containment(
      (a, b, nulls) => !nulls && [...b].every((key) => a.has(key)),
      'does the first contain all of the second',
    ),
  ],
  [
    '<@/2',
    (array, element) => ({
      parameters: [array, array],
      result: types.boolean,
      description: 'are all elements of the first in the second',
      evaluate: (a: Items, b: Items) => {
        const hash = hasher(element);
        const keys = new Set(
          flattenArray(b, element).flatMap((item) => (item === null ? [] : [hash(item)])),
        );
        return flattenArray(a, element).every((item) => item !== null && keys.has(hash(item)));
      },
    }),
  ],
  [
    '&&/2',
    containment((a, b) => [...b].some((key) => a.has(key)), 'have they an element in common'),
  ],
]);

function position(
  items: Items | null,
  element: SqlType,
  wanted: Datum | null,
  start: number,
): number | null {
  if (items === null) return null;
  const match = matcher(element, wanted);
  const index = oneDimension(items, element).findIndex(
    (item, at) => at >= start - 1 && match(item),
  );
  return index < 0 ? null : index + 1;
}

function join(items: Items, element: SqlType, delimiter: string, nullText: string | null): string {
  const write = textWriter(element.kind === 'array' ? element.element : element);
  const shown = flattenArray(items, element).flatMap((item) => {
    if (item !== null) return [write(item)];
    return nullText === null ? [] : [nullText];
  });
  return shown.join(delimiter);
}

export const arrayNames = [
  ...new Set([...resolvers.keys()].map((key) => key.slice(0, key.lastIndexOf('/')))),
];

/** The overload for these argument types; an element may be of another type that casts to the array's. */
export function resolveArray(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  const array = argTypes.find((type) => type.kind === 'array');
  if (array === undefined) return undefined;
  if (name === '||' && argTypes.length === 2) return resolveConcatenation(argTypes, array);
  const resolver = resolvers.get(`${name}/${argTypes.length}`);
  if (resolver === undefined) return undefined;
  const expected = name === 'array_prepend' ? 1 : 0;
  if (argTypes[expected]?.kind !== 'array') return undefined;
  return make(name, resolver(array, array.element));
}

/** array || array, array || element, element || array. */
function resolveConcatenation(
  argTypes: readonly SqlType[],
  array: ArrayType,
): ScalarFunction | undefined {
  const [left, right] = argTypes;
  const name =
    left?.kind === 'array' && right?.kind === 'array'
      ? 'array_cat'
      : left?.kind === 'array'
        ? 'array_append'
        : 'array_prepend';
  const resolver = resolvers.get(`${name}/2`);
  return resolver && make('||', resolver(array, array.element));
}

/** Parts between delimiters; '' as delimiter gives the whole, NULL single characters. */
export function splitText(
  text: string,
  delimiter: string | null,
  nullText: string | null,
): readonly (string | null)[] {
  if (text === '') return [];
  const parts = delimiter === null ? [...text] : delimiter === '' ? [text] : text.split(delimiter);
  return parts.map((part) => (part === nullText ? null : part));
}

for (const parameters of [
  [types.text, types.text],
  [types.text, types.text, types.text],
] as const) {
  functions.push({
    name: 'string_to_array',
    parameters,
    result: types['text[]'],
    strict: false,
    evaluate: (text: string | null, delimiter: string | null, nullText: string | null = null) =>
      text === null ? null : splitText(text, delimiter, nullText),
    description: 'parts between delimiters',
    family: 'array',
  });
}
