/** to_number(): digits picked from a text along a picture, as formatting.c reads them. */
import { StreamError } from './error.ts';
import { type NumberPicture, numberPicture } from './number-picture.ts';
import { Numeric } from './numeric.ts';
import { power } from './numeric-math.ts';
import { readRoman } from './roman.ts';

class Reader {
  readonly #input: string;
  readonly #picture: NumberPicture;
  #at = 0;
  #sign: '' | '-' | '+' = '';
  #digits = '';
  #pre = 0;
  #post = 0;
  #pointRead = false;
  /** Digits that the picture has room for, before the point and behind it. */
  #places: number;
  #decimals: number;

  constructor(input: string, picture: NumberPicture) {
    this.#input = input;
    this.#picture = picture;
    this.#places = picture.pre;
    this.#decimals = picture.post;
  }

  get #char(): string {
    return this.#input.charAt(this.#at);
  }

  read(): { readonly text: string; readonly places: number; readonly post: number } {
    for (const node of this.#picture.nodes) {
      if (this.#at >= this.#input.length) break;
      if (node.kind === 'literal')
        this.#at += this.#char >= '\ud800' && this.#char < '\udc00' ? 2 : 1;
      else if (this.#keyword(node.key.key)) this.#at++;
    }
    const digits = this.#digits.endsWith('.') ? this.#digits.slice(0, -1) : this.#digits;
    const sign = this.#sign === '-' ? '-' : '';
    return { text: sign + digits, places: this.#places, post: this.#post };
  }

  /** True when the current character has been used up. */
  #keyword(key: string): boolean {
    switch (key) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.#part(key);
        return true;
      case ',':
      case 'G':
        return !this.#picture.fill && this.#char === ',';
      case 'L':
        this.#skipOther(1);
        return false;
      case 'TH':
      case 'th':
        if (!this.#picture.decimal && !this.#picture.roman) this.#skipOther(2);
        return false;
      case 'RN':
      case 'rn':
        this.#romanNumeral();
        return false;
      case 'MI':
      case 'PL':
      case 'SG':
        return this.#signKeyword(key);
      default:
        return false;
    }
  }

  #romanNumeral(): void {
    const { value, end } = readRoman(this.#input, this.#at);
    if (value === undefined) throw new StreamError('VALUE_INVALID_TEXT', 'invalid Roman numeral');
    const digits = String(value);
    this.#at = end;
    this.#digits += digits;
    this.#places = digits.length;
    this.#decimals = 0;
  }

  #signKeyword(key: string): boolean {
    const char = this.#char;
    if ((char === '-' && key !== 'PL') || (char === '+' && key !== 'MI')) {
      this.#sign = char;
      return true;
    }
    this.#skipOther(1);
    return false;
  }

  /** Skips characters that are no part of a number. */
  #skipOther(count: number): void {
    for (let left = count; left > 0 && this.#at < this.#input.length; left--) {
      if (/[0-9.,+-]/.test(this.#char)) return;
      this.#at++;
    }
  }

  #part(key: string): void {
    if (this.#char === ' ') this.#at++;
    if (this.#at >= this.#input.length) return;
    const start = this.#pre + this.#post === 0;
    if (this.#sign === '' && (key === '0' || key === '9') && start) this.#leadingSign();
    if (this.#at >= this.#input.length) return;
    const used = this.#digitOrPoint();
    if (used === undefined) return;
    if (this.#sign === '' && this.#pre + this.#post > 0) this.#trailingSign(used);
  }

  #leadingSign(): void {
    const char = this.#char;
    const bracket = this.#picture.bracket && char === '<';
    if (char === '-' || bracket) this.#sign = '-';
    else if (char === '+') this.#sign = '+';
    else return;
    this.#at++;
  }

  /** Whether a character was taken; undefined when the picture takes no more decimals. */
  #digitOrPoint(): boolean | undefined {
    const char = this.#char;
    if (/\d/.test(char)) {
      if (this.#pointRead && this.#post === this.#decimals) return undefined;
      this.#digits += char;
      if (this.#pointRead) this.#post++;
      else this.#pre++;
      return true;
    }
    if (!this.#picture.decimal || this.#pointRead || char !== '.') return false;
    this.#digits += '.';
    this.#pointRead = true;
    return true;
  }

  #trailingSign(used: boolean): void {
    const next = this.#input.charAt(this.#at + 1);
    if (this.#picture.sign !== 'none') {
      if (!used || (next !== '-' && next !== '+')) return;
      this.#sign = next;
      this.#at++;
    } else if (!used && (this.#picture.plus || this.#picture.minus)) {
      if (this.#char === '-' || this.#char === '+') this.#sign = this.#char;
    }
  }
}

const ten = Numeric.fromInt(10);

/** @throws StreamError SQL_SYNTAX, SQL_NOT_SUPPORTED, VALUE_INVALID_TEXT, VALUE_OUT_OF_RANGE. */
export function parseNumber(input: string, text: string): Numeric | null {
  if (text === '') return null;
  const picture = numberPicture(text);
  if (picture.scientific) {
    throw new StreamError('SQL_NOT_SUPPORTED', '"EEEE" not supported for input');
  }
  const read = new Reader(input, picture).read();
  if (!/\d/.test(read.text)) {
    throw new StreamError('VALUE_INVALID_TEXT', 'invalid input syntax for type numeric: " "');
  }
  const precision = read.places + picture.multi + read.post;
  const value = Numeric.parse(read.text).coerce(precision, read.post);
  if (!picture.scaled) return value;
  return value.multiply(power(ten, Numeric.fromInt(-picture.multi)));
}
