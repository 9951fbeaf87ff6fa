/**
 * Carries a sink's committed rows from the outbox to their destination, in order. A destination that is down is tried again with
 * growing waits; its rows stay in the outbox meanwhile, up to a budget past which the sink's sources are held.
 */
import type { Guarantee, SinkWriter } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { OutboxChunk, OutboxSize, Store } from '../store/store.ts';
import { decodeOutbox } from './outbox-codec.ts';
import { Bell } from './signal.ts';

/** What is handed to the destination at a time: so many chunks, or the first that reach so many bytes. */
const CHUNKS_PER_DELIVERY_MAX = 16;
const BYTES_PER_DELIVERY_MAX = 8 * 1024 * 1024;
const IDLE_WAIT_MS = 60_000;
const RETRY_WAIT_MIN_MS = 50;
const RETRY_WAIT_MAX_MS = 10_000;
/** How long a delivery under way may take when the drain is closed; then it is given up, and comes again after the restart. */
const CLOSE_WAIT_MS = 3_000;

/** How a sink's rows leave; see SinkConnector. */
export interface SinkDelivery {
  readonly guarantee: Guarantee;
  /** Bytes that may wait in the outbox before the sink's sources are held. */
  readonly outboxBytesMax: number;
  open(): Promise<SinkWriter>;
}

export interface SinkStatus {
  readonly guarantee: Guarantee;
  /** Rows since the process started. */
  readonly delivered: number;
  /** Rows that the destination refused and that were left out, as the sink's options say. */
  readonly skipped: number;
  /** Why the last of them was. */
  readonly refusal: StreamError | undefined;
  readonly lagRows: number;
  readonly lagBytes: number;
  /** Age of the oldest row that waits; 0 when none does. */
  readonly lagMs: number;
  readonly fault: StreamError | undefined;
  /** Milliseconds since 1970-01-01 UTC; undefined without a fault. */
  readonly faultSinceMs: number | undefined;
  readonly isPaused: boolean;
  /** Nothing more is delivered until the sink is resumed or the process starts again. */
  readonly isStopped: boolean;
  /** Its sources are held because too much waits. */
  readonly isFull: boolean;
}

export interface DrainOptions {
  readonly store: Store;
  readonly sinkId: number;
  /** No chunk that was committed so far has a higher sequence. */
  readonly committed: number;
  readonly delivery: SinkDelivery;
  readonly random: () => number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallMs: () => number;
  /** Called when chunks have left the outbox. */
  readonly onDelivered: () => void;
}

export class SinkDrain {
  readonly #options: DrainOptions;
  readonly #bell = new Bell();
  /** Rung only by close and stop: new rows must not cut a backoff short. */
  readonly #closing = new Bell();
  /** Every chunk up to here has been delivered. */
  #delivered = 0;
  #committed: number;
  #waiting = { records: 0, bytes: 0 };
  #oldestMs: number | undefined;
  #waiters: { sequence: number; resolve: () => void }[] = [];
  #closed = false;
  #running: Promise<void> | undefined;
  #writer: SinkWriter | undefined;
  #fault: StreamError | undefined;
  #faultSinceMs: number | undefined;
  #isReleased = false;
  #isPaused = false;
  #isStopped = false;
  #skipped = 0;
  #refusal: StreamError | undefined;
  records = 0;

  constructor(options: DrainOptions) {
    this.#options = options;
    this.#committed = options.committed;
  }

