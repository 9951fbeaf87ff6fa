/**
 * Reads a stream's records forward and decodes them for everybody who stands at the same positions: one
 * decoder for the union of the columns that its readers use.
 */
import type { Offset, RecordBatch, SourceReader } from '../../connectors/connector.ts';
import type { StreamError } from '../../sql/base/error.ts';
import { type Batch, ROWS_PER_BATCH_MAX } from '../delta/batch.ts';
import { selectColumns } from './graph.ts';
import type { RecordPlaces } from './record-place.ts';

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
  take(batch: Batch): void;
}

export type ReportRecordError = (records: RecordBatch, record: number, error: StreamError) => void;

export interface ScanInput {
  readonly reader: SourceReader;
  /** The first offsets that the reader gives. */
  readonly from: ReadonlyMap<number, Offset>;
  readonly topic: string;
  readonly compile: CompileDecoder;
  readonly report: ReportRecordError;
  /** Told which records are being pushed. */
  readonly places: RecordPlaces;
}

export class ScanCursor {
  readonly #reader: SourceReader;
  readonly #compile: CompileDecoder;
  readonly #report: ReportRecordError;
  readonly #topic: string;
  readonly #places: RecordPlaces;
  readonly #positions = new Map<number, Offset>();
  #readers: ScanReader[] = [];
  #picks: (readonly number[] | undefined)[] = [];
  #decoder: ScanDecoder | undefined;
  #stash: { records: RecordBatch; from: number }[] = [];
  records = 0;
  bytes = 0;

  constructor({ reader, from, topic, compile, report, places }: ScanInput) {
    this.#topic = topic;
    this.#places = places;
    this.#reader = reader;
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

  setReaders(readers: readonly ScanReader[]): void {
    this.#readers = [...readers];
    const union = [...new Set(readers.flatMap((reader) => [...reader.columns]))].sort(
      (a, b) => a - b,
    );
    this.#decoder = readers.length === 0 ? undefined : this.#compile(union);
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
    let consumed = 0;
    const waiting = this.#stash;
    this.#stash = [];
    for (const { records, from } of waiting) {
      consumed += this.#consume(records, from, stopAt(records.partition));
    }
    // A partition with records held back by a limit has enough in memory; the others are read on.
    const held = new Set(this.#stash.map(({ records }) => records.partition));
    for (const records of this.#reader.poll(bytesMax, held)) {
      consumed += this.#consume(records, 0, stopAt(records.partition));
    }
    return consumed;
  }

  #consume(records: RecordBatch, from: number, stop: Offset): number {
    let to = records.length;
    if (to > from && (records.offsets[to - 1] as number) >= stop) {
      to = from;
      while (to < records.length && (records.offsets[to] as number) < stop) to++;
    }
    for (let start = from; start < to; start += ROWS_PER_BATCH_MAX) {
      this.#deliver(records, start, Math.min(start + ROWS_PER_BATCH_MAX, to));
    }
    if (to > from) {
      this.#positions.set(records.partition, (records.offsets[to - 1] as number) + 1);
    }
    if (to < records.length) this.#stash.push({ records, from: to });
    this.records += to - from;
    return to - from;
  }

  #deliver(records: RecordBatch, start: number, end: number): void {
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
    if (whole.length > 0) this.#decodeFor(records, start, end, whole, true);
    for (const i of partial) {
      const from = this.#readers[i]?.from.get(records.partition) ?? 0;
      let begin = start;
      while ((records.offsets[begin] as number) < from) begin++;
      this.#decodeFor(records, begin, end, [i], whole.length === 0);
    }
  }

  #decodeFor(
    records: RecordBatch,
    start: number,
    end: number,
    readers: readonly number[],
    reportErrors: boolean,
  ): void {
    if (this.#decoder === undefined) return;
    const decoded = this.#decoder.decode(records, start, end);
    if (reportErrors) {
      for (const { record, error } of decoded.errors) this.#report(records, record, error);
    }
    if (decoded.batch.length === 0) return;
    const recordOf = (row: number): number =>
      decoded.recordOf === null ? start + row : (decoded.recordOf[row] as number);
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
