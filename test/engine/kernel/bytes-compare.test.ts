import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileLike, orderBytes, sameBytes } from '../../../engine/kernel/bytes-compare.ts';
import { codePointCount, isUtf8 } from '../../../engine/kernel/utf8.ts';
import { compareText } from '../../../sql/base/text-order.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀', '\uffff'), maxLength: 6 });
/** The text somewhere inside other bytes. */
const placed = (value: string) => {
  const inner = Buffer.from(value);
  return [Buffer.concat([Buffer.from('xy'), inner, Buffer.from('z')]), 2, inner.length] as const;
};

test('bytes are ordered and equal as text is', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(Math.sign(orderBytes(...placed(a), ...placed(b))), compareText(a, b));
      assert.equal(sameBytes(...placed(a), ...placed(b)), a === b);
    }),
    { numRuns: runs * 20 },
  );
});

test('LIKE over bytes is LIKE', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '%'), maxLength: 5 });
  fc.assert(
    fc.property(text, pattern, (value, like) => {
      const matches = compileLike(like);
      const regex = new RegExp(`^${like.replaceAll('%', '.*')}$`, 'su');
      assert.equal(matches?.(...placed(value)), regex.test(value), `${value} LIKE ${like}`);
    }),
    { numRuns: runs * 20 },
  );
  assert.equal(compileLike('a_'), undefined);
  assert.equal(compileLike('a\\%'), undefined);
});

test('well-formed UTF-8 is what a strict decoder takes', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const lead = [0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0];
  const unit = fc.constantFrom(...lead, 0xf1, 0xf4, 0xf5, 0xff, 0x8f, 0x90, 0x9f, 0xa0);
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 5 }), (units) => {
      const bytes = Uint8Array.from(units);
      let decoded: string | undefined;
      try {
        decoded = decoder.decode(bytes);
      } catch {
        decoded = undefined;
      }
      assert.equal(isUtf8(bytes, 0, bytes.length), decoded !== undefined);
      if (decoded !== undefined) {
        assert.equal(codePointCount(bytes, 0, bytes.length), [...decoded].length);
      }
    }),
    { numRuns: runs * 50 },
  );
});
