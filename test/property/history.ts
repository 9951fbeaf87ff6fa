/**
 * Random histories of weighted rows, and the answers that PostgreSQL gives over what they leave. A history is a list of
 * epochs of batches; deletions take back rows that are there, and batches may come in reverse, so that a deletion
 * precedes its insertion.
 */
import type { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import type { Batch } from '../../engine/delta/batch.ts';
import { BatchBuilder } from '../../engine/delta/builder.ts';
import type { Datum, Row } from '../../sql/base/datum.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { toText } from '../../sql/base/text-output.ts';
import { type Schema, type SqlType, typeName } from '../../sql/base/type.ts';
import { openPglite } from '../open-pglite.ts';

export interface TestTable {
  readonly name: string;
  readonly schema: Schema;
  /** The values of each column, few, so that rows meet and repeat. */
  readonly domains: readonly (readonly (Datum | null)[])[];
  /** Rows are only ever added. */
  readonly appendOnly: boolean;
  /** The column that has a watermark; undefined = none. */
  readonly watermark?: number | undefined;
}

export interface Change {
  readonly row: Row;
  readonly weight: number;
}

/** changes[table][batch][change] of one epoch. */
export type Epoch = readonly (readonly (readonly Change[])[])[];

export type History = readonly Epoch[];

interface Step {
  readonly table: number;
  readonly cells: readonly number[];
  /** Below 0.35 a present row is deleted, below 0.5 one comes again, above 0.9 a new one comes twice at once. */
  readonly dice: number;
  readonly victim: number;
  /** What ends after this step. */
  readonly cut: 'nothing' | 'batch' | 'epoch';
  readonly reverse: boolean;
}

const CELLS_MAX = 12;

export function histories(tables: readonly TestTable[]): fc.Arbitrary<History> {
  const step: fc.Arbitrary<Step> = fc.record({
    table: fc.nat(tables.length - 1),
    cells: fc.array(fc.nat(1000), { minLength: CELLS_MAX, maxLength: CELLS_MAX, size: 'max' }),
    dice: fc.double({ min: 0, max: 1, noNaN: true }),
    victim: fc.nat(1000),
    cut: fc.constantFrom('nothing', 'nothing', 'batch', 'epoch'),
    reverse: fc.boolean(),
  });
  return fc
    .array(step, { minLength: 1, maxLength: 40, size: 'max' })
    .map((steps) => playSteps(tables, steps));
}

function playSteps(tables: readonly TestTable[], steps: readonly Step[]): History {
  const present: Row[][] = tables.map(() => []);
  const history: Epoch[] = [];
  let epoch: Change[][][] = tables.map(() => [[]]);
  const endBatch = (reverse: boolean): void => {
    for (const batches of epoch) {
      if (reverse) batches.at(-1)?.reverse();
      batches.push([]);
    }
  };
  for (const step of steps) {
    const table = tables[step.table] as TestTable;
    const rows = present[step.table] as Row[];
    const batch = epoch[step.table]?.at(-1) as Change[];
    if (step.dice < 0.35 && rows.length > 0 && !table.appendOnly) {
      const [row] = rows.splice(step.victim % rows.length, 1);
      batch.push({ row: row as Row, weight: -1 });
    } else if (step.dice < 0.5 && rows.length > 0) {
      const row = rows[step.victim % rows.length] as Row;
      rows.push(row);
      batch.push({ row, weight: 1 });
    } else {
      const row = table.domains.map(
        (domain, i) => domain[(step.cells[i] as number) % domain.length] ?? null,
      );
      const weight = step.dice > 0.9 ? 2 : 1;
      for (let i = 0; i < weight; i++) rows.push(row);
      batch.push({ row, weight });
    }
    if (step.cut === 'batch') endBatch(step.reverse);
    if (step.cut === 'epoch') {
      endBatch(step.reverse);
      history.push(epoch);
      epoch = tables.map(() => [[]]);
    }
  }
  endBatch(false);
  history.push(epoch);
  return history;
}

export function batchOf(schema: Schema, changes: readonly Change[]): Batch {
  const builder = new BatchBuilder(schema);
  for (const { row, weight } of changes) builder.add(row, weight);
  return builder.take();
}

/** What is left after a list of batches: rows as PostgreSQL prints them, with how often they are there. */
export class Bag {
  readonly #schema: Schema;
  readonly #weights = new Map<string, number>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  readonly take = (batch: Batch): void => {
    for (let r = 0; r < batch.length; r++) this.add(batch.row(r), batch.weight(r));
  };

  add(row: Row, weight: number): void {
    const key = JSON.stringify(
      row.map((datum, i) => {
        // The cast of a boolean to text writes it out, its output function does not.
        if (datum === null || typeof datum === 'boolean') return datum === null ? null : `${datum}`;
        return toText(datum, (this.#schema[i] as Schema[number]).type);
      }),
    );
    const sum = (this.#weights.get(key) ?? 0) + weight;
    if (sum === 0) this.#weights.delete(key);
    else this.#weights.set(key, sum);
  }

  /** Rows with their weights, sorted; negative weights too. */
  weights(): [string, number][] {
    return [...this.#weights].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Sorted, each row as often as it is there. @throws when a row is there less than never. */
  rows(): string[] {
    const rows: string[] = [];
    for (const [key, weight] of this.#weights) {
      if (weight < 0) throw new Error(`the row ${key} is there ${weight} times`);
      for (let i = 0; i < weight; i++) rows.push(key);
    }
    return rows.sort();
  }
}

/** The present rows of tables, as SQL can read them. */
export class Tables {
  readonly #tables: readonly TestTable[];
  readonly #rows: Change[][];

  constructor(tables: readonly TestTable[]) {
    this.#tables = tables;
    this.#rows = tables.map(() => []);
  }

  apply(epoch: Epoch): void {
    epoch.forEach((batches, i) => {
      for (const batch of batches) for (const change of batch) this.#rows[i]?.push(change);
    });
  }

  /** `WITH` items that define each table by its rows. */
  with(): string {
    return this.#tables
      .map((table, i) => `${table.name} AS (${this.#values(table, i)})`)
      .join(', ');
  }

  #values(table: TestTable, index: number): string {
    const bag = new Map<string, number>();
    for (const { row, weight } of this.#rows[index] ?? []) {
      const key = `(${row.map((datum, i) => literal(datum, (table.schema[i] as Schema[number]).type)).join(', ')})`;
      bag.set(key, (bag.get(key) ?? 0) + weight);
    }
    const rows: string[] = [];
    for (const [key, weight] of bag) for (let i = 0; i < weight; i++) rows.push(key);
    const columns = table.schema.map((column) => column.name).join(', ');
    if (rows.length > 0) return `SELECT * FROM (VALUES ${rows.join(', ')}) AS v(${columns})`;
    const nulls = table.schema.map((column) => `NULL::${typeName(column.type)} AS ${column.name}`);
    return `SELECT ${nulls.join(', ')} WHERE false`;
  }
}

function literal(datum: Datum | null, type: SqlType): string {
  if (datum === null) return `NULL::${typeName(type)}`;
  return `'${toText(datum, type).replaceAll("'", "''")}'::${typeName(type)}`;
}

let judge: PGlite | undefined;

/** One database a test file. */
export async function openJudge(): Promise<void> {
  judge = await openPglite();
  await judge.exec("SET timezone = 'UTC'");
}

export async function closeJudge(): Promise<void> {
  await judge?.close();
}

/** PostgreSQL's rows, each value as its text, sorted. */
export async function postgresRows(
  tables: Tables,
  query: string,
  columns: number,
): Promise<string[]> {
  if (judge === undefined) throw new Error('openJudge() was not called');
  const names = Array.from({ length: columns }, (_, i) => `c${i}`);
  const sql = `WITH ${tables.with()} SELECT ${names.map((name) => `${name}::text`).join(', ')}
    FROM (${query}) AS q(${names.join(', ')})`;
  const { rows } = await judge.query<unknown[]>(sql, [], { rowMode: 'array' });
  return rows.map((row) => JSON.stringify(row)).sort();
}

export const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);

const column = (name: string, type: SqlType): Schema[number] => ({ name, type, nullable: true });

const numeric = (text: string): Numeric => Numeric.parse(text);

/** Two tables with a column of every physical form; the key columns come first. */
export function tableOf(name: string, appendOnly: boolean): TestTable {
  return {
    name,
    appendOnly,
    schema: [
      column('k', { kind: 'integer' }),
      column('s', { kind: 'text' }),
      column('v', { kind: 'integer' }),
      column('b', { kind: 'bigint' }),
      column('n', { kind: 'numeric' }),
      column('f', { kind: 'double' }),
      column('t', { kind: 'timestamp' }),
      column('o', { kind: 'boolean' }),
      column('x', { kind: 'bytea' }),
    ],
    domains: [
      [0, 1, 2, null],
      ['', 'a', 'ä€😀', null],
      [-3, 0, 1, 2147483647, null],
      [0n, -1n, 9007199254740993n, 9223372036854775807n, null],
      [
        numeric('1.0'),
        numeric('1.00'),
        numeric('-2.5'),
        numeric('99999999999999999999.9'),
        numeric('NaN'),
        null,
      ],
      [0, -1.5, 0.25, 1e10, Number.NaN, null],
      [0n, 1_500_000n, 3_000_000n, -1n, null],
      [true, false, null],
      [new Uint8Array([]), new Uint8Array([1, 255]), null],
    ],
  };
}
