/** RisingWave's FORMAT … ENCODE … after WITH: how the records of relations and sinks are read and written. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onDisk } from './on-disk.ts';

const disk = onDisk('format-encode');
const { rows } = disk;

async function failure(sql: string): Promise<{ sqlstate: string; message: string }> {
  const answer = await disk.subject.run(sql);
  assert.equal(answer.kind, 'failed', sql);
  return answer.kind === 'failed' ? answer : { sqlstate: '', message: '' };
}

const topic = (name: string): string => `WITH (connector = 'embedded', topic = '${name}')`;

it('PLAIN records have everything in their value, also a primary key', async () => {
  await rows(
    "CREATE STREAM writes (a int, b text) WITH (kafka_topic = 'plain', value_format = 'json')",
  );
  await rows(`CREATE SOURCE read_ (a int, b text) ${topic('plain')} FORMAT PLAIN ENCODE JSON`);
  await rows(
    `CREATE TABLE last (a int PRIMARY KEY, b text) ${topic('plain')} FORMAT PLAIN ENCODE JSON`,
  );
  await rows(
    `CREATE TABLE every (a int, b text) APPEND ONLY ${topic('plain')} FORMAT PLAIN ENCODE JSON`,
  );
  await rows("INSERT INTO writes VALUES (1, 'x'), (2, 'z'), (1, 'y'); FLUSH");
  await disk.subject.reopen();
  const all = [
    ['1', 'x'],
    ['2', 'z'],
    ['1', 'y'],
  ];
  assert.deepEqual(await rows('SELECT * FROM read_'), all);
  assert.deepEqual(await rows('SELECT * FROM every'), all);
  assert.deepEqual(await rows('SELECT * FROM last ORDER BY a'), [
    ['1', 'y'],
    ['2', 'z'],
  ]);
});

it('CSV takes its delimiter, and no header', async () => {
  await rows("CREATE STREAM lines (line text) WITH (kafka_topic = 'csv', value_format = 'kafka')");
  await rows(
    `CREATE SOURCE parsed (a int, b text) ${topic('csv')} FORMAT PLAIN ENCODE CSV (without_header = 'true', delimiter = ';')`,
  );
  await rows("INSERT INTO lines VALUES ('1;x'), ('2;a,b'); FLUSH");
  assert.deepEqual(await rows('SELECT * FROM parsed'), [
    ['1', 'x'],
    ['2', 'a,b'],
  ]);
  const headed = `CREATE SOURCE c (a int) ${topic('csv')} FORMAT PLAIN ENCODE CSV (without_header = 'false')`;
  assert.equal((await failure(headed)).sqlstate, '0A000');
});

it('BYTES are a column, and NATIVE records those of a generator', async () => {
  await rows(`CREATE SOURCE bytes (b bytea) ${topic('csv')} FORMAT PLAIN ENCODE BYTES`);
  await rows(
    "CREATE SOURCE bid (auction bigint) WITH (connector = 'nexmark', nexmark.table.type = 'Bid', events = 50) FORMAT PLAIN ENCODE NATIVE",
  );
  await rows('FLUSH');
  assert.deepEqual(await rows('SELECT b FROM bytes LIMIT 1'), [['\\x313b78']]);
  assert.equal((await rows('DESCRIBE bid')).length, 1);
});

it('UPSERT has the key in the record, and takes rows back', async () => {
  await rows(
    `CREATE TABLE kept (k text PRIMARY KEY, v int) ${topic('upsert')} FORMAT UPSERT ENCODE JSON`,
  );
  await rows(
    `CREATE TABLE same (v int, PRIMARY KEY (id)) INCLUDE KEY AS id ${topic('upsert')} FORMAT UPSERT ENCODE JSON`,
  );
  await rows("INSERT INTO kept VALUES ('a', 1), ('b', 2), ('a', 3); FLUSH");
  await rows("DELETE FROM kept WHERE k = 'b'; FLUSH");
  assert.deepEqual(await rows('SELECT id, v FROM same'), [['a', '3']]);
  await rows('CREATE MATERIALIZED VIEW counted AS SELECT b, count(*) AS n FROM every GROUP BY b');
  await rows(`CREATE SINK changes FROM counted ${topic('changes')} FORMAT UPSERT ENCODE JSON`);
  await rows(
    `CREATE SINK plain AS SELECT a FROM writes ${topic('only')} FORMAT PLAIN ENCODE JSON (force_append_only = 'true')`,
  );
  const refused = await failure(
    `CREATE SINK s FROM counted ${topic('no')} FORMAT PLAIN ENCODE JSON`,
  );
  assert.match(refused.message, /FORMAT PLAIN is for rows that only come/);
});

it('what is not read is refused', async () => {
  const of = (clause: string) => failure(`CREATE SOURCE x (a int) ${topic('no')} ${clause}`);
  assert.match(
    (await of('FORMAT DEBEZIUM ENCODE JSON')).message,
    /FORMAT DEBEZIUM is not supported/,
  );
  assert.match((await of('FORMAT PLAIN ENCODE AVRO')).message, /unknown value format "avro"/);
});
