import { assertNever } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import { type Schema, typeName } from '../../sql/base/type.ts';
import type { Catalog } from '../../sql/catalog.ts';
import type { BoundExpr, BoundSortKey } from '../../sql/expression.ts';
import { streamOfLate } from '../../sql/late-relation.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { scannedColumn } from '../../sql/record-column.ts';
import { optimize } from '../../sql/rewrite/all.ts';
import { decorrelate } from '../../sql/rewrite/decorrelate.ts';
import { expandConstants } from '../../sql/rewrite/expand-constants.ts';
import { numberRounds } from '../../sql/rewrite/number-rounds.ts';
import { orderJoins } from '../../sql/rewrite/order-joins.ts';
import { splitAntiJoins } from '../../sql/rewrite/split-anti-join.ts';
import { compileScalar } from '../kernel/scalar.ts';
import { ClosingFinder } from './closing.ts';
import { emitEvery } from './emit-every.ts';
import { emitFinal } from './emit-final.ts';
import { forgetClosed } from './forget.ts';
import { growthOf } from './growth.ts';
import { lowerAggregate } from './lower-aggregate.ts';
import { lowerFlatMap } from './lower-flat-map.ts';
import { checkLookups, lowerJoin } from './lower-join.ts';
import { lowerMatch } from './lower-match.ts';
import { lowerRecursive, lowerReference } from './lower-recursive.ts';
import { lowerTemporal } from './lower-temporal.ts';
import { lowerWindow } from './lower-window.ts';
import type { PhysicalNode } from './physical-node.ts';
import { keyOf, type PhysicalPlan, storageOf } from './physical-plan.ts';
import { bothOf, columnAt, columnsOf, PlanBuilder, reindex, unionOf } from './plan-builder.ts';
import { withColumns } from './with-columns.ts';

/** What the parts of lowering share. */
export interface Lowering {
  readonly builder: PlanBuilder;
  readonly finder: ClosingFinder;
  /** The node's rows with exactly the given columns of its schema, in that order. */
  lower(node: LogicalNode, needed: readonly number[]): PhysicalNode;
}

/**
 * Turns a bound, rewritten logical plan into operators that keep its answer up to date. Only columns that something
 * reads are carried, down to the scans. A final ORDER BY without LIMIT orders nothing in a view and is dropped.
 * @throws StreamError SQL_NOT_INCREMENTAL, naming what cannot be kept up to date, with a rewrite where there is one.
 */
export function lower(plan: LogicalNode, catalog: Catalog): PhysicalPlan {
  const builder = new PlanBuilder();
  const planOf = (query: LogicalNode): PhysicalNode =>
    lowerRoot(query, new PlanBuilder(), finder, catalog);
  const finder = new ClosingFinder(catalog, planOf);
  const plain = lowerRoot(plan, builder, finder, catalog);
  const root = forgetClosed(plain, builder, finder, catalog);
  const nodes = reachable(root);
  checkLookups(nodes);
  return {
    root,
    nodes,
    schema: plan.schema,
    storage: storageOf(plain, catalog),
    key: keyOf(plain, catalog),
    appendOnly: root.appendOnly,
    growth: growthOf(nodes, catalog),
  };
}

/** The operators of a query, none of which drops state yet. */
function lowerRoot(
  plan: LogicalNode,
  builder: PlanBuilder,
  finder: ClosingFinder,
  catalog: Catalog,
): PhysicalNode {
  const lowering: Lowering = {
    builder,
    finder,
    lower: (node, needed) => lowerNode(node, needed, lowering, catalog),
  };
  const joined = numberRounds(splitAntiJoins(decorrelate(plan, catalog)));
  const unordered = joined === plan ? plan : optimize(joined, catalog);
  const ordered = expandConstants(orderJoins(unordered, catalog));
  const incremental = ordered === unordered ? unordered : optimize(ordered, catalog);
  return lowering.lower(incremental, allOf(plan.schema));
}

