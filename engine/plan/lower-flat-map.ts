import type { Column } from '../../sql/base/type.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import type { Lowering } from './lower.ts';
import type { PhysicalNode } from './physical-node.ts';
import { columnAt, columnsOf, reindex, unionOf } from './plan-builder.ts';
import { withColumns } from './with-columns.ts';

type FlatMap = LogicalNode & { readonly kind: 'flat-map' };

/** Arguments are computed below; of the input only what something above reads, or the condition, is copied. */
export function lowerFlatMap(
  node: FlatMap,
  needed: readonly number[],
  lowering: Lowering,
): PhysicalNode {
  const width = node.input.schema.length;
  const condition = node.on === undefined ? [] : columnsOf([node.on]);
  const passed = unionOf(needed, condition).filter((column) => column < width);
  const args = node.calls.flatMap((call) => call.args);
  const input = withColumns(lowering, node.input, passed, args);
  const own = node.schema.slice(width);
  const columns = [...passed, ...own.map((_, index) => width + index)];
  let next = 0;
  const calls = node.calls.map((call) => ({
    name: call.name,
    args: call.args.map(() => input.positions[next++] as number),
    columns: call.columns,
  }));
  const schema: Column[] = [...passed.map((column) => columnAt(node.schema, column)), ...own];
  const { builder } = lowering;
  const mapped = builder.make(
    {
      kind: 'flat-map',
      calls,
      ordinality: node.ordinality,
      kept: passed.map(input.kept),
      on: node.on && reindex(node.on, columns),
      outer: node.outer,
    },
    schema,
    [input.node],
    { appendOnly: input.node.appendOnly },
  );
  return builder.pick(
    mapped,
    needed.map((column) => columns.indexOf(column)),
  );
}
