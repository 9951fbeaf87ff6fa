/**
 * What the makers of random queries share. Queries are typed, so that nearly all of them are valid, and made so that PostgreSQL
 * has one answer only: what depends on the order of rows is given an order that tells all of them apart, and what may be
 * either of two equal values is made of values that look alike when they are equal.
 */
import type { Dice } from './dice.ts';

export type Kind =
  | 'int'
  | 'big'
  | 'num'
  | 'dbl'
  | 'text'
  | 'date'
  | 'ts'
  | 'bool'
  | 'ints'
  | 'json';

export interface Column {
  readonly sql: string;
  readonly kind: Kind;
  /** Equal values look alike: 1.0 and 1.00 do not. */
  readonly exact: boolean;
  /** A reference by name, which queries inside of a grouped one may also use. */
  readonly plain: boolean;
}

/** What FROM can name. */
export interface Relation {
  readonly name: string;
  readonly columns: readonly Column[];
}

/** A query, or an item of FROM; of a query the columns' `sql` are their names. */
export interface Source {
  readonly sql: string;
  readonly columns: readonly Column[];
}

export interface Scope {
  /** Columns of the query's own FROM, or of its groups. */
  readonly own: readonly Column[];
  /** Columns of the queries around it. */
  readonly outer: readonly Column[];
}

export interface Wish {
  readonly depth: number;
  readonly outer: readonly Column[];
  /** Kinds of the columns; any when absent. */
  readonly kinds?: readonly Kind[] | undefined;
}

export const EXACT_KINDS: readonly Kind[] = ['int', 'big', 'text', 'date', 'ts', 'bool'];
export const isExactKind = (kind: Kind): boolean => kind !== 'num' && kind !== 'dbl';

export class Context {
  readonly dice: Dice;
  /** Tables and views, and the WITH items around what is being made. */
  readonly relations: Relation[];
  /** Makes a whole query; set by query.ts, since expressions and queries hold each other. */
  query: (context: Context, wish: Wish) => Source = () => {
    throw new Error('no maker of queries');
  };
  /** Tables and joins that the current query may still have; bounds both its length and the rows in between. */
  relationsLeft = 0;
  /** Joins without an equality, each of which multiplies rows. */
  productsLeft = 0;
  #names = 0;

  constructor(dice: Dice, relations: readonly Relation[]) {
    this.dice = dice;
    this.relations = [...relations];
  }

  name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  begin(): void {
    this.#names = 0;
    this.relationsLeft = this.dice.between(2, 6);
    this.productsLeft = 1;
  }
}

export const named = (names: readonly string[], columns: readonly Column[]): Column[] =>
  columns.map((column, i) => ({ ...column, sql: names[i] as string, plain: true }));

export const qualified = (alias: string, columns: readonly Column[]): Column[] =>
  columns.map((column) => ({ ...column, sql: `${alias}.${column.sql}`, plain: true }));

/** ORDER BY items that tell apart all rows that differ. */
export function totalOrder(context: Context, columns: readonly Column[]): string[] {
  return context.dice
    .shuffled(columns)
    .map(({ sql, exact }) => `${exact ? sql : `${sql}::text`}${direction(context)}`);
}

export function direction({ dice }: Context): string {
  return dice.weighted([
    [5, () => ''],
    [2, () => ' DESC'],
    [1, () => ' NULLS FIRST'],
    [1, () => ' DESC NULLS LAST'],
  ]);
}
