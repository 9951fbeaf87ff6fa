/** Window functions, DISTINCT ON and the first rows per partition. */
import { assertNever } from '../../sql/base/assert.ts';
import type { BoundFrame, BoundFrameBound, BoundWindowCall } from '../../sql/expression.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { renderAggregate } from './pull-aggregate.ts';
import {
  computed,
  inputScope,
  type NodeSql,
  type PullContext,
  type Scope,
  type Sql,
} from './pull-context.ts';
import { equalityKey } from './pull-key.ts';
import { orderBy, sortKey } from './pull-order.ts';

type Node<Kind extends LogicalNode['kind']> = LogicalNode & { readonly kind: Kind };

export function renderWindow(
  context: PullContext,
  node: Node<'window'>,
  outer: Scope | undefined,
): NodeSql {
  const input = context.node(node.input, outer);
  const alias = context.alias();
  const scope = inputScope(alias, input.forms, outer);
  const calls = node.calls.map((call) => renderCall(context, call, scope));
  const width = input.forms.length;
  const columns = [
    ...input.forms.map((_, i) => `${alias}.c${i}`),
    ...calls.map((call, i) => `${call.text} AS c${width + i}`),
  ];
  return {
    text: `SELECT ${columns.join(', ')} FROM (${input.text}) AS ${alias}`,
    forms: [...input.forms, ...calls.map((call) => call.decimal)],
  };
}

function renderCall(context: PullContext, call: BoundWindowCall, scope: Scope): Sql {
  const over = `OVER (${[
    partitionBy(context, call.partitionBy, scope),
    windowOrder(context, call, scope),
    call.frame === undefined ? '' : frame(context, call.frame, scope),
  ]
    .filter((part) => part !== '')
    .join(' ')})`;
  const { fn } = call;
  if (fn.kind === 'aggregate') {
    const { aggregate } = fn;
    return renderAggregate(context, {
      aggregate,
      args: aggregate.args.map((arg) => context.expression(arg, scope)),
      filter: aggregate.filter && context.expression(aggregate.filter, scope).text,
      order: aggregate.orderBy.map((key) => context.expression(key.expression, scope)),
      over,
    });
  }
  return renderRanking(context, fn, call, scope, over);
}

/** Functions that give back one of their argument's values, in its form. */
const passing: ReadonlySet<string> = new Set([
  'lag',
  'lead',
  'first_value',
  'last_value',
  'nth_value',
]);

function renderRanking(
  context: PullContext,
  fn: BoundWindowCall['fn'] & { readonly kind: 'ranking' },
  call: BoundWindowCall,
  scope: Scope,
  over: string,
): Sql {
  const values = fn.args.map((arg) => context.expression(arg, scope));
  const nulls = fn.ignoreNulls ? ' IGNORE NULLS' : '';
  if (!passing.has(fn.name)) {
    const type = call.type.kind === 'integer' ? 'INTEGER' : undefined;
    const text = `${fn.name}(${values.map((value) => value.text).join(', ')}) ${over}`;
    return { text: type === undefined ? text : `CAST(${text} AS ${type})` };
  }
  const [value, position, otherwise] = values;
  // A default may have another form than the value; then both are text.
  const alike =
    otherwise === undefined ||
    (otherwise.decimal?.precision === value?.decimal?.precision &&
      otherwise.decimal?.scale === value?.decimal?.scale);
  const decimal = alike ? value?.decimal : undefined;
  const texts = [value, position, otherwise]
    .filter((part) => part !== undefined)
    .map((part, i) => (decimal === undefined && i !== 1 ? computed(part) : part.text));
  return { text: `${fn.name}(${texts.join(', ')}${nulls}) ${over}`, decimal };
}

function partitionBy(
  context: PullContext,
  keys: BoundWindowCall['partitionBy'],
  scope: Scope,
): string {
  if (keys.length === 0) return '';
  const rendered = keys.map((key) =>
    equalityKey(context, context.expression(key, scope), key.type),
  );
  return `PARTITION BY ${rendered.join(', ')}`;
}

/** What numerics are while a RANGE offset is added to them. */
const RANGE_DECIMAL = 'DECIMAL(30, 12)';

