/**
 * Relations come and go: in the store, the engine and the catalog together, between two epochs. The same
 * functions bring everything back after a restart.
 */
import { lower } from '../engine/plan/lower.ts';
import type { PhysicalPlan } from '../engine/plan/physical-plan.ts';
import { consolidateChange } from '../engine/runtime/consolidate-change.ts';
import { storedRecordErrors, storedRowErrors } from '../engine/runtime/error-schema.ts';
import { buildFragment } from '../engine/runtime/fragment.ts';
import type { PlanStart, SinkDefinition, ViewDefinition } from '../engine/runtime/plan-task.ts';
import type { StoredRelation, TableRebuild } from '../engine/store/store.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type {
  MaterializedView,
  PlainView,
  Relation,
  Sink,
  SourceRelation,
} from '../sql/catalog.ts';
import { LATE_SUFFIX } from '../sql/late-relation.ts';
import type { Core } from './core.ts';
import { changelogId, engineStreamId, storedTable, streamDefinition } from './definitions.ts';
import { deadLetterSink } from './error-policy.ts';
import {
  errorsIdFor,
  errorsNameOf,
  failuresOf,
  registerErrors,
  storedErrors,
} from './error-relations.ts';
import { lateRelation, storedLate } from './event-time.ts';
import type { LiveRelation, RelationDetail, RelationOrigin } from './live-catalog.ts';
import { sinkDefinition } from './sink-definition.ts';
import { TableWriter } from './table-writer.ts';

const PARTITIONS_DEFAULT = 1;

/** The engine's id of a relation that a plan reads. */
function engineId(core: Core, name: string): number {
  const relation = core.catalog.relation(name);
  if (relation === undefined) {
    throw new StreamError('SQL_UNKNOWN_RELATION', `relation "${name}" does not exist`);
  }
  return relation.id;
}

// -------------------------------------------------------------------- sources

/** Creates a stream or table: its topic when that is asked for, its error table, its stored rows. */
export async function createSource(
  core: Core,
  relation: SourceRelation,
  partitions: number | undefined,
  origin: RelationOrigin,
): Promise<string> {
  checkFormats(core, relation);
  const errorsId =
    relation.input === undefined ? undefined : errorsIdFor(core, relation.name, 'records');
  const isFed = relation.query !== undefined;
  const feederErrorsId = isFed ? errorsIdFor(core, relation.name, 'query') : undefined;
  const madeTopic = await provideTopic(core, relation, partitions);
  const feederId = isFed ? core.catalog.nextId() : undefined;
  const dlqId = relation.input === undefined ? undefined : core.catalog.nextId();
  const lateId = knowsLateness(relation) ? core.catalog.nextId() : undefined;
  const detail: RelationDetail = {
    ...origin,
    errorsId,
    feederId,
    feederErrorsId,
    dlqId,
    lateId,
    madeTopic,
  };
  const createTables: StoredRelation[] = [];
  if (relation.kind === 'table') createTables.push(storedTable(relation));
  if (errorsId !== undefined) createTables.push(storedRecordErrors(errorsId));
  if (feederErrorsId !== undefined) createTables.push(storedRowErrors(feederErrorsId));
  if (lateId !== undefined) createTables.push(storedLate(relation, lateId));
  await core.engine.atBoundary(async () => {
    const created = { relation, detail, owner: undefined };
    registerSource(core, created, () => core.engine.epoch);
    try {
      await startDeadLetters(core, relation, dlqId);
      const start = await startOwnPlan(core, relation, detail, origin);
      const whole = start === undefined ? detail : { ...detail, ...startDetail(start) };
      // As with views: plans may begin before their tables are there.
      await core.store.changeCatalog({
        put: [entryOf(relation, whole), counterOf(core)],
        remove: [],
        createTables,
        dropTables: [],
      });
      core.catalog.put({ ...created, detail: whole });
    } catch (error) {
      await forgetRelation(core, created);
      throw error;
    }
  });
  return madeTopic ? `created topic ${relation.input?.topic}` : '';
}

