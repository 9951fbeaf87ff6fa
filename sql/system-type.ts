/** What pg_type, pg_enum and information_schema say of types. */
import type { Datum } from './base/datum.ts';
import { type RangeName, rangeNames, type SqlType, typeName } from './base/type.ts';
import { splitKey } from './bind-schema.ts';
import type { Catalog, UserType } from './catalog.ts';

export type Cells = readonly (Datum | null)[];

/** PostgreSQL's first number of objects that users make. */
export const FIRST_OID = 16_384;
export const CATALOG_OID = 11;

type BuiltInKind = Exclude<SqlType['kind'], 'enum' | 'range'>;

/** As PostgreSQL numbers its built-in types. */
const TYPE_OIDS: Readonly<Record<BuiltInKind, number>> = {
  boolean: 16,
  bytea: 17,
  bigint: 20,
  smallint: 21,
  integer: 23,
  text: 25,
  json: 114,
  real: 700,
  double: 701,
  unknown: 705,
  char: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  numeric: 1700,
  row: 2249,
  uuid: 2950,
  jsonb: 3802,
  array: 2277,
};

const ARRAY_OIDS: ReadonlyMap<SqlType['kind'], number> = new Map([
  ['boolean', 1000],
  ['bytea', 1001],
  ['smallint', 1005],
  ['integer', 1007],
  ['text', 1009],
  ['char', 1014],
  ['varchar', 1015],
  ['bigint', 1016],
  ['real', 1021],
  ['double', 1022],
  ['timestamp', 1115],
  ['date', 1182],
  ['time', 1183],
  ['timestamptz', 1185],
  ['interval', 1187],
  ['numeric', 1231],
  ['json', 199],
  ['uuid', 2951],
  ['jsonb', 3807],
]);

/** Of ranges; that of their arrays is the next. */
const RANGE_OIDS: Readonly<Record<RangeName, number>> = {
  int4range: 3904,
  numrange: 3906,
  tsrange: 3908,
  tstzrange: 3910,
  daterange: 3912,
  int8range: 3926,
};

const SHORT_NAMES: Partial<Readonly<Record<SqlType['kind'], string>>> = {
  boolean: 'bool',
  bigint: 'int8',
  smallint: 'int2',
  integer: 'int4',
  real: 'float4',
  double: 'float8',
  char: 'bpchar',
  row: 'record',
  array: 'anyarray',
};

const kindName = (kind: SqlType['kind']): string => SHORT_NAMES[kind] ?? kind;

const shortName = (type: SqlType): string =>
  type.kind === 'range' ? type.name : kindName(type.kind);

/** The number of what ALTER and CREATE TYPE made; that of its arrays is the next. */
const userOid = ({ id }: { readonly id: number }): bigint => BigInt(FIRST_OID + id);

export function typeOid(type: SqlType): bigint {
  if (type.kind === 'enum') return userOid(type.enumeration);
  if (type.kind === 'range') return BigInt(RANGE_OIDS[type.name]);
  if (type.kind !== 'array') return BigInt(TYPE_OIDS[type.kind]);
  if (type.element.kind === 'enum') return userOid(type.element.enumeration) + 1n;
  if (type.element.kind === 'range') return BigInt(RANGE_OIDS[type.element.name] + 1);
  return BigInt(ARRAY_OIDS.get(type.element.kind) ?? TYPE_OIDS.array);
}

/** As information_schema.columns.data_type. */
export function dataTypeName(type: SqlType): string {
  if (type.kind === 'array') return 'ARRAY';
  return userName(type) !== undefined ? 'USER-DEFINED' : typeName(type).replace(/\(.*\)/, '');
}

const innermost = (type: SqlType): SqlType => (type.kind === 'array' ? type.element : type);

export function udtName(type: SqlType): string {
  const own = innermost(type);
  const named = userName(own);
  const name = named === undefined ? shortName(own) : bareName(named);
  return type.kind === 'array' ? `_${name}` : name;
}

export function udtSchema(type: SqlType): string {
  const name = userName(innermost(type));
  if (name === undefined) return 'pg_catalog';
  return name.includes('.') ? name.slice(0, name.indexOf('.')) : 'public';
}

/** The catalog's name of a type that is not built in. */
function userName(type: SqlType): string | undefined {
  if (type.kind === 'enum') return type.enumeration.name;
  return type.kind === 'row' ? type.name : undefined;
}

const bareName = (key: string): string => key.slice(key.indexOf('.') + 1);

function builtInTypes(): readonly Cells[] {
  const row = (
    id: number,
    name: string,
    kind: string,
    category: string,
    element: number,
  ): Cells => [BigInt(id), name, BigInt(CATALOG_OID), kind, category, BigInt(element)];
  const ranges = rangeNames.flatMap((name) => [
    row(RANGE_OIDS[name], name, 'r', 'R', 0),
    row(RANGE_OIDS[name] + 1, `_${name}`, 'b', 'A', RANGE_OIDS[name]),
  ]);
  const others = (Object.keys(TYPE_OIDS) as BuiltInKind[]).flatMap((kind) => {
    const own = row(
      TYPE_OIDS[kind],
      kindName(kind),
      kind === 'row' || kind === 'array' ? 'p' : 'b',
      'U',
      0,
    );
    const array = ARRAY_OIDS.get(kind);
    return array === undefined
      ? [own]
      : [own, row(array, `_${kindName(kind)}`, 'b', 'A', TYPE_OIDS[kind])];
  });
  return [...others, ...ranges];
}

/** Of a domain it is 'd', and the category that of its base. */
const KINDS: Readonly<Record<string, readonly [kind: string, category: string]>> = {
  enum: ['e', 'E'],
  row: ['c', 'C'],
};

function userRows(
  catalog: Catalog,
  type: UserType,
  namespaceOid: (catalog: Catalog, schema: string) => bigint,
): readonly Cells[] {
  const { schema, name } = splitKey(catalog, type.name);
  const namespace = namespaceOid(catalog, schema);
  const [ownKind, category] = KINDS[type.type.kind] ?? ['b', 'U'];
  const kind = type.domain === undefined ? ownKind : 'd';
  const own = userOid(type);
  return [
    [own, name, namespace, kind, category, 0n],
    [own + 1n, `_${name}`, namespace, 'b', 'A', own],
  ];
}

/** Of pg_type. */
export function typeRows(
  catalog: Catalog,
  namespaceOid: (catalog: Catalog, schema: string) => bigint,
): readonly Cells[] {
  return [
    ...builtInTypes(),
    ...catalog.types().flatMap((type) => userRows(catalog, type, namespaceOid)),
  ];
}

/** Of pg_enum. Labels have no numbers of their own here: theirs are those of the type, then their places. */
export function enumRows(catalog: Catalog): readonly Cells[] {
  return catalog.types().flatMap(({ id, type }) => {
    if (type.kind !== 'enum' || type.domain !== undefined) return [];
    return type.enumeration.labels.map(
      ({ label, place }, at): Cells => [
        userOid({ id }) * 1_000_000n + BigInt(at),
        userOid({ id }),
        place,
        label,
      ],
    );
  });
}
