/** Column pruning. */
import { columnOf } from '../bind-scope.ts';
import type { BoundExpr } from '../expression.ts';
import { mapAggregate, mapSortKeys, mapWindowCall } from '../expression-map.ts';
import { columnsRead, mapBound, mapPlanColumns, renumberColumns } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { isOfRecord, withoutRecord } from '../record-column.ts';

/** A plan with fewer columns, and where the needed ones went. */
interface Pruned {
  readonly node: LogicalNode;
  readonly place: (index: number) => number;
}

/**
 * Every node computes only the columns that something above it reads; a scan of which only some are read gets a
 * projection directly above it, for lowering to push into the decoder.
 * Pays: columns that are not decoded, copied, hashed and stored.
 * Safe: a column is dropped only when no expression above it names it. Rows that are compared whole
 * (DISTINCT, set operations but UNION ALL) keep all of theirs; so does a lateral join's left side what its
 * right side reads.
 */
export function pruneColumns(plan: LogicalNode): LogicalNode {
  const all = allOf(plan);
  const { node, place } = prune(plan, all);
  return exactly(node, all.map(place), plan);
}

const allOf = (node: LogicalNode): readonly number[] => node.schema.map((_, index) => index);

/** The node with just these columns, under the names of `like`. */
function exactly(
  node: LogicalNode,
  columns: readonly number[],
  like: LogicalNode | undefined,
): LogicalNode {
  const isWhole =
    columns.length === node.schema.length && columns.every((column, index) => column === index);
  if (isWhole) return node;
  return {
    kind: 'project',
    input: node,
    expressions: columns.map((index) =>
      columnOf(index, node.schema[index]?.type ?? { kind: 'unknown' }),
    ),
    schema: columns.flatMap((index, position) => {
      const column = node.schema[index];
      return column === undefined
        ? []
        : [{ ...column, name: like?.schema[position]?.name ?? column.name }];
    }),
  };
}

const union = (...lists: readonly (readonly number[])[]): readonly number[] =>
  [...new Set(lists.flat())].sort((a, b) => a - b);

const same = (index: number): number => index;

/** Where each of the kept columns stands among them. */
function placesOf(kept: readonly number[]): (index: number) => number {
  const places = new Map(kept.map((index, position) => [index, position]));
  return (index) => places.get(index) ?? index;
}

function prune(node: LogicalNode, needed: readonly number[]): Pruned {
  switch (node.kind) {
    case 'scan': {
      const scan = needed.some((column) => isOfRecord(node, column)) ? node : withoutRecord(node);
      if (needed.length === scan.schema.length) return { node: scan, place: same };
      return { node: exactly(scan, needed, undefined), place: placesOf(needed) };
    }
    case 'values': {
      if (needed.length === node.schema.length) return { node, place: same };
      const pick = <Item>(items: readonly Item[]): readonly Item[] =>
        needed.flatMap((index) => {
          const item = items[index];
          return item === undefined ? [] : [item];
        });
      const rows = node.rows.map(pick);
      return { node: { ...node, rows, schema: pick(node.schema) }, place: placesOf(needed) };
    }
    case 'filter':
      return through(node, union(needed, columnsRead([node.where])), (input, move) => ({
        ...node,
        input,
        where: move(node.where),
        schema: input.schema,
      }));
    case 'sort':
      return through(
        node,
        union(needed, columnsRead(node.keys.map((key) => key.expression))),
        (input, move) => ({
          ...node,
          input,
          keys: mapSortKeys(node.keys, move),
          schema: input.schema,
        }),
      );
    case 'limit':
      return through(node, needed, (input) => ({ ...node, input, schema: input.schema }));
    case 'distinct-on':
      return through(
        node,
        union(needed, columnsRead([...node.keys, ...node.orderBy.map((key) => key.expression)])),
        (input, move) => ({
          ...node,
          input,
          keys: node.keys.map(move),
          orderBy: mapSortKeys(node.orderBy, move),
          schema: input.schema,
        }),
      );
    case 'project':
      return pruneProject(node, needed);
    case 'aggregate':
      return pruneAggregate(node, needed);
    case 'window':
      return pruneWindow(node, needed);
    case 'top-n':
      return pruneTopN(node, needed);
    case 'window-table':
      return pruneWindowTable(node, needed);
    case 'flat-map':
      return pruneFlatMap(node, needed);
    case 'join':
      return pruneJoin(node, needed);
    case 'set-operation':
      return pruneSetOperation(node, needed);
    case 'temporal-filter': {
      const times = [node.from, node.until].flatMap((bound) => bound?.time ?? []);
      return through(node, union(needed, columnsRead(times)), (input, move) => ({
        ...node,
        input,
        from: mapBound(node.from, move),
        until: mapBound(node.until, move),
        schema: input.schema,
      }));
    }
    case 'emit-final':
    case 'emit-every':
    case 'once':
    case 'distinct':
    case 'match-recognize':
      return { node: { ...node, input: whole(node.input) }, place: same };
    case 'recursive':
      return { node: { ...node, base: whole(node.base), step: whole(node.step) }, place: same };
    case 'table-function':
    case 'recursive-reference':
      return { node, place: same };
    default:
      return node satisfies never;
  }
}

