import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { compileJsonEncoder } from '../../../engine/kernel/json-encoder.ts';
import { compileJsonScanner } from '../../../engine/kernel/json-scanner.ts';
import type { Datum } from '../../../sql/base/datum.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import { toJson } from '../../../sql/base/text-output.ts';
import type { Schema, SqlType } from '../../../sql/base/type.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);

const int64 = fc.oneof(
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.bigInt(-(2n ** 54n), 2n ** 54n),
  fc.integer().map(BigInt),
  fc.constantFrom(0n, 999_999_999n, 1_000_000_000n, 9_007_199_254_740_992n),
);
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a"b\\c\n\u0001\u001f', ''));
const columns: readonly (readonly [SqlType, fc.Arbitrary<Datum>])[] = [
  [{ kind: 'boolean' }, fc.boolean()],
  [{ kind: 'integer' }, fc.integer()],
  [{ kind: 'bigint' }, int64],
  [{ kind: 'double' }, fc.double()],
  [
    { kind: 'numeric' },
    fc
      .tuple(fc.oneof(int64, fc.bigInt()), fc.integer({ min: 0, max: 30 }))
      .map(([unscaled, scale]) => new Numeric(unscaled, scale)),
  ],
  [{ kind: 'text' }, text],
  [{ kind: 'jsonb' }, fc.constantFrom('{"a": 1}', '[]', '"x"')],
  [{ kind: 'timestamp' }, int64],
  [{ kind: 'timestamptz' }, fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n)],
  [{ kind: 'date' }, fc.integer({ min: -700_000, max: 2_900_000 })],
  [{ kind: 'bytea' }, fc.uint8Array({ maxLength: 8 })],
  [{ kind: 'interval' }, fc.constant({ months: 1, days: 2, micros: 3n })],
  [{ kind: 'array', element: { kind: 'integer' } }, fc.array(fc.integer(), { maxLength: 3 })],
];
const schema: Schema = columns.map(([type], i) => ({ name: `c"${i}`, type, nullable: true }));
const row = fc.tuple(...columns.map(([, values]) => fc.option(values, { freq: 6 })));

test('rows are written as the text writer writes each value', () => {
  const objects = compileJsonEncoder(schema, { layout: 'object' });
  const arrays = compileJsonEncoder(schema, { layout: 'array', separator: ',' });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), fc.nat(2), (rows, skip) => {
      const builder = new BatchBuilder(schema);
      for (const values of rows) builder.add(values);
      const batch = builder.take();
      const expected = rows.map((values) =>
        values.map((value, i) => toJson(value, schema[i]?.type as SqlType)),
      );
      const { bytes, starts, lengths } = objects.encode(batch);
      rows.forEach((_, i) => {
        const start = starts[i] as number;
        const members = expected[i]?.map((value, c) => `"c\\"${c}":${value}`);
        assert.equal(
          bytes.toString('utf8', start, start + (lengths[i] as number)),
          `{${members?.join(',')}}`,
        );
      });
      const from = Math.min(skip, rows.length);
      const whole = arrays.encode(batch, from).bytes.toString();
      assert.equal(
        whole,
        expected
          .slice(from)
          .map((values) => `[${values.join(',')}]`)
          .join(','),
      );
    }),
    { numRuns: runs * 3 },
  );
});

test('what is written as a record is read back the same', () => {
  const encoder = compileJsonEncoder(schema, { layout: 'object', bytea: 'base64' });
  const scanner = compileJsonScanner(
    schema.map(({ name, type }) => ({ field: name, type, notNull: false })),
  );
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 50 }), (rows) => {
      const builder = new BatchBuilder(schema);
      for (const values of rows) {
        // Moments that int64 holds beyond PostgreSQL's calendar have no text to read.
        const inRange = values.map((value, i) =>
          schema[i]?.type.kind === 'timestamp' && value !== null
            ? BigInt.asIntN(52, value as bigint)
            : Number.isNaN(value)
              ? null
              : value,
        );
        builder.add(inRange);
      }
      const batch = builder.take();
      const { bytes, starts, lengths } = encoder.encode(batch);
      const result = scanner.scan(
        {
          partition: 0,
          length: batch.length,
          bytes,
          valueStarts: starts,
          valueLengths: lengths,
          keyStarts: undefined,
          keyLengths: undefined,
          offsets: new Float64Array(batch.length),
          timestampsMs: new Float64Array(batch.length),
          headers: undefined,
        },
        0,
        batch.length,
      );
      assert.deepEqual(result.errors, []);
      for (let r = 0; r < batch.length; r++) assert.deepEqual(result.batch.row(r), batch.row(r));
    }),
    { numRuns: runs },
  );
});

test('rows without columns', () => {
  const builder = new BatchBuilder([]);
  builder.add([]);
  const batch = builder.take();
  assert.equal(compileJsonEncoder([], { layout: 'object' }).encode(batch).bytes.toString(), '{}');
  assert.equal(compileJsonEncoder([], { layout: 'array' }).encode(batch).bytes.toString(), '[]');
});
