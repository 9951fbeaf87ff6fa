import { assert, assertNever } from '../../sql/base/assert.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { type Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { BatchBuilder } from '../delta/builder.ts';
import { compilePredicate, compileProjection } from '../kernel/expression.ts';
import { compileScalar } from '../kernel/scalar.ts';
import type { Forgetting, PhysicalNode } from '../plan/physical-node.ts';
import { columnAt, columnsOf, reindex } from '../plan/plan-builder.ts';
import { thresholdOf } from '../plan/threshold.ts';
import { AggregateOperator } from './aggregate.ts';
import { ConsolidateOperator } from './consolidate.ts';
import { EmitEveryOperator } from './emit-every.ts';
import { FlatMapOperator, type KeepRows } from './flat-map.ts';
import { type Forgetful, ForgettingOperator } from './forgetting.ts';
import { JoinOperator, type KeepPairs } from './join.ts';
import { ListedWindowOperator, listedWindows } from './listed-window.ts';
import { LookupJoinOperator } from './lookup-join.ts';
import { MATCH_STEPS_MAX } from './match-rows.ts';
import { MatchStreamOperator } from './match-stream.ts';
import { MatchTableOperator } from './match-table.ts';
import type { Operator, ReportRowError } from './operator.ts';
import { ProjectOperator } from './project.ts';
import { RecursiveOperator } from './recursive.ts';
import { SessionOperator } from './session.ts';
import { SetOperationOperator, type SetRule, setRules } from './set-operation.ts';
import { StepGraph } from './step-graph.ts';
import { TemporalFilterOperator } from './temporal-filter.ts';
import { ThresholdJoinOperator } from './threshold-join.ts';
import { TopNOperator } from './top-n.ts';
import { UnionAllOperator } from './union-all.ts';
import { UpsertOperator } from './upsert.ts';
import { ValuesOperator } from './values.ts';
import { WindowOperator } from './window.ts';
import { WindowTableOperator } from './window-table.ts';

/**
 * The operator of a node of a physical plan, without state yet. Ports are the node's inputs in order. Scans are
 * fed by the runtime and have no operator.
 * @param report  gets rows for which an expression has no value; they leave the plan in both directions.
 * @throws StreamError from constants that have no value (`VALUES (1/0)`).
 */
export function buildOperator(node: PhysicalNode, report: ReportRowError): Operator {
  const { forgets } = node;
  if (forgets === undefined) return build(node, report);
  const clocks = forgets.streams.length;
  const operator = buildForgetful(node, report, forgets.rules);
  return new ForgettingOperator(operator, node.inputs.length - clocks, clocks);
}

/** The operators that drop state behind watermarks. */
function buildForgetful(
  node: PhysicalNode,
  report: ReportRowError,
  rules: Forgetting['rules'],
): Forgetful {
  const { schema } = node;
  const [rule] = rules;
  const input = inputOf(node, 0);
  switch (node.kind) {
    case 'set-operation':
      return new SetOperationOperator(schema, ruleOf(node), rule);
    case 'aggregate': {
      const { keys, aggregates } = node;
      const { appendOnly } = input;
      return new AggregateOperator(
        schema,
        input.schema,
        keys,
        aggregates,
        appendOnly,
        report,
        rule,
      );
    }
    case 'join':
      return buildJoin(node, report, rules);
    case 'session':
      return new SessionOperator(schema, input.schema, { ...node, forgets: rule });
    case 'top-n': {
      const { appendOnly } = input;
      return new TopNOperator(schema, input.schema, { ...node, appendOnly, forgets: rule });
    }
    case 'window':
      return new WindowOperator(schema, input.schema, { ...node, forgets: rules }, report);
    default:
      throw new Error(`assertion failed: a ${node.kind} drops nothing`);
  }
}

function build(node: PhysicalNode, report: ReportRowError): Operator {
  const { schema } = node;
  switch (node.kind) {
    case 'scan':
    case 'clock':
      throw new Error(`assertion failed: a ${node.kind} is a leaf`);
    case 'values':
      return new ValuesOperator(
        schema,
        constantBatches(
          node.rows.map((row) => row.map(compileScalar)),
          schema,
        ),
      );
    case 'project': {
      const projection = compileProjection(inputSchema(node, 0), node.where, node.expressions);
      return new ProjectOperator(schema, (batch) => projection(batch, report));
    }
    case 'union-all':
      return new UnionAllOperator(schema);
    case 'consolidate':
      return new ConsolidateOperator(schema);
    case 'set-operation':
    case 'aggregate':
    case 'session':
    case 'top-n':
    case 'window':
      return buildForgetful(node, report, []);
    case 'join': {
      const threshold = thresholdOf(node);
      if (threshold === undefined) return buildForgetful(node, report, []);
      const schemas = [inputSchema(node, 0), inputSchema(node, 1)] as const;
      return new ThresholdJoinOperator(schema, schemas, threshold);
    }
    case 'lookup-join':
      return new LookupJoinOperator(schema, report, (own) => buildJoin(node, own, []));
    case 'flat-map':
      return buildFlatMap(node, report);
    case 'window-table':
      return buildWindowTable(node);
    case 'temporal-filter':
      return new TemporalFilterOperator(schema, { ...node, clocks: node.inputs.length - 1 });
    case 'emit-every':
      return new EmitEveryOperator(schema, {
        ...node,
        watermarks: node.inputs.length - (node.micros === undefined ? 1 : 2),
      });
    case 'match-recognize':
      return buildMatch(node, report);
    case 'recursive':
      return new RecursiveOperator(schema, node.all, (take) => {
        const build = (inner: PhysicalNode): Operator => buildOperator(inner, report);
        return new StepGraph(node.step, node.inputs.slice(1), build, take);
      });
    case 'recursive-reference':
      throw new Error('assertion failed: the rows of a round are fed by their query');
    case 'upsert':
      return new UpsertOperator(schema, node.key);
    default:
      return assertNever(node);
  }
}

