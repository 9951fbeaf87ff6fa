/** Scans of several relations at one commit: their statements run one after another in one transaction. */
import type { Batch } from '../delta/batch.ts';
import type { Connection } from './connection.ts';
import { BEGIN_READING, endReading } from './read-statement.ts';
import type { ConnectionLender, ReaderPool } from './reader-pool.ts';
import { scanRelation } from './scan.ts';
import type { StoredRelation, StoreSnapshot } from './store.ts';

export class ReadSnapshot implements StoreSnapshot, ConnectionLender {
  readonly isInTransaction = true;
  readonly #pool: ReaderPool;
  readonly #connection: Connection;
  /** The statement that has the connection now. */
  #busy: PromiseWithResolvers<void> | undefined;

  private constructor(pool: ReaderPool, connection: Connection) {
    this.#pool = pool;
    this.#connection = connection;
  }

  /** @throws StreamError PRESSURE, SHUTTING_DOWN; STATEMENT_CANCELED when `signal` fires while waiting. */
  static async open(pool: ReaderPool, signal: AbortSignal | undefined): Promise<ReadSnapshot> {
    const connection = await pool.acquire(signal);
    try {
      await connection.run(BEGIN_READING);
    } catch (error) {
      pool.release(connection);
      throw error;
    }
    return new ReadSnapshot(pool, connection);
  }

  scan(relation: StoredRelation): AsyncIterable<Batch> {
    return scanRelation(this, relation);
  }

  async acquire(): Promise<Connection> {
    while (this.#busy !== undefined) await this.#busy.promise;
    this.#busy = Promise.withResolvers<void>();
    return this.#connection;
  }

  release(): void {
    this.#busy?.resolve();
    this.#busy = undefined;
  }

  async close(): Promise<void> {
    await this.acquire();
    await endReading(this.#connection);
    this.#pool.release(this.#connection);
  }
}
