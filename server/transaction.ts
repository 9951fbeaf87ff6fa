/**
 * One transaction of a session. What it writes waits in drafts (rows of tables) and as encoded records (of topics) until COMMIT.
 * A statement in it reads the last commit with the transaction's own rows over it. A row that somebody else changed after
 * the transaction first used its table is a conflict, as in Kung and Robinson, "On Optimistic Methods for Concurrency
 * Control", TODS 6(2), 1981: nothing is locked, the later COMMIT fails.
 */
import type { ProduceRecord } from '../connectors/connector.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Relation, SourceRelation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import { logOf } from './definitions.ts';
import { inTurns } from './in-turns.ts';
import type { Reading } from './reading.ts';
import type { SessionLimits } from './session-limits.ts';
import { type Budget, conflict, TableDraft, type WeightedRow } from './table-draft.ts';
import { commitDrafts, type TableWriter } from './table-writer.ts';

export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

export interface TransactionModes {
  readonly isolation: Isolation;
  readonly readOnly: boolean;
}

interface Pending {
  readonly relation: SourceRelation;
  readonly records: readonly ProduceRecord[];
  readonly bytes: number;
}

interface Savepoint {
  readonly name: string;
  readonly marks: ReadonlyMap<TableDraft, number>;
  readonly pending: number;
  /** Settings at that time; the session's own business. */
  readonly settings: ReadonlyMap<string, string>;
}

export class Transaction implements Reading {
  readonly #core: Core;
  readonly #budget: TransactionBudget;
  readonly #drafts = new Map<number, TableDraft>();
  readonly #pending: Pending[] = [];
  readonly #savepoints: Savepoint[] = [];
  /** Relations read, by id: what SERIALIZABLE looks at once more when it commits. */
  readonly #reads = new Set<number>();
  #epoch: number | undefined;
  #hasRun = false;
  /** now() of all its statements, in microseconds since 1970-01-01 UTC. */
  readonly startedMicros: bigint;
  modes: TransactionModes;
  /** Why only ROLLBACK and COMMIT are left; undefined while all is well. */
  failure: StreamError | undefined;

  constructor(core: Core, limits: SessionLimits, modes: TransactionModes) {
    this.#core = core;
    this.#budget = new TransactionBudget(limits);
    this.startedMicros = core.nowMicros();
    this.modes = modes;
  }

