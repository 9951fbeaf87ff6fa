/** Type names, normalised to PostgreSQL's catalogue names, and interval fields. */
import type { Identifier, QualifiedName, TypeName } from './ast.ts';
import type { Cursor } from './parser-cursor.ts';
import {
  columnName,
  continueName,
  identifierOf,
  isColumnName,
  isFunctionName,
  label,
} from './parser-name.ts';

interface BaseType {
  readonly name: string;
  readonly modifiers?: readonly number[];
  readonly intervalFields?: string | undefined;
  readonly fields?: TypeName['fields'];
  readonly arguments?: TypeName['arguments'];
  /** Dimensions that the spelling itself adds: ARRAY<INT>. */
  readonly arrayDimensions?: number;
}

/** Names that Flink, ksqlDB and RisingWave give to types of PostgreSQL. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['bytes', 'bytea'],
  ['varbinary', 'bytea'],
  ['double', 'float8'],
  ['tinyint', 'int2'],
  ['timestamp_ltz', 'timestamptz'],
]);

/** Keyword types without modifiers of their own. */
const plainTypes: ReadonlyMap<string, string> = new Map([
  ['int', 'int4'],
  ['integer', 'int4'],
  ['smallint', 'int2'],
  ['bigint', 'int8'],
  ['real', 'float4'],
  ['boolean', 'bool'],
  ['json', 'json'],
]);

/**
 * A type name, with array bounds after it.
 * @throws StreamError SQL_SYNTAX
 */
export function parseType(cursor: Cursor): TypeName {
  const start = cursor.start;
  const base = cursor.nested(() => baseType(cursor));
  const arrayDimensions = (base.arrayDimensions ?? 0) + arrayBounds(cursor);
  return finish(cursor, start, base, arrayDimensions);
}

/**
 * A type before a string constant (`ConstTypename`), whose first word is a keyword.
 * @returns undefined when no type with syntax of its own begins here.
 */
export function parseKeywordType(cursor: Cursor): TypeName | undefined {
  const start = cursor.start;
  const base = keywordType(cursor);
  if (base === undefined) return undefined;
  // A literal's CHAR and BIT are as long as the literal, where a column's have length 1.
  const isLengthImplied = base.name === 'bpchar' || base.name === 'bit';
  const written = cursor.tokens[cursor.index - 1]?.text === ')';
  const whole = isLengthImplied && !written ? { name: base.name } : base;
  return finish(cursor, start, whole, 0);
}

function finish(cursor: Cursor, start: number, base: BaseType, arrayDimensions: number): TypeName {
  return {
    name: base.name,
    modifiers: base.modifiers ?? [],
    arrayDimensions,
    ...(base.intervalFields === undefined ? {} : { intervalFields: base.intervalFields }),
    ...(base.fields === undefined ? {} : { fields: base.fields }),
    ...(base.arguments === undefined ? {} : { arguments: base.arguments }),
    span: cursor.spanFrom(start),
  };
}

function arrayBounds(cursor: Cursor): number {
  if (cursor.accept('array')) {
    if (cursor.acceptSymbol('[')) {
      cursor.expectInteger();
      cursor.expectSymbol(']');
    }
    return 1;
  }
  let dimensions = 0;
  while (cursor.acceptSymbol('[')) {
    if (!cursor.atSymbol(']')) cursor.expectInteger();
    cursor.expectSymbol(']');
    dimensions++;
  }
  return dimensions;
}

function baseType(cursor: Cursor): BaseType {
  return keywordType(cursor) ?? nestedType(cursor) ?? genericType(cursor);
}

function keywordType(cursor: Cursor): BaseType | undefined {
  const token = cursor.token;
  if (token.kind !== 'word') return undefined;
  const plain = plainTypes.get(token.text);
  if (plain !== undefined) {
    cursor.advance();
    return { name: plain };
  }
  switch (token.text) {
    case 'dec':
    case 'decimal':
    case 'numeric':
      cursor.advance();
      return { name: 'numeric', modifiers: modifiers(cursor) };
    case 'float':
      cursor.advance();
      return floatType(cursor);
    case 'double':
      if (!cursor.wordAhead(1, 'precision')) return undefined;
      cursor.expect('double', 'precision');
      return { name: 'float8' };
    case 'bit': {
      cursor.advance();
      const name = cursor.accept('varying') ? 'varbit' : 'bit';
      const length = modifiers(cursor);
      return { name, modifiers: length.length === 0 && name === 'bit' ? [1] : length };
    }
    case 'national':
    case 'nchar':
    case 'character':
    case 'char':
    case 'varchar':
      return characterType(cursor);
    case 'timestamp':
    case 'time':
      return timeType(cursor);
    case 'interval':
      cursor.advance();
      return intervalType(cursor);
    default:
      return undefined;
  }
}

const FLOAT_BITS_OF_REAL = 24;
const FLOAT_BITS_MAX = 53;

function floatType(cursor: Cursor): BaseType {
  const at = cursor.peek(1);
  const [bits] = modifiers(cursor);
  if (bits === undefined) return { name: 'float8' };
  if (bits < 1) throw cursor.error('precision for type float must be at least 1 bit', at);
  if (bits > FLOAT_BITS_MAX) {
    throw cursor.error('precision for type float must be less than 54 bits', at);
  }
  return { name: bits <= FLOAT_BITS_OF_REAL ? 'float4' : 'float8' };
}

function characterType(cursor: Cursor): BaseType {
  if (cursor.accept('varchar')) return { name: 'varchar', modifiers: modifiers(cursor) };
  if (cursor.accept('national')) cursor.expectOneOf('character', 'char');
  else cursor.expectOneOf('character', 'char', 'nchar');
  const name = cursor.accept('varying') ? 'varchar' : 'bpchar';
  const length = modifiers(cursor);
  return { name, modifiers: length.length === 0 && name === 'bpchar' ? [1] : length };
}

