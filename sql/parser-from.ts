/** FROM: relations, subqueries, functions and joins. */
import type { Expression, FromItem, Query, QueryBody, TableAlias } from './ast.ts';
import type { Span } from './base/error.ts';
import { optionalAlias } from './parser-alias.ts';
import type { Cursor } from './parser-cursor.ts';
import { atFunction, parseFunctionItem, parseRowsFrom } from './parser-from-function.ts';
import { atJsonTable, parseJsonTable } from './parser-json-table.ts';
import { parseMatchRecognize } from './parser-match.ts';
import { columnName, qualifiedName } from './parser-name.ts';
import { isQueryAhead } from './parser-parenthesis.ts';
import { parseWithin } from './parser-stream.ts';
import { atWindowTable, parseTableFunction, parseWindowTable } from './parser-window-table.ts';

/** The items of FROM or USING, separated by commas. */
export function parseFromList(cursor: Cursor): FromItem[] {
  return cursor.list(() => parseFromItem(cursor));
}

/** One item, with the joins that follow it. */
export function parseFromItem(cursor: Cursor): FromItem {
  return cursor.nested(() => parseJoins(cursor, parseFromPrimary(cursor)));
}

// ---------------------------------------------------------------------- joins

type Join = FromItem & { kind: 'join' };

interface JoinWords {
  readonly type: Join['type'];
  readonly natural: boolean;
}

/** Joins associate to the left. */
function parseJoins(cursor: Cursor, first: FromItem): FromItem {
  let left = first;
  let height = 0;
  for (;;) {
    const words = parseJoinWords(cursor);
    if (words === undefined) return left;
    left = parseJoin(cursor, left, words);
    cursor.checkHeight(++height);
  }
}

function parseJoin(cursor: Cursor, left: FromItem, words: JoinWords): FromItem {
  const { type, natural } = words;
  let right = parseFromPrimary(cursor);
  let within: Join['within'];
  let on: Expression | undefined;
  let using: Join['using'];
  if (type !== 'cross' && !natural) {
    // `a JOIN b JOIN c ON … ON …`: the inner join takes the first condition.
    for (;;) {
      const next = parseJoinWords(cursor);
      if (next === undefined) break;
      right = cursor.nested(() => parseJoin(cursor, right, next));
    }
    within = parseWithin(cursor);
    if (cursor.accept('on')) on = cursor.grammar.expression(cursor);
    else using = parseUsing(cursor);
  }
  return {
    kind: 'join',
    type,
    natural,
    left,
    right,
    on,
    using,
    within,
    alias: undefined,
    span: cursor.spanFrom(left.span.start),
  };
}

function parseUsing(cursor: Cursor): Join['using'] {
  cursor.expect('using');
  const columns = cursor.parenthesized(() => columnName(cursor));
  const alias = cursor.accept('as') ? columnName(cursor) : undefined;
  return { columns, alias };
}

/** The words up to JOIN, consumed; undefined, and nothing consumed, when no join follows. */
function parseJoinWords(cursor: Cursor): JoinWords | undefined {
  if (cursor.accept('join')) return { type: 'inner', natural: false };
  if (cursor.acceptWords('cross')) {
    cursor.expect('join');
    return { type: 'cross', natural: false };
  }
  if (cursor.accept('natural')) {
    const type = parseJoinType(cursor) ?? 'inner';
    cursor.expect('join');
    return { type, natural: true };
  }
  if (cursor.at('asof') && (cursor.wordAhead(1, 'join') || cursor.wordAhead(1, 'left'))) {
    cursor.advance();
    const type = cursor.accept('left') ? 'asof-left' : 'asof';
    cursor.accept('outer');
    cursor.expect('join');
    return { type, natural: false };
  }
  const type = parseJoinType(cursor);
  if (type === undefined) return undefined;
  cursor.expect('join');
  return { type, natural: false };
}

function parseJoinType(cursor: Cursor): Join['type'] | undefined {
  if (cursor.accept('inner')) return 'inner';
  const half = (['semi', 'anti'] as const).find((word) => cursor.at(word));
  if (half !== undefined && cursor.wordAhead(1, 'join')) {
    cursor.advance();
    return half;
  }
  const side = cursor.acceptOneOf('left', 'right', 'full');
  if (side === undefined) return undefined;
  if (side === 'left') {
    const word = cursor.acceptOneOf('semi', 'anti');
    if (word !== undefined) return word;
  }
  cursor.accept('outer');
  return side;
}

// ------------------------------------------------------------------ operands

function parseFromPrimary(cursor: Cursor): FromItem {
  const item = parseFromOperand(cursor);
  return cursor.at('match_recognize') && cursor.symbolAhead(1, '(')
    ? parseMatchRecognize(cursor, item)
    : item;
}

function parseFromOperand(cursor: Cursor): FromItem {
  const start = cursor.start;
  if (cursor.atSymbol('(')) return afterParenthesis(cursor, parseParenthesis(cursor));
  if (cursor.accept('lateral')) return parseLateral(cursor, start);
  if (cursor.at('table') && cursor.symbolAhead(1, '(')) return parseTableFunction(cursor, false);
  if (cursor.at('rows') && cursor.wordAhead(1, 'from')) {
    return parseRowsFrom(cursor, false, start);
  }
  if (atWindowTable(cursor)) return parseWindowTable(cursor, () => parseFromItem(cursor));
  if (atJsonTable(cursor)) return parseJsonTable(cursor, false, start);
  if (atFunction(cursor)) return parseFunctionItem(cursor, false, start);
  return parseRelation(cursor, start);
}

