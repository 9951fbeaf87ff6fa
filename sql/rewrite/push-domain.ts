/** A correlated plan for many outer rows at once: the outer columns that it reads become columns of its own. */
import { assertNever } from '../base/assert.ts';
import type { Column } from '../base/type.ts';
import { joinSchema } from '../bind-join.ts';
import { columnOf } from '../bind-scope.ts';
import { booleanType } from '../coerce.ts';
import type { BoundExpr } from '../expression.ts';
import { isLiteral } from '../expression-fact.ts';
import { mapOperands, mapSortKeys, mapWindowCall } from '../expression-map.ts';
import { conjunction } from '../join-keys.ts';
import { inputsOf, mapBound, shiftPlanOuter } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { columnsFrom, type Domain, over, pick, range, refused, unionAll } from './domain.ts';
import { pushAggregate } from './domain-aggregate.ts';
import { isCorrelated } from './pull-correlation.ts';

type Node<Kind extends LogicalNode['kind']> = LogicalNode & { readonly kind: Kind };

/**
 * The plan for every row of the domain: its schema, then the domain's. Neumann and Kemper, "Unnesting Arbitrary
 * Queries", BTW 2015: the dependent join with the domain is pushed down, operator by operator, until what is below does
 * not depend on it, where it is a cross join.
 * Safe: every operator works on the rows of one domain row apart from those of the others, because the domain's columns
 * join its keys, partitions and rows.
 * @throws StreamError SQL_NOT_INCREMENTAL for what cannot be told apart so.
 */
export function push(node: LogicalNode, domain: Domain): LogicalNode {
  if (!isDependent(node, domain)) return cross(shiftPlanOuter(node, -1), domain.node);
  switch (node.kind) {
    case 'values':
      return pushValues(node, domain);
    case 'filter': {
      const input = push(node.input, domain);
      const where = over(node.where, node.input.schema.length, domain);
      return { ...node, input, where, schema: input.schema };
    }
    case 'project': {
      const input = push(node.input, domain);
      const width = node.input.schema.length;
      const own = node.expressions.map((expression) => over(expression, width, domain));
      const added = columnsFrom(domain.node.schema, width);
      const schema = [...node.schema, ...domain.node.schema];
      return { ...node, input, expressions: [...own, ...added], schema };
    }
    case 'join':
      return pushJoin(node, domain);
    case 'aggregate':
      return pushAggregate(node, push(node.input, domain), domain, true);
    case 'temporal-filter': {
      const input = push(node.input, domain);
      const place = (time: BoundExpr): BoundExpr => over(time, node.input.schema.length, domain);
      const from = mapBound(node.from, place);
      const until = mapBound(node.until, place);
      return { ...node, input, from, until, schema: input.schema };
    }
    case 'distinct':
    case 'sort':
    case 'emit-final':
    case 'emit-every':
      return pushAlong(node, domain);
    case 'distinct-on':
    case 'top-n':
    case 'window':
      return pushPartitioned(node, domain);
    case 'set-operation': {
      const left = push(node.left, domain);
      const right = push(node.right, domain);
      return { ...node, left, right, schema: [...node.schema, ...domain.node.schema] };
    }
    case 'limit':
      return pushLimit(node, domain);
    case 'window-table':
      return pushWindowTable(node, domain);
    case 'match-recognize':
      return pushMatch(node, domain);
    case 'table-function':
    case 'flat-map':
      return pushFunctions(node, domain);
    case 'recursive':
      return pushRecursive(node, domain);
    case 'recursive-reference':
      return { ...node, schema: [...node.schema, ...domain.node.schema] };
    case 'scan':
    case 'once':
      throw new Error('assertion failed: it depends on nothing');
    default:
      return assertNever(node);
  }
}

export function isDependent(node: LogicalNode, domain: Domain): boolean {
  if (domain.place.size > 0 && isCorrelated(node)) return true;
  return domain.references.size > 0 && refersTo(node, domain.references);
}

function refersTo(node: LogicalNode, ids: ReadonlySet<number>): boolean {
  if (node.kind === 'recursive-reference') return ids.has(node.id);
  return inputsOf(node).some((input) => refersTo(input, ids));
}

function cross(left: LogicalNode, right: LogicalNode): LogicalNode {
  const schema = [...left.schema, ...right.schema];
  return { kind: 'join', type: 'inner', left, right, on: undefined, lateral: false, schema };
}

/** One projection of the domain a row. */
function pushValues(node: Node<'values'>, domain: Domain): LogicalNode {
  const schema = [...node.schema, ...domain.node.schema];
  const added = columnsFrom(domain.node.schema, 0);
  const [first, ...rest] = node.rows.map((row): LogicalNode => {
    const own = row.map((expression) => over(expression, 0, domain));
    return { kind: 'project', input: domain.node, expressions: [...own, ...added], schema };
  });
  if (first === undefined) throw new Error('assertion failed: no rows depend on nothing');
  return rest.reduce(unionAll, first);
}

