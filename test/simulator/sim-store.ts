/**
 * The store's contract in memory: transactions that are durable at one moment between call and answer, so that a crash finds
 * them made or not. It holds callers to the contract: a change that a real store would apply wrongly is an error here.
 */
import assert from 'node:assert/strict';
import type { DeliveredChunks, LogSegment, LogStorage } from '../../connectors/connector.ts';
import type { Batch } from '../../engine/delta/batch.ts';
import { BatchBuilder } from '../../engine/delta/builder.ts';
import { Progress } from '../../engine/store/progress.ts';
import type { LogPosition } from '../../engine/store/state-files.ts';
import type {
  CatalogChange,
  CatalogEntry,
  EpochCommit,
  OutboxChunk,
  OutboxSize,
  QueryResult,
  Store,
  StoredRelation,
  StoreSnapshot,
  StoreStatus,
  ViewChange,
} from '../../engine/store/store.ts';
import { WriteQueue } from '../../engine/store/write-queue.ts';
import type { Datum, Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Process, World } from './world.ts';

/** A store's write fails this often, before it has changed anything. */
const FAILS_ONE_IN = 150;

export interface StoredRow {
  readonly row: Row;
  count: number;
}

interface StoredTopic {
  readonly partitions: number;
  readonly options: ReadonlyMap<string, string>;
  readonly starts: number[];
  readonly ends: number[];
  segments: LogSegment[];
}

/** What is on the medium: everything that was committed. */
export class StoreMedium {
  readonly tables = new Map<number, Map<string, StoredRow>>();
  readonly catalog = new Map<number, CatalogEntry>();
  readonly progress = new Progress();
  outbox: OutboxChunk[] = [];
  readonly topics = new Map<string, StoredTopic>();
  manifest: string | undefined;
  /** Called after every epoch that is durable now. */
  onCommit: () => void = () => {};

  entry(name: string): CatalogEntry | undefined {
    return [...this.catalog.values()].find((entry) => entry.name === name);
  }
}

export class SimStore implements Store {
  readonly log: LogStorage;
  readonly #world: World;
  readonly #process: Process;
  readonly #medium: StoreMedium;
  readonly #queue = new WriteQueue();
  /** Writes may fail. */
  isFaulty = false;

  constructor(world: World, process: Process, medium: StoreMedium) {
    this.#world = world;
    this.#process = process;
    this.#medium = medium;
    this.log = new SimLogStorage(medium, (name, apply) => this.#write(name, apply), world, process);
  }

  async status(): Promise<StoreStatus> {
    const { progress, catalog, manifest } = this.#medium;
    const { log } = progress;
    return {
      identity: 'simulated',
      state: log === undefined || manifest === undefined ? undefined : { log, manifest },
      epoch: progress.epoch,
      positions: progress.positions,
      watermarks: progress.watermarks,
      catalog: [...catalog.values()].sort((a, b) => a.id - b.id),
      versions: progress.versions,
      evicted: progress.evicted,
    };
  }

  commit(epoch: EpochCommit): Promise<void> {
    let log: LogPosition | undefined;
    return this.#write(
      'store: commit',
      () => {
        const medium = this.#medium;
        assert.ok(epoch.epoch > medium.progress.epoch, 'epochs grow');
        for (const view of epoch.views) this.#apply(view);
        medium.outbox.push(...epoch.outbox.map((chunk) => ({ ...chunk })));
        for (const chunks of epoch.delivered ?? []) forgetChunks(medium, chunks);
        medium.manifest = epoch.state?.manifest ?? medium.manifest;
        medium.progress.apply(epoch, log);
        this.#world.note(commitText(epoch, log));
        medium.onCommit();
      },
      async () => {
        log = await epoch.state?.log;
      },
    );
  }

