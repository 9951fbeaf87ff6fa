/** Reads PostgreSQL's advanced regular expressions (re_syntax) into the tree of regex-syntax.ts. */
import { applyFlags, type RegexOptions } from './regex-option.ts';
import {
  type Assertion,
  type CharacterClass,
  type ClassItem,
  type Regex,
  type RegexNode,
  regexError,
} from './regex-syntax.ts';

/** REG_INFINITY's neighbour: PostgreSQL's greatest repetition count. */
const REPEAT_MAX = 255;
const LENGTH_MAX = 100_000;

/** @throws StreamError VALUE_INVALID_REGEX, VALUE_INVALID_PARAMETER for an unknown flag. */
export function parseRegex(pattern: string, flags = ''): Regex {
  if (pattern.length > LENGTH_MAX) throw regexError('regular expression is too complex');
  const options: RegexOptions = {
    ignoreCase: false,
    newlineStops: false,
    lineAnchors: false,
    expanded: false,
    literal: false,
  };
  applyFlags(options, flags);
  let text = pattern;
  if (text.startsWith('***=')) {
    options.literal = true;
    text = text.slice(4);
  } else if (text.startsWith('***:')) text = text.slice(4);
  else if (text.startsWith('***')) throw regexError('quantifier operand invalid');
  if (!options.literal) {
    const embedded = /^\(\?([a-z]+)\)/.exec(text);
    if (embedded !== null) {
      if (/[^bceimnpqstwx]/.test(embedded[1] ?? '')) throw regexError('invalid embedded option');
      applyFlags(options, embedded[1] ?? '');
      text = text.slice(embedded[0].length);
    }
  }
  return new RegexParser([...text], options).parse();
}

const classNames: ReadonlySet<string> = new Set([
  'digit',
  'space',
  'word',
  'alpha',
  'alnum',
  'upper',
  'lower',
  'punct',
  'cntrl',
  'graph',
  'print',
  'blank',
  'xdigit',
  'ascii',
]);

const controlEscapes: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['B', 92],
  ['e', 27],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
]);

const shorthands: ReadonlyMap<string, CharacterClass> = new Map([
  ['d', 'digit'],
  ['s', 'space'],
  ['w', 'word'],
]);

const assertionEscapes: ReadonlyMap<string, Assertion> = new Map([
  ['A', 'text-start'],
  ['Z', 'text-end'],
  ['m', 'word-start'],
  ['M', 'word-end'],
  ['y', 'word-boundary'],
  ['Y', 'not-word-boundary'],
]);

class RegexParser {
  readonly #text: readonly string[];
  readonly #options: RegexOptions;
  #at = 0;
  #captures = 0;
  #closed: number[] = [];
  #inLook = 0;
  #hasBackReference = false;

  constructor(text: readonly string[], options: RegexOptions) {
    this.#text = text;
    this.#options = options;
  }

  parse(): Regex {
    const root = this.#options.literal ? this.#literal() : this.#branches();
    if (this.#at < this.#text.length) throw regexError('parentheses () not balanced');
    return {
      root,
      captures: this.#captures,
      ignoreCase: this.#options.ignoreCase,
      hasBackReference: this.#hasBackReference,
    };
  }

  #literal(): RegexNode {
    this.#at = this.#text.length;
    return {
      kind: 'sequence',
      parts: this.#text.map((char) => ({ kind: 'char', code: char.codePointAt(0) ?? 0 })),
    };
  }

