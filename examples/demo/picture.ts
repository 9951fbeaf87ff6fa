/** What the demo shows, as lines. */

import { beside, type Line, sparkline, table } from './screen.ts';
import type { Rows, Status } from './server.ts';

export interface Measured {
  readonly seconds: number;
  readonly url: string;
  readonly status: Status;
  /** The latest last, one a redraw. */
  readonly eventsPerSecond: readonly number[];
  readonly bytesPerSecond: number;
  readonly commitsPerSecond: number;
  /** Events that are due and not yet read. */
  readonly lag: number;
  /** How long these took to come. */
  readonly lagMs: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

export interface ShownView {
  readonly title: string;
  readonly about: string;
  readonly answer: Rows;
}

const BARS_SHOWN = 24;
/** Where the right-hand tables begin; keeps them in place while the left ones grow. */
const RIGHT_COLUMN = 40;

export function picture(measured: Measured, views: readonly ShownView[]): Line[] {
  const blocks = views.map(viewBlock);
  const pairs: Line[] = [];
  for (let i = 0; i < blocks.length; i += 2) {
    pairs.push(...beside(blocks[i] ?? [], blocks[i + 1] ?? [], RIGHT_COLUMN), []);
  }
  return [...head(measured), [], ...pairs, [{ text: 'Ctrl-C stops.', style: 'dim' }]];
}

function head(measured: Measured): Line[] {
  const { status, eventsPerSecond, commitsPerSecond } = measured;
  const stateBytes = status.views.reduce((sum, view) => sum + view.stateBytes, 0);
  return [
    [
      { text: 'Millrace', style: 'bold' },
      { text: `  ${measured.seconds.toFixed(0)} s  ${measured.url}`, style: 'dim' },
    ],
    [],
    figure('events', `${count(eventsPerSecond.at(-1) ?? 0)} /s`, [
      `${count(totalRecords(status))} so far, ${(measured.bytesPerSecond / 1e6).toFixed(1)} MB/s  `,
      sparkline(eventsPerSecond.slice(-BARS_SHOWN)),
    ]),
    figure('latency p50', milliseconds(measured.p50Ms), [
      'from a record’s POST until a GET shows it',
    ]),
    figure('latency p99', milliseconds(measured.p99Ms), ['the same, over the last 10 s']),
    figure('lag', count(measured.lag), [
      `events due and not yet read: those of ${milliseconds(measured.lagMs)}`,
    ]),
    figure('commits', `${count(commitsPerSecond)} /s`, [
      `last took ${milliseconds(status.epochs.lastCommitMs)}, ` +
        `${status.views.length} views with ${(stateBytes / 1e6).toFixed(0)} MB of state`,
    ]),
  ];
}

function figure(name: string, value: string, [note, accent]: readonly [string, string?]): Line {
  return [
    { text: name.padEnd(12), style: 'dim' },
    { text: value.padStart(12), style: 'bold' },
    { text: `   ${note}`, style: 'dim' },
    { text: accent ?? '', style: 'cyan' },
  ];
}

const NUMBERS = /^(smallint|integer|bigint|real|double|numeric)/;

function viewBlock({ title, about, answer }: ShownView): Line[] {
  const columns = answer.columns.map(({ name, type }) => ({ name, isNumber: NUMBERS.test(type) }));
  return [
    [
      { text: title, style: 'bold' },
      { text: `  ${about}`, style: 'dim' },
    ],
    ...table(columns, answer.rows),
  ];
}

/** Of the generators: the probe's few are not part of the pace. */
export function totalRecords(status: Status): number {
  return status.streams.reduce(
    (sum, { name, records }) => (name === 'probe' ? sum : sum + records),
    0,
  );
}

export function totalBytes(status: Status): number {
  return status.streams.reduce((sum, stream) => sum + stream.bytes, 0);
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function milliseconds(value: number | undefined): string {
  if (value === undefined) return '–';
  return `${value < 100 ? value.toFixed(1) : count(value)} ms`;
}
