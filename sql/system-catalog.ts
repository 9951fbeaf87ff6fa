/**
 * What clients ask about relations: parts of information_schema and pg_catalog, as views over constant rows. They are as of the
 * statement that reads them.
 */
import type { Schema, SqlType } from './base/type.ts';
import type { Catalog, PlainView, Relation } from './catalog.ts';
import type { LogicalNode } from './logical-plan.ts';
import { routineTables } from './system-routines.ts';
import {
  CATALOG_OID,
  type Cells,
  dataTypeName,
  enumRows,
  FIRST_OID,
  typeOid,
  typeRows,
  udtName,
  udtSchema,
} from './system-type.ts';

const PUBLIC_OID = 2_200;
const INFORMATION_SCHEMA_OID = 13_000;
export const DATABASE = 'millrace';
const OWNER_OID = 10;
export const OWNER = 'millrace';

const text: SqlType = { kind: 'text' };
const oid: SqlType = { kind: 'bigint' };
const small: SqlType = { kind: 'smallint' };
const integer: SqlType = { kind: 'integer' };
const boolean: SqlType = { kind: 'boolean' };
const real: SqlType = { kind: 'real' };

export interface SystemTable {
  readonly columns: readonly (readonly [string, SqlType])[];
  readonly rows: (catalog: Catalog) => readonly Cells[];
}

interface Placed {
  readonly relation: Relation;
  readonly schema: string;
  readonly name: string;
}

function placed(catalog: Catalog): readonly Placed[] {
  return catalog.relations().flatMap((relation) => {
    // Relations of the server's own have names that cannot be written.
    if (relation.name.startsWith(' ')) return [];
    const dot = relation.name.indexOf('.');
    const schema = relation.name.slice(0, Math.max(dot, 0));
    return dot > 0 && catalog.schemas().includes(schema)
      ? [{ relation, schema, name: relation.name.slice(dot + 1) }]
      : [{ relation, schema: 'public', name: relation.name }];
  });
}

function namespaceOid(catalog: Catalog, schema: string): bigint {
  if (schema === 'public') return BigInt(PUBLIC_OID);
  return BigInt(FIRST_OID - 1 - catalog.schemas().indexOf(schema));
}

const relationOid = ({ id }: Relation): bigint => BigInt(FIRST_OID + id);

const TABLE_TYPES: Readonly<Record<Relation['kind'], string>> = {
  table: 'BASE TABLE',
  stream: 'STREAM',
  view: 'VIEW',
  'materialized-view': 'MATERIALIZED VIEW',
  sink: 'SINK',
};

/** Streams are what PostgreSQL calls foreign tables: rows from elsewhere. */
const CLASS_KINDS: Readonly<Record<Relation['kind'], string>> = {
  table: 'r',
  stream: 'f',
  view: 'v',
  'materialized-view': 'm',
  sink: 'f',
};

const isReadable = ({ relation }: Placed): boolean => relation.kind !== 'sink';

function queryText({ sql }: Relation): string {
  return sql.replace(/^[\s\S]*?\bAS\b\s*/i, '').trim();
}

function informationColumns(catalog: Catalog): readonly Cells[] {
  return placed(catalog)
    .filter(isReadable)
    .flatMap(({ relation, schema, name }) =>
      relation.schema.map(({ name: column, type, nullable }, i): Cells => {
        const isSized = type.kind === 'varchar' || type.kind === 'char';
        return [
          DATABASE,
          schema,
          name,
          column,
          i + 1,
          nullable ? 'YES' : 'NO',
          dataTypeName(type),
          isSized ? (type.length ?? null) : null,
          type.kind === 'numeric' ? (type.precision ?? null) : null,
          type.kind === 'numeric' && type.precision !== undefined ? (type.scale ?? 0) : null,
          udtSchema(type),
          udtName(type),
          relation.kind === 'table' ? 'YES' : 'NO',
        ];
      }),
    );
}

const namespaces = (catalog: Catalog): readonly Cells[] => [
  [BigInt(CATALOG_OID), 'pg_catalog', BigInt(OWNER_OID)],
  [BigInt(INFORMATION_SCHEMA_OID), 'information_schema', BigInt(OWNER_OID)],
  ...catalog.schemas().map((schema) => [namespaceOid(catalog, schema), schema, BigInt(OWNER_OID)]),
];

const definitions = (catalog: Catalog, kind: Relation['kind']): readonly Placed[] =>
  placed(catalog).filter(({ relation }) => relation.kind === kind);

/** Those that constraints made, then those of CREATE INDEX. */
function indexRows({ relation, schema, name }: Placed): readonly Cells[] {
  const uniques = relation.kind === 'table' ? (relation.uniques ?? []) : [];
  const ofConstraints = uniques
    .filter(({ origin }) => origin !== 'index')
    .map((unique): Cells => {
      const columns = unique.items.map((item) => item.text).join(', ');
      const nulls = unique.nullsNotDistinct ? ' NULLS NOT DISTINCT' : '';
      const sql = `CREATE UNIQUE INDEX ${unique.name} ON ${schema}.${name} (${columns})${nulls}`;
      return [schema, name, unique.name, null, sql];
    });
  const made = (relation.indexes ?? []).map(
    (index): Cells => [schema, name, index.name, null, index.sql],
  );
  return [...ofConstraints, ...made];
}

