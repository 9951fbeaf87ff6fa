/**
 * The incremental physical plan: plain data that operator/build.ts turns into operators. Columns are numbers of
 * the input's columns; only projections, join residuals and constants still hold expressions.
 */

import type { Datum } from '../../sql/base/datum.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import type { BoundExpr, BoundFrame, BoundWindowCall } from '../../sql/expression.ts';
import type { AggregateFunction } from '../../sql/function/aggregate-function.ts';
import type { JoinType, WindowShape } from '../../sql/logical-plan.ts';
import type { MatchOutput, MatchShape } from '../../sql/row-pattern.ts';

export interface SortColumn {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface PhysicalAggregate {
  readonly fn: AggregateFunction;
  readonly args: readonly number[];
  readonly distinct: boolean;
  /** A boolean column; rows where it is not true are left out. */
  readonly filter: number | undefined;
  readonly orderBy: readonly SortColumn[];
  readonly type: SqlType;
}

/** A call of a set-returning function. */
export interface PhysicalCall {
  readonly name: string;
  readonly args: readonly number[];
  /** What it gives. */
  readonly columns: Schema;
}

/** A column of the input, or one value for all rows. */
export type WindowArgument =
  | { readonly kind: 'column'; readonly column: number }
  | { readonly kind: 'constant'; readonly value: Datum | null };

export type PhysicalFrameBound =
  | { readonly kind: 'unbounded-preceding' | 'unbounded-following' | 'current-row' }
  /** The offset is a bigint for ROWS and GROUPS; for RANGE what is added to the one ORDER BY column. */
  | { readonly kind: 'preceding' | 'following'; readonly offset: Datum };

export interface PhysicalFrame {
  readonly unit: BoundFrame['unit'];
  readonly start: PhysicalFrameBound;
  readonly end: PhysicalFrameBound;
  readonly exclude: BoundFrame['exclude'];
}

export type RankingName = (BoundWindowCall['fn'] & { readonly kind: 'ranking' })['name'];

export type PhysicalWindowCall = {
  readonly args: readonly WindowArgument[];
  readonly frame: PhysicalFrame;
  readonly type: SqlType;
} & (
  | {
      readonly kind: 'aggregate';
      readonly fn: AggregateFunction;
      /** A boolean column; rows where it is not true are left out. */
      readonly filter: number | undefined;
    }
  | { readonly kind: 'ranking'; readonly name: RankingName; readonly ignoreNulls: boolean }
);

/** An operator's state that is dropped behind watermarks. */
export interface Forgetting {
  /** Whose watermarks: the node's last inputs are their clocks, in this order, and the slowest counts. */
  readonly streams: readonly string[];
  /**
   * What is dropped when the clock has reached a column's time + micros; undefined = nothing. Of a join one for the rows of
   * each side; else one, for groups, partitions or rows by a column of their key, or of the schema for rows of sessions. Of a
   * window a second one, for the first rows of each partition by a column of the schema.
   */
  readonly rules: readonly (ForgetRule | undefined)[];
}

export interface ForgetRule {
  readonly column: number;
  readonly micros: bigint;
  /** Rows without a time are dropped at once; else they are kept for good. */
  readonly endsNulls: boolean;
  /** Of each key of a join the newest of the rows that would be dropped stays, with those of the same time. */
  readonly keepsNewest?: true | undefined;
}

interface PhysicalBase {
  /** Position in the plan's topological order. */
  readonly id: number;
  readonly schema: Schema;
  readonly inputs: readonly PhysicalNode[];
  /** No deletion and no change ever comes out. */
  readonly appendOnly: boolean;
  /** Equal for nodes that compute the same rows from the same relations. */
  readonly fingerprint: string;
  readonly forgets?: Forgetting | undefined;
}

export type PhysicalNode = PhysicalBase & PhysicalShape;

export type PhysicalShape =
  /** A leaf: rows of a relation, these of its columns in this order. The runtime feeds it. */
  | { readonly kind: 'scan'; readonly relation: string; readonly columns: readonly number[] }
  /** A leaf: the watermark of a stream, or the wall clock, as rows of one timestamp that only grow. */
  | { readonly kind: 'clock'; readonly relation: string | undefined }
  /** Constant rows, once. */
  | { readonly kind: 'values'; readonly rows: readonly (readonly BoundExpr[])[] }
  | {
      readonly kind: 'project';
      readonly where: BoundExpr | undefined;
      readonly expressions: readonly BoundExpr[];
    }
  | { readonly kind: 'union-all' }
  /** Adds up equal rows of an epoch: the same rows, fewer of them. */
  | { readonly kind: 'consolidate' }
  /** Counts equal rows per input; DISTINCT is a union of one input. */
  | {
      readonly kind: 'set-operation';
      readonly op: 'union' | 'intersect' | 'except';
      readonly all: boolean;
    }
  /** Schema: keys, then aggregates. No keys = one row always. */
  | {
      readonly kind: 'aggregate';
      readonly keys: readonly number[];
      readonly aggregates: readonly PhysicalAggregate[];
    }
  | {
      readonly kind: 'join';
      readonly type: JoinType;
      readonly leftKeys: readonly number[];
      readonly rightKeys: readonly number[];
      readonly nullSafe: readonly boolean[];
      /** The rest of the condition, over left then right columns. */
      readonly residual: BoundExpr | undefined;
      /** Which of left then right columns come out. */
      readonly output: readonly number[];
    }
  /** Rows of the first input, which only grows, each with those of the second one that meet it when it comes. */
  | {
      readonly kind: 'lookup-join';
      readonly type: 'inner' | 'left';
      readonly leftKeys: readonly number[];
      readonly rightKeys: readonly number[];
      readonly nullSafe: readonly boolean[];
      readonly residual: BoundExpr | undefined;
      readonly output: readonly number[];
    }
  /**
   * Set-returning functions side by side, their arguments columns of the input. Schema: the kept input columns, those of
   * the functions, with `ordinality` a count from 1; `on` is over these.
   */
  | {
      readonly kind: 'flat-map';
      readonly calls: readonly PhysicalCall[];
      readonly ordinality: boolean;
      readonly kept: readonly number[];
      readonly on: BoundExpr | undefined;
      /** An input row without rows that count comes out once, with NULLs. */
      readonly outer: boolean;
    }
  /** Schema: input columns, then window_start and window_end. */
  | {
      readonly kind: 'window-table';
      readonly window: WindowShape & { readonly kind: 'tumble' | 'hop' | 'cumulate' };
      readonly timeColumn: number;
    }
  /** Schema: input columns, then window_start and window_end. */
  | {
      readonly kind: 'session';
      readonly gapMicros: bigint;
      readonly timeColumn: number;
      readonly partitionBy: readonly number[];
    }
  /** Schema: input columns, then the rank as bigint when `emitRank`. */
  | {
      readonly kind: 'top-n';
      readonly partitionBy: readonly number[];
      readonly orderBy: readonly SortColumn[];
      readonly rank: 'row_number' | 'rank' | 'dense_rank';
      /** Rows or ranks after `offset` that come out; Infinity = all. */
      readonly limit: number;
      readonly offset: number;
      readonly emitRank: boolean;
      /** FETCH … WITH TIES: also the rows that sort equal to the last one. */
      readonly withTies: boolean;
    }
  /**
   * Rows while from <= clock < until; the further inputs are clocks, of which the slowest counts. Undefined = no such bound. The
   * microseconds are added to the columns' values.
   */
  | {
      readonly kind: 'temporal-filter';
      readonly from: number | undefined;
      readonly fromMicros: bigint;
      readonly until: number | undefined;
      readonly untilMicros: bigint;
    }
  /**
   * The input's changes, held back until the clock, the second input, says that the last ones are `micros` ago; without `micros` there is
   * no such clock, and they stay. Rows whose time in `after` + its micros the watermarks of the further inputs have reached
   * are not held back.
   */
  | {
      readonly kind: 'emit-every';
      readonly micros: bigint | undefined;
      readonly after: { readonly column: number; readonly micros: bigint } | undefined;
    }
  /** Schema: input columns, then one per call; all calls have one partition and one order. */
  | {
      readonly kind: 'window';
      readonly partitionBy: readonly number[];
      readonly orderBy: readonly SortColumn[];
      readonly calls: readonly PhysicalWindowCall[];
    }
  /**
   * MATCH_RECOGNIZE. In `of` and aggregates' arguments the column behind the input's is the variable of the row; in
   * `define` and `measures` column i is value i. In event time the input comes in the order of the first key's time, and
   * the further inputs are the clocks that say that rows whose time + `closingMicros` they have reached are all there.
   */
  | ({
      readonly kind: 'match-recognize';
      readonly partitionBy: readonly number[];
      readonly orderBy: readonly SortColumn[];
      readonly outputs: readonly MatchOutput[];
      readonly inEventTime: boolean;
      readonly closingMicros: bigint;
    } & MatchShape)
  /**
   * WITH RECURSIVE. The first input is the base, the others are what the step reads beside the rows of the round before;
   * `step` is a plan over them and a `recursive-reference` of this query, whose schema is the node's with the number of the
   * round.
   */
  | {
      readonly kind: 'recursive';
      readonly query: number;
      readonly all: boolean;
      readonly step: PhysicalNode;
    }
  /** A leaf inside a step, which the recursive operator feeds. */
  | { readonly kind: 'recursive-reference'; readonly query: number }
  /** The changelog of a table with a primary key: +1 puts a row, -1 removes its key. */
  | { readonly kind: 'upsert'; readonly key: readonly number[] };

export type PhysicalKind = PhysicalNode['kind'];
