/**
 * A stored relation under changes that are not committed: what a transaction reads of a table that it has written. The rows come
 * from this process through a host call and are put over the stored ones.
 */
import type { Row } from '../../sql/base/datum.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { StoredRelation } from '../store/store.ts';
import { storedForm } from '../store/stored-form.ts';
import { COUNT_COLUMN, columnName, lookOf, tableName } from '../store/view-table.ts';
import { computed, type NodeSql, type PullContext } from './pull-context.ts';

export interface OverlayRow {
  readonly row: Row;
  /** +1 inserts the row, -1 takes it back. */
  readonly weight: number;
}

/** What a scan reads. */
export interface ScannedRelation extends StoredRelation {
  readonly overlay?: readonly OverlayRow[] | undefined;
}

/** All columns are in their computed form, which is the same for rows of both sides. */
export function renderOverlaidScan(
  context: PullContext,
  relation: StoredRelation,
  overlay: readonly OverlayRow[],
): NodeSql {
  const { schema, storage } = relation;
  const names = schema.map((_, i) => columnName(i));
  const change = context.alias();
  const own = schema.map(({ type }, i) => {
    const form = storedForm(type);
    const decimal = form.kind === 'decimal' ? { ...form, nan: true } : undefined;
    return `${computed({ text: columnName(i), decimal })} AS ${columnName(i)}`;
  });
  const list = names.length === 0 ? '1 AS nothing' : names.join(', ');
  const table = tableName(relation.id);
  const changes = changeRows(context, relation, overlay);
  const forms = schema.map(() => undefined);
  if (storage.kind === 'keyed') {
    const key = storage.key.map((i) => `s.${columnName(i)} = d.${columnName(i)}`).join(' AND ');
    const text =
      `WITH ${change} AS MATERIALIZED (${changes}) SELECT ${list} FROM (SELECT ${own.join(', ')} FROM ${table}) AS s ` +
      `WHERE NOT EXISTS (SELECT 1 FROM ${change} AS d WHERE ${key}) ` +
      `UNION ALL SELECT ${list} FROM ${change} WHERE ${COUNT_COLUMN} > 0`;
    return { text, forms };
  }
  const counted = [...own, COUNT_COLUMN].join(', ');
  const groups = [...names, ...lookOf(relation, '')];
  const grouped = groups.length === 0 ? '' : `GROUP BY ${groups.join(', ')} `;
  const summed = [...names, `sum(${COUNT_COLUMN}) AS ${COUNT_COLUMN}`].join(', ');
  const text =
    `SELECT ${list} FROM (SELECT *, unnest(range(CAST(${COUNT_COLUMN} AS BIGINT))) AS copy FROM (` +
    `SELECT ${summed} FROM (SELECT ${counted} FROM ${table} UNION ALL ${changes}) ` +
    `${grouped}HAVING sum(${COUNT_COLUMN}) > 0))`;
  return { text, forms };
}

/** The changes as a query with the relation's columns and a weight. */
function changeRows(
  context: PullContext,
  { schema }: StoredRelation,
  overlay: readonly OverlayRow[],
): string {
  const weight = { name: COUNT_COLUMN, type: { kind: 'bigint' } as const, nullable: false };
  const rows: SqlType = { kind: 'array', element: { kind: 'row', fields: [...schema, weight] } };
  const { text } = context.call([], rows, [], () =>
    overlay.map(({ row, weight: copies }) => [...row, BigInt(copies)]),
  );
  const columns = schema.map((_, i) => `r.f${i} AS ${columnName(i)}`);
  columns.push(`r.f${schema.length} AS ${COUNT_COLUMN}`);
  return `SELECT ${columns.join(', ')} FROM (SELECT unnest(${text}) AS r)`;
}
