/** Stars as other systems read them: ksqlDB's over joins with the names of the tables, and of structs; RisingWave's without some columns. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onDisk } from './on-disk.ts';

const disk = onDisk('ksql-stars');
const { rows } = disk;

const columnsOf = async (name: string) =>
  (await rows(`DESCRIBE ${name}`)).map(([column]) => column).join();

it('columns of a star that have one name get the names of their tables', async () => {
  await rows('CREATE STREAM clicks (id int, page text)');
  await rows('CREATE TABLE person (id int PRIMARY KEY, name text)');
  await rows('CREATE STREAM named AS SELECT * FROM clicks c JOIN person ON c.id = person.id');
  await rows('CREATE STREAM parts AS SELECT c.*, p.* FROM clicks c JOIN person p ON c.id = p.id');
  await rows(
    'CREATE STREAM clear AS SELECT c.page, p.* FROM clicks c JOIN person p ON c.id = p.id',
  );
  await rows(
    'CREATE TABLE twice AS SELECT * FROM person a JOIN person b ON a.id = b.id EMIT CHANGES',
  );
  assert.equal(await columnsOf('named'), 'c_id,c_page,person_id,person_name');
  assert.equal(await columnsOf('parts'), 'c_id,c_page,p_id,p_name');
  assert.equal(await columnsOf('clear'), 'page,id,name');
  assert.equal(await columnsOf('twice'), 'a_id,a_name,b_id,b_name');
  await rows(
    "INSERT INTO person VALUES (1, 'ann'); FLUSH; INSERT INTO clicks VALUES (1, 'home'); FLUSH",
  );
  await disk.subject.reopen();
  await rows("INSERT INTO clicks VALUES (1, 'help'); FLUSH");
  assert.deepEqual(await rows('SELECT c_id, c_page, person_name FROM named ORDER BY c_page'), [
    ['1', 'help', 'ann'],
    ['1', 'home', 'ann'],
  ]);
  // PostgreSQL's statement, and names that no star gave.
  for (const sql of [
    'CREATE TABLE plain AS SELECT * FROM person a JOIN person b ON a.id = b.id',
    'CREATE STREAM same AS SELECT id, id FROM clicks',
  ]) {
    const answer = await disk.subject.run(sql);
    assert.equal(answer.kind === 'failed' && answer.sqlstate, '42701', sql);
  }
});

it('s->* is the attributes of a struct', async () => {
  await rows('CREATE STREAM deep (k int, s STRUCT<a int, b STRUCT<c int, d text>>)');
  await rows('CREATE STREAM flat AS SELECT s->*, k FROM deep');
  await rows('CREATE STREAM flatter AS SELECT k, s->b->*, s->a FROM deep');
  await rows("INSERT INTO deep VALUES (1, STRUCT(a := 2, b := STRUCT(c := 3, d := 'x'))); FLUSH");
  await disk.subject.reopen();
  assert.equal(await columnsOf('flat'), 'a,b,k');
  assert.deepEqual(await rows('SELECT * FROM flatter'), [['1', '3', 'x', '2']]);
  const answer = await disk.subject.run('SELECT k->* FROM deep');
  assert.equal(answer.kind === 'failed' && answer.sqlstate, '42809');
});

it('* EXCEPT (…) leaves columns out', async () => {
  await rows('CREATE TABLE l (a int, b int, c int GENERATED ALWAYS AS (a + b) STORED)');
  await rows(
    'CREATE TABLE r (a int, d int); INSERT INTO l VALUES (1, 2); INSERT INTO r VALUES (1, 9)',
  );
  const found = async (sql: string) => (await rows(sql)).map(String).join(';');
  assert.equal(await found('SELECT * EXCEPT (b) FROM l'), '1,3');
  assert.equal(await found('SELECT * EXCEPT (a, c), d FROM l JOIN r USING (a)'), '2,9,9');
  assert.equal(await found('SELECT l.* EXCEPT (a), r.* EXCEPT (a) FROM l, r'), '2,3,9');
  assert.equal(await found('SELECT * EXCEPT (r.a, l.c) FROM l, r'), '1,2,9');
  assert.equal(await found('SELECT * FROM l EXCEPT (SELECT * FROM l)'), '');
  assert.equal(await found('SELECT 1 EXCEPT (SELECT 2)'), '1');
  await rows('CREATE MATERIALIZED VIEW rest AS SELECT * EXCEPT (c) FROM l');
  await rows('ALTER TABLE l RENAME TO renamed');
  await disk.subject.reopen();
  await rows('INSERT INTO renamed VALUES (3, 4); FLUSH');
  assert.equal(await found('SELECT * FROM rest ORDER BY a'), '1,2;3,4');
  for (const [sql, sqlstate] of [
    ['SELECT * EXCEPT (a) FROM renamed, r', '42702'],
    ['SELECT * EXCEPT (z) FROM r', '42703'],
    ['SELECT r.* EXCEPT (b) FROM renamed, r', '42703'],
  ]) {
    const answer = await disk.subject.run(sql ?? '');
    assert.equal(answer.kind === 'failed' && answer.sqlstate, sqlstate, sql);
  }
});
