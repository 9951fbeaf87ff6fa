/**
 * TPC-H's 22 queries as materialized views, while rows of all its tables are inserted, updated and deleted: after every batch
 * each view holds what PostgreSQL answers. The long run has scale factor 0.01, the short one a third of it.
 */
import { test } from 'node:test';
import { generator } from '../differential/view-history.ts';
import { RUN_SEED } from '../run-seed.ts';
import { keysTo, Suite } from './suite.ts';
import { type OrderRows, TPCH_TABLES, TpchData } from './tpch-data.ts';
import { TPCH_QUERIES } from './tpch-queries.ts';

const RUNS = Number(process.env.MILLRACE_TEST_RUNS ?? 0);
const SCALE = RUNS > 0 ? 0.01 : 0.003;
const BATCHES = Math.max(3, Math.ceil(RUNS / 100));
const ORDERS_A_BATCH = 60;
/** The views are created in the middle of loading: some rows they find, some come after. */
const LATE_ORDERS_SHARE = 0.2;

/** For PostgreSQL, which would otherwise scan for every row. */
const indexes: readonly string[] = [
  'CREATE INDEX ON lineitem (l_partkey, l_suppkey)',
  'CREATE INDEX ON orders (o_custkey)',
  'CREATE INDEX ON partsupp (ps_suppkey)',
];

async function insertOrders(suite: Suite, orders: readonly OrderRows[]): Promise<void> {
  await suite.insert(
    'orders',
    orders.map(({ order }) => order),
  );
  await suite.insert(
    'lineitem',
    orders.flatMap(({ lines }) => lines),
  );
}

/** Every column that a query filters, joins or groups by is changed, so that rows come into every view and go from it. */
function changes(random: (below: number) => number, customers: number): readonly string[] {
  const some = (column: string, of: number): string => `${column} % ${of} = ${random(of)}`;
  return [
    `UPDATE lineitem SET l_quantity = l_quantity % 50 + 1, l_shipdate = l_shipdate + 20 WHERE ${some('l_orderkey', 37)}`,
    `UPDATE lineitem SET l_receiptdate = l_commitdate - 1, l_returnflag = 'R', l_discount = 0.06 WHERE ${some('l_orderkey', 41)}`,
    `UPDATE lineitem SET l_quantity = 60 WHERE ${some('l_orderkey', 397)}`,
    `UPDATE lineitem SET l_quantity = 3, l_shipmode = 'AIR', l_shipinstruct = 'DELIVER IN PERSON' WHERE ${some('l_partkey', 23)}`,
    `UPDATE orders SET o_orderpriority = '1-URGENT', o_custkey = o_custkey % ${customers} + 1, o_orderstatus = 'F' WHERE ${some('o_orderkey', 43)}`,
    `UPDATE orders SET o_orderdate = date '1993-08-01', o_comment = 'special requests' WHERE ${some('o_orderkey', 97)}`,
    `UPDATE partsupp SET ps_availqty = ps_availqty + 500, ps_supplycost = ps_supplycost / 2 WHERE ${some('ps_partkey', 29)}`,
    `UPDATE customer SET c_acctbal = -c_acctbal, c_nationkey = (c_nationkey + 7) % 25 WHERE ${some('c_custkey', 31)}`,
    `UPDATE supplier SET s_comment = 'Customer has no Complaints', s_nationkey = ${random(25)} WHERE ${some('s_suppkey', 7)}`,
    `UPDATE part SET p_name = 'forest green', p_type = 'ECONOMY ANODIZED STEEL' WHERE ${some('p_partkey', 53)}`,
    `UPDATE part SET p_size = 15, p_type = 'SMALL PLATED BRASS' WHERE ${some('p_partkey', 11)}`,
    `UPDATE part SET p_brand = 'Brand#23', p_container = 'MED BOX', p_size = 4 WHERE ${some('p_partkey', 13)}`,
    `UPDATE part SET p_brand = 'Brand#12', p_container = 'SM BOX', p_size = 4 WHERE ${some('p_partkey', 19)}`,
    `DELETE FROM lineitem WHERE ${some('l_orderkey', 101)}`,
    `DELETE FROM orders WHERE ${some('o_orderkey', 103)}`,
    `DELETE FROM partsupp WHERE ${some('ps_partkey', 107)}`,
    `DELETE FROM customer WHERE ${some('c_custkey', 109)}`,
  ];
}

test("TPC-H's queries stay right under changes", { timeout: 1_200_000 }, async (t) => {
  const suite = await Suite.open(TPCH_QUERIES);
  try {
    const data = new TpchData(SCALE, RUN_SEED);
    const random = generator(RUN_SEED + 1);
    for (const sql of TPCH_TABLES) await suite.both(sql);
    for (const sql of indexes) await suite.onJudge(sql);
    const suppliers = keysTo(data.suppliers).map((key) => data.supplier(key));
    const customers = keysTo(data.customers).map((key) => data.customer(key));
    const parts = keysTo(data.parts).map((key) => data.part(key));
    const partSuppliers = keysTo(data.parts).flatMap((key) => data.partSuppliers(key));
    await suite.insert('region', data.regions());
    await suite.insert('nation', data.nations());
    await suite.insert('supplier', suppliers);
    await suite.insert('customer', customers);
    await suite.insert('part', parts);
    await suite.insert('partsupp', partSuppliers);
    const orders = keysTo(data.orders).map((key) => data.order(key));
    const late = Math.floor(orders.length * (1 - LATE_ORDERS_SHARE));
    await insertOrders(suite, orders.slice(0, late));
    await suite.createViews();
    await insertOrders(suite, orders.slice(late));
    t.diagnostic(`${await suite.check()} rows in ${Object.keys(TPCH_QUERIES).length} views`);
    let nextKey = data.orders + 1;
    for (let batch = 0; batch < BATCHES; batch++) {
      const fresh = Array.from({ length: ORDERS_A_BATCH }, () => data.order(nextKey++));
      await insertOrders(suite, fresh);
      for (const sql of changes(random, data.customers)) await suite.both(sql);
      await suite.check();
    }
    suite.assertAllChanged();
  } finally {
    await suite.close();
  }
});
