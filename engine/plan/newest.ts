/**
 * Joins of which only the newest row of each key will be asked for, as ASOF and FOR SYSTEM_TIME AS OF give them: the versions of a key,
 * behind the watermark, can be dropped but for the last one. It is Flink's rule for versioned tables.
 */
import type { BoundExpr } from '../../sql/expression.ts';
import type { PhysicalNode } from './physical-node.ts';

type Join = PhysicalNode & { readonly kind: 'join' };
type TopN = PhysicalNode & { readonly kind: 'top-n' };

/** One side of a join has versions: their time, and the time of the other side's rows that it must not be behind. */
export interface Versions {
  readonly side: 0 | 1;
  /** Columns of the own and of the other side. */
  readonly time: number;
  readonly asked: number;
}

/**
 * Joins that are read by nothing but a top-n of one row, the newest by the versions' time, per rows of the other side: then of two
 * versions that a row meets, the older one never comes out. What lies between may only pass rows on, or group them by all
 * that the top-n goes by, so that no version can be lost while an older one stays.
 */
export function versionsOf(root: PhysicalNode): ReadonlyMap<PhysicalNode, Versions> {
  const readers = readersIn(root);
  const found = new Map<PhysicalNode, Versions>();
  for (const node of readers.keys()) {
    if (node.kind !== 'top-n' || node.limit !== 1 || node.offset !== 0) continue;
    const [newest] = node.orderBy;
    if (newest?.descending !== true) continue;
    const traced = trace(node, [newest.column, ...node.partitionBy], readers);
    const versions = traced && versionsIn(traced.join, traced.columns);
    if (traced !== undefined && versions !== undefined) found.set(traced.join, versions);
  }
  return found;
}

/** How many nodes read each node; a query's step reads what it reads as well. */
function readersIn(root: PhysicalNode): ReadonlyMap<PhysicalNode, number> {
  const readers = new Map<PhysicalNode, number>([[root, 1]]);
  const visit = (node: PhysicalNode): void => {
    const inputs = node.kind === 'recursive' ? [...node.inputs, node.step] : node.inputs;
    for (const input of inputs) {
      const known = readers.get(input);
      readers.set(input, (known ?? 0) + 1);
      if (known === undefined) visit(input);
    }
  };
  visit(root);
  return readers;
}

/** The join that gives a node's columns as they are, by its columns left then right; undefined where something else reads it. */
function trace(
  from: TopN,
  wanted: readonly number[],
  readers: ReadonlyMap<PhysicalNode, number>,
): { readonly join: Join; readonly columns: readonly number[] } | undefined {
  let columns: readonly (number | undefined)[] = wanted;
  let [node] = from.inputs;
  while (node !== undefined && readers.get(node) === 1) {
    const below: (column: number) => number | undefined = sourceOf(node);
    columns = columns.map((column) => (column === undefined ? undefined : below(column)));
    const known = columns.filter((column) => column !== undefined);
    if (known.length < columns.length) return undefined;
    if (node.kind === 'join') return { join: node, columns: known };
    [node] = node.inputs;
  }
  return undefined;
}

/** Where a node has its columns from; undefined for all that it computes, and for nodes that keep rows back. */
function sourceOf(node: PhysicalNode): (column: number) => number | undefined {
  switch (node.kind) {
    case 'project':
      return (column) => {
        const expression = node.where === undefined ? node.expressions[column] : undefined;
        return expression?.kind === 'column' ? expression.index : undefined;
      };
    case 'aggregate':
      return (column) => node.keys[column];
    case 'join':
      return (column) => node.output[column];
    default:
      return () => undefined;
  }
}

/** @param columns  the time by which rows are the newest, and what else the top-n goes by, over left then right columns. */
function versionsIn(join: Join, [newest, ...others]: readonly number[]): Versions | undefined {
  const [left] = join.inputs;
  if (left === undefined || newest === undefined || join.type !== 'inner') return undefined;
  const width = left.schema.length;
  const isLeft = newest < width;
  if (others.some((column) => column < width === isLeft)) return undefined;
  const asked = laterThan(newest, join.residual);
  if (asked === undefined || asked < width === isLeft) return undefined;
  const own = (column: number): number => (column < width ? column : column - width);
  return { side: isLeft ? 0 : 1, time: own(newest), asked: own(asked) };
}

/** The column that a condition wants to be not before another one, and nothing else. */
function laterThan(column: number, condition: BoundExpr | undefined): number | undefined {
  if (condition?.kind !== 'call') return undefined;
  const [first, second] = condition.args;
  if (first?.kind !== 'column' || second?.kind !== 'column') return undefined;
  if (first.type.kind !== second.type.kind) return undefined;
  switch (condition.fn.name) {
    case '<':
    case '<=':
      return first.index === column ? second.index : undefined;
    case '>':
    case '>=':
      return second.index === column ? first.index : undefined;
    default:
      return undefined;
  }
}
