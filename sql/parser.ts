/**
 * SQL text to syntax tree. Recursive descent, one file a part of the grammar (parser-*.ts); the
 * language is PostgreSQL's, with streaming statements and clauses in the spellings of
 * PostgreSQL's relatives, ksqlDB and Flink. Names, types and their errors are the binder's.
 */

import type { Expression, QualifiedName, TypeName } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import { tokenize } from './lexer.ts';
import { parseCopy } from './parser-copy.ts';
import { Cursor, type Grammar, STATEMENT_LENGTH_MAX } from './parser-cursor.ts';
import { parseCreate } from './parser-ddl.ts';
import { atManipulation, parseManipulation, parseTruncate } from './parser-dml.ts';
import { parseAlter, parseDrop } from './parser-drop.ts';
import { withExpectation } from './parser-expectation.ts';
import {
  parseExpression as expressionRule,
  parseExpressionFrom,
  parseRestrictedExpression,
} from './parser-expression.ts';
import { parseClose, parseDeclare, parseFetch } from './parser-fetch.ts';
import {
  parseComment,
  parseGrant,
  parseMaintenance,
  parseRefresh,
  parseReindex,
  parseRevoke,
} from './parser-maintenance.ts';
import { qualifiedName } from './parser-name.ts';
import { parsePrimary } from './parser-primary.ts';
import { parseQuery, parseQueryAfterWith, parseQueryFrom, parseWith } from './parser-query.ts';
import {
  atStatementEnd,
  parseBegin,
  parseCommit,
  parseDeallocate,
  parseExecute,
  parsePrepare,
  parseReset,
  parseRollback,
  parseSavepoint,
  parseSet,
} from './parser-session.ts';
import {
  parseDescribe,
  parseExplain,
  parsePause,
  parsePrint,
  parseShow,
  parseSubscribe,
} from './parser-show.ts';
import { parseType } from './parser-type.ts';

/**
 * All statements of a text, separated by semicolons; empty ones are skipped. Spans count from the
 * beginning of the whole text.
 * @throws StreamError SQL_SYNTAX with the place and, for a near miss, a hint; SQL_TOO_COMPLEX for
 *   nesting beyond NESTING_MAX; REQUEST_TOO_LARGE beyond STATEMENT_LENGTH_MAX; SQL_NOT_SUPPORTED
 *   for PostgreSQL's syntax that Millrace has no meaning for.
 */
export function parseStatements(text: string): Statement[] {
  return parse(text, (cursor) => {
    const statements: Statement[] = [];
    for (;;) {
      while (cursor.acceptSymbol(';'));
      if (cursor.token.kind === 'end') return statements;
      statements.push(parseOne(cursor));
      if (!atStatementEnd(cursor)) throw cursor.unexpected();
    }
  });
}

/**
 * Exactly one statement; a semicolon may follow it.
 * @throws StreamError as parseStatements.
 */
export function parseStatement(text: string): Statement {
  return parse(text, (cursor) => {
    while (cursor.acceptSymbol(';'));
    const statement = parseOne(cursor);
    while (cursor.acceptSymbol(';'));
    if (cursor.token.kind !== 'end') throw cursor.unexpected();
    return statement;
  });
}

/**
 * Exactly one expression.
 * @throws StreamError as parseStatements.
 */
export function parseExpression(text: string): Expression {
  return parse(text, (cursor) => {
    const expression = expressionRule(cursor);
    if (cursor.token.kind !== 'end') throw cursor.unexpected();
    return expression;
  });
}

/**
 * Exactly one type's name, as in a cast.
 * @throws StreamError as parseStatements.
 */
export function parseTypeName(text: string): TypeName {
  return parse(text, (cursor) => {
    const type = parseType(cursor);
    if (cursor.token.kind !== 'end') throw cursor.unexpected();
    return type;
  });
}

/**
 * Exactly one name.
 * @throws StreamError as parseStatements.
 */
export function parseName(text: string): QualifiedName {
  return parse(text, (cursor) => {
    const name = qualifiedName(cursor);
    if (cursor.token.kind !== 'end') throw cursor.unexpected();
    return name;
  });
}

const grammar: Grammar = {
  expression: expressionRule,
  restrictedExpression: parseRestrictedExpression,
  expressionFrom: parseExpressionFrom,
  primary: parsePrimary,
  query: parseQuery,
  queryFrom: parseQueryFrom,
  statement: parseOne,
  queryOrManipulation: parseAfterWith,
};

