/** enum_first, enum_last and enum_range, for every enum type. */
import { StreamError } from '../base/error.ts';
import { type SqlType, sameEnum } from '../base/type.ts';
import type { ScalarFunction } from './scalar-function.ts';

type EnumSqlType = SqlType & { readonly kind: 'enum' };

interface Shape {
  readonly description: string;
  readonly result: SqlType;
  readonly evaluate: ScalarFunction['evaluate'];
}

const places = ({ enumeration }: EnumSqlType): readonly number[] =>
  enumeration.labels.map(({ place }) => place);

function someOf({ enumeration }: EnumSqlType, place: number | undefined): number {
  if (place !== undefined) return place;
  throw new StreamError('VALUE_ENUM_EMPTY', `enum ${enumeration.shownName} contains no values`);
}

function range(type: EnumSqlType, from: number | null, to: number | null): readonly number[] {
  return places(type).filter(
    (place) => (from === null || place >= from) && (to === null || place <= to),
  );
}

/** By name and number of arguments, which only say which type is meant when they are NULL. */
const shapes: ReadonlyMap<string, (type: EnumSqlType) => Shape> = new Map([
  [
    'enum_first/1',
    (type: EnumSqlType): Shape => ({
      description: 'first value of an enum type',
      result: type,
      evaluate: () => someOf(type, places(type)[0]),
    }),
  ],
  [
    'enum_last/1',
    (type: EnumSqlType): Shape => ({
      description: 'last value of an enum type',
      result: type,
      evaluate: () => someOf(type, places(type).at(-1)),
    }),
  ],
  [
    'enum_range/1',
    (type: EnumSqlType): Shape => ({
      description: 'all values of an enum type in their order',
      result: { kind: 'array', element: type },
      evaluate: () => places(type),
    }),
  ],
  [
    'enum_range/2',
    (type: EnumSqlType): Shape => ({
      description: 'values of an enum type from one to another; NULL is an open end',
      result: { kind: 'array', element: type },
      evaluate: (from: number | null, to: number | null) => range(type, from, to),
    }),
  ],
]);

export const enumNames = ['enum_first', 'enum_last', 'enum_range'];

export function resolveEnum(
  name: string,
  argTypes: readonly SqlType[],
): ScalarFunction | undefined {
  const [first] = argTypes;
  if (first?.kind !== 'enum' || !argTypes.every((type) => sameEnum(type, first))) return undefined;
  const shape = shapes.get(`${name}/${argTypes.length}`)?.(first);
  return shape && { name, family: 'enum', parameters: argTypes, strict: false, ...shape };
}
