/** One statement in, one result out: where each kind of statement is carried out. */
import type { Expression, QualifiedName, Query, Statement } from '../sql/ast.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { createFrom } from './ddl.ts';
import { executeDml } from './dml.ts';
import { dropStatement } from './drop.ts';
import { explainStatement } from './explain-statement.ts';
import { pauseOrResume } from './pause.ts';
import { runQuery } from './pull.ts';
import { pushQuery } from './push-query.ts';
import { okResult } from './row-result.ts';
import { describe, show } from './show.ts';
import { DEFAULT_SETTINGS } from './sql-session.ts';
import { subscribeTo } from './subscribe.ts';

export interface ExecuteContext {
  readonly core: Core;
  readonly settings: Map<string, string>;
  readonly params: readonly unknown[];
  readonly signal: AbortSignal;
  /** The text that the statement's spans point into. */
  readonly sql: string;
}

export async function executeStatement(
  context: ExecuteContext,
  statement: Statement,
): Promise<StatementResult> {
  const { core, settings, signal } = context;
  switch (statement.kind) {
    case 'query':
      return statement.emit === undefined
        ? runQuery(context, statement)
        : pushQuery(context, statement);
    case 'create-relation':
    case 'create-view':
    case 'create-sink':
      return createFrom(context, statement);
    case 'insert':
    case 'update':
    case 'delete':
    case 'truncate':
      return executeDml(context, statement);
    case 'subscribe':
      return subscribe(context, statement.target);
    case 'show':
      return show({ ...core, settings }, statement.what, statement.like);
    case 'describe':
      return describe(
        { ...core, settings },
        findRelation(core, statement.name),
        statement.extended,
      );
    case 'explain':
      return explainStatement(context, statement);
    case 'pause':
    case 'resume':
      return pauseOrResume(core, statement.kind, statement.name);
    case 'drop':
      return dropStatement(core, statement);
    case 'flush':
      await core.engine.flush(signal);
      return okResult('FLUSH', 'every view shows everything that was written before');
    case 'set':
      return setSetting(settings, statement);
    case 'reset':
      return resetSetting(settings, statement.name);
    default:
      throw new StreamError('SQL_NOT_SUPPORTED', `${verbOf(statement)} is not supported`, {
        at: statement.span,
      });
  }
}

function verbOf(statement: Statement): string {
  return statement.kind.replaceAll('-', ' ').toUpperCase();
}

/** @throws StreamError SQL_UNKNOWN_RELATION at the name. */
export function findRelation(core: Core, name: QualifiedName): Relation {
  const found = core.catalog.relation(nameText(name));
  if (found !== undefined) return found;
  throw new StreamError('SQL_UNKNOWN_RELATION', `relation "${nameText(name)}" does not exist`, {
    at: name.span,
  });
}

/** The last part: schemas come with a later statement surface, `public.x` is x. */
export function nameText(name: QualifiedName): string {
  const last = name.parts.at(-1);
  assert(last !== undefined, 'a qualified name has a part');
  const [first] = name.parts;
  if (name.parts.length > 1 && first?.name !== 'public') {
    throw new StreamError('SQL_NOT_SUPPORTED', `schema "${first?.name}" does not exist`, {
      at: name.span,
      hint: 'All relations live in the schema "public".',
    });
  }
  return last.name;
}

async function subscribe(
  context: ExecuteContext,
  target: QualifiedName | Query,
): Promise<StatementResult> {
  if ('kind' in target) return pushQuery(context, target);
  const relation = findRelation(context.core, target);
  const subscription = await subscribeTo(context.core, relation, {
    since: undefined,
    snapshot: true,
  });
  return { kind: 'subscription', subscription };
}

function setSetting(
  settings: Map<string, string>,
  statement: Statement & { readonly kind: 'set' },
): StatementResult {
  const { name, values } = statement;
  const known = DEFAULT_SETTINGS[name];
  if (known === undefined && !name.includes('.')) {
    throw new StreamError('SQL_UNKNOWN_OBJECT', `unrecognized configuration parameter "${name}"`, {
      at: statement.span,
    });
  }
  if (values === 'default') settings.set(name, known ?? '');
  else settings.set(name, values.map(settingText).join(', '));
  return okResult('SET', `${name} = ${settings.get(name)}`);
}

function settingText(value: Expression): string {
  switch (value.kind) {
    case 'string':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return value.value ? 'on' : 'off';
    case 'column':
      return value.name.parts.map((part) => part.name).join('.');
    default:
      throw new StreamError('SQL_SYNTAX', 'a setting is a literal or a name', { at: value.span });
  }
}

function resetSetting(settings: Map<string, string>, name: string): StatementResult {
  if (name === 'all') {
    settings.clear();
    for (const [key, value] of Object.entries(DEFAULT_SETTINGS)) settings.set(key, value);
    return okResult('RESET', 'every setting has its default');
  }
  const value = DEFAULT_SETTINGS[name];
  if (value === undefined) settings.delete(name);
  else settings.set(name, value);
  return okResult('RESET', `${name} = ${value ?? ''}`);
}
