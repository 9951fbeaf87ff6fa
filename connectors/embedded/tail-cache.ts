/**
 * The newest segments of all partitions, decoded, so that readers at the head never ask the store.
 * Bounded in bytes over the whole log; the oldest segment of any partition goes first.
 */
import type { RecordBatch } from '../connector.ts';
import { batchBytes } from '../record-batch.ts';

/** Contiguous batches that end at the partition's end. */
export class Tail {
  readonly batches: RecordBatch[] = [];

  /** The batch that holds `offset`; -1 when it is older or not written yet. */
  find(offset: number): number {
    let low = 0;
    let high = this.batches.length - 1;
    if (high < 0 || offset < this.firstOffset()) return -1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (((this.batches[middle] as RecordBatch).offsets[0] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    const batch = this.batches[low] as RecordBatch;
    return offset <= (batch.offsets[batch.length - 1] as number) ? low : -1;
  }

  firstOffset(): number {
    return this.batches[0]?.offsets[0] ?? Number.POSITIVE_INFINITY;
  }
}

export class TailCache {
  readonly #bytesMax: number;
  #bytes = 0;
  /** Whose segment was written when; an entry may outlive its segment after a topic is deleted. */
  #order: Tail[] = [];
  #orderHead = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(tail: Tail, batch: RecordBatch): void {
    tail.batches.push(batch);
    this.#bytes += batchBytes(batch);
    this.#order.push(tail);
    while (this.#bytes > this.#bytesMax && this.#orderHead < this.#order.length) this.#evict();
    if (this.#orderHead > 1024 && this.#orderHead * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#orderHead);
      this.#orderHead = 0;
    }
  }

  /** Forgets batches that end before `offset`. */
  trim(tail: Tail, offset: number): void {
    for (let first = tail.batches[0]; first !== undefined; first = tail.batches[0]) {
      if ((first.offsets[first.length - 1] as number) >= offset) return;
      tail.batches.shift();
      this.#bytes -= batchBytes(first);
    }
  }

  #evict(): void {
    const gone = this.#order[this.#orderHead++]?.batches.shift();
    if (gone !== undefined) this.#bytes -= batchBytes(gone);
  }
}
