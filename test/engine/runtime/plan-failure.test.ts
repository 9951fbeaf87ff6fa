/** A recursive query without an end stops its view and what reads it, and nothing else. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Database } from '../../../server/database.ts';
import { openMillrace } from '../../../server/millrace.ts';

const data = mkdtempSync(join(tmpdir(), 'millrace-failure-'));
after(() => rmSync(data, { recursive: true, force: true }));

async function run(db: Database, sql: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const result of db.session(undefined).execute(sql, [], new AbortController().signal)) {
    if (result.kind !== 'rows') continue;
    for await (const rows of result.chunks) for (const row of rows) lines.push(row.join('|'));
  }
  return lines;
}

const PATHS = `WITH RECURSIVE path(node, hops) AS (
  SELECT a, 0 FROM edge UNION ALL SELECT edge.b, hops + 1 FROM path JOIN edge ON edge.a = path.node
) SELECT node, hops FROM path`;

const SETUP = `
  CREATE TABLE edge (a int, b int);
  INSERT INTO edge VALUES (1, 2), (2, 3);
  CREATE MATERIALIZED VIEW paths AS ${PATHS};
  CREATE MATERIALIZED VIEW longest AS SELECT max(hops) AS hops FROM paths;
  CREATE MATERIALIZED VIEW edges AS SELECT count(*) AS n FROM edge;
  FLUSH;`;

function states(db: Database): string[] {
  const names = ['paths', 'longest', 'edges'];
  const views = db.status().views.filter(({ name }) => names.includes(name));
  return views.map(({ name, state }) => `${name} ${state}`);
}

test('an endless recursion stops its view and its readers with the rows of the last commit', async () => {
  const db = await openMillrace({ data });
  try {
    await run(db, SETUP);
    assert.deepEqual(await run(db, 'SELECT * FROM longest'), ['2']);
    await run(db, 'INSERT INTO edge VALUES (3, 1); FLUSH');
    assert.deepEqual(states(db), ['paths failed', 'longest failed', 'edges running']);
    const [paths, longest] = ['paths', 'longest'].map((wanted) =>
      db.status().views.find(({ name }) => name === wanted),
    );
    assert.equal(paths?.reason, 'the recursive query has not ended after 10000 rounds');
    assert.equal(longest?.reason, 'paths, which it reads, cannot be kept up to date');
    assert.deepEqual(await run(db, 'SELECT * FROM longest'), ['2']);
    assert.deepEqual(await run(db, 'SELECT count(*) FROM paths'), ['5']);
    assert.deepEqual(await run(db, 'SELECT * FROM edges'), ['3']);
  } finally {
    await db.close();
  }
});

test('and so it is after a restart', async () => {
  const db = await openMillrace({ data });
  try {
    await run(db, 'FLUSH');
    assert.deepEqual(states(db), ['paths failed', 'longest failed', 'edges running']);
    assert.deepEqual(await run(db, 'SELECT count(*) FROM paths'), ['5']);
    await run(db, 'DELETE FROM edge WHERE a = 3; FLUSH');
    assert.deepEqual(await run(db, 'SELECT * FROM edges'), ['2']);
  } finally {
    await db.close();
  }
});

test('a view that has no end at once is not created', async () => {
  const db = await openMillrace({ data: ':memory:' });
  try {
    await run(db, 'CREATE TABLE edge (a int, b int); INSERT INTO edge VALUES (1, 1)');
    await assert.rejects(
      run(db, `CREATE MATERIALIZED VIEW paths AS ${PATHS}`),
      /the recursive query has not ended after 10000 rounds/,
    );
    assert.deepEqual(states(db), []);
    await run(db, 'CREATE MATERIALIZED VIEW paths AS SELECT a FROM edge');
    assert.deepEqual(await run(db, 'SELECT * FROM paths'), ['1']);
  } finally {
    await db.close();
  }
});
