/**
 * Reads a stream's records forward and decodes them for everybody who stands at the same positions: one
 * decoder for the union of the columns that its readers use.
 */
import type { Offset, RecordBatch, SourceReader } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import { type Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { gather } from '../delta/gather.ts';
import { selectColumns } from './graph.ts';
import type { RecordPlaces } from './record-place.ts';

/** Longest value of a record that is decoded; a longer one is a bad record, whatever it holds. */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024;

/** Decodes records [from, to) of a batch into the columns that it was compiled for. */
export interface ScanDecoder {
  decode(records: RecordBatch, from: number, to: number): DecodedBatch;
}

export interface DecodedBatch {
  readonly batch: Batch;
  /** Record number of each row; null = row r is record from + r. */
  readonly recordOf: Int32Array | null;
  readonly errors: readonly { readonly record: number; readonly error: StreamError }[];
}

/** Compiles a decoder for column numbers of the stream, given in ascending order. */
export type CompileDecoder = (columns: readonly number[]) => ScanDecoder;

export interface ScanReader {
  /** Column numbers of the stream, in the order that `take` wants them. */
  readonly columns: readonly number[];
  /** Records below these offsets are not for this reader (it resumes from there). */
  readonly from: ReadonlyMap<number, Offset>;
  /** Where its plan began: earlier records are no part of it, whenever they are read. */
  startOf(partition: number): Offset;
  take(batch: Batch): void;
}

/** Takes late rows out of what a cursor reads. */
export interface LateFilter {
  /** Columns of the stream that it looks at. */
  readonly columns: readonly number[];
  /**
   * Rows of one partition, in their order; each record is shown once, unless it is read again.
   * @param batch     the filter's columns.
   * @param recordOf  the record of a row.
   * @param isFirst   the records were no rows before, although others behind them were read.
   * @returns the numbers of the late rows, ascending.
   */
  lateRows(
    records: RecordBatch,
    batch: Batch,
    recordOf: (row: number) => number,
    isFirst: boolean,
  ): readonly number[];
}

/** The record that a stream stands at, because it may not go on past what it cannot read. */
export interface StoppedAt {
  readonly partition: number;
  readonly offset: Offset;
  readonly error: StreamError;
}

export type ReportRecordError = (records: RecordBatch, record: number, error: StreamError) => void;

export interface ScanInput {
  readonly reader: SourceReader;
  /** The first offsets that the reader gives. */
  readonly from: ReadonlyMap<number, Offset>;
  readonly topic: string;
  readonly compile: CompileDecoder;
  readonly report: ReportRecordError;
  /** Whether the cursor stops at a record that cannot be read, instead of leaving it out. */
  readonly isFatal: (partition: number, offset: Offset) => boolean;
  /** Offsets within [first, last] whose records are left out although they can be read, in any order. */
  readonly leftOut: (partition: number, first: Offset, last: Offset) => ReadonlySet<Offset>;
  /** Told which records are being pushed. */
  readonly places: RecordPlaces;
  /** Takes late rows out; undefined = the stream knows no event time. */
  readonly lateness: LateFilter | undefined;
}

export class ScanCursor {
  readonly #reader: SourceReader;
  readonly #input: ScanInput;
  #compile: CompileDecoder;
  readonly #report: ReportRecordError;
  readonly #lateness: LateFilter | undefined;
  readonly #topic: string;
  readonly #places: RecordPlaces;
  readonly #positions = new Map<number, Offset>();
  #lateColumns: readonly number[] = [];
  #readers: ScanReader[] = [];
  #picks: (readonly number[] | undefined)[] = [];
  #decoder: ScanDecoder | undefined;
  #stash: { records: RecordBatch; from: number }[] = [];
  #stoppedAt: StoppedAt | undefined;
  /** What was decoded last to find out whether it holds a record that stops the cursor. */
  #judged:
    | {
        readonly records: RecordBatch;
        readonly start: number;
        readonly end: number;
        readonly decoded: DecodedBatch;
      }
    | undefined;
  records = 0;
  bytes = 0;

  constructor(input: ScanInput) {
    const { reader, from, topic, compile, report, places, lateness } = input;
    this.#input = input;
    this.#topic = topic;
    this.#places = places;
    this.#reader = reader;
    this.#lateness = lateness;
    this.#compile = compile;
    this.#report = report;
    for (const [partition, offset] of from) this.#positions.set(partition, offset);
  }

  /** The next offset of every partition that was read from or began at a known place. */
  get positions(): ReadonlyMap<number, Offset> {
    return this.#positions;
  }

  get source(): SourceReader {
    return this.#reader;
  }

  get readers(): readonly ScanReader[] {
    return this.#readers;
  }

  /** Set while the cursor does not go on; `goOn` tries the record again. */
  get stoppedAt(): StoppedAt | undefined {
    return this.#stoppedAt;
  }

  goOn(): void {
    this.#stoppedAt = undefined;
  }

  /** Reads records by another definition of the stream from now on; its columns are the same. */
  recompile(compile: CompileDecoder): void {
    this.#compile = compile;
    this.setReaders(this.#readers);
  }

  /** Decodes records that the cursor has passed, as if they came now; gives what still cannot be read. */
  readAgain(records: RecordBatch): DecodedBatch['errors'] {
    const decoder = this.#decoder ?? this.#compile([]);
    const decoded = decoder.decode(records, 0, records.length);
    // Windows may have closed since: a record that comes behind the watermark now is late now.
    const timely = this.#withoutLate(records, 0, decoded, true);
    for (const [i, reader] of this.#readers.entries()) {
      const start = reader.startOf(records.partition);
      const early = new Set(records.offsets.subarray(0, records.length).filter((at) => at < start));
      const due = early.size === 0 ? timely : without(timely, records, 0, early);
      this.#push(records, 0, due, [i]);
    }
    return decoded.errors;
  }

  setReaders(readers: readonly ScanReader[]): void {
    this.#readers = [...readers];
    this.#judged = undefined;
    const wanted = readers.flatMap((reader) => [...reader.columns]);
    const union = [...new Set([...wanted, ...(this.#lateness?.columns ?? [])])].sort(
      (a, b) => a - b,
    );
    this.#lateColumns = (this.#lateness?.columns ?? []).map((column) => union.indexOf(column));
    // Bad and late records are found also while nobody reads the others.
    this.#decoder = this.#compile(union);
    this.#picks = readers.map((reader) => {
      const pick = reader.columns.map((column) => union.indexOf(column));
      const isWhole = pick.length === union.length && pick.every((column, i) => column === i);
      return isWhole ? undefined : pick;
    });
  }

  /**
   * Takes what is at hand, up to about `bytesMax`, and hands it to the readers.
   * @param limits  per partition the offset to stop at; partitions without one are not limited unless `limitAll`.
   * @returns the number of records consumed.
   */
  step(bytesMax: number, limits?: ReadonlyMap<number, Offset>, limitAll = false): number {
    const stopAt = (partition: number): Offset =>
      limits === undefined
        ? Number.POSITIVE_INFINITY
        : (limits.get(partition) ?? (limitAll ? 0 : Number.POSITIVE_INFINITY));
    if (this.#stoppedAt !== undefined) return 0;
    let consumed = 0;
    const waiting = this.#stash;
    this.#stash = [];
    for (const { records, from } of waiting) {
      consumed += this.#consume(records, from, stopAt(records.partition));
    }
    // A partition with records held back by a limit has enough in memory; the others are read on.
    const held = new Set(this.#stash.map(({ records }) => records.partition));
    if (this.#stoppedAt !== undefined) return consumed;
    for (const records of this.#reader.poll(bytesMax, held)) {
      consumed += this.#consume(records, 0, stopAt(records.partition));
    }
    return consumed;
  }

  #consume(records: RecordBatch, from: number, stop: Offset): number {
    if (this.#stoppedAt !== undefined) {
      this.#stash.push({ records, from });
      return 0;
    }
    let to = records.length;
    if (to > from && (records.offsets[to - 1] as number) >= stop) {
      to = from;
      while (to < records.length && (records.offsets[to] as number) < stop) to++;
    }
    let chunk = 0;
    for (let start = from; start < to; start += chunk) {
      const end = pieceEnd(records, start, Math.min(start + ROWS_PER_BATCH_MAX, to));
      chunk = end - start;
      const reached = this.#deliver(records, start, end);
      if (reached === end) continue;
      to = reached;
      break;
    }
    if (to > from) {
      this.#positions.set(records.partition, (records.offsets[to - 1] as number) + 1);
    }
    if (to < records.length) this.#stash.push({ records, from: to });
    this.records += to - from;
    return to - from;
  }

  /** @returns where it stopped: `end`, or the record that must not be passed. */
  #deliver(records: RecordBatch, start: number, wantedEnd: number): number {
    const end = this.#untilFatal(records, start, wantedEnd);
    if (end === start) return end;
    const first = records.offsets[start] as number;
    const last = records.offsets[end - 1] as number;
    this.bytes +=
      (records.valueStarts[end - 1] as number) +
      Math.max(records.valueLengths[end - 1] as number, 0) -
      (records.valueStarts[start] as number);
    const whole: number[] = [];
    const partial: number[] = [];
    for (let i = 0; i < this.#readers.length; i++) {
      const from = this.#readers[i]?.from.get(records.partition) ?? 0;
      if (from <= first) whole.push(i);
      else if (from <= last) partial.push(i);
    }
    const isRead = whole.length > 0 || this.#readers.length === 0;
    if (isRead) this.#decodeFor(records, start, end, whole, true);
    for (const i of partial) {
      const from = this.#readers[i]?.from.get(records.partition) ?? 0;
      let begin = start;
      while ((records.offsets[begin] as number) < from) begin++;
      this.#decodeFor(records, begin, end, [i], whole.length === 0);
    }
    return end;
  }

  /** The first record in [start, end) that stops the cursor, else `end`. A stream that skips bad records pays nothing. */
  #untilFatal(records: RecordBatch, start: number, end: number): number {
    const { isFatal } = this.#input;
    const { partition, offsets } = records;
    const last = offsets[end - 1] as number;
    if (this.#decoder === undefined || !isFatal(partition, last)) return end;
    const decoded = decode(this.#decoder, records, start, end);
    this.#judged = { records, start, end, decoded };
    const fatal = decoded.errors
      .filter(({ record }) => isFatal(partition, offsets[record] as number))
      .reduce<DecodedBatch['errors'][number] | undefined>(
        (least, error) => (least === undefined || error.record < least.record ? error : least),
        undefined,
      );
    if (fatal === undefined) return end;
    const offset = offsets[fatal.record] as number;
    this.#stoppedAt = { partition, offset, error: fatal.error };
    return fatal.record;
  }

  #decodeFor(
    records: RecordBatch,
    start: number,
    end: number,
    readers: readonly number[],
    reportErrors: boolean,
  ): void {
    if (this.#decoder === undefined) return;
    const judged = this.#judged;
    this.#judged = undefined;
    const isJudged = judged?.records === records && judged.start === start && judged.end === end;
    const decoded = isJudged ? judged.decoded : decode(this.#decoder, records, start, end);
    if (reportErrors) {
      for (const { record, error } of decoded.errors) this.#report(records, record, error);
    }
    const leftOut = this.#input.leftOut(
      records.partition,
      records.offsets[start] as number,
      records.offsets[end - 1] as number,
    );
    this.#push(
      records,
      start,
      this.#withoutLate(
        records,
        start,
        leftOut.size === 0 ? decoded : without(decoded, records, start, leftOut),
      ),
      readers,
    );
  }

  #withoutLate(
    records: RecordBatch,
    start: number,
    decoded: DecodedBatch,
    isFirst = false,
  ): DecodedBatch {
    if (this.#lateness === undefined || decoded.batch.length === 0) return decoded;
    const recordOf = (row: number): number => recordOfRow(decoded, row, start);
    const columns = selectColumns(decoded.batch, this.#lateColumns);
    const late = this.#lateness.lateRows(records, columns, recordOf, isFirst);
    if (late.length === 0) return decoded;
    const offsets = late.map((row) => records.offsets[recordOf(row)] as number);
    return without(decoded, records, start, new Set(offsets));
  }

  #push(
    records: RecordBatch,
    start: number,
    decoded: DecodedBatch,
    readers: readonly number[],
  ): void {
    if (decoded.batch.length === 0) return;
    const recordOf = (row: number): number => recordOfRow(decoded, row, start);
    for (const i of readers) {
      const batch = selectColumns(decoded.batch, this.#picks[i]);
      this.#places.pushing(this.#topic, records, recordOf, batch, () =>
        this.#readers[i]?.take(batch),
      );
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

function recordOfRow({ recordOf }: DecodedBatch, row: number, start: number): number {
  return recordOf === null ? start + row : (recordOf[row] as number);
}

function without(
  decoded: DecodedBatch,
  records: RecordBatch,
  start: number,
  leftOut: ReadonlySet<Offset>,
): DecodedBatch {
  const { batch } = decoded;
  const kept = new Int32Array(batch.length);
  const recordOf = new Int32Array(batch.length);
  let count = 0;
  for (let row = 0; row < batch.length; row++) {
    const record = recordOfRow(decoded, row, start);
    if (leftOut.has(records.offsets[record] as number)) continue;
    recordOf[count] = record;
    kept[count++] = row;
  }
  return { ...decoded, batch: gather(batch, kept, count), recordOf };
}

/** Where a piece of records that begins at `start` ends: a record that is too long is a piece of its own. */
function pieceEnd(records: RecordBatch, start: number, end: number): number {
  if (records.bytes.length <= RECORD_BYTES_MAX) return end;
  for (let record = start; record < end; record++) {
    if (!isTooLong(records, record)) continue;
    return record === start ? start + 1 : record;
  }
  return end;
}

function isTooLong(records: RecordBatch, record: number): boolean {
  return (records.valueLengths[record] as number) > RECORD_BYTES_MAX;
}

function decode(
  decoder: ScanDecoder,
  records: RecordBatch,
  start: number,
  end: number,
): DecodedBatch {
  if (end !== start + 1 || !isTooLong(records, start)) return decoder.decode(records, start, end);
  const length = records.valueLengths[start];
  const error = new StreamError(
    'RECORD_MALFORMED',
    `the record has ${length} bytes, more than ${RECORD_BYTES_MAX}`,
  );
  return { ...decoder.decode(records, start, start), errors: [{ record: start, error }] };
}
