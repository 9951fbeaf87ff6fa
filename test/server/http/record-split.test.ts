import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { splitRecords } from '../../../server/http/record-split.ts';
import { StreamError } from '../../../sql/base/error.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 200);
const limits = { recordsPerRequestMax: 1000, jsonDepthMax: 64 };

const split = (text: string | Buffer, lines = false): string[] =>
  splitRecords(Buffer.from(text), lines, limits).map(({ value }) => value.toString());

const fails = (text: string | Buffer, message: RegExp, lines = false): void => {
  assert.throws(
    () => splitRecords(Buffer.from(text), lines, limits),
    (error) =>
      error instanceof StreamError &&
      error.code === 'RECORD_MALFORMED' &&
      message.test(error.message),
    String(text),
  );
};

describe('records of an ingest request', () => {
  it('cuts arrays and lines into the values that were sent', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), (values) => {
        const expected = values.map((value) => JSON.stringify(value));
        assert.deepEqual(split(JSON.stringify(values)), expected);
        assert.deepEqual(split(` [ ${expected.join(' ,\n ')} ] `), expected);
        assert.deepEqual(split(expected.join('\n'), true), expected);
        assert.deepEqual(split(`\r\n${expected.join('\r\n\n')}\r\n`, true), expected);
      }),
      { numRuns: runs },
    );
  });

  it('keeps every digit', () => {
    assert.deepEqual(split('[{"a": 9007199254740993, "b": 1.50}]'), [
      '{"a": 9007199254740993, "b": 1.50}',
    ]);
  });

  it('takes a single object, lines without their type, and arrays as records when lines are said', () => {
    assert.deepEqual(split('{"a":1}'), ['{"a":1}']);
    assert.deepEqual(split('{"a":1}\n{"a":2}\n'), ['{"a":1}', '{"a":2}']);
    assert.deepEqual(split('[1]\n[2]\n', true), ['[1]', '[2]']);
    assert.deepEqual(split('\ufeff[1,2]'), ['1', '2']);
    assert.deepEqual(split(''), []);
    assert.deepEqual(split('[]'), []);
  });

  it('names the first malformed record', () => {
    fails('[{"a":1},{"a":}]', /^record 1 is not JSON/);
    fails('[1,2', /^record 1 is not JSON/);
    fails('[1,2]3', /text follows the end/);
    fails('[1,]', /^record 1 is not JSON/);
    fails('{"a":1}\n{"a":1', /^record 1 is not JSON/);
    fails('{"a":1} {"a":2}\n', /^record 0 is not JSON: text follows/);
    // A value may not run on into the next line.
    fails('{"a":\n1}\n', /^record 0 is not JSON/, true);
    fails(Buffer.from([0x22, 0xff, 0x22]), /not valid UTF-8/);
  });

  it('bounds the number of records', () => {
    const text = `[${'1,'.repeat(1000)}1]`;
    assert.throws(
      () => splitRecords(Buffer.from(text), false, limits),
      (error) => error instanceof StreamError && error.code === 'REQUEST_TOO_LARGE',
    );
  });
});
