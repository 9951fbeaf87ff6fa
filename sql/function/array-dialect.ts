/** Functions of ksqlDB and Flink over arrays: sets, extremes, parts. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import type { SqlType } from '../base/type.ts';
import { comparator, hasher } from '../base/value.ts';
import { types } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

type Items = readonly (Datum | null)[];
type Shape = Pick<ScalarFunction, 'parameters' | 'result' | 'strict' | 'evaluate' | 'description'>;
type Resolver = (array: SqlType, element: SqlType) => Shape;

/** One key for each distinct element; NULL is one too. */
function keyOf(element: SqlType): (item: Datum | null) => unknown {
  const hash = hasher(element);
  return (item) => (item === null ? null : hash(item));
}

/** The elements that `keep` lets through, each once, in their order. */
function distinct(items: Items, element: SqlType, keep: (key: unknown) => boolean): Items {
  const key = keyOf(element);
  const seen = new Set<unknown>();
  return items.filter((item) => {
    const own = key(item);
    if (seen.has(own) || !keep(own)) return false;
    seen.add(own);
    return true;
  });
}

const keysOf = (items: Items, element: SqlType): ReadonlySet<unknown> =>
  new Set(items.map(keyOf(element)));

const sets =
  (combine: (a: Items, b: Items, element: SqlType) => Items, description: string): Resolver =>
  (array, element) => ({
    parameters: [array, array],
    result: array,
    description,
    evaluate: (a: Items, b: Items) => combine(a, b, element),
  });

const extreme =
  (sign: 1 | -1, description: string): Resolver =>
  (array, element) => ({
    parameters: [array],
    result: element,
    description,
    evaluate: (items: Items) => {
      const compare = comparator(element);
      let best: Datum | null = null;
      for (const item of items) {
        if (item !== null && (best === null || sign * compare(item, best) > 0)) best = item;
      }
      return best;
    },
  });

/** ksqlDB's: both ends count, NULL is an open end, and bounds outside of the array give NULL. */
function slice(items: Items | null, from: number | null, to: number | null): Items | null {
  if (items === null) return null;
  const start = from === null ? 0 : from - 1;
  const end = to ?? items.length;
  return start < 0 || end > items.length || start > end ? null : items.slice(start, end);
}

/** Counted from 1, below 0 from the end; NULL outside. */
function elementAt(items: Items, position: number): Datum | null {
  if (position === 0) {
    throw new StreamError('VALUE_ARRAY_SUBSCRIPT', 'elements of an array are counted from 1');
  }
  return items.at(position > 0 ? position - 1 : position) ?? null;
}

const resolvers: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  [
    'array_length/1',
    (array) => ({
      parameters: [array],
      result: types.integer,
      description: 'number of elements, 0 for none',
      evaluate: (items: Items) => items.length,
    }),
  ],
  [
    'array_contains/2',
    (array, element) => ({
      parameters: [array, element],
      result: types.boolean,
      strict: false,
      description: 'is a value, also NULL, among the elements',
      evaluate: (items: Items | null, wanted: Datum | null) => {
        const key = keyOf(element);
        return items === null ? null : items.some((item) => key(item) === key(wanted));
      },
    }),
  ],
  [
    'array_distinct/1',
    (array, element) => ({
      parameters: [array],
      result: array,
      description: 'elements, each once, in their order',
      evaluate: (items: Items) => distinct(items, element, () => true),
    }),
  ],
  [
    'array_union/2',
    sets(
      (a, b, element) => distinct([...a, ...b], element, () => true),
      'elements of both arrays, each once',
    ),
  ],
  [
    'array_intersect/2',
    sets((a, b, element) => {
      const others = keysOf(b, element);
      return distinct(a, element, (key) => others.has(key));
    }, 'elements that are in both arrays, each once'),
  ],
  [
    'array_except/2',
    sets((a, b, element) => {
      const others = keysOf(b, element);
      return distinct(a, element, (key) => !others.has(key));
    }, 'elements of the first array that are not in the second, each once'),
  ],
  ['array_max/1', extreme(1, 'greatest element, NULLs left out')],
  ['array_min/1', extreme(-1, 'least element, NULLs left out')],
  [
    'slice/3',
    (array) => ({
      parameters: [array, types.integer, types.integer],
      result: array,
      strict: false,
      description: 'elements from one subscript to another; NULL is an open end',
      evaluate: slice,
    }),
  ],
  [
    'element_at/2',
    (array, element) => ({
      parameters: [array, types.integer],
      result: element,
      description: 'element of an array, below 0 from its end; NULL when there is none',
      evaluate: elementAt,
    }),
  ],
]);

export const arrayDialectNames = [
  ...new Set([...resolvers.keys()].map((key) => key.slice(0, key.indexOf('/')))),
];

/** Arrays of arrays have the same type as arrays, but their elements have none. */
function oneDimension(evaluate: ScalarFunction['evaluate']): ScalarFunction['evaluate'] {
  return (...args: readonly (Datum | null)[]) => {
    for (const arg of args) {
      if (Array.isArray(arg) && arg.some((item) => Array.isArray(item))) {
        throw new StreamError(
          'SQL_NOT_SUPPORTED',
          'elements of multidimensional arrays are not supported here',
        );
      }
    }
    return (evaluate as (...args: readonly (Datum | null)[]) => Datum | null)(...args);
  };
}

/** The overload for these argument types. */
export function resolveArrayDialect(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  const [array] = argTypes;
  if (array?.kind !== 'array') return undefined;
  const shape = resolvers.get(`${name}/${argTypes.length}`)?.(array, array.element);
  if (shape === undefined) return undefined;
  const whole = array.element.kind === 'row' || name === 'array_length' || name === 'slice';
  const evaluate = whole ? shape.evaluate : oneDimension(shape.evaluate);
  return { name, family: 'array', ...shape, evaluate };
}
