/** The database behind the doors: opens the store, brings everything back, and answers what database.ts lists. */
import { randomInt } from 'node:crypto';
import type {
  ProduceRecord,
  SourceConnector,
  TopicInfo,
  TopicLog,
} from '../connectors/connector.ts';
import { EmbeddedLog } from '../connectors/embedded/embedded-log.ts';
import { KafkaLog } from '../connectors/kafka/kafka-log.ts';
import { ConnectorRegistry } from '../connectors/registry.ts';
import type { StateLimits } from '../engine/runtime/durable-state.ts';
import { Engine } from '../engine/runtime/engine.ts';
import type { Clock } from '../engine/runtime/lateness.ts';
import { WALL_CLOCK_ID } from '../engine/runtime/plan-task.ts';
import { openDuckdbStore } from '../engine/store/duckdb-store.ts';
import { StateFiles } from '../engine/store/state-files.ts';
import type { Store, StoreStatus } from '../engine/store/store.ts';
import { FanOut } from '../engine/view/fan-out.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Relation } from '../sql/catalog.ts';
import { makeBackup, removeUnfinishedBackup } from './backup.ts';
import { pauseOverBudget } from './budget.ts';
import type { DatabaseConfig, Log } from './config.ts';
import type { Core } from './core.ts';
import type {
  Backup,
  Database,
  DatabaseStatus,
  IngestRecord,
  Session,
  SubscribeRequest,
  Subscription,
  ViewAnswer,
  ViewRequest,
} from './database.ts';
import { relationOf } from './ddl.ts';
import { changelogId } from './definitions.ts';
import { errorCounts } from './error-relations.ts';
import { storedLate } from './event-time.ts';
import { ROUTINE_KIND, restoreRoutine } from './function/create-function.ts';
import { Scripts } from './function/scripts.ts';
import { ingestRecords } from './ingest.ts';
import { COUNTER_KIND, changeDetail, SCHEMA_KIND, TYPE_KIND } from './lifecycle/entry.ts';
import { restoreRelation } from './lifecycle/restore.ts';
import { LiveCatalog, type RelationDetail } from './live-catalog.ts';
import { TRANSIENT_PREFIX } from './push-query.ts';
import { readViewRows } from './read-view.ts';
import { SEQUENCE_KIND, Sequences } from './sequences.ts';
import { defaultSessionLimits, type SessionLimits } from './session-limits.ts';
import { Sessions } from './sessions.ts';
import { subscribeTo } from './subscribe.ts';
import { dropLeftTemporary } from './temporary-tables.ts';
import { logWith } from './topic-log.ts';
import { Turns } from './turns.ts';
import { restoreType } from './user-types.ts';

/**
 * Connections for reading statements; more at once wait for one another. One less than the threads that Node has for such
 * work (UV_THREADPOOL_SIZE, 4), so that slow queries never keep a commit waiting.
 */
const READERS = 3;
/** An idle store writes its write-ahead log into the data file this often at most. */
const CHECKPOINT_INTERVAL_MS = 30_000;
const LEVEL_RETRY_MS = 1_000;

export interface MillraceOptions extends DatabaseConfig {
  /** Sources beside the built-in ones, for programs that embed Millrace. */
  readonly sources?: readonly SourceConnector[] | undefined;
  /** When operators' state is saved, where the defaults do not fit. */
  readonly stateLimits?: Partial<StateLimits> | undefined;
}

/** What a database stands on beside its options; a test that replays a run brings its own. */
export interface Ground {
  readonly store: Store;
  /** The data directory; undefined for a database in memory. */
  readonly directory: string | undefined;
  /** Where operators' state is kept; undefined for a database in memory. */
  readonly stateFiles: StateFiles | undefined;
  /** Connects to the cluster that topics live in; undefined when there is none beside the embedded log. */
  readonly connect: (() => TopicLog) | undefined;
  /** At least 0, below 1. */
  readonly random: () => number;
  readonly clock: Clock;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMicros: () => BigInt(Date.now()) * 1000n,
};

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Opens the database of a data directory and resumes from its last commit.
 * @throws StreamError STORE_FAILED when the directory cannot be used.
 */
