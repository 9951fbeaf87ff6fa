/** Tables that the engine fills and that belong to another relation: its errors, its late rows. SQL only reads them. */
import type { StoredRelation } from '../engine/store/store.ts';
import type { SourceRelation } from '../sql/catalog.ts';

/** The catalog's view of such a table, after how it is stored. */
export function ownedTable(name: string, { id, schema, storage }: StoredRelation): SourceRelation {
  return {
    kind: 'table',
    name,
    id,
    schema,
    sql: '',
    dependsOn: [],
    readOnly: true,
    input: undefined,
    primaryKey: storage.kind === 'keyed' ? storage.key : [],
    columns: schema.map((column) => ({
      from: { kind: 'value', field: column.name },
      default: undefined,
      notNull: false,
    })),
    watermark: undefined,
    query: undefined,
  };
}
