import assert from 'node:assert/strict';
import { it } from 'node:test';
import { murmur2 as kafkaMurmur2 } from '@platformatic/kafka';
import fc from 'fast-check';
import { murmur2, partitionOfKey, StickyPartitioner } from '../../connectors/partitioner.ts';

/** The vectors of Kafka's own UtilsTest.testMurmur2. */
const vectors: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

it('hashes as Kafka does', () => {
  for (const [text, hash] of vectors) assert.equal(murmur2(Buffer.from(text)), hash);
});

it('hashes any bytes as the Kafka client does', () => {
  const keys = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(keys, (key) => {
      const bytes = Buffer.from(key);
      assert.equal(murmur2(bytes) | 0, kafkaMurmur2(bytes) | 0);
    }),
  );
});

it('puts keys into partitions within the count', () => {
  for (let i = 0; i < 1000; i++) {
    const partition = partitionOfKey(Buffer.from(`${i}`), 7);
    assert.ok(partition >= 0 && partition < 7);
  }
});

it('moves on after a batch of bytes', () => {
  const sticky = new StickyPartitioner();
  const given = Array.from({ length: 9 }, () => sticky.next(8192, 3));
  assert.deepEqual(given, [0, 0, 1, 1, 2, 2, 0, 0, 1]);
});
