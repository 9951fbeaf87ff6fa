/**
 * CREATE TABLE, written out: LIKE becomes the columns of the other table, SERIAL and IDENTITY become a default with a sequence of its
 * own. What the catalog keeps has nothing of these, and so means the same ever after.
 */

import type { Identifier } from '../sql/ast.ts';
import type {
  ColumnDefinition,
  SequenceOption,
  TableConstraint,
  TableLike,
} from '../sql/ast-relation.ts';
import { StreamError } from '../sql/base/error.ts';
import { typeName } from '../sql/base/type.ts';
import { freeName } from '../sql/bind-constraint.ts';
import type { BindContext } from '../sql/bind-context.ts';
import { requireRelation } from '../sql/bind-relation.ts';
import { nameToCreate, splitKey } from '../sql/bind-schema.ts';
import { relationKey } from '../sql/catalog.ts';
import { quoteIdentifier, quoteString } from '../sql/deparse-name.ts';
import { parseExpression, parseStatement, parseTypeName } from '../sql/parser.ts';
import { bareColumn } from '../sql/parser-column.ts';
import type { Core } from './core.ts';
import { type SequenceOptions, sequenceOptions } from './sequence-options.ts';
import type { SequenceState } from './sequences.ts';
import { type CreateRelation, withNamedConstraints } from './table-definition.ts';

const SERIALS: ReadonlyMap<
  string,
  { readonly type: string; readonly kind: SequenceOptions['type'] }
> = new Map([
  ['serial', { type: 'int4', kind: 'integer' }],
  ['serial4', { type: 'int4', kind: 'integer' }],
  ['bigserial', { type: 'int8', kind: 'bigint' }],
  ['serial8', { type: 'int8', kind: 'bigint' }],
  ['smallserial', { type: 'int2', kind: 'smallint' }],
  ['serial2', { type: 'int2', kind: 'smallint' }],
]);

const INTEGERS: ReadonlyMap<string, SequenceOptions['type']> = new Map([
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
]);

export const isSerial = ({ type }: ColumnDefinition): boolean =>
  type !== undefined && type.arrayDimensions === 0 && SERIALS.has(type.name);

export interface Expanded {
  /** The same object when there was nothing to write out. */
  readonly statement: CreateRelation;
  /** To be made with the table. */
  readonly sequences: readonly SequenceState[];
}

/** @throws StreamError SQL_UNKNOWN_RELATION, SQL_INVALID_OPTION. */
export function expandTable(core: Core, statement: CreateRelation, context: BindContext): Expanded {
  const written = withLikes(core, statement, context);
  if (!written.columns.some((one) => isSerial(one) || one.identity !== undefined)) {
    return { statement: written, sequences: [] };
  }
  const table = nameToCreate(written.name, context);
  const sequences: SequenceState[] = [];
  const columns = written.columns.map((column) => {
    const kind = sequenceType(column);
    if (kind === undefined) return column;
    const sequence = ownSequence(core, table, column, kind);
    sequences.push(sequence);
    return withSequence(core, column, sequence);
  });
  return { statement: { ...written, columns }, sequences };
}

export function sequenceType(column: ColumnDefinition): SequenceOptions['type'] | undefined {
  const { type, identity, name } = column;
  if (isSerial(column)) return SERIALS.get(type?.name ?? '')?.kind;
  if (identity === undefined) return undefined;
  const kind = type?.arrayDimensions === 0 ? INTEGERS.get(type.name) : undefined;
  if (kind !== undefined && column.default === undefined) return kind;
  if (kind !== undefined && isNextval(column)) return kind;
  if (kind === undefined) {
    throw new StreamError(
      'SQL_INVALID_OPTION',
      'identity column type must be smallint, integer, or bigint',
      { at: column.span },
    );
  }
  throw new StreamError(
    'SQL_SYNTAX',
    `both default and identity specified for column "${name.name}"`,
    { at: column.span },
  );
}

/** As SHOW CREATE TABLE writes an identity. */
const isNextval = ({ default: value }: ColumnDefinition): boolean =>
  value?.kind === 'call' && value.name.parts.at(-1)?.name === 'nextval';

export function ownSequence(
  core: Core,
  table: string,
  { name: column, identity }: ColumnDefinition,
  type: SequenceOptions['type'],
): SequenceState {
  const { schema, name } = splitKey(core.catalog, table);
  const isTaken = (one: string): boolean => isNameTaken(core, relationKey(schema, one));
  const written: readonly SequenceOption[] = identity?.options ?? [];
  const chosen = writtenName(written, schema);
  if (chosen !== undefined && isTaken(chosen.name)) {
    throw new StreamError('SQL_DUPLICATE_RELATION', `relation "${chosen.name}" already exists`, {
      at: chosen.span,
    });
  }
  const options = sequenceOptions(written, undefined, type);
  return {
    id: core.catalog.nextId(),
    name: relationKey(schema, chosen?.name ?? freeName(`${name}_${column.name}_seq`, isTaken)),
    options,
    owner: { table, column: column.name, isIdentity: identity !== undefined },
    last: options.start,
    isCalled: false,
  };
}

