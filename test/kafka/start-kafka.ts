/**
 * A real Apache Kafka for tests: KRaft nodes on free loopback ports, or the cluster that KAFKA_BOOTSTRAP names.
 * Needs Java 17 and Maven; one node is ready in about 5 s.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kafkaJars } from './jars.ts';

const HOST = '127.0.0.1';
/** Given to describe(): the run may be told that this machine has no Java and Maven. */
export const needsKafka = { skip: process.env.MILLRACE_NO_BROKER !== undefined };
const READY_TIMEOUT_MS = 180_000;
const logConfig = fileURLToPath(new URL('log4j2.properties', import.meta.url));

export interface StartKafkaOptions {
  /** 1 (default) or 3, then every topic has three replicas. */
  readonly nodes?: 1 | 3 | undefined;
  /** Start brokers even when KAFKA_BOOTSTRAP names a cluster: for tests that kill them. */
  readonly own?: boolean | undefined;
  /** More lines for server.properties. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

export interface TestKafka {
  /** HOST:PORT[,…] */
  readonly bootstrap: string;
  /** kill -9 of one node, counted from 1. */
  kill(node: number): Promise<void>;
  /** Starts a killed node again, on its old data; settles when it serves. */
  restart(node: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startKafka(options: StartKafkaOptions = {}): Promise<TestKafka> {
  const given = process.env.KAFKA_BOOTSTRAP;
  if (given !== undefined && given !== '' && options.own !== true) return sharedKafka(given);
  const jars = await kafkaJars();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-'));
  const count = options.nodes ?? 1;
  const ports = await freePorts(count * 2);
  const nodes = Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    clientPort: ports[2 * i] as number,
    controllerPort: ports[2 * i + 1] as number,
    directoryId: kafkaId(),
  }));
  const clusterId = kafkaId();
  const voters = nodes
    .map((node) => `${node.id}@${HOST}:${node.controllerPort}:${node.directoryId}`)
    .join(',');
  const running = await Promise.all(
    nodes.map(async (node) => {
      const config = join(folder, `node${node.id}.properties`);
      await writeFile(config, serverProperties(folder, node, nodes, options.settings ?? {}));
      const format = ['format', '-t', clusterId, '-c', config, '--initial-controllers', voters];
      await runTool(
        jars,
        ['kafka.tools.StorageTool', ...format],
        join(folder, `${node.id}.format`),
      );
      return new KafkaNode(jars, config, join(folder, `node${node.id}.log`));
    }),
  );
  const stopAll = (): void => {
    for (const node of running) node.killNow();
  };
  process.once('exit', stopAll);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', stopAll);
    await Promise.all(running.map((node) => node.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(running.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    bootstrap: nodes.map((node) => `${HOST}:${node.clientPort}`).join(','),
    kill: async (node) => running[node - 1]?.kill(),
    restart: async (node) => running[node - 1]?.start(),
    stop,
  };
}

function sharedKafka(bootstrap: string): TestKafka {
  const refuse = async (): Promise<void> => {
    throw new Error('a shared Kafka is not killed: start one with { own: true }');
  };
  return { bootstrap, kill: refuse, restart: refuse, stop: async () => undefined };
}

class KafkaNode {
  readonly #jars: string;
  readonly #config: string;
  readonly #log: string;
  #process: ChildProcess | undefined;

  constructor(jars: string, config: string, log: string) {
    this.#jars = jars;
    this.#config = config;
    this.#log = log;
  }

  async start(): Promise<void> {
    const args = [
      '-Xmx512m',
      '-Xms128m',
      '-XX:+UseSerialGC',
      '-XX:+ExitOnOutOfMemoryError',
      `-Dlog4j2.configurationFile=${logConfig}`,
      '-cp',
      `${this.#jars}/*`,
      'kafka.Kafka',
      this.#config,
    ];
    const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const log = createWriteStream(this.#log, { flags: 'a' });
    child.stderr.pipe(log, { end: false });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`Kafka is not ready after ${READY_TIMEOUT_MS} ms`));
      }, READY_TIMEOUT_MS);
      let seen = '';
      child.stdout.on('data', (chunk: Buffer) => {
        log.write(chunk);
        // The port opens earlier; this line comes once the broker serves clients.
        if (seen.length < 1_000_000) seen += chunk.toString();
        if (!seen.includes('Kafka Server started')) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('error', reject);
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`Kafka ended with code ${code}: ${seen.slice(-2000)}`));
      });
    });
    // A test that fails before it stops its broker still ends; the broker ends with it.
    child.unref();
    for (const pipe of [child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
  }

  killNow(): void {
    this.#process?.kill('SIGKILL');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.ref();
    child.kill('SIGKILL');
    await ended;
  }
}

interface NodeAddress {
  readonly id: number;
  readonly clientPort: number;
  readonly controllerPort: number;
}

function serverProperties(
  folder: string,
  node: NodeAddress,
  nodes: readonly NodeAddress[],
  settings: Readonly<Record<string, string>>,
): string {
  const replicas = nodes.length >= 3 ? 3 : 1;
  const inSync = replicas === 3 ? 2 : 1;
  const all: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.bootstrap.servers': nodes
      .map((each) => `${HOST}:${each.controllerPort}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `CLIENT://${HOST}:${node.clientPort},CONTROLLER://${HOST}:${node.controllerPort}`,
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'CLIENT',
    'log.dirs': join(folder, `node${node.id}`),
    'num.partitions': 1,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': 0,
    // A killed broker is noticed, and may come back, after 3 s rather than 9.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'auto.create.topics.enable': 'false',
    'log.cleaner.dedupe.buffer.size': 4_000_000,
    'log.cleaner.backoff.ms': 100,
    'log.retention.check.interval.ms': 500,
    // Tests write records with timestamps of long ago; topics that want retention say so themselves.
    'log.retention.ms': -1,
    'log.initial.task.delay.ms': 1000,
    'num.network.threads': 2,
    'num.io.threads': 4,
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

async function runTool(jars: string, args: readonly string[], logPath: string): Promise<void> {
  const options = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
  const log = createWriteStream(logPath);
  const child = spawn(
    'java',
    [...options, `-Dlog4j2.configurationFile=${logConfig}`, '-cp', `${jars}/*`, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  log.end();
  if (code !== 0) throw new Error(`${args[0]} failed: ${await readFile(logPath, 'utf8')}`);
}

/** A 22-character id as Kafka wants for clusters and directories. */
function kafkaId(): string {
  let id = '';
  // An id that begins with a hyphen would be read as an option.
  while (id === '' || id.startsWith('-')) id = randomBytes(16).toString('base64url');
  return id;
}

/** All are held open together, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, HOST, () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
