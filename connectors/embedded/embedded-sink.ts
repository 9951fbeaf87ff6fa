/** Rows of a sink into a topic of the embedded log: appended, and taken out of the outbox, in one transaction of the store. */
import {
  allDelivered,
  type Delivered,
  type DeliveredChunks,
  type ProduceRecord,
  type SinkChunk,
  type SinkIdentity,
  type SinkWriter,
} from '../connector.ts';

type Append = (records: readonly ProduceRecord[], delivered: DeliveredChunks) => Promise<void>;

export class EmbeddedSinkWriter implements SinkWriter {
  /** What is still in the outbox was not delivered: the outbox itself is the position. */
  readonly position = undefined;
  readonly clearsOutbox = true;
  readonly #sink: SinkIdentity;
  readonly #append: Append;

  constructor(sink: SinkIdentity, append: Append) {
    this.#sink = sink;
    this.#append = append;
  }

  async deliver(chunks: readonly SinkChunk[]): Promise<Delivered> {
    const last = chunks.at(-1);
    if (last === undefined) return allDelivered;
    const records = chunks.flatMap((chunk) => chunk.records);
    await this.#append(records, { sinkId: this.#sink.id, upTo: last.sequence });
    return allDelivered;
  }

  /** The log belongs to the server and outlives its sinks. */
  async close(): Promise<void> {}
}
