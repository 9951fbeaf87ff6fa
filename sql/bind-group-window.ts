/**
 * Flink's group windows: `GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)`, with TUMBLE_START, TUMBLE_END and TUMBLE_ROWTIME of the same
 * arguments elsewhere in the query. The rows that WHERE keeps get their windows, as a window table function gives them, and
 * groups are per window; sessions are per group, too.
 */
import type { Expression, FunctionCall, GroupItem } from './ast.ts';
import { StreamError } from './base/error.ts';
import { places } from './bind-context.ts';
import { type BoundFrom, type FromPlace, scopeOver } from './bind-from-place.ts';
import type { Grouping } from './bind-group.ts';
import { functionsNamed } from './bind-routine.ts';
import { AGGREGATE_BASE, columnOf, type Scope, type SpecialCalls } from './bind-scope.ts';
import {
  intervalMicros,
  lastMillisecond,
  requireTimeColumn,
  windowNode,
  windowShape,
} from './bind-window-table.ts';
import type { BoundExpr } from './expression.ts';
import { columnsRead } from './logical-map.ts';
import type { LogicalNode, WindowShape } from './logical-plan.ts';
import { nameOf } from './parser-call.ts';

const kinds = ['tumble', 'hop', 'session'] as const;
type WindowKind = (typeof kinds)[number];

type Part = 'start' | 'end' | 'rowtime' | 'proctime';

/** `tumble_start` and the others, by name. */
const parts: ReadonlyMap<string, readonly [WindowKind, Part]> = new Map(
  kinds.flatMap((kind) =>
    (['start', 'end', 'rowtime', 'proctime'] as const).map((part) => [
      `${kind}_${part}`,
      [kind, part] as const,
    ]),
  ),
);

const kindNamed = (name: string): WindowKind | undefined => kinds.find((kind) => kind === name);

/** The window of a query's GROUP BY. */
export interface GroupWindow {
  /** The window's start and end, which are keys; they stand behind the columns of FROM. */
  readonly keys: readonly BoundExpr[];
  /** Puts the rows that WHERE has kept into their windows. */
  readonly over: (input: LogicalNode, grouping: Grouping) => LogicalNode;
  /** What TUMBLE, TUMBLE_START, … mean in the query's expressions. */
  readonly calls: SpecialCalls;
}

/** Undefined without a window in GROUP BY. @throws StreamError SQL_NOT_SUPPORTED for several, and for one inside of ROLLUP or the like. */
export function bindGroupWindow(
  groupBy: readonly GroupItem[],
  from: BoundFrom,
  place: FromPlace,
): GroupWindow | undefined {
  const scope = scopeOver(from, place);
  const [call, second] = groupBy.flatMap((item) => windowCalls(item, scope));
  if (second !== undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'a GROUP BY with several windows', {
      at: second.span,
      hint: 'Group the rows of a window table function: FROM TUMBLE(source, time column, size).',
    });
  }
  if (call === undefined) return undefined;
  const own = readWindow(call, nameOf(call), scope);
  const width = from.node.schema.length;
  const type = from.node.schema[own.timeColumn]?.type ?? { kind: 'timestamp' };
  const keys = [columnOf(width, type), columnOf(width + 1, type)];
  return {
    keys,
    over: (input, grouping) => windowed(own, input, grouping, keys, call),
    calls: { bind: (node, name, inner) => windowPart(own, keys, node, name, inner) },
  };
}

/** Calls in queries without a window: none of them means anything there. */
export const noGroupWindow: SpecialCalls = {
  bind: (call, name) => {
    if (kindNamed(name) === undefined && !parts.has(name)) return undefined;
    throw misplaced(call, name);
  },
};

function windowCalls(item: GroupItem, scope: Scope): readonly FunctionCall[] {
  const isWindow = (node: Expression): node is FunctionCall =>
    node.kind === 'call' &&
    kindNamed(nameOf(node)) !== undefined &&
    functionsNamed(node, nameOf(node), scope.context).length === 0;
  switch (item.kind) {
    case 'expression': {
      const { expression } = item;
      const isList = expression.kind === 'row' && !expression.explicit;
      return (isList ? expression.items : [expression]).filter(isWindow);
    }
    case 'empty':
      return [];
    case 'set':
      return refuseNested(item.expressions.filter(isWindow));
    case 'rollup':
    case 'cube':
      return refuseNested(item.sets.flat().filter(isWindow));
    case 'grouping-sets':
      return refuseNested(item.items.flatMap((inner) => windowCalls(inner, scope)));
    default:
      return item satisfies never;
  }
}

function refuseNested([call]: readonly FunctionCall[]): readonly [] {
  if (call === undefined) return [];
  throw new StreamError('SQL_NOT_SUPPORTED', 'a window inside of grouping sets', {
    at: call.span,
    hint: 'Write it beside them: GROUP BY TUMBLE(…), ROLLUP (…). Every set is then per window.',
  });
}

interface Window {
  readonly kind: WindowKind;
  readonly shape: WindowShape;
  readonly timeColumn: number;
}

/** Reads `(time column, interval, …)`, which is the same for a window and what is asked of it. */
function readWindow(call: FunctionCall, name: string, scope: Scope): Window {
  const kind = kindNamed(name) ?? parts.get(name)?.[0] ?? 'tumble';
  const [time, ...lengths] = call.args.map(({ value }) => value);
  if (time === undefined || lengths.length === 0) {
    throw new StreamError('SQL_UNKNOWN_FUNCTION', `${name} takes a time column and intervals`, {
      at: call.span,
      hint: `Write: GROUP BY ${usage[kind]}.`,
    });
  }
  if (isProcessingTime(time)) throw processingTime(time, 'windows of PROCTIME()');
  const bound = scope.within(places.groupBy, () => scope.context.rules.expression(time, scope));
  const timeColumn = requireTimeColumn(bound, time.span);
  const micros = lengths.map((length) => intervalMicros(length, scope));
  const shape = windowShape({ window: kind, partitionBy: [], span: call.span }, micros, scope);
  return { kind, shape, timeColumn };
}

