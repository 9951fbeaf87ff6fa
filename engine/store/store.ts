/**
 * What the engine needs from durable storage. One implementation: duckdb-store.ts. All writes go
 * through one connection, one transaction at a time; readers see a commit whole or not at all.
 */
import type { DeliveredChunks, LogStorage, Offset } from '../../connectors/connector.ts';
import type { Row } from '../../sql/base/datum.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import type { HostCall } from './host-call.ts';
import type { LogPosition } from './state-files.ts';

/** How a view's rows are stored; decided from its plan when it is created. */
export type ViewStorage =
  /** Rows are only ever added; duplicates are stored as often as they occur. */
  | { readonly kind: 'append' }
  /** At most one row per value of these columns. */
  | { readonly kind: 'keyed'; readonly key: readonly number[] }
  /** Distinct rows with a count. */
  | { readonly kind: 'bag' };

export interface StoredRelation {
  /** The catalog's id; the stored table's name derives from it. */
  readonly id: number;
  readonly schema: Schema;
  readonly storage: ViewStorage;
}

export interface ViewChange {
  readonly relation: StoredRelation;
  /**
   * Weighted rows. Over one commit they need not be consolidated for 'bag'; for 'keyed' they are: at most one -1 and one +1 a key;
   * for 'append' all weights are positive.
   */
  readonly changes: readonly Batch[];
  /** Empty the table first: the changes are the whole content (after a rebuild). */
  readonly replace: boolean;
  /** The rows are the same, but print otherwise: a new version of them. */
  readonly relabeled?: boolean | undefined;
}

export interface PartitionPosition {
  readonly relationId: number;
  readonly partition: number;
  /** The next offset to read. */
  readonly offset: Offset;
}

/** Watermarks of a stream, in microseconds since 1970. */
export interface StreamMarks {
  readonly relationId: number;
  /** Of the whole stream, as last told to its readers. */
  readonly stream: bigint | undefined;
  readonly partitions: ReadonlyMap<number, bigint>;
}

export interface OutboxChunk {
  readonly sinkId: number;
  /** Grows by one per chunk of a sink. */
  readonly sequence: number;
  readonly records: number;
  /** Milliseconds since 1970-01-01 UTC: when the rows changed. */
  readonly createdMs: number;
  /** Encoded records; opaque to the store. */
  readonly data: Buffer;
}

/** What waits for one sink. */
export interface OutboxSize {
  readonly records: number;
  readonly bytes: number;
}

/** What an epoch's transaction says about the files of operator state (state-files.ts). */
export interface EpochState {
  /** How far the log is valid; awaited before the transaction, which never names frames that are not durable. */
  readonly log: Promise<LogPosition>;
  /** The files of nodes that count from this epoch on, as JSON text of the runtime's own making; undefined = as before. */
  readonly manifest: string | undefined;
}

/** Operator state as the last commit left it. */
export interface SavedState {
  readonly log: LogPosition;
  readonly manifest: string;
}

/** Everything that one epoch changes; committed in one transaction. */
export interface EpochCommit {
  readonly epoch: number;
  readonly views: readonly ViewChange[];
  readonly positions: readonly PartitionPosition[];
  /** The streams' that have one; others keep what they had. */
  readonly watermarks: readonly StreamMarks[];
  readonly outbox: readonly OutboxChunk[];
  /** What leaves the outbox, because its rows are in these views. */
  readonly delivered?: readonly DeliveredChunks[] | undefined;
  /** Per error relation, how many failures are counted that it no longer holds; those that have changed. */
  readonly evicted?: ReadonlyMap<number, number> | undefined;
  readonly state?: EpochState | undefined;
}

/** One catalog entry as it is persisted: the statement's canonical text and what belongs to it. */
export interface CatalogEntry {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly sql: string;
  /** JSON text of the session layer's own making (resolved options, paused, first offsets …). */
  readonly detail: string;
}

