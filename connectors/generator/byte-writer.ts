/** Writes ASCII and UTF-8 JSON fragments into memory; the caller sees to it that there is room. */
import { Buffer } from 'node:buffer';

const ZERO = 0x30;

export class ByteWriter {
  bytes: Buffer;
  at = 0;

  constructor(bytesMax: number) {
    this.bytes = Buffer.allocUnsafeSlow(bytesMax);
  }

  get room(): number {
    return this.bytes.length - this.at;
  }

  fragment(fragment: Uint8Array): void {
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < fragment.length; i++) bytes[at++] = fragment[i] as number;
    this.at = at;
  }

  range(source: Uint8Array, start: number, length: number): void {
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < length; i++) bytes[at++] = source[start + i] as number;
    this.at = at;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  text(text: string): void {
    this.at += this.bytes.write(text, this.at);
  }

  /** A whole number of at least 0, below 2^53. */
  integer(value: number): void {
    if (value > 0x7fffffff) {
      this.text(String(value));
      return;
    }
    let digits = 1;
    for (let bound = 10; value >= bound && digits < 10; bound *= 10) digits++;
    let rest = value | 0;
    const end = this.at + digits;
    for (let i = end - 1; i >= this.at; i--) {
      const tens = (rest / 10) | 0;
      this.bytes[i] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.at = end;
  }
}

/** ISO-8601 text with milliseconds in UTC, such as 2015-07-15T00:00:00.000Z; remembers the last second. */
export class IsoTimeWriter {
  readonly #text = Buffer.alloc(24);
  #second = Number.NaN;

  write(timestampMs: number, target: ByteWriter): void {
    const second = Math.floor(timestampMs / 1000);
    if (second !== this.#second) {
      this.#text.write(new Date(second * 1000).toISOString(), 'latin1');
      this.#second = second;
    }
    const millis = timestampMs - second * 1000;
    const hundreds = (millis / 100) | 0;
    const tens = ((millis / 10) | 0) - hundreds * 10;
    this.#text[20] = ZERO + hundreds;
    this.#text[21] = ZERO + tens;
    this.#text[22] = ZERO + millis - hundreds * 100 - tens * 10;
    target.fragment(this.#text);
  }
}
