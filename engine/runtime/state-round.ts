/**
 * A round saves the state of graph nodes, one after another, inputs before readers, each whole and between two epochs;
 * epochs pass in between, so nodes are saved after different ones.
 *
 * Why that is enough: let e(n) be the epoch after which node n is saved. A restart loads every node and pushes the logged
 * epochs again in order, where a node takes only what belongs to epochs after e(n). What n needs of an epoch e > e(n) comes
 * from the log, or from an input u of n, which emits it again when it takes epoch e, that is when e > e(u). Since u is
 * saved before n, e(u) <= e(n) < e. By induction along the graph every node ends with the state after the last epoch.
 * A node to which nothing was pushed since it was saved has the same state now: it keeps its file and takes the new epoch.
 */
import { saveAll } from '../state/saved.ts';
import { STATE_BLOCK_BYTES, StateWriter } from '../state/state-writer.ts';
import { StateFiles } from '../store/state-files.ts';
import type { Graph, GraphNode } from './graph.ts';
import type { NodeFile } from './state-manifest.ts';

/** Blocks of new memory that one step makes, about 1 ms each. */
const FRESH_BLOCKS_A_STEP = 8;
/** Copies that wait to be written; a single node's may be larger. */
const COPIED_BYTES_MAX = 64 * 1024 * 1024;

export class StateRound {
  readonly #graph: Graph;
  readonly #files: StateFiles;
  readonly #queue: GraphNode[];
  readonly #saved: Map<number, NodeFile>;
  readonly #onWritten: () => void;
  readonly #spare: Buffer[] = [];
  #copiedBytes = 0;
  #tail: Promise<void> = Promise.resolve();
  #writing = 0;
  #failure: unknown;

  /**
   * @param nodes  to be saved, in the order of the graph.
   * @param saved  the files of the round before, for nodes that have not changed and for nodes that are not in this round.
   */
  constructor(
    graph: Graph,
    files: StateFiles,
    nodes: readonly GraphNode[],
    saved: ReadonlyMap<number, NodeFile>,
    onWritten: () => void,
  ) {
    this.#graph = graph;
    this.#files = files;
    this.#queue = [...nodes];
    this.#saved = new Map(saved);
    this.#onWritten = onWritten;
  }

  /** The first failure of a write, after which the round is to be given up. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Every node is saved and its file durable. */
  get isDone(): boolean {
    return this.#queue.length === 0 && this.#writing === 0 && this.#failure === undefined;
  }

  /** Nodes that are not copied yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  get files(): ReadonlyMap<number, NodeFile> {
    return this.#saved;
  }

  /**
   * Copies the next nodes, as many as one step may; call it between two epochs only.
   * @param epoch     the last epoch that has been pushed and flushed.
   * @param bytesMax  after so many bytes the next node waits for the next step.
   */
  step(epoch: number, bytesMax: number): void {
    let bytes = 0;
    while (bytes < bytesMax && this.#copiedBytes < COPIED_BYTES_MAX) {
      const [node] = this.#queue;
      if (node === undefined) return;
      if (this.#graph.has(node)) {
        if (!this.#hasRoomFor(node)) return;
        bytes += this.#save(node, epoch);
      }
      this.#queue.shift();
    }
  }

  /** Makes room for a copy a few blocks a step: new memory costs seven times what copying into used one does. */
  #hasRoomFor({ isChanged, operator }: GraphNode): boolean {
    const wanted = isChanged ? Math.ceil((operator?.stateBytes() ?? 0) / STATE_BLOCK_BYTES) : 0;
    if (this.#spare.length >= wanted) return true;
    const count = Math.min(wanted - this.#spare.length, FRESH_BLOCKS_A_STEP);
    for (let i = 0; i < count; i++) {
      this.#spare.push(Buffer.allocUnsafeSlow(STATE_BLOCK_BYTES).fill(0));
    }
    if (this.#spare.length >= wanted) return true;
    // Others have the event loop before the next step.
    setImmediate(this.#onWritten);
    return false;
  }

  #save(node: GraphNode, epoch: number): number {
    const known = this.#saved.get(node.number);
    if (known !== undefined && !node.isChanged) {
      this.#saved.set(node.number, { ...known, epoch });
      return 0;
    }
    node.isChanged = false;
    const writer = new StateWriter(this.#spare);
    saveAll(node.operator?.savedParts() ?? [], writer);
    const blocks = writer.blocks();
    const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
    this.#copiedBytes += bytes;
    this.#writing++;
    this.#tail = this.#tail.then(() => this.#write(node, epoch, blocks));
    return bytes;
  }

  async #write(node: GraphNode, epoch: number, blocks: readonly Buffer[]): Promise<void> {
    const name = StateFiles.nodeName(node.number, epoch);
    try {
      if (this.#failure !== undefined) return;
      const bytes = await this.#files.writeNode(name, blocks, (block) => this.#written(block));
      await this.#files.flushDirectory();
      this.#saved.set(node.number, { name, bytes, epoch });
    } catch (cause) {
      this.#failure ??= cause;
    } finally {
      if (this.#failure !== undefined) node.isChanged = true;
      this.#writing--;
      this.#onWritten();
    }
  }

  #written(block: Buffer): void {
    this.#copiedBytes -= block.length;
    const { buffer } = block;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === STATE_BLOCK_BYTES) {
      this.#spare.push(Buffer.from(buffer));
    }
  }

  /** Settles when nothing is being written any more. */
  async ended(): Promise<void> {
    await this.#tail;
  }
}
