import { arrayOfArrays } from './base/array-shape.ts';
import type { BoundExpr } from './expression.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

const NAME = 'array_of_arrays';

/** An array of arrays, as the array of one more dimension that it is. */
export function nestedArray(array: BoundExpr): BoundExpr {
  const fn: ScalarFunction = {
    name: NAME,
    parameters: [array.type],
    result: array.type,
    evaluate: arrayOfArrays,
    description: 'array of arrays with matching dimensions',
    family: 'array',
  };
  return { kind: 'call', fn, args: [array], type: array.type, span: array.span };
}

/** What was given to `nestedArray`. */
export function itemsOfNested(expression: BoundExpr): BoundExpr | undefined {
  return expression.kind === 'call' && expression.fn.name === NAME ? expression.args[0] : undefined;
}
