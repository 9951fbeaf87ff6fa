import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordBatch, RecordHeader } from '../../../connectors/connector.ts';
import { readCsv } from '../../../engine/kernel/csv-reader.ts';
import {
  compileRecordDecoder,
  type DecodedColumn,
  type RecordDecoderSpec,
} from '../../../engine/kernel/record-decoder.ts';
import { StreamError } from '../../../sql/base/error.ts';
import type { SqlType } from '../../../sql/base/type.ts';

interface TestRecord {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: readonly RecordHeader[];
}

function recordBatch(records: readonly TestRecord[]): RecordBatch {
  const parts: Buffer[] = [];
  const make = () => new Int32Array(records.length);
  const [keyStarts, keyLengths, valueStarts, valueLengths] = [make(), make(), make(), make()];
  let at = 0;
  const add = (
    part: Buffer | string | null,
    starts: Int32Array,
    lengths: Int32Array,
    i: number,
  ) => {
    const bytes = part === null ? undefined : Buffer.from(part);
    starts[i] = at;
    lengths[i] = bytes?.length ?? -1;
    if (bytes !== undefined) parts.push(bytes);
    at += bytes?.length ?? 0;
  };
  records.forEach(({ key, value }, i) => {
    add(key ?? null, keyStarts, keyLengths, i);
    add(value, valueStarts, valueLengths, i);
  });
  return {
    partition: 3,
    length: records.length,
    bytes: Buffer.concat(parts),
    valueStarts,
    valueLengths,
    keyStarts,
    keyLengths,
    offsets: Float64Array.from(records, (_, i) => 100 + i),
    timestampsMs: Float64Array.from(records, (_, i) => 1_700_000_000_000 + i),
    headers: (row) => records[row]?.headers ?? [],
  };
}

const column = (
  from: DecodedColumn['from'],
  kind: SqlType['kind'],
  notNull = false,
): DecodedColumn => ({
  from,
  type: { kind } as SqlType,
  notNull,
});
const value = (field: string, kind: SqlType['kind'], notNull = false) =>
  column({ kind: 'value', field }, kind, notNull);
const key = (kind: SqlType['kind'], field?: string, notNull = false) =>
  column({ kind: 'key', field }, kind, notNull);
const metadata = (item: 'timestamp' | 'partition' | 'offset' | 'topic', kind: SqlType['kind']) =>
  column({ kind: 'metadata', item }, kind);

/** Per record its row, or the code of its error; undefined for records left out in silence. */
function decode(spec: RecordDecoderSpec, records: readonly TestRecord[]): unknown[] {
  const batch = recordBatch(records);
  const result = compileRecordDecoder(spec).decode(batch, 0, batch.length);
  const out: unknown[] = records.map(() => undefined);
  for (let row = 0; row < result.batch.length; row++) {
    out[result.recordOf === null ? row : (result.recordOf[row] as number)] = result.batch.row(row);
  }
  for (const { record, error } of result.errors) {
    assert.equal(out[record], undefined);
    out[record] = error.code;
  }
  return out;
}

const int32 = (n: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(n);
  return bytes;
};
const int64 = (n: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(n);
  return bytes;
};
const double = (n: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(n);
  return bytes;
};

test('value, key, header and metadata columns stand in the order asked for', () => {
  const spec: RecordDecoderSpec = {
    valueFormat: 'json',
    keyFormat: 'kafka',
    topic: 'orders',
    columns: [
      metadata('offset', 'bigint'),
      value('b', 'text'),
      key('text'),
      metadata('timestamp', 'timestamptz'),
      column({ kind: 'header', header: 'trace' }, 'text'),
      metadata('partition', 'integer'),
      value('a', 'bigint'),
      metadata('topic', 'text'),
    ],
  };
  const headers = [
    { key: 'trace', value: Buffer.from('old') },
    { key: 'trace', value: Buffer.from('new') },
  ];
  assert.deepEqual(
    decode(spec, [
      { key: 'k1', value: '{"a":1,"b":"x"}', headers },
      { key: 'k2', value: '{"a":' },
      { key: Buffer.from([0xff]), value: '{"a":2}' },
      { key: null, value: null },
      { key: null, value: '{"b":"y"}' },
    ]),
    [
      [100n, 'x', 'k1', 1_700_000_000_000_000n, 'new', 3, 1n, 'orders'],
      'RECORD_MALFORMED',
      'VALUE_INVALID_ENCODING',
      undefined,
      [104n, 'y', null, 1_700_000_000_004_000n, null, 3, null, 'orders'],
    ],
  );
});

test("keys in Kafka's own formats", () => {
  const one = (kind: SqlType['kind'], bytes: Buffer | string) =>
    decode({ valueFormat: 'none', keyFormat: 'kafka', columns: [key(kind, 'k')] }, [
      { key: bytes, value: '' },
    ])[0];
  assert.deepEqual(one('integer', int32(-7)), [-7]);
  assert.deepEqual(one('bigint', int64(-(2n ** 63n))), [-(2n ** 63n)]);
  assert.deepEqual(one('double', double(1.5)), [1.5]);
  assert.deepEqual(one('text', 'é'), ['é']);
  assert.deepEqual(one('uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'), [
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  ]);
  assert.equal(one('bigint', '42'), 'RECORD_MALFORMED');
  assert.equal(one('uuid', 'x'), 'VALUE_INVALID_TEXT');
});

