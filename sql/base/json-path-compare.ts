/** Comparison of two items of an SQL/JSON path. */
import { assertNever } from './assert.ts';
import type { JsonValue } from './json.ts';
import type { Comparison } from './json-path-syntax.ts';
import { Numeric } from './numeric.ts';
import { compareText } from './text-order.ts';

/** Undefined (unknown) for containers and for values of different types, but a null is not equal to anything else. */
export function compareItems(
  operator: Comparison,
  left: JsonValue,
  right: JsonValue,
): boolean | undefined {
  if (left === null || right === null) {
    if (left === null && right === null) return holds(operator, 0);
    return operator === '!=';
  }
  const order = orderOf(left, right);
  return order === undefined ? undefined : holds(operator, order);
}

function orderOf(left: JsonValue, right: JsonValue): number | undefined {
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (left instanceof Numeric && right instanceof Numeric) return left.compare(right);
  return undefined;
}

function holds(operator: Comparison, order: number): boolean {
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return assertNever(operator);
  }
}
