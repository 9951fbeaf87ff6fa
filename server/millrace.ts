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
import { openDuckdbStore } from '../engine/store/duckdb-store.ts';
import { StateFiles } from '../engine/store/state-files.ts';
import type { Store } from '../engine/store/store.ts';
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
import { Scripts } from './function/scripts.ts';
import { ingestRecords } from './ingest.ts';
import { changeDetail } from './lifecycle/entry.ts';
import { positionsOf, restoreCatalog, restoreWatermarks } from './lifecycle/restore-catalog.ts';
import { LiveCatalog } from './live-catalog.ts';
import { readViewRows } from './read-view.ts';
import { Sequences } from './sequences.ts';
import { defaultSessionLimits, type SessionLimits } from './session-limits.ts';
import { Sessions } from './sessions.ts';
import { databaseStatus } from './status.ts';
import { subscribeTo } from './subscribe.ts';
import { dropLeftTemporary } from './temporary-tables.ts';
import { logWith } from './topic-log.ts';
import { Turns } from './turns.ts';

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
    return databaseStatus(this.#core, { isClosing: this.#isClosing, storeBytes: this.#storeBytes });
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