/** RANGE with an offset does arithmetic on the order's value, which text does not allow. */
function windowOrder(context: PullContext, call: BoundWindowCall, scope: Scope): string {
  const [key] = call.orderBy;
  if (key === undefined || !hasRangeOffset(call.frame)) {
    return orderBy(context, call.orderBy, scope);
  }
  const value = context.expression(key.expression, scope);
  const { kind } = key.expression.type;
  if (kind === 'smallint' || kind === 'integer' || kind === 'bigint') {
    // A bound may lie beyond the key's own type.
    return `ORDER BY ${sortKey(key, { text: `CAST(${value.text} AS HUGEINT)` })}`;
  }
  if (kind !== 'numeric') return orderBy(context, call.orderBy, scope);
  const text = `CAST(${value.text} AS ${RANGE_DECIMAL})`;
  return `ORDER BY ${sortKey(key, { text, decimal: { precision: 29, scale: 12, nan: false } })}`;
}

function hasRangeOffset(frame: BoundFrame | undefined): boolean {
  if (frame?.unit !== 'range') return false;
  return [frame.start, frame.end].some((bound) => 'offset' in bound);
}

const exclusions = {
  'no others': '',
  'current row': ' EXCLUDE CURRENT ROW',
  group: ' EXCLUDE GROUP',
  ties: ' EXCLUDE TIES',
} as const;

function frame(context: PullContext, bounds: BoundFrame, scope: Scope): string {
  const start = frameBound(context, bounds.start, scope);
  const end = frameBound(context, bounds.end, scope);
  return `${bounds.unit.toUpperCase()} BETWEEN ${start} AND ${end}${exclusions[bounds.exclude]}`;
}

function frameBound(context: PullContext, bound: BoundFrameBound, scope: Scope): string {
  switch (bound.kind) {
    case 'unbounded-preceding':
      return 'UNBOUNDED PRECEDING';
    case 'unbounded-following':
      return 'UNBOUNDED FOLLOWING';
    case 'current-row':
      return 'CURRENT ROW';
    case 'preceding':
      return `${offset(context, bound, scope)} PRECEDING`;
    case 'following':
      return `${offset(context, bound, scope)} FOLLOWING`;
    default:
      return assertNever(bound);
  }
}

function offset(
  context: PullContext,
  bound: BoundFrameBound & { readonly kind: 'preceding' | 'following' },
  scope: Scope,
): string {
  const { text } = context.expression(bound.offset, scope);
  return bound.offset.type.kind === 'numeric' ? `CAST(${text} AS ${RANGE_DECIMAL})` : text;
}

export function renderDistinctOn(
  context: PullContext,
  node: Node<'distinct-on'>,
  outer: Scope | undefined,
): NodeSql {
  const input = context.node(node.input, outer);
  const alias = context.alias();
  const scope = inputScope(alias, input.forms, outer);
  const order = orderBy(context, node.orderBy, scope);
  const keys = partitionBy(context, node.keys, scope);
  return {
    text:
      `SELECT ${columnsOf(alias, input.forms.length)} FROM (${input.text}) AS ${alias} ` +
      `QUALIFY row_number() OVER (${keys} ${order}) = 1 ${order}`,
    forms: input.forms,
  };
}

export function renderTopN(
  context: PullContext,
  node: Node<'top-n'>,
  outer: Scope | undefined,
): NodeSql {
  const input = context.node(node.input, outer);
  const alias = context.alias();
  const scope = inputScope(alias, input.forms, outer);
  const order = orderBy(context, node.orderBy, scope);
  const partition = partitionBy(context, node.partitionBy, scope);
  const width = input.forms.length;
  const rank = `${node.rank}() OVER (${partition} ${order}) AS c${width}`;
  const kept = node.emitRank ? width + 1 : width;
  const ranked = context.alias();
  const columns = columnsOf(alias, width);
  const range = `${ranked}.c${width} > ${node.offset} AND ${ranked}.c${width} <= ${node.offset + node.limit}`;
  return {
    text:
      `SELECT ${columnsOf(ranked, kept)} FROM (SELECT ${columns === '' ? '' : `${columns}, `}${rank} ` +
      `FROM (${input.text}) AS ${alias}) AS ${ranked} WHERE ${range}`,
    forms: node.emitRank ? [...input.forms, undefined] : input.forms,
  };
}

function columnsOf(alias: string, count: number): string {
  if (count === 0) return '';
  return Array.from({ length: count }, (_, i) => `${alias}.c${i}`).join(', ');
}
