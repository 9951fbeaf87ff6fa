/** The statement's clock: stable functions that the binder replaces by their value. */
import { assert } from '../base/assert.ts';
import { splitTimestamp } from '../base/datetime.ts';
import type { Datum } from '../base/datum.ts';
import { type TypeKey, types } from './define.ts';
import type { ScalarFunction } from './scalar-function.ts';

interface Stable {
  readonly name: string;
  readonly result: TypeKey;
  readonly value: (nowMicros: bigint, localMicros: bigint) => Datum;
}

const instant = (nowMicros: bigint): Datum => nowMicros;

const table: readonly Stable[] = [
  { name: 'now', result: 'timestamptz', value: instant },
  { name: 'current_timestamp', result: 'timestamptz', value: instant },
  { name: 'transaction_timestamp', result: 'timestamptz', value: instant },
  { name: 'statement_timestamp', result: 'timestamptz', value: instant },
  { name: 'clock_timestamp', result: 'timestamptz', value: instant },
  { name: 'localtimestamp', result: 'timestamp', value: (_, local) => local },
  { name: 'localtime', result: 'time', value: (_, local) => splitTimestamp(local).time },
  { name: 'current_date', result: 'date', value: (_, local) => splitTimestamp(local).days },
];

export const nowFunctions: readonly ScalarFunction[] = table.map(({ name, result }) => ({
  name,
  parameters: [],
  result: types[result],
  evaluate: () => {
    throw new Error(`assertion failed: ${name}() was not replaced by its value at planning`);
  },
  volatility: 'stable',
  description: 'time at which the statement started (UTC)',
  family: 'datetime',
}));

const byName = new Map(table.map((stable) => [stable.name, stable]));

/**
 * The value of a stable function without parameters in a statement that started at `nowMicros`.
 * @param localMicros  the same on the wall clock of the session.
 */
export function stableValue(name: string, nowMicros: bigint, localMicros: bigint): Datum {
  const stable = byName.get(name);
  assert(stable !== undefined, `${name} is a stable function`);
  return stable.value(nowMicros, localMicros);
}
