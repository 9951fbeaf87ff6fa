import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RecordBatch } from '../../../connectors/connector.ts';
import { compileJsonScanner, type ScanField } from '../../../engine/kernel/json-scanner.ts';
import { JSON_DEPTH_MAX } from '../../../engine/kernel/json-walker.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import type { SqlType } from '../../../sql/base/type.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);

export function recordsOf(values: readonly (Buffer | string | null)[], slack = 0): RecordBatch {
  const buffers = values.map((value) => (value === null ? null : Buffer.from(value)));
  const bytes = Buffer.concat([...buffers.flatMap((b) => b ?? []), Buffer.alloc(slack, 49)]);
  const valueStarts = new Int32Array(values.length);
  const valueLengths = new Int32Array(values.length);
  let at = 0;
  buffers.forEach((buffer, i) => {
    valueStarts[i] = at;
    valueLengths[i] = buffer === null ? -1 : buffer.length;
    at += buffer?.length ?? 0;
  });
  return {
    partition: 0,
    length: values.length,
    bytes,
    valueStarts,
    valueLengths,
    keyStarts: undefined,
    keyLengths: undefined,
    offsets: Float64Array.from(values, (_, i) => i),
    timestampsMs: new Float64Array(values.length),
    headers: undefined,
  };
}

const field = (name: string, kind: SqlType['kind'], notNull = false): ScanField => ({
  field: name,
  type: { kind } as SqlType,
  notNull,
});

/** Rows by record number; an error by its code. */
function scanAll(
  fields: readonly ScanField[],
  values: readonly (Buffer | string | null)[],
  slack = 64,
) {
  const scanner = compileJsonScanner(fields);
  const records = recordsOf(values, slack);
  const { batch, recordOf, errors, nulls } = scanner.scan(records, 0, records.length);
  const out: unknown[] = values.map(() => undefined);
  for (let row = 0; row < batch.length; row++) {
    out[recordOf === null ? row : (recordOf[row] as number)] = batch.row(row);
  }
  for (const { record, error } of errors) out[record] = error.code;
  for (const record of nulls) out[record] = 'null';
  return out;
}

/** One value in a record of its own, by the second tier and (repeated) by the first. */
function readOne(type: SqlType, json: string): unknown {
  const text = `{"x":${json},"y":1}`;
  const fields = [{ field: 'x', type, notNull: false }];
  const results = scanAll(fields, new Array<string>(40).fill(text)).map((row) =>
    Array.isArray(row) ? row[0] : row,
  );
  for (const result of results) assert.deepEqual(result, results[0]);
  return results[0];
}

