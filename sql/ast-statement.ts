/** Statements, each under its own `kind`. */

import type {
  Expression,
  FromItem,
  Identifier,
  QualifiedName,
  Query,
  SelectItem,
  SortItem,
  TypeName,
} from './ast.ts';
import type { AlterAction, AlterDomainAction, AlterTypeAction } from './ast-alter.ts';
import type {
  AggregateOption,
  ColumnDefinition,
  ObjectKind,
  Option,
  SequenceOption,
  SinkTable,
  TableConstraint,
  TableLike,
  Watermark,
} from './ast-relation.ts';
import type { Span } from './base/error.ts';

/** RETURNING: nothing without items. */
export interface ReturningClause {
  readonly items: readonly SelectItem[];
  /** `WITH (OLD AS o, NEW AS n)`: other names for the row before and after. */
  readonly old?: Identifier | undefined;
  readonly new?: Identifier | undefined;
}

/** A part of a column, from the outside in. */
export type PartStep = { readonly span: Span } & (
  | { readonly kind: 'field'; readonly field: Identifier }
  | { readonly kind: 'element'; readonly index: Expression }
  | {
      readonly kind: 'slice';
      readonly low: Expression | undefined;
      readonly high: Expression | undefined;
    }
);

/** A column that is written, or a part of it. */
export interface WrittenColumn extends Identifier {
  /** Never empty. */
  readonly path?: readonly PartStep[] | undefined;
}

export interface Assignment {
  readonly column: WrittenColumn;
  readonly value: Expression | 'default';
  /** Of `(a, b) = (SELECT …)`: which of the query's `count` columns; the query is shared. */
  readonly part?: { readonly index: number; readonly count: number } | undefined;
  readonly span: Span;
}

/** One WHEN clause of MERGE. */
export interface MergeWhen {
  readonly match: 'matched' | 'not-matched-by-source' | 'not-matched-by-target';
  readonly condition: Expression | undefined;
  readonly action: MergeAction;
  readonly span: Span;
}

export type MergeAction =
  | { readonly kind: 'nothing' | 'delete' }
  | { readonly kind: 'update'; readonly set: readonly Assignment[] }
  | {
      readonly kind: 'insert';
      readonly columns: readonly WrittenColumn[];
      readonly overriding: 'system' | 'user' | undefined;
      /** Undefined for DEFAULT VALUES. */
      readonly values: readonly (Expression | 'default')[] | undefined;
    };

/** Statements that change rows and may give them back. */
export type Manipulation = Statement & {
  readonly kind: 'insert' | 'update' | 'delete' | 'merge';
};

