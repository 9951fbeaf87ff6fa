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
