/**
 * Rows and transactions for CH-benCHmark from one seed: TPC-C's nine tables and TPC-H's supplier, nation and region (TPC
 * Benchmark C, revision 5.11, clauses 1.3 and 2.4 to 2.7), with fewer rows and smaller texts. Nations are numbered by the
 * character that states begin with, as the queries expect.
 */
import { generator } from '../differential/view-history.ts';
import { type Cell, keysTo, rowText } from './suite.ts';

const STOCK_DISTRICTS = keysTo(10).map(
  (n) => `s_dist_${String(n).padStart(2, '0')} char(24) NOT NULL`,
);
const address = (prefix: string): string =>
  `${prefix}_street_1 varchar(20), ${prefix}_street_2 varchar(20), ${prefix}_city varchar(20), ${prefix}_state char(2), ${prefix}_zip char(9)`;

export const CH_TABLES: readonly string[] = [
  `CREATE TABLE warehouse (w_id int PRIMARY KEY, w_ytd decimal(12,2), w_tax decimal(4,4), w_name varchar(10), ${address('w')})`,
  `CREATE TABLE district (d_w_id int, d_id int, d_ytd decimal(12,2), d_tax decimal(4,4), d_next_o_id int, d_name varchar(10),
     ${address('d')}, PRIMARY KEY (d_w_id, d_id))`,
  `CREATE TABLE customer (c_w_id int, c_d_id int, c_id int, c_discount decimal(4,4), c_credit char(2), c_last varchar(16),
     c_first varchar(16), c_credit_lim decimal(12,2), c_balance decimal(12,2), c_ytd_payment float, c_payment_cnt int,
     c_delivery_cnt int, ${address('c')}, c_phone char(16), c_since timestamp, c_middle char(2), c_data varchar(500),
     PRIMARY KEY (c_w_id, c_d_id, c_id))`,
  `CREATE TABLE history (h_c_id int, h_c_d_id int, h_c_w_id int, h_d_id int, h_w_id int, h_date timestamp,
     h_amount decimal(6,2), h_data varchar(24))`,
  'CREATE TABLE new_order (no_w_id int, no_d_id int, no_o_id int, PRIMARY KEY (no_w_id, no_d_id, no_o_id))',
  `CREATE TABLE oorder (o_w_id int, o_d_id int, o_id int, o_c_id int, o_carrier_id int, o_ol_cnt decimal(2,0),
     o_all_local decimal(1,0), o_entry_d timestamp, PRIMARY KEY (o_w_id, o_d_id, o_id))`,
  `CREATE TABLE order_line (ol_w_id int, ol_d_id int, ol_o_id int, ol_number int, ol_i_id int, ol_delivery_d timestamp,
     ol_amount decimal(6,2), ol_supply_w_id int, ol_quantity decimal(2,0), ol_dist_info char(24),
     PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number))`,
  'CREATE TABLE item (i_id int PRIMARY KEY, i_name varchar(24), i_price decimal(5,2), i_data varchar(50), i_im_id int)',
  `CREATE TABLE stock (s_w_id int, s_i_id int, s_quantity decimal(4,0), s_ytd decimal(8,2), s_order_cnt int, s_remote_cnt int,
     s_data varchar(50), ${STOCK_DISTRICTS.join(', ')}, PRIMARY KEY (s_w_id, s_i_id))`,
  'CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(55), r_comment char(152))',
  'CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25), n_regionkey int, n_comment char(152))',
  `CREATE TABLE supplier (su_suppkey int PRIMARY KEY, su_name char(25), su_address varchar(40), su_nationkey int,
     su_phone char(15), su_acctbal numeric(12,2), su_comment char(101))`,
];

const WAREHOUSES = 2;
const DISTRICTS = 3;
/** At size 1. */
const CUSTOMERS = 15;
const ITEMS = 60;
const ORDERS_A_DISTRICT = 15;
/** Of these the newest are not delivered yet. */
const OPEN_ORDERS_A_DISTRICT = 5;
const LINES_MAX = 10;
/** New orders with a wrong item are rolled back (clause 2.4.1.4). */
const ROLLED_BACK_OF = 12;
const FIRST_DAY_MS = Date.UTC(2006, 10, 1);
const HOUR_MS = 3_600_000;

