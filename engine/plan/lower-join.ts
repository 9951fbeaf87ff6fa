import { StreamError } from '../../sql/base/error.ts';
import type { Column } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { shiftColumns, visitPlanOuterColumns } from '../../sql/logical-map.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { physicalOf } from '../delta/column.ts';
import type { Lowering } from './lower.ts';
import type { PhysicalNode } from './physical-node.ts';
import {
  checkComputable,
  columnAt,
  columnsOf,
  conjuncts,
  reindex,
  unionOf,
} from './plan-builder.ts';
import { withColumns } from './with-columns.ts';

interface KeyPair {
  readonly left: BoundExpr;
  /** Over the right side's own columns. */
  readonly right: BoundExpr;
  readonly nullSafe: boolean;
}

/**
 * Joins by the equalities of their condition; what is left of it decides about the pairs inside the join.
 * Without an equality every pair is tried.
 */
export function lowerJoin(
  join: LogicalNode & { readonly kind: 'join' },
  needed: readonly number[],
  lowering: Lowering,
): PhysicalNode {
  refuseLateral(join);
  const { builder } = lowering;
  const { type } = join;
  const leftCount = join.left.schema.length;
  const { pairs, rest } = splitCondition(join.on, leftCount);
  const restColumns = columnsOf(rest);
  const wanted = unionOf(needed, restColumns);
  const left = withColumns(
    lowering,
    join.left,
    wanted.filter((column) => column < leftCount),
    pairs.map((pair) => pair.left),
  );
  const right = withColumns(
    lowering,
    join.right,
    wanted.filter((column) => column >= leftCount).map((column) => column - leftCount),
    pairs.map((pair) => pair.right),
  );
  const onlyTests = type === 'semi' || type === 'anti';
  // A semi join asks whether there is a partner, so its state need not hold a partner twice.
  const rightNode = onlyTests ? distinctOf(right.node, lowering) : right.node;
  const place = (column: number): number =>
    column < leftCount
      ? left.kept(column)
      : left.node.schema.length + right.kept(column - leftCount);
  const residual = allOf(rest.map((part) => moveColumns(part, place)));
  const appendOnly = growsOnly(type, left.node, rightNode);
  if (residual !== undefined) checkComputable(residual, appendOnly);
  const outputColumns = unionOf(needed);
  const shape = {
    leftKeys: left.positions,
    rightKeys: right.positions,
    nullSafe: pairs.map((pair) => pair.nullSafe),
    residual,
    output: outputColumns.map(place),
  };
  const schema = outputColumns.map((column) => outputColumn(join, column));
  const inputs = [left.node, rightNode];
  const joined =
    join.atArrival === true && (type === 'inner' || type === 'left')
      ? builder.make({ kind: 'lookup-join', type, ...shape }, schema, inputs, { appendOnly: true })
      : builder.make({ kind: 'join', type, ...shape }, schema, inputs, { appendOnly });
  return builder.project(
    joined,
    undefined,
    needed.map((column) => ({
      kind: 'column',
      index: outputColumns.indexOf(column),
      type: outputColumn(join, column).type,
    })),
    needed.map((column) => outputColumn(join, column)),
  );
}

/** Operators that keep nothing of the rows that go through them. */
const PASSING: ReadonlySet<string> = new Set(['project', 'union-all', 'window-table', 'flat-map']);

/**
 * A look-up at arrival cannot be done again, so that nothing above it may have to be computed anew.
 * @throws StreamError SQL_NOT_INCREMENTAL.
 */
export function checkLookups(nodes: readonly PhysicalNode[]): void {
  const holds = new Set<PhysicalNode>();
  for (const node of nodes) {
    const isAbove = node.inputs.some((input) => holds.has(input));
    if (node.kind === 'lookup-join' || isAbove) holds.add(node);
    const [, right] = node.inputs;
    const mayBe =
      PASSING.has(node.kind) ||
      (node.kind === 'lookup-join' && right !== undefined && !holds.has(right));
    if (!isAbove || mayBe) continue;
    throw new StreamError(
      'SQL_NOT_INCREMENTAL',
      'what is looked up at arrival is looked up once, and this query would have to do it again after a restart',
      { hint: 'Keep the joined rows in a view or stream of its own, and group or join those.' },
    );
  }
}

