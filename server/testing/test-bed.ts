/** A database in memory with a clock that the test moves. After every step everything that follows from it has happened. */
import { openDuckdbStore } from '../../engine/store/duckdb-store.ts';
import type { Datum, Row } from '../../sql/base/datum.ts';
import { toText } from '../../sql/base/text-output.ts';
import { type Schema, typeName } from '../../sql/base/type.ts';
import type { Database, Session } from '../database.ts';
import { openMillraceOn } from '../millrace.ts';
import type { TextRow } from './row-diff.ts';
import { START_MICROS, VirtualClock } from './virtual-clock.ts';
import { WatchedView } from './watched-view.ts';

/** One statement of a test, with all that follows from it, takes longer than this: it hangs. */
const STEP_MS_MAX = 60_000;
const READERS = 1;

export interface FoundRows {
  readonly schema: Schema;
  readonly rows: readonly TextRow[];
}

export class TestBed {
  readonly #database: Database;
  readonly #session: Session;
  readonly #clock: VirtualClock;
  readonly #views = new Map<string, WatchedView>();
  /** Rows of streams that were asserted, by their text. */
  readonly #seen = new Map<string, Map<string, number>>();

  private constructor(database: Database, clock: VirtualClock) {
    this.#database = database;
    this.#session = database.session(undefined);
    this.#clock = clock;
  }

  static async open(): Promise<TestBed> {
    const clock = new VirtualClock(START_MICROS);
    const store = await openDuckdbStore({ path: ':memory:', readers: READERS });
    const database = await openMillraceOn(
      // Chance decides nothing that a test can see.
      {
        store,
        directory: undefined,
        stateFiles: undefined,
        connect: undefined,
        random: () => 0.5,
        clock,
      },
      {},
    );
    return new TestBed(database, clock);
  }

  async close(): Promise<void> {
    for (const view of this.#views.values()) view.close();
    this.#session.close();
    await this.#database.close();
  }

  /** Runs statements, and waits for what they set off. */
  async run(sql: string): Promise<void> {
    await this.#execute(sql);
    await this.#settle();
  }

  /** The rows of a query. */
  async query(sql: string): Promise<FoundRows> {
    const found = await this.#execute(sql);
    if (found === undefined) throw new Error('assertion failed: a query gives rows');
    return { schema: found.schema, rows: found.rows.map((row) => textRow(row, found.schema)) };
  }

  /**
   * @param by  an interval as SQL, or
   * @param to  a point in time.
   * @returns whether that is not in the past.
   */
  async advance(by: string | undefined, to: string | undefined): Promise<boolean> {
    const now = `timestamptz '1970-01-01 00:00:00+00' + ${this.#clock.wallMicros()} * interval '1 microsecond'`;
    const target = to === undefined ? `${now} + (${by})::interval` : `(${to})::timestamptz`;
    const found = await this.#execute(`SELECT ${target}`);
    const micros = found?.rows[0]?.[0];
    if (typeof micros !== 'bigint' || micros < this.#clock.wallMicros()) return false;
    this.#clock.moveTo(micros);
    await this.#settle();
    return true;
  }

  /** What has come into a relation since the last call, or left it. */
  async changesOf(
    { name, sql }: { readonly name: string; readonly sql: string },
    what: 'came' | 'left',
  ): Promise<FoundRows> {
    const view = this.#views.get(name);
    if (view === undefined) return this.#newOf(sql, what);
    const rows = what === 'came' ? view.takeCame() : view.takeLeft();
    return { schema: view.schema, rows: rows.map((row) => textRow(row, view.schema)) };
  }

  /** A stream's rows are read whole: what was not there the last time is new. */
  async #newOf(relation: string, what: 'came' | 'left'): Promise<FoundRows> {
    const { schema, rows } = await this.query(`SELECT * FROM ${relation}`);
    if (what === 'left') return { schema, rows: [] };
    const before = this.#seen.get(relation) ?? new Map<string, number>();
    const now = new Map<string, number>();
    const fresh = rows.filter((row) => {
      const key = JSON.stringify(row);
      const count = (now.get(key) ?? 0) + 1;
      now.set(key, count);
      return count > (before.get(key) ?? 0);
    });
    this.#seen.set(relation, now);
    return { schema, rows: fresh };
  }

  /** Rows as expressions, in the types of columns. */
  async valuesAs(
    schema: Schema,
    rows: readonly (readonly string[])[],
  ): Promise<readonly TextRow[]> {
    if (rows.length === 0) return [];
    const cast = (text: string, column: number): string =>
      `(${text})::${typeName((schema[column] as Schema[number]).type)}`;
    const lines = rows.map((row, i) => `SELECT ${[i, ...row.map(cast)].join(', ')}`);
    const found = await this.#execute(`${lines.join('\nUNION ALL ')}\nORDER BY 1`);
    return found?.rows.map((row) => textRow(row.slice(1), schema)) ?? [];
  }

  async #execute(
    sql: string,
  ): Promise<{ readonly schema: Schema; readonly rows: readonly Row[] } | undefined> {
    let last: { schema: Schema; rows: Row[] } | undefined;
    const signal = AbortSignal.timeout(STEP_MS_MAX);
    for await (const result of this.#session.execute(sql, [], signal)) {
      if (result.kind === 'subscription') result.subscription.close();
      if (result.kind !== 'rows') continue;
      last = { schema: result.schema, rows: [] };
      for await (const chunk of result.chunks) last.rows.push(...chunk);
    }
    return last;
  }

  async #settle(): Promise<void> {
    await this.#execute('FLUSH');
    for (const [name, view] of this.#views) if (view.isOver) this.#views.delete(name);
    const stored = this.#database
      .status()
      .views.filter(({ kind }) => kind === 'materialized-view' || kind === 'table');
    for (const { name } of stored) {
      if (this.#views.has(name)) continue;
      this.#views.set(name, await WatchedView.of(this.#database, name));
    }
    for (const [name, view] of this.#views) await view.reached(this.#database.viewVersion(name));
  }
}

function textRow(row: Row, schema: Schema): TextRow {
  return row.map((datum: Datum | null, i) =>
    datum === null ? null : toText(datum, (schema[i] as Schema[number]).type),
  );
}
