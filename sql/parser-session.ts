/** SET, transactions, PREPARE: statements about the session. */

import type { Expression, Identifier } from './ast.ts';
import type { Option } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, label, nonReservedWord } from './parser-name.ts';
import { parseOptionList } from './parser-option.ts';
import { parseType } from './parser-type.ts';

const textOf = (cursor: Cursor, value: string, start: number): Expression => ({
  kind: 'string',
  value,
  span: cursor.spanFrom(start),
});

// ------------------------------------------------------------------- settings

/** `a.b.c`, or ksqlDB's `'a.b.c'`. */
export function settingName(cursor: Cursor): string {
  if (cursor.token.kind === 'string') return cursor.advance().text;
  const parts = [columnName(cursor).name];
  while (cursor.acceptSymbol('.')) parts.push(label(cursor).name);
  return parts.join('.');
}

/** `SET [SESSION | LOCAL] name {= | TO} value, …`, `SET TIME ZONE …`, `SET TRANSACTION …`. */
export function parseSet(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('set');
  const scoped = !cursor.symbolAhead(1, '=') && !cursor.wordAhead(1, 'to');
  const scope = scoped ? cursor.acceptOneOf('session', 'local') : undefined;
  if (cursor.acceptWords('time', 'zone')) {
    const values = parseSettingValues(cursor, 'local');
    return { kind: 'set', scope, name: 'timezone', values, span: cursor.spanFrom(start) };
  }
  if (scope === 'session' && cursor.acceptWords('characteristics', 'as')) {
    cursor.expect('transaction');
    const values = parseTransactionModes(cursor);
    return { kind: 'set', scope, name: 'transaction', values, span: cursor.spanFrom(start) };
  }
  if (scope === undefined && cursor.at('transaction') && scoped) {
    cursor.advance();
    const values = parseTransactionModes(cursor);
    return {
      kind: 'set',
      scope: 'local',
      name: 'transaction',
      values,
      span: cursor.spanFrom(start),
    };
  }
  const name = settingName(cursor);
  if (!cursor.acceptSymbol('=')) cursor.expect('to');
  const values = parseSettingValues(cursor, undefined);
  return { kind: 'set', scope, name, values, span: cursor.spanFrom(start) };
}

/**
 * @param alsoDefault a word that means DEFAULT here.
 */
function parseSettingValues(
  cursor: Cursor,
  alsoDefault: string | undefined,
): readonly Expression[] | 'default' {
  if (cursor.accept('default')) return 'default';
  if (alsoDefault !== undefined && cursor.accept(alsoDefault)) return 'default';
  return cursor.list(() => parseSettingValue(cursor));
}

function parseSettingValue(cursor: Cursor): Expression {
  const { start, kind, text } = cursor.token;
  if (kind === 'string') return textOf(cursor, cursor.advance().text, start);
  if (kind === 'number' || cursor.atSymbol('-') || cursor.atSymbol('+'))
    return signedNumber(cursor);
  if (kind === 'word' && text === 'interval') return cursor.grammar.expression(cursor);
  const word = cursor.acceptOneOf('true', 'false', 'on');
  return textOf(cursor, word ?? nonReservedWord(cursor).name, start);
}

function signedNumber(cursor: Cursor): Expression {
  const start = cursor.start;
  const sign = cursor.token.kind === 'operator' ? cursor.advance().text : undefined;
  const token = cursor.token;
  if (token.kind !== 'number') throw cursor.unexpected('a number');
  cursor.advance();
  const operand: Expression = {
    kind: 'number',
    text: token.text,
    span: cursor.spanFrom(token.start),
  };
  if (sign === undefined) return operand;
  return { kind: 'unary', op: sign, operand, span: cursor.spanFrom(start) };
}

/** `RESET name`, `RESET ALL`, and ksqlDB's `UNSET 'name'`. */
export function parseReset(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expectOneOf('reset', 'unset');
  if (cursor.accept('all')) return { kind: 'reset', name: 'all', span: cursor.spanFrom(start) };
  if (cursor.acceptWords('time', 'zone')) {
    return { kind: 'reset', name: 'timezone', span: cursor.spanFrom(start) };
  }
  const name = settingName(cursor);
  return { kind: 'reset', name, span: cursor.spanFrom(start) };
}

// --------------------------------------------------------------- transactions

/** BEGIN and START TRANSACTION. */
export function parseBegin(cursor: Cursor): Statement {
  const begin = cursor.start;
  const start = cursor.accept('start');
  if (start) cursor.expect('transaction');
  else {
    cursor.expect('begin');
    cursor.acceptOneOf('work', 'transaction');
  }
  const modes = atStatementEnd(cursor) ? [] : parseTransactionModes(cursor);
  return {
    kind: 'begin',
    start,
    modes: modes.map(({ value }) => value),
    span: cursor.spanFrom(begin),
  };
}

/** COMMIT and END. */
export function parseCommit(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expectOneOf('commit', 'end');
  cursor.acceptOneOf('work', 'transaction');
  const chain = parseChain(cursor);
  return { kind: 'commit', chain, span: cursor.spanFrom(start) };
}

/** ROLLBACK and ABORT, also back to a savepoint. */
export function parseRollback(cursor: Cursor): Statement {
  const start = cursor.start;
  const word = cursor.expectOneOf('rollback', 'abort');
  cursor.acceptOneOf('work', 'transaction');
  if (word === 'rollback' && cursor.accept('to')) {
    skipSavepoint(cursor);
    const savepoint = columnName(cursor);
    return { kind: 'rollback', savepoint, span: cursor.spanFrom(start) };
  }
  const chain = parseChain(cursor);
  return { kind: 'rollback', savepoint: undefined, chain, span: cursor.spanFrom(start) };
}

