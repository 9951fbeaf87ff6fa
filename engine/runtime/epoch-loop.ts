/**
 * The epoch loop: take what each source has, run all plans to the end, commit; the commit of one epoch
 * runs in the store's thread while the next one is computed. Catalog changes happen between two epochs.
 */
import { StreamError } from '../../sql/base/error.ts';
import type { Store } from '../store/store.ts';
import { findWaiting } from './back-pressure.ts';
import { findOverBudget } from './budget.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { DurableState } from './durable-state.ts';
import { commitEpoch, drainEpoch, type EndedEpoch, publishEpoch } from './epoch-end.ts';
import type { ErrorRows } from './error-rows.ts';
import { flushAll } from './flush.ts';
import type { LateRows } from './late-rows.ts';
import { stopBroken } from './plan-failure.ts';
import type { PlanSet } from './plan-set.ts';
import { endReplayWhenDone, type Log } from './replay.ts';
import type { Bell } from './signal.ts';
import {
  type ChangeOrigin,
  type TableBatch,
  type TableChange,
  TableChanges,
} from './table-changes.ts';
import { Waiters } from './waiters.ts';

/** Bytes taken from one source per step; a step is the longest time that the event loop waits. */
const STEP_BYTES = 4 * 1024 * 1024;
/** Records that one epoch may gather while the commit before it still runs. */
const EPOCH_RECORDS_MAX = 1_000_000;
/** An epoch with fewer is closed when nothing is at hand: its source is slow, however much it is going to deliver. */
const EPOCH_RECORDS_SOME = 2_000;
/** A busy epoch lasts this many times the commit before it, so that commits take a bounded share. */
const EPOCH_TO_COMMIT_RATIO = 5;
const EPOCH_MIN_MS = 2;
const EPOCH_MAX_MS = 500;
/** Longest sleep of the loop; everything that matters rings its bell before. */
const IDLE_WAIT_MS = 1_000;
/** How often ends of sources are asked for lag and progress. */
const ENDS_REFRESH_MS = 1_000;
/** How often the operators' state is held against the budgets. */
const BUDGET_CHECK_MS = 100;

