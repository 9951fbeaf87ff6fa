/** One item of a select list, of RETURNING or of MEASURES. */
import type { Expression, SelectItem } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import { identifierOf, isBareColumnLabel, label, qualifiedName } from './parser-name.ts';
import { isQueryAhead } from './parser-parenthesis.ts';
import { atEmit } from './parser-stream.ts';

/** What a misspelt word after an item may have been meant to be. */
const clausesAfterItems: readonly string[] = ['FROM', 'WHERE', 'GROUP', 'ORDER', 'LIMIT'];

/** `*`, `expression`, `expression label`, `expression AS label`. */
export function parseSelectItem(cursor: Cursor): SelectItem {
  const start = cursor.start;
  if (cursor.acceptSymbol('*')) {
    const span = cursor.spanFrom(start);
    const star = { kind: 'star', qualifier: undefined, span } as const;
    return itemWithout(cursor, star) ?? { expression: star, alias: undefined, span };
  }
  const expression = cursor.grammar.expression(cursor);
  const without = expression.kind === 'star' ? itemWithout(cursor, expression) : undefined;
  if (without !== undefined) return without;
  const alias = cursor.accept('as') ? label(cursor) : bareLabel(cursor);
  return { expression, alias, span: cursor.spanFrom(start) };
}

/** A star and its EXCEPT. `EXCEPT (` before a query takes rows away, before anything else columns. */
function itemWithout(
  cursor: Cursor,
  star: Expression & { readonly kind: 'star' },
): SelectItem | undefined {
  const isColumns = cursor.at('except') && cursor.symbolAhead(1, '(') && !isQueryAhead(cursor, 2);
  if (!isColumns) return undefined;
  cursor.expect('except');
  cursor.expectSymbol('(');
  const except = cursor.list(() => qualifiedName(cursor));
  cursor.expectSymbol(')');
  const span = cursor.spanFrom(star.span.start);
  return { expression: { ...star, except, span }, alias: undefined, span };
}

/** A label without AS, unless it is a streaming clause that could not be a label's follower. */
function bareLabel(cursor: Cursor): SelectItem['alias'] {
  cursor.recordMeant(clausesAfterItems);
  const token = cursor.token;
  if (!isBareColumnLabel(token) || atEmit(cursor)) return undefined;
  return identifierOf(cursor.advance());
}
