/**
 * The running plans as one graph: nodes in topological order (inputs before readers), edges that pick
 * columns, taps where results leave. Equal sub-plans of views that stand at the same positions are one node.
 */

import type { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import { Batch } from '../delta/batch.ts';
import type { BatchColumn } from '../delta/column.ts';
import type { Operator } from '../operator/operator.ts';
import type { PhysicalNode } from '../plan/physical-node.ts';

/** Where a node's rows leave the graph: a stored view, a sink, a subscription. */
export interface Tap {
  take(batch: Batch): void;
}

/** A row that failed in an operator, as the operator saw it. */
export interface RowFailure {
  readonly node: PhysicalNode;
  readonly error: StreamError;
  readonly batch: Batch;
  readonly row: number;
  /** Copies that fail from now on; negative for copies that were taken back. */
  readonly weight: number;
  /** Of the batch. */
  readonly schema: Schema;
}

/** Where failed rows leave the graph: the error relation of each plan that the operator belongs to. */
export type FailureTap = (failure: RowFailure) => void;
/** Sees every batch that is pushed into a node's operator, and says whether it gets there. */
export type PortGuard = (node: GraphNode, port: number, batch: Batch) => boolean;

const NO_PORTS: ReadonlySet<number> = new Set();

interface Edge {
  readonly node: GraphNode;
  readonly port: number;
  /** Columns of the producer that the reader wants, in its order; undefined = all as they are. */
  readonly columns: readonly number[] | undefined;
}

export class GraphNode {
  /** Equal fingerprints mean equal rows, as long as both stand at the same positions. */
  readonly fingerprint: string;
  /** Undefined for a leaf, which the runtime feeds through `emit`. */
  readonly operator: Operator | undefined;
  readonly inputs: readonly GraphNode[];
  readonly label: string;
  /**
   * The node's place in the order of the graph, and its name in files of operator state: given once, never again to
   * another node, and the same after a restart.
   */
  number = 0;
  /** Ports at which a plan's input is logged, so that replaying them rebuilds everything below. */
  entryPorts: ReadonlySet<number> = NO_PORTS;
  /** Ports that another node feeds than at first, whose names of rows are others; saved with the plan. */
  unnamedPorts: ReadonlySet<number> = NO_PORTS;
  guard: PortGuard | undefined;
  /** Something was pushed since the state was saved last. Kept by the guard. */
  isChanged = true;
  rowsOut = 0;
  readonly #edges: Edge[] = [];
  readonly #taps = new Set<Tap>();
  readonly #failureTaps = new Set<FailureTap>();

  constructor(
    fingerprint: string,
    label: string,
    operator: Operator | undefined,
    inputs: readonly GraphNode[],
  ) {
    this.fingerprint = fingerprint;
    this.label = label;
    this.operator = operator;
    this.inputs = inputs;
  }

  readonly emit = (batch: Batch): void => {
    if (batch.length === 0) return;
    this.rowsOut += batch.length;
    for (const { node, port, columns } of this.#edges)
      node.push(port, selectColumns(batch, columns));
    for (const tap of this.#taps) tap.take(batch);
  };

  push(port: number, batch: Batch): void {
    const { operator, guard } = this;
    if (operator === undefined) {
      this.emit(batch);
      return;
    }
    if (guard !== undefined && !guard(this, port, batch)) return;
    const isUnnamed = this.entryPorts.has(port) || this.unnamedPorts.has(port);
    operator.push(port, isUnnamed ? withoutNames(batch) : batch, this.emit);
  }

  /** What it keeps must outlive the process. */
  get isStateful(): boolean {
    return this.operator !== undefined && this.operator.savedParts().length > 0;
  }

  connect(node: GraphNode, port: number, columns: readonly number[] | undefined): void {
    this.#edges.push({ node, port, columns });
  }

  isConnected(node: GraphNode, port: number): boolean {
    return this.#edges.some((edge) => edge.node === node && edge.port === port);
  }

  /** Readers in the order of the graph, as they were connected before a restart. */
  sortEdges(): void {
    this.#edges.sort((a, b) => a.node.number - b.node.number || a.port - b.port);
  }

  /** Removes every edge to `node`. */
  disconnect(node: GraphNode): void {
    for (let i = this.#edges.length - 1; i >= 0; i--) {
      if (this.#edges[i]?.node === node) this.#edges.splice(i, 1);
    }
  }

  addTap(tap: Tap): void {
    this.#taps.add(tap);
  }

  removeTap(tap: Tap): void {
    this.#taps.delete(tap);
  }

  addFailureTap(tap: FailureTap): void {
    this.#failureTaps.add(tap);
  }

  removeFailureTap(tap: FailureTap): void {
    this.#failureTaps.delete(tap);
  }

  readonly fail = (failure: RowFailure): void => {
    for (const tap of this.#failureTaps) tap(failure);
  };

  get isRead(): boolean {
    return this.#edges.length > 0 || this.#taps.size > 0;
  }

  /**
   * Gives this node's readers to `twin`, which computes the same rows; readers that the twin has already stay. The twin's input is logged
   * from now on where this node's was: its own readers may have had no state, and the new ones have.
   */
  moveReadersTo(twin: GraphNode): void {
    twin.entryPorts = new Set([...twin.entryPorts, ...this.entryPorts]);
    for (const edge of this.#edges.splice(0)) {
      edge.node.unnamedPorts = new Set([...edge.node.unnamedPorts, edge.port]);
      twin.#edges.push(edge);
    }
    for (const tap of this.#taps) twin.#taps.add(tap);
    this.#taps.clear();
    for (const tap of this.#failureTaps) twin.#failureTaps.add(tap);
    this.#failureTaps.clear();
  }
}

/** The log does not keep names of rows, and operators are to do the same with what they are pushed again from it. */
function withoutNames(batch: Batch): Batch {
  return batch.named === null ? batch : new Batch(batch.length, batch.columns, batch.weights);
}

/** The batch with only the given columns, in the given order; the columns themselves are shared. */
export function selectColumns(batch: Batch, columns: readonly number[] | undefined): Batch {
  if (columns === undefined) return batch;
  const picked: BatchColumn[] = columns.map((index) => batch.column(index));
  return new Batch(batch.length, picked, batch.weights, batch.named);
}

export class Graph {
  readonly #nodes: GraphNode[] = [];
  #lastNumber = 0;
  /** The number of the node that is being flushed; 0 outside of a flush. */
  flushing = 0;
  /** Flushes so far; an epoch may need several. */
  flushes = 0;

  add(node: GraphNode): void {
    node.number = ++this.#lastNumber;
    this.#nodes.push(node);
  }

  /** The highest number that a node ever had. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /**
   * After a restart: nodes that have been here before get their numbers back, the others new ones, and the order is again
   * that of the numbers. Equal pushes in equal order then lead to equal state.
   */
  renumber(numbers: ReadonlyMap<GraphNode, number>, lastNumber: number): void {
    this.#lastNumber = lastNumber;
    for (const node of this.#nodes) node.number = numbers.get(node) ?? ++this.#lastNumber;
    this.#nodes.sort((a, b) => a.number - b.number);
    for (const node of this.#nodes) node.sortEdges();
  }

  get nodes(): readonly GraphNode[] {
    return this.#nodes;
  }

  /** Ends an epoch: every operator emits what it held back, inputs before readers. */
  flush(): void {
    for (const node of this.#nodes) {
      this.flushing = node.number;
      node.operator?.flush(node.emit);
    }
    this.flushing = 0;
    this.flushes++;
  }

  has(node: GraphNode): boolean {
    return this.#nodes.includes(node);
  }

  /**
   * Folds the nodes of a plan that has just become level into equal older ones, so that their state is held once. A
   * node is folded only together with everything below it.
   * @param equals  an older node that stands at the same positions and began at the same ones.
   * @returns what became of each node of the plan: itself or its older twin.
   */
  share(
    fresh: readonly GraphNode[],
    equals: (node: GraphNode) => GraphNode | undefined,
  ): ReadonlyMap<GraphNode, GraphNode> {
    const kept = new Map<GraphNode, GraphNode>();
    for (const node of fresh) {
      const isWhole = node.inputs.every((input) => kept.get(input) !== input);
      const twin = isWhole ? equals(node) : undefined;
      kept.set(node, twin ?? node);
    }
    for (const [node, twin] of kept) if (twin !== node) node.moveReadersTo(twin);
    for (const [node, twin] of kept) if (twin !== node) this.#detach(node);
    return kept;
  }

  /** Removes a node and then its inputs, as far as nobody reads them any more. */
  release(node: GraphNode): void {
    if (node.isRead || !this.#nodes.includes(node)) return;
    this.#detach(node);
    for (const input of node.inputs) this.release(input);
  }

  /** Leaves go with the relation that they stand for. */
  removeLeaf(node: GraphNode): void {
    this.#detach(node);
  }

  #detach(node: GraphNode): void {
    const at = this.#nodes.indexOf(node);
    if (at >= 0) this.#nodes.splice(at, 1);
    for (const input of node.inputs) input.disconnect(node);
  }
}