export interface LoopOptions {
  readonly store: Store;
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

/** What an epoch moves. */
export interface LoopParts {
  readonly plans: PlanSet;
  /** Undefined for a database in memory. */
  readonly durable: DurableState | undefined;
  readonly errors: ErrorRows;
  readonly late: LateRows;
  readonly deadLetters: DeadLetters;
  /** Rung by everything that gives the loop work. */
  readonly bell: Bell;
}

const NEVER = new AbortController().signal;

interface BoundaryRequest {
  readonly run: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class EpochLoop {
  readonly #options: LoopOptions;
  readonly #plans: PlanSet;
  readonly #durable: DurableState | undefined;
  readonly #errors: ErrorRows;
  readonly #late: LateRows;
  readonly #deadLetters: DeadLetters;
  readonly #bell: Bell;
  readonly waiters = new Waiters();
  readonly #boundaries: BoundaryRequest[] = [];
  readonly #tableChanges = new TableChanges();
  #epoch: number;
  #epochRecords = 0;
  #epochStartedMs = 0;
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

  /** @param epoch  the last one that the store committed. */
  constructor(options: LoopOptions, parts: LoopParts, epoch: number) {
    this.#options = options;
    this.#plans = parts.plans;
    this.#durable = parts.durable;
    this.#errors = parts.errors;
    this.#late = parts.late;
    this.#deadLetters = parts.deadLetters;
    this.#bell = parts.bell;
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

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Uses up an epoch number, so that no commit has it; only inside `atBoundary`. */
  skipEpoch(): void {
    this.#epoch++;
  }

  /** Begins with the replay of what operators need to have seen. */
  start(): void {
    this.#isReplaying = true;
    this.#loop = this.#run();
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

  /** Applies rows to SQL tables, all in one epoch; settles when it is committed. */
  changeTables(batches: readonly TableBatch[], origin?: ChangeOrigin): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const committed = this.#tableChanges.add(batches, origin);
    this.#bell.ring();
    return committed;
  }

  /** Settles when sinks into other tables have room for changes of these tables, or the engine has stopped. */
  async untilRoom(tableIds: readonly number[]): Promise<void> {
    const isThere = (): boolean => {
      if (this.#failure !== undefined || this.#isClosed) return true;
      const { crowded } = findWaiting(this.#plans);
      return !tableIds.some((id) => crowded.has(id));
    };
    while (!isThere()) await this.waiters.until(isThere, IDLE_WAIT_MS, NEVER);
  }

  /**
   * Settles when everything that sources hold now is consumed, committed and delivered.
   * @throws StreamError STATEMENT_CANCELED when the signal fires first, STREAM_STOPPED when a source waits for somebody.
   */
  flush(signal: AbortSignal): Promise<void> {
    return flushAll(this, this.#plans, signal);
  }

  /** The epoch that is open has something to commit. */
  markDirty(): void {
    if (!this.#isDirty) this.#epochStartedMs = this.#options.now();
    this.#isDirty = true;
  }

  /** Commits what is open and stops. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    this.#bell.ring();
    await this.#loop;
    if (this.#commit !== undefined) await this.#commit;
    await this.#endsRefresh;
  }

  /** Nothing more will be done: everybody who waits is told. */
  refuse(failure: StreamError): void {
    this.#failure ??= failure;
    for (const request of this.#boundaries.splice(0)) request.reject(failure);
    this.#tableChanges.refuse(failure);
    this.waiters.releaseAll();
  }

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
    if (this.#plans.clocks.areDue(now(), wallMicros())) this.markDirty();
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
    else await this.#bell.wait(Math.max(this.#openMsLeft(), EPOCH_MIN_MS));
  }

  async #idle(): Promise<void> {
    if (!this.#isDirty && this.#commit === undefined && this.#durable !== undefined) {
      // A plan that became level with the last epoch there was.
      this.#plans.share();
      this.#durable.step(true);
      if (this.#durable.isPending) {
        this.markDirty();
        return;
      }
    }
    await this.#bell.wait(Math.min(IDLE_WAIT_MS, this.#plans.clocks.tickMs));
  }

  #step(): number {
    const { held } = findWaiting(this.#plans);
    if (!this.#isReplaying && this.#tableChanges.emit(this.#plans.tasks, held)) this.markDirty();
    let consumed = 0;
    for (const [id, stream] of this.#plans.streams) {
      stream.held = held.has(id);
      consumed += stream.step(STEP_BYTES);
    }
    if (consumed > 0) this.markDirty();
    this.#epochRecords += consumed;
    return consumed;
  }

  #endReplay(): void {
    if (!endReplayWhenDone(this.#plans, this.#options.log)) return;
    this.#isReplaying = false;
    this.#epochRecords = 0;
    // Plans that began anew are level only with the commit that holds what they have gathered.
    this.markDirty();
  }

  #shouldClose(consumed: number): boolean {
    if (!this.#isDirty) return false;
    if (this.#epochRecords >= EPOCH_RECORDS_MAX || this.#durable?.isFull === true) return true;
    if (this.#commit !== undefined) return false;
    if (consumed === 0 && !this.#expectsMore()) return true;
    return this.#openMsLeft() <= 0;
  }

  /** A source that is far behind is read faster than it delivers, and changes of one epoch are cheaper than those of many. */
  #expectsMore(): boolean {
    if (this.#epochRecords < EPOCH_RECORDS_SOME) return false;
    return [...this.#plans.streams.values()].some((stream) => stream.isBehind);
  }

  #openMsLeft(): number {
    const targetMs = Math.min(
      Math.max(EPOCH_TO_COMMIT_RATIO * this.stats.lastCommitMs, EPOCH_MIN_MS),
      EPOCH_MAX_MS,
    );
    return targetMs - (this.#options.now() - this.#epochStartedMs);
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
    const nextEpoch = this.#epoch + 1;
    const tableChanges = this.#tableChanges.takeEpoch();
    const delivered = tableChanges.flatMap((change) => change.delivered ?? []);
    const at = { epoch: nextEpoch, wallMs: this.#wallMs(), delivered };
    const ended = drainEpoch(at, this.#plans, this.#errors, this.#durable);
    this.#isDirty = false;
    this.#epochRecords = 0;
    this.stats.computeMs += this.#options.now() - startedMs;
    await this.#plans.joinLevel();
    if (ended === undefined) {
      for (const change of tableChanges) change.resolve();
      this.#announceLevel();
      this.waiters.check();
      return;
    }
    this.#commit = this.#commitEpoch(ended, tableChanges);
    this.#durable?.step(false);
  }

  /** Milliseconds since 1970-01-01 UTC. */
  #wallMs(): number {
    return Number(this.#options.wallMicros()) / 1000;
  }

  #strikeClocks(nowMs: number): void {
    const readsWall = Number.isFinite(this.#plans.clocks.tickMs);
    this.#plans.clocks.strike(nowMs, readsWall ? this.#options.wallMicros() : undefined);
  }

  async #commitEpoch(ended: EndedEpoch, tableChanges: readonly TableChange[]): Promise<void> {
    const { now, store, log } = this.#options;
    const startedMs = now();
    try {
      await commitEpoch(ended, store, log);
    } catch (cause) {
      for (const change of tableChanges) change.reject(cause);
      this.#fail(cause);
      return;
    }
    this.stats.lastCommitMs = now() - startedMs;
    this.stats.commitMs += this.stats.lastCommitMs;
    this.stats.committed++;
    this.#commit = undefined;
    this.#epoch = ended.commit.epoch;
    publishEpoch(ended, this.#plans);
    for (const change of tableChanges) change.resolve();
    this.#announceLevel();
    this.waiters.check();
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
    this.refuse(failure);
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
}

/** Lets I/O and readers have the event loop between two steps. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
