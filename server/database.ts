/**
 * What the doors (HTTP, WebSocket, REPL, later the PostgreSQL protocol) may ask of the database. They translate
 * their protocol to these calls and nothing else; the implementation is server/millrace.ts.
 */

import type { ProduceRecord, StoredRecord, TopicInfo } from '../connectors/connector.ts';
import type { OperatorStateStatus } from '../engine/runtime/durable-state.ts';
import type { RowChange } from '../engine/view/row-change.ts';
import type { Row } from '../sql/base/datum.ts';
import type { Span, StreamError } from '../sql/base/error.ts';
import type { Schema } from '../sql/base/type.ts';

export interface Database {
  /**
   * A session keeps SETs and its transaction between calls. One without a name is the caller's own, to be closed by it;
   * named ones expire. Throws SESSIONS_EXHAUSTED.
   */
  session(name: string | undefined): Session;
  /** Rows of a view for polling. Throws VIEW_UNKNOWN. */
  readView(name: string, request: ViewRequest, signal: AbortSignal): Promise<ViewAnswer>;
  /** The version (epoch of the last change) of a view, without reading it. */
  viewVersion(name: string): number;
  /** Settles when the view's version is above `since`, or `waitMs` is over, or the signal fires. */
  waitForView(name: string, since: number, waitMs: number, signal: AbortSignal): Promise<number>;
  /** Snapshot, then changes. */
  subscribe(request: SubscribeRequest): Promise<Subscription>;
  /** Encoded records into a stream's topic; settles when durable. Throws PRESSURE. */
  ingest(stream: string, records: readonly IngestRecord[]): Promise<{ readonly accepted: number }>;
  topics(): Promise<readonly TopicInfo[]>;
  produce(
    topic: string,
    records: readonly ProduceRecord[],
  ): Promise<readonly { readonly partition: number; readonly offset: number }[]>;
  readTopic(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
  ): Promise<readonly StoredRecord[]>;
  deleteTopic(topic: string): Promise<void>;
  status(): DatabaseStatus;
  /** A copy of everything as of one commit; there is one at a time. Throws BACKUP_RUNNING. */
  backup(signal: AbortSignal): Promise<Backup>;
  /** Commits and stops. */
  close(): Promise<void>;
}

/** Files of a data directory, in a place of their own until `close`. */
export interface Backup {
  readonly files: readonly {
    /** Relative to the data directory. */
    readonly name: string;
    readonly path: string;
    readonly bytes: number;
  }[];
  close(): Promise<void>;
}

/** One record of HTTP ingest: the JSON text of the value as it arrived (the stream's own format decides). */
export interface IngestRecord {
  readonly value: Buffer;
}

