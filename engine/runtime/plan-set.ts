/**
 * The plans that run: their operators in one graph, the streams and tables that feed them, and how plans come, go, and
 * share what they compute in common. Every change happens between two epochs.
 */
import type { Offset } from '../../connectors/connector.ts';
import { assert } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import { LookupJoinOperator } from '../operator/lookup-join.ts';
import type { PartitionPosition, Store } from '../store/store.ts';
import { ViewFeed } from '../view/subscription.ts';
import { consolidateChange } from './consolidate-change.ts';
import { Graph, GraphNode, selectColumns } from './graph.ts';
import { SinkOutput, ViewOutput } from './output.ts';
import { PlanClocks } from './plan-clocks.ts';
import {
  type PlanFragment,
  type PlanReading,
  type PlanStart,
  type PlanTask,
  planTask,
  pushInto,
  type SinkDefinition,
  type StreamOffsets,
  type TableDefinition,
  type ViewDefinition,
} from './plan-task.ts';
import type { ScanReader } from './scan-cursor.ts';
import { SinkDrain } from './sink-drain.ts';
import type { StreamTask } from './stream-task.ts';

/** Bounds the chunks that one sink writes in one epoch, so that sequences can begin with the epoch's number. */
const CHUNKS_PER_EPOCH_MAX = 1_000_000;

export class PlanSet {
  readonly graph = new Graph();
  readonly streams = new Map<number, StreamTask>();
  readonly tasks = new Map<number, PlanTask>();
  readonly clocks = new PlanClocks(this.tasks, this.streams);
  readonly #store: Store;
  readonly #random: () => number;
  readonly #wallMs: () => number;
  readonly #onDelivered: () => void;
  /** Plans that have become level and were not compared with the others yet. */
  readonly #toShare = new Set<PlanTask>();

  /** @param onDelivered  called when rows have left an outbox. */
  constructor(store: Store, random: () => number, wallMs: () => number, onDelivered: () => void) {
    this.#store = store;
    this.#random = random;
    this.#wallMs = wallMs;
    this.#onDelivered = onDelivered;
  }

  addTable(definition: TableDefinition, version: number): void {
    const { id, name, stored, key } = definition;
    const root = new GraphNode(`table:${id}`, name, undefined, []);
    // Statements of one epoch may change one row again and again.
    const isKeyed = stored.storage.kind === 'keyed';
    const output = new ViewOutput(stored, isKeyed ? consolidateChange(stored.schema) : undefined);
    root.addTap(output);
    this.graph.add(root);
    const feed = new ViewFeed(stored.schema, key, version);
    this.tasks.set(id, planTask({ kind: 'table', id, name, root, output, feed, version }));
  }

  /** The table has other columns from now on; those that its readers use stay where they are. */
  alterTable({ id, stored, key }: TableDefinition): void {
    const task = this.tasks.get(id);
    assert(task !== undefined, 'the table is known');
    task.root.removeTap(task.output);
    task.feed?.close();
    const isKeyed = stored.storage.kind === 'keyed';
    task.output = new ViewOutput(stored, isKeyed ? consolidateChange(stored.schema) : undefined);
    task.feed = new ViewFeed(stored.schema, key, task.version);
    task.output.touch();
    task.root.addTap(task.output);
  }