/** All columns kept in their order, but pruned below. */
function whole(node: LogicalNode): LogicalNode {
  return pruneColumns(node);
}

/** Without the columns that only the node itself has read: a join would store them. */
function pruneExactly(node: LogicalNode, needed: readonly number[]): Pruned {
  const { node: pruned, place } = prune(node, needed);
  if (pruned.schema.length === needed.length) return { node: pruned, place };
  return { node: exactly(pruned, needed.map(place), undefined), place: placesOf(needed) };
}

type Move = (expression: BoundExpr) => BoundExpr;

const mover =
  (place: (index: number) => number): Move =>
  (expression) =>
    renumberColumns(expression, place);

/** For nodes whose columns are their input's. */
function through(
  node: LogicalNode & { readonly input: LogicalNode },
  read: readonly number[],
  rebuild: (input: LogicalNode, move: Move) => LogicalNode,
): Pruned {
  const below = prune(node.input, read);
  return { node: rebuild(below.node, mover(below.place)), place: below.place };
}

function pruneProject(
  node: LogicalNode & { readonly kind: 'project' },
  needed: readonly number[],
): Pruned {
  const kept = needed.flatMap((index) => {
    const expression = node.expressions[index];
    const column = node.schema[index];
    return expression === undefined || column === undefined ? [] : [{ expression, column }];
  });
  const below = prune(node.input, columnsRead(kept.map(({ expression }) => expression)));
  const move = mover(below.place);
  return {
    node: {
      ...node,
      input: below.node,
      expressions: kept.map(({ expression }) => move(expression)),
      schema: kept.map(({ column }) => column),
    },
    place: placesOf(needed),
  };
}

function pruneAggregate(
  node: LogicalNode & { readonly kind: 'aggregate' },
  needed: readonly number[],
): Pruned {
  const keyCount = node.keys.length;
  const count = node.aggregates.length;
  const keptAggregates = node.aggregates
    .map((_, index) => index)
    .filter((index) => needed.includes(keyCount + index));
  const aggregates = keptAggregates.flatMap((index) => node.aggregates[index] ?? []);
  const read: BoundExpr[] = [...node.keys];
  for (const aggregate of aggregates) {
    mapAggregate(aggregate, (expression) => {
      read.push(expression);
      return expression;
    });
  }
  const below = prune(node.input, columnsRead(read));
  const move = mover(below.place);
  const order = [
    ...node.keys.map((_, index) => index),
    ...keptAggregates.map((index) => keyCount + index),
    ...node.groupings.map((_, index) => keyCount + count + index),
  ];
  return {
    node: {
      ...node,
      input: below.node,
      keys: node.keys.map(move),
      aggregates: aggregates.map((aggregate) => mapAggregate(aggregate, move)),
      schema: order.flatMap((index) => node.schema[index] ?? []),
    },
    place: placesOf(order),
  };
}

/** The input's kept columns and their new places, with the node's own columns behind them. */
function behindInput(
  below: Pruned,
  inputWidth: number,
  own: readonly number[],
): (index: number) => number {
  const start = below.node.schema.length;
  return (index) => (index < inputWidth ? below.place(index) : start + own.indexOf(index));
}

function pruneWindow(
  node: LogicalNode & { readonly kind: 'window' },
  needed: readonly number[],
): Pruned {
  const width = node.input.schema.length;
  const own = needed.filter((index) => index >= width);
  const fromInput = needed.filter((index) => index < width);
  if (own.length === 0) return prune(node.input, fromInput);
  const calls = own.flatMap((index) => node.calls[index - width] ?? []);
  const read: BoundExpr[] = [];
  for (const call of calls) {
    mapWindowCall(call, (expression) => {
      read.push(expression);
      return expression;
    });
  }
  const below = prune(node.input, union(fromInput, columnsRead(read)));
  const move = mover(below.place);
  return {
    node: {
      ...node,
      input: below.node,
      calls: calls.map((call) => mapWindowCall(call, move)),
      schema: [...below.node.schema, ...own.flatMap((index) => node.schema[index] ?? [])],
    },
    place: behindInput(below, width, own),
  };
}

/** A rank that nobody reads is not given out: it would change with every row that comes before. */
function pruneTopN(
  node: LogicalNode & { readonly kind: 'top-n' },
  needed: readonly number[],
): Pruned {
  const width = node.input.schema.length;
  const own = needed.filter((index) => index >= width);
  const read = [...node.partitionBy, ...node.orderBy.map((key) => key.expression)];
  const below = prune(
    node.input,
    union(
      needed.filter((index) => index < width),
      columnsRead(read),
    ),
  );
  const move = mover(below.place);
  return {
    node: {
      ...node,
      input: below.node,
      partitionBy: node.partitionBy.map(move),
      orderBy: mapSortKeys(node.orderBy, move),
      emitRank: own.length > 0,
      schema: [...below.node.schema, ...own.flatMap((index) => node.schema[index] ?? [])],
    },
    place: behindInput(below, width, own),
  };
}

