/** CREATE STREAM, TABLE and SOURCE: columns, where records hold them, keys, and the options of the input. */

import type { Expression } from './ast.ts';
import type { ColumnDefinition } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import type { Schema, SqlType } from './base/type.ts';
import { bindConstraints, primaryKeyOf, statementConstraints } from './bind-constraint.ts';
import type { BindContext } from './bind-context.ts';
import { places } from './bind-context.ts';
import { readFormat } from './bind-format.ts';
import { closestName } from './bind-near-miss.ts';
import { checkOptionNames } from './bind-option-name.ts';
import { bindOptions, countOption } from './bind-options.ts';
import { bindOver } from './bind-over.ts';
import { nameToCreate } from './bind-schema.ts';
import { columnOf } from './bind-scope.ts';
import { bindTypeName } from './bind-type.ts';
import type { BoundCreateRelation } from './bound-statement.ts';
import type { Check, DomainRules, SourceColumn, SourceInput, SourceRelation } from './catalog.ts';
import { coerceAssignment, resolveUnknown } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { someExpression } from './expression-map.ts';
import { mapColumns } from './logical-map.ts';

type CreateRelation = Statement & { readonly kind: 'create-relation' };

/** What the binder needs to know of the connectors, which it may not import. */
export interface SourceEnvironment {
  /** Where a relation's topic is when the statement does not say: 'kafka' or 'embedded'. */
  readonly defaultConnector: string;
  /** Columns that a connector gives when the statement names none. */
  readonly schemaOf: (
    connector: string,
    options: ReadonlyMap<string, string>,
  ) => Schema | undefined;
  /** Foreign keys were looked at when they were made; their tables may come back later than they do. */
  readonly trustsReferences?: boolean | undefined;
  /** Tables over ksqlDB's windows keep the bounds of the windows; those that were made before that do not. */
  readonly keepsWindowBounds?: boolean | undefined;
}

export const noSources: SourceEnvironment = {
  defaultConnector: 'embedded',
  schemaOf: () => undefined,
};

interface Draft {
  readonly definition: ColumnDefinition | undefined;
  readonly name: string;
  readonly type: SqlType;
}

/** @throws StreamError SQL_DUPLICATE_COLUMN, SQL_INVALID_DEFINITION, SQL_UNKNOWN_COLUMN, SQL_INVALID_OPTION, … */
export function bindCreateRelation(
  statement: CreateRelation,
  context: BindContext,
  sources: SourceEnvironment = noSources,
): BoundCreateRelation {
  const given = readFormat(statement.options, statement.columns);
  checkOptionNames(given);
  const options = bindOptions(given);
  const name = nameToCreate(statement.name, context);
  const connector = connectorOf(options, sources);
  const drafts = draftColumns(statement, connector, options, context, sources);
  const constraints = statementConstraints(statement);
  const trustsReferences = sources.trustsReferences === true;
  const primaryKey = primaryKeyOf(statement, constraints, drafts);
  const kind = kindOf(statement, primaryKey, options);
  const isLocal = kind === 'table' && options.size === 0 && statement.relation !== 'source';
  const schema: Schema = drafts.map((draft, index) => ({
    name: draft.name,
    type: draft.type,
    nullable: !(
      isNotNull(draft.definition) ||
      primaryKey.includes(index) ||
      domainRules(draft.type, context)?.notNull === true
    ),
  }));
  const input = isLocal ? undefined : inputOf(name, connector, options, drafts, kind, primaryKey);
  const columns = drafts.map((draft, index) =>
    bindColumnDefinition(draft, index, { kind, input, primaryKey, schema, drafts, context }),
  );
  const bound = bindConstraints(constraints, {
    ...{ name, schema, primaryKey, isLocal, context, trustsReferences },
  });
  const checks = [...(bound.checks ?? []), ...(isLocal ? [] : domainChecks(schema, context))];
  const relation: Omit<SourceRelation, 'id' | 'sql'> = {
    kind,
    name,
    schema,
    dependsOn: [],
    readOnly: statement.relation === 'source',
    input,
    primaryKey,
    columns,
    ...bound,
    ...(checks.length > 0 ? { checks } : {}),
    watermark: bindWatermark(statement, schema, context),
    query: undefined,
  };
  const { orReplace, ifNotExists } = statement;
  const partitions = countOption(options, 'partitions');
  return { kind: 'create-relation', relation, orReplace, ifNotExists, partitions, options };
}

