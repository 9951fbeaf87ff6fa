/**
 * connector='postgres' for a sink: rows go to a table, each once. Rows and position change in one transaction; a writer that was
 * taken over finds another owner beside the position, and stops.
 */
import { randomUUID } from 'node:crypto';
import type { DatabaseError } from 'pg';
import type { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type {
  Delivered,
  SinkChunk,
  SinkConnector,
  SinkIdentity,
  SinkWriter,
} from '../connector.ts';
import { requiredOption } from '../options.ts';
import { type PostgresOptions, parsePostgresOptions } from './options.ts';
import { PositionTable } from './position-table.ts';
import { asStreamError, isRowRefused, rowRefused } from './postgres-error.ts';
import { compileRowText, type TextRow } from './row-text.ts';
import { Session } from './session.ts';
import { provideTable, type TargetTable } from './target-table.ts';
import { writeChunks } from './write-rows.ts';

export const postgresConnector: SinkConnector = {
  type: 'postgres',
  validate: (options, _schema, key, appendOnly) => {
    parsePostgresOptions(options, key, appendOnly);
  },
  guarantee: () => 'exactly once',
  encode: compileRowText,
  target: (options) => requiredOption(options, 'table'),
  open: (options, schema, key, sink) => {
    // Whether rows only come was checked with the statement.
    const parsed = parsePostgresOptions(options, key, true);
    return PostgresSinkWriter.open(parsed, schema, key, sink);
  },
};

class PostgresSinkWriter implements SinkWriter {
  readonly #options: PostgresOptions;
  readonly #schema: Schema;
  readonly #key: readonly number[];
  readonly #session: Session;
  readonly #positions: PositionTable;
  readonly #sessionName: string;
  /** Undefined until the table is known to fit, and after a failure until it was looked at again. */
  #table: TargetTable | undefined;
  #position = 0;

  private constructor(
    options: PostgresOptions,
    schema: Schema,
    key: readonly number[],
    sink: SinkIdentity,
  ) {
    this.#options = options;
    this.#schema = schema;
    this.#key = key;
    this.#sessionName = sink.name;
    this.#session = new Session(options.connection, sink.name);
    this.#positions = new PositionTable(options.table.schema, sink.name, randomUUID());
  }

  static async open(
    options: PostgresOptions,
    schema: Schema,
    key: readonly number[],
    sink: SinkIdentity,
  ): Promise<PostgresSinkWriter> {
    const writer = new PostgresSinkWriter(options, schema, key, sink);
    try {
      await writer.#takeOver();
    } catch (error) {
      writer.#session.close();
      throw asStreamError(error);
    }
    return writer;
  }

  get position(): number {
    return this.#position;
  }

  async deliver(chunks: readonly SinkChunk[]): Promise<Delivered> {
    try {
      return await this.#write(chunks, false);
    } catch (error) {
      if (!isRowRefused(error)) throw this.#failed(error);
    }
    try {
      return await this.#write(chunks, true);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async close(): Promise<void> {
    this.#session.close();
  }

  async #takeOver(): Promise<void> {
    const { query } = this.#session;
    await this.#provide();
    // The old writer may have stopped in the middle of a transaction, with the position locked.
    await query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = $1 AND usename = current_user AND datname = current_database()
         AND pid <> pg_backend_pid()`,
      [this.#sessionName],
    );
    this.#position = await this.#positions.claim(query, 0);
  }

  async #provide(): Promise<TargetTable> {
    const { query } = this.#session;
    const { table, mode } = this.#options;
    this.#table = await provideTable(query, table, this.#schema, this.#key, mode);
    await this.#positions.provide(query);
    return this.#table;
  }

  /** @param isCareful  a row was refused: find out which. */
  async #write(chunks: readonly SinkChunk[], isCareful: boolean): Promise<Delivered> {
    const table = this.#table ?? (await this.#provide());
    let skipped = 0;
    let reason: StreamError | undefined;
    const onRefused = (row: TextRow, error: DatabaseError): void => {
      reason = rowRefused(error, table.name, row);
      if (this.#options.onError === 'fail') throw reason;
      skipped++;
    };
    await this.#session.transaction(async (query) => {
      const position = await this.#positions.lock(query);
      // The row is gone with its table: what this process knows is all there is.
      if (position === undefined) await this.#positions.claim(query, this.#position);
      const known = position ?? this.#position;
      const fresh = chunks.filter(({ sequence }) => sequence > known);
      const last = fresh.at(-1)?.sequence;
      if (last === undefined) return;
      await writeChunks(query, table, fresh, isCareful ? onRefused : undefined);
      await this.#positions.move(query, last);
    });
    this.#position = chunks.at(-1)?.sequence ?? this.#position;
    return { skipped, reason };
  }

  #failed(error: unknown): StreamError {
    this.#table = undefined;
    return asStreamError(error);
  }
}