/** The plan that keeps a table over a changelog, or that feeds a stream from its query. */
async function startOwnPlan(
  core: Core,
  relation: SourceRelation,
  { feederId, feederErrorsId }: RelationDetail,
  origin: RelationOrigin,
): Promise<PlanStart | undefined> {
  if (isChangelogTable(relation)) {
    return core.engine.startView(changelogView(core, relation), false);
  }
  if (feederId === undefined || relation.kind !== 'stream') return undefined;
  const feeder = feederOf(relation, feederId);
  const plan = lower(feeder.query, core.catalog);
  return core.engine.startSink(sinkOf(core, feeder, plan, feederErrorsId), origin);
}

/** Takes a relation, and what belongs to it, out of engine and catalog; call it inside `atBoundary`. */
async function forgetRelation(core: Core, { relation, detail }: LiveRelation): Promise<void> {
  const { id, name, kind } = relation;
  const { feederId, dlqId } = detail;
  for (const { relation: owned, owner } of core.catalog.live()) {
    if (owner !== id) continue;
    await core.engine.remove(owned.id);
    core.catalog.remove(owned.name);
  }
  if (feederId !== undefined) await core.engine.remove(feederId);
  await core.engine.remove(id);
  if (kind === 'table') await core.engine.remove(changelogId(id));
  if (dlqId !== undefined) await core.engine.remove(dlqId);
  core.catalog.remove(name);
  core.writers.delete(id);
}

/** @throws StreamError for options that the connector or a format refuses, before anything is made. */
function checkFormats(core: Core, relation: SourceRelation): void {
  if (relation.input === undefined) return;
  const all = relation.schema.map((_, index) => index);
  streamDefinition(core.connectors, relation, false).compile(all);
  deadLetterSink(core, relation, relation.id);
  if (relation.query !== undefined) checkSink(core, feederOf(relation, relation.id));
}

/** `partitions` in WITH asks for a topic; so does the embedded log, whose topics belong to their streams. */
async function provideTopic(
  core: Core,
  relation: SourceRelation,
  asked: number | undefined,
): Promise<boolean> {
  const input = relation.input;
  if (input === undefined) return false;
  const log = core.connectors.log(input.connector);
  if (log === undefined) return false;
  const known = await log.describe(input.topic);
  const partitions = asked ?? PARTITIONS_DEFAULT;
  if (known === undefined) {
    const isWritten = relation.query !== undefined;
    if (
      asked === undefined &&
      !isWritten &&
      log.type === 'kafka' &&
      input.options.has('kafka_topic')
    ) {
      throw new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${input.topic}" does not exist`, {
        hint: 'Add partitions = N to WITH (…) to create it with the statement.',
      });
    }
    await log.create(input.topic, partitions, topicOptions(input.options));
    return true;
  }
  if (asked !== undefined && known.partitions !== partitions) {
    throw new StreamError(
      'SQL_INVALID_OPTION',
      `topic "${input.topic}" has ${known.partitions} partitions, not ${partitions}`,
      { hint: 'Leave "partitions" out to use the topic as it is.' },
    );
  }
  return false;
}

const TOPIC_OPTIONS = ['retention.ms', 'retention.bytes', 'cleanup.policy', 'replicas'];

function topicOptions(options: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...options].filter(([key]) => TOPIC_OPTIONS.includes(key)));
}

/** A table with a primary key over a topic: its rows are kept by an upsert over the changelog. */
export function isChangelogTable(relation: SourceRelation): boolean {
  return relation.kind === 'table' && relation.input !== undefined;
}

const knowsLateness = (relation: SourceRelation): boolean =>
  relation.kind === 'stream' && relation.watermark !== undefined;