test('keys in JSON: one column bare or as a member, several as an object', () => {
  const single = (kind: SqlType['kind'], notNull = false): RecordDecoderSpec => ({
    valueFormat: 'none',
    keyFormat: 'json',
    columns: [key(kind, 'id', notNull)],
  });
  const keys = ['5', '"5"', '{"id":6}', '{"ID":7}', 'x', ' 8 ', '9 9', null].map((text) => ({
    key: text,
    value: '',
  }));
  assert.deepEqual(decode(single('bigint'), keys), [
    [5n],
    [5n],
    [6n],
    [7n],
    'RECORD_MALFORMED',
    [8n],
    'RECORD_MALFORMED',
    [null],
  ]);
  assert.equal(
    decode(single('bigint', true), [{ key: null, value: '' }])[0],
    'CONSTRAINT_NOT_NULL',
  );
  assert.deepEqual(decode(single('text'), [{ key: '{"other":1}', value: '' }]), [['{"other":1}']]);
  const many = { ...single('bigint'), columns: [key('bigint', 'a'), key('text', 'b')] };
  const objects = Array.from({ length: 40 }, (_, i) => ({
    key: `{"a":${i},"b":"k${i}"}`,
    value: '',
  }));
  assert.deepEqual(
    decode(many, objects),
    objects.map((_, i) => [BigInt(i), `k${i}`]),
  );
});

test('tombstones have a row when a table asks for them', () => {
  const spec: RecordDecoderSpec = {
    valueFormat: 'json',
    keyFormat: 'kafka',
    nullRows: true,
    columns: [key('integer', 'id'), value('v', 'text', true)],
  };
  const batch = recordBatch([
    { key: int32(1), value: '{"v":"a"}' },
    { key: int32(1), value: null },
    { key: int32(2), value: '{}' },
  ]);
  const result = compileRecordDecoder(spec).decode(batch, 0, 3);
  assert.deepEqual(
    [result.batch.row(0), result.batch.row(1)],
    [
      [1, 'a'],
      [1, null],
    ],
  );
  assert.deepEqual(result.nulls, [1]);
  assert.deepEqual(
    result.errors.map(({ error }) => error.code),
    ['CONSTRAINT_NOT_NULL'],
  );
});

test('delimited values by position, also when only some columns are asked for', () => {
  const spec: RecordDecoderSpec = {
    valueFormat: 'delimited',
    keyFormat: 'none',
    valueFields: ['a', 'b', 'c'],
    columns: [value('c', 'numeric'), value('a', 'text')],
  };
  const rows = decode(spec, [
    { value: 'x,y,1.50' },
    { value: '"a ""b"", c",,2\r\n' },
    { value: ',,' },
    { value: 'x,y,z' },
    { value: 'x,y,1,2' },
    { value: '"x' },
    { value: 'only' },
  ]);
  assert.equal(String((rows[0] as unknown[])[0]), '1.50');
  assert.deepEqual((rows[1] as unknown[])[1], 'a "b", c');
  assert.deepEqual(rows[2], [null, null]);
  assert.deepEqual(rows.slice(3), [
    'VALUE_INVALID_TEXT',
    'RECORD_MALFORMED',
    'RECORD_MALFORMED',
    [null, 'only'],
  ]);
});

test('a single raw value', () => {
  const spec: RecordDecoderSpec = {
    valueFormat: 'raw',
    keyFormat: 'none',
    columns: [value('v', 'bytea')],
  };
  assert.deepEqual(decode(spec, [{ value: Buffer.from([1, 2]) }, { value: null }]), [
    [new Uint8Array([1, 2])],
    undefined,
  ]);
});

test('a projection without columns still leaves out what is malformed', () => {
  const spec: RecordDecoderSpec = { valueFormat: 'json', keyFormat: 'none', columns: [] };
  assert.deepEqual(decode(spec, [{ value: '{"a":1}' }, { value: '{' }]), [[], 'RECORD_MALFORMED']);
});

test('formats that do not fit are refused', () => {
  const bad = (spec: Partial<RecordDecoderSpec>) => () =>
    compileRecordDecoder({ valueFormat: 'json', keyFormat: 'kafka', columns: [], ...spec });
  const invalid = (error: unknown) =>
    error instanceof StreamError && error.code === 'SQL_INVALID_OPTION';
  assert.throws(bad({ valueFormat: 'xml' }), invalid);
  assert.throws(
    bad({ valueFormat: 'raw', columns: [value('a', 'text'), value('b', 'text')] }),
    invalid,
  );
  assert.throws(bad({ columns: [key('text', 'a'), key('text', 'b')] }), invalid);
});

test('CSV fields (RFC 4180)', () => {
  assert.deepEqual(readCsv('', ','), [undefined]);
  assert.deepEqual(readCsv('a,b', ','), ['a', 'b']);
  assert.deepEqual(readCsv('"",""""', ','), ['', '"']);
  assert.deepEqual(readCsv('"a\n,b";c', ';'), ['a\n,b', 'c']);
  assert.deepEqual(readCsv('a,', ','), ['a', undefined]);
  assert.throws(() => readCsv('a"b', ','), StreamError);
  assert.throws(() => readCsv('"a"b', ','), StreamError);
});
