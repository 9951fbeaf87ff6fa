import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Query } from '../../sql/ast.ts';
import { bindQuery } from '../../sql/binder.ts';
import { deriveKey, isAppendOnly } from '../../sql/derive.ts';
import { parseStatement } from '../../sql/parser.ts';
import { optimize } from '../../sql/rewrite/all.ts';
import { catalog, statement } from './catalog-fixture.ts';

function planOf(sql: string) {
  const query = parseStatement(sql) as Query;
  return optimize(bindQuery(query, catalog, statement, { purpose: 'view' }), catalog);
}

/** That the keys are right is checked over random rows in rewrite/optimize.test.ts; here that they are found. */
const keys: readonly (readonly [sql: string, key: readonly number[] | undefined])[] = [
  ['SELECT * FROM person', [0]],
  ['SELECT name, id FROM person WHERE city IS NULL', [1]],
  ['SELECT name FROM person', undefined],
  ['SELECT id + 1 FROM person', undefined],
  ['SELECT * FROM bid', undefined],
  ['SELECT auction, count(*) FROM bid GROUP BY auction', [0]],
  ['SELECT count(*), bidder, auction FROM bid GROUP BY auction, bidder', [2, 1]],
  ['SELECT count(*) FROM bid GROUP BY auction', undefined],
  ['SELECT count(*) FROM bid', []],
  ['SELECT auction, bidder, count(*) FROM bid GROUP BY ROLLUP (auction, bidder)', undefined],
  ['SELECT DISTINCT auction, bidder FROM bid', [0, 1]],
  ['SELECT DISTINCT ON (auction) auction, price FROM bid', [0]],
  ['SELECT a.id, p.name FROM auction a JOIN person p ON p.id = a.seller', [0]],
  ['SELECT a.id, p.name FROM auction a LEFT JOIN person p ON p.id = a.seller', [0]],
  ['SELECT a.id, p.id FROM auction a JOIN person p ON p.name = a.item_name', [0, 1]],
  ['SELECT p.id FROM person p JOIN bid b ON b.bidder = p.id', undefined],
  ['SELECT id FROM person p WHERE EXISTS (SELECT 1 FROM bid WHERE bidder = p.id)', [0]],
  ['SELECT auction FROM bid UNION SELECT id FROM person', [0]],
  ['SELECT id FROM person UNION ALL SELECT id FROM auction', undefined],
  ['SELECT id FROM person ORDER BY name LIMIT 3', [0]],
  ['SELECT name FROM person ORDER BY name LIMIT 1', []],
  [
    'SELECT auction, price FROM (SELECT *, row_number() OVER (PARTITION BY auction ORDER BY price) AS rn FROM bid) x WHERE rn = 1',
    [0],
  ],
  [
    "SELECT auction, window_start, count(*) FROM TUMBLE(bid, date_time, INTERVAL '1 s') GROUP BY auction, window_start",
    [0, 1],
  ],
  ["SELECT id, window_start FROM HOP(auction, date_time, INTERVAL '1 s', INTERVAL '2 s')", [0, 1]],
];

test('keys are found', () => {
  for (const [sql, key] of keys) assert.deepEqual(deriveKey(planOf(sql), catalog), key, sql);
});

const growing: readonly (readonly [sql: string, appendOnly: boolean])[] = [
  ['SELECT auction FROM bid WHERE price > 1', true],
  ['SELECT DISTINCT auction FROM bid', true],
  ['SELECT a.price FROM bid a JOIN bid b ON a.auction = b.auction', true],
  ['SELECT a.price FROM bid a LEFT JOIN bid b ON a.auction = b.auction', false],
  ['SELECT auction FROM bid UNION ALL SELECT bidder FROM bid', true],
  ['SELECT auction FROM bid EXCEPT SELECT bidder FROM bid', false],
  ['SELECT id FROM person', false],
  ['SELECT count(*) FROM bid', false],
  ['SELECT auction FROM bid ORDER BY price LIMIT 3', false],
  ["SELECT window_start FROM TUMBLE(bid, date_time, INTERVAL '1 s')", true],
  ['SELECT auction FROM bid WHERE auction IN (SELECT auction FROM bid WHERE price > 3)', true],
  ['SELECT auction FROM bid WHERE price > (SELECT avg(price) FROM bid)', false],
];

test('plans whose rows only come are known', () => {
  for (const [sql, expected] of growing) {
    assert.equal(isAppendOnly(planOf(sql), catalog), expected, sql);
  }
});