export async function openMillrace(options: MillraceOptions): Promise<Database> {
  const { data, kafka = [] } = options;
  const store = await openDuckdbStore({ path: data, readers: READERS });
  const servers = new Map([['bootstrap.servers', kafka.join(',')]]);
  const ground: Ground = {
    store,
    directory: data === ':memory:' ? undefined : data,
    stateFiles: data === ':memory:' ? undefined : new StateFiles(data),
    connect: kafka.length === 0 ? undefined : () => new KafkaLog(servers),
    random: () => randomInt(2 ** 32) / 2 ** 32,
    clock: systemClock,
  };
  return openMillraceOn(ground, options);
}

/** Opens a database on what it is given. The store is the database's from now on: it closes it, also when it cannot open. */
export async function openMillraceOn(
  ground: Ground,
  options: Omit<MillraceOptions, 'data' | 'kafka'>,
): Promise<Database> {
  try {
    return await Millrace.open(ground, options);
  } catch (error) {
    await ground.store.close();
    throw error;
  }
}

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

class Millrace implements Database {
  readonly #core: Core;
  readonly #sessions: Sessions;
  readonly #checkpointTimer: NodeJS.Timeout;
  #storeBytes = 0;
  #committedAtCheckpoint = 0;
  #isClosing = false;

  private constructor(core: Core, limits: Partial<SessionLimits>) {
    this.#core = core;
    this.#sessions = new Sessions(core, { ...defaultSessionLimits, ...limits });
    this.#checkpointTimer = setInterval(() => this.#checkpointWhenIdle(), CHECKPOINT_INTERVAL_MS);
    this.#checkpointTimer.unref();
  }

  /** @param damage  why operator state on disk cannot be used, after a first attempt. */
  static async open(
    ground: Ground,
    options: Omit<MillraceOptions, 'data' | 'kafka'>,
    damage?: StreamError | undefined,
  ): Promise<Millrace> {
    const { store, directory, stateFiles, random, clock } = ground;
    const log = options.log ?? SILENT;
    const status = await store.status();
    await removeUnfinishedBackup(directory);
    const embedded = await EmbeddedLog.open(store.log, {
      now: () => Number(clock.wallMicros() / 1000n),
    });
    const cluster = ground.connect?.();
    const logs: TopicLog[] = cluster === undefined ? [embedded] : [cluster, embedded];
    const connectors = new ConnectorRegistry({
      logs: new Map(logs.map((one) => [one.type, one])),
      now: clock.now,
      sources: options.sources,
    });
    const catalog = new LiveCatalog();
    const engine: Engine = new Engine(
      {
        store,
        stateFiles,
        stateLimits: options.stateLimits,
        random,
        now: clock.now,
        wallMicros: clock.wallMicros,
        log: (level, message, detail) => log[level]({ detail }, message),
        stateBytesMax: options.memoryBytesMax ?? Number.POSITIVE_INFINITY,
        onOverBudget: (id, reason) => {
          pauseOverBudget(core, id, reason).catch((cause) =>
            log.error({ err: cause }, 'a view over its budget is not paused'),
          );
        },
        onLevel: (id) => {
          const entry = catalog.findById(id) ?? catalog.findByFeeder(id);
          if (entry === undefined) return;
          rememberLevel(core, entry.relation, id);
        },
      },
      status.epoch,
      status.evicted,
    );
    const core: Core = {
      identity: status.identity,
      store,
      directory,
      engine,
      catalog,
      connectors,
      defaultLog: logs[0] ?? embedded,
      logs,
      writers: new Map(),
      sequences: new Sequences(store),
      scripts: new Scripts(clock.now),
      serializable: new Turns(),
      log,
      fanOut: new FanOut(),
      nowMicros: clock.wallMicros,
    };
    await restoreCatalog(core, status);
    try {
      await restoreWatermarks(core, status);
      await engine.begin(positionsOf(status), status.state, damage);
    } catch (error) {
      await engine.close();
      for (const one of logs) await one.close();
      const isDamaged = error instanceof StreamError && error.code === 'STATE_DAMAGED';
      if (!isDamaged || damage !== undefined) throw error;
      log.warn({ err: error }, 'operator state on disk is damaged, rebuilding it from the input');
      return Millrace.open(ground, options, error);
    }
    await dropLeftTemporary(core);
    return new Millrace(core, options.limits ?? {});
  }

  session(name: string | undefined): Session {
    return this.#sessions.get(name);
  }

