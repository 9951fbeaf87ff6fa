/** pg_input_is_valid(text, type): whether the type's input function takes the text. */
import { type Span, StreamError } from './base/error.ts';
import { fromText } from './base/text-input.ts';
import { type SqlType, typeName } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { bindScalar } from './bind-scalar.ts';
import { bindTypeName } from './bind-type.ts';
import { booleanType, coerce, textType } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import { parseTypeName } from './parser.ts';

/** The type has to be written out. @throws StreamError SQL_SYNTAX, SQL_UNKNOWN_TYPE. */
export function bindInputIsValid(
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const [text, named] = args;
  const name = named?.kind === 'literal' ? named.value : undefined;
  if (text === undefined || args.length !== 2 || typeof name !== 'string') {
    return bindScalar('pg_input_is_valid', args, span, context);
  }
  const type = bindTypeName(parseTypeName(name), context);
  const { nowMicros } = context.statement;
  const fn: ScalarFunction = {
    name: `pg_input_is_valid ${typeName(type)}`,
    parameters: [textType],
    result: booleanType,
    evaluate: (value: string) => isInput(value, type, nowMicros),
    description: 'whether a text is the input of a type',
    family: 'string',
  };
  return { kind: 'call', fn, args: [coerce(text, textType, context)], type: fn.result, span };
}

function isInput(text: string, type: SqlType, nowMicros: bigint): boolean {
  try {
    fromText(text, type, nowMicros);
    return true;
  } catch (error) {
    if (error instanceof StreamError) return false;
    throw error;
  }
}
