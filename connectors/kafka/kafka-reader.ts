/** Reads a topic of Kafka without a consumer group: positions live in the engine's commits. */
import { StreamError } from '../../sql/base/error.ts';
import type { Offset, RecordBatch, SourceReader, StartPosition } from '../connector.ts';
import { Backoff, wait } from './backoff.ts';
import type { Cluster, TopicState } from './cluster.ts';
import type { FetchLanes } from './fetch-lane.ts';
import { endOfRecords } from './fetch-once.ts';
import { asStreamError, errorOfCode } from './kafka-error.ts';
import { EARLIEST, LATEST, listOffsets } from './list-offsets.ts';
import { type CursorOwner, PartitionCursor } from './partition-cursor.ts';

/** Fetched bytes that wait to be polled, over all partitions of a reader. */
const BUFFERED_BYTES_MAX = 32 * 1024 * 1024;
const RESET_FIRST_MS = 50;
const RESET_MAX_MS = 2000;
const LEADER_NOT_AVAILABLE = 5;

export class KafkaReader implements SourceReader, CursorOwner {
  readonly #cluster: Cluster;
  readonly #lanes: FetchLanes;
  readonly #name: string;
  readonly #start: ReadonlyMap<number, Offset>;
  /** Undefined until the cluster could be asked. */
  #topic: TopicState | undefined;
  readonly #cursors: PartitionCursor[] = [];
  readonly #listen: (state: TopicState | undefined) => void;
  readonly #onClose: () => void;
  #listener: (() => void) | undefined;
  #bufferedBytes = 0;
  #turn = 0;
  /** Set while the topic is not there, or another one has its name. */
  #missing: StreamError | undefined;
  #gone: StreamError | undefined;
  #closed = false;

  private constructor(
    cluster: Cluster,
    lanes: FetchLanes,
    name: string,
    start: ReadonlyMap<number, Offset>,
    onClose: () => void,
  ) {
    this.#cluster = cluster;
    this.#lanes = lanes;
    this.#name = name;
    this.#start = start;
    this.#onClose = onClose;
    this.#listen = (state) => this.#refreshed(state);
  }

  /**
   * A reader that is to go on from given offsets opens at once, whether or not the cluster can be reached and the topic is
   * there: `fault()` tells, and reading begins when it can.
   * @throws StreamError SOURCE_UNKNOWN_TOPIC, SOURCE_UNREACHABLE, when no offset is given.
   */
  static async open(
    cluster: Cluster,
    lanes: FetchLanes,
    name: string,
    from: StartPosition,
    onClose: () => void,
  ): Promise<KafkaReader> {
    if (from.offsets.size > 0) {
      const reader = new KafkaReader(cluster, lanes, name, from.offsets, onClose);
      try {
        reader.#refreshed(await cluster.topic(name, 0));
      } catch (error) {
        reader.#missing = asStreamError(error, `topic "${name}"`);
      }
      reader.#watch();
      return reader;
    }
    const topic = await cluster.requireTopic(name);
    const edge = from.otherwise === 'earliest' ? EARLIEST : LATEST;
    const start = await listOffsets(cluster, name, 'all', edge);
    const reader = new KafkaReader(cluster, lanes, name, start, onClose);
    reader.#refreshed(topic);
    reader.#watch();
    return reader;
  }

  #watch(): void {
    this.#cluster.watch(this.#name, this.#listen);
    if (this.#topic === undefined) this.#cluster.refreshSoon();
  }

  get checkCrcs(): boolean {
    return this.#cluster.options.checkCrcs;
  }

  partitions(): number {
    return this.#topic === undefined ? this.#start.size : this.#cursors.length;
  }

  poll(bytesMax: number, except?: ReadonlySet<number> | undefined): RecordBatch[] {
    const out: RecordBatch[] = [];
    const count = this.#cursors.length;
    let bytes = 0;
    for (let i = 0; i < count && bytes < bytesMax; i++) {
      const cursor = this.#cursors[(this.#turn + i) % count] as PartitionCursor;
      if (except?.has(cursor.partition) === true) continue;
      const share = Math.max((bytesMax - bytes) / (count - i), 1);
      const wanted = cursor.wantsMore();
      bytes += cursor.take(share, out);
      if (!wanted && cursor.wantsMore()) cursor.lane?.wake();
    }
    this.#turn = (this.#turn + 1) % Math.max(count, 1);
    return out;
  }

  onReadable(listener: () => void): void {
    this.#listener = listener;
  }

