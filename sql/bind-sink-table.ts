/** CREATE SINK … INTO a table or stream: which of its columns the query's go to, and what tells its rows apart there. */
import type { QualifiedName } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import type { BindContext } from './bind-context.ts';
import { requireOrder } from './bind-group.ts';
import { assignmentMismatch, refuseGenerated, settledRow, targetColumns } from './bind-insert.ts';
import { requireWritable } from './bind-manipulation.ts';
import { convertOutputs, project } from './bind-output.ts';
import { requireRelation } from './bind-relation.ts';
import { columnOf } from './bind-scope.ts';
import type { CreateSink } from './bind-sink.ts';
import type { Catalog, SourceRelation, TableSink } from './catalog.ts';
import { deriveKey, isAppendOnly } from './derive.ts';
import type { BoundExpr } from './expression.ts';
import type { LogicalNode } from './logical-plan.ts';

interface IntoTable {
  readonly into: TableSink;
  /** In the types of the table's columns, with at most one row a primary key unless rows only come. */
  readonly query: LogicalNode;
}

/**
 * @param reads  names of the relations that the query reads.
 * @returns undefined for a sink that goes elsewhere.
 * @throws StreamError SQL_WRONG_OBJECT_TYPE, SQL_UNKNOWN_COLUMN, SQL_DATATYPE_MISMATCH, SQL_NOT_INCREMENTAL, SQL_NOT_SUPPORTED for one that would feed itself, …
 */
export function bindSinkTable(
  statement: CreateSink,
  { query, partitionBy }: { readonly query: LogicalNode; readonly partitionBy: readonly number[] },
  reads: readonly string[],
  options: ReadonlyMap<string, string>,
  context: BindContext,
): IntoTable | undefined {
  if (statement.into === undefined) return undefined;
  const { table: name, columns } = statement.into;
  checkOptions(statement, options);
  if (partitionBy.length > 0) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'PARTITION BY says nothing about rows of a table', {
      at: statement.query?.span,
      hint: 'Leave PARTITION BY out.',
    });
  }
  const relation = sinkTarget(name, context);
  refuseCycle(statement, relation, reads, context.catalog);
  const at = statement.query?.span ?? statement.from?.span ?? statement.span;
  const insert = { columns, overriding: undefined, span: at };
  const targets = targetColumns(insert, relation);
  requireCount(query.schema.length, targets.length, columns.length > 0, at);
  const used = targets.slice(0, query.schema.length);
  for (const target of used) refuseGenerated(relation, target, at);
  const converted = convertOutputs(
    query,
    used.map((target) => relation.schema[target]?.type ?? { kind: 'text' }),
    'assignment',
    context,
  );
  if (typeof converted === 'number') {
    const column = relation.schema[used[converted] ?? 0];
    throw assignmentMismatch(column, query.schema[converted], at);
  }
  const appendOnly = isAppendOnly(converted, context.catalog);
  const isRecord = relation.input !== undefined;
  const row = isRecord ? wholeRow(converted, relation, used, context) : converted;
  const written = isRecord ? relation.schema.map((_, column) => column) : used;
  const schema = row.schema.map((column, index) => ({
    ...column,
    name: relation.schema[written[index] ?? 0]?.name ?? column.name,
  }));
  const named = { ...row, schema };
  const key = keyInQuery(statement, relation, written, appendOnly);
  const into = { table: relation.name, tableId: relation.id, columns: written, key };
  return { into, query: oneRowPerKey(named, key, context.catalog, statement) };
}

/** A stream that its own query feeds takes records of others too. */
function sinkTarget(name: QualifiedName, context: BindContext): SourceRelation {
  const relation = requireRelation(name, context);
  const isFed = relation.kind === 'stream' && relation.query !== undefined;
  return isFed ? relation : requireWritable(name, context);
}

/** Records have all columns of their relation: what the query does not give, and what is computed from it, is added. */
function wholeRow(
  query: LogicalNode,
  relation: SourceRelation,
  columns: readonly number[],
  context: BindContext,
): LogicalNode {
  const { row, generated } = settledRow(relation, columns, context);
  const columnsOf = (values: readonly (BoundExpr | undefined)[]) =>
    relation.schema.map(({ name, type }, index) => ({
      name,
      expression: values[index] ?? columnOf(index, type),
    }));
  const plain = project(query, columnsOf(row));
  return generated.some((value) => value !== undefined)
    ? project(plain, columnsOf(generated))
    : plain;
}

