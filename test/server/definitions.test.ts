/** What is defined by statements is there after a restart, with everything that its text meant when it was made. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { Subject } from '../differential/both-sides.ts';

let folder: string;
let subject: Subject;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-definitions-'));
  subject = await Subject.open(folder);
});
after(async () => {
  await subject.close();
  rmSync(folder, { recursive: true });
});

async function rows(sql: string) {
  const answer = await subject.run(sql);
  assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
  return answer.kind === 'answered' ? answer.rows : [];
}

it('schemas, and names that the search_path has given a meaning', async () => {
  await rows('CREATE SCHEMA shop');
  await rows('CREATE SCHEMA empty');
  await rows('SET search_path = shop, public');
  await rows('CREATE TABLE item (id int PRIMARY KEY, v int)');
  await rows('CREATE STREAM events (a int)');
  await rows('CREATE MATERIALIZED VIEW total AS SELECT sum(v) AS v FROM item');
  await rows('CREATE VIEW plain AS SELECT v FROM item');
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM events');
  await rows('INSERT INTO item VALUES (1, 2), (2, 3)');
  await rows('INSERT INTO events VALUES (1)');
  await rows('FLUSH');
  await subject.reopen();
  await rows('INSERT INTO shop.item VALUES (3, 4)');
  await rows('INSERT INTO shop.events VALUES (2)');
  await rows('FLUSH');
  assert.deepEqual(await rows('SELECT * FROM shop.total'), [['9']]);
  assert.deepEqual(await rows('SELECT * FROM shop.counted'), [['2']]);
  assert.deepEqual(await rows('SELECT max(v) FROM shop.plain'), [['4']]);
  await rows('DROP SCHEMA empty');
  await rows('DROP SCHEMA shop CASCADE');
  await subject.reopen();
  assert.deepEqual(
    await rows(
      "SELECT schema_name FROM information_schema.schemata WHERE schema_name IN ('shop', 'empty')",
    ),
    [],
  );
  assert.equal((await subject.run('SELECT * FROM shop.item')).kind, 'failed');
});

it('values of parameters in the text of a view', async () => {
  await rows('CREATE TABLE priced (id int PRIMARY KEY, price numeric, name text)');
  const session = subject.database.session('parameters');
  const signal = new AbortController().signal;
  const create =
    'CREATE MATERIALIZED VIEW dear AS SELECT id FROM priced WHERE price > $1 AND name <> $2';
  for await (const result of session.execute(create, [10, "it's"], signal))
    assert.equal(result.kind, 'ok');
  await rows("INSERT INTO priced VALUES (1, 11, 'x'), (2, 9, 'x'), (3, 12, 'it''s')");
  await subject.reopen();
  await rows("INSERT INTO priced VALUES (4, 20, 'y')");
  assert.deepEqual(await rows('SELECT * FROM dear ORDER BY id'), [['1'], ['4']]);
});

it('no materialized view is made over a system catalog', async () => {
  const answer = await subject.run('CREATE MATERIALIZED VIEW m AS SELECT * FROM pg_class');
  assert.deepEqual(answer.kind === 'failed' && answer.sqlstate, '0A000');
});
