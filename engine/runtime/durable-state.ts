/**
 * Operator state on disk, while the engine runs: what goes into the operators is logged with every epoch (state-frame.ts),
 * and now and then the operators themselves are saved (state-round.ts), so that the log stays short. What counts is said by
 * the epoch's transaction: a frame by its end in the log, a round by its manifest. A plan begins to be kept when it has
 * caught up and is compared with the others; until its first round is committed a restart reads its input again.
 */

import type { LogPosition, StateFiles } from '../store/state-files.ts';
import type { EpochState, SavedState } from '../store/store.ts';
import type { GraphNode } from './graph.ts';
import type { PlanSet } from './plan-set.ts';
import type { PlanTask } from './plan-task.ts';
import type { Log } from './replay.ts';
import { FrameRecorder } from './state-frame.ts';
import {
  fileNames,
  formatManifest,
  type NodeFile,
  type StateManifest,
  savedPlan,
} from './state-manifest.ts';
import type { Recovered } from './state-recovery.ts';
import { StateRound } from './state-round.ts';

/** An epoch ends when it has so much to log. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
/** After a failed round. */
const RETRY_WAIT_MS = 10_000;

/** When everything is saved anew. */
export interface StateLimits {
  /** The log has grown at least so far, */
  readonly logBytesMin: number;
  /** … and at least to this share of the state, so that saving costs a bounded share of logging. */
  readonly logToStateRatio: number;
  /** An engine that has been idle for so long saves earlier, */
  readonly idleMs: number;
  /** … when at least so much would have to be replayed. */
  readonly idleLogBytesMin: number;
  readonly idleLogToStateRatio: number;
  /** Bytes copied between two epochs, after which the next node waits for the next one; a larger node is copied whole. */
  readonly copyBytesAStep: number;
}

const LIMITS: StateLimits = {
  logBytesMin: 64 * 1024 * 1024,
  logToStateRatio: 0.5,
  idleMs: 2_000,
  idleLogBytesMin: 4 * 1024 * 1024,
  idleLogToStateRatio: 0.125,
  copyBytesAStep: 16 * 1024 * 1024,
};

const EMPTY: StateManifest = { lastNode: 0, firstLog: 1, plans: [], files: new Map() };

interface Running {
  readonly round: StateRound;
  readonly isOverAll: boolean;
  /** Log bytes when it began. */
  readonly startBytes: number;
  /** The first log file that its manifest will need; undefined while that one is being made. */
  firstLog: number | undefined;
}

export interface OperatorStateStatus {
  /** Plans that a restart reads back. */
  readonly plans: number;
  /** Plans that a restart computes anew from their input. */
  readonly unsavedPlans: number;
  readonly savedBytes: number;
  /** Bytes of the log that a restart replays. */
  readonly replayBytes: number;
  /** Bytes logged or replayed since the start. */
  readonly logBytes: number;
  /** Rounds committed since the start. */
  readonly rounds: number;
  /** The longest that saving has kept the loop since the start. */
  readonly pauseMsMax: number;
}

export interface StateCommit {
  /** One attempt to write what the transaction is to name. */
  write(): EpochState;
  committed(): void;
}

export interface DurableStateOptions {
  readonly plans: PlanSet;
  readonly files: StateFiles;
  readonly limits?: Partial<StateLimits> | undefined;
  readonly log: Log;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** A round can go on. */
  readonly wake: () => void;
}

export class DurableState {
  readonly #options: DurableStateOptions;
  readonly #limits: StateLimits;
  readonly #recorder: FrameRecorder;
  #manifest: StateManifest = EMPTY;
  /** Plans whose input is logged. */
  readonly #kept = new Map<number, number>();
  #epoch = 0;
  #logBytes = 0;
  /** Log bytes when the last round over all nodes began. */
  #roundStartBytes = 0;
  #changedMs = 0;
  #retryMs = Number.NEGATIVE_INFINITY;
  #running: Running | undefined;
  #next: StateManifest | undefined;
  /** Old files are being removed; new ones wait for that. */
  #cleaning: Promise<void> | undefined;
  /** Settles when nobody reads the files any more. */
  #held: Promise<void> = Promise.resolve();
  #rolling: Promise<void> | undefined;
  #rounds = 0;
  #pauseMsMax = 0;

  constructor(options: DurableStateOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#recorder = new FrameRecorder(options.plans.graph);
  }

