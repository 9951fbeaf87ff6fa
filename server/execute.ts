/** One statement in, one result out: where each kind of statement is carried out. */

import type { StartAt } from '../engine/runtime/plan-task.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import { requireRelation } from '../sql/bind-relation.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import { bindContext } from '../sql/binder.ts';
import type { BoundCreateRelation } from '../sql/bound-statement.ts';
import type { Relation, StatementContext } from '../sql/catalog.ts';
import { deparse } from '../sql/deparse.ts';
import type { SessionAccess } from '../sql/function/session.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { parseStatement } from '../sql/parser.ts';
import { alterRelation } from './alter.ts';
import { alterDomain } from './alter-domain.ts';
import { alterOptions, altersOptions } from './alter-options.ts';
import { alterType } from './alter-type.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { executeCreate, sourceEnvironment } from './ddl.ts';
import { executeDml } from './dml.ts';
import { dropStatement } from './drop.ts';
import { explainStatement } from './explain-statement.ts';
import { createRoutine } from './function/create-function.ts';
import { dropRoutines } from './function/drop-function.ts';
import { createIndex, dropIndexes } from './indexes.ts';
import { withInheritedWatermark } from './inherited-watermark.ts';
import { insertQuery } from './insert-query.ts';
import type { RelationOrigin } from './live-catalog.ts';
import { pauseOrResume, terminate } from './pause.ts';
import { printTopic } from './print.ts';
import { runPlan } from './pull.ts';
import { pushQuery } from './push-query.ts';
import { replayErrors } from './replay-errors.ts';
import { okResult } from './row-result.ts';
import { createSchema, dropSchemas } from './schema-statement.ts';
import { alterSequence, createSequence, dropSequences } from './sequence-statement.ts';
import { describe, show } from './show.ts';
import { isShowCreate, showCreate, showCreateAll } from './show-create.ts';
import { isShownOf, showOf } from './show-of.ts';
import { inlineParameters, type Parameters, statementContext } from './statement-context.ts';
import { subscribeTo } from './subscribe.ts';
import type { CreateRelation } from './table-definition.ts';
import { type Expanded, expandTable } from './table-expansion.ts';
import { createFromQuery, tableFromQuery } from './table-from-query.ts';
import { shownSettings } from './temporary-tables.ts';
import type { Transaction } from './transaction.ts';
import { createType, dropTypes } from './type-statement.ts';
import { executeWithChanges } from './with-changes.ts';

const isRoutineKind = (object: string): boolean => object === 'function' || object === 'aggregate';

export interface ExecuteContext {
  readonly core: Core;
  readonly settings: ReadonlyMap<string, string>;
  readonly params: Parameters;
  readonly signal: AbortSignal;
  /** The text that the statement's spans point into. */
  readonly sql: string;
  /** The open transaction of the session. */
  readonly transaction: Transaction | undefined;
  readonly sequences: SessionAccess;
}

