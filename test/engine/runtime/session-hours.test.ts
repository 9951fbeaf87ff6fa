/**
 * A job of sessions for hours of event time, at 1,000 events a simulated second, by visitors who never come back: what it keeps, and
 * the process with it, does not grow. `npm run test:long` runs 24 simulated hours, other runs a few minutes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceConnector } from '../../../connectors/connector.ts';
import type { ByteWriter } from '../../../connectors/generator/byte-writer.ts';
import { GeneratedReader } from '../../../connectors/generator/generated-reader.ts';
import { openMillrace } from '../../../server/millrace.ts';

const EVENTS_A_SECOND = 1_000;
const VISIT_SECONDS = 20;
const LONG_RUNS = 2_000;
const isLong = Number(process.env.MILLRACE_TEST_RUNS ?? 0) >= LONG_RUNS;
const SECONDS = Number(process.env.MILLRACE_TEST_SECONDS ?? (isLong ? 86_400 : 600));
const EVENTS = SECONDS * EVENTS_A_SECOND;
/** Memory is compared with what it was when this share of the events was through. */
const WARM = 0.4;
const STATE_GROWTH_MAX = 1.5;
const RSS_GROWTH_MAX = 1.25;
const RSS_SLACK_BYTES = 100 * 1024 * 1024;
const TIMEOUT_MS = isLong ? 3_500_000 : 300_000;
const STAGES = 10;
const RECORDS_A_MILLISECOND = 1_000;
/** The source's own clock, by which it lets a stage through. */
let clockMs = 0;

/** Each visitor comes for VISIT_SECONDS, once a second. Event time begins a day ago: times in the future would not count. */
const startMs = Date.now() - 86_400_000;
const visits: SourceConnector = {
  type: 'visits',
  schema: () => undefined,
  validate: () => {},
  open: async (_options, _schema, from) => {
    const writer = {
      recordBytesMax: 80,
      write: (offset: number, out: ByteWriter): number => {
        const second = Math.floor(offset / EVENTS_A_SECOND);
        const visitor =
          Math.floor(second / VISIT_SECONDS) * EVENTS_A_SECOND + (offset % EVENTS_A_SECOND);
        const ms = startMs + second * 1000;
        out.text(`{"visitor":${visitor},"at":"${new Date(ms).toISOString()}"}`);
        return ms;
      },
    };
    const pace = { recordsPerSecond: RECORDS_A_MILLISECOND * 1000, now: () => clockMs };
    return new GeneratedReader(writer, from.offsets.get(0) ?? 0, EVENTS, pace);
  },
};

interface Sample {
  readonly stateBytes: number;
  readonly rssBytes: number;
}

test(`sessions for ${SECONDS} simulated seconds keep their state, and the process, as small as it was`, async (context) => {
  const database = await openMillrace({ data: ':memory:', sources: [visits] });
  const run = async (sql: string): Promise<readonly unknown[]> => {
    const rows: unknown[] = [];
    for await (const result of database
      .session('hours')
      .execute(sql, [], new AbortController().signal)) {
      if (result.kind !== 'rows') continue;
      for await (const chunk of result.chunks) rows.push(...chunk);
    }
    return rows;
  };
  try {
    await run(`CREATE STREAM visits (visitor bigint, at timestamp, WATERMARK FOR at AS at - INTERVAL '5 seconds')
      WITH (connector = 'visits', idle_timeout = '0')`);
    await run(`CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS sessions, sum(pages) AS pages, max(pages) AS longest FROM (
      SELECT visitor, window_start, window_end, count(*) AS pages
      FROM SESSION(visits PARTITION BY visitor, at, INTERVAL '15 seconds') GROUP BY visitor, window_start, window_end) AS s`);
    const samples: Sample[] = [];
    const endMs = performance.now() + TIMEOUT_MS;
    for (let stage = 1; stage <= STAGES; stage++) {
      clockMs = ((EVENTS / STAGES) * stage) / RECORDS_A_MILLISECOND;
      for (let pages = 0; pages < (EVENTS / STAGES) * stage; ) {
        assert.ok(performance.now() < endMs, `${pages} events in time`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const [row] = (await run('SELECT pages FROM totals')) as { toString(): string }[][];
        pages = Number(row?.[0] ?? 0);
      }
      const { views } = database.status();
      const stateBytes = views.reduce((sum, view) => sum + view.stateBytes, 0);
      samples.push({ stateBytes, rssBytes: process.memoryUsage().rss });
    }
    const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
    const said = samples.map((s) => `${mebibytes(s.stateBytes)} of ${mebibytes(s.rssBytes)}`);
    context.diagnostic(`MiB of state and of the process, per tenth: ${said.join(', ')}`);
    const sessions = Math.ceil(SECONDS / VISIT_SECONDS) * EVENTS_A_SECOND;
    const [row] = (await run('SELECT sessions, pages, longest FROM totals')) as bigint[][];
    assert.deepEqual(row?.map(Number), [sessions, EVENTS, VISIT_SECONDS]);
    const peak = (part: readonly Sample[], of: (sample: Sample) => number): number =>
      Math.max(...part.map(of));
    const early = samples.slice(0, STAGES * WARM);
    const late = samples.slice(STAGES * WARM);
    const state = [peak(early, (s) => s.stateBytes), peak(late, (s) => s.stateBytes)] as const;
    const rss = [peak(early, (s) => s.rssBytes), peak(late, (s) => s.rssBytes)] as const;
    assert.ok(state[1] <= state[0] * STATE_GROWTH_MAX, `state: ${state.join(' -> ')}`);
    assert.ok(rss[1] <= rss[0] * RSS_GROWTH_MAX + RSS_SLACK_BYTES, `process: ${rss.join(' -> ')}`);
  } finally {
    await database.close();
  }
});
