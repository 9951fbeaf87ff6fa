/**
 * What the parser returns: plain frozen data, tagged by `kind`, each node with its span in the
 * statement's text. The tree keeps what was written; names and types are the binder's work.
 */
import type { Statement } from './ast-statement.ts';
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
