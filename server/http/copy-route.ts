import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StreamError } from '../../sql/base/error.ts';
import type { CopyResult } from '../database.ts';
import { Answer, abortWithClient, ReaderGone } from './answer.ts';
import { finiteAnswer } from './answer-limits.ts';
import { contentEncoding, cutShort, invalidBody, unknownEncoding } from './content-encoding.ts';
import type { Door } from './door.ts';
import { copyDocs, csv, json } from './openapi.ts';
import { sendFailure } from './send-failure.ts';
import { StatementTimer } from './statement-timer.ts';

interface CopyQuery {
  readonly sql?: string;
  readonly session?: string;
}

/**
 * `POST /v1/copy?sql=COPY … FROM STDIN` takes the rows as its body, `GET` or `POST /v1/copy?sql=COPY … TO STDOUT` answers them. A body is
 * read only as fast as its rows are, and never held as a whole.
 */
export function copyRoute(door: Door): void {
  door.app.register(async (scope) => {
    // The other routes' parser would read the body into memory.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    const run = async (
      request: FastifyRequest<{ Querystring: CopyQuery }>,
      reply: FastifyReply,
      input: AsyncIterable<Uint8Array>,
    ): Promise<FastifyReply> => {
      await runCopy(door, request.query, reply, input);
      // What is left of a refused body is read and dropped, so that its sender gets to the answer.
      request.raw.resume();
      return reply;
    };
    scope.get<{ Querystring: CopyQuery }>('/v1/copy', { schema: copyDocs }, (request, reply) =>
      run(request, reply, withoutBody()),
    );
    scope.post<{ Querystring: CopyQuery }>('/v1/copy', { schema: copyDocs }, (request, reply) =>
      run(request, reply, bodyOf(request)),
    );
  });
}

// biome-ignore lint/correctness/useYield: it is there to be asked, and to refuse.
async function* withoutBody(): AsyncGenerator<Uint8Array> {
  throw new StreamError('REQUEST_INVALID', 'COPY … FROM STDIN takes its rows from the body', {
    hint: 'Send them by POST.',
  });
}

/** @throws StreamError REQUEST_INVALID. */
async function* bodyOf(request: FastifyRequest): AsyncGenerator<Uint8Array> {
  if (!(request.body instanceof Readable)) return;
  const encoding = contentEncoding(request);
  if (encoding !== 'identity' && encoding !== 'gzip') throw unknownEncoding(encoding, ['gzip']);
  const body = encoding === 'gzip' ? request.body.pipe(createGunzip()) : request.body;
  try {
    for await (const chunk of body) yield chunk;
  } catch (cause) {
    throw request.raw.complete ? invalidBody(encoding, cause) : cutShort(cause);
  }
}

async function runCopy(
  door: Door,
  query: CopyQuery,
  reply: FastifyReply,
  input: AsyncIterable<Uint8Array>,
): Promise<void> {
  const gone = abortWithClient(reply, door.stopping);
  const timer = new StatementTimer(door.limits.statementMsMax, gone);
  const { sql, session: name } = query;
  const session = door.database.session(name);
  try {
    if (sql === undefined || sql === '') {
      throw new StreamError('REQUEST_INVALID', 'the statement is missing', {
        hint: 'Put it into the URL: /v1/copy?sql=COPY t FROM STDIN, percent-encoded.',
      });
    }
    const result = await session.copy(sql, [], input, timer.signal);
    if (result.kind === 'in') {
      const { tag, message } = result;
      reply.type(json).send(JSON.stringify({ kind: 'ok', tag, message }));
    } else await sendRows(door, result, sql, reply);
  } catch (error) {
    sendFailure(timer.explain(error), reply, door.log, sql);
  } finally {
    timer.stop();
    if (name === undefined) session.close();
  }
}

/** An error after the first bytes breaks the answer off, so that nobody takes it for all of the rows. */
async function sendRows(
  door: Door,
  { format, chunks }: CopyResult & { readonly kind: 'out' },
  sql: string,
  reply: FastifyReply,
): Promise<void> {
  const type = format === 'csv' ? csv : 'text/plain';
  const answer = new Answer(reply, `${type}; charset=utf-8`, finiteAnswer(door));
  try {
    for await (const chunk of chunks) await answer.write(chunk);
    answer.finish(200);
  } catch (error) {
    if (error instanceof ReaderGone) return;
    if (!answer.started) throw error;
    door.log.warn({ err: error, sql }, 'COPY TO STDOUT broke off');
    answer.fail(error instanceof Error ? error : new Error(String(error)));
  }
}
