import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { inRangeOf } from '../../sql/base/in-range.ts';
import type { Column, SqlType } from '../../sql/base/type.ts';
import type {
  BoundExpr,
  BoundFrameBound,
  BoundSortKey,
  BoundWindowCall,
} from '../../sql/expression.ts';
import { equalExpressions } from '../../sql/expression-equal.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { compileScalar } from '../kernel/scalar.ts';
import type { Lowering } from './lower.ts';
import { guarded } from './lower-aggregate.ts';
import type {
  PhysicalFrame,
  PhysicalFrameBound,
  PhysicalNode,
  PhysicalWindowCall,
  WindowArgument,
} from './physical-node.ts';
import { columnAt } from './plan-builder.ts';
import { withColumns } from './with-columns.ts';

type WindowNode = LogicalNode & { readonly kind: 'window' };

/** Calls of one partition and order, by their numbers among the node's calls. */
interface Group {
  readonly like: BoundWindowCall;
  readonly calls: number[];
}

/** A call whose arguments are still numbers of the list of expressions to be computed below. */
interface Draft {
  readonly call: BoundWindowCall;
  readonly args: readonly (WindowArgument | { readonly kind: 'at'; readonly at: number })[];
  readonly filter: number | undefined;
}

/**
 * Window calls: one operator for all calls of one partition and order, on top of one another where there are several.
 * Partitions, orders, arguments and filters are computed below.
 * @throws StreamError VALUE_INVALID_FRAME, VALUE_NULL_NOT_ALLOWED for frame offsets that are no distance.
 */
export function lowerWindow(
  node: WindowNode,
  needed: readonly number[],
  lowering: Lowering,
): PhysicalNode {
  const width = node.input.schema.length;
  const wanted = node.calls.flatMap((_, i) => (needed.includes(width + i) ? [i] : []));
  const groups = groupsOf(node, wanted);
  const expressions: BoundExpr[] = [];
  const place = (expression: BoundExpr): number => expressions.push(expression) - 1;
  const drafts = groups.map((group) => ({
    partitionBy: group.like.partitionBy.map(place),
    orderBy: group.like.orderBy.map((key) => ({ ...key, at: place(key.expression) })),
    calls: group.calls.map((i) => draftOf(node.calls[i] as BoundWindowCall, place)),
  }));
  const input = withColumns(
    lowering,
    node.input,
    needed.filter((column) => column < width),
    expressions,
  );
  const at = (index: number): number => input.positions[index] as number;
  let current = input.node;
  const places = new Map<number, number>();
  drafts.forEach((draft, g) => {
    const numbers = groups[g]?.calls ?? [];
    const added = numbers.map((i, k): Column => {
      places.set(i, current.schema.length + k);
      return columnAt(node.schema, width + i);
    });
    current = lowering.builder.make(
      {
        kind: 'window',
        partitionBy: draft.partitionBy.map(at),
        orderBy: draft.orderBy.map(({ descending, nullsFirst, at: index }) => ({
          column: at(index),
          descending,
          nullsFirst,
        })),
        calls: draft.calls.map((call) => physicalCall(call, at)),
      },
      [...current.schema, ...added],
      [current],
      { appendOnly: false },
    );
  });
  return lowering.builder.pick(
    current,
    needed.map((column) =>
      column < width ? input.kept(column) : (places.get(column - width) as number),
    ),
  );
}

function groupsOf(node: WindowNode, wanted: readonly number[]): readonly Group[] {
  const groups: Group[] = [];
  for (const i of wanted) {
    const call = node.calls[i] as BoundWindowCall;
    const known = groups.find(({ like }) => isAlike(like, call));
    if (known === undefined) groups.push({ like: call, calls: [i] });
    else known.calls.push(i);
  }
  return groups;
}

function isAlike(left: BoundWindowCall, right: BoundWindowCall): boolean {
  const equalKeys = (a: BoundSortKey, b: BoundSortKey | undefined): boolean =>
    b !== undefined &&
    a.descending === b.descending &&
    a.nullsFirst === b.nullsFirst &&
    equalExpressions(a.expression, b.expression);
  return (
    left.partitionBy.length === right.partitionBy.length &&
    left.partitionBy.every((key) =>
      right.partitionBy.some((other) => equalExpressions(key, other)),
    ) &&
    left.orderBy.length === right.orderBy.length &&
    left.orderBy.every((key, i) => equalKeys(key, right.orderBy[i]))
  );
}

function draftOf(call: BoundWindowCall, place: (expression: BoundExpr) => number): Draft {
  const { fn } = call;
  const filter = fn.kind === 'aggregate' ? fn.aggregate.filter : undefined;
  const bound = fn.kind === 'aggregate' ? fn.aggregate.args : fn.args;
  return {
    call,
    args: bound.map((arg) =>
      arg.kind === 'literal'
        ? { kind: 'constant', value: arg.value }
        : { kind: 'at', at: place(guarded(arg, filter)) },
    ),
    filter: filter === undefined ? undefined : place(filter),
  };
}

function physicalCall(
  { call, args, filter }: Draft,
  at: (index: number) => number,
): PhysicalWindowCall {
  const common = {
    args: args.map(
      (arg): WindowArgument => (arg.kind === 'at' ? { kind: 'column', column: at(arg.at) } : arg),
    ),
    frame: frameOf(call),
    type: call.type,
  };
  const { fn } = call;
  if (fn.kind === 'ranking') {
    return { kind: 'ranking', name: fn.name, ignoreNulls: fn.ignoreNulls, ...common };
  }
  return {
    kind: 'aggregate',
    fn: fn.aggregate.fn,
    filter: filter === undefined ? undefined : at(filter),
    ...common,
  };
}

/** Without ORDER BY all rows are peers, so that a RANGE to the current row takes in the whole partition. */
function frameOf(call: BoundWindowCall): PhysicalFrame {
  const frame = call.frame ?? {
    unit: 'range' as const,
    start: { kind: 'unbounded-preceding' as const },
    end: { kind: 'current-row' as const },
    exclude: 'no others' as const,
  };
  const key = call.orderBy[0]?.expression.type;
  const isUnordered = frame.unit === 'range' && call.orderBy.length === 0;
  const bound = (from: BoundFrameBound, side: 'starting' | 'ending'): PhysicalFrameBound => {
    if ('offset' in from) {
      return { kind: from.kind, offset: offsetOf(from.offset, frame.unit, key, side) };
    }
    if (from.kind !== 'current-row' || !isUnordered) return from;
    return { kind: side === 'starting' ? 'unbounded-preceding' : 'unbounded-following' };
  };
  return {
    unit: frame.unit,
    start: bound(frame.start, 'starting'),
    end: bound(frame.end, 'ending'),
    exclude: frame.exclude,
  };
}

function offsetOf(
  expression: BoundExpr,
  unit: PhysicalFrame['unit'],
  key: SqlType | undefined,
  side: 'starting' | 'ending',
): Datum {
  const value = compileScalar(expression)([]);
  const at = expression.span;
  if (value === null) {
    throw new StreamError('VALUE_NULL_NOT_ALLOWED', `frame ${side} offset must not be null`, {
      at,
    });
  }
  if (unit !== 'range' && (value as bigint) < 0n) {
    throw new StreamError('VALUE_INVALID_FRAME', `frame ${side} offset must not be negative`, {
      at,
    });
  }
  if (unit === 'range' && key !== undefined) {
    try {
      inRangeOf(key, value);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      throw new StreamError(error.code, error.message, { at, cause: error });
    }
  }
  return value;
}
