/**
 * A stream that plans read: one common cursor whose positions are the committed ones, and a private cursor
 * for every new plan that is still reading what the others have already seen.
 */
import type {
  Offset,
  RecordBatch,
  SourceReader,
  StartPosition,
} from '../../connectors/connector.ts';
import type { StreamError } from '../../sql/base/error.ts';
import {
  type Clock,
  DecidedLateness,
  DecidingLateness,
  KnownLate,
  type ReportLate,
} from './lateness.ts';
import type { StartAt } from './plan-task.ts';
import type { RecordPlaces } from './record-place.ts';
import {
  type CompileDecoder,
  type LateFilter,
  type ReportRecordError,
  ScanCursor,
  type ScanReader,
  type StoppedAt,
} from './scan-cursor.ts';
import { type Marks, type WatermarkRule, WatermarkTracker } from './watermark.ts';

export interface PartitionBounds {
  readonly earliest: Offset;
  /** Infinity for a source without an end. */
  readonly end: Offset;
}

export interface StreamDefinition {
  readonly id: number;
  readonly name: string;
  readonly topic: string;
  /** Where new plans begin to read. */
  readonly startAt: 'earliest' | 'latest';
  open(from: StartPosition): Promise<SourceReader>;
  bounds(): Promise<ReadonlyMap<number, PartitionBounds>>;
  readonly compile: CompileDecoder;
  /** WATERMARK FOR; undefined = the stream knows no event time. */
  readonly watermark?: WatermarkRule | undefined;
  /** Stop at a record that cannot be read, instead of leaving it out. */
  readonly stopsAtErrors: boolean;
  /**
   * The definition was changed after records were refused: those are left out until they are replayed, also where the new
   * definition could read them, as plans that have passed them did not see them.
   */
  readonly isAltered: boolean;
}

/** Offsets of a stream's records in [first, last] that are in its error relation. */
export type RefusedOffsets = (
  partition: number,
  first: Offset,
  last: Offset,
) => ReadonlySet<Offset>;

/** A plan's readers while they stand behind the common cursor. */
interface PrivateScan {
  readonly cursor: ScanCursor;
  readonly owner: number;
  readonly readers: readonly ScanReader[];
}

export type ReportStreamError = (
  stream: StreamTask,
  records: RecordBatch,
  record: number,
  error: StreamError,
) => void;

const NOTHING: ReadonlySet<Offset> = new Set();

/** Records that a private scan may be behind when the common one starts to wait for it. */
const HOLD_RECORDS_MAX = 500_000;
/** Private scans get this many times the bytes of a common one, so that they come level. */
const CATCH_UP_BYTES_FACTOR = 4;

/** Records that the source is known to have beyond what is read, from which on throughput counts and not latency. */
const BEHIND_RECORDS_MIN = 20_000;

/** What a stream with a watermark needs beside its records. */
export interface LateHandling {
  readonly report: (stream: StreamTask, ...late: Parameters<ReportLate>) => void;
  readonly clock: Clock;
}

export class StreamTask {
  definition: StreamDefinition;
  readonly #refused: RefusedOffsets;
  /** The record that is skipped although the stream stops at errors. */
  #skipped: { readonly partition: number; readonly offset: Offset } | undefined;
  readonly #report: ReportStreamError;
  readonly #onReadable: () => void;
  readonly #places: RecordPlaces;
  readonly watermark: WatermarkTracker | undefined;
  readonly knownLate = new KnownLate();
  readonly #late: LateHandling;
  #common: ScanCursor | undefined;
  #owners = new Map<number, readonly ScanReader[]>();
  #privates: PrivateScan[] = [];
  #ends: ReadonlyMap<number, Offset> = new Map();
  /** Positions that the running epoch must not pass; set while state is rebuilt. */
  #replayTo: ReadonlyMap<number, Offset> | undefined;
  paused = false;
  /** A sink that its rows reach has too much to deliver: nothing new is read until it has less. */
  held = false;
  /** Nothing was read in the last step. */
  #wasHalted = false;
  errors = 0;
  lateRecords = 0;
  /** The stream's positions at the last commit. */
  committed: ReadonlyMap<number, Offset> = new Map();

