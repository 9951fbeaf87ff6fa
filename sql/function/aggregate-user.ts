/** Aggregates of users: a state that functions move along, kept right under deletions. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { toText } from '../base/text-output.ts';
import type { SqlType } from '../base/type.ts';
import type { Accumulator } from './aggregate-function.ts';

type Value = Datum | null;
type Args = readonly Value[];

/** A function over the state and, but for the last one, a row's arguments. */
export interface StateFunction {
  readonly strict: boolean;
  readonly evaluate: (values: Args) => Value;
}

export interface UserAggregate {
  readonly parameters: readonly SqlType[];
  /** Undefined for NULL. */
  readonly initial: Datum | undefined;
  readonly step: StateFunction;
  /** Takes a row's arguments out of the state again; NULL when it cannot. */
  readonly inverse: StateFunction | undefined;
  readonly final: StateFunction | undefined;
}

interface KeptRow {
  readonly args: Args;
  count: number;
}

/**
 * Holds the rows of a group, each kind once with its count, and the state of those that it has met. A row more is one step. A row
 * less is one step back where there is an inverse that can take it; otherwise the state is made again from the rows, when it is next
 * asked for. So is it after a step that failed: the group has no value while the row that fails is in it, as in PostgreSQL.
 * Steps with NULLs follow PostgreSQL's "User-Defined Aggregates": a strict function skips rows with a NULL, and the first row is
 * the state where that begins with NULL.
 */
export function userAccumulator(aggregate: UserAggregate): Accumulator {
  const { parameters, step, inverse, final } = aggregate;
  const initial = aggregate.initial ?? null;
  const rows = new Map<string, KeptRow>();
  let state: Value = initial;
  /** Whether `state` is that of all rows. */
  let isCurrent = true;
  /** Strict functions with a NULL state wait for a row; false when a step gave the NULL, which stays. */
  let isUntouched = initial === null;

  const skips = (args: Args): boolean => step.strict && args.includes(null);
  const forward = (args: Args): void => {
    if (skips(args)) return;
    if (step.strict && state === null) {
      if (!isUntouched) return;
      state = args[0] ?? null;
    } else {
      state = step.evaluate([state, ...args]);
    }
    isUntouched = false;
  };
  const rebuild = (): void => {
    state = initial;
    isUntouched = initial === null;
    for (const { args, count } of rows.values()) {
      for (let copy = 0; copy < count; copy++) forward(args);
    }
    isCurrent = true;
  };
  /** A state that a failure left half way is not that of the rows. */
  const attempt = (move: () => boolean): void => {
    if (!isCurrent) return;
    try {
      isCurrent = move();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      isCurrent = false;
    }
  };
  const backward = (args: Args): boolean => {
    if (skips(args)) return true;
    if (inverse === undefined || rows.size === 0 || state === null) return false;
    const next = inverse.evaluate([state, ...args]);
    state = next;
    return next !== null;
  };
  const keyOf = (args: Args): string =>
    JSON.stringify(
      args.map((arg, i) => (arg === null ? null : toText(arg, typeAt(parameters, i)))),
    );

  return {
    add: (args, weight) => {
      const key = keyOf(args);
      const known = rows.get(key);
      const count = (known?.count ?? 0) + weight;
      if (count === 0) rows.delete(key);
      else if (known === undefined) rows.set(key, { args, count });
      else known.count = count;
      for (let copy = 0; copy < weight; copy++) {
        attempt(() => {
          forward(args);
          return true;
        });
      }
      for (let copy = 0; copy < -weight; copy++) attempt(() => backward(args));
    },
    result: () => {
      if (!isCurrent) rebuild();
      if (final === undefined) return state;
      return final.strict && state === null ? null : final.evaluate([state]);
    },
    save: () => [
      isCurrent,
      isUntouched,
      state,
      ...[...rows.values()].map(({ args, count }): Datum => [count, ...args]),
    ],
    load: ([current, untouched, saved, ...kept]) => {
      isCurrent = current === true;
      isUntouched = untouched === true;
      state = saved ?? null;
      for (const row of kept as readonly Args[]) {
        const [count, ...args] = row;
        rows.set(keyOf(args), { args, count: count as number });
      }
    },
  };
}

function typeAt(types: readonly SqlType[], index: number): SqlType {
  const type = types[index];
  if (type === undefined) throw new Error(`assertion failed: no argument ${index}`);
  return type;
}
