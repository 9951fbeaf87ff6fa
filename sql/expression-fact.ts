/** Questions that rewrites ask about expressions. */
import type { BoundExpr } from './expression.ts';
import { someExpression } from './expression-map.ts';

export const isLiteral = (
  expression: BoundExpr | undefined,
): expression is BoundExpr & { readonly kind: 'literal' } => expression?.kind === 'literal';

export const isTrue = (expression: BoundExpr | undefined): boolean =>
  isLiteral(expression) && expression.value === true;

/** A condition that keeps no row: false or NULL. */
export const keepsNothing = (expression: BoundExpr | undefined): boolean =>
  isLiteral(expression) && expression.value !== true;

export const holdsSubquery = (expression: BoundExpr): boolean =>
  someExpression(expression, (part) => part.kind === 'subquery');

/** Whether computing it twice, or elsewhere, gives the same value for the same row. */
export const isRepeatable = (expression: BoundExpr): boolean =>
  !someExpression(expression, (part) => part.kind === 'call' && part.fn.volatility === 'volatile');

/** Costs nothing to compute again. */
export const isTrivial = (expression: BoundExpr): boolean =>
  expression.kind === 'column' ||
  expression.kind === 'literal' ||
  expression.kind === 'outer-column';
