/**
 * The epoch loop: take what each source has, run all plans to the end, commit; the commit of one epoch
 * runs in the store's thread while the next one is computed. Catalog changes happen between two epochs.
 */
import type { Offset, RecordBatch, SinkWriter } from '../../connectors/connector.ts';
import { assert } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Batch } from '../delta/batch.ts';
import { BatchBuilder } from '../delta/builder.ts';
import type { EpochCommit, Store, StoredRelation, ViewChange } from '../store/store.ts';
import { ViewFeed } from '../view/subscription.ts';
import { Graph, GraphNode, selectColumns } from './graph.ts';
import { type Consolidate, type EncodeSink, SinkOutput, ViewOutput } from './output.ts';
import type { ScanReader } from './scan-cursor.ts';
import { Bell } from './signal.ts';
import { SinkDrain } from './sink-drain.ts';
import { type PartitionBounds, type StreamDefinition, StreamTask } from './stream-task.ts';

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
/** Bytes of a bad record that its error row keeps. */
const ERROR_RAW_BYTES_MAX = 64 * 1024;
const CHUNKS_PER_EPOCH_MAX = 1_000_000;
/** Error rows of one relation per epoch; more are counted but not stored. */
const ERROR_ROWS_PER_EPOCH_MAX = 10_000;

/** One input of a plan: a relation's columns into an operator's port. */
export interface PlanLeaf {
  readonly relationId: number;
  readonly columns: readonly number[];
  readonly target: GraphNode;
  readonly port: number;
}

/** A plan made into graph nodes (inputs before readers), not connected to its leaves yet. */
export interface PlanFragment {
  readonly nodes: readonly GraphNode[];
  readonly root: GraphNode;
  readonly leaves: readonly PlanLeaf[];
  /** No operator holds state: the plan resumes from the committed positions without a replay. */
  readonly stateless: boolean;
}

export interface ViewDefinition {
  readonly id: number;
  readonly name: string;
  readonly stored: StoredRelation;
  readonly fragment: PlanFragment;
  readonly key: readonly number[];
  readonly consolidate: Consolidate | undefined;
}

export interface SinkDefinition {
  readonly id: number;
  readonly name: string;
  readonly fragment: PlanFragment;
  /** Undefined for a sink that only counts. */
  readonly delivery: { readonly encode: EncodeSink; open(): Promise<SinkWriter> } | undefined;
}

/** A table whose rows come from SQL, or from the engine itself (error tables). */
export interface TableDefinition {
  readonly id: number;
  readonly name: string;
  readonly stored: StoredRelation;
  readonly key: readonly number[];
}

export type TaskState = 'running' | 'catching-up' | 'paused' | 'failed';

interface PlanTask {
  readonly kind: 'view' | 'sink' | 'table';
  readonly id: number;
  readonly name: string;
  root: GraphNode;
  /** Nodes shared with other plans stand in each one's fragment; a leaf only in that of the plan that feeds it. */
  fragment: PlanFragment | undefined;
  readonly output: ViewOutput | SinkOutput;
  readonly drain: SinkDrain | undefined;
  readonly feed: ViewFeed | undefined;
  state: TaskState;
  reason: string | undefined;
  version: number;
  /** Per stream: where this plan began, and the ends it must reach to be level. */
  starts: Map<number, ReadonlyMap<number, Offset>>;
  targets: Map<number, ReadonlyMap<number, Offset>>;
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

export interface EngineOptions {
  readonly store: Store;
  readonly random: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Called for faults that nobody waits for. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string, detail?: unknown) => void;
  /** A view has caught up with the common epoch for the first time. */
  readonly onLevel: (taskId: number) => void;
}

