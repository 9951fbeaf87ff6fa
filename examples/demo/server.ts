/** A Millrace server for the demo, in a process of its own, and the few requests that the demo makes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const READY_WAIT_MS = 30_000;
const STOP_WAIT_MS = 10_000;
const LOG_CHARACTERS_MAX = 4_000;

/** Cells as the server wrote them: numbers keep all their digits. */
export interface Rows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface Status {
  readonly epochs: {
    readonly committed: number;
    readonly commitMs: number;
    readonly lastCommitMs: number;
  };
  readonly streams: readonly {
    readonly name: string;
    readonly records: number;
    readonly bytes: number;
    readonly errors: number;
  }[];
  readonly views: readonly { readonly stateBytes: number }[];
}

export class DemoServer {
  readonly #child: ChildProcess;
  readonly url: string;
  #log: string;
  #isEnding = false;

  private constructor(child: ChildProcess, url: string, log: string) {
    this.#child = child;
    this.url = url;
    this.#log = log;
  }

  /**
   * Starts a server on the embedded log, in memory, on a free port.
   * @param main  path of server/main, built or not.
   */
  static async start(main: string): Promise<DemoServer> {
    const child = spawn(
      process.execPath,
      [main, 'start', '--data', ':memory:', '--http', '127.0.0.1:0', '--log-level', 'warn'],
      {
        // A group of its own: Ctrl-C reaches only the demo, which asks for its summary and then stops the server.
        detached: true,
        // The server ends when the fourth pipe does, so that it does not outlive a killed demo.
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        env: { ...process.env, MILLRACE_LIFELINE: '1' },
      },
    );
    let log = '';
    const keep = (data: Buffer): void => {
      log = (log + data.toString()).slice(-LOG_CHARACTERS_MAX);
    };
    child.stderr?.on('data', keep);
    const url = await readyLine(child, () => log);
    const server = new DemoServer(child, url, log);
    child.stderr?.on('data', (data: Buffer) => {
      server.#log = (server.#log + data.toString()).slice(-LOG_CHARACTERS_MAX);
    });
    return server;
  }

  /** Settles, with an error, when the server ends by itself. */
  async died(): Promise<never> {
    const code = await new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#isEnding) return new Promise(() => undefined);
    throw new Error(`the server ended with code ${code}\n${this.#log}`);
  }

  async run(sql: string): Promise<void> {
    await this.#send('/v1/sql', { sql });
  }

  async insert(stream: string, record: object): Promise<void> {
    await this.#send(`/v1/streams/${stream}/records`, [record]);
  }

  async status(): Promise<Status> {
    return JSON.parse((await this.#fetch('/v1/status')).text) as Status;
  }

  async view(query: string): Promise<Rows> {
    return parseRows((await this.#fetch(`/v1/views/${query}`)).text);
  }

  /** The view as soon as its version is above `since`, at the latest after a second. */
  async newView(name: string, since: number): Promise<Rows & { readonly version: number }> {
    const { text, version } = await this.#fetch(`/v1/views/${name}?wait=1s&since=${since}`);
    return { ...parseRows(text), version };
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WAIT_MS);
    await ended;
    clearTimeout(timer);
  }

  async #send(path: string, body: unknown): Promise<void> {
    await this.#fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async #fetch(path: string, request?: RequestInit): Promise<{ text: string; version: number }> {
    const response = await fetch(this.url + path, request);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    const tag = response.headers.get('etag') ?? '';
    return { text, version: Number(/\d+/.exec(tag)?.[0] ?? 0) };
  }
}

async function readyLine(child: ChildProcess, log: () => string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new Error(`the server was not ready in ${READY_WAIT_MS} ms\n${log()}`));
  }, READY_WAIT_MS);
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`the server ended with code ${code}\n${log()}`)));
  createInterface({ input: child.stdout as Readable }).on('line', (line) => {
    const match = /^millrace ready http=(\S+)/.exec(line);
    if (match !== null) resolve(`http://${match[1]}`);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** JSON.parse would shorten 7190378.00 to 7190378; the source of a number does not. */
function parseRows(text: string): Rows {
  const revive = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? context?.source : value;
  return JSON.parse(text, revive) as Rows;
}
