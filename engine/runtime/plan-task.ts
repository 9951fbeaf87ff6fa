/** What the engine is told to run, and what it knows of each plan while it runs. */
import type { Offset, SinkWriter } from '../../connectors/connector.ts';
import type { Batch } from '../delta/batch.ts';
import type { StoredRelation } from '../store/store.ts';
import type { ViewFeed } from '../view/subscription.ts';
import type { GraphNode } from './graph.ts';
import type { Consolidate, EncodeSink, SinkOutput, ViewOutput } from './output.ts';
import type { SinkDrain } from './sink-drain.ts';

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
  /** Ends with the process, so that its state is not worth saving. */
  readonly isTransient?: boolean | undefined;
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

/** Offsets per partition, per stream id. */
export type StreamOffsets = ReadonlyMap<number, ReadonlyMap<number, Offset>>;

export interface PlanStart {
  /** Where the plan began to read each stream. */
  readonly starts: StreamOffsets;
  /** The epoch at which it began; tells a view that was resumed from what it was before. */
  readonly epoch: number;
}

export type TaskState = 'running' | 'catching-up' | 'paused' | 'failed';

export interface PlanTask {
  readonly kind: 'view' | 'sink' | 'table';
  readonly id: number;
  readonly name: string;
  root: GraphNode;
  /**
   * Nodes shared with other plans stand in each one's fragment; a leaf only in that of the plan that feeds it.
   * Undefined for a table, which has no operators.
   */
  fragment: PlanFragment | undefined;
  /** For each node of the plan as it was built, in that order, the one that does its work: itself or an equal older one. */
  built: readonly GraphNode[];
  readonly output: ViewOutput | SinkOutput;
  readonly drain: SinkDrain | undefined;
  readonly feed: ViewFeed | undefined;
  state: TaskState;
  reason: string | undefined;
  /** The epoch that changed its rows last. */
  version: number;
  starts: StreamOffsets;
  startedEpoch: number;
  readonly isTransient: boolean;
  /** After a restart: its state was read back, so that its input is not read again. */
  isRestored: boolean;
  /** The ends that the plan must reach to be level. */
  targets: StreamOffsets;
}

type TaskParts = Pick<PlanTask, 'kind' | 'id' | 'name' | 'root' | 'output' | 'version'> &
  Partial<Pick<PlanTask, 'fragment' | 'drain' | 'feed' | 'isTransient'>>;

export function planTask(parts: TaskParts): PlanTask {
  return {
    fragment: undefined,
    drain: undefined,
    feed: undefined,
    state: 'running',
    reason: undefined,
    starts: new Map(),
    startedEpoch: 0,
    built: parts.fragment?.nodes ?? [],
    isTransient: false,
    isRestored: false,
    targets: new Map(),
    ...parts,
  };
}

export function pushInto({ target, port }: PlanLeaf, batch: Batch): void {
  target.push(port, batch);
}
