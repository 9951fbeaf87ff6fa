import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';

type Decoder = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const decoders = new Map<string, Decoder>([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
]);

/**
 * The bytes of a request, decompressed.
 * @throws StreamError REQUEST_TOO_LARGE when they are more than `bytesMax`; REQUEST_INVALID.
 */
export async function bodyBytes(request: FastifyRequest, bytesMax: number): Promise<Buffer> {
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding === 'identity') return body;
  const decode = decoders.get(encoding);
  if (decode === undefined) {
    throw new StreamError('REQUEST_INVALID', `unknown Content-Encoding "${encoding}"`, {
      hint: `Known are ${[...decoders.keys()].join(', ')}.`,
    });
  }
  try {
    return await decode(body, { maxOutputLength: bytesMax });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new StreamError('REQUEST_TOO_LARGE', `the body has more than ${bytesMax} bytes`);
    }
    throw new StreamError('REQUEST_INVALID', `the body is not valid ${encoding}`, { cause: error });
  }
}

/** The media type without its parameters, in lower case. */
export function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