  constructor(
    definition: StreamDefinition,
    report: ReportStreamError,
    onReadable: () => void,
    late: LateHandling,
    places: RecordPlaces,
    refused: RefusedOffsets,
  ) {
    this.#refused = refused;
    this.#places = places;
    this.definition = definition;
    this.#report = report;
    this.#onReadable = onReadable;
    this.#late = late;
    const rule = definition.watermark;
    this.watermark = rule === undefined ? undefined : new WatermarkTracker(rule.idleTimeoutMs);
  }

  /** What the last commit held, before the stream is read. */
  restoreWatermark(marks: Marks): void {
    this.watermark?.restore(marks, this.#late.clock.now());
  }

  /** The record that the stream stopped at; undefined while it goes on. */
  get stoppedAt(): StoppedAt | undefined {
    return this.#common?.stoppedAt;
  }

  /** Tries again to read the record that the stream stopped at. */
  retry(): void {
    this.#common?.goOn();
  }

  /** Leaves out the record that the stream stopped at; it goes to the error relation. @returns false when there is none. */
  skipRecord(): boolean {
    const stopped = this.stoppedAt;
    if (stopped === undefined) return false;
    this.#skipped = stopped;
    this.#common?.goOn();
    return true;
  }

  /** Between two epochs: another definition over the same topic, with the same columns. */
  redefine(definition: StreamDefinition): void {
    this.definition = definition;
    for (const cursor of this.#cursors()) cursor.recompile(definition.compile);
    this.retry();
  }

  /**
   * Between two epochs: records that were refused are read by the present definition, as if they came now.
   * @returns the record numbers that still cannot be read, with the reason.
   */
  replay(records: RecordBatch): ReadonlyMap<number, StreamError> {
    const errors =
      this.#common === undefined
        ? this.definition.compile([]).decode(records, 0, records.length).errors
        : this.#common.readAgain(records);
    const failed = new Map(errors.map(({ record, error }) => [record, error]));
    for (const { cursor } of this.#privates) {
      const passed = recordsBelow(records, cursor.positions.get(records.partition) ?? 0);
      if (passed.length > 0) cursor.readAgain(passed);
    }
    return failed;
  }

  readonly leftOut: RefusedOffsets = (partition, first, last) =>
    this.definition.isAltered ? this.#refused(partition, first, last) : NOTHING;

  #cursors(): readonly ScanCursor[] {
    const own = this.#common === undefined ? [] : [this.#common];
    return [...own, ...this.#privates.map(({ cursor }) => cursor)];
  }

  #stopsAt(partition: number, offset: Offset): boolean {
    if (!this.definition.stopsAtErrors) return false;
    const { partition: at, offset: skipped } = this.#skipped ?? {};
    if (partition === at && offset === skipped) return false;
    return offset >= (this.committed.get(partition) ?? 0);
  }

  get isRead(): boolean {
    return this.#common !== undefined;
  }

  get positions(): ReadonlyMap<number, Offset> {
    return this.#common?.positions ?? this.committed;
  }

  get records(): number {
    return this.#common?.records ?? 0;
  }

  get bytes(): number {
    return this.#common?.bytes ?? 0;
  }

  /** Ends as last asked of the source. */
  get ends(): ReadonlyMap<number, Offset> {
    return this.#ends;
  }

  get fault(): StreamError | undefined {
    return this.#common?.source.fault();
  }

  isPrivate(owner: number): boolean {
    return this.#privates.some((scan) => scan.owner === owner);
  }

  /** Much more is to be read, so that the source will have the next records soon. */
  get isBehind(): boolean {
    const common = this.#common;
    if (common === undefined || this.paused || this.held) return false;
    let behind = recordsBetween(common.positions, this.#ends);
    for (const scan of this.#privates) behind += this.#gap(scan.cursor);
    return behind >= BEHIND_RECORDS_MIN;
  }

  async refreshEnds(): Promise<ReadonlyMap<number, Offset>> {
    if (this.#common !== undefined) this.#ends = await this.#common.source.endOffsets();
    return this.#ends;
  }

  /**
   * The offsets at which a plan that is created now begins.
   * @param from  offsets that were chosen before.
   */
  async startOffsets(
    startAt: StartAt = this.definition.startAt,
    from: ReadonlyMap<number, Offset> = new Map(),
  ): Promise<ReadonlyMap<number, Offset>> {
    const bounds = await this.definition.bounds();
    const start = new Map<number, Offset>();
    for (const [partition, { earliest, end }] of bounds) {
      const isEndless = end === Number.POSITIVE_INFINITY;
      const offset = startAt === 'latest' && !isEndless ? end : earliest;
      start.set(partition, Math.max(from.get(partition) ?? offset, earliest));
    }
    return start;
  }

  /**
   * A new plan reads from `from`: beside the common cursor when that one has moved on. A stream that was read before goes on
   * where it stood: what was found out about its records then, bad or late ones, is known.
   * @param bounds  of the stream now: a topic that was made anew may end before.
   */
  async addPlan(
    owner: number,
    readers: readonly ScanReader[],
    from: ReadonlyMap<number, Offset>,
    bounds: ReadonlyMap<number, PartitionBounds>,
  ): Promise<void> {
    this.#owners.set(owner, readers);
    if (this.#common === undefined) {
      const positions = new Map(from);
      for (const [partition, offset] of this.committed) {
        const stood = Math.min(offset, bounds.get(partition)?.end ?? 0);
        positions.set(partition, Math.max(stood, from.get(partition) ?? 0));
      }
      this.#common = await this.#open(positions, positions, true);
      this.#ends = new Map([...bounds].map(([partition, { end }]) => [partition, end]));
      if ([...positions].every(([partition, offset]) => offset === (from.get(partition) ?? 0))) {
        this.#resetReaders();
        return;
      }
    }
    const cursor = await this.#open(from, from, false);
    cursor.setReaders(readers);
    this.#privates.push({ cursor, owner, readers });
    this.#resetReaders();
  }

  /**
   * After a restart: every plan reads from its own start (in its readers' `from`) up to the committed
   * positions before anything new is consumed.
   */
  async restore(
    owners: ReadonlyMap<number, readonly ScanReader[]>,
    from: ReadonlyMap<number, Offset>,
    committed: ReadonlyMap<number, Offset>,
  ): Promise<void> {
    this.#owners = new Map(owners);
    this.committed = committed;
    this.#replayTo = committed;
    this.#common = await this.#open(from, from, true);
    this.#resetReaders();
  }

  get isReplaying(): boolean {
    if (this.#replayTo === undefined || this.#common === undefined) return false;
    for (const [partition, offset] of this.#replayTo) {
      if ((this.#common.positions.get(partition) ?? 0) < offset) return true;
    }
    return false;
  }

  endReplay(): void {
    this.#replayTo = undefined;
  }

  /** The plan reads through these from now on; it stands where it stood. */
  changeReaders(owner: number, readers: readonly ScanReader[]): void {
    if (!this.#owners.has(owner) && readers.length === 0) return;
    this.#owners.set(owner, readers);
    this.#resetReaders();
  }

  async removePlan(owner: number): Promise<void> {
    this.#owners.delete(owner);
    const gone = this.#privates.filter((scan) => scan.owner === owner);
    this.#privates = this.#privates.filter((scan) => scan.owner !== owner);
    for (const scan of gone) await scan.cursor.close();
    this.#resetReaders();
    if (this.#owners.size === 0) {
      await this.#common?.close();
      this.#common = undefined;
    }
  }

  /** Consumes what is at hand; returns the number of records. */
  step(bytesMax: number): number {
    if (this.#common === undefined) return 0;
    // A paused stream still gives back the records that its plans' state is rebuilt from.
    // Partitions that no commit has seen wait: nobody would hear of their rows now.
    if (this.#replayTo !== undefined) return this.#common.step(bytesMax, this.#replayTo, true);
    const isHalted = this.paused || this.held;
    if (isHalted || this.#wasHalted) this.watermark?.excuse(this.#late.clock.now());
    this.#wasHalted = isHalted;
    if (isHalted) return 0;
    let consumed = 0;
    for (const scan of this.#privates) {
      consumed += scan.cursor.step(bytesMax * CATCH_UP_BYTES_FACTOR, this.#common.positions, true);
    }
    const isHeld = this.#privates.some((scan) => this.#gap(scan.cursor) < HOLD_RECORDS_MAX);
    if (!isHeld) consumed += this.#common.step(bytesMax);
    return consumed;
  }

  /**
   * Between two epochs: plans whose private cursor stands where the common one does join it.
   * @returns the owners that became level here.
   */
  async joinLevel(): Promise<readonly number[]> {
    if (this.#privates.length === 0) return [];
    const level = this.#privates.filter((scan) => this.#gap(scan.cursor) === 0);
    if (level.length === 0) return [];
    this.#privates = this.#privates.filter((scan) => !level.includes(scan));
    this.#resetReaders();
    for (const scan of level) await scan.cursor.close();
    return level.map((scan) => scan.owner);
  }

  /** How much of its way a plan has gone: consumed and total records, by the offsets. */
  progress(
    owner: number,
    start: ReadonlyMap<number, Offset>,
    target: ReadonlyMap<number, Offset>,
  ): { readonly done: number; readonly total: number } {
    const scan = this.#privates.find((candidate) => candidate.owner === owner);
    const positions = scan?.cursor.positions ?? this.positions;
    let done = 0;
    let total = 0;
    for (const [partition, end] of target) {
      const from = start.get(partition) ?? 0;
      if (!Number.isFinite(end)) continue;
      total += Math.max(end - from, 0);
      done += Math.max(Math.min(positions.get(partition) ?? from, end) - from, 0);
    }
    return { done, total };
  }

  async close(): Promise<void> {
    for (const scan of this.#privates) await scan.cursor.close();
    await this.#common?.close();
    this.#privates = [];
    this.#common = undefined;
  }

  #gap(cursor: ScanCursor): number {
    return recordsBetween(cursor.positions, this.#common?.positions ?? new Map());
  }

  #resetReaders(): void {
    const behind = new Set(this.#privates.map((scan) => scan.owner));
    const readers: ScanReader[] = [];
    for (const [owner, own] of this.#owners) if (!behind.has(owner)) readers.push(...own);
    this.#common?.setReaders(readers);
  }

  async #open(
    offsets: ReadonlyMap<number, Offset>,
    positions: ReadonlyMap<number, Offset>,
    isCommon: boolean,
  ): Promise<ScanCursor> {
    const reader = await this.definition.open({ offsets, otherwise: 'earliest' });
    reader.onReadable(this.#onReadable);
    if (isCommon) this.watermark?.expect(positions.keys(), this.#late.clock.now());
    const { topic, compile } = this.definition;
    const report: ReportRecordError = (records, record, error) => {
      // Records below the committed position were reported when they were first read.
      const offset = records.offsets[record] as number;
      const isKnown = offset < (this.committed.get(records.partition) ?? 0);
      if (!isCommon || isKnown) return;
      this.errors++;
      this.#report(this, records, record, error);
    };
    return new ScanCursor({
      reader,
      from: positions,
      topic,
      compile,
      report,
      // Records below the common position were judged when they were first read.
      isFatal: (partition, offset) => isCommon && this.#stopsAt(partition, offset),
      leftOut: this.leftOut,
      places: this.#places,
      lateness: this.#lateness(isCommon),
    });
  }

  /** Private cursors read what the common one has seen, and decided about. */
  #lateness(isCommon: boolean): LateFilter | undefined {
    const rule = this.definition.watermark;
    if (rule === undefined || this.watermark === undefined) return undefined;
    if (!isCommon) return new DecidedLateness(this.knownLate);
    const report: ReportLate = (records, record, watermark) => {
      this.lateRecords++;
      this.#late.report(this, records, record, watermark);
    };
    const { clock } = this.#late;
    return new DecidingLateness(
      rule,
      this.watermark,
      this.knownLate,
      new Map(this.committed),
      report,
      clock,
    );
  }
}

/** The records of a batch with offsets below `end`; offsets ascend. */
function recordsBelow(records: RecordBatch, end: Offset): RecordBatch {
  let length = records.length;
  while (length > 0 && (records.offsets[length - 1] as number) >= end) length--;
  return length === records.length ? records : { ...records, length };
}

/** Records that are to be read from one set of positions to another; an endless partition counts none. */
function recordsBetween(
  from: ReadonlyMap<number, Offset>,
  to: ReadonlyMap<number, Offset>,
): number {
  let records = 0;
  for (const [partition, end] of to) {
    if (Number.isFinite(end)) records += Math.max(end - (from.get(partition) ?? 0), 0);
  }
  return records;
}