/**
 * A text by one rule of a grammar that is built on this one. The rule reads to the end of the text.
 * @throws StreamError as parseStatements.
 */
export function parse<Node>(text: string, rule: (cursor: Cursor) => Node): Node {
  if (text.length > STATEMENT_LENGTH_MAX) {
    throw new StreamError(
      'REQUEST_TOO_LARGE',
      `statement is longer than ${STATEMENT_LENGTH_MAX} characters`,
    );
  }
  const tokens = tokenize(text);
  const cursor = new Cursor(text, tokens, grammar);
  try {
    return rule(cursor);
  } catch (error) {
    throw withExpectation(error, cursor, (again) => rule(again));
  }
}

const rules: ReadonlyMap<string, (cursor: Cursor) => Statement> = new Map([
  ['select', parseQuery],
  ['values', parseQuery],
  ['table', parseQuery],
  ['with', parseAfterWith],
  ['insert', parseManipulationAlone],
  ['update', parseManipulationAlone],
  ['delete', parseManipulationAlone],
  ['merge', parseManipulationAlone],
  ['truncate', parseTruncate],
  ['create', parseCreate],
  ['drop', parseDrop],
  ['alter', parseAlter],
  ['show', parseShow],
  ['list', parseShow],
  ['describe', parseDescribe],
  ['desc', parseDescribe],
  ['explain', parseExplain],
  ['print', parsePrint],
  ['subscribe', parseSubscribe],
  ['pause', parsePause],
  ['resume', parsePause],
  ['terminate', parsePause],
  ['set', parseSet],
  ['reset', parseReset],
  ['unset', parseReset],
  ['flush', parseFlush],
  ['wait', parseFlush],
  ['replay', parseReplay],
  ['begin', parseBegin],
  ['start', parseBegin],
  ['commit', parseCommit],
  ['end', parseCommit],
  ['rollback', parseRollback],
  ['abort', parseRollback],
  ['savepoint', parseSavepoint],
  ['release', parseSavepoint],
  ['prepare', parsePrepare],
  ['execute', parseExecute],
  ['deallocate', parseDeallocate],
  ['declare', parseDeclare],
  ['fetch', parseFetch],
  ['move', parseFetch],
  ['close', parseClose],
  ['copy', parseCopy],
  ['comment', parseComment],
  ['analyze', parseMaintenance],
  ['analyse', parseMaintenance],
  ['vacuum', parseMaintenance],
  ['checkpoint', parseMaintenance],
  ['reindex', parseReindex],
  ['refresh', parseRefresh],
  ['grant', parseGrant],
  ['revoke', parseRevoke],
]);

const ruleNames = [...rules.keys()].map((word) => word.toUpperCase());

function parseOne(cursor: Cursor): Statement {
  const { kind, text } = cursor.token;
  if (kind === 'operator' && text === '(') return parseQuery(cursor);
  const rule = kind === 'word' ? rules.get(text) : undefined;
  if (rule === undefined) {
    cursor.recordMeant(ruleNames);
    throw cursor.unexpected();
  }
  return rule(cursor);
}

/** WITH, then a query or a manipulation. */
function parseAfterWith(cursor: Cursor): Statement {
  const start = cursor.start;
  const withClause = parseWith(cursor);
  return atManipulation(cursor)
    ? parseManipulation(cursor, withClause, start)
    : parseQueryAfterWith(cursor, withClause, start);
}

function parseManipulationAlone(cursor: Cursor): Statement {
  return parseManipulation(cursor, undefined, cursor.start);
}

/** `REPLAY ERRORS [FROM stream] [WHERE condition]`. */
function parseReplay(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('replay', 'errors');
  const from = cursor.accept('from') ? qualifiedName(cursor) : undefined;
  const where = cursor.accept('where') ? cursor.grammar.expression(cursor) : undefined;
  return { kind: 'replay-errors', from, where, span: cursor.spanFrom(start) };
}

function parseFlush(cursor: Cursor): Statement {
  const start = cursor.start;
  // RisingWave's WAIT is for what is still being made, which a flush waits for too.
  cursor.expectOneOf('flush', 'wait');
  return { kind: 'flush', span: cursor.spanFrom(start) };
}
