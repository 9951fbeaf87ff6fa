import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeOutbox, encodeOutbox } from '../../../engine/runtime/outbox-codec.ts';

const bytes = fc.option(fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)));
const record = fc.record(
  {
    key: bytes,
    value: bytes,
    timestampMs: fc.integer({ min: 0 }),
    headers: fc.array(
      fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytes }, { noNullPrototype: true }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  },
  { requiredKeys: ['key', 'value'], noNullPrototype: true },
);

test('records come out of the outbox as they went in', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), (records) => {
      assert.deepEqual(decodeOutbox(encodeOutbox(records)), records);
    }),
  );
});
