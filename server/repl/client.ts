import { randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorBody } from '../http/failure.ts';
import type { Table, TableColumn } from './table.ts';

export type ClientResult =
  | ({ readonly kind: 'rows' } & Table)
  | { readonly kind: 'ok'; readonly tag: string; readonly message: string };

/** What a subscription sends after its header; see docs/http-api.md. */
export type LiveEvent =
  | { readonly kind: 'snapshot'; readonly rows: readonly TextRow[]; readonly last: boolean }
  | {
      readonly kind: 'change';
      readonly op: 'insert' | 'delete' | 'update';
      readonly row: TextRow;
      readonly before?: TextRow | undefined;
      readonly last: boolean;
    }
  | { readonly kind: 'error'; readonly error: ErrorBody };

export type TextRow = readonly (string | null)[];

export type ClientAnswer =
  | {
      readonly kind: 'results';
      readonly results: readonly ClientResult[];
      readonly error: ErrorBody | undefined;
    }
  | {
      readonly kind: 'live';
      readonly columns: readonly TableColumn[];
      readonly events: AsyncIterable<LiveEvent>;
    };

export type CopyAnswer =
  | { readonly kind: 'ok'; readonly tag: string; readonly message: string }
  | { readonly kind: 'out'; readonly lines: Readable }
  | { readonly kind: 'failed'; readonly error: ErrorBody };

/** The server did not answer, or not as a Millrace server does. */
export class ConnectionError extends Error {}

/** A server that was started one line above in the same script needs this long until its port is open. */
const START_WAIT_MS = 5_000;
const START_STEP_MS = 50;

/** Talks to one server in one session. Values come as PostgreSQL's text, so nothing is lost in JSON numbers. */
export class Client {
  readonly url: URL;
  readonly #session = `repl-${randomUUID()}`;
  #hasAnswered = false;

  constructor(url: URL) {
    this.url = url;
  }

  /** Runs statements; the signal closes the request, which cancels the running one. @throws ConnectionError. */
  async query(sql: string, signal?: AbortSignal): Promise<ClientAnswer> {
    const body = JSON.stringify({ sql, session: this.#session, format: 'text' });
    const response = await this.#postWhenStarted(body, signal);
    const type = response.headers['content-type'] ?? '';
    if (type.startsWith('application/x-ndjson')) return await openLive(response, signal);
    const text = await readAll(response);
    const answer = parseObject(text);
    if (answer === undefined || (!('results' in answer) && !('error' in answer))) {
      throw new ConnectionError(`${this.url.origin} is not a Millrace server`);
    }
    return {
      kind: 'results',
      results: (answer.results ?? []) as readonly ClientResult[],
      error: answer.error as ErrorBody | undefined,
    };
  }

  /** COPY: `input` is the body. @throws ConnectionError, and what reading `input` throws. */
  async copy(sql: string, input: Readable | undefined, signal?: AbortSignal): Promise<CopyAnswer> {
    const url = new URL('/v1/copy', this.url);
    url.searchParams.set('sql', sql);
    url.searchParams.set('session', this.#session);
    const response = await this.#request(url, { 'content-type': 'text/plain' }, input, signal);
    const isJson = (response.headers['content-type'] ?? '').startsWith('application/json');
    if (response.statusCode === 200 && !isJson) return { kind: 'out', lines: response };
    const answer = parseObject(await readAll(response));
    if (answer?.error !== undefined) return { kind: 'failed', error: answer.error as ErrorBody };
    if (answer?.kind === 'ok') return answer as unknown as CopyAnswer & { readonly kind: 'ok' };
    throw new ConnectionError(`${this.url.origin} is not a Millrace server`);
  }

  /** The first request waits a little for a port that nobody listens on yet. */
  async #postWhenStarted(body: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const deadline = performance.now() + START_WAIT_MS;
    for (;;) {
      try {
        const response = await this.#post(body, signal);
        this.#hasAnswered = true;
        return response;
      } catch (error) {
        const isOver = this.#hasAnswered || performance.now() > deadline;
        if (isOver || !(error instanceof ConnectionError) || !isRefused(error.cause)) throw error;
        await sleep(START_STEP_MS, undefined, { signal });
      }
    }
  }

  #post(body: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    return this.#request(new URL('/v1/sql', this.url), headers, body, signal);
  }

  #request(
    url: URL,
    headers: OutgoingHttpHeaders,
    body: string | Readable | undefined,
    signal: AbortSignal | undefined,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = start(url, {
      method: 'POST',
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    let unreadable: Error | undefined;
    request.on('response', resolve);
    request.on('error', (error) => {
      if (signal?.aborted === true || error === unreadable) reject(error);
      else {
        const message = `cannot reach ${this.url.origin}: ${reasonOf(error)}`;
        reject(new ConnectionError(message, { cause: error }));
      }
    });
    if (typeof body === 'object') {
      body.once('error', (error) => {
        unreadable = error;
        request.destroy(error);
      });
      body.pipe(request);
    } else request.end(body);
    return promise;
  }
}

/** Nobody listens, on any of the host's addresses. */
function isRefused(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isRefused);
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

/** An AggregateError of several addresses has no message of its own. */
function reasonOf(error: Error): string {
  if (error.message !== '') return error.message;
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? first.message : 'connection failed';
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function openLive(
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): Promise<ClientAnswer> {
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  const first = await lines.next();
  const header = first.done === true ? undefined : parseObject(first.value);
  if (header === undefined) throw new ConnectionError('the subscription ended before it began');
  const events = readEvents(lines, response, signal);
  return { kind: 'live', columns: (header.columns ?? []) as readonly TableColumn[], events };
}

async function* readEvents(
  lines: AsyncIterator<string>,
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<LiveEvent> {
  try {
    for (;;) {
      const next = await lines.next();
      if (next.done === true) break;
      const event = parseObject(next.value);
      if (event === undefined) continue;
      if ('error' in event) yield { kind: 'error', error: event.error as ErrorBody };
      else yield event as unknown as LiveEvent;
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  } finally {
    response.destroy();
  }
}
