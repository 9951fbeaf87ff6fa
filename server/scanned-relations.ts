import { inputsOf } from '../sql/logical-map.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';

/** Names of the relations that a plan scans, each once; queries inside expressions are not looked at. */
export function scannedRelations(plan: LogicalNode): readonly string[] {
  const names = new Set<string>();
  const visit = (node: LogicalNode): void => {
    if (node.kind === 'scan') names.add(node.relation);
    for (const input of inputsOf(node)) visit(input);
  };
  visit(plan);
  return [...names];
}
