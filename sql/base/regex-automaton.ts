/**
 * A regular expression as a nondeterministic automaton, run over all its states at once: the time is
 * bounded by states times characters, and every end of a match is known, not only the first that a
 * backtracking search would come upon.
 */
import { assertNever } from './assert.ts';
import { StreamError } from './error.ts';
import { characterMatcher } from './regex-javascript.ts';
import type { Assertion, RegexNode } from './regex-syntax.ts';

type State =
  | { readonly kind: 'take'; readonly accepts: (character: string) => boolean; next: number }
  | { readonly kind: 'fork'; readonly next: number[] }
  | {
      readonly kind: 'check';
      readonly holds: (text: Characters, at: number) => boolean;
      next: number;
    }
  | { readonly kind: 'match' };

/** A text by characters. */
export type Characters = readonly string[];

/** Repetition counts are unrolled; this bounds what they may grow to. */
const STATES_MAX = 20_000;

const isWord = characterMatcher(
  { kind: 'set', items: [{ kind: 'named', name: 'word', negated: false }], negated: false },
  false,
);

function wordAt(text: Characters, at: number): boolean {
  const character = text[at];
  return character !== undefined && isWord(character);
}

const assertions: { readonly [A in Assertion]: (text: Characters, at: number) => boolean } = {
  'text-start': (_, at) => at === 0,
  'text-end': (text, at) => at === text.length,
  'line-start': (text, at) => at === 0 || text[at - 1] === '\n',
  'line-end': (text, at) => at === text.length || text[at] === '\n',
  'word-start': (text, at) => !wordAt(text, at - 1) && wordAt(text, at),
  'word-end': (text, at) => wordAt(text, at - 1) && !wordAt(text, at),
  'word-boundary': (text, at) => wordAt(text, at - 1) !== wordAt(text, at),
  'not-word-boundary': (text, at) => wordAt(text, at - 1) === wordAt(text, at),
};

export class Automaton {
  readonly #states: State[] = [];
  readonly #start: number;
  readonly #ignoreCase: boolean;
  /** Which run last visited a state. */
  readonly #visited: Int32Array;
  #run = 0;

  constructor(node: RegexNode, ignoreCase: boolean) {
    this.#ignoreCase = ignoreCase;
    const end = this.#add({ kind: 'match' });
    this.#start = this.#build(node, end);
    this.#visited = new Int32Array(this.#states.length);
  }

  #add(state: State): number {
    if (this.#states.length >= STATES_MAX) {
      throw new StreamError(
        'VALUE_INVALID_REGEX',
        'invalid regular expression: regular expression is too complex',
      );
    }
    this.#states.push(state);
    return this.#states.length - 1;
  }

  /** Builds states that do `node` and then go on at `next`; gives the first of them. */
  #build(node: RegexNode, next: number): number {
    switch (node.kind) {
      case 'empty':
        return next;
      case 'char':
      case 'set':
        return this.#add({ kind: 'take', accepts: characterMatcher(node, this.#ignoreCase), next });
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.#build(part, after), next);
      case 'branch':
        return this.#add({
          kind: 'fork',
          next: node.options.map((option) => this.#build(option, next)),
        });
      case 'group':
        return this.#build(node.body, next);
      case 'repeat':
        return this.#repeat(node.body, node.min, node.max, next);
      case 'assert':
        return this.#add({ kind: 'check', holds: assertions[node.what], next });
      case 'look':
        return this.#add({ kind: 'check', holds: this.#look(node), next });
      case 'back-reference':
        throw new Error('assertion failed: back references have no automaton');
      default:
        return assertNever(node);
    }
  }

  #repeat(body: RegexNode, min: number, max: number, next: number): number {
    let start = next;
    if (max === Number.POSITIVE_INFINITY) {
      const fork: number[] = [next];
      start = this.#add({ kind: 'fork', next: fork });
      fork.push(this.#build(body, start));
    } else {
      for (let copy = min; copy < max; copy++) {
        start = this.#add({ kind: 'fork', next: [next, this.#build(body, start)] });
      }
    }
    for (let copy = 0; copy < min; copy++) start = this.#build(body, start);
    return start;
  }

  #look(node: RegexNode & { readonly kind: 'look' }): (text: Characters, at: number) => boolean {
    const inner = new Automaton(node.body, this.#ignoreCase);
    if (node.ahead)
      return (text, at) => (inner.shortestEnd(text, at) !== undefined) !== node.negated;
    return (text, at) => {
      let found = false;
      for (let start = at; start >= 0 && !found; start--) found = inner.spans(text, start, at);
      return found !== node.negated;
    };
  }

  /** Adds a state and all that it reaches without taking a character; true when a match is there. */
  #enter(state: number, text: Characters, at: number, active: number[]): boolean {
    if (this.#visited[state] === this.#run) return false;
    this.#visited[state] = this.#run;
    const found = this.#states[state] as State;
    switch (found.kind) {
      case 'take':
        active.push(state);
        return false;
      case 'match':
        return true;
      case 'check':
        return found.holds(text, at) && this.#enter(found.next, text, at, active);
      case 'fork': {
        let matched = false;
        for (const next of found.next) matched = this.#enter(next, text, at, active) || matched;
        return matched;
      }
    }
  }

  /**
   * Runs from `start` to `limit`, telling each end of a match; `visit` answers whether to go on.
   */
  #walk(text: Characters, start: number, limit: number, visit: (end: number) => boolean): void {
    let active: number[] = [];
    this.#run++;
    if (this.#enter(this.#start, text, start, active) && !visit(start)) return;
    for (let at = start; at < limit && active.length > 0; at++) {
      const character = text[at] as string;
      const following: number[] = [];
      let matched = false;
      this.#run++;
      for (const state of active) {
        const take = this.#states[state] as State & { readonly kind: 'take' };
        if (!take.accepts(character)) continue;
        matched = this.#enter(take.next, text, at + 1, following) || matched;
      }
      active = following;
      if (matched && !visit(at + 1)) return;
    }
  }

  shortestEnd(text: Characters, start: number): number | undefined {
    let found: number | undefined;
    this.#walk(text, start, text.length, (end) => {
      found = end;
      return false;
    });
    return found;
  }

  longestEnd(text: Characters, start: number): number | undefined {
    let found: number | undefined;
    this.#walk(text, start, text.length, (end) => {
      found = end;
      return true;
    });
    return found;
  }

  /** Every end of a match from `start` up to `limit`, in increasing order. */
  ends(text: Characters, start: number, limit: number): readonly number[] {
    const found: number[] = [];
    this.#walk(text, start, limit, (end) => {
      found.push(end);
      return true;
    });
    return found;
  }

  /** Does it match exactly from `start` to `end`? */
  spans(text: Characters, start: number, end: number): boolean {
    let found = false;
    this.#walk(text, start, end, (reached) => {
      found = reached === end;
      return !found;
    });
    return found;
  }
}
