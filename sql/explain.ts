/** Logical plans as text: one node a line, inputs indented below it, subqueries after the node that holds them. */
import { assertNever } from './base/assert.ts';
import type { Schema } from './base/type.ts';
import type { BoundExpr, BoundSubquery } from './expression.ts';
import { operandsOf } from './expression-map.ts';
import {
  type Names,
  printAggregate,
  printExpression,
  printSortKey,
  printWindowCall,
  quoteName,
} from './expression-print.ts';
import { ONE_ROW } from './function/table-rows.ts';
import { visitExpressions } from './logical-map.ts';
import type {
  LogicalNode,
  TableCall,
  TemporalBound,
  WindowOrigin,
  WindowShape,
} from './logical-plan.ts';
import { printPattern } from './row-pattern-print.ts';

const INDENT = '  ';

/** The plan as lines of text, stable from run to run. */
export function explainLogical(plan: LogicalNode): string {
  return explainNode(plan, []).join('\n');
}

/** @param outer schemas of the enclosing nodes that outer columns refer to, the next one first. */
function explainNode(node: LogicalNode, outer: Names): readonly string[] {
  const { line, inputs } = describe(node, outer);
  const nested = inputs.flatMap((input) => explainNode(input.node, input.outer));
  const subqueries = subqueriesOf(node).flatMap((subquery, index) => [
    `SubPlan ${index + 1}`,
    ...explainNode(subquery.plan, [expressionSchema(node), ...outer]).map((text) => INDENT + text),
  ]);
  return [line, ...subqueries.map((text) => INDENT + text), ...nested.map((text) => INDENT + text)];
}

interface Description {
  readonly line: string;
  readonly inputs: readonly { readonly node: LogicalNode; readonly outer: Names }[];
}

/** What the node's expressions count their columns in. */
function expressionSchema(node: LogicalNode): Schema {
  if (node.kind === 'join') return [...node.left.schema, ...node.right.schema];
  if (node.kind === 'flat-map') return node.schema;
  return 'input' in node ? node.input.schema : [];
}

function subqueriesOf(node: LogicalNode): readonly BoundSubquery[] {
  const found: BoundSubquery[] = [];
  const visit = (expression: BoundExpr): void => {
    if (expression.kind === 'subquery') found.push(expression);
    operandsOf(expression).forEach(visit);
  };
  visitExpressions(node, visit);
  return found;
}

function describe(node: LogicalNode, outer: Names): Description {
  const names: Names = [expressionSchema(node), ...outer];
  const text = (expression: BoundExpr): string => printExpression(expression, names);
  const list = (expressions: readonly BoundExpr[]): string => expressions.map(text).join(', ');
  const functions = (calls: readonly TableCall[], ordinality: boolean): string =>
    `${calls.map((call) => printCall(call, list)).join(', ')}${ordinality ? ' with ordinality' : ''}`;
  const one = (line: string, input: LogicalNode): Description => ({
    line,
    inputs: [{ node: input, outer }],
  });
  switch (node.kind) {
    case 'scan':
      return { line: `Scan ${quoteName(node.relation)}`, inputs: [] };
    case 'values':
      return {
        line: `Values ${node.rows.map((row) => `(${list(row)})`).join(', ')}`.trimEnd(),
        inputs: [],
      };
    case 'filter':
      return one(`Filter ${text(node.where)}`, node.input);
    case 'project': {
      const columns = node.expressions.map((expression, index) =>
        named(text(expression), node.schema[index]?.name ?? ''),
      );
      return one(`Project ${columns.join(', ')}`.trimEnd(), node.input);
    }
    case 'join': {
      const type = node.type[0]?.toUpperCase() + node.type.slice(1);
      const lateral = node.lateral ? ' lateral' : '';
      const on = node.on === undefined ? '' : ` on ${text(node.on)}`;
      return {
        line: `${type}${lateral} join${on}`,
        inputs: [
          { node: node.left, outer },
          { node: node.right, outer: node.lateral ? [node.left.schema, ...outer] : outer },
        ],
      };
    }
    case 'aggregate':
      return one(describeAggregate(node, names), node.input);
    case 'distinct':
      return one('Distinct', node.input);
    case 'temporal-filter': {
      const bound = (limit: TemporalBound): string =>
        `${text(limit.time)}${limit.micros === 0n ? '' : ` + ${limit.micros} µs`}`;
      const parts = [
        node.from === undefined ? [] : [`from ${bound(node.from)}`],
        node.until === undefined ? [] : [`until ${bound(node.until)}`],
      ];
      return one(
        `Rows by the ${node.byWatermark ? 'watermark' : 'clock'} ${parts.flat().join(' ')}`,
        node.input,
      );
    }
    case 'emit-every':
      return one(emitted(node), node.input);
    case 'once':
      return one(`Common table ${node.id}, computed once`, node.input);
    case 'emit-final':
      return one('Emit final', node.input);
    case 'distinct-on': {
      const order = node.orderBy.map((key) => printSortKey(key, names)).join(', ');
      return one(
        `Distinct on (${list(node.keys)})${order === '' ? '' : ` order by ${order}`}`,
        node.input,
      );
    }
    case 'set-operation':
      return {
        line: `${node.op[0]?.toUpperCase()}${node.op.slice(1)}${node.all ? ' all' : ''}`,
        inputs: [
          { node: node.left, outer },
          { node: node.right, outer },
        ],
      };
    case 'window':
      return one(
        `Window ${node.calls.map((call) => printWindowCall(call, names)).join(', ')}`,
        node.input,
      );
    case 'sort':
      return one(
        `Sort by ${node.keys.map((key) => printSortKey(key, names)).join(', ')}`,
        node.input,
      );
    case 'limit': {
      const parts = [
        node.limit === undefined ? '' : ` ${text(node.limit)}`,
        node.withTies ? ' with ties' : '',
        node.offset === undefined ? '' : ` offset ${text(node.offset)}`,
      ];
      return one(`Limit${parts.join('')}`, node.input);
    }
    case 'top-n': {
      const partition = node.partitionBy.length === 0 ? '' : ` per ${list(node.partitionBy)}`;
      const order = node.orderBy.map((key) => printSortKey(key, names)).join(', ');
      const offset = node.offset === 0 ? '' : ` offset ${node.offset}`;
      const rank = `${node.rank}${node.emitRank ? ' emitted' : ''}`;
      return one(
        `Top ${node.limit}${offset}${partition}${order === '' ? '' : ` by ${order}`} (${rank})`,
        node.input,
      );
    }
    case 'window-table': {
      const time = quoteName(node.input.schema[node.timeColumn]?.name ?? '');
      return one(`${describeWindow(node.window)} on ${time}`, node.input);
    }
    case 'table-function':
      return { line: `Table function ${functions(node.calls, node.ordinality)}`, inputs: [] };
    case 'flat-map': {
      const on = node.on === undefined ? '' : ` on ${text(node.on)}`;
      const kind = `Flat map${node.outer ? ' left' : ''}`;
      return one(`${kind} ${functions(node.calls, node.ordinality)}${on}`, node.input);
    }
    case 'match-recognize':
      return one(describeMatch(node), node.input);
    case 'recursive':
      return {
        line: `Recursive${node.all ? ' all' : ''} #${node.id}`,
        inputs: [
          { node: node.base, outer },
          { node: node.step, outer },
        ],
      };
    case 'recursive-reference':
      return { line: `Recursive reference #${node.id}`, inputs: [] };
    default:
      return assertNever(node);
  }
}

