import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { Row } from '../../../sql/base/datum.ts';
import { StreamError } from '../../../sql/base/error.ts';
import type { SqlType } from '../../../sql/base/type.ts';

const path = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
after(() => rmSync(path, { recursive: true, force: true }));

const kills = Number(process.env.MILLRACE_TEST_KILLS ?? 3);
const ACKNOWLEDGED_PER_RUN = 40;
const script = join(import.meta.dirname, 'commit-forever.ts');

/** Runs the committing process until it acknowledged some epochs, kills it, and gives the last one. */
async function runAndKill(): Promise<number> {
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = 0;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    count++;
    if (count === ACKNOWLEDGED_PER_RUN) {
      child.kill('SIGKILL');
    }
  }
  assert.ok(last > 0);
  return last;
}

test('kill -9 in the middle of commits loses nothing acknowledged and leaves no half epoch', async () => {
  for (let kill = 0; kill < kills; kill++) {
    const acknowledged = await runAndKill();
    const store = await openDuckdbStore({ path, readers: 1 });
    const { epoch, positions } = await store.status();
    assert.ok(epoch >= acknowledged, `epoch ${epoch} is at least the acknowledged ${acknowledged}`);
    assert.ok(epoch <= acknowledged + 1);
    assert.deepEqual(positions, [{ relationId: 9, partition: 0, offset: epoch }]);
    const answer = async (sql: string, ...kinds: ('bigint' | 'numeric')[]): Promise<Row> => {
      const schema = kinds.map((kind, i) => ({
        name: `x${i}`,
        type: { kind } as SqlType,
        nullable: true,
      }));
      const rows: Row[] = [];
      for await (const chunk of (await store.query(sql, schema)).chunks) rows.push(...chunk);
      return rows[0] as Row;
    };
    const expected = BigInt((epoch * (epoch + 1)) / 2);
    assert.deepEqual(
      await answer('SELECT CAST(sum(c1) AS BIGINT), count(*) FROM r1', 'bigint', 'bigint'),
      [expected, BigInt(Math.min(epoch, 50))],
    );
    assert.deepEqual(
      await answer('SELECT CAST(sum(c1) AS BIGINT), count(*) FROM r2', 'bigint', 'bigint'),
      [expected, BigInt(epoch)],
    );
    const chunks = await store.outbox(3, 0, 1_000_000);
    assert.equal(chunks.at(-1)?.sequence, epoch);
    assert.equal(chunks.length, epoch);
    const [topic] = await store.log.topics();
    assert.ok((topic?.ends[0] ?? 0) >= acknowledged);
    // The log may be one append ahead of or behind the epoch; put it where the next run expects it.
    const segments = await store.log.read('t', 0, 0, 1_000_000);
    assert.deepEqual(
      segments.map((segment) => segment.data.toString()),
      segments.map((segment) => `segment ${segment.baseOffset + 1}`),
    );
    await store.close();
  }
});

test('a directory that another process serves is refused', async () => {
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  await lines[Symbol.asyncIterator]().next();
  await assert.rejects(openDuckdbStore({ path, readers: 1 }), (error) => {
    assert.ok(error instanceof StreamError);
    assert.match(error.message, /is in use/);
    return true;
  });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
});
