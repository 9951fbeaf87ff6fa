/** LIKE, SIMILAR TO and regular expressions. */
import { characterCount, isPlain, lowerCase } from '../base/characters.ts';
import { StreamError } from '../base/error.ts';
import { like, likeEscape, similarToRegex } from '../base/like.ts';
import {
  allMatches,
  type CompiledRegex,
  compileRegex,
  type RegexMatch,
  replaceByRegex,
  splitByRegex,
} from '../base/regex.ts';
import { type Extras, family, invalidParameter } from './define.ts';

const { functions, define } = family('pattern');
export const patternFunctions = functions;

function likeIgnoringCase(text: string, pattern: string): boolean {
  return like(lowerCase(text), lowerCase(pattern));
}

function regexTest(text: string, pattern: string): boolean {
  return compileRegex(pattern).test(text);
}

function regexTestIgnoringCase(text: string, pattern: string): boolean {
  return compileRegex(pattern, 'i').test(text);
}

/** DuckDB has no escape character unless told; character(n) is padded here but not there. */
function likeInDuckdb(left: 'text' | 'char', operator: string): Extras['duckdb'] {
  return left === 'char' ? undefined : ([a, b]) => `(${a} ${operator} ${b} ESCAPE '\\')`;
}

for (const left of ['text', 'char'] as const) {
  const both = [left, 'text'] as const;
  define('~~', both, 'boolean', 'LIKE', like, { duckdb: likeInDuckdb(left, 'LIKE') });
  define('!~~', both, 'boolean', 'NOT LIKE', (text, pattern) => !like(text, pattern), {
    duckdb: likeInDuckdb(left, 'NOT LIKE'),
  });
  define('~~*', both, 'boolean', 'ILIKE', likeIgnoringCase);
  define('!~~*', both, 'boolean', 'NOT ILIKE', (text, pattern) => !likeIgnoringCase(text, pattern));
  define('~', both, 'boolean', 'matches the regular expression', regexTest);
  define(
    '!~',
    both,
    'boolean',
    'does not match the regular expression',
    (text, pattern) => !regexTest(text, pattern),
  );
  define(
    '~*',
    both,
    'boolean',
    'matches the regular expression in any case',
    regexTestIgnoringCase,
  );
  define(
    '!~*',
    both,
    'boolean',
    'does not match the regular expression in any case',
    (text, pattern) => !regexTestIgnoringCase(text, pattern),
  );
}
define('like', ['text', 'text'], 'boolean', 'LIKE', like);
define('notlike', ['text', 'text'], 'boolean', 'NOT LIKE', (text, pattern) => !like(text, pattern));
define(
  'like_escape',
  ['text', 'text'],
  'text',
  'LIKE pattern with another escape character',
  likeEscape,
);
define(
  'similar_to_escape',
  ['text'],
  'text',
  'SIMILAR TO pattern as a regular expression',
  (pattern) => similarToRegex(pattern),
);
define(
  'similar_to_escape',
  ['text', 'text'],
  'text',
  'SIMILAR TO pattern as a regular expression',
  similarToRegex,
);

/** Takes `g` out of the flags, or refuses it for functions that know no such thing. */
function withoutGlobal(name: string, flags: string): string {
  if (flags.includes('g')) {
    throw invalidParameter(`${name}() does not support the "global" option`);
  }
  return flags;
}

/** The UTF-16 offset of a 1-based character position; past the end gives undefined. */
function startOffset(text: string, start: number): number | undefined {
  if (start <= 0) throw invalidParameter(`invalid value for parameter "start": ${start}`);
  if (isPlain(text)) return start - 1 > text.length ? undefined : start - 1;
  const characters = [...text];
  return start - 1 > characters.length ? undefined : characters.slice(0, start - 1).join('').length;
}

function captures(text: string, match: RegexMatch): readonly (string | null)[] {
  if (match.groups.length === 0) return [text.slice(match.start, match.end)];
  return match.groups.map((group) => (group === undefined ? null : text.slice(group[0], group[1])));
}

