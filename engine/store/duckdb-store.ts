/**
 * The store on DuckDB. An epoch is staged into temporary tables on the main thread (plain copies), then one
 * call runs the whole transaction in DuckDB's thread while the engine goes on.
 */

import type { Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { Connection } from './connection.ts';
import { copyDatabase } from './database-copy.ts';
import { DatabaseFile, type DatabaseOptions } from './database-file.ts';
import { writeFailure } from './failure.ts';
import type { HostCall } from './host-call.ts';
import { HostFunctions } from './host-function.ts';
import { intervalMacro } from './interval-macro.ts';
import { LogTable, logTables } from './log-table.ts';
import { numericMacros } from './numeric-macro.ts';
import { Progress, progressTable } from './progress.ts';
import { ReadStatement } from './read-statement.ts';
import { ReaderPool } from './reader-pool.ts';
import { scanRelation } from './scan.ts';
import { ReadSnapshot } from './snapshot.ts';
import { StageArea } from './stage-area.ts';
import { Appender } from './staging.ts';
import type { LogPosition } from './state-files.ts';
import type {
  CatalogChange,
  CatalogEntry,
  EpochCommit,
  OutboxChunk,
  OutboxSize,
  QueryResult,
  SavedState,
  Store,
  StoredRelation,
  StoreSnapshot,
  StoreStatus,
} from './store.ts';
import {
  catalogEntry,
  catalogSql,
  forgetChunksSql,
  manifestSql,
  OUTBOX_TABLE,
  outboxForms,
  outboxRow,
  STATE_TABLE,
  systemStages,
  systemTables,
} from './system-table.ts';
import { resultDecoder } from './vector-read.ts';
import { applySql, createTableSql, rebuildTableSql, tableName } from './view-table.ts';
import { WriteQueue } from './write-queue.ts';

export interface StoreOptions extends Partial<DatabaseOptions> {
  /** Data directory, created when missing; ':memory:' keeps everything in memory. */
  readonly path: string;
  /**
   * Connections for statements that read: so many run at the same time, others wait. Keep it below UV_THREADPOOL_SIZE
   * (4 unless set): every running statement holds one of those threads, and commits need one.
   */
  readonly readers: number;
}

/** Times its memory that DuckDB may spill: statements must not fill the disk that commits need. */
const SPILL_FACTOR = 4;
const MEMORY_BYTES_MAX_DEFAULT = 2 * 1024 * 1024 * 1024;
/**
 * One thread a statement: small statements are no faster with more, and two threads that call one function of ours keep the
 * event loop from turning between their calls.
 */
const THREADS_DEFAULT = 1;
/** A smaller write-ahead log is not worth a checkpoint: it is read back in a fraction of a second. */
const CHECKPOINT_WAL_BYTES_MIN = 16 * 1024 * 1024;

/**
 * Opens the store of a data directory, creating both when missing.
 * @throws StreamError STORE_FAILED when the directory cannot be used or another process uses it.
 */
export async function openDuckdbStore(options: StoreOptions): Promise<Store> {
  const { memoryBytesMax = MEMORY_BYTES_MAX_DEFAULT } = options;
  const file = await DatabaseFile.open({
    path: options.path,
    memoryBytesMax,
    threads: options.threads ?? THREADS_DEFAULT,
  });
  try {
    return await DuckdbStore.open(file, options.readers, memoryBytesMax * SPILL_FACTOR);
  } catch (cause) {
    file.close();
    throw writeFailure('opening the store', cause);
  }
}

class DuckdbStore implements Store {
  readonly log: LogTable;
  readonly #file: DatabaseFile;
  readonly #writer: Connection;
  readonly #queue: WriteQueue;
  readonly #readers: ReaderPool;
  readonly #functions: HostFunctions;
  readonly #stages: StageArea;
  readonly #outbox: Appender;
  readonly #progress = new Progress();
  readonly #catalog = new Map<number, CatalogEntry>();
  #identity = '';
  #manifest: string | undefined;
  #closed = false;

  private constructor(
    file: DatabaseFile,
    writer: Connection,
    queue: WriteQueue,
    readers: ReaderPool,
    log: LogTable,
    registrar: Connection,
  ) {
    this.#file = file;
    this.#writer = writer;
    this.#queue = queue;
    this.#readers = readers;
    this.log = log;
    this.#functions = new HostFunctions(registrar);
    this.#stages = new StageArea(writer);
    this.#outbox = new Appender(writer, 'temp', 'stage_outbox', outboxForms, false);
  }

  static async open(
    file: DatabaseFile,
    readerCount: number,
    spillBytesMax: number,
  ): Promise<DuckdbStore> {
    const writer = await Connection.open(file.database);
    // Text of timestamptz and date arithmetic on it follow the session's zone, here always UTC.
    await writer.run("SET GLOBAL TimeZone = 'UTC'");
    // What a database is opened with DuckDB 1.5 shows and does not obey.
    const spill = Math.ceil(spillBytesMax / 1024);
    await writer.run(`SET GLOBAL max_temp_directory_size = '${spill}KiB'`);
    const create = ['BEGIN', ...systemTables, ...logTables, progressTable, 'COMMIT'];
    await writer.run([...create, ...systemStages].join(';\n'));
    const readers = new ReaderPool(
      await Promise.all(
        Array.from({ length: Math.max(readerCount, 1) }, () => Connection.open(file.database)),
      ),
    );
    const queue = new WriteQueue();
    const macros = [...numericMacros, intervalMacro].join(';\n');
    await readers.prepare((reader) => reader.run(macros));
    const log = await LogTable.open(writer, queue, readers);
    // A connection of its own: registering a function waits for the connection's running statement.
    const registrar = await Connection.open(file.database);
    const store = new DuckdbStore(file, writer, queue, readers, log, registrar);
    const [identity] = await writer.rows('SELECT id FROM millrace_identity');
    store.#identity = String(identity?.[0]);
    const progress = 'SELECT epoch, entry FROM millrace_progress ORDER BY epoch, rowid';
    for (const [epoch, entry] of await writer.rows(progress)) {
      store.#progress.restore(Number(epoch), entry as string);
    }
    const [state] = await writer.rows(`SELECT manifest FROM ${STATE_TABLE}`);
    store.#manifest = (state?.[0] ?? undefined) as string | undefined;
    const catalog = 'SELECT id, name, kind, sql, detail FROM millrace_catalog ORDER BY id';
    for (const row of await writer.rows(catalog)) {
      const entry = catalogEntry(row);
      store.#catalog.set(entry.id, entry);
    }
    return store;
  }

  async status(): Promise<StoreStatus> {
    const { log } = this.#progress;
    const manifest = this.#manifest;
    return {
      identity: this.#identity,
      state: log === undefined || manifest === undefined ? undefined : { log, manifest },
      epoch: this.#progress.epoch,
      positions: this.#progress.positions,
      watermarks: this.#progress.watermarks,
      catalog: [...this.#catalog.values()].sort((a, b) => a.id - b.id),
      versions: this.#progress.versions,
      evicted: this.#progress.evicted,
    };
  }

  commit(epoch: EpochCommit): Promise<void> {
    return this.#write(`committing epoch ${epoch.epoch}`, async () => {
      let log: LogPosition | undefined;
      try {
        const statements = await this.#stage(epoch);
        log = await epoch.state?.log;
        statements.push(...this.#progress.commitSql(epoch, log), 'COMMIT');
        await this.#writer.run(statements.join(';\n'));
      } catch (cause) {
        await this.#rollBack();
        throw cause;
      }
      this.#stages.committed();
      this.#progress.apply(epoch, log);
      this.#manifest = epoch.state?.manifest ?? this.#manifest;
    });
  }

  /** Puts the epoch's rows into temporary tables and gives the statements that take them from there. */
  async #stage(epoch: EpochCommit): Promise<string[]> {
    const statements = ['BEGIN'];
    const changed = epoch.views.filter((view) => view.changes.some((batch) => batch.length > 0));
    await this.#stages.prepare(changed.map((view) => view.relation));
    for (const view of epoch.views) {
      const staged = await this.#stages.stage(view);
      statements.push(...applySql(view.relation, staged, view.replace));
    }
    if (epoch.outbox.length > 0) {
      this.#outbox.appendRows(epoch.outbox.map(outboxRow));
      this.#outbox.flush();
      statements.push(`INSERT INTO ${OUTBOX_TABLE} FROM temp.stage_outbox`);
      statements.push('TRUNCATE temp.stage_outbox');
    }
    statements.push(...(epoch.delivered ?? []).map(forgetChunksSql));
    const manifest = epoch.state?.manifest;
    if (manifest !== undefined) statements.push(...manifestSql(manifest));
    return statements;
  }

  /** The whole content of a table that is empty by then. */
  async #stageRows(rebuild: {
    readonly relation: StoredRelation;
    readonly rows: readonly Batch[];
  }): Promise<readonly string[]> {
    const { relation, rows } = rebuild;
    await this.#stages.prepare([relation]);
    const staged = await this.#stages.stage({ relation, changes: rows, replace: true });
    return applySql(relation, staged, true);
  }

  async #rollBack(): Promise<void> {
    this.#stages.failed();
    this.#outbox.discard();
    // Outside of a transaction there is nothing to roll back, which is an error to DuckDB only.
    await this.#writer.run('ROLLBACK').catch(() => undefined);
    await this.#writer.run('TRUNCATE temp.stage_outbox');
  }

  changeCatalog(change: CatalogChange): Promise<void> {
    return this.#write('changing the catalog', async () => {
      const gone = [...change.remove, ...change.dropTables];
      const rebuilds = change.rebuildTables ?? [];
      // Stages have the columns of their tables.
      const stale = [...change.dropTables, ...rebuilds.map(({ relation }) => relation.id)];
      const drops = this.#stages.dropSql(stale);
      if (drops.length > 0) await this.#writer.run(drops.join(';\n'));
      this.#stages.dropped(stale);
      const statements = [
        'BEGIN',
        ...change.dropTables.map((id) => `DROP TABLE IF EXISTS ${tableName(id)}`),
        ...change.createTables.map(createTableSql),
        ...rebuilds.map(rebuildTableSql),
        ...catalogSql(change),
        ...(gone.length === 0 ? [] : this.#progress.snapshotSql(gone)),
      ];
      try {
        for (const rebuild of rebuilds) {
          if ('rows' in rebuild) statements.push(...(await this.#stageRows(rebuild)));
        }
        await this.#writer.run([...statements, 'COMMIT'].join(';\n'));
      } catch (cause) {
        await this.#rollBack();
        throw cause;
      }
      this.#stages.committed();
      if (gone.length > 0) this.#progress.forget(gone);
      for (const id of change.remove) this.#catalog.delete(id);
      for (const entry of change.put) this.#catalog.set(entry.id, entry);
    });
  }

  scan(relation: StoredRelation): AsyncIterable<Batch> {
    return scanRelation(this.#readers, relation);
  }

  async copyTo(file: string, signal: AbortSignal): Promise<SavedState | undefined> {
    try {
      return await copyDatabase(this.#file.database, file, signal);
    } catch (cause) {
      throw writeFailure('copying the database', cause);
    }
  }

  snapshot(signal?: AbortSignal | undefined): Promise<StoreSnapshot> {
    return ReadSnapshot.open(this.#readers, signal);
  }

  async query(
    sql: string,
    schema: Schema,
    signal?: AbortSignal | undefined,
    calls: readonly HostCall[] = [],
  ): Promise<QueryResult> {
    const context = { functions: this.#functions, calls };
    const statement = await ReadStatement.start(this.#readers, sql, signal, context);
    const decode = resultDecoder(statement.result, schema);
    // Not a generator: its clean-up would not run for a consumer that stops before the first chunk.
    const chunks: AsyncIterableIterator<readonly Row[]> = {
      [Symbol.asyncIterator]: () => chunks,
      next: async () => {
        const chunk = await statement.next();
        return chunk === undefined
          ? { done: true, value: undefined }
          : { done: false, value: decode(chunk) };
      },
      return: async () => {
        statement.close();
        return { done: true, value: undefined };
      },
    };
    return { schema, chunks };
  }

  async outbox(sinkId: number, after: number, chunksMax: number): Promise<readonly OutboxChunk[]> {
    const statement = await ReadStatement.start(
      this.#readers,
      `SELECT sequence, data, records, created_ms FROM ${OUTBOX_TABLE} WHERE sink = ${sinkId} AND sequence > ${after} ` +
        `ORDER BY sequence LIMIT ${chunksMax}`,
    );
    const decode = resultDecoder(statement.result, undefined);
    const found: OutboxChunk[] = [];
    for (;;) {
      const chunk = await statement.next();
      if (chunk === undefined) return found;
      for (const [sequence, data, records, createdMs] of decode(chunk)) {
        const bytes = data as Uint8Array;
        found.push({
          sinkId,
          sequence: Number(sequence),
          records: Number(records),
          createdMs: Number(createdMs),
          data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        });
      }
    }
  }

  outboxSizes(): Promise<ReadonlyMap<number, OutboxSize>> {
    return this.#write('measuring the outbox', async () => {
      const rows = await this.#writer.rows(
        `SELECT sink, sum(records)::BIGINT, sum(octet_length(data))::BIGINT FROM ${OUTBOX_TABLE} GROUP BY sink`,
      );
      return new Map(
        rows.map(([sink, records, bytes]) => [
          Number(sink),
          { records: Number(records), bytes: Number(bytes) },
        ]),
      );
    });
  }

  acknowledge(sinkId: number, upTo: number): Promise<void> {
    return this.#write('acknowledging delivered chunks', () =>
      this.#writer.run(forgetChunksSql({ sinkId, upTo })),
    );
  }

  async sizeBytes(): Promise<number> {
    const disk = this.#file.diskBytes();
    if (disk !== undefined) return disk;
    return this.#write('measuring the store', async () => {
      const sql = 'SELECT sum(memory_usage_bytes) FROM duckdb_memory()';
      const [row] = await this.#writer.rows(sql);
      return Number(row?.[0] ?? 0);
    });
  }

  async checkpoint(): Promise<void> {
    if (this.#file.walBytes() < CHECKPOINT_WAL_BYTES_MIN) return;
    await this.#write('checkpointing', () => this.#writer.run('CHECKPOINT'));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue.drained();
    await this.#readers.close();
    this.#functions.close();
    this.#writer.close();
    this.#file.close();
  }

  async #write<T>(action: string, job: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StreamError('SHUTTING_DOWN', 'the store is closed');
    try {
      return await this.#queue.run(job);
    } catch (cause) {
      throw writeFailure(action, cause);
    }
  }
}
