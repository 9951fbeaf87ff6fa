/** Operators: overloads, comparison of rows, and what they are called in errors. */
import { type Span, StreamError } from './base/error.ts';
import { type SqlType, typeName } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { parametersFor, resolveOperator } from './bind-overload.ts';
import { booleanType, canCoerce, coerce, commonType, textType, tryCoerce } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { resolvePolymorphic } from './function/builtin.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import { withoutModifiers } from './type-category.ts';

/** The type as errors print it; an untyped literal is `unknown`. */
export const typeLabel = (type: SqlType): string => typeName(type);

/**
 * `left op right`, or `op right` when `left` is undefined.
 * @throws StreamError SQL_UNKNOWN_FUNCTION, SQL_AMBIGUOUS_FUNCTION with PostgreSQL's messages.
 */
export function bindOperator(
  op: string,
  operands: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const [left, right] = operands;
  if (left !== undefined && right !== undefined && isComparison(op)) {
    if (left.type.kind === 'row' && right.type.kind === 'row') {
      const whole = compareRecords(op, left, right, span, context);
      if (whole !== undefined) return whole;
    }
    if (left.type.kind === 'row' || right.type.kind === 'row') {
      return compareRows(op, left, right, span, context);
    }
  }
  const fn = resolveOperatorFunction(
    op,
    operands.map((operand) => operand.type),
    span,
    context,
  );
  const parameters = parametersFor(fn, operands.length) ?? fn.parameters;
  const args = operands.map((operand, index) =>
    coerce(operand, parameters[index] ?? operand.type, context),
  );
  return { kind: 'call', fn, args, type: fn.result, span };
}

/** The function behind an operator for operands of these types. */
export function resolveOperatorFunction(
  op: string,
  types: readonly SqlType[],
  span: Span | undefined,
  context: BindContext,
): ScalarFunction {
  const candidates = operatorCandidates(context.registry.scalars(op));
  const found = resolveOperator(candidates, types, context);
  if (found.kind === 'found') return found.candidate.fn;
  const polymorphic = polymorphicOperator(op, types, context);
  if (polymorphic !== undefined) return polymorphic;
  const labels = types.map(typeLabel);
  const written = labels.length === 1 ? `${op} ${labels[0]}` : `${labels[0]} ${op} ${labels[1]}`;
  if (found.kind === 'ambiguous') {
    throw new StreamError('SQL_AMBIGUOUS_FUNCTION', `operator is not unique: ${written}`, {
      at: span,
      hint: 'Could not choose a best candidate operator. You might need to add explicit type casts.',
    });
  }
  throw new StreamError('SQL_UNKNOWN_FUNCTION', `operator does not exist: ${written}`, {
    at: span,
    hint:
      types.length === 1
        ? 'No operator matches the given name and argument type. You might need to add an explicit type cast.'
        : 'No operator matches the given name and argument types. You might need to add explicit type casts.',
  });
}

/**
 * Operators of no fixed type (arrays, || with text). An untyped operand first takes the other's type, then
 * text; what the resolver proposes counts only if the operands convert to it.
 */
function polymorphicOperator(
  op: string,
  types: readonly SqlType[],
  context: BindContext,
): ScalarFunction | undefined {
  const [left, right] = types;
  if (left === undefined || right === undefined) return undefined;
  if (isComparison(op) && left.kind === 'array' && right.kind === 'array') {
    const common = commonType([left, right], context);
    if (!('kind' in common)) return undefined;
    return fitting(resolvePolymorphic(op, [common, common]), types, context);
  }
  if (op === '||' && (left.kind === 'array') !== (right.kind === 'array')) {
    const compatible = compatibleElement(left, right, context);
    const found = compatible && fitting(resolvePolymorphic(op, compatible), types, context);
    if (found !== undefined) return found;
  }
  const known = left.kind === 'unknown' ? right : left;
  const assume = (otherwise: SqlType): readonly SqlType[] =>
    types.map((type) => (type.kind === 'unknown' ? otherwise : type));
  return (
    fitting(resolvePolymorphic(op, assume(known)), types, context) ??
    fitting(resolvePolymorphic(op, assume(textType)), types, context)
  );
}

/** array || element: both get the elements' common type. An untyped operand is an array. */
function compatibleElement(
  left: SqlType,
  right: SqlType,
  context: BindContext,
): readonly SqlType[] | undefined {
  if (left.kind === 'unknown' || right.kind === 'unknown') return undefined;
  const elements = [left, right].map((type) => (type.kind === 'array' ? type.element : type));
  const common = commonType(elements, context);
  if (!('kind' in common)) return undefined;
  const element = withoutModifiers(common);
  const array: SqlType = { kind: 'array', element };
  return [left, right].map((type) => (type.kind === 'array' ? array : element));
}

