/** `f(…, VARIADIC array)`: the elements of an array as the last arguments of a function that takes any number of them. */

import { flattenArray, isItems } from './base/array-shape.ts';
import type { Datum } from './base/datum.ts';
import { type Span, StreamError } from './base/error.ts';
import { isMapType, type SqlType } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { bindScalar, unknownFunction } from './bind-scalar.ts';
import type { BoundExpr } from './expression.ts';
import { callScalar } from './function/define.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

interface Taker {
  /** Arguments before the array. */
  readonly fixed: number;
  readonly onNull: 'null' | 'empty';
}

const json: readonly string[] = ['json', 'jsonb'];
const takers: ReadonlyMap<string, Taker> = new Map<string, Taker>([
  ...['concat', 'num_nulls', 'num_nonnulls'].map(taker(0)),
  ...json.flatMap((kind) => [`${kind}_build_array`, `${kind}_build_object`].map(taker(0))),
  ...json.flatMap((kind) => [`${kind}_extract_path`, `${kind}_extract_path_text`].map(taker(1))),
  ['concat_ws', { fixed: 1, onNull: 'null' }],
  ['format', { fixed: 1, onNull: 'empty' }],
]);

function taker(fixed: number): (name: string) => [string, Taker] {
  return (name) => [name, { fixed, onNull: 'null' }];
}

/** Arguments of one call. PostgreSQL's bound of an array's size is far above what a row should make of one. */
const ELEMENTS_MAX = 10_000;
/** Overloads of one call by the number of elements. */
const OVERLOADS_MAX = 64;

/**
 * The arguments but for the last one, which is an array that is written out or a value.
 * @throws StreamError SQL_DATATYPE_MISMATCH, SQL_NOT_SUPPORTED.
 */
export function bindVariadic(
  name: string,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const last = args.at(-1);
  const fixed = args.slice(0, -1);
  const known = takers.get(name);
  const type = last?.type;
  const isVariadic = context.registry.scalars(name).some((fn) => fn.variadic === true);
  if (known === undefined ? !isVariadic : fixed.length !== known.fixed) {
    const types = args.map((arg) => arg.type);
    throw unknownFunction(name, types, span, context.registry.names());
  }
  if (last?.kind === 'array') return bindScalar(name, [...fixed, ...last.items], span, context);
  if (last === undefined || type?.kind !== 'array' || isMapType(type)) {
    throw new StreamError('SQL_DATATYPE_MISMATCH', 'VARIADIC argument must be an array', {
      at: last?.span ?? span,
    });
  }
  if (known === undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'VARIADIC needs an array written out here', {
      at: span,
    });
  }
  // The overload for one element shows the types of the other arguments, and of the result.
  const shape = overload(name, fixed, type.element, 1, span, context);
  const leading = shape.args.slice(0, fixed.length);
  const byCount = new Map<number, ScalarFunction>([
    [0, { ...shape.fn, variadic: true }],
    [1, shape.fn],
  ]);
  const ofCount = (count: number): ScalarFunction => {
    const made = byCount.get(count);
    if (made !== undefined) return made;
    const { fn } = overload(name, fixed, type.element, count, span, context);
    if (byCount.size < OVERLOADS_MAX) byCount.set(count, fn);
    return fn;
  };
  const evaluate = (...values: readonly (Datum | null)[]): Datum | null => {
    const array = values.at(-1) ?? null;
    if (array === null && known.onNull === 'null') return null;
    const items = isItems(array) ? flattenArray(array, type.element) : [];
    if (items.length > ELEMENTS_MAX) {
      throw new StreamError(
        'VALUE_PROGRAM_LIMIT',
        `${name} takes at most ${ELEMENTS_MAX} elements of an array`,
      );
    }
    return callScalar(ofCount(items.length), [...values.slice(0, -1), ...items]);
  };
  const fn: ScalarFunction = {
    name: `${name} variadic`,
    parameters: [...leading.map((one) => one.type), type],
    result: shape.fn.result,
    strict: false,
    evaluate,
    description: `${name} of the elements of an array`,
    family: shape.fn.family,
  };
  return { kind: 'call', fn, args: [...leading, last], type: fn.result, span };
}

/** The function as it is called for that many elements. */
function overload(
  name: string,
  fixed: readonly BoundExpr[],
  element: SqlType,
  count: number,
  span: Span,
  context: BindContext,
): { readonly fn: ScalarFunction; readonly args: readonly BoundExpr[] } {
  const item: BoundExpr = { kind: 'literal', value: null, type: element, span };
  const call = bindScalar(name, [...fixed, ...Array(count).fill(item)], span, context);
  if (call.kind !== 'call') throw new Error(`assertion failed: ${name} is a function`);
  return call;
}
