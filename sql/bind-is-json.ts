/** `x IS [NOT] JSON [OBJECT | ARRAY | SCALAR] [WITH UNIQUE KEYS]`. */
import { type Span, StreamError } from './base/error.ts';
import { typeName } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { booleanType, resolveUnknown } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { isJson } from './function/json-object.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

const documentKinds: ReadonlySet<string> = new Set(['text', 'varchar', 'char', 'json', 'jsonb']);

/** @param detail  as the parser has it, `object`, `array with unique`. */
export function bindIsJson(
  operand: BoundExpr,
  detail: string | undefined,
  negated: boolean,
  span: Span,
  context: BindContext,
): BoundExpr {
  const text = resolveUnknown(operand, context);
  if (!documentKinds.has(text.type.kind)) {
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `cannot use type ${typeName(text.type)} in IS JSON predicate`,
      { at: operand.span },
    );
  }
  const fn: ScalarFunction = {
    name: `${negated ? 'is not json' : 'is json'} ${detail ?? ''}`,
    parameters: [text.type],
    result: booleanType,
    evaluate: (value: string) => isJson(value, detail) !== negated,
    description: 'is the text a JSON document',
    family: 'json',
  };
  return { kind: 'call', fn, args: [text], type: booleanType, span };
}
