/**
 * TPC-H's 22 queries as materialized views, while orders and lines are inserted, updated and deleted: after every batch each
 * view holds what PostgreSQL answers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asBag, Judge, Subject } from '../differential/both-sides.ts';
import { generator } from '../differential/view-history.ts';
import { TPCH_TABLES, TpchData, type TpchRow } from './tpch-data.ts';
import { TPCH_QUERIES } from './tpch-queries.ts';

const SCALE = 0.01;
const BATCHES = Math.max(4, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 0) / 100));
const ORDERS_A_BATCH = 40;
const ROWS_A_STATEMENT = 2_000;
/** The views are created in the middle of loading: some rows they find, some come after. */
const LATE_ORDERS_SHARE = 0.2;

const indexes: readonly string[] = [
  'CREATE INDEX ON lineitem (l_partkey, l_suppkey)',
  'CREATE INDEX ON orders (o_custkey)',
  'CREATE INDEX ON partsupp (ps_suppkey)',
];

class Play {
  readonly #judge: Judge;
  readonly #subject: Subject;

  constructor(judge: Judge, subject: Subject) {
    this.#judge = judge;
    this.#subject = subject;
  }

  async both(sql: string): Promise<void> {
    const expected = await this.#judge.run(sql);
    assert.equal(expected.kind, 'answered', `${sql.slice(0, 200)}: ${JSON.stringify(expected)}`);
    const actual = await this.#subject.run(sql);
    assert.equal(actual.kind, 'answered', `${sql.slice(0, 200)}: ${JSON.stringify(actual)}`);
    if (actual.kind === 'answered' && expected.kind === 'answered') {
      assert.equal(actual.tag, expected.tag, sql.slice(0, 200));
    }
  }

  async insert(table: string, rows: readonly TpchRow[]): Promise<void> {
    for (let first = 0; first < rows.length; first += ROWS_A_STATEMENT) {
      const some = rows.slice(first, first + ROWS_A_STATEMENT);
      await this.both(`INSERT INTO ${table} VALUES ${some.map(rowText).join(', ')}`);
    }
  }

  async createViews(): Promise<void> {
    for (const [name, query] of Object.entries(TPCH_QUERIES)) {
      const sql = `VIEW ${name} AS ${query}`;
      const made = await this.#judge.run(`CREATE ${sql}`);
      assert.equal(made.kind, 'answered', name);
      const created = await this.#subject.run(`CREATE MATERIALIZED ${sql}`);
      assert.equal(created.kind, 'answered', `${name}: ${JSON.stringify(created)}`);
    }
  }

  /** @returns the number of rows of all views. */
  async check(): Promise<number> {
    let rows = 0;
    for (const name of Object.keys(TPCH_QUERIES)) {
      const sql = `SELECT * FROM ${name}`;
      const expected = asBag(await this.#judge.run(sql));
      assert.deepEqual(asBag(await this.#subject.run(sql)), expected, name);
      if (expected.kind === 'answered') rows += expected.rows.length;
    }
    return rows;
  }
}

const rowText = (row: TpchRow): string =>
  `(${row.map((value) => (typeof value === 'number' ? value : `'${value}'`)).join(', ')})`;

const keys = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);

test("TPC-H's queries stay right under changes", { timeout: 600_000 }, async (t) => {
  const judge = await Judge.open();
  const subject = await Subject.open();
  try {
    const play = new Play(judge, subject);
    const data = new TpchData(SCALE, 1);
    const random = generator(2);
    for (const sql of TPCH_TABLES) await play.both(sql);
    for (const sql of indexes) assert.equal((await judge.run(sql)).kind, 'answered');
    await play.insert('region', data.regions());
    await play.insert('nation', data.nations());
    await play.insert(
      'supplier',
      keys(data.suppliers).map((key) => data.supplier(key)),
    );
    await play.insert(
      'customer',
      keys(data.customers).map((key) => data.customer(key)),
    );
    await play.insert(
      'part',
      keys(data.parts).map((key) => data.part(key)),
    );
    await play.insert(
      'partsupp',
      keys(data.parts).flatMap((key) => data.partSuppliers(key)),
    );
    const orders = keys(data.orders).map((key) => data.order(key));
    const late = Math.floor(orders.length * (1 - LATE_ORDERS_SHARE));
    const insertOrders = async (some: typeof orders): Promise<void> => {
      await play.insert(
        'orders',
        some.map(({ order }) => order),
      );
      await play.insert(
        'lineitem',
        some.flatMap(({ lines }) => lines),
      );
    };
    await insertOrders(orders.slice(0, late));
    await play.createViews();
    await insertOrders(orders.slice(late));
    t.diagnostic(`${await play.check()} rows in ${Object.keys(TPCH_QUERIES).length} views`);
    let nextKey = data.orders + 1;
    for (let batch = 0; batch < BATCHES; batch++) {
      await insertOrders(Array.from({ length: ORDERS_A_BATCH }, () => data.order(nextKey++)));
      const rest = `% 97 = ${random(97)}`;
      await play.both(
        `UPDATE lineitem SET l_quantity = l_quantity % 50 + 1, l_shipdate = l_shipdate + 20 WHERE l_orderkey ${rest}`,
      );
      await play.both(
        `UPDATE orders SET o_orderpriority = '1-URGENT', o_custkey = o_custkey % ${data.customers} + 1 WHERE o_orderkey ${rest}`,
      );
      await play.both(
        `UPDATE partsupp SET ps_availqty = ps_availqty + 500, ps_supplycost = ps_supplycost / 2 WHERE ps_partkey ${rest}`,
      );
      await play.both(
        `UPDATE customer SET c_acctbal = -c_acctbal, c_nationkey = (c_nationkey + 7) % 25 WHERE c_custkey ${rest}`,
      );
      await play.both(
        `UPDATE supplier SET s_comment = 'Customer has no Complaints', s_nationkey = 20 WHERE s_suppkey ${rest}`,
      );
      await play.both(
        `UPDATE part SET p_name = 'forest green', p_type = 'ECONOMY ANODIZED STEEL' WHERE p_partkey ${rest}`,
      );
      const gone = `% 101 = ${random(101)}`;
      await play.both(`DELETE FROM lineitem WHERE l_orderkey ${gone}`);
      await play.both(`DELETE FROM orders WHERE o_orderkey ${gone}`);
      await play.check();
    }
  } finally {
    await subject.close();
    await judge.close();
  }
});
