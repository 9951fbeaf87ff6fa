/** Text by characters (code points), as PostgreSQL counts them, and its case mapping. */

const surrogate = /[\ud800-\udfff]/;

/** True when every UTF-16 unit is one character, so that indexes of both kinds are the same. */
export function isPlain(text: string): boolean {
  return !surrogate.test(text);
}

export function characterCount(text: string): number {
  if (isPlain(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The characters from `start` (0-based, inclusive) to `end` (exclusive); both within bounds or beyond. */
export function sliceCharacters(text: string, start: number, end?: number): string {
  if (isPlain(text))
    return text.slice(Math.max(start, 0), end === undefined ? undefined : Math.max(end, 0));
  return [...text]
    .slice(Math.max(start, 0), end === undefined ? undefined : Math.max(end, 0))
    .join('');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ascii = /^[\u0000-\u007f]*$/;

/** Simple mappings that JavaScript, which maps ß to SS, does not make. */
const upperExceptions = new Map<string, string>([['ß', 'ẞ']]);
for (const start of [0x1f80, 0x1f90, 0x1fa0]) {
  for (let code = start; code < start + 8; code++) {
    upperExceptions.set(String.fromCodePoint(code), String.fromCodePoint(code + 8));
  }
}
for (const code of [0x1fb3, 0x1fc3, 0x1ff3]) {
  upperExceptions.set(String.fromCodePoint(code), String.fromCodePoint(code + 9));
}

function upperCharacter(character: string): string {
  const exception = upperExceptions.get(character);
  if (exception !== undefined) return exception;
  const mapped = character.toUpperCase();
  return mapped.length === character.length ? mapped : character;
}

function lowerCharacter(character: string): string {
  if (character === 'İ') return 'i';
  const mapped = character.toLowerCase();
  return mapped.length === character.length ? mapped : character;
}

/** One character for each character, as towupper() maps them. */
export function upperCase(text: string): string {
  if (ascii.test(text)) return text.toUpperCase();
  return Array.from(text, upperCharacter).join('');
}

/** One character for each character, as towlower() maps them; no final sigma. */
export function lowerCase(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  return Array.from(text, lowerCharacter).join('');
}

const wordCharacter = /[\p{Alphabetic}\p{Nd}]/u;

/** The first letter of every word in upper case, the rest in lower case. */
export function initialCaps(text: string): string {
  let inWord = false;
  return Array.from(text, (character) => {
    const mapped = inWord ? lowerCharacter(character) : upperCharacter(character);
    inWord = wordCharacter.test(character);
    return mapped;
  }).join('');
}
