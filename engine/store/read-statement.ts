/**
 * One reading statement from start to end: it holds a connection and a snapshot while its chunks are fetched, and gives
 * both back when it ends, fails, is canceled, or its consumer stops or falls asleep.
 */
import duckdb from '@duckdb/node-bindings';
import { StreamError } from '../../sql/base/error.ts';
import type { Connection } from './connection.ts';
import { queryFailure } from './failure.ts';
import type { HostCall } from './host-call.ts';
import type { HostFunctions } from './host-function.ts';
import { type ConnectionLender, canceled } from './reader-pool.ts';

/** A consumer that asks for nothing for so long loses its snapshot: it would hold back the store's clean-up. */
const IDLE_MS_MAX = 60_000;

/** Functions that a statement calls back. */
export interface CallContext {
  readonly functions: HostFunctions;
  readonly calls: readonly HostCall[];
}

/** An interrupt that comes before DuckDB began to run the statement is lost, so it is repeated. */
const INTERRUPT_EVERY_MS = 20;

/**
 * Planning and running in one transaction: DuckDB drops conditions that the statistics of a column make always true, so that a
 * plan made before a commit would give rows of that commit for which they are not.
 */
export const BEGIN_READING = 'BEGIN TRANSACTION READ ONLY';

/** An interrupt that was meant for the statement before may hit the end of its transaction, once or twice. */
const ENDS_MAX = 5;

/**
 * A transaction that only reads has nothing to lose; one that has failed to begin is none to end. A database that cannot even
 * roll back tells the next statement why.
 */
export async function endReading(connection: Connection): Promise<void> {
  for (let attempt = 1; attempt <= ENDS_MAX; attempt++) {
    try {
      await connection.run('ROLLBACK');
      return;
    } catch (cause) {
      if (!/interrupt/i.test(String(cause))) return;
    }
  }
}

/**
 * Brings a result that nobody reads any more to its end. One that is not at its end keeps its database open, after all connections
 * are closed and until the garbage collector finds it: who opens the file again meanwhile writes to it beside the old one.
 */
async function abandon(connection: Connection, result: duckdb.Result): Promise<void> {
  try {
    for (;;) {
      connection.interrupt();
      const chunk = await duckdb.fetch_chunk(result);
      if (chunk === null || duckdb.data_chunk_get_size(chunk) === 0) return;
    }
  } catch {
    // What was interrupted has ended, and so has what fails by itself.
  }
}

/** Interrupts the connection once the signal fires, until the returned function is called. */
function interruptOn(connection: Connection, signal: AbortSignal | undefined): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => {
    clearInterval(timer);
    signal?.removeEventListener('abort', onAbort);
  };
}

export class ReadStatement {
  readonly #pool: ConnectionLender;
  readonly #context: CallContext | undefined;
  readonly #connection: Connection;
  readonly result: duckdb.Result;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #idle: NodeJS.Timeout | undefined;
  /** Why there will be no more chunks. */
  #stopped: StreamError | 'done' | undefined;
  #fetching = false;

  private constructor(
    pool: ConnectionLender,
    connection: Connection,
    result: duckdb.Result,
    signal: AbortSignal | undefined,
    context: CallContext | undefined,
  ) {
    this.#context = context;
    this.#pool = pool;
    this.#connection = connection;
    this.result = result;
    this.#signal = signal;
    this.#onAbort = () => this.#stop(canceled());
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#sleep();
  }

  /** @throws StreamError of the statement's planning or its first rows; PRESSURE, STATEMENT_CANCELED. */
  static async start(
    pool: ConnectionLender,
    sql: string,
    signal?: AbortSignal | undefined,
    context?: CallContext | undefined,
  ): Promise<ReadStatement> {
    const connection = await pool.acquire(signal);
    const stopInterrupting = interruptOn(connection, signal);
    try {
      await context?.functions.enter(connection, context.calls);
      if (!pool.isInTransaction) await connection.run(BEGIN_READING);
      const result = await connection.stream(sql);
      const statement = new ReadStatement(pool, connection, result, signal, context);
      if (signal?.aborted !== true) return statement;
      statement.close();
    } catch (cause) {
      // Before the rollback: one that is interrupted leaves the connection in a failed transaction, for whoever gets it next.
      stopInterrupting();
      const error = context?.functions.errorOf(cause) ?? queryFailure(cause);
      context?.functions.leave(context.calls);
      if (!pool.isInTransaction) await endReading(connection);
      pool.release(connection);
      throw error;
    } finally {
      stopInterrupting();
    }
    throw canceled();
  }

  /** The next chunk, or undefined after the last one. One call at a time. */
  async next(): Promise<duckdb.DataChunk | undefined> {
    this.#throwIfFailed();
    if (this.#stopped !== undefined) return undefined;
    clearTimeout(this.#idle);
    this.#fetching = true;
    try {
      const chunk = await duckdb.fetch_chunk(this.result);
      this.#throwIfFailed();
      if (chunk === null || duckdb.data_chunk_get_size(chunk) === 0) {
        this.#stopped = 'done';
        this.#giveBack(false);
        return undefined;
      }
      this.#sleep();
      return chunk;
    } catch (cause) {
      this.#stopped ??= this.#context?.functions.errorOf(cause) ?? queryFailure(cause);
      this.#giveBack(true);
      this.#throwIfFailed();
      throw cause;
    } finally {
      this.#fetching = false;
    }
  }

  /** Ends the statement early; safe to call at any time and more than once. */
  close(): void {
    this.#stop(this.#fetching ? canceled() : 'done');
  }

  /** `#stopped` may be set by others while a chunk is awaited, which the compiler does not know. */
  #throwIfFailed(): void {
    if (this.#stopped instanceof StreamError) throw this.#stopped;
  }

  #sleep(): void {
    this.#idle = setTimeout(() => {
      const message = `the result was not read for ${IDLE_MS_MAX / 1000} s`;
      this.#stop(new StreamError('STATEMENT_CANCELED', message));
    }, IDLE_MS_MAX);
    this.#idle.unref();
  }

  /** While a chunk is being fetched the fetch fails by itself; else the connection goes back at once. */
  #stop(reason: StreamError | 'done'): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    if (this.#fetching) this.#connection.interrupt();
    else this.#giveBack(true);
  }

  async #giveBack(resultIsOpen: boolean): Promise<void> {
    clearTimeout(this.#idle);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (resultIsOpen) await abandon(this.#connection, this.result);
    if (!this.#pool.isInTransaction) await endReading(this.#connection);
    this.#context?.functions.leave(this.#context.calls);
    this.#pool.release(this.#connection);
  }
}