  /**
   * Goes on behind what the last commit left.
   * @param recovered  what was read back; undefined when nothing was.
   * @param epoch      the last one that was committed.
   */
  async begin(
    saved: SavedState | undefined,
    recovered: Recovered | undefined,
    epoch: number,
  ): Promise<void> {
    const { files, plans } = this.#options;
    this.#epoch = epoch;
    this.#logBytes = recovered?.logBytes ?? 0;
    if (recovered === undefined) {
      const file = await files.startLog((saved?.log.file ?? 0) + 1);
      this.#manifest = { ...EMPTY, firstLog: file };
    } else {
      this.#manifest = recovered.manifest;
      this.#forgetRebuilt(recovered.manifest);
      await files.continueLog(recovered.log);
    }
    const { firstLog } = this.#manifest;
    const last = recovered?.log.file ?? firstLog;
    // What a damaged state was rebuilt from instead is kept until that is saved.
    if (saved === undefined || recovered !== undefined) {
      await files.removeOthers(firstLog, last, fileNames(this.#manifest));
    }
    for (const task of plans.tasks.values()) if (task.isRestored) this.#keep(task);
  }

  /**
   * A plan that was saved and yet begins anew is not logged for now, so that what was saved of it is of no use from the first
   * commit on: that one says so.
   */
  #forgetRebuilt(manifest: StateManifest): void {
    const { tasks } = this.#options.plans;
    const plans = manifest.plans.filter(({ id }) => tasks.get(id)?.isRestored !== false);
    if (plans.length === manifest.plans.length) return;
    this.#manifest = { ...manifest, plans };
    this.#next = this.#manifest;
  }

  /** From now on the plan's input is logged. */
  #keep(task: PlanTask): void {
    this.#kept.set(task.id, task.startedEpoch);
    for (const node of task.built) node.guard = this.#recorder.guard;
  }

  get isFull(): boolean {
    return this.#recorder.bytes >= FRAME_BYTES_MAX;
  }

  // ------------------------------------------------------------------ commits

  /** True when there is something that the next commit has to say. */
  get isPending(): boolean {
    return this.#recorder.bytes > 0 || this.#next !== undefined;
  }

  /** Ends an epoch, after its flush. @returns what its commit is to say; undefined when that is nothing. */
  cut(epoch: number): StateCommit | undefined {
    const blocks = this.#recorder.take();
    const next = this.#next;
    this.#epoch = epoch;
    if (blocks === undefined && next === undefined) return undefined;
    let written: LogPosition | undefined;
    if (blocks !== undefined) {
      const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
      this.#logBytes += bytes;
      this.#changedMs = this.#options.now();
    }
    const append = async (): Promise<LogPosition> => {
      written ??= await this.#options.files.append(epoch, blocks ?? []);
      return written;
    };
    return {
      write: () => {
        const log = append();
        // The store may fail before it waits for the log.
        log.catch(() => undefined);
        return { log, manifest: next === undefined ? undefined : formatManifest(next) };
      },
      committed: () => {
        if (blocks !== undefined) this.#recorder.recycle(blocks);
        if (next !== undefined) this.#manifestCommitted(next);
      },
    };
  }

