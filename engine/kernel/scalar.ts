import type { Datum, Row } from '../../sql/base/datum.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { Code } from './code.ts';
import { RowColumnReader } from './column-code.ts';
import { ExpressionCode } from './expression-code.ts';
import { build } from './row-loop.ts';
import { nullableDatumCode } from './value-code.ts';

/**
 * Compiles an expression for one row at a time: constants, defaults, checks, DML. Columns are the row's datums.
 * The function throws StreamError where the expression fails. Subqueries, parameters and outer columns must have been
 * replaced before.
 */
export function compileScalar(expression: BoundExpr): (row: Row) => Datum | null {
  const code = new Code();
  const generator = new ExpressionCode(code, new RowColumnReader(), false);
  const result = nullableDatumCode(code, generator.value(expression));
  const text = `return function scalar(row) {\n${code.text()}\n  return ${result};\n};`;
  return build(text, code) as (row: Row) => Datum | null;
}
