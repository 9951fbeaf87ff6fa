import type { LogicalNode } from '../../sql/logical-plan.ts';
import type { Lowering } from './lower.ts';
import type { PhysicalNode } from './physical-node.ts';

type Recursive = LogicalNode & { readonly kind: 'recursive' };
type Reference = LogicalNode & { readonly kind: 'recursive-reference' };

/** The rows of the round before, as a leaf inside the step. */
export function lowerReference(
  node: Reference,
  needed: readonly number[],
  { builder }: Lowering,
): PhysicalNode {
  const leaf = builder.make({ kind: 'recursive-reference', query: node.id }, node.schema, [], {
    // A row moves to another round when an earlier one finds it.
    appendOnly: false,
  });
  return builder.pick(leaf, needed);
}

/**
 * A recursive query: what in the step depends on its own rows becomes a plan inside the operator, everything else an
 * input of it, shared like any other.
 */
export function lowerRecursive(
  node: Recursive,
  needed: readonly number[],
  lowering: Lowering,
): PhysicalNode {
  const { builder } = lowering;
  const columns = node.schema.map((_, column) => column);
  const base = lowering.lower(node.base, columns);
  const step = lowering.lower(
    node.step,
    node.step.schema.map((_, column) => column),
  );
  const inside = new Map<PhysicalNode, boolean>();
  findInside(step, node.id, inside);
  if (inside.get(step) !== true) return builder.pick(baseAlone(node, base, step, lowering), needed);
  const outside = [...inside.keys()].filter(
    (candidate) => inside.get(candidate) === false && isRead(candidate, inside),
  );
  // The leaf itself is no operator whose rows could be taken.
  const root =
    step.kind === 'recursive-reference'
      ? builder.make({ kind: 'union-all' }, step.schema, [step], { appendOnly: false })
      : step;
  const inputs = [base, ...outside];
  const grows = [...inside].every(([inner, isInside]) => !isInside || isMonotone(inner));
  const result = builder.make(
    { kind: 'recursive', query: node.id, all: node.all, step: root },
    node.schema,
    inputs,
    { appendOnly: grows && inputs.every((input) => input.appendOnly) },
  );
  return builder.pick(result, needed);
}

/** Whether each node below depends on the query's own rows. */
function findInside(node: PhysicalNode, query: number, found: Map<PhysicalNode, boolean>): boolean {
  const known = found.get(node);
  if (known !== undefined) return known;
  let isInside = node.kind === 'recursive-reference' && node.query === query;
  for (const input of node.inputs) if (findInside(input, query, found)) isInside = true;
  found.set(node, isInside);
  return isInside;
}

function isRead(node: PhysicalNode, inside: ReadonlyMap<PhysicalNode, boolean>): boolean {
  return [...inside].some(([reader, isInside]) => isInside && reader.inputs.includes(node));
}

/** A step that was found to give no rows leaves the base. */
function baseAlone(
  node: Recursive,
  base: PhysicalNode,
  step: PhysicalNode,
  { builder }: Lowering,
): PhysicalNode {
  if (step.kind !== 'values' || step.rows.length > 0) {
    throw new Error('assertion failed: a step without a reference gives nothing');
  }
  if (node.all) return base;
  return builder.make({ kind: 'set-operation', op: 'union', all: false }, node.schema, [base], {
    appendOnly: base.appendOnly,
  });
}

/** More rows in never mean fewer rows out. */
function isMonotone(node: PhysicalNode): boolean {
  switch (node.kind) {
    case 'recursive-reference':
    case 'project':
    case 'union-all':
    case 'flat-map':
    case 'consolidate':
    case 'window-table':
      return true;
    case 'set-operation':
      return node.op !== 'except';
    case 'join':
      return node.type === 'inner' || node.type === 'semi';
    default:
      return false;
  }
}
