/** Rows of a sink into a topic of the embedded log: appended, and taken out of the outbox, in one transaction of the store. */
import type {
  DeliveredChunks,
  ProduceRecord,
  SinkChunk,
  SinkIdentity,
  SinkWriter,
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

  async deliver(chunks: readonly SinkChunk[]): Promise<number> {
    const last = chunks.at(-1);
    if (last === undefined) return 0;
    const records = chunks.flatMap((chunk) => chunk.records);
    await this.#append(records, { sinkId: this.#sink.id, upTo: last.sequence });
    return 0;
  }

  /** The log belongs to the server and outlives its sinks. */
  async close(): Promise<void> {}
}
