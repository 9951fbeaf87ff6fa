import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordBatch, SourceReader } from '../../../connectors/connector.ts';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { RecordPlaces } from '../../../engine/runtime/record-place.ts';
import { RECORD_BYTES_MAX, ScanCursor } from '../../../engine/runtime/scan-cursor.ts';
import { StreamError } from '../../../sql/base/error.ts';

/** Records of the given lengths, back to back. */
function recordsOf(lengths: readonly number[]): RecordBatch {
  const valueLengths = Int32Array.from(lengths);
  const valueStarts = new Int32Array(lengths.length);
  for (let r = 1; r < lengths.length; r++) {
    valueStarts[r] = (valueStarts[r - 1] as number) + (valueLengths[r - 1] as number);
  }
  return {
    partition: 0,
    length: lengths.length,
    bytes: Buffer.alloc(lengths.reduce((sum, length) => sum + length, 0)),
    valueStarts,
    valueLengths,
    keyStarts: undefined,
    keyLengths: undefined,
    offsets: Float64Array.from(lengths, (_, r) => 10 + r),
    timestampsMs: new Float64Array(lengths.length),
    headers: undefined,
  };
}

/** Reads each batch once. */
function readerOf(batches: RecordBatch[]): SourceReader {
  return {
    partitions: () => 1,
    poll: () => batches.splice(0),
    onReadable: () => undefined,
    endOffsets: async () => new Map(),
    fault: () => undefined,
    close: async () => undefined,
  };
}

const schema = [{ name: 'length', type: { kind: 'integer' }, nullable: false }] as const;

/** A row is a record's length; a record of 13 bytes cannot be read. Longer ones than the bound must not come here. */
function scan(lengths: readonly number[], isFatal = false) {
  const rows: number[] = [];
  const bad: [number, string][] = [];
  const cursor = new ScanCursor({
    reader: readerOf([recordsOf(lengths)]),
    from: new Map([[0, 10]]),
    topic: 't',
    compile: () => ({
      decode: (records, from, to) => {
        const builder = new BatchBuilder(schema);
        const errors = [];
        const recordOf: number[] = [];
        for (let record = from; record < to; record++) {
          const length = records.valueLengths[record] as number;
          assert.ok(length <= RECORD_BYTES_MAX, 'too long to be decoded');
          if (length === 13)
            errors.push({ record, error: new StreamError('VALUE_INVALID_TEXT', 'x') });
          else {
            builder.add([length]);
            recordOf.push(record);
          }
        }
        return { batch: builder.take(), recordOf: Int32Array.from(recordOf), errors };
      },
    }),
    report: (_, record, error) => bad.push([record, error.sqlstate]),
    isFatal: () => isFatal,
    leftOut: () => new Set(),
    places: new RecordPlaces(),
    lateness: undefined,
  });
  cursor.setReaders([
    {
      columns: [0],
      from: new Map(),
      startOf: () => 0,
      take: (batch) => {
        for (let i = 0; i < batch.length; i++) rows.push(Number(batch.row(i)[0]));
      },
    },
  ]);
  return { cursor, rows, bad };
}

const LONG = RECORD_BYTES_MAX + 1;

test('records that are too long are bad records, wherever they stand', () => {
  for (const lengths of [[1, LONG, 2], [LONG], [LONG, 1], [1, LONG], [LONG, LONG, 13, 3]]) {
    const { cursor, rows, bad } = scan(lengths);
    assert.equal(cursor.step(1), lengths.length);
    assert.deepEqual(
      rows,
      lengths.filter((length) => length < 10),
    );
    assert.deepEqual(
      bad,
      lengths.flatMap((length, r): [number, string][] =>
        length < 10 ? [] : [[r, length === LONG ? '22P04' : '22P02']],
      ),
    );
    assert.equal(cursor.positions.get(0), 10 + lengths.length);
  }
});

test('a cursor that stops at bad records passes everything before the first one, and nothing after it', () => {
  for (const at of [0, 1, 3]) {
    for (const length of [13, LONG]) {
      const lengths = [1, 2, 3, 4];
      lengths.splice(at, 0, length);
      const { cursor, rows } = scan(lengths, true);
      assert.equal(cursor.step(1), at);
      assert.deepEqual(rows, lengths.slice(0, at));
      assert.equal(cursor.stoppedAt?.offset, 10 + at);
      assert.equal(cursor.positions.get(0), 10 + at);
      assert.equal(cursor.step(1), 0, 'it stands');
      cursor.goOn();
      assert.equal(cursor.step(1), 0, 'it tries again, and stands');
      assert.equal(cursor.stoppedAt?.offset, 10 + at);
      assert.deepEqual(rows, lengths.slice(0, at));
    }
  }
});
