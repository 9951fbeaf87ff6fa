/** LogStorage in memory, for tests of the embedded log. Can be told to fail. */
import type { LogSegment, LogStorage, Offset } from '../../connectors/connector.ts';

interface StoredTopic {
  readonly name: string;
  readonly partitions: number;
  readonly options: ReadonlyMap<string, string>;
  readonly segments: LogSegment[][];
  readonly ends: number[];
  readonly starts: number[];
}

export class MemoryLogStorage implements LogStorage {
  readonly #topics = new Map<string, StoredTopic>();
  /** How many appends and reads were made. */
  appends = 0;
  reads = 0;
  /** Thrown by the next appends or reads while set. */
  failure: Error | undefined;

  async topics(): Promise<readonly StoredTopic[]> {
    return [...this.#topics.values()];
  }

  async createTopic(
    name: string,
    partitions: number,
    options: ReadonlyMap<string, string>,
  ): Promise<void> {
    this.#topics.set(name, {
      name,
      partitions,
      options,
      segments: Array.from({ length: partitions }, () => []),
      ends: Array.from({ length: partitions }, () => 0),
      starts: Array.from({ length: partitions }, () => 0),
    });
  }

  async deleteTopic(name: string): Promise<void> {
    this.#topics.delete(name);
  }

  async append(segments: readonly LogSegment[]): Promise<void> {
    this.appends++;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failure !== undefined) throw this.failure;
    for (const segment of segments) {
      const topic = this.#topics.get(segment.topic);
      topic?.segments[segment.partition]?.push(segment);
      if (topic !== undefined) topic.ends[segment.partition] = segment.baseOffset + segment.count;
    }
  }

  async replace(segment: LogSegment): Promise<void> {
    const segments = this.#topics.get(segment.topic)?.segments;
    const old = segments?.[segment.partition];
    if (segments === undefined || old === undefined) return;
    const end = segment.baseOffset + segment.count;
    const kept = old.filter((s) => s.baseOffset < segment.baseOffset || s.baseOffset >= end);
    segments[segment.partition] = [...kept, segment].sort((a, b) => a.baseOffset - b.baseOffset);
  }

  /** How many segments a partition has. */
  segments(topic: string, partition: number): number {
    return this.#topics.get(topic)?.segments[partition]?.length ?? 0;
  }

  async read(
    topic: string,
    partition: number,
    from: Offset,
    segmentsMax: number,
  ): Promise<readonly LogSegment[]> {
    this.reads++;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failure !== undefined) throw this.failure;
    const segments = this.#topics.get(topic)?.segments[partition] ?? [];
    return segments.filter((s) => s.baseOffset + s.count > from).slice(0, segmentsMax);
  }

  async trim(name: string, partition: number, offset: Offset): Promise<void> {
    const topic = this.#topics.get(name);
    const segments = topic?.segments[partition];
    if (topic === undefined || segments === undefined) return;
    topic.segments[partition] = segments.filter((s) => s.baseOffset + s.count > offset);
    topic.starts[partition] = offset;
  }
}
