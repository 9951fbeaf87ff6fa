/** to_char() of numbers: a port of the rules of formatting.c's NUM_processor. */
import { StreamError } from './error.ts';
import { toExponentialEven } from './float-text.ts';
import { ordinalSuffix } from './format-picture.ts';
import { type NumberKey, type NumberPicture, numberPicture } from './number-picture.ts';
import { Numeric } from './numeric.ts';
import { power } from './numeric-math.ts';

/** A number as digits that a picture's places take one by one. */
interface Digits {
  readonly negative: boolean;
  /** Whole digits, and a point with decimals when the picture has any. */
  readonly text: string;
  /** Decimals that the number has; fewer than the picture's when a double has no more. */
  readonly post: number;
}

const ten = Numeric.fromInt(10);

/** Digits of a numeric or an integer for a picture. */
function numericDigits(value: Numeric, picture: NumberPicture): Digits {
  const scaled = picture.scaled
    ? value.multiply(power(ten, Numeric.fromInt(picture.multi)))
    : value;
  const text = scaled.round(picture.post).toString();
  const negative = text.startsWith('-');
  return { negative, text: negative ? text.slice(1) : text, post: picture.post };
}

/** The exact decimal text of a double with `decimals` places, ties to even as C's printf. */
export function fixedText(value: number, decimals: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  }
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const mantissa = exponent === 0 ? fraction : fraction | 0x10000000000000n;
  const shift = Math.max(exponent, 1) - 1075;
  let numerator = mantissa * 10n ** BigInt(decimals);
  let denominator = 1n;
  if (shift >= 0) numerator <<= BigInt(shift);
  else denominator <<= BigInt(-shift);
  let whole = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  if (twice > denominator || (twice === denominator && (whole & 1n) === 1n)) whole++;
  const negative = value < 0 || Object.is(value, -0);
  return new Numeric(whole, decimals).toString().replace(/^/, negative ? '-' : '');
}

const bits = new DataView(new ArrayBuffer(8));

/** Doubles show no more than the 15 (reals 6) digits that are certain. */
function doubleDigits(value: number, picture: NumberPicture, digitsMax: number): Digits {
  const scaled = picture.scaled ? value * 10 ** picture.multi : value;
  const wholeLength = fixedText(Math.abs(scaled), 0).length;
  let post = picture.post;
  if (wholeLength >= digitsMax) post = 0;
  else if (wholeLength + post > digitsMax) post = digitsMax - wholeLength;
  const text = fixedText(scaled, post);
  const negative = text.startsWith('-');
  return { negative, text: negative ? text.slice(1) : text, post };
}

const romanDigits: readonly (readonly [number, string])[] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];

function roman(value: number): string {
  if (!(value >= 1 && value <= 3999)) return '#'.repeat(15);
  let rest = value;
  let text = '';
  for (const [size, digits] of romanDigits) {
    while (rest >= size) {
      text += digits;
      rest -= size;
    }
  }
  return text;
}

function scientificOverflow(picture: NumberPicture): string {
  return ` ${'#'.repeat(picture.pre)}.${'#'.repeat(picture.post + 4)}`;
}

