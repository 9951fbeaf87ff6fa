/** INSERT, UPDATE, DELETE and TRUNCATE; MERGE has a file of its own. */

import type { Expression, Identifier, Query } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import { parseFromList } from './parser-from.ts';
import {
  parseAssignments,
  parseReturning,
  parseTarget,
  parseTargetAlias,
  parseWhere,
  writtenColumn,
} from './parser-manipulation.ts';
import { parseMerge } from './parser-merge.ts';
import { columnName, isColumnName, qualifiedName } from './parser-name.ts';

type With = Query['with'];
type Insert = Extract<Statement, { kind: 'insert' }>;
type OnConflict = NonNullable<Insert['onConflict']>;

/** Whether a statement of this file begins here. */
export const atManipulation = (cursor: Cursor): boolean =>
  ['insert', 'update', 'delete', 'merge'].some((word) => cursor.at(word));

/** The statement after its WITH clause, if it has one. */
export function parseManipulation(cursor: Cursor, withClause: With, start: number): Statement {
  if (cursor.at('insert')) return parseInsert(cursor, withClause, start);
  if (cursor.at('update')) return parseUpdate(cursor, withClause, start);
  if (cursor.at('merge')) return parseMerge(cursor, withClause, start);
  return parseDelete(cursor, withClause, start);
}

// --------------------------------------------------------------------- INSERT

function parseInsert(cursor: Cursor, withClause: With, start: number): Statement {
  cursor.expect('insert', 'into');
  const relation = qualifiedName(cursor);
  const alias = cursor.accept('as') ? columnName(cursor) : undefined;
  const columns = atColumnList(cursor) ? cursor.parenthesized(() => writtenColumn(cursor)) : [];
  const overriding = cursor.accept('overriding') ? cursor.expectOneOf('system', 'user') : undefined;
  if (overriding !== undefined) cursor.expect('value');
  const isDefault = columns.length === 0 && cursor.accept('default');
  if (isDefault) cursor.expect('values');
  const { source, defaults } = isDefault
    ? { source: undefined, defaults: [] }
    : parseInsertSource(cursor);
  const onConflict = parseOnConflict(cursor);
  const returning = parseReturning(cursor);
  return {
    kind: 'insert',
    with: withClause,
    relation,
    alias,
    columns,
    ...(overriding === undefined ? {} : { overriding }),
    source,
    defaults,
    onConflict,
    returning,
    span: cursor.spanFrom(start),
  };
}

/** `(a, b)` after the relation; a query in parentheses may stand there too. */
const atColumnList = (cursor: Cursor): boolean =>
  cursor.atSymbol('(') &&
  isColumnName(cursor.peek(1)) &&
  !(cursor.wordAhead(1, 'values') && cursor.symbolAhead(2, '('));

type Defaults = [row: number, column: number][];

/** A query; in a plain VALUES list an item may also be DEFAULT. */
function parseInsertSource(cursor: Cursor): { source: Query; defaults: Defaults } {
  const defaults: Defaults = [];
  if (!cursor.at('values')) return { source: cursor.grammar.query(cursor), defaults };
  const start = cursor.start;
  cursor.advance();
  const rows = readRows(cursor, defaults);
  const span = cursor.spanFrom(start);
  const source = cursor.grammar.queryFrom(cursor, { kind: 'values', rows, span });
  return { source, defaults };
}

function readRows(cursor: Cursor, defaults: Defaults): Expression[][] {
  const rows: Expression[][] = [];
  do {
    const row: Expression[] = [];
    cursor.expectSymbol('(');
    do {
      const token = cursor.token;
      if (cursor.accept('default')) {
        defaults.push([rows.length, row.length]);
        row.push({ kind: 'null', span: { start: token.start, end: token.end } });
      } else {
        row.push(cursor.grammar.expression(cursor));
      }
    } while (cursor.acceptSymbol(','));
    cursor.expectSymbol(')');
    rows.push(row);
  } while (cursor.acceptSymbol(','));
  return rows;
}

function parseOnConflict(cursor: Cursor): Insert['onConflict'] {
  if (!cursor.accept('on')) return undefined;
  cursor.expect('conflict');
  const target = parseConflictTarget(cursor);
  cursor.expect('do');
  if (cursor.accept('nothing')) {
    return { ...target, action: 'nothing', set: [], where: undefined };
  }
  cursor.expect('update', 'set');
  const set = parseAssignments(cursor);
  return { ...target, action: 'update', set, where: parseWhere(cursor) };
}

type ConflictTarget = Pick<OnConflict, 'columns' | 'expressions' | 'targetWhere' | 'constraint'>;

function parseConflictTarget(cursor: Cursor): ConflictTarget {
  if (cursor.acceptWords('on', 'constraint')) {
    return { columns: [], constraint: columnName(cursor) };
  }
  if (!cursor.atSymbol('(')) return { columns: [] };
  const columns: Identifier[] = [];
  const expressions: Expression[] = [];
  cursor.parenthesized(() => {
    if (isColumnName(cursor.token) && !cursor.symbolAhead(1, '(')) columns.push(columnName(cursor));
    else expressions.push(cursor.grammar.primary(cursor));
  });
  const targetWhere = parseWhere(cursor);
  return {
    columns,
    ...(expressions.length > 0 ? { expressions } : {}),
    ...(targetWhere === undefined ? {} : { targetWhere }),
  };
}

// --------------------------------------------------------- UPDATE and DELETE

function parseUpdate(cursor: Cursor, withClause: With, start: number): Statement {
  cursor.expect('update');
  const relation = parseTarget(cursor);
  const alias = parseTargetAlias(cursor);
  cursor.expect('set');
  const set = parseAssignments(cursor);
  const from = cursor.accept('from') ? parseFromList(cursor) : [];
  const where = parseWhere(cursor);
  const returning = parseReturning(cursor);
  const span = cursor.spanFrom(start);
  return { kind: 'update', with: withClause, relation, alias, set, from, where, returning, span };
}

function parseDelete(cursor: Cursor, withClause: With, start: number): Statement {
  cursor.expect('delete', 'from');
  const relation = parseTarget(cursor);
  const alias = parseTargetAlias(cursor);
  const using = cursor.accept('using') ? parseFromList(cursor) : [];
  const where = parseWhere(cursor);
  const returning = parseReturning(cursor);
  const span = cursor.spanFrom(start);
  return { kind: 'delete', with: withClause, relation, alias, using, where, returning, span };
}

// ------------------------------------------------------------------ TRUNCATE

/** `TRUNCATE [TABLE] name, … [RESTART IDENTITY | CONTINUE IDENTITY] [CASCADE | RESTRICT]`. */
export function parseTruncate(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('truncate');
  cursor.accept('table');
  const relations = cursor.list(() => parseTarget(cursor));
  const identity = cursor.acceptOneOf('restart', 'continue');
  if (identity !== undefined) cursor.expect('identity');
  const cascade = cursor.acceptOneOf('cascade', 'restrict') === 'cascade';
  return {
    kind: 'truncate',
    relations,
    ...(identity === 'restart' ? { restartIdentity: true } : {}),
    ...(cascade ? { cascade } : {}),
    span: cursor.spanFrom(start),
  };
}
