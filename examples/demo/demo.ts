/**
 * The demo: a server on the embedded log, the Nexmark generator, a handful of views, and a terminal that shows them
 * change. `npm run demo -- [--seconds N] [--rate EVENTS_PER_SECOND]`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Pace } from './pace.ts';
import {
  count,
  type Measured,
  milliseconds,
  picture,
  totalBytes,
  totalRecords,
} from './picture.ts';
import { Probe } from './probe.ts';
import { Screen } from './screen.ts';
import { DemoServer } from './server.ts';

const REDRAW_MS = 500;
/** Without a terminal there is nothing to redraw: a block now and then. */
const PRINT_MS = 2_000;
const LATENCY_WINDOW_MS = 10_000;
const RATES_KEPT = 100;

const VIEWS = [
  { query: 'hot_auctions?order=-bids,auction', about: 'most bids' },
  { query: 'channels?order=-bids', about: 'where bids come from' },
  { query: 'closing_prices?order=category', about: 'join, max, avg' },
  { query: 'windows?order=-window_start', about: 'bids per 10 s of event time' },
] as const;

const options = readOptions();
const startedMs = performance.now();
let isStopping = false;

try {
  await demo();
} catch (error) {
  process.stderr.write(`\ndemo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function readOptions(): { secondsMax: number; rate: number; main: string } {
  const built = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url));
  const source = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: 'Infinity' },
        rate: { type: 'string', default: '100000' },
        /** Which server to start, for tests. */
        server: { type: 'string', default: existsSync(built) ? built : source },
      },
    });
    const secondsMax = Number(values.seconds);
    const rate = Number(values.rate);
    if (!(secondsMax > 0)) throw new Error('--seconds must be a number above 0');
    if (!Number.isInteger(rate) || rate < 1) throw new Error('--rate must be 1 or more');
    return { secondsMax, rate, main: values.server };
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.stderr.write('usage: npm run demo -- [--seconds N] [--rate EVENTS_PER_SECOND]\n');
    process.exit(2);
  }
}

function isOver(): boolean {
  return isStopping || performance.now() - startedMs >= options.secondsMax * 1000;
}

async function demo(): Promise<void> {
  const screen = new Screen(process.stdout);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isStopping = true;
    });
  }
  const server = await DemoServer.start(options.main);
  try {
    const beganMs = performance.now();
    const script = readFileSync(new URL('demo.sql', import.meta.url), 'utf8');
    await server.run(script.replaceAll('RATE_PER_SECOND', String(options.rate)));
    const probe = new Probe(server);
    const pace = new Pace(options.rate);
    await Promise.race([
      Promise.all([show(server, probe, pace, screen), probe.run(isOver)]),
      server.died(),
    ]);
    screen.close();
    process.stdout.write(await summary(server, probe, pace, beganMs));
  } finally {
    screen.close();
    await server.stop();
  }
}

async function show(server: DemoServer, probe: Probe, pace: Pace, screen: Screen): Promise<void> {
  const stepMs = process.stdout.isTTY ? REDRAW_MS : PRINT_MS;
  let eventsPerSecond: number[] = [];
  let before = { records: 0, bytes: 0, committed: 0, atMs: performance.now() };
  while (!isOver()) {
    const endMs = startedMs + options.secondsMax * 1000;
    await sleep(Math.max(1, Math.min(stepMs, endMs - performance.now())));
    const status = await server.status();
    const now = {
      records: totalRecords(status),
      bytes: totalBytes(status),
      committed: status.epochs.committed,
      atMs: performance.now(),
    };
    const seconds = (now.atMs - before.atMs) / 1000;
    eventsPerSecond = [...eventsPerSecond, (now.records - before.records) / seconds];
    eventsPerSecond = eventsPerSecond.slice(-RATES_KEPT);
    const lag = pace.behind(now.records, now.atMs);
    const measured: Measured = {
      seconds: (now.atMs - startedMs) / 1000,
      url: server.url,
      status,
      eventsPerSecond,
      bytesPerSecond: (now.bytes - before.bytes) / seconds,
      lag,
      lagMs: (lag * 1000) / options.rate,
      commitsPerSecond: (now.committed - before.committed) / seconds,
      p50Ms: probe.quantile(0.5, LATENCY_WINDOW_MS),
      p99Ms: probe.quantile(0.99, LATENCY_WINDOW_MS),
    };
    before = now;
    const views = await Promise.all(
      VIEWS.map(async ({ query, about }) => ({
        title: query.replace(/\?.*/, ''),
        about,
        answer: await server.view(query),
      })),
    );
    screen.draw(picture(measured, views));
  }
}

async function summary(
  server: DemoServer,
  probe: Probe,
  pace: Pace,
  beganMs: number,
): Promise<string> {
  const status = await server.status();
  const nowMs = performance.now();
  const seconds = (nowMs - beganMs) / 1000;
  const records = totalRecords(status);
  const errors = status.streams.reduce((sum, stream) => sum + stream.errors, 0);
  return (
    `\n${count(records)} events in ${seconds.toFixed(1)} s: ${count(records / seconds)} events/s, ` +
    `lag ${count(pace.behind(records, nowMs))}, ${count(errors)} bad records, ${count(status.epochs.committed)} commits\n` +
    `a record can be read after ${milliseconds(probe.quantile(0.5))} (p50), ` +
    `${milliseconds(probe.quantile(0.99))} (p99), ${count(probe.count)} probes\n`
  );
}
