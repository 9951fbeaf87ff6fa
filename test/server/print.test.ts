/** PRINT of a topic, and TERMINATE of what fills a relation. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Subject } from '../differential/both-sides.ts';

let subject: Subject;
before(async () => {
  subject = await Subject.open();
  await rows(
    "CREATE STREAM clicks (k text KEY, url text) WITH (kafka_topic = 'Clicks', partitions = 1)",
  );
});
after(() => subject.close());

async function rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
  const answer = await subject.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows : [];
}

const record = (
  key: string | null,
  value: Buffer,
): Parameters<typeof subject.database.produce>[1][0] => ({
  key: key === null ? null : Buffer.from(key),
  value,
  partition: 0,
  timestampMs: 1_700_000_000_000,
  headers: [],
});

it('prints records as they are, whatever they hold', async () => {
  await subject.database.produce('Clicks', [
    record('a', Buffer.from('{"url": "/x"}')),
    record(null, Buffer.from([0xff, 0x00])),
    record('b', Buffer.from('no JSON')),
  ]);
  assert.deepEqual(await rows("PRINT 'Clicks' FROM BEGINNING LIMIT 3"), [
    ['2023-11-14 22:13:20+00', 'a', '{"url": "/x"}', '0', '0'],
    ['2023-11-14 22:13:20+00', null, '\\xff00', '0', '1'],
    ['2023-11-14 22:13:20+00', 'b', 'no JSON', '0', '2'],
  ]);
  assert.equal((await rows("PRINT 'Clicks' FROM BEGINNING LIMIT 1")).length, 1);
  assert.deepEqual(await rows("PRINT 'Clicks' LIMIT 0"), []);
  await rows("SET statement_timeout = '200ms'");
  const waiting = await subject.run("PRINT 'Clicks' LIMIT 1");
  assert.ok(waiting.kind === 'failed' && waiting.sqlstate === '57014', JSON.stringify(waiting));
  await rows('RESET statement_timeout');
  const unknown = await subject.run('PRINT clicks LIMIT 1');
  assert.ok(unknown.kind === 'failed' && /topic "clicks" does not exist/.test(unknown.message));
});

it('goes on with what comes, until it is closed', async () => {
  const session = subject.database.session(undefined);
  const results = session.execute("PRINT 'Clicks'", [], new AbortController().signal);
  const first = await results[Symbol.asyncIterator]().next();
  assert.ok(first.done !== true && first.value.kind === 'subscription');
  const { events, close } = first.value.subscription;
  const values: unknown[] = [];
  for await (const event of events) {
    if (event.kind === 'snapshot') {
      assert.deepEqual(event.rows, []);
      await subject.database.produce('Clicks', [record('c', Buffer.from('later'))]);
      continue;
    }
    values.push(...event.changes.map(({ op, row }) => [op, row[2]]));
    if (values.length === 1) await rows("INSERT INTO clicks VALUES ('d', '/last')");
    else close();
  }
  assert.deepEqual(values, [
    ['insert', 'later'],
    ['insert', '{"url":"/last"}'],
  ]);
  session.close();
});

it('terminates by name and by the id of a query', async () => {
  await rows('CREATE TABLE per_key AS SELECT k, count(*) AS n FROM clicks GROUP BY k');
  await rows('CREATE STREAM copied AS SELECT k, url FROM clicks');
  await rows('TERMINATE CTAS_PER_KEY_17');
  const state = (name: string): Promise<unknown> =>
    rows(`SHOW VIEWS LIKE '${name}'`).then((all) => all[0]?.[2]);
  assert.equal(await state('per_key'), 'paused');
  await rows('RESUME per_key');
  await rows('FLUSH');
  assert.notEqual(await state('per_key'), 'paused');
  await rows('TERMINATE QUERY per_key');
  assert.equal(await state('per_key'), 'paused');
  const unknown = await subject.run('TERMINATE ctas_nothing_1');
  assert.ok(unknown.kind === 'failed' && unknown.sqlstate === '42P01');
});
