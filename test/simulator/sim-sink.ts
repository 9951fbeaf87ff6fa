/** Rows of a sink into a topic of the simulated cluster, each once. */
import {
  allDelivered,
  type Delivered,
  type ProduceRecord,
  type SinkChunk,
  type SinkIdentity,
  type SinkWriter,
} from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Cluster } from './sim-cluster.ts';
import type { Process } from './world.ts';

/** A record is the cluster's own once it has been sent. */
export function copyOf(record: ProduceRecord): ProduceRecord {
  const { key, value } = record;
  return {
    ...record,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  };
}

/** As the writer of connectors/kafka does: it begins anew after every failure, unless another one owns the sink by then. */
export class SimSinkWriter implements SinkWriter {
  readonly #cluster: Cluster;
  readonly #process: Process;
  readonly #topic: string;
  readonly #sink: SinkIdentity;
  /** Undefined before the first time, and after a failure. */
  #token: number | undefined;
  #position = 0;
  #isOwner = false;
  #isClosed = false;

  constructor(cluster: Cluster, process: Process, topic: string, sink: SinkIdentity) {
    this.#cluster = cluster;
    this.#process = process;
    this.#topic = topic;
    this.#sink = sink;
  }

  get position(): number {
    return this.#position;
  }

  async begin(): Promise<void> {
    const { name } = this.#sink;
    const { token, position, owner } = await this.#call('begin', () => this.#cluster.begin(name));
    if (this.#isOwner && owner !== this) {
      throw new StreamError('SINK_FENCED', `another process has taken over "${name}"`);
    }
    this.#position = position;
    if (owner !== this) await this.#write(token, [], position);
    this.#isOwner = true;
    this.#token = token;
  }

  async deliver(chunks: readonly SinkChunk[]): Promise<Delivered> {
    if (this.#isClosed) throw new StreamError('SHUTTING_DOWN', 'the writer is closed');
    if (this.#token === undefined) await this.begin();
    const token = this.#token ?? 0;
    const fresh = chunks.filter(({ sequence }) => sequence > this.#position);
    const last = fresh.at(-1);
    if (last === undefined) return allDelivered;
    // Whether it was written is asked before anything else is.
    this.#token = undefined;
    const records = fresh.flatMap((chunk) => chunk.records.map(copyOf));
    await this.#write(token, records, last.sequence);
    this.#token = token;
    this.#position = last.sequence;
    return allDelivered;
  }

  async #write(token: number, records: readonly ProduceRecord[], position: number): Promise<void> {
    const written = { token, position, owner: this };
    const isWritten = await this.#call('write', () =>
      this.#cluster.write(this.#sink.name, written, this.#topic, records),
    );
    if (!isWritten) throw new StreamError('SOURCE_UNREACHABLE', 'a later writer has begun');
  }

  #call<T>(name: string, serve: () => T): Promise<T> {
    return this.#cluster.call(this.#process, `sink: ${name}`, serve);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}
