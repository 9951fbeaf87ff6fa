/** Rows of the benchmark suites as batches, and changes of them: what a view is loaded with, and what comes after. */
import type { Batch } from '../../engine/delta/batch.ts';
import { ROWS_PER_BATCH_MAX } from '../../engine/delta/batch.ts';
import { BatchBuilder } from '../../engine/delta/builder.ts';
import type { Datum, Row } from '../../sql/base/datum.ts';
import { fromText } from '../../sql/base/text-input.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Catalog } from '../../sql/catalog.ts';
import { CH_TABLES, ChData } from '../benchmark-suites/ch-data.ts';
import { NEXMARK_COLUMNS, nexmarkEvents } from '../benchmark-suites/nexmark-data.ts';
import type { Cell } from '../benchmark-suites/suite.ts';
import { keysTo } from '../benchmark-suites/suite.ts';
import { TPCH_TABLES, TpchData } from '../benchmark-suites/tpch-data.ts';
import { generator } from '../differential/view-history.ts';
import { catalogOf } from './suite-plan.ts';

/** Of this many rows one is known by itself, to be changed or taken away, and one is kept back, to be put in. */
const ROWS_A_POOLED = 8;
/** Smaller tables (nations, regions) stay as they are: what hangs on one of their rows grows with the data. */
const CHANGED_TABLE_ROWS_MIN = 50;

/** Of CH-benCHmark's tables, as a multiple of what its test has. */
const CH_SIZE = 20;

/**
 * Most changed rows of a table in one epoch, where there are few of them. A supplier has 600 lines at any scale, so what a change
 * costs depends on how many suppliers are among its rows.
 */
const ROWS_CHANGED_MAX: Readonly<Record<string, number>> = { supplier: 8 };

interface TableRows {
  readonly table: string;
  readonly count: number;
  readonly rows: Iterable<readonly Cell[]>;
}

interface LoadedTable {
  readonly schema: Schema;
  readonly key: readonly number[];
  readonly appendOnly: boolean;
  readonly batches: readonly Batch[];
  /** Of the rows that the batches hold. */
  readonly live: Row[];
  /** Not in the batches. */
  readonly spare: Row[];
}

export class Workload {
  readonly catalog: Catalog;
  readonly #tables = new Map<string, LoadedTable>();
  readonly #random = generator(7);

  constructor(catalog: Catalog, tables: Iterable<TableRows>) {
    this.catalog = catalog;
    for (const { table, count, rows } of tables) {
      const relation = catalog.relation(table);
      if (relation?.kind !== 'table' && relation?.kind !== 'stream') throw new Error(table);
      const { schema } = relation;
      const isChanged = count >= CHANGED_TABLE_ROWS_MIN;
      const builder = new BatchBuilder(schema);
      const batches: Batch[] = [];
      const live: Row[] = [];
      const spare: Row[] = [];
      let i = 0;
      for (const cells of rows) {
        const row = cells.map((cell, column) => datumOf(cell, schema[column]));
        const place = i++ % ROWS_A_POOLED;
        if (isChanged && place === 1) spare.push(row);
        else builder.add(row);
        if (isChanged && place === 0) live.push(row);
        if (builder.length === ROWS_PER_BATCH_MAX) batches.push(builder.take());
      }
      if (builder.length > 0) batches.push(builder.take());
      const { primaryKey: key } = relation;
      const appendOnly = relation.kind === 'stream';
      this.#tables.set(table, { schema, key, appendOnly, batches, live, spare });
    }
  }

  batches(table: string): readonly Batch[] {
    return this.#tables.get(table)?.batches ?? [];
  }

