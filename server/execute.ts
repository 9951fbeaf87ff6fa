/** One statement in, one result out: where each kind of statement is carried out. */
import type { Expression, Statement } from '../sql/ast.ts';
import { StreamError } from '../sql/base/error.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import type { Relation } from '../sql/catalog.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { alterStatement } from './alter.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { executeCreate, sourceEnvironment } from './ddl.ts';
import { executeDml } from './dml.ts';
import { dropStatement } from './drop.ts';
import { explainStatement } from './explain-statement.ts';
import { pauseOrResume } from './pause.ts';
import { runPlan } from './pull.ts';
import { pushQuery } from './push-query.ts';
import { replayErrors } from './replay-errors.ts';
import { okResult } from './row-result.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { describe, show } from './show.ts';
import { statementContext } from './statement-context.ts';
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
  { core, settings, params, signal, sql }: ExecuteContext,
  statement: Statement,
): Promise<StatementResult> {
  const context = statementContext(core, settings, params);
  const bound = bindStatement(statement, core.catalog, context, sourceEnvironment(core));
  const showing = { ...core, settings };
  switch (bound.kind) {
    case 'query': {
      if (bound.emit !== undefined) return pushQuery(core, bound.plan, signal);
      const { schema, chunks } = await runPlan(core, bound.plan, signal);
      return { kind: 'rows', tag: 'SELECT', schema, chunks };
    }
    case 'create-relation':
    case 'create-view':
    case 'create-sink':
      return executeCreate(
        core,
        bound,
        sql.slice(statement.span.start, statement.span.end),
        signal,
      );
    case 'insert':
    case 'update':
    case 'delete':
    case 'truncate':
      return executeDml(core, bound, signal);
    case 'subscribe':
      return subscribe(core, bound.target, signal);
    case 'show':
      return show(showing, bound.what, bound.like);
    case 'describe':
      return describe(showing, bound.relation, bound.extended);
    case 'explain':
      return explainStatement(core, bound);
    case 'pause':
    case 'resume':
      return pauseOrResume(core, bound.kind, bound.name);
    case 'alter':
      return alterStatement(core, bound);
    case 'replay-errors':
      return replayErrors(core, bound, signal);
    case 'drop':
      return dropStatement(core, bound);
    case 'flush':
      await core.engine.flush(signal);
      return okResult('FLUSH', 'every view shows everything that was written before');
    case 'set':
      return setSetting(settings, bound);
    case 'reset':
      return resetSetting(settings, bound.name);
    default:
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        `${bound.kind.replaceAll('-', ' ').toUpperCase()} is not supported`,
        { at: statement.span },
      );
  }
}

async function subscribe(
  core: Core,
  target: Relation | LogicalNode,
  signal: AbortSignal,
): Promise<StatementResult> {
  if (!('sql' in target)) return pushQuery(core, target, signal);
  const subscription = await subscribeTo(core, target, { since: undefined, snapshot: true });
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
