/**
 * CREATE SINK … INTO table: rows leave the outbox as changes of a table, as INSERT … ON CONFLICT DO UPDATE and DELETE would write them,
 * and in the commit that holds the changes. So each is made once, whatever crashes, and constraints and other writers are respected.
 */
import {
  allDelivered,
  type Delivered,
  type SinkChunk,
  type SinkWriter,
} from '../connectors/connector.ts';
import { choiceOption } from '../connectors/options.ts';
import { compileScalar } from '../engine/kernel/scalar.ts';
import { assert } from '../sql/base/assert.ts';
import type { Datum, Row } from '../sql/base/datum.ts';
import { errorTable, StreamError } from '../sql/base/error.ts';
import { toText } from '../sql/base/text-output.ts';
import { settledRow } from '../sql/bind-insert.ts';
import { bindContext } from '../sql/binder.ts';
import type { Sink, SourceRelation, TableSink } from '../sql/catalog.ts';
import { bareName } from './constraints.ts';
import type { Core } from './core.ts';
import { enforceReferences } from './foreign-keys.ts';
import { inTurns } from './in-turns.ts';
import { SessionSequences } from './session-sequences.ts';
import { statementContext } from './statement-context.ts';
import { boundTables, StatementDrafts } from './table-change.ts';
import type { OnConflict, RowChange, TableDraft } from './table-draft.ts';
import { rowCodec, type SinkRowCodec } from './table-sink-row.ts';
import { commitDrafts, type TableWriter } from './table-writer.ts';
import { compileRow } from './written-row.ts';

/** Classes of errors that are about a row: data exception, integrity constraint violation, program limit exceeded. */
const ROW_CLASSES: ReadonlySet<string> = new Set(['22', '23', '54']);

export type RowPolicy = 'fail' | 'skip';

/** @throws StreamError SQL_INVALID_OPTION. */
export const rowPolicy = ({ options }: Sink): RowPolicy =>
  choiceOption(options, 'on_error', ['fail', 'skip'] as const) ?? 'fail';

export class TableSinkWriter implements SinkWriter {
  /** What is still in the outbox was not delivered: the outbox itself is the position. */
  readonly position = undefined;
  readonly clearsOutbox = true;
  readonly waitsForEngine = true;
  readonly #core: Core;
  readonly #sink: Sink;
  readonly #into: TableSink;
  readonly #codec: SinkRowCodec;
  readonly #onError: RowPolicy;
  readonly #closing = new AbortController();

  constructor(core: Core, sink: Sink, into: TableSink) {
    this.#core = core;
    this.#sink = sink;
    this.#into = into;
    this.#codec = rowCodec(sink.schema);
    this.#onError = rowPolicy(sink);
  }

