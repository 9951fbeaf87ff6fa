/** Type names as written to types. */
import type { TypeName } from './ast.ts';
import { StreamError } from './base/error.ts';
import {
  type Column,
  keyAndValue,
  mapType,
  rangeNames,
  type SqlType,
  someType,
  typeName,
} from './base/type.ts';
import { closestName } from './bind-near-miss.ts';
import { searchPath } from './bind-schema.ts';
import { type Catalog, relationKey, type UserType } from './catalog.ts';

const NUMERIC_PRECISION_MAX = 1000;
const TEXT_LENGTH_MAX = 10_485_760;
const FRACTION_DIGITS_MAX = 6;

type Build = (name: TypeName) => SqlType;

const plain =
  (type: SqlType): Build =>
  (name) => {
    if (name.modifiers.length > 0) {
      throw new StreamError('SQL_SYNTAX', `type modifier is not allowed for type "${name.name}"`, {
        at: name.span,
      });
    }
    return type;
  };

const builders: ReadonlyMap<string, Build> = new Map<string, Build>([
  ['bool', plain({ kind: 'boolean' })],
  ['boolean', plain({ kind: 'boolean' })],
  ['int2', plain({ kind: 'smallint' })],
  ['smallint', plain({ kind: 'smallint' })],
  ['int4', plain({ kind: 'integer' })],
  ['int', plain({ kind: 'integer' })],
  ['integer', plain({ kind: 'integer' })],
  ['int8', plain({ kind: 'bigint' })],
  ['bigint', plain({ kind: 'bigint' })],
  ['float4', plain({ kind: 'real' })],
  ['real', plain({ kind: 'real' })],
  ['float8', plain({ kind: 'double' })],
  ['double', plain({ kind: 'double' })],
  ['numeric', numericType],
  ['decimal', numericType],
  ['text', plain({ kind: 'text' })],
  ['string', plain({ kind: 'text' })],
  ['name', plain({ kind: 'text' })],
  // Only of use as the argument of functions that take a relation's name.
  ['regclass', plain({ kind: 'text' })],
  ['varchar', (name) => textType(name, 'varchar')],
  ['bpchar', (name) => textType(name, 'char')],
  ['char', (name) => textType(name, 'char')],
  ['bytea', plain({ kind: 'bytea' })],
  ['bytes', plain({ kind: 'bytea' })],
  ['date', plain({ kind: 'date' })],
  ['time', (name) => ({ kind: 'time', ...fractionDigits(name) })],
  ['timestamp', (name) => ({ kind: 'timestamp', ...fractionDigits(name) })],
  ['timestamptz', (name) => ({ kind: 'timestamptz', ...fractionDigits(name) })],
  ['interval', () => ({ kind: 'interval' })],
  ['json', plain({ kind: 'json' })],
  ['jsonb', plain({ kind: 'jsonb' })],
  // A path is kept as it was written, and read where it is used.
  ['jsonpath', plain({ kind: 'text' })],
  ['uuid', plain({ kind: 'uuid' })],
  ...rangeNames.map((name): [string, Build] => [name, plain({ kind: 'range', name })]),
]);

const unsupportedTypes: ReadonlyMap<string, string> = new Map([
  ['multiset', 'Use an array, or jsonb.'],
  ['timetz', 'Use time, or timestamptz.'],
  ['bit', 'Use bytea, boolean or integer.'],
  ['varbit', 'Use bytea.'],
  ['money', 'Use numeric.'],
  ['xml', 'Use text or jsonb.'],
  ...['inet', 'cidr', 'macaddr', 'macaddr8'].map((name): [string, string] => [name, 'Use text.']),
  ...['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'].map((name): [string, string] => [
    name,
    'Use columns of double precision, or an array of them.',
  ]),
  ...['tsvector', 'tsquery'].map((name): [string, string] => [
    name,
    'Use text, and search it by LIKE or a regular expression.',
  ]),
  ...rangeNames.map((name): [string, string] => [
    name.replace('range', 'multirange'),
    `Use an array of ${name}.`,
  ]),
]);

/** What a type's name is looked for in; a BindContext is one. */
export interface TypeScope {
  readonly catalog: Catalog;
  readonly statement: { readonly settings: ReadonlyMap<string, string> };
}