  #apply({ relation, changes, replace }: ViewChange): void {
    const { tables } = this.#medium;
    if (replace) tables.set(relation.id, new Map());
    const table = tables.get(relation.id);
    assert.ok(table !== undefined, `relation ${relation.id} has a table`);
    const { storage, id } = relation;
    const touched = new Map<string, number>();
    for (const batch of changes) {
      for (let r = 0; r < batch.length; r++) {
        const row = batch.row(r).map(copied);
        const weight = batch.weight(r);
        assert.ok(storage.kind !== 'append' || weight > 0, `relation ${id} only grows`);
        const key = rowKey(row);
        const stored = table.get(key) ?? { row, count: 0 };
        stored.count += weight;
        table.set(key, stored);
        if (storage.kind !== 'keyed') continue;
        const keyText = `${Math.sign(weight)} ${rowKey(storage.key.map((i) => row[i] ?? null))}`;
        touched.set(keyText, (touched.get(keyText) ?? 0) + Math.abs(weight));
        assert.ok((touched.get(keyText) ?? 0) <= 1, `relation ${id}: key ${keyText} changes once`);
      }
    }
    const keys = new Set<string>();
    for (const [text, { row, count }] of table) {
      assert.ok(count >= 0, `relation ${id}: ${text} is taken back although it is not there`);
      if (count === 0) table.delete(text);
      if (storage.kind !== 'keyed' || count === 0) continue;
      const key = rowKey(storage.key.map((i) => row[i] ?? null));
      assert.ok(count === 1 && !keys.has(key), `relation ${id}: key ${key} is there once`);
      keys.add(key);
    }
  }

  changeCatalog(change: CatalogChange): Promise<void> {
    return this.#write('store: catalog', () => {
      const { tables, catalog, progress } = this.#medium;
      for (const id of change.dropTables) tables.delete(id);
      for (const { id } of change.createTables) {
        assert.ok(!tables.has(id), `table ${id} is created once`);
        tables.set(id, new Map());
      }
      assert.equal(change.rebuildTables?.length ?? 0, 0, 'no table is altered here');
      for (const id of change.remove) catalog.delete(id);
      for (const entry of change.put) catalog.set(entry.id, entry);
      this.#medium.outbox = this.#medium.outbox.filter(
        ({ sinkId }) => !change.remove.includes(sinkId),
      );
      const gone = [...change.remove, ...change.dropTables];
      if (gone.length > 0) progress.forget(gone);
    });
  }

  async *scan(relation: StoredRelation): AsyncGenerator<Batch> {
    await this.#world.step(this.#process, 'store: scan');
    const builder = new BatchBuilder(relation.schema);
    const rows = [...(this.#medium.tables.get(relation.id)?.values() ?? [])].map((stored) => ({
      ...stored,
    }));
    for (const { row, count } of rows) {
      if (relation.storage.kind === 'bag') builder.add(row, count);
      else for (let i = 0; i < count; i++) builder.add(row);
      if (builder.length < 10) continue;
      yield builder.take();
      await this.#world.step(this.#process, 'store: scan');
    }
    if (builder.length > 0) yield builder.take();
  }

  query(): Promise<QueryResult> {
    throw new Error('pull queries need a real store');
  }

  copyTo(): Promise<undefined> {
    throw new Error('backups need a real store');
  }

  snapshot(): Promise<StoreSnapshot> {
    throw new Error('pull queries need a real store');
  }

  async outbox(sinkId: number, after: number, chunksMax: number): Promise<readonly OutboxChunk[]> {
    await this.#world.step(this.#process, 'store: outbox');
    return this.#medium.outbox
      .filter((chunk) => chunk.sinkId === sinkId && chunk.sequence > after)
      .sort((a, b) => a.sequence - b.sequence)
      .slice(0, chunksMax);
  }

  async outboxSizes(): Promise<ReadonlyMap<number, OutboxSize>> {
    const sizes = new Map<number, OutboxSize>();
    for (const { sinkId, records, data } of this.#medium.outbox) {
      const size = sizes.get(sinkId) ?? { records: 0, bytes: 0 };
      sizes.set(sinkId, {
        records: size.records + records,
        bytes: size.bytes + data.length,
      });
    }
    return sizes;
  }

  acknowledge(sinkId: number, upTo: number): Promise<void> {
    return this.#write('store: acknowledge', () => forgetChunks(this.#medium, { sinkId, upTo }));
  }

  async sizeBytes(): Promise<number> {
    return 0;
  }

  async checkpoint(): Promise<void> {}

  async close(): Promise<void> {
    await this.#queue.drained();
  }

  /** A transaction: `before` is awaited first, then everything happens at once. */
  #write(name: string, apply: () => void, before?: () => Promise<void>): Promise<void> {
    return this.#queue.run(async () => {
      await this.#world.step(this.#process, `${name} begins`);
      await before?.();
      await this.#world.step(this.#process, `${name} is written`);
      if (this.isFaulty && this.#world.oneIn(FAILS_ONE_IN)) {
        this.#world.note(`${name} fails`);
        throw new StreamError('STORE_FAILED', `${name}: simulated`);
      }
      try {
        apply();
      } catch (error) {
        this.#world.fail(error);
        throw error;
      }
      await this.#world.step(this.#process, `${name} is durable`);
    });
  }
}