function registerSource(core: Core, entry: LiveRelation, versionOf: (id: number) => number): void {
  const { errorsId, feederErrorsId, lateId } = entry.detail;
  const relation = entry.relation as SourceRelation;
  core.catalog.put(entry);
  if (relation.input === undefined) {
    core.engine.addTable(
      {
        id: relation.id,
        name: relation.name,
        stored: storedTable(relation),
        key: relation.primaryKey,
      },
      versionOf(relation.id),
    );
    core.writers.set(relation.id, new TableWriter(relation, core.store));
    return;
  }
  if (errorsId !== undefined) {
    registerErrors(core, relation, 'records', errorsId, versionOf(errorsId));
  }
  if (feederErrorsId !== undefined) {
    registerErrors(core, relation, 'query', feederErrorsId, versionOf(feederErrorsId));
  }
  if (lateId !== undefined) {
    registerLate(core, relation, lateId, versionOf(lateId));
  }
  const isAltered = entry.detail.altered === true;
  const definition = streamDefinition(core.connectors, relation, isAltered);
  core.engine.addStream(definition, errorsId ?? 0, lateId);
}

function registerLate(core: Core, stream: SourceRelation, id: number, version: number): void {
  const late = lateRelation(stream, id);
  core.catalog.put({ relation: late, detail: {}, owner: stream.id });
  core.engine.addTable({ id, name: late.name, stored: storedLate(stream, id), key: [] }, version);
}

/** Starts the sink that bad records go to, when the stream names a topic for them. */
async function startDeadLetters(
  core: Core,
  relation: SourceRelation,
  dlqId: number | undefined,
): Promise<void> {
  if (dlqId === undefined) return;
  const sink = deadLetterSink(core, relation, dlqId);
  core.engine.routeDeadLetters(engineStreamId(relation), sink?.receives ? sink.id : undefined);
  if (sink !== undefined && core.engine.taskStatus(dlqId) === undefined) {
    await core.engine.startSink(sink);
    // It has nothing to catch up with.
    core.engine.releaseSink(dlqId);
  }
}

/**
 * Puts another definition in the place of a relation over a topic: the same columns, read in another way.
 * @param hasErrors  records are in its error relation that the new definition may be able to read.
 */
