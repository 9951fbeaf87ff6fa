import { isUtf8 } from './utf8.ts';

/** Objects and arrays inside one another, the record's own object counted; deeper ones are refused. */
export const JSON_DEPTH_MAX = 1000;

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const COLON = 58;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** Little-endian words of "true", "alse" and "null". */
const TRUE = 0x65757274;
const ALSE = 0x65736c61;
const NULL = 0x6c6c756e;

/**
 * Walks JSON (RFC 8259) in bytes without building anything, and says where values end. It accepts what
 * JSON.parse accepts of the same bytes decoded as strict UTF-8, nesting deeper than JSON_DEPTH_MAX excepted.
 * All methods give the position after what they walked, or -1 where it is not JSON; `fault` is then the place.
 * Positions past `end` are never read.
 */
export class JsonWalker {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  end = 0;
  fault = 0;
  /** The last string walked holds a backslash. */
  escaped = false;
  /** Of the last key walked: the position of its closing quote, and whether it holds a backslash. */
  keyEnd = 0;
  keyEscaped = false;
  readonly #containers = new Uint8Array(JSON_DEPTH_MAX + 1);

  reset(bytes: Buffer): void {
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(at: number): -1 {
    this.fault = at;
    return -1;
  }

  space(start: number): number {
    const { bytes, end } = this;
    let at = start;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) break;
      at++;
    }
    return at;
  }

  /** @param start  after the opening quote. @returns the position after the closing one. */
  string(start: number): number {
    const { bytes, view, end } = this;
    let at = start;
    let ascii = true;
    this.escaped = false;
    for (;;) {
      while (at + 4 <= end) {
        const word = view.getInt32(at, true);
        const quote = word ^ 0x22222222;
        const slash = word ^ 0x5c5c5c5c;
        // High bits of bytes that are a quote, a backslash, a control character or not ASCII; only
        // the lowest one is sure, because a borrow may run into the bytes above it.
        const odd =
          (((quote - 0x01010101) & ~quote) |
            ((slash - 0x01010101) & ~slash) |
            (word - 0x20202020) |
            word) &
          0x80808080;
        if (odd !== 0) {
          at += (31 - Math.clz32(odd & -odd)) >> 3;
          break;
        }
        at += 4;
      }
      if (at >= end) return this.fail(end);
      const byte = bytes[at] as number;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        this.escaped = true;
        at = this.#escape(at);
        if (at < 0) return -1;
      } else if (byte < 32) {
        return this.fail(at);
      } else {
        if (byte >= 128) ascii = false;
        at++;
      }
    }
    if (!ascii && !isUtf8(bytes, start, at)) return this.fail(start);
    return at + 1;
  }

  #escape(at: number): number {
    const { bytes, end } = this;
    if (at + 1 >= end) return this.fail(end);
    switch (bytes[at + 1]) {
      case QUOTE:
      case BACKSLASH:
      case 47: // slash
      case 98: // b
      case 102: // f
      case 110: // n
      case 114: // r
      case 116: // t
        return at + 2;
      case 117: {
        if (at + 6 > end) return this.fail(end);
        for (let digit = at + 2; digit < at + 6; digit++) {
          const byte = bytes[digit] as number;
          const hex =
            (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102);
          if (!hex) return this.fail(digit);
        }
        return at + 6;
      }
      default:
        return this.fail(at + 1);
    }
  }

  number(start: number): number {
    const { bytes, end } = this;
    let at = start;
    if (at < end && bytes[at] === MINUS) at++;
    const whole = at;
    at = this.#digits(at);
    if (at === whole) return this.fail(at);
    if (bytes[whole] === 48 && at > whole + 1) return this.fail(whole + 1);
    if (at < end && bytes[at] === 46) {
      const fraction = at + 1;
      at = this.#digits(fraction);
      if (at === fraction) return this.fail(at);
    }
    if (at < end && ((bytes[at] as number) | 32) === 101) {
      at++;
      if (at < end && (bytes[at] === 43 || bytes[at] === MINUS)) at++;
      const exponent = at;
      at = this.#digits(exponent);
      if (at === exponent) return this.fail(at);
    }
    return at;
  }

  #digits(start: number): number {
    const { bytes, end } = this;
    let at = start;
    while (at < end && ((bytes[at] as number) - 48) >>> 0 <= 9) at++;
    return at;
  }

  value(start: number): number {
    if (start >= this.end) return this.fail(start);
    const byte = this.bytes[start] as number;
    if (byte === QUOTE) return this.string(start + 1);
    if (byte === MINUS || (byte - 48) >>> 0 <= 9) return this.number(start);
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) return this.#container(start);
    return this.#word(start);
  }

  #word(start: number): number {
    const { bytes, view, end } = this;
    if (start + 4 > end) return this.fail(start);
    if (bytes[start] === 102) {
      if (start + 5 > end || view.getInt32(start + 1, true) !== ALSE) return this.fail(start);
      return start + 5;
    }
    const word = view.getInt32(start, true);
    return word === TRUE || word === NULL ? start + 4 : this.fail(start);
  }

  /** Walks an object's key and colon, up to its value. */
  key(start: number): number {
    let at = start;
    if (at >= this.end || this.bytes[at] !== QUOTE) return this.fail(at);
    at = this.string(at + 1);
    if (at < 0) return -1;
    this.keyEnd = at - 1;
    this.keyEscaped = this.escaped;
    at = this.space(at);
    if (at >= this.end || this.bytes[at] !== COLON) return this.fail(at);
    return this.space(at + 1);
  }

  #container(start: number): number {
    const { bytes, end } = this;
    const containers = this.#containers;
    // The record's own object is the first level.
    let depth = 1;
    let at = start;
    for (;;) {
      // Here `at` is the start of a value.
      if (at >= end) return this.fail(at);
      const byte = bytes[at] as number;
      let opened = false;
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (depth >= JSON_DEPTH_MAX) return this.fail(at);
        const close = byte + 2;
        containers[++depth] = close;
        at = this.space(at + 1);
        if (at < end && bytes[at] === close) {
          depth--;
          at++;
        } else {
          opened = true;
        }
      } else {
        at = this.value(at);
        if (at < 0) return -1;
      }
      if (!opened) {
        // After a value: close what ends here, then expect a comma.
        for (;;) {
          if (depth === 1) return at;
          at = this.space(at);
          if (at >= end) return this.fail(at);
          if (bytes[at] !== containers[depth]) break;
          depth--;
          at++;
        }
        if (bytes[at] !== COMMA) return this.fail(at);
        at = this.space(at + 1);
      }
      if (containers[depth] === CLOSE_OBJECT) {
        at = this.key(at);
        if (at < 0) return -1;
      }
    }
  }
}

export {
  ALSE,
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  MINUS,
  NULL,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  TRUE,
};