/** A join's schema lists the columns that come out; conditions see both sides even of a semi join. */
function outputColumn(join: LogicalNode & { readonly kind: 'join' }, column: number): Column {
  const own = join.schema[column];
  return own ?? columnAt(join.right.schema, column - join.left.schema.length);
}

function growsOnly(
  type: (LogicalNode & { readonly kind: 'join' })['type'],
  left: PhysicalNode,
  right: PhysicalNode,
): boolean {
  return (type === 'inner' || type === 'semi') && left.appendOnly && right.appendOnly;
}

function distinctOf(node: PhysicalNode, lowering: Lowering): PhysicalNode {
  return lowering.builder.make(
    { kind: 'set-operation', op: 'union', all: false },
    node.schema,
    [node],
    { appendOnly: node.appendOnly },
  );
}

function refuseLateral(join: LogicalNode & { readonly kind: 'join' }): void {
  if (!join.lateral) return;
  let reaches = false;
  visitPlanOuterColumns(join.right, () => {
    reaches = true;
  });
  if (!reaches) return;
  throw new StreamError(
    'SQL_NOT_INCREMENTAL',
    'a LATERAL join cannot be kept up to date incrementally yet',
    { hint: 'Join on the columns that the inner query refers to, and group or rank by them.' },
  );
}

function splitCondition(
  on: BoundExpr | undefined,
  leftCount: number,
): { readonly pairs: readonly KeyPair[]; readonly rest: readonly BoundExpr[] } {
  const pairs: KeyPair[] = [];
  const rest: BoundExpr[] = [];
  for (const part of on === undefined ? [] : conjuncts(on)) {
    if (part.kind === 'literal' && part.value === true) continue;
    const pair = keyPairOf(part, leftCount);
    if (pair === undefined) rest.push(part);
    else pairs.push(pair);
  }
  return { pairs, rest };
}

/** left = right, or left IS NOT DISTINCT FROM right, with one side's columns on each side. */
function keyPairOf(part: BoundExpr, leftCount: number): KeyPair | undefined {
  let sides: readonly BoundExpr[];
  let nullSafe = false;
  if (part.kind === 'call' && part.fn.name === '=' && part.args.length === 2) {
    sides = part.args;
  } else if (part.kind === 'is-distinct' && part.negated) {
    sides = [part.left, part.right];
    nullSafe = true;
  } else {
    return undefined;
  }
  const [a, b] = sides;
  if (a === undefined || b === undefined || !canHash(a, b)) return undefined;
  const [left, right] = readsOnly(a, 'left', leftCount) ? [a, b] : [b, a];
  if (!readsOnly(left, 'left', leftCount) || !readsOnly(right, 'right', leftCount))
    return undefined;
  return { left, right: shiftColumns(right, -leftCount), nullSafe };
}

/** Equality of stored keys is that of `=` for one type on both sides; char and jsonb have spellings of their own. */
function canHash(a: BoundExpr, b: BoundExpr): boolean {
  const odd = (kind: string): boolean => kind === 'char' || kind === 'jsonb' || kind === 'json';
  if (odd(a.type.kind) || odd(b.type.kind)) return false;
  return physicalOf(a.type) === physicalOf(b.type);
}

function readsOnly(expression: BoundExpr, side: 'left' | 'right', leftCount: number): boolean {
  const columns = columnsOf([expression]);
  if (columns.length === 0) return false;
  return columns.every((column) => (side === 'left' ? column < leftCount : column >= leftCount));
}

function moveColumns(expression: BoundExpr, place: (column: number) => number): BoundExpr {
  const columns = columnsOf([expression]);
  const highest = Math.max(0, ...columns.map(place));
  const order = new Array<number>(highest + 1).fill(-1);
  for (const column of columns) order[place(column)] = column;
  return reindex(expression, order);
}

function allOf(parts: readonly BoundExpr[]): BoundExpr | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  return { kind: 'and', args: parts, type: { kind: 'boolean' } };
}
