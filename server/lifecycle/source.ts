/** Streams and tables come and change: their topics, error relations, stored rows and own plans. */
import { lower } from '../../engine/plan/lower.ts';
import { consolidateChange } from '../../engine/runtime/consolidate-change.ts';
import { storedRecordErrors, storedRowErrors } from '../../engine/runtime/error-schema.ts';
import { buildFragment } from '../../engine/runtime/fragment.ts';
import type { PlanStart, ViewDefinition } from '../../engine/runtime/plan-task.ts';
import type { StoredRelation } from '../../engine/store/store.ts';
import { assert } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Sink, SourceRelation } from '../../sql/catalog.ts';
import type { Core } from '../core.ts';
import { changelogId, engineStreamId, storedTable, streamDefinition } from '../definitions.ts';
import { deadLetterSink } from '../error-policy.ts';
import { errorsIdFor, failuresOf, registerErrors } from '../error-relations.ts';
import { lateRelation, storedLate } from '../event-time.ts';
import type { LiveRelation, RelationDetail, RelationOrigin } from '../live-catalog.ts';
import { TableWriter } from '../table-writer.ts';
import { forgetRelation } from './drop.ts';
import { counterOf, entryOf, startDetail } from './entry.ts';
import { checkSink, sinkOf } from './sink.ts';

const PARTITIONS_DEFAULT = 1;

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

export function registerSource(
  core: Core,
  entry: LiveRelation,
  versionOf: (id: number) => number,
): void {
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

export function changelogView(core: Core, relation: SourceRelation): ViewDefinition {
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
export function feederOf(stream: SourceRelation, id: number): Sink {
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
