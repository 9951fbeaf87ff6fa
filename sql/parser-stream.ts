/** Clauses that only streaming queries have: durations, windows in ksqlDB's spelling, EMIT, WITHIN. */
import type { Emit, Expression, FromItem, StreamWindow } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import { isColumnName } from './parser-name.ts';

const durationUnits: ReadonlySet<string> = new Set(
  ['millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'year'].flatMap((unit) => [
    unit,
    `${unit}s`,
  ]),
);

/** `5 MINUTES` as an interval literal, or any expression (`INTERVAL '5' MINUTE`). */
export function parseDuration(cursor: Cursor): Expression {
  const start = cursor.start;
  const unit = cursor.peek(1);
  const isShort =
    cursor.token.kind === 'number' && unit.kind === 'word' && durationUnits.has(unit.text);
  if (!isShort) return withPluralIntervals(cursor, () => cursor.grammar.primary(cursor));
  const value = `${cursor.advance().text} ${cursor.advance().text}`;
  const span = cursor.spanFrom(start);
  const type = { name: 'interval', modifiers: [], arrayDimensions: 0, span };
  return { kind: 'typed-literal', type, value, span };
}

/** Reads `rule` with INTERVAL '1' MINUTES allowed, which PostgreSQL would read as a label. */
export function withPluralIntervals<Node>(cursor: Cursor, rule: () => Node): Node {
  const before = cursor.pluralIntervals;
  cursor.pluralIntervals = true;
  const node = rule();
  cursor.pluralIntervals = before;
  return node;
}

const windowKinds = ['tumbling', 'hopping', 'session'] as const;

/** `WINDOW TUMBLING (SIZE …, RETENTION …, GRACE PERIOD …)` when it is there. */
export function parseStreamWindow(cursor: Cursor): StreamWindow | undefined {
  const kind = windowKinds.find((word) => cursor.wordAhead(1, word) && cursor.symbolAhead(2, '('));
  if (kind === undefined || !cursor.at('window')) return undefined;
  const start = cursor.start;
  cursor.advance();
  cursor.advance();
  cursor.expectSymbol('(');
  // A session's first item is the bare gap of inactivity.
  let size = kind === 'session' ? parseDuration(cursor) : undefined;
  let advance: Expression | undefined;
  let retention: Expression | undefined;
  let grace: Expression | undefined;
  if (size === undefined) {
    cursor.expect('size');
    size = parseDuration(cursor);
  }
  while (cursor.acceptSymbol(',')) {
    if (kind === 'hopping' && advance === undefined && cursor.acceptWords('advance', 'by')) {
      advance = parseDuration(cursor);
    } else if (retention === undefined && cursor.accept('retention')) {
      retention = parseDuration(cursor);
    } else if (grace === undefined && cursor.accept('grace')) {
      cursor.expect('period');
      grace = parseDuration(cursor);
    } else {
      throw cursor.unexpected();
    }
  }
  if (kind === 'hopping' && advance === undefined) throw cursor.unexpected('ADVANCE BY');
  cursor.expectSymbol(')');
  return { kind, size, advance, retention, grace, span: cursor.spanFrom(start) };
}

const emitModes: readonly string[] = ['changes', 'final', 'every'];

/** Whether EMIT and the word that makes it a clause are next. */
export const atEmit = (cursor: Cursor): boolean =>
  cursor.at('emit') &&
  (emitModes.some((word) => cursor.wordAhead(1, word)) ||
    (cursor.wordAhead(1, 'on') && cursor.wordAhead(2, 'window')) ||
    (cursor.wordAhead(1, 'after') && cursor.wordAhead(2, 'watermark')));

/** `EMIT CHANGES | FINAL | ON WINDOW CLOSE | EVERY duration [AND AFTER WATERMARK] | AFTER WATERMARK` when it is there. */
export function parseEmit(cursor: Cursor): Emit | undefined {
  if (!atEmit(cursor)) return undefined;
  const start = cursor.start;
  cursor.advance();
  if (cursor.accept('on')) {
    cursor.expect('window', 'close');
    return { kind: 'window-close', span: cursor.spanFrom(start) };
  }
  if (cursor.acceptWords('after', 'watermark')) {
    return { kind: 'after-watermark', interval: undefined, span: cursor.spanFrom(start) };
  }
  const kind = cursor.expectOneOf('changes', 'final', 'every');
  if (kind !== 'every') return { kind, span: cursor.spanFrom(start) };
  const interval = parseDuration(cursor);
  if (cursor.accept('and')) {
    cursor.expect('after', 'watermark');
    return { kind: 'after-watermark', interval, span: cursor.spanFrom(start) };
  }
  return { kind, interval, span: cursor.spanFrom(start) };
}

/** Whether QUALIFY begins a clause: an expression follows it that no alias is followed by. */
export function atQualify(cursor: Cursor): boolean {
  if (!cursor.at('qualify')) return false;
  const next = cursor.peek(1);
  if (['number', 'string', 'parameter'].includes(next.kind)) return true;
  if (next.kind === 'word' && ['not', 'case', 'exists', 'cast'].includes(next.text)) return true;
  return isColumnName(next);
}

type Within = (FromItem & { kind: 'join' })['within'];

/** Whether WITHIN and a duration are next, rather than an alias of that name. */
export function atWithin(cursor: Cursor): boolean {
  if (!cursor.at('within')) return false;
  const next = cursor.peek(cursor.symbolAhead(1, '(') ? 2 : 1);
  return next.kind === 'number' || (next.kind === 'word' && next.text === 'interval');
}

/** ksqlDB's `WITHIN 1 HOUR [GRACE PERIOD …]` or `WITHIN (before, after) …` of a join. */
export function parseWithin(cursor: Cursor): Within {
  if (!atWithin(cursor)) return undefined;
  cursor.advance();
  let before: Expression;
  let after: Expression;
  if (cursor.acceptSymbol('(')) {
    before = parseDuration(cursor);
    cursor.expectSymbol(',');
    after = parseDuration(cursor);
    cursor.expectSymbol(')');
  } else {
    before = parseDuration(cursor);
    after = before;
  }
  const grace = cursor.acceptWords('grace', 'period') ? parseDuration(cursor) : undefined;
  return { before, after, grace };
}
