/** CREATE STREAM, TABLE, SOURCE, VIEW, MATERIALIZED VIEW and SINK. */

import type { Emit, Identifier, QualifiedName, Query } from './ast.ts';
import type { ColumnDefinition, Option, SinkTable } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import { comment, parseInclude, parseTableElements, type TableElements } from './parser-column.ts';
import type { Cursor } from './parser-cursor.ts';
import { parseCreateObject } from './parser-ddl-object.ts';
import { columnNames, nonReservedWord, optionalColumnNames, qualifiedName } from './parser-name.ts';
import { parseOptionList, parseWithOptions } from './parser-option.ts';
import { isQueryAhead } from './parser-parenthesis.ts';
import { parseEmit } from './parser-stream.ts';
import { acceptTemporary, temporaryName } from './parser-temporary.ts';
import { plainQuery, plainSelect, relationItem } from './plain-query.ts';

/** Any CREATE statement. */
export function parseCreate(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('create');
  const orReplace = cursor.acceptWords('or', 'replace');
  const temporary = acceptTemporary(cursor);
  // What is in an unlogged table PostgreSQL may lose in a crash; it is kept here like any other.
  if (!temporary && cursor.at('unlogged') && cursor.wordAhead(1, 'table')) cursor.advance();
  if (temporary && !['table', 'view', 'recursive'].some((word) => cursor.at(word))) {
    throw cursor.unexpected();
  }
  if (cursor.at('materialized') || cursor.at('view') || cursor.at('recursive')) {
    return parseCreateView(cursor, start, orReplace, temporary);
  }
  if (cursor.at('sink')) return parseCreateSink(cursor, start, orReplace);
  const readOnly =
    cursor.at('source') && ['stream', 'table'].some((word) => cursor.wordAhead(1, word));
  if (readOnly) cursor.advance();
  const relation = cursor.acceptOneOf('stream', 'table', 'source');
  if (relation === undefined) return parseCreateObject(cursor, start, orReplace);
  return parseCreateRelation(cursor, start, {
    relation: readOnly ? 'source' : relation,
    ...(readOnly && relation !== 'source' ? { sourceOf: relation } : {}),
    orReplace,
    temporary,
  });
}

/** `ON COMMIT PRESERVE ROWS` is what happens anyway. */
function parseOnCommit(cursor: Cursor): void {
  if (!cursor.at('on') || !cursor.wordAhead(1, 'commit')) return;
  cursor.expect('on', 'commit');
  const at = cursor.token;
  if (!cursor.acceptWords('preserve', 'rows')) {
    throw cursor.unsupported(`ON COMMIT ${at.text.toUpperCase()}`, at);
  }
}

/** `IF NOT EXISTS` when it is there. */
export const ifNotExists = (cursor: Cursor): boolean => cursor.acceptWords('if', 'not', 'exists');

interface RelationWords {
  readonly relation: 'stream' | 'table' | 'source';
  readonly sourceOf?: 'stream' | 'table';
  readonly orReplace: boolean;
  readonly temporary: boolean;
}

const noElements: TableElements = {
  columns: [],
  constraints: [],
  likes: [],
  watermark: undefined,
};

function parseCreateRelation(cursor: Cursor, start: number, words: RelationWords): Statement {
  const exists = ifNotExists(cursor);
  const written = qualifiedName(cursor);
  const name = words.temporary ? temporaryName(written) : written;
  const hasElements = cursor.atSymbol('(') && !isQueryAhead(cursor, 0);
  const elements = hasElements
    ? parseTableElements(cursor, words.relation !== 'table')
    : noElements;
  const included: ColumnDefinition[] = [];
  for (let next = parseInclude(cursor); next !== undefined; next = parseInclude(cursor)) {
    included.push(next);
  }
  refuseHierarchy(cursor);
  const options = parseRelationOptions(cursor);
  if (words.temporary) parseOnCommit(cursor);
  // The columns of a query's result may be named, but not be typed.
  const isTyped = elements.constraints.length > 0 || elements.columns.some(hasType);
  if (isTyped && words.relation === 'table' && cursor.at('as')) throw cursor.unexpected();
  const query = parseAs(cursor);
  const mayHoldData = query !== undefined && words.relation === 'table' && options.length === 0;
  // A temporary table is a table of its own: nobody else would see what is kept up to date.
  const withData = mayHoldData
    ? (parseWithData(cursor) ?? (words.temporary || undefined))
    : undefined;
  const isDefined = hasElements || included.length > 0 || options.length > 0;
  // Only the columns of streams may leave their types to a schema registry.
  const isUntyped = words.relation === 'table' && !elements.columns.every(hasType);
  if (query === undefined && (!isDefined || isUntyped)) throw cursor.unexpected();
  return {
    kind: 'create-relation',
    ...words,
    ifNotExists: exists,
    name,
    columns: [...elements.columns, ...included],
    constraints: elements.constraints,
    ...(elements.likes.length > 0 ? { likes: elements.likes } : {}),
    ...(withData === undefined ? {} : { withData }),
    watermark: elements.watermark,
    options,
    query,
    span: cursor.spanFrom(start),
  };
}

