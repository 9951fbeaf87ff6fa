/**
 * Relations come and go: in the store, the engine and the catalog together, between two epochs. The same
 * functions bring everything back after a restart.
 */
import type { ProduceRecord } from '../connectors/connector.ts';
import type { Batch } from '../engine/delta/batch.ts';
import { compileFieldEncoder } from '../engine/kernel/record-encoder.ts';

import { lower } from '../engine/plan/lower.ts';
import type { PhysicalPlan } from '../engine/plan/physical-plan.ts';
import { consolidateChange } from '../engine/runtime/consolidate-change.ts';
import { buildFragment } from '../engine/runtime/fragment.ts';
import type { PlanStart, SinkDefinition, ViewDefinition } from '../engine/runtime/plan-task.ts';
import type { StoredRelation } from '../engine/store/store.ts';
import { netChanges } from '../engine/view/subscription.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Schema } from '../sql/base/type.ts';
import type {
  MaterializedView,
  PlainView,
  Relation,
  Sink,
  SourceRelation,
} from '../sql/catalog.ts';
import type { Core } from './core.ts';
import {
  changelogId,
  ERROR_SCHEMA,
  sinkConnector,
  storedErrors,
  storedTable,
  streamDefinition,
} from './definitions.ts';
import type { LiveRelation, RelationDetail } from './live-catalog.ts';
import { TableWriter } from './table-writer.ts';

export const ERRORS_SUFFIX = '_errors';
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
): Promise<string> {
  checkFormats(core, relation);
  const madeTopic = await provideTopic(core, relation, partitions);
  const errorsId = relation.input === undefined ? undefined : core.catalog.nextId();
  const feederId = relation.query === undefined ? undefined : core.catalog.nextId();
  const detail: RelationDetail = { errorsId, feederId, madeTopic };
  await core.engine.atBoundary(async () => {
    const createTables: StoredRelation[] = [];
    if (relation.kind === 'table') createTables.push(storedTable(relation));
    if (errorsId !== undefined) createTables.push(storedErrors(errorsId));
    await core.store.changeCatalog({
      put: [entryOf(relation, detail), counterOf(core)],
      remove: [],
      createTables,
      dropTables: [],
    });
    registerSource(
      core,
      { relation, detail, owner: undefined },
      core.engine.epoch,
      core.engine.epoch,
    );
    if (isChangelogTable(relation)) {
      const start = await core.engine.startView(changelogView(core, relation), false);
      await rememberStart(core, relation.name, start);
    }
    if (feederId !== undefined) {
      const feeder = feederOf(relation, feederId);
      const plan = lower(feeder.query, core.catalog);
      const start = await core.engine.startSink(sinkDefinition(core, feeder, plan));
      await rememberStart(core, relation.name, start);
    }
  });
  return madeTopic ? `created topic ${relation.input?.topic}` : '';
}

/** @throws StreamError for options that the connector or a format refuses, before anything is made. */
function checkFormats(core: Core, relation: SourceRelation): void {
  if (relation.input === undefined) return;
  const all = relation.schema.map((_, index) => index);
  streamDefinition(core.connectors, relation, relation.id).compile(all);
  if (relation.query !== undefined) sinkEncoder(feederOf(relation, relation.id));
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

function registerSource(
  core: Core,
  entry: LiveRelation,
  version: number,
  errorsVersion: number,
): void {
  const { detail } = entry;
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
      version,
    );
    core.writers.set(relation.id, new TableWriter(relation, core.engine, core.store));
    return;
  }
  if (detail.errorsId !== undefined) {
    const errors = errorRelation(relation, detail.errorsId);
    core.catalog.put({ relation: errors, detail: {}, owner: relation.id });
    core.engine.addTable(
      { id: errors.id, name: errors.name, stored: storedErrors(errors.id), key: [] },
      errorsVersion,
    );
  }
  const streamId = isChangelogTable(relation) ? changelogId(relation.id) : relation.id;
  const definition = streamDefinition(core.connectors, relation, streamId);
  core.engine.addStream(definition, detail.errorsId ?? 0);
}