  async deliver(chunks: readonly SinkChunk[]): Promise<Delivered> {
    // Whoever drops the table has its turn, and waits for this.
    const closed = Promise.withResolvers<never>();
    const refuse = (): void =>
      closed.reject(new StreamError('SHUTTING_DOWN', 'the sink is closed'));
    const { signal } = this.#closing;
    signal.addEventListener('abort', refuse);
    try {
      return await Promise.race([this.#inTurn(chunks), closed.promise]);
    } finally {
      signal.removeEventListener('abort', refuse);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  async #inTurn(chunks: readonly SinkChunk[]): Promise<Delivered> {
    const { writers } = this.#core;
    for (;;) {
      const writer = writers.get(this.#into.tableId);
      assert(writer !== undefined, 'a table is not dropped before the sinks into it');
      const delivered = await inTurns(boundTables(this.#core, [writer]), async () =>
        // ALTER TABLE, whose turn was before, puts another writer in its place.
        writers.get(this.#into.tableId) === writer ? this.#change(writer, chunks) : undefined,
      );
      if (delivered !== undefined) return delivered;
    }
  }

  /** Keeps the table's turn until the change is durable, since it may be taken back until then. */
  async #change(writer: TableWriter, chunks: readonly SinkChunk[]): Promise<Delivered> {
    const last = chunks.at(-1);
    if (last === undefined) return allDelivered;
    const { signal } = this.#closing;
    signal.throwIfAborted();
    const drafts = new StatementDrafts(this.#core, undefined);
    const draft = await drafts.of(writer);
    const rows = new TargetRows(this.#core, this.#sink, this.#into, writer.relation);
    let skipped = 0;
    let reason: StreamError | undefined;
    for (const { key, value } of chunks.flatMap(({ records }) => records)) {
      const isThere = value !== null;
      const row = this.#codec.decode(value ?? key ?? Buffer.alloc(0));
      const marks = new Map(drafts.all().map((one) => [one, one.mark()]));
      try {
        const changes = isThere ? rows.put(draft, row) : rows.remove(draft, row);
        await enforceReferences(drafts, writer.relation, changes);
      } catch (error) {
        reason = this.#refused(error, writer.relation, row);
        if (this.#onError === 'fail') throw reason;
        skipped++;
        for (const one of drafts.all()) one.rollbackTo(marks.get(one) ?? 0);
      }
    }
    await this.#core.sequences.settle();
    const delivered = { sinkId: this.#sink.id, upTo: last.sequence };
    await commitDrafts(this.#core.engine, drafts.all(), { delivered, signal });
    return { skipped, reason };
  }

  /** @throws what is not about the row. */
  #refused(error: unknown, relation: SourceRelation, row: Row): StreamError {
    const sqlstate = error instanceof StreamError ? errorTable[error.code].sqlstate : '';
    if (!(error instanceof StreamError) || !ROW_CLASSES.has(sqlstate.slice(0, 2))) throw error;
    const shown = this.#sink.schema
      .map(({ type }, column) => {
        const value = row[column] ?? null;
        return value === null ? 'null' : toText(value, type);
      })
      .join(', ');
    return new StreamError(
      'SINK_REFUSED',
      `table "${bareName(relation)}" refuses a row of sink "${this.#sink.name}": ${error.message}`,
      {
        detail: `The row is (${shown.length > 500 ? `${shown.slice(0, 500)}…` : shown}).`,
        hint: "Correct the table and RESUME the sink, or create the sink with on_error = 'skip'.",
        cause: error,
      },
    );
  }
}

/** The table's rows for the sink's: columns that the query does not give keep what they have, or get their defaults. */
class TargetRows {
  readonly #into: TableSink;
  readonly #width: number;
  readonly #row: (given: Row) => Row;
  readonly #onConflict: OnConflict;

  constructor(core: Core, sink: Sink, into: TableSink, relation: SourceRelation) {
    this.#into = into;
    this.#width = relation.schema.length;
    const searchPath = core.catalog.find(sink.name)?.detail.searchPath;
    const settings = new Map(searchPath === undefined ? [] : [['search_path', searchPath]]);
    const sequences = new SessionSequences(core, noSession).access(settings);
    const statement = statementContext(core, settings, undefined, undefined, sequences);
    const context = bindContext(core.catalog, statement, 'pull');
    this.#row = compileRow(settledRow(relation, into.columns, context));
    this.#onConflict = into.key.length === 0 ? { kind: 'error' } : upsert(into, relation);
  }

  put(draft: TableDraft, given: Row): readonly RowChange[] {
    return draft.insert([this.#row(given)], this.#onConflict);
  }

  remove(draft: TableDraft, given: Row): readonly RowChange[] {
    const row = new Array<Datum | null>(this.#width).fill(null);
    for (const place of this.#into.key) row[this.#into.columns[place] ?? 0] = given[place] ?? null;
    const [before] = draft.conflicts([row], [0]);
    // Somebody else has deleted it.
    if (before === undefined) return [];
    const changes = [{ before, after: undefined }];
    draft.replace(changes);
    return changes;
  }
}

/** By the primary key, which is the first of the unique keys. */
function upsert({ columns }: TableSink, relation: SourceRelation): OnConflict {
  const generated = relation.columns.flatMap(({ from }, column) =>
    from.kind === 'generated' ? [{ column, value: compileScalar(from.expression) }] : [],
  );
  return {
    kind: 'update',
    keys: [0],
    merge: (existing, row) => {
      const merged = existing.slice(0, relation.schema.length);
      for (const column of columns) merged[column] = row[column] ?? null;
      for (const { column, value } of generated) merged[column] = value(merged);
      return merged;
    },
  };
}

function noSession(name: string): string {
  throw new StreamError('SQL_NOT_SUPPORTED', `a sink cannot set "${name}"`);
}
