/** Table functions and time windows. */
import { assertNever } from '../../sql/base/assert.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import { type TableFunctionCall, tableFunctionRows } from '../../sql/function/table-rows.ts';
import type { LogicalNode, WindowShape } from '../../sql/logical-plan.ts';
import { type ClockWindow, ZonedWindows } from '../../sql/zoned-window.ts';
import {
  computed,
  inputScope,
  type NodeSql,
  type PullContext,
  type Scope,
} from './pull-context.ts';

type Node<Kind extends LogicalNode['kind']> = LogicalNode & { readonly kind: Kind };

/** Our function gives all rows of a call as one list, which DuckDB takes apart. */
export function renderTableFunction(
  context: PullContext,
  node: Node<'table-function'>,
  outer: Scope | undefined,
): NodeSql {
  // The node has no input: its arguments see only enclosing queries, as columns of depth 1 and up.
  const scope: Scope = {
    column: () => {
      throw new Error('assertion failed: a table function has no input columns');
    },
    outer,
  };
  const args = node.calls.flatMap((call) => call.args);
  const texts = args.map((arg) => computed(context.expression(arg, scope)));
  const rows: SqlType = { kind: 'array', element: { kind: 'row', fields: node.schema } };
  const calls = node.calls.map((call) => ({
    name: call.name,
    types: call.args.map((arg) => arg.type),
    columns: call.columns,
  }));
  const list = context.call(
    args.map((arg) => arg.type),
    rows,
    texts,
    (values) => tableFunctionRows(calls, split(values, calls), node.ordinality),
    { strict: false },
  );
  return rowsOfList(context, list.text, node.schema);
}

/** The rows of a list that a call gives. */
export function rowsOfList(context: PullContext, list: string, schema: Schema): NodeSql {
  const alias = context.alias();
  const fields = schema.map((_, i) => `${alias}.r.f${i} AS c${i}`);
  return {
    text: `SELECT ${fields.join(', ')} FROM (SELECT unnest(${list}) AS r) AS ${alias}`,
    forms: schema.map(() => undefined),
  };
}

/** The arguments of each call, of all in a row. */
function split<Value>(
  values: readonly Value[],
  calls: readonly TableFunctionCall[],
): readonly (readonly Value[])[] {
  let end = 0;
  return calls.map(({ types }) => {
    const start = end;
    end += types.length;
    return values.slice(start, end);
  });
}

export function renderWindowTable(
  context: PullContext,
  node: Node<'window-table'>,
  outer: Scope | undefined,
): NodeSql {
  const input = context.node(node.input, outer);
  const alias = context.alias();
  const scope = inputScope(alias, input.forms, outer);
  const time = scope.column(node.timeColumn);
  const width = input.forms.length;
  const zoned = node.schema[node.timeColumn]?.type.kind === 'timestamptz';
  const inside = `${time.text} IS NOT NULL AND isfinite(${time.text})`;
  const columns = input.forms.map((_, i) => `${alias}.c${i} AS c${i}`).join(', ');
  const forms = [...input.forms, undefined, undefined];
  const instant = (micros: string): string =>
    zoned ? `CAST(make_timestamp(${micros}) AS TIMESTAMPTZ)` : `make_timestamp(${micros})`;
  const pair = (start: string, end: string): string =>
    `${instant(start)} AS c${width}, ${instant(end)} AS c${width + 1}`;
  const micros = `epoch_us(${time.text})`;
  const base = `(${input.text}) AS ${alias}`;
  const { window } = node;
  if (window.kind === 'session') {
    return {
      text: sessionSql(window, columns, micros, `${base} WHERE ${inside}`, width, alias, pair),
      forms,
    };
  }
  const inner = context.alias();
  const outerColumns = input.forms.map((_, i) => `${inner}.c${i} AS c${i}`).join(', ');
  return {
    text:
      `SELECT ${outerColumns}, ${pair(`${inner}.w.s`, `${inner}.w.e`)} FROM ` +
      `(SELECT ${columns}, unnest(${windowList(context, window, micros)}) AS w FROM ${base} WHERE ${inside}) AS ${inner}`,
    forms,
  };
}