function parseLateral(cursor: Cursor, start: number): FromItem {
  if (cursor.atSymbol('(')) {
    const inside = parseParenthesis(cursor);
    if (inside.kind !== 'query') throw cursor.error('syntax error at or near "("', inside.span);
    return derived(cursor, inside.query, true, start);
  }
  if (cursor.at('table') && cursor.symbolAhead(1, '(')) return parseTableFunction(cursor, true);
  if (cursor.at('rows') && cursor.wordAhead(1, 'from')) {
    return parseRowsFrom(cursor, true, start);
  }
  if (atJsonTable(cursor)) return parseJsonTable(cursor, true, start);
  if (!atFunction(cursor)) {
    qualifiedName(cursor);
    throw cursor.unexpected('"("');
  }
  return parseFunctionItem(cursor, true, start);
}

function parseRelation(cursor: Cursor, start: number): FromItem {
  const only = cursor.accept('only');
  const inParentheses = only && cursor.acceptSymbol('(');
  const name = qualifiedName(cursor);
  if (inParentheses) cursor.expectSymbol(')');
  else if (!only) cursor.acceptSymbol('*');
  const systemTime = parseSystemTime(cursor);
  const alias = optionalAlias(cursor);
  const sample = parseSample(cursor);
  return {
    kind: 'relation',
    name,
    only,
    alias,
    sample,
    systemTime: systemTime ?? parseSystemTime(cursor),
    streamWindow: undefined,
    span: cursor.spanFrom(start),
  };
}

/** Flink's `FOR SYSTEM_TIME AS OF time`, which reads a table as it was. */
function parseSystemTime(cursor: Cursor): Expression | undefined {
  if (!cursor.at('for') || !cursor.wordAhead(1, 'system_time')) return undefined;
  cursor.expect('for', 'system_time', 'as', 'of');
  return cursor.grammar.expression(cursor);
}

type Sample = (FromItem & { kind: 'relation' })['sample'];

function parseSample(cursor: Cursor): Sample {
  if (!cursor.accept('tablesample')) return undefined;
  const method = qualifiedName(cursor)
    .parts.map((part) => part.name)
    .join('.');
  const args = cursor.parenthesized(() => cursor.grammar.expression(cursor));
  if (!cursor.accept('repeatable')) return { method, args };
  cursor.expectSymbol('(');
  const repeatable = cursor.grammar.expression(cursor);
  cursor.expectSymbol(')');
  return { method, args, repeatable };
}

// --------------------------------------------------------------- parentheses

type Parenthesis =
  | { readonly kind: 'query'; readonly query: Query; readonly span: Span }
  | { readonly kind: 'join'; readonly item: Join; readonly span: Span };

const afterQueryOperand: ReadonlySet<string> = new Set([
  ...['union', 'intersect', 'except', 'order', 'limit', 'offset', 'fetch', 'for'],
]);

/** `(query)` or `(join)`; which of them is known only after inner parentheses. */
function parseParenthesis(cursor: Cursor): Parenthesis {
  return cursor.nested(() => {
    const start = cursor.start;
    cursor.expectSymbol('(');
    if (!isQueryAhead(cursor, 0)) return joinInside(cursor, parseFromPrimary(cursor), start);
    if (!cursor.atSymbol('(')) {
      const query = cursor.grammar.query(cursor);
      cursor.expectSymbol(')');
      return { kind: 'query', query, span: cursor.spanFrom(start) };
    }
    const inner = parseParenthesis(cursor);
    if (inner.kind === 'query') {
      const query = continuedQuery(cursor, inner);
      if (query !== undefined) {
        cursor.expectSymbol(')');
        return { kind: 'query', query, span: cursor.spanFrom(start) };
      }
    }
    return joinInside(cursor, afterParenthesis(cursor, inner), start);
  });
}

function continuedQuery(cursor: Cursor, inner: Parenthesis & { kind: 'query' }): Query | undefined {
  if (cursor.atSymbol(')')) return inner.query;
  const { kind, text } = cursor.token;
  if (kind !== 'word' || !afterQueryOperand.has(text)) return undefined;
  const operand: QueryBody = { kind: 'nested', query: inner.query, span: inner.span };
  return cursor.grammar.queryFrom(cursor, operand);
}

function joinInside(cursor: Cursor, first: FromItem, start: number): Parenthesis {
  const item = parseJoins(cursor, first);
  // A lone table may not stand in parentheses; a join in parentheses of its own may.
  if (item.kind !== 'join') throw cursor.unexpected('a join');
  cursor.expectSymbol(')');
  return { kind: 'join', item, span: cursor.spanFrom(start) };
}

function afterParenthesis(cursor: Cursor, inside: Parenthesis): FromItem {
  if (inside.kind === 'query') return derived(cursor, inside.query, false, inside.span.start);
  const alias = optionalAlias(cursor);
  const span = cursor.spanFrom(inside.span.start);
  return alias === undefined ? { ...inside.item, span } : { ...inside.item, alias, span };
}

function derived(cursor: Cursor, query: Query, lateral: boolean, start: number): FromItem {
  const alias: TableAlias | undefined = optionalAlias(cursor);
  return { kind: 'derived', query, lateral, alias, span: cursor.spanFrom(start) };
}
