/** Subscripts of arrays, and comparison with ANY or ALL elements of an array. */
import { flattenArray } from './base/array-shape.ts';
import type { Datum } from './base/datum.ts';
import type { Span } from './base/error.ts';
import { isMapType, type SqlType } from './base/type.ts';
import { booleanType, integerType } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { sliceArray } from './function/array-shape.ts';
import { callScalar } from './function/define.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

/**
 * `array[i][j]…`; counted from 1, NULL outside of the bounds and for too few subscripts.
 */
export function arraySubscript(
  array: BoundExpr,
  indexes: readonly BoundExpr[],
  element: SqlType,
  span: Span,
): BoundExpr {
  const fn: ScalarFunction = {
    name: 'array_subscript',
    parameters: [array.type, ...indexes.map(() => integerType)],
    result: element,
    evaluate: (items: readonly (Datum | null)[], ...at: readonly number[]) => {
      let value: Datum | null = items;
      for (const index of at) {
        value = Array.isArray(value)
          ? ((value[index - 1] as Datum | null | undefined) ?? null)
          : null;
      }
      const isPart = Array.isArray(value) && element.kind !== 'row' && !isMapType(element);
      return isPart ? null : value;
    },
    description: 'element of an array',
    family: 'array',
  };
  return { kind: 'call', fn, args: [array, ...indexes], type: element, span };
}

/** One dimension's bounds in `array[low:high]`; undefined is an open end. */
export type SliceBound = readonly [low: BoundExpr | undefined, high: BoundExpr | undefined];

/** `array[low:high]…`: an array of the same type, counted from 1 again. NULL for a bound that is NULL. */
export function arraySlice(array: BoundExpr, bounds: readonly SliceBound[], span: Span): BoundExpr {
  const args = bounds.flat().filter((bound) => bound !== undefined);
  const fn: ScalarFunction = {
    // Which ends are open is part of what it computes.
    name: `array_slice ${bounds.map((pair) => pair.map((b) => (b ? 'x' : '')).join(':')).join(' ')}`,
    parameters: [array.type, ...args.map(() => integerType)],
    result: array.type,
    evaluate: (items: readonly (Datum | null)[], ...given: readonly number[]) => {
      let next = 0;
      const take = (bound: BoundExpr | undefined): number | undefined =>
        bound === undefined ? undefined : given[next++];
      return sliceArray(
        items,
        bounds.map(([low, high]) => [take(low), take(high)]),
      );
    },
    description: 'part of an array',
    family: 'array',
  };
  return { kind: 'call', fn, args: [array, ...args], type: array.type, span };
}

/** `operand op ANY|ALL (array)`, three-valued: an undecided element makes the answer NULL. */
export function compareWithArray(
  operand: BoundExpr,
  array: BoundExpr,
  compare: ScalarFunction,
  quantifier: 'any' | 'all',
  span: Span,
): BoundExpr {
  const decisive = quantifier === 'any';
  const isOfRows = array.type.kind === 'array' && array.type.element.kind === 'row';
  const fn: ScalarFunction = {
    name: `${compare.name} ${quantifier}`,
    parameters: [operand.type, array.type],
    result: booleanType,
    strict: false,
    evaluate: (value: Datum | null, items: readonly (Datum | null)[] | null) => {
      if (items === null) return null;
      let undecided = false;
      for (const item of isOfRows ? items : flattenArray(items)) {
        const answer = callScalar(compare, [value, item]);
        if (answer === decisive) return decisive;
        if (answer === null) undecided = true;
      }
      return undecided ? null : !decisive;
    },
    description: `comparison with ${quantifier} of an array's elements`,
    family: 'array',
  };
  return { kind: 'call', fn, args: [operand, array], type: booleanType, span };
}
