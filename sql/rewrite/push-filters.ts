/** Predicate push-down. */
import type { BoundExpr } from '../expression.ts';
import { equalExpressions } from '../expression-equal.ts';
import { holdsSubquery, isRepeatable } from '../expression-fact.ts';
import { conjunction, conjunctsOf, sideOf } from '../join-keys.ts';
import {
  columnsRead,
  mapInputs,
  renumberColumns,
  shiftColumns,
  shiftOuter,
  substitute,
} from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';

type Join = LogicalNode & { readonly kind: 'join' };

/**
 * filter(op(x), a AND b)  =>  filter(op(filter(x, a)), b)  for every part `a` that op lets through
 * Pays: rows are dropped before they are joined, grouped, sorted or stored; a condition over both
 * sides of a join becomes its ON, where the equalities are its keys.
 * Safe, per node: project, sort, distinct: always, with the projection's expressions put in (not
 * volatile ones). Join: parts over one side go to that side unless an outer join fills it with NULLs.
 * Set operations: a row is judged by its values only, so on both sides. Aggregate, window, top-n,
 * DISTINCT ON, MATCH_RECOGNIZE: parts over keys (of every grouping set) drop whole groups or partitions. Window table, functions
 * of rows: parts that do not ask for what these add. Never through a limit. Subqueries stay where they are.
 */
export function pushFilters(node: LogicalNode): LogicalNode {
  const next = node.kind === 'join' ? splitOn(node) : node;
  if (next.kind !== 'filter') return mapInputs(next, pushFilters);
  const parts = conjunctsOf(next.where);
  const { node: pushed, kept } = sink(next.input, parts);
  const below = mapInputs(pushed, pushFilters);
  if (below === next.input && kept.length === parts.length) return next;
  return filter(below, kept);
}

interface Sunk {
  readonly node: LogicalNode;
  readonly kept: readonly BoundExpr[];
}

export function filter(input: LogicalNode, parts: readonly BoundExpr[]): LogicalNode {
  const where = conjunction(parts);
  return where === undefined ? input : { kind: 'filter', input, where, schema: input.schema };
}

const isMovable = (part: BoundExpr): boolean => !holdsSubquery(part) && isRepeatable(part);

function partition(
  parts: readonly BoundExpr[],
  test: (part: BoundExpr) => boolean,
): readonly [readonly BoundExpr[], readonly BoundExpr[]] {
  return [
    parts.filter((part) => isMovable(part) && test(part)),
    parts.filter((part) => !(isMovable(part) && test(part))),
  ];
}

/** Moves what it can below `node`; `kept` still belongs above it. */
function sink(node: LogicalNode, parts: readonly BoundExpr[]): Sunk {
  switch (node.kind) {
    case 'filter': {
      const all = [...conjunctsOf(node.where), ...parts];
      return sink(node.input, all);
    }
    case 'project': {
      const reads = (part: BoundExpr): readonly BoundExpr[] =>
        columnsRead([part]).flatMap((index) => node.expressions[index] ?? []);
      const [moved, kept] = partition(parts, (part) =>
        reads(part).every((source) => isRepeatable(source) && !holdsSubquery(source)),
      );
      const below = moved.map((part) => substitute(part, node.expressions));
      return { node: rebuild(node, below), kept };
    }
    case 'sort':
    case 'distinct': {
      const [moved, kept] = partition(parts, () => true);
      return { node: rebuild(node, moved), kept };
    }
    case 'distinct-on':
      return sinkByKeys(node, parts, node.keys);
    case 'top-n':
      return sinkByKeys(node, parts, node.partitionBy);
    case 'window': {
      const [first, ...others] = node.calls.map((call) => call.partitionBy);
      const shared = (first ?? []).filter((key) =>
        others.every((keys) => keys.some((other) => equalExpressions(other, key))),
      );
      return sinkByKeys(node, parts, shared);
    }
    case 'match-recognize': {
      const [moved, kept] = partition(parts, (part) =>
        columnsRead([part]).every((index) => partitionColumn(node, index) !== undefined),
      );
      const below = moved.map((part) =>
        renumberColumns(part, (index) => partitionColumn(node, index) ?? index),
      );
      return { node: rebuild(node, below), kept };
    }
    case 'window-table': {
      const width = node.input.schema.length;
      // A session is made of its rows, so none may be taken from it.
      const isSession = node.window.kind === 'session';
      const [moved, kept] = partition(
        parts,
        (part) => !isSession && columnsRead([part]).every((index) => index < width),
      );
      return { node: rebuild(node, moved), kept };
    }
    case 'flat-map': {
      const width = node.input.schema.length;
      const [moved, kept] = partition(parts, (part) =>
        columnsRead([part]).every((index) => index < width),
      );
      return { node: rebuild(node, moved), kept };
    }
    case 'aggregate': {
      const everywhere = (index: number): boolean =>
        index < node.keys.length &&
        (node.groupingSets?.every((set) => set.includes(index)) ?? true);
      const [moved, kept] = partition(parts, (part) => {
        const read = columnsRead([part]);
        // Without keys there is one row also over no input, so nothing may be taken from it.
        return read.length > 0 && read.every(everywhere);
      });
      return {
        node: rebuild(
          node,
          moved.map((part) => substitute(part, node.keys)),
        ),
        kept,
      };
    }
    case 'set-operation': {
      const [moved, kept] = partition(parts, () => true);
      if (moved.length === 0) return { node, kept };
      return {
        node: { ...node, left: filter(node.left, moved), right: filter(node.right, moved) },
        kept,
      };
    }
    case 'join':
      return sinkIntoJoin(node, parts);
    default:
      return { node, kept: parts };
  }
}