  #peek(offset = 0): string {
    return this.#text[this.#at + offset] ?? '';
  }

  #looking(text: string): boolean {
    return [...text].every((char, index) => this.#peek(index) === char);
  }

  #skipExpanded(): void {
    for (;;) {
      if (this.#looking('(?#')) {
        while (this.#peek() !== ')' && this.#peek() !== '') this.#at++;
        if (this.#peek() === '') throw regexError('parentheses () not balanced');
        this.#at++;
      } else if (this.#options.expanded && /\s/.test(this.#peek())) this.#at++;
      else if (this.#options.expanded && this.#peek() === '#') {
        while (this.#peek() !== '\n' && this.#peek() !== '') this.#at++;
      } else return;
    }
  }

  #branches(): RegexNode {
    const options = [this.#sequence()];
    while (this.#peek() === '|') {
      this.#at++;
      options.push(this.#sequence());
    }
    return options.length === 1 ? (options[0] as RegexNode) : { kind: 'branch', options };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    for (;;) {
      this.#skipExpanded();
      const char = this.#peek();
      if (char === '' || char === '|' || char === ')') break;
      parts.push(this.#quantified());
    }
    if (parts.length === 0) return { kind: 'empty' };
    return parts.length === 1 ? (parts[0] as RegexNode) : { kind: 'sequence', parts };
  }

  #quantified(): RegexNode {
    const atom = this.#atom();
    this.#skipExpanded();
    const start = this.#at;
    const bounds = this.#bounds();
    if (bounds === undefined) return atom;
    const exact = this.#text[start] === '{' && !this.#text.slice(start, this.#at).includes(',');
    if (atom.kind === 'assert' || atom.kind === 'look') {
      throw regexError('quantifier operand invalid');
    }
    const greedy = this.#peek() !== '?';
    if (!greedy) this.#at++;
    this.#skipExpanded();
    if (this.#bounds() !== undefined) throw regexError('quantifier operand invalid');
    return { kind: 'repeat', body: atom, min: bounds[0], max: bounds[1], greedy, exact };
  }

  #bounds(): readonly [number, number] | undefined {
    switch (this.#peek()) {
      case '*':
        this.#at++;
        return [0, Number.POSITIVE_INFINITY];
      case '+':
        this.#at++;
        return [1, Number.POSITIVE_INFINITY];
      case '?':
        this.#at++;
        return [0, 1];
      case '{':
        return /\d/.test(this.#peek(1)) ? this.#braces() : undefined;
      default:
        return undefined;
    }
  }

  #braces(): readonly [number, number] {
    this.#at++;
    const min = this.#count();
    let max = min;
    if (this.#peek() === ',') {
      this.#at++;
      max = /\d/.test(this.#peek()) ? this.#count() : Number.POSITIVE_INFINITY;
    }
    if (this.#peek() !== '}') {
      throw regexError(
        this.#peek() === '' ? 'braces {} not balanced' : 'invalid repetition count(s)',
      );
    }
    this.#at++;
    if (min > max) throw regexError('invalid repetition count(s)');
    return [min, max];
  }

  #count(): number {
    let digits = '';
    while (/\d/.test(this.#peek())) {
      digits += this.#peek();
      this.#at++;
    }
    if (Number(digits) > REPEAT_MAX) throw regexError('invalid repetition count(s)');
    return Number(digits);
  }

  #atom(): RegexNode {
    const char = this.#peek();
    this.#at++;
    switch (char) {
      case '(':
        return this.#parenthesis();
      case '[':
        return this.#bracket();
      case '.':
        return this.#options.newlineStops ? notNewline : anything;
      case '^':
        return { kind: 'assert', what: this.#options.lineAnchors ? 'line-start' : 'text-start' };
      case '$':
        return { kind: 'assert', what: this.#options.lineAnchors ? 'line-end' : 'text-end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw regexError('quantifier operand invalid');
      case '{':
        if (/\d/.test(this.#peek())) throw regexError('quantifier operand invalid');
        return { kind: 'char', code: 0x7b };
      default:
        return { kind: 'char', code: char.codePointAt(0) ?? 0 };
    }
  }

  #parenthesis(): RegexNode {
    if (this.#peek() !== '?') {
      const capture = this.#inLook === 0 ? ++this.#captures : undefined;
      const body = this.#enclosed();
      if (capture !== undefined) this.#closed.push(capture);
      return { kind: 'group', body, capture };
    }
    this.#at++;
    const kind = this.#peek();
    this.#at++;
    if (kind === ':') return { kind: 'group', body: this.#enclosed(), capture: undefined };
    const behind = kind === '<';
    const sign = behind ? this.#peek() : kind;
    if (behind) this.#at++;
    if (sign !== '=' && sign !== '!') throw regexError('quantifier operand invalid');
    this.#inLook++;
    const body = this.#enclosed();
    this.#inLook--;
    return { kind: 'look', body, ahead: !behind, negated: sign === '!' };
  }

  #enclosed(): RegexNode {
    const body = this.#branches();
    if (this.#peek() !== ')') throw regexError('parentheses () not balanced');
    this.#at++;
    return body;
  }

  #escape(): RegexNode {
    const char = this.#peek();
    if (char === '') throw regexError('invalid escape \\ sequence');
    const shorthand = shorthands.get(char.toLowerCase());
    if (shorthand !== undefined && char !== '') {
      this.#at++;
      const negated = char !== char.toLowerCase();
      const items: ClassItem[] = [{ kind: 'named', name: shorthand, negated }];
      // Under newline-sensitive matching \D and \W stop at a newline too.
      if (negated && this.#options.newlineStops) {
        return {
          kind: 'set',
          negated: true,
          items: [{ ...items[0], negated: false } as ClassItem, newline],
        };
      }
      return { kind: 'set', negated: false, items };
    }
    const assertion = assertionEscapes.get(char);
    if (assertion !== undefined) {
      this.#at++;
      return { kind: 'assert', what: assertion };
    }
    if (/[1-9]/.test(char)) {
      const reference = this.#backReference();
      if (reference !== undefined) return reference;
    }
    return { kind: 'char', code: this.#characterEscape() };
  }

  /** `\12` is a back reference when there is such a group, or when it has one digit. */
  #backReference(): RegexNode | undefined {
    let digits = '';
    while (/\d/.test(this.#peek(digits.length))) digits += this.#peek(digits.length);
    const capture = Number(digits);
    if (digits.length > 1 && capture > this.#captures) return undefined;
    if (!this.#closed.includes(capture)) throw regexError('invalid backreference number');
    this.#at += digits.length;
    this.#hasBackReference = true;
    return { kind: 'back-reference', capture };
  }

  /** The character of an escape whose backslash has been taken. */
  #characterEscape(): number {
    const char = this.#peek();
    this.#at++;
    const control = controlEscapes.get(char);
    if (control !== undefined) return control;
    switch (char) {
      case 'c': {
        const code = this.#peek().codePointAt(0);
        if (code === undefined) throw regexError('invalid escape \\ sequence');
        this.#at++;
        return code & 0x1f;
      }
      case 'u':
        return this.#hex(4, 4);
      case 'U':
        return this.#hex(8, 8);
      case 'x':
        return this.#hex(1, 255);
      case '0':
        return this.#octal('0');
      default:
        if (/[1-9]/.test(char)) return this.#octal(char);
        if (/[a-zA-Z]/.test(char)) throw regexError('invalid escape \\ sequence');
        return char.codePointAt(0) ?? 0;
    }
  }

  #octal(first: string): number {
    let digits = first;
    while (digits.length < 3 && /[0-7]/.test(this.#peek())) {
      digits += this.#peek();
      this.#at++;
    }
    if (!/^[0-7]+$/.test(digits)) throw regexError('invalid backreference number');
    return Number.parseInt(digits, 8);
  }

  #hex(min: number, max: number): number {
    let digits = '';
    while (digits.length < max && /[0-9a-fA-F]/.test(this.#peek())) {
      digits += this.#peek();
      this.#at++;
    }
    const code = Number.parseInt(digits, 16);
    if (digits.length < min || code > 0x10ffff) throw regexError('invalid escape \\ sequence');
    return code;
  }

  #bracket(): RegexNode {
    if (this.#looking('[:<:]]') || this.#looking('[:>:]]')) {
      const start = this.#peek(2) === '<';
      this.#at += 6;
      return { kind: 'assert', what: start ? 'word-start' : 'word-end' };
    }
    const negated = this.#peek() === '^';
    if (negated) this.#at++;
    const items: ClassItem[] = [];
    let first = true;
    for (;;) {
      const char = this.#peek();
      if (char === '') throw regexError('brackets [] not balanced');
      if (char === ']' && !first) break;
      first = false;
      items.push(this.#bracketItem());
    }
    this.#at++;
    if (negated && this.#options.newlineStops) items.push(newline);
    return { kind: 'set', items, negated };
  }

  #bracketItem(): ClassItem {
    const start = this.#bracketAtom();
    if (typeof start !== 'number') return start;
    if (this.#peek() !== '-' || this.#peek(1) === ']' || this.#peek(1) === '') {
      return { kind: 'range', from: start, to: start };
    }
    this.#at++;
    const end = this.#bracketAtom();
    if (typeof end !== 'number' || end < start) throw regexError('invalid character range');
    return { kind: 'range', from: start, to: end };
  }

  #bracketAtom(): ClassItem | number {
    const char = this.#peek();
    const next = this.#peek(1);
    if (char === '[' && (next === ':' || next === '.' || next === '=')) return this.#named(next);
    this.#at++;
    if (char !== '\\') return char.codePointAt(0) ?? 0;
    const escaped = this.#peek();
    const shorthand = shorthands.get(escaped.toLowerCase());
    if (shorthand === undefined) return this.#characterEscape();
    this.#at++;
    return { kind: 'named', name: shorthand, negated: escaped !== escaped.toLowerCase() };
  }

  /** `[:alpha:]`, `[.x.]`, `[=x=]` inside a bracket expression. */
  #named(mark: string): ClassItem | number {
    this.#at += 2;
    let name = '';
    while (!(this.#peek() === mark && this.#peek(1) === ']')) {
      if (this.#peek() === '') throw regexError('brackets [] not balanced');
      name += this.#peek();
      this.#at++;
    }
    this.#at += 2;
    if (mark === ':') {
      if (!classNames.has(name)) throw regexError('invalid character class');
      return { kind: 'named', name: name as CharacterClass, negated: false };
    }
    const characters = [...name];
    if (characters.length !== 1) throw regexError('invalid collating element');
    return name.codePointAt(0) ?? 0;
  }
}

const newline: ClassItem = { kind: 'range', from: 10, to: 10 };
const anything: RegexNode = { kind: 'set', items: [], negated: true };
const notNewline: RegexNode = { kind: 'set', items: [newline], negated: true };
