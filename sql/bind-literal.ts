/** Constants. */
import type { Expression } from './ast.ts';
import { StreamError } from './base/error.ts';
import { findUnit, type IntervalFields, intervalFromText } from './base/interval-text.ts';
import { Numeric } from './base/numeric.ts';
import type { BindContext } from './bind-context.ts';
import { bindTypeName } from './bind-type.ts';
import {
  bigintType,
  castExplicitly,
  integerType,
  numericType,
  unknownType,
  withSpan,
} from './coerce.ts';
import type { BoundExpr } from './expression.ts';

const INTEGER_MAX = 2147483647n;
const BIGINT_MAX = 9223372036854775807n;

/** A number without a type: integer if it fits, else bigint, else numeric, as PostgreSQL decides. */
export function bindNumber(
  node: Expression & { readonly kind: 'number' },
  negative: boolean,
): BoundExpr {
  const digits = node.text.replaceAll('_', '');
  const text = negative ? `-${digits}` : digits;
  const span = node.span;
  if (/^(?:\d+|0[xXoObB][0-9a-fA-F]+)$/.test(digits)) {
    const magnitude = BigInt(digits);
    const value = negative ? -magnitude : magnitude;
    if (value <= INTEGER_MAX && value >= -INTEGER_MAX - 1n) {
      return { kind: 'literal', value: Number(value), type: integerType, span };
    }
    if (value <= BIGINT_MAX && value >= -BIGINT_MAX - 1n) {
      return { kind: 'literal', value, type: bigintType, span };
    }
    return { kind: 'literal', value: Numeric.parse(String(value)), type: numericType, span };
  }
  const value = withSpan(span, () => Numeric.parse(text));
  return { kind: 'literal', value, type: numericType, span };
}

/** `DATE '2024-01-01'`, `INTERVAL '1' DAY`: the text is read as the type at once. */
export function bindTypedLiteral(
  node: Expression & { readonly kind: 'typed-literal' },
  context: BindContext,
): BoundExpr {
  const type = bindTypeName(node.type, context);
  const span = node.span;
  const fields = node.type.intervalFields;
  const precision = node.type.modifiers[0];
  if (type.kind === 'interval' && (fields !== undefined || precision !== undefined)) {
    const value = withSpan(span, () =>
      intervalFromText(node.value, intervalFields(fields), precision),
    );
    return { kind: 'literal', value, type, span };
  }
  const text: BoundExpr = { kind: 'literal', value: node.value, type: unknownType, span };
  return castExplicitly(text, type, false, span, context);
}

/** `DAY TO SECOND` as the units it goes from and to. */
function intervalFields(written: string | undefined): IntervalFields | undefined {
  const [first, last = first] = (written ?? '').toLowerCase().split(' to ');
  const from = first === undefined ? undefined : findUnit(first);
  const to = last === undefined ? undefined : findUnit(last);
  return from === undefined || to === undefined ? undefined : { from, to };
}

/**
 * `$n`: its value when the statement has one, else a typed hole. Without a declared type it is an untyped
 * literal, or gets the type of the first place that it is used in.
 */
export function bindParameter(
  node: Expression & { readonly kind: 'parameter' },
  context: BindContext,
): BoundExpr {
  const { index, span } = node;
  const { params, paramTypes } = context.statement;
  if (index < 1) {
    throw new StreamError('SQL_UNDEFINED_PARAMETER', `there is no parameter $${index}`, {
      at: span,
    });
  }
  const declared = paramTypes[index - 1] ?? context.parameterTypes[index - 1];
  const value = params[index - 1];
  if (value !== undefined) {
    return { kind: 'literal', value, type: declared ?? unknownType, span };
  }
  if (params.length > 0) {
    throw new StreamError('SQL_UNDEFINED_PARAMETER', `there is no parameter $${index}`, {
      at: span,
    });
  }
  return { kind: 'parameter', index, type: declared ?? unknownType, span };
}