function buildWindowTable({
  schema,
  window,
  timeColumn,
}: PhysicalNode & { readonly kind: 'window-table' }): Operator {
  const listed = listedWindows(window);
  if (listed !== undefined) return new ListedWindowOperator(schema, listed, timeColumn);
  assert(window.kind !== 'cumulate', 'the windows of CUMULATE are listed');
  return new WindowTableOperator(schema, window, timeColumn);
}

function buildJoin(
  node: PhysicalNode & { readonly kind: 'join' | 'lookup-join' },
  report: ReportRowError,
  forgets: Forgetting['rules'],
): JoinOperator {
  const { schema, residual } = node;
  const left = inputSchema(node, 0);
  const right = inputSchema(node, 1);
  const keep = residual === undefined ? undefined : keepPairs(residual, left, right, report);
  return new JoinOperator(schema, { ...node, left, right, keep, forgets });
}

function buildMatch(
  node: PhysicalNode & { readonly kind: 'match-recognize' },
  report: ReportRowError,
): Operator {
  const input = inputSchema(node, 0);
  if (!node.inEventTime) {
    return new MatchTableOperator(node.schema, input, node, report, MATCH_STEPS_MAX);
  }
  const shape = { ...node, clocks: node.inputs.length - 1 };
  return new MatchStreamOperator(node.schema, input, shape, report, MATCH_STEPS_MAX);
}

function buildFlatMap(
  node: PhysicalNode & { readonly kind: 'flat-map' },
  report: ReportRowError,
): Operator {
  const input = inputSchema(node, 0);
  const calls = node.calls.map((call) => ({
    ...call,
    types: call.args.map((column) => (input[column] as Schema[number]).type),
  }));
  const keep = node.on === undefined ? undefined : keepRows(node.on, node.schema, report);
  return new FlatMapOperator(node.schema, { ...node, calls, keep }, report);
}

function inputOf(node: PhysicalNode, port: number): PhysicalNode {
  const input = node.inputs[port];
  if (input === undefined) throw new Error(`assertion failed: ${node.kind} has no input ${port}`);
  return input;
}

function inputSchema(node: PhysicalNode, port: number): Schema {
  return inputOf(node, port).schema;
}

function ruleOf(node: PhysicalNode & { readonly kind: 'set-operation' }): SetRule {
  switch (node.op) {
    case 'union':
      return setRules.union;
    case 'intersect':
      return node.all ? setRules['intersect all'] : setRules.intersect;
    case 'except':
      return node.all ? setRules['except all'] : setRules.except;
    default:
      return assertNever(node.op);
  }
}

/** The residual condition of a join, over left then right columns. */
function keepPairs(
  residual: BoundExpr,
  left: Schema,
  right: Schema,
  report: ReportRowError,
): KeepPairs {
  const both = [...left, ...right];
  const columns = columnsOf([residual]);
  const schema = columns.map((column) => columnAt(both, column));
  const select = compilePredicate(schema, reindex(residual, columns));
  const reportPair: ReportRowError = (error, pairs, row, weight) =>
    report(error, pairs, row, weight, schema);
  return { columns, select: (pairs) => select(pairs, reportPair) };
}

function keepRows(condition: BoundExpr, schema: Schema, report: ReportRowError): KeepRows {
  const select = compilePredicate(schema, condition);
  return (batch) => {
    const { rows, count } = select(batch, report);
    const kept = new Uint8Array(batch.length);
    for (let i = 0; i < count; i++) kept[rows[i] as number] = 1;
    return kept;
  };
}

function constantBatches(
  rows: readonly (readonly ReturnType<typeof compileScalar>[])[],
  schema: Schema,
): Batch[] {
  const builder = new BatchBuilder(schema);
  const batches: Batch[] = [];
  for (const row of rows) {
    builder.add(row.map((value) => value([])));
    if (builder.length === ROWS_PER_BATCH_MAX) batches.push(builder.take());
  }
  if (builder.length > 0) batches.push(builder.take());
  return batches;
}
