import { type Span, StreamError } from '../../sql/base/error.ts';

/** The `error` object of every door: HTTP, WebSocket and the lines of a stream. */
export interface ErrorBody {
  readonly code: string;
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** 1-based, in characters (code points) of the whole text that was sent, as PostgreSQL counts. */
  readonly position?: number | undefined;
  /** The failing statement's own text. */
  readonly statement?: string | undefined;
}

export interface Failure {
  readonly status: number;
  readonly body: ErrorBody;
  /** True when the same request may succeed later. */
  readonly retry: boolean;
  /** A bug of ours rather than the request's fault: belongs into the log with its stack. */
  readonly internal: boolean;
}

/**
 * Translates anything thrown into what a client is told.
 * @param sql  the text that was sent, to count characters for `position`.
 */
export function describeFailure(error: unknown, sql?: string): Failure {
  const { cause, statement, at } = unwrap(error);
  if (!(cause instanceof StreamError)) {
    const known = frameworkFailure(cause);
    if (known !== undefined) return known;
    const message = cause instanceof Error ? cause.message : String(cause);
    const body = { ...new BodyOf(new StreamError('INTERNAL', message)), statement };
    return { status: 500, body, retry: false, internal: true };
  }
  const position = at === undefined || sql === undefined ? undefined : characterAt(sql, at.start);
  return {
    status: cause.facts.http,
    body: { ...new BodyOf(cause), position, statement },
    retry: cause.facts.retry === 'backoff',
    internal: cause.code === 'INTERNAL',
  };
}

/** The fields that every StreamError gives, in the order in which they are sent. */
class BodyOf {
  readonly code: string;
  readonly sqlstate: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(error: StreamError) {
    this.code = error.code;
    this.sqlstate = error.sqlstate;
    this.message = error.message;
    this.detail = error.detail;
    this.hint = error.hint;
  }
}

interface Unwrapped {
  readonly cause: unknown;
  readonly statement: string | undefined;
  readonly at: Span | undefined;
}

/** A StatementFailure (server/database.ts) carries the StreamError inside. */
export function unwrap(error: unknown): Unwrapped {
  if (error instanceof Error && 'error' in error && error.error instanceof StreamError) {
    const statement =
      'statement' in error && typeof error.statement === 'string' ? error.statement : undefined;
    const at = 'at' in error && isSpan(error.at) ? error.at : error.error.at;
    return { cause: error.error, statement, at };
  }
  const at = error instanceof StreamError ? error.at : undefined;
  return { cause: error, statement: undefined, at };
}

function isSpan(value: unknown): value is Span {
  return typeof value === 'object' && value !== null && 'start' in value && 'end' in value;
}

function characterAt(text: string, codeUnit: number): number {
  let characters = 1;
  for (let at = 0; at < codeUnit && at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // The second half of a surrogate pair belongs to the character before it.
    if (unit < 0xdc00 || unit > 0xdfff) characters++;
  }
  return characters;
}

/** Errors that fastify raises itself before a handler runs. */
function frameworkFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('statusCode' in error)) return undefined;
  const { code, statusCode } = error;
  if (typeof code !== 'string' || !code.startsWith('FST_')) return undefined;
  if (typeof statusCode !== 'number' || statusCode >= 500) return undefined;
  const kind = statusCode === 413 ? 'REQUEST_TOO_LARGE' : 'REQUEST_INVALID';
  const body = new BodyOf(new StreamError(kind, error.message));
  return { status: statusCode, body: { ...body }, retry: false, internal: false };
}
