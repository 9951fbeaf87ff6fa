/**
 * What names mean now. The catalog is read by the binder and owned by the server's session layer,
 * which persists it through the store in the same transaction as the change that it describes.
 */
import type { ReferentialAction } from './ast-relation.ts';
import type { Datum } from './base/datum.ts';
import type { Schema, SqlType } from './base/type.ts';
import type { BoundExpr } from './expression.ts';
import type { SessionAccess } from './function/session.ts';
import type { LogicalNode } from './logical-plan.ts';
import type { Routine } from './routine.ts';

export const PUBLIC_SCHEMA = 'public';

/** The catalog's name of a relation: that of `public` is bare, others are `schema.name`. */
export function relationKey(schema: string, name: string): string {
  return schema === PUBLIC_SCHEMA ? name : `${schema}.${name}`;
}

export interface RelationBase {
  /** Folded name, unique over all kinds. */
  readonly name: string;
  /** Stable number, never reused; names of stored tables and of state derive from it. */
  readonly id: number;
  readonly schema: Schema;
  /** The statement that created it, deparsed. */
  readonly sql: string;
  /** Relations that this one reads, by name. */
  readonly dependsOn: readonly string[];
  /** Made by CREATE INDEX. */
  readonly indexes?: readonly IndexDefinition[] | undefined;
}

/** Input from a connector: a stream (append-only records) or a table (changelog by key). */
export interface SourceRelation extends RelationBase {
  readonly kind: 'stream' | 'table';
  /** A SOURCE: SQL may read it but not INSERT. */
  readonly readOnly: boolean;
  /** Undefined for a table that lives only in Millrace (no topic behind it). */
  readonly input: SourceInput | undefined;
  /** Column numbers of the primary key; empty = none. */
  readonly primaryKey: readonly number[];
  readonly columns: readonly SourceColumn[];
  /** In the order in which they are looked at, which is that of their names. */
  readonly checks?: readonly Check[] | undefined;
  /** The primary key first. */
  readonly uniques?: readonly UniqueKey[] | undefined;
  readonly references?: readonly Reference[] | undefined;
  /** Per constraint of the statement, in the order of `statementConstraints`: its name. */
  readonly constraintNames?: readonly string[] | undefined;
  readonly watermark: { readonly column: number; readonly expression: BoundExpr } | undefined;
  /** Set when the relation is fed by CREATE STREAM|TABLE … AS SELECT. */
  readonly query: LogicalNode | undefined;
  /** PARTITION BY of that query: columns that are the key of its records. */
  readonly partitionBy?: readonly number[] | undefined;
}

export interface Check {
  readonly name: string;
  /** Over the row's columns; only false is a violation. */
  readonly expression: BoundExpr;
}

/** What no two rows of a table may have in common. */
export interface UniqueKey {
  readonly name: string;
  readonly origin: 'primary-key' | 'constraint' | 'index';
  readonly items: readonly IndexItem[];
  /** Two NULLs count as the same. */
  readonly nullsNotDistinct: boolean;
  /** Rows for which it is not true are not in the index. */
  readonly where: BoundExpr | undefined;
}

export interface IndexItem {
  /** Over the row's columns. */
  readonly expression: BoundExpr;
  /** As messages show it. */
  readonly text: string;
}

/** A foreign key. Its target is found by name, as tables may refer to one another in a circle. */
export interface Reference {
  readonly name: string;
  readonly columns: readonly number[];
  /** The target's name in the catalog, and its columns. */
  readonly target: string;
  readonly targetColumns: readonly string[];
  readonly matchFull: boolean;
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  /** What ON DELETE SET NULL and SET DEFAULT change. */
  readonly setColumns: readonly number[];
}

/** An index as it was made, for who asks the catalog. */
export interface IndexDefinition {
  readonly name: string;
  readonly unique: boolean;
  readonly sql: string;
}

export interface SourceInput {
  /** 'kafka', 'embedded', 'nexmark', 'datagen', … */
  readonly connector: string;
  /** The topic for log-like connectors, else the relation's name. */
  readonly topic: string;
  readonly valueFormat: string;
  readonly keyFormat: string;
  /** All WITH options as text, keys in lower case. */
  readonly options: ReadonlyMap<string, string>;
}

export interface SourceColumn {
  /** Where a record holds this column. */
  readonly from:
    | { readonly kind: 'value'; readonly field: string }
    | { readonly kind: 'key'; readonly field: string | undefined }
    | { readonly kind: 'header'; readonly header: string | undefined }
    | { readonly kind: 'metadata'; readonly item: 'timestamp' | 'partition' | 'offset' | 'topic' }
    | { readonly kind: 'generated'; readonly expression: BoundExpr };
  readonly default: BoundExpr | undefined;
  readonly notNull: boolean;
  /** GENERATED … AS IDENTITY: whether a statement may give it a value. */
  readonly identity?: 'always' | 'by-default' | undefined;
}

