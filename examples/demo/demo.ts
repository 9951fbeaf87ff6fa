/**
 * The demo: a server on the embedded log, the Nexmark generator, a handful of views, and a terminal that shows them
 * change. `node examples/demo/demo.ts [--seconds N] [--rate EVENTS_PER_SECOND]`; run it by `npm run demo`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const READY_WAIT_MS = 30_000;
const REDRAW_MS = 500;
const PROBE_WAIT_MS = 10_000;
const LATENCIES_MAX = 10_000;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string' },
    rate: { type: 'string', default: '100000' },
  },
});
const secondsMax =
  options.seconds === undefined ? Number.POSITIVE_INFINITY : Number(options.seconds);
const rate = Number(options.rate);
if (!(secondsMax > 0) || !Number.isInteger(rate) || rate < 1) {
  process.stderr.write('usage: npm run demo -- [--seconds N] [--rate EVENTS_PER_SECOND]\n');
  process.exit(2);
}

interface Answer {
  readonly columns: readonly { readonly name: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

interface Status {
  readonly epochs: { readonly committed: number; readonly lastCommitMs: number };
  readonly streams: readonly {
    readonly name: string;
    readonly records: number;
    readonly errors: number;
    readonly partitions: readonly { readonly offset: number; readonly endOffset?: number | null }[];
  }[];
}

const { server, url } = await startServer();
const latenciesMs: number[] = [];
const startedMs = performance.now();
let isStopping = false;
process.on('SIGINT', () => {
  isStopping = true;
});

try {
  const script = readFileSync(new URL('./demo.sql', import.meta.url), 'utf8');
  await post('/v1/sql', { sql: script.replaceAll('RATE_PER_SECOND', String(rate)) });
  await Promise.all([redrawLoop(), probeLoop()]);
  summarize(await get<Status>('/v1/status'));
} finally {
  server.kill('SIGTERM');
}
await new Promise((resolve) => server.once('exit', resolve));

async function startServer(): Promise<{ server: ChildProcess; url: string }> {
  const main = new URL('../../dist/server/main.js', import.meta.url).pathname;
  const child = spawn(
    process.execPath,
    [main, 'start', '--data', ':memory:', '--http', '127.0.0.1:0', '--log-level', 'warn'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the server was not ready in ${READY_WAIT_MS} ms`)),
      READY_WAIT_MS,
    );
    child.once('exit', (code) => reject(new Error(`the server stopped with code ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /^millrace ready http=(\S+)/.exec(line);
      if (match === null) return;
      clearTimeout(timer);
      resolve({ server: child, url: `http://${match[1]}` });
    });
  });
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(url + path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
}

function isOver(): boolean {
  return isStopping || performance.now() - startedMs > secondsMax * 1000;
}

async function redrawLoop(): Promise<void> {
  let before = { records: 0, atMs: performance.now() };
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, REDRAW_MS));
    const status = await get<Status>('/v1/status');
    const records = totalRecords(status);
    const nowMs = performance.now();
    const perSecond = ((records - before.records) * 1000) / (nowMs - before.atMs);
    before = { records, atMs: nowMs };
    const views = await Promise.all(
      [
        'hot_auctions?order=-bids',
        'channels?order=-bids',
        'closing_prices?order=category',
        'windows?order=-window_start',
      ].map((view) => get<Answer>(`/v1/views/${view}`)),
    );
    draw(status, perSecond, views);
  }
}

function draw(status: Status, perSecond: number, views: readonly Answer[]): void {
  const titles = ['hot_auctions', 'channels', 'closing_prices (q4)', 'windows of 10 s'];
  const lines = [
    `Millrace demo   ${Math.round((performance.now() - startedMs) / 1000)} s   ${url}`,
    `${count(perSecond)} events/s   ${count(totalRecords(status))} events   lag ${count(lag(status))}   ` +
      `record to readable p50 ${quantile(0.5)} p99 ${quantile(0.99)} ms   ` +
      `${count(status.epochs.committed)} commits, last ${status.epochs.lastCommitMs.toFixed(1)} ms`,
    '',
    ...views.flatMap((view, i) => [titles[i] ?? '', ...table(view), '']),
    'Ctrl-C stops.',
  ];
  if (process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J');
  process.stdout.write(`${lines.join('\n')}\n`);
}

function table(answer: Answer): string[] {
  const cells = [
    answer.columns.map((column) => column.name),
    ...answer.rows.map((row) => row.map((value) => (value === null ? '' : String(value)))),
  ];
  const widths = answer.columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  return cells.map((row) => `  ${row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  ')}`);
}

/** Writes a record, polls until the view shows it, and notes the time between. */
async function probeLoop(): Promise<void> {
  let version = 0;
  for (let id = 1; !isOver(); id++) {
    const sentMs = performance.now();
    await post('/v1/streams/probe/records', [{ id }]);
    for (;;) {
      const response = await fetch(`${url}/v1/views/probes?wait=1s&since=${version}`);
      version = Number(response.headers.get('etag')?.replace(/[^0-9]/g, '') ?? 0);
      const answer = (await response.json()) as Answer;
      if (Number(answer.rows[0]?.[0] ?? 0) >= id || isOver()) break;
      if (performance.now() - sentMs > PROBE_WAIT_MS)
        throw new Error(`record ${id} did not arrive`);
    }
    if (latenciesMs.length < LATENCIES_MAX) latenciesMs.push(performance.now() - sentMs);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function summarize(status: Status): void {
  const seconds = (performance.now() - startedMs) / 1000;
  const records = totalRecords(status);
  const errors = status.streams.reduce((sum, stream) => sum + stream.errors, 0);
  process.stdout.write(
    `\n${count(records)} events in ${seconds.toFixed(1)} s (${count(records / seconds)} events/s), ` +
      `${errors} bad records, ${count(status.epochs.committed)} commits, ` +
      `record to readable p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms (${latenciesMs.length} probes)\n`,
  );
}

function totalRecords(status: Status): number {
  return status.streams.reduce((sum, stream) => sum + stream.records, 0);
}

function lag(status: Status): number {
  let sum = 0;
  for (const stream of status.streams) {
    for (const { offset, endOffset } of stream.partitions) {
      if (typeof endOffset === 'number') sum += Math.max(endOffset - offset, 0);
    }
  }
  return sum;
}

function quantile(q: number): string {
  if (latenciesMs.length === 0) return '–';
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  return (sorted[Math.floor(q * (sorted.length - 1))] ?? 0).toFixed(1);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
