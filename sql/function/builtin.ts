/** The registry of everything that is built in, and the resolvers of functions without fixed types. */
import { entriesType, type SqlType, sameEnum } from '../base/type.ts';
import { sameBaseType } from '../type-category.ts';
import { aggregateFunctions, polymorphicAggregateNames, resolveAggregate } from './aggregate.ts';
import type { AggregateFunction } from './aggregate-function.ts';
import { hypotheticalNames, orderedSetNames } from './aggregate-ordered-set.ts';
import { arithmeticFunctions } from './arithmetic.ts';
import { arrayNames, arrayTextFunctions, resolveArray } from './array.ts';
import { arrayDialectNames, resolveArrayDialect } from './array-dialect.ts';
import { arrayShapeNames, resolveArrayShape } from './array-shape.ts';
import { binaryBitFunctions } from './binary-bit.ts';
import { binaryPatternFunctions } from './binary-pattern.ts';
import { findCast } from './cast.ts';
import { comparisonFunctions, ownComparison } from './comparison.ts';
import { conditionalNames, resolveConditional } from './conditional.ts';
import { dateTimeDialectFunctions } from './datetime-dialect.ts';
import { dateTimeFieldFunctions } from './datetime-field.ts';
import { dateTimeMakeFunctions } from './datetime-make.ts';
import { dateTimeOperators } from './datetime-operator.ts';
import { dateTruncFunctions } from './datetime-trunc.ts';
import { enumNames, resolveEnum } from './enum.ts';
import { pictureFunctions } from './format-picture.ts';
import { jsonFunctions } from './json.ts';
import { jsonBuildNames, resolveJsonBuild } from './json-build.ts';
import { jsonObjectFunctions } from './json-object.ts';
import { jsonPathFunctions } from './json-path.ts';
import { jsonSetLaxFunctions } from './json-set-lax.ts';
import { mapNames, mapTextFunctions, resolveMap } from './map.ts';
import { mathFunctions } from './math.ts';
import { mathSpecialFunctions } from './math-special.ts';
import { nowFunctions } from './now.ts';
import { patternFunctions } from './pattern.ts';
import { randomFunctions } from './random.ts';
import { polymorphicRangeNames, rangeFunctions, resolveRange } from './range.ts';
import type { FunctionRegistry } from './registry.ts';
import type { ScalarFunction } from './scalar-function.ts';
import { sessionFunctions } from './session.ts';
import { stringFunctions } from './string.ts';
import { stringDialectFunctions } from './string-dialect.ts';
import {
  binaryFunctions,
  resolveStringFormat,
  stringFormatFunctions,
  stringFormatNames,
} from './string-format.ts';
import { stringUnicodeFunctions } from './string-unicode.ts';

const scalarFunctions: readonly ScalarFunction[] = [
  ...comparisonFunctions,
  ...arithmeticFunctions,
  ...stringFunctions,
  ...stringDialectFunctions,
  ...stringUnicodeFunctions,
  ...nowFunctions,
  ...patternFunctions,
  ...stringFormatFunctions,
  ...binaryFunctions,
  ...binaryBitFunctions,
  ...binaryPatternFunctions,
  ...jsonFunctions,
  ...jsonObjectFunctions,
  ...jsonPathFunctions,
  ...jsonSetLaxFunctions,
  ...randomFunctions,
  ...sessionFunctions,
  ...pictureFunctions.flat(),
  ...arrayTextFunctions,
  ...mapTextFunctions,
  ...mathFunctions,
  ...mathSpecialFunctions,
  ...dateTimeOperators,
  ...dateTimeFieldFunctions,
  ...dateTruncFunctions,
  ...dateTimeMakeFunctions,
  ...dateTimeDialectFunctions,
  ...rangeFunctions,
];

function byName<F extends { readonly name: string }>(
  functions: readonly F[],
): ReadonlyMap<string, readonly F[]> {
  const map = new Map<string, F[]>();
  for (const fn of functions) {
    const overloads = map.get(fn.name);
    if (overloads === undefined) map.set(fn.name, [fn]);
    else overloads.push(fn);
  }
  return map;
}

const scalarsByName = byName(scalarFunctions);
const aggregatesByName = byName(aggregateFunctions);

const allNames: readonly string[] = [
  ...new Set([
    ...scalarsByName.keys(),
    ...aggregatesByName.keys(),
    ...conditionalNames,
    ...stringFormatNames,
    ...jsonBuildNames,
    ...arrayNames,
    ...arrayShapeNames,
    ...arrayDialectNames,
    ...mapNames,
    ...enumNames,
    ...polymorphicRangeNames,
    ...polymorphicAggregateNames,
    ...orderedSetNames,
    ...hypotheticalNames,
  ]),
].sort();

export const registry: FunctionRegistry = {
  scalars: (name) => scalarsByName.get(name) ?? [],
  aggregates: (name) => aggregatesByName.get(name) ?? [],
  cast: findCast,
  names: () => allNames,
};

/**
 * Functions whose types follow from their arguments: greatest/least/nullif (arguments already of one
 * common type), comparison of arrays and rows, ranges, array and JSON builders, concat, format. The binder
 * asks here when no overload of `registry.scalars(name)` fits. `argTypes` are the types as they are,
 * unknown literals as text; the answer's `parameters` are the types to cast each argument to.
 */
export function resolvePolymorphic(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  // For functions of arrays a map is the list of its entries.
  const lists = argTypes.map(entriesType);
  const resolved =
    resolveConditional(name, argTypes) ??
    resolveStringFormat(name, argTypes) ??
    resolveJsonBuild(name, argTypes) ??
    resolveMap(name, argTypes) ??
    resolveArray(name, lists) ??
    resolveArrayShape(name, lists) ??
    resolveArrayDialect(name, lists) ??
    resolveEnum(name, argTypes) ??
    resolveRange(name, argTypes);
  if (resolved !== undefined) return resolved;
  const [first, second] = argTypes;
  if (argTypes.length === 2 && first !== undefined && first.kind === second?.kind) {
    if (first.kind === 'array' || first.kind === 'row' || isOneType(first, second)) {
      return ownComparison(name, first);
    }
  }
  return undefined;
}

/** Of enums and ranges there are many types of one kind. */
const isOneType = (a: SqlType, b: SqlType): boolean =>
  sameEnum(a, b) || (a.kind === 'range' && sameBaseType(a, b));

/** The same for aggregates: count(any), array_agg, jsonb_agg, min and max of arrays. */
export function resolvePolymorphicAggregate(
  name: string,
  argTypes: readonly SqlType[],
): AggregateFunction | undefined {
  return resolveAggregate(name, argTypes);
}