export interface PlanStart {
  /** Per stream id: where the plan began to read. */
  readonly starts: ReadonlyMap<number, ReadonlyMap<number, Offset>>;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #store: Store;
  readonly #graph = new Graph();
  readonly #streams = new Map<number, StreamTask>();
  readonly #tasks = new Map<number, PlanTask>();
  readonly #errorTables = new Map<number, { tableId: number; rows: BatchBuilder; count: number }>();
  readonly #bell = new Bell();
  readonly #boundaries: BoundaryRequest[] = [];
  readonly #tableChanges: TableChange[] = [];
  readonly #versionWaiters = new Set<{ task: PlanTask; since: number; resolve: () => void }>();
  readonly #commitWaiters = new Set<() => void>();
  /** Plans that have become level and were not compared with the others yet. */
  readonly #toShare = new Set<PlanTask>();
  #epoch = 0;
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
    this.#store = options.store;
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
    return this.#graph.nodes;
  }

  // ------------------------------------------------------------- definitions

  /** A stream is read only while a plan reads it. */
  addStream(definition: StreamDefinition, errorTableId: number): void {
    const task = new StreamTask(
      definition,
      (stream, records, record, error) =>
        this.#reportRecord(stream, errorTableId, records, record, error),
      this.#bell.ring,
    );
    this.#streams.set(definition.id, task);
  }

  addTable(definition: TableDefinition, version: number): void {
    const root = new GraphNode(`table:${definition.id}`, definition.name, undefined, []);
    const output = new ViewOutput(definition.stored, undefined);
    root.addTap(output);
    this.#graph.add(root);
    this.#tasks.set(definition.id, {
      kind: 'table',
      id: definition.id,
      name: definition.name,
      root,
      fragment: undefined,
      output,
      drain: undefined,
      feed: new ViewFeed(definition.stored.schema, definition.key, version),
      state: 'running',
      reason: undefined,
      version,
      starts: new Map(),
      targets: new Map(),
    });
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
   * Starts a new plan for a view; call it inside `atBoundary`. Tables and views that it reads are pushed from the
   * store at once, streams from their start beside the running plans.
   */
  async startView(definition: ViewDefinition, replace: boolean): Promise<PlanStart> {
    // A number that no commit has: a view of the same name may have ended with this epoch's.
    this.#epoch++;
    const task = this.#viewTask(definition, this.#epoch);
    (task.output as ViewOutput).replace = replace;
    return this.#startPlan(task, definition.fragment);
  }

  async startSink(definition: SinkDefinition): Promise<PlanStart> {
    return this.#startPlan(this.#sinkTask(definition), definition.fragment);
  }

  async #startPlan(task: PlanTask, fragment: PlanFragment): Promise<PlanStart> {
    this.#addFragment(task, fragment);
    task.state = 'catching-up';
    for (const leaf of fragment.leaves) {
      const source = this.#tasks.get(leaf.relationId);
      if (source === undefined) continue;
      assert(source.output instanceof ViewOutput, 'a leaf is a stored relation');
      for await (const batch of this.#store.scan(source.output.relation)) {
        pushInto(leaf, selectColumns(batch, leaf.columns));
      }
      source.root.connect(leaf.target, leaf.port, leaf.columns);
    }
    for (const [stream, readers] of this.#streamReaders(fragment, new Map())) {
      const start = await stream.startOffsets();
      task.starts.set(stream.definition.id, start);
      const bounds = await stream.definition.bounds();
      const target = new Map([...bounds].map(([partition, { end }]) => [partition, end]));
      task.targets.set(stream.definition.id, target);
      await stream.addPlan(task.id, readers, start);
    }
    this.#isDirty = true;
    this.#bell.ring();
    return { starts: task.starts };
  }

  /**
   * After a restart: registers a view as the last commit left it. Its operators are rebuilt by `begin`.
   * @param starts  where it began to read each stream, as `startView` gave it.
   */
  restoreView(
    definition: ViewDefinition,
    version: number,
    starts: ReadonlyMap<number, ReadonlyMap<number, Offset>>,
    wasLevel: boolean,
  ): void {
    const task = this.#viewTask(definition, version);
    this.#restorePlan(task, definition.fragment, starts, wasLevel);
    const output = task.output as ViewOutput;
    output.muted = wasLevel;
    output.replace = !wasLevel;
  }

  restoreSink(
    definition: SinkDefinition,
    starts: ReadonlyMap<number, ReadonlyMap<number, Offset>>,
  ): void {
    const task = this.#sinkTask(definition);
    this.#restorePlan(task, definition.fragment, starts, true);
    (task.output as SinkOutput).muted = true;
  }

  #restorePlan(
    task: PlanTask,
    fragment: PlanFragment,
    starts: ReadonlyMap<number, ReadonlyMap<number, Offset>>,
    wasLevel: boolean,
  ): void {
    task.starts = new Map(starts);
    task.state = wasLevel ? 'running' : 'catching-up';
    this.#addFragment(task, fragment);
    for (const leaf of fragment.leaves) {
      const source = this.#tasks.get(leaf.relationId);
      source?.root.connect(leaf.target, leaf.port, leaf.columns);
    }
  }

  /** Registers what plans fed by nothing but SQL need; see `begin`. */
  #viewTask(definition: ViewDefinition, version: number): PlanTask {
    const { id, name, stored, fragment, key } = definition;
    const output = new ViewOutput(stored, definition.consolidate);
    const feed = new ViewFeed(stored.schema, key, version);
    const task: PlanTask = {
      kind: 'view',
      id,
      name,
      root: fragment.root,
      fragment,
      output,
      drain: undefined,
      feed,
      state: 'running',
      reason: undefined,
      version,
      starts: new Map(),
      targets: new Map(),
    };
    this.#tasks.set(id, task);
    return task;
  }

  #sinkTask(definition: SinkDefinition): PlanTask {
    const { id, name, fragment, delivery } = definition;
    // Sequences grow over restarts too, without a look at the outbox: no epoch writes as many chunks.
    const sequence = this.#epoch * CHUNKS_PER_EPOCH_MAX;
    const output = new SinkOutput(id, sequence, delivery?.encode);
    const drain =
      delivery === undefined
        ? undefined
        : new SinkDrain(this.#store, id, sequence, () => delivery.open(), this.#options.random);
    const task: PlanTask = {
      kind: 'sink',
      id,
      name,
      root: fragment.root,
      fragment,
      output,
      drain,
      feed: undefined,
      state: 'running',
      reason: undefined,
      version: this.#epoch,
      starts: new Map(),
      targets: new Map(),
    };
    this.#tasks.set(id, task);
    drain?.start();
    return task;
  }

  #addFragment(task: PlanTask, fragment: PlanFragment): void {
    for (const node of fragment.nodes) this.#graph.add(node);
    fragment.root.addTap(task.output);
  }

  #streamReaders(
    fragment: PlanFragment,
    from: ReadonlyMap<number, ReadonlyMap<number, Offset>>,
  ): Map<StreamTask, ScanReader[]> {
    const readers = new Map<StreamTask, ScanReader[]>();
    for (const leaf of fragment.leaves) {
      const stream = this.#streams.get(leaf.relationId);
      if (stream === undefined) continue;
      const own = readers.get(stream) ?? [];
      own.push({
        columns: leaf.columns,
        from: from.get(leaf.relationId) ?? new Map(),
        take: (batch) => pushInto(leaf, batch),
      });
      readers.set(stream, own);
    }
    return readers;
  }

  /** Removes a view, sink or table; call it inside `atBoundary`. */
  async remove(id: number): Promise<void> {
    const task = this.#tasks.get(id);
    if (task !== undefined) {
      this.#tasks.delete(id);
      task.root.removeTap(task.output);
      task.feed?.close();
      await task.drain?.close();
      if (task.kind === 'table') this.#graph.removeLeaf(task.root);
      else {
        this.#graph.release(task.root);
        for (const node of [...(task.fragment?.nodes ?? [])].reverse()) this.#graph.release(node);
      }
      this.#bequeath(task);
      for (const stream of this.#streams.values()) await stream.removePlan(id);
    }
    const stream = this.#streams.get(id);
    if (stream !== undefined) {
      this.#streams.delete(id);
      await stream.close();
    }
  }

  pauseStream(id: number, paused: boolean): boolean {
    const stream = this.#streams.get(id);
    if (stream === undefined) return false;
    stream.paused = paused;
    this.#bell.ring();
    return true;
  }

  // ------------------------------------------------------------------- start

  /**
   * Starts the loop. After a restart the state of all plans is first rebuilt from the retained records below the
   * committed positions and from the stored tables; what the store already has is not written again.
   */
  async begin(committed: ReadonlyMap<number, ReadonlyMap<number, Offset>>): Promise<void> {
    const byStream = new Map<StreamTask, Map<number, ScanReader[]>>();
    for (const task of this.#tasks.values()) {
      if (task.fragment === undefined) continue;
      const from = this.#resumeOffsets(task, task.fragment, committed);
      for (const [stream, readers] of this.#streamReaders(task.fragment, from)) {
        const owners = byStream.get(stream) ?? new Map<number, ScanReader[]>();
        owners.set(task.id, readers);
        byStream.set(stream, owners);
      }
    }
    for (const task of this.#tasks.values()) {
      if (task.kind !== 'table') continue;
      const output = task.output as ViewOutput;
      output.muted = true;
      if (!task.root.isRead) continue;
      for await (const batch of this.#store.scan(output.relation)) task.root.emit(batch);
    }
    for (const [stream, owners] of byStream) {
      const positions = committed.get(stream.definition.id) ?? new Map<number, Offset>();
      const from = await this.#replayStart(stream, owners, positions);
      await stream.restore(owners, from, positions);
      this.#options.log('info', `rebuilding state from ${stream.definition.name}`, {
        from: Object.fromEntries(from),
        to: Object.fromEntries(positions),
      });
    }
    this.#isReplaying = true;
    this.#isDirty = true;
    this.#loop = this.#run();
  }

  /** A stateless plan goes on where the commit left it; one with state reads again from its start. */
  #resumeOffsets(
    task: PlanTask,
    fragment: PlanFragment,
    committed: ReadonlyMap<number, ReadonlyMap<number, Offset>>,
  ): ReadonlyMap<number, ReadonlyMap<number, Offset>> {
    return fragment.stateless && task.state === 'running' ? committed : task.starts;
  }

  async #replayStart(
    stream: StreamTask,
    owners: ReadonlyMap<number, readonly ScanReader[]>,
    committed: ReadonlyMap<number, Offset>,
  ): Promise<ReadonlyMap<number, Offset>> {
    const bounds = await this.#boundsIfReachable(stream, owners, committed);
    const from = new Map<number, Offset>();
    for (const [partition, { earliest }] of bounds) {
      let start = committed.get(partition) ?? earliest;
      for (const [owner, readers] of owners) {
        for (const reader of readers) {
          const own = reader.from.get(partition) ?? 0;
          if (own < earliest && own < (committed.get(partition) ?? 0)) {
            this.#failTask(
              owner,
              `records ${own}..${earliest - 1} of ${stream.definition.name} partition ${partition} are no longer retained`,
            );
          }
          start = Math.min(start, Math.max(own, earliest));
        }
      }
      from.set(partition, start);
    }
    return from;
  }

  /** A source that is down must not keep the server from serving: reading begins when it is back. */
  async #boundsIfReachable(
    stream: StreamTask,
    owners: ReadonlyMap<number, readonly ScanReader[]>,
    committed: ReadonlyMap<number, Offset>,
  ): Promise<ReadonlyMap<number, PartitionBounds>> {
    try {
      return await stream.definition.bounds();
    } catch (cause) {
      if (!(cause instanceof StreamError) || cause.facts.retry !== 'backoff') throw cause;
      this.#options.log('warn', `${stream.definition.name} cannot be reached yet`, cause);
      const bounds = new Map<number, PartitionBounds>();
      for (const [partition, offset] of committed) {
        const starts = [...owners.values()].flat().map((reader) => reader.from.get(partition) ?? 0);
        bounds.set(partition, { earliest: Math.min(offset, ...starts), end: offset });
      }
      return bounds;
    }
  }

  #failTask(id: number, reason: string): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    task.state = 'failed';
    task.reason = reason;
    this.#options.log('error', `${task.name} cannot be kept up to date: ${reason}`);
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
      this.#endReplayWhenDone();
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
    else if (!this.#isDirty || this.#commit !== undefined) await this.#bell.wait(IDLE_WAIT_MS);
  }

  #step(): number {
    let consumed = 0;
    if (!this.#isReplaying) {
      for (const change of this.#tableChanges.splice(0)) {
        const task = this.#tasks.get(change.tableId);
        if (task === undefined) {
          change.reject(new StreamError('SQL_UNKNOWN_RELATION', 'the table was dropped'));
          continue;
        }
        this.#inEpoch.push(change);
        this.#markDirty();
        task.root.emit(change.batch);
      }
    }
    for (const stream of this.#streams.values()) consumed += stream.step(STEP_BYTES);
    if (consumed > 0) this.#markDirty();
    this.#epochRecords += consumed;
    return consumed;
  }

  #markDirty(): void {
    if (!this.#isDirty) this.#epochStartedMs = this.#options.now();
    this.#isDirty = true;
  }

  #shouldClose(consumed: number): boolean {
    if (!this.#isDirty) return false;
    if (this.#epochRecords >= EPOCH_RECORDS_MAX) return true;
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
    this.#emitErrors();
    this.#graph.flush();
    const views: ViewChange[] = [];
    const outbox: EpochCommit['outbox'][number][] = [];
    const changed: { task: PlanTask; change: ViewChange }[] = [];
    for (const task of this.#tasks.values()) {
      if (task.output instanceof SinkOutput) {
        outbox.push(...task.output.drain());
        continue;
      }
      const change = task.output.drain();
      if (change === undefined) continue;
      views.push(change);
      changed.push({ task, change });
    }
    const positions = this.#changedPositions();
    const inEpoch = this.#inEpoch;
    this.#inEpoch = [];
    this.#isDirty = false;
    this.#epochRecords = 0;
    this.stats.computeMs += this.#options.now() - startedMs;
    if (views.length === 0 && outbox.length === 0 && positions.length === 0) {
      for (const change of inEpoch) change.resolve();
      await this.#joinLevel();
      this.#updateStates();
      this.#wakeCommitWaiters();
      return;
    }
    const epoch = this.#epoch + 1;
    const committing = { epoch, views, positions, errors: [], outbox };
    const committed = [...this.#streams.values()].map((stream) => ({
      stream,
      positions: new Map(stream.positions),
    }));
    await this.#joinLevel();
    this.#commit = this.#commitEpoch(committing).then(
      () => {
        this.#commit = undefined;
        this.#epoch = epoch;
        for (const { stream, positions: reached } of committed) stream.committed = reached;
        for (const { task, change } of changed) this.#publish(task, change, epoch);
        for (const task of this.#tasks.values()) {
          if (task.output instanceof SinkOutput) task.drain?.committed(task.output.sequence);
        }
        for (const change of inEpoch) change.resolve();
        this.#updateStates();
        this.#wakeCommitWaiters();
        this.#bell.ring();
      },
      (cause) => {
        for (const change of inEpoch) change.reject(cause);
        this.#fail(cause);
      },
    );
  }

  async #commitEpoch(epoch: EpochCommit): Promise<void> {
    const startedMs = this.#options.now();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#store.commit(epoch);
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

  #publish(task: PlanTask, change: ViewChange, version: number): void {
    task.version = version;
    task.feed?.publish(version, change.changes, change.replace);
    for (const waiter of this.#versionWaiters) {
      if (waiter.task === task && version > waiter.since) waiter.resolve();
    }
  }

  #changedPositions(): EpochCommit['positions'] {
    const positions: EpochCommit['positions'][number][] = [];
    for (const stream of this.#streams.values()) {
      for (const [partition, offset] of stream.positions) {
        if (stream.committed.get(partition) === offset) continue;
        positions.push({ relationId: stream.definition.id, partition, offset });
      }
    }
    return positions;
  }

  async #joinLevel(): Promise<void> {
    this.#sharePlans();
    for (const stream of this.#streams.values()) await stream.joinLevel();
  }

  /** A catching-up plan is level when it reads only common cursors and has passed its targets. */
  #updateStates(): void {
    for (const task of this.#tasks.values()) {
      if (task.state !== 'catching-up' || !this.#isLevel(task)) continue;
      task.state = 'running';
      task.targets = new Map();
      this.#options.onLevel(task.id);
      this.#toShare.add(task);
    }
  }

  /** Between two epochs: plans that have become level give up what an older plan computes as well. */
  #sharePlans(): void {
    for (const task of this.#toShare) {
      this.#toShare.delete(task);
      const { fragment } = task;
      if (fragment === undefined || this.#tasks.get(task.id) !== task) continue;
      const kept = this.#graph.share(fragment.nodes, (node) => this.#twinOf(task, node));
      const nodes = [...new Set(fragment.nodes.map((node) => kept.get(node) ?? node))];
      const leaves = fragment.leaves.filter(({ target }) => kept.get(target) === target);
      for (const leaf of fragment.leaves) {
        if (kept.get(leaf.target) === leaf.target) continue;
        this.#tasks.get(leaf.relationId)?.root.disconnect(leaf.target);
      }
      task.root = kept.get(task.root) ?? task.root;
      task.fragment = { ...fragment, nodes, leaves, root: task.root };
      this.#resetStreamReaders(task);
    }
  }

  /** A node of another level plan that computes the same from the same beginning. */
  #twinOf(task: PlanTask, node: GraphNode): GraphNode | undefined {
    for (const other of this.#tasks.values()) {
      if (other === task || other.state !== 'running' || this.#toShare.has(other)) continue;
      const twin = other.fragment?.nodes.find(
        ({ fingerprint }) => fingerprint === node.fingerprint,
      );
      if (twin !== undefined && sameStarts(task.starts, other.starts)) return twin;
    }
    return undefined;
  }

  #resetStreamReaders(task: PlanTask): void {
    if (task.fragment === undefined) return;
    const readers = this.#streamReaders(task.fragment, new Map());
    for (const stream of this.#streams.values()) {
      if (stream.isRead) stream.changeReaders(task.id, readers.get(stream) ?? []);
    }
  }

  /** Leaves of a plan that goes, whose nodes others still read, are fed by one of those from now on. */
  #bequeath(gone: PlanTask): void {
    for (const leaf of gone.fragment?.leaves ?? []) {
      if (!this.#graph.has(leaf.target)) {
        this.#tasks.get(leaf.relationId)?.root.disconnect(leaf.target);
        continue;
      }
      for (const heir of this.#tasks.values()) {
        if (heir.fragment?.nodes.includes(leaf.target) !== true) continue;
        heir.fragment = { ...heir.fragment, leaves: [...heir.fragment.leaves, leaf] };
        this.#resetStreamReaders(heir);
        break;
      }
    }
  }

  #isLevel(task: PlanTask): boolean {
    for (const stream of this.#streams.values()) {
      if (stream.isPrivate(task.id)) return false;
      const target = task.targets.get(stream.definition.id);
      if (target === undefined) continue;
      for (const [partition, end] of target) {
        if (Number.isFinite(end) && (stream.committed.get(partition) ?? 0) < end) return false;
      }
    }
    return true;
  }

  #endReplayWhenDone(): void {
    for (const stream of this.#streams.values()) if (stream.isReplaying) return;
    this.#graph.flush();
    for (const task of this.#tasks.values()) task.output.muted = false;
    for (const stream of this.#streams.values()) stream.endReplay();
    this.#isReplaying = false;
    this.#epochRecords = 0;
    this.#updateStates();
    for (const task of this.#tasks.values()) {
      if (task.fragment !== undefined && task.state === 'running') this.#toShare.add(task);
    }
    this.#isDirty = true;
  }

  #fail(cause: unknown): void {
    const failure =
      cause instanceof StreamError
        ? cause
        : new StreamError('INTERNAL', `the engine stopped: ${String(cause)}`, { cause });
    this.#failure ??= failure;
    this.#isClosed = true;
    this.#options.log('error', 'the engine stopped', cause);
    for (const request of this.#boundaries.splice(0)) request.reject(failure);
    for (const change of [...this.#tableChanges.splice(0), ...this.#inEpoch.splice(0)]) {
      change.reject(failure);
    }
    this.#wakeCommitWaiters();
    for (const waiter of this.#versionWaiters) waiter.resolve();
  }

  #wakeCommitWaiters(): void {
    for (const wake of [...this.#commitWaiters]) wake();
    this.#commitWaiters.clear();
  }

  // ------------------------------------------------------------------ errors

  #reportRecord(
    stream: StreamTask,
    errorTableId: number,
    records: RecordBatch,
    record: number,
    error: StreamError,
  ): void {
    if (this.#isReplaying) return;
    const table = this.#tasks.get(errorTableId);
    if (table === undefined) return;
    assert(table.output instanceof ViewOutput, 'error tables are stored');
    const sink = this.#errorRows(errorTableId, table.output.relation.schema);
    if (sink.count >= ERROR_ROWS_PER_EPOCH_MAX) return;
    const start = records.valueStarts[record] as number;
    const length = Math.max(records.valueLengths[record] as number, 0);
    const raw = records.bytes.subarray(start, start + Math.min(length, ERROR_RAW_BYTES_MAX));
    sink.count++;
    sink.rows.add([
      stream.definition.topic,
      records.partition,
      BigInt(records.offsets[record] as number),
      BigInt(Math.round(records.timestampsMs[record] as number)) * 1000n,
      error.sqlstate,
      error.message,
      Uint8Array.from(raw) as Datum,
    ]);
    this.#markDirty();
  }

  #errorRows(tableId: number, schema: Schema): { rows: BatchBuilder; count: number } {
    const known = this.#errorTables.get(tableId);
    if (known !== undefined) return known;
    const fresh = { tableId, rows: new BatchBuilder(schema), count: 0 };
    this.#errorTables.set(tableId, fresh);
    return fresh;
  }

  #emitErrors(): void {
    for (const [tableId, sink] of this.#errorTables) {
      if (sink.rows.length > 0) this.#tasks.get(tableId)?.root.emit(sink.rows.take());
      sink.count = 0;
    }
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
    return this.#tasks.get(id)?.version;
  }

  feed(id: number): ViewFeed | undefined {
    return this.#tasks.get(id)?.feed;
  }

  /** Settles when the relation's version is above `since`, after `waitMs`, or when the signal fires. */
  async waitForVersion(
    id: number,
    since: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const task = this.#tasks.get(id);
    if (task === undefined || task.version > since || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#versionWaiters.delete(waiter);
        resolve();
      };
      const waiter = { task, since, resolve: done };
      const timer = setTimeout(done, waitMs);
      signal.addEventListener('abort', done);
      this.#versionWaiters.add(waiter);
    });
  }

  /** Settles when the plan has caught up, after `waitMs`, or when the signal fires; tells whether it has. */
  async waitForLevel(id: number, waitMs: number, signal: AbortSignal): Promise<boolean> {
    const deadlineMs = this.#options.now() + waitMs;
    for (;;) {
      const task = this.#tasks.get(id);
      if (task === undefined || task.state !== 'catching-up') return true;
      const leftMs = deadlineMs - this.#options.now();
      if (leftMs <= 0 || signal.aborted || this.#failure !== undefined) return false;
      await this.#nextCommit(leftMs, signal);
    }
  }

  /** Settles when everything that sources hold now is consumed, committed and delivered. */
  async flush(signal: AbortSignal): Promise<void> {
    for (;;) {
      const delivered = this.#deliveredRecords();
      const ends = new Map<StreamTask, ReadonlyMap<number, Offset>>();
      for (const stream of this.#streams.values()) {
        if (stream.isRead && !stream.paused) ends.set(stream, await stream.refreshEnds());
      }
      await this.atBoundary(async () => undefined);
      while (!this.#hasReached(ends)) {
        if (signal.aborted) throw new StreamError('STATEMENT_CANCELED', 'canceling statement');
        if (this.#failure !== undefined) throw this.#failure;
        await this.#nextCommit(IDLE_WAIT_MS, signal);
      }
      for (const task of this.#tasks.values()) await task.drain?.delivered();
      // Rows that sinks brought into topics may feed streams: go round until nothing moves.
      if (this.#deliveredRecords() === delivered) return;
    }
  }

  #deliveredRecords(): number {
    let sum = 0;
    for (const task of this.#tasks.values()) sum += task.drain?.records ?? 0;
    return sum;
  }

  #hasReached(ends: ReadonlyMap<StreamTask, ReadonlyMap<number, Offset>>): boolean {
    if (this.#isReplaying) return false;
    for (const [stream, partitions] of ends) {
      if (!stream.isRead || this.#streams.get(stream.definition.id) !== stream) continue;
      for (const [partition, end] of partitions) {
        if (Number.isFinite(end) && (stream.committed.get(partition) ?? 0) < end) return false;
      }
    }
    for (const task of this.#tasks.values()) if (task.state === 'catching-up') return false;
    return true;
  }

  async #nextCommit(waitMsMax: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#commitWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMsMax);
      signal.addEventListener('abort', done);
      this.#commitWaiters.add(done);
    });
  }

  // ------------------------------------------------------------------ status

  streams(): readonly StreamTask[] {
    return [...this.#streams.values()];
  }

  stream(id: number): StreamTask | undefined {
    return this.#streams.get(id);
  }

  /** The nodes of a running plan, inputs before readers. */
  planNodes(id: number): readonly GraphNode[] {
    return this.#tasks.get(id)?.fragment?.nodes ?? [];
  }

  taskStatus(id: number): TaskStatus | undefined {
    const task = this.#tasks.get(id);
    if (task === undefined) return undefined;
    let done = 0;
    let total = 0;
    for (const [streamId, target] of task.targets) {
      const start = task.starts.get(streamId) ?? new Map();
      const part = this.#streams.get(streamId)?.progress(id, start, target);
      done += part?.done ?? 0;
      total += part?.total ?? 0;
    }
    let stateBytes = 0;
    let stateEntries = 0;
    for (const node of task.fragment?.nodes ?? []) {
      stateBytes += node.operator?.stateBytes() ?? 0;
      stateEntries += node.operator?.stateEntries() ?? 0;
    }
    return {
      state: task.state,
      reason: task.reason ?? task.drain?.fault?.message,
      version: task.version,
      progress: task.state === 'catching-up' && total > 0 ? done / total : 1,
      rowsIn: task.root.rowsOut,
      rowsChanged: task.output instanceof ViewOutput ? task.output.rowsChanged : task.output.rows,
      stateBytes,
      stateEntries,
      subscribers: task.feed?.subscribers ?? 0,
    };
  }

  #refreshEnds(): void {
    const nowMs = this.#options.now();
    if (this.#endsRefresh !== undefined || nowMs - this.#endsRefreshedMs < ENDS_REFRESH_MS) return;
    this.#endsRefreshedMs = nowMs;
    this.#endsRefresh = Promise.all(
      [...this.#streams.values()].map((stream) => stream.refreshEnds()),
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
    for (const task of this.#tasks.values()) {
      task.feed?.close();
      await task.drain?.close();
    }
    for (const stream of this.#streams.values()) await stream.close();
    const closing = new StreamError('SHUTTING_DOWN', 'the server is shutting down');
    for (const request of this.#boundaries.splice(0)) request.reject(closing);
    for (const change of this.#tableChanges.splice(0)) change.reject(closing);
    this.#failure ??= closing;
    this.#wakeCommitWaiters();
  }
}

export interface TaskStatus {
  readonly state: TaskState;
  readonly reason: string | undefined;
  readonly version: number;
  readonly progress: number;
  readonly rowsIn: number;
  readonly rowsChanged: number;
  readonly stateBytes: number;
  readonly stateEntries: number;
  readonly subscribers: number;
}

function pushInto(leaf: PlanLeaf, batch: Batch): void {
  const { target, port } = leaf;
  if (target.operator === undefined) target.emit(batch);
  else target.operator.push(port, batch, target.emit);
}

function sameStarts(
  left: ReadonlyMap<number, ReadonlyMap<number, Offset>>,
  right: ReadonlyMap<number, ReadonlyMap<number, Offset>>,
): boolean {
  for (const [stream, partitions] of left) {
    const other = right.get(stream);
    for (const [partition, offset] of partitions)
      if (other?.get(partition) !== offset) return false;
  }
  return true;
}

/** Lets I/O and readers have the event loop between two steps. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
