/** Functions over text: length, case, cutting, padding, searching. */
import {
  characterCount,
  initialCaps,
  isPlain,
  lowerCase,
  sliceCharacters,
  upperCase,
} from '../base/characters.ts';
import { StreamError } from '../base/error.ts';
import { trimBlanks, utf8Length } from '../base/text-order.ts';
import { family, invalidParameter } from './define.ts';

const { functions, define } = family('string');
export const stringFunctions = functions;

/** PostgreSQL's limit on one value: a gigabyte. */
const TEXT_BYTES_MAX = 1_073_741_823;

function tooLarge(): StreamError {
  return new StreamError('VALUE_PROGRAM_LIMIT', 'requested length too large');
}

define('||', ['text', 'text'], 'text', 'concatenation', (a, b) => a + b, {
  inline: ([a, b]) => `(${a} + ${b})`,
  duckdb: ([a, b]) => `(${a} || ${b})`,
});

for (const name of ['length', 'char_length', 'character_length']) {
  define(name, ['text'], 'integer', 'number of characters', characterCount, {
    duckdb: ([a]) => `CAST(length(${a}) AS INTEGER)`,
  });
  define(name, ['char'], 'integer', 'number of characters without trailing blanks', (a) =>
    characterCount(trimBlanks(a)),
  );
}
define('octet_length', ['text'], 'integer', 'number of bytes in UTF-8', utf8Length, {
  duckdb: ([a]) => `CAST(strlen(${a}) AS INTEGER)`,
});
define('octet_length', ['char'], 'integer', 'number of bytes in UTF-8', utf8Length);
define('bit_length', ['text'], 'integer', 'number of bits in UTF-8', (a) => utf8Length(a) * 8);

for (const name of ['upper', 'ucase']) {
  define(name, ['text'], 'text', 'text in upper case', upperCase);
}
for (const name of ['lower', 'lcase']) {
  define(name, ['text'], 'text', 'text in lower case', lowerCase);
}
define('len', ['text'], 'integer', 'number of characters', characterCount);
define('initcap', ['text'], 'text', 'first letter of each word in upper case', initialCaps);

/** Removes characters of `set` from the ends. */
function trim(text: string, set: string, start: boolean, end: boolean): string {
  const characters = [...text];
  const unwanted = new Set(set);
  let from = 0;
  let to = characters.length;
  if (start) while (from < to && unwanted.has(characters[from] as string)) from++;
  if (end) while (to > from && unwanted.has(characters[to - 1] as string)) to--;
  return characters.slice(from, to).join('');
}

for (const [name, start, end] of [
  ['btrim', true, true],
  ['ltrim', true, false],
  ['rtrim', false, true],
] as const) {
  define(name, ['text'], 'text', 'text without blanks at the ends', (a) =>
    trim(a, ' ', start, end),
  );
  define(
    name,
    ['text', 'text'],
    'text',
    'text without the given characters at the ends',
    (a, set) => trim(a, set, start, end),
  );
}

/** Characters start..start+length-1 (1-based), where the part before 1 counts but is empty. */
function substring(text: string, start: number, length?: number): string {
  if (length === undefined) return sliceCharacters(text, Math.max(start - 1, 0));
  if (length < 0) {
    throw new StreamError('VALUE_NEGATIVE_SUBSTRING', 'negative substring length not allowed');
  }
  const end = start - 1 + length;
  return end <= 0 ? '' : sliceCharacters(text, Math.max(start - 1, 0), end);
}

for (const name of ['substring', 'substr']) {
  define(name, ['text', 'integer'], 'text', 'text from a position', (text, start) =>
    substring(text, start),
  );
  define(
    name,
    ['text', 'integer', 'integer'],
    'text',
    'so many characters from a position',
    substring,
  );
}

/** 1-based character position, 0 when absent. */
function position(text: string, part: string): number {
  const index = text.indexOf(part);
  if (index <= 0) return index + 1;
  return isPlain(text) ? index + 1 : characterCount(text.slice(0, index)) + 1;
}

for (const name of ['strpos', 'position', 'instr']) {
  define(name, ['text', 'text'], 'integer', 'position of the second text in the first', position);
}

define(
  'left',
  ['text', 'integer'],
  'text',
  'first characters; negative: all but the last',
  (text, count) =>
    sliceCharacters(text, 0, count >= 0 ? count : Math.max(characterCount(text) + count, 0)),
);
define(
  'right',
  ['text', 'integer'],
  'text',
  'last characters; negative: all but the first',
  (text, count) => {
    if (count >= 0) return sliceCharacters(text, Math.max(characterCount(text) - count, 0));
    // PostgreSQL negates in 32 bits, where the least integer stays negative.
    return count === -2147483648 ? text : sliceCharacters(text, -count);
  },
);