/** regexp_matches: the captures of the first match, or of each with the flag `g`. */
export function regexpMatches(
  text: string,
  pattern: string,
  flags: string,
): readonly (readonly (string | null)[])[] {
  const global = flags.includes('g');
  const regex = compileRegex(pattern, flags.replaceAll('g', ''));
  const rows: (readonly (string | null)[])[] = [];
  for (const match of allMatches(regex, text)) {
    rows.push(captures(text, match));
    if (!global) break;
  }
  return rows;
}

function regexpMatch(
  text: string,
  pattern: string,
  flags: string,
): readonly (string | null)[] | null {
  if (flags.includes('g')) {
    throw new StreamError(
      'VALUE_INVALID_PARAMETER',
      'regexp_match() does not support the "global" option',
      {
        hint: 'Use the regexp_matches function instead.',
      },
    );
  }
  const match = compileRegex(pattern, flags).search(text, 0);
  return match === undefined ? null : captures(text, match);
}

define('regexp_match', ['text', 'text'], 'text[]', 'captures of the first match', (text, pattern) =>
  regexpMatch(text, pattern, ''),
);
define(
  'regexp_match',
  ['text', 'text', 'text'],
  'text[]',
  'captures of the first match',
  regexpMatch,
);
define('regexp_like', ['text', 'text'], 'boolean', 'does the regular expression match', regexTest);
define(
  'regexp_like',
  ['text', 'text', 'text'],
  'boolean',
  'does the regular expression match',
  (text, pattern, flags) => compileRegex(pattern, withoutGlobal('regexp_like', flags)).test(text),
);

function regexpCount(text: string, pattern: string, start = 1, flags = ''): number {
  const from = startOffset(text, start);
  const regex = compileRegex(pattern, withoutGlobal('regexp_count', flags));
  if (from === undefined) return 0;
  let count = 0;
  for (const _ of allMatches(regex, text, from)) count++;
  return count;
}

const countDescription = 'number of matches';
define('regexp_count', ['text', 'text'], 'integer', countDescription, (text, pattern) =>
  regexpCount(text, pattern),
);
define(
  'regexp_count',
  ['text', 'text', 'integer'],
  'integer',
  countDescription,
  (text, pattern, start) => regexpCount(text, pattern, start),
);
define(
  'regexp_count',
  ['text', 'text', 'integer', 'text'],
  'integer',
  countDescription,
  regexpCount,
);

/** The span of the nth match, or of one of its groups. */
function nthSpan(
  regex: CompiledRegex,
  text: string,
  from: number | undefined,
  nth: number,
  group: number,
): readonly [number, number] | undefined {
  const { captures } = regex.regex;
  // Without groups the match counts as the first one.
  if (from === undefined || group > Math.max(captures, 1)) return undefined;
  let count = 0;
  for (const match of allMatches(regex, text, from)) {
    count++;
    if (count === nth)
      return group === 0 || captures === 0 ? [match.start, match.end] : match.groups[group - 1];
  }
  return undefined;
}

function checkPositive(name: string, value: number, min: number): void {
  if (value < min) throw invalidParameter(`invalid value for parameter "${name}": ${value}`);
}

function regexpSubstr(
  text: string,
  pattern: string,
  start = 1,
  nth = 1,
  flags = '',
  group = 0,
): string | null {
  const from = startOffset(text, start);
  checkPositive('n', nth, 1);
  checkPositive('subexpr', group, 0);
  const regex = compileRegex(pattern, withoutGlobal('regexp_substr', flags));
  const span = nthSpan(regex, text, from, nth, group);
  return span === undefined ? null : text.slice(span[0], span[1]);
}

function regexpInstr(
  text: string,
  pattern: string,
  start = 1,
  nth = 1,
  after = 0,
  flags = '',
  group = 0,
): number {
  const from = startOffset(text, start);
  checkPositive('n', nth, 1);
  if (after !== 0 && after !== 1)
    throw invalidParameter(`invalid value for parameter "endoption": ${after}`);
  checkPositive('subexpr', group, 0);
  const regex = compileRegex(pattern, withoutGlobal('regexp_instr', flags));
  const span = nthSpan(regex, text, from, nth, group);
  if (span === undefined) return 0;
  return characterCount(text.slice(0, after === 1 ? span[1] : span[0])) + 1;
}

