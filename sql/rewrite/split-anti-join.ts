/** NOT IN with NULLs, as joins that look rows up. */
import { booleanType } from '../coerce.ts';
import type { BoundExpr } from '../expression.ts';
import { registry } from '../function/builtin.ts';
import type { ScalarFunction } from '../function/scalar-function.ts';
import { conjunction, conjunctsOf, sideOf } from '../join-keys.ts';
import { mapInputs, shiftColumns } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { sameBaseType } from '../type-category.ts';
import { filter } from './push-filters.ts';

type Join = LogicalNode & { readonly kind: 'join' };

/**
 * anti join(x, y on p AND (a <> b) IS NOT TRUE)
 *   =>  anti join(anti join(anti join(x, y on p AND a = b), y on p AND a IS NULL), filter(y, b IS NULL) on p)
 * (likewise with (a = b) IS NOT FALSE)
 * Pays: the first one looks rows up by an equality, and of y the others keep only what p reads: nothing, for most.
 * Safe: a <> b is not true where the two are equal or one of them is NULL; a row goes if any of these holds for one of y.
 */
export function splitAntiJoins(node: LogicalNode): LogicalNode {
  const next = mapInputs(node, splitAntiJoins);
  return next.kind === 'join' && next.type === 'anti' ? split(next) : next;
}

function split(join: Join): LogicalNode {
  const parts = conjunctsOf(join.on);
  const width = join.left.schema.length;
  for (const part of parts) {
    const sides = objectionOf(part, width);
    if (sides === undefined) continue;
    const rest = parts.filter((other) => other !== part);
    const isNull = (operand: BoundExpr): BoundExpr => ({
      kind: 'is-null',
      operand,
      negated: false,
      type: booleanType,
    });
    const anti = (
      left: LogicalNode,
      right: LogicalNode,
      on: readonly BoundExpr[],
    ): LogicalNode => ({
      ...join,
      left,
      right,
      on: conjunction([...rest, ...on]),
    });
    const withoutEqual = anti(join.left, join.right, [sides.equal]);
    const known = anti(withoutEqual, join.right, [isNull(sides.left)]);
    const unknown = filter(join.right, [isNull(shiftColumns(sides.right, -width))]);
    return anti(known, unknown, []);
  }
  return join;
}

interface Objection {
  readonly equal: BoundExpr;
  readonly left: BoundExpr;
  readonly right: BoundExpr;
}

function objectionOf(part: BoundExpr, width: number): Objection | undefined {
  if (part.kind !== 'is-truth' || !part.negated || part.operand.kind !== 'call') return undefined;
  const { fn, args } = part.operand;
  const equal = fn.name === '=' && !part.value ? fn : equalityOf(fn);
  if (equal === undefined || (fn.name === '<>') !== part.value) return undefined;
  const [a, b, other] = args;
  if (a === undefined || b === undefined || other !== undefined) return undefined;
  const sides = [sideOf(a, width), sideOf(b, width)];
  const isPlain = sides.includes('left') && sides.includes('right');
  if (!isPlain) return undefined;
  const [left, right] = sides[0] === 'left' ? [a, b] : [b, a];
  const { type, span } = part.operand;
  return { equal: { kind: 'call', fn: equal, args: [a, b], type, span }, left, right };
}

/** The `=` over what a `<>` compares. */
export function equalityOf(fn: ScalarFunction): ScalarFunction | undefined {
  if (fn.name !== '<>') return undefined;
  return registry
    .scalars('=')
    .find((equal) =>
      equal.parameters.every((type, index) => sameBaseType(type, fn.parameters[index] ?? type)),
    );
}