function timeType(cursor: Cursor): BaseType {
  const word = cursor.expectOneOf('timestamp', 'time');
  const precision = modifiers(cursor);
  if (cursor.acceptWords('with', 'local', 'time', 'zone')) {
    return { name: 'timestamptz', modifiers: precision };
  }
  if (cursor.acceptWords('without', 'time', 'zone')) return { name: word, modifiers: precision };
  if (cursor.atWords('with', 'time')) {
    cursor.expect('with', 'time', 'zone');
    return { name: `${word}tz`, modifiers: precision };
  }
  return { name: word, modifiers: precision };
}

function intervalType(cursor: Cursor): BaseType {
  const precision = modifiers(cursor);
  if (precision.length > 0) return { name: 'interval', modifiers: precision };
  return { name: 'interval', ...intervalFields(cursor) };
}

const fieldsAfter: ReadonlyMap<string, readonly string[]> = new Map([
  ['year', ['month']],
  ['month', []],
  ['day', ['hour', 'minute', 'second']],
  ['hour', ['minute', 'second']],
  ['minute', ['second']],
  ['second', []],
]);

const pluralFields: ReadonlyMap<string, string> = new Map(
  [...fieldsAfter.keys()].map((field) => [`${field}s`, field]),
);

/** `DAY`, `DAY TO SECOND (3)`, … when they are there. */
export function intervalFields(cursor: Cursor): {
  intervalFields?: string;
  modifiers?: readonly number[];
} {
  const word = cursor.token.kind === 'word' ? cursor.token.text : '';
  const first = (cursor.pluralIntervals ? pluralFields.get(word) : undefined) ?? word;
  const followers = fieldsAfter.get(first);
  if (followers === undefined) return {};
  cursor.advance();
  let last = first;
  if (followers.length > 0 && cursor.accept('to')) last = cursor.expectOneOf(...followers);
  const fields = last === first ? first : `${first} to ${last}`;
  const precision = last === 'second' ? modifiers(cursor) : [];
  return {
    intervalFields: fields.toUpperCase(),
    ...(precision.length > 0 ? { modifiers: precision } : {}),
  };
}

/** `(10, 2)` when it is there: integers only. */
function modifiers(cursor: Cursor): readonly number[] {
  if (!cursor.acceptSymbol('(')) return [];
  const values = cursor.list(() => {
    const negative = cursor.acceptSymbol('-');
    const value = cursor.expectInteger();
    return negative ? -value : value;
  });
  cursor.expectSymbol(')');
  return values;
}

/** ARRAY<…>, MAP<…, …>, MULTISET<…>, ROW<…>, STRUCT<…>, and the same in parentheses. */
function nestedType(cursor: Cursor): BaseType | undefined {
  const { kind, text } = cursor.token;
  const opensAngle = cursor.symbolAhead(1, '<');
  const opens = opensAngle || cursor.symbolAhead(1, '(') || cursor.symbolAhead(1, '<>');
  if (kind !== 'word' || !opens) return undefined;
  switch (text) {
    case 'array': {
      if (!opensAngle) return undefined;
      const [element] = typeArguments(cursor);
      if (element === undefined) throw cursor.unexpected('a type');
      const { arrayDimensions, modifiers: own, ...base } = element;
      return { ...base, modifiers: own, arrayDimensions: arrayDimensions + 1 };
    }
    case 'map':
    case 'multiset':
      return { name: text, arguments: typeArguments(cursor) };
    case 'row':
    case 'struct':
      return { name: 'struct', fields: attributes(cursor) };
    default:
      return undefined;
  }
}

function typeArguments(cursor: Cursor): readonly TypeName[] {
  cursor.advance();
  const angle = cursor.atSymbol('<');
  cursor.advance();
  const types = cursor.list(() => parseType(cursor));
  close(cursor, angle);
  return types;
}

function attributes(cursor: Cursor): readonly { name: Identifier; type: TypeName }[] {
  cursor.advance();
  if (cursor.acceptSymbol('<>')) return [];
  const angle = cursor.atSymbol('<');
  cursor.advance();
  const fields = cursor.list(() => attribute(cursor));
  close(cursor, angle);
  return fields;
}

/** `name type`, or ksqlDB's and BigQuery's `name: type`. */
function attribute(cursor: Cursor): { name: Identifier; type: TypeName } {
  const name = isColumnName(cursor.token) ? columnName(cursor) : label(cursor);
  cursor.acceptSymbol(':');
  return { name, type: parseType(cursor) };
}

function close(cursor: Cursor, angle: boolean): void {
  if (angle) cursor.expectClosingAngle();
  else cursor.expectSymbol(')');
}

function genericType(cursor: Cursor): BaseType {
  const first = cursor.token;
  if (!isFunctionName(first)) throw cursor.unexpected('a type');
  cursor.advance();
  const name = continueName(cursor, identifierOf(first));
  return { name: catalogueName(name), modifiers: modifiers(cursor) };
}

function catalogueName(name: QualifiedName): string {
  const [first, ...others] = name.parts;
  if (first !== undefined && others.length === 0) {
    return (first.quoted ? undefined : aliases.get(first.name)) ?? first.name;
  }
  const parts = first?.name === 'pg_catalog' ? others : name.parts;
  return parts.map((part) => part.name).join('.');
}

/** The type that a name read elsewhere stands for: `date` of `date '2024-01-01'`. */
export function namedType(name: QualifiedName, ownModifiers: readonly number[]): TypeName {
  return {
    name: catalogueName(name),
    modifiers: ownModifiers,
    arrayDimensions: 0,
    span: name.span,
  };
}
