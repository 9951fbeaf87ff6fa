/** What the database says of itself: whether it is ready, and how far and how fast everything in it is. */
import type { Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { DatabaseStatus } from './database.ts';
import { changelogId } from './definitions.ts';
import { errorCounts } from './error-relations.ts';

/** What there is to say of a plan that the engine does not run. */
const PAUSED = {
  state: 'paused',
  reason: undefined,
  version: 0,
  progress: 0,
  rowsIn: 0,
  rowsChanged: 0,
  stateBytes: 0,
  stateEntries: 0,
  subscribers: 0,
  failed: 0,
} as const;

/** The database as it is, for readiness, metrics and SHOW. */
export function databaseStatus(
  core: Core,
  { isClosing, storeBytes }: { readonly isClosing: boolean; readonly storeBytes: number },
): DatabaseStatus {
  const { engine, catalog } = core;
  const failure = engine.failure;
  const reason = isClosing
    ? 'shutting down'
    : (failure?.message ?? (engine.isReplaying ? 'rebuilding state' : undefined));
  return {
    ready: reason === undefined,
    reason,
    epoch: engine.epoch,
    epochs: { ...engine.stats },
    streams: catalog.relations().flatMap((relation) => streamStatus(core, relation)),
    sinks: catalog.relations().flatMap((relation) => sinkStatus(core, relation)),
    views: catalog.relations().flatMap((relation) => viewStatus(core, relation)),
    storeBytes,
    operatorState: engine.operatorState,
  };
}

function streamStatus(core: Core, relation: Relation): DatabaseStatus['streams'] {
  if (relation.kind !== 'stream' && relation.kind !== 'table') return [];
  const { engine } = core;
  const stream = engine.stream(relation.id) ?? engine.stream(changelogId(relation.id));
  if (stream === undefined) return [];
  const bad = errorCounts(core, relation.name);
  const partitions = [...stream.positions].map(([partition, offset]) => {
    const end = stream.ends.get(partition);
    return { partition, offset, endOffset: Number.isFinite(end) ? end : undefined };
  });
  return [
    {
      name: relation.name,
      kind: relation.kind,
      records: stream.records,
      bytes: stream.bytes,
      errors: stream.errors,
      lateRecords: stream.lateRecords,
      watermarkMicros: stream.watermark?.published,
      bad: bad?.count ?? 0,
      badEvicted: bad?.evicted ?? 0,
      partitions,
      fault: stream.fault?.message,
      stopped: stream.stoppedAt !== undefined,
      held: stream.held,
    },
  ];
}

function sinkStatus(core: Core, relation: Relation): DatabaseStatus['sinks'] {
  const { engine, catalog } = core;
  const feederId = catalog.find(relation.name)?.detail.feederId;
  const id = relation.kind === 'sink' ? relation.id : feederId;
  const status = id === undefined ? undefined : engine.taskStatus(id)?.sink;
  if (status === undefined) return [];
  const connector = relation.kind === 'sink' ? relation.connector : inputConnector(relation);
  const { fault, isStopped: stopped, isFull: full, ...rest } = status;
  return [{ ...rest, name: relation.name, connector, fault: fault?.message, stopped, full }];
}

function viewStatus(core: Core, relation: Relation): DatabaseStatus['views'] {
  if (relation.kind === 'view') return [];
  const status = core.engine.taskStatus(relation.id);
  const { detail } = core.catalog.find(relation.name) ?? {};
  if (status === undefined && detail?.paused !== true) return [];
  const { subscribers: _, ...facts } = status ?? PAUSED;
  const failing = errorCounts(core, relation.name);
  return [
    {
      name: relation.name,
      kind: relation.kind,
      ...facts,
      reason: facts.reason ?? detail?.pausedReason,
      overBudget: detail?.pausedReason !== undefined && detail.pausedWith === undefined,
      failing: failing?.count ?? 0,
      failingEvicted: failing?.evicted ?? 0,
    },
  ];
}

function inputConnector(relation: Relation): string {
  return relation.kind === 'stream' ? (relation.input?.connector ?? '') : '';
}
