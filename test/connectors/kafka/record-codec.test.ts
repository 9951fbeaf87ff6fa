import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32c } from '@platformatic/kafka';
import fc from 'fast-check';
import {
  type AbortedTransaction,
  type DecodedSection,
  decodeSection,
} from '../../../connectors/kafka/record-decoder.ts';
import { codecs, encodeBatch, type TimedRecord } from '../../../connectors/kafka/record-encoder.ts';
import { storedRecord } from '../../../connectors/record-batch.ts';
import { StreamError } from '../../../sql/base/error.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);
const none: readonly AbortedTransaction[] = [];
const identity = { producerId: 77n, producerEpoch: 0, sequence: 0, transactional: false };

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const header = fc
  .tuple(fc.string({ maxLength: 5 }), fc.option(bytes))
  .map(([key, value]) => ({ key, value }));
const record: fc.Arbitrary<TimedRecord> = fc.record({
  record: fc.record({
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(header, { maxLength: 2 }),
  }),
  timestampMs: fc.oneof(
    fc.integer({ min: 1_600_000_000_000, max: 1_600_000_100_000 }),
    fc.integer({ min: 0, max: 4_000_000_000_000 }),
  ),
});
const records = fc.array(record, { minLength: 1, maxLength: 30 });

/** A batch as a broker stores it: at a base offset, with more attributes. */
function stored(batch: Buffer, baseOffset: number, attributes = 0, producerId = 77n): Buffer {
  const copy = Buffer.from(batch);
  copy.writeBigInt64BE(BigInt(baseOffset), 0);
  copy.writeInt16BE(copy.readInt16BE(21) | attributes, 21);
  copy.writeBigInt64BE(producerId, 43);
  return signed(copy);
}

function signed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

function decode(
  section: Buffer,
  wanted = 0,
  { end = section.length, checkCrcs = true, aborted = none } = {},
): DecodedSection {
  return decodeSection({ bytes: section, start: 0, end, partition: 0, aborted }, wanted, checkCrcs);
}

function simple(...texts: string[]): Buffer {
  return encodeBatch(
    texts.map((text) => ({ record: { key: null, value: Buffer.from(text) }, timestampMs: 1000 })),
    identity,
    'none',
  );
}

function decodedTexts(section: DecodedSection): string[] {
  const batch = section.records;
  if (batch === undefined) return [];
  return Array.from(
    { length: batch.length },
    (_, r) => `${batch.offsets[r]}:${storedRecord(batch, r).value?.toString()}`,
  );
}

/** A control batch that ends a transaction of a producer. */
function marker(offset: number, producerId: bigint, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const batch = encodeBatch(
    [{ record: { key, value: Buffer.alloc(6) }, timestampMs: 1000 }],
    identity,
    'none',
  );
  return stored(batch, offset, 0b110000, producerId);
}

describe('kafka record batches', () => {
  it('come back as they were written, in every codec', () => {
    fc.assert(
      fc.property(records, records, fc.constantFrom(...codecs), (first, second, codec) => {
        const section = Buffer.concat([
          Buffer.from('junk'),
          stored(encodeBatch(first, identity, codec), 100),
          stored(encodeBatch(second, identity, 'none'), 200),
        ]);
        const { length } = section;
        const where = { bytes: section, start: 4, end: length, partition: 3, aborted: none };
        const decoded = decodeSection(where, 0, true);
        assert.equal(decoded.nextOffset, 200 + second.length);
        const batch = decoded.records;
        assert.ok(batch !== undefined);
        const expected = [...first.entries(), ...second.entries()].map(([i, timed], row) => ({
          partition: 3,
          offset: (row < first.length ? 100 : 200) + i,
          timestampMs: timed.timestampMs,
          key: timed.record.key,
          value: timed.record.value,
          headers: timed.record.headers,
        }));
        assert.deepEqual(
          Array.from({ length: batch.length }, (_, r) => storedRecord(batch, r)),
          expected,
        );
      }),
      { numRuns: runs },
    );
  });

  it('never do worse than an error when their bytes are damaged', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(records, damage, fc.constantFrom(...codecs), (list, hits, codec) => {
        const section = stored(encodeBatch(list, identity, codec), 0);
        for (const [at, value] of hits) section[at % section.length] = value;
        try {
          const { records: batch } = decode(section, 0, { checkCrcs: false });
          for (let r = 0; r < (batch?.length ?? 0); r++) {
            const start = batch?.valueStarts[r] ?? 0;
            const length = batch?.valueLengths[r] ?? 0;
            assert.ok(start >= 0 && start + length <= (batch?.bytes.length ?? 0));
          }
        } catch (error) {
          assert.ok(error instanceof StreamError, String(error));
        }
      }),
      { numRuns: runs * 5 },
    );
  });

  it('leave out records before the wanted offset, and a batch that is cut', () => {
    const whole = Buffer.concat([stored(simple('a', 'b', 'c'), 10), stored(simple('d', 'e'), 20)]);
    assert.deepEqual(decodedTexts(decode(whole, 11)), ['11:b', '12:c', '20:d', '21:e']);
    for (const cut of [1, 30, 75]) {
      const section = decode(whole, 12, { end: whole.length - cut });
      assert.deepEqual(decodedTexts(section), ['12:c']);
      assert.equal(section.nextOffset, 13);
    }
    const behind = decode(whole, 22);
    assert.deepEqual([behind.records, behind.nextOffset], [undefined, 22]);
  });

  it('take the time of appending where the topic says so', () => {
    const batch = stored(simple('a', 'b'), 0, 0b1000);
    batch.writeBigInt64BE(5_000n, 35);
    const { records: decoded } = decode(signed(batch));
    assert.deepEqual([...(decoded?.timestampsMs ?? [])], [5000, 5000]);
  });

  it('hide markers and the records of aborted transactions', () => {
    const transactional = 0b10000;
    const section = Buffer.concat([
      stored(simple('plain'), 0),
      stored(simple('aborted'), 1, transactional, 8n),
      stored(simple('committed'), 2, transactional, 9n),
      stored(simple('aborted too'), 3, transactional, 8n),
      marker(4, 8n, 'abort'),
      marker(5, 9n, 'commit'),
      stored(simple('second try'), 6, transactional, 8n),
      marker(7, 8n, 'commit'),
    ]);
    const aborted = [{ producerId: 8, firstOffset: 1 }];
    const decoded = decode(section, 0, { aborted });
    assert.deepEqual(decodedTexts(decoded), ['0:plain', '2:committed', '6:second try']);
    assert.equal(decoded.nextOffset, 8);
    const uncommitted = decode(section);
    assert.equal(uncommitted.records?.length, 5);
  });

  it('are refused in old formats', () => {
    const old = stored(simple('a'), 0);
    old[16] = 1;
    assert.throws(() => decode(old), /message format v1/);
  });

  it('are checked by their checksum', () => {
    const damaged = stored(simple('a'), 0);
    damaged[damaged.length - 2] = 0x62;
    assert.throws(() => decode(damaged), /checksum/);
    assert.deepEqual(decodedTexts(decode(damaged, 0, { checkCrcs: false })), ['0:b']);
  });
});
