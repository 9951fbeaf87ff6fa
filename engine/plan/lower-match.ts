import { assert } from '../../sql/base/assert.ts';
import type { Column } from '../../sql/base/type.ts';
import type { Catalog } from '../../sql/catalog.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { mapAggregate, mapOperands } from '../../sql/expression-map.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import {
  type MatchOutput,
  type MatchValue,
  matchValueOf,
  ROW_CLASSIFIER,
} from '../../sql/row-pattern.ts';
import { clockOf } from './emit-final.ts';
import type { Lowering } from './lower.ts';
import type { PhysicalNode, SortColumn } from './physical-node.ts';
import { checkComputable, columnAt, columnsOf, reindex, unionOf } from './plan-builder.ts';

type MatchNode = LogicalNode & { readonly kind: 'match-recognize' };

/**
 * MATCH_RECOGNIZE. In event time a gate below the operator holds each row back until the watermark has passed it, so that
 * rows come in the order of their time. Otherwise the operator takes back what a change makes wrong, and what comes out
 * is consolidated, since most of it stays as it was.
 * All columns that the clause reads are kept, whoever reads its result, since they decide the order of rows that
 * ORDER BY does not tell apart.
 * @throws StreamError SQL_NOT_INCREMENTAL for now() and random().
 */
export function lowerMatch(
  node: MatchNode,
  needed: readonly number[],
  lowering: Lowering,
  catalog: Catalog,
): PhysicalNode {
  const { builder } = lowering;
  const columns = columnsRead(node);
  const input = lowering.lower(node.input, columns);
  const at = (column: number): number => columns.indexOf(column);
  const orderBy: readonly SortColumn[] = node.orderBy.map((key) => ({
    ...key,
    column: at(key.column),
  }));
  const outputs = needed.map((i) => outputAt(node, i));
  const measures = outputs.flatMap((output) => (output.kind === 'measure' ? output.measure : []));
  const { values, place } = valuesRead(node, measures);
  const shape = {
    kind: 'match-recognize',
    partitionBy: node.partitionBy.map(at),
    orderBy,
    outputs: outputs.map((output): MatchOutput => {
      if (output.kind === 'column') return { kind: 'column', column: at(output.column) };
      return { kind: 'measure', measure: measures.indexOf(output.measure) };
    }),
    variables: node.variables,
    pattern: node.pattern,
    values: values.map((value) => overRow(value, columns)),
    define: node.define.map((condition) => condition && overValues(condition, place)),
    measures: measures.map((measure) => overValues(node.measures[measure] as BoundExpr, place)),
    rowsPerMatch: node.rowsPerMatch,
    skip: node.skip,
    withinMicros: node.withinMicros,
  } as const;
  const schema = needed.map((column): Column => columnAt(node.schema, column));
  if (!node.inEventTime) {
    const matches = builder.make(
      { ...shape, inEventTime: false, closingMicros: 0n },
      schema,
      [input],
      { appendOnly: false },
    );
    return builder.make({ kind: 'consolidate' }, schema, [matches], { appendOnly: false });
  }
  const time = orderBy[0]?.column ?? 0;
  const closing = lowering.finder.of(input)[time];
  assert(closing !== undefined && input.appendOnly, 'event time comes with a watermark');
  const clocks = closing.streams.map((stream) => clockOf(stream, builder, catalog));
  const { micros } = closing;
  const gate = builder.make(
    { kind: 'temporal-filter', from: time, fromMicros: micros, until: undefined, untilMicros: 0n },
    input.schema,
    [input, ...clocks],
    { appendOnly: true },
  );
  return builder.make(
    { ...shape, inEventTime: true, closingMicros: micros },
    schema,
    // Without WITHIN the clocks can end no match.
    node.withinMicros === undefined ? [gate] : [gate, ...clocks],
    { appendOnly: true },
  );
}

function outputAt(node: MatchNode, index: number): MatchOutput {
  const output = node.outputs[index];
  assert(output !== undefined, `output ${index} of a match exists`);
  return output;
}

function rowExpressions(value: MatchValue): readonly BoundExpr[] {
  switch (value.kind) {
    case 'navigate':
      return [value.of];
    case 'aggregate': {
      const { args, filter } = value.aggregate;
      return filter === undefined ? args : [...args, filter];
    }
    case 'match-number':
      return [];
    default:
      return value satisfies never;
  }
}

/** Columns of the input that the clause reads, ascending. */
function columnsRead(node: MatchNode): number[] {
  return unionOf(
    node.partitionBy,
    node.orderBy.map((key) => key.column),
    node.outputs.flatMap((output) => (output.kind === 'column' ? output.column : [])),
    columnsOf(node.values.flatMap(rowExpressions)),
  );
}

/** The values that conditions and these measures read, and where each stands among them. */
function valuesRead(
  node: MatchNode,
  measures: readonly number[],
): { readonly values: readonly MatchValue[]; readonly place: (value: number) => number } {
  const read = new Set<number>();
  const visit = (expression: BoundExpr): BoundExpr => {
    if (expression.kind === 'let-value' && expression.id < 0) read.add(matchValueOf(expression.id));
    return mapOperands(expression, visit);
  };
  for (const condition of node.define) if (condition !== undefined) visit(condition);
  for (const measure of measures) visit(node.measures[measure] as BoundExpr);
  const kept = [...read].sort((a, b) => a - b);
  return {
    values: kept.map((value) => node.values[value] as MatchValue),
    place: (value) => kept.indexOf(value),
  };
}

/** A value over the columns that are kept; the row's variable is the column behind them. */
function overRow(value: MatchValue, columns: readonly number[]): MatchValue {
  const move = (expression: BoundExpr): BoundExpr => {
    checkComputable(expression, false);
    return withClassifier(reindex(expression, columns), columns.length);
  };
  if (value.kind === 'navigate') return { ...value, of: move(value.of) };
  if (value.kind === 'aggregate')
    return { ...value, aggregate: mapAggregate(value.aggregate, move) };
  return value;
}

function withClassifier(expression: BoundExpr, index: number): BoundExpr {
  if (expression.kind === 'let-value' && expression.id === ROW_CLASSIFIER) {
    return { kind: 'column', index, type: expression.type, span: expression.span };
  }
  return mapOperands(expression, (operand) => withClassifier(operand, index));
}

function overValues(expression: BoundExpr, place: (value: number) => number): BoundExpr {
  checkComputable(expression, false);
  const move = (part: BoundExpr): BoundExpr => {
    if (part.kind === 'let-value' && part.id < 0) {
      const index = place(matchValueOf(part.id));
      return { kind: 'column', index, type: part.type, span: part.span };
    }
    return mapOperands(part, move);
  };
  return move(expression);
}
