/** CREATE TYPE, CREATE DOMAIN and ALTER TYPE. */

import type { Expression, Identifier, TypeName } from './ast.ts';
import type { AlterDomainAction, AlterTypeAction } from './ast-alter.ts';
import type { Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, qualifiedName } from './parser-name.ts';
import { parseType } from './parser-type.ts';

type CreateType = Extract<Statement, { kind: 'create-type' }>;
type CreateDomain = Extract<Statement, { kind: 'create-domain' }>;

/** The statement after CREATE [OR REPLACE] TYPE. */
export function parseCreateType(cursor: Cursor, start: number, orReplace: boolean): Statement {
  const ifNotExists = cursor.acceptWords('if', 'not', 'exists');
  const name = qualifiedName(cursor);
  cursor.expect('as');
  const definition = parseTypeDefinition(cursor);
  const span = cursor.spanFrom(start);
  return { kind: 'create-type', orReplace, ifNotExists, name, definition, span };
}

function parseTypeDefinition(cursor: Cursor): CreateType['definition'] {
  if (cursor.at('enum') && cursor.symbolAhead(1, '(')) {
    cursor.advance();
    cursor.expectSymbol('(');
    const labels = cursor.atSymbol(')') ? [] : cursor.list(() => cursor.expectString());
    cursor.expectSymbol(')');
    return { kind: 'enum', labels };
  }
  if (cursor.at('range') && cursor.symbolAhead(1, '(')) throw cursor.unsupported('AS RANGE');
  if (!cursor.atSymbol('(')) return { kind: 'alias', type: parseType(cursor) };
  cursor.advance();
  const fields = cursor.atSymbol(')') ? [] : cursor.list(() => parseField(cursor));
  cursor.expectSymbol(')');
  return { kind: 'composite', fields };
}

function parseField(cursor: Cursor): { name: Identifier; type: TypeName } {
  return { name: columnName(cursor), type: parseType(cursor) };
}

/** The statement after CREATE DOMAIN. */
export function parseCreateDomain(cursor: Cursor, start: number): Statement {
  const name = qualifiedName(cursor);
  cursor.accept('as');
  const type = parseType(cursor);
  const checks: CreateDomain['checks'][number][] = [];
  let notNull: boolean | undefined;
  let value: Expression | undefined;
  for (;;) {
    const at = cursor.start;
    const label = cursor.accept('constraint') ? columnName(cursor) : undefined;
    if (cursor.accept('check')) {
      cursor.expectSymbol('(');
      checks.push({ name: label, expression: cursor.grammar.expression(cursor) });
      cursor.expectSymbol(')');
    } else if (cursor.acceptWords('not', 'null')) {
      notNull = nullability(cursor, notNull, true, at);
    } else if (cursor.accept('null')) {
      notNull = nullability(cursor, notNull, false, at);
    } else if (label === undefined && value === undefined && cursor.accept('default')) {
      value = cursor.grammar.expression(cursor);
    } else if (label !== undefined) {
      throw cursor.unexpected('CHECK or NOT NULL');
    } else {
      break;
    }
  }
  const span = cursor.spanFrom(start);
  return {
    kind: 'create-domain',
    name,
    type,
    default: value,
    notNull: notNull === true,
    checks,
    span,
  };
}

function nullability(
  cursor: Cursor,
  before: boolean | undefined,
  now: boolean,
  at: number,
): boolean {
  if (before === undefined || before === now) return now;
  throw cursor.error('conflicting NULL/NOT NULL constraints', cursor.spanFrom(at));
}

/** The statement after ALTER TYPE, and not OWNER TO. */
export function parseAlterType(cursor: Cursor, start: number): Statement {
  const name = qualifiedName(cursor);
  const action = parseAction(cursor);
  return { kind: 'alter-type', name, action, span: cursor.spanFrom(start) };
}

function parseAction(cursor: Cursor): AlterTypeAction {
  if (cursor.acceptWords('add', 'value')) {
    const ifNotExists = cursor.acceptWords('if', 'not', 'exists');
    const label = cursor.expectString();
    const side = cursor.acceptOneOf('before', 'after');
    const neighbor = side === undefined ? undefined : { side, label: cursor.expectString() };
    return { kind: 'add-value', ifNotExists, label, neighbor };
  }
  if (cursor.acceptWords('rename', 'value')) {
    const from = cursor.expectString();
    cursor.expect('to');
    return { kind: 'rename-value', from, to: cursor.expectString() };
  }
  if (cursor.acceptWords('rename', 'to')) return { kind: 'rename', to: columnName(cursor) };
  if (cursor.acceptWords('set', 'schema')) return { kind: 'set-schema', to: columnName(cursor) };
  throw cursor.wordAhead(1, 'attribute')
    ? cursor.unsupported('ALTER TYPE of an attribute')
    : cursor.unexpected('ADD VALUE or RENAME');
}

/** The statement after ALTER DOMAIN, and not OWNER TO. */
export function parseAlterDomain(cursor: Cursor, start: number): Statement {
  const name = qualifiedName(cursor);
  const action = parseDomainAction(cursor);
  return { kind: 'alter-domain', name, action, span: cursor.spanFrom(start) };
}

function parseDomainAction(cursor: Cursor): AlterDomainAction {
  if (cursor.accept('add')) return parseDomainRule(cursor);
  if (cursor.acceptWords('set', 'default')) {
    return { kind: 'set-default', default: cursor.grammar.expression(cursor) };
  }
  if (cursor.acceptWords('drop', 'default')) return { kind: 'set-default', default: undefined };
  if (cursor.acceptWords('set', 'not', 'null')) return { kind: 'set-not-null' };
  if (cursor.acceptWords('drop', 'not', 'null')) return { kind: 'drop-not-null' };
  if (cursor.acceptWords('drop', 'constraint')) {
    const ifExists = cursor.acceptWords('if', 'exists');
    const name = columnName(cursor);
    cursor.acceptOneOf('cascade', 'restrict');
    return { kind: 'drop-constraint', name, ifExists };
  }
  if (cursor.acceptWords('validate', 'constraint')) {
    return { kind: 'validate-constraint', name: columnName(cursor) };
  }
  if (cursor.acceptWords('rename', 'constraint')) {
    const name = columnName(cursor);
    cursor.expect('to');
    return { kind: 'rename-constraint', name, to: columnName(cursor) };
  }
  if (cursor.acceptWords('rename', 'to')) return { kind: 'rename', to: columnName(cursor) };
  if (cursor.at('set') && cursor.wordAhead(1, 'schema')) {
    throw cursor.unsupported('ALTER DOMAIN … SET SCHEMA');
  }
  throw cursor.unexpected('ADD, DROP, SET, VALIDATE or RENAME');
}

function parseDomainRule(cursor: Cursor): AlterDomainAction {
  const name = cursor.accept('constraint') ? columnName(cursor) : undefined;
  if (cursor.acceptWords('not', 'null')) return { kind: 'set-not-null' };
  cursor.expect('check');
  cursor.expectSymbol('(');
  const expression = cursor.grammar.expression(cursor);
  cursor.expectSymbol(')');
  if (cursor.at('not') && cursor.wordAhead(1, 'valid')) throw cursor.unsupported('NOT VALID');
  return { kind: 'add-check', name, expression };
}
