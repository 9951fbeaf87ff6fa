/** WITH items whose rows may differ when they are computed again. */
import type { BindContext } from './bind-context.ts';
import type { BoundExpr } from './expression.ts';
import { someExpression } from './expression-map.ts';
import { inputsOf, visitExpressions, visitPlanOuterColumns } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

/**
 * Volatile functions of a WITH item are called once, however often the query names it, as in PostgreSQL. Only where it is answered once, and
 * not for one that depends on a row around it, or on a round of a recursion.
 */
export function onceIfVolatile(plan: LogicalNode, context: BindContext): LogicalNode {
  if (context.purpose !== 'pull' || !isVolatile(plan) || dependsOnPlace(plan)) return plan;
  return { kind: 'once', id: context.nextCommonId(), input: plan, schema: plan.schema };
}

function isVolatile(plan: LogicalNode): boolean {
  let found = false;
  visitExpressions(plan, (expression) => {
    found ||= someExpression(expression, isVolatilePart);
  });
  return found || inputsOf(plan).some(isVolatile);
}

const isVolatilePart = (part: BoundExpr): boolean =>
  (part.kind === 'call' && part.fn.volatility === 'volatile') ||
  (part.kind === 'subquery' && isVolatile(part.plan));

function dependsOnPlace(plan: LogicalNode): boolean {
  let found = plan.kind === 'recursive-reference';
  visitPlanOuterColumns(plan, () => {
    found = true;
  });
  return found || inputsOf(plan).some(dependsOnPlace);
}
