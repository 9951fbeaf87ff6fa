/** PostgreSQL's type categories and preferred types (pg_type.typcategory, typispreferred). */
import { isMapType, type SqlType, sameEnum, type TypeKind, withoutDomain } from './base/type.ts';

export type TypeCategory =
  | 'array'
  | 'boolean'
  | 'composite'
  | 'datetime'
  | 'enum'
  | 'numeric'
  | 'range'
  | 'string'
  | 'timespan'
  | 'user'
  | 'unknown';

const categories: { readonly [K in TypeKind]: TypeCategory } = {
  boolean: 'boolean',
  smallint: 'numeric',
  integer: 'numeric',
  bigint: 'numeric',
  real: 'numeric',
  double: 'numeric',
  numeric: 'numeric',
  text: 'string',
  varchar: 'string',
  char: 'string',
  bytea: 'user',
  date: 'datetime',
  time: 'datetime',
  timestamp: 'datetime',
  timestamptz: 'datetime',
  interval: 'timespan',
  json: 'user',
  jsonb: 'user',
  uuid: 'user',
  range: 'range',
  enum: 'enum',
  array: 'array',
  row: 'composite',
  unknown: 'unknown',
};

const preferredKinds: ReadonlySet<TypeKind> = new Set([
  'boolean',
  'double',
  'text',
  'timestamptz',
  'interval',
]);

export const categoryOf = (type: SqlType): TypeCategory => categories[type.kind];

export const isPreferred = (type: SqlType): boolean => preferredKinds.has(type.kind);

/** The same type when modifiers are left aside: numeric(10,2) and numeric. */
export function sameBaseType(a: SqlType, b: SqlType): boolean {
  if (a.kind === 'array' && b.kind === 'array') {
    return isMapType(a) === isMapType(b) && sameBaseType(a.element, b.element);
  }
  if (a.kind === 'row' && b.kind === 'row') {
    return (
      a.fields.length === b.fields.length &&
      a.fields.every((field, index) => {
        const twin = b.fields[index];
        return twin !== undefined && sameBaseType(field.type, twin.type);
      })
    );
  }
  if (a.kind === 'range' && b.kind === 'range') return a.name === b.name;
  return a.kind === b.kind && (a.kind !== 'enum' || sameEnum(a, b));
}

/** The type without its modifiers. */
export function withoutModifiers(type: SqlType): SqlType {
  if (type.domain !== undefined) return withoutModifiers(withoutDomain(type));
  switch (type.kind) {
    case 'numeric':
    case 'varchar':
    case 'char':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return { kind: type.kind };
    case 'array':
      return { ...type, element: withoutModifiers(type.element) };
    default:
      return type;
  }
}
