/** Polling a view by its columns: the request becomes a SELECT, so that types and NULLs are SQL's. */
import { StreamError } from '../sql/base/error.ts';
import type { Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { ViewAnswer, ViewRequest } from './database.ts';
import { runQueryText } from './pull.ts';

const COMPARISONS = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;

export async function readViewRows(
  core: Core,
  relation: Relation,
  request: ViewRequest,
  version: number,
  signal: AbortSignal,
): Promise<ViewAnswer> {
  const { schema, chunks } = await runQueryText(core, selectText(relation, request), signal);
  return { version, schema, chunks };
}

/** @throws StreamError SQL_UNKNOWN_COLUMN, REQUEST_INVALID. */
export function selectText(relation: Relation, request: ViewRequest): string {
  const column = (name: string): string => {
    if (relation.schema.some((candidate) => candidate.name === name)) return quoteName(name);
    throw new StreamError(
      'SQL_UNKNOWN_COLUMN',
      `column "${name}" of view "${relation.name}" does not exist`,
      { hint: `Columns: ${relation.schema.map((candidate) => candidate.name).join(', ')}.` },
    );
  };
  const conditions = request.where.map(({ column: name, operator, values }) => {
    const left = column(name);
    switch (operator) {
      case 'is-null':
        return `${left} IS NULL`;
      case 'is-not-null':
        return `${left} IS NOT NULL`;
      case 'in':
        return values.length === 0 ? 'false' : `${left} IN (${values.map(quoteText).join(', ')})`;
      case 'like':
        return `${left} LIKE ${quoteText(values[0] ?? '')}`;
      default:
        return `${left} ${COMPARISONS[operator]} ${quoteText(values[0] ?? '')}`;
    }
  });
  const order = request.order.map(
    ({ column: name, descending }) => `${column(name)}${descending ? ' DESC' : ''}`,
  );
  return [
    `SELECT * FROM ${quoteName(relation.name)}`,
    conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '',
    order.length > 0 ? `ORDER BY ${order.join(', ')}` : '',
    request.limit === undefined ? '' : `LIMIT ${countText('limit', request.limit)}`,
    request.offset === undefined ? '' : `OFFSET ${countText('offset', request.offset)}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function countText(name: string, value: number): string {
  if (Number.isSafeInteger(value) && value >= 0) return String(value);
  throw new StreamError('REQUEST_INVALID', `${name} must be a whole number from 0, not ${value}`);
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** An untyped literal: it takes the column's type, as in a statement. */
function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