function commitText(epoch: EpochCommit, log: LogPosition | undefined): string {
  const moved = epoch.positions.map((at) => `${at.relationId}/${at.partition}:${at.offset}`);
  const changed = epoch.views.map(({ relation }) => relation.id);
  const saved = epoch.state?.manifest === undefined ? '' : ', a manifest';
  return `epoch ${epoch.epoch}: to ${moved.join(' ')}; changes ${changed.join(' ')}${log === undefined ? '' : `; log ${log.file}:${log.bytes}`}${saved}`;
}

class SimLogStorage implements LogStorage {
  readonly #medium: StoreMedium;
  readonly #write: (name: string, apply: () => void) => Promise<void>;
  readonly #world: World;
  readonly #process: Process;

  constructor(
    medium: StoreMedium,
    write: (name: string, apply: () => void) => Promise<void>,
    world: World,
    process: Process,
  ) {
    this.#medium = medium;
    this.#write = write;
    this.#world = world;
    this.#process = process;
  }

  async topics(): ReturnType<LogStorage['topics']> {
    return [...this.#medium.topics].map(([name, topic]) => ({
      name,
      partitions: topic.partitions,
      options: topic.options,
      ends: [...topic.ends],
      starts: [...topic.starts],
    }));
  }

  createTopic(
    name: string,
    partitions: number,
    options: ReadonlyMap<string, string>,
  ): Promise<void> {
    return this.#write('store: topic', () => {
      const zeros = (): number[] => new Array<number>(partitions).fill(0);
      const topic = { partitions, options, starts: zeros(), ends: zeros(), segments: [] };
      this.#medium.topics.set(name, topic);
    });
  }

  deleteTopic(name: string): Promise<void> {
    return this.#write('store: topic', () => {
      this.#medium.topics.delete(name);
    });
  }

  append(
    segments: readonly LogSegment[],
    delivered: readonly DeliveredChunks[] = [],
  ): Promise<void> {
    const kept = segments.map((segment) => ({ ...segment, data: Buffer.from(segment.data) }));
    return this.#write('store: append', () => {
      for (const segment of kept) {
        const topic = this.#medium.topics.get(segment.topic);
        assert.ok(topic !== undefined, `topic ${segment.topic} is there`);
        assert.equal(segment.baseOffset, topic.ends[segment.partition], 'offsets have no gaps');
        topic.segments.push(segment);
        topic.ends[segment.partition] = segment.baseOffset + segment.count;
      }
      for (const chunks of delivered) forgetChunks(this.#medium, chunks);
    });
  }

  async read(
    name: string,
    partition: number,
    from: number,
    segmentsMax: number,
  ): Promise<readonly LogSegment[]> {
    await this.#world.step(this.#process, 'store: read log');
    return (this.#medium.topics.get(name)?.segments ?? [])
      .filter((one) => one.partition === partition && one.baseOffset + one.count > from)
      .sort((a, b) => a.baseOffset - b.baseOffset)
      .slice(0, segmentsMax);
  }

  replace(segment: LogSegment): Promise<void> {
    return this.#write('store: compact', () => {
      const topic = this.#medium.topics.get(segment.topic);
      if (topic === undefined) return;
      const end = segment.baseOffset + segment.count;
      topic.segments = topic.segments.filter(
        (one) =>
          one.partition !== segment.partition ||
          one.baseOffset < segment.baseOffset ||
          one.baseOffset + one.count > end,
      );
      topic.segments.push(segment);
    });
  }

  trim(name: string, partition: number, offset: number): Promise<void> {
    return this.#write('store: trim', () => {
      const topic = this.#medium.topics.get(name);
      if (topic === undefined) return;
      topic.segments = topic.segments.filter(
        (one) => one.partition !== partition || one.baseOffset + one.count > offset,
      );
      topic.starts[partition] = Math.max(topic.starts[partition] ?? 0, offset);
    });
  }
}

function forgetChunks(medium: StoreMedium, { sinkId, upTo }: DeliveredChunks): void {
  medium.outbox = medium.outbox.filter((chunk) => chunk.sinkId !== sinkId || chunk.sequence > upTo);
}

function copied(datum: Datum | null): Datum | null {
  return datum instanceof Uint8Array ? Buffer.from(datum) : datum;
}

/** Rows are the same when their texts are. */
export function rowKey(row: readonly (Datum | null)[]): string {
  return JSON.stringify(row, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
}