test('values convert as documented', () => {
  const numeric = (text: string) => Numeric.parse(text);
  const cases: [SqlType, string, unknown][] = [
    [{ kind: 'bigint' }, '9223372036854775807', 9223372036854775807n],
    [{ kind: 'bigint' }, '-9223372036854775808', -9223372036854775808n],
    [{ kind: 'bigint' }, '9223372036854775808', 'VALUE_OUT_OF_RANGE'],
    [{ kind: 'bigint' }, '123456789', 123456789n],
    [{ kind: 'bigint' }, '-1234567890', -1234567890n],
    [{ kind: 'bigint' }, '-123', -123n],
    [{ kind: 'bigint' }, '-0', 0n],
    [{ kind: 'bigint' }, '999999999999999', 999999999999999n],
    [{ kind: 'bigint' }, '9999999999999999', 9999999999999999n],
    [{ kind: 'bigint' }, '1e3', 1000n],
    [{ kind: 'bigint' }, '12.0', 12n],
    [{ kind: 'bigint' }, '1.5', 'VALUE_INVALID_TEXT'],
    [{ kind: 'bigint' }, '"42"', 42n],
    [{ kind: 'bigint' }, '"4x"', 'VALUE_INVALID_TEXT'],
    [{ kind: 'bigint' }, 'null', null],
    [{ kind: 'bigint' }, 'true', 'VALUE_INVALID_TEXT'],
    [{ kind: 'integer' }, '2147483647', 2147483647],
    [{ kind: 'integer' }, '-2147483648', -2147483648],
    [{ kind: 'integer' }, '2147483648', 'VALUE_OUT_OF_RANGE'],
    [{ kind: 'smallint' }, '-32768', -32768],
    [{ kind: 'smallint' }, '32768', 'VALUE_OUT_OF_RANGE'],
    [{ kind: 'double' }, '0.1', 0.1],
    [{ kind: 'double' }, '-0', -0],
    [{ kind: 'double' }, '-0.0', -0],
    [{ kind: 'double' }, '1.7976931348623157e308', Number.MAX_VALUE],
    [{ kind: 'double' }, '1e400', 'VALUE_OUT_OF_RANGE'],
    [{ kind: 'double' }, '5e-324', 5e-324],
    [{ kind: 'double' }, '123456789012345678', 123456789012345680],
    [{ kind: 'double' }, '"NaN"', Number.NaN],
    [{ kind: 'real' }, '0.1', Math.fround(0.1)],
    [{ kind: 'numeric' }, '1.50', numeric('1.50')],
    [{ kind: 'numeric' }, '-0.001', numeric('-0.001')],
    [{ kind: 'numeric' }, '1e3', numeric('1000')],
    [
      { kind: 'numeric' },
      '12345678901234567890.123456789',
      numeric('12345678901234567890.123456789'),
    ],
    [{ kind: 'numeric', precision: 6, scale: 2 }, '1.5', numeric('1.50')],
    [{ kind: 'numeric', precision: 6, scale: 2 }, '1.555', numeric('1.56')],
    [{ kind: 'numeric', precision: 6, scale: 2 }, '99999.5', 'VALUE_OUT_OF_RANGE'],
    [{ kind: 'text' }, '"héllo 😀"', 'héllo 😀'],
    [{ kind: 'text' }, '"a\\n\\u00e9\\ud83d\\ude00"', 'a\né😀'],
    [{ kind: 'text' }, '"\\ud800x"', '\ufffdx'],
    [{ kind: 'text' }, '1.50', '1.50'],
    [{ kind: 'text' }, 'true', 'true'],
    [{ kind: 'text' }, '{"b": [1, "\\n"]}', '{"b": [1, "\\n"]}'],
    [{ kind: 'varchar', length: 3 }, '"äöü"', 'äöü'],
    [{ kind: 'varchar', length: 3 }, '"abcd"', 'VALUE_TOO_LONG'],
    [{ kind: 'char', length: 3 }, '"a"', 'a  '],
    [{ kind: 'boolean' }, 'true', true],
    [{ kind: 'boolean' }, 'false', false],
    [{ kind: 'boolean' }, '"yes"', true],
    [{ kind: 'timestamp' }, '"2024-02-29T12:34:56.789Z"', 1709210096789000n],
    [{ kind: 'timestamp' }, '"2024-02-29 12:34:56"', 1709210096000000n],
    [{ kind: 'timestamp' }, '"1969-12-31 23:59:59.999999"', -1n],
    [{ kind: 'timestamp' }, '"2023-02-29 12:34:56"', 'VALUE_DATETIME_OVERFLOW'],
    [{ kind: 'timestamp', precision: 3 }, '"2024-02-29 12:34:56.7896"', 1709210096790000n],
    [{ kind: 'timestamptz' }, '"2024-02-29T12:34:56+02:00"', 1709202896000000n],
    [{ kind: 'timestamptz' }, '1709210096789', 1709210096789000n],
    [{ kind: 'timestamptz' }, '1709210096789.5', 1709210096789500n],
    [{ kind: 'timestamptz' }, '-1', -1000n],
    [{ kind: 'date' }, '"1970-01-03"', 2],
    [{ kind: 'date' }, '19000', 19000],
    [{ kind: 'time' }, '"00:00:01.5"', 1500000n],
    [{ kind: 'interval' }, '"1 day 2 seconds"', { months: 0, days: 1, micros: 2000000n }],
    [{ kind: 'bytea' }, '"AQID"', new Uint8Array([1, 2, 3])],
    [{ kind: 'bytea' }, '"\\\\x0102"', new Uint8Array([1, 2])],
    [{ kind: 'bytea' }, '"A"', 'VALUE_INVALID_TEXT'],
    [
      { kind: 'uuid' },
      '"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    ],
    [
      { kind: 'uuid' },
      '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    ],
    [{ kind: 'uuid' }, '"a0"', 'VALUE_INVALID_TEXT'],
    [{ kind: 'json' }, '{"b":1, "a":"x"}', '{"b":1, "a":"x"}'],
    [{ kind: 'jsonb' }, '{"b":1.0,"a":"x","b":2.50}', '{"a": "x", "b": 2.50}'],
    [{ kind: 'array', element: { kind: 'integer' } }, '[1, null ,3]', [1, null, 3]],
    [{ kind: 'array', element: { kind: 'integer' } }, '[]', []],
    [
      {
        kind: 'row',
        fields: [
          { name: 'a', type: { kind: 'integer' }, nullable: true },
          { name: 'b', type: { kind: 'text' }, nullable: true },
        ],
      },
      '{"B": "x\\u0041", "c": [], "a": 7}',
      [7, 'xA'],
    ],
  ];
  for (const [type, json, expected] of cases) {
    assert.deepEqual(readOne(type, json), expected, `${type.kind} ${json}`);
  }
});

test('an exact name wins over one that differs by case; the last duplicate wins', () => {
  const fields = [field('id', 'bigint'), field('Name', 'text')];
  assert.deepEqual(
    scanAll(fields, [
      '{"ID":1,"name":"a"}',
      '{"ID":1,"id":2,"ID":3}',
      '{"id":1,"id":2}',
      '{"\\u0069d":5,"NAME":"x","Name":"y","NAME":"z"}',
      '{}',
      ' {\t"id" :\n7 } ',
      null,
      '',
      '[1]',
      '{"id":1}x',
      '{"id":9223372036854775808,"id":1}',
    ]),
    [
      [1n, 'a'],
      [2n, null],
      [2n, null],
      [5n, 'y'],
      [null, null],
      [7n, null],
      'null',
      'RECORD_MALFORMED',
      'RECORD_MALFORMED',
      'RECORD_MALFORMED',
      [1n, null],
    ],
  );
});

test('two fields may read one member', () => {
  const fields = [field('a', 'bigint'), field('A', 'text'), field('a', 'text')];
  const rows = scanAll(fields, new Array<string>(50).fill('{"a":1}'));
  for (const row of rows) assert.deepEqual(row, [1n, '1', '1']);
});

test('NOT NULL refuses null and missing members', () => {
  const rows = scanAll([field('a', 'bigint', true)], ['{"a":1}', '{"a":null}', '{}']);
  assert.deepEqual(rows, [[1n], 'CONSTRAINT_NOT_NULL', 'CONSTRAINT_NOT_NULL']);
});

test('nesting is walked up to its bound', () => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  const [ok, tooDeep] = scanAll([], [nested(JSON_DEPTH_MAX), nested(JSON_DEPTH_MAX + 1)]);
  assert.deepEqual([ok, tooDeep], [[], 'RECORD_MALFORMED']);
});

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What JSON.parse says: undefined for a record that must be refused. */
function judge(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(strictUtf8.decode(bytes));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const names = ['auction', 'price', 'channel', 'ok', 'deep', 'naïve', ''];
const space = fc.constantFrom('', '', '', ' ', '\n\t ');
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('\\', '"', '\u0001', 'é\n', '😀', 'plain text of some length'),
);
const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt(-(2n ** 64n), 2n ** 64n).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '-0',
    '0.0',
    '1.50',
    '1e3',
    '1E+2',
    '12345678901234567890123',
    '0.1e-7',
    '01',
    '1.',
    '.5',
    '-',
    '+1',
    '1e',
  ),
);
const literal = (value: string): fc.Arbitrary<string> =>
  fc
    .boolean()
    .map((escaped) =>
      escaped
        ? `"${[...Array(value.length).keys()].map((i) => `\\u${value.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
        : JSON.stringify(value),
    );
/**
 * Member names without a backslash, of which V8 13.6 is no judge: it compares the next name's bytes as they are written
 * with the name that it expects, so that JSON.parse('{"a":1,"\\\\":2}') makes JSON.parse('{"a":1,"\\"":2}') answer {"a":1,"\\\\":2}.
 */
const memberName = text.map((name) => name.replaceAll('\\', '/'));
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(text.chain(literal), number, fc.constantFrom('null', 'true', 'false', 'nul', 'True')),
    fc
      .tuple(fc.array(tie('json'), { maxLength: 3 }), space)
      .map(([items, s]) => `[${s}${items.join(`${s},${s}`)}${s}]`),
    fc
      .tuple(fc.array(fc.tuple(memberName, tie('json')), { maxLength: 3 }), space)
      .map(
        ([items, s]) =>
          `{${s}${items.map(([k, v]) => `${JSON.stringify(k)}:${s}${v}`).join(`${s},`)}${s}}`,
      ),
  ),
}));
const record = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...names).chain(literal), json), { maxLength: 6 }),
    space,
    space,
  )
  .map(
    ([members, a, b]) =>
      `${b}{${a}${members.map(([k, v]) => `${k}${a}:${b}${v}`).join(`${a},${b}`)}${b}}${a}`,
  );
