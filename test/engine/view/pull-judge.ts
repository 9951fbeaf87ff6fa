/** The same query over the same rows, answered by PGlite and by our renderer on DuckDB. */
import type { PGlite } from '@electric-sql/pglite';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { Store, StoredRelation, ViewStorage } from '../../../engine/store/store.ts';
import { renderQuery } from '../../../engine/view/pull.ts';
import type { Query } from '../../../sql/ast.ts';
import { assert } from '../../../sql/base/assert.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { fromText } from '../../../sql/base/text-input.ts';
import { toText } from '../../../sql/base/text-output.ts';
import { type SqlType, typeName } from '../../../sql/base/type.ts';
import { bindQuery } from '../../../sql/binder.ts';
import type { Catalog, Relation } from '../../../sql/catalog.ts';
import type { LogicalNode } from '../../../sql/logical-plan.ts';
import { parseStatement } from '../../../sql/parser.ts';
import { openPglite } from '../../open-pglite.ts';

export interface TableText {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, type: SqlType])[];
  readonly storage: ViewStorage;
  /** INSERT … VALUES text in PostgreSQL's syntax. */
  readonly values: string;
}

/** Rows as text (NULL is null), or the SQLSTATE of the failure. */
export type Answer = readonly (readonly (string | null)[])[] | string;

export interface PullJudge {
  expected(sql: string): Promise<Answer>;
  /** @param rewrite  the plan's rewrites; none by default, as the renderer must not need them. */
  actual(sql: string, rewrite?: (plan: LogicalNode) => LogicalNode): Promise<Answer>;
  close(): Promise<void>;
}

/** Types whose text PGlite would turn into JavaScript values. */
const oids = [
  16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 705, 1000, 1001, 1005, 1007, 1009, 1014, 1015, 1016,
  1021, 1022, 1042, 1043, 1082, 1083, 1114, 1115, 1182, 1184, 1185, 1186, 1187, 1231, 1700, 2249,
  2287, 2950, 2951, 3802, 3807, 199, 1183,
];
const asText = Object.fromEntries(oids.map((oid) => [oid, (text: string) => text]));

export async function openPullJudge(tables: readonly TableText[]): Promise<PullJudge> {
  const postgres = await openPglite();
  await postgres.exec("SET timezone = 'UTC'");
  const store = await openDuckdbStore({ path: ':memory:', readers: 2 });
  const relations = new Map<string, StoredRelation>();
  const entries = new Map<string, Relation>();
  for (const [index, table] of tables.entries()) {
    const relation = await loadTable(postgres, store, table, index + 1);
    relations.set(table.name, relation);
    entries.set(table.name, {
      kind: 'table',
      name: table.name,
      id: relation.id,
      schema: relation.schema,
      sql: '',
      dependsOn: [],
      readOnly: false,
      input: undefined,
      primaryKey: table.storage.kind === 'keyed' ? table.storage.key : [],
      columns: relation.schema.map((column) => ({
        from: { kind: 'value', field: column.name },
        default: undefined,
        notNull: false,
      })),
      watermark: undefined,
      query: undefined,
    });
  }
  const catalog: Catalog = {
    schemas: () => ['public'],
    relation: (name) => entries.get(name),
    relations: () => [...entries.values()],
    type: () => undefined,
    types: () => [],
  };
  const resolve = (name: string): StoredRelation => {
    const relation = relations.get(name);
    assert(relation !== undefined, `relation ${name}`);
    return relation;
  };
  return {
    expected: async (sql) => {
      try {
        const result = await postgres.query<(string | null)[]>(sql, [], {
          rowMode: 'array',
          parsers: asText,
        });
        return result.rows;
      } catch (cause) {
        return (cause as { code: string }).code;
      }
    },
    actual: async (sql, rewrite = (plan) => plan) => {
      try {
        const plan = bindQuery(
          parseStatement(sql) as Query,
          catalog,
          { params: [], paramTypes: [], nowMicros: 1_700_000_000_000_000n, settings: new Map() },
          { purpose: 'pull' },
        );
        const query = renderQuery(rewrite(plan), resolve);
        const result = await store.query(query.sql, query.schema, undefined, query.calls);
        const rows: (string | null)[][] = [];
        for await (const chunk of result.chunks) {
          for (const row of chunk) {
            rows.push(
              row.map((datum, i) =>
                datum === null ? null : toText(datum, query.schema[i]?.type as SqlType),
              ),
            );
          }
        }
        return rows;
      } catch (cause) {
        if (!(cause instanceof StreamError)) throw cause;
        return cause.code === 'INTERNAL' ? `INTERNAL ${cause.message}` : cause.sqlstate;
      }
    },
    close: async () => {
      await store.close();
      await postgres.close();
    },
  };
}

async function loadTable(
  postgres: PGlite,
  store: Store,
  table: TableText,
  id: number,
): Promise<StoredRelation> {
  const columns = table.columns.map(([name, type]) => `"${name}" ${typeName(type)}`);
  await postgres.exec(`CREATE TABLE ${table.name} (${columns.join(', ')})`);
  await postgres.exec(`INSERT INTO ${table.name} VALUES ${table.values}`);
  const texts = table.columns.map(([name, type]) =>
    type.kind === 'char' ? `rpad("${name}"::text, ${type.length ?? 1})` : `"${name}"::text`,
  );
  const { rows } = await postgres.query<(string | null)[]>(
    `SELECT ${texts.join(', ')} FROM ${table.name}`,
    [],
    { rowMode: 'array', parsers: asText },
  );
  const schema = table.columns.map(([name, type]) => ({ name, type, nullable: true }));
  const relation: StoredRelation = { id, schema, storage: table.storage };
  await store.changeCatalog({ put: [], remove: [], createTables: [relation], dropTables: [] });
  const builder = new BatchBuilder(schema);
  for (const row of rows) {
    builder.add(
      row.map((text, i) => (text === null ? null : fromText(text, schema[i]?.type as SqlType))),
    );
  }
  await store.commit({
    epoch: id,
    views: [{ relation, changes: [builder.take()], replace: false }],
    positions: [],
    watermarks: [],
    outbox: [],
  });
  return relation;
}
