import type { Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { LATE_COLUMNS } from '../../sql/late-relation.ts';
import type { StateFiles } from '../store/state-files.ts';
import type { SavedState, StoredRelation, StreamMarks } from '../store/store.ts';
import type { ViewFeed } from '../view/subscription.ts';
import { DeadLetters } from './dead-letters.ts';
import { DurableState, type OperatorStateStatus, type StateLimits } from './durable-state.ts';
import { EpochLoop, type LoopOptions } from './epoch-loop.ts';
import { ErrorRows } from './error-rows.ts';
import type { GraphNode } from './graph.ts';
import { LateRows } from './late-rows.ts';
import { SinkOutput, ViewOutput } from './output.ts';
import { PlanSet } from './plan-set.ts';
import type {
  PlanReading,
  PlanStart,
  SinkDefinition,
  StreamOffsets,
  TableDefinition,
  ViewDefinition,
} from './plan-task.ts';
import { beginReplay } from './replay.ts';
import { type ReplayCounts, replayBatches } from './replay-batch.ts';
import { Bell } from './signal.ts';
import { recoverState } from './state-recovery.ts';
import { type StreamDefinition, StreamTask } from './stream-task.ts';
import type { ChangeOrigin, TableBatch } from './table-changes.ts';
import { type TaskStatus, taskStatus } from './task-status.ts';

export interface EngineOptions extends LoopOptions {
  /** Where operators' state is kept; undefined for a database in memory. */
  readonly stateFiles?: StateFiles | undefined;
  readonly stateLimits?: Partial<StateLimits> | undefined;
  readonly random: () => number;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #plans: PlanSet;
  readonly #durable: DurableState | undefined;
  readonly #errors: ErrorRows;
  readonly #late: LateRows;
  readonly #deadLetters: DeadLetters;
  readonly #bell = new Bell();
  readonly #loop: EpochLoop;

  /**
   * @param epoch    the last one that the store committed.
   * @param evicted  per error relation, the failures that it counted and no longer held then.
   */
  constructor(options: EngineOptions, epoch: number, evicted: ReadonlyMap<number, number>) {
    this.#options = options;
    const { store, random, stateFiles, stateLimits: limits, log, now } = options;
    const wallMs = (): number => Number(options.wallMicros()) / 1000;
    const bell = this.#bell;
    const plans = new PlanSet(store, random, wallMs, bell.ring);
    this.#plans = plans;
    this.#durable =
      stateFiles === undefined
        ? undefined
        : new DurableState({ plans, files: stateFiles, limits, log, now, wake: bell.ring });
    this.#errors = new ErrorRows(plans, evicted);
    this.#late = new LateRows(plans);
    this.#deadLetters = new DeadLetters(plans);
    const parts = {
      plans,
      durable: this.#durable,
      errors: this.#errors,
      late: this.#late,
      deadLetters: this.#deadLetters,
      bell,
    };
    this.#loop = new EpochLoop(options, parts, epoch);
  }

  get epoch(): number {
    return this.#loop.epoch;
  }

  get failure(): StreamError | undefined {
    return this.#loop.failure;
  }

  /** Milliseconds of the engine's clock, for ages of what it shows. */
  get nowMs(): number {
    return this.#options.now();
  }

  get isReplaying(): boolean {
    return this.#loop.isReplaying;
  }

  get stats(): EpochLoop['stats'] {
    return this.#loop.stats;
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
        if (this.#loop.isReplaying) return;
        this.#errors.addRecord(errorTableId, topic, records, record, error);
        this.#deadLetters.add(id, topic, records, record, error);
        this.#loop.markDirty();
      },
      this.#bell.ring,
      {
        clock: { now, wallMicros },
        report: (stream, records, record, watermark) => {
          if (lateTableId === undefined) return;
          this.#late.add(lateTableId, stream, records, record, watermark);
          this.#loop.markDirty();
        },
      },
      this.#errors.places,
      (partition, first, last) => this.#errors.refused(errorTableId, partition, first, last),
    );
    this.#plans.streams.set(definition.id, task);
  }

  /** After a restart: the time by which rows were in the views of the last commit. */
  restoreWallClock(micros: bigint | undefined): void {
    this.#plans.clocks.restoreWall(micros);
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
    return this.#loop.atBoundary(change);
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
    this.#loop.skipEpoch();
    const task = this.#plans.addView(definition, this.#loop.epoch);
    this.#errors.follow(task, definition.fragment.nodes, definition.failures);
    if (!(task.output instanceof SinkOutput)) task.output.replace = replace;
    if (replace) this.#errors.restart(task);
    return this.#started(this.#plans.start(task, definition.fragment, this.#loop.epoch, reading));
  }

  async startSink(definition: SinkDefinition, reading: PlanReading = {}): Promise<PlanStart> {
    const task = this.#plans.addSink(definition, this.#loop.epoch);
    this.#errors.follow(task, definition.fragment.nodes, definition.failures);
    return this.#started(this.#plans.start(task, definition.fragment, this.#loop.epoch, reading));
  }

  /** Also a plan over empty inputs has something to say, in an epoch of its own. */
  async #started(start: Promise<PlanStart>): Promise<PlanStart> {
    const started = await start;
    this.#loop.markDirty();
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
    const task = this.#plans.addSink(definition, this.#loop.epoch);
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
    this.#loop.markDirty();
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
   * @throws StreamError STATE_DAMAGED, STORE_LOST_COMMITS, after which this engine is useless.
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
    if (saved !== undefined) await stateFiles?.refuseLostCommits(saved.log);
    // Before sinks go on: this may fail, after which another engine begins.
    const recovered =
      stateFiles === undefined || usable === undefined
        ? undefined
        : await recoverState(plans, stateFiles, usable, log);
    const mustBeWhole = damage === undefined ? undefined : refuse;
    await beginReplay(plans, store, committed, log, mustBeWhole);
    await plans.restoreSinks();
    await this.#durable?.begin(saved, recovered, this.#loop.epoch);
    this.#loop.start();
  }

  // ------------------------------------------------------------------- users

  /** Applies rows to SQL tables, all in one epoch; settles when it is committed. */
  changeTables(batches: readonly TableBatch[], origin?: ChangeOrigin): Promise<void> {
    return this.#loop.changeTables(batches, origin);
  }

  /** Settles when sinks into other tables have room for changes of these tables. Wait for it before a change, and not in its turn. */
  untilRoom(tableIds: readonly number[]): Promise<void> {
    return this.#loop.untilRoom(tableIds);
  }

  /** Gives relations a new version, since their rows print otherwise from now on; who follows them has to begin anew. */
  relabel(ids: readonly number[]): void {
    for (const id of ids) {
      const output = this.#plans.tasks.get(id)?.output;
      if (output instanceof ViewOutput) output.relabeled = true;
    }
    this.#loop.markDirty();
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
    return this.#loop.waiters.until(ready, waitMs, signal);
  }

  /** The plan runs and has caught up; false for one that has ended, also with this engine. */
  isLevel(id: number): boolean {
    return !this.#loop.isClosed && this.#plans.tasks.get(id)?.state === 'running';
  }

  /** Settles when the plan has caught up, after `waitMs`, or when the signal fires; tells whether it has. */
  async waitForLevel(id: number, waitMs: number, signal: AbortSignal): Promise<boolean> {
    const ready = (): boolean => this.#plans.tasks.get(id)?.state !== 'catching-up';
    await this.#loop.waiters.until(ready, waitMs, signal);
    return ready();
  }

  /**
   * Settles when everything that sources hold now is consumed, committed and delivered.
   * @throws StreamError STATEMENT_CANCELED when the signal fires first, STREAM_STOPPED when a source waits for somebody.
   */
  flush(signal: AbortSignal): Promise<void> {
    return this.#loop.flush(signal);
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

  /** @param bytes  undefined = no bound of its own. */
  setStateBudget(viewId: number, bytes: number | undefined): void {
    const task = this.#plans.tasks.get(viewId);
    if (task !== undefined) task.stateBytesMax = bytes ?? Number.POSITIVE_INFINITY;
  }

  /** Commits what is open and stops. */
  async close(): Promise<void> {
    await this.#loop.stop();
    await this.#plans.close();
    await this.#durable?.close();
    this.#loop.refuse(new StreamError('SHUTTING_DOWN', 'the server is shutting down'));
  }
}
