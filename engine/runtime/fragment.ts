/** A physical plan made into graph nodes, ready to be connected to its leaves. */

import { buildOperator } from '../operator/build.ts';
import type { ReportRowError } from '../operator/operator.ts';
import type { PhysicalNode } from '../plan/physical-node.ts';
import { GraphNode } from './graph.ts';
import { type PlanFragment, type PlanLeaf, WALL_CLOCK_ID } from './plan-task.ts';

const isLeaf = (node: PhysicalNode): node is LeafNode =>
  node.kind === 'scan' || node.kind === 'clock';

type LeafNode = PhysicalNode & { readonly kind: 'scan' | 'clock' };

/**
 * Rows that an expression cannot be computed for go to the nodes' failure taps.
 * @param relationId  the engine's id for a relation's name: a stream's, a table's or a view's.
 */
export function buildFragment(
  root: PhysicalNode,
  relationId: (name: string) => number,
): PlanFragment {
  const nodes: GraphNode[] = [];
  const leaves: PlanLeaf[] = [];
  const built = new Map<PhysicalNode, GraphNode>();
  let stateless = true;

  const build = (node: PhysicalNode): GraphNode => {
    const known = built.get(node);
    if (known !== undefined) return known;
    const inputs = node.inputs.map((input) => (isLeaf(input) ? undefined : build(input)));
    const schemaIn = node.inputs[0]?.schema ?? node.schema;
    const report: ReportRowError = (error, batch, row, weight, schema = schemaIn) =>
      graphNode.fail({ node, error, batch, row, weight, schema });
    const operator = isLeaf(node) ? undefined : buildOperator(node, report);
    if (operator !== undefined && operator.savedParts().length > 0) stateless = false;
    const graphNode: GraphNode = new GraphNode(
      node.fingerprint,
      node.kind,
      operator,
      inputs.filter((input) => input !== undefined),
    );
    node.inputs.forEach((input, port) => {
      if (isLeaf(input)) leaves.push(leafOf(input, graphNode, port, relationId));
      else inputs[port]?.connect(graphNode, port, undefined);
    });
    nodes.push(graphNode);
    built.set(node, graphNode);
    return graphNode;
  };

  const top = build(root);
  markEntries(built);
  // A plan that is nothing but a scan has no operator: its one node hands rows through.
  if (root.kind === 'scan') leaves.push(leafOf(root, top, 0, relationId));
  return { nodes, root: top, leaves, stateless };
}

/** Stateless operators of these kinds give fewer or narrower rows than they take. */
const NARROWING: readonly PhysicalNode['kind'][] = ['project', 'consolidate'];

/**
 * Chooses the ports whose input is logged: on every way from a leaf to an operator with state exactly one, all of whose
 * inputs up to the leaves have no state. Of the ports on such a way the one behind the last narrowing operator is taken.
 */
function markEntries(built: ReadonlyMap<PhysicalNode, GraphNode>): void {
  const isStateful = (node: PhysicalNode): boolean => built.get(node)?.isStateful === true;
  const isPure = (node: PhysicalNode): boolean => !isStateful(node) && node.inputs.every(isPure);
  const mark = (node: PhysicalNode, port: number): void => {
    const input = node.inputs[port];
    const target = built.get(node);
    if (input === undefined || target === undefined || isStateful(input)) return;
    if (isLeaf(input) || (NARROWING.includes(input.kind) && isPure(input))) {
      target.entryPorts = new Set([...target.entryPorts, port]);
    } else {
      input.inputs.forEach((_, i) => {
        mark(input, i);
      });
    }
  };
  for (const node of built.keys()) {
    if (!isStateful(node)) continue;
    node.inputs.forEach((_, port) => {
      mark(node, port);
    });
  }
}

function leafOf(
  leaf: LeafNode,
  target: GraphNode,
  port: number,
  relationId: (name: string) => number,
): PlanLeaf {
  const columns = leaf.kind === 'clock' ? [] : leaf.columns;
  const relation = leaf.relation === undefined ? WALL_CLOCK_ID : relationId(leaf.relation);
  return { relationId: relation, columns, target, port, isClock: leaf.kind === 'clock' };
}
