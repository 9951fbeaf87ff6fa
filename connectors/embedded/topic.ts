/** A topic of the embedded log as it is known in memory. */
import { StreamError } from '../../sql/base/error.ts';
import { StickyPartitioner } from '../partitioner.ts';
import { RetentionIndex } from './retention.ts';
import { SmallRun } from './small-run.ts';
import { Tail } from './tail-cache.ts';

export class Partition {
  readonly index: number;
  readonly tail = new Tail();
  readonly retention: RetentionIndex;
  readonly small = new SmallRun();
  /** First retained offset. */
  start: number;
  /** The offset after the last durable record. */
  end: number;

  constructor(index: number, start: number, end: number) {
    this.index = index;
    this.start = start;
    this.end = end;
    this.retention = new RetentionIndex(start, end);
  }
}

export interface TopicRetention {
  /** Milliseconds; Infinity = for ever. */
  readonly ageMsMax: number;
  /** Bytes per partition; Infinity = unlimited. */
  readonly bytesMax: number;
}

export class Topic {
  readonly name: string;
  readonly partitions: readonly Partition[];
  readonly retention: TopicRetention;
  readonly sticky = new StickyPartitioner();
  readonly listeners = new Set<() => void>();
  deleted = false;

  constructor(
    name: string,
    partitions: readonly Partition[],
    options: ReadonlyMap<string, string>,
  ) {
    this.name = name;
    this.partitions = partitions;
    this.retention = parseRetention(options);
  }

  /** @throws StreamError REQUEST_INVALID. */
  partition(index: number): Partition {
    const partition = this.partitions[index];
    if (partition !== undefined) return partition;
    throw new StreamError(
      'REQUEST_INVALID',
      `topic "${this.name}" has no partition ${index}: it has ${this.partitions.length}`,
    );
  }

  get hasLimits(): boolean {
    const { ageMsMax, bytesMax } = this.retention;
    return ageMsMax < Number.POSITIVE_INFINITY || bytesMax < Number.POSITIVE_INFINITY;
  }

  notify(): void {
    for (const listener of this.listeners) listener();
  }
}

/** @throws StreamError SQL_INVALID_OPTION; -1 means unlimited, as in Kafka. */
export function parseRetention(options: ReadonlyMap<string, string>): TopicRetention {
  return {
    ageMsMax: parseLimit(options, 'retention.ms'),
    bytesMax: parseLimit(options, 'retention.bytes'),
  };
}

function parseLimit(options: ReadonlyMap<string, string>, name: string): number {
  const text = options.get(name);
  if (text === undefined || text.trim() === '-1') return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0 && text.trim() !== '') return value;
  throw new StreamError('SQL_INVALID_OPTION', `invalid value for option "${name}": "${text}"`, {
    hint: 'Give a whole number, or -1 for unlimited.',
  });
}
