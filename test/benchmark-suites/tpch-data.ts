/**
 * Rows for TPC-H's tables from one seed: its schema, key structure and value sets (TPC Benchmark H, revision 3.0.1, clause 4),
 * smaller texts. `scale` 1 is 1,500,000 orders.
 */
import { generator } from '../differential/view-history.ts';

export const TPCH_TABLES: readonly string[] = [
  'CREATE TABLE region (r_regionkey integer PRIMARY KEY, r_name text, r_comment text)',
  'CREATE TABLE nation (n_nationkey integer PRIMARY KEY, n_name text, n_regionkey integer, n_comment text)',
  `CREATE TABLE supplier (s_suppkey integer PRIMARY KEY, s_name text, s_address text, s_nationkey integer, s_phone text,
     s_acctbal numeric(15,2), s_comment text)`,
  `CREATE TABLE customer (c_custkey integer PRIMARY KEY, c_name text, c_address text, c_nationkey integer, c_phone text,
     c_acctbal numeric(15,2), c_mktsegment text, c_comment text)`,
  `CREATE TABLE part (p_partkey integer PRIMARY KEY, p_name text, p_mfgr text, p_brand text, p_type text, p_size integer,
     p_container text, p_retailprice numeric(15,2), p_comment text)`,
  `CREATE TABLE partsupp (ps_partkey integer, ps_suppkey integer, ps_availqty integer, ps_supplycost numeric(15,2),
     ps_comment text, PRIMARY KEY (ps_partkey, ps_suppkey))`,
  `CREATE TABLE orders (o_orderkey integer PRIMARY KEY, o_custkey integer, o_orderstatus text, o_totalprice numeric(15,2),
     o_orderdate date, o_orderpriority text, o_clerk text, o_shippriority integer, o_comment text)`,
  `CREATE TABLE lineitem (l_orderkey integer, l_partkey integer, l_suppkey integer, l_linenumber integer,
     l_quantity numeric(15,2), l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2),
     l_returnflag text, l_linestatus text, l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct text,
     l_shipmode text, l_comment text, PRIMARY KEY (l_orderkey, l_linenumber))`,
];

const nations: readonly (readonly [name: string, region: number])[] = [
  ['ALGERIA', 0],
  ['ARGENTINA', 1],
  ['BRAZIL', 1],
  ['CANADA', 1],
  ['EGYPT', 4],
  ['ETHIOPIA', 0],
  ['FRANCE', 3],
  ['GERMANY', 3],
  ['INDIA', 2],
  ['INDONESIA', 2],
  ['IRAN', 4],
  ['IRAQ', 4],
  ['JAPAN', 2],
  ['JORDAN', 4],
  ['KENYA', 0],
  ['MOROCCO', 0],
  ['MOZAMBIQUE', 0],
  ['PERU', 1],
  ['CHINA', 2],
  ['ROMANIA', 3],
  ['SAUDI ARABIA', 4],
  ['VIETNAM', 2],
  ['RUSSIA', 3],
  ['UNITED KINGDOM', 3],
  ['UNITED STATES', 1],
];
const regions = ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'];
const segments = ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'];
const priorities = ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'];
const instructions = ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'];
const modes = ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB', 'AIR REG'];
const colors = ['almond', 'forest', 'green', 'ivory', 'lemon', 'navy', 'rose', 'snow'];
const finishes = ['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'];
const coats = ['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'];
const metals = ['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'];
const sizes = ['SM', 'LG', 'MED', 'JUMBO', 'WRAP'];
const boxes = ['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'];
const SUPPLIERS_A_PART = 4;
/** With fewer ones the rule of clause 4.2.3 gives a part the same supplier twice. */
const SUPPLIERS_MIN = 100;
const FIRST_DAY_MS = Date.UTC(1992, 0, 1);
const DAY_MS = 86_400_000;
const ORDER_DAYS = 2406;
/** Orders of days before this one are delivered. */
const TODAY = (Date.UTC(1995, 5, 17) - FIRST_DAY_MS) / DAY_MS;

export type TpchRow = readonly (string | number)[];

export interface OrderRows {
  readonly order: TpchRow;
  readonly lines: readonly TpchRow[];
}

export class TpchData {
  readonly suppliers: number;
  readonly customers: number;
  readonly parts: number;
  readonly orders: number;
  readonly #random: (below: number) => number;

  constructor(scale: number, seed: number) {
    this.#random = generator(seed);
    this.suppliers = Math.max(SUPPLIERS_MIN, Math.round(10_000 * scale));
    this.customers = Math.round(150_000 * scale);
    this.parts = Math.round(200_000 * scale);
    this.orders = Math.round(1_500_000 * scale);
  }

