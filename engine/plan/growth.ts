/** Which operators keep more and more, as long as streams go on. */
import { assertNever } from '../../sql/base/assert.ts';
import type { Catalog } from '../../sql/catalog.ts';
import type { PhysicalNode } from './physical-node.ts';

/** Streams by operator: each makes what the operator keeps grow without end. */
export type Growth = ReadonlyMap<PhysicalNode, readonly string[]>;

export function growthOf(nodes: readonly PhysicalNode[], catalog: Catalog): Growth {
  const read = new Map<PhysicalNode, readonly string[]>();
  const grown = new Map<PhysicalNode, readonly string[]>();
  for (const node of nodes) {
    const streams = streamsInto(node, read, catalog);
    read.set(node, streams);
    const keeps = growingInputs(node).flatMap((input) => read.get(input) ?? []);
    if (keeps.length > 0) grown.set(node, [...new Set(keeps)].sort());
  }
  return grown;
}

/** Streams whose rows come out of a node and stay. */
function streamsInto(
  node: PhysicalNode,
  read: ReadonlyMap<PhysicalNode, readonly string[]>,
  catalog: Catalog,
): readonly string[] {
  if (node.kind === 'scan') {
    return catalog.relation(node.relation)?.kind === 'stream' ? [node.relation] : [];
  }
  // The clock takes rows back, so that what reads them shrinks as well.
  if (node.kind === 'temporal-filter' && node.until !== undefined) return [];
  const isSingle = node.kind === 'aggregate' && node.keys.length === 0;
  const isBounded = node.kind === 'top-n' && node.partitionBy.length === 0 && isLimited(node);
  if (isSingle || isBounded) return [];
  return [...new Set(node.inputs.flatMap((input) => read.get(input) ?? []))].sort();
}

function isLimited({ limit }: PhysicalNode & { readonly kind: 'top-n' }): boolean {
  return Number.isFinite(limit);
}

/** The inputs whose rows, or whose keys, an operator keeps for good. */
function growingInputs(node: PhysicalNode): readonly PhysicalNode[] {
  const { inputs, forgets } = node;
  const [input] = inputs;
  switch (node.kind) {
    case 'scan':
    case 'clock':
    case 'values':
    case 'project':
    case 'union-all':
    case 'consolidate':
    case 'flat-map':
    case 'window-table':
    case 'recursive-reference':
    // Rows until their time has come.
    case 'temporal-filter':
    case 'emit-every':
      return [];
    case 'aggregate': {
      if (forgets !== undefined) return [];
      return node.keys.length === 0 && !keepsValues(node, input) ? [] : inputs;
    }
    case 'top-n': {
      if (forgets !== undefined) return [];
      const isBounded = node.partitionBy.length === 0 && input?.appendOnly === true;
      return isBounded && isLimited(node) ? [] : inputs;
    }
    case 'join':
      return inputs.slice(0, 2).filter((_, side) => forgets?.rules[side] === undefined);
    case 'lookup-join':
      return inputs.slice(1);
    case 'set-operation':
    case 'session':
    case 'window':
      return forgets === undefined ? inputs : [];
    // An open match that WITHIN does not end keeps its rows.
    case 'match-recognize':
      return node.inEventTime && node.withinMicros !== undefined ? [] : inputs;
    case 'recursive':
    case 'upsert':
      return inputs;
    default:
      return assertNever(node);
  }
}

/** Whether the one group of an aggregation without keys keeps values of its rows. */
function keepsValues(
  node: PhysicalNode & { readonly kind: 'aggregate' },
  input: PhysicalNode | undefined,
): boolean {
  return node.aggregates.some(({ distinct, orderBy, fn }) => {
    const isExtreme = fn.incremental === 'min' || fn.incremental === 'max';
    return distinct || orderBy.length > 0 || (isExtreme && input?.appendOnly !== true);
  });
}
