/** ksqlDB's PARTITION BY of a query that feeds a topic: the columns that become the records' keys. */
import type { Expression, Query, SelectItem } from './ast.ts';
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
 * Numbers of the columns in the query's output that give the key: an expression means the one that is selected as it is
 * written, and else a column of the output. NULL is no key. Other than in ksqlDB they stay in the record's value too.
 * @throws StreamError SQL_NOT_SUPPORTED for anything that is not selected.
 */
export function partitionColumns(
  partitionBy: readonly Expression[],
  schema: Schema,
  { body }: Query,
): readonly number[] {
  const items = body.kind === 'select' ? body.items : [];
  return partitionBy.flatMap((item) => {
    if (item.kind === 'null') return [];
    const column = selectedColumn(item, items, schema) ?? namedColumn(item, schema);
    if (column !== undefined) return [column];
    throw new StreamError('SQL_NOT_SUPPORTED', 'PARTITION BY takes what the SELECT list has', {
      at: item.span,
      hint: 'Select the expression, and partition by it or by its name.',
    });
  });
}

/** Behind a star, which stands for many, the column is found by its name. */
function selectedColumn(
  wanted: Expression,
  items: readonly SelectItem[],
  schema: Schema,
): number | undefined {
  const text = withoutPlace(wanted);
  const place = items.findIndex(({ expression }) => withoutPlace(expression) === text);
  const item = items[place];
  if (item === undefined) return undefined;
  if (!items.some(({ expression }) => expression.kind === 'star')) return place;
  return item.alias === undefined
    ? namedColumn(item.expression, schema)
    : indexNamed(item.alias.name, schema);
}

function namedColumn(item: Expression, schema: Schema): number | undefined {
  const name = item.kind === 'column' ? item.name.parts.at(-1)?.name : undefined;
  return name === undefined ? undefined : indexNamed(name, schema);
}

function indexNamed(name: string, schema: Schema): number | undefined {
  const index = schema.findIndex((output) => output.name === name);
  return index < 0 ? undefined : index;
}

/** The same for what is written the same, with or without the names of tables. */
const withoutPlace = (expression: Expression): string =>
  JSON.stringify(expression, (key, value) =>
    /span$/i.test(key) || key === 'quoted' ? undefined : key === 'parts' ? value.slice(-1) : value,
  );

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
