/**
 * The statements of a test file beside SQL:
 *
 *     ADVANCE TIME BY interval | TO timestamp
 *     ASSERT ROWS   relation [(column, …)] [ORDERED] VALUES (…), …     what it holds
 *     ASSERT VALUES relation [(column, …)] VALUES (…), …               what has come into it since the last time
 *     ASSERT DELETED VALUES relation [(column, …)] VALUES (…), …       what has left it since the last time
 *     ASSERT LATE   stream   [(column, …)] VALUES (…), …               what came too late for it
 *     ASSERT NO ROWS | VALUES | DELETED VALUES | LATE relation
 *     ASSERT ERROR ['SQLSTATE'] [LIKE 'pattern'] FOR statement
 *
 * where ASSERT ROWS also takes a query in parentheses for the relation.
 */

import { parse } from '../../sql/parser.ts';
import type { Cursor } from '../../sql/parser-cursor.ts';
import { columnName, qualifiedName } from '../../sql/parser-name.ts';

export type AssertedThing = 'rows' | 'values' | 'deleted' | 'late';

export type AssertedTarget =
  | { readonly kind: 'query'; readonly sql: string }
  /** A relation's name as SQL, and as the catalog has it. */
  | { readonly kind: 'relation'; readonly sql: string; readonly name: string };

export interface RowsAssertion {
  readonly kind: 'assert-rows';
  readonly thing: AssertedThing;
  readonly target: AssertedTarget;
  /** As SQL; undefined = all. */
  readonly columns: readonly string[] | undefined;
  readonly isOrdered: boolean;
  /** Expressions as SQL. */
  readonly expected: readonly (readonly string[])[];
}

export interface ErrorAssertion {
  readonly kind: 'assert-error';
  readonly sqlstate: string | undefined;
  readonly pattern: string | undefined;
  readonly statement: string;
}

export type Step =
  | { readonly kind: 'sql'; readonly text: string }
  /** An interval, or a point in time, as SQL. */
  | { readonly kind: 'advance'; readonly by: string | undefined; readonly to: string | undefined }
  | RowsAssertion
  | ErrorAssertion;

/**
 * Reads one statement of a test file.
 * @throws StreamError SQL_SYNTAX for a broken ADVANCE or ASSERT; SQL is not looked into.
 */
export function parseStep(text: string): Step {
  if (/^advance\s+time\b/i.test(text)) return parse(text, advance);
  if (/^assert\b/i.test(text)) return parse(text, assertion);
  return { kind: 'sql', text };
}

function advance(cursor: Cursor): Step {
  cursor.expect('advance', 'time');
  const word = cursor.expectOneOf('by', 'to');
  const amount = expression(cursor);
  expectEnd(cursor);
  return {
    kind: 'advance',
    by: word === 'by' ? amount : undefined,
    to: word === 'to' ? amount : undefined,
  };
}

function assertion(cursor: Cursor): Step {
  cursor.expect('assert');
  if (cursor.accept('error')) return errorAssertion(cursor);
  const isNone = cursor.accept('no');
  const thing = cursor.expectOneOf('rows', 'values', 'deleted', 'late');
  if (thing === 'deleted') cursor.expect('values');
  const target = targetOf(cursor, thing);
  if (isNone) {
    expectEnd(cursor);
    const columns = undefined;
    return { kind: 'assert-rows', thing, target, columns, isOrdered: false, expected: [] };
  }
  const hasColumns = target.kind === 'relation' && cursor.atSymbol('(');
  const columns = hasColumns ? cursor.parenthesized(() => column(cursor)) : undefined;
  const isOrdered = thing === 'rows' && cursor.accept('ordered');
  cursor.expect('values');
  const expected: string[][] = [];
  do expected.push(cursor.parenthesized(() => expression(cursor)));
  while (cursor.acceptSymbol(','));
  expectEnd(cursor);
  return { kind: 'assert-rows', thing, target, columns, isOrdered, expected };
}

function targetOf(cursor: Cursor, thing: AssertedThing): AssertedTarget {
  const { start } = cursor;
  if (thing === 'rows' && cursor.acceptSymbol('(')) {
    const inside = cursor.start;
    cursor.grammar.query(cursor);
    const sql = sourceFrom(cursor, inside);
    cursor.expectSymbol(')');
    return { kind: 'query', sql };
  }
  const { parts } = qualifiedName(cursor);
  const name = parts.map((part) => part.name).join('.');
  return { kind: 'relation', sql: sourceFrom(cursor, start), name };
}

function column(cursor: Cursor): string {
  const { start } = cursor;
  columnName(cursor);
  return sourceFrom(cursor, start);
}

function errorAssertion(cursor: Cursor): Step {
  const sqlstate = cursor.token.kind === 'string' ? cursor.expectString() : undefined;
  const pattern = cursor.accept('like') ? cursor.expectString() : undefined;
  cursor.expect('for');
  const statement = cursor.source.slice(cursor.start);
  while (cursor.token.kind !== 'end' && cursor.token.kind !== 'error') cursor.advance();
  return { kind: 'assert-error', sqlstate, pattern, statement };
}

function expression(cursor: Cursor): string {
  const { start } = cursor;
  cursor.grammar.expression(cursor);
  return sourceFrom(cursor, start);
}

function sourceFrom(cursor: Cursor, start: number): string {
  return cursor.source.slice(start, cursor.spanFrom(start).end);
}

function expectEnd(cursor: Cursor): void {
  if (cursor.token.kind !== 'end') throw cursor.unexpected();
}
