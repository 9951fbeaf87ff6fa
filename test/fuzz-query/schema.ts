/** Random tables and streams, and random changes of their rows. */
import { type Column, isExactKind, type Kind, type Relation } from './context.ts';
import type { Dice } from './dice.ts';

interface TypeChoice {
  readonly kind: Kind;
  readonly type: string;
  readonly exact?: boolean;
  /** Few, so that rows meet and repeat. */
  readonly values: readonly string[];
}

const types: readonly TypeChoice[] = [
  { kind: 'int', type: 'integer', values: ['0', '1', '2', '3', '-1'] },
  { kind: 'int', type: 'integer', values: ['0', '1', '2', '3', '-1'] },
  { kind: 'int', type: 'smallint', values: ['0', '1', '2', '5'] },
  { kind: 'big', type: 'bigint', values: ['0', '1', '2', '-2', '9007199254740993'] },
  { kind: 'num', type: 'numeric(8,2)', exact: true, values: ['0', '1', '1.5', '-2.25'] },
  { kind: 'num', type: 'numeric', values: ['0', '1', '1.50', '1.5', '-2.25'] },
  { kind: 'dbl', type: 'double precision', values: ['0', '0.5', '2', '-1.25'] },
  { kind: 'text', type: 'text', values: ["'a'", "'b'", "'ab'", "''", "'B'", "'ä'"] },
  { kind: 'text', type: 'text', values: ["'a'", "'b'", "'c'"] },
  { kind: 'text', type: 'character varying(6)', values: ["'a'", "'b'", "' b '"] },
  { kind: 'date', type: 'date', values: ["'2024-02-29'", "'2024-03-01'", "'2023-12-31'"] },
  {
    kind: 'ts',
    type: 'timestamp',
    values: ["'2024-02-29 12:00'", "'2024-03-01'", "'2023-12-31 23:59:59.5'"],
  },
  { kind: 'bool', type: 'boolean', values: ['true', 'false'] },
  { kind: 'ints', type: 'integer[]', values: ["'{}'", "'{1,2}'", "'{2,NULL,0}'", "'{3}'"] },
];

export interface TestColumn extends TypeChoice {
  readonly name: string;
  readonly notNull: boolean;
}

export interface TestTable {
  readonly name: string;
  /** Rows are only ever added, and PostgreSQL's side is a table. */
  readonly isStream: boolean;
  /** The first column is a primary key. */
  readonly hasKey: boolean;
  readonly columns: readonly TestColumn[];
}

const NULL_PERCENT = 18;
const ROWS_A_STATEMENT_MAX = 4;

export function randomTables(dice: Dice): readonly TestTable[] {
  return dice.times(dice.between(2, 5), (i) => {
    const isStream = dice.chance(20);
    const hasKey = !isStream && dice.chance(45);
    const chosen = [
      types[0] as TypeChoice,
      ...dice.times(dice.between(1, 4), () => dice.pick(types)),
    ];
    const columns = chosen.map(
      (type, at): TestColumn => ({
        ...type,
        name: `${'abcdef'[at]}${i}`,
        notNull: (hasKey && at === 0) || dice.chance(12),
      }),
    );
    return { name: `t${i}`.replace('t', isStream ? 'stream' : 'table'), isStream, hasKey, columns };
  });
}

export function relationOf(table: TestTable): Relation {
  const columns = table.columns.map(({ name, kind, exact }): Column => {
    return { sql: name, kind, exact: exact ?? isExactKind(kind), plain: true };
  });
  return { name: table.name, columns };
}

/** @param judge  as PostgreSQL is told. */
export function createTable(table: TestTable, judge: boolean): string {
  const columns = table.columns.map(({ name, type, notNull }, i) => {
    const isKey = table.hasKey && i === 0;
    return `${name} ${type}${isKey ? ' PRIMARY KEY' : notNull ? ' NOT NULL' : ''}`;
  });
  return `CREATE ${table.isStream && !judge ? 'STREAM' : 'TABLE'} ${table.name} (${columns.join(', ')})`;
}

/** Statements of one commit. */
export class Changes {
  readonly #dice: Dice;
  readonly #tables: readonly TestTable[];

  constructor(dice: Dice, tables: readonly TestTable[]) {
    this.#dice = dice;
    this.#tables = tables;
  }

  commit(): readonly string[] {
    const tables = this.#tables.filter(({ isStream }) => !isStream);
    // Rows of a stream come by a statement of their own, outside of transactions.
    if (tables.length === 0 || this.#dice.chance(20))
      return [this.insert(this.#dice.pick(this.#tables))];
    return this.#dice.times(this.#dice.pick([1, 1, 1, 2, 3]), () =>
      this.#change(this.#dice.pick(tables)),
    );
  }

  insert(table: TestTable): string {
    const dice = this.#dice;
    const rows = dice.times(dice.between(1, ROWS_A_STATEMENT_MAX), () => {
      const cells = table.columns.map((column, i) =>
        table.hasKey && i === 0 ? String(dice.between(-1, 7)) : this.#cell(column),
      );
      return `(${cells.join(', ')})`;
    });
    return `INSERT INTO ${table.name} VALUES ${rows.join(', ')}${table.hasKey ? ' ON CONFLICT DO NOTHING' : ''}`;
  }

  #cell(column: TestColumn): string {
    if (!column.notNull && this.#dice.chance(NULL_PERCENT)) return 'NULL';
    return this.#dice.pick(column.values);
  }

  #where(table: TestTable): string {
    const column = this.#dice.pick(table.columns);
    if (!column.notNull && this.#dice.chance(15)) return `${column.name} IS NULL`;
    return `${column.name} = ${this.#dice.pick(column.values)}`;
  }

  #change(table: TestTable): string {
    const dice = this.#dice;
    const values = table.columns.slice(1);
    return dice.weighted([
      [55, () => this.insert(table)],
      [
        30,
        () => {
          const set = dice.pick(values);
          return `UPDATE ${table.name} SET ${set.name} = ${this.#cell(set)} WHERE ${this.#where(table)}`;
        },
      ],
      [17, () => `DELETE FROM ${table.name} WHERE ${this.#where(table)}`],
      [1, () => `DELETE FROM ${table.name}`],
    ]);
  }
}
