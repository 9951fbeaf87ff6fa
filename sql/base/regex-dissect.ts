/**
 * What PostgreSQL takes for the match and for its groups where several divisions are possible. The
 * whole match is the longest (or, for a non-greedy expression, the shortest) from the leftmost start;
 * it is then divided from left to right, each part as long (or short) as it prefers. Follows the
 * rules of re_syntax and regexec.c; expressions with back references are left to JavaScript.
 */
import { assert } from './assert.ts';
import { Automaton, type Characters } from './regex-automaton.ts';
import type { Regex, RegexNode } from './regex-syntax.ts';

type Preference = 'long' | 'short' | undefined;
type Span = readonly [number, number];

/** An RE prefers what its first quantified atom prefers; alternatives always prefer long. */
function preference(node: RegexNode): Preference {
  switch (node.kind) {
    case 'branch':
      return 'long';
    case 'group':
      return preference(node.body);
    case 'repeat':
      if (node.exact) return preference(node.body);
      return node.greedy ? 'long' : 'short';
    case 'sequence': {
      for (const part of node.parts) {
        const found = preference(part);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Does its division into parts matter: has it groups, or parts that prefer different things? */
function isMessy(node: RegexNode, wanted: Preference): boolean {
  switch (node.kind) {
    case 'group':
      return node.capture !== undefined || isMessy(node.body, wanted);
    case 'branch':
      return wanted === 'short' || node.options.some((option) => isMessy(option, 'long'));
    case 'sequence':
      return node.parts.some((part) => isMessy(part, wanted));
    case 'repeat': {
      const own = preference(node);
      return (own !== undefined && own !== wanted) || isMessy(node.body, preference(node.body));
    }
    default:
      return false;
  }
}

function sequenceOf(parts: readonly RegexNode[]): RegexNode {
  const [only] = parts;
  if (only === undefined) return { kind: 'empty' };
  return parts.length === 1 ? only : { kind: 'sequence', parts };
}

/** Neighbouring parts that nothing divides count as one. */
function foldRuns(parts: readonly RegexNode[], wanted: Preference): readonly RegexNode[] {
  const folded: RegexNode[] = [];
  let run: RegexNode[] = [];
  const flush = (): void => {
    if (run.length > 0) folded.push(sequenceOf(run));
    run = [];
  };
  for (const part of parts) {
    if (isMessy(part, wanted)) {
      flush();
      folded.push(part);
    } else run.push(part);
  }
  flush();
  return folded;
}

export class Dissector {
  readonly #regex: Regex;
  readonly #whole: Automaton;
  readonly #wholePreference: Preference;
  readonly #messy: boolean;
  readonly #automata = new Map<RegexNode, Automaton>();
  readonly #folded = new Map<RegexNode, readonly RegexNode[]>();
  readonly #rests = new Map<RegexNode, RegexNode>();

  constructor(regex: Regex) {
    assert(!regex.hasBackReference, 'back references are matched by JavaScript');
    this.#regex = regex;
    this.#whole = new Automaton(regex.root, regex.ignoreCase);
    this.#wholePreference = preference(regex.root);
    this.#messy = regex.captures > 0;
  }

  /** Where the match that starts at `start` ends; undefined when none does. */
  end(text: Characters, start: number): number | undefined {
    return this.#wholePreference === 'short'
      ? this.#whole.shortestEnd(text, start)
      : this.#whole.longestEnd(text, start);
  }

  /** The spans of the groups in a match. */
  groups(text: Characters, start: number, end: number): readonly (Span | undefined)[] {
    const groups: (Span | undefined)[] = new Array(this.#regex.captures).fill(undefined);
    if (this.#messy) this.#divide(this.#regex.root, text, start, end, groups);
    return groups;
  }

  #automaton(node: RegexNode): Automaton {
    let automaton = this.#automata.get(node);
    if (automaton === undefined) {
      automaton = new Automaton(node, this.#regex.ignoreCase);
      this.#automata.set(node, automaton);
    }
    return automaton;
  }

  #divide(
    node: RegexNode,
    text: Characters,
    start: number,
    end: number,
    groups: (Span | undefined)[],
  ): void {
    switch (node.kind) {
      case 'group':
        if (node.capture !== undefined) groups[node.capture - 1] = [start, end];
        this.#divide(node.body, text, start, end, groups);
        return;
      case 'branch': {
        const taken = node.options.find((option) =>
          this.#automaton(option).spans(text, start, end),
        );
        if (taken !== undefined) this.#divide(taken, text, start, end, groups);
        return;
      }
      case 'sequence':
        this.#divideSequence(node, text, start, end, groups);
        return;
      case 'repeat':
        this.#divideRepeat(node, text, start, end, groups);
        return;
      default:
        return;
    }
  }

  #divideSequence(
    node: RegexNode & { readonly kind: 'sequence' },
    text: Characters,
    start: number,
    end: number,
    groups: (Span | undefined)[],
  ): void {
    let folded = this.#folded.get(node);
    if (folded === undefined) {
      folded = foldRuns(node.parts, preference(node));
      this.#folded.set(node, folded);
    }
    const [left, ...others] = folded;
    if (left === undefined) return;
    if (others.length === 0) {
      if (left !== node && isMessy(left, preference(left)))
        this.#divide(left, text, start, end, groups);
      return;
    }
    let rest = this.#rests.get(node);
    if (rest === undefined) {
      rest = sequenceOf(others);
      this.#rests.set(node, rest);
    }
    this.#divideTwo(left, rest, preference(left), text, start, end, groups);
  }

  /** The left part takes the most (or least) that leaves the right one something to match. */
  #divideTwo(
    left: RegexNode,
    right: RegexNode,
    wanted: Preference,
    text: Characters,
    start: number,
    end: number,
    groups: (Span | undefined)[],
  ): void {
    const ends = this.#automaton(left).ends(text, start, end);
    const ordered = wanted === 'short' ? ends : ends.toReversed();
    const middle = ordered.find((at) => this.#automaton(right).spans(text, at, end));
    if (middle === undefined) return;
    this.#divide(left, text, start, middle, groups);
    this.#divide(right, text, middle, end, groups);
  }

  #divideRepeat(
    node: RegexNode & { readonly kind: 'repeat' },
    text: Characters,
    start: number,
    end: number,
    groups: (Span | undefined)[],
  ): void {
    const { body, min, max } = node;
    if (!isMessy(body, preference(body))) return;
    if (max === 0) return;
    if (min === 0 && start === end) {
      // An iteration over nothing sets its groups where the body can match nothing, unless it prefers to.
      const once = preference(body) !== 'short' && this.#automaton(body).spans(text, start, end);
      if (once) this.#divide(body, text, start, end, groups);
      return;
    }
    if (min === 1 && max === 1) {
      this.#divide(body, text, start, end, groups);
      return;
    }
    if (min > 0) {
      // x{m,n} is x{m-1,n-1}x, of which only the last counts for the groups.
      let before = this.#rests.get(node);
      if (before === undefined) {
        before = { ...node, min: min - 1, max: max - 1 };
        this.#rests.set(node, before);
      }
      const ends = this.#automaton(before).ends(text, start, end);
      const ordered = preference(node) === 'short' ? ends : ends.toReversed();
      const middle = ordered.find((at) => this.#automaton(body).spans(text, at, end));
      if (middle !== undefined) this.#divide(body, text, middle, end, groups);
      return;
    }
    const last = this.#lastIteration(body, max, text, start, end);
    if (last !== undefined) this.#divide(body, text, last, end, groups);
  }

  /** Where the last of the iterations starts, each being as long (or short) as it can. */
  #lastIteration(
    body: RegexNode,
    max: number,
    text: Characters,
    start: number,
    end: number,
  ): number | undefined {
    const shortest = preference(body) === 'short';
    const automaton = this.#automaton(body);
    const most = Math.min(max, Math.max(end - start, 1));
    const dead = new Set<number>();
    const attempt = (at: number, count: number): number | undefined => {
      if (count >= most) return undefined;
      const key = max === Number.POSITIVE_INFINITY ? at : at * (most + 1) + count;
      if (dead.has(key)) return undefined;
      const ends = automaton
        .ends(text, at, end)
        .filter((reached) => reached > at || reached === end);
      for (const reached of shortest ? ends : ends.toReversed()) {
        if (reached === end) return at;
        const found = attempt(reached, count + 1);
        if (found !== undefined) return found;
      }
      dead.add(key);
      return undefined;
    };
    return attempt(start, 0);
  }
}