  regions(): readonly TpchRow[] {
    return regions.map((name, key) => [key, name, `about ${name}`]);
  }

  nations(): readonly TpchRow[] {
    return nations.map(([name, region], key) => [key, name, region, `about ${name}`]);
  }

  supplier(key: number): TpchRow {
    const nation = this.#random(nations.length);
    const comment = this.#random(20) === 0 ? 'Customer says: Complaints' : 'quick deliveries';
    return [
      key,
      numbered('Supplier', key),
      `street ${key}`,
      nation,
      ...this.#contact(nation),
      comment,
    ];
  }

  customer(key: number): TpchRow {
    const nation = this.#random(nations.length);
    const [phone, balance] = this.#contact(nation);
    const name = numbered('Customer', key);
    return [key, name, `lane ${key}`, nation, phone, balance, this.#pick(segments), 'regular'];
  }

  part(key: number): TpchRow {
    const maker = 1 + this.#random(5);
    return [
      key,
      `${this.#pick(colors)} ${this.#pick(colors)}`,
      `Manufacturer#${maker}`,
      `Brand#${maker}${1 + this.#random(5)}`,
      `${this.#pick(finishes)} ${this.#pick(coats)} ${this.#pick(metals)}`,
      1 + this.#random(50),
      `${this.#pick(sizes)} ${this.#pick(boxes)}`,
      cents(90_000 + ((key / 10) % 20_001) + 100 * (key % 1000)),
      'a part',
    ];
  }

  /** The part's suppliers: always the same ones, by clause 4.2.3. */
  partSuppliers(part: number): readonly TpchRow[] {
    return Array.from({ length: SUPPLIERS_A_PART }, (_, i) => [
      part,
      this.#supplierOf(part, i),
      1 + this.#random(9999),
      cents(100 + this.#random(99_901)),
      'in stock',
    ]);
  }

  /** An order and its 1 to 7 lines. A third of the customers never order. */
  order(key: number): OrderRows {
    let customer = 1 + this.#random(this.customers);
    if (customer % 3 === 0) customer = customer === this.customers ? 1 : customer + 1;
    const day = this.#random(ORDER_DAYS);
    const lines = Array.from({ length: 1 + this.#random(7) }, (_, i) =>
      this.#line(key, i + 1, day),
    );
    const open = lines.filter((line) => line[9] === 'O').length;
    const status = open === 0 ? 'F' : open === lines.length ? 'O' : 'P';
    const comment = this.#random(50) === 0 ? 'special customer requests' : 'as usual';
    const total = cents(this.#random(50_000_000));
    const priority = this.#pick(priorities);
    return {
      order: [
        key,
        customer,
        status,
        total,
        dateOf(day),
        priority,
        numbered('Clerk', key % 10),
        0,
        comment,
      ],
      lines,
    };
  }

  #line(order: number, number: number, orderDay: number): TpchRow {
    const part = 1 + this.#random(this.parts);
    const supplier = this.#supplierOf(part, this.#random(SUPPLIERS_A_PART));
    const quantity = 1 + this.#random(50);
    const shipped = orderDay + 1 + this.#random(121);
    const received = shipped + 1 + this.#random(30);
    return [
      order,
      part,
      supplier,
      number,
      quantity,
      cents(quantity * (90_000 + (part % 20_001))),
      cents(this.#random(11)),
      cents(this.#random(9)),
      received <= TODAY ? this.#pick(['R', 'A']) : 'N',
      shipped > TODAY ? 'O' : 'F',
      dateOf(shipped),
      dateOf(orderDay + 30 + this.#random(61)),
      dateOf(received),
      this.#pick(instructions),
      this.#pick(modes),
      'a line',
    ];
  }

  #supplierOf(part: number, i: number): number {
    const step = this.suppliers / SUPPLIERS_A_PART + Math.floor((part - 1) / this.suppliers);
    return 1 + Math.floor((part + i * Math.max(1, Math.floor(step))) % this.suppliers);
  }

  #contact(nation: number): readonly [phone: string, balance: string] {
    const digits = 1_000_000 + this.#random(8_999_999);
    return [`${10 + nation}-${digits}`, cents(this.#random(1_099_998) - 99_999)];
  }

  #pick(items: readonly string[]): string {
    return items[this.#random(items.length)] as string;
  }
}

const numbered = (word: string, key: number): string => `${word}#${String(key).padStart(9, '0')}`;

function cents(amount: number): string {
  const whole = Math.abs(Math.round(amount));
  const sign = amount < 0 ? '-' : '';
  return `${sign}${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, '0')}`;
}

const dateOf = (day: number): string =>
  new Date(FIRST_DAY_MS + day * DAY_MS).toISOString().slice(0, 10);
