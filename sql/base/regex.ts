/** Searching with PostgreSQL's regular expressions; compiled ones are kept. */
import { isPlain } from './characters.ts';
import { Dissector } from './regex-dissect.ts';
import { toJavaScript } from './regex-javascript.ts';
import { parseRegex, type Regex, type RegexNode } from './regex-syntax.ts';

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

  constructor(regex: Regex) {
    this.regex = regex;
    this.#test = toJavaScript(regex, '');
    this.#search = new RegExp(this.#test.source, `${this.#test.flags}dg`);
    this.#exact = regex.hasBackReference || isFixed(regex.root);
  }

  test(text: string): boolean {
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
    const match = this.#find(text, from);
    if (match?.indices === undefined) return undefined;
    const end = match.index + match[0].length;
    if (this.#exact) return { start: match.index, end, groups: match.indices.slice(1) };
    return this.#dissect(text, match.index);
  }

  /** JavaScript knows where the leftmost match starts; how far it goes follows PostgreSQL's rules. */
  #dissect(text: string, start: number): RegexMatch {
    this.#dissector ??= new Dissector(this.regex);
    const characters = isPlain(text) ? text : [...text];
    if (typeof characters === 'string') {
      const units = characters.split('');
      const end = this.#dissector.end(units, start) ?? start;
      return { start, end, groups: this.#dissector.groups(units, start, end) };
    }
    const offsets = [0];
    for (const character of characters) offsets.push((offsets.at(-1) as number) + character.length);
    const first = offsets.indexOf(start);
    const last = this.#dissector.end(characters, first) ?? first;
    const groups = this.#dissector.groups(characters, first, last);
    return {
      start,
      end: offsets[last] as number,
      groups: groups.map(
        (span) => span && [offsets[span[0]] as number, offsets[span[1]] as number],
      ),
    };
  }
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