/** d.ddde+XX of a numeric, rounded half away from zero. */
function scientificNumeric(value: Numeric, picture: NumberPicture): string {
  if (!value.isFinite) return scientificOverflow(picture);
  const digits = value.abs().unscaled.toString();
  const exponent = value.unscaled === 0n ? 0 : digits.length - 1 - value.scale;
  const scale = value.scale + exponent;
  const exact =
    scale >= 0
      ? new Numeric(value.unscaled, scale)
      : new Numeric(value.unscaled * 10n ** BigInt(-scale), 0);
  // Rounding may give 10.00, which PostgreSQL leaves so.
  const mantissa = exact.round(picture.post);
  const sign = exponent < 0 ? '-' : '+';
  const text = `${mantissa.toString()}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return text.startsWith('-') ? text : ` ${text}`;
}

function scientificDouble(value: number, picture: NumberPicture): string {
  if (!Number.isFinite(value)) return scientificOverflow(picture);
  const text = toExponentialEven(value, Math.min(picture.post, 100)).replace(
    /e([+-])(\d)$/,
    'e$10$2',
  );
  if (text.startsWith('-')) return text;
  return `${Object.is(value, -0) ? '-' : ' '}${text}`;
}

const END = '\0';

class Writer {
  readonly #picture: NumberPicture;
  readonly #number: string;
  readonly #negative: boolean;
  /** Places of the picture in front of the number's first digit. */
  readonly #spaces: number;
  readonly #count: number;
  readonly #lastRelevant: number | undefined;
  readonly #sign: 'none' | 'before' | 'after';
  readonly #bracket: boolean;
  #signWritten: boolean;
  #at = 0;
  #place = 0;
  #inNumber = false;
  #text = '';

  constructor(picture: NumberPicture, pre: number, digits: Digits) {
    this.#picture = picture;
    this.#negative = digits.negative;
    const point = digits.text.indexOf('.');
    const whole = point < 0 ? digits.text.length : point;
    this.#spaces = whole < pre ? pre - whole : 0;
    this.#number = whole > pre ? `${'#'.repeat(pre)}.${'#'.repeat(digits.post)}` : digits.text;
    const ownSign = picture.plus || picture.minus;
    this.#bracket = picture.bracket && (ownSign || digits.negative || !picture.fill);
    if (ownSign) {
      this.#signWritten = !(picture.plus && !picture.minus);
      this.#sign = picture.sign;
    } else {
      this.#signWritten = !digits.negative && picture.fill && picture.sign === 'none';
      const last = picture.sign === 'before' && pre === picture.signPlaces;
      this.#sign = last ? 'after' : picture.sign;
    }
    this.#lastRelevant = this.#findLastRelevant();
    const extra = !this.#signWritten && this.#spaces === 0 ? 1 : 0;
    this.#count = digits.post + pre - 1 + extra;
  }

  /** With FM, decimals after this index are zeros that no `0` of the picture asks for. */
  #findLastRelevant(): number | undefined {
    const { fill, decimal, zeroEnd } = this.#picture;
    if (!fill || !decimal) return undefined;
    const point = this.#number.indexOf('.');
    if (point < 0) return undefined;
    let last = point;
    for (let index = point + 1; index < this.#number.length; index++) {
      if (this.#number.charAt(index) !== '0') last = index;
    }
    if (zeroEnd > this.#spaces) {
      last = Math.max(last, Math.min(this.#number.length - 1, zeroEnd - this.#spaces));
    }
    return last;
  }

  get #lastIsPoint(): boolean {
    return this.#lastRelevant !== undefined && this.#number.charAt(this.#lastRelevant) === '.';
  }

  /** The 0 in front of a point is a blank unless the picture has a `0`: " .1". */
  get #leadingZero(): boolean {
    const { zero, post } = this.#picture;
    return !zero && this.#at === 0 && this.#number.startsWith('0') && post !== 0;
  }

  write(): string {
    for (const node of this.#picture.nodes) {
      if (node.kind === 'literal') this.#text += node.text;
      else this.#keyword(node.key.key);
    }
    const end = this.#text.indexOf(END);
    return end < 0 ? this.#text : this.#text.slice(0, end);
  }

  #keyword(key: NumberKey): void {
    const { fill } = this.#picture;
    switch (key) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.#takePlace(key);
        break;
      case ',':
      case 'G':
        if (this.#inNumber) this.#text += ',';
        else if (!fill) this.#text += ' ';
        break;
      case 'L':
        this.#text += ' ';
        break;
      case 'TH':
      case 'th':
        if (this.#number.startsWith('#') || this.#negative || this.#picture.decimal) break;
        if (!/\d$/.test(this.#number)) {
          throw new StreamError('VALUE_INVALID_TEXT', `"${this.#number}" is not a number`);
        }
        this.#text += ordinalSuffix(this.#number, key === 'TH');
        break;
      case 'MI':
        if (this.#negative) this.#text += '-';
        else if (!fill) this.#text += ' ';
        break;
      case 'PL':
        if (!this.#negative) this.#text += '+';
        else if (!fill) this.#text += ' ';
        break;
      case 'SG':
        this.#text += this.#negative ? '-' : '+';
        break;
      default:
        break;
    }
  }

  #writeSign(): void {
    const { zero, zeroStart, sign, fill } = this.#picture;
    const reached = this.#place >= this.#spaces || (zero && zeroStart === this.#place);
    if (this.#signWritten || !reached || (this.#leadingZero && !this.#lastIsPoint)) return;
    if (sign !== 'none') {
      if (this.#sign !== 'before') return;
      this.#text += this.#negative ? '-' : '+';
    } else if (this.#bracket) this.#text += this.#negative ? '<' : ' ';
    else if (this.#negative) this.#text += '-';
    else if (!fill) this.#text += ' ';
    this.#signWritten = true;
  }

  #takePlace(key: NumberKey): void {
    const { zero, zeroStart, fill, decimal } = this.#picture;
    this.#inNumber = false;
    this.#writeSign();
    if (this.#place < this.#spaces && (!zero || zeroStart > this.#place)) {
      if (!fill) this.#text += ' ';
    } else if (zero && this.#place < this.#spaces) {
      this.#text += '0';
      this.#inNumber = true;
    } else {
      this.#writeDigit(key);
      if (this.#at < this.#number.length) this.#at++;
    }
    let end = this.#count + (this.#spaces > 0 ? 1 : 0) + (decimal ? 1 : 0);
    if (this.#lastRelevant !== undefined && this.#lastRelevant === this.#at) end = this.#place;
    if (this.#place + 1 === end) this.#writeEnd();
    this.#place++;
  }

  #writeDigit(key: NumberKey): void {
    const { fill } = this.#picture;
    const char = this.#number.charAt(this.#at);
    if (char === '.') {
      this.#text += '.';
      return;
    }
    if (this.#lastRelevant !== undefined && this.#at > this.#lastRelevant && key !== '0') return;
    if (this.#leadingZero) {
      if (!fill) this.#text += ' ';
      else if (this.#lastIsPoint) this.#text += '0';
      return;
    }
    // PostgreSQL writes the string's end here, which hides whatever the picture has behind it.
    this.#text += char === '' ? END : char;
    this.#inNumber = true;
  }

  #writeEnd(): void {
    if (this.#signWritten && this.#bracket) this.#text += this.#negative ? '>' : ' ';
    else if (this.#picture.sign !== 'none' && this.#sign === 'after') {
      this.#text += this.#negative ? '-' : '+';
    }
  }
}

function write(picture: NumberPicture, digits: Digits): string {
  return new Writer(picture, picture.pre + picture.multi, digits).write();
}

/** Only RN (or rn) and literals count in a Roman picture. */
function writeRoman(picture: NumberPicture, value: number): string {
  const digits = roman(value);
  let text = '';
  for (const node of picture.nodes) {
    if (node.kind === 'literal') text += node.text;
    else if (node.key.key === 'RN' || node.key.key === 'rn') {
      const shown = node.key.key === 'rn' ? digits.toLowerCase() : digits;
      text += picture.fill ? shown : shown.padStart(15);
    }
  }
  return text;
}

/** to_char(integer, picture): as for numerics, but its exponents are those of a double. */
export function formatInteger(value: number, text: string): string {
  const picture = numberPicture(text);
  return picture.scientific
    ? scientificDouble(value, picture)
    : formatNumeric(Numeric.fromInt(value), text);
}

/** to_char(numeric, picture), also for bigint. */
export function formatNumeric(value: Numeric, text: string): string {
  const picture = numberPicture(text);
  if (picture.roman)
    return writeRoman(picture, value.isFinite ? Number(value.round(0).unscaled) : 0);
  if (picture.scientific) return scientificNumeric(value, picture);
  return write(picture, numericDigits(value, picture));
}

/** to_char(double or real, picture); `digitsMax` is 15 or 6. */
export function formatDouble(value: number, text: string, digitsMax: number): string {
  const picture = numberPicture(text);
  if (picture.roman) return writeRoman(picture, Number(fixedText(value, 0)));
  if (picture.scientific) return scientificDouble(value, picture);
  return write(picture, doubleDigits(value, picture, digitsMax));
}
