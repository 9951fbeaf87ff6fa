/** What definitions of relations are made of: columns, constraints, options. */
import type { Expression, Identifier, QualifiedName, TypeName } from './ast.ts';
import type { Span } from './base/error.ts';

/** One `key = value` of a WITH (…) clause; keys in lower case, dots kept. */
export interface Option {
  readonly key: string;
  readonly value: Expression;
  readonly span: Span;
}

export interface ColumnDefinition {
  readonly name: Identifier;
  /** Undefined for a column whose type is inferred (schema registry). */
  readonly type: TypeName | undefined;
  readonly primaryKey: boolean;
  /** ksqlDB's `KEY` of streams. */
  readonly key: boolean;
  readonly notNull: boolean;
  readonly unique: boolean;
  readonly default: Expression | undefined;
  readonly generated: Expression | undefined;
  readonly check: Expression | undefined;
  /** `METADATA [FROM 'x'] [VIRTUAL]`, ksqlDB's `HEADERS` / `HEADER('k')`, `INCLUDE`. */
  readonly metadata: string | undefined;
  /** What the members above cannot say: constraints with names, REFERENCES, a second CHECK. */
  readonly constraints?: readonly TableConstraint[] | undefined;
  /** GENERATED … AS IDENTITY. */
  readonly identity?: Identity | undefined;
  readonly span: Span;
}

export interface Identity {
  /** ALWAYS refuses values that a statement gives; BY DEFAULT takes them. */
  readonly always: boolean;
  readonly options: readonly SequenceOption[];
}

/** `INCREMENT BY 2`, `NO MAXVALUE`, `OWNED BY t.c`, … */
export type SequenceOption = { readonly span: Span } & (
  | {
      readonly kind: 'increment' | 'min' | 'max' | 'start' | 'restart' | 'cache';
      /** Undefined for NO MINVALUE, NO MAXVALUE and a bare RESTART. */
      readonly value: bigint | undefined;
    }
  | { readonly kind: 'cycle'; readonly value: boolean }
  | { readonly kind: 'type'; readonly type: TypeName }
  /** Undefined for OWNED BY NONE. */
  | { readonly kind: 'owned-by'; readonly column: QualifiedName | undefined }
  /** SEQUENCE NAME of an identity, as dumps have it. */
  | { readonly kind: 'name'; readonly name: QualifiedName }
);

export type ReferentialAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

export interface ForeignKeyConstraint {
  readonly kind: 'foreign-key';
  readonly columns: readonly Identifier[];
  readonly target: QualifiedName;
  /** Empty for the target's primary key. */
  readonly targetColumns: readonly Identifier[];
  readonly matchFull: boolean;
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  /** `ON DELETE SET NULL (a, b)`: these only; empty for all. */
  readonly setColumns: readonly Identifier[];
}

export type TableConstraint = { readonly span: Span; readonly name: Identifier | undefined } & (
  | {
      readonly kind: 'primary-key' | 'unique';
      readonly columns: readonly Identifier[];
      /** UNIQUE NULLS NOT DISTINCT. */
      readonly nullsNotDistinct?: boolean | undefined;
    }
  | { readonly kind: 'check'; readonly expression: Expression }
  | ForeignKeyConstraint
);

export interface TableLike {
  readonly relation: QualifiedName;
  /** How many columns are written before it. */
  readonly position: number;
  /** 'defaults', 'constraints', 'indexes', 'identity', 'generated'; what follows INCLUDING and is not excluded again. */
  readonly including: readonly string[];
  readonly span: Span;
}

export interface Watermark {
  readonly column: Identifier;
  readonly expression: Expression;
  readonly span: Span;
}

/** `INTO table (columns)` of a sink; no columns = the table's first ones. */
export interface SinkTable {
  readonly table: QualifiedName;
  readonly columns: readonly Identifier[];
}

export type RelationKind = 'stream' | 'table' | 'source' | 'view' | 'materialized-view' | 'sink';

export type ObjectKind =
  | RelationKind
  | 'connection'
  | 'secret'
  | 'type'
  | 'domain'
  | 'function'
  | 'aggregate'
  | 'index'
  | 'sequence'
  | 'schema'
  | 'query';

/** `SFUNC = name`, `STYPE = type`, `INITCOND = text`, … of CREATE AGGREGATE; the key in lower case. */
export interface AggregateOption {
  readonly key: string;
  readonly value:
    | { readonly kind: 'name'; readonly name: QualifiedName }
    | { readonly kind: 'type'; readonly type: TypeName }
    | { readonly kind: 'text'; readonly text: string };
  readonly span: Span;
}
