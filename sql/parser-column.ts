/** What stands between the parentheses of CREATE STREAM and CREATE TABLE. */

import type { Identifier } from './ast.ts';
import type { ColumnDefinition, TableConstraint, TableLike, Watermark } from './ast-relation.ts';
import type { Span } from './base/error.ts';
import { requireCollation } from './collation.ts';
import { parseConstraint, parseTableConstraint } from './parser-constraint.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, qualifiedName } from './parser-name.ts';
import { parseParenthesizedSequenceOptions } from './parser-sequence.ts';
import { withPluralIntervals } from './parser-stream.ts';
import { parseType } from './parser-type.ts';

export interface TableElements {
  readonly columns: readonly ColumnDefinition[];
  readonly constraints: readonly TableConstraint[];
  readonly likes: readonly TableLike[];
  readonly watermark: Watermark | undefined;
}

/**
 * `(column, …, PRIMARY KEY (…), WATERMARK FOR c AS e)`, in any order.
 * @param streamKey whether ksqlDB's KEY may mark a column, which only streams have.
 */
export function parseTableElements(cursor: Cursor, streamKey: boolean): TableElements {
  const columns: ColumnDefinition[] = [];
  const constraints: TableConstraint[] = [];
  const likes: TableLike[] = [];
  let watermark: Watermark | undefined;
  cursor.expectSymbol('(');
  if (cursor.acceptSymbol(')')) return { columns, constraints, likes, watermark };
  do {
    const next = parseWatermark(cursor);
    if (next !== undefined) {
      if (watermark !== undefined) throw cursor.error('multiple WATERMARK clauses', next.span);
      watermark = next;
      continue;
    }
    if (cursor.at('like')) {
      likes.push(parseLike(cursor, columns.length));
      continue;
    }
    const constraint = parseTableConstraint(cursor);
    if (constraint === undefined) columns.push(parseColumn(cursor, { typeless: true, streamKey }));
    else constraints.push(constraint);
  } while (cursor.acceptSymbol(','));
  cursor.expectSymbol(')');
  return { columns, constraints, likes, watermark };
}

const likeParts = [
  ...(['comments', 'compression', 'constraints', 'defaults', 'generated', 'identity'] as const),
  ...(['indexes', 'statistics', 'storage', 'all'] as const),
];
/** Those that a table of Millrace can have. */
const likeKept: readonly string[] = ['constraints', 'defaults', 'generated', 'identity', 'indexes'];

/** `LIKE other [INCLUDING part | EXCLUDING part]…`. */
function parseLike(cursor: Cursor, position: number): TableLike {
  const start = cursor.start;
  cursor.expect('like');
  const relation = qualifiedName(cursor);
  const including = new Set<string>();
  for (;;) {
    const word = cursor.acceptOneOf('including', 'excluding');
    if (word === undefined) break;
    const part = cursor.expectOneOf(...likeParts);
    for (const one of part === 'all' ? likeKept : [part]) {
      if (word === 'excluding') including.delete(one);
      else if (likeKept.includes(one)) including.add(one);
    }
  }
  return { relation, position, including: [...including].sort(), span: cursor.spanFrom(start) };
}

function parseWatermark(cursor: Cursor): Watermark | undefined {
  if (!cursor.at('watermark') || !cursor.wordAhead(1, 'for')) return undefined;
  const start = cursor.start;
  cursor.expect('watermark', 'for');
  const column = columnName(cursor);
  cursor.expect('as');
  const expression = withPluralIntervals(cursor, () => cursor.grammar.expression(cursor));
  return { column, expression, span: cursor.spanFrom(start) };
}

/** What a column of the statement at hand may have. */
export interface ColumnRules {
  /** The type may be left out. */
  readonly typeless: boolean;
  /** KEY may follow the type. */
  readonly streamKey: boolean;
}

/** A column that has a name and nothing else. */
export function bareColumn(name: Identifier, span: Span): ColumnDefinition {
  return {
    name,
    type: undefined,
    primaryKey: false,
    key: false,
    notNull: false,
    unique: false,
    default: undefined,
    generated: undefined,
    check: undefined,
    metadata: undefined,
    span,
  };
}

type Draft = { -readonly [Key in keyof ColumnDefinition]: ColumnDefinition[Key] };

/**
 * `name [type] constraint…`, Flink's `name AS expression`, or RisingWave's `name type AS expression`.
 * @param rules what the statement allows here.
 */
export function parseColumn(cursor: Cursor, rules: ColumnRules): ColumnDefinition {
  const start = cursor.start;
  const draft: Draft = bareColumn(columnName(cursor), { start, end: start });
  if (cursor.accept('as')) {
    draft.generated = withPluralIntervals(cursor, () => cursor.grammar.expression(cursor));
  } else {
    if (!(rules.typeless && atColumnEnd(cursor)) && !atMetadata(cursor))
      draft.type = parseType(cursor);
    while (parseColumnClause(cursor, draft, rules));
    if (draft.type !== undefined && !isComputed(draft) && cursor.accept('as')) {
      draft.generated = withPluralIntervals(cursor, () => cursor.grammar.expression(cursor));
    }
  }
  comment(cursor);
  return { ...draft, span: cursor.spanFrom(start) };
}

const isComputed = ({ default: value, generated, metadata, identity }: Draft): boolean =>
  [value, generated, metadata, identity].some((origin) => origin !== undefined);

