/** Identifiers, strings and type names as canonical SQL text. */
import type { Identifier, QualifiedName, TypeName } from './ast.ts';
import { keywords } from './keyword.ts';

const plainIdentifier = /^[a-z_][a-z0-9_]*$/;

/** A name as SQL text: in double quotes unless it reads back as itself everywhere. */
export function quoteIdentifier(name: string): string {
  const keyword = keywords.get(name);
  const isPlain =
    plainIdentifier.test(name) && (keyword === undefined || keyword.class === 'unreserved');
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A value as a string literal. */
export const quoteString = (value: string): string => `'${value.replaceAll("'", "''")}'`;

export const identifierText = (identifier: Identifier): string => quoteIdentifier(identifier.name);

export const nameText = (name: QualifiedName): string => name.parts.map(identifierText).join('.');

export const identifierList = (identifiers: readonly Identifier[]): string =>
  `(${identifiers.map(identifierText).join(', ')})`;

/** Joins the words that are there with blanks. */
export const words = (...parts: readonly (string | undefined | false)[]): string =>
  parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ');

/** `keyword items` when there are items. */
export const clause = (keyword: string, items: readonly string[]): string | undefined =>
  items.length === 0 ? undefined : `${keyword} ${items.join(', ')}`;

const displayNames: ReadonlyMap<string, string> = new Map([
  ['bool', 'boolean'],
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
  ['float4', 'real'],
  ['float8', 'double precision'],
  ['numeric', 'numeric'],
  ['varchar', 'varchar'],
  ['timestamp', 'timestamp'],
  ['time', 'time'],
  ['interval', 'interval'],
  ['json', 'json'],
  ['bit', 'bit'],
]);

/** Names that the parser would read as another type when they are not quoted. */
const misread: ReadonlySet<string> = new Set(['string', 'bytes', 'varbinary', 'double', 'tinyint']);

/** A type as SQL text that parses back to the same type. */
export function typeText(type: TypeName): string {
  const dimensions = '[]'.repeat(type.arrayDimensions);
  return `${baseText(type)}${dimensions}`;
}

function baseText(type: TypeName): string {
  if (type.name === 'struct' && type.fields !== undefined) {
    const fields = type.fields.map(
      (field) => `${identifierText(field.name)} ${typeText(field.type)}`,
    );
    return `struct<${fields.join(', ')}>`;
  }
  if (type.arguments !== undefined) {
    return `${type.name}<${type.arguments.map(typeText).join(', ')}>`;
  }
  const fields = type.intervalFields;
  if (fields !== undefined) return `interval ${fieldsText(type)}`;
  // CHAR alone would mean CHAR(1).
  const name =
    type.name === 'bpchar' && type.modifiers.length > 0 ? 'char' : typeNameText(type.name);
  return `${name}${modifiersText(type)}`;
}

/** The fields of an interval with the precision of its seconds: `DAY TO SECOND(3)`. */
export const fieldsText = (type: TypeName): string =>
  `${type.intervalFields ?? ''}${modifiersText(type)}`;

const modifiersText = (type: TypeName): string =>
  type.modifiers.length === 0 ? '' : `(${type.modifiers.join(', ')})`;

function typeNameText(name: string): string {
  const display = displayNames.get(name);
  if (display !== undefined) return display;
  if (misread.has(name)) return `"${name}"`;
  return name.split('.').map(quoteIdentifier).join('.');
}