function pushAlong(
  node: Node<'distinct' | 'sort' | 'emit-final' | 'emit-every'>,
  domain: Domain,
): LogicalNode {
  const input = push(node.input, domain);
  if (node.kind !== 'sort') return { ...node, input, schema: input.schema };
  const width = node.input.schema.length;
  const keys = mapSortKeys(node.keys, (key) => over(key, width, domain));
  return { ...node, input, keys, schema: input.schema };
}

/** The domain's columns join the partition's; those that the node adds stay behind its input's. */
function pushPartitioned(
  node: Node<'distinct-on' | 'top-n' | 'window'>,
  domain: Domain,
): LogicalNode {
  const input = push(node.input, domain);
  const width = node.input.schema.length;
  const move = (expression: BoundExpr): BoundExpr => over(expression, width, domain);
  const added = columnsFrom(domain.node.schema, width);
  const own = node.schema.slice(width);
  const schema = [...input.schema, ...own];
  const pushed = ((): LogicalNode => {
    switch (node.kind) {
      case 'distinct-on': {
        const keys = [...node.keys.map(move), ...added];
        return { ...node, input, keys, orderBy: mapSortKeys(node.orderBy, move), schema };
      }
      case 'top-n': {
        const partitionBy = [...node.partitionBy.map(move), ...added];
        return { ...node, input, partitionBy, orderBy: mapSortKeys(node.orderBy, move), schema };
      }
      case 'window': {
        const calls = node.calls.map((call) => {
          const moved = mapWindowCall(call, move);
          return { ...moved, partitionBy: [...moved.partitionBy, ...added] };
        });
        return { ...node, input, calls, schema };
      }
      default:
        return assertNever(node);
    }
  })();
  return behind(pushed, width, domain.node.schema.length);
}

/** Moves the domain's columns, which stand behind the first `width` ones, to the end. */
function behind(node: LogicalNode, width: number, added: number): LogicalNode {
  const end = node.schema.length;
  return pick(node, [
    ...range(0, width),
    ...range(width + added, end),
    ...range(width, width + added),
  ]);
}

/** The first rows for each domain row are the first of each partition by it. */
function pushLimit(node: Node<'limit'>, domain: Domain): LogicalNode {
  const sorted = node.input.kind === 'sort' ? node.input : undefined;
  const input = push(sorted?.input ?? node.input, domain);
  const width = node.input.schema.length;
  const limit = countOf(node.limit) ?? Number.POSITIVE_INFINITY;
  const offset = countOf(node.offset) ?? 0;
  if (node.withTies && offset > 0) {
    throw refused('WITH TIES behind an OFFSET in a correlated query', node.limit?.span);
  }
  return {
    kind: 'top-n',
    input,
    partitionBy: columnsFrom(domain.node.schema, width),
    orderBy: mapSortKeys(sorted?.keys ?? [], (key) => over(key, width, domain)),
    rank: node.withTies ? 'rank' : 'row_number',
    limit,
    offset,
    emitRank: false,
    schema: input.schema,
  };
}

function countOf(expression: BoundExpr | undefined): number | undefined {
  if (expression === undefined) return undefined;
  if (!isLiteral(expression)) {
    throw refused('a LIMIT that is no constant in a correlated query', expression.span);
  }
  return expression.value === null ? undefined : Number(expression.value);
}

/** The domain's columns join the partition's. */
function pushMatch(node: Node<'match-recognize'>, domain: Domain): LogicalNode {
  if (node.inEventTime) {
    throw refused('MATCH_RECOGNIZE over a stream in a correlated query', undefined);
  }
  const input = push(node.input, domain);
  const width = node.input.schema.length;
  const added = range(width, width + domain.node.schema.length);
  return {
    ...node,
    input,
    partitionBy: [...node.partitionBy, ...added],
    outputs: [...node.outputs, ...added.map((column) => ({ kind: 'column', column }) as const)],
    schema: [...node.schema, ...domain.node.schema],
  };
}

function pushWindowTable(node: Node<'window-table'>, domain: Domain): LogicalNode {
  const input = push(node.input, domain);
  const width = node.input.schema.length;
  const added = domain.node.schema.length;
  const { window } = node;
  const pushed: LogicalNode = {
    ...node,
    input,
    window:
      window.kind === 'session'
        ? { ...window, partitionBy: [...window.partitionBy, ...range(width, width + added)] }
        : window,
    schema: [...input.schema, ...node.schema.slice(width)],
  };
  return behind(pushed, width, added);
}

