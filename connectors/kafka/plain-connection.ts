/**
 * A connection for fetching without TLS and SASL: what the socket reads lands in one buffer that is used again and again,
 * and is copied once into the answer's own. The client's connection makes a new 64 KiB buffer for every read and joins
 * them, which costs twice the memory traffic, and a third of all CPU then goes into collecting those buffers.
 */
import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { Writer } from '@platformatic/kafka';
import type { StreamError } from '../../sql/base/error.ts';
import type { BrokerAddress } from './options.ts';
import { malformed, WireReader } from './wire.ts';

const READ_BYTES = 128 * 1024;
/** A larger answer than any that we ask for: the other end does not speak Kafka. */
const ANSWER_BYTES_MAX = 512 * 1024 * 1024;
const LENGTH_BYTES = 4;

interface Waiting {
  readonly correlationId: number;
  readonly settle: (error: Error | undefined, answer: Buffer | undefined) => void;
}

export interface PlainConnectionOptions {
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Called once, when the connection is of no use any more. */
  readonly onClose: () => void;
}

export class PlainConnection {
  readonly #options: PlainConnectionOptions;
  readonly #socket: Socket;
  /** Answers come in the order of the requests. */
  readonly #waiting: Waiting[] = [];
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #answer: Buffer | undefined;
  #answerFilled = 0;
  #correlationId = 0;

  private constructor(broker: BrokerAddress, options: PlainConnectionOptions) {
    this.#options = options;
    this.#socket = connect({
      host: broker.host,
      port: broker.port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length, buffer) => {
          this.#read(buffer, length);
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.on('close', () => this.#end(new Error('the connection was closed')));
  }

  static async open(
    broker: BrokerAddress,
    options: PlainConnectionOptions,
  ): Promise<PlainConnection> {
    const connection = new PlainConnection(broker, options);
    const socket = connection.#socket;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.destroy(new Error(`${broker.host}:${broker.port} does not answer`));
      }, options.connectTimeoutMs);
      socket.once('connect', resolve);
      socket.once('error', reject);
      socket.once('close', () => clearTimeout(timer));
      socket.once('connect', () => clearTimeout(timer));
    });
    return connection;
  }

  /** Sends one request of a flexible version; `parse` reads the answer's body, whose bytes it may keep. */
  async request<T>(
    apiKey: number,
    apiVersion: number,
    body: Writer,
    parse: (reader: WireReader) => T,
  ): Promise<T> {
    const correlationId = this.#correlationId;
    this.#correlationId = (correlationId + 1) & 0x7fffffff;
    const frame = Writer.create()
      .appendInt16(apiKey)
      .appendInt16(apiVersion)
      .appendInt32(correlationId)
      .appendString(this.#options.clientId, false)
      .appendTaggedFields()
      .appendFrom(body)
      .prependLength();
    const answer = await this.#exchange(correlationId, frame.buffer);
    const reader = new WireReader(answer);
    reader.int32();
    reader.skipTags();
    return parse(reader);
  }

  close(): void {
    this.#socket.destroy();
  }

  #exchange(correlationId: number, frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#socket.destroy(new Error('a request timed out'));
      }, this.#options.requestTimeoutMs);
      this.#waiting.push({
        correlationId,
        settle: (error, answer) => {
          clearTimeout(timer);
          if (answer === undefined) reject(error ?? new Error('no answer'));
          else resolve(answer);
        },
      });
      if (this.#socket.destroyed) this.#end(new Error('the connection is closed'));
      else this.#socket.write(frame);
    });
  }

  /** Cuts what was read into answers: an int32 length, then so many bytes. */
  #read(buffer: Uint8Array, length: number): void {
    let at = 0;
    while (at < length) {
      if (this.#answer === undefined) {
        this.#length[this.#lengthFilled++] = buffer[at++] as number;
        if (this.#lengthFilled < LENGTH_BYTES) continue;
        this.#lengthFilled = 0;
        const bytes = this.#length.readInt32BE(0);
        if (bytes < LENGTH_BYTES || bytes > ANSWER_BYTES_MAX) {
          this.#socket.destroy(malformed(`an answer of ${bytes} bytes`));
          return;
        }
        this.#answer = Buffer.allocUnsafeSlow(bytes);
        this.#answerFilled = 0;
      }
      const count = Math.min(this.#answer.length - this.#answerFilled, length - at);
      this.#answer.set(buffer.subarray(at, at + count), this.#answerFilled);
      this.#answerFilled += count;
      at += count;
      if (this.#answerFilled === this.#answer.length) this.#complete(this.#answer);
    }
  }

  #complete(answer: Buffer): void {
    this.#answer = undefined;
    const waiting = this.#waiting.shift();
    if (waiting?.correlationId === answer.readInt32BE(0)) waiting.settle(undefined, answer);
    else this.#socket.destroy(waiting === undefined ? undefined : wrongAnswer(waiting));
  }

  #end(error: Error): void {
    for (const { settle } of this.#waiting.splice(0)) settle(error, undefined);
    this.#answer = undefined;
    this.#options.onClose();
  }
}

function wrongAnswer(waiting: Waiting): StreamError {
  const error = malformed('it belongs to another request');
  waiting.settle(error, undefined);
  return error;
}
