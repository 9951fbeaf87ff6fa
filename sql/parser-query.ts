/** Queries: WITH, set operations, and the clauses that follow them. */
import type { CommonTable, Emit, Expression, Query, QueryBody, SortItem } from './ast.ts';
import type { Span } from './base/error.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, optionalColumnNames, qualifiedName } from './parser-name.ts';
import { parseCycle, parseSearch } from './parser-search.ts';
import { parseSelect } from './parser-select.ts';
import { parseOrderBy } from './parser-sort.ts';
import { parseEmit } from './parser-stream.ts';

type With = Query['with'];

/**
 * A query, with or without parentheses around it.
 * @throws StreamError SQL_SYNTAX
 */
export function parseQuery(cursor: Cursor): Query {
  return cursor.nested(() => {
    const start = cursor.start;
    return parseQueryAfterWith(cursor, parseWith(cursor), start);
  });
}

/** The rest of a query whose WITH clause is read. */
export function parseQueryAfterWith(cursor: Cursor, withClause: With, start: number): Query {
  const body = parseSetOperation(cursor, parseOperand(cursor), 0);
  return parseClauses(cursor, withClause, body, start);
}

/** A query whose first operand, in parentheses, is read. */
export function parseQueryFrom(cursor: Cursor, operand: QueryBody): Query {
  const body = parseSetOperation(cursor, flatten(operand), 0);
  return parseClauses(cursor, undefined, body, operand.span.start);
}

// ------------------------------------------------------------- set operations

const setPrecedence = { union: 1, except: 1, intersect: 2 } as const;

/** All three associate to the left; INTERSECT binds tighter. */
function parseSetOperation(cursor: Cursor, first: QueryBody, minimum: number): QueryBody {
  let left = first;
  for (let height = 0; ; height++) {
    cursor.checkHeight(height);
    const op = (['union', 'except', 'intersect'] as const).find((word) => cursor.at(word));
    if (op === undefined || setPrecedence[op] <= minimum) return left;
    cursor.advance();
    const all = cursor.acceptOneOf('all', 'distinct') === 'all';
    const right = parseSetOperation(cursor, parseOperand(cursor), setPrecedence[op]);
    const span = cursor.spanFrom(left.span.start);
    left = { kind: 'set-operation', op, all, left, right, span };
  }
}

function parseOperand(cursor: Cursor): QueryBody {
  const start = cursor.start;
  if (cursor.at('select')) return parseSelect(cursor);
  if (cursor.at('values')) return parseValues(cursor);
  if (cursor.accept('table')) {
    const name = qualifiedName(cursor);
    return { kind: 'table', name, span: cursor.spanFrom(start) };
  }
  if (!cursor.atSymbol('(')) throw cursor.unexpected();
  cursor.advance();
  const query = cursor.grammar.query(cursor);
  cursor.expectSymbol(')');
  return flatten({ kind: 'nested', query, span: cursor.spanFrom(start) });
}

/** Parentheses around a query without clauses of its own mean nothing. */
function flatten(body: QueryBody): QueryBody {
  if (body.kind !== 'nested' || hasClauses(body.query)) return body;
  return { ...body.query.body, span: body.span };
}

const hasClauses = (query: Query): boolean =>
  query.with !== undefined ||
  query.orderBy.length > 0 ||
  query.limit !== undefined ||
  query.offset !== undefined ||
  query.locking.length > 0 ||
  query.emit !== undefined;

export function parseValues(cursor: Cursor): QueryBody {
  const start = cursor.start;
  cursor.expect('values');
  const rows = cursor.list(() => cursor.parenthesized(() => cursor.grammar.expression(cursor)));
  return { kind: 'values', rows, span: cursor.spanFrom(start) };
}

// ----------------------------------------------------------------------- WITH

/** `WITH [RECURSIVE] name AS (…), …` when it is there. */
export function parseWith(cursor: Cursor): With {
  if (!cursor.accept('with')) return undefined;
  const recursive = cursor.accept('recursive');
  return { recursive, items: cursor.list(() => parseCommonTable(cursor)) };
}

