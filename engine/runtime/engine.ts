/**
 * The epoch loop: take what each source has, run all plans to the end, commit; the commit of one epoch
 * runs in the store's thread while the next one is computed. Catalog changes happen between two epochs.
 */
import type { Offset } from '../../connectors/connector.ts';
import type { Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { LATE_COLUMNS } from '../../sql/late-relation.ts';
import type { Batch } from '../delta/batch.ts';
import type { StateFiles } from '../store/state-files.ts';
import type {
  EpochCommit,
  OutboxChunk,
  SavedState,
  Store,
  StoredRelation,
  StreamMarks,
  ViewChange,
} from '../store/store.ts';
import type { ViewFeed } from '../view/subscription.ts';
import { findOverBudget } from './budget.ts';
import { DeadLetters } from './dead-letters.ts';
import {
  DurableState,
  type OperatorStateStatus,
  type StateCommit,
  type StateLimits,
} from './durable-state.ts';
import { ErrorRows } from './error-rows.ts';
import type { GraphNode } from './graph.ts';
import { LateRows } from './late-rows.ts';
import { SinkOutput, ViewOutput } from './output.ts';
import { stopBroken } from './plan-failure.ts';
import { PlanSet } from './plan-set.ts';
import type {
  PlanReading,
  PlanStart,
  PlanTask,
  SinkDefinition,
  StreamOffsets,
  TableDefinition,
  ViewDefinition,
} from './plan-task.ts';
import { beginReplay, endReplayWhenDone, type Log } from './replay.ts';
import { type ReplayCounts, replayBatches } from './replay-batch.ts';
import { Bell } from './signal.ts';
import { recoverState } from './state-recovery.ts';
import { type StreamDefinition, StreamTask } from './stream-task.ts';
import { type TaskStatus, taskStatus } from './task-status.ts';
import { Waiters } from './waiters.ts';

/** Bytes taken from one source per step; a step is the longest time that the event loop waits. */
const STEP_BYTES = 4 * 1024 * 1024;
/** Records that one epoch may gather while the commit before it still runs. */
const EPOCH_RECORDS_MAX = 1_000_000;
/** A busy epoch lasts this many times the commit before it, so that commits take a bounded share. */
const EPOCH_TO_COMMIT_RATIO = 5;
const EPOCH_MIN_MS = 2;
const EPOCH_MAX_MS = 500;
/** Longest sleep of the loop; everything that matters rings its bell before. */
const IDLE_WAIT_MS = 1_000;
/** A failing commit is repeated this often before the engine stops. */
const COMMIT_ATTEMPTS_MAX = 5;
const COMMIT_RETRY_WAIT_MS = 100;
/** How often ends of sources are asked for lag and progress. */
const ENDS_REFRESH_MS = 1_000;
/** How often the operators' state is held against the budgets. */
const BUDGET_CHECK_MS = 100;

export interface EngineOptions {
  readonly store: Store;
  /** Where operators' state is kept; undefined for a database in memory. */
  readonly stateFiles?: StateFiles | undefined;
  readonly stateLimits?: Partial<StateLimits> | undefined;
  readonly random: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Microseconds since 1970 by the wall clock. */
  readonly wallMicros: () => bigint;
  /** Called for faults that nobody waits for. */
  readonly log: Log;
  /** A view has caught up with the common epoch for the first time. */
  readonly onLevel: (taskId: number) => void;
  /** Bytes that the operators of all plans together may hold. */
  readonly stateBytesMax: number;
  /** A view holds more than it may: it has to be taken out, which only a later boundary can do. */
  readonly onOverBudget: (taskId: number, reason: string) => void;
}

interface BoundaryRequest {
  readonly run: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Weighted rows for a table that SQL writes. */
export interface TableBatch {
  readonly tableId: number;
  readonly batch: Batch;
}

/** Changes of one or more tables that become visible together. */
interface TableChange {
  readonly batches: readonly TableBatch[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What an epoch leaves to do once it is durable. */
interface Committing {
  readonly commit: EpochCommit;
  readonly changed: readonly { readonly task: PlanTask; readonly change: ViewChange }[];
  readonly reached: readonly {
    readonly stream: StreamTask;
    readonly positions: ReadonlyMap<number, Offset>;
  }[];
  readonly tableChanges: readonly TableChange[];
  readonly state: StateCommit | undefined;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #plans: PlanSet;
  readonly #durable: DurableState | undefined;
  readonly #errors: ErrorRows;
  readonly #late: LateRows;
  readonly #deadLetters: DeadLetters;
  readonly #bell = new Bell();
  readonly #waiters = new Waiters();
  readonly #boundaries: BoundaryRequest[] = [];
  readonly #tableChanges: TableChange[] = [];
  #epoch: number;
  #epochRecords = 0;
  #epochStartedMs = 0;
  #inEpoch: TableChange[] = [];
  #isDirty = false;
  #commit: Promise<void> | undefined;
  #isReplaying = false;
  #isClosed = false;
  #failure: StreamError | undefined;
  #loop: Promise<void> | undefined;
  #endsRefreshedMs = Number.NEGATIVE_INFINITY;
  #endsRefresh: Promise<void> | undefined;
  #budgetCheckedMs = Number.NEGATIVE_INFINITY;
  readonly stats = { committed: 0, computeMs: 0, commitMs: 0, lastCommitMs: 0 };

  /**
   * @param epoch    the last one that the store committed.
   * @param evicted  per error relation, the failures that it counted and no longer held then.
   */
  constructor(options: EngineOptions, epoch: number, evicted: ReadonlyMap<number, number>) {
    this.#options = options;
    const { store, random, stateFiles, stateLimits: limits, log, now } = options;
    const plans = new PlanSet(store, random, () => this.#wallMs(), this.#bell.ring);
    this.#plans = plans;
    const wake = this.#bell.ring;
    this.#durable =
      stateFiles === undefined
        ? undefined
        : new DurableState({ plans, files: stateFiles, limits, log, now, wake });
    this.#errors = new ErrorRows(plans, evicted);
    this.#late = new LateRows(plans);
    this.#deadLetters = new DeadLetters(plans);
    this.#epoch = epoch;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get failure(): StreamError | undefined {
    return this.#failure;
  }

  /** Milliseconds of the engine's clock, for ages of what it shows. */
  get nowMs(): number {
    return this.#options.now();
  }

  get isReplaying(): boolean {
    return this.#isReplaying;
  }

  get nodes(): readonly GraphNode[] {
    return this.#plans.graph.nodes;
  }

  // ------------------------------------------------------------- definitions

  /**
   * A stream is read only while a plan reads it.
   * @param lateTableId  where its late rows go; undefined for a stream without a watermark.
   */
  addStream(
    definition: StreamDefinition,
    errorTableId: number,
    lateTableId: number | undefined,
  ): void {
    const { now, wallMicros } = this.#options;
    const { id, topic } = definition;
    const task = new StreamTask(
      definition,
      (_, records, record, error) => {
        if (this.#isReplaying) return;
        this.#errors.addRecord(errorTableId, topic, records, record, error);
        this.#deadLetters.add(id, topic, records, record, error);
        this.#markDirty();
      },
      this.#bell.ring,
      {
        clock: { now, wallMicros },
        report: (stream, records, record, watermark) => {
          if (lateTableId === undefined) return;
          this.#late.add(lateTableId, stream, records, record, watermark);
          this.#markDirty();
        },
      },
      this.#errors.places,
      (partition, first, last) => this.#errors.refused(errorTableId, partition, first, last),
    );
    this.#plans.streams.set(definition.id, task);
  }

  /** After a restart: the time by which rows were in the views of the last commit. */
  restoreWallClock(micros: bigint | undefined): void {
    this.#plans.restoreWallClock(micros);
  }

  /** After a restart: the stream's watermarks as the last commit held them, and which of its records were late. */
  async restoreWatermark(marks: StreamMarks, late: StoredRelation): Promise<void> {
    const stream = this.#plans.streams.get(marks.relationId);
    if (stream === undefined) return;
    stream.restoreWatermark(marks);
    const partition = late.schema.length - LATE_COLUMNS;
    for await (const batch of this.#options.store.scan(late)) {
      for (let row = 0; row < batch.length; row++) {
        const values = batch.row(row);
        stream.knownLate.add(Number(values[partition]), Number(values[partition + 1]));
      }
    }
  }

  addTable(definition: TableDefinition, version: number): void {
    this.#plans.addTable(definition, version);
  }

  /** Gives a table other columns; call it inside `atBoundary`, with its stored rows changed already. */
  alterTable(definition: TableDefinition): void {
    this.#plans.alterTable(definition);
  }

  /** A relation that holds failures. Define it before what may fail. */
  addErrorTable(definition: TableDefinition, version: number): void {
    this.#plans.addTable(definition, version);
    this.#errors.addTable(definition.stored);
  }

  /** Runs `change` between two epochs, with no commit under way. Changes run one after another. */
  atBoundary<T>(change: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#loop === undefined) return change();
    return new Promise<T>((resolve, reject) => {
      this.#boundaries.push({
        run: change,
        resolve: (value) => resolve(value as T),
        reject,
      });
      this.#bell.ring();
    });
  }

  /**
   * Starts a new plan for a view; call it inside `atBoundary`.
   * @param replace  its first commit takes the place of the rows that are stored.
   */
  async startView(
    definition: ViewDefinition,
    replace: boolean,
    reading: PlanReading = {},
  ): Promise<PlanStart> {
    // A number that no commit has: a view of the same name may have ended with this epoch's.
    this.#epoch++;
    const task = this.#plans.addView(definition, this.#epoch);
    this.#errors.follow(task, definition.fragment.nodes, definition.failures);
    if (!(task.output instanceof SinkOutput)) task.output.replace = replace;
    if (replace) this.#errors.restart(task);
    return this.#started(this.#plans.start(task, definition.fragment, this.#epoch, reading));
  }

  async startSink(definition: SinkDefinition, reading: PlanReading = {}): Promise<PlanStart> {
    const task = this.#plans.addSink(definition, this.#epoch);
    this.#errors.follow(task, definition.fragment.nodes, definition.failures);
    return this.#started(this.#plans.start(task, definition.fragment, this.#epoch, reading));
  }

  /** Also a plan over empty inputs has something to say, in an epoch of its own. */
  async #started(start: Promise<PlanStart>): Promise<PlanStart> {
    const started = await start;
    this.#markDirty();
    this.#bell.ring();
    return started;
  }

  /**
   * After a restart: registers a view as the last commit left it. `begin` gives its operators their state.
   * @param start     as `startView` gave it.
   * @param wasLevel  it had caught up, so the stored rows are whole; else it begins anew.
   */
  restoreView(
    definition: ViewDefinition,
    version: number,
    start: PlanStart,
    wasLevel: boolean,
  ): void {
    const task = this.#plans.addView(definition, version);
    this.#errors.follow(task, definition.fragment.nodes, definition.failures);
    this.#plans.restore(task, start, wasLevel);
  }

  /** @param wasLevel  it had caught up, so what it had to deliver before is delivered or in the outbox. */
  restoreSink(definition: SinkDefinition, start: PlanStart, wasLevel: boolean): void {
    const task = this.#plans.addSink(definition, this.#epoch);
    this.#errors.follow(task, definition.fragment.nodes, definition.failures);
    this.#plans.restore(task, start, wasLevel);
  }

  /**
   * A sink that has caught up, and whose state says so durably, may deliver. Earlier a crash would make it begin anew, and rows
   * that had left would leave again.
   */
  releaseSink(id: number): void {
    this.#plans.tasks.get(id)?.drain?.start();
  }

  /**
   * A paused sink delivers nothing, and its rows gather. Going on also helps one that its destination has stopped.
   * @returns whether that changed anything.
   */
  async pauseSink(id: number, paused: boolean): Promise<boolean> {
    const drain = this.#plans.tasks.get(id)?.drain;
    if (drain === undefined) return false;
    return paused ? drain.pause() : drain.resume();
  }

  /** Removes whatever has this id; call it inside `atBoundary`. */
  remove(id: number): Promise<void> {
    this.#errors.remove(id);
    return this.#plans.remove(id);
  }

  /** Bad records of the stream go to this sink (over `deadLetterFragment`) too; undefined = to none. */
  routeDeadLetters(streamId: number, sinkId: number | undefined): void {
    this.#deadLetters.route(streamId, sinkId);
  }

  /** Reads a stream by another definition from now on; call it inside `atBoundary`. */
  redefineStream(definition: StreamDefinition): void {
    this.#plans.streams.get(definition.id)?.redefine(definition);
    this.#bell.ring();
  }

  /** A stream that stopped at a bad record goes on after it. @returns false when it did not stop. */
  skipRecord(id: number): boolean {
    const skips = this.#plans.streams.get(id)?.skipRecord() === true;
    this.#bell.ring();
    return skips;
  }

  /**
   * Reads refused records again, by the present definition; those that are rows now leave the error relation in the
   * commit that holds their effects. Call it inside `atBoundary`.
   * @param isMeant  of the error relation's rows.
   */
  replayErrors(streamId: number, tableId: number, isMeant: (row: Row) => boolean): ReplayCounts {
    const stream = this.#plans.streams.get(streamId);
    const table = this.#errors.table(tableId);
    const counts = { replayed: 0, failed: 0, cut: 0 };
    if (stream === undefined || table === undefined) return counts;
    const meant = [...table.rows()].filter(isMeant);
    for (const { rows, records } of replayBatches(meant)) {
      const failed = stream.replay(records);
      rows.forEach((row, record) => {
        if (failed.has(record)) counts.failed++;
        else {
          counts.replayed++;
          table.add(row, -1);
        }
      });
    }
    counts.cut = meant.length - counts.replayed - counts.failed;
    this.#markDirty();
    return counts;
  }

  /** A stream that goes on also tries again the record that it stopped at. */
  pauseStream(id: number, paused: boolean): boolean {
    const stream = this.#plans.streams.get(id);
    if (stream === undefined) return false;
    stream.paused = paused;
    if (!paused) stream.retry();
    this.#bell.ring();
    return true;
  }

  /**
   * Starts the loop. After a restart operators get their state back from the files of operator state, or from a replay up
   * to the committed positions.
   * @param saved    what the last commit said of those files.
   * @param damage   they cannot be used: everything is rebuilt, if that is possible without a gap.
   * @throws StreamError STATE_DAMAGED, after which this engine is useless.
   */
  async begin(
    committed: StreamOffsets,
    saved: SavedState | undefined,
    damage?: StreamError | undefined,
  ): Promise<void> {
    const { store, log, stateFiles } = this.#options;
    const plans = this.#plans;
    const refuse = (reason: string): never => {
      throw new StreamError('STATE_DAMAGED', `${damage?.message}; ${reason}`, { cause: damage });
    };
    const usable = damage === undefined ? saved : undefined;
    for (const [id, stream] of plans.streams) stream.committed = committed.get(id) ?? new Map();
    await this.#errors.load(store);
    for (const task of plans.tasks.values()) {
      if (task.state === 'catching-up') this.#errors.restart(task);
    }
    // Before sinks go on: this may fail, after which another engine begins.
    const recovered =
      stateFiles === undefined || usable === undefined
        ? undefined
        : await recoverState(plans, stateFiles, usable, log);
    const mustBeWhole = damage === undefined ? undefined : refuse;
    await beginReplay(plans, store, committed, log, mustBeWhole);
    await plans.restoreSinks();
    await this.#durable?.begin(saved, recovered, this.#epoch);
    this.#isReplaying = true;
    this.#loop = this.#run();
  }

  // -------------------------------------------------------------------- loop

  async #run(): Promise<void> {
    try {
      while (!this.#isClosed) await this.#turn();
      await this.#settle();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  async #turn(): Promise<void> {
    const startedMs = this.#options.now();
    const consumed = this.#step();
    if (consumed > 0) this.stats.computeMs += this.#options.now() - startedMs;
    if (this.#isReplaying) {
      this.#endReplay();
      if (consumed === 0 && this.#isReplaying) await this.#bell.wait(IDLE_WAIT_MS);
      else await nextTurn();
      return;
    }
    const { now, wallMicros } = this.#options;
    if (this.#plans.areClocksDue(now(), wallMicros())) this.#markDirty();
    if (this.#boundaries.length > 0) {
      await this.#runBoundaries();
      return;
    }
    if (this.#shouldClose(consumed)) {
      if (this.#commit !== undefined) await this.#commit;
      await this.#closeEpoch();
    }
    this.#refreshEnds();
    this.#checkBudgets();
    if (consumed > 0) await nextTurn();
    else if (!this.#isDirty || this.#commit !== undefined) await this.#idle();
  }

  async #idle(): Promise<void> {
    if (!this.#isDirty && this.#commit === undefined && this.#durable !== undefined) {
      // A plan that became level with the last epoch there was.
      this.#plans.share();
      this.#durable.step(true);
      if (this.#durable.isPending) {
        this.#markDirty();
        return;
      }
    }
    await this.#bell.wait(Math.min(IDLE_WAIT_MS, this.#plans.tickMs));
  }

  #step(): number {
    const held = this.#plans.held();
    if (!this.#isReplaying) this.#takeTableChanges(held);
    let consumed = 0;
    for (const [id, stream] of this.#plans.streams) {
      stream.held = held.has(id);
      consumed += stream.step(STEP_BYTES);
    }
    if (consumed > 0) this.#markDirty();
    this.#epochRecords += consumed;
    return consumed;
  }

  /** @param held  tables whose changes wait. */
  #takeTableChanges(held: ReadonlySet<number>): void {
    const waiting = new Set(held);
    for (const change of this.#tableChanges.splice(0)) {
      // A transaction that waits keeps later changes of all its tables behind it.
      if (change.batches.some(({ tableId }) => waiting.has(tableId))) {
        for (const { tableId } of change.batches) waiting.add(tableId);
        this.#tableChanges.push(change);
        continue;
      }
      const targets = change.batches.map(({ tableId, batch }) => ({
        task: this.#plans.tasks.get(tableId),
        batch,
      }));
      if (targets.some(({ task }) => task === undefined)) {
        change.reject(new StreamError('SQL_UNKNOWN_RELATION', 'the table was dropped'));
        continue;
      }
      this.#inEpoch.push(change);
      this.#markDirty();
      for (const { task, batch } of targets) task?.root.emit(batch);
    }
  }

  #endReplay(): void {
    if (!endReplayWhenDone(this.#plans, this.#options.log)) return;
    this.#isReplaying = false;
    this.#epochRecords = 0;
    // Plans that began anew are level only with the commit that holds what they have gathered.
    this.#markDirty();
  }

  #markDirty(): void {
    if (!this.#isDirty) this.#epochStartedMs = this.#options.now();
    this.#isDirty = true;
  }

  #shouldClose(consumed: number): boolean {
    if (!this.#isDirty) return false;
    if (this.#epochRecords >= EPOCH_RECORDS_MAX || this.#durable?.isFull === true) return true;
    if (this.#commit !== undefined) return false;
    if (consumed === 0) return true;
    const targetMs = Math.min(
      Math.max(EPOCH_TO_COMMIT_RATIO * this.stats.lastCommitMs, EPOCH_MIN_MS),
      EPOCH_MAX_MS,
    );
    return this.#options.now() - this.#epochStartedMs >= targetMs;
  }

  async #runBoundaries(): Promise<void> {
    await this.#settle();
    for (const request of this.#boundaries.splice(0)) {
      try {
        request.resolve(await request.run());
      } catch (error) {
        request.reject(error);
      }
    }
  }

  /** Commits what is open and waits until it is durable. */
  async #settle(): Promise<void> {
    if (this.#commit !== undefined) await this.#commit;
    if (this.#isDirty && !this.#isReplaying) {
      await this.#closeEpoch();
      await this.#commit;
    }
  }

  async #closeEpoch(): Promise<void> {
    // What comes after an epoch that could not be committed builds on it, and must never be committed without it.
    if (this.#failure !== undefined) return;
    const startedMs = this.#options.now();
    this.#deadLetters.emit();
    this.#errors.emit();
    this.#late.emit();
    this.#strikeClocks(startedMs);
    this.#plans.graph.flush();
    // Operators may fail as they flush, and plans may read what failed in others: no plan reads its own errors, so it ends.
    while (this.#errors.emit()) this.#plans.graph.flush();
    stopBroken(this.#plans, this.#options.log);
    const committing = this.#drainOutputs();
    this.#isDirty = false;
    this.#epochRecords = 0;
    this.stats.computeMs += this.#options.now() - startedMs;
    await this.#plans.joinLevel();
    if (committing === undefined) {
      for (const change of this.#inEpoch.splice(0)) change.resolve();
      this.#announceLevel();
      this.#waiters.check();
      return;
    }
    this.#commit = this.#commitEpoch(committing).then(
      () => this.#committed(committing),
      (cause) => {
        for (const change of committing.tableChanges) change.reject(cause);
        this.#fail(cause);
      },
    );
    this.#durable?.step(false);
  }

  /** Milliseconds since 1970-01-01 UTC. */
  #wallMs(): number {
    return Number(this.#options.wallMicros()) / 1000;
  }

  #strikeClocks(nowMs: number): void {
    const readsWall = Number.isFinite(this.#plans.tickMs);
    this.#plans.strikeClocks(nowMs, readsWall ? this.#options.wallMicros() : undefined);
  }

  /** Everything that the epoch changed; undefined when that is nothing. */
  #drainOutputs(): Committing | undefined {
    const outbox: OutboxChunk[] = [];
    const changed: { task: PlanTask; change: ViewChange }[] = [];
    for (const task of this.#plans.tasks.values()) {
      if (task.output instanceof SinkOutput) {
        outbox.push(...task.output.drain(this.#wallMs()));
        continue;
      }
      const change = task.output.drain();
      if (change !== undefined) changed.push({ task, change });
    }
    const positions = this.#plans.changedPositions();
    const isEmpty = changed.length === 0 && outbox.length === 0 && positions.length === 0;
    if (isEmpty && this.#durable?.isPending !== true) return undefined;
    const state = this.#durable?.cut(this.#epoch + 1);
    const views = changed.map(({ change }) => change);
    const reached = [...this.#plans.streams.values()].map((stream) => ({
      stream,
      positions: new Map(stream.positions),
    }));
    const tableChanges = this.#inEpoch;
    this.#inEpoch = [];
    const evicted = this.#errors.takeEvicted();
    const watermarks = this.#plans.watermarks();
    const commit = { epoch: this.#epoch + 1, views, positions, watermarks, outbox, evicted };
    return { commit, changed, reached, tableChanges, state };
  }

  async #commitEpoch({ commit: epoch, state }: Committing): Promise<void> {
    const startedMs = this.#options.now();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#options.store.commit({ ...epoch, state: state?.write() });
        break;
      } catch (cause) {
        if (attempt === COMMIT_ATTEMPTS_MAX) throw cause;
        this.#options.log('warn', `commit of epoch ${epoch.epoch} failed, trying again`, cause);
        await new Promise((resolve) => setTimeout(resolve, COMMIT_RETRY_WAIT_MS * attempt));
      }
    }
    this.stats.lastCommitMs = this.#options.now() - startedMs;
    this.stats.commitMs += this.stats.lastCommitMs;
    this.stats.committed++;
  }

  #committed({ commit, changed, reached, tableChanges, state }: Committing): void {
    this.#commit = undefined;
    this.#epoch = commit.epoch;
    state?.committed();
    for (const { stream, positions } of reached) stream.committed = positions;
    for (const { task, change } of changed) {
      task.version = commit.epoch;
      const isAnew = change.replace || change.relabeled === true;
      task.feed?.publish(commit.epoch, change.changes, isAnew);
    }
    for (const { id, drain } of this.#plans.tasks.values()) {
      drain?.committed(commit.outbox.filter((chunk) => chunk.sinkId === id));
    }
    for (const change of tableChanges) change.resolve();
    this.#announceLevel();
    this.#waiters.check();
    this.#bell.ring();
  }

  #announceLevel(): void {
    for (const { id } of this.#plans.newlyLevel()) this.#options.onLevel(id);
  }

  #fail(cause: unknown): void {
    const failure =
      cause instanceof StreamError
        ? cause
        : new StreamError('INTERNAL', `the engine stopped: ${String(cause)}`, { cause });
    this.#isClosed = true;
    this.#options.log('error', 'the engine stopped', cause);
    this.#refuse(failure);
  }

  /** Nothing more will be done: everybody who waits is told. */
  #refuse(failure: StreamError): void {
    this.#failure ??= failure;
    for (const request of this.#boundaries.splice(0)) request.reject(failure);
    for (const change of [...this.#tableChanges.splice(0), ...this.#inEpoch.splice(0)]) {
      change.reject(failure);
    }
    this.#waiters.releaseAll();
  }

  // ------------------------------------------------------------------- users

  /** Applies rows to SQL tables, all in one epoch; settles when it is committed. */
  changeTables(batches: readonly TableBatch[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#tableChanges.push({ batches, resolve, reject });
      this.#bell.ring();
    });
  }

  /** Gives relations a new version, since their rows print otherwise from now on; who follows them has to begin anew. */
  relabel(ids: readonly number[]): void {
    for (const id of ids) {
      const output = this.#plans.tasks.get(id)?.output;
      if (output instanceof ViewOutput) output.relabeled = true;
    }
    this.#markDirty();
    this.#bell.ring();
  }

  version(id: number): number | undefined {
    return this.#plans.tasks.get(id)?.version;
  }

  feed(id: number): ViewFeed | undefined {
    return this.#plans.tasks.get(id)?.feed;
  }

  /** Settles when the relation's version is above `since`, after `waitMs`, or when the signal fires. */
  waitForVersion(id: number, since: number, waitMs: number, signal: AbortSignal): Promise<void> {
    const ready = (): boolean => (this.version(id) ?? Number.POSITIVE_INFINITY) > since;
    return this.#waiters.until(ready, waitMs, signal);
  }

  /** The plan runs and has caught up; false for one that has ended, also with this engine. */
  isLevel(id: number): boolean {
    return !this.#isClosed && this.#plans.tasks.get(id)?.state === 'running';
  }

  /** Settles when the plan has caught up, after `waitMs`, or when the signal fires; tells whether it has. */
  async waitForLevel(id: number, waitMs: number, signal: AbortSignal): Promise<boolean> {
    const ready = (): boolean => this.#plans.tasks.get(id)?.state !== 'catching-up';
    await this.#waiters.until(ready, waitMs, signal);
    return ready();
  }

  /**
   * Settles when everything that sources hold now is consumed, committed and delivered.
   * @throws StreamError STATEMENT_CANCELED when the signal fires first.
   */
  async flush(signal: AbortSignal): Promise<void> {
    for (;;) {
      const delivered = this.#deliveredRecords();
      const ends = await this.#endsNow();
      await this.atBoundary(async () => undefined);
      while (!this.#hasReached(ends)) {
        if (signal.aborted) throw new StreamError('STATEMENT_CANCELED', 'canceling statement');
        if (this.#failure !== undefined) throw this.#failure;
        refuseStopped(ends.keys());
        await this.#waiters.until(() => this.#hasReached(ends), IDLE_WAIT_MS, signal);
      }
      for (const task of this.#plans.tasks.values()) await task.drain?.delivered(signal);
      // Rows that sinks brought into topics may feed streams: go round until nothing moves.
      if (this.#deliveredRecords() === delivered) return;
    }
  }

  async #endsNow(): Promise<ReadonlyMap<StreamTask, ReadonlyMap<number, Offset>>> {
    const ends = new Map<StreamTask, ReadonlyMap<number, Offset>>();
    for (const stream of this.#plans.streams.values()) {
      if (stream.isRead && !stream.paused) ends.set(stream, await stream.refreshEnds());
    }
    return ends;
  }

  #deliveredRecords(): number {
    let sum = 0;
    for (const task of this.#plans.tasks.values()) sum += task.drain?.records ?? 0;
    return sum;
  }

  #hasReached(ends: ReadonlyMap<StreamTask, ReadonlyMap<number, Offset>>): boolean {
    if (this.#isReplaying) return false;
    for (const [stream, partitions] of ends) {
      if (!stream.isRead || this.stream(stream.definition.id) !== stream) continue;
      for (const [partition, end] of partitions) {
        if (Number.isFinite(end) && (stream.committed.get(partition) ?? 0) < end) return false;
      }
    }
    for (const task of this.#plans.tasks.values()) if (task.state === 'catching-up') return false;
    return true;
  }

  // ------------------------------------------------------------------ status

  stream(id: number): StreamTask | undefined {
    return this.#plans.streams.get(id);
  }

  /** The nodes of a running plan, inputs before readers. */
  planNodes(id: number): readonly GraphNode[] {
    return this.#plans.tasks.get(id)?.fragment?.nodes ?? [];
  }

  /** Files of operator state that the next commits do not need stay until the returned function is called. */
  holdStateFiles(): () => void {
    return this.#durable?.holdFiles() ?? (() => undefined);
  }

  get operatorState(): OperatorStateStatus | undefined {
    return this.#durable?.status();
  }

  taskStatus(id: number): TaskStatus | undefined {
    return taskStatus(this.#plans, id);
  }

  /** Failures that an error relation counts now, and those of them that it had no room for. */
  errorCounts(tableId: number): { readonly count: number; readonly evicted: number } | undefined {
    return this.#errors.table(tableId);
  }

  #checkBudgets(): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#budgetCheckedMs < BUDGET_CHECK_MS) return;
    this.#budgetCheckedMs = nowMs;
    const over = findOverBudget(this.#plans, this.#options.stateBytesMax);
    if (over === undefined) return;
    over.task.isGivingWay = true;
    this.#options.onOverBudget(over.task.id, over.reason);
  }

  /** @param bytes  undefined = no bound of its own. */
  setStateBudget(viewId: number, bytes: number | undefined): void {
    const task = this.#plans.tasks.get(viewId);
    if (task !== undefined) task.stateBytesMax = bytes ?? Number.POSITIVE_INFINITY;
  }

  #refreshEnds(): void {
    const nowMs = this.#options.now();
    if (this.#endsRefresh !== undefined || nowMs - this.#endsRefreshedMs < ENDS_REFRESH_MS) return;
    this.#endsRefreshedMs = nowMs;
    this.#endsRefresh = Promise.all(
      [...this.#plans.streams.values()].map((stream) => stream.refreshEnds()),
    ).then(
      () => {
        this.#endsRefresh = undefined;
      },
      (cause) => {
        this.#endsRefresh = undefined;
        this.#options.log('warn', 'ends of sources are not known', cause);
      },
    );
  }

  /** Commits what is open and stops. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#bell.ring();
    await this.#loop;
    if (this.#commit !== undefined) await this.#commit;
    await this.#endsRefresh;
    await this.#plans.close();
    await this.#durable?.close();
    this.#refuse(new StreamError('SHUTTING_DOWN', 'the server is shutting down'));
  }
}

/** Nobody should wait for a stream that waits for somebody. */
function refuseStopped(streams: Iterable<StreamTask>): void {
  for (const { stoppedAt, definition } of streams) {
    if (stoppedAt === undefined) continue;
    const { partition, offset, error } = stoppedAt;
    throw new StreamError(
      'STREAM_STOPPED',
      `stream "${definition.name}" stopped at partition ${partition} offset ${offset}: ${error.message}`,
      {
        hint: `RESUME ${definition.name} tries the record again, ALTER STREAM ${definition.name} SKIP RECORD leaves it out.`,
      },
    );
  }
}

/** Lets I/O and readers have the event loop between two steps. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