const rebuild = (node: LogicalNode, below: readonly BoundExpr[]): LogicalNode =>
  below.length === 0 ? node : mapInputs(node, (input) => filter(input, below));

/** The input's column behind an output, when it is one of the partition. */
function partitionColumn(
  node: LogicalNode & { readonly kind: 'match-recognize' },
  index: number,
): number | undefined {
  const output = node.outputs[index];
  return output?.kind === 'column' && node.partitionBy.includes(output.column)
    ? output.column
    : undefined;
}

/** Parts that only read plain key columns drop whole partitions. */
function sinkByKeys(
  node: LogicalNode,
  parts: readonly BoundExpr[],
  keys: readonly BoundExpr[],
): Sunk {
  const columns = new Set(keys.flatMap((key) => (key.kind === 'column' ? [key.index] : [])));
  const [moved, kept] = partition(parts, (part) => {
    const read = columnsRead([part]);
    return read.length > 0 && read.every((index) => columns.has(index));
  });
  return { node: rebuild(node, moved), kept };
}

function sinkIntoJoin(join: Join, parts: readonly BoundExpr[]): Sunk {
  const { type, lateral } = join;
  const width = join.left.schema.length;
  const leftStays = type !== 'right' && type !== 'full';
  const rightStays = type === 'inner' || type === 'right';
  const left: BoundExpr[] = [];
  const right: BoundExpr[] = [];
  const on: BoundExpr[] = [];
  const kept: BoundExpr[] = [];
  for (const part of parts) {
    const side = isMovable(part) ? sideOf(part, width) : 'both';
    if (side === 'left' && leftStays) left.push(part);
    else if (side === 'right' && rightStays) right.push(toRight(part, width, lateral));
    else if (type === 'inner' && isMovable(part) && side !== 'none') on.push(part);
    else kept.push(part);
  }
  const node: Join = {
    ...join,
    left: filter(join.left, left),
    right: filter(join.right, right),
    on: conjunction([...conjunctsOf(join.on), ...on]),
  };
  const changed = left.length + right.length + on.length > 0;
  return { node: changed ? splitOn(node) : join, kept };
}

/** A condition over right columns, as the right side itself writes it. */
function toRight(part: BoundExpr, width: number, lateral: boolean): BoundExpr {
  const own = shiftColumns(part, -width);
  return lateral ? shiftOuter(own, 1) : own;
}

/** Parts of ON that only one side decides filter that side, if rows without a match are not kept for it. */
function splitOn(join: Join): Join {
  const parts = conjunctsOf(join.on);
  const width = join.left.schema.length;
  const { type } = join;
  const intoLeft = type === 'inner' || type === 'right' || type === 'semi';
  const intoRight = type === 'inner' || type === 'left' || type === 'semi' || type === 'anti';
  const left: BoundExpr[] = [];
  const right: BoundExpr[] = [];
  const rest: BoundExpr[] = [];
  for (const part of parts) {
    const side = isMovable(part) ? sideOf(part, width) : 'both';
    if (side === 'left' && intoLeft) left.push(part);
    else if (side === 'right' && intoRight) right.push(toRight(part, width, join.lateral));
    else rest.push(part);
  }
  if (left.length + right.length === 0) return join;
  return {
    ...join,
    left: filter(join.left, left),
    right: filter(join.right, right),
    on: conjunction(rest),
  };
}
