/**
 * How far the input is consumed: epoch, positions, watermarks and versions. One row is added per epoch, naming only what changed (the
 * cheapest write there is); now and then one row with everything replaces all earlier ones.
 */
import type { Offset } from '../../connectors/connector.ts';
import type { LogPosition } from './state-files.ts';
import type { EpochCommit, PartitionPosition, StreamMarks } from './store.ts';

export const progressTable =
  'CREATE TABLE IF NOT EXISTS millrace_progress (epoch BIGINT, entry VARCHAR)';

/** After this many rows the next one is a full one. */
const ROWS_MAX = 256;

interface Entry {
  /** [relation id, partition, offset] */
  readonly positions: readonly (readonly [number, number, number])[];
  /** [relation id, epoch that changed it] */
  readonly versions: readonly (readonly [number, number])[];
  /** [relation id, the stream's watermark, [partition, watermark] …]; absent in data of before there were any. */
  readonly watermarks?: readonly StoredMarks[] | undefined;
  /** [error relation id, failures that it no longer holds]; left out when there are none. */
  readonly evicted?: readonly (readonly [number, number])[];
  /** [file, bytes]: how far the log of operator state is valid. */
  readonly log?: readonly [number, number] | undefined;
}

type StoredMarks = readonly [number, string | null, readonly (readonly [number, string])[]];

export class Progress {
  #epoch = 0;
  readonly #positions = new Map<number, Map<number, Offset>>();
  readonly #versions = new Map<number, number>();
  readonly #watermarks = new Map<number, StoredMarks>();
  readonly #evicted = new Map<number, number>();
  #log: LogPosition | undefined;
  #rows = 0;

  get log(): LogPosition | undefined {
    return this.#log;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get positions(): readonly PartitionPosition[] {
    return [...this.#positions].flatMap(([relationId, partitions]) =>
      [...partitions].map(([partition, offset]) => ({ relationId, partition, offset })),
    );
  }

  get watermarks(): readonly StreamMarks[] {
    return [...this.#watermarks.values()].map(([relationId, stream, partitions]) => ({
      relationId,
      stream: stream === null ? undefined : BigInt(stream),
      partitions: new Map(partitions.map(([partition, mark]) => [partition, BigInt(mark)])),
    }));
  }

  get versions(): ReadonlyMap<number, number> {
    return new Map(this.#versions);
  }

  get evicted(): ReadonlyMap<number, number> {
    return new Map(this.#evicted);
  }

  /** Reads back one stored row; rows come in the order of their epochs. */
  restore(epoch: number, text: string): void {
    this.#epoch = epoch;
    this.#rows++;
    this.#take(JSON.parse(text) as Entry);
  }

  /** Statements that store what the commit changes. Call `apply` when they are committed. */
  commitSql(commit: EpochCommit, log: LogPosition | undefined): readonly string[] {
    if (this.#rows >= ROWS_MAX) {
      const next = this.#copy();
      next.apply(commit, log);
      return next.snapshotSql();
    }
    return [insertSql(commit.epoch, entryOf(commit, log))];
  }

  apply(commit: EpochCommit, log: LogPosition | undefined): void {
    this.#epoch = commit.epoch;
    this.#rows = this.#rows >= ROWS_MAX ? 1 : this.#rows + 1;
    this.#take(entryOf(commit, log));
  }

  /** Statements that store everything, without the given relations. Call `forget` when committed. */
  snapshotSql(without: readonly number[] = []): readonly string[] {
    const next = without.length === 0 ? this : this.#copy();
    if (next !== this) next.forget(without);
    const entry: Entry = {
      positions: next.positions.map((p) => [p.relationId, p.partition, p.offset] as const),
      versions: [...next.#versions],
      watermarks: [...next.#watermarks.values()],
      ...(next.#evicted.size === 0 ? {} : { evicted: [...next.#evicted] }),
      log: next.#log === undefined ? undefined : [next.#log.file, next.#log.bytes],
    };
    return ['DELETE FROM millrace_progress', insertSql(next.#epoch, entry)];
  }

  forget(relationIds: readonly number[]): void {
    for (const id of relationIds) {
      this.#positions.delete(id);
      this.#versions.delete(id);
      this.#watermarks.delete(id);
      this.#evicted.delete(id);
    }
    this.#rows = 1;
  }

  #take({ positions, versions, watermarks = [], evicted = [], log }: Entry): void {
    if (log !== undefined) this.#log = { file: log[0], bytes: log[1] };
    for (const [relationId, partition, offset] of positions) {
      this.#place(relationId, partition, offset);
    }
    for (const [relationId, version] of versions) this.#versions.set(relationId, version);
    for (const marks of watermarks) this.#watermarks.set(marks[0], marks);
    for (const [relationId, count] of evicted) this.#evicted.set(relationId, count);
  }

  #place(relationId: number, partition: number, offset: Offset): void {
    let partitions = this.#positions.get(relationId);
    if (partitions === undefined) {
      partitions = new Map();
      this.#positions.set(relationId, partitions);
    }
    partitions.set(partition, offset);
  }

  #copy(): Progress {
    const copy = new Progress();
    copy.#epoch = this.#epoch;
    copy.#log = this.#log;
    for (const { relationId, partition, offset } of this.positions) {
      copy.#place(relationId, partition, offset);
    }
    for (const [id, version] of this.#versions) copy.#versions.set(id, version);
    for (const [id, marks] of this.#watermarks) copy.#watermarks.set(id, marks);
    for (const [id, count] of this.#evicted) copy.#evicted.set(id, count);
    return copy;
  }
}

function entryOf(commit: EpochCommit, log: LogPosition | undefined): Entry {
  return {
    positions: commit.positions.map((p) => [p.relationId, p.partition, p.offset] as const),
    versions: commit.views.map((view) => [view.relation.id, commit.epoch] as const),
    watermarks: commit.watermarks.map(
      ({ relationId, stream, partitions }) =>
        [
          relationId,
          stream === undefined ? null : String(stream),
          [...partitions].map(([partition, mark]) => [partition, String(mark)] as const),
        ] as const,
    ),
    ...(commit.evicted === undefined ? {} : { evicted: [...commit.evicted] }),
    log: log === undefined ? undefined : [log.file, log.bytes],
  };
}

/** The entry holds only numbers, their digits and field names, so it needs no quoting. */
function insertSql(epoch: number, entry: Entry): string {
  return `INSERT INTO millrace_progress VALUES (${epoch}, '${JSON.stringify(entry)}')`;
}