  get status(): SinkStatus {
    const { guarantee } = this.#options.delivery;
    const oldestMs = this.#oldestMs;
    return {
      guarantee,
      delivered: this.records,
      skipped: this.#skipped,
      refusal: this.#refusal,
      lagRows: this.#waiting.records,
      lagBytes: this.#waiting.bytes,
      lagMs: oldestMs === undefined ? 0 : Math.max(this.#options.wallMs() - oldestMs, 0),
      fault: this.#fault,
      faultSinceMs: this.#faultSinceMs,
      isPaused: this.#isPaused,
      isStopped: this.#isStopped,
      isFull: this.isFull,
    };
  }

  /** More waits than the budget allows. A sink that catches up is never full: its rows leave only when it is level. */
  get isFull(): boolean {
    return this.#isReleased && this.#waiting.bytes > this.#options.delivery.outboxBytesMax;
  }

  /** Begins to deliver: the plan has caught up, so what is in the outbox is whole. */
  start(): void {
    this.#isReleased = true;
    if (!this.#isPaused) this.#running ??= this.#run();
  }

  /** @returns whether it was going before. */
  pause(): boolean {
    if (this.#isPaused) return false;
    this.#isPaused = true;
    this.#bell.ring();
    this.#closing.ring();
    this.#release();
    return true;
  }

  /** Goes on, also after a fault that has stopped it; a destination is taken over again. */
  async resume(): Promise<boolean> {
    if (!this.#isPaused && !this.#isStopped) return false;
    await this.#running;
    this.#running = undefined;
    this.#isPaused = false;
    this.#isStopped = false;
    this.#healthy();
    if (this.#isReleased) this.start();
    return true;
  }

  /** After a restart: what was in the outbox. */
  restored(size: OutboxSize): void {
    this.#waiting = { ...size };
  }

  /** Chunks of an epoch that is committed now. */
  committed(chunks: readonly OutboxChunk[]): void {
    for (const { sequence, records, data, createdMs } of chunks) {
      this.#committed = Math.max(this.#committed, sequence);
      this.#waiting.records += records;
      this.#waiting.bytes += data.length;
      this.#oldestMs ??= createdMs;
    }
    if (chunks.length > 0) this.#bell.ring();
  }

  /**
   * Settles when everything committed so far is delivered, the drain is paused or closed, or the signal fires. Does not wait for a
   * destination that fails now: nobody knows how long.
   */
  async delivered(signal: AbortSignal): Promise<void> {
    const sequence = this.#committed;
    if (this.#delivered >= sequence || this.#closed || this.#isPaused) return;
    if (this.#fault !== undefined || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ sequence, resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#bell.ring();
    this.#closing.ring();
    if (this.#writer?.waitsForEngine !== true) await this.#ended(CLOSE_WAIT_MS);
    await this.#closeWriter();
    await this.#ended(CLOSE_WAIT_MS);
    this.#release();
  }

  async #ended(waitMsMax: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMsMax);
    });
    await Promise.race([this.#running, late]);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    let retryWaitMs = RETRY_WAIT_MIN_MS;
    while (this.#isGoing()) {
      try {
        this.#writer ??= await this.#open();
        const found = await this.#deliverSome(this.#writer);
        this.#healthy();
        retryWaitMs = RETRY_WAIT_MIN_MS;
        if (!found) await this.#bell.wait(IDLE_WAIT_MS);
      } catch (cause) {
        if (this.#closed) break;
        this.#failed(cause);
        if (!this.#isGoing()) break;
        // Jitter keeps many sinks of one dead destination from retrying in step.
        await this.#closing.wait(retryWaitMs * (0.5 + this.#options.random() / 2));
        retryWaitMs = Math.min(retryWaitMs * 2, RETRY_WAIT_MAX_MS);
      }
    }
    await this.#closeWriter();
  }

  #isGoing(): boolean {
    return !this.#closed && !this.#isPaused && !this.#isStopped;
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    try {
      await writer?.close();
    } catch (cause) {
      this.#failed(cause);
    }
  }

  /** Opens the destination and asks where it is. */
  async #open(): Promise<SinkWriter> {
    const writer = await this.#options.delivery.open();
    const { position } = writer;
    if (position === undefined) return writer;
    if (position > this.#committed) {
      await writer.close();
      throw new StreamError(
        'SINK_REFUSED',
        `the destination has rows up to ${position}, this data directory only up to ${this.#committed}`,
        {
          hint: 'The directory is older than what was written from it, as a restored backup is: drop the sink and create it anew.',
        },
      );
    }
    if (position > this.#delivered) await this.#acknowledge(position);
    return writer;
  }

  /** @returns whether there was something. */
  async #deliverSome(writer: SinkWriter): Promise<boolean> {
    const { store, sinkId } = this.#options;
    const committed = this.#committed;
    const found = await store.outbox(sinkId, this.#delivered, CHUNKS_PER_DELIVERY_MAX);
    // Paused or closed while the outbox was read: nothing leaves any more.
    if (!this.#isGoing()) return false;
    const [first] = found;
    this.#oldestMs = first?.createdMs;
    if (first === undefined) {
      this.#advance(committed);
      return false;
    }
    const chunks = firstBytes(found, BYTES_PER_DELIVERY_MAX);
    const last = chunks.at(-1)?.sequence ?? first.sequence;
    const { skipped, reason } = await writer.deliver(
      chunks.map(({ sequence, data }) => ({ sequence, records: decodeOutbox(data) })),
    );
    this.#skipped += skipped;
    this.#refusal = reason ?? this.#refusal;
    if (writer.clearsOutbox !== true) await store.acknowledge(sinkId, last);
    for (const chunk of chunks) {
      this.records += chunk.records;
      this.#left(chunk);
    }
    this.#oldestMs = found[chunks.length]?.createdMs;
    this.#advance(last);
    this.#options.onDelivered();
    return true;
  }

  /** The destination has more than we knew: a crash came between its commit and ours. */
  async #acknowledge(position: number): Promise<void> {
    const { store, sinkId } = this.#options;
    for (let after = this.#delivered; ; ) {
      const chunks = await store.outbox(sinkId, after, CHUNKS_PER_DELIVERY_MAX);
      const known = chunks.filter(({ sequence }) => sequence <= position);
      for (const chunk of known) this.#left(chunk);
      after = known.at(-1)?.sequence ?? after;
      if (known.length < CHUNKS_PER_DELIVERY_MAX) break;
    }
    await store.acknowledge(sinkId, position);
    this.#advance(position);
  }

  #left({ records, data }: OutboxChunk): void {
    this.#waiting.records -= records;
    this.#waiting.bytes -= data.length;
  }

  #advance(sequence: number): void {
    this.#delivered = Math.max(this.#delivered, sequence);
    this.#committed = Math.max(this.#committed, sequence);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.sequence > this.#delivered) return true;
      waiter.resolve();
      return false;
    });
  }

  #healthy(): void {
    this.#fault = undefined;
    this.#faultSinceMs = undefined;
  }

  #failed(cause: unknown): void {
    const fault =
      cause instanceof StreamError
        ? cause
        : new StreamError('SOURCE_UNREACHABLE', `the sink is not reachable: ${String(cause)}`, {
            cause,
          });
    this.#fault = fault;
    this.#faultSinceMs ??= this.#options.wallMs();
    this.#isStopped = fault.code === 'SINK_FENCED' || fault.code === 'SINK_REFUSED';
    this.#release();
  }

  /** Nobody waits for a destination that fails, or for a drain that is closed. */
  #release(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }
}

/** As many chunks as fit, at least one. */
function firstBytes(chunks: readonly OutboxChunk[], bytesMax: number): readonly OutboxChunk[] {
  let bytes = 0;
  let count = 0;
  for (const { data } of chunks) {
    if (count > 0 && bytes + data.length > bytesMax) break;
    bytes += data.length;
    count++;
  }
  return chunks.slice(0, count);
}
