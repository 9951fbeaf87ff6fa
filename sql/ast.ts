/**
 * What the parser returns: plain frozen data, tagged by `kind`, each node with its span in the
 * statement's text. The tree keeps what was written; names and types are the binder's work.
 */
import type { Span } from './base/error.ts';

/** An identifier: folded to lower case unless it was quoted. */
export interface Identifier {
  readonly name: string;
  readonly quoted: boolean;
  readonly span: Span;
}

/** `a`, `a.b` or `a.b.c`; never empty. */
export interface QualifiedName {
  readonly parts: readonly Identifier[];
  readonly span: Span;
}

/** A type as written: `numeric(10,2)`, `timestamp(3) with time zone`, `int[]`, `row(a int, b text)`. */
export interface TypeName {
  /** Normalised to PostgreSQL's catalogue names: int4, int8, float8, varchar, bpchar, timestamptz, struct, map, … */
  readonly name: string;
  readonly modifiers: readonly number[];
  readonly arrayDimensions: number;
  /** Interval fields as written, in upper case: `DAY TO SECOND`. */
  readonly intervalFields?: string | undefined;
  /** Attributes of row/struct types. */
  readonly fields?: readonly { readonly name: Identifier; readonly type: TypeName }[] | undefined;
  /** Key and value of map types; element of array<…>. */
  readonly arguments?: readonly TypeName[] | undefined;
  readonly span: Span;
}

// ---------------------------------------------------------------- expressions

