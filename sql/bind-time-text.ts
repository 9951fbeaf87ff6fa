/** ksqlDB's times of records and windows are milliseconds, and are compared with texts of times: `WINDOWSTART >= '2026-01-01T10:00'`. */
import type { Expression } from './ast.ts';
import { timestamptzFromText } from './base/datetime-input.ts';
import { sessionZone } from './bind-context.ts';
import type { Scope } from './bind-scope.ts';

const TIMES: ReadonlySet<string> = new Set(['rowtime', 'windowstart', 'windowend']);
const COMPARISONS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
const MICROS_PER_MILLI = 1_000n;

export type Comparing = Expression & { readonly kind: 'binary' | 'between' | 'in-list' };

/**
 * The comparison with milliseconds in the place of texts of times; itself where it compares no such time, or a column of that name
 * that holds something else.
 * @throws StreamError VALUE_INVALID_TEXT for a text that is no time.
 */
export function withTimesOfTexts<Node extends Comparing>(node: Node, scope: Scope): Node {
  const sides = sidesOf(node);
  const time = sides.find(isNamedTime);
  if (time === undefined || !sides.some(isTimeText)) return node;
  if (scope.context.rules.expression(time, scope).type.kind !== 'bigint') return node;
  const read = (side: Expression): Expression => (isTimeText(side) ? millisOf(side, scope) : side);
  switch (node.kind) {
    case 'binary':
      return { ...node, left: read(node.left), right: read(node.right) };
    case 'between':
      return { ...node, low: read(node.low), high: read(node.high) };
    default:
      return { ...node, items: node.items.map(read) };
  }
}

function sidesOf(node: Comparing): readonly Expression[] {
  if (node.kind === 'binary') return COMPARISONS.has(node.op) ? [node.left, node.right] : [];
  return node.kind === 'between'
    ? [node.operand, node.low, node.high]
    : [node.operand, ...node.items];
}

const isNamedTime = (side: Expression): boolean =>
  side.kind === 'column' && TIMES.has(side.name.parts.at(-1)?.name.toLowerCase() ?? '');

type TimeText = Expression & { readonly kind: 'string' };

/** A text of digits is a number of milliseconds. */
const isTimeText = (side: Expression): side is TimeText =>
  side.kind === 'string' && !/^\s*[+-]?\d*\s*$/.test(side.value);

function millisOf({ value, span }: TimeText, { context }: Scope): Expression {
  const micros = timestamptzFromText(wholeTime(value), undefined, undefined, sessionZone(context));
  const text = String(micros / MICROS_PER_MILLI);
  if (!text.startsWith('-')) return { kind: 'number', text, span };
  return { kind: 'unary', op: '-', operand: { kind: 'number', text: text.slice(1), span }, span };
}

/** ksqlDB reads a time without its last parts, as `2026-01` and `2026-01-01T10`. */
function wholeTime(text: string): string {
  if (/^\d{4}-\d{2}$/.test(text)) return `${text}-01`;
  return /T\d{2}$/.test(text) ? `${text}:00` : text;
}
