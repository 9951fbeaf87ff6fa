/**
 * Carries a sink's committed rows from the outbox to their destination, in order, one chunk at a time. A
 * destination that is down is tried again with growing waits; its rows stay in the outbox meanwhile.
 */
import type { SinkWriter } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Store } from '../store/store.ts';
import { decodeOutbox } from './outbox-codec.ts';
import { Bell } from './signal.ts';

const CHUNKS_PER_READ_MAX = 16;
const IDLE_WAIT_MS = 60_000;
const RETRY_WAIT_MIN_MS = 50;
const RETRY_WAIT_MAX_MS = 10_000;

export class SinkDrain {
  readonly #store: Store;
  readonly #sinkId: number;
  readonly #open: () => Promise<SinkWriter>;
  readonly #bell = new Bell();
  /** Rung only by close: new rows must not cut a backoff short. */
  readonly #closing = new Bell();
  readonly #random: () => number;
  /** Every chunk up to here has been delivered. */
  #delivered = 0;
  #committed: number;
  #waiters: { sequence: number; resolve: () => void }[] = [];
  #closed = false;
  #running: Promise<void> | undefined;
  #fault: StreamError | undefined;
  records = 0;

  constructor(
    store: Store,
    sinkId: number,
    committed: number,
    open: () => Promise<SinkWriter>,
    random: () => number,
  ) {
    this.#store = store;
    this.#sinkId = sinkId;
    this.#committed = committed;
    this.#open = open;
    this.#random = random;
  }

  /** The last fault of the destination that is still being retried. */
  get fault(): StreamError | undefined {
    return this.#fault;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Chunks up to `sequence` are committed now. */
  committed(sequence: number): void {
    this.#committed = Math.max(this.#committed, sequence);
    this.#bell.ring();
  }

  /** Settles when everything committed so far is delivered, or the drain is closed. */
  async delivered(): Promise<void> {
    const sequence = this.#committed;
    if (this.#delivered >= sequence || this.#closed) return;
    await new Promise<void>((resolve) => this.#waiters.push({ sequence, resolve }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#bell.ring();
    this.#closing.ring();
    await this.#running;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  async #run(): Promise<void> {
    let writer: SinkWriter | undefined;
    let retryWaitMs = RETRY_WAIT_MIN_MS;
    while (!this.#closed) {
      try {
        writer ??= await this.#open();
        const delivered = await this.#deliverSome(writer);
        this.#fault = undefined;
        retryWaitMs = RETRY_WAIT_MIN_MS;
        if (!delivered) await this.#bell.wait(IDLE_WAIT_MS);
      } catch (cause) {
        this.#fault =
          cause instanceof StreamError
            ? cause
            : new StreamError('SOURCE_UNREACHABLE', `sink is not reachable: ${String(cause)}`, {
                cause,
              });
        // Full jitter keeps many sinks of one dead destination from retrying in step.
        await this.#closing.wait(retryWaitMs * (0.5 + this.#random() / 2));
        retryWaitMs = Math.min(retryWaitMs * 2, RETRY_WAIT_MAX_MS);
      }
    }
    await writer?.close();
  }

  async #deliverSome(writer: SinkWriter): Promise<boolean> {
    const committed = this.#committed;
    const chunks = await this.#store.outbox(this.#sinkId, this.#delivered, CHUNKS_PER_READ_MAX);
    if (chunks.length === 0) this.#advance(committed);
    for (const chunk of chunks) {
      if (this.#closed) return true;
      const records = decodeOutbox(chunk.data);
      await writer.deliver(records);
      this.records += records.length;
      await this.#store.acknowledge(this.#sinkId, chunk.sequence);
      this.#advance(chunk.sequence);
    }
    return chunks.length > 0;
  }

  #advance(sequence: number): void {
    this.#delivered = Math.max(this.#delivered, sequence);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.sequence > this.#delivered) return true;
      waiter.resolve();
      return false;
    });
  }
}
