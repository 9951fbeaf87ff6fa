/** CREATE CONNECTION, SECRET, INDEX, SEQUENCE and SCHEMA. */

import type { SortItem } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { parseNullsDistinct } from './parser-constraint.ts';
import type { Cursor } from './parser-cursor.ts';
import { parseCreateFunction } from './parser-function.ts';
import {
  columnName,
  columnNames,
  isColumnName,
  isNonReservedWord,
  qualifiedName,
} from './parser-name.ts';
import { parseOptionList, parseWithOptions } from './parser-option.ts';
import { parseCreateSequence } from './parser-sequence.ts';
import { parseSortDirection } from './parser-sort.ts';
import { parseCreateDomain, parseCreateType } from './parser-user-type.ts';

/** The statement after CREATE [OR REPLACE], from its object's word on. */
export function parseCreateObject(cursor: Cursor, start: number, orReplace: boolean): Statement {
  if (cursor.at('connection') || cursor.at('secret')) {
    return parseCreateWithOptions(cursor, start, orReplace);
  }
  if (cursor.accept('type')) return parseCreateType(cursor, start, orReplace);
  if (!orReplace && cursor.accept('domain')) return parseCreateDomain(cursor, start);
  if (cursor.at('function') || cursor.at('aggregate')) {
    return parseCreateFunction(cursor, start, orReplace);
  }
  if (!orReplace && (cursor.at('index') || cursor.at('unique'))) {
    return parseCreateIndex(cursor, start);
  }
  if (!orReplace && cursor.accept('sequence')) return parseCreateSequence(cursor, start);
  if (!orReplace && cursor.accept('schema')) {
    const ifNotExists = cursor.acceptWords('if', 'not', 'exists');
    const name = qualifiedName(cursor);
    return { kind: 'create-schema', ifNotExists, name, span: cursor.spanFrom(start) };
  }
  throw cursor.unexpected();
}

function parseCreateWithOptions(cursor: Cursor, start: number, orReplace: boolean): Statement {
  const kind = cursor.expectOneOf('connection', 'secret');
  const ifNotExists = cursor.acceptWords('if', 'not', 'exists');
  const name = qualifiedName(cursor);
  const options = parseWithOptions(cursor);
  if (kind === 'secret' && cursor.accept('as')) {
    const at = cursor.start;
    const value = cursor.expectString();
    const span = cursor.spanFrom(at);
    options.push({ key: 'value', value: { kind: 'string', value, span }, span });
  }
  const span = cursor.spanFrom(start);
  return { kind: `create-${kind}`, orReplace, ifNotExists, name, options, span };
}

// -------------------------------------------------------------------- indexes

function parseCreateIndex(cursor: Cursor, start: number): Statement {
  const unique = cursor.accept('unique');
  cursor.expect('index');
  // Nobody has to wait for an index here, so that it is always made beside the statements of others.
  cursor.accept('concurrently');
  const ifNotExists = cursor.acceptWords('if', 'not', 'exists');
  const name = !cursor.at('on') && isColumnName(cursor.token) ? columnName(cursor) : undefined;
  if (ifNotExists && name === undefined) throw cursor.unexpected('a name');
  cursor.expect('on');
  cursor.accept('only');
  const relation = qualifiedName(cursor);
  if (cursor.accept('using')) columnName(cursor);
  const items = cursor.parenthesized(() => parseIndexItem(cursor));
  if (cursor.at('include') && cursor.symbolAhead(1, '(')) {
    cursor.advance();
    columnNames(cursor);
  }
  // RisingWave's, which spreads an index over machines.
  if (cursor.acceptWords('distributed', 'by')) columnNames(cursor);
  const nullsNotDistinct = parseNullsDistinct(cursor);
  if (cursor.at('with') && cursor.symbolAhead(1, '(')) {
    cursor.advance();
    parseOptionList(cursor);
  }
  if (cursor.accept('tablespace')) columnName(cursor);
  const where = cursor.accept('where') ? cursor.grammar.expression(cursor) : undefined;
  const span = cursor.spanFrom(start);
  return {
    kind: 'create-index',
    unique,
    ifNotExists,
    name,
    relation,
    items,
    ...(nullsNotDistinct ? { nullsNotDistinct } : {}),
    ...(where === undefined ? {} : { where }),
    span,
  };
}

/** A column, a call, or any expression in parentheses. */
function parseIndexItem(cursor: Cursor): SortItem {
  const start = cursor.start;
  const isParenthesized = cursor.atSymbol('(');
  if (!isParenthesized && !isNonReservedWord(cursor.token)) throw cursor.unexpected('a column');
  const expression = cursor.grammar.primary(cursor);
  const isColumn = expression.kind === 'column' && expression.name.parts.length === 1;
  if (!isParenthesized && !isColumn && expression.kind !== 'call') {
    throw cursor.error('an index expression needs parentheses', expression.span);
  }
  // An operator class says how an index is searched, not what is in it.
  if (cursor.token.kind === 'word' && /_ops$/.test(cursor.token.text)) columnName(cursor);
  return parseSortDirection(cursor, expression, start);
}