const mutation = fc.record({
  kind: fc.constantFrom('none', 'none', 'none', 'flip', 'drop', 'double', 'cut'),
  at: fc.nat(),
  byte: fc.integer({ min: 0, max: 255 }),
});

function mutate(
  value: Buffer,
  { kind, at, byte }: { kind: string; at: number; byte: number },
): Buffer {
  if (value.length === 0) return value;
  const place = at % value.length;
  switch (kind) {
    case 'flip': {
      const copy = Buffer.from(value);
      copy[place] = byte;
      return copy;
    }
    case 'drop':
      return Buffer.concat([value.subarray(0, place), value.subarray(place + 1)]);
    case 'double':
      return Buffer.concat([value.subarray(0, place + 1), value.subarray(place)]);
    case 'cut':
      return value.subarray(0, place);
    default:
      return value;
  }
}

const lower = (name: string) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Members as a json column gives them: the text as written, which must mean what JSON.parse found. */
function checkRecord(value: Buffer, row: unknown): void {
  const expected = judge(value);
  const shown = value.toString();
  if (expected === undefined) {
    assert.equal(row, 'RECORD_MALFORMED', shown);
    return;
  }
  assert.ok(Array.isArray(row), shown);
  names.forEach((name, i) => {
    const folded = Object.keys(expected).findLast((key) => lower(key) === lower(name));
    const found = Object.hasOwn(expected, name) ? name : folded;
    const own = found === undefined ? null : expected[found];
    if (own === null || own === undefined) assert.equal(row[i], null, shown);
    else assert.deepEqual(JSON.parse(row[i] as string), own, shown);
  });
}

