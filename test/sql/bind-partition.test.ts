import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bindStatement } from '../../sql/bind-statement.ts';
import { parseStatement } from '../../sql/parser.ts';
import { catalog, statement } from './catalog-fixture.ts';

const bind = (sql: string) => bindStatement(parseStatement(sql), catalog, statement);

describe('PARTITION BY of a query that feeds a topic', () => {
  it('names columns of the output, and partitions = N is kept for the topic', () => {
    const bound = bind(
      'CREATE STREAM s WITH (partitions = 4) AS SELECT price, auction AS a FROM bid PARTITION BY a, price',
    );
    assert.ok(bound.kind === 'create-relation');
    assert.deepEqual(bound.relation.partitionBy, [1, 0]);
    assert.equal(bound.relation.input?.keyFormat, 'json');
    assert.equal(bound.partitions, 4);
  });

  it('means what is selected as it is written, before columns of the output', () => {
    const keys = (sql: string) => {
      const bound = bind(`CREATE STREAM s AS ${sql}`);
      assert.ok(bound.kind === 'create-relation');
      return bound.relation.partitionBy;
    };
    assert.deepEqual(
      keys('SELECT price, abs(auction) AS k FROM bid PARTITION BY abs(auction)'),
      [1],
    );
    assert.deepEqual(
      keys('SELECT price, abs(auction) FROM bid PARTITION BY ABS(bid.auction)'),
      [1],
    );
    assert.deepEqual(
      keys('SELECT price AS auction, auction AS old FROM bid PARTITION BY auction'),
      [1],
    );
    assert.deepEqual(keys('SELECT price AS auction, channel FROM bid PARTITION BY price'), [0]);
    assert.deepEqual(
      keys('SELECT *, price + 1 AS more FROM bid PARTITION BY price + 1, bidder'),
      [6, 1],
    );
    assert.deepEqual(keys('SELECT 1 AS k, price FROM bid PARTITION BY 1'), [0]);
    assert.deepEqual(keys('SELECT price FROM bid PARTITION BY NULL'), []);
  });

  it('belongs to sinks whose rows only come, too', () => {
    const bound = bind('CREATE SINK s AS SELECT auction, price FROM bid PARTITION BY price');
    assert.ok(bound.kind === 'create-sink');
    assert.deepEqual(bound.partitionBy, [1]);
  });

  it('is refused where it would mean nothing', () => {
    for (const sql of [
      'SELECT auction FROM bid PARTITION BY auction',
      'CREATE MATERIALIZED VIEW v AS SELECT auction FROM bid PARTITION BY auction',
      'CREATE STREAM s AS SELECT auction FROM bid PARTITION BY price',
      'CREATE STREAM s AS SELECT auction FROM bid PARTITION BY auction + 1',
      'CREATE SINK s AS SELECT id, item_name FROM auction PARTITION BY item_name',
    ]) {
      assert.throws(() => bind(sql), { code: 'SQL_NOT_SUPPORTED' }, sql);
    }
  });
});
