/** What may be wrong with the bytes of a body. */
import type { FastifyRequest } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';

/** `identity` when nothing is said. */
export const contentEncoding = (request: FastifyRequest): string =>
  (request.headers['content-encoding'] ?? 'identity').toLowerCase();

export const unknownEncoding = (encoding: string, known: Iterable<string>): StreamError =>
  new StreamError('REQUEST_INVALID', `unknown Content-Encoding "${encoding}"`, {
    hint: `This door takes ${[...known].join(', ')}.`,
  });

export const invalidBody = (encoding: string, cause: unknown): StreamError =>
  new StreamError('REQUEST_INVALID', `the body is not valid ${encoding}`, { cause });

export const cutShort = (cause?: unknown): StreamError =>
  new StreamError('REQUEST_INVALID', 'the connection ended before the body did', { cause });
