import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  arrayElements,
  JsonFault,
  minify,
  objectMembers,
  wholeValue,
} from '../../../server/http/json-text.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 300);
const DEPTH_MAX = 64;

/** Any JSON document, printed compactly or with white space. */
const documents = fc
  .tuple(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), fc.constantFrom(0, 1, '\t'))
  .map(([value, indent]) => JSON.stringify(value, null, indent));

const accepts = (text: string): boolean => {
  try {
    wholeValue(Buffer.from(text), DEPTH_MAX);
    return true;
  } catch (error) {
    assert.ok(error instanceof JsonFault, String(error));
    return false;
  }
};

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('JSON text', () => {
  it('accepts what JSON.parse accepts', () => {
    fc.assert(
      fc.property(documents, (text) => accepts(text)),
      { numRuns: runs },
    );
  });

  it('agrees with JSON.parse on documents with a character dropped, doubled or replaced', () => {
    const mutants = fc
      .tuple(documents, fc.nat(), fc.constantFrom('drop', 'double', ...'",:[]{}\\0e.-+ntu \u0001'))
      .map(([text, seed, how]) => {
        const at = seed % Math.max(1, text.length);
        const middle = how === 'drop' ? '' : how === 'double' ? (text[at] ?? '').repeat(2) : how;
        return text.slice(0, at) + middle + text.slice(at + 1);
      })
      // Half a surrogate pair does not survive UTF-8, so the two would see different texts.
      .filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(mutants, (text) => {
        assert.equal(accepts(text), parses(text), JSON.stringify(text));
      }),
      { numRuns: runs * 10 },
    );
  });

  it('refuses the classic mistakes', () => {
    const bad = [
      '',
      ' ',
      '01',
      '+1',
      '.5',
      '1.',
      '1e',
      '-',
      '"\u0000"',
      '"\\x"',
      '"\\u12g4"',
      "'a'",
    ];
    const worse = [
      '[1,]',
      '[,1]',
      '{a:1}',
      '{"a"}',
      '{"a":1,}',
      '[1 2]',
      'nul',
      'NaN',
      '1 1',
      '[',
      '{"a":[}',
    ];
    for (const text of [...bad, ...worse]) assert.equal(accepts(text), false, text);
  });

  it('bounds nesting without recursion', () => {
    assert.equal(accepts('['.repeat(DEPTH_MAX) + ']'.repeat(DEPTH_MAX)), true);
    assert.throws(
      () => wholeValue(Buffer.from('['.repeat(1_000_000)), DEPTH_MAX),
      /nested too deeply/,
    );
  });

  it('finds members and elements with all their digits', () => {
    const bytes = Buffer.from(
      ' { "a\\u0062" : [ 9007199254740993 , 1.50 ] , "c":{"d":[]}, "e" : [] } ',
    );
    const members = objectMembers(bytes, wholeValue(bytes, DEPTH_MAX), DEPTH_MAX);
    assert.deepEqual(
      members.map(({ name }) => name),
      ['ab', 'c', 'e'],
    );
    const [first, , last] = members;
    assert.ok(first !== undefined && last !== undefined);
    const elements = arrayElements(bytes, first.value, DEPTH_MAX);
    assert.deepEqual(
      elements.map(({ start, end }) => bytes.toString('utf8', start, end)),
      ['9007199254740993', '1.50'],
    );
    assert.deepEqual(arrayElements(bytes, last.value, DEPTH_MAX), []);
  });

  it('minifies to what JSON.stringify prints', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const bytes = Buffer.from(JSON.stringify(value, null, 2));
        const text = minify(bytes, wholeValue(bytes, DEPTH_MAX)).toString();
        assert.equal(text, JSON.stringify(value));
      }),
      { numRuns: runs },
    );
    const bytes = Buffer.from('{"a" : 1.50, "b\\" " : "x \\\\"}');
    assert.equal(
      minify(bytes, { start: 0, end: bytes.length }).toString(),
      '{"a":1.50,"b\\" ":"x \\\\"}',
    );
  });
});
