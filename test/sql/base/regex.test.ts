/** Regular expressions that a backtracking search could not finish. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRegex } from '../../../sql/base/regex.ts';

test('nested repetitions over a long text end soon', () => {
  const text = `${'a'.repeat(20_000)}!`;
  const started = performance.now();
  assert.equal(compileRegex('^(a+)+$').test(text), false);
  assert.equal(compileRegex('(a|aa)+$').test(text), false);
  assert.equal(compileRegex('(a*)*b').search(text, 0), undefined);
  assert.equal(compileRegex('a*a*a*a*a*b').test(text), false);
  assert.ok(performance.now() - started < 3000);
});

test('characters outside of the basic plane are one character each', () => {
  const match = compileRegex('(.)(.)').search('a😀b', 1);
  assert.deepEqual(match, {
    start: 1,
    end: 4,
    groups: [
      [1, 3],
      [3, 4],
    ],
  });
  assert.equal(compileRegex('^.$').test('😀'), true);
  assert.equal(compileRegex('^(?!.)').test('😀'), false);
});

test('the longest match wins over the first alternative', () => {
  const span = (pattern: string, text: string): string => {
    const match = compileRegex(pattern).search(text, 0);
    return match === undefined ? '' : text.slice(match.start, match.end);
  };
  assert.equal(span('a|ab|abc', 'abcd'), 'abc');
  assert.equal(span('a?(ab)?', 'ab'), 'ab');
  assert.equal(span('a+?b*', 'aabb'), 'a');
});