export async function redefineSource(
  core: Core,
  relation: SourceRelation,
  hasErrors: boolean,
): Promise<void> {
  checkFormats(core, relation);
  await core.engine.atBoundary(async () => {
    const known = core.catalog.find(relation.name)?.detail;
    const detail = { ...known, ...(hasErrors ? { altered: true } : {}) };
    await core.store.changeCatalog({
      put: [entryOf(relation, detail), counterOf(core)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    core.catalog.put({ relation, detail, owner: undefined });
    const isAltered = detail.altered === true;
    core.engine.redefineStream(streamDefinition(core.connectors, relation, isAltered));
    await startDeadLetters(core, relation, detail.dlqId);
  });
}

function changelogView(core: Core, relation: SourceRelation): ViewDefinition {
  const columns = relation.schema.map((_, i) => i);
  const scan = {
    id: 0,
    kind: 'scan',
    relation: relation.name,
    columns,
    schema: relation.schema,
    inputs: [],
    appendOnly: false,
    fingerprint: `changelog:${relation.id}`,
  } as const;
  const isKeyed = relation.primaryKey.length > 0;
  const root = isKeyed
    ? ({
        id: 1,
        kind: 'upsert',
        key: relation.primaryKey,
        schema: relation.schema,
        inputs: [scan],
        appendOnly: false,
        fingerprint: `upsert:${relation.id}`,
      } as const)
    : scan;
  const streamId = changelogId(relation.id);
  return {
    id: relation.id,
    name: relation.name,
    stored: storedTable(relation),
    fragment: buildFragment(root, () => streamId),
    failures: failuresOf(core, relation.name, undefined),
    // What a table holds cannot be told again by a source that has forgotten it.
    canGiveWay: false,
    key: relation.primaryKey,
    consolidate: isKeyed ? consolidateChange(relation.schema) : undefined,
  };
}

/** What CREATE STREAM … AS SELECT runs: a sink of the query into the stream's topic. */
function feederOf(stream: SourceRelation, id: number): Sink {
  assert(stream.input !== undefined && stream.query !== undefined, 'the stream is fed by a query');
  const { connector, topic, valueFormat, keyFormat, options } = stream.input;
  return {
    kind: 'sink',
    name: stream.name,
    id,
    schema: stream.schema,
    sql: '',
    dependsOn: stream.dependsOn,
    query: stream.query,
    connector,
    options: new Map([
      ...options,
      ['topic', topic],
      ['value_format', valueFormat],
      ['key_format', keyFormat],
    ]),
    key: [],
    partitionBy: stream.partitionBy,
  };
}

// ---------------------------------------------------------------------- views

/** A plain view is expanded where it is used; it has no rows of its own. */
export async function createPlainView(
  core: Core,
  view: PlainView,
  detail: RelationOrigin,
): Promise<void> {
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [entryOf(view, detail), counterOf(core)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    core.catalog.put({ relation: view, detail, owner: undefined });
  });
}

/** Creates a materialized view and starts its plan. */
export async function createView(
  core: Core,
  view: MaterializedView,
  origin: RelationOrigin,
): Promise<void> {
  const plan = lower(view.query, core.catalog);
  // Nobody could name the error relation of a query that lives as long as its reader.
  const errorsId = view.sql === '' ? undefined : errorsIdFor(core, view.name, 'rows');
  await core.engine.atBoundary(async () => {
    core.catalog.put({ relation: view, detail: { ...origin, errorsId }, owner: undefined });
    if (errorsId !== undefined) {
      registerErrors(core, view, 'rows', errorsId, core.engine.epoch);
    }
    try {
      const start = await core.engine.startView(viewDefinition(core, view, plan), false, origin);
      const detail: RelationDetail = { ...origin, errorsId, ...startDetail(start) };
      const errors = errorsId === undefined ? [] : [storedRowErrors(errorsId)];
      // The plan began between two epochs, so that nothing of it is committed before its table is there.
      await core.store.changeCatalog({
        put: [entryOf(view, detail), counterOf(core)],
        remove: [],
        createTables: [storedView(view, plan), ...errors],
        dropTables: [],
      });
      core.catalog.put({ relation: view, detail, owner: undefined });
    } catch (error) {
      await core.engine.remove(view.id);
      core.catalog.remove(view.name);
      if (errorsId !== undefined) {
        await core.engine.remove(errorsId);
        core.catalog.remove(errorsNameOf(view.name, 'rows'));
      }
      throw error;
    }
  });
}

function storedView(view: MaterializedView, plan: PhysicalPlan): StoredRelation {
  return { id: view.id, schema: view.schema, storage: plan.storage };
}

/** How a view's rows are stored, for pull queries. */
export function storedRelation(core: Core, relation: Relation): StoredRelation | undefined {
  switch (relation.kind) {
    case 'materialized-view':
      return storedView(relation, lower(relation.query, core.catalog));
    case 'table': {
      const owner = core.catalog.find(relation.name)?.owner;
      if (owner === undefined) return storedTable(relation);
      const { id, schema } = relation;
      const isLate = core.catalog.findById(owner)?.detail.lateId === id;
      return isLate ? { id, schema, storage: { kind: 'append' } } : storedErrors(relation);
    }
    default:
      return undefined;
  }
}

function viewDefinition(core: Core, view: MaterializedView, plan: PhysicalPlan): ViewDefinition {
  return {
    id: view.id,
    name: view.name,
    stored: storedView(view, plan),
    fragment: buildFragment(plan.root, (name) => engineId(core, name)),
    failures: failuresOf(core, view.name, core.catalog.find(view.name)?.detail.errorsId),
    stateBytesMax: view.stateBytesMax,
    canGiveWay: true,
    key: plan.storage.kind === 'keyed' ? plan.storage.key : [],
    consolidate: plan.storage.kind === 'keyed' ? consolidateChange(view.schema) : undefined,
    // A push query's view has no statement, and is gone after a restart.
    isTransient: view.sql === '',
  };
}

/** What a relation's entry says no more when somebody pauses or resumes it. */
export const NO_REASON = { pausedReason: undefined, pausedWith: undefined } as const;

/** Takes a view out of the engine; its rows stay as they are. */
export async function pauseView(core: Core, view: MaterializedView): Promise<void> {
  const [reader] = core.catalog.readersOf(view.name);
  if (reader !== undefined) {
    throw new StreamError(
      'SQL_DEPENDENT_OBJECTS',
      `cannot pause "${view.name}": ${reader.kind} "${reader.name}" reads it`,
      { hint: `PAUSE ${reader.name} first, or pause the streams that feed both.` },
    );
  }
  await core.engine.atBoundary(async () => {
    // First of all: a view that a restart takes for a running one must not have missed an epoch.
    await changeDetail(core, view.name, { paused: true, ...NO_REASON });
    await core.engine.remove(view.id);
  });
}

/** Puts a definition with another budget in the place of a view's; its rows and its plan stay. */
export async function redefineView(core: Core, view: MaterializedView): Promise<void> {
  await core.engine.atBoundary(async () => {
    const entry = core.catalog.find(view.name);
    if (entry === undefined) return;
    await core.store.changeCatalog({
      put: [entryOf(view, entry.detail)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    core.catalog.put({ ...entry, relation: view });
    core.engine.setStateBudget(view.id, view.stateBytesMax);
  });
}

/** Computes a paused view anew; its first commit replaces the old rows. */
export async function resumeView(core: Core, view: MaterializedView): Promise<void> {
  const plan = lower(view.query, core.catalog);
  await core.engine.atBoundary(async () => {
    const detail = core.catalog.find(view.name)?.detail ?? {};
    // What left out the past at first leaves out the same again.
    const from = detail.startAt === undefined ? undefined : startOf(detail).starts;
    try {
      const definition = viewDefinition(core, view, plan);
      const start = await core.engine.startView(definition, true, { from });
      await changeDetail(core, view.name, {
        ...startDetail(start),
        level: false,
        paused: false,
        ...NO_REASON,
      });
    } catch (error) {
      await core.engine.remove(view.id);
      throw error;
    }
  });
}

// ---------------------------------------------------------------------- sinks

/** @throws StreamError for options or a query that the sink cannot take; changes nothing. */
export function checkSink(core: Core, sink: Sink): void {
  sinkOf(core, sink, lower(sink.query, core.catalog), undefined);
}

export async function createSink(core: Core, sink: Sink, origin: RelationOrigin): Promise<void> {
  const plan = lower(sink.query, core.catalog);
  const errorsId = errorsIdFor(core, sink.name, 'rows');
  const definition = sinkOf(core, sink, plan, errorsId);
  const created = { relation: sink, detail: { ...origin, errorsId }, owner: undefined };
  await core.engine.atBoundary(async () => {
    core.catalog.put(created);
    registerErrors(core, sink, 'rows', errorsId, core.engine.epoch);
    try {
      const start = await core.engine.startSink(definition, origin);
      const detail: RelationDetail = { ...created.detail, ...startDetail(start) };
      // As with views: the sink may begin before its entry is there.
      await core.store.changeCatalog({
        put: [entryOf(sink, detail), counterOf(core)],
        remove: [],
        createTables: [storedRowErrors(errorsId)],
        dropTables: [],
      });
      core.catalog.put({ ...created, detail });
    } catch (error) {
      await forgetRelation(core, created);
      throw error;
    }
  });
}

function sinkOf(
  core: Core,
  sink: Sink,
  plan: PhysicalPlan,
  errorsId: number | undefined,
): SinkDefinition {
  const fragment = buildFragment(plan.root, (name) => engineId(core, name));
  const failures = failuresOf(core, sink.name, errorsId);
  return sinkDefinition(core, sink, plan, { fragment, failures });
}

// ----------------------------------------------------------------------- drop

/**
 * Drops a relation and what falls with it; the caller has checked that nothing else reads it.
 * @param referring  tables without the foreign keys that referred to what is dropped.
 */
export async function dropRelations(
  core: Core,
  doomed: readonly LiveRelation[],
  referring: readonly LiveRelation[] = [],
): Promise<void> {
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: referring.map(({ relation, detail }) => entryOf(relation, detail)),
      // Sinks that a stream has of its own leave their outbox with it.
      remove: doomed
        .filter(({ owner }) => owner === undefined)
        .flatMap(({ relation, detail }) => [relation.id, detail.feederId, detail.dlqId])
        .filter((id) => id !== undefined),
      createTables: [],
      dropTables: doomed
        .map(({ relation }) => relation)
        .filter(({ kind }) => kind === 'materialized-view' || kind === 'table')
        .map(({ id }) => id),
    });
    for (const one of doomed) await forgetRelation(core, one);
    for (const entry of referring) putTable(core, entry);
    const own = doomed.flatMap(({ relation }) => core.sequences.ownedBy(relation.name));
    await core.sequences.remove(own);
  });
}

/** Puts a table with other constraints in the place of the old one; its rows stay. */
function putTable(core: Core, entry: LiveRelation): void {
  const { relation } = entry;
  core.catalog.put(entry);
  if (relation.kind !== 'table' || relation.input !== undefined) return;
  core.writers.set(relation.id, new TableWriter(relation, core.store));
}

/** Changes what a relation is beside its columns and rows: its indexes. */
export async function redefineRelation(core: Core, entry: LiveRelation): Promise<void> {
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [entryOf(entry.relation, entry.detail)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    putTable(core, entry);
  });
}

