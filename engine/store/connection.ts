/** One DuckDB connection as the store uses it: statements that give nothing, rows, or a stream of chunks. */
import duckdb from '@duckdb/node-bindings';
import type { Datum } from '../../sql/base/datum.ts';
import { planFailure } from './failure.ts';
import { resultDecoder } from './vector-read.ts';

export class Connection {
  readonly handle: duckdb.Connection;

  private constructor(handle: duckdb.Connection) {
    this.handle = handle;
  }

  static async open(database: duckdb.Database): Promise<Connection> {
    return new Connection(await duckdb.connect(database));
  }

  /** Runs one or more statements in one call; an error stops at the failing one. */
  async run(sql: string): Promise<void> {
    await duckdb.query(this.handle, sql);
  }

  /** All rows of a small internal query. */
  async rows(sql: string): Promise<(Datum | null)[][]> {
    const result = await duckdb.query(this.handle, sql);
    const decode = resultDecoder(result, undefined);
    const rows: (Datum | null)[][] = [];
    for (;;) {
      const chunk = await duckdb.fetch_chunk(result);
      if (chunk === null || duckdb.data_chunk_get_size(chunk) === 0) return rows;
      for (const row of decode(chunk)) rows.push(row);
    }
  }

  /**
   * Starts a query whose chunks are computed as they are fetched.
   * @throws StreamError of its planning: UnplannedQuery where DuckDB has no plan; of its running, what the bindings throw.
   */
  async stream(sql: string): Promise<duckdb.Result> {
    const statement = await duckdb.prepare(this.handle, sql).catch((cause: unknown) => {
      throw planFailure(cause);
    });
    try {
      return await duckdb.execute_prepared_streaming(statement);
    } finally {
      duckdb.destroy_prepare_sync(statement);
    }
  }

  interrupt(): void {
    duckdb.interrupt(this.handle);
  }

  close(): void {
    duckdb.disconnect_sync(this.handle);
  }
}
