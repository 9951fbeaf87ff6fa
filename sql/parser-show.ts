/** SHOW, DESCRIBE, EXPLAIN, PRINT, SUBSCRIBE, PAUSE, RESUME and TERMINATE. */

import type { Identifier, QualifiedName } from './ast.ts';
import type { ObjectKind, Option } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import {
  isColumnName,
  isNonReservedWord,
  label,
  nonReservedWord,
  qualifiedName,
} from './parser-name.ts';
import { parseWithOptions } from './parser-option.ts';
import { isQueryAhead } from './parser-parenthesis.ts';
import { atStatementEnd, parseGenericOptions, preparable } from './parser-session.ts';

/** What SHOW takes that is more than one word. */
const phrases: readonly (readonly string[])[] = [
  ['all', 'topics'],
  ['create', 'all'],
  ['materialized', 'views'],
  ['connector', 'plugins'],
  ['time', 'zone'],
  ['transaction', 'isolation', 'level'],
  ['session', 'authorization'],
];

/** `SHOW what [LIKE 'pattern'] [EXTENDED]`, also `LIST what`. */
export function parseShow(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expectOneOf('show', 'list');
  const what = parseShown(cursor);
  const like = cursor.accept('like') ? cursor.expectString() : undefined;
  const extended = cursor.accept('extended');
  return { kind: 'show', what, like, extended, span: cursor.spanFrom(start) };
}

function parseShown(cursor: Cursor): string {
  const phrase = phrases.find((words) => cursor.acceptWords(...words));
  if (phrase !== undefined) return phrase.join(' ');
  const isOf =
    ['columns', 'indexes'].some((word) => cursor.at(word)) && cursor.wordAhead(1, 'from');
  if (cursor.at('create') || isOf) return parseShownObject(cursor);
  if (cursor.accept('all')) return 'all';
  if (!isColumnName(cursor.token) && !cursor.at('tables')) throw cursor.unexpected('a name');
  const parts = [label(cursor).name];
  while (cursor.acceptSymbol('.')) parts.push(label(cursor).name);
  return parts.join('.').toLowerCase();
}

/** `CREATE VIEW name`, `COLUMNS FROM name`, `INDEXES FROM name`: the words, then the name as it was written. */
function parseShownObject(cursor: Cursor): string {
  const words = [cursor.advance().text, label(cursor).name];
  if (words.at(-1) === 'materialized') words.push(label(cursor).name);
  const { span } = qualifiedName(cursor);
  return `${words.join(' ')} ${cursor.source.slice(span.start, span.end)}`;
}

const describable = ['stream', 'table', 'source', 'view', 'sink', 'function', 'type'] as const;

/** `DESCRIBE [EXTENDED] [kind] name [EXTENDED]`. */
export function parseDescribe(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expectOneOf('describe', 'desc');
  const follows = (): boolean => ['word', 'quoted'].includes(cursor.peek(1).kind);
  const first = follows() && cursor.accept('extended');
  let object: ObjectKind | undefined;
  if (follows() && cursor.accept('materialized')) {
    cursor.expect('view');
    object = 'materialized-view';
  } else if (follows() && !cursor.wordAhead(1, 'extended')) {
    object = cursor.acceptOneOf(...describable);
  }
  const name = qualifiedName(cursor);
  const extended = cursor.accept('extended') || first;
  const span = cursor.spanFrom(start);
  return { kind: 'describe', ...(object === undefined ? {} : { object }), name, extended, span };
}

// -------------------------------------------------------------------- EXPLAIN

const explainable: ReadonlySet<string> = new Set([...preparable, 'create', 'execute']);

