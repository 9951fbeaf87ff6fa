/**
 * One fetch loop: all partitions that a broker leads, of all readers, share its requests. While the broker has nothing it
 * holds a request for FETCH_WAIT_MS and answers at once when a record comes.
 */
import type { StreamError } from '../../sql/base/error.ts';
import { Backoff, wait } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { type FetchAnswer, type FetchedPartition, fetchRecords } from './fetch-request.ts';
import { asStreamError } from './kafka-error.ts';

const FETCH_WAIT_MS = 100;
const FETCH_BYTES_MAX = 16 * 1024 * 1024;
const PARTITION_BYTES_MAX = 2 * 1024 * 1024;
const RETRY_FIRST_MS = 20;
const RETRY_MAX_MS = 1000;
/** Answers smaller than this are copied out of the socket's memory, which is shared and larger. */
const COPY_BELOW_BYTES = 16 * 1024;

/** A partition as its reader wants it fetched. */
export interface FetchCursor {
  readonly topicId: string;
  readonly partition: number;
  /** Where to fetch next. */
  readonly fetchOffset: number;
  /** False while the reader has enough, or must find its place first. */
  wantsMore(): boolean;
  /** What came for this cursor, fetched from `offset`; true when it moved the cursor on. */
  accept(bytes: Buffer, fetched: FetchedPartition, offset: number): boolean;
  fail(error: StreamError): void;
}

export class FetchLane {
  readonly #cluster: Cluster;
  readonly #node: number;
  readonly #lane: number;
  /** In the order in which they are asked for: whoever was served goes to the end. */
  #cursors: FetchCursor[] = [];
  #running = false;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(cluster: Cluster, node: number, lane: number) {
    this.#cluster = cluster;
    this.#node = node;
    this.#lane = lane;
  }

  get size(): number {
    return this.#cursors.length;
  }

  has(topicId: string, partition: number): boolean {
    return this.#cursors.some((c) => c.topicId === topicId && c.partition === partition);
  }

  add(cursor: FetchCursor): void {
    this.#cursors.push(cursor);
    if (this.#running) this.wake();
    else void this.#run();
  }

  remove(cursor: FetchCursor): void {
    this.#cursors = this.#cursors.filter((other) => other !== cursor);
    this.wake();
  }

  /** A cursor wants more again. */
  wake(): void {
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#cursors = [];
    this.wake();
  }

  async #run(): Promise<void> {
    this.#running = true;
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MAX_MS);
    while (!this.#closed && this.#cursors.length > 0) {
      const asked = this.#choose();
      if (asked.length === 0) {
        await this.#sleep();
        continue;
      }
      const offsets = asked.map((cursor) => cursor.fetchOffset);
      try {
        const answer = await this.#fetch(asked);
        this.#deliver(asked, offsets, answer);
        backoff.reset();
      } catch (error) {
        const fault = asStreamError(error, `broker ${this.#node}`);
        for (const cursor of asked) if (this.#cursors.includes(cursor)) cursor.fail(fault);
        this.#cluster.refreshSoon();
        await wait(backoff.next());
      }
    }
    this.#running = false;
  }

  /** Those that want more; a partition once, because a request cannot name it twice. */
  #choose(): FetchCursor[] {
    const named = new Set<string>();
    const chosen: FetchCursor[] = [];
    for (const cursor of this.#cursors) {
      const key = `${cursor.topicId}/${cursor.partition}`;
      if (named.has(key) || !cursor.wantsMore()) continue;
      named.add(key);
      chosen.push(cursor);
    }
    return chosen;
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  async #fetch(asked: readonly FetchCursor[]): Promise<FetchAnswer> {
    const connection = await this.#cluster.fetchConnection(this.#node, `fetch-${this.#lane}`);
    const targets = asked.map((cursor) => ({
      topicId: cursor.topicId,
      partition: cursor.partition,
      offset: cursor.fetchOffset,
      bytesMax: PARTITION_BYTES_MAX,
    }));
    return fetchRecords(connection, targets, {
      waitMs: FETCH_WAIT_MS,
      bytesMax: FETCH_BYTES_MAX,
      isolation: this.#cluster.options.isolation,
    });
  }

  #deliver(asked: readonly FetchCursor[], offsets: readonly number[], answer: FetchAnswer): void {
    const { bytes: received, partitions } = answer;
    const bytes = received.length < COPY_BELOW_BYTES ? Buffer.from(received) : received;
    const byKey = new Map(partitions.map((p) => [`${p.topicId}/${p.partition}`, p]));
    const served: FetchCursor[] = [];
    for (const [i, cursor] of asked.entries()) {
      const fetched = byKey.get(`${cursor.topicId}/${cursor.partition}`);
      if (fetched === undefined || !this.#cursors.includes(cursor)) continue;
      try {
        // Who got nothing stays in front: a broker sends a batch over the limits only to the first.
        if (cursor.accept(bytes, fetched, offsets[i] as number)) served.push(cursor);
      } catch (error) {
        // Bytes that cannot be decoded: said by this cursor, the others go on.
        cursor.fail(asStreamError(error, `partition ${cursor.partition}`));
        served.push(cursor);
      }
    }
    if (served.length === 0) return;
    const last = new Set(served);
    const [front, back] = [this.#cursors.filter((c) => !last.has(c)), served];
    this.#cursors = [...front, ...back.filter((c) => this.#cursors.includes(c))];
  }
}

/** Lanes by broker. Readers of the same partition get lanes of their own, up to LANES_MAX. */
export class FetchLanes {
  readonly #cluster: Cluster;
  readonly #lanes = new Map<number, FetchLane[]>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The lane that fetches for this cursor from now on. */
  attach(node: number, cursor: FetchCursor): FetchLane {
    const lanes = this.#lanes.get(node) ?? [];
    this.#lanes.set(node, lanes);
    let lane = lanes.find((candidate) => !candidate.has(cursor.topicId, cursor.partition));
    if (lane === undefined && lanes.length < LANES_MAX) {
      lane = new FetchLane(this.#cluster, node, lanes.length);
      lanes.push(lane);
    }
    lane ??= lanes.reduce((best, other) => (other.size < best.size ? other : best));
    lane.add(cursor);
    return lane;
  }

  close(): void {
    for (const lanes of this.#lanes.values()) for (const lane of lanes) lane.close();
    this.#lanes.clear();
  }
}

const LANES_MAX = 4;
