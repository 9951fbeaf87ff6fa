import { isUtf8 } from 'node:buffer';
import { StreamError } from '../../sql/base/error.ts';
import { splitStatements } from '../repl/split.ts';
import { arrayElements, JsonFault, type JsonSpan, objectMembers, wholeValue } from './json-text.ts';
import type { ValueFormat } from './row-text.ts';

/** What `POST /v1/sql` and the WebSocket's `sql` operation are asked. */
export interface SqlRequest {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly session: string | undefined;
  readonly format: ValueFormat;
}

const SESSION_NAME_LENGTH_MAX = 128;

/**
 * Reads the body of `POST /v1/sql`.
 * @throws StreamError REQUEST_INVALID naming the member that is wrong.
 */
export function parseSqlBody(body: Buffer, depthMax: number): SqlRequest {
  const members = parseMembers(body, depthMax);
  const read = (name: string): unknown => {
    const span = members.get(name);
    return span === undefined ? undefined : parseAt(body, span);
  };
  const { sql, session, format } = {
    sql: read('sql'),
    session: read('session') ?? undefined,
    format: read('format') ?? 'json',
  };
  if (typeof sql !== 'string') throw invalid('"sql" must be a string');
  if (session !== undefined && (typeof session !== 'string' || session === '')) {
    throw invalid('"session" must be a non-empty string');
  }
  if (session !== undefined && session.length > SESSION_NAME_LENGTH_MAX) {
    throw invalid(`"session" may have at most ${SESSION_NAME_LENGTH_MAX} characters`);
  }
  if (format !== 'json' && format !== 'text') throw invalid('"format" must be "json" or "text"');
  return { sql, session, format, params: parseParams(body, members.get('params'), depthMax) };
}

const known = ['sql', 'params', 'session', 'format'];

/** The members of a body that must be one JSON object; the last of equal names wins. */
export function parseMembers(body: Buffer, depthMax: number): ReadonlyMap<string, JsonSpan> {
  const members = bodyMembers(body, depthMax);
  for (const name of members.keys()) {
    if (!known.includes(name)) {
      throw invalid(`unknown member "${name}"`, `Known are ${known.join(', ')}.`);
    }
  }
  return members;
}

export function bodyMembers(body: Buffer, depthMax: number): ReadonlyMap<string, JsonSpan> {
  if (!isUtf8(body)) throw invalid('the body is not valid UTF-8');
  try {
    const span = wholeValue(body, depthMax);
    if (body[span.start] !== 0x7b) throw invalid('the body must be a JSON object');
    return new Map(objectMembers(body, span, depthMax).map(({ name, value }) => [name, value]));
  } catch (error) {
    if (error instanceof JsonFault) {
      throw invalid(`the body is not JSON: ${error.message} (byte ${error.at})`);
    }
    throw error;
  }
}

export function parseAt(body: Buffer, span: JsonSpan): unknown {
  return JSON.parse(body.toString('utf8', span.start, span.end));
}

function parseParams(body: Buffer, span: JsonSpan | undefined, depthMax: number): unknown[] {
  if (span === undefined || isNull(body, span)) return [];
  if (body[span.start] !== 0x5b) throw invalid('"params" must be an array');
  return arrayElements(body, span, depthMax).map((element) => parseParam(body, element));
}

function isNull(body: Buffer, span: JsonSpan): boolean {
  return body[span.start] === 0x6e;
}

/**
 * One parameter without losing digits: an integer beyond 2^53 becomes a bigint, a fraction that a double does not
 * print back stays text (as PostgreSQL's protocol sends every parameter), an object stays its JSON text.
 */
export function parseParam(body: Buffer, span: JsonSpan): unknown {
  const text = body.toString('utf8', span.start, span.end);
  if (text.startsWith('{')) return text;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'number' || String(value) === text) return value;
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(value) ? value : BigInt(text);
  return text;
}

function invalid(message: string, hint?: string): StreamError {
  return new StreamError('REQUEST_INVALID', message, { hint });
}

/** @throws StreamError REQUEST_TOO_LARGE for a text of more statements; nothing of it has run then. */
export function checkStatements(sql: string, statementsMax: number): void {
  // Most texts have fewer semicolons, so that they need no lexer.
  if (sql.split(';', statementsMax + 1).length <= statementsMax) return;
  const { parts, rest } = splitStatements(sql, false);
  if (parts.length + (rest.trim() === '' ? 0 : 1) <= statementsMax) return;
  throw new StreamError(
    'REQUEST_TOO_LARGE',
    `the request has more than ${statementsMax} statements`,
    { hint: 'Send it in parts, or raise MILLRACE_STATEMENTS_PER_REQUEST_MAX.' },
  );
}
