/** CREATE SINK: what a query gives, on its way to a destination that the options name, or into a table. */
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import type { BindContext } from './bind-context.ts';
import { keepFirst } from './bind-output.ts';
import { partitionColumns, takePartitionBy } from './bind-partition.ts';
import { relationPlan, requireRelation } from './bind-relation.ts';
import { nameToCreate } from './bind-schema.ts';
import { bindSinkTable } from './bind-sink-table.ts';
import { bindInsertedQuery, bindViewQuery, dependenciesOf, knownOptions } from './bind-view.ts';
import type { BoundCreateSink } from './bound-statement.ts';
import { hiddenFromOf } from './catalog.ts';
import { deriveKey, isAppendOnly } from './derive.ts';
import type { LogicalNode } from './logical-plan.ts';

export type CreateSink = Statement & { readonly kind: 'create-sink' };

/** @throws StreamError SQL_…; for one into a table see `bindSinkTable`. */
export function bindCreateSink(statement: CreateSink, context: BindContext): BoundCreateSink {
  const read = sinkQuery(statement, context);
  const options = knownOptions(statement.options);
  const reads = dependenciesOf(read.query, context);
  const table = bindSinkTable(statement, read, reads, options, context);
  const query = table?.query ?? read.query;
  if (table === undefined) refusePlain(statement, query, context);
  return {
    kind: 'create-sink',
    name: nameToCreate(statement.name, context),
    orReplace: statement.orReplace,
    ifNotExists: statement.ifNotExists,
    query,
    connector: options.get('connector')?.toLowerCase(),
    into: table?.into,
    key: table?.into.key ?? deriveKey(query, context.catalog),
    partitionBy: read.partitionBy,
    appendOnly: isAppendOnly(query, context.catalog),
    dependsOn: table === undefined ? reads : [...new Set([...reads, table.into.table])].sort(),
    options,
  };
}

/** RisingWave's FORMAT PLAIN promises that rows only come. */
function refusePlain({ options }: CreateSink, query: LogicalNode, context: BindContext): void {
  const isEncoded = options.some(({ key }) => key === 'encode');
  const plain = options.find(
    ({ key, value }) => key === 'format' && value.kind === 'string' && value.value === 'plain',
  );
  if (!isEncoded || plain === undefined || isAppendOnly(query, context.catalog)) return;
  throw new StreamError(
    'SQL_NOT_INCREMENTAL',
    'FORMAT PLAIN is for rows that only come, and this query updates and deletes rows',
    { at: plain.span, hint: 'Use FORMAT UPSERT: a record a changed row, by its key.' },
  );
}

function sinkQuery(
  statement: CreateSink,
  context: BindContext,
): { readonly query: LogicalNode; readonly partitionBy: readonly number[] } {
  if (statement.query !== undefined) {
    const taken = takePartitionBy(statement.query);
    const query =
      statement.into === undefined
        ? bindViewQuery(taken.query, [], context)
        : bindInsertedQuery(taken.query, context);
    const [first] = taken.partitionBy;
    if (first !== undefined && !isAppendOnly(query, context.catalog)) {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        'records of rows that change are keyed by what identifies the row; PARTITION BY cannot choose other columns',
        { at: first.span, hint: 'Leave PARTITION BY out.' },
      );
    }
    return { query, partitionBy: partitionColumns(taken.partitionBy, query.schema, taken.query) };
  }
  const { from } = statement;
  if (from === undefined) {
    throw new StreamError('SQL_SYNTAX', 'CREATE SINK needs FROM or AS', { at: statement.span });
  }
  const relation = requireRelation(from, context);
  const plan = relationPlan(relation, from);
  const hiddenFrom = hiddenFromOf(relation);
  const query = hiddenFrom === undefined ? plan : keepFirst(plan, hiddenFrom);
  return { query, partitionBy: [] };
}
