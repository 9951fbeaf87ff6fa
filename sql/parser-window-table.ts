/** Window table functions, in the plain and in Flink's spelling. */
import type { Expression, FromItem, QualifiedName } from './ast.ts';
import { optionalAlias } from './parser-alias.ts';
import type { Cursor } from './parser-cursor.ts';
import { atFunction, parseFunctionItem } from './parser-from-function.ts';
import { qualifiedName } from './parser-name.ts';
import { withPluralIntervals } from './parser-stream.ts';
import { relationItem } from './plain-query.ts';

const windows = ['tumble', 'hop', 'cumulate', 'session'] as const;

type WindowTable = FromItem & { kind: 'window-table' };

/** Whether TUMBLE, HOP, CUMULATE or SESSION and its arguments are next. */
export const atWindowTable = (cursor: Cursor): boolean =>
  cursor.symbolAhead(1, '(') && windows.some((word) => cursor.at(word));

/**
 * `TUMBLE(source, column, interval, …)`.
 * @param source reads the first argument when it is no TABLE argument.
 */
export function parseWindowTable(cursor: Cursor, source: () => FromItem): FromItem {
  const start = cursor.start;
  const window = parseWindowCall(cursor, source);
  return { ...window, alias: optionalAlias(cursor), span: cursor.spanFrom(start) };
}

/** Flink's `[LATERAL] TABLE(f(…))`, around a window table function or any other. */
export function parseTableFunction(cursor: Cursor, lateral: boolean): FromItem {
  const start = cursor.start;
  cursor.expect('table');
  cursor.expectSymbol('(');
  if (atWindowTable(cursor)) {
    const window = parseWindowCall(cursor, () => {
      throw cursor.unexpected('TABLE');
    });
    cursor.expectSymbol(')');
    const alias = optionalAlias(cursor);
    return { ...window, flink: true, alias, span: cursor.spanFrom(start) };
  }
  if (!atFunction(cursor)) throw cursor.unexpected('a function');
  const item = parseFunctionItem(cursor, lateral, start);
  cursor.expectSymbol(')');
  const alias = optionalAlias(cursor);
  return item.kind === 'function' ? { ...item, alias, span: cursor.spanFrom(start) } : item;
}

interface Arguments {
  source: FromItem | undefined;
  timeColumn: QualifiedName | undefined;
  partitionBy: readonly Expression[];
  intervals: { name: string | undefined; value: Expression }[];
  zone: Expression | undefined;
}

function parseWindowCall(cursor: Cursor, source: () => FromItem): WindowTable {
  const start = cursor.start;
  const window = cursor.expectOneOf(...windows);
  const read: Arguments = {
    source: undefined,
    timeColumn: undefined,
    partitionBy: [],
    intervals: [],
    zone: undefined,
  };
  cursor.expectSymbol('(');
  withPluralIntervals(cursor, () => cursor.list(() => parseArgument(cursor, read, source)));
  if (read.source === undefined || read.timeColumn === undefined || read.intervals.length === 0) {
    throw cursor.unexpected('an argument');
  }
  cursor.expectSymbol(')');
  return {
    kind: 'window-table',
    window,
    source: read.source,
    timeColumn: read.timeColumn,
    intervals: orderIntervals(window, read.intervals),
    partitionBy: read.partitionBy,
    zone: read.zone,
    flink: false,
    alias: undefined,
    span: cursor.spanFrom(start),
  };
}

/** Flink's names of the arguments; the intervals come in the order of the positional spelling. */
const intervalNames: Readonly<Record<WindowTable['window'], readonly string[]>> = {
  tumble: ['size', 'offset'],
  hop: ['slide', 'size', 'offset'],
  cumulate: ['step', 'size', 'offset'],
  session: ['gap'],
};

function orderIntervals(
  window: WindowTable['window'],
  intervals: Arguments['intervals'],
): readonly Expression[] {
  const names = intervalNames[window];
  const rank = (name: string | undefined, index: number): number =>
    name === undefined ? index : names.indexOf(name);
  return intervals
    .map(({ name, value }, index) => ({ value, rank: rank(name, index) }))
    .sort((left, right) => left.rank - right.rank)
    .map(({ value }) => value);
}

function parseArgument(cursor: Cursor, read: Arguments, source: () => FromItem): void {
  const name = cursor.symbolAhead(1, '=>') ? argumentName(cursor) : undefined;
  if (read.source === undefined && (name === undefined || name === 'data')) {
    read.source =
      cursor.at('table') && !cursor.symbolAhead(1, '(') ? tableArgument(cursor) : source();
    read.partitionBy = parsePartition(cursor);
  } else if (read.timeColumn === undefined && (name === undefined || name === 'timecol')) {
    read.timeColumn = parseTimeColumn(cursor);
  } else if (name === 'timezone') {
    read.zone = cursor.grammar.expression(cursor);
  } else {
    read.intervals.push({ name, value: cursor.grammar.expression(cursor) });
  }
}

const argumentNames: readonly string[] = [
  'data',
  'timecol',
  'timezone',
  ...Object.values(intervalNames).flat(),
];

function argumentName(cursor: Cursor): string {
  const name = argumentNames.find((word) => cursor.at(word));
  if (name === undefined) throw cursor.unexpected();
  cursor.advance();
  cursor.advance();
  return name;
}

/** `PARTITION BY key`, several keys in parentheses. */
function parsePartition(cursor: Cursor): readonly Expression[] {
  if (!cursor.acceptWords('partition', 'by')) return [];
  if (!cursor.acceptSymbol('(')) return [cursor.grammar.expression(cursor)];
  const keys = cursor.list(() => cursor.grammar.expression(cursor));
  cursor.expectSymbol(')');
  return keys;
}

/** `TABLE name`. */
function tableArgument(cursor: Cursor): FromItem {
  const start = cursor.start;
  cursor.expect('table');
  const name = qualifiedName(cursor);
  return relationItem(name, cursor.spanFrom(start));
}

function parseTimeColumn(cursor: Cursor): QualifiedName {
  if (!cursor.at('descriptor') || !cursor.symbolAhead(1, '(')) return qualifiedName(cursor);
  cursor.advance();
  cursor.expectSymbol('(');
  const column = qualifiedName(cursor);
  cursor.expectSymbol(')');
  return column;
}
