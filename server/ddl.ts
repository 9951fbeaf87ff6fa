/** CREATE …: from bound statements to relations, and through the lifecycle into store, engine and catalog. */
import { lower } from '../engine/plan/lower.ts';
import type { PhysicalPlan } from '../engine/plan/physical-plan.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SourceEnvironment } from '../sql/bind-create-relation.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import { bindContext } from '../sql/binder.ts';
import type {
  BoundCreateRelation,
  BoundCreateSink,
  BoundCreateView,
} from '../sql/bound-statement.ts';
import {
  isDeclaredTable,
  type MaterializedView,
  type Relation,
  type Sink,
  type SourceRelation,
} from '../sql/catalog.ts';
import { deparse } from '../sql/deparse.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { parseStatement } from '../sql/parser.ts';
import { optimize } from '../sql/rewrite/all.ts';
import { stateBudget } from './budget.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { growthWarning } from './growth-warning.ts';
import { refuseTakenIndexes, refuseTakenName, withIndexes } from './indexes.ts';
import { dropRelations } from './lifecycle/drop.ts';
import { checkSink, createSink } from './lifecycle/sink.ts';
import { createSource } from './lifecycle/source.ts';
import { createPlainView, createView } from './lifecycle/view.ts';
import type { LiveRelation, RelationDetail, RelationOrigin } from './live-catalog.ts';
import { okResult } from './row-result.ts';
import type { SequenceState } from './sequences.ts';
import { statementContext } from './statement-context.ts';
import { withFullReferences } from './table-definition.ts';

export type BoundCreate = BoundCreateRelation | BoundCreateView | BoundCreateSink;

/** How long CREATE … AS waits for the rows that are already there before it answers. */
const LEVEL_WAIT_MS = 10_000;
const CREATED = new Set<Statement['kind']>(['create-relation', 'create-view', 'create-sink']);

/** What the binder asks of connectors. */
export function sourceEnvironment(core: Core): SourceEnvironment {
  return {
    defaultConnector: core.defaultLog.type,
    schemaOf: (connector, options) => core.connectors.source(connector)?.schema(options),
    keepsWindowBounds: true,
  };
}

/**
 * The relation that a persisted statement made; used after a restart.
 * @param isNew  its foreign keys have not been looked at before.
 */
export function relationOf(
  core: Core,
  sql: string,
  id: number,
  { searchPath, windowBounds, indexes = [] }: RelationDetail,
  { isNew = false }: { readonly isNew?: boolean } = {},
): Relation {
  const settings = searchPath === undefined ? [] : [['search_path', searchPath] as const];
  const context = statementContext(core, new Map(settings));
  const sources = {
    ...sourceEnvironment(core),
    trustsReferences: !isNew,
    keepsWindowBounds: windowBounds === true,
  };
  const bound = bindStatement(parseStatement(sql), core.catalog, context, sources);
  assert(isCreate(bound), 'the catalog holds CREATE statements');
  const bind = bindContext(core.catalog, context, 'view');
  return withIndexes(relationFrom(core, bound, sql, id), indexes, bind);
}

function isCreate(bound: { readonly kind: string }): bound is BoundCreate {
  return CREATED.has(bound.kind as Statement['kind']);
}

export function materializedViewOf(
  core: Core,
  name: string,
  id: number,
  sql: string,
  query: LogicalNode,
  dependsOn: readonly string[],
): MaterializedView {
  const plan = optimize(query, core.catalog);
  const physical = lower(plan, core.catalog);
  return {
    kind: 'materialized-view',
    name,
    id,
    schema: query.schema,
    sql,
    dependsOn,
    query: { ...plan, schema: query.schema },
    key: storedKey(physical),
    appendOnly: physical.appendOnly,
  };
}

function storedKey({ storage }: PhysicalPlan): readonly number[] {
  return storage.kind === 'keyed' ? storage.key : [];
}

function relationFrom(core: Core, bound: BoundCreate, sql: string, id: number): Relation {
  switch (bound.kind) {
    case 'create-relation': {
      const { name, query, dependsOn } = bound.relation;
      // CREATE TABLE … AS keeps its rows; only a stream's records go to a topic and come back from there.
      if (bound.relation.kind === 'table' && query !== undefined) {
        const stateBytesMax = stateBudget(bound.options);
        const view = materializedViewOf(core, name, id, sql, query, dependsOn);
        return { ...view, stateBytesMax, hiddenFrom: bound.hiddenFrom };
      }
      const fed = query === undefined ? undefined : optimize(query, core.catalog);
      return { ...bound.relation, query: fed, id, sql };
    }
    case 'create-view': {
      const { name, query, dependsOn } = bound;
      const stateBytesMax = stateBudget(bound.options);
      if (bound.materialized) {
        return { ...materializedViewOf(core, name, id, sql, query, dependsOn), stateBytesMax };
      }
      return { kind: 'view', name, id, schema: query.schema, sql, dependsOn, query };
    }
    case 'create-sink': {
      const { name, options, dependsOn } = bound;
      const query = optimize(bound.query, core.catalog);
      const sink: Sink = {
        kind: 'sink',
        name,
        id,
        schema: bound.query.schema,
        sql,
        dependsOn,
        query: { ...query, schema: bound.query.schema },
        connector: bound.into === undefined ? (bound.connector ?? core.defaultLog.type) : 'table',
        options,
        key: bound.into?.key ?? storedKey(lower(query, core.catalog)),
        partitionBy: bound.partitionBy,
        into: bound.into,
      };
      return sink;
    }
  }
}

/**
 * @param sql      the statement's own text, which the catalog keeps.
 * @param origin   what of the session's settings counts for it.
 * @param sequences  those of the relation's own columns, which come with it.
 */
