/** Which record a row came from, while its batch is pushed. */
import type { Offset, RecordBatch } from '../../connectors/connector.ts';
import type { Batch } from '../delta/batch.ts';

export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Offset;
}

/**
 * Operators run to the end within a push, so the batch that a stream is pushing just now is one at any moment. An
 * operator that reads a stream directly reports failed rows with that very batch; rows that were computed from others
 * come with a batch of their own, and have no place.
 */
export class RecordPlaces {
  #batch: Batch | undefined;
  #topic = '';
  #records: RecordBatch | undefined;
  #recordOf: ((row: number) => number) | undefined;

  /** @param recordOf  number of the record that a row of the batch is. */
  pushing(
    topic: string,
    records: RecordBatch,
    recordOf: (row: number) => number,
    batch: Batch,
    push: () => void,
  ): void {
    this.#batch = batch;
    this.#topic = topic;
    this.#records = records;
    this.#recordOf = recordOf;
    try {
      push();
    } finally {
      // Records die with their epoch; nothing of them may be held on to.
      this.#batch = undefined;
      this.#records = undefined;
      this.#recordOf = undefined;
    }
  }

  of(batch: Batch, row: number): RecordPlace | undefined {
    if (batch !== this.#batch) return undefined;
    const { partition, offsets } = this.#records ?? {};
    const record = this.#recordOf?.(row);
    if (partition === undefined || offsets === undefined || record === undefined) return undefined;
    return { topic: this.#topic, partition, offset: offsets[record] as number };
  }
}