function pruneWindowTable(
  node: LogicalNode & { readonly kind: 'window-table' },
  needed: readonly number[],
): Pruned {
  const width = node.input.schema.length;
  const { window } = node;
  const partition = window.kind === 'session' ? window.partitionBy : [];
  const below = prune(
    node.input,
    union(
      needed.filter((index) => index < width),
      [node.timeColumn],
      partition,
    ),
  );
  const own = [width, width + 1];
  return {
    node: {
      ...node,
      input: below.node,
      timeColumn: below.place(node.timeColumn),
      window:
        window.kind === 'session' ? { ...window, partitionBy: partition.map(below.place) } : window,
      schema: [...below.node.schema, ...own.flatMap((index) => node.schema[index] ?? [])],
    },
    place: behindInput(below, width, own),
  };
}

/** The functions give all their columns, since they compute all of them. */
function pruneFlatMap(
  node: LogicalNode & { readonly kind: 'flat-map' },
  needed: readonly number[],
): Pruned {
  const width = node.input.schema.length;
  const own = node.schema.slice(width);
  const args = node.calls.flatMap((call) => call.args);
  const read = columnsRead(node.on === undefined ? args : [...args, node.on]);
  const below = prune(
    node.input,
    union(
      needed.filter((index) => index < width),
      read.filter((index) => index < width),
    ),
  );
  const place = behindInput(
    below,
    width,
    own.map((_, index) => width + index),
  );
  const move = mover(place);
  return {
    node: {
      ...node,
      input: below.node,
      calls: node.calls.map((call) => ({ ...call, args: call.args.map(move) })),
      on: node.on && move(node.on),
      schema: [...below.node.schema, ...own],
    },
    place,
  };
}

function pruneJoin(
  node: LogicalNode & { readonly kind: 'join' },
  needed: readonly number[],
): Pruned {
  const width = node.left.schema.length;
  const onlyLeft = node.type === 'semi' || node.type === 'anti';
  const read = union(needed, node.on === undefined ? [] : columnsRead([node.on]));
  const left = pruneExactly(
    node.left,
    union(
      read.filter((index) => index < width),
      node.lateral ? lateralColumns(node.right) : [],
    ),
  );
  const right = pruneExactly(
    node.right,
    read.filter((index) => index >= width).map((index) => index - width),
  );
  const leftWidth = left.node.schema.length;
  const place = (index: number): number =>
    index < width ? left.place(index) : leftWidth + right.place(index - width);
  const rightNode = node.lateral
    ? mapPlanColumns(right.node, 1, (column) => ({ ...column, index: left.place(column.index) }))
    : right.node;
  const nullable = (index: number): boolean => node.schema[index]?.nullable ?? true;
  const leftSchema = keepNullability(left, width, 0, nullable);
  const rightSchema = onlyLeft
    ? []
    : keepNullability(right, node.right.schema.length, width, nullable);
  return {
    node: {
      ...node,
      left: left.node,
      right: rightNode,
      on: node.on && renumberColumns(node.on, place),
      schema: [...leftSchema, ...rightSchema],
    },
    place,
  };
}

/** The side's schema with names and nullability of the join's: outer joins make columns nullable. */
function keepNullability(
  side: Pruned,
  oldWidth: number,
  offset: number,
  nullable: (index: number) => boolean,
): LogicalNode['schema'] {
  const schema = [...side.node.schema];
  for (let index = 0; index < oldWidth; index++) {
    const position = side.place(index);
    const column = schema[position];
    if (column !== undefined && nullable(offset + index) && !column.nullable) {
      schema[position] = { ...column, nullable: true };
    }
  }
  return schema;
}

/** What a lateral right side reads of the left one. */
function lateralColumns(right: LogicalNode): readonly number[] {
  const read = new Set<number>();
  mapPlanColumns(right, 1, (column) => {
    read.add(column.index);
    return column;
  });
  return [...read];
}

function pruneSetOperation(
  node: LogicalNode & { readonly kind: 'set-operation' },
  needed: readonly number[],
): Pruned {
  if (node.op !== 'union' || !node.all) {
    return { node: { ...node, left: whole(node.left), right: whole(node.right) }, place: same };
  }
  const side = (input: LogicalNode): LogicalNode => {
    const { node: pruned, place } = prune(input, needed);
    return exactly(pruned, needed.map(place), undefined);
  };
  return {
    node: {
      ...node,
      left: side(node.left),
      right: side(node.right),
      schema: needed.flatMap((index) => node.schema[index] ?? []),
    },
    place: placesOf(needed),
  };
}