export type Statement = { readonly span: Span } & (
  | Query
  | {
      readonly kind: 'create-relation';
      /** SOURCE is a read-only stream or table. */
      readonly relation: 'stream' | 'table' | 'source';
      /** What ksqlDB's CREATE SOURCE STREAM and CREATE SOURCE TABLE say. */
      readonly sourceOf?: 'stream' | 'table' | undefined;
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      readonly temporary: boolean;
      readonly name: QualifiedName;
      readonly columns: readonly ColumnDefinition[];
      readonly constraints: readonly TableConstraint[];
      /** `LIKE other INCLUDING …` among the columns. */
      readonly likes?: readonly TableLike[] | undefined;
      readonly watermark: Watermark | undefined;
      readonly options: readonly Option[];
      /** CREATE STREAM|TABLE … AS SELECT …. */
      readonly query: Query | undefined;
      /** Of a table, WITH DATA or WITH NO DATA: the query's rows of now, or none, and not a view. */
      readonly withData?: boolean | undefined;
    }
  | {
      readonly kind: 'create-view';
      readonly materialized: boolean;
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      readonly name: QualifiedName;
      readonly columns: readonly Identifier[];
      readonly options: readonly Option[];
      readonly query: Query;
    }
  | {
      readonly kind: 'create-sink';
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      readonly name: QualifiedName;
      /** The table that the rows go into; undefined for a destination that the options name. */
      readonly into: SinkTable | undefined;
      readonly from: QualifiedName | undefined;
      readonly query: Query | undefined;
      readonly options: readonly Option[];
    }
  | {
      readonly kind: 'create-connection' | 'create-secret';
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      readonly name: QualifiedName;
      readonly options: readonly Option[];
    }
  | {
      readonly kind: 'create-type';
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      readonly name: QualifiedName;
      readonly definition:
        | { readonly kind: 'enum'; readonly labels: readonly string[] }
        | {
            readonly kind: 'composite';
            readonly fields: readonly { readonly name: Identifier; readonly type: TypeName }[];
          }
        | { readonly kind: 'alias'; readonly type: TypeName };
    }
  | {
      readonly kind: 'create-domain';
      readonly name: QualifiedName;
      readonly type: TypeName;
      readonly default: Expression | undefined;
      readonly notNull: boolean;
      /** Over a column named `value`. */
      readonly checks: readonly {
        readonly name: Identifier | undefined;
        readonly expression: Expression;
      }[];
    }
  | {
      readonly kind: 'alter-type';
      readonly name: QualifiedName;
      readonly action: AlterTypeAction;
    }
  | {
      readonly kind: 'alter-domain';
      readonly name: QualifiedName;
      readonly action: AlterDomainAction;
    }
  | {
      readonly kind: 'create-function';
      readonly orReplace: boolean;
      readonly aggregate: boolean;
      readonly name: QualifiedName;
      readonly parameters: readonly {
        readonly name: Identifier | undefined;
        readonly type: TypeName;
        readonly default: Expression | undefined;
      }[];
      readonly returns:
        | { readonly kind: 'type'; readonly type: TypeName; readonly set: boolean }
        | {
            readonly kind: 'table';
            readonly columns: readonly { readonly name: Identifier; readonly type: TypeName }[];
          };
      readonly language: string;
      readonly volatility: 'immutable' | 'stable' | 'volatile' | undefined;
      readonly strict: boolean;
      readonly body: string;
      /** The body is the expression of `RETURN expression`, as it was written. */
      readonly returnsExpression?: boolean | undefined;
    }
  | {
      readonly kind: 'create-aggregate';
      readonly orReplace: boolean;
      readonly name: QualifiedName;
      /** Empty for `(*)`. */
      readonly parameters: readonly {
        readonly name: Identifier | undefined;
        readonly type: TypeName;
      }[];
      readonly options: readonly AggregateOption[];
    }
  | {
      readonly kind: 'create-index';
      readonly unique: boolean;
      readonly ifNotExists: boolean;
      readonly name: Identifier | undefined;
      readonly relation: QualifiedName;
      readonly items: readonly SortItem[];
      readonly nullsNotDistinct?: boolean | undefined;
      /** Of a partial index: which rows are in it. */
      readonly where?: Expression | undefined;
    }
  | {
      readonly kind: 'create-sequence';
      readonly ifNotExists: boolean;
      readonly name: QualifiedName;
      readonly options: readonly SequenceOption[];
    }
  | {
      readonly kind: 'alter-sequence';
      readonly ifExists: boolean;
      readonly name: QualifiedName;
      readonly options: readonly SequenceOption[];
      readonly rename: Identifier | undefined;
    }
  /** COMMENT ON, ANALYZE, VACUUM, REINDEX, …: nothing that a query could see depends on it. */
  | {
      readonly kind: 'maintenance';
      /** PostgreSQL's tag, as `COMMENT`. */
      readonly tag: string;
      /** Relations that must be there. */
      readonly names: readonly QualifiedName[];
      readonly text: string;
    }
  | { readonly kind: 'create-schema'; readonly ifNotExists: boolean; readonly name: QualifiedName }
  | {
      readonly kind: 'insert';
      readonly with: Query['with'];
      readonly relation: QualifiedName;
      readonly alias: Identifier | undefined;
      readonly columns: readonly WrittenColumn[];
      /** OVERRIDING SYSTEM VALUE takes values for identity columns, OVERRIDING USER VALUE leaves them out. */
      readonly overriding?: 'system' | 'user' | undefined;
      /** Undefined for DEFAULT VALUES. A `values` row may hold the expression kind `default` below. */
      readonly source: Query | undefined;
      /** Positions (row, column) of the keyword DEFAULT in a VALUES source; its expression is NULL there. */
      readonly defaults: readonly (readonly [row: number, column: number])[];
      readonly onConflict:
        | {
            readonly columns: readonly Identifier[];
            /** Conflict targets that are no columns: `(lower(email))`. */
            readonly expressions?: readonly Expression[] | undefined;
            /** Of a partial index. */
            readonly targetWhere?: Expression | undefined;
            /** `ON CONSTRAINT name`, instead of columns. */
            readonly constraint?: Identifier | undefined;
            readonly action: 'nothing' | 'update';
            readonly set: readonly Assignment[];
            readonly where: Expression | undefined;
          }
        | undefined;
      readonly returning: ReturningClause;
    }
  | {
      readonly kind: 'update';
      readonly with: Query['with'];
      readonly relation: QualifiedName;
      readonly alias: Identifier | undefined;
      readonly set: readonly Assignment[];
      readonly from: readonly FromItem[];
      readonly where: Expression | undefined;
      readonly returning: ReturningClause;
    }
  | {
      readonly kind: 'delete';
      readonly with: Query['with'];
      readonly relation: QualifiedName;
      readonly alias: Identifier | undefined;
      readonly using: readonly FromItem[];
      readonly where: Expression | undefined;
      readonly returning: ReturningClause;
    }
  | {
      readonly kind: 'merge';
      readonly with: Query['with'];
      readonly relation: QualifiedName;
      readonly alias: Identifier | undefined;
      readonly using: FromItem;
      readonly on: Expression;
      /** Never empty. */
      readonly whens: readonly MergeWhen[];
      readonly returning: ReturningClause;
    }
  | {
      readonly kind: 'truncate';
      readonly relations: readonly QualifiedName[];
      readonly restartIdentity?: boolean | undefined;
      readonly cascade?: boolean | undefined;
    }
  | {
      readonly kind: 'subscribe';
      /** `SUBSCRIBE [TO] name` or `SUBSCRIBE (query)`. */
      readonly target: QualifiedName | Query;
      readonly options: readonly Option[];
    }
  | {
      readonly kind: 'show';
      /** Lower case, as written: 'streams', 'tables', 'views', 'sinks', 'topics', 'functions', 'queries', … or a setting's name. */
      readonly what: string;
      readonly like: string | undefined;
      readonly extended: boolean;
    }
  | {
      readonly kind: 'describe';
      /** The kind of object, when it was written: `DESCRIBE FUNCTION f`. */
      readonly object?: ObjectKind | undefined;
      readonly name: QualifiedName;
      readonly extended: boolean;
    }
  | {
      readonly kind: 'explain';
      readonly analyze: boolean;
      readonly options: readonly Option[];
      readonly statement: Statement | undefined;
      /** `EXPLAIN name`: the running plan of a view or sink. */
      readonly name: QualifiedName | undefined;
    }
  | {
      readonly kind: 'print';
      readonly topic: string;
      readonly fromBeginning: boolean;
      readonly limit: number | undefined;
    }
  | { readonly kind: 'pause' | 'resume' | 'terminate'; readonly name: QualifiedName | 'all' }
  | {
      readonly kind: 'drop';
      readonly object: ObjectKind;
      readonly names: readonly QualifiedName[];
      readonly ifExists: boolean;
      readonly cascade: boolean;
      /** ksqlDB's `DELETE TOPIC`. */
      readonly deleteTopic: boolean;
      /** Of functions: the argument types of each name, where they are written. */
      readonly signatures?: readonly (readonly TypeName[] | undefined)[] | undefined;
    }
  | {
      readonly kind: 'alter';
      readonly object: ObjectKind | 'system';
      readonly name: QualifiedName;
      readonly ifExists: boolean;
      readonly actions: readonly AlterAction[];
    }
  | {
      readonly kind: 'set';
      readonly scope: 'session' | 'local' | undefined;
      readonly name: string;
      readonly values: readonly Expression[] | 'default';
    }
  | { readonly kind: 'reset'; readonly name: string | 'all' }
  | { readonly kind: 'flush' }
  | {
      /** `REPLAY ERRORS [FROM stream] [WHERE condition]`: the condition is over the error relation. */
      readonly kind: 'replay-errors';
      readonly from: QualifiedName | undefined;
      readonly where: Expression | undefined;
    }
  | {
      readonly kind: 'begin';
      /** Written START TRANSACTION. */
      readonly start: boolean;
      /** 'isolation level serializable', 'read only', …: lower case, one blank between words. */
      readonly modes: readonly string[];
    }
  /** `chain`: another transaction with the same modes begins at once. */
  | { readonly kind: 'commit'; readonly chain?: boolean | undefined }
  | {
      readonly kind: 'rollback';
      readonly savepoint: Identifier | undefined;
      readonly chain?: boolean | undefined;
    }
  | { readonly kind: 'savepoint' | 'release'; readonly name: Identifier }
  | {
      readonly kind: 'prepare';
      readonly name: Identifier;
      readonly types: readonly TypeName[];
      readonly statement: Statement;
    }
  | { readonly kind: 'execute'; readonly name: Identifier; readonly args: readonly Expression[] }
  | { readonly kind: 'deallocate'; readonly name: Identifier | 'all' }
  | {
      readonly kind: 'declare-cursor';
      readonly name: Identifier;
      readonly statement: Statement & { readonly kind: 'query' };
      /** Undefined: neither SCROLL nor NO SCROLL. */
      readonly scroll: boolean | undefined;
      readonly hold: boolean;
    }
  | {
      /** `move`: the same without the rows. */
      readonly kind: 'fetch' | 'move';
      readonly name: Identifier;
      readonly direction: FetchDirection;
    }
  | { readonly kind: 'close-cursor'; readonly name: Identifier | 'all' }
  | {
      readonly kind: 'copy';
      /** A relation, or the rows of a query or of RETURNING. */
      readonly source: QualifiedName | Query | Manipulation;
      readonly columns: readonly Identifier[];
      readonly direction: 'from' | 'to';
      readonly target: string;
      readonly options: readonly Option[];
      /** Of COPY … FROM: which rows are taken. */
      readonly where?: Expression | undefined;
    }
);

/** Backwards for a negative count; `absolute` counts from the end then, and FIRST and LAST are absolute. */
export interface FetchDirection {
  readonly kind: 'forward' | 'absolute' | 'relative';
  readonly count: number;
}
