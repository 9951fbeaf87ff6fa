import type { BoundExpr } from '../sql/expression.ts';
import { operandsOf } from '../sql/expression-map.ts';
import { inputsOf, visitExpressions } from '../sql/logical-map.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';

/** Names of the relations that a plan scans, each once; those of queries inside expressions too. */
export function scannedRelations(plan: LogicalNode): readonly string[] {
  const names = new Set<string>();
  const look = (expression: BoundExpr): void => {
    if (expression.kind === 'subquery') visit(expression.plan);
    for (const operand of operandsOf(expression)) look(operand);
  };
  const visit = (node: LogicalNode): void => {
    if (node.kind === 'scan') names.add(node.relation);
    visitExpressions(node, look);
    for (const input of inputsOf(node)) visit(input);
  };
  visit(plan);
  return [...names];
}
