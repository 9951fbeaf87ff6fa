/** PRIMARY KEY, UNIQUE, CHECK and FOREIGN KEY of a relation, with the names that PostgreSQL gives them. */

import type { Identifier, SortItem } from './ast.ts';
import type { ForeignKeyConstraint, TableConstraint } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import { assertNever } from './base/assert.ts';
import { StreamError } from './base/error.ts';
import { type Schema, type SqlType, sameType, typeName } from './base/type.ts';
import { type BindContext, places } from './bind-context.ts';
import { bindOver } from './bind-over.ts';
import { findNamed, splitKey } from './bind-schema.ts';
import {
  type Check,
  type IndexItem,
  type Reference,
  relationKey,
  type SourceRelation,
  type UniqueKey,
} from './catalog.ts';
import { coerceToBoolean, resolveUnknown } from './coerce.ts';
import { deparseExpression } from './deparse.ts';
import type { BoundExpr } from './expression.ts';
import { someExpression } from './expression-map.ts';

type CreateRelation = Statement & { readonly kind: 'create-relation' };
type CreateIndex = Statement & { readonly kind: 'create-index' };
type ForeignKey = TableConstraint & ForeignKeyConstraint;

/** All constraints of the statement in one form: those of the columns, column by column, then those of the table. */
export function statementConstraints(
  statement: Pick<CreateRelation, 'columns' | 'constraints'>,
): readonly TableConstraint[] {
  const ofColumns = statement.columns.flatMap((column): TableConstraint[] => {
    const { span } = column;
    const columns = [column.name];
    return [
      ...(column.primaryKey
        ? [{ kind: 'primary-key', name: undefined, columns, span } as const]
        : []),
      ...(column.unique ? [{ kind: 'unique', name: undefined, columns, span } as const] : []),
      ...(column.check === undefined
        ? []
        : [{ kind: 'check', name: undefined, expression: column.check, span } as const]),
      ...(column.constraints ?? []),
    ];
  });
  return [...ofColumns, ...statement.constraints];
}

interface Place {
  /** The relation's name in the catalog. */
  readonly name: string;
  readonly schema: Schema;
  readonly primaryKey: readonly number[];
  /** Its rows live in Millrace; those of a topic come from elsewhere. */
  readonly isLocal: boolean;
  readonly context: BindContext;
  /** Foreign keys were looked at when they were made; their tables may not be there yet. */
  readonly trustsReferences: boolean;
}

type Constraints = Pick<SourceRelation, 'checks' | 'uniques' | 'references' | 'constraintNames'>;

/** @throws StreamError SQL_DUPLICATE_OBJECT, SQL_UNKNOWN_COLUMN, SQL_INVALID_FOREIGN_KEY, SQL_NOT_SUPPORTED, … */
export function bindConstraints(
  constraints: readonly TableConstraint[],
  place: Place,
): Constraints {
  const names = new Names(constraints, splitKey(place.context.catalog, place.name).name);
  const checks: Check[] = [];
  const uniques: UniqueKey[] = [];
  const references: Reference[] = [];
  const constraintNames = constraints.map((constraint): string => {
    switch (constraint.kind) {
      case 'check': {
        const expression = bindCheck(constraint, place);
        const name = names.of(constraint, [...checkedColumn(expression, place.schema), 'check']);
        checks.push({ name, expression });
        return name;
      }
      case 'primary-key':
      case 'unique': {
        if (constraint.kind === 'unique') requireLocal(place, 'UNIQUE', constraint);
        const unique = bindUnique(constraint, place, names);
        if (constraint.kind === 'unique') uniques.push(unique);
        else uniques.unshift(unique);
        return unique.name;
      }
      case 'foreign-key': {
        requireLocal(place, 'FOREIGN KEY', constraint);
        const own = constraint.columns.map(({ name }) => name);
        const name = names.of(constraint, [...own, 'fkey']);
        references.push(bindReference(constraint, name, uniques, place));
        return name;
      }
      default:
        return assertNever(constraint);
    }
  });
  checks.sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    ...(checks.length > 0 ? { checks } : {}),
    ...(uniques.length > 0 ? { uniques } : {}),
    ...(references.length > 0 ? { references } : {}),
    ...(constraintNames.length > 0 ? { constraintNames } : {}),
  };
}

