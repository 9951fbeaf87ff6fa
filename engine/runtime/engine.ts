/**
 * The epoch loop: take what each source has, run all plans to the end, commit; the commit of one epoch
 * runs in the store's thread while the next one is computed. Catalog changes happen between two epochs.
 */
import type { Offset } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Batch } from '../delta/batch.ts';
import type { StateFiles } from '../store/state-files.ts';
import type { EpochCommit, OutboxChunk, SavedState, Store, ViewChange } from '../store/store.ts';
import type { ViewFeed } from '../view/subscription.ts';
import {
  DurableState,
  type OperatorStateStatus,
  type StateCommit,
  type StateLimits,
} from './durable-state.ts';
import { ErrorRows } from './error-rows.ts';
import type { GraphNode } from './graph.ts';
import { SinkOutput } from './output.ts';
import { PlanSet } from './plan-set.ts';
import type {
  PlanStart,
  PlanTask,
  SinkDefinition,
  StreamOffsets,
  TableDefinition,
  ViewDefinition,
} from './plan-task.ts';
import { beginReplay, endReplayWhenDone, type Log } from './replay.ts';
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

export interface EngineOptions {
  readonly store: Store;
  /** Where operators' state is kept; undefined for a database in memory. */
  readonly stateFiles?: StateFiles | undefined;
  readonly stateLimits?: Partial<StateLimits> | undefined;
  readonly random: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Called for faults that nobody waits for. */
  readonly log: Log;
  /** A view has caught up with the common epoch for the first time. */
  readonly onLevel: (taskId: number) => void;
}

interface BoundaryRequest {
  readonly run: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface TableChange {
  readonly tableId: number;
  readonly batch: Batch;
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
  readonly stats = { committed: 0, computeMs: 0, commitMs: 0, lastCommitMs: 0 };

  /** @param epoch  the last one that the store committed. */
  constructor(options: EngineOptions, epoch: number) {
    this.#options = options;
    this.#plans = new PlanSet(options.store, options.random);
    const { stateFiles, stateLimits: limits, log, now } = options;
    this.#durable =
      stateFiles === undefined
        ? undefined
        : new DurableState({
            plans: this.#plans,
            files: stateFiles,
            limits,
            log,
            now,
            wake: this.#bell.ring,
          });
    this.#errors = new ErrorRows(this.#plans);
    this.#epoch = epoch;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get failure(): StreamError | undefined {
    return this.#failure;
  }

  get isReplaying(): boolean {
    return this.#isReplaying;
  }

  get nodes(): readonly GraphNode[] {
    return this.#plans.graph.nodes;
  }

  // ------------------------------------------------------------- definitions

  /** A stream is read only while a plan reads it. */
  addStream(definition: StreamDefinition, errorTableId: number): void {
    const task = new StreamTask(
      definition,
      (_, records, record, error) => {
        if (this.#isReplaying) return;
        this.#errors.add(errorTableId, definition.topic, records, record, error);
        this.#markDirty();
      },
      this.#bell.ring,
    );
    this.#plans.streams.set(definition.id, task);
  }

  addTable(definition: TableDefinition, version: number): void {
    this.#plans.addTable(definition, version);
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
  async startView(definition: ViewDefinition, replace: boolean): Promise<PlanStart> {
    // A number that no commit has: a view of the same name may have ended with this epoch's.
    this.#epoch++;
    const task = this.#plans.addView(definition, this.#epoch);
    if (!(task.output instanceof SinkOutput)) task.output.replace = replace;
    return this.#started(this.#plans.start(task, definition.fragment, this.#epoch));
  }

  async startSink(definition: SinkDefinition): Promise<PlanStart> {
    const task = this.#plans.addSink(definition, this.#epoch);
    return this.#started(this.#plans.start(task, definition.fragment, this.#epoch));
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
    this.#plans.restore(this.#plans.addView(definition, version), start, wasLevel);
  }

  restoreSink(definition: SinkDefinition, start: PlanStart): void {
    this.#plans.restore(this.#plans.addSink(definition, this.#epoch), start, true);
  }

  /** Removes whatever has this id; call it inside `atBoundary`. */
  remove(id: number): Promise<void> {
    return this.#plans.remove(id);
  }

  pauseStream(id: number, paused: boolean): boolean {
    const stream = this.#plans.streams.get(id);
    if (stream === undefined) return false;
    stream.paused = paused;
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
    const refuse = (reason: string): never => {
      throw new StreamError('STATE_DAMAGED', `${damage?.message}; ${reason}`, { cause: damage });
    };
    const usable = damage === undefined ? saved : undefined;
    const recovered =
      stateFiles === undefined || usable === undefined
        ? undefined
        : await recoverState(this.#plans, stateFiles, usable, log);
    await beginReplay(
      this.#plans,
      store,
      committed,
      log,
      damage === undefined ? undefined : refuse,
    );
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
    if (this.#boundaries.length > 0) {
      await this.#runBoundaries();
      return;
    }
    if (this.#shouldClose(consumed)) {
      if (this.#commit !== undefined) await this.#commit;
      await this.#closeEpoch();
    }
    this.#refreshEnds();
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
    await this.#bell.wait(IDLE_WAIT_MS);
  }

  #step(): number {
    if (!this.#isReplaying) this.#takeTableChanges();
    let consumed = 0;
    for (const stream of this.#plans.streams.values()) consumed += stream.step(STEP_BYTES);
    if (consumed > 0) this.#markDirty();
    this.#epochRecords += consumed;
    return consumed;
  }

  #takeTableChanges(): void {
    for (const change of this.#tableChanges.splice(0)) {
      const task = this.#plans.tasks.get(change.tableId);
      if (task === undefined) {
        change.reject(new StreamError('SQL_UNKNOWN_RELATION', 'the table was dropped'));
        continue;
      }
      this.#inEpoch.push(change);
      this.#markDirty();
      task.root.emit(change.batch);
    }
  }

  #endReplay(): void {
    if (!endReplayWhenDone(this.#plans)) return;
    this.#isReplaying = false;
    this.#epochRecords = 0;
    this.#announceLevel();
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
    const startedMs = this.#options.now();
    this.#errors.emit();
    this.#plans.graph.flush();
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

  /** Everything that the epoch changed; undefined when that is nothing. */
  #drainOutputs(): Committing | undefined {
    const outbox: OutboxChunk[] = [];
    const changed: { task: PlanTask; change: ViewChange }[] = [];
    for (const task of this.#plans.tasks.values()) {
      if (task.output instanceof SinkOutput) {
        outbox.push(...task.output.drain());
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
    const commit = { epoch: this.#epoch + 1, views, positions, errors: [], outbox };
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
      task.feed?.publish(commit.epoch, change.changes, change.replace);
    }
    for (const { output, drain } of this.#plans.tasks.values()) {
      if (output instanceof SinkOutput) drain?.committed(output.sequence);
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

  /** Applies rows to a SQL table; settles when the epoch that holds them is committed. */
  changeTable(tableId: number, batch: Batch): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#tableChanges.push({ tableId, batch, resolve, reject });
      this.#bell.ring();
    });
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
        await this.#waiters.until(() => this.#hasReached(ends), IDLE_WAIT_MS, signal);
      }
      for (const task of this.#plans.tasks.values()) await task.drain?.delivered();
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

  get operatorState(): OperatorStateStatus | undefined {
    return this.#durable?.status();
  }

  taskStatus(id: number): TaskStatus | undefined {
    return taskStatus(this.#plans, id);
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

/** Lets I/O and readers have the event loop between two steps. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
