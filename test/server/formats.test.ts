import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Served, serve } from './serve.ts';

let server: Served;
before(async () => {
  server = await serve();
});
after(() => server.close());

const rows = async (sql: string) => (await server.sql(sql)).at(-1)?.rows;

describe('formats of records', () => {
  it('writes delimited records as they are read, whatever the delimiter', async () => {
    const values = [
      [1, 'x|y'],
      [2, 'a,"b'],
      [3, null],
      [4, ''],
    ];
    for (const format of ['csv', 'delimited']) {
      const all = await rows(`
        CREATE STREAM ${format}_in (a int, b text) WITH (value_format = '${format}', value_delimiter = '|');
        CREATE STREAM ${format}_out WITH (value_format = '${format}', value_delimiter = ';') AS SELECT * FROM ${format}_in;
        INSERT INTO ${format}_in VALUES (1, 'x|y'), (2, 'a,"b'), (3, NULL), (4, '');
        FLUSH;
        SELECT * FROM ${format}_out`);
      assert.deepEqual(all, values);
    }
  });

  it('refuses an unknown format at once, and leaves no topic behind', async () => {
    for (const sql of [
      "CREATE STREAM s (a int) WITH (value_format = 'morse', partitions = 1)",
      "CREATE STREAM s (k int KEY, a int) WITH (key_format = 'morse', partitions = 1)",
      "CREATE STREAM s WITH (value_format = 'morse') AS SELECT 1 AS a",
      "CREATE TABLE s (a int PRIMARY KEY, b int, c int) WITH (value_format = 'raw', kafka_topic = 's')",
    ]) {
      const { status, json } = await server.post('/v1/sql', { sql });
      assert.equal(status, 400, sql);
      assert.equal(json.error.code, 'SQL_INVALID_OPTION', sql);
    }
    assert.deepEqual(await rows("SHOW TOPICS LIKE 's'"), []);
  });
});
