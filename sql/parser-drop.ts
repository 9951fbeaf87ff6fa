/** DROP and ALTER. */

import type { Identifier, QualifiedName, TypeName } from './ast.ts';
import type { AlterAction } from './ast-alter.ts';
import type { ObjectKind, SequenceOption } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import { parseColumn } from './parser-column.ts';
import { parseTableConstraint } from './parser-constraint.ts';
import type { Cursor } from './parser-cursor.ts';
import { parseFunctionSignature } from './parser-function.ts';
import { finishMaintenance } from './parser-maintenance.ts';
import { columnName, qualifiedName } from './parser-name.ts';
import { parseOption, parseOptionKey, parseOptionList } from './parser-option.ts';
import {
  parseAlterSequence,
  parseParenthesizedSequenceOptions,
  parseSequenceOption,
} from './parser-sequence.ts';
import { settingName } from './parser-session.ts';
import { parseType } from './parser-type.ts';
import { parseAlterDomain, parseAlterType } from './parser-user-type.ts';

const objects = [
  ...(['stream', 'table', 'source', 'view', 'sink', 'connection', 'secret'] as const),
  ...(['type', 'domain', 'function', 'aggregate', 'index', 'sequence', 'schema', 'query'] as const),
] satisfies readonly ObjectKind[];

/** `STREAM`, `MATERIALIZED VIEW`, … */
function parseObjectKind(cursor: Cursor): ObjectKind {
  if (!cursor.accept('materialized')) return cursor.expectOneOf(...objects);
  cursor.expect('view');
  return 'materialized-view';
}

export function parseDrop(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('drop');
  const object = parseObjectKind(cursor);
  if (object === 'index') cursor.accept('concurrently');
  const ifExists = cursor.acceptWords('if', 'exists');
  const named = cursor.list(
    (): Named =>
      object === 'function' || object === 'aggregate'
        ? parseFunctionSignature(cursor)
        : { name: qualifiedName(cursor), types: undefined },
  );
  const names = named.map(({ name }) => name);
  const signatures = named.map(({ types }) => types);
  const cascade = cursor.acceptOneOf('cascade', 'restrict') === 'cascade';
  const deleteTopic = cursor.acceptWords('delete', 'topic');
  const span = cursor.spanFrom(start);
  const dropped = { kind: 'drop', object, names, ifExists, cascade, deleteTopic, span } as const;
  return signatures.some((types) => types !== undefined) ? { ...dropped, signatures } : dropped;
}

interface Named {
  readonly name: QualifiedName;
  readonly types: readonly TypeName[] | undefined;
}

export function parseAlter(cursor: Cursor): Statement {
  const start = cursor.start;
  cursor.expect('alter');
  if (cursor.at('system')) return parseAlterSystem(cursor, start);
  const object = parseObjectKind(cursor);
  if (object === 'type' && !isOwnerAhead(cursor)) return parseAlterType(cursor, start);
  if (object === 'domain' && !isOwnerAhead(cursor)) return parseAlterDomain(cursor, start);
  if (object === 'sequence' && !isOwnerAhead(cursor)) return parseAlterSequence(cursor, start);
  const ifExists = cursor.acceptWords('if', 'exists');
  if (object === 'table') cursor.accept('only');
  const name = qualifiedName(cursor);
  if (cursor.acceptWords('owner', 'to')) {
    const isSelf = cursor.acceptOneOf('current_user', 'current_role', 'session_user') !== undefined;
    if (!isSelf) columnName(cursor);
    // There are no roles: whoever may connect may do everything.
    const isRelation = object !== 'sequence' && object !== 'type' && object !== 'domain';
    const names = isRelation ? [name] : [];
    return finishMaintenance(
      cursor,
      start,
      `ALTER ${object.replace('-', ' ').toUpperCase()}`,
      names,
    );
  }
  const actions = parseActions(cursor, object);
  return { kind: 'alter', object, name, ifExists, actions, span: cursor.spanFrom(start) };
}

/** `[IF EXISTS] name OWNER TO role`. */
function isOwnerAhead(cursor: Cursor): boolean {
  for (let at = 0; cursor.peek(at).kind !== 'end' && !cursor.symbolAhead(at, ';'); at++) {
    if (cursor.wordAhead(at, 'owner') && cursor.wordAhead(at + 1, 'to')) return true;
  }
  return false;
}

/** PostgreSQL's `ALTER SYSTEM SET name = value`, ksqlDB's `ALTER SYSTEM 'name' = 'value'`. */
function parseAlterSystem(cursor: Cursor, start: number): Statement {
  const at = cursor.token;
  cursor.expect('system');
  const part = { name: 'system', quoted: false, span: { start: at.start, end: at.end } };
  const name = { parts: [part], span: part.span };
  let action: AlterAction;
  if (cursor.accept('reset')) {
    action = { kind: 'reset-options', keys: [cursor.accept('all') ? 'all' : settingName(cursor)] };
  } else {
    // ksqlDB leaves SET out, and quotes the name.
    if (cursor.token.kind !== 'string') cursor.expect('set');
    if (!cursor.symbolAhead(1, '=') && !cursor.symbolAhead(1, '.')) throw cursor.unexpected();
    action = { kind: 'set-options', options: [parseOption(cursor)] };
  }
  const span = cursor.spanFrom(start);
  return { kind: 'alter', object: 'system', name, ifExists: false, actions: [action], span };
}

