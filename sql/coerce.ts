/** Implicit, assignment and explicit conversion of bound expressions, and common types (PostgreSQL's chapter 10). */
import type { Datum } from './base/datum.ts';
import { type Span, StreamError } from './base/error.ts';
import { type Domain, type SqlType, sameType, typeName, withoutDomain } from './base/type.ts';
import { type BindContext, sessionZone } from './bind-context.ts';
import type { BoundExpr } from './expression.ts';
import { literalFromText } from './function/cast.ts';
import type { CastContext } from './function/registry.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import { itemsOfNested, nestedArray } from './nested-array.ts';
import { categoryOf, isPreferred, sameBaseType, withoutModifiers } from './type-category.ts';

export const booleanType: SqlType = { kind: 'boolean' };
export const textType: SqlType = { kind: 'text' };
export const integerType: SqlType = { kind: 'integer' };
export const bigintType: SqlType = { kind: 'bigint' };
export const numericType: SqlType = { kind: 'numeric' };
export const unknownType: SqlType = { kind: 'unknown' };

/** Whether a value of one type may become the other in that context. */
export function canCoerce(
  from: SqlType,
  to: SqlType,
  castContext: CastContext,
  context: BindContext,
): boolean {
  if (from.kind === 'unknown' || sameBaseType(from, to)) return true;
  return context.registry.cast(from, withoutModifiers(to), castContext) !== undefined;
}

/**
 * The expression converted to the type, or undefined when that context has no conversion. An
 * untyped literal is read as the type at once.
 * @throws StreamError when an untyped literal is no value of the type.
 */
export function tryCoerce(
  expression: BoundExpr,
  to: SqlType,
  castContext: CastContext,
  context: BindContext,
): BoundExpr | undefined {
  if (to.domain !== undefined && to.domain.id !== expression.type.domain?.id) {
    const base = tryCoerce(expression, withoutDomain(to), castContext, context);
    return base && checkedByDomain(base, to, to.domain);
  }
  if (expression.type.kind === 'unknown') {
    if (to.kind === 'unknown') return expression;
    const typed = coerceUnknown(expression, to, castContext, context);
    if (typed !== undefined) return typed;
  }
  const nested = itemsOfNested(expression);
  if (nested !== undefined && to.kind === 'array') {
    const inner = tryCoerce(nested, to, castContext, context);
    return inner && nestedArray(inner);
  }
  if (expression.kind === 'row' && to.kind === 'row') {
    return coerceRow(expression, to, castContext, context);
  }
  if (expression.kind === 'array' && to.kind === 'array') {
    const element = to.element;
    const items = expression.items.map((item) => {
      const target = item.type.kind === 'array' && element.kind !== 'array' ? to : element;
      return tryCoerce(item, target, castContext, context);
    });
    if (items.every((item) => item !== undefined)) return { ...expression, items, type: to };
  }
  if (sameType(expression.type, to)) return expression;
  // A function's parameter takes every modifier of its type.
  if (castContext === 'implicit' && sameBaseType(expression.type, to) && !hasModifier(to)) {
    return expression;
  }
  const cast = context.registry.cast(expression.type, to, castContext);
  if (cast === undefined) return undefined;
  return {
    kind: 'cast',
    operand: expression,
    fn: cast.fn,
    try: false,
    type: to,
    span: expression.span,
  };
}

const domainCheck = ({ id }: Domain): string => `domain ${id}`;

/** The value as one of the domain, or the error that it is none. */
function checkedByDomain(operand: BoundExpr, type: SqlType, domain: Domain): BoundExpr {
  const fn: ScalarFunction = {
    name: domainCheck(domain),
    parameters: [operand.type],
    result: type,
    strict: false,
    evaluate: (value: Datum | null) => {
      domain.check(value);
      return value;
    },
    description: `values of ${domain.name}`,
    family: 'cast',
  };
  return { kind: 'call', fn, args: [operand], type, span: operand.span };
}

