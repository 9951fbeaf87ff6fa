/** Scalar functions by name and bound arguments. */
import { type Span, StreamError } from './base/error.ts';
import type { SqlType } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { closestName } from './bind-near-miss.ts';
import { typeLabel } from './bind-operator.ts';
import { parametersFor, resolveOverload } from './bind-overload.ts';
import { typeOfFunctionName } from './bind-type.ts';
import { refuseUnknown } from './bind-unknown.ts';
import { castExplicitly, coerce, commonType, textType, tryCoerce } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { absenceReason } from './function/absent-function.ts';
import { resolvePolymorphic } from './function/builtin.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import { withoutModifiers } from './type-category.ts';

/**
 * `name(args)` as a call of the overload that PostgreSQL would choose.
 * @throws StreamError SQL_UNKNOWN_FUNCTION, SQL_AMBIGUOUS_FUNCTION.
 */
export function bindScalar(
  name: string,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const types = args.map((arg) => arg.type);
  const found = resolveOverload(context.registry.scalars(name), types, context);
  if (found.kind === 'found') return callOf(found.candidate, args, span, context);
  refuseUnknown(name, types, span);
  const polymorphic = bindPolymorphic(name, args, span, context);
  if (polymorphic !== undefined) return polymorphic;
  const cast = bindCastCall(name, args, span, context);
  if (cast !== undefined) return cast;
  throw found.kind === 'ambiguous'
    ? ambiguousFunction(name, types, span)
    : unknownFunction(name, types, span, context.registry.names());
}

function callOf(
  fn: ScalarFunction,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const parameters = parametersFor(fn, args.length) ?? fn.parameters;
  const converted = args.map((arg, index) => coerce(arg, parameters[index] ?? arg.type, context));
  return { kind: 'call', fn, args: converted, type: fn.result, span };
}

function bindPolymorphic(
  name: string,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr | undefined {
  const shape = compatibleArrays.get(name);
  const types = shape === undefined ? knownTypes(args) : compatibleTypes(shape, args, context);
  const fn = types && (resolvePolymorphic(name, types) ?? resolvePolymorphic(name, asKnown(args)));
  if (fn === undefined) return undefined;
  const parameters = parametersFor(fn, args.length) ?? fn.parameters;
  const converted = args.map((arg, index) =>
    tryCoerce(arg, parameters[index] ?? arg.type, 'implicit', context),
  );
  if (!converted.every((arg) => arg !== undefined)) return undefined;
  return { kind: 'call', fn, args: converted, type: fn.result, span };
}

const knownTypes = (args: readonly BoundExpr[]): readonly SqlType[] =>
  args.map((arg) => (arg.type.kind === 'unknown' ? textType : arg.type));

/** An untyped literal beside a value of an enum or range type is one of it. */
function asKnown(args: readonly BoundExpr[]): readonly SqlType[] {
  const isOwn = ({ type }: BoundExpr): boolean => type.kind === 'enum' || type.kind === 'range';
  const known = args.find(isOwn)?.type ?? textType;
  return args.map((arg) => (arg.type.kind === 'unknown' ? known : arg.type));
}

/**
 * Functions over PostgreSQL's anycompatible types: arrays and elements that get one element type in common. One
 * letter an argument: `a` array, `e` element, `x` neither.
 */
const compatibleArrays: ReadonlyMap<string, string> = new Map([
  ['array_append', 'ae'],
  ['array_prepend', 'ea'],
  ['array_cat', 'aa'],
  ['array_remove', 'ae'],
  ['array_replace', 'aee'],
  ['array_position', 'aex'],
  ['array_positions', 'ae'],
  ['array_contains', 'ae'],
  ...['array_union', 'array_intersect', 'array_except'].map((name): [string, string] => [
    name,
    'aa',
  ]),
  ['width_bucket', 'ea'],
]);

function compatibleTypes(
  shape: string,
  args: readonly BoundExpr[],
  context: BindContext,
): readonly SqlType[] | undefined {
  const elements: SqlType[] = [];
  for (const [index, { type }] of args.entries()) {
    const role = shape[index];
    if (role === 'e') elements.push(type);
    else if (role === 'a' && type.kind === 'array') elements.push(type.element);
    else if (role === 'a' && type.kind !== 'unknown') return undefined;
  }
  const common = commonType(elements, context);
  if (!('kind' in common)) return undefined;
  const element = withoutModifiers(common);
  return args.map(({ type }, index) => {
    const role = shape[index];
    if (role === 'e') return element;
    return role === 'a' ? { kind: 'array', element } : type;
  });
}

/** `float8(x)` is a cast when the name is a type's and no function of that name fits. */
function bindCastCall(
  name: string,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr | undefined {
  const [arg] = args;
  const type = args.length === 1 ? typeOfFunctionName(name) : undefined;
  if (arg === undefined || type === undefined) return undefined;
  if (tryCoerce(arg, type, 'explicit', context) === undefined) return undefined;
  return castExplicitly(arg, type, false, span, context);
}

const signature = (name: string, types: readonly SqlType[]): string =>
  `${name}(${types.map(typeLabel).join(', ')})`;

export function unknownFunction(
  name: string,
  types: readonly SqlType[],
  span: Span,
  names: readonly string[],
): StreamError {
  const absence = names.includes(name) ? undefined : absenceReason(name);
  if (absence !== undefined) {
    return new StreamError('SQL_NOT_SUPPORTED', `function ${name} is not supported`, {
      at: span,
      hint: absence,
    });
  }
  const near = names.includes(name)
    ? undefined
    : closestName(
        name,
        names.filter((known) => /^[a-z]/.test(known)),
      );
  const hint =
    near === undefined
      ? 'No function matches the given name and argument types. You might need to add explicit type casts.'
      : `Perhaps you meant the function ${near}.`;
  return new StreamError(
    'SQL_UNKNOWN_FUNCTION',
    `function ${signature(name, types)} does not exist`,
    { at: span, hint },
  );
}

export function ambiguousFunction(
  name: string,
  types: readonly SqlType[],
  span: Span,
): StreamError {
  return new StreamError(
    'SQL_AMBIGUOUS_FUNCTION',
    `function ${signature(name, types)} is not unique`,
    {
      at: span,
      hint: 'Could not choose a best candidate function. You might need to add explicit type casts.',
    },
  );
}