export async function executeStatement(
  { core, settings, params, signal, sql, transaction, sequences }: ExecuteContext,
  statement: Statement,
): Promise<StatementResult> {
  if (statement.kind === 'create-schema') return createSchema(core, statement);
  const started = transaction?.startedMicros;
  const context = statementContext(core, settings, params, started, sequences);
  if (statement.kind === 'drop' && isRoutineKind(statement.object)) {
    return dropRoutines(core, statement, { catalog: core.catalog, statement: context });
  }
  if (statement.kind === 'create-function' || statement.kind === 'create-aggregate') {
    const text = sql.slice(statement.span.start, statement.span.end);
    return createRoutine(core, statement, text, context);
  }
  const fromQuery = tableFromQuery(statement);
  if (fromQuery !== undefined) {
    return createFromQuery(core, fromQuery, context, signal, (text) =>
      executeStatement(
        { core, settings, params, signal, sql: text, transaction, sequences },
        parseStatement(text),
      ),
    );
  }
  if (statement.kind === 'create-relation') {
    const bind = bindContext(core.catalog, context, 'view');
    const expanded = expandTable(core, statement, bind);
    return createRelation({ core, settings, params, signal, sql }, statement, expanded, context);
  }
  if (statement.kind === 'create-type' || statement.kind === 'create-domain') {
    return createType(core, statement, context);
  }
  if (statement.kind === 'alter-type') return alterType(core, statement, context);
  if (statement.kind === 'alter-domain') return alterDomain(core, statement, context);
  if (statement.kind === 'drop' && (statement.object === 'type' || statement.object === 'domain')) {
    return dropTypes(core, statement, context);
  }
  if (statement.kind === 'drop' && statement.object === 'schema') {
    return dropSchemas(core, statement, context);
  }
  if (statement.kind === 'create-sequence') return createSequence(core, statement, context);
  if (statement.kind === 'alter-sequence') return alterSequence(core, statement, context);
  if (statement.kind === 'drop' && statement.object === 'sequence') {
    return dropSequences(core, statement, context);
  }
  if (statement.kind === 'maintenance') {
    const bind = bindContext(core.catalog, context, 'pull');
    for (const name of statement.names) requireRelation(name, bind);
    return okResult(statement.tag, '');
  }
  if (statement.kind === 'create-index') return createIndex(core, statement, context);
  if (statement.kind === 'drop' && statement.object === 'index') {
    return dropIndexes(core, statement, context);
  }
  if (statement.kind === 'alter') {
    return altersOptions(core, statement)
      ? alterOptions(core, statement)
      : alterRelation(core, statement, context);
  }
  const endless = insertQuery(core, statement);
  if (endless !== undefined) {
    refuseInTransaction(transaction, statement);
    const sink = bindStatement(endless, core.catalog, context, sourceEnvironment(core));
    assert(sink.kind === 'create-sink', 'the statement creates a sink');
    const text = inlineParameters(deparse(endless), params);
    await executeCreate(core, sink, text, signal, originOf(settings));
    return okResult('INSERT 0 0', `goes on as sink ${sink.name}, until that is dropped`);
  }
  const bound = bindStatement(statement, core.catalog, context, sourceEnvironment(core));
  const showing = { ...core, settings: shownSettings(settings) };
  switch (bound.kind) {
    case 'query': {
      if (bound.emit !== undefined) return pushQuery(core, bound.plan, signal, startAt(settings));
      const { schema, chunks } = await runPlan(core, bound.plan, signal, transaction);
      return { kind: 'rows', tag: 'SELECT', schema, chunks };
    }
    case 'create-view':
    case 'create-sink':
      return executeCreate(
        core,
        bound,
        inlineParameters(sql.slice(statement.span.start, statement.span.end), params),
        signal,
        originOf(settings),
      );
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
    case 'truncate':
    case 'with-changes': {
      const result =
        bound.kind === 'with-changes'
          ? await executeWithChanges(core, bound, signal, transaction)
          : await executeDml(core, bound, signal, transaction);
      const flushes = settings.get('rw_implicit_flush') === 'on' && transaction === undefined;
      if (flushes) await core.engine.flush(signal);
      return result;
    }
    case 'subscribe':
      return subscribe(core, bound.target, signal, startAt(settings));
    case 'show':
      if (isShowCreate(bound.what)) {
        return showCreate(bound.what, bindContext(core.catalog, context, 'view'));
      }
      if (bound.what === 'create all') return showCreateAll(core.catalog);
      if (isShownOf(bound.what))
        return showOf(showing, bound.what, bindContext(core.catalog, context, 'pull'));
      return show(showing, bound.what, bound.like);
    case 'describe':
      return describe(showing, bound.relation, bound.extended);
    case 'explain':
      return explainStatement(core, bound, signal, transaction);
    case 'print':
      return printTopic(core, bound, signal);
    case 'terminate':
      return terminate(core, bound.name, bindContext(core.catalog, context, 'view'));
    case 'pause':
    case 'resume':
      return pauseOrResume(
        core,
        bound.kind,
        bound.name,
        bindContext(core.catalog, context, 'view'),
      );
    case 'replay-errors':
      return replayErrors(core, bound, signal);
    case 'drop':
      return dropStatement(core, bound);
    case 'flush':
      await core.engine.flush(signal);
      return okResult('FLUSH', 'every view shows everything that was written before');
    case 'copy':
      throw new StreamError('SQL_NOT_SUPPORTED', 'COPY has no place among other statements here', {
        at: statement.span,
        hint: 'POST the rows to /v1/copy?sql=COPY…, or use COPY or \\copy in "millrace sql".',
      });
    default:
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        `${bound.kind.replaceAll('-', ' ').toUpperCase()} is not supported`,
        { at: statement.span },
      );
  }
}

/** A table as its statement says, or as that is written out. */
async function createRelation(
  { core, settings, params, signal, sql }: Omit<ExecuteContext, 'transaction' | 'sequences'>,
  written: CreateRelation,
  { statement: expanded, sequences }: Expanded,
  context: StatementContext,
): Promise<StatementResult> {
  const bind = (one: CreateRelation): BoundCreateRelation => {
    const bound = bindStatement(one, core.catalog, context, sourceEnvironment(core));
    assert(bound.kind === 'create-relation', 'the statement creates a relation');
    return bound;
  };
  const own = bind(expanded);
  const statement = await withInheritedWatermark(core, expanded, own);
  const bound = statement === expanded ? own : bind(statement);
  const text =
    statement === written ? sql.slice(written.span.start, written.span.end) : deparse(statement);
  const kept = inlineParameters(text, params);
  return executeCreate(core, bound, kept, signal, originOf(settings), sequences);
}

/** As CREATE SINK is, which it is. */
function refuseInTransaction(transaction: Transaction | undefined, { span }: Statement): void {
  if (transaction === undefined) return;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    'INSERT … EMIT CHANGES cannot run inside a transaction block',
    { at: span, hint: 'It goes on for ever. Run it outside of the transaction.' },
  );
}

function originOf(settings: ReadonlyMap<string, string>): RelationOrigin {
  const searchPath = settings.get('search_path');
  return {
    startAt: startAt(settings),
    searchPath: searchPath === 'public' ? undefined : searchPath,
  };
}

/** Where what the session creates begins to read its streams, when it has said so. */
function startAt(settings: ReadonlyMap<string, string>): StartAt | undefined {
  return settings.get('auto.offset.reset') === 'latest' ? 'latest' : undefined;
}

async function subscribe(
  core: Core,
  target: Relation | LogicalNode,
  signal: AbortSignal,
  start: StartAt | undefined,
): Promise<StatementResult> {
  if (!('sql' in target)) return pushQuery(core, target, signal, start);
  const subscription = await subscribeTo(core, target, { since: undefined, snapshot: true });
  return { kind: 'subscription', subscription };
}
