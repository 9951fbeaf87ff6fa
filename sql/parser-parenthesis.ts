/** What parentheses may hold, and the subscripts and fields that may follow an operand. */
import type { Expression, Query } from './ast.ts';
import type { Span } from './base/error.ts';
import { callOf } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { identifierOf, label } from './parser-name.ts';

/** What stood between parentheses: a query, or one or more expressions. */
export type Parenthesized =
  | { readonly kind: 'query'; readonly query: Query; readonly span: Span }
  | {
      readonly kind: 'expressions';
      readonly items: readonly Expression[];
      /** The first comma. */
      readonly comma: Span | undefined;
      readonly span: Span;
    };

/** Whether a query begins at the token `offset` places ahead, inside any number of parentheses. */
export function isQueryAhead(cursor: Cursor, offset: number): boolean {
  let at = offset;
  while (cursor.symbolAhead(at, '(')) at++;
  const token = cursor.peek(at);
  if (token.kind !== 'word') return false;
  switch (token.text) {
    case 'select':
    case 'with':
      return true;
    case 'table':
      return !cursor.symbolAhead(at + 1, '(');
    case 'values':
      return cursor.symbolAhead(at + 1, '(');
    default:
      return false;
  }
}

/**
 * `(query)` or `(expression, …)`. `((select 1) union select 2)` is a query and `((select 1) + 1)`
 * an expression: that is known only after the inner parentheses, so the outer ones continue from
 * what the inner ones held.
 */
export function parseParenthesized(cursor: Cursor): Parenthesized {
  return cursor.nested(() => {
    const start = cursor.start;
    cursor.expectSymbol('(');
    if (!isQueryAhead(cursor, 0)) return restOfList(cursor, start, undefined);
    if (!cursor.atSymbol('(')) {
      const query = cursor.grammar.query(cursor);
      cursor.expectSymbol(')');
      return { kind: 'query', query, span: cursor.spanFrom(start) };
    }
    const inner = parseParenthesized(cursor);
    if (inner.kind === 'query') {
      const query = continuedQuery(cursor, inner.query, inner.span);
      if (query !== undefined) {
        cursor.expectSymbol(')');
        return { kind: 'query', query, span: cursor.spanFrom(start) };
      }
    }
    return restOfList(cursor, start, operandOf(cursor, inner));
  });
}

const afterQueryOperand: ReadonlySet<string> = new Set([
  ...['union', 'intersect', 'except', 'order', 'limit', 'offset', 'fetch', 'for', 'emit'],
]);

/** The query that goes on after a parenthesised one; undefined when an expression goes on. */
function continuedQuery(cursor: Cursor, query: Query, span: Span): Query | undefined {
  if (cursor.atSymbol(')')) return query;
  const { kind, text } = cursor.token;
  if (kind !== 'word' || !afterQueryOperand.has(text)) return undefined;
  return cursor.grammar.queryFrom(cursor, { kind: 'nested', query, span });
}

function restOfList(cursor: Cursor, start: number, first: Expression | undefined): Parenthesized {
  const items = [
    first === undefined
      ? cursor.grammar.expression(cursor)
      : cursor.grammar.expressionFrom(cursor, first),
  ];
  const comma = cursor.atSymbol(',') ? cursor.token : undefined;
  while (cursor.acceptSymbol(',')) items.push(cursor.grammar.expression(cursor));
  cursor.expectSymbol(')');
  return { kind: 'expressions', items, comma, span: cursor.spanFrom(start) };
}

/** Parentheses as an operand: the value, a row, or a subquery, with subscripts and fields. */
export function operandOf(cursor: Cursor, inside: Parenthesized): Expression {
  if (inside.kind === 'query') {
    return indirection(cursor, { kind: 'scalar-query', query: inside.query, span: inside.span });
  }
  const [only] = inside.items;
  if (cursor.atSymbol('=>')) return parseLambda(cursor, inside.items, inside.span);
  if (only !== undefined && inside.items.length === 1)
    return indirection(cursor, only, inside.span);
  return afterRow(cursor, {
    kind: 'row',
    items: inside.items,
    explicit: false,
    span: inside.span,
  });
}

/** `(a, b) => body`: every parameter is a plain name. */
function parseLambda(cursor: Cursor, items: readonly Expression[], span: Span): Expression {
  const parameters = items.map((item) => {
    const [name, ...more] = item.kind === 'column' ? item.name.parts : [];
    if (name === undefined || more.length > 0) throw cursor.unexpected();
    return name;
  });
  cursor.expectSymbol('=>');
  const body = cursor.grammar.expression(cursor);
  return { kind: 'lambda', parameters, body, span: cursor.spanFrom(span.start) };
}