function connectorOf(options: ReadonlyMap<string, string>, sources: SourceEnvironment): string {
  const connector = options.get('connector')?.toLowerCase() ?? sources.defaultConnector;
  // Flink's name of a Kafka topic that is a changelog by key.
  return connector === 'upsert-kafka' ? 'kafka' : connector;
}

/**
 * Without a key, what RisingWave's APPEND ONLY or a WATERMARK over a connector (as in Flink and Arroyo) declares
 * holds records that are only ever added, whichever word it was created by: a stream.
 */
function kindOf(
  statement: CreateRelation,
  primaryKey: readonly number[],
  options: ReadonlyMap<string, string>,
): 'stream' | 'table' {
  const { relation, watermark } = statement;
  if (relation === 'stream' || primaryKey.length > 0)
    return relation === 'source' ? 'table' : relation;
  if (relation === 'source') return 'stream';
  const isAdded = appendOnlyKeys.some((key) => options.get(key)?.toLowerCase() === 'true');
  return isAdded || (watermark !== undefined && options.size > 0) ? 'stream' : 'table';
}

/** `APPEND ONLY` is the first of them. */
const appendOnlyKeys = ['append_only', 'appendonly'];

// -------------------------------------------------------------------- columns

function draftColumns(
  statement: CreateRelation,
  connector: string,
  options: ReadonlyMap<string, string>,
  context: BindContext,
  sources: SourceEnvironment,
): readonly Draft[] {
  if (statement.columns.length === 0) {
    const known = sources.schemaOf(connector, options);
    if (known !== undefined) {
      return known.map(({ name, type }) => ({ definition: undefined, name, type }));
    }
    throw new StreamError('SQL_INVALID_DEFINITION', 'a relation needs at least one column', {
      at: statement.name.span,
      hint: `Columns of connector "${connector}" must be listed.`,
    });
  }
  const seen = new Set<string>();
  for (const { name } of statement.columns) {
    if (seen.has(name.name)) {
      throw new StreamError(
        'SQL_DUPLICATE_COLUMN',
        `column "${name.name}" specified more than once`,
        { at: name.span },
      );
    }
    seen.add(name.name);
  }
  const typed = statement.columns.map((definition) => ({
    definition,
    name: definition.name.name,
    type: declaredType(definition, context),
  }));
  // An untyped generated column has the type of its expression over the others.
  const known = typed.map(
    ({ name, type }) => ({ name, type: type ?? { kind: 'text' }, nullable: true }) as const,
  );
  return typed.map(({ definition, name, type }) => {
    const found = type ?? (definition.generated && inferType(definition.generated, known, context));
    if (found !== undefined) return { definition, name, type: found };
    throw new StreamError('SQL_INVALID_DEFINITION', `column "${name}" needs a type`, {
      at: definition.span,
      hint: 'Types are not inferred from a schema registry.',
    });
  });
}

const metadataTypes: ReadonlyMap<string, SqlType> = new Map<string, SqlType>([
  ['timestamp', { kind: 'timestamptz' }],
  ['partition', { kind: 'integer' }],
  ['offset', { kind: 'bigint' }],
  ['topic', { kind: 'text' }],
]);

const headersType: SqlType = {
  kind: 'array',
  element: {
    kind: 'row',
    fields: [
      { name: 'key', type: { kind: 'text' }, nullable: false },
      { name: 'value', type: { kind: 'bytea' }, nullable: true },
    ],
  },
};

function declaredType(definition: ColumnDefinition, context: BindContext): SqlType | undefined {
  const { metadata } = definition;
  if (metadata?.startsWith('header') === true) {
    const whole = metadata === 'headers' || metadata === 'header';
    if (whole) return headersType;
  }
  if (definition.type !== undefined) return bindTypeName(definition.type, context);
  if (metadata === undefined) return undefined;
  if (metadata.startsWith('header:')) return { kind: 'bytea' };
  if (metadata === 'key') return { kind: 'text' };
  return metadataTypes.get(metadata);
}

