/**
 * Sequences. Their values are handed out in memory; what is kept on disk runs ahead, so that a crash skips some values and never gives
 * one twice. A value is durable before anything that a statement writes with it.
 */

import type { Store } from '../engine/store/store.ts';
import { StreamError } from '../sql/base/error.ts';
import { bareName } from './constraints.ts';
import type { SequenceOptions } from './sequence-options.ts';

/** The catalog's entries of sequences. */
export const SEQUENCE_KIND = 'sequence';
/** Values that a crash may skip, as many as PostgreSQL's. */
const AHEAD = 32n;

export interface Owner {
  /** The table's name in the catalog. */
  readonly table: string;
  readonly column: string;
  /** An identity's sequence is a part of its column. */
  readonly isIdentity: boolean;
}

export interface SequenceState {
  readonly id: number;
  readonly name: string;
  readonly options: SequenceOptions;
  readonly owner: Owner | undefined;
  last: bigint;
  /** Whether `last` has been given to somebody. */
  isCalled: boolean;
}

interface Kept {
  readonly last: bigint;
  readonly isCalled: boolean;
}

interface Known {
  state: SequenceState;
  /** What the store says. */
  kept: Kept;
}

export class Sequences {
  readonly #store: Store;
  readonly #byName = new Map<string, Known>();
  readonly #behind = new Set<string>();
  #saving: Promise<void> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  find(name: string): SequenceState | undefined {
    return this.#byName.get(name)?.state;
  }

  ownedBy(table: string, column?: string): readonly SequenceState[] {
    return [...this.#byName.values()].flatMap(({ state }) =>
      state.owner?.table === table && (column === undefined || state.owner.column === column)
        ? [state]
        : [],
    );
  }

  restore(id: number, name: string, detail: string): void {
    const { last, isCalled, owner, options } = JSON.parse(detail) as Stored;
    const state: SequenceState = {
      id,
      name,
      owner: owner ?? undefined,
      options: {
        ...options,
        increment: BigInt(options.increment),
        min: BigInt(options.min),
        max: BigInt(options.max),
        start: BigInt(options.start),
      },
      last: BigInt(last),
      isCalled,
    };
    this.#byName.set(name, { state, kept: { last: state.last, isCalled } });
  }

  /** Makes sequences and puts changed ones in the place of the old. */
  async put(states: readonly SequenceState[]): Promise<void> {
    await this.#change(states, []);
    for (const state of states) {
      for (const [name, known] of this.#byName) {
        if (known.state.id === state.id) this.#byName.delete(name);
      }
      this.#byName.set(state.name, { state, kept: { last: state.last, isCalled: state.isCalled } });
    }
  }

  async remove(states: readonly SequenceState[]): Promise<void> {
    if (states.length === 0) return;
    await this.#change([], states);
    for (const { name } of states) {
      this.#byName.delete(name);
      this.#behind.delete(name);
    }
  }

  async #change(put: readonly SequenceState[], remove: readonly SequenceState[]): Promise<void> {
    await this.#store.changeCatalog({
      put: put.map((state) => entryOf(state, state)),
      remove: remove.map(({ id }) => id),
      createTables: [],
      dropTables: [],
    });
  }

  /** @throws StreamError VALUE_SEQUENCE_LIMIT. */
  next(state: SequenceState): bigint {
    const value = state.isCalled ? following(state) : state.last;
    state.last = value;
    state.isCalled = true;
    this.#noteIfBehind(state);
    return value;
  }

  /** @throws StreamError VALUE_OUT_OF_RANGE. */
  set(state: SequenceState, value: bigint, isCalled: boolean): void {
    const { min, max } = state.options;
    if (value < min || value > max) {
      throw new StreamError(
        'VALUE_OUT_OF_RANGE',
        `setval: value ${value} is out of bounds for sequence "${bareName(state)}" (${min}..${max})`,
      );
    }
    state.last = value;
    state.isCalled = isCalled;
    const known = this.#byName.get(state.name);
    // What was kept ahead is of another stretch.
    if (known !== undefined) known.kept = { last: value - state.options.increment, isCalled };
    this.#behind.add(state.name);
  }

  #noteIfBehind(state: SequenceState): void {
    const kept = this.#byName.get(state.name)?.kept;
    if (kept === undefined) return;
    const { increment } = state.options;
    const isAhead =
      kept.isCalled && (increment > 0n ? kept.last >= state.last : kept.last <= state.last);
    if (!isAhead) this.#behind.add(state.name);
  }

  /** Settles when no value that was handed out before can be handed out again after a crash. */
  async settle(): Promise<void> {
    if (this.#behind.size === 0) return this.#saving;
    const states = [...this.#behind].flatMap((name) => this.find(name) ?? []);
    this.#behind.clear();
    this.#saving = this.#saving.then(() => this.#save(states, AHEAD));
    return this.#saving;
  }

  /** Keeps exact values, so that a restart skips none. */
  async close(): Promise<void> {
    const states = [...this.#byName.values()].flatMap(({ state, kept }) =>
      kept.last === state.last && kept.isCalled === state.isCalled ? [] : [state],
    );
    await this.#saving;
    await this.#save(states, 0n);
  }

  async #save(states: readonly SequenceState[], ahead: bigint): Promise<void> {
    if (states.length === 0) return;
    const kept = states.map((state): Kept => {
      const { min, max, increment } = state.options;
      if (!state.isCalled || ahead === 0n) return { last: state.last, isCalled: state.isCalled };
      const far = state.last + ahead * increment;
      const isPast = far > max || far < min;
      return { last: isPast ? (increment > 0n ? max : min) : far, isCalled: true };
    });
    await this.#store.changeCatalog({
      put: states.map((state, i) => entryOf(state, kept[i] ?? state)),
      remove: [],
      createTables: [],
      dropTables: [],
    });
    for (const [i, { name }] of states.entries()) {
      const known = this.#byName.get(name);
      const saved = kept[i];
      if (known !== undefined && saved !== undefined) known.kept = saved;
    }
  }
}

function following(state: SequenceState): bigint {
  const { increment, min, max, cycle } = state.options;
  const value = state.last + increment;
  if (value >= min && value <= max) return value;
  if (cycle) return increment > 0n ? min : max;
  const isAbove = increment > 0n;
  throw new StreamError(
    'VALUE_SEQUENCE_LIMIT',
    `nextval: reached ${isAbove ? 'maximum' : 'minimum'} value of sequence "${bareName(state)}" (${isAbove ? max : min})`,
  );
}

interface Stored {
  readonly last: string;
  readonly isCalled: boolean;
  readonly owner: Owner | null;
  readonly options: Omit<SequenceOptions, 'increment' | 'min' | 'max' | 'start'> & {
    readonly increment: string;
    readonly min: string;
    readonly max: string;
    readonly start: string;
  };
}

function entryOf({ id, name, options, owner }: SequenceState, { last, isCalled }: Kept) {
  const stored: Stored = {
    last: String(last),
    isCalled,
    owner: owner ?? null,
    options: {
      ...options,
      increment: String(options.increment),
      min: String(options.min),
      max: String(options.max),
      start: String(options.start),
    },
  };
  return { id, name, kind: SEQUENCE_KIND, sql: '', detail: JSON.stringify(stored) };
}
