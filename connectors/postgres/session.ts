/** One connection to PostgreSQL that is made when it is needed, and thrown away at the first trouble. */
import { Client, type ClientConfig, DatabaseError, type QueryArrayConfig } from 'pg';
import { StreamError } from '../../sql/base/error.ts';

/** A session that stops in the middle of a transaction must not hold its locks for ever. */
const IDLE_TIMEOUT_MS = 15_000;
const LOCK_TIMEOUT_MS = 10_000;

/** The texts that we send are read the same whatever the server's, database's or role's settings are. */
const SETTINGS = [
  "SET TimeZone = 'UTC'",
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'postgres'",
  `SET idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`,
  `SET lock_timeout = ${LOCK_TIMEOUT_MS}`,
].join('; ');

export type SqlValue = string | number;
export type SqlRow = readonly unknown[];
/** Runs one statement. */
export type Query = (text: string, values?: readonly SqlValue[]) => Promise<SqlRow[]>;

export class Session {
  readonly #config: ClientConfig;
  #client: Client | undefined;
  #closed = false;

  /** @param name  the sessions of one sink have one name, by which an older one is found and ended. */
  constructor(config: ClientConfig, name: string) {
    this.#config = { ...config, application_name: name };
  }

  /** A statement of its own. */
  readonly query: Query = async (text, values) => {
    const client = this.#client ?? (await this.#connect());
    try {
      return await run(client, text, values);
    } catch (error) {
      if (!(error instanceof DatabaseError)) this.reset();
      throw error;
    }
  };

  /** All or nothing, on one connection. Whether a COMMIT that failed took place is not known. */
  async transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = this.#client ?? (await this.#connect());
    const query: Query = (text, values) => run(client, text, values);
    try {
      await query('BEGIN');
      const result = await work(query);
      await query('COMMIT');
      return result;
    } catch (error) {
      const isWhole = error instanceof DatabaseError || error instanceof StreamError;
      if (isWhole) await query('ROLLBACK').catch(() => this.reset());
      else this.reset();
      throw error;
    }
  }

  /** Drops the connection, whatever it is doing; the server rolls back. */
  reset(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.connection.stream.destroy();
  }

  close(): void {
    this.#closed = true;
    this.reset();
  }

  async #connect(): Promise<Client> {
    if (this.#closed) throw new StreamError('SHUTTING_DOWN', 'the sink is closed');
    const client = new Client(this.#config);
    // A broken connection fails its running statement and every later one.
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined;
    });
    try {
      await client.connect();
      await client.query(SETTINGS);
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
    this.#client = client;
    return client;
  }
}

async function run(
  client: Client,
  text: string,
  values: readonly SqlValue[] = [],
): Promise<SqlRow[]> {
  const config: QueryArrayConfig<SqlValue[]> = { text, values: [...values], rowMode: 'array' };
  const result = await client.query<unknown[], SqlValue[]>(config);
  return result.rows;
}