  async readView(name: string, request: ViewRequest, signal: AbortSignal): Promise<ViewAnswer> {
    const relation = this.#view(name);
    return readViewRows(this.#core, relation, request, this.viewVersion(name), signal);
  }

  viewVersion(name: string): number {
    const relation = this.#view(name);
    return this.#core.engine.version(relation.id) ?? this.#core.engine.epoch;
  }

  async waitForView(
    name: string,
    since: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<number> {
    const relation = this.#view(name);
    await this.#core.engine.waitForVersion(relation.id, since, waitMs, signal);
    return this.viewVersion(name);
  }

  subscribe(request: SubscribeRequest): Promise<Subscription> {
    return subscribeTo(this.#core, this.#view(request.view), request);
  }

  ingest(stream: string, records: readonly IngestRecord[]): Promise<{ readonly accepted: number }> {
    return ingestRecords(this.#core, stream, records);
  }

  async topics(): Promise<readonly TopicInfo[]> {
    const lists = await Promise.all(this.#core.logs.map((log) => log.list()));
    return lists.flat();
  }

  async produce(topic: string, records: readonly ProduceRecord[]) {
    return (await logWith(this.#core, topic)).produce(topic, records);
  }

  async readTopic(topic: string, partition: number, offset: number, limit: number) {
    return (await logWith(this.#core, topic)).read(topic, partition, offset, limit);
  }

  async deleteTopic(topic: string): Promise<void> {
    const reader = this.#core.catalog
      .relations()
      .find((one) => (one.kind === 'stream' || one.kind === 'table') && one.input?.topic === topic);
    if (reader !== undefined) {
      throw new StreamError(
        'SQL_DEPENDENT_OBJECTS',
        `cannot delete topic "${topic}": ${reader.kind} "${reader.name}" reads it`,
        { hint: `DROP ${reader.kind.toUpperCase()} ${reader.name} first.` },
      );
    }
    await (await logWith(this.#core, topic)).delete(topic);
  }

  status(): DatabaseStatus {
    const { engine, catalog } = this.#core;
    const failure = engine.failure;
    const reason = this.#isClosing
      ? 'shutting down'
      : (failure?.message ?? (engine.isReplaying ? 'rebuilding state' : undefined));
    return {
      ready: reason === undefined,
      reason,
      epoch: engine.epoch,
      epochs: { ...engine.stats },
      streams: catalog.relations().flatMap((relation) => this.#streamStatus(relation)),
      sinks: catalog.relations().flatMap((relation) => this.#sinkStatus(relation)),
      views: catalog.relations().flatMap((relation) => this.#viewStatus(relation)),
      storeBytes: this.#storeBytes,
      operatorState: engine.operatorState,
    };
  }

  #streamStatus(relation: Relation): DatabaseStatus['streams'] {
    if (relation.kind !== 'stream' && relation.kind !== 'table') return [];
    const { engine } = this.#core;
    const stream = engine.stream(relation.id) ?? engine.stream(changelogId(relation.id));
    if (stream === undefined) return [];
    const bad = errorCounts(this.#core, relation.name);
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

  #sinkStatus(relation: Relation): DatabaseStatus['sinks'] {
    const { engine, catalog } = this.#core;
    const feederId = catalog.find(relation.name)?.detail.feederId;
    const id = relation.kind === 'sink' ? relation.id : feederId;
    const status = id === undefined ? undefined : engine.taskStatus(id)?.sink;
    if (status === undefined) return [];
    const connector = relation.kind === 'sink' ? relation.connector : inputConnector(relation);
    const { fault, isStopped: stopped, isFull: full, ...rest } = status;
    return [{ ...rest, name: relation.name, connector, fault: fault?.message, stopped, full }];
  }

  #viewStatus(relation: Relation): DatabaseStatus['views'] {
    if (relation.kind === 'view') return [];
    const status = this.#core.engine.taskStatus(relation.id);
    const { detail } = this.#core.catalog.find(relation.name) ?? {};
    if (status === undefined && detail?.paused !== true) return [];
    const { subscribers: _, ...facts } = status ?? PAUSED;
    const failing = errorCounts(this.#core, relation.name);
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

  backup(signal: AbortSignal): Promise<Backup> {
    return makeBackup(this.#core, signal);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#checkpointTimer);
    this.#sessions.close();
    await this.#core.engine.close();
    await this.#core.sequences.close();
    for (const log of this.#core.logs) await log.close();
    await this.#core.store.close();
  }

  /** What can be polled: everything whose rows are stored. */
  #view(name: string): Relation {
    const relation = this.#core.catalog.relation(name);
    if (relation === undefined || relation.kind === 'stream' || relation.kind === 'sink') {
      throw new StreamError('VIEW_UNKNOWN', `view "${name}" does not exist`, {
        hint:
          relation === undefined
            ? undefined
            : `"${name}" is a ${relation.kind}; views and tables can be read.`,
      });
    }
    return relation;
  }

  #checkpointWhenIdle(): void {
    const { store, engine, log } = this.#core;
    const { committed } = engine.stats;
    const isIdle = committed === this.#committedAtCheckpoint;
    this.#committedAtCheckpoint = committed;
    const work = isIdle ? store.checkpoint() : Promise.resolve();
    work.then(
      async () => {
        this.#storeBytes = await store.sizeBytes();
      },
      (cause) => log.warn({ err: cause }, 'checkpoint failed'),
    );
  }
}

/** A sink delivers when that is durable, so a store that fails for a moment must not keep it waiting for ever. */
function rememberLevel(core: Core, relation: Pick<Relation, 'name' | 'id'>, planId: number): void {
  const { name, id } = relation;
  const remembered = core.engine.atBoundary(async () => {
    if (core.catalog.relation(name)?.id === id) await changeDetail(core, name, { level: true });
  });
  remembered.then(
    () => core.engine.releaseSink(planId),
    (cause) => {
      core.log.warn({ err: cause }, `progress of ${name} is not saved, trying again`);
      setTimeout(() => {
        const isThere = core.catalog.relation(name)?.id === id;
        if (isThere && core.engine.isLevel(planId)) rememberLevel(core, relation, planId);
      }, LEVEL_RETRY_MS).unref();
    },
  );
}

function inputConnector(relation: Relation): string {
  return relation.kind === 'stream' ? (relation.input?.connector ?? '') : '';
}

async function restoreCatalog(core: Core, status: StoreStatus): Promise<void> {
  const counter = status.catalog.find((entry) => entry.kind === COUNTER_KIND);
  if (counter !== undefined) core.catalog.reserveIds(JSON.parse(counter.detail).lastId as number);
  const all = status.catalog
    .filter((entry) => entry.kind !== COUNTER_KIND)
    .sort((a, b) => a.id - b.id);
  const isType = (entry: { readonly kind: string }): boolean => entry.kind === TYPE_KIND;
  // An older table may have got a column of a newer type.
  for (const entry of all.filter(isType)) restoreType(core, entry);
  const entries = all.filter((entry) => !isType(entry));
  for (const entry of entries) {
    if (entry.name.startsWith(TRANSIENT_PREFIX)) {
      const { id } = entry;
      await core.store.changeCatalog({ put: [], remove: [id], createTables: [], dropTables: [id] });
      continue;
    }
    if (entry.kind === SEQUENCE_KIND) {
      core.sequences.restore(entry.id, entry.name, entry.detail);
      continue;
    }
    if (entry.kind === ROUTINE_KIND) {
      await restoreRoutine(core, entry.id, entry.sql);
      continue;
    }
    if (entry.kind === SCHEMA_KIND) {
      core.catalog.addSchema(entry.name, entry.id);
      continue;
    }
    const detail = JSON.parse(entry.detail) as RelationDetail;
    const relation = relationOf(core, entry.sql, entry.id, detail);
    await restoreRelation(core, relation, detail, (id) => status.versions.get(id) ?? 0);
  }
}

async function restoreWatermarks(core: Core, status: StoreStatus): Promise<void> {
  for (const marks of status.watermarks) {
    if (marks.relationId === WALL_CLOCK_ID) core.engine.restoreWallClock(marks.stream);
    const entry = core.catalog.findById(marks.relationId);
    const { lateId } = entry?.detail ?? {};
    if (entry?.relation.kind !== 'stream' || lateId === undefined) continue;
    await core.engine.restoreWatermark(marks, storedLate(entry.relation, lateId));
  }
}

function positionsOf(status: StoreStatus): Map<number, Map<number, number>> {
  const positions = new Map<number, Map<number, number>>();
  for (const { relationId, partition, offset } of status.positions) {
    const own = positions.get(relationId) ?? new Map<number, number>();
    own.set(partition, offset);
    positions.set(relationId, own);
  }
  return positions;
}
