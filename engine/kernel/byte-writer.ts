/** Bytes being written one behind the other, in a buffer that grows. */

const FIRST_BYTES = 16 * 1024;
/** A larger buffer is given back once its bytes were taken. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
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

/** Bytes that are written often, with room behind them to be copied by words. */
export interface Piece {
  readonly view: DataView;
  readonly length: number;
}

export function pieceOf(text: string): Piece {
  const bytes = Buffer.from(text);
  const padded = new Uint8Array(bytes.length + 4);
  padded.set(bytes);
  return { view: new DataView(padded.buffer), length: bytes.length };
}

/** The two digits of every number below 100. */
const digitPairs = Uint8Array.from({ length: 200 }, (_, i) =>
  i % 2 === 0 ? ZERO + Math.floor(i / 20) : ZERO + (Math.floor(i / 2) % 10),
);

export class ByteWriter {
  bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #view: DataView = viewOf(this.bytes);
  at = 0;

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + count));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
    this.#view = viewOf(grown);
  }

  /** A copy of the bytes so far; the writer starts anew in memory that it has touched before. */
  take(): Buffer {
    const written = Buffer.allocUnsafeSlow(this.at);
    this.bytes.copy(written, 0, 0, this.at);
    this.at = 0;
    if (this.bytes.length > KEPT_BYTES_MAX) {
      this.bytes = Buffer.allocUnsafe(FIRST_BYTES);
      this.#view = viewOf(this.bytes);
    }
    return written;
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.at++] = value;
  }

  piece({ view, length }: Piece): void {
    this.ensure(length + 4);
    for (let i = 0; i < length; i += 4) this.#view.setInt32(this.at + i, view.getInt32(i));
    this.at += length;
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
    let at = this.at + count;
    while (at - this.at > 1) {
      const next = (rest / 100) | 0;
      const pair = (rest - next * 100) * 2;
      bytes[--at] = digitPairs[pair + 1] as number;
      bytes[--at] = digitPairs[pair] as number;
      rest = next;
    }
    if (at > this.at) bytes[--at] = ZERO + (rest % 10);
    this.at += count;
  }

  /** hh:mm:ss of a second of a day. */
  clock(second: number): void {
    this.ensure(8);
    const { bytes, at } = this;
    const minutes = (second / 60) | 0;
    const hours = (minutes / 60) | 0;
    this.#pair(at, hours);
    bytes[at + 2] = 58;
    this.#pair(at + 3, minutes - hours * 60);
    bytes[at + 5] = 58;
    this.#pair(at + 6, second - minutes * 60);
    this.at = at + 8;
  }

  #pair(at: number, value: number): void {
    this.bytes[at] = digitPairs[value * 2] as number;
    this.bytes[at + 1] = digitPairs[value * 2 + 1] as number;
  }

  /** `value`, below 10^9, padded with zeros to `count` digits. */
  padded(value: number, count: number): void {
    this.ensure(count);
    this.#digits(value, count);
  }

  /** UTF-8 as a JSON string: quotes, backslashes and control characters are escaped, the rest stays. */
  jsonString(from: Uint8Array, fromView: DataView, start: number, length: number): void {
    this.ensure(length * 6 + 2);
    const { bytes } = this;
    const view = this.#view;
    const end = start + length;
    let { at } = this;
    let i = start;
    bytes[at++] = 34;
    for (;;) {
      while (i + 4 <= end) {
        const word = fromView.getInt32(i);
        const quote = word ^ 0x22222222;
        const slash = word ^ 0x5c5c5c5c;
        // High bits of bytes that must be escaped; a borrow may set more of them, never fewer.
        const odd =
          (((quote - 0x01010101) & ~quote) |
            ((slash - 0x01010101) & ~slash) |
            ((word - 0x20202020) & ~word)) &
          0x80808080;
        if (odd !== 0) break;
        view.setInt32(at, word);
        at += 4;
        i += 4;
      }
      // Byte by byte: the word that stopped the loop, or what is left.
      const stop = Math.min(i + 4, end);
      for (; i < stop; i++) {
        const byte = from[i] as number;
        if (byte >= 32 && byte !== 34 && byte !== 92) bytes[at++] = byte;
        else at = escapeByte(bytes, at, byte);
      }
      if (i === end) break;
    }
    bytes[at++] = 34;
    this.at = at;
  }
}

function escapeByte(bytes: Uint8Array, start: number, byte: number): number {
  let at = start;
  bytes[at++] = 92;
  const letter = shortEscapes.get(byte);
  if (letter !== undefined) {
    bytes[at++] = letter;
    return at;
  }
  bytes[at++] = 117;
  bytes[at++] = ZERO;
  bytes[at++] = ZERO;
  bytes[at++] = hexDigits[byte >> 4] as number;
  bytes[at++] = hexDigits[byte & 15] as number;
  return at;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