function parseActions(cursor: Cursor, object: ObjectKind): AlterAction[] {
  if (cursor.accept('rename')) return [parseRename(cursor, object)];
  return cursor.list(() => parseAction(cursor));
}

function parseRename(cursor: Cursor, object: ObjectKind): AlterAction {
  if (object === 'table' && cursor.accept('constraint')) {
    const name = columnName(cursor);
    cursor.expect('to');
    return { kind: 'rename-constraint', name, to: columnName(cursor) };
  }
  if (object === 'index') cursor.expect('to');
  if (object === 'index' || cursor.accept('to')) return { kind: 'rename', to: columnName(cursor) };
  cursor.accept('column');
  const column = columnName(cursor);
  cursor.expect('to');
  return { kind: 'rename-column', column, to: columnName(cursor) };
}

function parseAction(cursor: Cursor): AlterAction {
  const word = cursor.expectOneOf('add', 'drop', 'alter', 'set', 'reset', 'skip');
  switch (word) {
    case 'add': {
      const constraint = parseTableConstraint(cursor);
      if (constraint !== undefined) return { kind: 'add-constraint', constraint };
      cursor.accept('column');
      const ifNotExists = cursor.acceptWords('if', 'not', 'exists');
      return {
        kind: 'add-column',
        column: parseColumn(cursor, { typeless: false, streamKey: false }),
        ifNotExists,
      };
    }
    case 'drop': {
      if (cursor.accept('constraint')) return parseDropConstraint(cursor);
      cursor.accept('column');
      const ifExists = cursor.acceptWords('if', 'exists');
      const column = columnName(cursor);
      cursor.acceptOneOf('cascade', 'restrict');
      return { kind: 'drop-column', column, ifExists };
    }
    case 'alter':
      return parseAlterColumn(cursor);
    case 'set':
      return { kind: 'set-options', options: parseOptionList(cursor) };
    case 'skip':
      cursor.expect('record');
      return { kind: 'skip-record' };
    case 'reset':
      return { kind: 'reset-options', keys: cursor.parenthesized(() => parseOptionKey(cursor)) };
  }
}

function parseDropConstraint(cursor: Cursor): AlterAction {
  const ifExists = cursor.acceptWords('if', 'exists');
  const name = columnName(cursor);
  cursor.acceptOneOf('cascade', 'restrict');
  return { kind: 'drop-constraint', name, ifExists };
}

function parseAlterColumn(cursor: Cursor): AlterAction {
  cursor.accept('column');
  const column = columnName(cursor);
  if (cursor.accept('type')) return parseNewType(cursor, column);
  if (cursor.acceptWords('add', 'generated')) return parseAddIdentity(cursor, column);
  if (cursor.at('restart') || (cursor.at('set') && isIdentityOption(cursor))) {
    return parseSetIdentity(cursor, column);
  }
  if (cursor.accept('drop')) {
    if (cursor.accept('default')) return { kind: 'set-default', column, default: undefined };
    const part = cursor.acceptOneOf('identity', 'expression');
    if (part !== undefined) {
      const ifExists = cursor.acceptWords('if', 'exists');
      return { kind: `drop-${part}`, column, ifExists };
    }
    cursor.expect('not', 'null');
    return { kind: 'drop-not-null', column };
  }
  cursor.expect('set');
  if (cursor.accept('data')) {
    cursor.expect('type');
    return parseNewType(cursor, column);
  }
  if (cursor.accept('default')) {
    return { kind: 'set-default', column, default: cursor.grammar.expression(cursor) };
  }
  cursor.expect('not', 'null');
  return { kind: 'set-not-null', column };
}

function parseNewType(cursor: Cursor, column: ReturnType<typeof columnName>): AlterAction {
  const type = parseType(cursor);
  if (!cursor.accept('using')) return { kind: 'alter-type', column, type };
  return { kind: 'alter-type', column, type, using: cursor.grammar.expression(cursor) };
}

/** `{ALWAYS | BY DEFAULT} AS IDENTITY [(…)]`. */
function parseAddIdentity(cursor: Cursor, column: Identifier): AlterAction {
  const always = parseGeneration(cursor);
  cursor.expect('as', 'identity');
  const options = cursor.atSymbol('(') ? parseParenthesizedSequenceOptions(cursor) : [];
  return { kind: 'add-identity', column, identity: { always, options } };
}

/** @returns true for ALWAYS. */
function parseGeneration(cursor: Cursor): boolean {
  if (cursor.accept('always')) return true;
  cursor.expect('by', 'default');
  return false;
}

const identityOptions = [
  ...(['generated', 'increment', 'minvalue', 'maxvalue', 'start', 'restart', 'cache'] as const),
  ...(['cycle', 'no'] as const),
];

const isIdentityOption = (cursor: Cursor): boolean =>
  identityOptions.some((word) => cursor.wordAhead(1, word));

/** `SET GENERATED …`, `SET option` and `RESTART`, any number of them without commas. */
function parseSetIdentity(cursor: Cursor, column: Identifier): AlterAction {
  const options: SequenceOption[] = [];
  let always: boolean | undefined;
  while (cursor.at('restart') || cursor.at('set')) {
    const start = cursor.start;
    const isSet = cursor.accept('set');
    if (isSet && cursor.accept('generated')) {
      always = parseGeneration(cursor);
      continue;
    }
    const option = parseSequenceOption(cursor);
    if (option === undefined) throw cursor.unexpected();
    options.push({ ...option, span: cursor.spanFrom(start) });
  }
  return { kind: 'set-identity', column, always, options };
}
