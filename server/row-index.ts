/**
 * Rows of a table by a key, in memory, so that a constraint is looked at in a time that follows the change: unique keys, and the
 * columns of foreign keys. What a statement or a transaction changes lies over the committed rows as a delta.
 */
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Datum, Row } from '../sql/base/datum.ts';
import { toText } from '../sql/base/text-output.ts';
import type { Schema, SqlType } from '../sql/base/type.ts';
import { hashKey } from '../sql/base/value.ts';
import type { IndexItem, UniqueKey } from '../sql/catalog.ts';

/** A key as text; undefined for a row that is not in the index. */
export type KeyOf = (row: Row) => string | undefined;

const NULL_KEY = '-;';

/** Values that are equal for SQL have the same text; undefined when one is NULL, unless NULLs count as the same. */
export function keyText(
  values: readonly (Datum | null)[],
  types: readonly SqlType[],
  nullsNotDistinct = false,
): string | undefined {
  let text = '';
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? null;
    const type = types[i];
    if (value === null || type === undefined) {
      if (!nullsNotDistinct) return undefined;
      text += NULL_KEY;
      continue;
    }
    const part = String(hashKey(value, type));
    text += `${part.length}:${part};`;
  }
  return text;
}

export function columnKey(
  columns: readonly number[],
  schema: Schema,
  nullsNotDistinct = false,
): KeyOf {
  const types = columns.map((index) => schema[index]?.type ?? ({ kind: 'text' } as const));
  return (row) =>
    keyText(
      columns.map((index) => row[index] ?? null),
      types,
      nullsNotDistinct,
    );
}

export function uniqueKey({ items, where, nullsNotDistinct }: UniqueKey): KeyOf {
  const types = items.map(({ expression }) => expression.type);
  const values = items.map(({ expression }) => compileScalar(expression));
  const isIn = where === undefined ? undefined : compileScalar(where);
  return (row) => {
    if (isIn !== undefined && isIn(row) !== true) return undefined;
    return keyText(
      values.map((value) => value(row)),
      types,
      nullsNotDistinct,
    );
  };
}

/** `Key (a, lower(b))=(1, x)`, as messages name a key. */
export function shownKey(items: readonly IndexItem[], row: Row): string {
  const values = items.map(({ expression }) => {
    const value = compileScalar(expression)(row);
    return value === null ? 'null' : toText(value, expression.type);
  });
  return `Key (${items.map(({ text }) => text).join(', ')})=(${values.join(', ')})`;
}

interface Counted {
  readonly row: Row;
  count: number;
}

/** Tells rows apart that are equal for SQL and not the same to read: 1.0 and 1.00. */
type IdentityOf = (row: Row) => string;

function identity(schema: Schema): IdentityOf {
  return (row) => {
    let text = '';
    for (let i = 0; i < schema.length; i++) {
      const value = row[i] ?? null;
      const type = schema[i]?.type;
      if (value === null || type === undefined) {
        text += NULL_KEY;
        continue;
      }
      const part = toText(value, type);
      text += `${part.length}:${part};`;
    }
    return text;
  };
}

export class RowIndex {
  readonly keyOf: KeyOf;
  readonly identityOf: IdentityOf;
  /** A key's only row lies there bare: most keys have one. */
  readonly #rows = new Map<string, Row | Map<string, Counted>>();

  constructor(keyOf: KeyOf, schema: Schema) {
    this.keyOf = keyOf;
    this.identityOf = identity(schema);
  }

  /** @param count  copies that come, or go when it is negative. */
  add(row: Row, count: number): void {
    const key = this.keyOf(row);
    if (key !== undefined) this.addTo(key, row, count);
  }

  addTo(key: string, row: Row, count: number): void {
    const known = this.#rows.get(key);
    if (known === undefined && count === 1) {
      this.#rows.set(key, row);
      return;
    }
    const rows = known instanceof Map ? known : this.#spread(key, known as Row | undefined);
    const id = this.identityOf(row);
    const total = (rows.get(id)?.count ?? 0) + count;
    if (total > 0) rows.set(id, { row, count: total });
    else rows.delete(id);
    if (rows.size === 0) this.#rows.delete(key);
  }

  #spread(key: string, row: Row | undefined): Map<string, Counted> {
    const rows = new Map<string, Counted>();
    if (row !== undefined) rows.set(this.identityOf(row), { row, count: 1 });
    this.#rows.set(key, rows);
    return rows;
  }

  /** Different rows under the key, with their copies. */
  at(key: string): readonly Counted[] {
    const known = this.#rows.get(key);
    if (known === undefined) return [];
    return known instanceof Map ? [...known.values()] : [{ row: known as Row, count: 1 }];
  }

  count(key: string): number {
    const known = this.#rows.get(key);
    if (known === undefined) return 0;
    if (!(known instanceof Map)) return 1;
    let total = 0;
    for (const { count } of known.values()) total += count;
    return total;
  }
}

/** What a draft changes in an index. */
export class IndexDelta {
  readonly index: RowIndex;
  readonly #changes = new Map<string, Map<string, Counted>>();

  constructor(index: RowIndex) {
    this.index = index;
  }

  add(row: Row, count: 1 | -1): void {
    const key = this.index.keyOf(row);
    if (key === undefined) return;
    const rows = this.#changes.get(key) ?? new Map<string, Counted>();
    this.#changes.set(key, rows);
    const id = this.index.identityOf(row);
    const known = rows.get(id);
    const total = (known?.count ?? 0) + count;
    if (total === 0) rows.delete(id);
    else rows.set(id, { row, count: total });
    if (rows.size === 0) this.#changes.delete(key);
  }

  /** The rows under the key, one a copy. */
  rows(key: string): readonly Row[] {
    const changed = this.#changes.get(key);
    const base = this.index.at(key);
    if (changed === undefined) return base.flatMap(copies);
    const rest = new Map(changed);
    const kept = base.flatMap((one) => {
      const id = this.index.identityOf(one.row);
      const delta = rest.get(id)?.count ?? 0;
      rest.delete(id);
      return copies({ row: one.row, count: one.count + delta });
    });
    return [...kept, ...[...rest.values()].flatMap(copies)];
  }

  has(key: string): boolean {
    return this.index.count(key) + this.#total(key) > 0;
  }

  #total(key: string): number {
    let total = 0;
    for (const { count } of this.#changes.get(key)?.values() ?? []) total += count;
    return total;
  }

  /** Keys that have more rows or fewer than before. */
  *keys(): Iterable<string> {
    for (const key of this.#changes.keys()) if (this.#total(key) !== 0) yield key;
  }

  /** Takes the changes into the index; `sign` -1 takes them back. */
  apply(sign: 1 | -1): void {
    for (const [key, rows] of this.#changes) {
      for (const { row, count } of rows.values()) {
        if (count * sign < 0) this.index.addTo(key, row, count * sign);
      }
      for (const { row, count } of rows.values()) {
        if (count * sign > 0) this.index.addTo(key, row, count * sign);
      }
    }
  }
}

function copies({ row, count }: Counted): readonly Row[] {
  return Array.from({ length: count }, () => row);
}
