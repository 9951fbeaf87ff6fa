/** Order, equality and hash keys of every type, against PostgreSQL's ORDER BY. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { fromText } from '../../../sql/base/text-input.ts';
import { type SqlType, typeName } from '../../../sql/base/type.ts';
import { compareDatums, equalDatums, hashKey } from '../../../sql/base/value.ts';
import { type Judge, literal, openJudge, valueTexts } from '../function/judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

const kinds = [
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'real',
  'double',
  'numeric',
  'text',
  'varchar',
  'char',
  'bytea',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'interval',
  'jsonb',
  'uuid',
] as const;
const ordered: readonly SqlType[] = [
  ...kinds.map((kind): SqlType => ({ kind })),
  { kind: 'array', element: { kind: 'integer' } },
  { kind: 'array', element: { kind: 'text' } },
];

const sampleSize = 60;

for (const type of ordered) {
  test(`${typeName(type)} sorts as PostgreSQL; equal values have equal keys`, async () => {
    const texts = [...new Set(fc.sample(valueTexts(type), { numRuns: sampleSize }))];
    const values = texts.map((text) => fromText(text, type));
    const rows = texts.map((text, index) => `(${index}, ${literal(text, type)})`);
    // dense_rank gives equal values the same number, whatever their text.
    const answer = await judge.query(
      `select i, dense_rank() over (order by v) as r from (values ${rows.join(', ')}) as t(i, v) order by i`,
    );
    const ranks = answer.map((row) => Number(row.r));
    values.forEach((left, i) => {
      values.forEach((right, j) => {
        const expected = Math.sign((ranks[i] as number) - (ranks[j] as number));
        const label = `${texts[i]} against ${texts[j]}`;
        assert.equal(Math.sign(compareDatums(left, right, type)), expected, label);
        assert.equal(equalDatums(left, right, type), expected === 0, label);
        assert.equal(Object.is(hashKey(left, type), hashKey(right, type)), expected === 0, label);
      });
    });
  });
}
