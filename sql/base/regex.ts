/** Searching with PostgreSQL's regular expressions; compiled ones are kept. */
import { isPlain } from './characters.ts';
import { Automaton, type Characters } from './regex-automaton.ts';
import { Dissector } from './regex-dissect.ts';
import { toJavaScript } from './regex-javascript.ts';
import { parseRegex } from './regex-parse.ts';
import type { Regex, RegexNode } from './regex-syntax.ts';

export interface RegexMatch {
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
  /** Offsets of each capturing group, undefined where it took no part. */
  readonly groups: readonly (readonly [number, number] | undefined)[];
}

const COMPILED_MAX = 512;

export class CompiledRegex {
  readonly regex: Regex;
  readonly #test: RegExp;
  readonly #search: RegExp;
  /** Undefined where only one division is possible, or back references leave it to JavaScript. */
  #dissector: Dissector | undefined;
  readonly #exact: boolean;
  /** Set where backtracking could take exponential time: finds whether there is any match. */
  readonly #any: Automaton | undefined;

  constructor(regex: Regex) {
    this.regex = regex;
    this.#any = isRisky(regex) ? anywhere(regex) : undefined;
    this.#test = toJavaScript(regex, '');
    this.#search = new RegExp(this.#test.source, `${this.#test.flags}dg`);
    this.#exact = regex.hasBackReference || isFixed(regex.root);
  }

  test(text: string): boolean {
    if (this.#any !== undefined) return this.#any.shortestEnd([...text], 0) !== undefined;
    return isPlain(text) ? this.#test.test(text) : this.#find(text, 0) !== undefined;
  }

  /**
   * V8 also looks for matches in the middle of surrogate pairs, where assertions can hold that hold
   * nowhere between characters; such matches are passed over.
   */
  #find(text: string, from: number): RegExpExecArray | undefined {
    this.#search.lastIndex = from;
    for (;;) {
      const match = this.#search.exec(text);
      if (match === null) return undefined;
      if (!splitsPair(text, match.index)) return match;
      this.#search.lastIndex = match.index + 1;
    }
  }

  /** The first match that starts at `from` or later. */
  search(text: string, from: number): RegexMatch | undefined {
    if (this.#any !== undefined) return this.#searchSafely(text, from);
    const match = this.#find(text, from);
    if (match?.indices === undefined) return undefined;
    const end = match.index + match[0].length;
    if (this.#exact) return { start: match.index, end, groups: match.indices.slice(1) };
    return this.#dissect(text, match.index);
  }

  /** JavaScript knows where the leftmost match starts; how far it goes follows PostgreSQL's rules. */
  #dissect(text: string, start: number): RegexMatch {
    const view = viewOf(text);
    const first = view.offsets === undefined ? start : view.offsets.indexOf(start);
    const end = this.#divide().end(view.characters, first);
    return this.#matchOf(view, first, end ?? first);
  }

  #searchSafely(text: string, from: number): RegexMatch | undefined {
    const view = viewOf(text);
    const { characters, offsets } = view;
    const first = offsets === undefined ? from : offsets.indexOf(from);
    if (this.#any?.shortestEnd(characters, first) === undefined) return undefined;
    for (let start = first; start <= characters.length; start++) {
      const end = this.#divide().end(characters, start);
      if (end !== undefined) return this.#matchOf(view, start, end);
    }
    return undefined;
  }

  #divide(): Dissector {
    this.#dissector ??= new Dissector(this.regex);
    return this.#dissector;
  }

  #matchOf({ characters, offsets }: View, start: number, end: number): RegexMatch {
    const groups = this.#divide().groups(characters, start, end);
    if (offsets === undefined) return { start, end, groups };
    const offset = (index: number): number => offsets[index] as number;
    return {
      start: offset(start),
      end: offset(end),
      groups: groups.map((span) => span && [offset(span[0]), offset(span[1])]),
    };
  }
}

/** A text by characters; `offsets` are their UTF-16 offsets where these differ from their numbers. */
interface View {
  readonly characters: Characters;
  readonly offsets: readonly number[] | undefined;
}

function viewOf(text: string): View {
  if (isPlain(text)) return { characters: text.split(''), offsets: undefined };
  const characters = [...text];
  const offsets = [0];
  for (const character of characters) offsets.push((offsets.at(-1) as number) + character.length);
  return { characters, offsets };
}

/** Unbounded repetitions beside each other: each may multiply the time by the text's length. */
const UNBOUNDED_MAX = 3;

