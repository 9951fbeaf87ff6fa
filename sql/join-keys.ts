/** A join's condition as equalities between the sides, and the rest. */
import type { BoundExpr } from './expression.ts';
import { mapColumns, shiftColumns, visitOuterColumns } from './logical-map.ts';

export interface KeyPair {
  /** Over the left side's columns. */
  readonly left: BoundExpr;
  /** Over the right side's own columns. */
  readonly right: BoundExpr;
  /** IS NOT DISTINCT FROM: NULL meets NULL. */
  readonly nullSafe: boolean;
}

export interface JoinKeys {
  readonly pairs: readonly KeyPair[];
  /** Conditions that are no equality between the sides; over left then right columns. */
  readonly rest: readonly BoundExpr[];
}

/** The operands of AND, or the condition itself; nothing for a missing one. */
export function conjunctsOf(condition: BoundExpr | undefined): readonly BoundExpr[] {
  if (condition === undefined) return [];
  return condition.kind === 'and' ? condition.args.flatMap(conjunctsOf) : [condition];
}

/** All of the conditions; undefined for none. */
export function conjunction(conditions: readonly BoundExpr[]): BoundExpr | undefined {
  const args = conditions.flatMap(conjunctsOf);
  const [only] = args;
  if (only === undefined || args.length === 1) return only;
  return { kind: 'and', args, type: { kind: 'boolean' } };
}

/** Splits `on`, whose columns count the left side's, then the right side's. */
export function joinKeys(on: BoundExpr | undefined, leftWidth: number): JoinKeys {
  const pairs: KeyPair[] = [];
  const rest: BoundExpr[] = [];
  for (const part of conjunctsOf(on)) {
    const pair = keyPair(part, leftWidth);
    if (pair === undefined) rest.push(part);
    else pairs.push(pair);
  }
  return { pairs, rest };
}

function keyPair(part: BoundExpr, leftWidth: number): KeyPair | undefined {
  let first: BoundExpr | undefined;
  let second: BoundExpr | undefined;
  const nullSafe = part.kind === 'is-distinct';
  if (part.kind === 'call' && part.fn.name === '=') [first, second] = part.args;
  else if (part.kind === 'is-distinct' && part.negated) ({ left: first, right: second } = part);
  if (first === undefined || second === undefined) return undefined;
  const a = sideOf(first, leftWidth);
  const b = sideOf(second, leftWidth);
  if (a === 'left' && b === 'right') {
    return { left: first, right: shiftColumns(second, -leftWidth), nullSafe };
  }
  if (a === 'right' && b === 'left') {
    return { left: second, right: shiftColumns(first, -leftWidth), nullSafe };
  }
  return undefined;
}

/** Which side's columns an expression reads; `none` for a constant, `both` also for one with outer columns. */
export function sideOf(
  expression: BoundExpr,
  leftWidth: number,
): 'left' | 'right' | 'none' | 'both' {
  let left = false;
  let right = false;
  mapColumns(expression, (column) => {
    if (column.index < leftWidth) left = true;
    else right = true;
    return column;
  });
  let outer = false;
  visitOuterColumns(expression, () => {
    outer = true;
  });
  if (outer || (left && right)) return 'both';
  if (left) return 'left';
  return right ? 'right' : 'none';
}