/** New columns for a stored table; each is an old column or a constant (a SELECT of one value). */
export type TableRebuild =
  | {
      readonly relation: StoredRelation;
      readonly columns: readonly ({ readonly from: number } | { readonly sql: string })[];
      /** Whether the old rows were a bag, with their copies counted. */
      readonly counted: boolean;
    }
  /** All rows of the new table, instead of those of the old one. */
  | { readonly relation: StoredRelation; readonly rows: readonly Batch[] };

export interface CatalogChange {
  readonly put: readonly CatalogEntry[];
  readonly remove: readonly number[];
  /** Tables to create or drop for stored relations, in the same transaction. */
  readonly createTables: readonly StoredRelation[];
  readonly dropTables: readonly number[];
  readonly rebuildTables?: readonly TableRebuild[] | undefined;
}

export interface QueryResult {
  readonly schema: Schema;
  /** Rows in chunks of at most 2,048, read as the consumer asks for them. */
  readonly chunks: AsyncIterable<readonly Row[]>;
}

export interface StoreStatus {
  /** Of the data directory, made with it; a copy of the directory has the same. */
  readonly identity: string;
  readonly epoch: number;
  readonly positions: readonly PartitionPosition[];
  readonly watermarks: readonly StreamMarks[];
  readonly catalog: readonly CatalogEntry[];
  /** Per relation id: the epoch that changed it last. */
  readonly versions: ReadonlyMap<number, number>;
  /** Per error relation, how many failures are counted that it no longer holds. */
  readonly evicted: ReadonlyMap<number, number>;
  /** Undefined when no node's state was ever saved. */
  readonly state: SavedState | undefined;
}

/** Rows of several relations at one commit. It holds a connection until it is closed. */
export interface StoreSnapshot {
  /** One that is stopped before its end ends the snapshot: later ones may fail. */
  scan(relation: StoredRelation): AsyncIterable<Batch>;
  close(): Promise<void>;
}

export interface Store {
  readonly log: LogStorage;
  /** What the last commit left. */
  status(): Promise<StoreStatus>;
  /** Settles when the epoch is durable and visible. Never call it again before it settled. */
  commit(epoch: EpochCommit): Promise<void>;
  changeCatalog(change: CatalogChange): Promise<void>;
  /** The rows of a stored relation at the last commit, as weighted batches. */
  scan(relation: StoredRelation): AsyncIterable<Batch>;
  /**
   * Copies everything that the last commit holds into a new database file, while commits go on.
   * @returns what that commit says of operator state.
   */
  copyTo(file: string, signal: AbortSignal): Promise<SavedState | undefined>;
  /** Scans that all see the last commit before the first of them. */
  snapshot(signal?: AbortSignal | undefined): Promise<StoreSnapshot>;
  /**
   * Runs DuckDB SQL (rendered by engine/view/pull.ts) in a read transaction of its own.
   * @throws UnplannedQuery (failure.ts) for a statement that DuckDB has no plan for.
   * @param signal  cancels the statement.
   * @param calls   the host calls that `sql` names.
   */
  query(
    sql: string,
    schema: Schema,
    signal?: AbortSignal | undefined,
    calls?: readonly HostCall[] | undefined,
  ): Promise<QueryResult>;
  /** Undelivered chunks of a sink with a sequence above `after`, in order, at most `chunksMax`. */
  outbox(sinkId: number, after: number, chunksMax: number): Promise<readonly OutboxChunk[]>;
  /** What waits for each sink that has undelivered chunks. */
  outboxSizes(): Promise<ReadonlyMap<number, OutboxSize>>;
  /** Forgets delivered chunks. */
  acknowledge(sinkId: number, upTo: number): Promise<void>;
  /** Bytes on disk, or in memory for a store without a file. */
  sizeBytes(): Promise<number>;
  /** Writes the write-ahead log into the data file when it is worth it; called when idle. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}
