/** Short forms for the tables of functions: types by name, overloads with typed arguments. */
import { assert } from '../base/assert.ts';
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import type { Interval } from '../base/interval.ts';
import type { Numeric } from '../base/numeric.ts';
import type { SqlType } from '../base/type.ts';
import type { ScalarFunction } from './scalar-function.ts';

/** The datum of each type, by the type's name in the tables. */
interface DatumByName {
  boolean: boolean;
  smallint: number;
  integer: number;
  bigint: bigint;
  real: number;
  double: number;
  numeric: Numeric;
  text: string;
  varchar: string;
  char: string;
  bytea: Uint8Array;
  date: number;
  time: bigint;
  timestamp: bigint;
  timestamptz: bigint;
  interval: Interval;
  json: string;
  jsonb: string;
  uuid: string;
  'text[]': readonly (string | null)[];
  'integer[]': readonly (number | null)[];
}

export type TypeKey = keyof DatumByName;
export type DatumOf<K extends TypeKey> = DatumByName[K];

/** One shared SqlType object a kind, so that caches keyed by type objects hit. */
export const types: { readonly [K in TypeKey]: SqlType } = {
  boolean: { kind: 'boolean' },
  smallint: { kind: 'smallint' },
  integer: { kind: 'integer' },
  bigint: { kind: 'bigint' },
  real: { kind: 'real' },
  double: { kind: 'double' },
  numeric: { kind: 'numeric' },
  text: { kind: 'text' },
  varchar: { kind: 'varchar' },
  char: { kind: 'char' },
  bytea: { kind: 'bytea' },
  date: { kind: 'date' },
  time: { kind: 'time' },
  timestamp: { kind: 'timestamp' },
  timestamptz: { kind: 'timestamptz' },
  interval: { kind: 'interval' },
  json: { kind: 'json' },
  jsonb: { kind: 'jsonb' },
  uuid: { kind: 'uuid' },
  'text[]': { kind: 'array', element: { kind: 'text' } },
  'integer[]': { kind: 'array', element: { kind: 'integer' } },
};

type Arguments<P extends readonly TypeKey[]> = { [I in keyof P]: DatumByName[P[I]] };

export interface Extras {
  readonly inline?: ScalarFunction['inline'];
  readonly duckdb?: ScalarFunction['duckdb'];
  readonly volatility?: ScalarFunction['volatility'];
}

/** Defines one strict overload. */
export type Define = <const P extends readonly TypeKey[]>(
  name: string,
  parameters: P,
  result: TypeKey,
  description: string,
  evaluate: (...args: Arguments<P>) => Datum | null,
  extras?: Extras,
) => void;

/** A collector of one family's functions. */
export function family(name: ScalarFunction['family']): {
  readonly functions: ScalarFunction[];
  readonly define: Define;
} {
  const functions: ScalarFunction[] = [];
  const define: Define = (functionName, parameters, result, description, evaluate, extras) => {
    functions.push({
      name: functionName,
      parameters: parameters.map((key) => types[key]),
      result: types[result],
      // The compiler cannot see that a mapped tuple is an argument list.
      evaluate: evaluate as unknown as ScalarFunction['evaluate'],
      description,
      family: name,
      ...extras,
    });
  };
  return { functions, define };
}

/** Calls a function as SQL does: a strict one gives NULL for any NULL argument. */
export function callScalar(fn: ScalarFunction, args: readonly (Datum | null)[]): Datum | null {
  if (fn.strict !== false && args.includes(null)) return null;
  assert(
    fn.variadic === true || args.length === fn.parameters.length,
    `argument count of ${fn.name}`,
  );
  return (fn.evaluate as (...args: readonly (Datum | null)[]) => Datum | null)(...args);
}

export function outOfRange(typeName: string): StreamError {
  return new StreamError('VALUE_OUT_OF_RANGE', `${typeName} out of range`);
}

export function invalidParameter(message: string): StreamError {
  return new StreamError('VALUE_INVALID_PARAMETER', message);
}
