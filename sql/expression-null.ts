/** Whether an expression may be NULL. */
import { assertNever } from './base/assert.ts';
import type { Schema } from './base/type.ts';
import type { BoundExpr } from './expression.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

/** Families whose strict functions give a value for every value. */
const totalFamilies: ReadonlySet<ScalarFunction['family']> = new Set([
  'comparison',
  'math',
  'pattern',
]);

/** Functions of other families that do. */
const totalNames: ReadonlySet<string> = new Set([
  ...['lower', 'upper', 'length', 'char_length', 'octet_length', 'btrim', 'ltrim', 'rtrim'],
  ...['||', 'substring', 'substr', 'left', 'right', 'replace', 'concat', 'date_trunc', 'now'],
]);

/** False only when no row of `input` makes the expression NULL. */
export function mayBeNull(expression: BoundExpr, input: Schema): boolean {
  const any = (parts: readonly BoundExpr[]): boolean =>
    parts.some((part) => mayBeNull(part, input));
  switch (expression.kind) {
    case 'literal':
      return expression.value === null;
    case 'column':
      return input[expression.index]?.nullable ?? true;
    case 'outer-column':
    case 'parameter':
    case 'field':
    case 'let-value':
    case 'subquery':
      return expression.kind !== 'subquery' || expression.mode !== 'exists';
    case 'call':
      return !isTotal(expression.fn) || any(expression.args);
    case 'cast': {
      const json = ['json', 'jsonb'].includes(expression.operand.type.kind);
      return expression.try || json || mayBeNull(expression.operand, input);
    }
    case 'and':
    case 'or':
      return any(expression.args);
    case 'not':
      return mayBeNull(expression.operand, input);
    case 'is-null':
    case 'is-truth':
    case 'is-distinct':
    case 'array':
    case 'row':
      return false;
    case 'case':
      return (
        expression.otherwise === undefined ||
        mayBeNull(expression.otherwise, input) ||
        any(expression.whens.map((branch) => branch.then))
      );
    case 'let':
      return mayBeNull(expression.body, input);
    case 'coalesce':
      return expression.args.every((arg) => mayBeNull(arg, input));
    case 'in-list':
      return mayBeNull(expression.operand, input) || any(expression.items);
    default:
      return assertNever(expression);
  }
}

const isTotal = (fn: ScalarFunction): boolean =>
  fn.strict !== false && (totalFamilies.has(fn.family) || totalNames.has(fn.name));