const TABLES: Readonly<Record<string, SystemTable>> = {
  ...routineTables({ typeOid, udtName }),
  'information_schema.schemata': {
    columns: [
      ['catalog_name', text],
      ['schema_name', text],
      ['schema_owner', text],
    ],
    rows: (catalog) => namespaces(catalog).map(([, name = null]) => [DATABASE, name, OWNER]),
  },
  'information_schema.tables': {
    columns: [
      ['table_catalog', text],
      ['table_schema', text],
      ['table_name', text],
      ['table_type', text],
      ['is_insertable_into', text],
    ],
    rows: (catalog) =>
      placed(catalog)
        .filter(isReadable)
        .map(({ relation, schema, name }) => [
          DATABASE,
          schema,
          name,
          TABLE_TYPES[relation.kind],
          relation.kind === 'table' || relation.kind === 'stream' ? 'YES' : 'NO',
        ]),
  },
  'information_schema.columns': {
    columns: [
      ['table_catalog', text],
      ['table_schema', text],
      ['table_name', text],
      ['column_name', text],
      ['ordinal_position', integer],
      ['is_nullable', text],
      ['data_type', text],
      ['character_maximum_length', integer],
      ['numeric_precision', integer],
      ['numeric_scale', integer],
      ['udt_schema', text],
      ['udt_name', text],
      ['is_updatable', text],
    ],
    rows: informationColumns,
  },
  'information_schema.views': {
    columns: [
      ['table_catalog', text],
      ['table_schema', text],
      ['table_name', text],
      ['view_definition', text],
    ],
    rows: (catalog) =>
      definitions(catalog, 'view').map(({ relation, schema, name }) => [
        DATABASE,
        schema,
        name,
        queryText(relation),
      ]),
  },
  'pg_catalog.pg_namespace': {
    columns: [
      ['oid', oid],
      ['nspname', text],
      ['nspowner', oid],
    ],
    rows: namespaces,
  },
  'pg_catalog.pg_class': {
    columns: [
      ['oid', oid],
      ['relname', text],
      ['relnamespace', oid],
      ['relkind', text],
      ['relowner', oid],
      ['relnatts', small],
      ['relispopulated', boolean],
    ],
    rows: (catalog) =>
      placed(catalog).map(({ relation, schema, name }) => [
        relationOid(relation),
        name,
        namespaceOid(catalog, schema),
        CLASS_KINDS[relation.kind],
        BigInt(OWNER_OID),
        relation.schema.length,
        true,
      ]),
  },
  'pg_catalog.pg_attribute': {
    columns: [
      ['attrelid', oid],
      ['attname', text],
      ['atttypid', oid],
      ['attnum', small],
      ['attnotnull', boolean],
      ['atttypmod', integer],
      ['attisdropped', boolean],
    ],
    rows: (catalog) =>
      placed(catalog).flatMap(({ relation }) =>
        relation.schema.map(
          ({ name, type, nullable }, i): Cells => [
            relationOid(relation),
            name,
            typeOid(type),
            i + 1,
            !nullable,
            -1,
            false,
          ],
        ),
      ),
  },
  'pg_catalog.pg_type': {
    columns: [
      ['oid', oid],
      ['typname', text],
      ['typnamespace', oid],
      ['typtype', text],
      ['typcategory', text],
      ['typelem', oid],
    ],
    rows: (catalog) => typeRows(catalog, namespaceOid),
  },
  'pg_catalog.pg_enum': {
    columns: [
      ['oid', oid],
      ['enumtypid', oid],
      ['enumsortorder', real],
      ['enumlabel', text],
    ],
    rows: enumRows,
  },
  'pg_catalog.pg_tables': {
    columns: [
      ['schemaname', text],
      ['tablename', text],
      ['tableowner', text],
    ],
    rows: (catalog) =>
      definitions(catalog, 'table').map(({ schema, name }) => [schema, name, OWNER]),
  },
  'pg_catalog.pg_views': {
    columns: [
      ['schemaname', text],
      ['viewname', text],
      ['viewowner', text],
      ['definition', text],
    ],
    rows: (catalog) =>
      definitions(catalog, 'view').map(({ relation, schema, name }) => [
        schema,
        name,
        OWNER,
        queryText(relation),
      ]),
  },
  'pg_catalog.pg_indexes': {
    columns: [
      ['schemaname', text],
      ['tablename', text],
      ['indexname', text],
      ['tablespace', text],
      ['indexdef', text],
    ],
    rows: (catalog) => placed(catalog).flatMap(indexRows),
  },
  'pg_catalog.pg_matviews': {
    columns: [
      ['schemaname', text],
      ['matviewname', text],
      ['matviewowner', text],
      ['ispopulated', boolean],
      ['definition', text],
    ],
    rows: (catalog) =>
      definitions(catalog, 'materialized-view').map(({ relation, schema, name }) => [
        schema,
        name,
        OWNER,
        true,
        queryText(relation),
      ]),
  },
};

/** @returns undefined when there is no such system catalog. */
export function systemRelation(
  schemaName: string,
  name: string,
  catalog: Catalog,
): PlainView | undefined {
  const table = TABLES[`${schemaName}.${name}`];
  if (table === undefined) return undefined;
  const schema: Schema = table.columns.map(([column, type]) => ({
    name: column,
    type,
    nullable: true,
  }));
  const query: LogicalNode = {
    kind: 'values',
    rows: table
      .rows(catalog)
      .map((row) =>
        row.map((value, i) => ({ kind: 'literal', value, type: table.columns[i]?.[1] ?? text })),
      ),
    schema,
  };
  return { kind: 'view', name, id: 0, schema, sql: '', dependsOn: [], query };
}
