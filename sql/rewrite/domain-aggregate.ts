/** Aggregations of a correlated plan, for all rows of the domain at once. */
import type { Column } from '../base/type.ts';
import { booleanType } from '../coerce.ts';
import type { BoundAggregate, BoundExpr } from '../expression.ts';
import { mapAggregate } from '../expression-map.ts';
import { conjunction } from '../join-keys.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { columnsFrom, type Domain, over, pick, range, unionAll } from './domain.ts';

type Aggregate = LogicalNode & { readonly kind: 'aggregate' };

/**
 * Groups for each row of the domain are groups by its columns as well; these come last.
 * @param input  the node's input for every row of the domain.
 * @param whole  an aggregation without keys gives a row also over no input, so for every row of the domain. Without
 *   it such rows are missing, for a caller who knows what they would be.
 */
export function pushAggregate(
  node: Aggregate,
  input: LogicalNode,
  domain: Domain,
  whole: boolean,
): LogicalNode {
  const sets = node.groupingSets ?? [range(0, node.keys.length)];
  const empty = whole ? sets.filter((set) => set.length === 0) : [];
  const others = whole ? sets.filter((set) => set.length > 0) : sets;
  const parts: LogicalNode[] = [];
  if (others.length > 0) parts.push(grouped(node, input, others, domain, undefined));
  if (empty.length > 0) {
    const width = input.schema.length;
    const rows = withGhosts(input, node.input.schema.length, domain);
    const isReal: BoundExpr = { kind: 'column', index: width, type: booleanType };
    parts.push(grouped(node, rows, empty, domain, isReal));
  }
  return parts.reduce(unionAll);
}

function grouped(
  node: Aggregate,
  input: LogicalNode,
  sets: readonly (readonly number[])[],
  domain: Domain,
  isReal: BoundExpr | undefined,
): LogicalNode {
  const width = node.input.schema.length;
  const keyCount = node.keys.length;
  const added = domain.node.schema.length;
  const move = (expression: BoundExpr): BoundExpr => over(expression, width, domain);
  const aggregates = node.aggregates.map((aggregate): BoundAggregate => {
    const moved = mapAggregate(aggregate, move);
    if (isReal === undefined) return moved;
    return { ...moved, filter: conjunction([isReal, ...(moved.filter ? [moved.filter] : [])]) };
  });
  const [only] = sets;
  const isPlain = sets.length === 1 && only?.length === keyCount;
  const result: LogicalNode = {
    ...node,
    input,
    keys: [...node.keys.map(move), ...columnsFrom(domain.node.schema, width)],
    groupingSets: isPlain
      ? undefined
      : sets.map((set) => [...set, ...range(keyCount, keyCount + added)]),
    aggregates,
    schema: [
      ...node.schema.slice(0, keyCount),
      ...domain.node.schema,
      ...node.schema.slice(keyCount),
    ],
  };
  return pick(result, [
    ...range(0, keyCount),
    ...range(keyCount + added, result.schema.length),
    ...range(keyCount, keyCount + added),
  ]);
}

/** The input's rows, marked as real, and one of NULLs for every row of the domain, which keeps its group there. */
function withGhosts(input: LogicalNode, width: number, domain: Domain): LogicalNode {
  const mark = (value: boolean): BoundExpr => ({ kind: 'literal', value, type: booleanType });
  const schema: Column[] = [
    ...input.schema.map((column) => ({ ...column, nullable: true })),
    { name: 'real', type: booleanType, nullable: false },
  ];
  const real: LogicalNode = {
    kind: 'project',
    input,
    expressions: [...columnsFrom(input.schema, 0), mark(true)],
    schema,
  };
  const nulls = input.schema
    .slice(0, width)
    .map(({ type }): BoundExpr => ({ kind: 'literal', value: null, type }));
  const ghosts: LogicalNode = {
    kind: 'project',
    input: domain.node,
    expressions: [...nulls, ...columnsFrom(domain.node.schema, 0), mark(false)],
    schema,
  };
  return unionAll(real, ghosts);
}