/** What stands in a check of the expression's domain; the expression itself where there is none. */
export function uncheckedByDomain(expression: BoundExpr): BoundExpr {
  const { domain } = expression.type;
  if (domain === undefined || expression.kind !== 'call') return expression;
  const [inner] = expression.args;
  return expression.fn.name === domainCheck(domain) && inner !== undefined ? inner : expression;
}

const hasModifier = (type: SqlType): boolean => !sameType(type, withoutModifiers(type));

function coerceUnknown(
  expression: BoundExpr,
  to: SqlType,
  castContext: CastContext,
  context: BindContext,
): BoundExpr | undefined {
  const span = expression.span;
  if (expression.kind === 'literal') {
    if (expression.value === null) return { kind: 'literal', value: null, type: to, span };
    const text = expression.value;
    if (typeof text !== 'string') return undefined;
    const value = withSpan(span, () =>
      literalFromText(text, to, castContext, context.statement.nowMicros, sessionZone(context)),
    );
    return { kind: 'literal', value, type: to, span };
  }
  if (expression.kind === 'parameter') {
    const known = context.parameterTypes[expression.index - 1];
    if (known === undefined) {
      context.parameterTypes[expression.index - 1] = withoutModifiers(to);
      return { ...expression, type: withoutModifiers(to) };
    }
    return tryCoerce({ ...expression, type: known }, to, castContext, context);
  }
  return undefined;
}

function coerceRow(
  expression: BoundExpr & { readonly kind: 'row' },
  to: SqlType & { readonly kind: 'row' },
  castContext: CastContext,
  context: BindContext,
): BoundExpr | undefined {
  if (expression.items.length !== to.fields.length) return undefined;
  const items = expression.items.map((item, index) =>
    tryCoerce(item, to.fields[index]?.type ?? item.type, castContext, context),
  );
  if (!items.every((item) => item !== undefined)) return undefined;
  return { ...expression, items, type: to };
}

/** Runs something and puts the place into its error when it has none. */
export function withSpan<Result>(at: Span | undefined, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof StreamError && error.at === undefined && at !== undefined) {
      const { hint, detail, cause } = error;
      throw new StreamError(error.code, error.message, { at, hint, detail, cause });
    }
    throw error;
  }
}

/** Implicit conversion that must work: the type was chosen because it does. */
export function coerce(expression: BoundExpr, to: SqlType, context: BindContext): BoundExpr {
  const done = tryCoerce(expression, to, 'implicit', context);
  if (done !== undefined) return done;
  throw new StreamError(
    'SQL_CANNOT_COERCE',
    `could not convert type ${typeName(expression.type)} to ${typeName(to)}`,
    { at: expression.span },
  );
}

/** `CAST(x AS t)`. @throws StreamError SQL_CANNOT_COERCE. */
export function castExplicitly(
  expression: BoundExpr,
  to: SqlType,
  isTry: boolean,
  span: Span,
  context: BindContext,
): BoundExpr {
  if (isTry && to.domain !== undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'TRY_CAST to a domain is not supported', {
      at: span,
      hint: 'TRY_CAST to the type that the domain is over, and test the value.',
    });
  }
  if (isTry && expression.type.kind === 'unknown') {
    // The literal is read when the query runs, so that failure is NULL.
    const text = { ...expression, type: textType };
    const cast = context.registry.cast(textType, to, 'explicit');
    if (to.kind === 'text') return text;
    return { kind: 'cast', operand: text, fn: cast?.fn, try: true, type: to, span };
  }
  const done = tryCoerce(expression, to, 'explicit', context);
  if (done === undefined) {
    throw new StreamError(
      'SQL_CANNOT_COERCE',
      `cannot cast type ${typeName(expression.type)} to ${typeName(to)}`,
      { at: span },
    );
  }
  return done.kind === 'cast' && done !== expression ? { ...done, try: isTry, span } : done;
}

