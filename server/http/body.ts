import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';
import { contentEncoding, cutShort, invalidBody, unknownEncoding } from './content-encoding.ts';

type Decoder = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const decoders = new Map<string, Decoder>([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
]);

/**
 * Reads request bodies into memory within two bounds: one for each body, one for all that are there at the same time. A body
 * counts until its request is answered.
 */
export class BodyBudget {
  readonly #bodyBytesMax: number;
  readonly #totalBytesMax: number;
  readonly #held = new WeakMap<IncomingMessage, number>();
  #total = 0;

  constructor(bodyBytesMax: number, totalBytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
    this.#totalBytesMax = totalBytesMax;
  }

  /** Bytes of all bodies held now. */
  get bytes(): number {
    return this.#total;
  }

  /** @throws StreamError REQUEST_TOO_LARGE, PRESSURE. The rest of a refused body is read and dropped. */
  async read(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    // What is given up here is held no longer; a request that breaks off never comes to its answer.
    const giveUp = (error: unknown): void => {
      request.off('data', onData);
      chunks.length = 0;
      this.release(request);
      reject(error);
    };
    const refuse = (error: unknown): void => {
      giveUp(error);
      request.resume();
    };
    const onData = (chunk: Buffer): void => {
      try {
        this.#charge(request, chunk.length);
        chunks.push(chunk);
      } catch (error) {
        refuse(error);
      }
    };
    request.on('data', onData);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', giveUp);
    request.once('close', () => {
      if (!request.complete) giveUp(cutShort());
    });
    if (Number(request.headers['content-length'] ?? 0) > this.#bodyBytesMax) {
      refuse(this.#tooLarge());
    }
    return await promise;
  }

  /**
   * The bytes that the client meant: decompressed.
   * @throws StreamError REQUEST_TOO_LARGE, PRESSURE, REQUEST_INVALID.
   */
  async decoded(request: FastifyRequest): Promise<Buffer> {
    const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
    const encoding = contentEncoding(request);
    if (encoding === 'identity') return body;
    const decode = decoders.get(encoding);
    if (decode === undefined) throw unknownEncoding(encoding, decoders.keys());
    const bytes = await this.#decode(decode, body, encoding);
    this.release(request.raw);
    this.#charge(request.raw, bytes.length);
    return bytes;
  }

  /** The request is answered: its body is no longer needed. */
  release(request: IncomingMessage): void {
    this.#total -= this.#held.get(request) ?? 0;
    this.#held.delete(request);
  }

  async #decode(decode: Decoder, body: Buffer, encoding: string): Promise<Buffer> {
    try {
      return await decode(body, { maxOutputLength: this.#bodyBytesMax });
    } catch (error) {
      if (error instanceof RangeError) throw this.#tooLarge();
      throw invalidBody(encoding, error);
    }
  }

  #charge(request: IncomingMessage, bytes: number): void {
    const held = (this.#held.get(request) ?? 0) + bytes;
    if (held > this.#bodyBytesMax) throw this.#tooLarge();
    if (this.#total + bytes > this.#totalBytesMax) {
      throw new StreamError('PRESSURE', 'too many bytes of requests are in flight', {
        hint: 'Send the request again after Retry-After seconds.',
      });
    }
    this.#held.set(request, held);
    this.#total += bytes;
  }

  #tooLarge(): StreamError {
    return new StreamError(
      'REQUEST_TOO_LARGE',
      `the body has more than ${this.#bodyBytesMax} bytes`,
    );
  }
}

/** The media type without its parameters, in lower case. */
export function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
