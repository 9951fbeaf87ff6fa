/** ksqlDB's PARTITION BY of a query that feeds a topic: the columns that become the records' keys. */
import type { Expression, Query } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';

/** The query without its PARTITION BY, and what stood there. */
export function takePartitionBy(query: Query): {
  readonly query: Query;
  readonly partitionBy: readonly Expression[];
} {
  const { body } = query;
  if (body.kind !== 'select' || body.partitionBy.length === 0) return { query, partitionBy: [] };
  return {
    query: { ...query, body: { ...body, partitionBy: [] } },
    partitionBy: body.partitionBy,
  };
}

/**
 * Numbers of the columns in the query's output. Other than in ksqlDB they stay in the record's value too.
 * @throws StreamError SQL_NOT_SUPPORTED for anything but a column of the SELECT list.
 */
export function partitionColumns(
  partitionBy: readonly Expression[],
  schema: Schema,
): readonly number[] {
  return partitionBy.map((item) => {
    const name = item.kind === 'column' ? item.name.parts.at(-1)?.name : undefined;
    const column = schema.findIndex((output) => output.name === name);
    if (column >= 0) return column;
    throw new StreamError('SQL_NOT_SUPPORTED', 'PARTITION BY takes columns of the SELECT list', {
      at: item.span,
      hint: 'Select the expression under a name, and partition by that name.',
    });
  });
}

/** @throws StreamError SQL_NOT_SUPPORTED where a query feeds no topic. */
export function refusePartitionBy(partitionBy: readonly Expression[]): void {
  const [first] = partitionBy;
  if (first === undefined) return;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    'PARTITION BY belongs to CREATE STREAM … AS SELECT and CREATE SINK … AS SELECT',
    { at: first.span, hint: 'To aggregate rows by a column use GROUP BY.' },
  );
}
