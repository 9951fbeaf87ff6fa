/** A PostgreSQL regular expression as a JavaScript one: the same strings match. */
import { assertNever } from './assert.ts';
import { StreamError } from './error.ts';
import type { Assertion, CharacterClass, ClassItem, Regex, RegexNode } from './regex-syntax.ts';

/** Bodies of JavaScript sets under the u flag. White space is C's: no no-break spaces. */
const classBodies: { readonly [C in CharacterClass]: string } = {
  digit: '0-9',
  space: '\\t-\\r \\x85\\u2000-\\u2006\\u2008-\\u200a\\u2028\\u2029\\u205f\\u3000',
  word: '\\p{Alphabetic}\\p{Nd}_',
  alpha: '\\p{Alphabetic}',
  alnum: '\\p{Alphabetic}\\p{Nd}',
  upper: '\\p{Uppercase}',
  lower: '\\p{Lowercase}',
  punct: '\\p{P}\\p{S}',
  cntrl: '\\p{Cc}\\u2028\\u2029',
  graph: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}',
  print: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}',
  blank: ' \\t',
  xdigit: '0-9A-Fa-f',
  ascii: '\\x00-\\x7f',
};

const word = `[${classBodies.word}]`;

const assertions: { readonly [A in Assertion]: string } = {
  'text-start': '^',
  'text-end': '$',
  'line-start': '(?<![^\\n])',
  'line-end': '(?![^\\n])',
  'word-start': `(?<!${word})(?=${word})`,
  'word-end': `(?<=${word})(?!${word})`,
  'word-boundary': `(?:(?<!${word})(?=${word})|(?<=${word})(?!${word}))`,
  'not-word-boundary': `(?:(?<!${word})(?!${word})|(?<=${word})(?=${word}))`,
};

function codePoint(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

function isPlain(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function character(code: number): string {
  return isPlain(code) ? String.fromCharCode(code) : codePoint(code);
}

/** One item of a set as the body of a JavaScript set; negated classes cannot be joined into one. */
function itemBody(item: ClassItem): string {
  if (item.kind === 'named') return classBodies[item.name];
  if (item.from === item.to) return codePoint(item.from);
  return `${codePoint(item.from)}-${codePoint(item.to)}`;
}

export function setSource(items: readonly ClassItem[], negated: boolean): string {
  const plain = items.filter((item) => item.kind === 'range' || !item.negated);
  const outside = items.filter((item) => item.kind === 'named' && item.negated);
  const body = plain.map(itemBody).join('');
  if (outside.length === 0) return `[${negated ? '^' : ''}${body}]`;
  const choices = outside.map((item) => `[^${itemBody(item)}]`);
  if (body !== '') choices.unshift(`[${body}]`);
  return negated ? `(?:(?!${choices.join('|')})[^])` : `(?:${choices.join('|')})`;
}

function source(node: RegexNode): string {
  switch (node.kind) {
    case 'empty':
      return '(?:)';
    case 'char':
      return character(node.code);
    case 'set':
      return setSource(node.items, node.negated);
    case 'sequence':
      return node.parts.map(source).join('');
    case 'branch':
      return `(?:${node.options.map(source).join('|')})`;
    case 'group':
      return node.capture === undefined ? `(?:${source(node.body)})` : `(${source(node.body)})`;
    case 'repeat':
      return `${source(atomic(node.body))}${quantifier(node.min, node.max)}${node.greedy ? '' : '?'}`;
    case 'look':
      return `(?${node.ahead ? '' : '<'}${node.negated ? '!' : '='}${source(node.body)})`;
    case 'assert':
      return assertions[node.what];
    case 'back-reference':
      return `(?:\\${node.capture})`;
    default:
      return assertNever(node);
  }
}

/** What a quantifier may follow: everything else goes into a group. */
function atomic(node: RegexNode): RegexNode {
  return node.kind === 'char' || node.kind === 'group' || node.kind === 'set'
    ? node
    : { kind: 'group', body: node, capture: undefined };
}

function quantifier(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return `{${min},${max}}`;
}

/** Compiles for `exec` at `lastIndex` anywhere (`g`) or exactly there (`y`). */
export function toJavaScript(regex: Regex, mode: 'g' | 'y' | ''): RegExp {
  try {
    return new RegExp(source(regex.root), `u${regex.ignoreCase ? 'i' : ''}${mode}`);
  } catch (error) {
    throw new StreamError('VALUE_INVALID_REGEX', 'invalid regular expression: too complex', {
      cause: error,
    });
  }
}

/** Whether a single character is taken by a character or set node; answers for ASCII are kept. */
export function characterMatcher(
  node: RegexNode & { readonly kind: 'char' | 'set' },
  ignoreCase: boolean,
): (character: string) => boolean {
  const pattern = new RegExp(`^${source(node)}$`, `u${ignoreCase ? 'i' : ''}`);
  if (node.kind === 'char' && !ignoreCase) {
    const wanted = String.fromCodePoint(node.code);
    return (character) => character === wanted;
  }
  const ascii = Array.from({ length: 128 }, (_, code) => pattern.test(String.fromCharCode(code)));
  return (character) => {
    const code = character.charCodeAt(0);
    return code < 128 ? (ascii[code] as boolean) : pattern.test(character);
  };
}
