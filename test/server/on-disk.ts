/** A database on disk for the tests of one file, which may open it again. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Subject } from '../differential/both-sides.ts';

export interface OnDisk {
  /** There while tests run. */
  readonly subject: Subject;
  /** The rows of a statement that must succeed. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
}

export function onDisk(name: string): OnDisk {
  let folder: string;
  let subject: Subject;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), `millrace-${name}-`));
    subject = await Subject.open(folder);
  });
  after(async () => {
    await subject.close();
    rmSync(folder, { recursive: true });
  });
  return {
    get subject() {
      return subject;
    },
    rows: async (sql) => {
      const answer = await subject.run(sql);
      assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
      return answer.kind === 'answered' ? answer.rows : [];
    },
  };
}