/** Tables in tables: each would be read and changed by the statements of the other. */
function refuseHierarchy(cursor: Cursor): void {
  if (cursor.at('inherits')) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'INHERITS is not supported', {
      at: cursor.token,
      hint: 'Use LIKE for the same columns, and a view with UNION ALL for the rows of both.',
    });
  }
  if (cursor.at('partition') && (cursor.wordAhead(1, 'by') || cursor.wordAhead(1, 'of'))) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'partitioned tables are not supported', {
      at: cursor.token,
      hint: 'Leave PARTITION BY out: one table holds all rows.',
    });
  }
}

const hasType = ({ type, generated, metadata }: ColumnDefinition): boolean =>
  type !== undefined || generated !== undefined || metadata !== undefined;

/** WITH (…), Flink's PARTITIONED BY, RisingWave's APPEND ONLY and FORMAT … ENCODE …, in any order. */
function parseRelationOptions(cursor: Cursor): Option[] {
  const options: Option[] = [];
  for (;;) {
    const before = cursor.index;
    comment(cursor);
    options.push(...parseWithOptions(cursor), ...parseFormat(cursor));
    if (cursor.at('append') && cursor.wordAhead(1, 'only')) options.push(parseAppendOnly(cursor));
    if (cursor.at('on') && cursor.wordAhead(1, 'error')) options.push(...parseOnError(cursor));
    if (cursor.at('partitioned') && cursor.wordAhead(1, 'by')) {
      const at = cursor.start;
      cursor.expect('partitioned', 'by');
      const columns = columnNames(cursor);
      const value = columns.map((column) => column.name).join(',');
      const span = cursor.spanFrom(at);
      options.push({ key: 'partitioned_by', value: { kind: 'string', value, span }, span });
    }
    if (cursor.index === before) return options;
  }
}

/** RisingWave's `APPEND ONLY`, as the option `append_only`. */
function parseAppendOnly(cursor: Cursor): Option {
  const start = cursor.start;
  cursor.expect('append', 'only');
  const span = cursor.spanFrom(start);
  return { key: 'append_only', value: { kind: 'boolean', value: true, span }, span };
}

/** `ON ERROR SKIP | FAIL | DLQ 'topic'`, as the options `on_error` and `dlq_topic`. */
function parseOnError(cursor: Cursor): Option[] {
  const start = cursor.start;
  cursor.expect('on', 'error');
  const at = cursor.start;
  const policy = cursor.expectOneOf('skip', 'fail', 'dlq');
  const policyOption: Option = {
    key: 'on_error',
    value: { kind: 'string', value: policy, span: cursor.spanFrom(at) },
    span: cursor.spanFrom(start),
  };
  if (policy !== 'dlq') return [policyOption];
  const topicAt = cursor.start;
  const value = cursor.expectString();
  const span = cursor.spanFrom(topicAt);
  return [policyOption, { key: 'dlq_topic', value: { kind: 'string', value, span }, span }];
}

