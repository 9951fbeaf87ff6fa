/** What INSERT, UPDATE, DELETE and MERGE share: the relation that is changed, SET, WHERE and RETURNING. */

import type { Expression, Identifier, QualifiedName } from './ast.ts';
import type { Assignment, PartStep, ReturningClause, WrittenColumn } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, isColumnName, qualifiedName } from './parser-name.ts';
import { subscriptBounds } from './parser-parenthesis.ts';
import { parseSelectItem } from './parser-select-item.ts';

/** `a`, `a.field`, `a[1].field`, `a[1:2]`, … */
export function writtenColumn(cursor: Cursor): WrittenColumn {
  const column = columnName(cursor);
  const path: PartStep[] = [];
  for (;;) {
    const start = cursor.start;
    if (cursor.acceptSymbol('.')) {
      const field = columnName(cursor);
      path.push({ kind: 'field', field, span: cursor.spanFrom(start) });
    } else if (cursor.acceptSymbol('[')) {
      path.push(subscriptStep(cursor, start));
    } else {
      return path.length === 0 ? column : { ...column, path };
    }
  }
}

function subscriptStep(cursor: Cursor, start: number): PartStep {
  const bounds = subscriptBounds(cursor);
  cursor.expectSymbol(']');
  return { ...bounds, span: cursor.spanFrom(start) };
}

/** `[ONLY] name [*]`: there is no inheritance, so the words change nothing. */
export function parseTarget(cursor: Cursor): QualifiedName {
  if (cursor.accept('only')) {
    if (!cursor.acceptSymbol('(')) return qualifiedName(cursor);
    const name = qualifiedName(cursor);
    cursor.expectSymbol(')');
    return name;
  }
  const name = qualifiedName(cursor);
  cursor.acceptSymbol('*');
  return name;
}

/** SET is a clause before it is an alias. */
export function parseTargetAlias(cursor: Cursor): Identifier | undefined {
  if (cursor.accept('as')) return columnName(cursor);
  return isColumnName(cursor.token) && !cursor.at('set') ? columnName(cursor) : undefined;
}

export const parseWhere = (cursor: Cursor): Expression | undefined =>
  cursor.accept('where') ? cursor.grammar.expression(cursor) : undefined;

export function parseReturning(cursor: Cursor): ReturningClause {
  if (!cursor.accept('returning')) return { items: [] };
  const names = cursor.accept('with') ? parseRowNames(cursor) : {};
  return { items: cursor.list(() => parseSelectItem(cursor)), ...names };
}

/** `(OLD AS o, NEW AS n)`, each at most once. */
function parseRowNames(cursor: Cursor): Pick<ReturningClause, 'old' | 'new'> {
  const names: { old?: Identifier; new?: Identifier } = {};
  cursor.parenthesized(() => {
    const start = cursor.start;
    const which = cursor.expectOneOf('old', 'new');
    cursor.expect('as');
    const name = columnName(cursor);
    if (names[which] !== undefined) {
      throw cursor.error(
        `${which.toUpperCase()} cannot be specified multiple times`,
        cursor.spanFrom(start),
      );
    }
    names[which] = name;
  });
  return names;
}

export function parseAssignments(cursor: Cursor): Assignment[] {
  return cursor.list(() => parseAssignment(cursor)).flat();
}

function parseAssignment(cursor: Cursor): Assignment[] {
  const start = cursor.start;
  if (cursor.atSymbol('(')) return parseRowAssignment(cursor, start);
  const column = writtenColumn(cursor);
  cursor.expectSymbol('=');
  const value = cursor.accept('default') ? 'default' : cursor.grammar.expression(cursor);
  return [{ column, value, span: cursor.spanFrom(start) }];
}

/** `(a, b) = (x, y)` is one assignment a column; `(a, b) = (SELECT …)` and `(a, b) = ROW(t.*)` share their value. */
function parseRowAssignment(cursor: Cursor, start: number): Assignment[] {
  const columns = cursor.parenthesized(() => writtenColumn(cursor));
  cursor.expectSymbol('=');
  const values = parseRowValue(cursor);
  const span = cursor.spanFrom(start);
  if (Array.isArray(values)) {
    if (values.length !== columns.length) {
      throw cursor.error('number of columns does not match number of values', span);
    }
    return columns.map((column, index) => ({ column, value: values[index] ?? 'default', span }));
  }
  const count = columns.length;
  return columns.map((column, index) => ({ column, value: values, part: { index, count }, span }));
}

function parseRowValue(cursor: Cursor): Expression | (Expression | 'default')[] {
  if (atRowWithDefault(cursor)) {
    cursor.accept('row');
    return cursor.parenthesized(() =>
      cursor.accept('default') ? ('default' as const) : cursor.grammar.expression(cursor),
    );
  }
  const value = cursor.grammar.expression(cursor);
  // How many values `t.*` stands for is known when it is bound.
  if (value.kind === 'row' && value.items.some(({ kind }) => kind === 'star')) return value;
  if (value.kind === 'row') return [...value.items];
  if (value.kind === 'scalar-query') return value;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression',
    { at: value.span },
  );
}

/** Whether the row that begins here has DEFAULT among its items. */
function atRowWithDefault(cursor: Cursor): boolean {
  let at = cursor.at('row') ? 1 : 0;
  if (!cursor.symbolAhead(at, '(')) return false;
  for (let depth = 0; ; at++) {
    if (cursor.symbolAhead(at, '(')) depth++;
    else if (cursor.symbolAhead(at, ')')) depth--;
    else if (depth === 1 && cursor.wordAhead(at, 'default')) return true;
    if (depth === 0 || cursor.peek(at).kind === 'end' || cursor.peek(at).kind === 'error') {
      return false;
    }
  }
}
