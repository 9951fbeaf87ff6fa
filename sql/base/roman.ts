/** Roman numerals, as to_number(…, 'RN') reads them: roman_to_int of PostgreSQL's formatting.c. */

/** The longest numeral, MMMDCCCLXXXVIII; what follows is not looked at. */
const NUMERAL_LENGTH_MAX = 15;

const values: ReadonlyMap<string, number> = new Map([
  ['I', 1],
  ['V', 5],
  ['X', 10],
  ['L', 50],
  ['C', 100],
  ['D', 500],
  ['M', 1000],
]);
const subtractions: ReadonlySet<string> = new Set(['IV', 'IX', 'XL', 'XC', 'CD', 'CM']);
/** They come once, and nothing as large comes after them. */
const single: ReadonlySet<string> = new Set(['V', 'L', 'D']);

export interface Roman {
  /** Undefined for letters in an order that no numeral has. */
  readonly value: number | undefined;
  /** The place behind the numeral. */
  readonly end: number;
}

/** The numeral from a place on, white space before it skipped. */
export function readRoman(text: string, from: number): Roman {
  const blank = /^[ \t\n\v\f\r]*/.exec(text.slice(from))?.[0] ?? '';
  const start = from + blank.length;
  const letters = /^[IVXLCDM]*/i.exec(text.slice(start, start + NUMERAL_LENGTH_MAX))?.[0] ?? '';
  return { value: numeralValue(letters.toUpperCase()), end: start + letters.length };
}

function numeralValue(letters: string): number | undefined {
  if (letters === '') return undefined;
  let result = 0;
  let repeats = 1;
  let subtracted = Number.POSITIVE_INFINITY;
  let bound = Number.POSITIVE_INFINITY;
  const take = (letter: string): number | undefined => {
    const value = values.get(letter) ?? 0;
    if (value >= bound) return undefined;
    if (single.has(letter)) bound = value;
    return value;
  };
  for (let at = 0; at < letters.length; at++) {
    const letter = letters.charAt(at);
    const next = letters.charAt(at + 1);
    if ((values.get(letter) ?? 0) >= subtracted) return undefined;
    const value = take(letter);
    if (value === undefined) return undefined;
    if (value >= (values.get(next) ?? 0)) {
      repeats = letter === next ? repeats + 1 : 1;
      if (repeats > 3) return undefined;
      result += value;
      continue;
    }
    const larger = subtractions.has(letter + next) && repeats === 1 ? take(next) : undefined;
    if (larger === undefined) return undefined;
    at++;
    subtracted = value;
    result += larger - value;
  }
  return result;
}
