/** Sequences as one session sees them: it may ask for the values that it was given. */
import { StreamError } from '../sql/base/error.ts';
import { searchPath } from '../sql/bind-schema.ts';
import { PUBLIC_SCHEMA, relationKey } from '../sql/catalog.ts';
import type { SessionAccess } from '../sql/function/session.ts';
import type { Core } from './core.ts';
import type { SequenceState } from './sequences.ts';

export class SessionSequences {
  readonly #core: Core;
  readonly #configure: SessionAccess['configure'];
  /** By the sequence's id. */
  readonly #given = new Map<number, bigint>();
  #last: number | undefined;

  constructor(core: Core, configure: SessionAccess['configure']) {
    this.#core = core;
    this.#configure = configure;
  }

  /** @param settings  whose search_path names are looked for along. */
  access(settings: ReadonlyMap<string, string>): SessionAccess {
    const find = (name: string): SequenceState => findSequence(this.#core, name, settings);
    return {
      configure: this.#configure,
      next: (name) => {
        const state = find(name);
        const value = this.#core.sequences.next(state);
        this.#given.set(state.id, value);
        this.#last = state.id;
        return value;
      },
      current: (name) => {
        const { id } = find(name);
        const value = this.#given.get(id);
        if (value !== undefined) return value;
        throw notUsed(`currval of sequence "${namesOf(name).at(-1)}"`);
      },
      last: () => {
        const value = this.#last === undefined ? undefined : this.#given.get(this.#last);
        const isThere = this.#core.sequences
          .names()
          .some((name) => this.#core.sequences.find(name)?.id === this.#last);
        if (value !== undefined && isThere) return value;
        throw notUsed('lastval');
      },
      set: (name, value, isCalled) => {
        const state = find(name);
        this.#core.sequences.set(state, value, isCalled);
        if (isCalled) this.#given.set(state.id, value);
        return value;
      },
      owned: (table, column) => {
        const key = findKey(namesOf(table), settings, (one) => this.#core.catalog.relation(one));
        if (key === undefined) throw unknown(table);
        const name = this.#core.sequences.ownedBy(key, column)[0]?.name;
        return name === undefined || name.includes('.') ? name : `${PUBLIC_SCHEMA}.${name}`;
      },
    };
  }
}

/** The parts of a name in a text: `Public."My seq"` is public and My seq. */
export function namesOf(text: string): readonly string[] {
  const parts = text.match(/"(?:[^"]|"")*"|[^."]+/g) ?? [];
  return parts.map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.trim().toLowerCase(),
  );
}

function findKey(
  names: readonly string[],
  settings: ReadonlyMap<string, string>,
  find: (key: string) => unknown,
): string | undefined {
  const bare = names.at(-1) ?? '';
  const schema = names.at(-2);
  const schemas = schema === undefined ? searchPath(settings) : [schema];
  return schemas.map((one) => relationKey(one, bare)).find((key) => find(key) !== undefined);
}

/** @throws StreamError SQL_UNKNOWN_RELATION, SQL_WRONG_OBJECT_TYPE. */
export function findSequence(
  core: Core,
  name: string,
  settings: ReadonlyMap<string, string>,
): SequenceState {
  const names = namesOf(name);
  const key = findKey(names, settings, (one) => core.sequences.find(one));
  const state = key === undefined ? undefined : core.sequences.find(key);
  if (state !== undefined) return state;
  if (findKey(names, settings, (one) => core.catalog.relation(one)) !== undefined) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${names.at(-1)}" is not a sequence`);
  }
  throw unknown(name);
}

function unknown(name: string): StreamError {
  return new StreamError(
    'SQL_UNKNOWN_RELATION',
    `relation "${namesOf(name).join('.')}" does not exist`,
  );
}

function notUsed(what: string): StreamError {
  return new StreamError('SEQUENCE_NOT_USED', `${what} is not yet defined in this session`);
}