/** A condition. @throws StreamError SQL_DATATYPE_MISMATCH naming the clause. */
export function coerceToBoolean(
  expression: BoundExpr,
  clause: string,
  context: BindContext,
): BoundExpr {
  const done = tryCoerce(expression, booleanType, 'implicit', context);
  if (done !== undefined) return done;
  throw new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `argument of ${clause} must be type boolean, not type ${typeName(expression.type)}`,
    { at: expression.span },
  );
}

/** Conversion of what INSERT, UPDATE or DEFAULT stores. @throws StreamError SQL_DATATYPE_MISMATCH. */
export function coerceAssignment(
  expression: BoundExpr,
  column: { readonly name: string; readonly type: SqlType },
  context: BindContext,
): BoundExpr {
  const done = tryCoerce(expression, column.type, 'assignment', context);
  if (done !== undefined) return done;
  throw new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `column "${column.name}" is of type ${typeName(column.type)} but expression is of type ${typeName(expression.type)}`,
    { at: expression.span, hint: 'You will need to rewrite or cast the expression.' },
  );
}

/** What is still untyped becomes text. */
export function resolveUnknown(expression: BoundExpr, context: BindContext): BoundExpr {
  return expression.type.kind === 'unknown' ? coerce(expression, textType, context) : expression;
}

/**
 * The type of UNION, CASE, VALUES, ARRAY, … (PostgreSQL, "UNION, CASE, and Related Constructs"). The
 * first operand counts most. Undefined when the types are of different categories.
 */
export function commonType(
  given: readonly SqlType[],
  context: BindContext,
): SqlType | { readonly conflict: readonly [SqlType, SqlType] } {
  const types = given.map(withoutDomain);
  const [first] = types;
  if (first === undefined) return textType;
  if (first.kind !== 'unknown' && types.every((type) => sameType(type, first))) return first;
  let chosen = withoutModifiers(first);
  for (const raw of types.slice(1)) {
    const next = withoutModifiers(raw);
    if (next.kind === 'unknown' || sameBaseType(next, chosen)) continue;
    if (chosen.kind === 'unknown') {
      chosen = next;
    } else if (categoryOf(next) !== categoryOf(chosen)) {
      return { conflict: [chosen, next] };
    } else if (
      !isPreferred(chosen) &&
      canCoerce(chosen, next, 'implicit', context) &&
      !canCoerce(next, chosen, 'implicit', context)
    ) {
      chosen = next;
    }
  }
  if (chosen.kind === 'unknown') return textType;
  // Modifiers survive when all operands agree on them, untyped literals too.
  const modified = types.find((type) => sameBaseType(type, chosen));
  return modified !== undefined && types.every((type) => sameType(type, modified))
    ? modified
    : chosen;
}

/** @throws StreamError SQL_DATATYPE_MISMATCH as `UNION types integer and text cannot be matched`. */
export function requireCommonType(
  expressions: readonly BoundExpr[],
  construct: string,
  context: BindContext,
): SqlType {
  const found = commonType(
    expressions.map((expression) => expression.type),
    context,
  );
  if ('kind' in found) return found;
  const [left, right] = found.conflict;
  const at = expressions.find((expression) => sameBaseType(expression.type, right))?.span;
  throw new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `${construct} types ${typeName(left)} and ${typeName(right)} cannot be matched`,
    { at },
  );
}

/** All expressions as their common type. @throws StreamError SQL_DATATYPE_MISMATCH, SQL_CANNOT_COERCE. */
export function unify(
  expressions: readonly BoundExpr[],
  construct: string,
  context: BindContext,
): { readonly type: SqlType; readonly expressions: readonly BoundExpr[] } {
  const type = requireCommonType(expressions, construct, context);
  const converted = expressions.map((expression) => {
    const done = tryCoerce(expression, type, 'implicit', context);
    if (done !== undefined) return done;
    throw new StreamError(
      'SQL_CANNOT_COERCE',
      `${construct} could not convert type ${typeName(expression.type)} to ${typeName(type)}`,
      { at: expression.span },
    );
  });
  return { type, expressions: converted };
}