test('accepts and finds what JSON.parse does, in any order and spelling', () => {
  const fields = names.map((name) => field(name, 'json'));
  fc.assert(
    fc.property(fc.array(fc.tuple(record, mutation), { minLength: 1, maxLength: 8 }), (items) => {
      const values = items.map(([value, how]) => mutate(Buffer.from(value), how));
      const rows = scanAll(fields, values, 0);
      for (const [i, value] of values.entries()) checkRecord(value, rows[i]);
    }),
    { numRuns: runs * 5 },
  );
});

/** Bytes that mean something to a scanner, or are wrong in UTF-8. */
const pieces: readonly Buffer[] = [
  ...[
    '0',
    '00',
    '9',
    '-',
    '.',
    'e',
    '"',
    '\\',
    '\n',
    '\u0000',
    '\u001f',
    ',',
    ':',
    '{',
    '}',
    ' ',
    'é',
    '12345678',
  ].map((text) => Buffer.from(text)),
  ...['eda080', 'c080', 'f5808080', 'e282', '80', 'f0808080', 'f4908080', 'ff'].map((hex) =>
    Buffer.from(hex, 'hex'),
  ),
];
const typedFields = [
  field('auction', 'bigint'),
  field('n', 'integer'),
  field('price', 'numeric'),
  field('d', 'double'),
  field('channel', 'text'),
  field('ok', 'boolean'),
  field('at', 'timestamp'),
];
const typedRecord =
  '{"auction":12,"skip":-1.5,"n":7,"price":1.50,"d":2.5,"channel":"Apple","s":"a longer text","ok":true,"at":"2024-02-29T12:34:56.789Z"}';

function typedAnswer(value: Record<string, unknown>, source: string): unknown[] | undefined {
  const { auction, n, d, channel, ok } = value;
  const plain =
    Number.isSafeInteger(auction) &&
    Number.isInteger(n) &&
    Math.abs(Number(n)) < 2 ** 31 &&
    typeof value.price === 'number' &&
    typeof d === 'number' &&
    Number.isFinite(d) &&
    typeof channel === 'string' &&
    typeof ok === 'boolean' &&
    value.at === '2024-02-29T12:34:56.789Z';
  const price = /"price":([-0-9.]+),/.exec(source)?.[1];
  if (!plain || price === undefined) return undefined;
  return [
    BigInt(auction as number),
    Number(n) + 0,
    Numeric.parse(price),
    d,
    channel,
    ok,
    1709210096789000n,
  ];
}

