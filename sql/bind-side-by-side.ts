/** Several set-returning functions at once, `ROWS FROM (f(…), g(…))` or in one select list: their rows side by side. */
import type { SqlType } from './base/type.ts';
import type { BoundExpr } from './expression.ts';
import type { LogicalNode } from './logical-plan.ts';

export interface SetCall {
  readonly name: string;
  readonly args: readonly BoundExpr[];
  readonly schema: LogicalNode['schema'];
}

/** The table function whose arguments are the names of functions, their numbers of columns and a row of arguments each. */
export const SIDE_BY_SIDE = 'rows_from';

const texts: SqlType = { kind: 'array', element: { kind: 'text' } };
const integers: SqlType = { kind: 'array', element: { kind: 'integer' } };

/** One call stays as it is; of several the shorter ones go on with NULLs. */
export function sideBySide(calls: readonly SetCall[]): LogicalNode {
  const [only] = calls;
  if (only !== undefined && calls.length === 1) {
    const { name, args, schema } = only;
    return { kind: 'table-function', name, args, ordinality: false, schema };
  }
  const rows = calls.map(({ args }): BoundExpr => {
    const fields = args.map((arg, i) => ({ name: `f${i}`, type: arg.type, nullable: true }));
    return { kind: 'row', items: args, type: { kind: 'row', fields } };
  });
  const names: BoundExpr = { kind: 'literal', value: calls.map(({ name }) => name), type: texts };
  const widths: BoundExpr = {
    kind: 'literal',
    value: calls.map(({ schema }) => schema.length),
    type: integers,
  };
  return {
    kind: 'table-function',
    name: SIDE_BY_SIDE,
    args: [names, widths, ...rows],
    ordinality: false,
    schema: calls.flatMap(({ schema }) => schema.map((column) => ({ ...column, nullable: true }))),
  };
}
