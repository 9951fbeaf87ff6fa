import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { optimize } from '../../../sql/rewrite/all.ts';
import { type Answer, openPullJudge, type PullJudge } from './pull-judge.ts';
import { queries } from './pull-queries.ts';
import { tables } from './pull-tables.ts';

let judge: PullJudge;
before(async () => {
  judge = await openPullJudge(tables);
});
after(() => judge.close());

function comparable(answer: Answer, ordered: boolean): Answer {
  if (typeof answer === 'string' || ordered) return answer;
  return answer.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

for (const [family, list] of Object.entries(queries)) {
  test(`${family}: as PostgreSQL answers`, async () => {
    const wrong: string[] = [];
    for (const sql of list) {
      const ordered = /\bORDER BY\b[^)]*$/.test(sql);
      const expected = comparable(await judge.expected(sql), ordered);
      const plain = comparable(await judge.actual(sql), ordered);
      const actual = comparable(await judge.actual(sql, optimize), ordered);
      try {
        assert.deepEqual(actual, expected);
        assert.deepEqual(plain, expected);
      } catch {
        wrong.push(
          `${sql}\n  expected ${JSON.stringify(expected)}\n  rewritten ${JSON.stringify(actual)}\n  plain ${JSON.stringify(plain)}`,
        );
      }
    }
    assert.equal(wrong.length, 0, `${wrong.length} of ${list.length} differ\n${wrong.join('\n')}`);
  });
}
