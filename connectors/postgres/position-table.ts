/**
 * How far sinks have come, kept beside their tables: one row a sink in `millrace_positions`, changed in the transaction of the sink's
 * rows. Its owner is the writer that took the sink over last; others may not write.
 */
import { StreamError } from '../../sql/base/error.ts';
import type { Query } from './session.ts';
import { quoteTable } from './target-table.ts';

const TABLE = 'millrace_positions';

export class PositionTable {
  readonly #table: string;
  readonly #sink: string;
  readonly #owner: string;

  /** @param schema  where the sink's own table is. */
  constructor(schema: string | undefined, sink: string, owner: string) {
    this.#table = quoteTable({ schema, table: TABLE });
    this.#sink = sink;
    this.#owner = owner;
  }

  async provide(query: Query): Promise<void> {
    const [known] = await query('SELECT to_regclass($1) IS NOT NULL', [this.#table]);
    if (known?.[0] === true) return;
    await query(
      `CREATE TABLE IF NOT EXISTS ${this.#table} (sink text PRIMARY KEY, sequence bigint NOT NULL,
         owner text NOT NULL, changed_at timestamptz NOT NULL)`,
    );
  }

  /**
   * Makes this writer the owner. Waits for a transaction of the old one that is under way; one whose process has stopped is ended
   * by its session's idle timeout.
   * @param sequence  the position when there is none yet.
   */
  async claim(query: Query, sequence: number): Promise<number> {
    const [row] = await query(
      `INSERT INTO ${this.#table} AS p VALUES ($1, $2, $3, now())
       ON CONFLICT (sink) DO UPDATE SET owner = EXCLUDED.owner, changed_at = now()
       RETURNING sequence`,
      [this.#sink, sequence, this.#owner],
    );
    return Number(row?.[0]);
  }

  /**
   * The position, locked until the transaction ends; undefined when the row is gone.
   * @throws StreamError SINK_FENCED when another writer came after this one.
   */
  async lock(query: Query): Promise<number | undefined> {
    const [row] = await query(
      `SELECT sequence, owner FROM ${this.#table} WHERE sink = $1 FOR UPDATE`,
      [this.#sink],
    );
    if (row === undefined) return undefined;
    if (row[1] !== this.#owner) {
      throw new StreamError(
        'SINK_FENCED',
        `another process has taken over "${this.#sink}": this one writes no more`,
        {
          hint: 'Two servers run on copies of one data directory. Stop the one that should not write.',
        },
      );
    }
    return Number(row[0]);
  }

  /** Call it between `lock` and the end of the transaction. */
  async move(query: Query, sequence: number): Promise<void> {
    await query(`UPDATE ${this.#table} SET sequence = $2, changed_at = now() WHERE sink = $1`, [
      this.#sink,
      sequence,
    ]);
  }
}
