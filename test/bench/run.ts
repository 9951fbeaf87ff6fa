/**
 * `npm run bench [-- q0 q4 …] [--events N] [--kafka] [--latency]`: Nexmark from bytes in memory (the default), from a real
 * Kafka, and the time from record to readable. Prints events/s, CPU seconds per million events, latencies, RSS, beside a
 * hand-written peer in the same run. Each query runs in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { printTable } from './measure.ts';
import { QUERIES } from './nexmark-queries.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: 'string', default: '4000000' },
    kafka: { type: 'boolean', default: false },
    latency: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
  },
});
const isAll = !options.kafka && !options.latency && !options.memory;
const names = positionals.length > 0 ? positionals : QUERIES.map((query) => query.name);
let failures = 0;

const HEADER = [
  'query',
  'M events/s',
  'CPU s/M',
  'target',
  'Flink',
  'peer CPU s/M',
  'rows',
  'RSS MB',
];

interface BenchResult {
  readonly eventsPerSecond: number;
  readonly cpuPerMillion: number;
  readonly peerCpuPerMillion: number | null;
  readonly rows: number;
  readonly rssBytes: number;
}

if (isAll || options.memory) runQueries('from bytes in memory', []);
let broker: { readonly bootstrap: string; stop(): Promise<void> } | undefined;
if (isAll || options.kafka) {
  let bootstrap = process.env.KAFKA_BOOTSTRAP;
  if (bootstrap === undefined) {
    const { startKafka } = await import('../kafka/start-kafka.ts');
    broker = await startKafka();
    bootstrap = broker.bootstrap;
  }
  runQueries(`from Kafka at ${bootstrap} (the broker's own CPU not counted)`, [
    '--kafka',
    bootstrap,
  ]);
}
if (isAll || options.latency) {
  process.stdout.write('\nrecord to readable over HTTP, 1,000 events/s\n');
  const server = broker?.bootstrap ?? process.env.KAFKA_BOOTSTRAP;
  const run = spawnSync(
    process.execPath,
    ['test/bench/latency.ts', ...(server === undefined ? [] : [server])],
    { stdio: 'inherit' },
  );
  if (run.status !== 0) failures++;
}
await broker?.stop();
process.exit(failures === 0 ? 0 : 1);

function runQueries(title: string, extra: readonly string[]): void {
  process.stdout.write(
    `\nNexmark, ${Number(options.events).toLocaleString('en-US')} events, ${title}\n`,
  );
  const rows: string[][] = [HEADER];
  for (const name of names) {
    const query = QUERIES.find((candidate) => candidate.name === name);
    const run = spawnSync(
      process.execPath,
      ['--expose-gc', 'test/bench/nexmark-run.ts', name, String(options.events), ...extra],
      { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' },
    );
    if (run.status !== 0) {
      failures++;
      rows.push([name, 'failed']);
      continue;
    }
    const result = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '{}') as BenchResult;
    rows.push([
      name,
      (result.eventsPerSecond / 1e6).toFixed(2),
      result.cpuPerMillion.toFixed(3),
      query?.target?.toFixed(2) ?? '–',
      query?.flink?.toFixed(1) ?? '–',
      result.peerCpuPerMillion?.toFixed(3) ?? '–',
      result.rows.toLocaleString('en-US'),
      (result.rssBytes / 1e6).toFixed(0),
    ]);
    process.stdout.write(`  ${name} done\n`);
  }
  printTable(rows);
}