/** The list of a row's windows as {s, e} in microseconds. */
function windowList(context: PullContext, window: ClockWindow, micros: string): string {
  if (window.zone !== undefined) return zonedList(context, window, micros);
  switch (window.kind) {
    case 'tumble':
      return hops(micros, window.sizeMicros, window.sizeMicros, window.offsetMicros);
    case 'hop':
      return hops(micros, window.slideMicros, window.sizeMicros, window.offsetMicros);
    case 'cumulate': {
      // All windows of a period start with it; they end at every step after the row's time.
      const { stepMicros: step, sizeMicros: size, offsetMicros: offset } = window;
      const start = floored(micros, size, offset);
      const first = `(${micros} - ${start}) // ${step} + 1`;
      return `list_transform(range(${first}, ${size / step + 1n}), lambda k: {'s': ${start}, 'e': ${start} + k * ${step}})`;
    }
    default:
      return assertNever(window);
  }
}

/** Our function gives the windows by the clocks of a zone, which DuckDB has not. */
function zonedList(context: PullContext, window: ClockWindow, micros: string): string {
  const windows = new ZonedWindows(window);
  const bigint: SqlType = { kind: 'bigint' };
  const bound = { type: bigint, nullable: false };
  const fields = [
    { name: 's', ...bound },
    { name: 'e', ...bound },
  ];
  const lists: SqlType = { kind: 'array', element: { kind: 'row', fields } };
  const { text } = context.call([bigint], lists, [micros], ([time]) =>
    windows.of(time as bigint).map(({ start, end }) => [start, end]),
  );
  return `list_transform(${text}, lambda w: {'s': w.f0, 'e': w.f1})`;
}

function hops(micros: string, slide: bigint, size: bigint, offset: bigint): string {
  const last = floored(micros, slide, offset);
  // Windows that start after micros - size hold the row.
  const first = `${last} - ((${last} - (${micros} - ${size}) - 1) // ${slide}) * ${slide}`;
  return `list_transform(range(${first}, ${last} + 1, ${slide}), lambda s: {'s': s, 'e': s + ${size}})`;
}

/** The last multiple of `slide` (counted from `offset`) at or before a time; % has the sign of the dividend. */
function floored(micros: string, slide: bigint, offset: bigint): string {
  const shift = offset % slide;
  return `(${micros} - ((${micros} - ${shift}) % ${slide} + ${slide}) % ${slide})`;
}

/** Rows of one partition whose times are less than the gap apart share a session. */
function sessionSql(
  window: WindowShape & { readonly kind: 'session' },
  columns: string,
  micros: string,
  from: string,
  width: number,
  alias: string,
  pair: (start: string, end: string) => string,
): string {
  const partition = window.partitionBy.map((index) => `c${index}`);
  const over = (extra: readonly string[], order: string): string => {
    const keys = [...partition, ...extra];
    const by = keys.length === 0 ? '' : `PARTITION BY ${keys.join(', ')}`;
    return `OVER (${by} ${order})`;
  };
  const gap = window.gapMicros;
  const all = Array.from({ length: width }, (_, i) => `c${i}`).join(', ');
  const starts = `SELECT *, CASE WHEN m - lag(m) ${over([], 'ORDER BY m')} <= ${gap} THEN 0 ELSE 1 END AS b FROM (SELECT ${columns}, ${micros} AS m FROM ${from})`;
  const numbered = `SELECT *, sum(b) ${over([], 'ORDER BY m ROWS UNBOUNDED PRECEDING')} AS g FROM (${starts})`;
  const bounded = `SELECT *, min(m) ${over(['g'], '')} AS s, max(m) ${over(['g'], '')} + ${gap} AS e FROM (${numbered})`;
  return `SELECT ${all}, ${pair('s', 'e')} FROM (${bounded}) AS ${alias}_s`;
}
