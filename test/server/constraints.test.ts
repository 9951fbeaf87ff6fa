import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Served, serve } from './serve.ts';

let server: Served;
before(async () => {
  server = await serve();
});
after(() => server.close());

const sqlstate = async (sql: string): Promise<string> =>
  (await server.post('/v1/sql', { sql })).json.error.sqlstate;
const rows = async (sql: string) => (await server.sql(sql)).at(-1)?.rows;

describe('constraints of relations over topics', () => {
  it('are the error of an INSERT, and nothing of it is written', async () => {
    await server.sql(`
      CREATE STREAM bids (auction bigint NOT NULL, price int CHECK (price >= 0), twice int GENERATED ALWAYS AS (price * 2));
      CREATE MATERIALIZED VIEW prices AS SELECT auction, price, twice FROM bids;
      INSERT INTO bids VALUES (1, 10), (2, NULL)`);
    assert.equal(await sqlstate('INSERT INTO bids VALUES (3, 5), (4, -1)'), '23514');
    assert.equal(await sqlstate('INSERT INTO bids (price) VALUES (5)'), '23502');
    const all = await rows('FLUSH; SELECT * FROM prices ORDER BY auction');
    assert.deepEqual(all, [
      [1, 10, 20],
      [2, null, null],
    ]);
  });

  it('put records of others into the error table, under their own offsets', async () => {
    await server.sql(`
      CREATE STREAM raw (auction text, price text) WITH (kafka_topic = 'bids');
      INSERT INTO raw VALUES ('3', '-1'), ('4', '4'), (NULL, '5'), ('6', '2000000000'), ('7', '7')`);
    assert.deepEqual(await rows('FLUSH; SELECT auction FROM prices ORDER BY auction'), [
      [1],
      [2],
      [4],
      [7],
    ]);
    assert.deepEqual(await rows('SELECT "offset", sqlstate FROM bids_errors ORDER BY "offset"'), [
      [2, '23514'],
      [4, '23502'],
      [5, '22003'],
    ]);
  });

  it('leave tombstones and the rest of a changelog in place', async () => {
    await server.sql(`
      CREATE TABLE users (id int PRIMARY KEY, age int NOT NULL CHECK (age >= 0)) WITH (kafka_topic = 'users');
      INSERT INTO users VALUES (1, 20), (2, 30), (3, 40)`);
    assert.equal(await sqlstate('UPDATE users SET age = -1 WHERE id = 1'), '23514');
    await server.sql('DELETE FROM users WHERE id = 2');
    await server.sql(`
      CREATE STREAM raw_users (id int KEY, age text) WITH (kafka_topic = 'users');
      INSERT INTO raw_users VALUES (3, '-5'), (4, '50')`);
    assert.deepEqual(await rows('FLUSH; SELECT * FROM users ORDER BY id'), [
      [1, 20],
      [3, 40],
      [4, 50],
    ]);
  });

  it('UPDATE and DELETE see what was just inserted, without a FLUSH', async () => {
    await server.sql(`
      CREATE TABLE cities (name text PRIMARY KEY, size int) WITH (kafka_topic = 'cities');
      INSERT INTO cities VALUES ('Ulm', 1), ('Rome', 2);
      UPDATE cities SET size = size + 10;
      DELETE FROM cities WHERE size = 11`);
    assert.deepEqual(await rows('FLUSH; SELECT * FROM cities'), [['Rome', 12]]);
  });
});
