/** The tree of an SQL/JSON path, as PostgreSQL's grammar (jsonpath_gram.y) has it. */
import type { Numeric } from './numeric.ts';
import type { CompiledRegex } from './regex.ts';

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Arithmetic = '+' | '-' | '*' | '/' | '%';

export const plainMethods = [
  ...(['abs', 'bigint', 'boolean', 'ceiling', 'double', 'floor', 'integer', 'keyvalue'] as const),
  ...(['number', 'size', 'string', 'type'] as const),
] as const;
export type PlainMethod = (typeof plainMethods)[number];

/** Gives a sequence of items. */
export type PathValue =
  | { readonly kind: 'literal'; readonly value: null | boolean | string | Numeric }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'root' | 'current' | 'last' }
  | { readonly kind: 'steps'; readonly base: PathNode; readonly steps: readonly PathStep[] }
  | { readonly kind: 'sign'; readonly minus: boolean; readonly operand: PathValue }
  | {
      readonly kind: 'arithmetic';
      readonly operator: Arithmetic;
      readonly left: PathValue;
      readonly right: PathValue;
    };

/** Gives true, false or unknown. */
export type PathPredicate =
  | { readonly kind: 'and' | 'or'; readonly left: PathPredicate; readonly right: PathPredicate }
  | { readonly kind: 'not' | 'is-unknown'; readonly operand: PathPredicate }
  | { readonly kind: 'exists'; readonly operand: PathValue }
  | {
      readonly kind: 'compare';
      readonly operator: Comparison;
      readonly left: PathValue;
      readonly right: PathValue;
    }
  | { readonly kind: 'starts-with'; readonly operand: PathValue; readonly prefix: PathValue }
  | { readonly kind: 'like-regex'; readonly operand: PathValue; readonly regex: CompiledRegex };

export type PathNode = PathValue | PathPredicate;

export type PathStep =
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'any-key' }
  | { readonly kind: 'any-element' }
  /** Levels below the item; `last` is the deepest, where nothing is left to go into. */
  | { readonly kind: 'any-level'; readonly from: number | 'last'; readonly to: number | 'last' }
  | { readonly kind: 'elements'; readonly ranges: readonly PathRange[] }
  | { readonly kind: 'filter'; readonly condition: PathPredicate }
  | { readonly kind: 'method'; readonly name: PlainMethod }
  | {
      readonly kind: 'decimal';
      readonly precision: number | undefined;
      readonly scale: number | undefined;
    };

export interface PathRange {
  readonly from: PathValue;
  /** Undefined for one subscript. */
  readonly to: PathValue | undefined;
}

export interface JsonPath {
  readonly lax: boolean;
  readonly root: PathNode;
}

const predicateKinds: ReadonlySet<PathNode['kind']> = new Set([
  ...(['and', 'or', 'not', 'is-unknown', 'exists', 'compare', 'starts-with'] as const),
  'like-regex',
]);

export function isPredicate(node: PathNode): node is PathPredicate {
  return predicateKinds.has(node.kind);
}
