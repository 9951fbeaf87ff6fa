/** Bound expressions: every name resolved to a column number, every type known, every cast explicit. */
import type { Datum } from './base/datum.ts';
import type { Span } from './base/error.ts';
import type { SqlType } from './base/type.ts';
import type { AggregateFunction } from './function/aggregate-function.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import type { LogicalNode } from './logical-plan.ts';

/** `type` is the result type; `span` points into the statement, for run-time errors at creation. */
export type BoundExpr = { readonly type: SqlType; readonly span?: Span | undefined } & (
  | {
      readonly kind: 'literal';
      /** null for a typed NULL. */
      readonly value: Datum | null;
    }
  /** Column `index` of the node's input; a join's condition counts left columns, then right ones. */
  | { readonly kind: 'column'; readonly index: number }
  /** Column `index` of the `depth`-th enclosing query's input (1 = the next one out). */
  | { readonly kind: 'outer-column'; readonly depth: number; readonly index: number }
  /** `$1` has index 1. Replaced by a literal before a plan is lowered or rendered. */
  | { readonly kind: 'parameter'; readonly index: number }
  /** Arguments already have exactly the signature's types (casts inserted by the binder). */
  | {
      readonly kind: 'call';
      readonly fn: ScalarFunction;
      readonly args: readonly BoundExpr[];
    }
  /** Conversion between types; `fn` does it. A cast that only changes the label has none. */
  | {
      readonly kind: 'cast';
      readonly operand: BoundExpr;
      readonly fn: ScalarFunction | undefined;
      /** TRY_CAST: NULL where the conversion fails. */
      readonly try: boolean;
    }
  /** Three-valued; two operands or more. */
  | { readonly kind: 'and' | 'or'; readonly args: readonly BoundExpr[] }
  | { readonly kind: 'not'; readonly operand: BoundExpr }
  | { readonly kind: 'is-null'; readonly operand: BoundExpr; readonly negated: boolean }
  /** IS [NOT] TRUE / FALSE; UNKNOWN is is-null on a boolean. */
  | {
      readonly kind: 'is-truth';
      readonly operand: BoundExpr;
      readonly value: boolean;
      readonly negated: boolean;
    }
  /** Same type on both sides; never NULL. */
  | {
      readonly kind: 'is-distinct';
      readonly left: BoundExpr;
      readonly right: BoundExpr;
      readonly negated: boolean;
    }
  /** Searched CASE; conditions are boolean. Lazily evaluated, as are coalesce and and/or. */
  | {
      readonly kind: 'case';
      readonly whens: readonly { readonly when: BoundExpr; readonly then: BoundExpr }[];
      readonly otherwise: BoundExpr | undefined;
    }
  | { readonly kind: 'coalesce'; readonly args: readonly BoundExpr[] }
  /** IN over expressions of one type; NULL rules of SQL. */
  | {
      readonly kind: 'in-list';
      readonly operand: BoundExpr;
      readonly items: readonly BoundExpr[];
      readonly negated: boolean;
    }
  /**
   * `body`, in which `let-value`s of that id stand for `value`; it is computed once, before the body. The id is the
   * number of such expressions that stand in each other here, so that equal expressions have equal ids.
   */
  | {
      readonly kind: 'let';
      readonly id: number;
      readonly value: BoundExpr;
      readonly body: BoundExpr;
    }
  | { readonly kind: 'let-value'; readonly id: number }
  | { readonly kind: 'array'; readonly items: readonly BoundExpr[] }
  | { readonly kind: 'row'; readonly items: readonly BoundExpr[] }
  | { readonly kind: 'field'; readonly operand: BoundExpr; readonly index: number }
  | BoundSubquery
);

/**
 * A query inside an expression. Its plan's `outer-column`s of depth 1 are columns of the node
 * that holds the expression.
 */
export type BoundSubquery = {
  readonly kind: 'subquery';
  readonly type: SqlType;
  readonly span?: Span | undefined;
  readonly plan: LogicalNode;
} & (
  | { readonly mode: 'scalar' | 'exists' | 'array' }
  /** `operand op ANY|ALL (plan)`; IN is `= ANY`, NOT IN is `<> ALL`. `compare` takes (operand columns…, plan columns…) */
  | {
      readonly mode: 'any' | 'all';
      readonly operands: readonly BoundExpr[];
      readonly compare: ScalarFunction;
    }
);

export interface BoundSortKey {
  readonly expression: BoundExpr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface BoundAggregate {
  readonly fn: AggregateFunction;
  readonly args: readonly BoundExpr[];
  readonly distinct: boolean;
  readonly filter: BoundExpr | undefined;
  readonly orderBy: readonly BoundSortKey[];
  readonly type: SqlType;
}

/** A window function, or an aggregate used as one. */
export interface BoundWindowCall {
  readonly fn:
    | { readonly kind: 'aggregate'; readonly aggregate: BoundAggregate }
    | {
        readonly kind: 'ranking';
        readonly name:
          | 'row_number'
          | 'rank'
          | 'dense_rank'
          | 'percent_rank'
          | 'cume_dist'
          | 'ntile'
          | 'lag'
          | 'lead'
          | 'first_value'
          | 'last_value'
          | 'nth_value';
        readonly args: readonly BoundExpr[];
        readonly ignoreNulls: boolean;
      };
  readonly partitionBy: readonly BoundExpr[];
  readonly orderBy: readonly BoundSortKey[];
  readonly frame: BoundFrame | undefined;
  readonly type: SqlType;
}

export interface BoundFrame {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly start: BoundFrameBound;
  readonly end: BoundFrameBound;
  readonly exclude: 'no others' | 'current row' | 'group' | 'ties';
}

export type BoundFrameBound =
  | { readonly kind: 'unbounded-preceding' | 'unbounded-following' | 'current-row' }
  | { readonly kind: 'preceding' | 'following'; readonly offset: BoundExpr };
