/** A server in this process over a database in memory, for tests of the doors. */
import type { Log } from '../../server/config.ts';
import { createHttpServer } from '../../server/http/server.ts';
import { defaultLimits, type Limits } from '../../server/limits.ts';
import { openMillrace } from '../../server/millrace.ts';

export interface Served {
  readonly url: string;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Runs statements and fails on an error. */
  sql(sql: string): Promise<readonly SqlItem[]>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body parsed; doubles stand for numbers. */
  readonly json: AnswerBody;
}

/** Members of all answers; a test reads those that its answer has. */
export interface AnswerBody {
  readonly results: readonly SqlItem[];
  readonly error: { readonly code: string; readonly sqlstate: string; readonly message: string } & {
    readonly position: number;
    readonly statement: string;
  };
  readonly version: number;
  readonly rows: readonly unknown[];
  readonly accepted: number;
  readonly records: readonly { readonly value: unknown }[];
  readonly views: readonly unknown[];
  readonly openapi: string;
  readonly paths: object;
}

export interface SqlItem {
  readonly kind: string;
  readonly tag: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export async function serve(limits: Partial<Limits> = {}): Promise<Served> {
  const database = await openMillrace({ data: ':memory:', limits });
  const server = await createHttpServer(database, { ...defaultLimits, ...limits }, silent);
  const url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
  const post: Served['post'] = async (path, body, headers = {}) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const type = { 'content-type': 'application/json', ...headers };
    const sent = raw ? body : JSON.stringify(body);
    return answerOf(await fetch(url + path, { method: 'POST', body: sent, headers: type }));
  };
  return {
    url,
    post,
    get: async (path, headers = {}) => answerOf(await fetch(url + path, { headers })),
    sql: async (sql) => {
      const { status, json, text } = await post('/v1/sql', { sql });
      if (status !== 200) throw new Error(`${text} in ${sql}`);
      return json.results;
    },
    close: async () => {
      await server.close();
      await database.close();
    },
  };
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json');
  const json: AnswerBody = isJson ? JSON.parse(text) : JSON.parse('{}');
  return { status: response.status, headers: response.headers, text, json };
}
