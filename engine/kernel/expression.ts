/** Filters and projections over batches, as generated code. */
import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { operandsOf } from '../../sql/expression-map.ts';
import { Batch } from '../delta/batch.ts';
import { columnOf } from '../delta/builder.ts';
import { type BatchColumn, physicalOf } from '../delta/column.ts';
import { gather, gatherColumn } from '../delta/gather.ts';
import { withoutLabel } from './fast-call.ts';
import { type LoopResult, type ReportRowError, RowLoop } from './row-loop.ts';

/** Expression nodes in one generated function: V8 does not optimise functions of any length. */
const LOOP_NODES_MAX = 400;

/** The kept rows with their new columns and their weights; undefined when none is kept. */
export type Projection = (batch: Batch, report: ReportRowError) => Batch | undefined;

export interface Selection {
  /** Numbers of the rows for which the condition is true, ascending; longer than `count`. */
  readonly rows: Int32Array;
  readonly count: number;
}

type Output =
  | { readonly kind: 'column'; readonly index: number }
  | { readonly kind: 'constant'; readonly column: (length: number) => BatchColumn }
  | { readonly kind: 'computed'; readonly group: number; readonly place: number };

/**
 * Compiles `SELECT expressions FROM input WHERE where`. A row for which an expression fails is reported and left out;
 * columns that are only passed on are shared with the input when no row was left out.
 * Subqueries, parameters and outer columns must have been replaced before.
 */
export function compileProjection(
  _input: Schema,
  where: BoundExpr | undefined,
  expressions: readonly BoundExpr[],
): Projection {
  const groups: BoundExpr[][] = [];
  const whereNodes = where === undefined ? 0 : nodeCount(where);
  let room = LOOP_NODES_MAX - whereNodes;
  const outputs = expressions.map((expression): Output => {
    const plain = withoutLabel(expression);
    if (plain.kind === 'column') return { kind: 'column', index: plain.index };
    if (plain.kind === 'literal') {
      return { kind: 'constant', column: constantColumn(expression, plain.value) };
    }
    const nodes = nodeCount(expression);
    let group = groups.at(-1);
    if (group === undefined || nodes > room) {
      group = [];
      groups.push(group);
      room = LOOP_NODES_MAX;
    }
    room -= nodes;
    group.push(expression);
    return { kind: 'computed', group: groups.length - 1, place: group.length - 1 };
  });
  const fused =
    where === undefined ||
    groups.length === 0 ||
    (groups.length === 1 && whereNodes + nodeTotal(groups[0] ?? []) <= LOOP_NODES_MAX);
  const [first = [], ...rest] = fused ? groups : [[], ...groups];
  const noLoop = where === undefined && groups.length === 0;
  const head = noLoop ? undefined : new RowLoop(where, first);
  const tail = rest.map((group) => new RowLoop(undefined, group));
  const firstGroup = fused ? 0 : -1;
  return (batch, report) => {
    if (head === undefined) return assemble(batch, undefined, outputs, []);
    const kept = head.run(batch, report);
    if (kept.count === 0) return undefined;
    const all = kept.count === batch.length;
    if (tail.length === 0) return assemble(batch, all ? undefined : kept, outputs, [kept.columns]);
    const input = all ? batch : gather(batch, kept.rows, kept.count);
    const reportOnce = oncePerRow(report);
    const results = tail.map((loop) => loop.run(input, reportOnce));
    const columns = results.map((result) => result.columns);
    if (firstGroup === 0) columns.unshift(kept.columns);
    if (results.every((result) => result.count === input.length)) {
      return assemble(input, undefined, outputs, columns);
    }
    return withoutFailed(input, outputs, kept, results, firstGroup === 0);
  };
}

/**
 * @param chosen  the rows of `input` that stay; undefined = all of them.
 * @param groups  the computed columns of each group, of the rows that stay.
 */
function assemble(
  input: Batch,
  chosen: Selection | undefined,
  outputs: readonly Output[],
  groups: readonly (readonly BatchColumn[])[],
): Batch {
  const length = chosen?.count ?? input.length;
  const columns = outputs.map((output): BatchColumn => {
    switch (output.kind) {
      case 'column': {
        const column = input.column(output.index);
        return chosen === undefined ? column : gatherColumn(column, chosen.rows, length);
      }
      case 'constant':
        return output.column(length);
      case 'computed':
        return groups[output.group]?.[output.place] as BatchColumn;
      default:
        return assertNever(output);
    }
  });
  const { weights, named } = input;
  if (chosen === undefined) return new Batch(length, columns, weights, named);
  const { rows } = chosen;
  return new Batch(
    length,
    columns,
    weights === null ? null : pick(weights, rows, length),
    named === null ? null : { ...named, names: pick(named.names, rows, length) },
  );
}

function pick(cells: Int32Array, rows: Int32Array, length: number): Int32Array {
  const picked = new Int32Array(length);
  for (let i = 0; i < length; i++) picked[i] = cells[rows[i] as number] as number;
  return picked;
}

/** A row that fails in several groups of expressions is one failing row, with the first group's reason. */
function oncePerRow(report: ReportRowError): ReportRowError {
  const reported = new Set<number>();
  return (error, batch, row, weight) => {
    if (reported.has(row)) return;
    reported.add(row);
    report(error, batch, row, weight);
  };
}

/** Some group failed for some rows: only rows that every group computed are left. */
function withoutFailed(
  input: Batch,
  outputs: readonly Output[],
  first: LoopResult,
  rest: readonly LoopResult[],
  firstComputes: boolean,
): Batch | undefined {
  const seen = new Uint8Array(input.length);
  for (const { rows, count } of rest) {
    for (let i = 0; i < count; i++)
      seen[rows[i] as number] = (seen[rows[i] as number] as number) + 1;
  }
  const kept = new Int32Array(input.length);
  let count = 0;
  for (let row = 0; row < input.length; row++) {
    if (seen[row] === rest.length) kept[count++] = row;
  }
  if (count === 0) return undefined;
  const groups = rest.map((result) => {
    const places = new Int32Array(count);
    let found = 0;
    for (let i = 0; i < result.count; i++) {
      if (seen[result.rows[i] as number] === rest.length) places[found++] = i;
    }
    return result.columns.map((column) => gatherColumn(column, places, count));
  });
  if (firstComputes)
    groups.unshift(first.columns.map((column) => gatherColumn(column, kept, count)));
  return assemble(input, { rows: kept, count }, outputs, groups);
}

/**
 * Compiles a condition to the rows where it is true; a row for which it fails is reported and not among them.
 */
export function compilePredicate(
  _input: Schema,
  where: BoundExpr,
): (batch: Batch, report: ReportRowError) => Selection {
  const loop = new RowLoop(where, []);
  return (batch, report) => {
    const { rows, count } = loop.run(batch, report);
    return { rows, count };
  };
}

/** Equal rows are built once and shared by all batches that are not longer. */
function constantColumn(
  expression: BoundExpr,
  value: Datum | null,
): (length: number) => BatchColumn {
  const physical = physicalOf(expression.type);
  let column: BatchColumn | undefined;
  let rows = 0;
  return (length) => {
    if (column === undefined || rows < length) {
      rows = Math.max(length, rows * 2);
      column = columnOf(physical, new Array<Datum | null>(rows).fill(value));
    }
    return column;
  };
}

function nodeCount(expression: BoundExpr): number {
  return 1 + nodeTotal(operandsOf(expression));
}

function nodeTotal(expressions: readonly BoundExpr[]): number {
  return expressions.reduce((sum, expression) => sum + nodeCount(expression), 0);
}
