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
import { openDuckdbStore } from '../engine/store/duckdb-store.ts';
import { StateFiles } from '../engine/store/state-files.ts';
import type { Store, StoreStatus } from '../engine/store/store.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Relation } from '../sql/catalog.ts';
import type { DatabaseConfig, Log } from './config.ts';
import type { Core } from './core.ts';
import type {
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
import { ingestRecords } from './ingest.ts';
import { COUNTER_KIND, changeDetail, restoreRelation } from './lifecycle.ts';
import { LiveCatalog, type RelationDetail } from './live-catalog.ts';
import { TRANSIENT_PREFIX } from './push-query.ts';
import { readViewRows } from './read-view.ts';
import { SqlSession } from './sql-session.ts';
import { subscribeTo } from './subscribe.ts';

/**
 * Connections for reading statements; more at once wait for one another. One less than the threads that Node has for such
 * work (UV_THREADPOOL_SIZE, 4), so that slow queries never keep a commit waiting.
 */
const READERS = 3;
/** Named sessions that are kept; the one unused for longest makes room. */
const SESSIONS_MAX = 1_000;
/** An idle store writes its write-ahead log into the data file this often at most. */
const CHECKPOINT_INTERVAL_MS = 30_000;

export interface MillraceOptions extends DatabaseConfig {
  /** Sources beside the built-in ones, for programs that embed Millrace. */
  readonly sources?: readonly SourceConnector[] | undefined;
  /** When operators' state is saved, where the defaults do not fit. */
  readonly stateLimits?: Partial<StateLimits> | undefined;
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Opens the database of a data directory and resumes from its last commit.
 * @throws StreamError STORE_FAILED when the directory cannot be used.
 */
export async function openMillrace(options: MillraceOptions): Promise<Database> {
  const store = await openDuckdbStore({ path: options.data, readers: READERS });
  try {
    return await Millrace.open(store, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

class Millrace implements Database {
  readonly #core: Core;
  readonly #sessions = new Map<string, SqlSession>();
  readonly #checkpointTimer: NodeJS.Timeout;
  #storeBytes = 0;
  #committedAtCheckpoint = 0;
  #isClosing = false;

  private constructor(core: Core) {
    this.#core = core;
    this.#checkpointTimer = setInterval(() => this.#checkpointWhenIdle(), CHECKPOINT_INTERVAL_MS);
    this.#checkpointTimer.unref();
  }

  /** @param damage  why operator state on disk cannot be used, after a first attempt. */
  static async open(
    store: Store,
    options: MillraceOptions,
    damage?: StreamError | undefined,
  ): Promise<Millrace> {
    const log = options.log ?? SILENT;
    const status = await store.status();
    const embedded = await EmbeddedLog.open(store.log);
    const logs: TopicLog[] = [embedded];
    if (options.kafka !== undefined && options.kafka.length > 0) {
      logs.unshift(new KafkaLog(new Map([['bootstrap.servers', options.kafka.join(',')]])));
    }
    const connectors = new ConnectorRegistry({
      logs: new Map(logs.map((one) => [one.type, one])),
      now: () => performance.now(),
      sources: options.sources,
    });
    const catalog = new LiveCatalog();
    const engine: Engine = new Engine(
      {
        store,
        stateFiles: options.data === ':memory:' ? undefined : new StateFiles(options.data),
        stateLimits: options.stateLimits,
        random: () => randomInt(2 ** 32) / 2 ** 32,
        now: () => performance.now(),
        log: (level, message, detail) => log[level]({ detail }, message),
        onLevel: (id) => {
          const entry = catalog.findById(id);
          if (entry === undefined) return;
          changeDetail(core, entry.relation.name, { level: true }).catch((cause) =>
            log.warn({ err: cause }, `progress of ${entry.relation.name} is not saved`),
          );
        },
      },
      status.epoch,
    );
    const core: Core = {
      store,
      engine,
      catalog,
      connectors,
      defaultLog: logs[0] ?? embedded,
      logs,
      writers: new Map(),
      log,
      nowMicros: () => BigInt(Date.now()) * 1000n,
    };
    await restoreCatalog(core, status);
    try {
      await engine.begin(positionsOf(status), status.state, damage);
    } catch (error) {
      await engine.close();
      for (const one of logs) await one.close();
      const isDamaged = error instanceof StreamError && error.code === 'STATE_DAMAGED';
      if (!isDamaged || damage !== undefined) throw error;
      log.warn({ err: error }, 'operator state on disk is damaged, rebuilding it from the input');
      return Millrace.open(store, options, error);
    }
    return new Millrace(core);
  }

  session(name: string | undefined): Session {
    if (name === undefined) return new SqlSession(this.#core);
    const known = this.#sessions.get(name) ?? new SqlSession(this.#core);
    // Map order is order of use: the first one was unused for longest.
    this.#sessions.delete(name);
    this.#sessions.set(name, known);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > SESSIONS_MAX && oldest !== undefined) this.#sessions.delete(oldest);
    return known;
  }

  async readView(name: string, request: ViewRequest): Promise<ViewAnswer> {
    const relation = this.#view(name);
    return readViewRows(this.#core, relation, request, this.viewVersion(name));
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
    return (await this.#logWith(topic)).produce(topic, records);
  }

  async readTopic(topic: string, partition: number, offset: number, limit: number) {
    return (await this.#logWith(topic)).read(topic, partition, offset, limit);
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
    await (await this.#logWith(topic)).delete(topic);
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
        partitions,
        fault: stream.fault?.message,
      },
    ];
  }

  #viewStatus(relation: Relation): DatabaseStatus['views'] {
    const status = this.#core.engine.taskStatus(relation.id);
    if (status === undefined || relation.kind === 'view') return [];
    const { state, progress, reason, version, rowsIn, rowsChanged, stateBytes, stateEntries } =
      status;
    return [
      {
        name: relation.name,
        kind: relation.kind,
        version,
        rowsIn,
        rowsChanged,
        stateBytes,
        stateEntries,
        state,
        progress,
        reason,
      },
    ];
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#checkpointTimer);
    await this.#core.engine.close();
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

  async #logWith(topic: string): Promise<TopicLog> {
    for (const log of this.#core.logs) {
      if ((await log.describe(topic)) !== undefined) return log;
    }
    throw new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${topic}" does not exist`);
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

async function restoreCatalog(core: Core, status: StoreStatus): Promise<void> {
  const counter = status.catalog.find((entry) => entry.kind === COUNTER_KIND);
  if (counter !== undefined) core.catalog.reserveIds(JSON.parse(counter.detail).lastId as number);
  const entries = status.catalog
    .filter((entry) => entry.kind !== COUNTER_KIND)
    .sort((a, b) => a.id - b.id);
  for (const entry of entries) {
    if (entry.name.startsWith(TRANSIENT_PREFIX)) {
      const { id } = entry;
      await core.store.changeCatalog({ put: [], remove: [id], createTables: [], dropTables: [id] });
      continue;
    }
    const detail = JSON.parse(entry.detail) as RelationDetail;
    const relation = relationOf(core, entry.sql, entry.id);
    restoreRelation(core, relation, detail, (id) => status.versions.get(id) ?? 0);
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
