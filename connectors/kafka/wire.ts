/**
 * Reading of Kafka's binary protocol ("flexible" versions): big-endian integers, unsigned varints, compact strings.
 * Source: kafka.apache.org/protocol, and KIP-482 for compact types and tagged fields.
 */
import type { Buffer } from 'node:buffer';
import { StreamError } from '../../sql/base/error.ts';

export class WireReader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#advance(4));
  }

  /** Offsets and times: exact below 2^53. */
  int64(): number {
    return readInt64(this.bytes, this.#advance(8));
  }

  unsignedVarint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 35; factor *= 128) {
      const byte = this.bytes.readUInt8(this.#advance(1));
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw malformed('a varint is too long');
  }

  /** A UUID as 32 hexadecimal digits. */
  uuid(): string {
    const start = this.#advance(16);
    return this.bytes.toString('hex', start, start + 16);
  }

  compactString(): string | null {
    const length = this.unsignedVarint() - 1;
    if (length < 0) return null;
    const start = this.#advance(length);
    return this.bytes.toString('utf8', start, start + length);
  }

  /** A null array reads as an empty one. */
  compactArray<T>(item: () => T): T[] {
    const count = this.unsignedVarint() - 1;
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }

  /** Start and length of compact bytes; length -1 is null. */
  compactBytes(): { readonly start: number; readonly length: number } {
    const length = this.unsignedVarint() - 1;
    return { start: this.#advance(Math.max(length, 0)), length };
  }

  skipTags(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint();
      this.#advance(this.unsignedVarint());
    }
  }

  #advance(length: number): number {
    const start = this.at;
    this.at += length;
    if (this.at > this.bytes.length) throw malformed('an answer ends too early');
    return start;
  }
}

export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4294967296 + bytes.readUInt32BE(at + 4);
}

export function malformed(what: string): StreamError {
  return new StreamError('SOURCE_UNREACHABLE', `Kafka's answer cannot be read: ${what}`);
}
