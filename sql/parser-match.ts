/** MATCH_RECOGNIZE, after the table that it reads (ISO/IEC 19075-5). */
import type { FromItem, Identifier, MatchRecognize, RowPattern } from './ast.ts';
import { optionalAlias } from './parser-alias.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName } from './parser-name.ts';
import { parseRowPattern } from './parser-pattern.ts';
import { parseSelectItem } from './parser-select-item.ts';
import { parseOrderBy } from './parser-sort.ts';
import { parseDuration, withPluralIntervals } from './parser-stream.ts';

export function parseMatchRecognize(cursor: Cursor, source: FromItem): FromItem & MatchRecognize {
  cursor.expect('match_recognize');
  cursor.expectSymbol('(');
  const partitionBy = cursor.acceptWords('partition', 'by')
    ? cursor.list(() => cursor.grammar.expression(cursor))
    : [];
  const orderBy = parseOrderBy(cursor);
  const measures = cursor.accept('measures') ? cursor.list(() => parseSelectItem(cursor)) : [];
  const rowsPerMatch = parseRowsPerMatch(cursor);
  const skip = parseSkip(cursor);
  const pattern = parsePattern(cursor);
  const within = cursor.accept('within')
    ? withPluralIntervals(cursor, () => parseDuration(cursor))
    : undefined;
  const subsets = cursor.accept('subset') ? cursor.list(() => parseSubset(cursor)) : [];
  cursor.expect('define');
  const define = cursor.list(() => parseDefinition(cursor));
  cursor.expectSymbol(')');
  const alias = optionalAlias(cursor);
  return {
    kind: 'match-recognize',
    source,
    partitionBy,
    orderBy,
    measures,
    rowsPerMatch,
    skip,
    pattern,
    within,
    subsets,
    define,
    alias,
    span: cursor.spanFrom(source.span.start),
  };
}

function parseRowsPerMatch(cursor: Cursor): MatchRecognize['rowsPerMatch'] {
  const which = cursor.acceptOneOf('one', 'all');
  if (which === undefined) return 'one';
  if (which === 'one') {
    cursor.expect('row', 'per', 'match');
    return 'one';
  }
  cursor.expect('rows', 'per', 'match');
  if (cursor.acceptWords('show', 'empty', 'matches')) return 'all-show-empty';
  if (cursor.acceptWords('omit', 'empty', 'matches')) return 'all-omit-empty';
  if (cursor.acceptWords('with', 'unmatched', 'rows')) return 'all-with-unmatched';
  return 'all';
}

function parseSkip(cursor: Cursor): MatchRecognize['skip'] {
  if (!cursor.accept('after')) return { kind: 'past-last-row' };
  cursor.expect('match', 'skip');
  if (cursor.accept('past')) {
    cursor.expect('last', 'row');
    return { kind: 'past-last-row' };
  }
  cursor.expect('to');
  if (cursor.acceptWords('next', 'row')) return { kind: 'to-next-row' };
  // FIRST and LAST may be left out, and may also be names of variables.
  if (cursor.at('first') && !cursor.wordAhead(1, 'pattern')) {
    cursor.advance();
    return { kind: 'to-first', variable: columnName(cursor) };
  }
  if (cursor.at('last') && !cursor.wordAhead(1, 'pattern')) cursor.advance();
  return { kind: 'to-last', variable: columnName(cursor) };
}

function parsePattern(cursor: Cursor): RowPattern {
  cursor.expect('pattern');
  if (!cursor.atSymbol('(')) throw cursor.unexpected('"("');
  return parseRowPattern(cursor);
}

function parseSubset(cursor: Cursor): { name: Identifier; variables: readonly Identifier[] } {
  const name = columnName(cursor);
  cursor.expectSymbol('=');
  return { name, variables: cursor.parenthesized(() => columnName(cursor)) };
}

function parseDefinition(cursor: Cursor): MatchRecognize['define'][number] {
  const variable = columnName(cursor);
  cursor.expect('as');
  return { variable, condition: cursor.grammar.expression(cursor) };
}