/** `EXPLAIN [ANALYZE] [VERBOSE] {statement | name}`, `EXPLAIN (options) …`, Flink's PLAN FOR. */
export function parseExplain(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('explain');
  const options = parseExplainOptions(cursor);
  const analyze = options.some(
    ({ key, value }) => key === 'analyze' && (value.kind !== 'boolean' || value.value),
  );
  cursor.acceptWords('plan', 'for');
  const { kind, text } = cursor.token;
  const isStatement = cursor.atSymbol('(') || (kind === 'word' && explainable.has(text));
  const statement = isStatement ? cursor.grammar.statement(cursor) : undefined;
  if (statement !== undefined && !hasPlan(statement)) {
    throw cursor.error('EXPLAIN needs a statement with a query', statement.span);
  }
  const name = isStatement ? undefined : explainedName(cursor);
  return { kind: 'explain', analyze, options, statement, name, span: cursor.spanFrom(start) };
}

/** The name of a view or sink, alone; a word before others began a statement without a plan. */
function explainedName(cursor: Cursor): QualifiedName {
  const { kind } = cursor.peek(1);
  if (kind === 'word' || kind === 'quoted') throw cursor.unexpected('a name');
  return qualifiedName(cursor);
}

/** Definitions without a query, and views that are not kept, have nothing to explain. */
function hasPlan(statement: Statement): boolean {
  switch (statement.kind) {
    case 'query':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
    case 'create-sink':
    case 'execute':
      return true;
    case 'create-relation':
      return statement.query !== undefined;
    case 'create-view':
      return statement.materialized;
    default:
      return false;
  }
}

/** ANALYZE is the one reserved word among the options. */
const explainOption = (cursor: Cursor): Identifier =>
  cursor.at('analyze') || cursor.at('analyse') ? label(cursor) : nonReservedWord(cursor);

function parseExplainOptions(cursor: Cursor): readonly Option[] {
  if (cursor.atSymbol('(') && !isQueryAhead(cursor, 0))
    return parseGenericOptions(cursor, explainOption);
  const options: Option[] = [];
  for (const word of ['analyze', 'verbose']) {
    const start = cursor.start;
    const found = cursor.accept(word) || (word === 'analyze' && cursor.accept('analyse'));
    if (!found) continue;
    const span = cursor.spanFrom(start);
    options.push({ key: word, value: { kind: 'boolean', value: true, span }, span });
  }
  return options;
}

// ------------------------------------------------------------ topics and queries

/** ksqlDB's `PRINT topic [FROM BEGINNING] [LIMIT n]`. */
export function parsePrint(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('print');
  const topic = cursor.token.kind === 'string' ? cursor.expectString() : label(cursor).name;
  const fromBeginning = cursor.acceptWords('from', 'beginning');
  const limit = cursor.accept('limit') ? cursor.expectInteger() : undefined;
  return { kind: 'print', topic, fromBeginning, limit, span: cursor.spanFrom(start) };
}

/** `SUBSCRIBE [TO] {name | query | (query)} [WITH (options)]`. */
export function parseSubscribe(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('subscribe');
  cursor.accept('to');
  const target = isQueryAhead(cursor, 0) ? cursor.grammar.query(cursor) : qualifiedName(cursor);
  const options = parseWithOptions(cursor);
  return { kind: 'subscribe', target, options, span: cursor.spanFrom(start) };
}

const pausable = ['query', 'view', 'sink', 'source', 'stream', 'table'] as const;

/** PAUSE, RESUME and TERMINATE, of one view, sink or query, or of ALL. */
export function parsePause(cursor: Cursor): Statement {
  const start = cursor.start;
  const kind = cursor.expectOneOf('pause', 'resume', 'terminate');
  if (cursor.accept('all')) {
    if (!atStatementEnd(cursor)) cursor.expectOneOf('queries');
    return { kind, name: 'all', span: cursor.spanFrom(start) };
  }
  if (isNonReservedWord(cursor.peek(1))) {
    if (cursor.accept('materialized')) cursor.expect('view');
    else cursor.acceptOneOf(...pausable);
  }
  const name = qualifiedName(cursor);
  return { kind, name, span: cursor.spanFrom(start) };
}