/** RisingWave's `FORMAT PLAIN ENCODE JSON (…)`, as the options `format` and `encode`. */
export function parseFormat(cursor: Cursor): Option[] {
  if (!cursor.at('format') || cursor.symbolAhead(1, '=')) return [];
  const options: Option[] = [];
  for (const key of ['format', 'encode']) {
    const start = cursor.start;
    cursor.expect(key);
    const { name, span } = nonReservedWord(cursor);
    options.push({
      key,
      value: { kind: 'string', value: name, span },
      span: cursor.spanFrom(start),
    });
  }
  return cursor.atSymbol('(') ? [...options, ...parseOptionList(cursor)] : options;
}

function parseAs(cursor: Cursor): Query | undefined {
  return cursor.accept('as') ? cursor.grammar.query(cursor) : undefined;
}

/** `WITH [NO] DATA` after a query. */
function parseWithData(cursor: Cursor): boolean | undefined {
  if (cursor.acceptWords('with', 'no', 'data')) return false;
  return cursor.acceptWords('with', 'data') ? true : undefined;
}

function parseCreateView(
  cursor: Cursor,
  start: number,
  orReplace: boolean,
  temporary: boolean,
): Statement {
  const recursive = cursor.accept('recursive');
  const materialized = !recursive && cursor.accept('materialized');
  cursor.expect('view');
  const exists = ifNotExists(cursor);
  const written = qualifiedName(cursor);
  const name = temporary ? temporaryName(written) : written;
  const columns = recursive ? columnNames(cursor) : optionalColumnNames(cursor);
  const options = parseWithOptions(cursor);
  const emit = materialized ? parseEmit(cursor) : undefined;
  cursor.expect('as');
  const inner = withEmit(cursor, cursor.grammar.query(cursor), emit);
  const query = recursive ? recursiveQuery(written, columns, inner) : inner;
  if (materialized && cursor.acceptWords('with', 'no', 'data')) {
    throw cursor.unsupported('WITH NO DATA', cursor.peek(-1));
  }
  if (materialized) cursor.acceptWords('with', 'data');
  return {
    kind: 'create-view',
    materialized,
    orReplace,
    ifNotExists: exists,
    name,
    columns,
    options,
    query,
    span: cursor.spanFrom(start),
  };
}

/** `CREATE RECURSIVE VIEW v (c) AS q` is `CREATE VIEW v (c) AS WITH RECURSIVE v (c) AS (q) SELECT c FROM v`. */
function recursiveQuery(
  view: QualifiedName,
  columns: readonly Identifier[],
  statement: Query,
): Query {
  const { span } = statement;
  const [name = { name: '', quoted: false, span }] = view.parts.slice(-1);
  const item = { name, columns, materialized: undefined, statement, span };
  const items = columns.map((column) => ({
    expression: { kind: 'column', name: { parts: [column], span: column.span }, span } as const,
    alias: undefined,
    span,
  }));
  const from = [relationItem({ parts: [name], span: name.span }, span)];
  const query = plainQuery(plainSelect({ items, from }, span));
  return { ...query, with: { recursive: true, items: [item] } };
}

/** RisingWave writes EMIT before AS as well as behind the query. */
function withEmit(cursor: Cursor, query: Query, emit: Emit | undefined): Query {
  if (emit === undefined) return query;
  if (query.emit !== undefined) throw cursor.error('multiple EMIT clauses', query.emit.span);
  return { ...query, emit };
}

/** `CREATE SINK name [INTO table (columns)] {FROM relation | AS query} WITH (…)`; the options may also come first. */
function parseCreateSink(cursor: Cursor, start: number, orReplace: boolean): Statement {
  cursor.expect('sink');
  const exists = ifNotExists(cursor);
  const name = qualifiedName(cursor);
  const into = parseSinkTable(cursor);
  const before = parseRelationOptions(cursor);
  const from = cursor.accept('from') ? qualifiedName(cursor) : undefined;
  let query: Query | undefined;
  if (from === undefined) {
    cursor.expect('as');
    query = cursor.grammar.query(cursor);
  }
  const options = [...before, ...parseRelationOptions(cursor)];
  const span = cursor.spanFrom(start);
  const names = { name, into, from } as const;
  return { kind: 'create-sink', orReplace, ifNotExists: exists, ...names, query, options, span };
}

function parseSinkTable(cursor: Cursor): SinkTable | undefined {
  if (!cursor.accept('into')) return undefined;
  return { table: qualifiedName(cursor), columns: optionalColumnNames(cursor) };
}