const printCall = (call: TableCall, list: (args: readonly BoundExpr[]) => string): string =>
  call.name === ONE_ROW ? list(call.args) : `${call.name}(${list(call.args)})`;

/** `price * 2 AS double_price`; a column under its own name stands alone. */
function named(text: string, name: string): string {
  const quoted = quoteName(name);
  const bare = text.replace(/#\d+$/, '');
  return bare === quoted ? text : `${text} AS ${quoted}`;
}

function describeAggregate(
  node: LogicalNode & { readonly kind: 'aggregate' },
  names: Names,
): string {
  const keys = node.keys.map((key) => printExpression(key, names));
  const aggregates = node.aggregates.map((aggregate) => printAggregate(aggregate, names));
  const groupings = node.groupings.map(
    (asked) => `grouping(${asked.map((key) => keys[key]).join(', ')})`,
  );
  const sets = node.groupingSets?.map((set) => `(${set.map((key) => keys[key]).join(', ')})`);
  const by =
    sets === undefined
      ? keys.length === 0
        ? ''
        : ` by ${keys.join(', ')}`
      : ` by grouping sets (${sets.join(', ')})`;
  const what = [...aggregates, ...groupings].join(', ');
  return `Aggregate${what === '' ? '' : ` ${what}`}${by}`;
}

function describeMatch(node: LogicalNode & { readonly kind: 'match-recognize' }): string {
  const name = (column: number): string => quoteName(node.input.schema[column]?.name ?? '');
  const per = node.partitionBy.length === 0 ? '' : ` per ${node.partitionBy.map(name).join(', ')}`;
  const by = node.orderBy
    .map(({ column, descending }) => `${name(column)}${descending ? ' DESC' : ''}`)
    .join(', ');
  return `Match ${printPattern(node)}${per} by ${by}${node.inEventTime ? ' in event time' : ''}`;
}

function describeWindow(window: WindowShape): string {
  const length = (micros: bigint): string => {
    const seconds = Number(micros) / 1_000_000;
    return `${seconds}s`;
  };
  const offset = ({ offsetMicros, zone }: WindowOrigin): string =>
    `${offsetMicros === 0n ? '' : ` offset ${length(offsetMicros)}`}${zone === undefined ? '' : ` in ${zone}`}`;
  switch (window.kind) {
    case 'tumble':
      return `Tumble ${length(window.sizeMicros)}${offset(window)}`;
    case 'hop':
      return `Hop ${length(window.slideMicros)} of ${length(window.sizeMicros)}${offset(window)}`;
    case 'cumulate':
      return `Cumulate ${length(window.stepMicros)} to ${length(window.sizeMicros)}${offset(window)}`;
    case 'session':
      return `Session gap ${length(window.gapMicros)}`;
    default:
      return assertNever(window);
  }
}

function emitted({
  micros,
  afterWatermark,
}: Pick<LogicalNode & { readonly kind: 'emit-every' }, 'micros' | 'afterWatermark'>): string {
  const every = micros === undefined ? '' : ` every ${micros} µs`;
  const after = afterWatermark ? ' after the watermark' : '';
  return `Emit${every}${every !== '' && after !== '' ? ' and' : ''}${after}`;
}
