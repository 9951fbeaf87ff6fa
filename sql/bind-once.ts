/** Constructs that name an operand several times: NULLIF, BETWEEN, CASE … WHEN. */
import type { BoundExpr } from './expression.ts';
import { mapOperands, operandsOf } from './expression-map.ts';

/**
 * `build` over the value, which it may name any number of times: it is computed once, however deep such constructs
 * stand in each other. (PostgreSQL computes the operand of BETWEEN twice, which only a volatile one would show.)
 */
export function bindOnce(value: BoundExpr, build: (name: BoundExpr) => BoundExpr): BoundExpr {
  if (isCheap(value)) return build(value);
  const body = build({ kind: 'let-value', id: UNNUMBERED, type: value.type, span: value.span });
  const id = 1 + Math.max(letHeight(value), letHeight(body));
  return { kind: 'let', id, value, body: numbered(body, id), type: body.type, span: body.span };
}

/** What stands for the value until the height of its surroundings, and so its number, is known. */
const UNNUMBERED = 0;

/** Computed at no cost, or taken apart by the operators over it. */
function isCheap(value: BoundExpr): boolean {
  switch (value.kind) {
    case 'literal':
    case 'column':
    case 'outer-column':
    case 'parameter':
    case 'let-value':
    case 'row':
    case 'array':
      return true;
    case 'cast':
    case 'field':
      return isCheap(value.operand);
    case 'call':
      // now() and its like are replaced by a value, or by the clock of a view.
      return value.args.length === 0 && value.fn.volatility === 'stable';
    default:
      return false;
  }
}

function letHeight(expression: BoundExpr): number {
  const below = Math.max(0, ...operandsOf(expression).map(letHeight));
  return expression.kind === 'let' ? Math.max(expression.id, below) : below;
}

function numbered(expression: BoundExpr, id: number): BoundExpr {
  if (expression.kind === 'let-value' && expression.id === UNNUMBERED) return { ...expression, id };
  return mapOperands(expression, (operand) => numbered(operand, id));
}
