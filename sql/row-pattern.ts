/** A bound MATCH_RECOGNIZE (ISO/IEC 19075-5): its pattern, and what conditions and measures read of a match. */
import type { SqlType } from './base/type.ts';
import type { BoundAggregate, BoundExpr } from './expression.ts';
import { mapAggregate } from './expression-map.ts';

/** Variables are numbers of `MatchShape.variables`. */
export type BoundPattern =
  | { readonly kind: 'variable'; readonly variable: number }
  | {
      readonly kind: 'sequence' | 'alternation' | 'permute';
      readonly items: readonly BoundPattern[];
    }
  | { readonly kind: 'empty' | 'start' | 'end' }
  | { readonly kind: 'exclusion'; readonly pattern: BoundPattern }
  | {
      readonly kind: 'quantified';
      readonly pattern: BoundPattern;
      readonly min: number;
      /** Undefined = without end. */
      readonly max: number | undefined;
      readonly reluctant: boolean;
    };

/** Rows that are mapped to one of these variables; undefined = all rows of the match. */
export type MatchRows = readonly number[] | undefined;

/**
 * What an expression reads of a match, as of its current row; with `final` as of its last row. `of` and an aggregate's
 * arguments are over one row: its input columns, and `let-value` ROW_CLASSIFIER for the variable that it is mapped to.
 */
export type MatchValue = { readonly type: SqlType } & (
  | {
      readonly kind: 'navigate';
      readonly of: BoundExpr;
      readonly rows: MatchRows;
      readonly from: 'first' | 'last';
      /** Rows of `rows` on from there: FIRST and LAST. */
      readonly offset: number;
      /** Rows of the partition on from there, negative = back: PREV and NEXT. */
      readonly shift: number;
      readonly final: boolean;
    }
  | {
      readonly kind: 'aggregate';
      readonly aggregate: BoundAggregate;
      readonly rows: MatchRows;
      readonly final: boolean;
    }
  | { readonly kind: 'match-number' }
);

export type MatchSkip =
  | { readonly kind: 'past-last-row' | 'to-next-row' }
  | {
      readonly kind: 'to-first' | 'to-last';
      readonly variable: string;
      readonly variables: readonly number[];
    };

export interface MatchShape {
  /** The variables of the pattern, by number. */
  readonly variables: readonly string[];
  readonly pattern: BoundPattern;
  /** In `define` and `measures`, `let-value` matchValueId(i) stands for value i, and there are no columns. */
  readonly values: readonly MatchValue[];
  /** By variable; undefined = every row. */
  readonly define: readonly (BoundExpr | undefined)[];
  readonly measures: readonly BoundExpr[];
  readonly rowsPerMatch: 'one' | 'all-show-empty' | 'all-omit-empty' | 'all-with-unmatched';
  readonly skip: MatchSkip;
  /** Most microseconds from a match's first row to its last one, by the first ORDER BY column. */
  readonly withinMicros: bigint | undefined;
}

/** What comes out: a column of the input's row (of the partition, with ONE ROW PER MATCH), or a measure. */
export type MatchOutput =
  | { readonly kind: 'column'; readonly column: number }
  | { readonly kind: 'measure'; readonly measure: number };

/** Below 0, where no `let` has its number. */
export const ROW_CLASSIFIER = -1;

export const matchValueId = (value: number): number => ROW_CLASSIFIER - 1 - value;

export const matchValueOf = (id: number): number => ROW_CLASSIFIER - 1 - id;

/** Applies `change` to every expression; those of measures and conditions hold no columns. Nothing changed = the same object. */
export function mapMatchShape<Shape extends MatchShape>(
  shape: Shape,
  change: (expression: BoundExpr) => BoundExpr,
): Shape {
  let same = true;
  const changed = (expression: BoundExpr): BoundExpr => {
    const next = change(expression);
    same &&= next === expression;
    return next;
  };
  const values = shape.values.map((value): MatchValue => {
    switch (value.kind) {
      case 'navigate':
        return { ...value, of: changed(value.of) };
      case 'aggregate':
        return { ...value, aggregate: mapAggregate(value.aggregate, changed) };
      case 'match-number':
        return value;
      default:
        return value satisfies never;
    }
  });
  const define = shape.define.map((condition) => condition && changed(condition));
  const measures = shape.measures.map(changed);
  return same ? shape : { ...shape, values, define, measures };
}

/** Whether such a part is anywhere in the pattern. */
export function holdsKind(pattern: BoundPattern, kind: BoundPattern['kind']): boolean {
  if (pattern.kind === kind) return true;
  if ('items' in pattern) return pattern.items.some((item) => holdsKind(item, kind));
  return 'pattern' in pattern && holdsKind(pattern.pattern, kind);
}

/** Most parts of a pattern: A{n} counts n times, PERMUTE of n parts n! times. */
export const PATTERN_SIZE_MAX = 10_000;

/** How many parts the pattern has when everything in it is written out. */
export function patternSize(pattern: BoundPattern): number {
  const sum = (items: readonly BoundPattern[]): number =>
    items.reduce((size, item) => size + patternSize(item), 1);
  switch (pattern.kind) {
    case 'variable':
    case 'empty':
    case 'start':
    case 'end':
      return 1;
    case 'sequence':
    case 'alternation':
      return sum(pattern.items);
    case 'permute':
      return pattern.items.reduce((size, _, i) => size * (i + 1), 1) * sum(pattern.items);
    case 'exclusion':
      return patternSize(pattern.pattern);
    case 'quantified':
      return Math.max(pattern.min + 1, pattern.max ?? 0) * patternSize(pattern.pattern);
    default:
      return pattern satisfies never;
  }
}
