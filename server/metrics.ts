import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Database, DatabaseStatus } from './database.ts';

/** Buckets of commit and epoch times, in seconds: the fixed price of a commit lies near 3 ms. */
const SECONDS_BUCKETS = [0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/** How often the engine's sums are looked at between two scrapes, to fill the histograms. */
const SAMPLE_MS = 250;

/**
 * The process's Prometheus metrics. What the engine knows is read from `Database.status()` when a scrape comes;
 * what the doors count themselves they count here.
 */
export class DoorMetrics {
  readonly registry = new Registry();
  readonly requests: Histogram<'method' | 'route' | 'status'>;
  readonly ingestedRecords: Counter;
  readonly ingestedBytes: Counter;
  readonly cacheHits: Counter;
  readonly subscriptions: Gauge<'door'>;
  readonly slowReaders: Counter<'door'>;
  readonly #engine: EngineMetrics;
  readonly #database: Database;
  #cacheBytes: () => number = () => 0;
  #bodyBytes: () => number = () => 0;

  constructor(database: Database) {
    const registers = [this.registry];
    this.#database = database;
    collectDefaultMetrics({ register: this.registry });
    this.requests = new Histogram({
      name: 'millrace_http_request_seconds',
      help: 'Time from a request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS_BUCKETS,
      registers,
    });
    this.ingestedRecords = new Counter({
      name: 'millrace_http_ingested_records_total',
      help: 'Records accepted over HTTP.',
      registers,
    });
    this.ingestedBytes = new Counter({
      name: 'millrace_http_ingested_bytes_total',
      help: 'Bytes of the bodies of accepted ingest requests.',
      registers,
    });
    this.cacheHits = new Counter({
      name: 'millrace_view_cache_hits_total',
      help: 'View polls that were answered from the response cache.',
      registers,
    });
    this.subscriptions = new Gauge({
      name: 'millrace_subscriptions',
      help: 'Open subscriptions.',
      labelNames: ['door'],
      registers,
    });
    this.slowReaders = new Counter({
      name: 'millrace_slow_readers_total',
      help: 'Clients that were let go because they took nothing for too long.',
      labelNames: ['door'],
      registers,
    });
    const cacheBytes = (): number => this.#cacheBytes();
    new Gauge({
      name: 'millrace_view_cache_bytes',
      help: 'Bytes of rendered view answers that are kept.',
      registers,
      collect(): void {
        this.set(cacheBytes());
      },
    });
    const bodyBytes = (): number => this.#bodyBytes();
    new Gauge({
      name: 'millrace_http_body_bytes',
      help: 'Bytes of the requests that are being answered.',
      registers,
      collect(): void {
        this.set(bodyBytes());
      },
    });
    this.#engine = new EngineMetrics(this.registry, database);
  }

  /** The request bodies in memory tell their size through `bytes`. */
  watchBodies(bytes: () => number): void {
    this.#bodyBytes = bytes;
  }

  /** The response cache tells its size through `bytes`. */
  watchCache(bytes: () => number): void {
    this.#cacheBytes = bytes;
  }

  /** The text of `GET /metrics`. */
  async render(): Promise<string> {
    this.#engine.update(this.#database.status());
    return await this.registry.metrics();
  }

  close(): void {
    this.#engine.close();
  }
}

class EngineMetrics {
  readonly #registry: Registry;
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();
  readonly #compute: Histogram;
  readonly #commit: Histogram;
  readonly #timer: NodeJS.Timeout;
  #seen = { committed: 0, computeMs: 0, commitMs: 0 };

  constructor(registry: Registry, database: Database) {
    this.#registry = registry;
    const histogram = (name: string, help: string): Histogram =>
      new Histogram({ name, help, buckets: SECONDS_BUCKETS, registers: [registry] });
    this.#compute = histogram(
      'millrace_epoch_compute_seconds',
      'Time to compute an epoch; the mean of the epochs between two samples, counted once for each.',
    );
    this.#commit = histogram(
      'millrace_commit_seconds',
      'Time to commit an epoch; the mean of the epochs between two samples, counted once for each.',
    );
    this.#timer = setInterval(() => this.#observe(database.status()), SAMPLE_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  update(status: DatabaseStatus): void {
    this.#observe(status);
    for (const gauge of this.#gauges.values()) gauge.reset();
    for (const counter of this.#counters.values()) counter.reset();
    this.#set('millrace_ready', 'Whether the database serves.', {}, status.ready ? 1 : 0);
    this.#set('millrace_epoch', 'Number of the last committed epoch.', {}, status.epoch);
    this.#set('millrace_store_bytes', 'Size of the store on disk.', {}, status.storeBytes);
    this.#operatorState(status);
    for (const stream of status.streams) this.#stream(stream);
    for (const sink of status.sinks) this.#sink(sink);
    for (const view of status.views) this.#view(view);
  }

  #operatorState({ operatorState }: DatabaseStatus): void {
    if (operatorState === undefined) return;
    const { plans, savedBytes, replayBytes, logBytes, rounds, pauseMsMax } = operatorState;
    this.#set('millrace_state_plans', 'Plans whose state a restart reads back.', {}, plans);
    const anew = 'Plans that a restart computes anew.';
    this.#set('millrace_state_unsaved_plans', anew, {}, operatorState.unsavedPlans);
    this.#set('millrace_state_saved_bytes', 'Size of the saved operator state.', {}, savedBytes);
    this.#set('millrace_state_replay_bytes', 'Log that a restart replays.', {}, replayBytes);
    this.#count('millrace_state_logged_bytes_total', 'Operator input logged.', {}, logBytes);
    this.#count('millrace_state_rounds_total', 'Times that state was saved.', {}, rounds);
    const seconds = pauseMsMax / 1000;
    this.#set('millrace_state_pause_seconds_max', 'Longest stop to save state.', {}, seconds);
  }

  #stream(stream: DatabaseStatus['streams'][number]): void {
    const labels = { stream: stream.name };
    this.#count('millrace_stream_records_total', 'Records read.', labels, stream.records);
    this.#count('millrace_stream_bytes_total', 'Bytes read.', labels, stream.bytes);
    this.#count(
      'millrace_stream_errors_total',
      'Records that were refused.',
      labels,
      stream.errors,
    );
    if (stream.watermarkMicros !== undefined) {
      const seconds = Number(stream.watermarkMicros) / 1e6;
      this.#set('millrace_stream_watermark_seconds', 'Event time reached.', labels, seconds);
      this.#count(
        'millrace_stream_late_total',
        'Records that came after their watermark.',
        labels,
        stream.lateRecords,
      );
    }
    this.#set('millrace_stream_bad_records', 'Bad records that count now.', labels, stream.bad);
    this.#set(
      'millrace_stream_bad_records_evicted',
      'Bad records that count now and left the error table for want of room.',
      labels,
      stream.badEvicted,
    );
    const stopped = stream.stopped ? 1 : 0;
    this.#set('millrace_stream_stopped', 'Whether it stopped at a bad record.', labels, stopped);
    const held = stream.held ? 1 : 0;
    this.#set('millrace_stream_held', 'Whether a full sink holds it.', labels, held);
    const faulty = stream.fault === undefined ? 0 : 1;
    this.#set('millrace_stream_fault', 'Whether the source is failing now.', labels, faulty);
    for (const { partition, offset, endOffset } of stream.partitions) {
      const place = { stream: stream.name, partition: String(partition) };
      this.#set('millrace_stream_offset', 'Position reached.', place, offset);
      if (endOffset === undefined || !Number.isFinite(endOffset)) continue;
      const lag = Math.max(0, endOffset - offset);
      this.#set('millrace_stream_lag_records', 'Records not yet read.', place, lag);
    }
  }

  #sink(sink: DatabaseStatus['sinks'][number]): void {
    const { name, connector, guarantee } = sink;
    const labels = { sink: name };
    const help = 'What the destination guarantees; always 1.';
    this.#set('millrace_sink_info', help, { sink: name, connector, guarantee }, 1);
    this.#count('millrace_sink_delivered_rows_total', 'Rows delivered.', labels, sink.delivered);
    this.#count(
      'millrace_sink_skipped_rows_total',
      'Rows refused, left out.',
      labels,
      sink.skipped,
    );
    this.#set('millrace_sink_lag_rows', 'Rows that wait.', labels, sink.lagRows);
    this.#set('millrace_sink_lag_bytes', 'Bytes that wait.', labels, sink.lagBytes);
    this.#set('millrace_sink_lag_seconds', 'Age of the oldest row.', labels, sink.lagMs / 1000);
    const faulty = sink.fault === undefined ? 0 : 1;
    this.#set('millrace_sink_fault', 'Whether the destination is failing.', labels, faulty);
    this.#set('millrace_sink_stopped', 'Whether it needs RESUME.', labels, sink.stopped ? 1 : 0);
    this.#set('millrace_sink_full', 'Whether it holds its sources.', labels, sink.full ? 1 : 0);
  }

  #view(view: DatabaseStatus['views'][number]): void {
    const labels = { view: view.name, kind: view.kind };
    this.#set('millrace_view_version', 'Epoch of the last change.', labels, view.version);
    this.#count('millrace_view_rows_in_total', 'Changes taken in.', labels, view.rowsIn);
    this.#count('millrace_view_rows_changed_total', 'Changes given out.', labels, view.rowsChanged);
    this.#set('millrace_view_state_bytes', 'Memory of the state.', labels, view.stateBytes);
    this.#set('millrace_view_state_entries', 'Entries of the state.', labels, view.stateEntries);
    this.#set('millrace_view_progress', 'Share caught up, 0 to 1.', labels, view.progress);
    this.#count('millrace_view_errors_total', 'Rows that failed.', labels, view.failed);
    this.#set('millrace_view_errors', 'Rows that fail now.', labels, view.failing);
    this.#set(
      'millrace_view_errors_evicted',
      'Rows that fail now and left the error table for want of room.',
      labels,
      view.failingEvicted,
    );
    const over = view.overBudget ? 1 : 0;
    this.#set('millrace_view_over_budget', 'Whether it is paused for its state.', labels, over);
    const running = view.state === 'running' ? 1 : 0;
    this.#set('millrace_view_running', 'Whether it is kept up to date now.', labels, running);
  }

  /** A total that the engine counts itself: every scrape begins at zero and adds all of it. */
  #count(name: string, help: string, labels: Record<string, string>, value: number): void {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      const labelNames = Object.keys(labels);
      counter = new Counter({ name, help, labelNames, registers: [this.#registry] });
      this.#counters.set(name, counter);
    }
    counter.inc(labels, value);
  }

  #set(name: string, help: string, labels: Record<string, string>, value: number): void {
    let gauge = this.#gauges.get(name);
    if (gauge === undefined) {
      const labelNames = Object.keys(labels);
      gauge = new Gauge({ name, help, labelNames, registers: [this.#registry] });
      this.#gauges.set(name, gauge);
    }
    gauge.set(labels, value);
  }

  #observe(status: DatabaseStatus): void {
    const { committed, computeMs, commitMs } = status.epochs;
    const epochs = committed - this.#seen.committed;
    if (epochs > 0) {
      const compute = (computeMs - this.#seen.computeMs) / epochs / 1000;
      const commit = (commitMs - this.#seen.commitMs) / epochs / 1000;
      for (let epoch = 0; epoch < epochs; epoch++) {
        this.#compute.observe(compute);
        this.#commit.observe(commit);
      }
    }
    this.#seen = { committed, computeMs, commitMs };
  }
}
