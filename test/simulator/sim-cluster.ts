/**
 * A cluster of brokers in memory: topics with partitions, offsets with gaps as transactions and compaction leave them,
 * transactional writers with a position and fencing. Requests and answers travel over a network that loses them, delays
 * them, and delivers those of processes that have crashed meanwhile.
 */
import type {
  Offset,
  ProduceRecord,
  SinkIdentity,
  SinkWriter,
  SourceReader,
  StartPosition,
  StoredRecord,
  TopicInfo,
  TopicLog,
} from '../../connectors/connector.ts';
import { partitionOfKey } from '../../connectors/partitioner.ts';
import { StreamError } from '../../sql/base/error.ts';
import { SimReader } from './sim-reader.ts';
import { copyOf, SimSinkWriter } from './sim-sink.ts';
import type { Process, World } from './world.ts';

/** How long an answer is waited for. */
const TIMEOUT_MS = 1_000;

export interface Partition {
  earliest: Offset;
  end: Offset;
  records: StoredRecord[];
  /** Nobody serves it for now. */
  hasLeader: boolean;
}

/** What the cluster knows of a sink. */
interface Ownership {
  /** Of the writer that began last. */
  readonly token: number;
  readonly position: number;
  /** The writer that wrote the position. */
  readonly owner: object | undefined;
}

export class Cluster {
  readonly #world: World;
  readonly topics = new Map<string, Partition[]>();
  readonly #owners = new Map<string, Ownership>();
  #tokens = 0;
  isDown = false;
  /** Requests and answers get lost. */
  isLossy = false;

  constructor(world: World) {
    this.#world = world;
  }

  create(topic: string, partitions: number): void {
    this.topics.set(topic, Array.from({ length: partitions }, newPartition));
  }

  addPartition(topic: string): void {
    this.topics.get(topic)?.push(newPartition());
  }

