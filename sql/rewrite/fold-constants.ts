/** Constant folding. */

import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { combine } from '../bind-operator.ts';
import { evaluate } from '../evaluate.ts';
import type { BoundExpr } from '../expression.ts';
import { isLiteral, isTrue } from '../expression-fact.ts';
import { insertValue, mapOperands, operandsOf } from '../expression-map.ts';
import { mapExpressions, mapInputs } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

/**
 * f(constants)  =>  its value;  x AND true  =>  x;  x AND false  =>  false;  strict f(…, NULL, …)  =>  NULL;  …
 * Pays: computed once instead of once a row, and other rules see what a condition really asks.
 * Safe: immutable functions only. What fails (1/0) is left where it is, because the row that would
 * need it may never come. As in PostgreSQL, x is not computed any more in `x AND false`.
 */
export function foldConstants(node: LogicalNode): LogicalNode {
  return mapExpressions(mapInputs(node, foldConstants), foldExpression);
}

export function foldExpression(expression: BoundExpr): BoundExpr {
  const next = mapOperands(expression, foldExpression);
  const folded = simplify(next);
  return folded === expression ? expression : folded;
}

function simplify(expression: BoundExpr): BoundExpr {
  switch (expression.kind) {
    case 'literal':
    case 'column':
    case 'outer-column':
    case 'parameter':
    case 'let-value':
    case 'subquery':
    case 'array':
    case 'row':
    case 'field':
      return expression;
    case 'and':
      return simplifyLogic(expression, false);
    case 'or':
      return simplifyLogic(expression, true);
    case 'case':
      return simplifyCase(expression);
    case 'coalesce':
      return simplifyCoalesce(expression);
    case 'call': {
      const volatility = expression.fn.volatility ?? 'immutable';
      if (volatility !== 'immutable') return expression;
      const isNull = expression.fn.strict !== false && expression.args.some(isNullLiteral);
      return isNull ? literal(expression, null) : compute(expression);
    }
    case 'cast': {
      // A type's text is unchanged by an unnamed cast; the label still has to change.
      if (isLiteral(expression.operand) && expression.fn === undefined) {
        return literal(expression, expression.operand.value);
      }
      return isNullLiteral(expression.operand) && expression.fn?.strict !== false
        ? literal(expression, null)
        : compute(expression);
    }
    case 'not':
      return simplifyNot(expression);
    case 'let': {
      const { id, value, body } = expression;
      if (isLiteral(body)) return body;
      return isLiteral(value) ? foldExpression(insertValue(body, id, value)) : expression;
    }
    default:
      return compute(expression);
  }
}

const isNullLiteral = (expression: BoundExpr): boolean =>
  isLiteral(expression) && expression.value === null;

const literal = (like: BoundExpr, value: Datum | null): BoundExpr => ({
  kind: 'literal',
  value,
  type: like.type,
  span: like.span,
});

/** The value when all operands are literals; the expression itself when it fails. */
function compute(expression: BoundExpr): BoundExpr {
  if (!operandsOf(expression).every(isLiteral)) return expression;
  try {
    return literal(expression, evaluate(expression, []));
  } catch (error) {
    if (error instanceof StreamError) return expression;
    throw error;
  }
}

function simplifyLogic(
  expression: BoundExpr & { readonly kind: 'and' | 'or' },
  decisive: boolean,
): BoundExpr {
  const flat = expression.args.flatMap((arg) => (arg.kind === expression.kind ? arg.args : [arg]));
  const decided = flat.find((arg) => isLiteral(arg) && arg.value === decisive);
  if (decided !== undefined) return literal(expression, decisive);
  const open = flat.filter((arg) => !(isLiteral(arg) && arg.value === !decisive));
  if (open.length === 0) return literal(expression, !decisive);
  if (open.length === expression.args.length && flat.length === open.length) {
    return open.every(isLiteral) ? compute(expression) : expression;
  }
  return combine(expression.kind, open, expression.span);
}

function simplifyNot(expression: BoundExpr & { readonly kind: 'not' }): BoundExpr {
  const { operand } = expression;
  switch (operand.kind) {
    case 'not':
      return operand.operand;
    case 'is-null':
    case 'is-truth':
    case 'is-distinct':
    case 'in-list':
      return { ...operand, negated: !operand.negated };
    default:
      return compute(expression);
  }
}

function simplifyCase(expression: BoundExpr & { readonly kind: 'case' }): BoundExpr {
  const open = expression.whens.filter(({ when }) => !isLiteral(when) || when.value === true);
  const decided = open.findIndex(({ when }) => isTrue(when));
  const whens = decided < 0 ? open : open.slice(0, decided);
  const otherwise = decided < 0 ? expression.otherwise : open[decided]?.then;
  if (whens.length === 0) return otherwise ?? literal(expression, null);
  if (whens.length === expression.whens.length) return expression;
  return { ...expression, whens, otherwise };
}

function simplifyCoalesce(expression: BoundExpr & { readonly kind: 'coalesce' }): BoundExpr {
  const open = expression.args.filter((arg) => !isNullLiteral(arg));
  const decided = open.findIndex(isLiteral);
  const args = decided < 0 ? open : open.slice(0, decided + 1);
  const [only] = args;
  if (only === undefined) return literal(expression, null);
  if (args.length === 1) return only;
  return args.length === expression.args.length ? expression : { ...expression, args };
}
