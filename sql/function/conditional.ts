/** Functions of no fixed type: greatest, least, nullif, num_nulls and friends. */
import type { Datum } from '../base/datum.ts';
import { type SqlType, sameType } from '../base/type.ts';
import { comparator } from '../base/value.ts';
import { withoutModifiers } from '../type-category.ts';
import { types } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

type Choose = (order: number) => boolean;

function extreme(name: string, type: SqlType, better: Choose): ScalarFunction {
  const compare = comparator(type);
  return {
    name,
    parameters: [type],
    variadic: true,
    result: type,
    strict: false,
    evaluate: (...args: readonly (Datum | null)[]) => {
      let best: Datum | null = null;
      for (const arg of args) {
        if (arg !== null && (best === null || better(compare(arg, best)))) best = arg;
      }
      return best;
    },
    description: `${name} of its arguments, NULLs ignored`,
    family: 'conditional',
  };
}

function nullIf(type: SqlType): ScalarFunction {
  const compare = comparator(type);
  return {
    name: 'nullif',
    parameters: [type, type],
    result: type,
    strict: false,
    evaluate: (value: Datum | null, other: Datum | null) =>
      value !== null && other !== null && compare(value, other) === 0 ? null : value,
    description: 'NULL when both arguments are equal, else the first',
    family: 'conditional',
  };
}

function countNulls(name: string, argTypes: readonly SqlType[], nulls: boolean): ScalarFunction {
  return {
    name,
    parameters: argTypes,
    result: types.integer,
    strict: false,
    evaluate: (...args: readonly (Datum | null)[]) =>
      args.filter((arg) => (arg === null) === nulls).length,
    description: `number of arguments that are ${nulls ? '' : 'not '}NULL`,
    family: 'conditional',
  };
}

/** The overload for arguments that the binder has already brought to one common type. */
export function resolveConditional(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  const [own] = argTypes;
  if (own === undefined) return undefined;
  // numeric(10,3) and numeric are one type, but only with equal modifiers are they of one form.
  const first = argTypes.every((type) => sameType(type, own)) ? own : withoutModifiers(own);
  switch (name) {
    case 'greatest':
      return extreme(name, first, (order) => order > 0);
    case 'least':
      return extreme(name, first, (order) => order < 0);
    case 'nullif':
      return argTypes.length === 2 ? nullIf(first) : undefined;
    case 'num_nulls':
      return countNulls(name, argTypes, true);
    case 'num_nonnulls':
      return countNulls(name, argTypes, false);
    default:
      return undefined;
  }
}

export const conditionalNames = ['greatest', 'least', 'nullif', 'num_nulls', 'num_nonnulls'];