/** SEQUENCE NAME. @throws StreamError SQL_COLUMN_STATE for a sequence in another schema than its table. */
function writtenName(written: readonly SequenceOption[], schema: string): Identifier | undefined {
  const option = written.find((one) => one.kind === 'name');
  if (option === undefined) return undefined;
  const own = option.name.parts.at(-2);
  if (own === undefined || own.name === schema) return option.name.parts.at(-1);
  throw new StreamError(
    'SQL_COLUMN_STATE',
    'sequence must be in same schema as table it is linked to',
    { at: option.name.span },
  );
}

/** Relations, indexes and sequences have their names in common. */
export function isNameTaken(core: Core, key: string): boolean {
  return (
    core.catalog.relation(key) !== undefined ||
    core.sequences.find(key) !== undefined ||
    core.catalog.withIndex(key) !== undefined
  );
}

export function withSequence(
  core: Core,
  column: ColumnDefinition,
  sequence: SequenceState,
): ColumnDefinition {
  const { schema, name } = splitKey(core.catalog, sequence.name);
  const text = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  const { type } = column;
  const plain = SERIALS.get(type?.name ?? '')?.type;
  return {
    ...column,
    type: type && plain !== undefined ? { ...type, name: plain } : type,
    notNull: true,
    default: parseExpression(`nextval(${quoteString(text)})`),
    identity: column.identity && { ...column.identity, options: [] },
  };
}

// ----------------------------------------------------------------------- LIKE

function withLikes(core: Core, statement: CreateRelation, context: BindContext): CreateRelation {
  const { likes = [] } = statement;
  if (likes.length === 0) return statement;
  const columns = [...statement.columns];
  const constraints: TableConstraint[] = [];
  for (const like of likes.toReversed()) {
    const copied = copyOf(core, like, context);
    columns.splice(like.position, 0, ...copied.columns);
    constraints.unshift(...copied.constraints);
  }
  return {
    ...statement,
    likes: undefined,
    columns,
    constraints: [...constraints, ...statement.constraints],
  };
}

function copyOf(
  core: Core,
  like: TableLike,
  context: BindContext,
): Pick<CreateRelation, 'columns' | 'constraints'> {
  const relation = requireRelation(like.relation, context);
  const has = (part: string): boolean => like.including.includes(part);
  const isSource = relation.kind === 'table' || relation.kind === 'stream';
  const created = isSource && relation.sql !== '' ? parseStatement(relation.sql) : undefined;
  if (!isSource || created?.kind !== 'create-relation') {
    const columns = relation.schema.map(({ name, type }): ColumnDefinition => {
      const parsed = parseTypeName(typeName(type));
      return { ...bareColumn({ name, quoted: true, span: like.span }, like.span), type: parsed };
    });
    return { columns, constraints: [] };
  }
  const named = withNamedConstraints(created, relation);
  const columns = named.columns.map((column, i): ColumnDefinition => {
    const { notNull = false } = relation.columns[i] ?? {};
    const hasIdentity = column.identity !== undefined;
    const keepsDefault = has('defaults') && !hasIdentity;
    return {
      ...column,
      metadata: undefined,
      key: false,
      notNull,
      default: keepsDefault ? column.default : undefined,
      generated: has('generated') ? column.generated : undefined,
      identity:
        has('identity') && column.identity
          ? { ...column.identity, options: optionsOf(core, relation.name, column) }
          : undefined,
    };
  });
  const constraints = named.constraints.filter(({ kind }) =>
    kind === 'check' ? has('constraints') : kind !== 'foreign-key' && has('indexes'),
  );
  // Indexes have names in the schema, so that the copies need names of their own.
  return {
    columns,
    constraints: constraints.map((one) =>
      one.kind === 'check' ? one : { ...one, name: undefined },
    ),
  };
}

/** Of the identity's own sequence, which is not shared. */
function optionsOf(
  core: Core,
  table: string,
  { name, span }: ColumnDefinition,
): readonly SequenceOption[] {
  const [known] = core.sequences.ownedBy(table, name.name);
  if (known === undefined) return [];
  const { increment, min, max, start, cycle } = known.options;
  return [
    { kind: 'start', value: start, span },
    { kind: 'increment', value: increment, span },
    { kind: 'min', value: min, span },
    { kind: 'max', value: max, span },
    { kind: 'cycle', value: cycle, span },
  ];
}