const regions = ['Africa', 'America', 'Asia', 'Europe', 'Middle East'];
const nations: readonly (readonly [name: string, region: number])[] = [
  ['Algeria', 0],
  ['Brazil', 1],
  ['Cambodia', 2],
  ['Denmark', 3],
  ['Egypt', 4],
  ['France', 3],
  ['Germany', 3],
  ['Hungary', 3],
];
const FIRST_NATION = 'A'.charCodeAt(0);
const itemData = [
  'PRONE a',
  'PRIME b',
  'cover c',
  'coil b',
  'zz top',
  'fair BB',
  'coal',
  'plain c',
];

export class ChData {
  readonly #random: (below: number) => number;
  /** Of each district, the number of its next order. */
  readonly #nextOrder = new Map<string, number>();
  #clockMs = FIRST_DAY_MS;

  readonly #customers: number;
  readonly #items: number;
  readonly #suppliers: number;
  readonly #orders: number;

  /** @param size  multiplies customers, items and orders */
  constructor(seed: number, size = 1) {
    this.#random = generator(seed);
    this.#customers = CUSTOMERS * size;
    this.#items = ITEMS * size;
    this.#suppliers = WAREHOUSES * this.#items + 1;
    this.#orders = ORDERS_A_DISTRICT * size;
  }