function lowerNode(
  node: LogicalNode,
  needed: readonly number[],
  lowering: Lowering,
  catalog: Catalog,
): PhysicalNode {
  const { builder } = lowering;
  switch (node.kind) {
    case 'scan':
      return lowerScan(node, needed, builder, catalog);
    case 'values': {
      const rows = node.rows.map((row) => needed.map((column) => row[column] as BoundExpr));
      const schema = schemaOf(node, needed);
      // No rows say nothing of their columns, which another plan without rows has otherwise.
      const leaf = schema.map(({ type }) => typeName(type)).join();
      return builder.make({ kind: 'values', rows }, schema, [], { appendOnly: true, leaf });
    }
    case 'filter': {
      if (node.input.kind === 'join' && node.input.type === 'inner') {
        // Equalities of the filter are what the join should look rows up by.
        return lowerJoin(
          { ...node.input, on: bothOf(node.input.on, node.where) },
          needed,
          lowering,
        );
      }
      const columns = unionOf(needed, columnsOf([node.where]));
      const input = lowering.lower(node.input, columns);
      const expressions = needed.map((column) => picked(input, columns.indexOf(column)));
      return builder.project(
        input,
        reindex(node.where, columns),
        expressions,
        schemaOf(node, needed),
      );
    }
    case 'project': {
      const wanted = needed.map((column) => node.expressions[column] as BoundExpr);
      const columns = columnsOf(wanted);
      const input = lowering.lower(node.input, columns);
      const expressions = wanted.map((expression) => reindex(expression, columns));
      return builder.project(input, undefined, expressions, schemaOf(node, needed));
    }
    case 'join':
      return lowerJoin(node, needed, lowering);
    case 'aggregate':
      return lowerAggregate(node, needed, lowering);
    case 'distinct': {
      const input = lowering.lower(node.input, allOf(node.schema));
      const distinct = builder.make(
        { kind: 'set-operation', op: 'union', all: false },
        node.schema,
        [input],
        { appendOnly: input.appendOnly },
      );
      return builder.pick(distinct, needed);
    }
    case 'distinct-on':
      return lowerTopN(node.input, needed, lowering, {
        partitionBy: node.keys,
        orderBy: node.orderBy,
        rank: 'row_number',
        limit: 1,
        offset: 0,
        emitRank: false,
        withTies: false,
      });
    case 'set-operation':
      return lowerSetOperation(node, needed, lowering);
    case 'sort':
      return lowering.lower(node.input, needed);
    case 'limit': {
      const sorted = node.input.kind === 'sort' ? node.input : undefined;
      const limit = countOf(node.limit, 'LIMIT');
      const offset = countOf(node.offset, 'OFFSET') ?? 0;
      const input = sorted?.input ?? node.input;
      if (limit === undefined && offset === 0) return lowering.lower(input, needed);
      return lowerTopN(input, needed, lowering, {
        partitionBy: [],
        orderBy: sorted?.keys ?? [],
        rank: 'row_number',
        limit: limit ?? Number.POSITIVE_INFINITY,
        offset,
        emitRank: false,
        withTies: node.withTies,
      });
    }
    case 'top-n':
      return lowerTopN(node.input, needed, lowering, { ...node, withTies: false });
    case 'temporal-filter':
      return lowerTemporal(node, needed, lowering, catalog);
    case 'emit-every': {
      const input = lowering.lower(node.input, allOf(node.input.schema));
      return builder.pick(emitEvery(input, node, lowering, catalog), needed);
    }
    case 'once': {
      // Equal plans are computed once: so every place asks for all of it.
      const input = lowering.lower(node.input, allOf(node.input.schema));
      return builder.pick(input, needed);
    }
    case 'emit-final': {
      const input = lowering.lower(node.input, allOf(node.input.schema));
      return builder.pick(emitFinal(input, builder, lowering.finder, catalog), needed);
    }
    case 'window-table':
      return lowerWindowTable(node, needed, lowering);
    case 'window':
      return lowerWindow(node, needed, lowering);
    case 'match-recognize':
      return lowerMatch(node, needed, lowering, catalog);
    case 'table-function': {
      const input: LogicalNode = { kind: 'values', rows: [[]], schema: [] };
      return lowerFlatMap(
        { ...node, kind: 'flat-map', input, on: undefined, outer: false },
        needed,
        lowering,
      );
    }
    case 'flat-map':
      return lowerFlatMap(node, needed, lowering);
    case 'recursive':
      return lowerRecursive(node, needed, lowering);
    case 'recursive-reference':
      return lowerReference(node, needed, lowering);
    default:
      return assertNever(node);
  }
}

function lowerScan(
  node: LogicalNode & { readonly kind: 'scan' },
  needed: readonly number[],
  builder: PlanBuilder,
  catalog: Catalog,
): PhysicalNode {
  const relation = catalog.relation(node.relation);
  if (relation === undefined) throw new Error(`assertion failed: no relation ${node.relation}`);
  // Views that read the same columns share a leaf, in whatever order they name them.
  const columns = unionOf(needed);
  const scan = builder.make(
    {
      kind: 'scan',
      relation: node.relation,
      columns: columns.map((column) => scannedColumn(node, column)),
    },
    schemaOf(node, columns),
    [],
    {
      appendOnly:
        relation.kind === 'stream' ||
        streamOfLate(node.relation, catalog) !== undefined ||
        (relation.kind === 'materialized-view' && relation.appendOnly),
      leaf: `relation ${relation.id}`,
    },
  );
  return builder.pick(
    scan,
    needed.map((column) => columns.indexOf(column)),
  );
}

