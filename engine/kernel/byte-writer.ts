/** Bytes being written one behind the other, in a buffer that grows. */

const FIRST_BYTES = 16 * 1024;
const ZERO = 48;
const BILLION = 1e9;
const hexDigits = Buffer.from('0123456789abcdef');
/** The letter behind the backslash of PostgreSQL's short escapes in JSON. */
const shortEscapes: ReadonlyMap<number, number> = new Map([
  [8, 98],
  [9, 116],
  [10, 110],
  [12, 102],
  [13, 114],
  [34, 34],
  [92, 92],
]);

export class ByteWriter {
  bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  at = 0;

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + count));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  /** The bytes so far; the writer starts anew. */
  take(): Buffer {
    const written = this.bytes.subarray(0, this.at);
    this.bytes = Buffer.allocUnsafe(Math.max(FIRST_BYTES, this.at));
    this.at = 0;
    return written;
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.at++] = value;
  }

  raw(from: Uint8Array, start: number, length: number): void {
    this.ensure(length);
    const { bytes } = this;
    let { at } = this;
    for (let i = start; i < start + length; i++) bytes[at++] = from[i] as number;
    this.at = at;
  }

  text(text: string): void {
    this.ensure(text.length * 3);
    this.at += this.bytes.utf8Write(text, this.at);
  }

  /** An integral double within ±2^53. */
  integer(value: number): void {
    this.ensure(20);
    let magnitude = value;
    if (value < 0) {
      this.bytes[this.at++] = 45;
      magnitude = -value;
    }
    if (magnitude < BILLION) {
      this.#digits(magnitude, digitCount(magnitude));
      return;
    }
    const high = Math.floor(magnitude / BILLION);
    this.#digits(high, digitCount(high));
    this.#digits(magnitude - high * BILLION, 9);
  }

  /** unscaled / 10^scale with all digits of the scale; unscaled within ±2^53, scale at most 1000. */
  decimal(unscaled: number, scale: number): void {
    if (scale === 0) {
      this.integer(unscaled);
      return;
    }
    this.ensure(24 + scale);
    const { bytes } = this;
    if (unscaled < 0) bytes[this.at++] = 45;
    const start = this.at;
    this.integer(Math.abs(unscaled));
    const digits = this.at - start;
    // At least one digit stands before the point.
    const padded = Math.max(digits, scale + 1);
    bytes.copyWithin(start + padded - digits, start, start + digits);
    bytes.fill(ZERO, start, start + padded - digits);
    const point = start + padded - scale;
    bytes.copyWithin(point + 1, point, start + padded);
    bytes[point] = 46;
    this.at = start + padded + 1;
  }

  /** `value`, below 10^9, in exactly `count` digits. */
  #digits(value: number, count: number): void {
    const { bytes } = this;
    let rest = value | 0;
    for (let i = this.at + count - 1; i >= this.at; i--) {
      const next = (rest / 10) | 0;
      bytes[i] = ZERO + rest - next * 10;
      rest = next;
    }
    this.at += count;
  }

  /** Two digits, for dates. */
  pair(value: number): void {
    this.#digits(value, 2);
  }

  /** `value`, below 10^9, padded with zeros to `count` digits. */
  padded(value: number, count: number): void {
    this.ensure(count);
    this.#digits(value, count);
  }

  /** UTF-8 as a JSON string: quotes, backslashes and control characters are escaped, the rest stays. */
  jsonString(from: Uint8Array, start: number, length: number): void {
    this.ensure(length * 6 + 2);
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = 34;
    for (let i = start; i < start + length; i++) {
      const byte = from[i] as number;
      if (byte >= 32 && byte !== 34 && byte !== 92) {
        bytes[at++] = byte;
        continue;
      }
      bytes[at++] = 92;
      const letter = shortEscapes.get(byte);
      if (letter !== undefined) {
        bytes[at++] = letter;
        continue;
      }
      bytes[at++] = 117;
      bytes[at++] = ZERO;
      bytes[at++] = ZERO;
      bytes[at++] = hexDigits[byte >> 4] as number;
      bytes[at++] = hexDigits[byte & 15] as number;
    }
    bytes[at++] = 34;
    this.at = at;
  }
}

function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return 9;
}
