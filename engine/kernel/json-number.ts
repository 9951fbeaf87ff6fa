/** Integers of so many digits are exact in a double, and so is their sum of digit values on the way. */
export const DIGITS_MAX = 15;
/** Powers of ten that a double holds exactly. */
export const exactPowersOfTen = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/**
 * Reads -?digits[.digits] of at most DIGITS_MAX digits as unscaled value and scale, and as the nearest
 * double: both parts are exact doubles then, so that one division rounds correctly (Clinger 1990).
 */
export class DecimalReader {
  /** After the last digit. */
  end = 0;
  scale = 0;

  /**
   * @param limit  DIGITS_MAX + 2 bytes behind it can be read.
   * @returns the unscaled value; NaN for every other spelling, legal or not.
   */
  read(bytes: Uint8Array, start: number, limit: number): number {
    let at = start;
    const negative = bytes[at] === 45;
    if (negative) at++;
    const whole = at;
    let value = (bytes[at] as number) - 48;
    if (value >>> 0 > 9) return Number.NaN;
    const last = at + DIGITS_MAX + 1;
    let digit = (bytes[++at] as number) - 48;
    while (digit >>> 0 <= 9 && at <= last) {
      value = value * 10 + digit;
      digit = (bytes[++at] as number) - 48;
    }
    if (bytes[whole] === 48 && at > whole + 1) return Number.NaN;
    this.scale = 0;
    let digits = at - whole;
    if (digit === -2) {
      const point = at;
      digit = (bytes[++at] as number) - 48;
      while (digit >>> 0 <= 9 && at <= last) {
        value = value * 10 + digit;
        digit = (bytes[++at] as number) - 48;
      }
      this.scale = at - point - 1;
      digits += this.scale;
      if (this.scale === 0) return Number.NaN;
    }
    if (digits > DIGITS_MAX || at > limit || digit >>> 0 <= 9) return Number.NaN;
    if (digit === 21 || digit === 53) return Number.NaN; // E, e
    this.end = at;
    return negative ? 0 - value : value;
  }

  /** The double of what was read last; -0 keeps its sign. */
  double(unscaled: number, negative: boolean): number {
    const value = unscaled / (exactPowersOfTen[this.scale] as number);
    return negative && value === 0 ? -0 : value;
  }
}
