/** Reads a topic of the simulated cluster: each partition by itself, as its answers come. */
import type {
  Offset,
  RecordBatch,
  SourceReader,
  StartPosition,
  StoredRecord,
} from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Cluster, Partition } from './sim-cluster.ts';
import type { Process, World } from './world.ts';

const RETRY_MS = 200;
const FETCH_RECORDS_MAX = 12;
/** Records that a reader holds before it stops to fetch. */
const PREFETCH_RECORDS_MAX = 40;

export class SimReader implements SourceReader {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #process: Process;
  readonly #topic: string;
  readonly #from: StartPosition;
  /** Where each known partition is fetched next. */
  readonly #next: Offset[] = [];
  readonly #held: StoredRecord[][] = [];
  #listener: () => void = () => {};
  #fault: StreamError | undefined;
  #isClosed = false;

  constructor(
    world: World,
    cluster: Cluster,
    process: Process,
    topic: string,
    from: StartPosition,
  ) {
    this.#world = world;
    this.#cluster = cluster;
    this.#process = process;
    this.#topic = topic;
    this.#from = from;
    this.#discover();
  }

  /** Looks for partitions now and then, and begins to fetch new ones. */
  #discover(): void {
    if (this.#isClosed) return;
    const partitions = this.#cluster.isDown ? [] : (this.#cluster.topics.get(this.#topic) ?? []);
    for (let index = this.#next.length; index < partitions.length; index++) {
      const { earliest, end } = partitions[index] as Partition;
      const otherwise = this.#from.otherwise === 'latest' ? end : earliest;
      this.#next.push(this.#from.offsets.get(index) ?? otherwise);
      this.#held.push([]);
      this.#fetchSoon(index, 5);
    }
    this.#world.schedule(500, () => this.#discover(), this.#process);
  }

  #fetchSoon(index: number, delayMs: number): void {
    this.#world.schedule(this.#world.fraction() * delayMs, () => this.#fetch(index), this.#process);
  }

  #fetch(index: number): void {
    if (this.#isClosed) return;
    const partition = this.#cluster.topics.get(this.#topic)?.[index];
    if (this.#cluster.isDown || partition?.hasLeader !== true) {
      this.#fault = new StreamError('SOURCE_UNREACHABLE', `${this.#topic} ${index}: no leader`);
      this.#fetchSoon(index, RETRY_MS);
      return;
    }
    this.#fault = undefined;
    const held = this.#held[index] as StoredRecord[];
    const next = Math.max(this.#next[index] ?? 0, partition.earliest);
    const found = partition.records.filter(({ offset }) => offset >= next);
    if (found.length === 0 || held.length > PREFETCH_RECORDS_MAX) {
      this.#fetchSoon(index, 60);
      return;
    }
    const taken = found.slice(0, 1 + this.#world.below(FETCH_RECORDS_MAX));
    this.#next[index] = (taken.at(-1)?.offset ?? next) + 1;
    held.push(...taken);
    this.#listener();
    this.#fetchSoon(index, 10);
  }

  partitions(): number {
    return this.#next.length;
  }

  poll(_bytesMax: number, except?: ReadonlySet<number>): RecordBatch[] {
    const batches: RecordBatch[] = [];
    for (const [index, held] of this.#held.entries()) {
      if (held.length === 0 || except?.has(index) === true) continue;
      const count = this.#world.oneIn(3) ? 1 + this.#world.below(held.length) : held.length;
      batches.push(batchOf(index, held.splice(0, count)));
    }
    return this.#world.oneIn(2) ? batches : batches.reverse();
  }

  onReadable(listener: () => void): void {
    this.#listener = listener;
  }

  endOffsets(): Promise<ReadonlyMap<number, Offset>> {
    return this.#cluster.call(this.#process, 'cluster: ends', () => {
      const partitions = this.#cluster.topics.get(this.#topic) ?? [];
      return new Map(
        partitions.map(({ records }, i) => [i, (records.at(-1)?.offset ?? -1) + 1] as const),
      );
    });
  }

  fault(): StreamError | undefined {
    return this.#fault;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}

function batchOf(partition: number, records: readonly StoredRecord[]): RecordBatch {
  const length = records.length;
  const valueStarts = new Int32Array(length);
  const valueLengths = new Int32Array(length);
  const keyStarts = new Int32Array(length);
  const keyLengths = new Int32Array(length);
  const parts: Buffer[] = [];
  let at = 0;
  const place = (part: Buffer | null, starts: Int32Array, lengths: Int32Array, r: number): void => {
    starts[r] = at;
    lengths[r] = part?.length ?? -1;
    if (part === null) return;
    parts.push(part);
    at += part.length;
  };
  for (const [r, { key, value }] of records.entries()) {
    place(key, keyStarts, keyLengths, r);
    place(value, valueStarts, valueLengths, r);
  }
  return {
    partition,
    length,
    bytes: Buffer.concat(parts),
    valueStarts,
    valueLengths,
    keyStarts,
    keyLengths,
    offsets: Float64Array.from(records, ({ offset }) => offset),
    timestampsMs: Float64Array.from(records, ({ timestampMs }) => timestampMs),
    headers: undefined,
  };
}