/** Could a backtracking search try exponentially (or highly polynomially) many divisions? */
function isRisky(regex: Regex): boolean {
  if (regex.hasBackReference) return false;
  let unbounded = 0;
  const visit = (node: RegexNode, repeated: boolean): boolean => {
    switch (node.kind) {
      case 'repeat': {
        const endless = node.max > 8;
        if (endless) unbounded++;
        if (repeated && node.min !== node.max) return true;
        return visit(node.body, repeated || endless);
      }
      case 'branch':
        return repeated || node.options.some((option) => visit(option, repeated));
      case 'sequence':
        return node.parts.some((part) => visit(part, repeated));
      case 'group':
      case 'look':
        return visit(node.body, repeated);
      default:
        return false;
    }
  };
  return visit(regex.root, false) || unbounded > UNBOUNDED_MAX;
}

/** Any text and then a match. */
function anywhere(regex: Regex): Automaton {
  const any: RegexNode = { kind: 'set', items: [], negated: true };
  const skip: RegexNode = {
    kind: 'repeat',
    body: any,
    min: 0,
    max: Number.POSITIVE_INFINITY,
    greedy: false,
    exact: false,
  };
  const node: RegexNode = { kind: 'sequence', parts: [skip, regex.root] };
  return new Automaton(node, regex.ignoreCase);
}

function splitsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

/** Every match of it has one length and one division. */
function isFixed(node: RegexNode): boolean {
  switch (node.kind) {
    case 'sequence':
      return node.parts.every(isFixed);
    case 'group':
      return isFixed(node.body);
    case 'branch':
    case 'repeat':
      return false;
    default:
      return true;
  }
}

const compiled = new Map<string, CompiledRegex>();

/** @throws StreamError VALUE_INVALID_REGEX, VALUE_INVALID_PARAMETER. */
export function compileRegex(pattern: string, flags = ''): CompiledRegex {
  const key = `${flags}/${pattern}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const fresh = new CompiledRegex(parseRegex(pattern, flags));
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(key, fresh);
  return fresh;
}

function stepOver(text: string, at: number): number {
  const code = text.codePointAt(at) ?? 0;
  return at + (code > 0xffff ? 2 : 1);
}

/**
 * Matches one after the other, from offset `from`. A match without length is followed by a search
 * one character further on.
 */
export function* allMatches(
  regex: CompiledRegex,
  text: string,
  from = 0,
): Generator<RegexMatch, void> {
  let at = from;
  while (at <= text.length) {
    const match = regex.search(text, at);
    if (match === undefined) return;
    yield match;
    at = match.end > match.start ? match.end : stepOver(text, match.end);
  }
}

/** The pieces between matches; empty matches at either end or right behind another split nothing. */
export function splitByRegex(regex: CompiledRegex, text: string): readonly string[] {
  const pieces: string[] = [];
  let pieceStart = 0;
  let matchEnd = 0;
  for (const match of allMatches(regex, text)) {
    const real = match.start < text.length && match.end > matchEnd;
    matchEnd = match.end;
    if (!real) continue;
    pieces.push(text.slice(pieceStart, match.start));
    pieceStart = match.end;
  }
  pieces.push(text.slice(pieceStart));
  return pieces;
}

/** Inserts `\1`…`\9`, `\&` and `\\` of a replacement text. */
export function expandReplacement(replacement: string, text: string, match: RegexMatch): string {
  if (!replacement.includes('\\')) return replacement;
  return replacement.replace(/\\([\s\S]?)/g, (whole, char: string) => {
    if (char === '&') return text.slice(match.start, match.end);
    if (char === '\\') return '\\';
    if (!/[1-9]/.test(char)) return whole;
    const group = match.groups[Number(char) - 1];
    return group === undefined ? '' : text.slice(group[0], group[1]);
  });
}

/** Replaces the `nth` match (1-based), or every one for 0. */
export function replaceByRegex(
  regex: CompiledRegex,
  text: string,
  replacement: string,
  from: number,
  nth: number,
): string {
  let result = '';
  let copied = 0;
  let count = 0;
  for (const match of allMatches(regex, text, from)) {
    count++;
    if (nth > 0 && count !== nth) continue;
    result += text.slice(copied, match.start) + expandReplacement(replacement, text, match);
    copied = match.end;
    if (nth > 0) break;
  }
  return result + text.slice(copied);
}
