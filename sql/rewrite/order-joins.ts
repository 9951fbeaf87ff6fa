/** The order of inner joins. */
import { columnOf } from '../bind-scope.ts';
import type { Catalog } from '../catalog.ts';
import { deriveKey } from '../derive.ts';
import type { BoundExpr } from '../expression.ts';
import { holdsSubquery, isRepeatable } from '../expression-fact.ts';
import { conjunction, conjunctsOf } from '../join-keys.ts';
import { columnsRead, mapInputs, renumberColumns, substitute } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

/** Fewer inputs have nothing to choose. */
const INPUTS_MIN = 3;

/** What inner joins, one above the other, put together. Columns count through the leaves, in their first order. */
interface Chain {
  readonly leaves: LogicalNode[];
  /** Number of the first column of each leaf. */
  readonly starts: number[];
  readonly conditions: Condition[];
}

interface Condition {
  readonly expression: BoundExpr;
  /** Numbers of the leaves that it reads. */
  readonly leaves: ReadonlySet<number>;
}

/**
 * join(join(a, b), c) on a = c and b = c  =>  join(join(a, c), b)
 * From the first input on, the next one is that which an equality with its unique key ties to those before, else any
 * equality, else the next one; among equals the order of FROM decides.
 * Pays: without it `FROM part, supplier, lineitem` keeps, and changes, every pair of parts and suppliers. A row that is
 * looked up by a unique key multiplies nothing, so it comes early, where its filter leaves less to keep.
 * Safe: inner joins commute; each condition is asked as soon as all that it reads is there. The order depends on the query
 * and on keys only, not on what the tables hold, so that a restart finds the plan whose state it has.
 */
export function orderJoins(node: LogicalNode, catalog: Catalog): LogicalNode {
  if (node.kind !== 'join') return mapInputs(node, (input) => orderJoins(input, catalog));
  const chain: Chain = { leaves: [], starts: [], conditions: [] };
  const outputs = gather(node, chain);
  const isFree = chain.conditions.every(
    ({ expression }) => isRepeatable(expression) && !holdsSubquery(expression),
  );
  if (chain.leaves.length < INPUTS_MIN || !isFree) {
    return mapInputs(node, (input) => orderJoins(input, catalog));
  }
  const order = orderOf(chain, catalog);
  if (order.every((leaf, place) => leaf === place)) {
    return mapInputs(node, (input) => orderJoins(input, catalog));
  }
  const { joined, places } = rebuild(chain, order, catalog);
  return {
    kind: 'project',
    input: joined,
    expressions: outputs.map((column) =>
      renumberColumns(column, (index) => places[index] ?? index),
    ),
    schema: node.schema,
  };
}

/** @returns the node's columns as columns of the chain. */
function gather(node: LogicalNode, chain: Chain): readonly BoundExpr[] {
  if (node.kind === 'join' && node.type === 'inner' && !node.lateral) {
    const columns = [...gather(node.left, chain), ...gather(node.right, chain)];
    for (const part of conjunctsOf(node.on)) {
      const expression = substitute(part, columns);
      chain.conditions.push({ expression, leaves: leavesOf(expression, chain) });
    }
    return columns;
  }
  // Left from the pruning of columns between two joins.
  if (node.kind === 'project' && node.expressions.every(({ kind }) => kind === 'column')) {
    const columns = gather(node.input, chain);
    return node.expressions.map((expression) => substitute(expression, columns));
  }
  const last = chain.leaves.at(-1);
  const start = last === undefined ? 0 : (chain.starts.at(-1) ?? 0) + last.schema.length;
  chain.leaves.push(node);
  chain.starts.push(start);
  return node.schema.map(({ type }, index) => columnOf(start + index, type));
}

function leavesOf(expression: BoundExpr, { starts }: Chain): ReadonlySet<number> {
  return new Set(
    columnsRead([expression]).map((column) => starts.findLastIndex((start) => start <= column)),
  );
}

function orderOf(chain: Chain, catalog: Catalog): readonly number[] {
  const order = [0];
  const left = chain.leaves.map((_, leaf) => leaf).slice(1);
  while (left.length > 0) {
    const placed = new Set(order);
    const ties = left.map((leaf) => tieOf(leaf, placed, chain, catalog));
    const best = ties.indexOf(Math.max(...ties));
    order.push(...left.splice(best, 1));
  }
  return order;
}

const NO_TIE = 0;
const EQUALITY = 1;
const UNIQUE_KEY = 2;

/** How the leaf is tied to the ones that are placed. */
function tieOf(leaf: number, placed: ReadonlySet<number>, chain: Chain, catalog: Catalog): number {
  const node = chain.leaves[leaf] as LogicalNode;
  const start = chain.starts[leaf] ?? 0;
  const key = deriveKey(node, catalog);
  const tied = chain.conditions.filter(
    ({ leaves }) =>
      leaves.has(leaf) &&
      leaves.size > 1 &&
      [...leaves].every((other) => other === leaf || placed.has(other)),
  );
  // At most one row: whatever compares it takes rows away.
  if (key?.length === 0) return tied.length > 0 ? UNIQUE_KEY : NO_TIE;
  const own = tied.flatMap(({ expression }) => ownSide(expression, leaf, chain));
  if (own.length === 0) return NO_TIE;
  const covers = key?.every((column) =>
    own.some((side) => side.kind === 'column' && side.index === start + column),
  );
  return covers === true ? UNIQUE_KEY : EQUALITY;
}

/** The side of an equality that only the leaf decides, when the other one does without it. */
function ownSide(expression: BoundExpr, leaf: number, chain: Chain): readonly BoundExpr[] {
  let sides: readonly (BoundExpr | undefined)[] = [];
  if (expression.kind === 'call' && expression.fn.name === '=') sides = expression.args;
  else if (expression.kind === 'is-distinct' && expression.negated) {
    sides = [expression.left, expression.right];
  }
  const [first, second] = sides;
  if (first === undefined || second === undefined) return [];
  const isOwn = (side: BoundExpr): boolean => {
    const leaves = leavesOf(side, chain);
    return leaves.size === 1 && leaves.has(leaf);
  };
  const isFree = (side: BoundExpr): boolean => !leavesOf(side, chain).has(leaf);
  if (isOwn(first) && isFree(second)) return [first];
  return isOwn(second) && isFree(first) ? [second] : [];
}

/** The leaves joined in that order, and where each column of the chain is then. */
function rebuild(
  chain: Chain,
  order: readonly number[],
  catalog: Catalog,
): { readonly joined: LogicalNode; readonly places: readonly number[] } {
  const places: number[] = [];
  const placed = new Set<number>();
  let waiting: readonly Condition[] = chain.conditions;
  let joined: LogicalNode | undefined;
  for (const leaf of order) {
    const node = orderJoins(chain.leaves[leaf] as LogicalNode, catalog);
    const width = joined?.schema.length ?? 0;
    for (let i = 0; i < node.schema.length; i++) places[(chain.starts[leaf] ?? 0) + i] = width + i;
    placed.add(leaf);
    if (joined === undefined) {
      joined = node;
      continue;
    }
    const isDue = ({ leaves }: Condition): boolean => [...leaves].every((read) => placed.has(read));
    const on = conjunction(
      waiting
        .filter(isDue)
        .map(({ expression }) => renumberColumns(expression, (index) => places[index] ?? index)),
    );
    waiting = waiting.filter((condition) => !isDue(condition));
    const schema: LogicalNode['schema'] = [...joined.schema, ...node.schema];
    joined = { kind: 'join', type: 'inner', left: joined, right: node, on, lateral: false, schema };
  }
  return { joined: joined as LogicalNode, places };
}
