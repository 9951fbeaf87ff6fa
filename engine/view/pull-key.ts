/**
 * Equality and order where DuckDB's own are not PostgreSQL's: numerics held as text, char(n) whose trailing blanks
 * do not count, intervals, jsonb, ranges held as text. A key is a value that DuckDB compares as PostgreSQL compares the original.
 */
import type { Datum } from '../../sql/base/datum.ts';
import { type SqlType, someType } from '../../sql/base/type.ts';
import { hashKey } from '../../sql/base/value.ts';
import { INTERVAL_SPAN } from '../store/interval-macro.ts';
import { NUMERIC_KEY, NUMERIC_ORDER } from '../store/numeric-macro.ts';
import { computed, type PullContext, type Sql } from './pull-context.ts';
import { once } from './pull-once.ts';

const isRange = (type: SqlType): boolean => type.kind === 'range';

const TEXT: SqlType = { kind: 'text' };

/** Does DuckDB's equality of values of this form agree with PostgreSQL's? */
export function hasOwnEquality(type: SqlType, sql?: Sql): boolean {
  switch (type.kind) {
    case 'numeric':
      return sql?.decimal !== undefined;
    case 'char':
    case 'interval':
    case 'jsonb':
      return false;
    case 'range':
      return type.name !== 'numrange';
    case 'array':
      return hasOwnEquality(type.element);
    case 'row':
      return type.fields.every((field) => hasOwnEquality(field.type));
    default:
      return true;
  }
}

/** Equal keys for values that are equal in SQL, and no others; NULL for NULL. */
export function equalityKey(context: PullContext, sql: Sql, type: SqlType): string {
  if (hasOwnEquality(type, sql)) return sql.text;
  switch (type.kind) {
    case 'numeric':
      return once([computed(sql)], ([value]) => `${NUMERIC_KEY}(${value})`);
    case 'char':
      return `rtrim(${sql.text}, ' ')`;
    case 'interval':
      return `${INTERVAL_SPAN}(${sql.text})`;
    default:
      return context.call([type], TEXT, [computed(sql)], ([value]) =>
        String(hashKey(value as Datum, type)),
      ).text;
  }
}

/** Keys that sort as the values do; undefined when only a comparison of two values knows the order. */
export function orderKey(sql: Sql, type: SqlType): string | undefined {
  switch (type.kind) {
    case 'numeric':
      if (sql.decimal !== undefined) return sql.text;
      return once([sql.text], ([value]) => `${NUMERIC_ORDER}(${value})`);
    case 'char':
      return `rtrim(${sql.text}, ' ')`;
    case 'interval':
      return `${INTERVAL_SPAN}(${sql.text})`;
    case 'jsonb':
    case 'range':
      return undefined;
    case 'array':
    case 'row':
      return hasOwnEquality(type) && !someType(type, isRange) ? sql.text : undefined;
    default:
      return sql.text;
  }
}