/** `row OVERLAPS row` is a call of the function of that name. */
export function afterRow(cursor: Cursor, row: Expression & { kind: 'row' }): Expression {
  if (!cursor.at('overlaps')) return row;
  const at = cursor.advance();
  const right = parseRow(cursor);
  for (const side of [row, right]) {
    if (side.items.length !== 2) {
      const which = side === row ? 'left' : 'right';
      throw cursor.error(
        `wrong number of parameters on ${which} side of OVERLAPS expression`,
        side.span,
      );
    }
  }
  const name = identifierOf(at);
  return callOf(name, [...row.items, ...right.items], cursor.spanFrom(row.span.start));
}

function parseRow(cursor: Cursor): Expression & { kind: 'row' } {
  const start = cursor.start;
  if (cursor.accept('row')) return explicitRow(cursor, start);
  if (!cursor.atSymbol('(')) throw cursor.unexpected('a row');
  const inside = parseParenthesized(cursor);
  if (inside.kind === 'query' || inside.items.length < 2) throw cursor.unexpected('a row');
  return { kind: 'row', items: inside.items, explicit: false, span: inside.span };
}

/**
 * Subscripts, slices and fields after an operand.
 * @param covered the span of the operand with its parentheses.
 */
export function indirection(
  cursor: Cursor,
  operand: Expression,
  covered = operand.span,
): Expression {
  let result = operand;
  for (let height = 0; ; height++) {
    cursor.checkHeight(height);
    if (cursor.symbolAhead(0, '[')) {
      cursor.advance();
      result = subscript(cursor, result, covered.start);
    } else if (cursor.symbolAhead(0, '.')) {
      cursor.advance();
      const field = cursor.atSymbol('*') ? identifierOf(cursor.advance()) : label(cursor);
      result = { kind: 'field', operand: result, field, span: cursor.spanFrom(covered.start) };
      // `(row).*` may only end a name, as PostgreSQL's check_indirection has it.
      if (field.name === '*' && !field.quoted && (cursor.atSymbol('.') || cursor.atSymbol('['))) {
        throw cursor.error('improper use of "*"', field.span);
      }
    } else {
      return result;
    }
  }
}

/** `index` or `low:high`, up to the bracket that closes it. */
export function subscriptBounds(cursor: Cursor):
  | { readonly kind: 'element'; readonly index: Expression }
  | {
      readonly kind: 'slice';
      readonly low: Expression | undefined;
      readonly high: Expression | undefined;
    } {
  const bound = (): Expression | undefined =>
    cursor.atSymbol(':') || cursor.atSymbol(']') ? undefined : cursor.grammar.expression(cursor);
  const low = bound();
  if (cursor.acceptSymbol(':')) return { kind: 'slice', low, high: bound() };
  if (low === undefined) throw cursor.unexpected('a subscript');
  return { kind: 'element', index: low };
}

function subscript(cursor: Cursor, operand: Expression, start: number): Expression {
  const bounds = subscriptBounds(cursor);
  if (bounds.kind === 'slice') {
    cursor.expectSymbol(']');
    return { ...bounds, operand, span: cursor.spanFrom(start) };
  }
  const { index: low } = bounds;
  if (cursor.atSymbol(',') && isMapWord(operand)) {
    const items = [low];
    while (cursor.acceptSymbol(',')) items.push(cursor.grammar.expression(cursor));
    cursor.expectSymbol(']');
    return callOf('map', items, cursor.spanFrom(start));
  }
  cursor.expectSymbol(']');
  return { kind: 'subscript', operand, index: low, span: cursor.spanFrom(start) };
}

/** Flink's `MAP[key, value, …]`; with one item it is a subscript of a column of that name. */
const isMapWord = (node: Expression): boolean =>
  node.kind === 'column' &&
  node.name.parts.length === 1 &&
  node.name.parts.every(({ name, quoted }) => name === 'map' && !quoted);

/** `(query)`, where an expression would be wrong. */
export function queryInParentheses(cursor: Cursor): Query {
  if (!cursor.atSymbol('(')) throw cursor.unexpected('"("');
  if (!isQueryAhead(cursor, 0)) {
    cursor.advance();
    throw cursor.unexpected('a query');
  }
  const inside = parseParenthesized(cursor);
  if (inside.kind !== 'query') {
    const at = inside.items[0]?.span ?? inside.span;
    const near = cursor.source.slice(at.start, at.end);
    throw cursor.error(`syntax error at or near "${near}"`, at, 'A subquery is needed here.');
  }
  return inside.query;
}

/** `(a, b)` after the word ROW. */
export function explicitRow(cursor: Cursor, start: number): Expression & { kind: 'row' } {
  cursor.expectSymbol('(');
  const items = cursor.atSymbol(')') ? [] : cursor.list(() => cursor.grammar.expression(cursor));
  cursor.expectSymbol(')');
  return { kind: 'row', items, explicit: true, span: cursor.spanFrom(start) };
}