  async endOffsets(): Promise<ReadonlyMap<number, Offset>> {
    const ends = await listOffsets(this.#cluster, this.#name, 'all', LATEST);
    await Promise.all(
      this.#cursors.map(async (cursor) => {
        const end = ends.get(cursor.partition);
        if (end !== undefined) ends.set(cursor.partition, await this.#endOfRecords(cursor, end));
      }),
    );
    return ends;
  }

  async #endOfRecords(cursor: PartitionCursor, end: Offset): Promise<Offset> {
    const topic = this.#cluster.known(this.#name) ?? this.#topic;
    if (topic === undefined) return end;
    const { partition, fetchOffset } = cursor;
    const found = await endOfRecords(this.#cluster, topic, partition, fetchOffset, end);
    return found ?? cursor.afterLastRecord;
  }

  fault(): StreamError | undefined {
    if (this.#missing !== undefined) return this.#missing;
    for (const { fault } of this.#cursors) if (fault !== undefined) return fault;
    return this.#cluster.fault() ?? this.#gone;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener = undefined;
    this.#cluster.unwatch(this.#name, this.#listen);
    for (const cursor of this.#cursors) cursor.close();
    this.#onClose();
  }

  hasRoom(): boolean {
    return this.#bufferedBytes < BUFFERED_BYTES_MAX;
  }

  buffered(bytes: number): void {
    const hadRoom = this.hasRoom();
    this.#bufferedBytes += bytes;
    if (hadRoom || !this.hasRoom()) return;
    for (const cursor of this.#cursors) cursor.lane?.wake();
  }

  readable(): void {
    this.#listener?.();
  }

  misplaced(): void {
    this.#cluster.refreshSoon();
  }

  /** Retention went over the position, or the log was cut: go on with what is there, and say so. */
  outOfRange(cursor: PartitionCursor): void {
    void this.#reset(cursor);
  }

  async #reset(cursor: PartitionCursor): Promise<void> {
    const backoff = new Backoff(RESET_FIRST_MS, RESET_MAX_MS);
    const { topic, partition } = cursor;
    const wanted = cursor.fetchOffset;
    while (!this.#closed) {
      try {
        const earliest =
          (await listOffsets(this.#cluster, topic, [partition], EARLIEST)).get(partition) ?? 0;
        const end =
          (await listOffsets(this.#cluster, topic, [partition], LATEST)).get(partition) ?? 0;
        const next = wanted < earliest ? earliest : Math.min(wanted, end);
        if (next !== wanted) {
          this.#gone = new StreamError(
            'SOURCE_RECORDS_GONE',
            `topic "${topic}" partition ${partition} holds offsets ${earliest} to ${end}, not ${wanted}: reading went on at ${next}`,
          );
        }
        cursor.fault = undefined;
        cursor.seek(next);
        return;
      } catch (error) {
        cursor.fault = asStreamError(error, `topic "${topic}" partition ${partition}`);
        await wait(backoff.next());
      }
    }
  }

  #refreshed(state: TopicState | undefined): void {
    if (this.#closed) return;
    if (state === undefined || (this.#topic !== undefined && state.id !== this.#topic.id)) {
      const what = state === undefined ? 'does not exist' : 'was deleted and created again';
      this.#missing = new StreamError(
        'SOURCE_UNKNOWN_TOPIC',
        `topic "${this.#name}" ${what} in Kafka`,
      );
      this.#cluster.refreshSoon();
      return;
    }
    this.#missing = undefined;
    const isNew = this.#topic === undefined;
    this.#topic ??= state;
    for (let p = this.#cursors.length; p < state.leaders.length; p++) {
      // Partitions that are added later are read from their start.
      const from = isNew ? (this.#start.get(p) ?? 0) : 0;
      this.#cursors.push(new PartitionCursor(this, this.#topic, p, from));
    }
    this.#place(state);
  }

  /** Every cursor fetches from its partition's leader. */
  #place(state: TopicState): void {
    for (const cursor of this.#cursors) {
      const leader = state.leaders[cursor.partition] ?? -1;
      if (leader === cursor.node) continue;
      cursor.lane?.remove(cursor);
      cursor.node = leader;
      if (leader < 0) {
        cursor.lane = undefined;
        const what = `topic "${this.#name}" partition ${cursor.partition}`;
        cursor.fault = errorOfCode(LEADER_NOT_AVAILABLE, what);
        this.#cluster.refreshSoon();
      } else {
        cursor.lane = this.#lanes.attach(leader, cursor);
      }
    }
  }
}
