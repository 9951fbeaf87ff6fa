/** CREATE VIEW, CREATE MATERIALIZED VIEW, CREATE STREAM|TABLE … AS. */

import type { Identifier, Query } from './ast.ts';
import type { Option } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { bindWatermark, type SourceEnvironment } from './bind-create-relation.ts';
import { readFormat } from './bind-format.ts';
import { checkOptionNames } from './bind-option-name.ts';
import { bindOptions, countOption } from './bind-options.ts';
import { partitionColumns, takePartitionBy } from './bind-partition.ts';
import { otherOptions, withRetention } from './bind-retention.ts';
import { nameToCreate } from './bind-schema.ts';
import { withStorableArrays } from './bind-stored-array.ts';
import { settlePlan } from './bind-volatile.ts';
import type { BoundCreateRelation, BoundCreateView } from './bound-statement.ts';
import { deriveKey, isAppendOnly } from './derive.ts';
import type { BoundExpr } from './expression.ts';
import { operandsOf } from './expression-map.ts';
import { inputsOf, visitExpressions } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';
import { withWindowBounds } from './window-bounds.ts';

/** The query of a relation, under the relation's column names. @throws StreamError SQL_DUPLICATE_COLUMN. */
export function bindViewQuery(
  query: Query,
  columns: readonly Identifier[],
  context: BindContext,
): LogicalNode {
  const named = renamed(bindWhole(query, context), columns);
  refuseDuplicates(named.schema, query);
  return settlePlan(named, context);
}

/** The query of ksqlDB's CREATE … AS, where names of tables tell columns of a star apart that have one name. */
function bindPrefixedQuery(
  query: Query,
  columns: readonly Identifier[],
  context: BindContext,
): LogicalNode {
  const { schema } = bindWhole(query, context);
  const isClear = new Set(schema.map(({ name }) => name)).size === schema.length;
  return bindViewQuery(query, columns, isClear ? context : { ...context, prefixesStars: true });
}

function bindWhole(query: Query, context: BindContext): LogicalNode {
  const outside = { context, parent: undefined, commonTables: new Map() };
  return context.rules.query(query, { ...outside, resolveUnknown: true });
}

/** A query whose columns go by their places, and whose untyped literals become what they are put into. */
export function bindInsertedQuery(query: Query, context: BindContext): LogicalNode {
  const outside = { context, parent: undefined, commonTables: new Map() };
  return settlePlan(context.rules.query(query, { ...outside, resolveUnknown: false }), context);
}

function renamed(plan: LogicalNode, columns: readonly Identifier[]): LogicalNode {
  if (columns.length === 0) return plan;
  const extra = columns[plan.schema.length];
  if (extra !== undefined) {
    throw new StreamError('SQL_SYNTAX', 'CREATE VIEW specifies more column names than columns', {
      at: extra.span,
    });
  }
  const schema: Schema = plan.schema.map((column, index) => ({
    ...column,
    name: columns[index]?.name ?? column.name,
  }));
  return { ...plan, schema };
}

function refuseDuplicates(schema: Schema, query: Query): void {
  const seen = new Set<string>();
  for (const { name } of schema) {
    if (seen.has(name)) {
      throw new StreamError('SQL_DUPLICATE_COLUMN', `column "${name}" specified more than once`, {
        at: query.span,
        hint: 'Give one of the columns another name with AS.',
      });
    }
    seen.add(name);
  }
}

export function bindCreateView(
  statement: Statement & { readonly kind: 'create-view' },
  context: BindContext,
): BoundCreateView {
  const plan = bindViewQuery(statement.query, statement.columns, context);
  const query = statement.materialized
    ? withRetention(withStorableArrays(plan), statement.options)
    : plan;
  const options = statement.materialized ? otherOptions(statement.options) : statement.options;
  return {
    kind: 'create-view',
    materialized: statement.materialized,
    name: nameToCreate(statement.name, context),
    orReplace: statement.orReplace,
    ifNotExists: statement.ifNotExists,
    query,
    key: deriveKey(query, context.catalog),
    appendOnly: isAppendOnly(query, context.catalog),
    dependsOn: dependenciesOf(query, context),
    options: knownOptions(options),
  };
}