test('the template tier refuses what JSON.parse refuses, and reads the rest alike', () => {
  const good = Buffer.from(typedRecord);
  const values = new Array<Buffer>(33).fill(good);
  for (let place = 0; place <= good.length; place++) {
    for (const bytes of pieces) {
      for (const over of [0, bytes.length]) {
        const rest = good.subarray(Math.min(place + over, good.length));
        values.push(Buffer.concat([good.subarray(0, place), bytes, rest]));
      }
    }
  }
  const rows = scanAll(typedFields, values);
  for (const [i, value] of values.entries()) {
    const parsed = judge(value);
    const shown = value.toString('latin1');
    if (parsed === undefined) {
      assert.equal(rows[i], 'RECORD_MALFORMED', shown);
      continue;
    }
    assert.notEqual(rows[i], 'RECORD_MALFORMED', shown);
    const expected = typedAnswer(parsed, value.toString());
    if (expected !== undefined) assert.deepEqual(rows[i], expected, shown);
  }
});

test('records of several shapes, also more than are learnt', () => {
  const shape = (i: number, kind: number): string => {
    const members = [`"a":${i}`, '"b":null', `"c":"text ${i}"`, `"d":${i}.5`, '"e":true'];
    const kept = members.filter((_, m) => ((kind >> m) & 1) === 0);
    return `{${kept.join(',')}}`;
  };
  const fields = [
    field('a', 'bigint'),
    field('c', 'text'),
    field('d', 'numeric'),
    field('b', 'text'),
  ];
  for (const kinds of [1, 3, 32]) {
    const values = Array.from({ length: 3000 }, (_, i) => shape(i, i % kinds));
    const scanner = compileJsonScanner(fields);
    const records = recordsOf(values, 64);
    for (let from = 0; from < 3000; from += 500) {
      const { batch, errors } = scanner.scan(records, from, from + 500);
      assert.deepEqual([batch.length, errors.length], [500, 0]);
      for (let row = 0; row < 500; row++) {
        const i = from + row;
        const has = (member: number) => (((i % kinds) >> member) & 1) === 0;
        assert.deepEqual(batch.row(row), [
          has(0) ? BigInt(i) : null,
          has(2) ? `text ${i}` : null,
          has(3) ? Numeric.parse(`${i}.5`) : null,
          null,
        ]);
      }
    }
  }
});

test('bytes behind a record do not complete it', () => {
  const one = Buffer.from(typedRecord);
  const bytes = Buffer.concat([...new Array<Buffer>(40 + one.length).fill(one), Buffer.alloc(64)]);
  const length = 40 + one.length;
  const valueStarts = Int32Array.from({ length }, (_, i) => i * one.length);
  // Forty whole records teach the template; of the rest ever more of the end is cut off.
  const valueLengths = Int32Array.from({ length }, (_, i) => one.length - Math.max(0, i - 39));
  const scanner = compileJsonScanner(typedFields);
  const base = recordsOf(new Array<string>(length).fill(''));
  const { batch, errors } = scanner.scan({ ...base, bytes, valueStarts, valueLengths }, 0, length);
  assert.equal(batch.length, 40);
  assert.equal(errors.length, one.length);
});

test('both fast tiers and the exact one agree on typed columns', () => {
  const fields = [
    field('auction', 'bigint'),
    field('price', 'numeric'),
    field('channel', 'text'),
    field('ok', 'boolean'),
    field('deep', 'double'),
    field('at', 'timestamp'),
    field('n', 'integer'),
  ];
  const value = fc.record({
    auction: fc.oneof(fc.integer(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constant(null)),
    price: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
      fc.integer(),
    ),
    channel: fc.oneof(text, fc.constant(null)),
    ok: fc.option(fc.boolean()),
    deep: fc.double({ noNaN: true, noDefaultInfinity: true }),
    at: fc.date({ noInvalidDate: true, min: new Date(-1e13), max: new Date(4e12) }),
    n: fc.option(fc.integer()),
  });
  fc.assert(
    fc.property(fc.array(value, { minLength: 40, maxLength: 60 }), (items) => {
      const values = items.map((item) => {
        const members = Object.entries(item).map(([key, member]) => {
          const shown = typeof member === 'bigint' ? member.toString() : JSON.stringify(member);
          return `"${key}":${shown}`;
        });
        return `{${members.join(',')}}`;
      });
      const rows = scanAll(fields, values);
      items.forEach((item, i) => {
        assert.deepEqual(
          rows[i],
          [
            item.auction === null ? null : BigInt(item.auction),
            Numeric.parse(JSON.stringify(item.price)),
            item.channel?.toWellFormed() ?? null,
            item.ok,
            JSON.parse(JSON.stringify(item.deep)),
            BigInt(item.at.getTime()) * 1000n,
            item.n,
          ],
          values[i],
        );
      });
    }),
    { numRuns: runs },
  );
});