const typelessFollowers = ['primary', 'key', 'not', 'default'];

/** A column filled from a record's metadata has its type from there. */
const atMetadata = (cursor: Cursor): boolean =>
  (cursor.at('metadata') && !cursor.symbolAhead(1, '(')) ||
  cursor.at('headers') ||
  (cursor.at('header') && cursor.symbolAhead(1, '('));

/** Whether the column has no type: its name is followed by a clause or by nothing. */
const atColumnEnd = (cursor: Cursor): boolean =>
  cursor.atSymbol(',') || cursor.atSymbol(')') || typelessFollowers.some((word) => cursor.at(word));

/** Reads one clause of a column; false when there is none left. */
function parseColumnClause(cursor: Cursor, draft: Draft, rules: ColumnRules): boolean {
  const start = cursor.start;
  if (cursor.accept('constraint')) {
    const name = columnName(cursor);
    if (!parseColumnConstraint(cursor, draft, { name, start })) throw cursor.unexpected();
    return true;
  }
  if (rules.streamKey && cursor.accept('key')) {
    draft.key = true;
    return true;
  }
  return (
    parseColumnConstraint(cursor, draft, { name: undefined, start }) ||
    parseMetadataClause(cursor, draft)
  );
}

interface Head {
  readonly name: Identifier | undefined;
  readonly start: number;
}

function parseColumnConstraint(cursor: Cursor, draft: Draft, head: Head): boolean {
  if (cursor.accept('not')) {
    cursor.expect('null');
    draft.notNull = true;
    cursor.acceptWords('no', 'inherit');
  } else if (cursor.accept('null')) {
    if (draft.notNull)
      throw cursor.error('conflicting NULL/NOT NULL declarations', cursor.peek(-1));
  } else if (cursor.accept('default')) {
    draft.default = cursor.grammar.restrictedExpression(cursor);
  } else if (cursor.accept('generated')) {
    parseGenerated(cursor, draft);
  } else if (cursor.accept('collate')) {
    requireCollation(qualifiedName(cursor));
  } else {
    const constraint = parseConstraint(cursor, head, draft.name);
    if (constraint === undefined) return false;
    addConstraint(draft, constraint);
  }
  return true;
}

/** A constraint without a name goes into the column's own member, as most statements write it. */
function addConstraint(draft: Draft, constraint: TableConstraint): void {
  const isPlain = constraint.name === undefined;
  if (isPlain && constraint.kind === 'primary-key' && !draft.primaryKey) draft.primaryKey = true;
  else if (isPlain && constraint.kind === 'unique' && constraint.nullsNotDistinct !== true) {
    draft.unique = true;
  } else if (isPlain && constraint.kind === 'check' && draft.check === undefined) {
    draft.check = constraint.expression;
  } else {
    draft.constraints = [...(draft.constraints ?? []), constraint];
  }
}

/** PostgreSQL's `GENERATED ALWAYS AS (expression) [STORED | VIRTUAL]`, and identities. */
function parseGenerated(cursor: Cursor, draft: Draft): void {
  const always = !cursor.acceptWords('by', 'default');
  if (always) cursor.expect('always');
  cursor.expect('as');
  if (cursor.accept('identity')) {
    const options = cursor.atSymbol('(') ? parseParenthesizedSequenceOptions(cursor) : [];
    draft.identity = { always, options };
    return;
  }
  if (!always) throw cursor.unexpected('IDENTITY');
  cursor.expectSymbol('(');
  draft.generated = cursor.grammar.expression(cursor);
  cursor.expectSymbol(')');
  cursor.acceptOneOf('stored', 'virtual');
}

/** ksqlDB's HEADERS and HEADER('k'); Flink's METADATA [FROM 'k'] [VIRTUAL]. */
function parseMetadataClause(cursor: Cursor, draft: Draft): boolean {
  if (cursor.accept('metadata')) {
    draft.metadata = cursor.accept('from') ? cursor.expectString() : draft.name.name;
    cursor.accept('virtual');
  } else if (cursor.accept('headers')) {
    draft.metadata = 'headers';
  } else if (cursor.at('header') && cursor.symbolAhead(1, '(')) {
    cursor.advance();
    cursor.expectSymbol('(');
    draft.metadata = `header:${cursor.expectString()}`;
    cursor.expectSymbol(')');
  } else {
    return false;
  }
  return true;
}

/** Flink's `COMMENT 'text'`, which says nothing to us. */
export function comment(cursor: Cursor): void {
  if (cursor.at('comment') && cursor.peek(1).kind === 'string') {
    cursor.advance();
    cursor.advance();
  }
}

/** RisingWave's `INCLUDE field [AS name]`: a column filled from the record's metadata. */
export function parseInclude(cursor: Cursor): ColumnDefinition | undefined {
  const start = cursor.start;
  if (!cursor.accept('include')) return undefined;
  const field: Identifier = columnName(cursor);
  const header = field.name === 'header' && cursor.token.kind === 'string';
  const metadata = header ? `header:${cursor.expectString()}` : field.name;
  const name = cursor.accept('as') ? columnName(cursor) : field;
  return {
    name,
    type: undefined,
    primaryKey: false,
    key: false,
    notNull: false,
    unique: false,
    default: undefined,
    generated: undefined,
    check: undefined,
    metadata,
    span: cursor.spanFrom(start),
  };
}
