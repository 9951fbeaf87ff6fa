/**
 * Runs the tests: `node test/run.ts [unit|all|long] [file…]`.
 * `all` (the default) is the static checks and every test, against a real Kafka broker and a real PostgreSQL: those named by
 * KAFKA_BOOTSTRAP and POSTGRES_URL, else ones started here. `unit` needs no server. `long` repeats the properties many times.
 * Ends with the line `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

type Mode = 'unit' | 'all' | 'long';

const [first, ...rest] = process.argv.slice(2);
const mode: Mode = first === 'unit' || first === 'long' ? first : 'all';
const named = first === undefined || first === mode ? rest : [first, ...rest];

/** Tests that need a server or take the machine for themselves. */
const INTEGRATION = [
  'test/kafka/',
  'test/integration/',
  'test/connectors/kafka',
  'test/connectors/postgres',
];
/** Times are looked at: one after another, when nothing else runs. */
const ALONE = [
  'test/integration/all-at-once',
  'test/integration/many-views',
  'test/integration/restart-time',
  'test/examples/',
];
/** Wait for other programs most of the time: one after another, beside all the rest. */
const WAITING = ['test/integration/', 'test/connectors/kafka/', 'test/connectors/postgres/'];
/** Where Node keeps what it compiled, for the next of the many processes that load the same files. */
const COMPILED = '.cache/compiled';
/** What `long` sets, unless the environment says otherwise. */
const LONG: Readonly<Record<string, string>> = {
  MILLRACE_TEST_RUNS: '2000',
  MILLRACE_TEST_SIMULATIONS: '100000',
  MILLRACE_TEST_KILLS: '200',
  MILLRACE_TEST_LONG: '1',
};
const FILE_TIMEOUT_MS = mode === 'long' ? 8 * 3_600_000 : 600_000;

const SLOWEST_SHOWN = 20;
/** How long each file took. */
const seconds = new Map<string, number>();
let passed = 0;
let failed = 0;

if (mode === 'long') {
  for (const [name, value] of Object.entries(LONG)) process.env[name] ??= value;
  process.env.MILLRACE_TEST_SEED ??= String(Date.now() % 2 ** 31);
  process.stdout.write(`MILLRACE_TEST_SEED=${process.env.MILLRACE_TEST_SEED}\n`);
}
process.env.NODE_COMPILE_CACHE ??= resolve(COMPILED);
if (mode !== 'unit' && named.length === 0) runChecks();
const servers = mode === 'unit' ? [] : [await provideBroker(), await providePostgres()];
try {
  const files = chooseFiles();
  const alone = files.filter((path) => startsWithAny(path, ALONE));
  const rest = files.filter((path) => !alone.includes(path));
  const waiting = rest.filter((path) => startsWithAny(path, WAITING));
  await Promise.all([
    runFiles(
      rest.filter((path) => !waiting.includes(path)),
      2,
    ),
    runFiles(waiting, 1),
  ]);
  await runFiles(alone, 1);
} finally {
  for (const server of servers) await server?.stop();
}
const slowest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, SLOWEST_SHOWN);
process.stdout.write('\nslowest files, in seconds\n');
for (const [path, own] of slowest) process.stdout.write(`${own.toFixed(1).padStart(7)} ${path}\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

function chooseFiles(): string[] {
  if (named.length > 0) return named;
  const files = globSync('test/**/*.test.ts')
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
  if (mode !== 'unit') return files;
  return files.filter((path) => !startsWithAny(path, INTEGRATION));
}

function startsWithAny(path: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => path.startsWith(prefix));
}

function runChecks(): void {
  for (const [name, command] of [
    ['biome', ['biome', 'ci', '.']],
    ['tsc', ['tsc', '--noEmit']],
  ] as const) {
    const result = spawnSync(`node_modules/.bin/${command[0]}`, command.slice(1), {
      stdio: 'inherit',
    });
    if (result.status === 0) passed++;
    else {
      failed++;
      process.stdout.write(`check failed: ${name}\n`);
    }
  }
}

/** Broker tests are part of the run; only a machine without Java, outside CI, goes without. */
async function provideBroker(): Promise<{ stop(): Promise<void> } | undefined> {
  if (process.env.KAFKA_BOOTSTRAP !== undefined) return undefined;
  const java = spawnSync('java', ['-version'], { stdio: 'ignore' });
  const maven = spawnSync('mvn', ['-v'], { stdio: 'ignore' });
  if (process.env.CI === undefined && (java.status !== 0 || maven.status !== 0)) {
    process.stdout.write(
      'no Java 17 and Maven here: tests against a real Kafka broker are left out\n',
    );
    process.env.MILLRACE_NO_BROKER = '1';
    return undefined;
  }
  const { startKafka } = await import('./kafka/start-kafka.ts');
  const started = await startKafka();
  process.env.KAFKA_BOOTSTRAP = started.bootstrap;
  return started;
}

/** As with the broker: only a machine without PostgreSQL, outside CI, goes without. */
async function providePostgres(): Promise<{ stop(): Promise<void> } | undefined> {
  if (process.env.POSTGRES_URL !== undefined) return undefined;
  const { postgresFolder, startPostgres } = await import('./postgres/start-postgres.ts');
  if (process.env.CI === undefined && postgresFolder() === undefined) {
    process.stdout.write('no PostgreSQL here: tests against a real one are left out\n');
    process.env.MILLRACE_NO_POSTGRES = '1';
    return undefined;
  }
  const started = await startPostgres();
  process.env.POSTGRES_URL = started.url;
  return started;
}

async function runFiles(files: string[], concurrency: number): Promise<void> {
  if (files.length === 0) return;
  const execArgv = ['--import', './test/seed.ts'];
  const stream = run({ files, concurrency, timeout: FILE_TIMEOUT_MS, execArgv });
  stream.on('test:pass', (event) => {
    if (event.details.type !== 'suite' && event.skip === undefined && event.todo === undefined)
      passed++;
    // A skipped test proves nothing, and in CI it hides a missing server.
    if (event.skip !== undefined && process.env.CI !== undefined) failed++;
  });
  stream.on('test:fail', (event) => {
    if (event.details.type !== 'suite') failed++;
  });
  stream.on('test:summary', ({ file, duration_ms: ms }) => {
    if (file !== undefined) seconds.set(relative('.', file), ms / 1000);
  });
  // Streams that run beside each other share the terminal.
  stream.compose(spec).pipe(process.stdout, { end: false });
  await new Promise<void>((resolve) => stream.on('end', () => resolve()));
}
