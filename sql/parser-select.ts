/** SELECT with the clauses that belong to it alone. */
import type { Expression, GroupItem, QualifiedName, QueryBody, Select, SelectItem } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import { parseFromList } from './parser-from.ts';
import { columnName, qualifiedName } from './parser-name.ts';
import { parseSelectItem } from './parser-select-item.ts';
import { atQualify, parseStreamWindow } from './parser-stream.ts';
import { acceptTemporary, temporaryName } from './parser-temporary.ts';
import { parseWindowSpec } from './parser-window.ts';

/** `SELECT …` up to WINDOW, QUALIFY and PARTITION BY; ORDER BY and LIMIT are the query's. */
export function parseSelect(cursor: Cursor): QueryBody {
  const start = cursor.start;
  cursor.expect('select');
  const distinct = parseQuantifier(cursor);
  const items = parseSelectItems(cursor, distinct.kind !== 'all');
  const into = cursor.accept('into') ? parseInto(cursor) : undefined;
  const from = cursor.accept('from') ? parseFromList(cursor) : [];
  const streamWindow = parseStreamWindow(cursor);
  const where = cursor.accept('where') ? cursor.grammar.expression(cursor) : undefined;
  // ksqlDB writes PARTITION BY of a stream where others have GROUP BY.
  const partitionBy = parsePartitionBy(cursor);
  const { groupBy, groupByDistinct } = parseGroupBy(cursor);
  const having = cursor.accept('having') ? cursor.grammar.expression(cursor) : undefined;
  const windows = parseWindows(cursor);
  const qualify = atQualify(cursor) ? parseQualify(cursor) : undefined;
  return {
    kind: 'select',
    distinct,
    items,
    ...(into === undefined ? {} : { into }),
    from,
    where,
    groupBy,
    groupByDistinct,
    having,
    windows,
    qualify,
    streamWindow,
    partitionBy,
    span: cursor.spanFrom(start),
  };
}

function parseQuantifier(cursor: Cursor): Select['distinct'] {
  if (!cursor.accept('distinct')) {
    cursor.accept('all');
    return { kind: 'all' };
  }
  if (!cursor.accept('on')) return { kind: 'distinct' };
  return { kind: 'on', expressions: cursor.parenthesized(() => cursor.grammar.expression(cursor)) };
}

/** What may come directly after SELECT when there are no items: `SELECT FROM t`. */
const afterItems: ReadonlySet<string> = new Set([
  ...['from', 'where', 'group', 'having', 'window', 'order', 'limit', 'offset', 'fetch', 'for'],
  ...['union', 'intersect', 'except', 'into'],
]);

function parseSelectItems(cursor: Cursor, required: boolean): SelectItem[] {
  const token = cursor.token;
  const ends =
    token.kind === 'end' ||
    (token.kind === 'word' && afterItems.has(token.text)) ||
    (token.kind === 'operator' && (token.text === ')' || token.text === ';'));
  if (ends && !required) {
    return [];
  }
  return cursor.list(() => parseSelectItem(cursor));
}

function parseInto(cursor: Cursor): QualifiedName {
  const isSpecial = ['temp', 'temporary', 'unlogged', 'local', 'global'].some((word) =>
    cursor.at(word),
  );
  const { kind } = cursor.peek(1);
  if (isSpecial && (kind === 'word' || kind === 'quoted') && !cursor.wordAhead(1, 'from')) {
    const isTemporary = acceptTemporary(cursor);
    if (!isTemporary) cursor.accept('unlogged');
    cursor.accept('table');
    const name = qualifiedName(cursor);
    return isTemporary ? temporaryName(name) : name;
  }
  cursor.accept('table');
  return qualifiedName(cursor);
}

function parsePartitionBy(cursor: Cursor): Expression[] {
  if (!cursor.acceptWords('partition', 'by')) return [];
  return cursor.list(() => cursor.grammar.expression(cursor));
}

function parseGroupBy(cursor: Cursor): { groupBy: GroupItem[]; groupByDistinct: boolean } {
  if (!cursor.accept('group')) return { groupBy: [], groupByDistinct: false };
  cursor.expect('by');
  const groupByDistinct = cursor.acceptOneOf('all', 'distinct') === 'distinct';
  return { groupBy: cursor.list(() => parseGroupItem(cursor)), groupByDistinct };
}

function parseGroupItem(cursor: Cursor): GroupItem {
  const start = cursor.start;
  if (cursor.symbolAhead(0, '(') && cursor.symbolAhead(1, ')')) {
    cursor.advance();
    cursor.advance();
    return { kind: 'empty', span: cursor.spanFrom(start) };
  }
  if (cursor.symbolAhead(1, '(') && (cursor.at('rollup') || cursor.at('cube'))) {
    const kind = cursor.expectOneOf('rollup', 'cube');
    const sets = cursor.parenthesized(() => expressionSet(cursor.grammar.expression(cursor)));
    return { kind, sets, span: cursor.spanFrom(start) };
  }
  if (cursor.acceptWords('grouping', 'sets')) {
    const items = cursor.parenthesized(() => cursor.nested(() => parseGroupItem(cursor)));
    return { kind: 'grouping-sets', items, span: cursor.spanFrom(start) };
  }
  const expression = cursor.grammar.expression(cursor);
  const span = cursor.spanFrom(start);
  if (expression.kind === 'row' && !expression.explicit) {
    return { kind: 'set', expressions: expression.items, span };
  }
  return { kind: 'expression', expression, span };
}

/** `(a, b)` inside ROLLUP and CUBE is one set of two. */
const expressionSet = (expression: Expression): readonly Expression[] =>
  expression.kind === 'row' && !expression.explicit ? expression.items : [expression];

function parseWindows(cursor: Cursor): Select['windows'] {
  if (!cursor.accept('window')) return [];
  return cursor.list(() => {
    const name = columnName(cursor);
    cursor.expect('as');
    return { name, spec: parseWindowSpec(cursor) };
  });
}

function parseQualify(cursor: Cursor): Expression {
  cursor.advance();
  return cursor.grammar.expression(cursor);
}
