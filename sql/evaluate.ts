/** The meaning of a bound expression, one row at a time: for constants, tests and slow paths. */
import { assert, assertNever } from './base/assert.ts';
import type { Datum, Row } from './base/datum.ts';
import { StreamError } from './base/error.ts';
import { equalDatums } from './base/value.ts';
import type { BoundExpr } from './expression.ts';
import { insertValue, someExpression } from './expression-map.ts';
import { callScalar } from './function/define.ts';

type Value = Datum | null;

/**
 * Computes an expression over one row, with SQL's order: CASE, COALESCE, AND and OR look at no more
 * operands than they need. Subqueries, outer columns and parameters must have been replaced.
 * @throws StreamError as the expression does.
 */
export function evaluate(expression: BoundExpr, row: Row): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'column':
      return row[expression.index] ?? null;
    case 'call':
      return callScalar(
        expression.fn,
        expression.args.map((arg) => evaluate(arg, row)),
      );
    case 'cast':
      return evaluateCast(expression, row);
    case 'and':
      return evaluateLogic(expression.args, false, row);
    case 'or':
      return evaluateLogic(expression.args, true, row);
    case 'not': {
      const value = evaluate(expression.operand, row);
      return value === null ? null : value === false;
    }
    case 'is-null':
      return (evaluate(expression.operand, row) === null) !== expression.negated;
    case 'is-truth':
      return (evaluate(expression.operand, row) === expression.value) !== expression.negated;
    case 'is-distinct': {
      const left = evaluate(expression.left, row);
      const right = evaluate(expression.right, row);
      const distinct =
        left === null || right === null
          ? left !== right
          : !equalDatums(left, right, expression.left.type);
      return distinct !== expression.negated;
    }
    case 'case': {
      for (const { when, then } of expression.whens) {
        if (evaluate(when, row) === true) return evaluate(then, row);
      }
      return expression.otherwise === undefined ? null : evaluate(expression.otherwise, row);
    }
    case 'coalesce': {
      for (const arg of expression.args) {
        const value = evaluate(arg, row);
        if (value !== null) return value;
      }
      return null;
    }
    case 'let': {
      const { id, value, body } = expression;
      const known = { kind: 'literal', value: evaluate(value, row), type: value.type } as const;
      return evaluate(insertValue(body, id, known), row);
    }
    case 'in-list':
      return evaluateInList(expression, row);
    case 'array':
    case 'row':
      return expression.items.map((item) => evaluate(item, row));
    case 'field': {
      const value = evaluate(expression.operand, row);
      return Array.isArray(value) ? ((value[expression.index] as Value | undefined) ?? null) : null;
    }
    case 'outer-column':
    case 'parameter':
    case 'let-value':
    case 'subquery':
      throw new Error(`assertion failed: ${expression.kind} cannot be computed by itself`);
    default:
      return assertNever(expression);
  }
}

function evaluateCast(expression: BoundExpr & { readonly kind: 'cast' }, row: Row): Value {
  const value = evaluate(expression.operand, row);
  if (expression.fn === undefined) return value;
  if (!expression.try) return callScalar(expression.fn, [value]);
  try {
    return callScalar(expression.fn, [value]);
  } catch (error) {
    if (error instanceof StreamError) return null;
    throw error;
  }
}

function evaluateLogic(args: readonly BoundExpr[], decisive: boolean, row: Row): Value {
  let undecided = false;
  for (const arg of args) {
    const value = evaluate(arg, row);
    if (value === decisive) return decisive;
    if (value === null) undecided = true;
  }
  return undecided ? null : !decisive;
}

function evaluateInList(expression: BoundExpr & { readonly kind: 'in-list' }, row: Row): Value {
  const operand = evaluate(expression.operand, row);
  if (operand === null) return null;
  let undecided = false;
  for (const item of expression.items) {
    const value = evaluate(item, row);
    if (value === null) undecided = true;
    else if (equalDatums(operand, value, expression.operand.type)) return !expression.negated;
  }
  return undecided ? null : expression.negated;
}

/** Whether the value depends on nothing but the expression itself. */
export function isConstant(expression: BoundExpr): boolean {
  return !someExpression(
    expression,
    (part) =>
      part.kind === 'column' ||
      part.kind === 'outer-column' ||
      part.kind === 'parameter' ||
      part.kind === 'let-value' ||
      part.kind === 'subquery' ||
      (part.kind === 'call' && (part.fn.volatility ?? 'immutable') !== 'immutable'),
  );
}

/** The value of a constant; undefined for an expression that is none. @throws StreamError as it does. */
export function evaluateConstant(expression: BoundExpr): Value | undefined {
  if (!isConstant(expression)) return undefined;
  const value = evaluate(expression, []);
  assert(value !== undefined, 'a constant has a value');
  return value;
}