const usage: Readonly<Record<WindowKind, string>> = {
  tumble: "TUMBLE(time column, INTERVAL '1' MINUTE)",
  hop: "HOP(time column, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE), the slide before the size",
  session: "SESSION(time column, INTERVAL '5' MINUTE)",
};

const isProcessingTime = (time: Expression): boolean =>
  time.kind === 'call' && nameOf(time) === 'proctime';

const processingTime = (at: Expression, what: string): StreamError =>
  new StreamError(
    'SQL_NOT_SUPPORTED',
    `${what}: the moment at which a row is processed is no part of it, so that no later run could give the same windows`,
    {
      at: at.span,
      hint: "Use a column of the row, or the record's own time: a column `at timestamptz METADATA FROM 'timestamp'`.",
    },
  );

/** TUMBLE(…) and TUMBLE_START(…) are the window's start, TUMBLE_END(…) its end, TUMBLE_ROWTIME(…) its last millisecond. */
function windowPart(
  own: Window,
  [start, end]: readonly BoundExpr[],
  call: FunctionCall,
  name: string,
  scope: Scope,
): BoundExpr | undefined {
  const [, part] = parts.get(name) ?? [];
  const kind = kindNamed(name);
  if (kind === undefined && part === undefined) return undefined;
  const isKey = part === undefined && scope.place === places.groupBy;
  const isAsked = part !== undefined && scope.place !== places.where;
  if (!isKey && !isAsked) throw misplaced(call, name);
  if (part === 'proctime') throw processingTime(call, name.toUpperCase());
  const asked = readWindow(call, name, scope);
  if (!isSame(asked, own)) {
    throw new StreamError(
      'SQL_GROUPING',
      `${name.toUpperCase()} needs the window of GROUP BY, with the same arguments`,
      { at: call.span, hint: `This query groups by ${own.kind.toUpperCase()}.` },
    );
  }
  if (part !== 'rowtime') return part === 'end' ? end : start;
  return end && lastMillisecond(end, call.span, scope);
}

const misplaced = (call: FunctionCall, name: string): StreamError =>
  kindNamed(name) !== undefined
    ? new StreamError('SQL_NOT_SUPPORTED', `${name.toUpperCase()} outside of FROM and GROUP BY`, {
        at: call.span,
        hint: `In SELECT, HAVING and ORDER BY write ${name.toUpperCase()}_START or ${name.toUpperCase()}_END, with the same arguments.`,
      })
    : new StreamError('SQL_GROUPING', `${name.toUpperCase()} without its window in GROUP BY`, {
        at: call.span,
        hint: 'It may stand in SELECT, HAVING and ORDER BY of a query that groups by the window of the same arguments.',
      });

function isSame(left: Window, right: Window): boolean {
  const lengths = ({ shape }: Window): string =>
    [shape.kind, ...Object.values(shape).filter((value) => typeof value === 'bigint')].join();
  return left.timeColumn === right.timeColumn && lengths(left) === lengths(right);
}

function windowed(
  own: Window,
  input: LogicalNode,
  grouping: Grouping,
  bounds: readonly BoundExpr[],
  call: FunctionCall,
): LogicalNode {
  if (own.shape.kind !== 'session') return windowNode(input, own.shape, own.timeColumn);
  return sessions(own.shape, own.timeColumn, input, grouping, bounds, call);
}

/** Sessions per group: keys that are no columns are computed below, and dropped again. */
function sessions(
  shape: WindowShape & { readonly kind: 'session' },
  timeColumn: number,
  input: LogicalNode,
  grouping: Grouping,
  bounds: readonly BoundExpr[],
  call: FunctionCall,
): LogicalNode {
  const isBound = (key: BoundExpr): boolean =>
    key.kind === 'column' && bounds.some((b) => b.kind === 'column' && b.index === key.index);
  const keys = grouping.keys.filter((key) => !isBound(key));
  const isPending = [...columnsRead(keys)].some((index) => index >= AGGREGATE_BASE);
  if (grouping.sets !== undefined || isPending) {
    const what = isPending ? 'set-returning functions' : 'grouping sets';
    throw new StreamError('SQL_NOT_SUPPORTED', `SESSION beside ${what} in GROUP BY`, {
      at: call.span,
      hint: 'Sessions are per group; give the rows their keys in a subquery, and group by columns.',
    });
  }
  const { schema } = input;
  const width = schema.length;
  const computed = keys.filter((key) => key.kind !== 'column');
  const partitionBy = keys.map((key) =>
    key.kind === 'column' ? key.index : width + computed.indexOf(key),
  );
  const session = { ...shape, partitionBy };
  if (computed.length === 0) return windowNode(input, session, timeColumn);
  const own = schema.map(({ type }, index) => columnOf(index, type));
  const below: LogicalNode = {
    kind: 'project',
    input,
    expressions: [...own, ...computed],
    schema: [...schema, ...computed.map(({ type }) => ({ name: 'key', type, nullable: true }))],
  };
  const node = windowNode(below, session, timeColumn);
  const added = node.schema.slice(below.schema.length);
  const ends = added.map(({ type }, index) => columnOf(below.schema.length + index, type));
  return {
    kind: 'project',
    input: node,
    expressions: [...own, ...ends],
    schema: [...schema, ...added],
  };
}