/** Names of the constraints of one table: `table_columns_kind`, with a number where that is taken. */
class Names {
  readonly #taken: Set<string>;
  readonly #table: string;

  constructor(constraints: readonly TableConstraint[], table: string) {
    this.#table = table;
    this.#taken = new Set();
    for (const { name } of constraints) {
      if (name === undefined) continue;
      if (this.#taken.has(name.name)) {
        throw new StreamError(
          'SQL_DUPLICATE_OBJECT',
          `constraint "${name.name}" for relation "${table}" already exists`,
          { at: name.span },
        );
      }
      this.#taken.add(name.name);
    }
  }

  of({ name }: TableConstraint, parts: readonly string[]): string {
    if (name !== undefined) return name.name;
    const chosen = freeName([this.#table, ...parts].join('_'), (one) => this.#taken.has(one));
    this.#taken.add(chosen);
    return chosen;
  }
}

/** The name, or the first of name1, name2, … that nobody has. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 1; ; number++) {
    if (!isTaken(`${name}${number}`)) return `${name}${number}`;
  }
}

function requireLocal({ name, isLocal }: Place, what: string, { span }: TableConstraint): void {
  if (isLocal) return;
  throw new StreamError('SQL_NOT_SUPPORTED', `${what} of "${name}" cannot be kept`, {
    at: span,
    detail: 'Its records are in a topic, where others write too.',
    hint: 'A table over a topic has one key: PRIMARY KEY, by which a record replaces the one before.',
  });
}

// --------------------------------------------------------------------- checks

function bindCheck(
  { expression }: TableConstraint & { readonly kind: 'check' },
  { schema, context, name }: Place,
): BoundExpr {
  const shown = splitKey(context.catalog, name).name;
  const bound = bindOver(expression, schema, places.check, context, shown);
  return coerceToBoolean(bound, 'CHECK', context);
}

/** The name of the only column that the expression reads. */
function checkedColumn(expression: BoundExpr, schema: Schema): string[] {
  const read = new Set<number>();
  someExpression(expression, (part) => {
    if (part.kind === 'column') read.add(part.index);
    return false;
  });
  const [only, ...others] = read;
  const name = only === undefined || others.length > 0 ? undefined : schema[only]?.name;
  return name === undefined ? [] : [name];
}

// ----------------------------------------------------------------------- keys

/** @throws StreamError SQL_INVALID_DEFINITION for a second key and for keys of streams. */
export function primaryKeyOf(
  statement: CreateRelation,
  constraints: readonly TableConstraint[],
  columns: readonly { readonly name: string; readonly type: SqlType }[],
): readonly number[] {
  const [first, second] = constraints.flatMap((item) =>
    item.kind === 'primary-key' ? [item] : [],
  );
  if (second !== undefined) {
    throw new StreamError(
      'SQL_INVALID_DEFINITION',
      `multiple primary keys for table "${statement.name.parts.at(-1)?.name}" are not allowed`,
      { at: second.span },
    );
  }
  if (first === undefined) return [];
  if (statement.relation === 'stream') {
    throw new StreamError('SQL_INVALID_DEFINITION', 'a stream has no primary key', {
      at: first.span,
      hint: 'Use KEY for a column that is in the record’s key, or CREATE TABLE for the latest row per key.',
    });
  }
  return keyColumns(first.columns, columns, 'primary key');
}

function keyColumns(
  names: readonly Identifier[],
  columns: readonly { readonly name: string; readonly type: SqlType }[],
  kind: string,
): readonly number[] {
  const key = names.map((name) => {
    const index = columns.findIndex((column) => column.name === name.name);
    if (index >= 0) return index;
    throw new StreamError(
      'SQL_UNKNOWN_COLUMN',
      `column "${name.name}" named in key does not exist`,
      { at: name.span },
    );
  });
  const twice = key.findIndex((index, at) => key.indexOf(index) < at);
  if (twice >= 0) {
    throw new StreamError(
      'SQL_DUPLICATE_COLUMN',
      `column "${names[twice]?.name}" appears twice in ${kind} constraint`,
      { at: names[twice]?.span },
    );
  }
  key.forEach((index, at) => {
    requireOrder(columns[index]?.type, names[at]);
  });
  return key;
}

function requireOrder(type: SqlType | undefined, at: Pick<Identifier, 'span'> | undefined): void {
  if (type?.kind !== 'json') return;
  throw new StreamError(
    'SQL_UNKNOWN_OBJECT',
    'data type json has no default operator class for access method "btree"',
    { at: at?.span, hint: 'Use jsonb.' },
  );
}

function bindUnique(
  constraint: TableConstraint & { readonly kind: 'primary-key' | 'unique' },
  { schema }: Place,
  names: Names,
): UniqueKey {
  const isPrimary = constraint.kind === 'primary-key';
  const columns = keyColumns(constraint.columns, schema, isPrimary ? 'primary key' : 'unique');
  const written = constraint.columns.map(({ name }) => name);
  return {
    name: names.of(constraint, isPrimary ? ['pkey'] : [...written, 'key']),
    origin: isPrimary ? 'primary-key' : 'constraint',
    items: columns.map((index) => columnItem(schema, index)),
    nullsNotDistinct: constraint.nullsNotDistinct === true,
    where: undefined,
  };
}

function columnItem(schema: Schema, index: number): IndexItem {
  const { name = '', type = { kind: 'text' } as const } = schema[index] ?? {};
  return { expression: { kind: 'column', index, type }, text: name };
}

/** The columns of a key that has nothing else; undefined for one with expressions or a condition. */
export function plainColumns(unique: UniqueKey): readonly number[] | undefined {
  if (unique.where !== undefined) return undefined;
  const columns = unique.items.flatMap(({ expression }) =>
    expression.kind === 'column' ? [expression.index] : [],
  );
  return columns.length === unique.items.length ? columns : undefined;
}

/** What a unique index keeps apart. @throws StreamError for expressions that have no place in an index. */
export function bindIndex(
  statement: CreateIndex,
  name: string,
  schema: Schema,
  context: BindContext,
): UniqueKey {
  const shown = statement.relation.parts.at(-1)?.name;
  const bind = (node: SortItem['expression']): BoundExpr => {
    const bound = resolveUnknown(bindOver(node, schema, places.index, context, shown), context);
    requireImmutable(bound, node);
    return bound;
  };
  const items = statement.items.map(({ expression: node }): IndexItem => {
    const expression = bind(node);
    requireOrder(expression.type, node);
    return { expression, text: deparseExpression(node) };
  });
  const where = statement.where && coerceToBoolean(bind(statement.where), 'WHERE', context);
  const nullsNotDistinct = statement.nullsNotDistinct === true;
  return { name, origin: 'index', items, nullsNotDistinct, where };
}

function requireImmutable(expression: BoundExpr, at: Pick<Identifier, 'span'>): void {
  const isVolatile = someExpression(
    expression,
    (part) => part.kind === 'call' && (part.fn.volatility ?? 'immutable') !== 'immutable',
  );
  if (!isVolatile) return;
  throw new StreamError(
    'SQL_INVALID_OBJECT_DEFINITION',
    'functions in index expression must be marked IMMUTABLE',
    { at: at.span },
  );
}

// --------------------------------------------------------------- foreign keys

function bindReference(
  constraint: ForeignKey,
  name: string,
  ownUniques: readonly UniqueKey[],
  place: Place,
): Reference {
  const { schema, context, trustsReferences } = place;
  const columns = keyColumns(constraint.columns, schema, 'foreign key');
  const setColumns =
    constraint.setColumns.length === 0
      ? columns
      : keyColumns(constraint.setColumns, schema, 'foreign key');
  const { matchFull, onDelete, onUpdate } = constraint;
  const base = { name, columns, matchFull, onDelete, onUpdate, setColumns };
  if (trustsReferences) {
    const target = storedName(constraint, context);
    return { ...base, target, targetColumns: constraint.targetColumns.map((one) => one.name) };
  }
  const target = targetOf(constraint, ownUniques, place);
  const targetColumns = targetColumnsOf(constraint, target);
  requireTypes(constraint, name, { target, targetColumns }, columns, schema);
  const names = targetColumns.map((index) => target.schema[index]?.name ?? '');
  return { ...base, target: target.name, targetColumns: names };
}

/** Kept statements name the target with its schema. */
function storedName({ target }: ForeignKey, context: BindContext): string {
  const schema = target.parts.at(-2)?.name;
  const bare = target.parts.at(-1)?.name ?? '';
  return schema === undefined
    ? (findNamed(target, context)?.name ?? bare)
    : relationKey(schema, bare);
}

type Target = Pick<SourceRelation, 'name' | 'schema' | 'uniques'>;

function targetOf(constraint: ForeignKey, uniques: readonly UniqueKey[], place: Place): Target {
  const { context, name, schema } = place;
  const { target } = constraint;
  const written = target.parts.map((part) => part.name).join('.');
  const isOwn = written === name || written === `public.${name}`;
  if (isOwn) return { name, schema, uniques };
  const found = findNamed(target, context);
  if (found === undefined) {
    throw new StreamError('SQL_UNKNOWN_RELATION', `relation "${written}" does not exist`, {
      at: target.span,
    });
  }
  if (found.kind !== 'table' || found.input !== undefined || found.readOnly) {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `referenced relation "${written}" is not a table`,
      {
        at: target.span,
        ...(found.kind === 'table'
          ? { detail: 'Its rows follow a topic, where others write too.' }
          : {}),
      },
    );
  }
  return found;
}

function targetColumnsOf(constraint: ForeignKey, target: Target): readonly number[] {
  const { targetColumns, columns, span } = constraint;
  const uniques = target.uniques ?? [];
  const primary = uniques.find(({ origin }) => origin === 'primary-key');
  const bare = constraint.target.parts.at(-1)?.name;
  if (targetColumns.length === 0 && primary === undefined) {
    throw new StreamError(
      'SQL_UNKNOWN_OBJECT',
      `there is no primary key for referenced table "${bare}"`,
      { at: span },
    );
  }
  const key =
    targetColumns.length === 0
      ? (plainColumns(primary as UniqueKey) ?? [])
      : targetColumns.map((name) => {
          const index = target.schema.findIndex((column) => column.name === name.name);
          if (index >= 0) return index;
          throw new StreamError(
            'SQL_UNKNOWN_COLUMN',
            `column "${name.name}" referenced in foreign key constraint does not exist`,
            { at: name.span },
          );
        });
  if (key.length !== columns.length) {
    throw new StreamError(
      'SQL_INVALID_FOREIGN_KEY',
      'number of referencing and referenced columns for foreign key disagree',
      { at: span },
    );
  }
  if (uniqueOver(uniques, key) === undefined) {
    throw new StreamError(
      'SQL_INVALID_FOREIGN_KEY',
      `there is no unique constraint matching given keys for referenced table "${bare}"`,
      { at: span },
    );
  }
  return key;
}

/** The unique key over exactly these columns, in any order. */
export function uniqueOver(
  uniques: readonly UniqueKey[],
  columns: readonly number[],
): UniqueKey | undefined {
  return uniques.find((unique) => {
    const plain = plainColumns(unique);
    return plain?.length === columns.length && columns.every((index) => plain.includes(index));
  });
}

const INTEGERS: readonly SqlType['kind'][] = ['smallint', 'integer', 'bigint'];
const TEXTS: readonly SqlType['kind'][] = ['text', 'varchar'];

/** Types whose equal values have the same hash key. */
function haveOneHash(left: SqlType, right: SqlType): boolean {
  if (left.kind === 'range') return sameType(left, right);
  if (left.kind === right.kind) return left.kind !== 'array' && left.kind !== 'row';
  return [INTEGERS, TEXTS].some((kinds) => kinds.includes(left.kind) && kinds.includes(right.kind));
}

function requireTypes(
  constraint: ForeignKey,
  name: string,
  { target, targetColumns }: { target: Target; targetColumns: readonly number[] },
  columns: readonly number[],
  schema: Schema,
): void {
  columns.forEach((index, at) => {
    const own = schema[index];
    const other = target.schema[targetColumns[at] ?? 0];
    if (own === undefined || other === undefined || haveOneHash(own.type, other.type)) return;
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `foreign key constraint "${name}" cannot be implemented`,
      {
        at: constraint.span,
        detail: `Key columns "${own.name}" of the referencing table and "${other.name}" of the referenced table are of incompatible types: ${typeName(own.type)} and ${typeName(other.type)}.`,
      },
    );
  });
}
