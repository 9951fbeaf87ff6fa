/** ORDER BY with PostgreSQL's order of every type and explicit places of NULLs. */
import { StreamError } from '../../sql/base/error.ts';
import { type SqlType, typeName } from '../../sql/base/type.ts';
import type { BoundSortKey } from '../../sql/expression.ts';
import type { PullContext, Scope, Sql } from './pull-context.ts';
import { orderKey } from './pull-key.ts';

/** `ORDER BY …`, or nothing without keys. */
export function orderBy(context: PullContext, keys: readonly BoundSortKey[], scope: Scope): string {
  if (keys.length === 0) return '';
  return `ORDER BY ${keys.map((key) => sortKey(key, context.expression(key.expression, scope))).join(', ')}`;
}

/** @throws StreamError SQL_NOT_SUPPORTED where DuckDB has no such order; the operators then run the query. */
export function requireOrderKey(value: Sql, type: SqlType): string {
  const text = orderKey(value, type);
  if (text !== undefined) return text;
  const name = typeName(type);
  throw new StreamError('SQL_NOT_SUPPORTED', `sorting by type ${name} is not supported here`);
}

/** One key over its rendered expression. */
export function sortKey(key: BoundSortKey, value: Sql): string {
  const text = requireOrderKey(value, key.expression.type);
  const direction = key.descending ? 'DESC' : 'ASC';
  return `${text} ${direction} NULLS ${key.nullsFirst ? 'FIRST' : 'LAST'}`;
}
