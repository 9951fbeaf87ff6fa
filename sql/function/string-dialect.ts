/** Functions of ksqlDB and Flink over text that PostgreSQL has no word for. Where the two differ, Flink's rule holds. */
import { characterCount } from '../base/characters.ts';
import { StreamError } from '../base/error.ts';
import { checkJson, jsonChildren } from '../base/json.ts';
import { compileRegex } from '../base/regex.ts';
import { family, types } from './define.ts';

const { functions, define } = family('string');
export const stringDialectFunctions = functions;

/** Without a delimiter every character is a part; the parts of an empty text are one empty text. */
function split(text: string, delimiter: string): readonly string[] {
  if (text === '') return [''];
  return delimiter === '' ? [...text] : text.split(delimiter);
}

define(
  'split',
  ['text', 'text'],
  'text[]',
  'parts between delimiters; without one, characters',
  split,
);

/** Flink divides at single blanks when there is no delimiter, and an empty text has no parts. */
define(
  'split_index',
  ['text', 'text', 'integer'],
  'text',
  'nth part between delimiters, counted from 0; NULL when there is none',
  (text, delimiter, index) => {
    if (text === '' || index < 0) return null;
    return text.split(delimiter === '' ? /\s/u : delimiter)[index] ?? null;
  },
);

/** NULL for no match, and for a group that the expression has not or that took no part. */
function regexpExtract(text: string, pattern: string, group = 0): string | null {
  const match = compileRegex(pattern).search(text, 0);
  if (match === undefined || group < 0) return null;
  if (group === 0) return text.slice(match.start, match.end);
  const range = match.groups[group - 1];
  return range === undefined ? null : text.slice(range[0], range[1]);
}

const extracted = 'match of a regular expression, or its nth group; NULL when there is none';
define('regexp_extract', ['text', 'text'], 'text', extracted, (text, pattern) =>
  regexpExtract(text, pattern),
);
define('regexp_extract', ['text', 'text', 'integer'], 'text', extracted, regexpExtract);

/** 1-based character position of `part` at `from` or later; 0 when there is none. */
function locate(part: string, text: string, from = 1): number {
  if (from < 1) return 0;
  const skipped = [...text].slice(0, from - 1);
  if (skipped.length < from - 1) return 0;
  const start = skipped.join('').length;
  const index = text.indexOf(part, start);
  return index < 0 ? 0 : characterCount(text.slice(0, index)) + 1;
}

const located = 'position of the first text in the second, also from a position on; 0 when absent';
define('locate', ['text', 'text'], 'integer', located, (part, text) => locate(part, text));
define('locate', ['text', 'text', 'integer'], 'integer', located, locate);

/** application/x-www-form-urlencoded, as java.net.URLEncoder: a blank becomes +, and of the signs only - _ . * stay. */
function encodeForm(text: string): string {
  const wellFormed = text.toWellFormed();
  return encodeURIComponent(wellFormed)
    .replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

/** NULL for a percent sign without its digits; bytes that are no UTF-8 are replaced, as Java does. */
function decodeForm(text: string): string | null {
  if (/%(?![0-9a-f]{2})/i.test(text)) return null;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const plain = text.replaceAll('+', ' ');
  return plain.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    decoder.decode(Buffer.from(run.replaceAll('%', ''), 'hex')),
  );
}

for (const name of ['url_encode', 'url_encode_param']) {
  define(name, ['text'], 'text', 'text as a parameter of a URL', encodeForm);
}
for (const name of ['url_decode', 'url_decode_param']) {
  define(name, ['text'], 'text', 'parameter of a URL as text; NULL when malformed', decodeForm);
}

/** ksqlDB's: letters become X and x, digits n, anything else a dash. */
function maskCharacter(character: string): string {
  if (/\p{Lu}/u.test(character)) return 'X';
  if (/\p{Ll}/u.test(character)) return 'x';
  return /\p{Nd}/u.test(character) ? 'n' : '-';
}

const maskWhere = (text: string, hidden: (index: number, length: number) => boolean): string => {
  const characters = [...text];
  return characters
    .map((character, index) =>
      hidden(index, characters.length) ? maskCharacter(character) : character,
    )
    .join('');
};

define('mask', ['text'], 'text', 'text with X, x, n and - for its characters', (text) =>
  maskWhere(text, () => true),
);
for (const [name, description, hides] of [
  ['mask_left', 'first characters masked', (i: number, _: number, n: number) => i < n],
  ['mask_right', 'last characters masked', (i: number, all: number, n: number) => i >= all - n],
  [
    'mask_keep_left',
    'all but the first characters masked',
    (i: number, _: number, n: number) => i >= n,
  ],
  [
    'mask_keep_right',
    'all but the last characters masked',
    (i: number, all: number, n: number) => i < all - n,
  ],
] as const) {
  define(name, ['text', 'integer'], 'text', description, (text, count) => {
    if (count < 0) {
      throw new StreamError('VALUE_INVALID_PARAMETER', `${name} needs a count of 0 or more`);
    }
    return maskWhere(text, (index, length) => hides(index, length, count));
  });
}

function isJson(text: string): boolean {
  try {
    checkJson(text);
    return true;
  } catch (error) {
    if (error instanceof StreamError) return false;
    throw error;
  }
}

functions.push({
  name: 'is_json_string',
  parameters: [types.text],
  result: types.boolean,
  strict: false,
  evaluate: (text: string | null) => text !== null && isJson(text),
  description: 'is the text a JSON document; false for NULL',
  family: 'json',
});
functions.push({
  name: 'json_keys',
  parameters: [types.text],
  result: types['text[]'],
  evaluate: (text: string) => {
    const parts = isJson(text) ? jsonChildren(text) : undefined;
    return parts?.kind === 'object' ? [...new Set(parts.members.map(([key]) => key))] : null;
  },
  description: 'keys of a JSON object in a text, in their order; NULL for anything else',
  family: 'json',
});
