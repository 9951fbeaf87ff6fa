/**
 * The bound logical plan: what to compute, not how. Columns are numbers; `schema` names and types
 * them. Plans are plain frozen data, so rewrites share the parts that they leave alone.
 */
import type { Schema } from './base/type.ts';
import type { BoundAggregate, BoundExpr, BoundSortKey, BoundWindowCall } from './expression.ts';
import type { MatchOutput, MatchShape } from './row-pattern.ts';

export type JoinType = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';

export type LogicalNode = { readonly schema: Schema } & (
  | {
      readonly kind: 'scan';
      /** A stream, table or materialized view of the catalog, all columns in catalog order. */
      readonly relation: string;
      /** Of a stream: from this column on the schema has what `record-column.ts` lists. */
      readonly recordFrom?: number | undefined;
    }
  | {
      readonly kind: 'values';
      readonly rows: readonly (readonly BoundExpr[])[];
      /** Rows that the WITH item of this number returns when it changes rows: `fillItems` puts them in before the plan is looked at. */
      readonly item?: number | undefined;
    }
  | { readonly kind: 'filter'; readonly input: LogicalNode; readonly where: BoundExpr }
  | {
      readonly kind: 'project';
      readonly input: LogicalNode;
      readonly expressions: readonly BoundExpr[];
      /** Set by the binder for the rows of one stream with computed columns: as that of the scan. */
      readonly recordFrom?: number | undefined;
    }
  /**
   * Schema: left columns then right ones (only left ones for semi and anti). `on` is over left then
   * right columns; undefined = every pair. With `lateral` the right side's outer-columns of depth 1 are left columns.
   */
  | {
      readonly kind: 'join';
      readonly type: JoinType;
      readonly left: LogicalNode;
      readonly right: LogicalNode;
      readonly on: BoundExpr | undefined;
      readonly lateral: boolean;
      /** Inner and left joins: the right side is looked up once for each row of the left, when that comes. */
      readonly atArrival?: true | undefined;
    }
  /**
   * Schema: group keys, then aggregates. No keys = exactly one row, also over no input.
   * `groupingSets` lists key numbers per set (keys outside a set are NULL); undefined = one set of all keys.
   * `groupings` adds, after the aggregates, one integer column per GROUPING(…) call: the key numbers it asks for.
   */
  | {
      readonly kind: 'aggregate';
      readonly input: LogicalNode;
      readonly keys: readonly BoundExpr[];
      readonly groupingSets: readonly (readonly number[])[] | undefined;
      readonly aggregates: readonly BoundAggregate[];
      readonly groupings: readonly (readonly number[])[];
    }
  | { readonly kind: 'distinct'; readonly input: LogicalNode }
  /** DISTINCT ON (keys): the first row per key in `orderBy`. */
  | {
      readonly kind: 'distinct-on';
      readonly input: LogicalNode;
      readonly keys: readonly BoundExpr[];
      readonly orderBy: readonly BoundSortKey[];
    }
  | {
      readonly kind: 'set-operation';
      readonly op: 'union' | 'intersect' | 'except';
      readonly all: boolean;
      readonly left: LogicalNode;
      readonly right: LogicalNode;
    }
  /** Schema: input columns, then one per call. */
  | {
      readonly kind: 'window';
      readonly input: LogicalNode;
      readonly calls: readonly BoundWindowCall[];
    }
  | { readonly kind: 'sort'; readonly input: LogicalNode; readonly keys: readonly BoundSortKey[] }
  /** After a sort this is top-N. Counts are constant expressions of type bigint. */
  | {
      readonly kind: 'limit';
      readonly input: LogicalNode;
      readonly limit: BoundExpr | undefined;
      readonly offset: BoundExpr | undefined;
      readonly withTies: boolean;
    }
  /**
   * Per partition the first `limit` rows by `orderBy`: row_number/rank/dense_rank … <= n, recognised by a rewrite.
   * Schema: input columns, then the rank as bigint when `emitRank`.
   */
  | {
      readonly kind: 'top-n';
      readonly input: LogicalNode;
      readonly partitionBy: readonly BoundExpr[];
      readonly orderBy: readonly BoundSortKey[];
      readonly rank: 'row_number' | 'rank' | 'dense_rank';
      readonly limit: number;
      readonly offset: number;
      readonly emitRank: boolean;
    }
  /**
   * Rows while from <= now() < until; undefined = no such bound. A row without a time that is asked for is never there. With
   * `byWatermark` the watermark by which the time closes stands for now().
   */
  | {
      readonly kind: 'temporal-filter';
      readonly byWatermark?: true | undefined;
      readonly input: LogicalNode;
      readonly from: TemporalBound | undefined;
      readonly until: TemporalBound | undefined;
    }
  /**
   * A WITH item whose rows are computed once a statement, however often the plan holds it: its functions may give other values the next time.
   * It is the same one by its id, and refers to nothing outside.
   */
  | { readonly kind: 'once'; readonly id: number; readonly input: LogicalNode }
  /** EMIT FINAL: the input's rows, each when the watermark says that it can change no more. */
  | { readonly kind: 'emit-final'; readonly input: LogicalNode }
  /**
   * EMIT EVERY: the input's rows as they were at most so many microseconds ago, by the clock; undefined = for good. With
   * `afterWatermark` rows whose window the watermark has passed are shown at once.
   */
  | {
      readonly kind: 'emit-every';
      readonly input: LogicalNode;
      readonly micros: bigint | undefined;
      readonly afterWatermark?: true | undefined;
    }
  /** Schema: input columns, then window_start and window_end of the time column's type. */
  | {
      readonly kind: 'window-table';
      readonly window: WindowShape;
      readonly input: LogicalNode;
      readonly timeColumn: number;
    }
  /**
   * Set-returning functions in FROM (generate_series, unnest, jsonb_array_elements, …) or in a select list, side by
   * side. Under a lateral join their arguments may hold outer-columns. Schema: the columns of each call; with
   * `ordinality` a last bigint column counts from 1.
   */
  | {
      readonly kind: 'table-function';
      readonly calls: readonly TableCall[];
      readonly ordinality: boolean;
    }
  /**
   * Each input row with the rows of the functions for it, whose arguments are over the input's columns. Schema: input
   * columns, the columns of each call, `ordinality`. Only in plans for views, where it stands for a lateral join.
   */
  | {
      readonly kind: 'flat-map';
      readonly input: LogicalNode;
      readonly calls: readonly TableCall[];
      readonly ordinality: boolean;
      /** Of the node's columns: which of the rows count; undefined = all. */
      readonly on: BoundExpr | undefined;
      /** An input row without rows that count comes out once, with NULLs. */
      readonly outer: boolean;
    }
  /** MATCH_RECOGNIZE. Schema: the outputs. Partitions and order are columns of the input. */
  | ({
      readonly kind: 'match-recognize';
      readonly input: LogicalNode;
      readonly partitionBy: readonly number[];
      readonly orderBy: readonly MatchSortKey[];
      readonly outputs: readonly MatchOutput[];
      /**
       * Rows are taken in the order of event time, when the watermark has passed them, and a match comes out when no later
       * row can change it: over a stream whose time column is the first key of the order.
       */
      readonly inEventTime: boolean;
    } & MatchShape)
  /** `WITH RECURSIVE`: `step` reads `recursive-reference`s of the same id. */
  | {
      readonly kind: 'recursive';
      readonly id: number;
      readonly base: LogicalNode;
      readonly step: LogicalNode;
      readonly all: boolean;
    }
  | { readonly kind: 'recursive-reference'; readonly id: number }
);

