/** What of constraints and sequences is there after a restart, and after a crash. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Answer, Subject } from '../differential/both-sides.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-sequences-'));
const data = join(root, 'data');
let subject: Subject;
before(async () => {
  subject = await Subject.open(data);
});
after(async () => {
  await subject.close();
  rmSync(root, { recursive: true, force: true });
});

const one = (answer: Answer): string | null | undefined =>
  answer.kind === 'answered' ? answer.rows[0]?.[0] : answer.sqlstate;
const run = async (sql: string): Promise<string | null | undefined> => one(await subject.run(sql));

test('a restart skips no value, and keeps options, owners, indexes and foreign keys', async () => {
  await run(
    'CREATE TABLE parts (id integer GENERATED ALWAYS AS IDENTITY (INCREMENT 10), name text)',
  );
  await run('CREATE UNIQUE INDEX ON parts (lower(name))');
  await run('CREATE TABLE uses (id serial PRIMARY KEY, part integer)');
  await run('ALTER TABLE parts ADD PRIMARY KEY (id)');
  await run('ALTER TABLE uses ADD FOREIGN KEY (part) REFERENCES parts ON DELETE SET NULL');
  assert.equal(await run("INSERT INTO parts (name) VALUES ('a'), ('b') RETURNING id"), '1');
  assert.equal(await run('INSERT INTO uses (part) VALUES (1), (11) RETURNING id'), '1');
  await subject.reopen();
  assert.equal(await run("INSERT INTO parts (name) VALUES ('c') RETURNING id"), '21');
  assert.equal(await run('INSERT INTO parts (id, name) VALUES (5, NULL)'), '428C9');
  assert.equal(await run("INSERT INTO parts (name) VALUES ('A')"), '23505');
  assert.equal(await run('INSERT INTO uses (part) VALUES (7)'), '23503');
  assert.equal(await run('DELETE FROM parts WHERE id = 1 RETURNING id'), '1');
  assert.equal(await run('SELECT count(*) FROM uses WHERE part IS NULL'), '1');
  assert.equal(await run('DROP TABLE uses'), undefined);
  await subject.reopen();
  assert.equal(await run("SELECT nextval('uses_id_seq')"), '42P01');
});

test('a crash may skip values, and gives none twice', async () => {
  await run('CREATE SEQUENCE tickets');
  const given: number[] = [];
  for (let i = 0; i < 40; i++) given.push(Number(await run("SELECT nextval('tickets')")));
  // The directory as a kill would leave it.
  const copy = join(root, 'crashed');
  cpSync(data, copy, { recursive: true });
  const crashed = await Subject.open(copy);
  try {
    const next = Number(one(await crashed.run("SELECT nextval('tickets')")));
    assert.ok(next > Math.max(...given) && next <= Math.max(...given) + 33, `${next}`);
  } finally {
    await crashed.close();
  }
});
