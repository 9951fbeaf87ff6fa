/** Window specifications of OVER and of the WINDOW clause. */
import type { FrameBound, Identifier, WindowFrame, WindowSpec } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, isColumnName } from './parser-name.ts';
import { parseOrderBy } from './parser-sort.ts';

const clauseWords: ReadonlySet<string> = new Set(['partition', 'range', 'rows', 'groups', 'order']);

/** `(base PARTITION BY … ORDER BY … frame)`. */
export function parseWindowSpec(cursor: Cursor): WindowSpec {
  const start = cursor.start;
  cursor.expectSymbol('(');
  const base = baseWindow(cursor);
  let partitionBy: WindowSpec['partitionBy'] = [];
  if (cursor.accept('partition')) {
    cursor.expect('by');
    partitionBy = cursor.list(() => cursor.grammar.expression(cursor));
  }
  const orderBy = parseOrderBy(cursor);
  const frame = parseFrame(cursor);
  cursor.expectSymbol(')');
  return {
    kind: 'window-spec',
    base,
    partitionBy,
    orderBy,
    frame,
    span: cursor.spanFrom(start),
  };
}

/** The name of the window that this one extends: a word here is a clause before it is a name. */
function baseWindow(cursor: Cursor): Identifier | undefined {
  const token = cursor.token;
  if (token.kind === 'word' && clauseWords.has(token.text)) return undefined;
  return isColumnName(token) ? columnName(cursor) : undefined;
}

function parseFrame(cursor: Cursor): WindowFrame | undefined {
  const unit = cursor.acceptOneOf('rows', 'range', 'groups');
  if (unit === undefined) return undefined;
  const between = cursor.accept('between');
  const startAt = cursor.token;
  const start = parseBound(cursor);
  if (between) cursor.expect('and');
  const endAt = between ? cursor.token : startAt;
  const end: FrameBound = between ? parseBound(cursor) : { kind: 'current-row' };
  const wrong = startError(start, between);
  if (wrong !== undefined) throw cursor.windowingError(wrong, startAt);
  const wrongEnd = endError(start, end);
  if (wrongEnd !== undefined) throw cursor.windowingError(wrongEnd, endAt);
  return { unit, start, end, exclude: parseExclusion(cursor) };
}

// PostgreSQL refuses impossible frames in its grammar, so the messages are its own.

function startError(start: FrameBound, between: boolean): string | undefined {
  if (start.kind === 'unbounded-following') return 'frame start cannot be UNBOUNDED FOLLOWING';
  return start.kind === 'following' && !between
    ? 'frame starting from following row cannot end with current row'
    : undefined;
}

function endError(start: FrameBound, end: FrameBound): string | undefined {
  if (end.kind === 'unbounded-preceding') return 'frame end cannot be UNBOUNDED PRECEDING';
  if (start.kind === 'current-row' && end.kind === 'preceding') {
    return 'frame starting from current row cannot have preceding rows';
  }
  return start.kind === 'following' && (end.kind === 'preceding' || end.kind === 'current-row')
    ? 'frame starting from following row cannot have preceding rows'
    : undefined;
}

function parseBound(cursor: Cursor): FrameBound {
  if (cursor.acceptWords('unbounded', 'preceding')) return { kind: 'unbounded-preceding' };
  if (cursor.acceptWords('unbounded', 'following')) return { kind: 'unbounded-following' };
  if (cursor.acceptWords('current', 'row')) return { kind: 'current-row' };
  const offset = cursor.grammar.expression(cursor);
  return { kind: cursor.expectOneOf('preceding', 'following'), offset };
}

function parseExclusion(cursor: Cursor): WindowFrame['exclude'] {
  if (!cursor.accept('exclude')) return 'no others';
  if (cursor.accept('current')) {
    cursor.expect('row');
    return 'current row';
  }
  if (cursor.accept('no')) {
    cursor.expect('others');
    return 'no others';
  }
  return cursor.expectOneOf('group', 'ties');
}
