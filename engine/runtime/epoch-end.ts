/** The end of an epoch: what it changed is drained from the plans, committed, and told to those who follow. */
import type { DeliveredChunks, Offset } from '../../connectors/connector.ts';
import type { EpochCommit, OutboxChunk, Store, ViewChange } from '../store/store.ts';
import type { DurableState, StateCommit } from './durable-state.ts';
import type { ErrorRows } from './error-rows.ts';
import { SinkOutput } from './output.ts';
import type { PlanSet } from './plan-set.ts';
import type { PlanTask } from './plan-task.ts';
import type { Log } from './replay.ts';
import type { StreamTask } from './stream-task.ts';

/** A failing commit is repeated this often before the engine stops. */
const COMMIT_ATTEMPTS_MAX = 5;
const COMMIT_RETRY_WAIT_MS = 100;

/** What an epoch leaves to do once it is durable. */
export interface EndedEpoch {
  readonly commit: EpochCommit;
  readonly changed: readonly { readonly task: PlanTask; readonly change: ViewChange }[];
  readonly reached: readonly {
    readonly stream: StreamTask;
    readonly positions: ReadonlyMap<number, Offset>;
  }[];
  readonly state: StateCommit | undefined;
}

/** What the loop knows of an epoch that ends. */
interface EpochFacts {
  readonly epoch: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallMs: number;
  /** Chunks of sinks whose rows it has brought into tables. */
  readonly delivered: readonly DeliveredChunks[];
}

/** Everything that the epoch changed; undefined when that is nothing. */
export function drainEpoch(
  { epoch, wallMs, delivered }: EpochFacts,
  plans: PlanSet,
  errors: ErrorRows,
  durable: DurableState | undefined,
): EndedEpoch | undefined {
  const outbox: OutboxChunk[] = [];
  const changed: { task: PlanTask; change: ViewChange }[] = [];
  for (const task of plans.tasks.values()) {
    if (task.output instanceof SinkOutput) {
      outbox.push(...task.output.drain(wallMs));
      continue;
    }
    const change = task.output.drain();
    if (change !== undefined) changed.push({ task, change });
  }
  const positions = plans.changedPositions();
  const isEmpty = changed.length + outbox.length + positions.length === 0 && delivered.length === 0;
  if (isEmpty && durable?.isPending !== true) return undefined;
  const state = durable?.cut(epoch);
  const views = changed.map(({ change }) => change);
  const reached = [...plans.streams.values()].map((stream) => ({
    stream,
    positions: new Map(stream.positions),
  }));
  const evicted = errors.takeEvicted();
  const watermarks = plans.clocks.marks();
  const commit = { epoch, views, positions, watermarks, outbox, delivered, evicted };
  return { commit, changed, reached, state };
}

export async function commitEpoch(
  { commit, state }: EndedEpoch,
  store: Store,
  log: Log,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await store.commit({ ...commit, state: state?.write() });
      return;
    } catch (cause) {
      if (attempt === COMMIT_ATTEMPTS_MAX) throw cause;
      log('warn', `commit of epoch ${commit.epoch} failed, trying again`, cause);
      await new Promise((resolve) => setTimeout(resolve, COMMIT_RETRY_WAIT_MS * attempt));
    }
  }
}

/** Streams, feeds and sinks learn that the epoch is durable. */
export function publishEpoch(
  { commit, changed, reached, state }: EndedEpoch,
  plans: PlanSet,
): void {
  state?.committed();
  for (const { stream, positions } of reached) stream.committed = positions;
  for (const { task, change } of changed) {
    task.version = commit.epoch;
    const isAnew = change.replace || change.relabeled === true;
    task.feed?.publish(commit.epoch, change.changes, isAnew);
  }
  for (const { id, drain } of plans.tasks.values()) {
    drain?.committed(commit.outbox.filter((chunk) => chunk.sinkId === id));
  }
}