export type Expression = { readonly span: Span } & (
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** The digits as written; the binder decides between integer, bigint and numeric. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  /** B'1010' and X'1F'. */
  | { readonly kind: 'bit-string'; readonly text: string }
  /** `DATE '2024-01-01'`, `INTERVAL '1' DAY`. */
  | { readonly kind: 'typed-literal'; readonly type: TypeName; readonly value: string }
  /** `a.b.c`: table, column and field parts are told apart by the binder. */
  | { readonly kind: 'column'; readonly name: QualifiedName }
  /** `*` or `t.*`. */
  | {
      readonly kind: 'star';
      readonly qualifier: QualifiedName | undefined;
      /** RisingWave's `* EXCEPT (column, …)`, in a select list. */
      readonly except?: readonly QualifiedName[] | undefined;
    }
  | { readonly kind: 'parameter'; readonly index: number }
  /** Arithmetic, comparison and any other operator by its PostgreSQL spelling (`<>` for `!=`). */
  | { readonly kind: 'unary'; readonly op: string; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly op: string;
      /** Where the operator itself stands; errors about it point there. */
      readonly opSpan?: Span | undefined;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  | {
      readonly kind: 'is';
      readonly test: 'null' | 'true' | 'false' | 'unknown' | 'json' | 'document' | 'normalized';
      readonly negated: boolean;
      readonly operand: Expression;
      /** `object`, `array with unique`, … of IS JSON; `nfc`, … of IS NORMALIZED. */
      readonly detail?: string | undefined;
    }
  | {
      readonly kind: 'is-distinct';
      readonly negated: boolean;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'between';
      readonly negated: boolean;
      readonly symmetric: boolean;
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
    }
  | {
      readonly kind: 'like';
      readonly op: 'like' | 'ilike' | 'similar';
      readonly negated: boolean;
      readonly operand: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | undefined;
    }
  | {
      readonly kind: 'in-list';
      readonly negated: boolean;
      readonly operand: Expression;
      readonly items: readonly Expression[];
    }
  | {
      readonly kind: 'in-query';
      readonly negated: boolean;
      readonly operand: Expression;
      readonly query: Query;
    }
  /** `x = ANY (query)`, `x < ALL (array)`; SOME is ANY. */
  | {
      readonly kind: 'quantified';
      readonly op: string;
      readonly quantifier: 'any' | 'all';
      readonly operand: Expression;
      readonly right:
        | { readonly kind: 'query'; readonly query: Query }
        | { readonly kind: 'array'; readonly array: Expression };
    }
  | {
      readonly kind: 'case';
      readonly operand: Expression | undefined;
      readonly whens: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise: Expression | undefined;
    }
  /** `CAST(x AS t)`, `x::t`; TRY_CAST has `try: true` and gives NULL instead of an error. */
  | {
      readonly kind: 'cast';
      readonly operand: Expression;
      readonly type: TypeName;
      readonly try: boolean;
    }
  | FunctionCall
  | { readonly kind: 'scalar-query'; readonly query: Query }
  | { readonly kind: 'exists'; readonly query: Query }
  | { readonly kind: 'array-query'; readonly query: Query }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  /** `ROW(a, b)` and `(a, b)`. */
  | { readonly kind: 'row'; readonly items: readonly Expression[]; readonly explicit: boolean }
  | { readonly kind: 'subscript'; readonly operand: Expression; readonly index: Expression }
  | {
      readonly kind: 'slice';
      readonly operand: Expression;
      readonly low: Expression | undefined;
      readonly high: Expression | undefined;
    }
  /** `(expr).field` and ksqlDB's `expr->field`. */
  | { readonly kind: 'field'; readonly operand: Expression; readonly field: Identifier }
  | { readonly kind: 'at-time-zone'; readonly operand: Expression; readonly zone: Expression }
  | { readonly kind: 'collate'; readonly operand: Expression; readonly collation: QualifiedName }
  | { readonly kind: 'grouping'; readonly items: readonly Expression[] }
  /** ksqlDB lambdas: `x => x + 1`, `(a, b) => a + b`. */
  | {
      readonly kind: 'lambda';
      readonly parameters: readonly Identifier[];
      readonly body: Expression;
    }
);

/**
 * A function, aggregate or window call. SQL's keyword syntaxes arrive as ordinary calls:
 * `EXTRACT(f FROM x)` = extract('f', x) · `SUBSTRING(x FROM a FOR b)` = substring(x, a, b) ·
 * `POSITION(a IN b)` = position(b, a) · `TRIM(LEADING a FROM b)` = ltrim(b, a) (btrim, rtrim) ·
 * `OVERLAY(a PLACING b FROM c FOR d)` = overlay(a, b, c, d) · COALESCE, NULLIF, GREATEST, LEAST ·
 * CURRENT_DATE, CURRENT_TIMESTAMP, LOCALTIME, … by their names in lower case, with `keyword`.
 */
export interface FunctionCall {
  readonly kind: 'call';
  readonly span: Span;
  readonly name: QualifiedName;
  readonly args: readonly FunctionArgument[];
  /** `count(*)`. */
  readonly star: boolean;
  readonly distinct: boolean;
  readonly variadic: boolean;
  readonly orderBy: readonly SortItem[];
  readonly withinGroup: readonly SortItem[];
  readonly filter: Expression | undefined;
  readonly nulls: 'respect' | 'ignore' | undefined;
  readonly over: WindowSpec | Identifier | undefined;
  /** RUNNING or FINAL before a call of MATCH_RECOGNIZE's MEASURES. */
  readonly semantics?: 'running' | 'final' | undefined;
  /** Written without parentheses, as CURRENT_DATE is. */
  readonly keyword: boolean;
}

export interface FunctionArgument {
  readonly name: Identifier | undefined;
  readonly value: Expression;
}

export interface SortItem {
  readonly expression: Expression;
  readonly descending: boolean;
  /** As written; the default depends on the direction and is the binder's. */
  readonly nulls: 'first' | 'last' | undefined;
  readonly span: Span;
}

export interface WindowSpec {
  readonly kind: 'window-spec';
  readonly base: Identifier | undefined;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly SortItem[];
  readonly frame: WindowFrame | undefined;
  readonly span: Span;
}

export interface WindowFrame {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly start: FrameBound;
  readonly end: FrameBound;
  readonly exclude: 'no others' | 'current row' | 'group' | 'ties';
}

export type FrameBound =
  | { readonly kind: 'unbounded-preceding' | 'unbounded-following' | 'current-row' }
  | { readonly kind: 'preceding' | 'following'; readonly offset: Expression };

// -------------------------------------------------------------------- queries

export interface Query {
  readonly kind: 'query';
  readonly span: Span;
  readonly with:
    | { readonly recursive: boolean; readonly items: readonly CommonTable[] }
    | undefined;
  readonly body: QueryBody;
  readonly orderBy: readonly SortItem[];
  readonly limit: Expression | undefined;
  readonly offset: Expression | undefined;
  /** FETCH FIRST n ROWS WITH TIES; a FETCH … ONLY arrives as `limit`. */
  readonly withTies: boolean;
  readonly locking: readonly string[];
  readonly emit: Emit | undefined;
}

/** `EMIT CHANGES`, `EMIT FINAL`, `EMIT ON WINDOW CLOSE`, `EMIT EVERY INTERVAL '…' [AND AFTER WATERMARK]`, `EMIT AFTER WATERMARK`. */
export type Emit =
  | { readonly kind: 'changes' | 'final' | 'window-close'; readonly span: Span }
  | { readonly kind: 'every'; readonly interval: Expression; readonly span: Span }
  | {
      readonly kind: 'after-watermark';
      readonly interval: Expression | undefined;
      readonly span: Span;
    };

/** A column that orders the rows of a recursive query as they are found. */
export interface SearchClause {
  readonly order: 'breadth' | 'depth';
  readonly columns: readonly Identifier[];
  readonly sequence: Identifier;
  readonly span: Span;
}

/** Columns that tell where a recursive query comes back to values that it has met on its way. */
export interface CycleClause {
  readonly columns: readonly Identifier[];
  readonly mark: Identifier;
  /** What the mark is where it does, and elsewhere; true and false when they are not written. */
  readonly value: Expression | undefined;
  readonly otherwise: Expression | undefined;
  readonly path: Identifier;
  readonly span: Span;
}

export interface CommonTable {
  readonly name: Identifier;
  readonly columns: readonly Identifier[];
  readonly materialized: boolean | undefined;
  /** A query, or DML with RETURNING. */
  readonly statement: Query | Statement;
  readonly search?: SearchClause | undefined;
  readonly cycle?: CycleClause | undefined;
  readonly span: Span;
}

export type QueryBody = { readonly span: Span } & (
  | Select
  | { readonly kind: 'values'; readonly rows: readonly (readonly Expression[])[] }
  | {
      readonly kind: 'set-operation';
      readonly op: 'union' | 'intersect' | 'except';
      readonly all: boolean;
      readonly left: QueryBody;
      readonly right: QueryBody;
    }
  /** A parenthesised query with clauses of its own. */
  | { readonly kind: 'nested'; readonly query: Query }
  | { readonly kind: 'table'; readonly name: QualifiedName }
);

export interface Select {
  readonly kind: 'select';
  readonly span: Span;
  readonly distinct:
    | { readonly kind: 'all' | 'distinct' }
    | { readonly kind: 'on'; readonly expressions: readonly Expression[] };
  readonly items: readonly SelectItem[];
  /** `INTO [TABLE] name`; only in the first SELECT of a statement. */
  readonly into?: QualifiedName | undefined;
  readonly from: readonly FromItem[];
  readonly where: Expression | undefined;
  readonly groupBy: readonly GroupItem[];
  readonly groupByDistinct: boolean;
  readonly having: Expression | undefined;
  readonly windows: readonly { readonly name: Identifier; readonly spec: WindowSpec }[];
  readonly qualify: Expression | undefined;
  /** ksqlDB's `WINDOW TUMBLING (SIZE …)` after FROM. */
  readonly streamWindow: StreamWindow | undefined;
  /** ksqlDB's `PARTITION BY` of CREATE STREAM … AS SELECT. */
  readonly partitionBy: readonly Expression[];
}

export interface SelectItem {
  readonly expression: Expression;
  readonly alias: Identifier | undefined;
  readonly span: Span;
}

export type GroupItem = { readonly span: Span } & (
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'rollup' | 'cube'; readonly sets: readonly (readonly Expression[])[] }
  | { readonly kind: 'grouping-sets'; readonly items: readonly GroupItem[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly expressions: readonly Expression[] }
);

export interface StreamWindow {
  readonly kind: 'tumbling' | 'hopping' | 'session';
  /** Interval expressions. */
  readonly size: Expression;
  readonly advance: Expression | undefined;
  readonly retention: Expression | undefined;
  readonly grace: Expression | undefined;
  readonly span: Span;
}

export interface TableAlias {
  readonly name: Identifier;
  readonly columns: readonly Identifier[];
}

export type FromItem = { readonly span: Span } & (
  | {
      readonly kind: 'relation';
      readonly name: QualifiedName;
      readonly only: boolean;
      readonly alias: TableAlias | undefined;
      readonly sample:
        | {
            readonly method: string;
            readonly args: readonly Expression[];
            readonly repeatable?: Expression | undefined;
          }
        | undefined;
      /** `FOR SYSTEM_TIME AS OF expr`. */
      readonly systemTime: Expression | undefined;
      readonly streamWindow: StreamWindow | undefined;
    }
  | {
      readonly kind: 'derived';
      readonly query: Query;
      readonly lateral: boolean;
      readonly alias: TableAlias | undefined;
    }
  /** `f(…) [WITH ORDINALITY]`, `ROWS FROM (f(…), g(…))`. */
  | {
      readonly kind: 'function';
      readonly calls: readonly {
        readonly call: FunctionCall;
        readonly columns: readonly { readonly name: Identifier; readonly type: TypeName }[];
      }[];
      readonly rowsFrom: boolean;
      readonly lateral: boolean;
      readonly ordinality: boolean;
      readonly alias: TableAlias | undefined;
    }
  /**
   * TUMBLE/HOP/CUMULATE/SESSION(source, column, interval…), and Flink's
   * TABLE(TUMBLE(TABLE source, DESCRIPTOR(column), interval…)) in the same form.
   */
  | {
      readonly kind: 'window-table';
      readonly window: 'tumble' | 'hop' | 'cumulate' | 'session';
      readonly source: FromItem;
      readonly timeColumn: QualifiedName;
      /** Intervals as in the call; the order is that of the spelling used. */
      readonly intervals: readonly Expression[];
      /** Partition columns of a Flink-spelled SESSION. */
      readonly partitionBy: readonly Expression[];
      /** `timezone => 'Europe/Berlin'`: windows by the clocks there. */
      readonly zone: Expression | undefined;
      readonly flink: boolean;
      readonly alias: TableAlias | undefined;
    }
  | {
      readonly kind: 'join';
      readonly type:
        | 'inner'
        | 'left'
        | 'right'
        | 'full'
        | 'cross'
        | 'semi'
        | 'anti'
        | 'asof'
        | 'asof-left';
      readonly natural: boolean;
      readonly left: FromItem;
      readonly right: FromItem;
      readonly on: Expression | undefined;
      readonly using:
        | { readonly columns: readonly Identifier[]; readonly alias: Identifier | undefined }
        | undefined;
      /** ksqlDB's `WITHIN (before, after) GRACE PERIOD`. */
      readonly within:
        | {
            readonly before: Expression;
            readonly after: Expression;
            readonly grace: Expression | undefined;
          }
        | undefined;
      /** A parenthesised join may carry an alias. */
      readonly alias: TableAlias | undefined;
    }
  | {
      readonly kind: 'json-table';
      readonly document: Expression;
      readonly path: Expression;
      readonly pathName: Identifier | undefined;
      readonly passing: readonly FunctionArgument[];
      readonly columns: readonly JsonTableColumn[];
      readonly onError: 'error' | 'empty' | undefined;
      readonly lateral: boolean;
      readonly alias: TableAlias | undefined;
    }
  | MatchRecognize
);

/** A column of JSON_TABLE; clauses are those of JSON_VALUE and JSON_QUERY, as named arguments of a call. */
export type JsonTableColumn = { readonly span: Span } & (
  | { readonly kind: 'ordinality'; readonly name: Identifier }
  | {
      readonly kind: 'value';
      readonly name: Identifier;
      readonly type: TypeName;
      /** `EXISTS`: whether there is an item. */
      readonly exists: boolean;
      /** `FORMAT JSON`. */
      readonly format: boolean;
      /** Undefined for the member with the column's name. */
      readonly path: Expression | undefined;
      readonly clauses: readonly FunctionArgument[];
    }
  | {
      readonly kind: 'nested';
      readonly path: Expression;
      readonly pathName: Identifier | undefined;
      readonly columns: readonly JsonTableColumn[];
    }
);

/** MATCH_RECOGNIZE of ISO/IEC 19075-5. */
export interface MatchRecognize {
  readonly kind: 'match-recognize';
  readonly span: Span;
  readonly source: FromItem;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly SortItem[];
  readonly measures: readonly SelectItem[];
  readonly rowsPerMatch: 'one' | 'all' | 'all-show-empty' | 'all-omit-empty' | 'all-with-unmatched';
  readonly skip:
    | { readonly kind: 'past-last-row' | 'to-next-row' }
    | { readonly kind: 'to-first' | 'to-last'; readonly variable: Identifier };
  readonly pattern: RowPattern;
  readonly within: Expression | undefined;
  readonly subsets: readonly {
    readonly name: Identifier;
    readonly variables: readonly Identifier[];
  }[];
  readonly define: readonly { readonly variable: Identifier; readonly condition: Expression }[];
  readonly alias: TableAlias | undefined;
}

export type RowPattern =
  | { readonly kind: 'variable'; readonly name: Identifier }
  | { readonly kind: 'sequence' | 'alternation' | 'permute'; readonly items: readonly RowPattern[] }
  | { readonly kind: 'empty' | 'start' | 'end' }
  | { readonly kind: 'exclusion'; readonly pattern: RowPattern }
  | {
      readonly kind: 'quantified';
      readonly pattern: RowPattern;
      readonly min: number;
      readonly max: number | undefined;
      readonly reluctant: boolean;
    };

// ----------------------------------------------------------------- statements

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

export type AlterTypeAction =
  | {
      readonly kind: 'add-value';
      readonly ifNotExists: boolean;
      readonly label: string;
      readonly neighbor: { readonly side: 'before' | 'after'; readonly label: string } | undefined;
    }
  | { readonly kind: 'rename-value'; readonly from: string; readonly to: string }
  | { readonly kind: 'rename'; readonly to: Identifier }
  | { readonly kind: 'set-schema'; readonly to: Identifier };

/** Backwards for a negative count; `absolute` counts from the end then, and FIRST and LAST are absolute. */
export interface FetchDirection {
  readonly kind: 'forward' | 'absolute' | 'relative';
  readonly count: number;
}

export type AlterDomainAction =
  | { readonly kind: 'set-default'; readonly default: Expression | undefined }
  | { readonly kind: 'set-not-null' | 'drop-not-null' }
  | {
      readonly kind: 'add-check';
      readonly name: Identifier | undefined;
      readonly expression: Expression;
    }
  | { readonly kind: 'drop-constraint'; readonly name: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'rename-constraint'; readonly name: Identifier; readonly to: Identifier }
  | { readonly kind: 'validate-constraint'; readonly name: Identifier }
  | { readonly kind: 'rename'; readonly to: Identifier };

export type AlterAction =
  | {
      readonly kind: 'add-column';
      readonly column: ColumnDefinition;
      readonly ifNotExists: boolean;
    }
  | { readonly kind: 'drop-column'; readonly column: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'rename-column'; readonly column: Identifier; readonly to: Identifier }
  | { readonly kind: 'rename'; readonly to: Identifier }
  | {
      readonly kind: 'alter-type';
      readonly column: Identifier;
      readonly type: TypeName;
      /** Over the columns as they were. */
      readonly using?: Expression | undefined;
    }
  | {
      readonly kind: 'set-default';
      readonly column: Identifier;
      readonly default: Expression | undefined;
    }
  | { readonly kind: 'set-not-null' | 'drop-not-null'; readonly column: Identifier }
  | {
      readonly kind: 'add-identity';
      readonly column: Identifier;
      readonly identity: Identity;
      /** Filled in when its sequence has a name. */
      readonly default?: Expression | undefined;
    }
  | {
      readonly kind: 'set-identity';
      readonly column: Identifier;
      /** Undefined: as it is. */
      readonly always: boolean | undefined;
      readonly options: readonly SequenceOption[];
    }
  | { readonly kind: 'drop-identity'; readonly column: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'drop-expression'; readonly column: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'add-constraint'; readonly constraint: TableConstraint }
  | { readonly kind: 'rename-constraint'; readonly name: Identifier; readonly to: Identifier }
  | { readonly kind: 'drop-constraint'; readonly name: Identifier; readonly ifExists: boolean }
  /** `SKIP RECORD`: the stream goes on after the record that it stopped at. */
  | { readonly kind: 'skip-record' }
  | { readonly kind: 'set-options'; readonly options: readonly Option[] }
  | { readonly kind: 'reset-options'; readonly keys: readonly string[] };