  /** What the tables hold before the first transaction. */
  tables(): readonly (readonly [table: string, rows: readonly (readonly Cell[])[]])[] {
    const districts = keysTo(WAREHOUSES).flatMap((w) =>
      keysTo(DISTRICTS).map((d) => [w, d] as const),
    );
    const orders = districts.flatMap(([w, d]) =>
      keysTo(this.#orders).map((o) => this.#order(w, d, o)),
    );
    for (const [w, d] of districts) this.#nextOrder.set(`${w} ${d}`, this.#orders + 1);
    return [
      ['region', regions.map((name, key) => [key, name, 'a region'])],
      ['nation', nations.map(([name, region], i) => [FIRST_NATION + i, name, region, 'a nation'])],
      ['supplier', Array.from({ length: this.#suppliers }, (_, key) => this.#supplier(key))],
      [
        'warehouse',
        keysTo(WAREHOUSES).map((w) => [w, '300000.00', '0.1000', `W${w}`, ...this.#address()]),
      ],
      [
        'district',
        districts.map(([w, d]) => [
          w,
          d,
          '30000.00',
          '0.0500',
          this.#orders + 1,
          `D${d}`,
          ...this.#address(),
        ]),
      ],
      [
        'customer',
        districts.flatMap(([w, d]) => keysTo(this.#customers).map((c) => this.#customer(w, d, c))),
      ],
      [
        'item',
        keysTo(this.#items).map((i) => [
          i,
          `item ${i % 50}`,
          `${1 + this.#random(99)}.50`,
          this.#pick(itemData),
          i,
        ]),
      ],
      [
        'stock',
        keysTo(WAREHOUSES).flatMap((w) => keysTo(this.#items).map((i) => this.#stock(w, i))),
      ],
      ['oorder', orders.map(({ order }) => order)],
      ['order_line', orders.flatMap(({ lines }) => lines)],
      ['new_order', orders.filter(({ open }) => open).map(({ order }) => order.slice(0, 3))],
    ];
  }

  /** The statements of one transaction; its last one is COMMIT or ROLLBACK. */
  transaction(): readonly string[] {
    const kind = this.#random(10);
    if (kind < 5) return this.#newOrder();
    if (kind < 8) return this.#payment();
    return kind === 8 ? this.#delivery() : this.#upkeep();
  }

  #newOrder(): readonly string[] {
    const [w, d] = this.#district();
    const number = this.#nextOrder.get(`${w} ${d}`) ?? 1;
    const isRolledBack = this.#random(ROLLED_BACK_OF) === 0;
    if (!isRolledBack) this.#nextOrder.set(`${w} ${d}`, number + 1);
    const { order, lines } = this.#order(w, d, number);
    const stock = lines.map(
      ([, , , , item, , , supplyWarehouse, quantity]) =>
        `UPDATE stock SET s_quantity = CASE WHEN s_quantity >= ${quantity} + 10 THEN s_quantity - ${quantity} ELSE s_quantity - ${quantity} + 91 END,
           s_ytd = s_ytd + ${quantity}, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + ${supplyWarehouse === w ? 0 : 1}
         WHERE s_i_id = ${item} AND s_w_id = ${supplyWarehouse}`,
    );
    const open = lines.map((line) => line.with(5, null));
    return [
      'BEGIN',
      `UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_id = ${d} AND d_w_id = ${w}`,
      `INSERT INTO oorder VALUES ${rowText(order.with(4, null))}`,
      `INSERT INTO new_order VALUES (${w}, ${d}, ${number})`,
      ...stock,
      `INSERT INTO order_line VALUES ${open.map(rowText).join(', ')}`,
      isRolledBack ? 'ROLLBACK' : 'COMMIT',
    ];
  }

  #payment(): readonly string[] {
    const [w, d] = this.#district();
    const customer = 1 + this.#random(this.#customers);
    const amount = `${1 + this.#random(4999)}.${10 + this.#random(90)}`;
    return [
      'BEGIN',
      `UPDATE warehouse SET w_ytd = w_ytd + ${amount} WHERE w_id = ${w}`,
      `UPDATE district SET d_ytd = d_ytd + ${amount} WHERE d_w_id = ${w} AND d_id = ${d}`,
      `UPDATE customer SET c_balance = c_balance - ${amount}, c_ytd_payment = c_ytd_payment + ${amount}, c_payment_cnt = c_payment_cnt + 1
       WHERE c_w_id = ${w} AND c_d_id = ${d} AND c_id = ${customer}`,
      `INSERT INTO history VALUES (${customer}, ${d}, ${w}, ${d}, ${w}, '${this.#now()}', ${amount}, 'W${w}    D${d}')`,
      'COMMIT',
    ];
  }

  /** The oldest open order of each district of a warehouse. */
  #delivery(): readonly string[] {
    const [w] = this.#district();
    const statements = keysTo(DISTRICTS).flatMap((d) => {
      const oldest = `(SELECT min(no_o_id) FROM new_order WHERE no_d_id = ${d} AND no_w_id = ${w})`;
      return [
        `UPDATE oorder SET o_carrier_id = ${1 + this.#random(10)} WHERE o_id = ${oldest} AND o_d_id = ${d} AND o_w_id = ${w}`,
        `UPDATE order_line SET ol_delivery_d = '${this.#now()}' WHERE ol_o_id = ${oldest} AND ol_d_id = ${d} AND ol_w_id = ${w}`,
        `UPDATE customer SET c_balance = c_balance + total, c_delivery_cnt = c_delivery_cnt + 1
         FROM (SELECT o_c_id, sum(ol_amount) AS total FROM oorder, order_line
               WHERE o_id = ${oldest} AND o_d_id = ${d} AND o_w_id = ${w} AND ol_o_id = o_id AND ol_d_id = o_d_id AND ol_w_id = o_w_id
               GROUP BY o_c_id) AS delivered
         WHERE c_id = o_c_id AND c_d_id = ${d} AND c_w_id = ${w}`,
        `DELETE FROM new_order WHERE no_o_id = ${oldest} AND no_d_id = ${d} AND no_w_id = ${w}`,
      ];
    });
    return ['BEGIN', ...statements, 'COMMIT'];
  }

  /** Not of TPC-C: what it never changes is changed too, and its oldest orders go. */
  #upkeep(): readonly string[] {
    const [w, d] = this.#district();
    const oldest = `(SELECT min(o_id) FROM oorder WHERE o_w_id = ${w} AND o_d_id = ${d} AND o_carrier_id IS NOT NULL)`;
    return [
      'BEGIN',
      `DELETE FROM order_line WHERE ol_w_id = ${w} AND ol_d_id = ${d} AND ol_o_id = ${oldest}`,
      `DELETE FROM oorder WHERE o_w_id = ${w} AND o_d_id = ${d} AND o_id = ${oldest}`,
      `UPDATE item SET i_data = '${this.#pick(itemData)}' WHERE i_id = ${1 + this.#random(this.#items)}`,
      `UPDATE supplier SET su_nationkey = ${this.#nation()}, su_comment = 'quite ${this.#pick(['bad', 'good'])}'
       WHERE su_suppkey = ${this.#random(this.#suppliers)}`,
      `UPDATE customer SET c_state = '${this.#state()}', c_phone = '${this.#random(10)}-555' WHERE c_id = ${1 + this.#random(this.#customers)} AND c_w_id = ${w}`,
      'COMMIT',
    ];
  }

  #order(w: number, d: number, number: number): { order: Cell[]; lines: Cell[][]; open: boolean } {
    const open = number > this.#orders - OPEN_ORDERS_A_DISTRICT;
    const count = 2 + this.#random(LINES_MAX - 1);
    const entered = this.#now();
    const delivered = open ? null : this.#now();
    const carrier = open ? null : 1 + this.#random(10);
    // Some customers never order.
    const customer = 1 + this.#random(this.#customers - 3);
    const order = [w, d, number, customer, carrier, count, 1, entered];
    // An item once an order, so that its stock row is changed once a statement.
    const first = this.#random(this.#items);
    const lines = keysTo(count).map((line) => {
      const item = 1 + ((first + line * 7) % this.#items);
      const supply = this.#random(10) === 0 ? (w % WAREHOUSES) + 1 : w;
      const amount = `${this.#random(100)}.${10 + this.#random(90)}`;
      return [w, d, number, line, item, delivered, amount, supply, 1 + this.#random(10), 'info'];
    });
    return { order, lines, open };
  }

  #customer(w: number, d: number, c: number): readonly Cell[] {
    const balance = `${this.#random(4000) - 1000}.25`;
    const names = [`LAST${c % 7}`, `First${c}`];
    const phone = `${this.#random(10)}-${1000 + this.#random(9000)}`;
    return [
      ...[w, d, c, '0.0500', 'GC', ...names, '50000.00', balance, 10, 1, 0],
      ...this.#address(),
      ...[phone, '2006-10-01 00:00:00', 'OE', 'some data'],
    ];
  }

  #stock(w: number, item: number): readonly Cell[] {
    const districts = keysTo(10).map((d) => `dist ${d}`);
    return [w, item, 10 + this.#random(91), 0, this.#random(5), 0, 'stock data', ...districts];
  }

  #supplier(key: number): readonly Cell[] {
    const comment = this.#random(15) === 0 ? 'a bad one' : 'a good one';
    return [
      key,
      `Supplier ${key}`,
      `road ${key}`,
      this.#nation(),
      `${key}-${key}`,
      '100.00',
      comment,
    ];
  }

  #address(): readonly Cell[] {
    return ['street 1', 'street 2', `city ${this.#random(5)}`, this.#state(), '123456789'];
  }

  #state(): string {
    return `${String.fromCharCode(this.#nation())}X`;
  }

  #nation(): number {
    return FIRST_NATION + this.#random(nations.length);
  }

  #district(): readonly [warehouse: number, district: number] {
    return [1 + this.#random(WAREHOUSES), 1 + this.#random(DISTRICTS)];
  }

  /** Some days later each time: five years in two hundred steps. */
  #now(): string {
    this.#clockMs += (1 + this.#random(450)) * HOUR_MS;
    return new Date(this.#clockMs).toISOString().slice(0, 19).replace('T', ' ');
  }

  #pick(items: readonly string[]): string {
    return items[this.#random(items.length)] ?? '';
  }
}
