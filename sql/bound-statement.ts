/** What the session executes: statements with every name resolved and every expression typed. */

import type { Emit } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import type { Schema } from './base/type.ts';
import type { Relation, SourceRelation, TableSink } from './catalog.ts';
import type { CopyFormat } from './copy-format.ts';
import type { BoundExpr } from './expression.ts';
import type { LogicalNode } from './logical-plan.ts';

/** Kinds that `bindStatement` changes; all others are passed through as they were parsed. */
export type BoundKind =
  | 'query'
  | 'create-relation'
  | 'create-view'
  | 'create-sink'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'truncate'
  | 'subscribe'
  | 'describe'
  | 'explain'
  | 'drop';

export type BoundStatement =
  | BoundQuery
  | BoundCreateRelation
  | BoundCreateView
  | BoundCreateSink
  | BoundInsert
  | BoundUpdate
  | BoundDelete
  | BoundMerge
  | BoundWithChanges
  | {
      readonly kind: 'truncate';
      readonly relations: readonly SourceRelation[];
      readonly restartIdentity: boolean;
      readonly cascade: boolean;
    }
  | {
      readonly kind: 'subscribe';
      /** A relation by name, or a query to keep up to date for the subscriber. */
      readonly target: Relation | LogicalNode;
      readonly options: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'describe'; readonly relation: Relation; readonly extended: boolean }
  | {
      readonly kind: 'explain';
      readonly options: ReadonlyMap<string, string>;
      /** The statement to explain, or the relation whose running plan is asked for. */
      readonly target: BoundStatement | Relation;
    }
  | {
      readonly kind: 'drop';
      readonly object: (Statement & { readonly kind: 'drop' })['object'];
      /** Those that exist, in the order written. */
      readonly relations: readonly Relation[];
      /** Names that IF EXISTS excused. */
      readonly missing: readonly string[];
      readonly cascade: boolean;
      readonly deleteTopic: boolean;
    }
  | Exclude<Statement, { readonly kind: BoundKind }>;

export interface BoundQuery {
  readonly kind: 'query';
  readonly plan: LogicalNode;
  /** Set for a push query. */
  readonly emit: Emit | undefined;
}

/** What CREATE STREAM|TABLE|SOURCE declares; the session adds the id and the statement's text. */
export interface BoundCreateRelation {
  readonly kind: 'create-relation';
  readonly relation: Omit<SourceRelation, 'id' | 'sql'>;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  /** `partitions` option: the topic is made when it is missing. */
  readonly partitions: number | undefined;
  /** Columns of a query from this one on are read only by who names them; undefined = none. */
  readonly hiddenFrom?: number | undefined;
  /** All WITH options as text, keys in lower case. */
  readonly options: ReadonlyMap<string, string>;
}

