import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerProcess } from './server-process.ts';

const ACCOUNTS = 1_000;
const TRANSFERS = 100_000;
const POLLS = 200;
const RECORDS_PER_REQUEST = 1_000;

const data = mkdtempSync(join(tmpdir(), 'millrace-transfers-'));
after(() => rmSync(data, { recursive: true, force: true }));

/** A small generator of its own, so that the test is the same in every run. */
function* transfers(): Generator<{ from_account: number; to_account: number; amount: number }> {
  let state = 42;
  const next = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
  for (let i = 0; i < TRANSFERS; i++) {
    yield { from_account: next(ACCOUNTS), to_account: next(ACCOUNTS), amount: 1 + next(500) };
  }
}

test('credits, debits, balances and their total never disagree', { timeout: 300_000 }, async () => {
  const server = await ServerProcess.start({ data });
  try {
    await server.sql(`
      CREATE STREAM transfers (from_account int, to_account int, amount bigint);
      CREATE MATERIALIZED VIEW credits AS
        SELECT to_account AS account, sum(amount) AS total FROM transfers GROUP BY to_account;
      CREATE MATERIALIZED VIEW debits AS
        SELECT from_account AS account, sum(amount) AS total FROM transfers GROUP BY from_account;
      CREATE MATERIALIZED VIEW balances AS
        SELECT account, sum(total) AS balance FROM (
          SELECT account, total FROM credits UNION ALL SELECT account, -total FROM debits
        ) both_sides GROUP BY account;
      CREATE MATERIALIZED VIEW grand_total AS SELECT sum(balance) AS total FROM balances;
    `);
    let isDone = false;
    const load = (async () => {
      let chunk: unknown[] = [];
      const send = async (): Promise<void> => {
        const response = await fetch(`${server.url}/v1/streams/transfers/records`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(chunk),
        });
        assert.ok(response.ok, await response.text());
        chunk = [];
      };
      for (const transfer of transfers()) {
        chunk.push(transfer);
        if (chunk.length === RECORDS_PER_REQUEST) await send();
      }
      if (chunk.length > 0) await send();
      isDone = true;
    })();

    let polls = 0;
    let moved = 0;
    let lastMoved = '';
    while (polls < POLLS || !isDone) {
      const [row] = await server.rows(`
        SELECT (SELECT coalesce(sum(total), 0) FROM credits)::bigint,
               (SELECT coalesce(sum(total), 0) FROM debits)::bigint,
               (SELECT coalesce(sum(balance), 0) FROM balances)::bigint,
               (SELECT coalesce(total, 0) FROM grand_total)::bigint,
               (SELECT count(*) FROM balances b
                 LEFT JOIN credits c ON c.account = b.account LEFT JOIN debits d ON d.account = b.account
                 WHERE b.balance <> coalesce(c.total, 0) - coalesce(d.total, 0))`);
      assert.ok(row !== undefined);
      const [credits, debits, balances, total, wrong] = row;
      assert.equal(credits, debits, 'credits and debits move together');
      assert.equal(balances, 0, 'the sum of balances never moves');
      assert.equal(total, 0, 'the total never moves');
      assert.equal(wrong, 0, 'every balance is its credits less its debits');
      if (String(credits) !== lastMoved) moved++;
      lastMoved = String(credits);
      polls++;
    }
    await load;
    await server.sql('FLUSH');
    let sum = 0;
    for (const { amount } of transfers()) sum += amount;
    assert.deepEqual(await server.rows('SELECT sum(total)::bigint FROM credits'), [[sum]]);
    assert.ok(moved > 5, `the polls saw ${moved} different states`);
  } finally {
    await server.stop();
  }
});
