/** Constructors, functions and operators of ranges. The latter are PostgreSQL's over anyrange: their types follow from the arguments. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { makeRange, type RangeValue, rangeSubtype } from '../base/range.ts';
import {
  beginsWithin,
  containsElement,
  containsRange,
  endsWithin,
  intersectRanges,
  isAdjacent,
  isBefore,
  mergeRanges,
  overlaps,
  subtractRanges,
  uniteRanges,
} from '../base/range-operation.ts';
import { type RangeName, rangeNames, type SqlType } from '../base/type.ts';
import { sameBaseType } from '../type-category.ts';
import { types } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

const rangeTypes: { readonly [N in RangeName]: SqlType & { readonly kind: 'range' } } = {
  int4range: { kind: 'range', name: 'int4range' },
  int8range: { kind: 'range', name: 'int8range' },
  numrange: { kind: 'range', name: 'numrange' },
  daterange: { kind: 'range', name: 'daterange' },
  tsrange: { kind: 'range', name: 'tsrange' },
  tstzrange: { kind: 'range', name: 'tstzrange' },
};

function construct(
  name: RangeName,
  lower: Datum | null,
  upper: Datum | null,
  flags: string | null,
): RangeValue {
  if (flags === null) {
    throw new StreamError('VALUE_RANGE', 'range constructor flags argument must not be null');
  }
  if (!/^[[(][\])]$/.test(flags)) {
    throw new StreamError('SQL_SYNTAX', 'invalid range bound flags', {
      hint: 'Valid values are "[]", "[)", "(]", and "()".',
    });
  }
  return makeRange(
    name,
    { value: lower, inclusive: flags.startsWith('['), isLower: true },
    { value: upper, inclusive: flags.endsWith(']'), isLower: false },
  );
}

/** `int4range(1, 5)`, `int4range(1, 5, '[]')`: NULL is an open end. */
export const rangeFunctions: readonly ScalarFunction[] = rangeNames.flatMap((name) => {
  const subtype = rangeSubtype(name);
  const shared = { name, result: rangeTypes[name], strict: false, family: 'range' } as const;
  return [
    {
      ...shared,
      parameters: [subtype, subtype],
      evaluate: (lower: Datum | null, upper: Datum | null) => construct(name, lower, upper, '[)'),
      description: 'range from a bound up to another, which is not in it; NULL is an open end',
    },
    {
      ...shared,
      parameters: [subtype, subtype, types.text],
      evaluate: (lower: Datum | null, upper: Datum | null, flags: string | null) =>
        construct(name, lower, upper, flags),
      description: 'range whose bounds are in it or not, as one of [] [) (] () says',
    },
  ];
});

type Role = 'range' | 'element' | 'boolean';

interface Shape {
  readonly name: string;
  readonly parameters: readonly Role[];
  readonly result: Role;
  readonly description: string;
  readonly evaluate: ScalarFunction['evaluate'];
}

function ofOne(
  name: string,
  result: Role,
  description: string,
  evaluate: (range: RangeValue) => Datum | null,
): Shape {
  return { name, parameters: ['range'], result, description, evaluate };
}

function ofTwo(
  name: string,
  result: Role,
  description: string,
  evaluate: (a: RangeValue, b: RangeValue) => Datum,
): Shape {
  return { name, parameters: ['range', 'range'], result, description, evaluate };
}

const shapes: readonly Shape[] = [
  ofOne('lower', 'element', 'lower bound; NULL when there is none', ({ lower }) => lower.value),
  ofOne('upper', 'element', 'upper bound; NULL when there is none', ({ upper }) => upper.value),
  ofOne('isempty', 'boolean', 'has the range no value', ({ isEmpty }) => isEmpty),
  ofOne('lower_inc', 'boolean', 'is the lower bound in the range', ({ lower }) => lower.inclusive),
  ofOne('upper_inc', 'boolean', 'is the upper bound in the range', ({ upper }) => upper.inclusive),
  ofOne(
    'lower_inf',
    'boolean',
    'has the range no lower bound',
    ({ isEmpty, lower }) => !isEmpty && lower.value === null,
  ),
  ofOne(
    'upper_inf',
    'boolean',
    'has the range no upper bound',
    ({ isEmpty, upper }) => !isEmpty && upper.value === null,
  ),
  ofTwo('range_merge', 'range', 'smallest range with both in it', mergeRanges),
  ofTwo('&&', 'boolean', 'have they a value in common', overlaps),
  ofTwo('@>', 'boolean', 'does the first contain the second', containsRange),
  ofTwo('<@', 'boolean', 'is the first contained in the second', (a, b) => containsRange(b, a)),
  {
    name: '@>',
    parameters: ['range', 'element'],
    result: 'boolean',
    description: 'does the first contain the second',
    evaluate: containsElement,
  },
  {
    name: '<@',
    parameters: ['element', 'range'],
    result: 'boolean',
    description: 'is the first contained in the second',
    evaluate: (value: Datum, range: RangeValue) => containsElement(range, value),
  },
  ofTwo('<<', 'boolean', 'does the first end before the second begins', isBefore),
  ofTwo('>>', 'boolean', 'does the first begin after the second ends', (a, b) => isBefore(b, a)),
  ofTwo('&<', 'boolean', 'does the first not reach beyond the end of the second', endsWithin),
  ofTwo('&>', 'boolean', 'does the first not begin before the second', beginsWithin),
  ofTwo('-|-', 'boolean', 'do they meet without a value between or in common', isAdjacent),
  ofTwo('+', 'range', 'union; an error where there is a gap', uniteRanges),
  ofTwo('*', 'range', 'values that both have', intersectRanges),
  ofTwo(
    '-',
    'range',
    'values that only the first has; an error where it is cut in two',
    subtractRanges,
  ),
];

export const polymorphicRangeNames: readonly string[] = shapes.map(({ name }) => name);

const roleNames = { range: 'anyrange', element: 'anyelement', boolean: 'boolean' } as const;

/** For the table of signatures. */
export const rangeSignatures = shapes.map(
  (shape) =>
    [
      shape.name,
      shape.parameters.map((role) => roleNames[role]).join(', '),
      roleNames[shape.result],
      shape.description,
    ] as const,
);

/** The function over ranges of one type; an element must be of exactly its subtype, as PostgreSQL wants it. */
export function resolveRange(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  const range = argTypes.find((type) => type.kind === 'range');
  if (range?.kind !== 'range') return undefined;
  const byRole = {
    range: rangeTypes[range.name],
    element: rangeSubtype(range.name),
    boolean: types.boolean,
  } as const;
  const shape = shapes.find(
    (candidate) =>
      candidate.name === name &&
      candidate.parameters.length === argTypes.length &&
      candidate.parameters.every((role, index) => {
        const type = argTypes[index];
        return type !== undefined && sameBaseType(type, byRole[role]);
      }),
  );
  if (shape === undefined) return undefined;
  return {
    name,
    parameters: shape.parameters.map((role) => byRole[role]),
    result: byRole[shape.result],
    evaluate: shape.evaluate,
    description: shape.description,
    family: 'range',
  };
}