export interface BoundCreateView {
  readonly kind: 'create-view';
  readonly materialized: boolean;
  readonly name: string;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  /** Its schema carries the view's column names. */
  readonly query: LogicalNode;
  /** Unique key of the rows, if the plan has one. */
  readonly key: readonly number[] | undefined;
  readonly appendOnly: boolean;
  /** Names of the relations that the query reads, plain views expanded. */
  readonly dependsOn: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

export interface BoundCreateSink {
  readonly kind: 'create-sink';
  readonly name: string;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly query: LogicalNode;
  readonly connector: string | undefined;
  readonly into: TableSink | undefined;
  readonly key: readonly number[] | undefined;
  /** PARTITION BY: columns for the record's key; only for append-only queries. */
  readonly partitionBy: readonly number[];
  readonly appendOnly: boolean;
  readonly dependsOn: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/**
 * RETURNING: expressions over the relation's columns, then those of FROM or USING items; last the row before, the row after, and
 * whether there was none of either.
 */
export interface Returning {
  readonly schema: Schema;
  /** What the expressions are over. */
  readonly over: Schema;
  readonly expressions: readonly BoundExpr[];
}

export interface BoundInsert {
  readonly kind: 'insert';
  readonly relation: SourceRelation;
  /**
   * Exactly the relation's columns: assignment casts done, defaults and generated columns filled in. One more column is the time of the
   * records, in milliseconds since 1970.
   */
  readonly rows: LogicalNode;
  readonly onConflict: BoundOnConflict | undefined;
  readonly returning: Returning | undefined;
}

export interface BoundOnConflict {
  /** Numbers of the relation's unique keys that it is about; undefined for all (DO NOTHING without a target). */
  readonly keys: readonly number[] | undefined;
  readonly action: 'nothing' | 'update';
  /** New values of columns, over (existing row…, excluded row…). */
  readonly set: readonly { readonly column: number; readonly value: BoundExpr }[];
  /** Over the same columns; the row stays when it is not true. */
  readonly where: BoundExpr | undefined;
  /** What the values and the condition are over. */
  readonly over: Schema;
}

export interface BoundUpdate {
  readonly kind: 'update';
  readonly relation: SourceRelation;
  /** Old row's columns, then the new row's, one row a match. */
  readonly plan: LogicalNode;
  /**
   * With FROM items: their columns follow, then a bigint that numbers the target rows. A row that is matched more than
   * once is changed once.
   */
  readonly joined: boolean;
  /** Columns that the statement assigns. */
  readonly changed: readonly number[];
  /** Over the new row's columns, then those of the FROM items. */
  readonly returning: Returning | undefined;
}

export interface BoundDelete {
  readonly kind: 'delete';
  readonly relation: SourceRelation;
  /** The rows to delete, one a match. */
  readonly plan: LogicalNode;
  /** With USING items: their columns follow, then a bigint that numbers the target rows, as in an update. */
  readonly joined: boolean;
  readonly returning: Returning | undefined;
}

export interface BoundMerge {
  readonly kind: 'merge';
  readonly relation: SourceRelation;
  /**
   * One row a change: the old row's columns (NULL for an insert), the new row's (NULL for a delete), the source's, the integer
   * number of the clause, and a bigint that numbers the target's rows (NULL for an insert).
   */
  readonly plan: LogicalNode;
  /** What each clause does. */
  readonly effects: readonly ('insert' | 'update' | 'delete' | 'nothing')[];
  /** Over the source's columns, then those of the new row (of the old one after a delete), then INSERT, UPDATE or DELETE. */
  readonly returning: Returning | undefined;
}

/** A statement with parts in its WITH clause that change rows. All of them see the state before the statement. */
export interface BoundWithChanges {
  readonly kind: 'with-changes';
  /** Each may read what those before it return. Their numbers are what `values` nodes name. */
  readonly items: readonly ReadingPart<BoundManipulation>[];
  readonly main: ReadingPart<BoundManipulation | BoundQuery>;
}

export interface ReadingPart<Part> {
  readonly statement: Part;
  /** Numbers of the items whose rows it reads. */
  readonly reads: readonly number[];
}

export type BoundManipulation = BoundInsert | BoundUpdate | BoundDelete | BoundMerge;

/** A row of a relation, made of the values that are given. */
export interface WrittenRow {
  /** The relation's columns over those given: defaults filled in. */
  readonly row: readonly BoundExpr[];
  /** Generated columns over that row. */
  readonly generated: readonly (BoundExpr | undefined)[];
}

/** Its rows are over the columns that a line holds. */
export interface BoundCopyFrom extends WrittenRow {
  readonly kind: 'copy-from';
  readonly relation: SourceRelation;
  /** Numbers of the columns that a line holds, in its order. */
  readonly columns: readonly number[];
  /** Per column of a line, what the DEFAULT option's text stands for. */
  readonly defaults: readonly (BoundExpr | undefined)[];
  /** Over the relation's columns: rows that are not taken unless it is true. */
  readonly where: BoundExpr | undefined;
  readonly format: CopyFormat;
}