/** `fill` repeated to `count` characters. */
function filling(fill: string, count: number): string {
  if (count <= 0 || fill === '') return '';
  if (count * 4 > TEXT_BYTES_MAX) throw tooLarge();
  const characters = [...fill];
  const whole = Math.floor(count / characters.length);
  return fill.repeat(whole) + characters.slice(0, count % characters.length).join('');
}

function pad(text: string, length: number, fill: string, left: boolean): string {
  const count = characterCount(text);
  if (count >= length) return sliceCharacters(text, 0, Math.max(length, 0));
  const added = filling(fill, length - count);
  return left ? added + text : text + added;
}

for (const [name, left] of [
  ['lpad', true],
  ['rpad', false],
] as const) {
  define(name, ['text', 'integer'], 'text', 'text filled with blanks to a length', (text, length) =>
    pad(text, length, ' ', left),
  );
  define(
    name,
    ['text', 'integer', 'text'],
    'text',
    'text filled to a length',
    (text, length, fill) => pad(text, length, fill, left),
  );
}

define('repeat', ['text', 'integer'], 'text', 'text so many times', (text, count) => {
  if (count <= 0 || text === '') return '';
  if (count * utf8Length(text) > TEXT_BYTES_MAX) throw tooLarge();
  return text.repeat(count);
});
define(
  'replace',
  ['text', 'text', 'text'],
  'text',
  'every occurrence replaced',
  (text, from, to) => (from === '' ? text : text.replaceAll(from, () => to)),
);
define('reverse', ['text'], 'text', 'characters in reverse order', (text) =>
  [...text].reverse().join(''),
);
define(
  'translate',
  ['text', 'text', 'text'],
  'text',
  'characters mapped one by one',
  (text, from, to) => {
    const targets = [...to];
    const map = new Map<string, string>();
    [...from].forEach((character, index) => {
      if (!map.has(character)) map.set(character, targets[index] ?? '');
    });
    return Array.from(text, (character) => map.get(character) ?? character).join('');
  },
);
define(
  'split_part',
  ['text', 'text', 'integer'],
  'text',
  'nth part between delimiters; negative: from the end',
  (text, delimiter, field) => {
    if (field === 0) throw invalidParameter('field position must not be zero');
    if (text === '') return '';
    const parts = delimiter === '' ? [text] : text.split(delimiter);
    return parts[field > 0 ? field - 1 : parts.length + field] ?? '';
  },
);
for (const name of ['starts_with', '^@']) {
  define(
    name,
    ['text', 'text'],
    'boolean',
    'does the text start with the prefix',
    (text, prefix) => text.startsWith(prefix),
    { inline: ([a, b]) => `${a}.startsWith(${b})`, duckdb: ([a, b]) => `starts_with(${a}, ${b})` },
  );
}
define(
  'ascii',
  ['text'],
  'integer',
  'code point of the first character',
  (text) => text.codePointAt(0) ?? 0,
);
define('chr', ['integer'], 'text', 'character of a code point', (code) => {
  if (code < 0) throw invalidParameter('character number must be positive');
  if (code === 0) throw new StreamError('VALUE_PROGRAM_LIMIT', 'null character not permitted');
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new StreamError(
      'VALUE_PROGRAM_LIMIT',
      `requested character too large for encoding: ${code}`,
    );
  }
  return String.fromCodePoint(code);
});

/** @throws StreamError VALUE_NEGATIVE_SUBSTRING, VALUE_OUT_OF_RANGE. */
export function overlay(text: string, replacement: string, start: number, length: number): string {
  if (start <= 0) {
    throw new StreamError('VALUE_NEGATIVE_SUBSTRING', 'negative substring length not allowed');
  }
  if (start + length > 2147483647)
    throw new StreamError('VALUE_OUT_OF_RANGE', 'integer out of range');
  return substring(text, 1, start - 1) + replacement + substring(text, start + length);
}

define(
  'overlay',
  ['text', 'text', 'integer'],
  'text',
  'part of the text replaced',
  (text, replacement, start) => overlay(text, replacement, start, characterCount(replacement)),
);
define(
  'overlay',
  ['text', 'text', 'integer', 'integer'],
  'text',
  'part of the text replaced',
  overlay,
);

for (const [name, radix] of [
  ['to_hex', 16],
  ['to_oct', 8],
  ['to_bin', 2],
] as const) {
  define(name, ['integer'], 'text', `two's complement digits in base ${radix}`, (value) =>
    (value >>> 0).toString(radix),
  );
  define(name, ['bigint'], 'text', `two's complement digits in base ${radix}`, (value) =>
    BigInt.asUintN(64, value).toString(radix),
  );
}
