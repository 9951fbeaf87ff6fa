/**
 * One epoch's input of the operators with state, as the log holds it: every batch that was pushed into an entry port
 * (fragment.ts), in the order of the pushes. A push is
 *
 *     node   flushes   flushing   port   batch
 *
 * where `flushes` counts the flushes of the graph since the frame began (an epoch may need several, error-rows.ts), and
 * `flushing` is the number of the node whose flush pushed it (a view may read another one), 0 before the flush.
 * Everything else that operators see follows from these pushes, so that pushing them again, and flushing in the same
 * order, gives the same state.
 */
import type { Batch } from '../delta/batch.ts';
import { BatchReader, BatchWriter } from '../state/batch-codec.ts';
import { StateReader } from '../state/state-reader.ts';
import { STATE_BLOCK_BYTES, StateWriter } from '../state/state-writer.ts';
import type { Graph, PortGuard } from './graph.ts';

export interface LoggedPush {
  readonly node: number;
  readonly flushes: number;
  readonly flushing: number;
  readonly port: number;
  readonly batch: Batch;
}

/** Written blocks of 1 MiB that are kept for the next epochs: new memory costs more than what is written into it. */
const SPARE_BLOCKS_MAX = 64;

export class FrameRecorder {
  readonly #graph: Graph;
  readonly #spare: Buffer[] = [];
  #writer: StateWriter | undefined;
  #batches: BatchWriter | undefined;
  /** The graph's flushes before the frame. */
  #flushes: number;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#flushes = graph.flushes;
  }

  /** For the nodes of plans whose input is logged. */
  readonly guard: PortGuard = (node, port, batch) => {
    node.isChanged = true;
    if (node.entryPorts.has(port)) this.#record(node.number, port, batch);
    return true;
  };

  #record(node: number, port: number, batch: Batch): void {
    this.#writer ??= new StateWriter(this.#spare);
    this.#batches ??= new BatchWriter(this.#writer);
    this.#writer.number(node);
    this.#writer.number(this.#graph.flushes - this.#flushes);
    this.#writer.number(this.#graph.flushing);
    this.#writer.number(port);
    this.#batches.write(batch);
  }

  /** Bytes recorded in this epoch. */
  get bytes(): number {
    return this.#writer?.bytes ?? 0;
  }

  /** What was recorded since the last call; undefined when that is nothing. */
  take(): readonly Buffer[] | undefined {
    const blocks = this.#writer?.blocks();
    this.#flushes = this.#graph.flushes;
    this.#writer = undefined;
    this.#batches = undefined;
    return blocks;
  }

  /** The blocks are written and may be used again. */
  recycle(blocks: readonly Buffer[]): void {
    for (const { buffer } of blocks) {
      if (this.#spare.length >= SPARE_BLOCKS_MAX) return;
      if (buffer.byteLength === STATE_BLOCK_BYTES) this.#spare.push(Buffer.from(buffer));
    }
  }
}

/** @throws StreamError STATE_DAMAGED */
export function* readFrame(payload: Buffer): Generator<LoggedPush> {
  const from = StateReader.of([payload]);
  const batches = new BatchReader(from);
  while (!from.isAtEnd) {
    const node = from.number();
    const flushes = from.number();
    const flushing = from.number();
    const port = from.number();
    yield { node, flushes, flushing, port, batch: batches.read() };
  }
}