function parseCommonTable(cursor: Cursor): CommonTable {
  const start = cursor.start;
  const name = columnName(cursor);
  const columns = optionalColumnNames(cursor);
  cursor.expect('as');
  let materialized: boolean | undefined;
  if (cursor.accept('materialized')) materialized = true;
  else if (cursor.acceptWords('not', 'materialized')) materialized = false;
  cursor.expectSymbol('(');
  const statement = cursor.nested(() => parseCommonStatement(cursor));
  cursor.expectSymbol(')');
  const search = parseSearch(cursor);
  const cycle = parseCycle(cursor);
  const clauses = { ...(search && { search }), ...(cycle && { cycle }) };
  return { name, columns, materialized, statement, ...clauses, span: cursor.spanFrom(start) };
}

const manipulations: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'merge']);

function parseCommonStatement(cursor: Cursor): CommonTable['statement'] {
  const { kind, text } = cursor.token;
  if (kind === 'word' && manipulations.has(text)) return cursor.grammar.statement(cursor);
  if (kind === 'word' && text === 'with') return cursor.grammar.queryOrManipulation(cursor);
  return parseQuery(cursor);
}

// -------------------------------------------------------------------- clauses

interface Clauses {
  readonly orderBy: readonly SortItem[];
  readonly limit: Expression | undefined;
  readonly limitAt: Span | undefined;
  readonly offset: Expression | undefined;
  readonly offsetAt: Span | undefined;
  readonly withTies: boolean;
  readonly tiesAt: Span | undefined;
  readonly locking: readonly string[];
  readonly emit: Emit | undefined;
}

function parseClauses(cursor: Cursor, withClause: With, body: QueryBody, start: number): Query {
  const clauses = readClauses(cursor);
  const { orderBy, limit, offset, withTies, locking, emit } = clauses;
  const span = cursor.spanFrom(start);
  if (body.kind === 'nested') {
    return merge(cursor, body.query, withClause, clauses, span);
  }
  requireOrderForTies(cursor, clauses, orderBy);
  return {
    kind: 'query',
    with: withClause,
    body,
    orderBy,
    limit,
    offset,
    withTies,
    locking,
    emit,
    span,
  };
}

/** `(SELECT … ORDER BY a) LIMIT 1` is one query, and no clause may be in it twice. */
function merge(cursor: Cursor, inner: Query, withClause: With, outer: Clauses, span: Span): Query {
  const twice = (what: string, at: Span): never => {
    throw cursor.error(`multiple ${what} clauses not allowed`, at);
  };
  const [sorted] = outer.orderBy;
  if (inner.orderBy.length > 0 && sorted !== undefined) twice('ORDER BY', sorted.span);
  if (inner.offset !== undefined && outer.offsetAt !== undefined) twice('OFFSET', outer.offsetAt);
  if (inner.limit !== undefined && outer.limitAt !== undefined) twice('LIMIT', outer.limitAt);
  if (inner.with !== undefined && withClause !== undefined) twice('WITH', span);
  if (inner.emit !== undefined && outer.emit !== undefined) twice('EMIT', outer.emit.span);
  const orderBy = sorted === undefined ? inner.orderBy : outer.orderBy;
  requireOrderForTies(cursor, outer, orderBy);
  return {
    kind: 'query',
    with: inner.with ?? withClause,
    body: inner.body,
    orderBy,
    limit: inner.limit ?? outer.limit,
    offset: inner.offset ?? outer.offset,
    withTies: inner.withTies || outer.withTies,
    locking: [...inner.locking, ...outer.locking],
    emit: inner.emit ?? outer.emit,
    span,
  };
}

function requireOrderForTies(cursor: Cursor, clauses: Clauses, orderBy: readonly SortItem[]): void {
  if (!clauses.withTies || orderBy.length > 0) return;
  const message = 'WITH TIES cannot be specified without ORDER BY clause';
  throw cursor.error(message, clauses.tiesAt ?? cursor.token);
}

function readClauses(cursor: Cursor): Clauses {
  const orderBy = parseOrderBy(cursor);
  let emit = parseEmit(cursor);
  let locking = parseLocking(cursor);
  const bounds = readBounds(cursor);
  if (locking.length === 0) locking = parseLocking(cursor);
  emit ??= parseEmit(cursor);
  return { orderBy, ...bounds, locking, emit };
}

