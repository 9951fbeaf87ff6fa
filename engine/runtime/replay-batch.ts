/** Rows of a stream's error relation as the records that they were. */
import type { RecordBatch, RecordHeader } from '../../connectors/connector.ts';
import type { Row } from '../../sql/base/datum.ts';
import { RECORD_ERROR } from './error-schema.ts';

/** What became of the records that were to be replayed. */
export interface ReplayCounts {
  replayed: number;
  /** They still cannot be read. */
  failed: number;
  /** Only the beginning of them is kept. */
  cut: number;
}

export interface ReplayBatch {
  /** Row r is record r. */
  readonly rows: readonly Row[];
  readonly records: RecordBatch;
}

/** One batch a partition, offsets ascending; records that were cut are left out. */
export function replayBatches(rows: readonly Row[]): readonly ReplayBatch[] {
  const byPartition = new Map<number, Row[]>();
  for (const row of rows) {
    if (row[RECORD_ERROR.cut] === true) continue;
    const partition = Number(row[RECORD_ERROR.partition]);
    const own = byPartition.get(partition);
    if (own === undefined) byPartition.set(partition, [row]);
    else own.push(row);
  }
  return [...byPartition].map(([partition, own]) => {
    own.sort((a, b) => Number(a[RECORD_ERROR.offset]) - Number(b[RECORD_ERROR.offset]));
    return { rows: own, records: recordsOf(partition, own) };
  });
}

function recordsOf(partition: number, rows: readonly Row[]): RecordBatch {
  const length = rows.length;
  const pieces: Uint8Array[] = [];
  let at = 0;
  const place = (value: unknown, starts: Int32Array, lengths: Int32Array, row: number): void => {
    starts[row] = at;
    lengths[row] = value instanceof Uint8Array ? value.length : -1;
    if (!(value instanceof Uint8Array)) return;
    pieces.push(value);
    at += value.length;
  };
  const columns = Array.from({ length: 4 }, () => new Int32Array(length));
  const [keyStarts, keyLengths, valueStarts, valueLengths] = columns as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  rows.forEach((row, i) => {
    place(row[RECORD_ERROR.key], keyStarts, keyLengths, i);
    place(row[RECORD_ERROR.raw], valueStarts, valueLengths, i);
  });
  return {
    partition,
    length,
    bytes: Buffer.concat(pieces),
    keyStarts,
    keyLengths,
    valueStarts,
    valueLengths,
    offsets: Float64Array.from(rows, (row) => Number(row[RECORD_ERROR.offset])),
    timestampsMs: Float64Array.from(rows, (row) => Number(row[RECORD_ERROR.timestamp]) / 1000),
    headers: (row) => headersOf(rows[row]),
  };
}

export function headersOf(row: Row | undefined): readonly RecordHeader[] {
  const headers = row?.[RECORD_ERROR.headers];
  if (!Array.isArray(headers)) return [];
  return headers.map((header: Row) => {
    const [key, value] = header;
    return {
      key: String(key),
      value: value instanceof Uint8Array ? Buffer.from(value) : null,
    };
  });
}