  /** Appends at once, as a producer that nothing ever happens to. */
  append(
    topic: string,
    records: readonly ProduceRecord[],
  ): { partition: number; offset: Offset }[] {
    const partitions = this.topics.get(topic) ?? [];
    return records.map((record) => {
      const index =
        record.partition ??
        (record.key === null
          ? this.#world.below(partitions.length)
          : partitionOfKey(record.key, partitions.length));
      const partition = partitions[index] as Partition;
      const { key, value, headers = [], timestampMs = Date.now() } = record;
      const offset = partition.end;
      partition.records.push({ partition: index, offset, key, value, headers, timestampMs });
      partition.end = offset + 1;
      // Markers of transactions, and what compaction has taken out.
      if (this.#world.oneIn(10)) partition.end += 1 + this.#world.below(2);
      return { partition: index, offset };
    });
  }

  /** What was kept long enough goes. */
  trim(topic: string, index: number, offset: Offset): void {
    const partition = this.topics.get(topic)?.[index];
    if (partition === undefined) return;
    partition.earliest = Math.max(partition.earliest, Math.min(offset, partition.end));
  }

  /** A writer begins: older ones of this name can write no more. @returns what is stored of the sink. */
  begin(name: string): Ownership {
    const known = this.#owners.get(name);
    const sink = { token: ++this.#tokens, position: known?.position ?? 0, owner: known?.owner };
    this.#owners.set(name, sink);
    return { ...sink };
  }

  /** Rows, position and owner in one transaction. @returns false when a later writer has begun. */
  write(
    name: string,
    written: Ownership,
    topic: string,
    records: readonly ProduceRecord[],
  ): boolean {
    if (this.#owners.get(name)?.token !== written.token) return false;
    this.append(topic, records);
    this.#owners.set(name, written);
    return true;
  }

  /**
   * Sends a request of a process and brings its answer back. `serve` runs at the brokers: at once, late, or never; the sender
   * learns of that at most by a timeout.
   */
  call<T>(process: Process, name: string, serve: () => T): Promise<T> {
    const world = this.#world;
    return new Promise((resolve, reject) => {
      if (!process.alive) return;
      const fail = (reason: string): void => {
        world.schedule(
          TIMEOUT_MS * world.fraction(),
          () => reject(new StreamError('SOURCE_UNREACHABLE', `${name}: ${reason}`)),
          process,
        );
      };
      if (this.isDown) return fail('no broker answers');
      const isLost = this.isLossy && world.oneIn(12);
      if (isLost && world.oneIn(2)) return fail('the request was lost');
      world.step(process, `${name} is sent`, 2).then(() => {
        const delayMs = this.isLossy && world.oneIn(12) ? world.below(3_000) : world.fraction() * 4;
        if (delayMs > TIMEOUT_MS) fail('no answer in time');
        world.schedule(
          delayMs,
          () => {
            let answer: { readonly value: T } | { readonly error: unknown };
            try {
              answer = { value: serve() };
            } catch (error) {
              answer = { error };
            }
            if (isLost) return fail('the answer was lost');
            if (!process.alive || delayMs > TIMEOUT_MS) return;
            world.step(process, `${name} is answered`, 2).then(() => {
              if ('error' in answer) reject(answer.error);
              else resolve(answer.value);
            });
          },
          world.outside,
        );
      });
    });
  }

  connect(process: Process): SimLog {
    return new SimLog(this.#world, this, process);
  }
}

function newPartition(): Partition {
  return { earliest: 0, end: 0, records: [], hasLeader: true };
}

/** The cluster as one process sees it. */
export class SimLog implements TopicLog {
  readonly type = 'kafka';
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #process: Process;

  constructor(world: World, cluster: Cluster, process: Process) {
    this.#world = world;
    this.#cluster = cluster;
    this.#process = process;
  }

  #call<T>(name: string, serve: () => T): Promise<T> {
    return this.#cluster.call(this.#process, `cluster: ${name}`, serve);
  }

  #partitions(topic: string): Partition[] {
    const partitions = this.#cluster.topics.get(topic);
    if (partitions !== undefined) return partitions;
    throw new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${topic}" does not exist`);
  }

  list(): Promise<readonly TopicInfo[]> {
    return this.#call('list', () =>
      [...this.#cluster.topics].map(([name, partitions]) => infoOf(name, partitions)),
    );
  }

  describe(topic: string): Promise<TopicInfo | undefined> {
    return this.#call('describe', () => {
      const partitions = this.#cluster.topics.get(topic);
      return partitions === undefined ? undefined : infoOf(topic, partitions);
    });
  }

  create(topic: string, partitions: number): Promise<void> {
    return this.#call('create', () => {
      if (!this.#cluster.topics.has(topic)) this.#cluster.create(topic, partitions);
    });
  }

  delete(topic: string): Promise<void> {
    return this.#call('delete', () => {
      this.#cluster.topics.delete(topic);
    });
  }

  produce(topic: string, records: readonly ProduceRecord[]) {
    const kept = records.map(copyOf);
    return this.#call('produce', () => {
      this.#partitions(topic);
      return this.#cluster.append(topic, kept);
    });
  }

  read(
    topic: string,
    partition: number,
    offset: Offset,
    limit: number,
  ): Promise<readonly StoredRecord[]> {
    return this.#call('read', () =>
      (this.#partitions(topic)[partition]?.records ?? [])
        .filter((record) => record.offset >= offset)
        .slice(0, limit),
    );
  }

  bounds(topic: string) {
    return this.#call('bounds', () => {
      const partitions = this.#partitions(topic);
      return new Map(
        partitions.map(({ earliest, records }, i) => {
          const last = records.at(-1);
          const end = Math.max(last === undefined ? 0 : last.offset + 1, earliest);
          return [i, { earliest, end }] as const;
        }),
      );
    });
  }

  async open(topic: string, from: StartPosition): Promise<SourceReader> {
    return new SimReader(this.#world, this.#cluster, this.#process, topic, from);
  }

  async openSink(topic: string, sink: SinkIdentity): Promise<SinkWriter> {
    const writer = new SimSinkWriter(this.#cluster, this.#process, topic, sink);
    await writer.begin();
    return writer;
  }

  async close(): Promise<void> {}
}

function infoOf(name: string, partitions: readonly Partition[]): TopicInfo {
  return { name, partitions: partitions.length, replication: 1 };
}