/** A user-defined type by its name as written, `schema.name` or along the search path. */
export function findUserType(
  written: string,
  { catalog, statement }: TypeScope,
): UserType | undefined {
  const dot = written.indexOf('.');
  if (dot >= 0) {
    const schema = written.slice(0, dot);
    if (!catalog.schemas().includes(schema)) {
      throw new StreamError('SQL_UNKNOWN_SCHEMA', `schema "${schema}" does not exist`);
    }
    return catalog.type(relationKey(schema, written.slice(dot + 1)));
  }
  for (const schema of searchPath(statement.settings)) {
    const found = catalog.type(relationKey(schema, written));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The type that a name stands for.
 * @throws StreamError SQL_UNKNOWN_TYPE, SQL_NOT_SUPPORTED, VALUE_INVALID_PARAMETER (modifiers).
 */
export function bindTypeName(name: TypeName, scope: TypeScope): SqlType {
  const type = baseType(name, scope);
  if (name.arrayDimensions === 0) return type;
  refuseDomain(type, name);
  return { kind: 'array', element: type };
}

/** Values of domains are checked where they are stored or cast, not inside of others. */
function refuseDomain(type: SqlType, { span }: TypeName): void {
  if (type.domain === undefined) return;
  throw new StreamError('SQL_NOT_SUPPORTED', 'arrays and rows of domains are not supported', {
    at: span,
    hint: 'Write the type that the domain is over.',
  });
}

/** An attribute of a row type. @throws StreamError as bindTypeName. */
export function bindField(name: string, type: TypeName, scope: TypeScope): Column {
  const bound = bindTypeName(type, scope);
  refuseDomain(bound, type);
  return { name, type: bound, nullable: true };
}

function mapTypeOf(name: TypeName, scope: TypeScope): SqlType {
  const [key, value, ...others] = name.arguments ?? [];
  if (key === undefined || value === undefined || others.length > 0) {
    throw new StreamError('SQL_SYNTAX', 'a map has a type of its keys and one of its values', {
      at: name.span,
      hint: 'Write MAP<text, integer>.',
    });
  }
  const type = mapType(bindTypeName(key, scope), bindTypeName(value, scope));
  const own = keyAndValue(type);
  refuseDomain(own.key, key);
  refuseDomain(own.value, value);
  if (someType(own.key, ({ kind }) => unorderedKeys.has(kind))) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `the keys of a map cannot be of type ${typeName(own.key)}`,
      {
        at: key.span,
        hint: 'Keys are texts, numbers, dates, times and the like.',
      },
    );
  }
  return type;
}

/** What keys are not made of, as names of an object are their texts. */
const unorderedKeys: ReadonlySet<SqlType['kind']> = new Set(['json', 'jsonb', 'array', 'row']);

function baseType(name: TypeName, scope: TypeScope): SqlType {
  if (name.name === 'struct' || name.name === 'row') {
    const fields = (name.fields ?? []).map((field) =>
      bindField(field.name.name, field.type, scope),
    );
    return { kind: 'row', fields };
  }
  if (name.name === 'array' && name.arguments?.[0] !== undefined) {
    const [element] = name.arguments;
    return bindTypeName({ ...element, arrayDimensions: element.arrayDimensions + 1 }, scope);
  }
  if (name.name === 'map') return mapTypeOf(name, scope);
  const build = builders.get(name.name);
  if (build !== undefined) return build(name);
  const userType = findUserType(name.name, scope);
  if (userType !== undefined) return plain(userType.type)(name);
  const instead = unsupportedTypes.get(name.name);
  if (instead !== undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', `type ${name.name} is not supported`, {
      at: name.span,
      hint: instead,
    });
  }
  const known = scope.catalog.types().map((type) => type.name);
  const near = closestName(name.name, [...builders.keys(), ...known]);
  throw new StreamError('SQL_UNKNOWN_TYPE', `type "${name.name}" does not exist`, {
    at: name.span,
    hint: near === undefined ? undefined : `Perhaps you meant the type "${near}".`,
  });
}

/** The type that a function's name would be as a type, for `float8(x)`; undefined when it is none. */
export function typeOfFunctionName(name: string): SqlType | undefined {
  const span = { start: 0, end: 0 };
  return builders.get(name)?.({ name, modifiers: [], arrayDimensions: 0, span });
}

function invalidModifier(name: TypeName, message: string): StreamError {
  return new StreamError('VALUE_INVALID_PARAMETER', message, { at: name.span });
}

function numericType(name: TypeName): SqlType {
  const [precision, scale = 0] = name.modifiers;
  if (precision === undefined) return { kind: 'numeric' };
  if (name.modifiers.length > 2) throw invalidModifier(name, 'invalid NUMERIC type modifier');
  if (precision < 1 || precision > NUMERIC_PRECISION_MAX) {
    throw invalidModifier(name, `NUMERIC precision ${precision} must be between 1 and 1000`);
  }
  if (scale < -NUMERIC_PRECISION_MAX || scale > NUMERIC_PRECISION_MAX) {
    throw invalidModifier(name, `NUMERIC scale ${scale} must be between -1000 and 1000`);
  }
  return { kind: 'numeric', precision, scale };
}

function textType(name: TypeName, kind: 'varchar' | 'char'): SqlType {
  const [length] = name.modifiers;
  if (length === undefined) return { kind };
  const label = kind === 'char' ? 'bpchar' : 'varchar';
  if (name.modifiers.length > 1) throw invalidModifier(name, 'invalid type modifier');
  if (length < 1) throw invalidModifier(name, `length for type ${label} must be at least 1`);
  // Flink and ksqlDB write VARCHAR(2147483647) for a text without a limit.
  if (length === 2_147_483_647) return { kind: 'text' };
  if (length > TEXT_LENGTH_MAX) {
    throw invalidModifier(name, `length for type ${label} cannot exceed ${TEXT_LENGTH_MAX}`);
  }
  return { kind, length };
}

/** PostgreSQL reduces more than six digits to six with a warning. */
function fractionDigits(name: TypeName): { readonly precision?: number } {
  const [digits] = name.modifiers;
  if (digits === undefined) return {};
  return { precision: Math.min(Math.max(digits, 0), FRACTION_DIGITS_MAX) };
}
