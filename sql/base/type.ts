import type { Datum } from './datum.ts';
import type { EnumType } from './enum-type.ts';

/**
 * SQL types, and the one JavaScript value that stands for each SQL value ("datum").
 *
 * | SqlType kind                  | datum (NULL is always `null`)                                        |
 * | ----------------------------- | -------------------------------------------------------------------- |
 * | boolean                       | boolean                                                              |
 * | smallint, integer             | number (integral)                                                    |
 * | date                          | number: days since 1970-01-01; ±infinity = ±DATE_INFINITY            |
 * | bigint                        | bigint                                                               |
 * | time                          | bigint: microseconds since midnight                                  |
 * | timestamp, timestamptz        | bigint: microseconds since 1970-01-01 (UTC); ±infinity = int64 max/min |
 * | real, double                  | number (real is rounded by Math.fround)                              |
 * | numeric                       | Numeric (sql/base/numeric.ts), keeps its display scale               |
 * | text, varchar, char, uuid     | string (uuid in lower-case canonical form)                           |
 * | jsonb                         | string: PostgreSQL's canonical jsonb text                            |
 * | json                          | string: the text as it was written                                   |
 * | bytea                         | Uint8Array                                                           |
 * | interval                      | Interval (sql/base/interval.ts): months, days, microseconds          |
 * | range                         | RangeValue (sql/base/range.ts), in its canonical form                |
 * | enum                          | number: the place of its label (sql/base/enum-type.ts)               |
 * | array                         | readonly Datum[]                                                     |
 * | row                           | readonly Datum[], one an attribute                                   |
 */
export type SqlType = BaseType & {
  /** A column of a domain, or a value that has been cast to one: as the base type, but what goes in is checked. */
  readonly domain?: Domain | undefined;
};

type BaseType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'smallint' }
  | { readonly kind: 'integer' }
  | { readonly kind: 'bigint' }
  | { readonly kind: 'real' }
  | { readonly kind: 'double' }
  | {
      readonly kind: 'numeric';
      readonly precision?: number | undefined;
      readonly scale?: number | undefined;
    }
  | { readonly kind: 'text' }
  | { readonly kind: 'varchar'; readonly length?: number | undefined }
  | { readonly kind: 'char'; readonly length?: number | undefined }
  | { readonly kind: 'bytea' }
  | { readonly kind: 'date' }
  | { readonly kind: 'time'; readonly precision?: number | undefined }
  | { readonly kind: 'timestamp'; readonly precision?: number | undefined }
  | { readonly kind: 'timestamptz'; readonly precision?: number | undefined }
  | { readonly kind: 'interval' }
  | { readonly kind: 'json' }
  | { readonly kind: 'jsonb' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'range'; readonly name: RangeName }
  | { readonly kind: 'enum'; readonly enumeration: EnumType }
  | {
      readonly kind: 'array';
      readonly element: SqlType;
      /** A map: its entries are rows (key, value), in the order of the keys, each key once. */
      readonly isMap?: true | undefined;
    }
  | {
      readonly kind: 'row';
      readonly fields: readonly Column[];
      /** Of a composite type that has one. */
      readonly name?: string | undefined;
    }
  /** An untyped literal or NULL before it has met a context. No column of a relation has it. */
  | { readonly kind: 'unknown' };

/** What CREATE DOMAIN adds to a type. Whoever holds it checks by the rules that ALTER DOMAIN gave it last. */
export class Domain {
  /** Of the type in the catalog. */
  readonly id: number;
  #name: string;
  #check: (value: Datum | null) => void;

  constructor(id: number, name: string, check: (value: Datum | null) => void) {
    this.id = id;
    this.#name = name;
    this.#check = check;
  }

  get name(): string {
    return this.#name;
  }

  /** @throws StreamError CONSTRAINT_NOT_NULL, CONSTRAINT_CHECK. */
  check(value: Datum | null): void {
    this.#check(value);
  }

