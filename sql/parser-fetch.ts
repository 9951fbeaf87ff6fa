/** DECLARE, FETCH, MOVE and CLOSE of cursors. */
import type { FetchDirection, Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName } from './parser-name.ts';

/** `DECLARE name [SCROLL …] CURSOR [WITH HOLD] FOR query`. */
export function parseDeclare(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('declare');
  const name = columnName(cursor);
  let scroll: boolean | undefined;
  for (;;) {
    const { token } = cursor;
    if (cursor.accept('binary')) throw cursor.unsupported('BINARY', token);
    if (cursor.acceptOneOf('insensitive', 'asensitive') !== undefined) continue;
    if (cursor.accept('scroll')) scroll = true;
    else if (cursor.acceptWords('no', 'scroll')) scroll = false;
    else break;
  }
  cursor.expect('cursor');
  const holds = cursor.acceptOneOf('with', 'without');
  if (holds !== undefined) cursor.expect('hold');
  cursor.expect('for');
  const at = cursor.token;
  const statement = cursor.grammar.statement(cursor);
  if (statement.kind !== 'query' || statement.emit !== undefined) {
    throw cursor.error('a cursor is declared for a query that has an end', at);
  }
  const hold = holds === 'with';
  const span = cursor.spanFrom(start);
  return { kind: 'declare-cursor', name, statement, scroll, hold, span };
}

/** `FETCH [direction] [FROM | IN] name`, and MOVE. */
export function parseFetch(cursor: Cursor): Statement {
  const start = cursor.start;
  const kind = cursor.expectOneOf('fetch', 'move');
  const direction = parseDirection(cursor);
  cursor.acceptOneOf('from', 'in');
  const name = columnName(cursor);
  return { kind, name, direction, span: cursor.spanFrom(start) };
}

const forward = (count: number): FetchDirection => ({ kind: 'forward', count });

function parseDirection(cursor: Cursor): FetchDirection {
  const one = forward(1);
  const next = cursor.peek(1);
  // `FETCH next` is of a cursor by that name.
  const isName = cursor.token.kind === 'word' && (next.kind === 'end' || next.text === ';');
  if (isName) return one;
  if (isCount(cursor)) return forward(signedCount(cursor));
  switch (cursor.acceptOneOf(...directions)) {
    case 'next':
      return one;
    case 'prior':
      return forward(-1);
    case 'first':
      return { kind: 'absolute', count: 1 };
    case 'last':
      return { kind: 'absolute', count: -1 };
    case 'all':
      return forward(Number.POSITIVE_INFINITY);
    case 'forward':
      return forward(countOrAll(cursor));
    case 'backward':
      return forward(-countOrAll(cursor));
    case 'absolute':
      return { kind: 'absolute', count: signedCount(cursor) };
    case 'relative':
      return { kind: 'relative', count: signedCount(cursor) };
    default:
      return one;
  }
}

const directions = [
  ...(['next', 'prior', 'first', 'last', 'all', 'forward', 'backward'] as const),
  ...(['absolute', 'relative'] as const),
] as const;

const isCount = (cursor: Cursor): boolean =>
  cursor.token.kind === 'number' || cursor.atSymbol('-') || cursor.atSymbol('+');

function countOrAll(cursor: Cursor): number {
  if (cursor.accept('all')) return Number.POSITIVE_INFINITY;
  return isCount(cursor) ? signedCount(cursor) : 1;
}

/** @throws StreamError SQL_SYNTAX for a number that is no integer. */
function signedCount(cursor: Cursor): number {
  const isNegative = cursor.acceptSymbol('-');
  if (!isNegative) cursor.acceptSymbol('+');
  const at = cursor.token;
  if (at.kind !== 'number') throw cursor.unexpected('a number');
  cursor.advance();
  const count = Number(at.text);
  if (!Number.isInteger(count) || count > COUNT_MAX)
    throw cursor.error(`syntax error at or near "${at.text}"`, at);
  return isNegative ? -count : count;
}

/** Rows. PostgreSQL's integer. */
const COUNT_MAX = 2_147_483_647;

export function parseClose(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('close');
  const name = cursor.accept('all') ? 'all' : columnName(cursor);
  return { kind: 'close-cursor', name, span: cursor.spanFrom(start) };
}
