/** A physical plan made into graph nodes, ready to be connected to its leaves. */

import { buildOperator } from '../operator/build.ts';
import type { ReportRowError } from '../operator/operator.ts';
import type { PhysicalNode } from '../plan/physical-node.ts';
import { GraphNode } from './graph.ts';
import type { PlanFragment, PlanLeaf } from './plan-task.ts';

/**
 * @param relationId  the engine's id for a relation's name: a stream's, a table's or a view's.
 * @param report      takes rows that an expression could not be computed for.
 */
export function buildFragment(
  root: PhysicalNode,
  relationId: (name: string) => number,
  report: ReportRowError,
): PlanFragment {
  const nodes: GraphNode[] = [];
  const leaves: PlanLeaf[] = [];
  const built = new Map<PhysicalNode, GraphNode>();
  let stateless = true;

  const build = (node: PhysicalNode): GraphNode => {
    const known = built.get(node);
    if (known !== undefined) return known;
    const inputs = node.inputs.map((input) => (input.kind === 'scan' ? undefined : build(input)));
    const operator = node.kind === 'scan' ? undefined : buildOperator(node, report);
    if (operator !== undefined && operator.savedParts().length > 0) stateless = false;
    const graphNode = new GraphNode(
      node.fingerprint,
      node.kind,
      operator,
      inputs.filter((input) => input !== undefined),
    );
    node.inputs.forEach((input, port) => {
      if (input.kind === 'scan') leaves.push(leafOf(input, graphNode, port, relationId));
      else inputs[port]?.connect(graphNode, port, undefined);
    });
    nodes.push(graphNode);
    built.set(node, graphNode);
    return graphNode;
  };

  const top = build(root);
  // A plan that is nothing but a scan has no operator: its one node hands rows through.
  if (root.kind === 'scan') leaves.push(leafOf(root, top, 0, relationId));
  return { nodes, root: top, leaves, stateless };
}

function leafOf(
  scan: PhysicalNode & { readonly kind: 'scan' },
  target: GraphNode,
  port: number,
  relationId: (name: string) => number,
): PlanLeaf {
  return { relationId: relationId(scan.relation), columns: scan.columns, target, port };
}