function lowerSetOperation(
  node: LogicalNode & { readonly kind: 'set-operation' },
  needed: readonly number[],
  lowering: Lowering,
): PhysicalNode {
  const { builder } = lowering;
  const isUnionAll = node.op === 'union' && node.all;
  // Rows are compared whole, except that UNION ALL compares none.
  const columns = isUnionAll ? needed : allOf(node.schema);
  const inputs = [lowering.lower(node.left, columns), lowering.lower(node.right, columns)];
  const schema = schemaOf(node, columns);
  const grows = inputs.every((input) => input.appendOnly) && node.op !== 'except';
  if (isUnionAll) return builder.make({ kind: 'union-all' }, schema, inputs, { appendOnly: grows });
  const { op, all } = node;
  const result = builder.make({ kind: 'set-operation', op, all }, schema, inputs, {
    appendOnly: grows,
  });
  return builder.pick(result, needed);
}

interface TopN {
  readonly partitionBy: readonly BoundExpr[];
  readonly orderBy: readonly BoundSortKey[];
  readonly rank: 'row_number' | 'rank' | 'dense_rank';
  readonly limit: number;
  readonly offset: number;
  readonly emitRank: boolean;
  readonly withTies: boolean;
}

function lowerTopN(
  input: LogicalNode,
  needed: readonly number[],
  lowering: Lowering,
  top: TopN,
): PhysicalNode {
  const { builder } = lowering;
  const rankColumn = input.schema.length;
  const sortExpressions = top.orderBy.map((key) => key.expression);
  const { node, positions, kept } = withColumns(
    lowering,
    input,
    needed.filter((column) => column !== rankColumn),
    [...top.partitionBy, ...sortExpressions],
  );
  const { rank, limit, offset, emitRank, withTies } = top;
  const schema = emitRank
    ? [...node.schema, { name: rank, type: { kind: 'bigint' }, nullable: false } as const]
    : node.schema;
  const result = builder.make(
    {
      kind: 'top-n',
      partitionBy: positions.slice(0, top.partitionBy.length),
      orderBy: top.orderBy.map(({ descending, nullsFirst }, i) => ({
        column: positions[top.partitionBy.length + i] as number,
        descending,
        nullsFirst,
      })),
      rank,
      limit,
      offset,
      emitRank,
      withTies,
    },
    schema,
    [node],
    { appendOnly: false },
  );
  return builder.pick(
    result,
    needed.map((column) => (column === rankColumn ? node.schema.length : kept(column))),
  );
}

function lowerWindowTable(
  node: LogicalNode & { readonly kind: 'window-table' },
  needed: readonly number[],
  lowering: Lowering,
): PhysicalNode {
  const { window, timeColumn } = node;
  const count = node.input.schema.length;
  const partition = window.kind === 'session' ? window.partitionBy : [];
  const columns = unionOf(
    needed.filter((column) => column < count),
    [timeColumn, ...partition],
  );
  const input = lowering.lower(node.input, columns);
  const place = columns.indexOf(timeColumn);
  const partitionBy = partition.map((column) => columns.indexOf(column));
  const result = lowering.builder.make(
    window.kind === 'session'
      ? { kind: 'session', gapMicros: window.gapMicros, timeColumn: place, partitionBy }
      : { kind: 'window-table', window, timeColumn: place },
    [...input.schema, columnAt(node.schema, count), columnAt(node.schema, count + 1)],
    [input],
    // A session's bounds move with its rows.
    { appendOnly: input.appendOnly && window.kind !== 'session' },
  );
  return lowering.builder.pick(
    result,
    needed.map((column) =>
      column < count ? columns.indexOf(column) : columns.length + column - count,
    ),
  );
}

/** @throws StreamError VALUE_INVALID_LIMIT for a negative number. */
function countOf(
  expression: BoundExpr | undefined,
  clause: 'LIMIT' | 'OFFSET',
): number | undefined {
  if (expression === undefined) return undefined;
  const value = compileScalar(expression)([]);
  if (value === null) return undefined;
  const count = Number(value);
  if (count < 0) {
    throw new StreamError(`VALUE_INVALID_${clause}`, `${clause} must not be negative`, {
      at: expression.span,
    });
  }
  return count;
}

function picked(input: PhysicalNode, index: number): BoundExpr {
  return { kind: 'column', index, type: columnAt(input.schema, index).type };
}

function schemaOf(node: LogicalNode, columns: readonly number[]): Schema {
  return columns.map((column) => columnAt(node.schema, column));
}

export function allOf(schema: Schema): number[] {
  return schema.map((_, column) => column);
}

/** The nodes that the root reads, inputs before readers; fusing leaves others behind. */
function reachable(root: PhysicalNode): PhysicalNode[] {
  const found = new Set<PhysicalNode>();
  const visit = (node: PhysicalNode): void => {
    if (found.has(node)) return;
    for (const input of node.inputs) visit(input);
    found.add(node);
  };
  visit(root);
  return [...found];
}