// ---------------------------------------------------------------------- alter

/** Puts a changed relation in the place of the old one, and what reads it or refers to it, bound anew, too. */
export async function alterCatalog(
  core: Core,
  entry: LiveRelation,
  altered: Relation,
  others: {
    readonly readers: readonly LiveRelation[];
    readonly referring: readonly LiveRelation[];
  },
  rebuild: TableRebuild | undefined,
): Promise<void> {
  const { relation, detail } = entry;
  const { readers, referring } = others;
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [entryOf(altered, detail), ...referring.map((one) => entryOf(one.relation, one.detail))],
      remove: [],
      createTables: [],
      dropTables: [],
      rebuildTables: rebuild === undefined ? [] : [rebuild],
    });
    core.catalog.remove(relation.name);
    if (detail.errorsId !== undefined) core.catalog.remove(errorsNameOf(relation.name, 'records'));
    if (detail.lateId !== undefined) core.catalog.remove(`${relation.name}${LATE_SUFFIX}`);
    const next = { ...entry, relation: altered };
    if (altered.kind === 'stream' && altered.query === undefined) {
      const owned = [detail.errorsId, detail.lateId].flatMap((id) => id ?? []);
      const versions = new Map(owned.map((id) => [id, core.engine.version(id)]));
      const marks = core.engine.stream(altered.id)?.watermark?.marks();
      await core.engine.remove(altered.id);
      for (const id of owned) await core.engine.remove(id);
      registerSource(core, next, (id) => versions.get(id) ?? core.engine.epoch);
      if (marks !== undefined && detail.lateId !== undefined) {
        const stored = storedLate(altered, detail.lateId);
        await core.engine.restoreWatermark({ relationId: altered.id, ...marks }, stored);
      }
    } else {
      core.catalog.put(next);
    }
    if (altered.kind === 'table' && altered.input === undefined) {
      const { id, name, primaryKey: key } = altered;
      const isRenamed = altered.schema.some(
        (column, i) => column.name !== relation.schema[i]?.name,
      );
      if (rebuild !== undefined || isRenamed) {
        core.engine.alterTable({ id, name, stored: storedTable(altered), key });
      }
      core.writers.set(id, new TableWriter(altered, core.store));
    }
    for (const reader of readers) core.catalog.put(reader);
    for (const one of referring) putTable(core, one);
  });
  // An altered table has another version, so that nobody takes kept answers for it; the statement waits for that.
  await core.engine.changeTables([]);
}