  /** As it is now. */
  copy(): Domain {
    return new Domain(this.id, this.#name, this.#check);
  }

  /** The rules and the name of another from now on. */
  become(other: Domain): void {
    this.#name = other.#name;
    this.#check = other.#check;
  }
}

export const rangeNames = [
  'int4range',
  'int8range',
  'numrange',
  'daterange',
  'tsrange',
  'tstzrange',
] as const;

export type RangeName = (typeof rangeNames)[number];

export type TypeKind = SqlType['kind'];

export interface Column {
  readonly name: string;
  readonly type: SqlType;
  /** False when the plan proves that no row holds NULL here. */
  readonly nullable: boolean;
}

export type Schema = readonly Column[];

export const DATE_INFINITY = 2147483647;
export const TIMESTAMP_INFINITY = 9223372036854775807n;
export const TIMESTAMP_NEGATIVE_INFINITY = -9223372036854775808n;

/** PostgreSQL's name of a type as `format_type` prints it: `numeric(10,2)`, `integer[]`. */
export function typeName(type: SqlType): string {
  switch (type.kind) {
    case 'double':
      return 'double precision';
    case 'numeric':
      return type.precision === undefined
        ? 'numeric'
        : `numeric(${type.precision},${type.scale ?? 0})`;
    case 'varchar':
      return type.length === undefined ? 'character varying' : `character varying(${type.length})`;
    case 'char':
      return type.length === undefined ? 'bpchar' : `character(${type.length})`;
    case 'time':
      return type.precision === undefined
        ? 'time without time zone'
        : `time(${type.precision}) without time zone`;
    case 'timestamp':
      return type.precision === undefined
        ? 'timestamp without time zone'
        : `timestamp(${type.precision}) without time zone`;
    case 'timestamptz':
      return type.precision === undefined
        ? 'timestamp with time zone'
        : `timestamp(${type.precision}) with time zone`;
    case 'array':
      if (isMapType(type)) {
        const { key, value } = keyAndValue(type);
        return `map<${typeName(key)}, ${typeName(value)}>`;
      }
      // The number of dimensions belongs to the value.
      return type.element.kind === 'array' ? typeName(type.element) : `${typeName(type.element)}[]`;
    case 'row':
      return type.name ?? 'record';
    case 'range':
      return type.name;
    case 'enum':
      return type.enumeration.shownName;
    default:
      return type.kind;
  }
}

/** True when both types name the same values in the same form, modifiers included. */
export function sameType(a: SqlType, b: SqlType): boolean {
  if (a.kind === 'row' && b.kind === 'row') {
    const other = b.fields;
    return (
      a.fields.length === other.length &&
      a.fields.every((field, i) => {
        const twin = other[i];
        return twin !== undefined && field.name === twin.name && sameType(field.type, twin.type);
      })
    );
  }
  if (a.kind === 'array' && b.kind === 'array') {
    return isMapType(a) === isMapType(b) && sameType(a.element, b.element);
  }
  if (a.kind === 'enum' || b.kind === 'enum') return sameEnum(a, b);
  return typeName(a) === typeName(b);
}

export type MapType = SqlType & { readonly kind: 'array'; readonly isMap: true };

export function mapType(key: SqlType, value: SqlType): MapType {
  const fields = [
    { name: 'key', type: key, nullable: false },
    { name: 'value', type: value, nullable: true },
  ];
  return { kind: 'array', element: { kind: 'row', fields }, isMap: true };
}

export const isMapType = (type: SqlType): type is MapType =>
  type.kind === 'array' && type.isMap === true;

export function keyAndValue(type: MapType): { readonly key: SqlType; readonly value: SqlType } {
  const [key, value] = type.element.kind === 'row' ? type.element.fields : [];
  if (key === undefined || value === undefined) {
    throw new Error('assertion failed: the entries of a map are keys and values');
  }
  return { key: key.type, value: value.type };
}

/** The array of the entries, which is what functions of arrays take. */
export const entriesType = (type: SqlType): SqlType =>
  isMapType(type) ? { kind: 'array', element: type.element } : type;

/** True for two enum types that are one. */
export function sameEnum(a: SqlType, b: SqlType): boolean {
  return a.kind === 'enum' && b.kind === 'enum' && a.enumeration === b.enumeration;
}

/** Whether the type is, or holds, one that `test` is true for. */
export function someType(type: SqlType, test: (type: SqlType) => boolean): boolean {
  if (test(type)) return true;
  if (type.kind === 'array') return someType(type.element, test);
  return type.kind === 'row' && type.fields.some((field) => someType(field.type, test));
}

/** The type that a domain is over, or the type itself. */
export function withoutDomain(type: SqlType): SqlType {
  return type.domain === undefined ? type : { ...type, domain: undefined };
}
