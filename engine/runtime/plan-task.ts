/** What the engine is told to run, and what it knows of each plan while it runs. */
import type { Offset } from '../../connectors/connector.ts';
import { Batch } from '../delta/batch.ts';
import type { StoredRelation } from '../store/store.ts';
import type { ViewFeed } from '../view/subscription.ts';
import type { FailureTap, GraphNode } from './graph.ts';
import type { Consolidate, EncodeSink, SinkOutput, ViewOutput } from './output.ts';
import type { SinkDelivery, SinkDrain } from './sink-drain.ts';

/** Stands for the wall clock where the id of a stream stands for its watermark; relations count from 1. */
export const WALL_CLOCK_ID = 0;

/** One input of a plan: a relation's columns into an operator's port. */
export interface PlanLeaf {
  readonly relationId: number;
  readonly columns: readonly number[];
  readonly target: GraphNode;
  readonly port: number;
  /** Not rows of the stream but its watermark, as rows of one timestamp that only grow. */
  readonly isClock: boolean;
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
  readonly failures: FailureDefinition;
  /** Bytes that its operators may hold; undefined = no bound of its own. */
  readonly stateBytesMax?: number | undefined;
  /** It may be taken out when there is too much state, its own or that of all. */
  readonly canGiveWay: boolean;
  /** Ends with the process, so that its state is not worth saving. */
  readonly isTransient?: boolean | undefined;
}

/** What becomes of rows that an expression fails for. */
export interface FailureDefinition {
  /** The error relation; undefined for plans that nobody can ask afterwards. */
  readonly tableId: number | undefined;
  /** Told of every failure that is news. */
  readonly report: FailureTap;
}

/** Rows of a running plan that expressions fail for. */
export interface PlanFailures {
  readonly tableId: number | undefined;
  readonly tap: FailureTap;
  /** Reported since the start of the process. */
  total: number;
}

export interface SinkDefinition {
  readonly id: number;
  readonly name: string;
  readonly fragment: PlanFragment;
  /** Undefined for a sink that only counts. */
  readonly delivery: (SinkDelivery & { readonly encode: EncodeSink }) | undefined;
  readonly failures: FailureDefinition;
  /** The table that its rows go into; undefined for a destination outside. */
  readonly feedsTable?: number | undefined;
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

export type StartAt = 'earliest' | 'latest';

/** Where a new plan begins to read its streams; where nothing is said, as each stream's own options say. */
export interface PlanReading {
  readonly startAt?: StartAt | undefined;
  /** Offsets per partition, per stream id; records that are no longer retained are left out. */
  readonly from?: StreamOffsets | undefined;
}

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
  output: ViewOutput | SinkOutput;
  readonly drain: SinkDrain | undefined;
  /** Of a sink: the table that its rows go into. */
  readonly feedsTable: number | undefined;
  feed: ViewFeed | undefined;
  /** Undefined for a table, which computes nothing. */
  failures: PlanFailures | undefined;
  /** Bytes that its operators may hold. */
  stateBytesMax: number;
  readonly canGiveWay: boolean;
  /** It was found over a budget, and whoever was told will take it out. */
  isGivingWay: boolean;
  /** Ids of the relations that its plan reads. */
  readonly reads: readonly number[];
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
  Partial<
    Pick<
      PlanTask,
      'fragment' | 'drain' | 'feedsTable' | 'feed' | 'stateBytesMax' | 'canGiveWay' | 'isTransient'
    >
  >;

export function planTask(parts: TaskParts): PlanTask {
  const leaves = parts.fragment?.leaves ?? [];
  return {
    reads: [...new Set(leaves.map((leaf) => leaf.relationId))],
    fragment: undefined,
    drain: undefined,
    feedsTable: undefined,
    feed: undefined,
    failures: undefined,
    stateBytesMax: Number.POSITIVE_INFINITY,
    canGiveWay: false,
    isGivingWay: false,
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

/** What a plan is told of a clock: one row, the time. */
export function clockBatch(micros: bigint): Batch {
  return new Batch(1, [{ physical: 'i64', values: BigInt64Array.of(micros), nulls: null }], null);
}

export function pushInto({ target, port }: PlanLeaf, batch: Batch): void {
  target.push(port, batch);
}