export interface MaterializedView extends RelationBase {
  readonly kind: 'materialized-view';
  readonly query: LogicalNode;
  /** Column numbers that identify a row; empty = a bag. */
  readonly key: readonly number[];
  /** No row of it is ever deleted or updated. */
  readonly appendOnly: boolean;
  /** Columns from this one on are read only by who names them: bounds of windows. Undefined = none. */
  readonly hiddenFrom?: number | undefined;
  /** `max_state`: bytes that its operators may hold; undefined = no bound of its own. */
  readonly stateBytesMax?: number | undefined;
}

/** Columns of a relation from this one on are no part of `*`; undefined = all are. */
export const hiddenFromOf = (relation: Relation): number | undefined =>
  relation.kind === 'materialized-view' ? relation.hiddenFrom : undefined;

/** A named query, expanded where it is used. */
export interface PlainView extends RelationBase {
  readonly kind: 'view';
  readonly query: LogicalNode;
}

/** Where the rows of `CREATE SINK … INTO` go: into a table, or as records into the topic of a table or stream. */
export interface TableSink {
  /** The relation's name in the catalog. */
  readonly table: string;
  readonly tableId: number;
  /** Per column of the sink's query, the number of the relation's column that it goes to; of a topic's relation, all of them in order. */
  readonly columns: readonly number[];
  /** Columns of the query that are the table's primary key; empty when rows only come, and get other keys. */
  readonly key: readonly number[];
}

export interface Sink extends RelationBase {
  readonly kind: 'sink';
  readonly query: LogicalNode;
  readonly connector: string;
  readonly options: ReadonlyMap<string, string>;
  /** What identifies a row that changes; empty when rows only come. */
  readonly key: readonly number[];
  /** PARTITION BY: columns that are the key of its records when rows only come. */
  readonly partitionBy?: readonly number[] | undefined;
  /** Undefined for one that a connector delivers. */
  readonly into?: TableSink | undefined;
}

export type Relation = SourceRelation | MaterializedView | PlainView | Sink;

export const isDeclaredTable = (sql: string): boolean =>
  /^create\s+(or\s+replace\s+)?table\b/i.test(sql);

/**
 * Whether DROP, ALTER and SHOW CREATE may call the relation by a word, as `table` or `materialized-view`: by what it
 * is, or by what it was created as (CREATE TABLE … AS is a materialized view, a table that is append-only a stream).
 */
export function isCalled({ kind, sql }: Relation, word: string): boolean {
  const isSource = kind === 'stream' || kind === 'table';
  return (
    kind === word || (word === 'source' && isSource) || (word === 'table' && isDeclaredTable(sql))
  );
}

/** What CREATE TYPE made. */
export interface UserType {
  /** Never reused. The type of its arrays is the object with the next number. */
  readonly id: number;
  /** The catalog's name, as that of a relation: bare in `public`. */
  readonly name: string;
  /** What the name stands for. */
  readonly type: SqlType;
  /** The statement that makes it as it is now. */
  readonly sql: string;
  /** Of the session that made it: what the names in its statement mean. */
  readonly searchPath?: string | undefined;
  /** Of a domain: what a column of it has beside the type. */
  readonly domain?: DomainRules | undefined;
}

export interface DomainRules {
  readonly notNull: boolean;
  /** Over a row of one column. */
  readonly checks: readonly Check[];
  readonly default: BoundExpr | undefined;
}

export interface Catalog {
  relation(name: string): Relation | undefined;
  relations(): readonly Relation[];
  /** Those that relations can be in, 'public' first. */
  schemas(): readonly string[];
  /** User-defined types, by the catalog's name. */
  type(name: string): UserType | undefined;
  /** In the order in which they were made. */
  types(): readonly UserType[];
  /** User-defined functions and aggregates; without it there are none. */
  readonly routines?: RoutineCatalog | undefined;
}

export interface RoutineCatalog {
  named(name: string): readonly Routine[];
  /** In the order of their creation. */
  all(): readonly Routine[];
  /** Hears of every routine that a binding run uses; for who asks what depends on one. */
  readonly uses?: ((routine: Routine) => void) | undefined;
}

/** Values that a statement sees from its session: settings, the clock, parameters. */
export interface StatementContext {
  readonly params: readonly (Datum | null)[];
  readonly paramTypes: readonly (SqlType | undefined)[];
  /** Where the binder writes the types that it finds for parameters without a value: for PREPARE. */
  readonly inferred?: (SqlType | undefined)[] | undefined;
  /** Microseconds since 1970-01-01 UTC: now() of the statement. */
  readonly nowMicros: bigint;
  readonly settings: ReadonlyMap<string, string>;
  /** Undefined where a statement must mean the same in every session. */
  readonly sequences?: SessionAccess | undefined;
}
