/** CHECK, PRIMARY KEY, UNIQUE and FOREIGN KEY, beside a column or beside the columns. */

import type { Identifier } from './ast.ts';
import type { ForeignKeyConstraint, ReferentialAction, TableConstraint } from './ast-relation.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, columnNames, optionalColumnNames, qualifiedName } from './parser-name.ts';
import { parseOptionList } from './parser-option.ts';

interface Head {
  readonly name: Identifier | undefined;
  readonly start: number;
}

/** `[CONSTRAINT name] constraint` among the columns of a table; undefined where a column begins. */
export function parseTableConstraint(cursor: Cursor): TableConstraint | undefined {
  const start = cursor.start;
  const name = cursor.accept('constraint') ? columnName(cursor) : undefined;
  const constraint = parseConstraint(cursor, { name, start }, undefined);
  if (constraint !== undefined) return constraint;
  const isExclude = name !== undefined || cursor.symbolAhead(1, '(');
  if (cursor.atWords('exclude', 'using') || (cursor.at('exclude') && isExclude)) {
    throw cursor.unsupported('EXCLUDE');
  }
  if (name !== undefined) throw cursor.unexpected();
  return undefined;
}

/**
 * The constraint after its name.
 * @param column  the one that it stands beside; undefined in a list of columns, where it names its own.
 */
export function parseConstraint(
  cursor: Cursor,
  { name, start }: Head,
  column: Identifier | undefined,
): TableConstraint | undefined {
  const finish = <Body>(body: Body) => {
    parseAttributes(cursor);
    return { ...body, name, span: cursor.spanFrom(start) };
  };
  const own = (): readonly Identifier[] => (column === undefined ? columnNames(cursor) : [column]);
  if (cursor.accept('check')) {
    cursor.expectSymbol('(');
    const expression = cursor.grammar.expression(cursor);
    cursor.expectSymbol(')');
    return finish({ kind: 'check', expression } as const);
  }
  if (cursor.accept('primary')) {
    cursor.expect('key');
    const columns = own();
    parseIndexClauses(cursor);
    return finish({ kind: 'primary-key', columns } as const);
  }
  if (cursor.accept('unique')) {
    const nullsNotDistinct = parseNullsDistinct(cursor);
    const columns = own();
    parseIndexClauses(cursor);
    return finish({
      kind: 'unique',
      columns,
      ...(nullsNotDistinct ? { nullsNotDistinct } : {}),
    } as const);
  }
  if (column === undefined && cursor.accept('foreign')) {
    cursor.expect('key');
    const columns = columnNames(cursor);
    cursor.expect('references');
    return finish(parseReferences(cursor, columns));
  }
  if (column !== undefined && cursor.accept('references')) {
    return finish(parseReferences(cursor, [column]));
  }
  return undefined;
}

/** `NULLS [NOT] DISTINCT`; whether NOT was there. */
export function parseNullsDistinct(cursor: Cursor): boolean {
  if (!cursor.accept('nulls')) return false;
  const not = cursor.accept('not');
  cursor.expect('distinct');
  return not;
}

/** What says how PostgreSQL keeps the index, and not what the constraint means. */
function parseIndexClauses(cursor: Cursor): void {
  if (cursor.at('include') && cursor.symbolAhead(1, '(')) {
    cursor.advance();
    columnNames(cursor);
  }
  if (cursor.at('with') && cursor.symbolAhead(1, '(')) {
    cursor.advance();
    parseOptionList(cursor);
  }
  if (cursor.acceptWords('using', 'index', 'tablespace')) columnName(cursor);
}

/** The referenced table and what follows it, after REFERENCES. */
function parseReferences(cursor: Cursor, columns: readonly Identifier[]): ForeignKeyConstraint {
  const target = qualifiedName(cursor);
  const targetColumns = optionalColumnNames(cursor);
  const match = cursor.accept('match') ? cursor.expectOneOf('simple', 'full', 'partial') : 'simple';
  if (match === 'partial') throw cursor.unsupported('MATCH PARTIAL');
  let onDelete: ReferentialAction = 'no action';
  let onUpdate: ReferentialAction = 'no action';
  let setColumns: readonly Identifier[] = [];
  while (cursor.at('on') && (cursor.wordAhead(1, 'delete') || cursor.wordAhead(1, 'update'))) {
    cursor.advance();
    const event = cursor.expectOneOf('delete', 'update');
    const action = parseReferentialAction(cursor);
    if (event === 'update') onUpdate = action;
    else {
      onDelete = action;
      if (action.startsWith('set') && cursor.atSymbol('(')) setColumns = columnNames(cursor);
    }
  }
  const matchFull = match === 'full';
  return {
    kind: 'foreign-key',
    columns,
    target,
    targetColumns,
    matchFull,
    onDelete,
    onUpdate,
    setColumns,
  };
}

function parseReferentialAction(cursor: Cursor): ReferentialAction {
  const word = cursor.expectOneOf('no', 'restrict', 'cascade', 'set');
  if (word === 'no') {
    cursor.expect('action');
    return 'no action';
  }
  if (word === 'set') return `set ${cursor.expectOneOf('null', 'default')}`;
  return word;
}

/** Constraints are looked at by each statement. Flink declares keys that it does not check. */
function parseAttributes(cursor: Cursor): void {
  for (;;) {
    if (cursor.acceptWords('not', 'enforced') || cursor.acceptWords('not', 'deferrable')) continue;
    if (cursor.acceptWords('initially', 'immediate')) continue;
    if (cursor.acceptWords('no', 'inherit') || cursor.accept('enforced')) continue;
    if (cursor.at('deferrable') || cursor.at('initially')) {
      throw cursor.unsupported('a constraint that is checked at COMMIT (DEFERRABLE)');
    }
    if (cursor.at('not') && cursor.wordAhead(1, 'valid')) throw cursor.unsupported('NOT VALID');
    return;
  }
}
