import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';

/** Where text of an answer goes; settles when more may be written. */
export interface TextSink {
  write(text: string): Promise<void>;
}

/** Bounds of one answer. */
export interface AnswerLimits {
  /** Held back so that a late error still decides the status. */
  readonly heldBytesMax: number;
  /** Of the whole answer. */
  readonly bytesMax: number;
  /** A reader that takes nothing for so long is let go. */
  readonly stallMsMax: number;
  /** What such a reader finds at the end of what it has not read yet; undefined = the answer breaks off. */
  readonly farewell: string | undefined;
  readonly onStall: () => void;
}

/** Work on one answer between two turns of the event loop, in milliseconds. */
const TURN_MS_MAX = 8;

/**
 * An answer that is held back while it is small, so that an error near its end still decides the HTTP
 * status, and that goes out in chunks at the reader's pace once it is larger.
 */
export class Answer implements TextSink {
  readonly #reply: FastifyReply;
  readonly #contentType: string;
  readonly #limits: AnswerLimits;
  #bytes = 0;
  #held: string[] = [];
  #heldBytes = 0;
  #marked = 0;
  #stream: PassThrough | undefined;
  #turnEndsAt = performance.now() + TURN_MS_MAX;

  constructor(reply: FastifyReply, contentType: string, limits: AnswerLimits) {
    this.#reply = reply;
    this.#contentType = contentType;
    this.#limits = limits;
  }

  /** True when the status line is on its way and cannot change any more. */
  get started(): boolean {
    return this.#stream !== undefined;
  }

  /** @throws StreamError REQUEST_TOO_LARGE once, at the limit: what tells of it may still be written. */
  async write(text: string): Promise<void> {
    const { bytesMax, heldBytesMax } = this.#limits;
    const isWithin = this.#bytes <= bytesMax;
    this.#bytes += text.length;
    if (isWithin && this.#bytes > bytesMax) {
      throw new StreamError('REQUEST_TOO_LARGE', `the answer has more than ${bytesMax} bytes`, {
        hint: 'Use LIMIT, or raise MILLRACE_RESULT_BYTES_MAX.',
      });
    }
    if (this.#stream === undefined) {
      this.#held.push(text);
      this.#heldBytes += text.length;
      if (this.#heldBytes > heldBytesMax) await this.start();
    } else if (!this.#stream.write(text)) {
      await this.#drained(this.#stream);
    }
    if (performance.now() > this.#turnEndsAt) {
      await nextTurn();
      this.#turnEndsAt = performance.now() + TURN_MS_MAX;
    }
  }

  /** What is held up to here stays when `rollback` drops the rest. */
  mark(): void {
    this.#marked = this.#held.length;
  }

  /** Drops what was written since the mark, if it has not been sent yet. */
  rollback(): void {
    if (this.#stream === undefined) this.#held.length = this.#marked;
  }

  /** Gives up this answer for one of another form: the text held so far, none of it sent. */
  take(): string {
    const text = this.#held.join('');
    this.#held = [];
    return text;
  }

  /** Sends the head (status 200 unless the reply says otherwise) and what is held so far. */
  async start(): Promise<void> {
    if (this.#stream !== undefined) return;
    const stream = new PassThrough({ highWaterMark: 256 * 1024 });
    this.#stream = stream;
    // A reader that goes away destroys the stream; the request's abort signal then ends the work.
    stream.on('error', () => undefined);
    this.#reply.type(this.#contentType).send(stream);
    const text = this.#held.join('');
    this.#held = [];
    if (text !== '' && !stream.write(text)) await this.#drained(stream);
  }

  /** Ends the answer and gives its bytes when it was never started. */
  finish(status: number): Buffer | undefined {
    if (this.#stream !== undefined) {
      this.#stream.end();
      return undefined;
    }
    const bytes = Buffer.from(this.#held.join(''));
    this.#held = [];
    this.#reply.code(status).type(this.#contentType).send(bytes);
    return bytes;
  }

  /** Cuts a started answer off, so that the reader sees it is incomplete. */
  fail(error: Error): void {
    this.#stream?.destroy(error);
  }

  /** Ends an answer that is not read. What was written waits for the reader once more as long, with the reason behind it. */
  #letGo(stream: PassThrough): void {
    const { farewell, stallMsMax, onStall } = this.#limits;
    onStall();
    if (farewell === undefined) {
      stream.destroy();
      return;
    }
    stream.end(farewell);
    const { raw } = this.#reply;
    const timer = setTimeout(() => raw.destroy(), stallMsMax);
    raw.once('close', () => clearTimeout(timer));
  }

  async #drained(stream: PassThrough): Promise<void> {
    if (stream.destroyed) throw new ReaderGone();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onDrain = (): void => resolve();
    const onClose = (): void => reject(new ReaderGone());
    stream.once('drain', onDrain).once('close', onClose);
    const timer = setTimeout(() => {
      this.#letGo(stream);
      reject(new ReaderGone());
    }, this.#limits.stallMsMax);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      stream.off('drain', onDrain).off('close', onClose);
    }
  }
}

/** What a reader is told that could not keep up. */
export function tooSlow(): StreamError {
  return new StreamError('PRESSURE', 'the client reads too slowly', {
    hint: 'Connect again, with the last version that was read.',
  });
}

/** The client closed the connection before it had the whole answer; nobody is left to be told. */
export class ReaderGone extends Error {}

/** Fires when the client goes away before its answer is complete, or when the server stops. */
export function abortWithClient(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  reply.raw.once('close', () => {
    stopping.removeEventListener('abort', stop);
    if (!reply.raw.writableFinished) controller.abort();
  });
  if (stopping.aborted) controller.abort();
  stopping.addEventListener('abort', stop, { once: true });
  return controller.signal;
}