type Bounds = Pick<Clauses, 'limit' | 'limitAt' | 'offset' | 'offsetAt' | 'withTies' | 'tiesAt'>;

/** LIMIT or FETCH, and OFFSET, in any order and each at most once. */
function readBounds(cursor: Cursor): Bounds {
  let limit: Expression | undefined;
  let limitAt: Span | undefined;
  let offset: Expression | undefined;
  let offsetAt: Span | undefined;
  let tiesAt: Span | undefined;
  for (;;) {
    const token = cursor.token;
    if (limitAt === undefined && cursor.accept('limit')) {
      limitAt = token;
      if (!cursor.accept('all')) limit = cursor.grammar.expression(cursor);
      if (cursor.atSymbol(',')) {
        throw cursor.error(
          'LIMIT #,# syntax is not supported',
          token,
          'Use separate LIMIT and OFFSET clauses.',
        );
      }
    } else if (limitAt === undefined && cursor.accept('fetch')) {
      limitAt = token;
      ({ limit, tiesAt } = parseFetch(cursor));
    } else if (offsetAt === undefined && cursor.accept('offset')) {
      offsetAt = token;
      offset = cursor.grammar.expression(cursor);
      cursor.acceptOneOf('row', 'rows');
    } else {
      return { limit, limitAt, offset, offsetAt, withTies: tiesAt !== undefined, tiesAt };
    }
  }
}

/** `{FIRST | NEXT} [count] {ROW | ROWS} {ONLY | WITH TIES}`; no count means one row. */
function parseFetch(cursor: Cursor): { limit: Expression; tiesAt: Span | undefined } {
  cursor.expectOneOf('first', 'next');
  const at = cursor.spanFrom(cursor.start);
  let limit: Expression = { kind: 'number', text: '1', span: at };
  if (!cursor.at('row') && !cursor.at('rows')) limit = parseFetchCount(cursor);
  cursor.expectOneOf('row', 'rows');
  if (cursor.accept('only')) return { limit, tiesAt: undefined };
  const tiesAt = cursor.token;
  cursor.expect('with', 'ties');
  return { limit, tiesAt };
}

/** `select_fetch_first_value`: an operand, or a signed number. */
function parseFetchCount(cursor: Cursor): Expression {
  const start = cursor.start;
  const sign = cursor.atSymbol('-') || cursor.atSymbol('+') ? cursor.advance().text : undefined;
  if (sign !== undefined && cursor.token.kind !== 'number') throw cursor.unexpected('a number');
  const operand = cursor.grammar.primary(cursor);
  if (sign === undefined) return operand;
  return { kind: 'unary', op: sign, operand, span: cursor.spanFrom(start) };
}

/** `FOR UPDATE [OF t] [NOWAIT | SKIP LOCKED]`, …; each as its canonical text after FOR. */
function parseLocking(cursor: Cursor): readonly string[] {
  const clauses: string[] = [];
  while (cursor.at('for')) {
    cursor.advance();
    if (cursor.acceptWords('read')) {
      cursor.expect('only');
      return clauses;
    }
    clauses.push(parseLockingClause(cursor));
  }
  return clauses;
}

function parseLockingClause(cursor: Cursor): string {
  const words: string[] = [];
  if (cursor.accept('no')) {
    cursor.expect('key', 'update');
    words.push('NO KEY UPDATE');
  } else if (cursor.accept('key')) {
    cursor.expect('share');
    words.push('KEY SHARE');
  } else {
    words.push(cursor.expectOneOf('update', 'share').toUpperCase());
  }
  if (cursor.accept('of')) {
    const names = cursor.list(() => qualifiedName(cursor));
    words.push(
      `OF ${names.map(({ span }) => cursor.source.slice(span.start, span.end)).join(', ')}`,
    );
  }
  if (cursor.accept('nowait')) words.push('NOWAIT');
  else if (cursor.acceptWords('skip', 'locked')) words.push('SKIP LOCKED');
  return words.join(' ');
}