const substrParameters = ['text', 'text', 'integer', 'integer', 'text', 'integer'] as const;
const instrParameters = [
  'text',
  'text',
  'integer',
  'integer',
  'integer',
  'text',
  'integer',
] as const;
// Later parameters have defaults in PostgreSQL; each number of them is an overload here.
for (let count = 2; count <= substrParameters.length; count++) {
  define(
    'regexp_substr',
    substrParameters.slice(0, count),
    'text',
    'nth match',
    (...args: readonly unknown[]) => regexpSubstr(...(args as Parameters<typeof regexpSubstr>)),
  );
}
for (let count = 2; count <= instrParameters.length; count++) {
  define(
    'regexp_instr',
    instrParameters.slice(0, count),
    'integer',
    'position of the nth match, 0 when there is none',
    (...args: readonly unknown[]) => regexpInstr(...(args as Parameters<typeof regexpInstr>)),
  );
}

function regexpReplace(
  text: string,
  pattern: string,
  replacement: string,
  start: number,
  nth: number,
  flags: string,
): string {
  const from = startOffset(text, start);
  checkPositive('n', nth, 0);
  const regex = compileRegex(pattern, flags.replaceAll('g', ''));
  return from === undefined ? text : replaceByRegex(regex, text, replacement, from, nth);
}

const replaceDescription = 'matches replaced';
define(
  'regexp_replace',
  ['text', 'text', 'text'],
  'text',
  replaceDescription,
  (text, pattern, replacement) => regexpReplace(text, pattern, replacement, 1, 1, ''),
);
define(
  'regexp_replace',
  ['text', 'text', 'text', 'text'],
  'text',
  replaceDescription,
  (text, pattern, replacement, flags) =>
    regexpReplace(text, pattern, replacement, 1, flags.includes('g') ? 0 : 1, flags),
);
define(
  'regexp_replace',
  ['text', 'text', 'text', 'integer'],
  'text',
  replaceDescription,
  (text, pattern, replacement, start) => regexpReplace(text, pattern, replacement, start, 1, ''),
);
define(
  'regexp_replace',
  ['text', 'text', 'text', 'integer', 'integer'],
  'text',
  replaceDescription,
  (text, pattern, replacement, start, nth) =>
    regexpReplace(text, pattern, replacement, start, nth, ''),
);
define(
  'regexp_replace',
  ['text', 'text', 'text', 'integer', 'integer', 'text'],
  'text',
  replaceDescription,
  regexpReplace,
);

/** Also what regexp_split_to_table gives row by row. */
export function regexpSplit(
  text: string,
  pattern: string,
  flags: string,
  name: string,
): readonly string[] {
  return splitByRegex(compileRegex(pattern, withoutGlobal(name, flags)), text);
}

define(
  'regexp_split_to_array',
  ['text', 'text'],
  'text[]',
  'text between matches',
  (text, pattern) => regexpSplit(text, pattern, '', 'regexp_split_to_array'),
);
define(
  'regexp_split_to_array',
  ['text', 'text', 'text'],
  'text[]',
  'text between matches',
  (text, pattern, flags) => regexpSplit(text, pattern, flags, 'regexp_split_to_array'),
);

function regexSubstring(text: string, pattern: string): string | null {
  const match = compileRegex(pattern).search(text, 0);
  return match === undefined ? null : (captures(text, match)[0] ?? null);
}

define(
  'substring',
  ['text', 'text'],
  'text',
  'part that matches the regular expression',
  regexSubstring,
);
define(
  'substring',
  ['text', 'text', 'text'],
  'text',
  'part that matches the SQL pattern',
  (text, pattern, mark) => regexSubstring(text, similarToRegex(pattern, mark)),
);