// --------------------------------------------------------------------- restart

/** Registers everything that the catalog held at the last commit; `engine.begin` then rebuilds the state. */
export async function restoreRelation(
  core: Core,
  relation: Relation,
  detail: RelationDetail,
  versionOf: (id: number) => number,
): Promise<void> {
  const entry = { relation, detail, owner: undefined };
  const version = versionOf(relation.id);
  const start = startOf(detail);
  switch (relation.kind) {
    case 'stream':
    case 'table':
      registerSource(core, entry, versionOf);
      restoreDeadLetters(core, relation, detail.dlqId);
      if (isChangelogTable(relation)) {
        const view = changelogView(core, relation);
        core.engine.restoreView(view, version, start, detail.level === true);
      }
      if (detail.feederId !== undefined && relation.kind === 'stream') {
        const feeder = feederOf(relation, detail.feederId);
        const plan = lower(feeder.query, core.catalog);
        const sink = sinkOf(core, feeder, plan, detail.feederErrorsId);
        core.engine.restoreSink(sink, start, detail.level === true);
      }
      if (detail.paused === true) {
        core.engine.pauseStream(engineStreamId(relation), true);
      }
      return;
    case 'materialized-view': {
      core.catalog.put(entry);
      restoreErrors(core, entry, versionOf);
      if (detail.paused === true) return;
      const plan = lower(relation.query, core.catalog);
      const view = viewDefinition(core, relation, plan);
      core.engine.restoreView(view, version, start, detail.level === true);
      return;
    }
    case 'sink': {
      core.catalog.put(entry);
      restoreErrors(core, entry, versionOf);
      // Taken out with a view that was over its budget; PAUSE of a sink only holds its deliveries.
      if (detail.paused === true && detail.pausedReason !== undefined) return;
      const plan = lower(relation.query, core.catalog);
      const sink = sinkOf(core, relation, plan, detail.errorsId);
      core.engine.restoreSink(sink, start, detail.level === true);
      if (detail.paused === true) await core.engine.pauseSink(relation.id, true);
      return;
    }
    case 'view':
      core.catalog.put(entry);
  }
}

