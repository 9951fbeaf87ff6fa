import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openMillrace } from '../../server/millrace.ts';

const data = mkdtempSync(join(tmpdir(), 'millrace-check-'));
after(() => rmSync(data, { recursive: true, force: true }));

function check(directory: string): { code: number | null; out: string; err: string } {
  const main = join(import.meta.dirname, '../../server/main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'check', directory], {
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

test('millrace check names what it found and what is damaged', async () => {
  const db = await openMillrace({ data });
  const sql = `CREATE TABLE t (k int, v int); INSERT INTO t VALUES (1, 1), (1, 2), (2, 3);
    CREATE MATERIALIZED VIEW sums AS SELECT k, sum(v) AS v FROM t GROUP BY k`;
  for await (const _ of db.session(undefined).execute(sql, [], new AbortController().signal));
  for (let tries = 0; db.status().operatorState?.unsavedPlans !== 0; tries++) {
    assert.ok(tries < 3000, 'the state is saved in time');
    await wait(20);
  }
  const inUse = check(data);
  assert.equal(inUse.code, 1);
  assert.match(inUse.err, /cannot be opened/);
  await db.close();

  const state = join(data, 'state');
  const [log] = readdirSync(state).filter((name) => name.startsWith('log-'));
  appendFileSync(join(state, log as string), 'left over from a crash');
  const whole = check(data);
  assert.deepEqual([whole.code, whole.err], [0, '']);
  assert.match(whole.out, /operator state: 1 plans, 1 files, \d+ bytes\n/);
  assert.match(whole.out, /no damage found\n$/);

  const [node] = readdirSync(state).filter((name) => name.startsWith('node-'));
  truncateSync(join(state, node as string), 100);
  const cut = check(data);
  assert.equal(cut.code, 1);
  assert.match(
    cut.err,
    /^damaged: node-\d+-\d+: .* is damaged at byte 100: it ends at 100 instead/,
  );

  const nothing = check(join(data, 'nowhere'));
  assert.equal(nothing.code, 1);
  assert.match(nothing.err, /there is no database/);
});