function inferType(node: Expression, schema: Schema, context: BindContext): SqlType {
  return resolveUnknown(bindOver(node, schema, places.generated, context), context).type;
}

/** What a column gets from the domain that is its type. */
function domainRules({ domain }: SqlType, { catalog }: BindContext): DomainRules | undefined {
  return domain && catalog.types().find(({ id }) => id === domain.id)?.domain;
}

/** Records come from others, and are checked as rows; statements are checked where they make the values. */
function domainChecks(schema: Schema, context: BindContext): readonly Check[] {
  return schema.flatMap(({ type }, index) =>
    (domainRules(type, context)?.checks ?? []).map(({ name, expression }) => ({
      name,
      expression: mapColumns(expression, () => columnOf(index, type)),
    })),
  );
}

const isNotNull = (definition: ColumnDefinition | undefined): boolean =>
  definition?.notNull === true || definition?.identity !== undefined;

interface ColumnPlace {
  readonly kind: 'stream' | 'table';
  readonly input: SourceInput | undefined;
  readonly primaryKey: readonly number[];
  readonly schema: Schema;
  readonly drafts: readonly Draft[];
  readonly context: BindContext;
}

function bindColumnDefinition(draft: Draft, index: number, place: ColumnPlace): SourceColumn {
  const { definition } = draft;
  const { context } = place;
  const column = { name: draft.name, type: draft.type };
  const identity = definition?.identity;
  const rules = domainRules(draft.type, context);
  const ownDefault =
    (definition?.default && bindDefault(definition.default, context)) ?? rules?.default;
  return {
    from: originOf(draft, index, place),
    default: ownDefault && coerceAssignment(ownDefault, column, context),
    notNull: isNotNull(definition) || rules?.notNull === true || place.primaryKey.includes(index),
    ...(identity === undefined ? {} : { identity: identity.always ? 'always' : 'by-default' }),
  };
}

/** A default has no row to look at. @throws StreamError SQL_NOT_SUPPORTED for a column. */
function bindDefault(node: Expression, context: BindContext): BoundExpr {
  try {
    return bindOver(node, [], places.default, context);
  } catch (cause) {
    if (!(cause instanceof StreamError) || cause.code !== 'SQL_UNKNOWN_COLUMN') throw cause;
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'cannot use column reference in DEFAULT expression',
      {
        at: cause.at,
      },
    );
  }
}

function originOf(draft: Draft, index: number, place: ColumnPlace): SourceColumn['from'] {
  const { definition, name } = draft;
  if (definition?.generated !== undefined) return generated(draft, definition.generated, place);
  if (definition?.metadata !== undefined) return metadataOrigin(definition, definition.metadata);
  const isKey = isKeyColumn(draft, index, place.kind, place.primaryKey, place.input);
  if (!isKey) return { kind: 'value', field: fieldName(name) };
  const keys = place.drafts.filter((other, at) =>
    isKeyColumn(other, at, place.kind, place.primaryKey, place.input),
  );
  return { kind: 'key', field: keys.length > 1 ? fieldName(name) : undefined };
}

const fieldName = (name: string): string => name;

/**
 * ksqlDB's rule: KEY columns of a stream and PRIMARY KEY columns of a table over a topic are in the
 * record's key; Flink's `value.fields-include = 'ALL'` or a missing key format puts them into the value.
 */
function isKeyColumn(
  draft: Draft,
  index: number,
  kind: 'stream' | 'table',
  primaryKey: readonly number[],
  input: SourceInput | undefined,
): boolean {
  if (input === undefined || draft.definition?.metadata !== undefined) return false;
  if (draft.definition?.key === true) return true;
  return kind === 'table' && primaryKey.includes(index) && input.keyFormat !== 'none';
}

