/** One item of a select list, of RETURNING or of MEASURES. */
import type { SelectItem } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import { identifierOf, isBareColumnLabel, label } from './parser-name.ts';
import { atEmit } from './parser-stream.ts';

/** What a misspelt word after an item may have been meant to be. */
const clausesAfterItems: readonly string[] = ['FROM', 'WHERE', 'GROUP', 'ORDER', 'LIMIT'];

/** `*`, `expression`, `expression label`, `expression AS label`. */
export function parseSelectItem(cursor: Cursor): SelectItem {
  const start = cursor.start;
  if (cursor.acceptSymbol('*')) {
    const span = cursor.spanFrom(start);
    return { expression: { kind: 'star', qualifier: undefined, span }, alias: undefined, span };
  }
  const expression = cursor.grammar.expression(cursor);
  const alias = cursor.accept('as') ? label(cursor) : bareLabel(cursor);
  return { expression, alias, span: cursor.spanFrom(start) };
}

/** A label without AS, unless it is a streaming clause that could not be a label's follower. */
function bareLabel(cursor: Cursor): SelectItem['alias'] {
  cursor.recordMeant(clausesAfterItems);
  const token = cursor.token;
  if (!isBareColumnLabel(token) || atEmit(cursor)) return undefined;
  return identifierOf(cursor.advance());
}
