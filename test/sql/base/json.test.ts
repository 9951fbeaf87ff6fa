/** Canonical jsonb text of random documents against PostgreSQL, and reading it without a tree. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { StreamError } from '../../../sql/base/error.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonValue,
  jsonToText,
  parseJson,
} from '../../../sql/base/json.ts';
import { fromJson } from '../../../sql/base/json-input.ts';
import {
  arrayLength,
  bareText,
  elementText,
  elementTexts,
  memberText,
} from '../../../sql/base/json-scan.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import { type Judge, openJudge, quote, runs } from '../function/judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

const keys = fc.constantFrom(
  'a',
  'b',
  'é',
  'aa',
  '',
  'a"b',
  'back\\',
  '\\\\',
  '😀',
  'new\nline',
  '{',
  ']',
);
const leaves = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  keys,
  fc.string().filter((text) => !text.includes('\0')),
);
const documents = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaves,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  ),
})).value;

test("documents have PostgreSQL's canonical text", async () => {
  const texts = fc.sample(documents, { numRuns: 5 * runs }).map((value) => JSON.stringify(value));
  const theirs = await judge.ask(texts.map((text) => `${quote(text)}::jsonb`));
  texts.forEach((text, index) => {
    assert.equal(`=${jsonToText(parseJson(text))}`, theirs[index], text);
  });
});

function checkScan(value: JsonValue): void {
  const text = jsonToText(value);
  if (isJsonObject(value)) {
    for (const [key, member] of value) {
      assert.equal(memberText(text, key), jsonToText(member));
      if (typeof member === 'string') assert.equal(bareText(memberText(text, key)), member);
      checkScan(member);
    }
    assert.equal(memberText(text, 'no such key'), undefined);
  }
  if (isJsonArray(value)) {
    assert.deepEqual([...elementTexts(text)], value.map(jsonToText));
    assert.equal(arrayLength(text), value.length);
    assert.equal(
      elementText(text, -1),
      value.length === 0 ? undefined : jsonToText(value.at(-1) ?? null),
    );
    value.forEach(checkScan);
  }
}

test('members and elements cut out of canonical text are the ones of the tree', () => {
  fc.assert(
    fc.property(documents, (value) => checkScan(parseJson(JSON.stringify(value)))),
    { numRuns: 5 * runs },
  );
});

test('mutated documents are refused where PostgreSQL refuses them', async () => {
  const mutants = fc
    .sample(
      fc.tuple(
        documents,
        fc.nat(),
        fc.constantFrom('', '"', '\\', ',', '}', '0', ' ', 'e', '-', '.', '\\u12'),
      ),
      { numRuns: 5 * runs },
    )
    .map(([value, at, inserted]) => {
      const text = JSON.stringify(value);
      const position = at % (text.length + 1);
      return text.slice(0, position) + inserted + text.slice(position + 1);
    });
  const wellFormed = mutants.filter((text) => text.isWellFormed());
  const theirs = await judge.ask(wellFormed.map((text) => `${quote(text)}::jsonb`));
  wellFormed.forEach((text, index) => {
    const their = theirs[index] as string;
    try {
      assert.equal(`=${jsonToText(parseJson(text))}`, their, text);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      assert.equal(their.slice(0, 5), error.sqlstate, `${text}: ${their}`);
    }
  });
});

test('JSON values of HTTP bodies become datums', () => {
  const value = (text: string): unknown => parseJson(text);
  assert.equal(fromJson(value('9223372036854775807'), { kind: 'bigint' }), 9223372036854775807n);
  assert.equal(fromJson(1.0, { kind: 'integer' }), 1);
  assert.equal(fromJson(value('1e3'), { kind: 'integer' }), 1000);
  assert.throws(() => fromJson(1.5, { kind: 'integer' }), StreamError);
  assert.deepEqual(fromJson(value('1.50'), { kind: 'numeric' }), Numeric.parse('1.50'));
  assert.equal(fromJson('NaN', { kind: 'double' }), Number.NaN);
  assert.equal(fromJson(true, { kind: 'boolean' }), true);
  assert.throws(() => fromJson(1, { kind: 'boolean' }), StreamError);
  assert.equal(fromJson({ b: [1, null], a: 'x' }, { kind: 'jsonb' }), '{"a": "x", "b": [1, null]}');
  assert.deepEqual(fromJson([1, null], { kind: 'array', element: { kind: 'integer' } }), [1, null]);
  const row = {
    kind: 'row',
    fields: [{ name: 'a', type: { kind: 'text' }, nullable: true }],
  } as const;
  assert.deepEqual(fromJson({ a: 'x' }, row), ['x']);
  assert.equal(fromJson(null, row), null);
});