/** `time` + `micros` microseconds; `time` is a timestamp over the input's columns. */
export interface TemporalBound {
  readonly time: BoundExpr;
  readonly micros: bigint;
}

export interface MatchSortKey {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** One of the set-returning functions that run side by side; the shorter ones go on with NULLs. */
export interface TableCall {
  /** ONE_ROW of function/table-rows.ts stands for one row of the arguments. */
  readonly name: string;
  readonly args: readonly BoundExpr[];
  readonly columns: Schema;
}

/** Lengths in microseconds. */
export type WindowShape =
  | ({ readonly kind: 'tumble'; readonly sizeMicros: bigint } & WindowOrigin)
  | ({
      readonly kind: 'hop';
      readonly slideMicros: bigint;
      readonly sizeMicros: bigint;
    } & WindowOrigin)
  | ({
      readonly kind: 'cumulate';
      readonly stepMicros: bigint;
      readonly sizeMicros: bigint;
    } & WindowOrigin)
  | {
      readonly kind: 'session';
      readonly gapMicros: bigint;
      readonly partitionBy: readonly number[];
    };

/** From where windows are counted: 1970-01-01 00:00 and the offset, of UTC or by the clocks of a time zone. */
export interface WindowOrigin {
  readonly offsetMicros: bigint;
  readonly zone?: string;
}

export type LogicalKind = LogicalNode['kind'];
