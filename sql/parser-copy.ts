/** COPY, with the options of today and those from before they stood in parentheses. */

import type { Expression, Identifier } from './ast.ts';
import type { Option } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, optionalColumnNames, qualifiedName } from './parser-name.ts';
import { parseGenericOptions } from './parser-session.ts';

type Copy = Extract<Statement, { kind: 'copy' }>;

/**
 * `COPY {name [(columns)] | (query)} {FROM | TO} {'file' | STDIN | STDOUT} [[WITH] (options)] [WHERE condition]`; instead of a query
 * also INSERT, UPDATE, DELETE or MERGE with RETURNING.
 */
export function parseCopy(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('copy');
  let source: Copy['source'];
  let columns: Copy['columns'] = [];
  if (cursor.acceptSymbol('(')) {
    source = parseSource(cursor);
    cursor.expectSymbol(')');
  } else {
    source = qualifiedName(cursor);
    columns = optionalColumnNames(cursor);
  }
  const direction = 'parts' in source ? cursor.expectOneOf('from', 'to') : 'to';
  if (!('parts' in source)) cursor.expect('to');
  if (cursor.at('program')) throw cursor.unsupported('COPY with a program');
  const target =
    cursor.token.kind === 'string' ? cursor.expectString() : cursor.expectOneOf('stdin', 'stdout');
  const options = parseOptions(cursor);
  const where = cursor.at('where') ? parseWhere(cursor, direction) : undefined;
  const span = cursor.spanFrom(start);
  const condition = where === undefined ? {} : { where };
  return { kind: 'copy', source, columns, direction, target, options, ...condition, span };
}

function parseSource(cursor: Cursor): Copy['source'] {
  const start = cursor.start;
  const statement = cursor.atSymbol('(')
    ? cursor.grammar.query(cursor)
    : cursor.grammar.statement(cursor);
  switch (statement.kind) {
    case 'query':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return statement;
    default:
      throw cursor.error('COPY needs a query', cursor.spanFrom(start));
  }
}

function parseWhere(cursor: Cursor, direction: Copy['direction']): Expression {
  const start = cursor.start;
  cursor.expect('where');
  const where = cursor.grammar.expression(cursor);
  if (direction === 'from') return where;
  throw cursor.error('WHERE clause not allowed with COPY TO', cursor.spanFrom(start));
}

function parseOptions(cursor: Cursor): readonly Option[] {
  const isWith = cursor.accept('with');
  if (cursor.atSymbol('(')) return parseGenericOptions(cursor);
  const options: Option[] = [];
  for (;;) {
    const option = parseOldOption(cursor);
    if (option === undefined) break;
    options.push(option);
  }
  if (isWith && options.length === 0) throw cursor.unexpected();
  return options;
}

function parseOldOption(cursor: Cursor): Option | undefined {
  const start = cursor.start;
  const option = (key: string, value: Expression): Option => ({
    key,
    value,
    span: cursor.spanFrom(start),
  });
  const word = cursor.acceptOneOf(
    ...(['binary', 'csv', 'header', 'freeze', 'delimiter', 'delimiters', 'null', 'quote'] as const),
    ...(['escape', 'encoding', 'force'] as const),
  );
  switch (word) {
    case undefined:
      return undefined;
    case 'binary':
    case 'csv':
      return option('format', { kind: 'string', value: word, span: cursor.spanFrom(start) });
    case 'header':
    case 'freeze':
      return option(word, { kind: 'boolean', value: true, span: cursor.spanFrom(start) });
    case 'force':
      return parseForce(cursor, option);
    default: {
      cursor.accept('as');
      const at = cursor.start;
      const value = cursor.expectString();
      const key = word === 'delimiters' ? 'delimiter' : word;
      return option(key, { kind: 'string', value, span: cursor.spanFrom(at) });
    }
  }
}

function parseForce(cursor: Cursor, option: (key: string, value: Expression) => Option): Option {
  const isNot = cursor.acceptWords('not', 'null');
  const key = isNot ? 'force_not_null' : `force_${cursor.expectOneOf('quote', 'null')}`;
  const start = cursor.start;
  if (cursor.acceptSymbol('*')) {
    return option(key, { kind: 'star', qualifier: undefined, span: cursor.spanFrom(start) });
  }
  const items = cursor.list(() => columnOf(columnName(cursor)));
  return option(key, { kind: 'row', items, explicit: false, span: cursor.spanFrom(start) });
}

const columnOf = (name: Identifier): Expression => ({
  kind: 'column',
  name: { parts: [name], span: name.span },
  span: name.span,
});