export interface Session {
  /**
   * Runs one or more statements in order, after the calls before this one; yields each result before the next statement starts. Throws
   * StatementFailure at the first error; what failed changed nothing.
   * @param signal  cancels the running statement.
   */
  execute(
    sql: string,
    params: readonly unknown[],
    signal: AbortSignal,
  ): AsyncIterable<StatementResult>;
  /**
   * Runs COPY … FROM STDIN or COPY … TO STDOUT, alone in its text. Throws StatementFailure; a failed COPY … FROM has changed nothing.
   * @param input  the rows of COPY … FROM STDIN, read as they are needed; left alone by COPY … TO STDOUT.
   */
  copy(
    sql: string,
    params: readonly unknown[],
    input: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<CopyResult>;
  /** Rolls back what is open. */
  close(): void;
}

/** A StreamError together with the statement it is about, for position and caret. */
export interface StatementFailure extends Error {
  readonly error: StreamError;
  /** The failing statement's own text; `at` of the error is relative to the whole `sql`. */
  readonly statement: string;
  readonly at: Span | undefined;
}

export type CopyResult =
  | { readonly kind: 'in'; readonly tag: string; readonly message: string }
  /** Whole lines. Read them, to their end or by `return`: the session waits for that. */
  | {
      readonly kind: 'out';
      readonly format: 'text' | 'csv';
      readonly chunks: AsyncGenerator<string>;
    };

export type StatementResult =
  | {
      readonly kind: 'rows';
      readonly tag: string;
      readonly schema: Schema;
      readonly chunks: AsyncIterable<readonly Row[]>;
      /** The session's time zone when it is not UTC: for values as PostgreSQL's text. */
      readonly zone?: string | undefined;
    }
  | { readonly kind: 'ok'; readonly tag: string; readonly message: string }
  | { readonly kind: 'subscription'; readonly subscription: Subscription };

export interface ViewRequest {
  /** Column = text comparisons, in PostgreSQL's text form; operators eq, ne, lt, le, gt, ge, in, like. */
  readonly where: readonly {
    readonly column: string;
    readonly operator:
      | 'eq'
      | 'ne'
      | 'lt'
      | 'le'
      | 'gt'
      | 'ge'
      | 'in'
      | 'like'
      | 'is-null'
      | 'is-not-null';
    readonly values: readonly string[];
  }[];
  readonly order: readonly { readonly column: string; readonly descending: boolean }[];
  readonly limit: number | undefined;
  readonly offset: number | undefined;
}

export interface ViewAnswer {
  readonly version: number;
  readonly schema: Schema;
  readonly chunks: AsyncIterable<readonly Row[]>;
}

export interface SubscribeRequest {
  readonly view: string;
  /** Resume after this version; undefined sends the whole view first. Throws VIEW_VERSION_GONE. */
  readonly since: number | undefined;
  readonly snapshot: boolean;
}

export interface Subscription {
  readonly schema: Schema;
  /** In version order. A slow reader gets one merged change. Ends when the view is dropped or `close` is called. */
  readonly events: AsyncIterable<SubscriptionEvent>;
  close(): void;
}

export type SubscriptionEvent =
  /** Rows of the view as of `version`; `last` closes the snapshot. */
  | {
      readonly kind: 'snapshot';
      readonly version: number;
      readonly rows: readonly Row[];
      readonly last: boolean;
    }
  | { readonly kind: 'changes'; readonly version: number; readonly changes: readonly RowChange[] };

export interface DatabaseStatus {
  readonly ready: boolean;
  /** Why not ready, for /readyz. */
  readonly reason: string | undefined;
  readonly epoch: number;
  readonly epochs: {
    readonly committed: number;
    /** Sums, for rates and histograms. */
    readonly computeMs: number;
    readonly commitMs: number;
    readonly lastCommitMs: number;
  };
  readonly streams: readonly {
    readonly name: string;
    readonly kind: 'stream' | 'table';
    readonly records: number;
    readonly bytes: number;
    /** Records that were refused, since the start of the process. */
    readonly errors: number;
    readonly lateRecords: number;
    /** Event time reached, in microseconds since 1970; undefined without WATERMARK FOR or before the first. */
    readonly watermarkMicros: bigint | undefined;
    /** Bad records that were neither replayed nor read by a later definition. */
    readonly bad: number;
    /** Of these, the ones that the error relation had no room for. */
    readonly badEvicted: number;
    readonly partitions: readonly {
      readonly partition: number;
      readonly offset: number;
      readonly endOffset: number | undefined;
    }[];
    readonly fault: string | undefined;
    /** It stopped at a bad record. */
    readonly stopped: boolean;
    /** Not read now, because a sink that its rows reach has too much to deliver. */
    readonly held: boolean;
  }[];
  /** Sinks that deliver rows, and streams that a query feeds. */
  readonly sinks: readonly {
    readonly name: string;
    readonly connector: string;
    readonly guarantee: string;
    readonly delivered: number;
    readonly skipped: number;
    readonly lagRows: number;
    readonly lagBytes: number;
    readonly lagMs: number;
    readonly fault: string | undefined;
    readonly stopped: boolean;
    readonly full: boolean;
  }[];
  readonly views: readonly {
    readonly name: string;
    readonly kind: 'materialized-view' | 'table' | 'stream' | 'sink';
    readonly version: number;
    readonly rowsIn: number;
    readonly rowsChanged: number;
    readonly stateBytes: number;
    readonly stateEntries: number;
    readonly state: 'running' | 'catching-up' | 'paused' | 'failed';
    /** 0..1 while catching up. */
    readonly progress: number;
    readonly reason: string | undefined;
    /** Paused because its state is over a budget. */
    readonly overBudget: boolean;
    /** Rows that an expression fails for now. */
    readonly failing: number;
    /** Of these, the ones that the error relation had no room for. */
    readonly failingEvicted: number;
    /** Rows that an expression failed for, since the start of the process. */
    readonly failed: number;
  }[];
  readonly storeBytes: number;
  /** Operator state on disk; undefined for a database in memory. */
  readonly operatorState?: OperatorStateStatus | undefined;
}
