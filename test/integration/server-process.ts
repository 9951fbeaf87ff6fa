/** A Millrace server in a process of its own, as users run it, and a small HTTP client for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY_WAIT_MS = 60_000;

export interface SqlResult {
  readonly kind: 'rows' | 'ok';
  readonly tag?: string;
  readonly columns?: readonly { readonly name: string; readonly type: string }[];
  readonly rows?: readonly (readonly unknown[])[];
}

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(options: {
    readonly data: string;
    readonly kafka?: string | undefined;
  }): Promise<ServerProcess> {
    const args = ['server/main.ts', 'start', '--data', options.data, '--http', '127.0.0.1:0'];
    args.push('--pg', '127.0.0.1:0', '--log-level', 'warn');
    if (options.kafka !== undefined) args.push('--kafka', options.kafka);
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error('the server was not ready in time'));
      }, READY_WAIT_MS);
      child.once('exit', (code) => reject(new Error(`the server exited with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const match = /^millrace ready http=(\S+)/.exec(line);
        if (match === null) return;
        clearTimeout(timer);
        resolve(`http://${match[1]}`);
      });
    });
    return new ServerProcess(child, url);
  }

  /** Runs statements; gives their results, throws with the server's message on the first error. */
  async sql(sql: string, params: readonly unknown[] = []): Promise<readonly SqlResult[]> {
    const response = await fetch(`${this.url}/v1/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql, params }),
    });
    const body = (await response.json()) as {
      readonly results: readonly SqlResult[];
      readonly error?: { readonly message: string; readonly sqlstate: string };
    };
    if (body.error !== undefined) {
      throw new Error(`${body.error.sqlstate} ${body.error.message} in ${sql}`);
    }
    return body.results;
  }

  /** The rows of a single query. */
  async rows(sql: string): Promise<readonly (readonly unknown[])[]> {
    const results = await this.sql(sql);
    return results.at(-1)?.rows ?? [];
  }

  /** SIGSTOP and SIGCONT: to the process it is as if no time had passed. SIGTERM: it begins to stop. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    await exited;
  }
}