  #manifestCommitted(manifest: StateManifest): void {
    const { files, log } = this.#options;
    this.#manifest = manifest;
    this.#next = undefined;
    this.#rounds++;
    this.#cleaning = this.#held
      .then(() =>
        files.removeOthers(manifest.firstLog, Number.POSITIVE_INFINITY, fileNames(manifest)),
      )
      .catch((cause) => log('warn', 'old files of operator state are left over', cause))
      .then(() => {
        this.#cleaning = undefined;
      });
  }

  // ------------------------------------------------------------------- rounds

  /** Goes on with a round, or begins one when that is worth it. Call it between two epochs, with nothing pushed since. */
  step(isIdle: boolean): void {
    const startedMs = this.#options.now();
    if (this.#running === undefined) {
      const isBusy = this.#next !== undefined || this.#cleaning !== undefined;
      if (!isBusy && startedMs >= this.#retryMs) this.#begin(isIdle, startedMs);
    }
    const running = this.#running;
    if (running === undefined) return;
    const { round, firstLog } = running;
    round.step(this.#epoch, this.#limits.copyBytesAStep);
    this.#pauseMsMax = Math.max(this.#pauseMsMax, this.#options.now() - startedMs);
    if (round.failure !== undefined) this.#giveUp(round.failure);
    else if (round.isDone && firstLog !== undefined) this.#finish(running, firstLog);
  }

  #begin(isIdle: boolean, nowMs: number): void {
    const { plans, files, wake } = this.#options;
    const settled = plans.settled();
    const isAll = this.#isWorthIt(isIdle && nowMs - this.#changedMs >= this.#limits.idleMs);
    const fresh = settled.filter((task) => this.#kept.get(task.id) !== task.startedEpoch);
    const saved = new Map(this.#manifest.plans.map((plan) => [plan.id, plan.started]));
    const isStale = settled.some((task) => saved.get(task.id) !== task.startedEpoch);
    if (!isAll && !isStale && saved.size === settled.length) return;
    for (const task of fresh) this.#keep(task);
    const wanted = new Set(settled.flatMap((task) => task.built.filter((node) => node.isStateful)));
    const nodes = plans.graph.nodes.filter(
      (node) => wanted.has(node) && (isAll || !this.#manifest.files.has(node.number)),
    );
    const round = new StateRound(plans.graph, files, nodes, this.#manifest.files, wake);
    const firstLog = isAll ? undefined : this.#manifest.firstLog;
    const running = { round, isOverAll: isAll, startBytes: this.#logBytes, firstLog };
    this.#running = running;
    if (!isAll) return;
    this.#rolling = files.roll().then(
      (first) => {
        running.firstLog = first;
        wake();
      },
      (cause) => {
        if (this.#running === running) this.#giveUp(cause);
      },
    );
  }

  #isWorthIt(isIdle: boolean): boolean {
    const logBytes = this.#logBytes - this.#roundStartBytes;
    const { logBytesMin, logToStateRatio, idleLogBytesMin, idleLogToStateRatio } = this.#limits;
    if (logBytes < (isIdle ? idleLogBytesMin : logBytesMin)) return false;
    const share = isIdle ? idleLogToStateRatio : logToStateRatio;
    let stateBytes = 0;
    for (const node of this.#options.plans.graph.nodes) {
      stateBytes += node.operator?.stateBytes() ?? 0;
    }
    return logBytes >= stateBytes * share;
  }

  #finish({ round, isOverAll, startBytes }: Running, firstLog: number): void {
    this.#running = undefined;
    this.#next = this.#manifestOf(round.files, firstLog);
    if (isOverAll) this.#roundStartBytes = startBytes;
    this.#options.wake();
  }

  /** Plans that have come since the round began are left for the next one. */
  #manifestOf(files: ReadonlyMap<number, NodeFile>, firstLog: number): StateManifest {
    const { plans } = this.#options;
    const isSaved = (node: GraphNode): boolean => !node.isStateful || files.has(node.number);
    const whole = plans.settled().filter((task) => task.built.every(isSaved));
    const numbers = new Set(whole.flatMap((task) => task.built.map((node) => node.number)));
    return {
      lastNode: plans.graph.lastNumber,
      firstLog,
      plans: whole.map(savedPlan),
      files: new Map([...files].filter(([number]) => numbers.has(number))),
    };
  }

  #giveUp(cause: unknown): void {
    this.#running = undefined;
    this.#retryMs = this.#options.now() + RETRY_WAIT_MS;
    for (const node of this.#options.plans.graph.nodes) node.isChanged = true;
    this.#options.log('warn', 'operator state could not be saved, trying again later', cause);
  }

  /** Files that the last commit needs, and those that later ones need, stay until the returned function is called. */
  holdFiles(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#held;
    this.#held = before.then(() => promise);
    return resolve;
  }

  status(): OperatorStateStatus {
    let savedBytes = 0;
    for (const { bytes } of this.#manifest.files.values()) savedBytes += bytes;
    const saved = new Map(this.#manifest.plans.map((plan) => [plan.id, plan.started]));
    const unsaved = [...this.#options.plans.tasks.values()].filter(
      (task) =>
        task.fragment !== undefined &&
        !task.isTransient &&
        saved.get(task.id) !== task.startedEpoch,
    );
    return {
      plans: saved.size,
      unsavedPlans: unsaved.length,
      savedBytes,
      replayBytes: this.#logBytes - this.#roundStartBytes,
      logBytes: this.#logBytes,
      rounds: this.#rounds,
      pauseMsMax: this.#pauseMsMax,
    };
  }

  async close(): Promise<void> {
    await this.#running?.round.ended();
    await this.#rolling;
    await this.#cleaning;
    await this.#options.files.close();
  }
}