/** RisingWave's: what says that nothing is taken back, and what makes it so. */
function checkOptions({ span }: CreateSink, options: ReadonlyMap<string, string>): void {
  if (options.has('connector')) {
    throw new StreamError('SQL_INVALID_OPTION', 'a sink into a table has no connector', {
      at: span,
      hint: 'Leave the option "connector" out, or INTO.',
    });
  }
  if (options.get('force_append_only')?.toLowerCase() === 'true') {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'force_append_only is not supported: the table would keep rows that the query takes back',
      { at: span, hint: 'Leave the option out; rows that go from the query go from the table.' },
    );
  }
}

/** @param isListed  the statement names the table's columns, so that each has to be given. */
function requireCount(given: number, wanted: number, isListed: boolean, at: Span): void {
  if (given === wanted || (given < wanted && !isListed)) return;
  throw new StreamError(
    'SQL_SYNTAX',
    `the sink's query gives ${given} columns, its destination takes ${wanted}`,
    { at, hint: 'Name the columns that it goes to: INTO name (column, …).' },
  );
}

/** The columns of the query that are the table's primary key. @throws StreamError SQL_NOT_INCREMENTAL when rows that go cannot be found by them. */
function keyInQuery(
  statement: CreateSink,
  relation: SourceRelation,
  used: readonly number[],
  appendOnly: boolean,
): readonly number[] {
  const key = relation.primaryKey.map((column) => used.indexOf(column));
  const isWhole = key.length > 0 && !key.includes(-1);
  if (isWhole) return key;
  if (appendOnly) return [];
  throw new StreamError(
    'SQL_NOT_INCREMENTAL',
    `sink "${statement.name.parts.at(-1)?.name}" cannot say which row of "${relation.name}" changed: its query updates and deletes rows`,
    {
      at: statement.into?.table.span,
      hint:
        key.length === 0
          ? 'Write into a table with a primary key, or sink an append-only query.'
          : 'Let the query give every column of the primary key.',
    },
  );
}

/**
 * Where rows change, one of those with equal keys is in the table: the last by the order of their columns, so that it does not depend
 * on which came first.
 */
function oneRowPerKey(
  query: LogicalNode,
  key: readonly number[],
  catalog: Catalog,
  statement: CreateSink,
): LogicalNode {
  if (isAppendOnly(query, catalog)) return query;
  const known = deriveKey(query, catalog);
  if (known?.every((column) => key.includes(column))) return query;
  const columns = query.schema.map(({ type }, index) => columnOf(index, type));
  for (const column of columns) requireOrder(column, statement.query?.span ?? statement.from?.span);
  const { schema } = query;
  const keys = key.flatMap((index) => columns[index] ?? []);
  const rest = columns.filter((_, index) => !key.includes(index));
  const orderBy = [
    ...keys.map((expression) => ({ expression, descending: false, nullsFirst: false })),
    ...rest.map((expression) => ({ expression, descending: true, nullsFirst: true })),
  ];
  return { kind: 'distinct-on', input: query, keys, orderBy, schema };
}

/** What the table's rows are computed from must not be computed from them. */
function refuseCycle(
  statement: CreateSink,
  table: SourceRelation,
  reads: readonly string[],
  catalog: Catalog,
): void {
  const own = statement.name.parts.at(-1)?.name;
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const input of inputsOf(name, own, catalog)) visit(input);
  };
  reads.forEach(visit);
  if (!seen.has(table.name)) return;
  throw new StreamError('SQL_NOT_SUPPORTED', `${table.kind} "${table.name}" would feed itself`, {
    at: statement.into?.table.span,
    detail: `What the sink reads depends on ${table.kind} "${table.name}".`,
    hint: 'Let the sink write into another one.',
  });
}

/** Relations whose changes may change this one. @param own  the sink that is made, which may be there already. */
function inputsOf(name: string, own: string | undefined, catalog: Catalog): readonly string[] {
  const relation = catalog.relation(name);
  const feeding = catalog.relations().flatMap((sink) => {
    if (sink.kind !== 'sink' || sink.into?.table !== name || sink.name === own) return [];
    return sink.dependsOn.filter((input) => input !== name);
  });
  const acted =
    relation?.kind === 'table'
      ? (relation.references ?? []).filter(
          ({ onDelete, onUpdate }) => ![onDelete, onUpdate].every(isPassive),
        )
      : [];
  return [...(relation?.dependsOn ?? []), ...feeding, ...acted.map(({ target }) => target)];
}

const isPassive = (action: string): boolean => action === 'no action' || action === 'restrict';
