/** Where a plan's rows wait for the end of the epoch: for a stored relation, or for a sink's outbox. */
import type { ProduceRecord } from '../../connectors/connector.ts';
import type { Batch } from '../delta/batch.ts';
import type { OutboxChunk, StoredRelation, ViewChange } from '../store/store.ts';
import type { Tap } from './graph.ts';
import { encodeOutbox } from './outbox-codec.ts';

/** Makes one commit's batches hold at most one -1 and one +1 per row. */
export type Consolidate = (batches: readonly Batch[]) => readonly Batch[];

export class ViewOutput implements Tap {
  readonly relation: StoredRelation;
  readonly #consolidate: Consolidate | undefined;
  #isTouched = false;
  #batches: Batch[] = [];
  rowsChanged = 0;
  /** The next commit is the whole content. */
  replace = false;
  /** The next commit is a new version of rows that are the same, but print otherwise. */
  relabeled = false;
  /** Rows come from a replay of what the store already has. */
  muted = false;

  constructor(relation: StoredRelation, consolidate: Consolidate | undefined) {
    this.relation = relation;
    this.#consolidate = consolidate;
  }

  take(batch: Batch): void {
    if (!this.muted) this.#batches.push(batch);
  }

  /** The next commit counts as a change, also without rows: what readers keep of the version before is out of date. */
  touch(): void {
    this.#isTouched = true;
  }

  /** Forgets what was taken since the last call of `drain`. */
  discard(): void {
    this.#batches = [];
  }

  /** The change since the last call; undefined when there is none. */
  drain(): ViewChange | undefined {
    const isNew = this.replace || this.relabeled || this.#isTouched;
    this.#isTouched = false;
    if (this.#batches.length === 0 && !isNew) return undefined;
    const batches = this.#batches;
    this.#batches = [];
    const changes = this.#consolidate === undefined ? batches : this.#consolidate(batches);
    const rows = changes.reduce((sum, batch) => sum + batch.length, 0);
    if (rows === 0 && !isNew) return undefined;
    this.rowsChanged += rows;
    const { relation, replace, relabeled } = this;
    const change = { relation, changes, replace, relabeled };
    this.replace = false;
    this.relabeled = false;
    return change;
  }
}

/** Turns one epoch's weighted rows into records; owns the sink's key rules. */
export type EncodeSink = (batches: readonly Batch[]) => readonly ProduceRecord[];

/** Most records in one outbox chunk, and most bytes unless a single record is larger. */
const RECORDS_PER_CHUNK_MAX = 10_000;
const BYTES_PER_CHUNK_MAX = 4 * 1024 * 1024;

export class SinkOutput implements Tap {
  readonly sinkId: number;
  readonly #encode: EncodeSink | undefined;
  #batches: Batch[] = [];
  #sequence: number;
  muted = false;
  rows = 0;

  /** @param encode  undefined for a sink that only counts (blackhole). */
  constructor(sinkId: number, sequence: number, encode: EncodeSink | undefined) {
    this.sinkId = sinkId;
    this.#sequence = sequence;
    this.#encode = encode;
  }

  take(batch: Batch): void {
    if (this.muted) return;
    this.rows += batch.length;
    if (this.#encode !== undefined) this.#batches.push(batch);
  }

  /** Forgets what was taken since the last call of `drain`. */
  discard(): void {
    this.#batches = [];
  }

  /** @param nowMs  milliseconds since 1970-01-01 UTC. */
  drain(nowMs: number): readonly OutboxChunk[] {
    if (this.#batches.length === 0 || this.#encode === undefined) return [];
    const records = this.#encode(this.#batches);
    this.#batches = [];
    const chunks: OutboxChunk[] = [];
    for (const [from, to] of cuts(records)) {
      this.#sequence++;
      chunks.push({
        sinkId: this.sinkId,
        sequence: this.#sequence,
        records: to - from,
        createdMs: nowMs,
        data: encodeOutbox(records.slice(from, to)),
      });
    }
    return chunks;
  }
}

function* cuts(records: readonly ProduceRecord[]): Iterable<readonly [number, number]> {
  let from = 0;
  let bytes = 0;
  for (const [i, { key, value }] of records.entries()) {
    const size = (key?.length ?? 0) + (value?.length ?? 0);
    if (i > from && (bytes + size > BYTES_PER_CHUNK_MAX || i - from >= RECORDS_PER_CHUNK_MAX)) {
      yield [from, i];
      from = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < records.length) yield [from, records.length];
}