function restoreDeadLetters(core: Core, relation: SourceRelation, dlqId: number | undefined): void {
  const sink = dlqId === undefined ? undefined : deadLetterSink(core, relation, dlqId);
  core.engine.routeDeadLetters(engineStreamId(relation), sink?.receives ? sink.id : undefined);
  if (sink !== undefined) core.engine.restoreSink(sink, startOf({}), true);
}

function restoreErrors(
  core: Core,
  { relation, detail }: LiveRelation,
  versionOf: (id: number) => number,
): void {
  const { errorsId } = detail;
  if (errorsId !== undefined) {
    registerErrors(core, relation, 'rows', errorsId, versionOf(errorsId));
  }
}

function startOf(detail: RelationDetail): PlanStart {
  const starts = new Map<number, Map<number, number>>();
  for (const [stream, partitions] of Object.entries(detail.starts ?? {})) {
    starts.set(
      Number(stream),
      new Map(Object.entries(partitions).map(([partition, offset]) => [Number(partition), offset])),
    );
  }
  return { starts, epoch: detail.started ?? 0 };
}

function startDetail({ starts, epoch }: PlanStart): Pick<RelationDetail, 'starts' | 'started'> {
  return {
    starts: Object.fromEntries(
      [...starts].map(([stream, partitions]) => [stream, Object.fromEntries(partitions)]),
    ),
    started: epoch,
  };
}

/** Changes what is persisted beside a relation's statement. */
export async function changeDetail(
  core: Core,
  name: string,
  change: Partial<RelationDetail>,
): Promise<void> {
  const entry = core.catalog.find(name);
  if (entry === undefined) return;
  const detail = { ...entry.detail, ...change };
  core.catalog.put({ ...entry, detail });
  await core.store.changeCatalog({
    put: [entryOf(entry.relation, detail)],
    remove: [],
    createTables: [],
    dropTables: [],
  });
}

function entryOf(relation: Relation, detail: RelationDetail) {
  return {
    id: relation.id,
    name: relation.name,
    kind: relation.kind,
    sql: relation.sql,
    detail: JSON.stringify(detail),
  };
}

/** Ids are never used twice: the highest one is persisted beside the entries. */
export const COUNTER_KIND = 'counter';
/** The catalog's entries of schemas. */
export const SCHEMA_KIND = 'schema';

function counterOf(core: Core) {
  return {
    id: 0,
    name: '',
    kind: COUNTER_KIND,
    sql: '',
    detail: JSON.stringify({ lastId: core.catalog.lastId }),
  };
}
