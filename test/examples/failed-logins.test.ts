import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '../server/serve.ts';

const file = join(import.meta.dirname, '../../examples/failed-logins/failed-logins.sql');
const START_MS = Date.UTC(2026, 0, 1, 10);
const WAIT_MS = 30_000;

interface Login {
  readonly ip: string;
  readonly account: string;
  readonly success: boolean;
  readonly atMs: number;
}

/** A fixed sequence of numbers from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Failed logins of an address within 50 s, in whole seconds so that times tie. */
function attempts(ip: string, fromMs: number, count: number, random: () => number): Login[] {
  return Array.from({ length: count }, () => ({
    ip,
    account: `user-${Math.floor(random() * 3)}`,
    success: false,
    atMs: fromMs + Math.floor(random() * 50) * 1000,
  }));
}

function span(logins: readonly Login[]): string {
  const times = logins.map(({ atMs }) => atMs);
  const instant = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
  const accounts = new Set(logins.map(({ account }) => account)).size;
  return [
    logins[0]?.ip,
    instant(Math.min(...times)),
    instant(Math.max(...times)),
    logins.length,
    accounts,
  ].join(' ');
}

it('both forms tell every burst once, with shuffled logins whose times tie', async () => {
  const random = numbers(42);
  const logins: Login[] = [];
  const bursts: string[] = [];
  for (let i = 0; i < 40; i++) {
    const ip = `10.0.0.${i % 5}`;
    // Bursts of one address are minutes apart.
    const fromMs = START_MS + Math.floor(i / 5) * 240_000;
    const count = 1 + Math.floor(random() * 14);
    const own = attempts(ip, fromMs, count, random);
    // Six at one and the same time are a burst as well.
    const same = i % 7 === 0 ? own.map((login) => ({ ...login, atMs: fromMs })) : own;
    if (count > 5) bursts.push(span(same));
    logins.push(...same);
    logins.push({ ip, account: 'ada', success: true, atMs: fromMs + 20_000 });
  }
  assert.ok(bursts.length > 10 && bursts.length < 40, `${bursts.length} bursts`);
  // Out of order, but by less than the watermark allows.
  const arrival = new Map(logins.map((login) => [login, login.atMs + random() * 9000]));
  logins.sort((a, b) => (arrival.get(a) ?? 0) - (arrival.get(b) ?? 0));
  const server = await serve();
  try {
    await server.sql(readFileSync(file, 'utf8'));
    const values = logins.map(
      ({ ip, account, success, atMs }) =>
        `('${ip}', '${account}', ${success}, '${new Date(atMs).toISOString()}')`,
    );
    await server.sql(`INSERT INTO logins VALUES ${values.join(', ')}; FLUSH`);
    const hot = await server.sql('SELECT ip, min(at) FROM hot_addresses GROUP BY ip, at');
    assert.equal(hot[0]?.rows.length, bursts.length, 'one row a burst in the sliding count');
    const query = 'FLUSH; SELECT ip, first_at, last_at, failures, accounts FROM fraud_alerts';
    const deadline = performance.now() + WAIT_MS;
    let told: string[] = [];
    // The last bursts are told when the streams' silence has let event time go on.
    while (told.length < bursts.length && performance.now() < deadline) {
      await server.sql(
        `INSERT INTO logins VALUES ('10.9.9.9', 'ada', true, '${new Date(START_MS + 3_600_000).toISOString()}')`,
      );
      await sleep(200);
      const answer = await server.sql(query);
      told = (answer[1]?.rows ?? []).map((row) => row.join(' '));
    }
    assert.deepEqual(told.sort(), bursts.sort());
    const late = await server.sql('SELECT count(*) FROM logins_late');
    assert.deepEqual(late[0]?.rows, [[0]]);
  } finally {
    await server.close();
  }
});