function errorRelation(stream: SourceRelation, id: number): SourceRelation {
  return {
    kind: 'table',
    name: `${stream.name}${ERRORS_SUFFIX}`,
    id,
    schema: ERROR_SCHEMA,
    sql: '',
    dependsOn: [],
    readOnly: true,
    input: undefined,
    primaryKey: [],
    columns: ERROR_SCHEMA.map((column) => ({
      from: { kind: 'value', field: column.name },
      default: undefined,
      notNull: false,
      check: undefined,
    })),
    watermark: undefined,
    query: undefined,
  };
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
    fragment: buildFragment(root, () => streamId, reportTo(core, relation.name)),
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
export async function createPlainView(core: Core, view: PlainView): Promise<void> {
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [entryOf(view, {}), counterOf(core)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    core.catalog.put({ relation: view, detail: {}, owner: undefined });
  });
}

/** Creates a materialized view and starts its plan. */
export async function createView(core: Core, view: MaterializedView): Promise<void> {
  const plan = lower(view.query, core.catalog);
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [entryOf(view, {}), counterOf(core)],
      remove: [],
      createTables: [storedView(view, plan)],
      dropTables: [],
    });
    core.catalog.put({ relation: view, detail: {}, owner: undefined });
    const start = await core.engine.startView(viewDefinition(core, view, plan), false);
    await rememberStart(core, view.name, start);
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
      return owner === undefined ? storedTable(relation) : storedErrors(relation.id);
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
    fragment: buildFragment(plan.root, (name) => engineId(core, name), reportTo(core, view.name)),
    key: plan.storage.kind === 'keyed' ? plan.storage.key : [],
    consolidate: plan.storage.kind === 'keyed' ? consolidateChange(view.schema) : undefined,
    // A push query's view has no statement, and is gone after a restart.
    isTransient: view.sql === '',
  };
}

/** Rows that an expression fails for leave the plan; they are counted and logged, at most one line a second. */
function reportTo(
  core: Core,
  name: string,
): (error: StreamError, batch: Batch, row: number) => void {
  let loggedMicros = 0n;
  let dropped = 0;
  return (error, batch, row) => {
    dropped++;
    const now = core.nowMicros();
    if (now - loggedMicros < 1_000_000n) return;
    loggedMicros = now;
    core.log.warn(
      { view: name, sqlstate: error.sqlstate, row: batch.row(row).map(String), dropped },
      `a row left ${name}: ${error.message}`,
    );
  };
}

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
  await core.engine.atBoundary(() => core.engine.remove(view.id));
}

/** Computes a paused view anew; its first commit replaces the old rows. */
export async function resumeView(core: Core, view: MaterializedView): Promise<void> {
  const plan = lower(view.query, core.catalog);
  await core.engine.atBoundary(async () => {
    const start = await core.engine.startView(viewDefinition(core, view, plan), true);
    await changeDetail(core, view.name, { level: false });
    await rememberStart(core, view.name, start);
  });
}

// ---------------------------------------------------------------------- sinks

/** @throws StreamError for options or a query that the sink cannot take; changes nothing. */
export function checkSink(core: Core, sink: Sink): void {
  sinkDefinition(core, sink, lower(sink.query, core.catalog));
}

export async function createSink(core: Core, sink: Sink): Promise<void> {
  const plan = lower(sink.query, core.catalog);
  const definition = sinkDefinition(core, sink, plan);
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [entryOf(sink, {}), counterOf(core)],
      remove: [],
      createTables: [],
      dropTables: [],
    });
    core.catalog.put({ relation: sink, detail: {}, owner: undefined });
    const start = await core.engine.startSink(definition);
    await rememberStart(core, sink.name, start);
  });
}

function sinkDefinition(core: Core, sink: Sink, plan: PhysicalPlan): SinkDefinition {
  const { connector: type, options, schema, key } = sink;
  const connector = sinkConnector(core.connectors, type, options, schema, key);
  const fragment = buildFragment(
    plan.root,
    (name) => engineId(core, name),
    reportTo(core, sink.name),
  );
  const base = { id: sink.id, name: sink.name, fragment };
  if (type === 'blackhole') return { ...base, delivery: undefined };
  if (!plan.root.appendOnly && key.length === 0) {
    throw new StreamError(
      'SQL_NOT_INCREMENTAL',
      `sink "${sink.name}" cannot say which row changed: its query updates and deletes rows and has no key`,
      {
        hint: 'Select the key columns (the GROUP BY columns, the primary key), or sink an append-only query.',
      },
    );
  }
  return {
    ...base,
    delivery: {
      encode: sinkEncoder(sink),
      open: () => connector.open(options, schema, key),
    },
  };
}

