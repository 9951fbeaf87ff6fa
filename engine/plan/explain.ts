import { assertNever } from '../../sql/base/assert.ts';
import { MANY_ROWS } from '../../sql/function/table-rows.ts';
import { columnNames, orderNames } from './explain-column.ts';
import { explainMatch } from './explain-match.ts';
import { explainState } from './explain-state.ts';
import { explainWindow } from './explain-window.ts';
import type { PhysicalAggregate, PhysicalNode } from './physical-node.ts';
import type { PhysicalPlan } from './physical-plan.ts';
import { type Threshold, thresholdOf } from './threshold.ts';

/**
 * The plan as indented text, the last step first: each operator, what it works by, and what it keeps.
 * @param shared  fingerprints of nodes that other views run already; undefined = not asked.
 */
export function explainPlan(plan: PhysicalPlan, shared?: ReadonlySet<string> | undefined): string {
  const lines = [`output: ${outputLine(plan)}`];
  const seen = new Set<PhysicalNode>();
  const visit = (node: PhysicalNode, depth: number): void => {
    const repeated = seen.has(node);
    seen.add(node);
    const marks = [
      shared?.has(node.fingerprint) ? 'shared with other views' : '',
      repeated ? 'as above' : '',
    ].filter((mark) => mark !== '');
    const suffix = marks.length === 0 ? '' : `  (${marks.join(', ')})`;
    lines.push(`${'  '.repeat(depth)}${describe(node)}${explainState(node, plan.growth)}${suffix}`);
    if (repeated && node.inputs.length > 0) return;
    // What a step reads from outside stands where it is read.
    const below = node.kind === 'recursive' ? [node.inputs[0], node.step] : dataInputs(node);
    for (const input of below) if (input !== undefined) visit(input, depth + 1);
  };
  visit(plan.root, 0);
  return lines.join('\n');
}

/** Without the clocks by which state is dropped, of which the line tells. */
function dataInputs({ inputs, forgets }: PhysicalNode): readonly PhysicalNode[] {
  return forgets === undefined ? inputs : inputs.slice(0, inputs.length - forgets.streams.length);
}

function outputLine(plan: PhysicalPlan): string {
  switch (plan.storage.kind) {
    case 'append':
      return 'append-only rows';
    case 'keyed':
      return `one row per (${plan.storage.key.map((column) => plan.schema[column]?.name ?? '?').join(', ')})`;
    case 'bag':
      return plan.key?.length === 0 ? 'at most one row' : 'rows with a count';
    default:
      return assertNever(plan.storage);
  }
}

/** What a node does, and after a semicolon what it keeps. */
export function describe(node: PhysicalNode): string {
  const [input, other] = node.inputs;
  switch (node.kind) {
    case 'scan':
      return `scan ${node.relation} (${node.schema.map((column) => column.name).join(', ')})`;
    case 'clock':
      return node.relation === undefined ? 'the clock' : `watermark of ${node.relation}`;
    case 'values':
      return `values (${node.rows.length} rows)`;
    case 'project':
      return node.where === undefined
        ? `project (${names(node)})`
        : `filter and project (${names(node)})`;
    case 'union-all':
      return 'union all';
    case 'consolidate':
      return 'add up equal rows of an epoch';
    case 'set-operation':
      return dataInputs(node).length === 1
        ? 'distinct; keeps: distinct rows with their count'
        : `${node.op}${node.all ? ' all' : ''}; keeps: distinct rows with their counts`;
    case 'aggregate':
      return `aggregate by (${columnNames(input, node.keys)}): ${node.aggregates.map((aggregate) => call(aggregate, input)).join(', ')}; keeps: ${groupState(node, input)}`;
    case 'join':
    case 'lookup-join': {
      const threshold = node.kind === 'join' ? thresholdOf(node) : undefined;
      if (threshold !== undefined) return thresholdText(node, threshold);
      const keys = node.leftKeys
        .map((left, i) => {
          const operator = node.nullSafe[i] === true ? 'is not distinct from' : '=';
          return `${columnNames(input, [left])} ${operator} ${columnNames(other, [node.rightKeys[i] as number])}`;
        })
        .join(' and ');
      const residual = node.residual === undefined ? '' : ' with a further condition';
      const on = keys === '' ? 'every pair' : keys;
      return node.kind === 'join'
        ? `${node.type} join on ${on}${residual}; keeps: all rows of both inputs`
        : `${node.type} join at arrival on ${on}${residual}; keeps: all rows of the right input`;
    }
    case 'flat-map': {
      const calls = node.calls.map(({ name, args, columns }) =>
        name === MANY_ROWS
          ? `values (${args.length / columns.length} rows)`
          : `${name}(${columnNames(input, args)})`,
      );
      const also = [
        node.ordinality ? ' with ordinality' : '',
        node.on === undefined ? '' : ' on a condition',
        node.outer ? ', rows without any with nulls' : '',
      ];
      return `each row with the rows of ${calls.join(', ')}${also.join('')}`;
    }
    case 'window-table': {
      const { window } = node;
      const steps = window.kind === 'cumulate' ? `${window.stepMicros} up to ` : '';
      const zone = window.zone === undefined ? '' : ` by the clocks of ${window.zone}`;
      return `${window.kind} windows of ${steps}${window.sizeMicros} µs on ${columnNames(input, [node.timeColumn])}${zone}`;
    }
    case 'session': {
      const partition =
        node.partitionBy.length === 0 ? '' : ` per (${columnNames(input, node.partitionBy)})`;
      return `sessions with a gap of ${node.gapMicros} µs on ${columnNames(input, [node.timeColumn])}${partition}; keeps: all rows in order`;
    }
    case 'top-n': {
      const state = input?.appendOnly ? 'the rows that can still come out' : 'all rows in order';
      const partition =
        node.partitionBy.length === 0 ? '' : ` per (${columnNames(input, node.partitionBy)})`;
      return `top-n by ${node.rank} from ${node.offset} up to ${node.limit}${partition} order by (${orderNames(input, node.orderBy)}); keeps: ${state}`;
    }
    case 'emit-every':
      return emitted(node);
    case 'temporal-filter':
      return temporalFilter(node);
    case 'window':
      return explainWindow(node, input);
    case 'match-recognize':
      return explainMatch(node, input);
    case 'recursive':
      return node.all
        ? 'recursive union all of a base and a step'
        : 'recursive union of a base and a step; keeps: distinct rows with the rounds that give them';
    case 'recursive-reference':
      return `rows of the round before (${names(node)})`;
    case 'upsert':
      return `upsert by (${columnNames(node, node.key)}); keeps: the current row of every key`;
    default:
      return assertNever(node);
  }
}