function generated(draft: Draft, node: Expression, place: ColumnPlace): SourceColumn['from'] {
  const { context, schema, drafts } = place;
  const bound = bindOver(node, schema, places.generated, context);
  const column = { name: draft.name, type: draft.type };
  const expression = coerceAssignment(bound, column, context);
  someExpression(expression, (part) => {
    if (part.kind === 'column' && drafts[part.index]?.definition?.generated !== undefined) {
      throw new StreamError(
        'SQL_INVALID_OBJECT_DEFINITION',
        `cannot use generated column "${drafts[part.index]?.name}" in column generation expression`,
        { at: node.span },
      );
    }
    if (part.kind === 'call' && (part.fn.volatility ?? 'immutable') !== 'immutable') {
      throw new StreamError(
        'SQL_INVALID_OBJECT_DEFINITION',
        'generation expression is not immutable',
        { at: node.span },
      );
    }
    return false;
  });
  return { kind: 'generated', expression };
}

function metadataOrigin(definition: ColumnDefinition, metadata: string): SourceColumn['from'] {
  if (metadata.startsWith('header:')) return { kind: 'header', header: metadata.slice(7) };
  if (metadata === 'headers' || metadata === 'header') return { kind: 'header', header: undefined };
  switch (metadata) {
    case 'key':
      return { kind: 'key', field: undefined };
    case 'timestamp':
    case 'partition':
    case 'offset':
    case 'topic':
      return { kind: 'metadata', item: metadata };
    default: {
      const near = closestName(metadata, [...metadataTypes.keys(), 'headers', 'key']);
      throw new StreamError('SQL_INVALID_DEFINITION', `records have no metadata "${metadata}"`, {
        at: definition.span,
        hint:
          near === undefined
            ? 'There are timestamp, partition, offset, topic, key and headers.'
            : `Perhaps you meant "${near}".`,
      });
    }
  }
}

// ---------------------------------------------------------------------- input

function inputOf(
  name: string,
  connector: string,
  options: ReadonlyMap<string, string>,
  drafts: readonly Draft[],
  kind: 'stream' | 'table',
  primaryKey: readonly number[],
): SourceInput {
  const format = (key: string): string | undefined => options.get(key)?.toLowerCase();
  const both = format('format');
  const inKey = drafts.filter(
    (draft, index) =>
      draft.definition?.key === true || (kind === 'table' && primaryKey.includes(index)),
  ).length;
  const includesAll = format('value.fields-include') === 'all';
  const keyFormat =
    format('key_format') ?? format('key.format') ?? (inKey > 1 ? (both ?? 'json') : 'kafka');
  return {
    connector,
    topic: options.get('kafka_topic') ?? options.get('topic') ?? name,
    valueFormat: format('value_format') ?? format('value.format') ?? both ?? 'json',
    keyFormat: includesAll ? 'none' : keyFormat,
    options,
  };
}

// ------------------------------------------------------------------ watermark

/** @throws StreamError SQL_UNKNOWN_COLUMN, SQL_DATATYPE_MISMATCH. */
export function bindWatermark(
  statement: CreateRelation,
  schema: Schema,
  context: BindContext,
): SourceRelation['watermark'] {
  const { watermark } = statement;
  if (watermark === undefined) return undefined;
  const column = schema.findIndex(({ name }) => name === watermark.column.name);
  const found = schema[column];
  if (found === undefined) {
    throw new StreamError(
      'SQL_UNKNOWN_COLUMN',
      `column "${watermark.column.name}" does not exist`,
      {
        at: watermark.column.span,
        hint:
          watermark.column.name.toLowerCase() === 'rowtime'
            ? "Declare the record's timestamp as a column: at timestamptz METADATA FROM 'timestamp', WATERMARK FOR at AS at."
            : undefined,
      },
    );
  }
  if (found.type.kind !== 'timestamp' && found.type.kind !== 'timestamptz') {
    throw new StreamError('SQL_DATATYPE_MISMATCH', 'a watermark needs a timestamp column', {
      at: watermark.column.span,
    });
  }
  const bound = bindOver(watermark.expression, schema, places.watermark, context);
  return { column, expression: coerceAssignment(bound, found, context) };
}
