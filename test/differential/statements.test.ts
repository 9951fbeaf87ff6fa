/** Scripts of DDL, DML and queries, each statement answered by PostgreSQL and by a whole Millrace database. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Answer, asBag, Judge, Subject } from './both-sides.ts';
import { readScript } from './script.ts';

const folder = join(import.meta.dirname, 'scripts');

let judge: Judge;
let subject: Subject;
before(async () => {
  judge = await Judge.open();
  subject = await Subject.open();
});
after(async () => {
  await subject.close();
  await judge.close();
});

/** Messages are PostgreSQL's where they can be, but clients rely on SQLSTATEs only. */
function comparable(answer: Answer, ordered: boolean): unknown {
  if (answer.kind === 'failed') return { failed: answer.sqlstate };
  return ordered ? answer : asBag(answer);
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

for (const file of readdirSync(folder).toSorted()) {
  test(file, async () => {
    const wrong: string[] = [];
    for (const { sql, differs, ordered } of readScript(join(folder, file))) {
      const postgres = await judge.run(sql);
      const millrace = await subject.run(sql);
      const same = isSame(comparable(postgres, ordered), comparable(millrace, ordered));
      if (same === (differs === undefined)) continue;
      wrong.push(
        same
          ? `${sql}\n  is said to differ (${differs}) but does not`
          : `${sql}\n  PostgreSQL ${JSON.stringify(postgres)}\n  Millrace   ${JSON.stringify(millrace)}`,
      );
    }
    assert.equal(wrong.join('\n'), '');
  });
}