function emitted(node: PhysicalNode & { readonly kind: 'emit-every' }): string {
  const { micros, after } = node;
  const every = micros === undefined ? [] : [`every ${micros} µs`];
  const from = after && `${columnNames(node, [after.column])} + ${after.micros} µs`;
  const watermark = from === undefined ? [] : [`after the watermark from ${from} on`];
  return `changes ${[...every, ...watermark].join(' and ')}; keeps: changes until then`;
}

function temporalFilter(node: PhysicalNode & { readonly kind: 'temporal-filter' }): string {
  const bound = (column: number, micros: bigint): string =>
    `${columnNames(node, [column])}${micros > 1n ? ` + ${micros} µs` : ''}`;
  const parts = [
    node.from === undefined ? '' : `rows from ${bound(node.from, node.fromMicros)}`,
    node.until === undefined ? '' : `until ${bound(node.until, node.untilMicros)}`,
  ];
  return `${parts.filter((part) => part !== '').join(', ')}; keeps: rows until then`;
}

function groupState(
  node: PhysicalNode & { readonly kind: 'aggregate' },
  input: PhysicalNode | undefined,
): string {
  const kept = ['one entry a group'];
  if (node.aggregates.some((aggregate) => aggregate.distinct))
    kept.push('distinct values by group');
  const isExtreme = (aggregate: PhysicalAggregate): boolean =>
    aggregate.fn.incremental === 'min' || aggregate.fn.incremental === 'max';
  if (input?.appendOnly !== true && node.aggregates.some(isExtreme))
    kept.push('all values of min and max');
  if (node.aggregates.some((aggregate) => aggregate.orderBy.length > 0))
    kept.push('all rows in order');
  return kept.join(', ');
}

function call(aggregate: PhysicalAggregate, input: PhysicalNode | undefined): string {
  const distinct = aggregate.distinct ? 'distinct ' : '';
  const args = aggregate.args.length === 0 ? '*' : columnNames(input, aggregate.args);
  const filter =
    aggregate.filter === undefined ? '' : ` filter (${columnNames(input, [aggregate.filter])})`;
  return `${aggregate.fn.name}(${distinct}${args})${filter}`;
}

function names(node: PhysicalNode): string {
  return node.schema.map((column) => column.name).join(', ');
}

function thresholdText(node: PhysicalNode, { rows, column, limit, op }: Threshold): string {
  const compared = columnNames(node.inputs[rows], [column]);
  const value = columnNames(node.inputs[1 - rows], [limit]);
  return `rows with ${compared} ${op} ${value}; keeps: them in order of ${compared}, and the value`;
}