/**
 * CREATE STREAM|TABLE … AS SELECT: a relation that its query feeds. A stream takes an append-only query only.
 * @throws StreamError SQL_NOT_INCREMENTAL.
 */
export function bindCreateAs(
  statement: Statement & { readonly kind: 'create-relation' },
  query: Query,
  context: BindContext,
  sources: SourceEnvironment,
): BoundCreateRelation {
  const kind = statement.relation === 'source' ? 'stream' : statement.relation;
  const bounds =
    kind === 'table' && sources.keepsWindowBounds === true
      ? withWindowBounds(query)
      : { query, added: 0 };
  const taken =
    kind === 'stream' ? takePartitionBy(query) : { query: bounds.query, partitionBy: [] };
  const names = statement.columns.map((column) => column.name);
  // CREATE TABLE … AS without EMIT CHANGES is PostgreSQL's.
  const isKsql = kind === 'stream' || query.emit !== undefined;
  const bind = isKsql && names.length === 0 ? bindPrefixedQuery : bindViewQuery;
  const fed = bind(taken.query, names, context);
  if (kind === 'stream' && !isAppendOnly(fed, context.catalog) && context.looksUp !== true) {
    return bindCreateAs(statement, query, { ...context, looksUp: true }, sources);
  }
  const plan = kind === 'table' ? withRetention(withStorableArrays(fed), statement.options) : fed;
  const partitionBy = partitionColumns(taken.partitionBy, plan.schema, taken.query);
  if (kind === 'stream' && !isAppendOnly(plan, context.catalog)) {
    throw new StreamError(
      'SQL_NOT_INCREMENTAL',
      'the rows of this query change after they were emitted, and a stream’s records cannot',
      { at: query.span, hint: 'Use CREATE TABLE … AS, or CREATE MATERIALIZED VIEW.' },
    );
  }
  const options = knownOptions(
    kind === 'table' ? otherOptions(statement.options) : statement.options,
  );
  const name = nameToCreate(statement.name, context);
  const text = (key: string): string | undefined => options.get(key)?.toLowerCase();
  const primaryKey = deriveKey(plan, context.catalog) ?? [];
  return {
    kind: 'create-relation',
    relation: {
      kind,
      name,
      schema: plan.schema,
      dependsOn: dependenciesOf(plan, context),
      readOnly: true,
      input: {
        connector: text('connector') ?? sources.defaultConnector,
        topic: options.get('kafka_topic') ?? options.get('topic') ?? name,
        valueFormat: text('value_format') ?? text('format') ?? 'json',
        keyFormat:
          text('key_format') ?? text('format') ?? (partitionBy.length > 1 ? 'json' : 'kafka'),
        options,
      },
      primaryKey: kind === 'table' ? primaryKey : [],
      columns: plan.schema.map((column) => ({
        from: { kind: 'value', field: column.name },
        default: undefined,
        notNull: !column.nullable,
      })),
      watermark: kind === 'stream' ? bindWatermark(statement, plan.schema, context) : undefined,
      query: plan,
      partitionBy,
    },
    orReplace: statement.orReplace,
    ifNotExists: statement.ifNotExists,
    partitions: countOption(options, 'partitions'),
    hiddenFrom: bounds.added > 0 ? plan.schema.length - bounds.added : undefined,
    options,
  };
}

export function knownOptions(options: readonly Option[]): ReadonlyMap<string, string> {
  const given = readFormat(options, undefined);
  checkOptionNames(given);
  return bindOptions(given);
}

/** Names of the catalog's relations that a definition reads, sorted: what its plan scans, and the plain views that it names. */
export function dependenciesOf(plan: LogicalNode, { viewsNamed }: BindContext): readonly string[] {
  const names = new Set<string>(viewsNamed);
  const visitExpression = (expression: BoundExpr): void => {
    if (expression.kind === 'subquery') visit(expression.plan);
    operandsOf(expression).forEach(visitExpression);
  };
  const visit = (node: LogicalNode): void => {
    if (node.kind === 'scan') names.add(node.relation);
    visitExpressions(node, visitExpression);
    inputsOf(node).forEach(visit);
  };
  visit(plan);
  return [...names].sort();
}
