/** Joins with rows that never change: VALUES, and set-returning functions of constants. */
import { joinSchema } from '../bind-join.ts';
import type { BoundExpr } from '../expression.ts';
import { isLiteral, isRepeatable } from '../expression-fact.ts';
import { someExpression } from '../expression-map.ts';
import { mapInputs, renumberColumns } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { pick, range } from './domain.ts';
import { flatMapJoin } from './flat-map.ts';

type Join = LogicalNode & { readonly kind: 'join' };

/** Constant rows up to which trying each of them costs less than keeping the other side for a look-up. */
const ROWS_TRIED_MAX = 100;

/**
 * join(x, constant rows) on p  =>  filter(flat map(x, constant rows), p)
 * Pays: no row of x has to be kept for a partner that could come later, and what closes in x closes in the result.
 * Safe: flatMapJoin is; the rows are the same for every row of x.
 * With a condition an index over many constant rows would find the few that meet it sooner, so these stay a join.
 */
export function expandConstants(node: LogicalNode): LogicalNode {
  const next = mapInputs(node, expandConstants);
  return (next.kind === 'join' && expanded(next)) || next;
}

/** Undefined where neither side is constant, or rows of a constant side must come out without a partner. */
function expanded(join: Join): LogicalNode | undefined {
  if (join.atArrival === true) return undefined;
  if (isExpandable(join.right, join.on)) return flatMapJoin(join);
  const isTurned = join.type === 'inner' || join.type === 'right';
  return isTurned && isExpandable(join.left, join.on) ? turned(join) : undefined;
}

/** The constant side goes to the right. */
function turned(join: Join): LogicalNode | undefined {
  const { left, right, on } = join;
  const width = left.schema.length;
  const other = right.schema.length;
  const type = join.type === 'inner' ? 'inner' : 'left';
  const mapped = flatMapJoin({
    ...join,
    type,
    left: right,
    right: left,
    on: on && renumberColumns(on, (index) => (index < width ? index + other : index - width)),
    schema: joinSchema(type, right.schema, left.schema),
  });
  return mapped && pick(mapped, [...range(other, other + width), ...range(0, other)]);
}

function isExpandable(side: LogicalNode, on: BoundExpr | undefined): boolean {
  const rows = constantRows(side);
  return rows !== undefined && (on === undefined || rows <= ROWS_TRIED_MAX);
}

/** How many rows a side has at most that reads nothing; Infinity = some; undefined when it reads something. */
function constantRows(node: LogicalNode): number | undefined {
  switch (node.kind) {
    case 'values':
      return node.rows.every((row) => row.every(isConstant)) ? node.rows.length : undefined;
    case 'table-function': {
      if (!node.calls.every(({ args }) => args.every(isConstant))) return undefined;
      const counts = node.calls.flatMap(({ name, args }) =>
        args.map((arg) => (name === 'unnest' ? literalLength(arg) : Number.POSITIVE_INFINITY)),
      );
      return Math.max(0, ...counts);
    }
    case 'filter':
      return isRepeatable(node.where) ? constantRows(node.input) : undefined;
    case 'project':
    case 'sort':
      return constantRows(node.input);
    default:
      return undefined;
  }
}

const isConstant = (expression: BoundExpr): boolean =>
  isRepeatable(expression) &&
  !someExpression(expression, ({ kind }) => ['column', 'outer-column', 'subquery'].includes(kind));

function literalLength(arg: BoundExpr): number {
  if (arg.kind === 'array') return arg.items.length;
  return isLiteral(arg) && Array.isArray(arg.value) ? arg.value.length : Number.POSITIVE_INFINITY;
}
