import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ViewAnswer } from '../database.ts';
import { negotiate } from './accept.ts';
import { Answer, abortWithClient, ReaderGone } from './answer.ts';
import { finiteAnswer } from './answer-limits.ts';
import type { Door } from './door.ts';
import { csv, json, ndjson, viewDocs } from './openapi.ts';
import { arrayWriter, columnsJson, csvField, csvWriter, objectWriter } from './row-text.ts';
import { tooManyRows } from './sql-results.ts';
import { StatementTimer } from './statement-timer.ts';
import { type CachedAnswer, ViewCache } from './view-cache.ts';
import { parseViewQuery, type ViewQuery } from './view-query.ts';

const offers = [json, ndjson, csv] as const;
type MediaType = (typeof offers)[number];

interface ViewParams {
  readonly name: string;
}

/** `GET /v1/views/NAME`: rows for polling, with the view's version as `ETag`. */
export function viewRoute(door: Door): void {
  const cache = new ViewCache(door.limits.cacheBytesMax);
  door.metrics.watchCache(() => cache.bytes);
  door.app.get<{ Params: ViewParams }>(
    '/v1/views/:name',
    { schema: viewDocs },
    async (request, reply) => {
      await answerPoll(door, cache, request, reply);
      return reply;
    },
  );
}

async function answerPoll(
  door: Door,
  cache: ViewCache,
  request: FastifyRequest<{ Params: ViewParams }>,
  reply: FastifyReply,
): Promise<void> {
  const { name } = request.params;
  const type = negotiate(request.headers.accept, offers);
  const search = searchOf(request.url);
  const query = parseViewQuery(new URLSearchParams(search), door.limits.waitMsMax);
  const known = request.headers['if-none-match'];
  const version = await settledVersion(door, name, query, known, reply);
  reply.header('vary', 'accept').header('cache-control', 'no-cache');
  if (matches(known, version)) {
    reply.code(304).header('etag', `"${version}"`).send();
    return;
  }
  // Options that say when to answer do not change the answer.
  const key = `${type} ${name}?${search.replaceAll(/(^|&)(wait|since)=[^&]*/g, '')}`;
  const cached = cache.get(key, version) ?? (await pendingAt(cache, key, version));
  if (cached !== undefined) {
    door.metrics.cacheHits.inc();
    sendCached(cached, reply);
    return;
  }
  await render(door, cache, key, name, query, type, reply);
}

/** The query string as it was sent, without the question mark. */
function searchOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

/** The view's version, after the wait that the request asks for. */
async function settledVersion(
  door: Door,
  name: string,
  query: ViewQuery,
  known: string | undefined,
  reply: FastifyReply,
): Promise<number> {
  const version = door.database.viewVersion(name);
  if (query.waitMs === 0) return version;
  const since = query.since ?? versionIn(known) ?? version;
  if (version > since) return version;
  const gone = abortWithClient(reply, door.stopping);
  return await door.database.waitForView(name, since, query.waitMs, gone);
}

function versionIn(header: string | undefined): number | undefined {
  const match = /^\s*(?:W\/)?"(\d+)"\s*$/.exec(header ?? '');
  return match === null ? undefined : Number(match[1]);
}

function matches(header: string | undefined, version: number): boolean {
  if (header === undefined) return false;
  return header
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === '*' || tag === `"${version}"`);
}

async function pendingAt(
  cache: ViewCache,
  key: string,
  version: number,
): Promise<CachedAnswer | undefined> {
  const answer = await cache.pending(key);
  return answer !== undefined && answer.version >= version ? answer : undefined;
}

function sendCached(cached: CachedAnswer, reply: FastifyReply): void {
  reply.header('etag', `"${cached.version}"`).type(cached.contentType).send(cached.body);
}

async function render(
  door: Door,
  cache: ViewCache,
  key: string,
  name: string,
  query: ViewQuery,
  type: MediaType,
  reply: FastifyReply,
): Promise<void> {
  const settle = cache.announce(key);
  let rendered: CachedAnswer | undefined;
  const timer = new StatementTimer(
    door.limits.statementMsMax,
    abortWithClient(reply, door.stopping),
  );
  try {
    const view = await door.database.readView(name, query.request, timer.signal);
    reply.header('etag', `"${view.version}"`);
    const isCurrent = tellState(door, name, reply);
    const answer = new Answer(reply, type, finiteAnswer(door, cache.bodyBytesMax));
    try {
      await writeView(view, query, type, door.limits.resultRowsMax, answer);
    } catch (error) {
      if (!answer.started) throw error;
      answer.fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const body = answer.finish(200);
    if (body !== undefined && isCurrent) {
      rendered = { version: view.version, contentType: type, body };
      cache.put(key, rendered);
    }
  } catch (error) {
    if (!(error instanceof ReaderGone)) throw timer.explain(error);
  } finally {
    timer.stop();
    settle(rendered);
  }
}

/** A view that is not kept up to date right now says so, and how far it is. @returns whether it is. */
function tellState(door: Door, name: string, reply: FastifyReply): boolean {
  const view = door.database.status().views.find((candidate) => candidate.name === name);
  if (view === undefined || view.state === 'running') return true;
  reply.header('millrace-state', view.state);
  reply.header('millrace-progress', view.progress.toFixed(4));
  return false;
}

interface Layout {
  readonly head: string;
  readonly between: string;
  readonly tail: string;
  readonly row: (row: ViewAnswerRow) => string;
}

type ViewAnswerRow = Parameters<ReturnType<typeof arrayWriter>>[0];

function layoutOf(view: ViewAnswer, query: ViewQuery, type: MediaType): Layout {
  const { schema, version } = view;
  switch (type) {
    case ndjson:
      return { head: '', between: '\n', tail: '\n', row: objectWriter(schema) };
    case csv: {
      const names = schema.map((column) => csvField(column.name)).join(',');
      return { head: `${names}\r\n`, between: '\r\n', tail: '\r\n', row: csvWriter(schema) };
    }
    case json: {
      const row = query.rows === 'objects' ? objectWriter(schema) : arrayWriter(schema, 'json');
      const head = `{"version":${version},"columns":${columnsJson(schema)},"rows":[`;
      return { head, between: ',', tail: ']}', row };
    }
  }
}

/** Characters that are joined before they are written. */
const CHUNK_LENGTH = 64 * 1024;

async function writeView(
  view: ViewAnswer,
  query: ViewQuery,
  type: MediaType,
  rowsMax: number,
  answer: Answer,
): Promise<void> {
  const layout = layoutOf(view, query, type);
  let pending = layout.head;
  let count = 0;
  for await (const rows of view.chunks) {
    for (const row of rows) {
      if (++count > rowsMax) throw tooManyRows(rowsMax);
      pending += count === 1 ? layout.row(row) : layout.between + layout.row(row);
      if (pending.length >= CHUNK_LENGTH) {
        await answer.write(pending);
        pending = '';
      }
    }
  }
  // Line formats end their last row; an empty answer has none to end.
  await answer.write(count === 0 && type !== json ? pending : pending + layout.tail);
}
