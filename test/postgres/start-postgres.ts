/**
 * A real PostgreSQL for tests: one started here in a temporary folder, from the newest version that the machine has, or a database
 * of its own on the server that POSTGRES_URL names. PostgreSQL refuses to run as root, so root runs it as `postgres` or `nobody`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';

const HOST = '127.0.0.1';
const USER = 'millrace';
const READY_TIMEOUT_MS = 30_000;

/** Given to describe() and test(): the run may be told that this machine has no PostgreSQL. */
export const needsPostgres = { skip: process.env.MILLRACE_NO_POSTGRES !== undefined };

export interface TestPostgres {
  /** A database of this test's own. */
  readonly url: string;
  /** Rows of the last statement, as text, in UTC. */
  rows(sql: string): Promise<(string | null)[][]>;
  /** kill -9 of the whole server; only for one that was started here. */
  kill(): Promise<void>;
  /** Starts a killed server again, on its old data; settles when it serves. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The folder of initdb and postgres; undefined when there is none. */
export function postgresFolder(): string | undefined {
  const found = globSync('/usr/lib/postgresql/*/bin/postgres')
    .map((path) => dirname(path))
    .sort((a, b) => versionOf(a) - versionOf(b));
  return found.at(-1);
}

function versionOf(folder: string): number {
  return Number(/postgresql\/(\d+)/.exec(folder)?.[1] ?? 0);
}

export async function startPostgres(
  options: { readonly own?: boolean } = {},
): Promise<TestPostgres> {
  const given = process.env.POSTGRES_URL;
  if (given !== undefined && given !== '' && options.own !== true) return sharedPostgres(given);
  const bin = postgresFolder();
  if (bin === undefined) throw new Error('there is no PostgreSQL: apt-get install -y postgresql');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
  const owner = unprivileged();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const args = [
    '-D',
    data,
    '-U',
    USER,
    '--auth=trust',
    '--no-sync',
    '--encoding=UTF8',
    '--locale=C',
  ];
  execFileSync(join(bin, 'initdb'), args, { ...owner, cwd: folder, stdio: 'ignore' });
  const server = new Server(bin, data, folder, await freePort(), owner);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', server.killNow);
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  };
  process.once('exit', server.killNow);
  try {
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const { url } = server;
  return {
    url,
    rows: (sql) => queryText(url, sql),
    kill: () => server.kill(),
    restart: () => server.start(),
    stop,
  };
}

async function sharedPostgres(given: string): Promise<TestPostgres> {
  const database = `millrace_${randomBytes(6).toString('hex')}`;
  await queryText(given, `CREATE DATABASE ${database}`);
  const url = new URL(given);
  url.pathname = `/${database}`;
  const refuse = async (): Promise<void> => {
    throw new Error('a shared PostgreSQL is not killed: start one with { own: true }');
  };
  return {
    url: url.href,
    rows: (sql) => queryText(url.href, sql),
    kill: refuse,
    restart: refuse,
    stop: async () => {
      await queryText(given, `DROP DATABASE ${database} WITH (FORCE)`);
    },
  };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function unprivileged(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (what: string): number =>
        Number(execFileSync('id', [what, user], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // There is no such user: the next one is tried.
    }
  }
  throw new Error('PostgreSQL cannot run as root, and there is no user postgres or nobody');
}

class Server {
  readonly #bin: string;
  readonly #data: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #owner: Owner | undefined;
  #process: ChildProcess | undefined;

  constructor(bin: string, data: string, folder: string, port: number, owner: Owner | undefined) {
    this.#bin = bin;
    this.#data = data;
    this.#folder = folder;
    this.#port = port;
    this.#owner = owner;
  }

  get url(): string {
    return `postgres://${USER}@${HOST}:${this.#port}/postgres`;
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: HOST,
      port: this.#port,
      unix_socket_directories: this.#folder,
      shared_buffers: '32MB',
      max_connections: 30,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(this.#bin, 'postgres'), ['-D', this.#data, ...args], {
      ...this.#owner,
      cwd: this.#folder,
      stdio: 'ignore',
    });
    this.#process = child;
    // A test that fails before it stops its server still ends; the server ends with it.
    child.unref();
    const deadline = Date.now() + READY_TIMEOUT_MS;
    for (;;) {
      try {
        await queryText(this.url, 'SELECT 1');
        return;
      } catch (error) {
        if (child.exitCode !== null) throw new Error(`postgres ended with code ${child.exitCode}`);
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** SIGQUIT is PostgreSQL's immediate shutdown: no checkpoint, and the children end with their parent. */
  killNow = (): void => {
    this.#process?.kill('SIGQUIT');
  };

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.ref();
    child.kill('SIGQUIT');
    await ended;
  }
}

async function queryText(url: string, sql: string): Promise<(string | null)[][]> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 5000,
    options: '-c TimeZone=UTC',
  });
  // Whoever waits for an answer learns of a broken connection by it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const types = { getTypeParser: () => (value: string | Buffer) => value.toString() };
    const result: unknown = await client.query({ text: sql, rowMode: 'array', types });
    const last = Array.isArray(result) ? result.at(-1) : result;
    return last.rows;
  } finally {
    await client.end();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