function pushFunctions(node: Node<'table-function' | 'flat-map'>, domain: Domain): LogicalNode {
  const own = node.kind === 'flat-map' ? node.input.schema.length : 0;
  const input = node.kind === 'flat-map' ? push(node.input, domain) : domain.node;
  const added = domain.node.schema.length;
  const move = (expression: BoundExpr): BoundExpr => over(expression, own, domain);
  const shifted = (expression: BoundExpr): BoundExpr => move(shiftFrom(expression, own, added));
  const pushed: LogicalNode = {
    kind: 'flat-map',
    input,
    calls: node.calls.map((call) => ({ ...call, args: call.args.map(move) })),
    ordinality: node.ordinality,
    on: node.kind === 'flat-map' ? node.on && shifted(node.on) : undefined,
    outer: node.kind === 'flat-map' && node.outer,
    schema: [...input.schema, ...node.schema.slice(own)],
  };
  return behind(pushed, own, added);
}

/** Columns from `start` on move by `by`. */
function shiftFrom(expression: BoundExpr, start: number, by: number): BoundExpr {
  if (expression.kind === 'column') {
    return expression.index < start ? expression : { ...expression, index: expression.index + by };
  }
  return mapOperands(expression, (operand) => shiftFrom(operand, start, by));
}

/** The references inside the step carry the domain's columns along. */
function pushRecursive(node: Node<'recursive'>, domain: Domain): LogicalNode {
  const inside = { ...domain, references: new Set([...domain.references, node.id]) };
  const base = push(node.base, domain);
  const step = push(node.step, inside);
  return { ...node, base, step, schema: [...node.schema, ...domain.node.schema] };
}

// ---------------------------------------------------------------------- joins

/** Which inputs must be told apart by the domain: those that depend on it, and the one whose rows are all kept. */
function sidesOf(node: Node<'join'>, domain: Domain): { left: boolean; right: boolean } {
  const left = isDependent(node.left, domain);
  const right = isDependent(node.right, domain);
  switch (node.type) {
    case 'inner':
      return { left: left || !right, right };
    case 'left':
    case 'semi':
    case 'anti':
      return { left: true, right };
    case 'right':
      return { left, right: true };
    case 'full':
      return { left: true, right: true };
    default:
      return assertNever(node.type);
  }
}

function pushJoin(node: Node<'join'>, domain: Domain): LogicalNode {
  if (node.lateral) throw refused('this LATERAL join inside of a correlated query', undefined);
  const sides = sidesOf(node, domain);
  const side = (input: LogicalNode, pushed: boolean): LogicalNode =>
    pushed ? push(input, domain) : shiftPlanOuter(input, -1);
  const left = side(node.left, sides.left);
  const right = side(node.right, sides.right);
  const leftWidth = node.left.schema.length;
  const rightWidth = node.right.schema.length;
  const rightStart = left.schema.length;
  const rightDomain = rightStart + rightWidth;
  const on = [
    ...(node.on === undefined
      ? []
      : [
          over(
            shiftFrom(node.on, leftWidth, rightStart - leftWidth),
            sides.left ? leftWidth : rightDomain,
            domain,
          ),
        ]),
    ...(sides.left && sides.right ? sameRow(domain, leftWidth, rightDomain) : []),
  ];
  const onlyLeft = node.type === 'semi' || node.type === 'anti';
  const joined: LogicalNode = {
    ...node,
    left,
    right,
    on: conjunction(on),
    schema: joinSchema(node.type, left.schema, right.schema),
  };
  if (node.type === 'full') return mergedDomain(joined, node, domain, rightStart);
  const added = sides.left && node.type !== 'right' ? leftWidth : rightDomain;
  return pick(joined, [
    ...range(0, leftWidth),
    ...(onlyLeft ? [] : range(rightStart, rightStart + rightWidth)),
    ...range(added, added + domain.node.schema.length),
  ]);
}

/** Rows of both sides belong together when they are for the same row of the domain. */
function sameRow(domain: Domain, left: number, right: number): readonly BoundExpr[] {
  return domain.keys.map((key): BoundExpr => {
    const type = domain.node.schema[key]?.type ?? booleanType;
    return {
      kind: 'is-distinct',
      left: columnOf(left + key, type),
      right: columnOf(right + key, type),
      negated: true,
      type: booleanType,
    };
  });
}

/** Of a full join either side may be missing, but not both. */
function mergedDomain(
  joined: LogicalNode,
  node: Node<'join'>,
  domain: Domain,
  rightStart: number,
): LogicalNode {
  const leftWidth = node.left.schema.length;
  const rightWidth = node.right.schema.length;
  const own = [...range(0, leftWidth), ...range(rightStart, rightStart + rightWidth)];
  const merged = domain.node.schema.map(({ type }, index): BoundExpr => {
    const args = [leftWidth, rightStart + rightWidth].map((start) => columnOf(start + index, type));
    return { kind: 'coalesce', args, type };
  });
  return {
    kind: 'project',
    input: joined,
    expressions: [
      ...own.map((column) => columnOf(column, (joined.schema[column] as Column).type)),
      ...merged,
    ],
    schema: [...own.map((column) => joined.schema[column] as Column), ...domain.node.schema],
  };
}
