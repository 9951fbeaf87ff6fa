import type { Column } from '../../sql/base/type.ts';
import type { BoundAggregate, BoundExpr } from '../../sql/expression.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import type { Lowering } from './lower.ts';
import { byPanes } from './panes.ts';
import type { PhysicalAggregate, PhysicalNode } from './physical-node.ts';
import { columnAt, columnExpression } from './plan-builder.ts';
import { type WithColumns, withColumns } from './with-columns.ts';

type AggregateNode = LogicalNode & { readonly kind: 'aggregate' };

/**
 * GROUP BY over columns: keys, arguments, filters and orders are computed below. Aggregates that nobody reads are left
 * out. Grouping sets are one aggregation per set, put together by UNION ALL.
 */
export function lowerAggregate(
  node: AggregateNode,
  needed: readonly number[],
  lowering: Lowering,
): PhysicalNode {
  const keyCount = node.keys.length;
  const wanted = node.aggregates.flatMap((_, i) => (needed.includes(keyCount + i) ? [i] : []));
  const expressions: BoundExpr[] = [...node.keys];
  const place = (expression: BoundExpr): number => expressions.push(expression) - 1;
  const drafts = wanted.map((i) => {
    const aggregate = node.aggregates[i] as BoundAggregate;
    return {
      aggregate,
      args: aggregate.args.map((arg) => place(guarded(arg, aggregate.filter))),
      filter: aggregate.filter === undefined ? undefined : place(aggregate.filter),
      orderBy: aggregate.orderBy.map((key) => ({
        ...key,
        at: place(guarded(key.expression, aggregate.filter)),
      })),
    };
  });
  const plain = withColumns(lowering, node.input, [], expressions);
  const input = {
    ...plain,
    node: byPanes(plain.node, plain.positions, node.keys.length, lowering),
  };
  const at = (index: number): number => input.positions[index] as number;
  const aggregates = drafts.map(
    ({ aggregate, args, filter, orderBy }): PhysicalAggregate => ({
      fn: aggregate.fn,
      args: args.map(at),
      distinct: aggregate.distinct,
      filter: filter === undefined ? undefined : at(filter),
      orderBy: orderBy.map(({ descending, nullsFirst, at: index }) => ({
        column: at(index),
        descending,
        nullsFirst,
      })),
      type: aggregate.type,
    }),
  );
  const sets = node.groupingSets ?? [node.keys.map((_, key) => key)];
  const parts = sets.map((set) => lowerSet(node, set, wanted, aggregates, input, needed, lowering));
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const schema = needed.map((column) => columnAt(node.schema, column));
  return lowering.builder.make({ kind: 'union-all' }, schema, parts, { appendOnly: false });
}

/** An argument is not computed for rows that its FILTER leaves out, since it might fail there. */
export function guarded(arg: BoundExpr, filter: BoundExpr | undefined): BoundExpr {
  if (filter === undefined || arg.kind === 'column' || arg.kind === 'literal') return arg;
  return {
    kind: 'case',
    // biome-ignore lint/suspicious/noThenProperty: the contract of a CASE expression names it so.
    whens: [{ when: filter, then: arg }],
    otherwise: undefined,
    type: arg.type,
    span: arg.span,
  };
}

function lowerSet(
  node: AggregateNode,
  set: readonly number[],
  wanted: readonly number[],
  aggregates: readonly PhysicalAggregate[],
  input: WithColumns,
  needed: readonly number[],
  lowering: Lowering,
): PhysicalNode {
  const keyCount = node.keys.length;
  const { builder } = lowering;
  const schema: Column[] = [
    ...set.map((key) => columnAt(node.schema, key)),
    ...wanted.map((i) => columnAt(node.schema, keyCount + i)),
  ];
  const grouped = builder.make(
    {
      kind: 'aggregate',
      keys: set.map((key) => input.positions[key] as number),
      aggregates,
    },
    schema,
    [input.node],
    { appendOnly: false },
  );
  const expressions = needed.map((column): BoundExpr => {
    const { type } = columnAt(node.schema, column);
    if (column < keyCount) {
      const place = set.indexOf(column);
      if (place < 0) return { kind: 'literal', value: null, type };
      return columnExpression(schema, place);
    }
    const aggregate = wanted.indexOf(column - keyCount);
    if (aggregate >= 0) return columnExpression(schema, set.length + aggregate);
    const asked = node.groupings[column - keyCount - node.aggregates.length] ?? [];
    return { kind: 'literal', value: groupingBits(asked, set), type };
  });
  return builder.project(
    grouped,
    undefined,
    expressions,
    needed.map((column) => columnAt(node.schema, column)),
  );
}

/** GROUPING(a, b): one bit an argument, the last one lowest, 1 where the set leaves the key out. */
function groupingBits(asked: readonly number[], set: readonly number[]): number {
  return asked.reduce((bits, key) => bits * 2 + (set.includes(key) ? 0 : 1), 0);
}