/** The word SAVEPOINT, unless it is itself the name. */
function skipSavepoint(cursor: Cursor): void {
  if (['word', 'quoted'].includes(cursor.peek(1).kind)) cursor.accept('savepoint');
}

function parseChain(cursor: Cursor): boolean {
  if (!cursor.accept('and')) return false;
  const chain = !cursor.accept('no');
  cursor.expect('chain');
  return chain;
}

const isolationLevels = [
  ['read', 'uncommitted'],
  ['read', 'committed'],
  ['repeatable', 'read'],
  ['serializable'],
] as const;

/** `ISOLATION LEVEL …`, `READ ONLY`, …, with or without commas; each as a string. */
function parseTransactionModes(cursor: Cursor): (Expression & { readonly kind: 'string' })[] {
  const modes: (Expression & { readonly kind: 'string' })[] = [];
  do {
    const { start, end } = cursor.token;
    skipTransactionMode(cursor);
    const span = { start, end: Math.max(end, cursor.spanFrom(start).end) };
    const value = cursor.source.slice(span.start, span.end).toLowerCase().replace(/\s+/g, ' ');
    modes.push({ kind: 'string', value, span });
  } while (cursor.acceptSymbol(',') || !atStatementEnd(cursor));
  return modes;
}

function skipTransactionMode(cursor: Cursor): void {
  if (cursor.acceptWords('isolation', 'level')) {
    if (!isolationLevels.some((level) => cursor.acceptWords(...level))) throw cursor.unexpected();
  } else if (cursor.accept('read')) {
    cursor.expectOneOf('only', 'write');
  } else {
    cursor.accept('not');
    cursor.expect('deferrable');
  }
}

/** Whether the statement is over. */
export const atStatementEnd = (cursor: Cursor): boolean =>
  cursor.token.kind === 'end' || cursor.atSymbol(';');

/** SAVEPOINT and RELEASE. */
export function parseSavepoint(cursor: Cursor): Statement {
  const start = cursor.start;
  const word = cursor.expectOneOf('savepoint', 'release');
  if (word === 'release') skipSavepoint(cursor);
  const name = columnName(cursor);
  return { kind: word, name, span: cursor.spanFrom(start) };
}

// --------------------------------------------------------- prepared statements

/** Words that begin a query or a change of rows. */
export const preparable: readonly string[] = [
  'select',
  'values',
  'table',
  'with',
  'insert',
  'update',
  'delete',
  'merge',
];

/** `PREPARE name [(types)] AS statement`. */
export function parsePrepare(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('prepare');
  const name = columnName(cursor);
  const types = cursor.atSymbol('(') ? cursor.parenthesized(() => parseType(cursor)) : [];
  cursor.expect('as');
  const begins = cursor.atSymbol('(') || preparable.some((word) => cursor.at(word));
  if (!begins) throw cursor.unexpected();
  const statement = cursor.grammar.statement(cursor);
  return { kind: 'prepare', name, types, statement, span: cursor.spanFrom(start) };
}

export function parseExecute(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('execute');
  const name = columnName(cursor);
  const args = cursor.atSymbol('(')
    ? cursor.parenthesized(() => cursor.grammar.expression(cursor))
    : [];
  return { kind: 'execute', name, args, span: cursor.spanFrom(start) };
}

export function parseDeallocate(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('deallocate');
  const next = cursor.peek(1);
  // A statement may itself be called "prepare".
  if (next.kind === 'word' || next.kind === 'quoted') cursor.accept('prepare');
  const name = cursor.accept('all') ? 'all' : columnName(cursor);
  return { kind: 'deallocate', name, span: cursor.spanFrom(start) };
}

// -------------------------------------------------------------------- options

/** `(FORMAT csv, HEADER, …)`: names with a value after a blank, as COPY and EXPLAIN have them. */
export function parseGenericOptions(
  cursor: Cursor,
  optionName: (cursor: Cursor) => Identifier = label,
): readonly Option[] {
  if (cursor.symbolAhead(2, '=')) return parseOptionList(cursor);
  return cursor.parenthesized(() => {
    const start = cursor.start;
    const key = optionName(cursor).name;
    const bare = cursor.atSymbol(',') || cursor.atSymbol(')');
    const value: Expression = bare
      ? { kind: 'boolean', value: true, span: cursor.spanFrom(start) }
      : parseGenericValue(cursor);
    return { key, value, span: cursor.spanFrom(start) };
  });
}

function parseGenericValue(cursor: Cursor): Expression {
  const { start, kind } = cursor.token;
  if (cursor.accept('on')) return { kind: 'boolean', value: true, span: cursor.spanFrom(start) };
  if (cursor.acceptSymbol('*')) {
    return { kind: 'star', qualifier: undefined, span: cursor.spanFrom(start) };
  }
  if (cursor.atSymbol('(')) {
    const items = cursor.parenthesized(() => cursor.grammar.expression(cursor));
    return { kind: 'row', items, explicit: false, span: cursor.spanFrom(start) };
  }
  if (kind === 'string') return textOf(cursor, cursor.advance().text, start);
  if (kind === 'number' || cursor.atSymbol('-') || cursor.atSymbol('+'))
    return signedNumber(cursor);
  const truth = cursor.acceptOneOf('true', 'false');
  if (truth !== undefined) {
    return { kind: 'boolean', value: truth === 'true', span: cursor.spanFrom(start) };
  }
  const word = nonReservedWord(cursor);
  return { kind: 'column', name: { parts: [word], span: word.span }, span: word.span };
}