  addView(definition: ViewDefinition, version: number): PlanTask {
    const { id, name, stored, fragment, key, consolidate } = definition;
    const stateBytesMax = definition.stateBytesMax ?? Number.POSITIVE_INFINITY;
    const output = new ViewOutput(stored, consolidate);
    const feed = new ViewFeed(stored.schema, key, version);
    const { root } = fragment;
    const { isTransient = false } = definition;
    return this.#add(
      planTask({
        kind: 'view',
        id,
        name,
        root,
        fragment,
        output,
        feed,
        version,
        canGiveWay: definition.canGiveWay,
        stateBytesMax,
        isTransient,
      }),
      fragment,
    );
  }

  addSink(definition: SinkDefinition, epoch: number): PlanTask {
    const { id, name, fragment, delivery, feedsTable } = definition;
    // Sequences grow over restarts too, without a look at the outbox.
    const sequence = epoch * CHUNKS_PER_EPOCH_MAX;
    const output = new SinkOutput(id, sequence, delivery?.encode);
    const drain =
      delivery === undefined
        ? undefined
        : new SinkDrain({
            store: this.#store,
            sinkId: id,
            committed: sequence,
            delivery,
            random: this.#random,
            wallMs: this.#wallMs,
            onDelivered: this.#onDelivered,
          });
    const { root } = fragment;
    const task = planTask({
      kind: 'sink',
      id,
      name,
      root,
      fragment,
      output,
      drain,
      feedsTable,
      version: epoch,
    });
    return this.#add(task, fragment);
  }

  #add(task: PlanTask, fragment: PlanFragment): PlanTask {
    this.tasks.set(task.id, task);
    for (const node of fragment.nodes) this.graph.add(node);
    fragment.root.addTap(task.output);
    return task;
  }

  /** Feeds a new plan: tables and views from the store at once, streams from their start beside the running plans. */
  async start(
    task: PlanTask,
    fragment: PlanFragment,
    epoch: number,
    { startAt, from }: PlanReading,
  ): Promise<PlanStart> {
    this.#refuseUnloaded(task, fragment);
    task.state = 'catching-up';
    task.startedEpoch = epoch;
    for (const leaf of fragment.leaves) {
      const source = leaf.isClock ? undefined : this.tasks.get(leaf.relationId);
      if (source === undefined) continue;
      assert(source.output instanceof ViewOutput, 'a leaf is a stored relation');
      for await (const batch of this.#store.scan(source.output.relation)) {
        pushInto(leaf, selectColumns(batch, leaf.columns));
      }
      source.root.connect(leaf.target, leaf.port, leaf.columns);
    }
    const starts = new Map<number, ReadonlyMap<number, Offset>>();
    const targets = new Map<number, ReadonlyMap<number, Offset>>();
    for (const [stream, readers] of this.streamReaders(task, fragment, new Map())) {
      const { id } = stream.definition;
      const start = await stream.startOffsets(startAt, from?.get(id));
      const bounds = await stream.definition.bounds();
      starts.set(id, start);
      targets.set(id, new Map([...bounds].map(([partition, { end }]) => [partition, end])));
      await stream.addPlan(task.id, readers, start, bounds);
    }
    task.starts = starts;
    task.targets = targets;
    return { starts, epoch };
  }

  /** @throws StreamError NOT_READY: rows that are looked up once must not meet a table that is not whole yet. */
  #refuseUnloaded({ name, reads }: PlanTask, { nodes }: PlanFragment): void {
    if (!nodes.some(({ operator }) => operator instanceof LookupJoinOperator)) return;
    const inputs = reads.map((id) => this.tasks.get(id));
    const loading = inputs.find((input) => input?.state === 'catching-up');
    if (loading === undefined) return;
    throw new StreamError(
      'NOT_READY',
      `"${name}" looks rows up as others arrive, and "${loading.name}" is still being loaded`,
      { hint: 'Try again when SHOW VIEWS says that it has caught up.' },
    );
  }

  /** Registers a plan as the last commit left it; its operators have no state yet and are fed by nobody. */
  restore(task: PlanTask, start: PlanStart, wasLevel: boolean): void {
    task.starts = start.starts;
    task.startedEpoch = start.epoch;
    task.state = wasLevel ? 'running' : 'catching-up';
    task.output.muted = wasLevel;
    if (task.output instanceof ViewOutput) task.output.replace = !wasLevel;
  }

  /**
   * After a restart: lets plans hear of the tables and views that they read; of those that `isWanted` says, and each once.
   * What a failed view computes is not what it holds, so its readers stay with what they have.
   */
  connectLeaves(isWanted: (source: PlanTask) => boolean = () => true): void {
    for (const { fragment } of this.tasks.values()) {
      for (const leaf of fragment?.leaves ?? []) {
        const source = leaf.isClock ? undefined : this.tasks.get(leaf.relationId);
        if (source === undefined || source.state === 'failed' || !isWanted(source)) continue;
        const { root } = source;
        if (!root.isConnected(leaf.target, leaf.port)) {
          root.connect(leaf.target, leaf.port, leaf.columns);
          root.sortEdges();
        }
      }
    }
  }

  /** @param from  per stream the offsets below which records are not for this plan. */
  streamReaders(
    task: PlanTask,
    fragment: PlanFragment,
    from: StreamOffsets,
  ): Map<StreamTask, ScanReader[]> {
    const readers = new Map<StreamTask, ScanReader[]>();
    for (const leaf of fragment.leaves) {
      const stream = leaf.isClock ? undefined : this.streams.get(leaf.relationId);
      if (stream === undefined) continue;
      const own = readers.get(stream) ?? [];
      own.push({
        columns: leaf.columns,
        from: from.get(leaf.relationId) ?? new Map(),
        startOf: (partition) => task.starts.get(leaf.relationId)?.get(partition) ?? 0,
        take: (batch) => pushInto(leaf, batch),
      });
      readers.set(stream, own);
    }
    return readers;
  }

  /** Removes whatever has this id: a view, a sink, a table, a stream. */
  async remove(id: number): Promise<void> {
    const task = this.tasks.get(id);
    if (task !== undefined) await this.#removeTask(task);
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    this.streams.delete(id);
    await stream.close();
  }

  async #removeTask(task: PlanTask): Promise<void> {
    this.tasks.delete(task.id);
    task.root.removeTap(task.output);
    task.feed?.close();
    await task.drain?.close();
    for (const node of task.fragment?.nodes ?? []) {
      if (task.failures !== undefined) node.removeFailureTap(task.failures.tap);
    }
    if (task.fragment === undefined) this.graph.removeLeaf(task.root);
    else for (const node of [...task.fragment.nodes].reverse()) this.graph.release(node);
    this.#bequeath(task);
    for (const stream of this.streams.values()) await stream.removePlan(task.id);
  }

  /** Leaves of a plan that goes, whose nodes others still read, are fed by one of those from now on. */
  #bequeath(gone: PlanTask): void {
    for (const leaf of gone.fragment?.leaves ?? []) {
      if (!this.graph.has(leaf.target)) {
        this.tasks.get(leaf.relationId)?.root.disconnect(leaf.target);
        continue;
      }
      for (const heir of this.tasks.values()) {
        if (heir.fragment?.nodes.includes(leaf.target) !== true) continue;
        heir.fragment = { ...heir.fragment, leaves: [...heir.fragment.leaves, leaf] };
        this.#resetStreamReaders(heir, heir.fragment);
        break;
      }
    }
  }

  // ------------------------------------------------------------------ sharing

  /** The plan has caught up: at the next boundary it is compared with the others. */
  shareLater(task: PlanTask): void {
    if (task.fragment !== undefined) this.#toShare.add(task);
  }

  /** Plans that have become level give up what an older plan computes as well. */
  share(): void {
    for (const task of this.#toShare) {
      this.#toShare.delete(task);
      if (this.tasks.get(task.id) === task) this.fold(task, (node) => this.#twinOf(task, node));
    }
  }

  /** Gives up the nodes of a plan that have a twin among older ones, together with everything below them. */
  fold(task: PlanTask, twinOf: (node: GraphNode) => GraphNode | undefined): void {
    const { fragment } = task;
    if (fragment === undefined) return;
    const kept = this.graph.share(fragment.nodes, twinOf);
    const nodes = [...new Set(fragment.nodes.map((node) => kept.get(node) ?? node))];
    const leaves = fragment.leaves.filter(({ target }) => kept.get(target) === target);
    for (const leaf of fragment.leaves) {
      if (kept.get(leaf.target) === leaf.target) continue;
      this.tasks.get(leaf.relationId)?.root.disconnect(leaf.target);
    }
    task.root = kept.get(task.root) ?? task.root;
    task.built = task.built.map((node) => kept.get(node) ?? node);
    task.fragment = { ...fragment, nodes, leaves, root: task.root };
    this.#resetStreamReaders(task, task.fragment);
  }

  /** Plans that have caught up, are compared with the others, and go on after the process. */
  settled(): readonly PlanTask[] {
    return [...this.tasks.values()].filter(
      (task) =>
        task.fragment !== undefined &&
        task.state === 'running' &&
        !task.isTransient &&
        !this.#toShare.has(task),
    );
  }

  /** A node of another level plan that computes the same from the same beginning. */
  #twinOf(task: PlanTask, node: GraphNode): GraphNode | undefined {
    for (const other of this.tasks.values()) {
      if (other === task || other.state !== 'running' || this.#toShare.has(other)) continue;
      const twin = other.fragment?.nodes.find(
        ({ fingerprint }) => fingerprint === node.fingerprint,
      );
      if (twin !== undefined && sameStarts(task.starts, other.starts)) return twin;
    }
    return undefined;
  }

  #resetStreamReaders(task: PlanTask, fragment: PlanFragment): void {
    const readers = this.streamReaders(task, fragment, new Map());
    for (const stream of this.streams.values()) {
      if (stream.isRead) stream.changeReaders(task.id, readers.get(stream) ?? []);
    }
  }

  // -------------------------------------------------------------------- level

  /** Plans whose private cursors stand where the common ones do join them. */
  async joinLevel(): Promise<void> {
    this.share();
    for (const stream of this.streams.values()) await stream.joinLevel();
  }

  /** A catching-up plan is level when it reads only common cursors and has passed its targets. */
  newlyLevel(): readonly PlanTask[] {
    const level: PlanTask[] = [];
    for (const task of this.tasks.values()) {
      if (task.state !== 'catching-up' || !this.#isLevel(task)) continue;
      task.state = 'running';
      task.targets = new Map();
      this.shareLater(task);
      level.push(task);
    }
    return level;
  }

  #isLevel(task: PlanTask): boolean {
    // What reads a plan that catches up would, after a crash, miss what that one had not given yet.
    if (task.reads.some((id) => this.tasks.get(id)?.state === 'catching-up')) return false;
    for (const stream of this.streams.values()) {
      if (stream.isPrivate(task.id)) return false;
      const target = task.targets.get(stream.definition.id);
      for (const [partition, end] of target ?? []) {
        if (Number.isFinite(end) && (stream.committed.get(partition) ?? 0) < end) return false;
      }
    }
    return true;
  }

  // -------------------------------------------------------------------- sinks

  /**
   * After a restart: sinks that had caught up go on delivering; the others begin anew, so what they had gathered is forgotten.
   */
  async restoreSinks(): Promise<void> {
    const sizes = await this.#store.outboxSizes();
    for (const { id, state, drain } of this.tasks.values()) {
      if (drain === undefined) continue;
      if (state === 'catching-up') {
        await this.#store.acknowledge(id, Number.MAX_SAFE_INTEGER);
        continue;
      }
      drain.restored(sizes.get(id) ?? { records: 0, bytes: 0 });
      drain.start();
    }
  }

  /** Positions that have moved since the last commit. */
  changedPositions(): readonly PartitionPosition[] {
    const positions: PartitionPosition[] = [];
    for (const stream of this.streams.values()) {
      for (const [partition, offset] of stream.positions) {
        if (stream.committed.get(partition) === offset) continue;
        positions.push({ relationId: stream.definition.id, partition, offset });
      }
    }
    return positions;
  }

  async close(): Promise<void> {
    for (const { feed } of this.tasks.values()) feed?.close();
    // Together: each may wait a while for a destination that does not answer.
    await Promise.all([...this.tasks.values()].map(({ drain }) => drain?.close()));
    for (const stream of this.streams.values()) await stream.close();
  }
}

function sameStarts(left: StreamOffsets, right: StreamOffsets): boolean {
  for (const [stream, partitions] of left) {
    const other = right.get(stream);
    for (const [partition, offset] of partitions)
      if (other?.get(partition) !== offset) return false;
  }
  return true;
}