function fitting(
  fn: ScalarFunction | undefined,
  types: readonly SqlType[],
  context: BindContext,
): ScalarFunction | undefined {
  const fits = fn?.parameters.every((parameter, index) => {
    const type = types[index];
    return type !== undefined && canCoerce(type, parameter, 'implicit', context);
  });
  return fits === true ? fn : undefined;
}

const doubleType: SqlType = { kind: 'double' };
const realType: SqlType = { kind: 'real' };

interface OperatorCandidate {
  readonly parameters: readonly SqlType[];
  readonly fn: ScalarFunction;
}

/**
 * The overloads, and for those over doubles the two that mix double precision with real: PostgreSQL has
 * them, and they make `integer = real` a comparison of doubles.
 */
function operatorCandidates(overloads: readonly ScalarFunction[]): readonly OperatorCandidate[] {
  return overloads.flatMap((fn): OperatorCandidate[] => {
    const own = { parameters: fn.parameters, fn };
    const overDoubles =
      fn.parameters.length === 2 && fn.parameters.every((p) => p.kind === 'double');
    const hasReal = overloads.some((other) => other.parameters.every((p) => p.kind === 'real'));
    if (!overDoubles || !hasReal) return [own];
    return [
      own,
      { parameters: [doubleType, realType], fn },
      { parameters: [realType, doubleType], fn },
    ];
  });
}

const comparisons: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);

export const isComparison = (op: string): boolean => comparisons.has(op);

/** The attributes of a row, each by itself; undefined for anything else. */
export function itemsOf(operand: BoundExpr): readonly BoundExpr[] | undefined {
  if (operand.type.kind !== 'row') return undefined;
  if (operand.kind === 'row') return operand.items;
  return operand.type.fields.map((field, index) => ({
    kind: 'field',
    operand,
    index,
    type: field.type,
    span: operand.span,
  }));
}

/** ROW(…) as it is written, and not cast to a composite type. */
const isConstructor = ({ kind, type }: BoundExpr): boolean =>
  kind === 'row' && type.kind === 'row' && type.name === undefined;

/**
 * Rows that are values compare as a whole, NULL equal to NULL and greater than anything else. Undefined for two constructors.
 * @throws StreamError SQL_DATATYPE_MISMATCH.
 */
function compareRecords(
  op: string,
  left: BoundExpr,
  right: BoundExpr,
  span: Span,
  context: BindContext,
): BoundExpr | undefined {
  if (isConstructor(left) && isConstructor(right)) return undefined;
  const [value, other] = isConstructor(left) ? [right, left] : [left, right];
  const same = tryCoerce(other, value.type, 'implicit', context);
  const fn = resolvePolymorphic(op, [value.type, value.type]);
  if (same === undefined || fn === undefined) {
    throw new StreamError('SQL_DATATYPE_MISMATCH', 'cannot compare dissimilar column types', {
      at: span,
    });
  }
  const args = value === left ? [left, same] : [same, right];
  return { kind: 'call', fn, args, type: fn.result, span };
}

/**
 * (a, b) = (c, d) is a = c AND b = d; <> is OR of <>; an order looks at the first pair that differs:
 * (a, b) < (c, d) is a < c OR (a = c AND b < d).
 */
function compareRows(
  op: string,
  left: BoundExpr,
  right: BoundExpr,
  span: Span,
  context: BindContext,
): BoundExpr {
  const lefts = itemsOf(left);
  const rights = itemsOf(right);
  if (lefts === undefined || rights === undefined) {
    resolveOperatorFunction(op, [left.type, right.type], span, context);
    throw new StreamError('SQL_DATATYPE_MISMATCH', 'a row can only be compared with a row', {
      at: span,
    });
  }
  if (lefts.length !== rights.length) {
    throw new StreamError('SQL_SYNTAX', 'unequal number of entries in row expressions', {
      at: span,
    });
  }
  if (lefts.length === 0) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'cannot compare rows of zero length', { at: span });
  }
  const pairs = lefts.map((item, index) => [item, rights[index] ?? item] as const);
  if (op === '=' || op === '<>') {
    const args = pairs.map(([a, b]) => bindOperator(op, [a, b], span, context));
    return combine(op === '=' ? 'and' : 'or', args, span);
  }
  const strict = op.slice(0, 1);
  return pairs.reduceRight<BoundExpr | undefined>((rest, [a, b]) => {
    if (rest === undefined) return bindOperator(op, [a, b], span, context);
    const differs = bindOperator(strict, [a, b], span, context);
    const equal = bindOperator('=', [a, b], span, context);
    return combine('or', [differs, combine('and', [equal, rest], span)], span);
  }, undefined) as BoundExpr;
}

/** AND or OR, flattened; one operand stands alone. */
export function combine(
  kind: 'and' | 'or',
  args: readonly BoundExpr[],
  span?: Span | undefined,
): BoundExpr {
  const flat = args.flatMap((arg) => (arg.kind === kind ? arg.args : [arg]));
  const [only] = flat;
  if (only !== undefined && flat.length === 1) return only;
  return { kind, args: flat, type: booleanType, span };
}
