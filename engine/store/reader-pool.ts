/** The connections that read, lent to one statement at a time. */
import { StreamError } from '../../sql/base/error.ts';
import type { Connection } from './connection.ts';

/** Statements that may wait for a connection; more are refused. */
const WAITING_MAX = 1_000;

interface Waiter {
  readonly lend: (connection: Connection) => void;
  readonly refuse: (error: StreamError) => void;
}

/** What a reading statement takes its connection from. */
export interface ConnectionLender {
  /** Its connections are in a transaction that their statements share. */
  readonly isInTransaction: boolean;
  acquire(signal: AbortSignal | undefined): Promise<Connection>;
  release(connection: Connection): void;
}

export class ReaderPool implements ConnectionLender {
  readonly isInTransaction = false;
  readonly #all: readonly Connection[];
  readonly #free: Connection[];
  readonly #waiting: Waiter[] = [];
  #closed = false;
  #closing: (() => void) | undefined;

  constructor(connections: readonly Connection[]) {
    this.#all = connections;
    this.#free = [...connections];
  }

  /** Prepares every connection; only before the pool is used. */
  async prepare(statements: (connection: Connection) => Promise<void>): Promise<void> {
    await Promise.all(this.#all.map(statements));
  }

  /** @throws StreamError PRESSURE, SHUTTING_DOWN; STATEMENT_CANCELED when `signal` fires while waiting. */
  async acquire(signal: AbortSignal | undefined): Promise<Connection> {
    if (signal?.aborted === true) throw canceled();
    if (this.#closed) throw shuttingDown();
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#waiting.length >= WAITING_MAX) {
      throw new StreamError('PRESSURE', `${WAITING_MAX} statements are waiting to read already`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    const waiter: Waiter = { lend: resolve, refuse: reject };
    this.#waiting.push(waiter);
    const onAbort = () => {
      const index = this.#waiting.indexOf(waiter);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      reject(canceled());
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  release(connection: Connection): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.lend(connection);
      return;
    }
    this.#free.push(connection);
    if (this.#closed && this.#free.length === this.#all.length) this.#closing?.();
  }

  /** Refuses new statements, interrupts running ones and settles when all connections are back. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(shuttingDown());
    if (this.#free.length < this.#all.length) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#closing = resolve;
      for (const connection of this.#all) {
        if (!this.#free.includes(connection)) connection.interrupt();
      }
      await promise;
    }
    for (const connection of this.#all) connection.close();
  }
}

export function canceled(): StreamError {
  return new StreamError('STATEMENT_CANCELED', 'canceling statement due to user request');
}

function shuttingDown(): StreamError {
  return new StreamError('SHUTTING_DOWN', 'the server is shutting down');
}