  /** Has a statement run that reads or writes? */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /** Called before each statement that reads or writes. REPEATABLE READ and SERIALIZABLE see one state from their first on. */
  async begins(): Promise<void> {
    this.#hasRun = true;
    if (this.modes.isolation === 'read committed' || this.#epoch !== undefined) return;
    await this.#core.engine.atBoundary(async () => undefined);
    this.#epoch = this.#core.engine.epoch;
  }

  /** The draft of a table, opened when the transaction uses the table for the first time. */
  async draft(writer: TableWriter): Promise<TableDraft> {
    const known = this.#drafts.get(writer.relation.id);
    if (known !== undefined) return known;
    const draft = new TableDraft(writer, this.#budget);
    this.#drafts.set(writer.relation.id, draft);
    writer.watch(draft);
    // What came before the draft must be in what the transaction reads, or its loss would not be noticed.
    await writer.settled();
    return draft;
  }

  /** The draft if it changes anything: what reads of the table must see. */
  overlay(relation: Relation): TableDraft | undefined {
    const draft = this.#drafts.get(relation.id);
    return draft === undefined || draft.isEmpty ? undefined : draft;
  }

  /** Called for every relation of a query before it runs. */
  async reads(relations: readonly Relation[]): Promise<void> {
    for (const relation of relations) {
      this.#reads.add(relation.id);
      const writer = this.#core.writers.get(relation.id);
      if (writer !== undefined) await this.draft(writer);
      if (relation.kind === 'stream' && this.modes.isolation !== 'read committed') {
        throw new StreamError(
          'SQL_NOT_SUPPORTED',
          `stream "${relation.name}" cannot be read in a transaction of this isolation level`,
          { hint: 'Read a materialized view of it, or use READ COMMITTED.' },
        );
      }
    }
  }

  /** Called when a query has its snapshot. @throws StreamError TRANSACTION_CONFLICT when it is not the transaction's. */
  async hasRead(relations: readonly Relation[]): Promise<void> {
    if (this.#epoch === undefined) return;
    await this.#core.engine.atBoundary(async () => undefined);
    this.#requireUnchanged(relations.map(({ id }) => id));
  }

  #requireUnchanged(ids: Iterable<number>): void {
    for (const id of ids) {
      const version = this.#core.engine.version(id);
      if (version === undefined || version > (this.#epoch ?? 0)) throw conflict();
    }
  }

  /** What the transaction has written until now, for a statement that must not see its own changes. */
  snapshot(): Reading {
    const written = new Map<number, readonly WeightedRow[]>();
    for (const [id, draft] of this.#drafts) {
      if (!draft.isEmpty) written.set(id, [...draft.changes()]);
    }
    return {
      reads: (relations) => this.reads(relations),
      hasRead: (relations) => this.hasRead(relations),
      overlay: ({ id }) => {
        const changes = written.get(id);
        return changes && { changes: () => changes };
      },
    };
  }

  addRecords(relation: SourceRelation, records: readonly ProduceRecord[]): void {
    let bytes = 0;
    for (const { key, value } of records) bytes += (key?.length ?? 0) + (value?.length ?? 0);
    this.#budget.take(bytes, records.length);
    this.#pending.push({ relation, records, bytes });
  }

  // -------------------------------------------------------------- savepoints

  savepoint(name: string, settings: ReadonlyMap<string, string>): void {
    const marks = new Map([...this.#drafts.values()].map((draft) => [draft, draft.mark()]));
    this.#savepoints.push({ name, marks, pending: this.#pending.length, settings });
  }

  /** @throws StreamError TRANSACTION_UNKNOWN_SAVEPOINT. */
  release(name: string): void {
    this.#savepoints.length = this.#indexOf(name);
  }

  /** The savepoint stays. @returns the settings as they were. */
  rollbackTo(name: string): ReadonlyMap<string, string> {
    const index = this.#indexOf(name);
    const savepoint = this.#savepoints[index];
    this.#savepoints.length = index + 1;
    for (const draft of this.#drafts.values()) draft.rollbackTo(savepoint?.marks.get(draft) ?? 0);
    for (const { records, bytes } of this.#pending.splice(savepoint?.pending ?? 0)) {
      this.#budget.give(bytes, records.length);
    }
    this.failure = undefined;
    return savepoint?.settings ?? new Map();
  }

  #indexOf(name: string): number {
    const index = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
    if (index >= 0) return index;
    throw new StreamError('TRANSACTION_UNKNOWN_SAVEPOINT', `savepoint "${name}" does not exist`);
  }

  // --------------------------------------------------------------------- end

  /**
   * Makes everything durable; all tables change in one epoch. Records of topics are appended just before that, topic by topic.
   * The transaction is over, also when this fails.
   * @throws StreamError TRANSACTION_CONFLICT, and what a topic's log refuses.
   */
  async commit(): Promise<void> {
    try {
      if (this.modes.isolation === 'serializable' && this.#epoch !== undefined) {
        // One at a time to the end: two of them cannot each miss what the other writes.
        await this.#core.serializable.run(async () => {
          await this.#core.engine.atBoundary(async () => undefined);
          this.#requireUnchanged(this.#reads);
          await (await this.#commitDrafts()).committed;
        });
      } else {
        await (await this.#commitDrafts()).committed;
      }
    } finally {
      this.close();
    }
  }

  async #commitDrafts(): Promise<{ readonly committed: Promise<void> }> {
    const drafts = [...this.#drafts.values()]
      .filter((draft) => !draft.isEmpty || draft.relied.size > 0)
      .sort((a, b) => a.writer.relation.id - b.writer.relation.id);
    await this.#core.engine.untilRoom(drafts.map(({ writer }) => writer.relation.id));
    return inTurns(
      drafts.map(({ writer }) => writer),
      async () => {
        for (const draft of drafts) {
          requireTable(this.#core, draft.writer);
          draft.writer.validate(draft);
        }
        await this.#publish();
        return { committed: commitDrafts(this.#core.engine, drafts) };
      },
    );
  }

  async #publish(): Promise<void> {
    const byTopic = new Map<string, { relation: SourceRelation; records: ProduceRecord[] }>();
    for (const { relation, records } of this.#pending) {
      const topic = relation.input?.topic ?? '';
      const known = byTopic.get(topic) ?? { relation, records: [] };
      for (const record of records) known.records.push(record);
      byTopic.set(topic, known);
    }
    for (const [topic, { relation, records }] of byTopic) {
      await logOf(this.#core.connectors, relation)?.produce(topic, records);
    }
  }

  /** Forgets everything; safe to call more than once. */
  close(): void {
    for (const draft of this.#drafts.values()) draft.writer.unwatch(draft);
    this.#drafts.clear();
    this.#pending.length = 0;
    this.#savepoints.length = 0;
  }
}

function requireTable(core: Core, writer: TableWriter): void {
  if (core.writers.get(writer.relation.id) === writer) return;
  throw new StreamError(
    'SQL_UNKNOWN_RELATION',
    `relation "${writer.relation.name}" was dropped or altered during the transaction`,
  );
}

class TransactionBudget implements Budget {
  readonly #limits: SessionLimits;
  #rows = 0;
  #bytes = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  take(bytes: number, rows = 1): void {
    const { transactionRowsMax, transactionBytesMax } = this.#limits;
    if (this.#rows + rows > transactionRowsMax) throw tooLarge(`${transactionRowsMax} rows`);
    if (this.#bytes + bytes > transactionBytesMax) throw tooLarge(`${transactionBytesMax} bytes`);
    this.#rows += rows;
    this.#bytes += bytes;
  }

  give(bytes: number, rows = 1): void {
    this.#rows -= rows;
    this.#bytes -= bytes;
  }
}

function tooLarge(limit: string): StreamError {
  return new StreamError('TRANSACTION_TOO_LARGE', `a transaction may change at most ${limit}`, {
    hint: 'Commit more often; a single statement outside of a transaction has no such limit.',
  });
}