/** One record a changed row: its key, and its value or a tombstone. */
function sinkEncoder(sink: Sink): (batches: readonly Batch[]) => ProduceRecord[] {
  const { schema, key, options } = sink;
  const recordKey = key.length > 0 ? key : (sink.partitionBy ?? []);
  const fieldsOf = (columns: readonly number[], named: boolean) =>
    columns.map((column) => ({
      column,
      field: named ? fieldName(schema, column) : undefined,
      type: schema[column]?.type ?? { kind: 'text' as const },
    }));
  const keyFormat =
    options.get('key_format')?.toLowerCase() ?? (recordKey.length === 1 ? 'kafka' : 'json');
  const valueFormat =
    options.get('value_format')?.toLowerCase() ?? options.get('format')?.toLowerCase() ?? 'json';
  const delimiter = options.get('value_delimiter');
  const encodeKey =
    recordKey.length === 0
      ? () => null
      : compileFieldEncoder(keyFormat, fieldsOf(recordKey, recordKey.length > 1), delimiter);
  const encodeValue = compileFieldEncoder(
    valueFormat,
    fieldsOf(
      schema.map((_, i) => i),
      true,
    ),
    delimiter,
  );
  return (batches) =>
    netChanges(schema, key, batches).map((change) => ({
      key: encodeKey(change.row),
      value: change.op === 'delete' ? null : encodeValue(change.row),
    }));
}

function fieldName(schema: Schema, column: number): string {
  return schema[column]?.name ?? '';
}

// ----------------------------------------------------------------------- drop

/** Drops a relation and what falls with it; the caller has checked that nothing else reads it. */
export async function dropRelations(core: Core, doomed: readonly LiveRelation[]): Promise<void> {
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [],
      remove: doomed.filter(({ owner }) => owner === undefined).map(({ relation }) => relation.id),
      createTables: [],
      dropTables: doomed
        .map(({ relation }) => relation)
        .filter(({ kind }) => kind === 'materialized-view' || kind === 'table')
        .map(({ id }) => id),
    });
    for (const { relation } of doomed) {
      const feederId = core.catalog.find(relation.name)?.detail.feederId;
      if (feederId !== undefined) await core.engine.remove(feederId);
      await core.engine.remove(relation.id);
      if (relation.kind === 'table') await core.engine.remove(changelogId(relation.id));
      core.catalog.remove(relation.name);
      core.writers.delete(relation.id);
    }
  });
}

// --------------------------------------------------------------------- restart

/** Registers everything that the catalog held at the last commit; `engine.begin` then rebuilds the state. */
export function restoreRelation(
  core: Core,
  relation: Relation,
  detail: RelationDetail,
  versionOf: (id: number) => number,
): void {
  const entry = { relation, detail, owner: undefined };
  const version = versionOf(relation.id);
  const start = startOf(detail);
  switch (relation.kind) {
    case 'stream':
    case 'table':
      registerSource(core, entry, version, versionOf(detail.errorsId ?? 0));
      if (isChangelogTable(relation)) {
        const view = changelogView(core, relation);
        core.engine.restoreView(view, version, start, detail.level === true);
      }
      if (detail.feederId !== undefined && relation.kind === 'stream') {
        const feeder = feederOf(relation, detail.feederId);
        const plan = lower(feeder.query, core.catalog);
        core.engine.restoreSink(sinkDefinition(core, feeder, plan), start);
      }
      if (detail.paused === true) {
        core.engine.pauseStream(
          isChangelogTable(relation) ? changelogId(relation.id) : relation.id,
          true,
        );
      }
      return;
    case 'materialized-view': {
      core.catalog.put(entry);
      if (detail.paused === true) return;
      const plan = lower(relation.query, core.catalog);
      const view = viewDefinition(core, relation, plan);
      core.engine.restoreView(view, version, start, detail.level === true);
      return;
    }
    case 'sink': {
      core.catalog.put(entry);
      const plan = lower(relation.query, core.catalog);
      const sink = sinkDefinition(core, relation, plan);
      core.engine.restoreSink(sink, start);
      return;
    }
    case 'view':
      core.catalog.put(entry);
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

async function rememberStart(core: Core, name: string, start: PlanStart): Promise<void> {
  const starts = Object.fromEntries(
    [...start.starts].map(([stream, partitions]) => [stream, Object.fromEntries(partitions)]),
  );
  await changeDetail(core, name, { starts, started: start.epoch });
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

function counterOf(core: Core) {
  return {
    id: 0,
    name: '',
    kind: COUNTER_KIND,
    sql: '',
    detail: JSON.stringify({ lastId: core.catalog.lastId }),
  };
}