export async function executeCreate(
  core: Core,
  bound: BoundCreate,
  sql: string,
  signal: AbortSignal,
  origin: RelationOrigin,
  sequences: readonly SequenceState[] = [],
): Promise<StatementResult> {
  const name = bound.kind === 'create-relation' ? bound.relation.name : bound.name;
  const tag = tagOf(bound, sql);
  const existing = core.catalog.find(name);
  if (existing === undefined) refuseTakenName(core, name);
  if (existing !== undefined) {
    if (bound.ifNotExists) return okResult(tag, `relation "${name}" already exists, skipping`);
    if (!bound.orReplace) {
      throw new StreamError('SQL_DUPLICATE_RELATION', `relation "${name}" already exists`, {
        hint: 'Use CREATE OR REPLACE, or CREATE … IF NOT EXISTS.',
      });
    }
    refuseReplacement(core, existing, bound);
  }
  const relation = relationFrom(core, bound, keptText(core, bound, sql), core.catalog.nextId());
  if (relation.kind === 'table') refuseTakenIndexes(core, relation);
  if (relation.kind === 'sink') checkSink(core, relation);
  if (existing !== undefined) await dropRelations(core, core.catalog.withDependents(name));
  if (sequences.length > 0) await core.engine.atBoundary(() => core.sequences.put(sequences));
  let message: string;
  try {
    message = await create(core, relation, bound, signal, originOf(relation, origin));
  } catch (error) {
    await core.engine.atBoundary(() => core.sequences.remove(sequences));
    throw error;
  }
  const messages = [message, growthWarning(core, relation)].filter((text) => text !== '');
  return okResult(tag, messages.join('\n'));
}

/** A table with bounds of windows is bound with them again. */
function originOf(relation: Relation, origin: RelationOrigin): RelationOrigin {
  const keepsBounds = relation.kind === 'materialized-view' && relation.hiddenFrom !== undefined;
  return keepsBounds ? { ...origin, windowBounds: true } : origin;
}

/** Foreign keys are kept with the schemas and columns of their targets. */
function keptText(core: Core, bound: BoundCreate, sql: string): string {
  const references = bound.kind === 'create-relation' ? (bound.relation.references ?? []) : [];
  if (references.length === 0) return sql;
  const created = parseStatement(sql);
  assert(created.kind === 'create-relation', 'foreign keys are of tables');
  return deparse(withFullReferences(created, references, core.catalog));
}

/** What reads the old relation would read the new one with other columns, so replacing waits for its readers. */
function refuseReplacement(
  core: Core,
  { relation: existing, owner }: LiveRelation,
  bound: BoundCreate,
): void {
  if (owner !== undefined) {
    throw new StreamError(
      'SQL_DEPENDENT_OBJECTS',
      `"${existing.name}" belongs to another relation`,
      { hint: 'Choose another name.' },
    );
  }
  const kind = bound.kind === 'create-relation' ? bound.relation.kind : bound.kind.slice(7);
  const [reader] = [
    ...core.catalog.readersOf(existing.name),
    ...core.catalog
      .referring(existing.name)
      .flatMap(({ relation }) => (relation.id === existing.id ? [] : [relation])),
  ];
  if (reader !== undefined) {
    throw new StreamError(
      'SQL_DEPENDENT_OBJECTS',
      `cannot replace "${existing.name}" because ${reader.kind} "${reader.name}" depends on it`,
      { hint: `DROP ${existing.name} with CASCADE first.` },
    );
  }
  const isView = kind === 'view' && existing.kind === 'materialized-view';
  if (
    existing.kind !== kind &&
    !isView &&
    !(kind === 'table' && existing.kind === 'materialized-view')
  ) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${existing.name}" is a ${existing.kind}`, {
      hint: 'Drop it first.',
    });
  }
}

async function create(
  core: Core,
  relation: Relation,
  bound: BoundCreate,
  signal: AbortSignal,
  origin: RelationOrigin,
): Promise<string> {
  switch (relation.kind) {
    case 'stream':
    case 'table':
      return createSource(
        core,
        relation,
        bound.kind === 'create-relation' ? bound.partitions : undefined,
        origin,
      );
    case 'view':
      await createPlainView(core, relation, origin);
      return '';
    case 'materialized-view':
      await createView(core, relation, origin);
      return levelMessage(core, relation, signal);
    case 'sink':
      await createSink(core, relation, origin);
      return '';
  }
}

/** @throws StreamError VALUE_PROGRAM_LIMIT for a view that cannot be computed, which is dropped again. */
async function levelMessage(
  core: Core,
  { id, name }: MaterializedView,
  signal: AbortSignal,
): Promise<string> {
  const isLevel = await core.engine.waitForLevel(id, LEVEL_WAIT_MS, signal);
  const status = core.engine.taskStatus(id);
  if (status?.state === 'failed') {
    await dropRelations(core, core.catalog.withDependents(name));
    throw new StreamError('VALUE_PROGRAM_LIMIT', status.reason ?? 'the view cannot be computed');
  }
  if (isLevel) return '';
  const progress = status?.progress ?? 0;
  return `catching up, ${Math.floor(progress * 100)} % done; SHOW VIEWS shows the progress`;
}

function tagOf(bound: BoundCreate, sql: string): string {
  switch (bound.kind) {
    case 'create-relation':
      return isDeclaredTable(sql) ? 'CREATE TABLE' : `CREATE ${bound.relation.kind.toUpperCase()}`;
    case 'create-view':
      return bound.materialized ? 'CREATE MATERIALIZED VIEW' : 'CREATE VIEW';
    case 'create-sink':
      return 'CREATE SINK';
  }
}

/** Is this a stream that its own query feeds? */
export function isFed(relation: SourceRelation): boolean {
  return relation.kind === 'stream' && relation.query !== undefined;
}