  /**
   * About `rows` changed rows of these tables as one batch a table: a half updates (two rows of a table exchange what is not
   * their key), the others taken away and put in. Rows of streams are only put in.
   */
  change(tables: readonly string[], rows: number): ReadonlyMap<string, Batch> {
    const changing = tables.filter((name) => (this.#tables.get(name)?.live.length ?? 0) > 0);
    const few = changing.filter((name) => ROWS_CHANGED_MAX[name] !== undefined);
    const fewRows = few.reduce((sum, name) => sum + (ROWS_CHANGED_MAX[name] ?? 0), 0);
    const each = Math.round((rows - fewRows) / Math.max(1, changing.length - few.length));
    return new Map(
      changing.map((name) => [name, this.#changeOf(name, ROWS_CHANGED_MAX[name] ?? each)]),
    );
  }

  #changeOf(name: string, rows: number): Batch {
    const { schema, key, appendOnly, live, spare } = this.#tables.get(name) as LoadedTable;
    const builder = new BatchBuilder(schema);
    if (appendOnly) {
      for (let i = 0; i < rows; i++) builder.add(spare[this.#random(spare.length)] ?? []);
      return builder.take();
    }
    const take = (from: Row[]): Row => {
      const at = this.#random(from.length);
      const row = from[at] as Row;
      from[at] = from.at(-1) as Row;
      from.pop();
      return row;
    };
    const back: Row[] = [];
    const quarter = Math.min(Math.round(rows / 4), Math.floor(live.length / 3), spare.length);
    for (let i = 0; i < quarter; i++) {
      const first = take(live);
      const second = take(live);
      const isKey = (column: number): boolean => key.includes(column);
      for (const [own, other] of [
        [first, second],
        [second, first],
      ] as const) {
        const row = own.map((datum, column) => (isKey(column) ? datum : (other[column] ?? null)));
        builder.add(own, -1);
        builder.add(row, 1);
        back.push(row);
      }
    }
    const gone: Row[] = [];
    for (let i = 0; i < quarter; i++) {
      const out = take(live);
      builder.add(out, -1);
      gone.push(out);
      const come = take(spare);
      builder.add(come, 1);
      back.push(come);
    }
    live.push(...back);
    spare.push(...gone);
    return builder.take();
  }
}

function datumOf(cell: Cell, column: Schema[number] | undefined): Datum | null {
  if (cell === null || column === undefined) return null;
  if (typeof cell === 'number' && column.type.kind === 'integer') return cell;
  return fromText(String(cell), column.type, 0n);
}

/** @param scale  1 = 1,500,000 orders */
export function tpchWorkload(scale: number): Workload {
  const data = new TpchData(scale, 1);
  const each = <Item>(count: number, one: (key: number) => Item): Iterable<Item> =>
    keysTo(count).map(one);
  const orders = keysTo(data.orders).map((key) => data.order(key));
  const lines = orders.reduce((sum, order) => sum + order.lines.length, 0);
  return new Workload(catalogOf(TPCH_TABLES), [
    { table: 'region', count: 5, rows: data.regions() },
    { table: 'nation', count: 25, rows: data.nations() },
    {
      table: 'supplier',
      count: data.suppliers,
      rows: each(data.suppliers, (key) => data.supplier(key)),
    },
    {
      table: 'customer',
      count: data.customers,
      rows: each(data.customers, (key) => data.customer(key)),
    },
    { table: 'part', count: data.parts, rows: each(data.parts, (key) => data.part(key)) },
    {
      table: 'partsupp',
      count: data.parts * 4,
      rows: keysTo(data.parts).flatMap((key) => data.partSuppliers(key)),
    },
    { table: 'orders', count: orders.length, rows: orders.map(({ order }) => order) },
    { table: 'lineitem', count: lines, rows: orders.flatMap((order) => order.lines) },
  ]);
}

export function chWorkload(): Workload {
  const tables = new ChData(1, CH_SIZE).tables();
  return new Workload(
    catalogOf(CH_TABLES),
    tables.map(([table, rows]) => ({ table, count: rows.length, rows })),
  );
}

/** @param events  of persons, auctions and bids together */
export function nexmarkWorkload(events: number): Workload {
  const all = nexmarkEvents(events, 1);
  const kinds = Object.entries(NEXMARK_COLUMNS);
  const catalog = catalogOf([
    ...kinds.map(([kind, columns]) => `CREATE STREAM ${kind} (${columns})`),
    'CREATE TABLE side_input (key bigint PRIMARY KEY, value text)',
  ]);
  const side = keysTo(500).map((key) => [1000 + key, `side ${key % 5}`]);
  return new Workload(catalog, [
    ...kinds.map(([kind]) => {
      const rows = all.filter((event) => event.kind === kind).map(({ row }) => Object.values(row));
      return { table: kind, count: rows.length, rows };
    }),
    { table: 'side_input', count: side.length, rows: side },
  ]);
}
